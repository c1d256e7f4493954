"""The tables that a machine writes into documents: the measures that are cited, declared terms, and the parts of the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook.book import Book
from factbook.documents.parse import parse
from factbook.errors import DocumentError
from factbook.parts import Holding, Words, elements, glossary, interfaces, terms
from made import predictions

MORE = """
terms:
  shelf: {means: where a *title* stands}
  Card: {means: what a reader holds, short: LC}
system:
  elements:
    reader: {title: Reader, kind: person, outside: true}
    page: {title: Page, kind: system, document: documents/model-card.md}
    model: {title: Model, kind: model, inside: page, technology: a | b, evidence: [performance]}
  relations:
    - {from: reader, to: page, label: asks, technology: HTTPS, data: words}
    - {from: page, to: model}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    place = tmp_path_factory.mktemp("words")
    made = Book.init(place / "book", data=str(predictions(place / "rows.csv")), label="y", score="p", by=("sex",))[0]
    path = made.root / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    return Book(made.root)


def written(book: Book, part, name: str) -> list[tuple[str, ...]]:
    """The rows of the table that a part writes, as a reader sees them."""
    text = part.write(Words(name, {}), Holding(book.catalog, book.documents, book.documents[0]))
    document = parse(text, "x.md")
    width = text.partition("\n")[0].count(" | ") + 1
    cells = [block.text for block in document.blocks if str(block.kind) == "cell"]
    return [tuple(cells[at : at + width]) for at in range(0, len(cells), width)]


def test_the_glossary_holds_what_is_cited_and_no_more(book: Book) -> None:
    rows = {row[0]: row for row in written(book, glossary, "glossary")}
    assert rows["false-negative rate"][1] == "FNR"
    assert "Brier score" in rows
    assert "correlation ratio" not in rows
    assert list(rows)[1:] == sorted(list(rows)[1:], key=str.casefold)


def test_terms_stand_by_name_and_are_no_markup(book: Book) -> None:
    assert written(book, terms, "terms")[1:] == [("Card", "LC", "what a reader holds"), ("shelf", "–", "where a *title* stands")]


def test_elements_lead_to_their_documents(book: Book) -> None:
    text = elements.write(Words("elements", {}), Holding(book.catalog, book.documents, book.documents[0]))
    assert "[Page](model-card.md)" in text
    rows = written(book, elements, "elements")
    assert rows[1][:2] == ("Reader", "person, outside")
    assert rows[3] == ("Model", "model", "Page", "a | b", "–", "performance")


def test_interfaces_say_what_happens_over_what(book: Book) -> None:
    assert written(book, interfaces, "interfaces")[1:] == [("Reader", "Page", "asks", "HTTPS", "words"), ("Page", "Model", "–", "–", "–")]


@pytest.mark.parametrize("part", [terms, elements, interfaces])
def test_nothing_declared_is_refused_with_a_remedy(part, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "factbook.yaml").write_text("factbook: 1\nsubject: {name: x}\n")
    bare = Book(tmp_path)
    with pytest.raises(DocumentError, match=r"factbook\.yaml"):
        part.write(Words("x", {}), Holding(bare.catalog, (), parse("# X\n", "documents/x.md")))


def test_the_numbers_of_definitions_are_bound_by_their_part_and_no_others(book: Book) -> None:
    path, *_ = book.new("glossary")
    try:
        assert [item for item in book.check().findings if item.file.endswith("glossary.md")] == []
        path.write_text(path.read_text(encoding="utf-8").replace("## Terms", "About 17 % are missed.\n\n## Terms"), encoding="utf-8")
        assert [item.code for item in book.check().findings if item.file.endswith("glossary.md")] == ["FB106"]
        path.write_text(path.read_text(encoding="utf-8").replace("| FNR |", "| FNR 17 % |"), encoding="utf-8")
        assert {item.code for item in book.check().findings if item.file.endswith("glossary.md")} == {"FB106", "FB112"}
    finally:
        path.unlink()
