"""How hard a document is to read is said, and never judged where it cannot be."""

from __future__ import annotations

from pathlib import Path

import casebook
import pytest

from factbook.book import Book
from factbook.rules import readers

PLAIN = "The cat sat on the mat. The dog ran to the door. We saw them go. "
HARD = "Institutional considerations regarding methodological heterogeneity necessitate comprehensive interdisciplinary evaluation procedures. "


@pytest.mark.parametrize(
    ("word", "count"),
    [("cat", 1), ("table", 2), ("made", 1), ("missed", 1), ("needed", 2), ("model", 2), ("rates", 1), ("the", 1), ("patient", 2)],
)
def test_syllables_are_estimated(word: str, count: int) -> None:
    assert readers.syllables(word) == count


def test_the_formula_is_flesch_s() -> None:
    assert readers.flesch(100, 5, 150) == pytest.approx(206.835 - 1.015 * 20 - 84.6 * 1.5)


def test_what_cannot_be_judged_is_said(tmp_path: Path) -> None:
    root = casebook.build(tmp_path / "book")
    texts = {
        "plain": PLAIN * 9,
        "hard": HARD * 12,
        "short": PLAIN,
        "german": f"---\nlanguage: de\n---\n\n{PLAIN * 9}",
        "quoted": f"> {HARD * 12}\n\n| {HARD * 12} |\n|---|\n",
    }
    for name, text in texts.items():
        (root / "documents" / f"{name}.md").write_text(text, encoding="utf-8")
    found = {reading.document.partition("/")[2]: reading for reading in Book(root).readers()}
    assert found["plain.md"].level == "plain"
    assert found["hard.md"].level == "very difficult"
    assert "100 words" in found["short.md"].why
    assert found["german.md"].why == "the formula is for en, and this is de"
    assert found["quoted.md"].words == 0
