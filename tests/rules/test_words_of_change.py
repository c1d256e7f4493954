"""FB105 on words of change: `{before} > {after}` is a fall, `{after} < {before}` as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook import Book

BOOK = """factbook: 1
subject: {kind: model, name: risk}
sources:
  rows: {uri: rows.csv, label: y, positive: 1, prediction: p, by: [period, year]}
plan:
  performance: {measure: classification, data: rows, by: [period, year]}
claims:
  misses-fell: "{performance/fnr?period=before} > {performance/fnr?period=after}"
  change-of-misses: "{performance/fnr?period=after} < {performance/fnr?period=before}"
  misses-by-year: "{performance/fnr?year=2024} > {performance/fnr?year=2025}"
  recall: "{performance/recall?period=after} > {performance/recall?period=before}"
  recall-fell: "{performance/recall?period=after} > {performance/recall?period=before}"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("book")
    rows = [f"1,{int(i % 4 < missed)},{period},{year}" for period, year, missed in (("before", 2024, 1), ("after", 2025, 3)) for i in range(80)]
    (root / "rows.csv").write_text("\n".join(["y,p,period,year", *rows, "0,0,before,2024", "0,0,after,2025"]) + "\n", encoding="utf-8")
    (root / "factbook.yaml").write_text(BOOK, encoding="utf-8")
    (root / "documents").mkdir()
    Book(root).measure()
    return root


def findings(root: Path, text: str) -> list[str]:
    book = Book(root)
    book.drafts["documents/notes.md"] = text.encode()
    return [finding.message for finding in book.check().findings if finding.code == "FB105"]


@pytest.mark.parametrize(
    "text",
    [
        "[The miss rate fell](claim:misses-fell)",
        "[holds](claim:misses-fell)",
        "[Misses dropped after the change, by more than a little](claim:misses-fell)",
        "[The model improved](claim:misses-fell)",
        "[After the change fewer are missed than before](claim:misses-fell)",
        "[The miss rate fell](claim:change-of-misses)",
        "[The miss rate declined from 2024 to 2025](claim:misses-by-year)",
        "[The recall rose](claim:recall)",
    ],
)
def test_words_of_change_that_say_what_the_expression_says(root: Path, text: str) -> None:
    assert findings(root, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[The miss rate rose](claim:misses-fell)",
        "[The model deteriorated](claim:misses-fell)",
        "[The miss rate grew](claim:change-of-misses)",
        "[The miss rate increased from 2024 to 2025](claim:misses-by-year)",
        "[The recall dropped](claim:recall)",
        "[holds](claim:recall-fell)",
    ],
)
def test_words_of_change_that_say_the_reverse(root: Path, text: str) -> None:
    assert len(findings(root, text)) == 1
