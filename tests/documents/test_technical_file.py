"""The technical file: every item of Annex IV has a place, and what other documents answer is not asked again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from factbook import Book, regimes
from factbook.documents import kinds

ANNEX = "eu-ai-act-annex-iv"
HELPDESK = Path(__file__).parents[2] / "examples" / "helpdesk"


def test_every_item_of_the_annex_has_a_place_in_its_order() -> None:
    template = kinds.folder("technical-file").template
    items = list(regimes.load(ANNEX).items)
    assert re.findall(r'part\("answered", regime="eu-ai-act-annex-iv", item="([^"]+)"\)', template) == items
    assert [question.meets for question in kinds.load("technical-file").questions] == [(item,) for item in items]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    shutil.copytree(HELPDESK, tmp_path / "book", ignore=shutil.ignore_patterns(".factbook", "site", "dist"))
    return Book(tmp_path / "book")


def test_what_the_system_description_answers_is_listed_and_not_asked(book: Book) -> None:
    path, *_ = book.new("technical-file")
    text = path.read_text(encoding="utf-8")
    interaction = text[text.index("## Item 1(b)") : text.index("## Item 1(c)")]
    assert "](system-description.md#purpose-and-context)" in interaction
    assert "question:" not in interaction
    declaration = text[text.index("## Item 8") : text.index("## Item 9")]
    assert "(question:i8.answer)" in declaration
    assert "](system-description.md" not in declaration
    assert {item.code for item in book.check().findings if item.file.endswith(path.name)} == {"FB201"}
