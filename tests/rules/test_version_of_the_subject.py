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
