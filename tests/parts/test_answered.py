"""What answers an item elsewhere is told in words, with a link to where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook import parts
from factbook.book import Book
from factbook.documents import parse
from factbook.regimes.coverage import Material

BOOK = """factbook: 1
subject: {kind: model, name: risk, version: 1.2.0}
sources: {holdout: {uri: rows.csv, label: y, positive: 1, prediction: p, by: [sex]}}
plan: {performance: {measure: classification, data: holdout, by: [sex]}}
"""
CARD = "# Card\n\n## Quantitative analyses\n\n<!-- fact:table performance by=sex metrics=n,fnr -->\n\n<!-- /fact -->\n"
FILE = "# File\n\n## Results\n\n<!-- fact:part answered regime=model-cards item=mitchell:quant.unitary -->\n\n<!-- /fact -->\n"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    (tmp_path / "documents").mkdir()
    (tmp_path / "factbook.yaml").write_text(BOOK)
    (tmp_path / "rows.csv").write_text("y,p,sex\n" + "".join(f"{i % 2},{(i // 2) % 2},{'mf'[i % 3 == 0]}\n" for i in range(240)))
    (tmp_path / "documents" / "model-card.md").write_text(CARD)
    (tmp_path / "documents" / "file.md").write_text(FILE)
    made = Book(tmp_path)
    made.measure()
    return Book(tmp_path)


def test_what_stands_elsewhere_is_gathered_once_for_all_parts_of_a_document(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    gathered: list[Material] = []
    monkeypatch.setattr(parts, "Material", lambda *given: gathered.append(Material(*given)) or gathered[-1])
    part = "<!-- fact:part answered regime=model-cards item={} -->\n\n<!-- /fact -->\n\n"
    items = ("mitchell:quant.unitary", "mitchell:details.version", "mitchell:use.primary")
    document = parse.parse("# File\n\n" + "".join(part.format(item) for item in items), "documents/file.md")
    written = parts.update(document, (*book.documents, document), book.catalog).decode()
    assert "false-negative rate by sex" in written
    assert "version: 1.2.0" in written
    assert len(gathered) == 1


def test_data_of_one_use_are_named_so(book: Book) -> None:
    manifest = book.root / "factbook.yaml"
    manifest.write_text(manifest.read_text().replace("by: [sex]}", "by: [sex], used_for: testing}"))
    file = book.root / "documents" / "file.md"
    file.write_text(FILE.replace("quant.unitary", "evaluation_data.datasets"))
    Book(book.root).update()
    assert "- the digests of the data used for testing, in the evidence" in file.read_text().split("\n")


def test_a_table_is_named_by_its_metric_and_linked(book: Book) -> None:
    book.update()
    lines = [line for line in (book.root / "documents" / "file.md").read_text().split("\n") if line.startswith("- ")]
    assert lines == ["- false-negative rate by sex: [Card, Quantitative analyses](model-card.md#quantitative-analyses)"]
    assert Book(book.root).check().findings == ()
