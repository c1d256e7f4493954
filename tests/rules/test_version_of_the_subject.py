"""A version that is a plain number is a name where a document says whose version it is, and a number everywhere else."""

from __future__ import annotations

from pathlib import Path

from factbook.book import Book

BOOK = 'factbook: "1"\nsubject: {kind: model, name: risk, version: "2"}\n'
TEXT = """---
kind: adr
---

# risk 2: a decision

| Model | risk |
|---|---|
| Version | 2 |
| Models tried | 2 |

## risk 2 % of patients

It is risk 2 of them.
"""


def test_the_version_is_a_name_beside_its_subject(tmp_path: Path) -> None:
    (tmp_path / "factbook.yaml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "adr.md").write_text(TEXT, encoding="utf-8")
    assert [found.line for found in Book(tmp_path).check().findings if found.code == "FB106"] == [10, 12, 14]


NAMES = """factbook: 1
subject: {name: risk}
sources:
  holdout-2: {uri: rows.csv, label: y, positive: "1", score: p, cut: 0.5, by: [g]}
plan:
  holdout-2: {measure: classification, data: holdout-2, by: [g]}
  versions: {measure: comparison, data: holdout-2, models: {model-3: {score: p, cut: 0.5}, old: {score: q, cut: 0.5}}}
"""


def test_names_that_factbook_yaml_declares_are_no_numbers_in_what_factbook_writes(tmp_path: Path) -> None:
    rows = [(i % 2, round((i * 7 % 10) / 10, 1), round((i * 3 % 10) / 10, 1), "ab"[i % 3 == 0]) for i in range(200)]
    (tmp_path / "rows.csv").write_text("y,p,q,g\n" + "".join(f"{y},{p},{q},{g}\n" for y, p, q, g in rows), encoding="utf-8")
    (tmp_path / "factbook.yaml").write_text(NAMES, encoding="utf-8")
    (tmp_path / "documents").mkdir()
    book = Book(tmp_path)
    book.measure()
    for kind in ("model-card", "comparison", "performance-card"):
        book.new(kind)
    assert book.check().findings == ()
    text = "# T\n\nOn holdout-2 it misses holdout-2 % of them, and holdout-37 too.\n"
    (tmp_path / "documents" / "lie.md").write_text(text, encoding="utf-8")
    assert [found.message.partition(" is ")[0] for found in book.check().findings if found.code == "FB106"] == ["'2 %'", "'37'"]
