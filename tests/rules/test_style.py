"""style.yaml, the safe fixes, and the export for editors."""

from __future__ import annotations

import re
from pathlib import Path

import casebook
import pytest
import yaml

from factbook import Book
from factbook.canon import load_yaml
from factbook.cli import main
from factbook.errors import ManifestError
from factbook.rules import style, vale

TEXT = "# T\n\nWe utilise the the model; Utilise it. “We utilise it there”. `utilise`\n\n[19.5 %](fact:performance/fnr) are missed.\n"
MENDED = "# T\n\nWe use the model; Use it. “We utilise it there”. `utilise`\n\n[19.5 %](fact:performance/fnr) are missed.\n"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    root = casebook.build(tmp_path / "book")
    (root / "documents" / "a.md").write_text(TEXT, encoding="utf-8")
    (root / "style.yaml").write_text("say: {utilise: use}\n", encoding="utf-8")
    return Book(root)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("coma: [x]\n", "style.yaml:1: coma: is not known here"),
        ("bands:\n  small_group: few\n", "style.yaml:2: bands.small_group"),
        ("allow: [robust]\ncomparisons: [Robust]\n", "'robust' is both allowed and listed"),
        ("say: {utilise: use, use: employ}\n", "is to be replaced itself"),
        ("say: [a\n", "style.yaml:2"),
    ],
)
def test_a_style_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "style.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match=re.escape(said)):
        style.load(tmp_path)


def test_words_are_matched_whole_and_a_star_stands_for_any_ending() -> None:
    found = style.pattern(("end user", "superior*"))
    assert [match.group() for match in found.finditer("End-user, end  users, superiority, inferior superior")] == [
        "End-user",
        "superiority",
        "superior",
    ]


def test_only_what_is_safe_is_fixed_and_everything_else_stays(book: Book) -> None:
    assert [item.after.decode() for item in book.fix(dry=True)] == [MENDED]
    assert book.documents[0].source.decode() == TEXT
    (changed,) = book.fix()
    assert [finding.code for finding in changed.findings] == ["FB312", "FB313", "FB312"]
    assert book.documents[0].source.decode() == MENDED
    assert book.fix() == ()


def test_a_fix_keeps_the_letter_case_that_stands_there(book: Book) -> None:
    (book.root / "style.yaml").write_text("say: {utilise: use, AI: model, Tool: instrument}\n", encoding="utf-8")
    (book.root / "documents" / "a.md").write_text("WE UTILISE AI. Utilise an AI. The Tool is utilised by a Tool.\n", encoding="utf-8")
    book.fix()
    assert book.documents[0].source.decode() == "WE USE model. Use an model. The instrument is utilised by a instrument.\n"


def test_fix_shows_a_difference_where_nothing_is_to_be_written(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", str(book.root), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "-We utilise the the model" in said
    assert "+We use the model; Use it." in said


def test_what_is_exempt_is_not_fixed(book: Book) -> None:
    path = book.root / "documents" / "a.md"
    path.write_text("# T\n\n<!-- factbook: allow FB312 because the law says so -->\nWe utilise it.\n", encoding="utf-8")
    assert book.fix() == ()


def test_the_style_for_editors_finds_the_planted_words(book: Book) -> None:
    made = book.vale()
    assert "BasedOnStyles = factbook" in made[".vale.ini"]
    trees = {name: yaml.safe_load(text) for name, text in made.items() if name.endswith(".yml")}
    assert trees["factbook/HouseWordsAreUsed.yml"]["swap"] == {"utilise": "use"}
    cases = Path(__file__).parent.parent / "cases" / "rules"
    for name, file in (
        ("comparison-is-claimed", "ComparisonIsClaimed"),
        ("words-are-measured", "WordsAreMeasured"),
        ("word-stands-once", "WordStandsOnce"),
    ):
        tree = trees[f"factbook/{file}.yml"]
        words = re.compile("|".join(tree["tokens"]), re.IGNORECASE)
        planted, _ = load_yaml((cases / f"{name}.yaml").read_text(encoding="utf-8"), name)
        assert all(words.search(item["text"]) for item in planted["bad"] if "write" not in item), name
        assert tree["level"] == "suggestion"


def test_without_words_of_its_own_a_book_exports_the_built_in_ones() -> None:
    assert "factbook/HouseWordsAreUsed.yml" not in vale.files(style.Style())


def test_the_hook_checks_the_books_of_the_files_that_changed(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hook", str(book.root / "documents" / "a.md"), str(book.root.parent / "elsewhere.txt")]) == 0
    assert "FB312" in capsys.readouterr().out
    assert main(["hook", "--fix", str(book.root / "style.yaml")]) == 1
    assert book.documents[0].source.decode() == MENDED
    (book.root / "documents" / "a.md").write_text("[1.5 %](fact:performance/fnr)\n", encoding="utf-8")
    assert main(["hook", str(book.root / "documents" / "a.md")]) == 1
