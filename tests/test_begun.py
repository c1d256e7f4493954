"""A new document, and what it changes in the others of its book."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook import Book
from factbook.documents import parse

ROWS = [(y, int((i * 7 + y) % 5 < 2 + y), sex, age) for i in range(60) for y in (0, 1) for sex in ("women", "men") for age in ("young", "old")]
BOOK = """factbook: 1
subject: {kind: model, name: sorter}
sources:
  rows: {uri: rows.csv, label: y, positive: 1, prediction: p, by: [sex, age]}
plan:
  performance: {measure: classification, data: rows, by: [sex, age, [age, sex]]}
"""
GLOSSARY = """# Glossary

<!-- fact:part glossary -->
<!-- /fact -->

Cases: [1](fact:performance/rows).
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    (tmp_path / "documents").mkdir()
    (tmp_path / "rows.csv").write_text("y,p,sex,age\n" + "".join(f"{y},{p},{sex},{age}\n" for y, p, sex, age in ROWS), encoding="utf-8")
    (tmp_path / "factbook.yaml").write_text(BOOK, encoding="utf-8")
    book = Book(tmp_path)
    book.measure()
    return book


def write(book: Book, name: str, text: str) -> Path:
    path = book.root / "documents" / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_written_parts_of_others_follow_a_new_document_and_nothing_else_does(book: Book) -> None:
    glossary = write(book, "glossary-of-ours", GLOSSARY)
    notes = write(book, "notes", "Cases: [1](fact:performance/rows).\n")
    card = book.root / "documents" / "model-card.md"
    assert book.new("model-card") == (card, glossary)
    text = glossary.read_text(encoding="utf-8")
    assert "FNR" in text
    assert text.endswith("Cases: [1](fact:performance/rows).\n"), "a false number is for `check` to find"
    assert notes.read_text(encoding="utf-8") == "Cases: [1](fact:performance/rows).\n"
    assert {finding.code for finding in book.check().findings} == {"FB101"}
    assert set(book.update()) == {glossary, notes}
    assert book.update() == ()


def test_a_part_follows_another_part_in_one_update(book: Book) -> None:
    first = write(book, "a-glossary", GLOSSARY)
    write(book, "z-table", "<!-- fact:table performance by=sex metrics=precision -->\n<!-- /fact -->\n")
    book.update()
    assert "precision" in first.read_text(encoding="utf-8")
    assert book.update() == ()


def test_an_update_reads_each_document_once(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        write(book, f"glossary-{number}", GLOSSARY)
    book.update()
    read: list[str] = []
    honest = parse.decoded
    monkeypatch.setattr(parse, "decoded", lambda data, name: (read.append(name), honest(data, name))[1])
    book.update()
    assert sorted(read) == [f"documents/glossary-{number}.md" for number in range(4)]


def test_a_summary_leads_to_the_document_that_shows_the_combinations(book: Book) -> None:
    alone, *_ = book.new("summary", name="summary-before")
    assert "by=age,sex" in alone.read_text(encoding="utf-8")
    book.new("model-card")
    for kind in ("summary", "summary-clinicians"):
        path, *_ = book.new(kind)
        text = path.read_text(encoding="utf-8")
        assert "by=age,sex" not in text
        assert "each combination of age and sex, the worst one included, stand in [sorter: model card](model-card.md)" in text
    assert not any("the worst slice" in item.what for item in book.check().not_judged)
