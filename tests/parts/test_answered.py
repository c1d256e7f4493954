"""What answers an item elsewhere is told in words, with a link to where it stands."""

from __future__ import annotations

from pathlib import Path

from factbook.book import Book

BOOK = """factbook: 1
subject: {kind: model, name: risk, version: 1.2.0}
sources: {holdout: {uri: rows.csv, label: y, positive: 1, prediction: p, by: [sex]}}
plan: {performance: {measure: classification, data: holdout, by: [sex]}}
"""
CARD = "# Card\n\n## Quantitative analyses\n\n<!-- fact:table performance by=sex metrics=n,fnr -->\n\n<!-- /fact -->\n"
FILE = "# File\n\n## Results\n\n<!-- fact:part answered regime=model-cards item=mitchell:quant.unitary -->\n\n<!-- /fact -->\n"


def test_a_table_is_named_by_its_metric_and_linked(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "factbook.yaml").write_text(BOOK)
    (tmp_path / "rows.csv").write_text("y,p,sex\n" + "".join(f"{i % 2},{(i // 2) % 2},{'mf'[i % 3 == 0]}\n" for i in range(240)))
    (tmp_path / "documents" / "model-card.md").write_text(CARD)
    (tmp_path / "documents" / "file.md").write_text(FILE)
    book = Book(tmp_path)
    book.measure()
    book.update()
    lines = [line for line in (tmp_path / "documents" / "file.md").read_text().split("\n") if line.startswith("- ")]
    assert lines == ["- false-negative rate by sex: [Card, Quantitative analyses](model-card.md#quantitative-analyses)"]
    assert Book(tmp_path).check().findings == ()
