"""The verdicts of a comparison, written and kept true."""

from __future__ import annotations

import csv
import random

import pytest

from factbook import Book
from factbook.errors import DocumentError, UnknownName
from factbook.parts import Holding, Words, established

MANIFEST = """
factbook: 1
subject: {name: campaign}
sources: {rows: {uri: rows.csv, label: y, positive: "1"}}
plan:
  models: {measure: comparison, data: rows, models: {sharp: {score: sharp, cut: 0.5}, twin: {score: twin, cut: 0.5}, dull: {score: dull, cut: 0.5}}}
  data: {measure: profile, data: rows}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """`sharp` and `twin` are as good as each other, and both are better than `dull`."""
    root, draw = tmp_path_factory.mktemp("book"), random.Random(3)
    with (root / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["y", "sharp", "twin", "dull"])
        for _ in range(400):
            y = int(draw.random() < 0.5)
            writer.writerow([y, *(f"{min(max(draw.gauss(0.5 + skill * (y - 0.5), 0.2), 0.001), 0.999):.3f}" for skill in (0.5, 0.5, 0.05))])
    (root / "factbook.yaml").write_text(MANIFEST, encoding="utf-8")
    made = Book(root)
    made.measure()
    return made


def written(book: Book, evidence: str) -> str:
    path = book.root / "documents/comparison.md"
    if not path.exists():
        book.new("comparison")
    words = Words("established", {"evidence": evidence} if evidence else {})
    return established.write(words, Holding(book.catalog, book.documents, book.documents[0]))


def test_a_verdict_names_the_model_that_the_difference_favours(book: Book) -> None:
    rows = {tuple(cell.strip() for cell in line.split("|")[1:3]): line.split("|")[-2].strip() for line in written(book, "models").splitlines()[2:]}
    accuracy, loss = "accuracy, difference of two models", "log loss, difference of two models"
    assert rows["sharp and dull", accuracy] == "established, in favour of sharp"
    assert rows["sharp and dull", loss] == "established, in favour of sharp", "of a loss the lower end is the good one"
    assert rows["sharp and twin", accuracy] == "not established"
    assert len(rows) == 3 * 6


def test_a_verdict_that_was_changed_by_hand_is_found(book: Book) -> None:
    written(book, "models")
    path = book.root / "documents/comparison.md"
    text = path.read_text(encoding="utf-8")
    assert not book.check().findings
    path.write_text(text.replace("| not established |", "| established, in favour of twin |", 1), encoding="utf-8")
    assert "FB112" in {finding.code for finding in book.check().findings}
    assert book.update() == (path,)
    assert path.read_text(encoding="utf-8") == text


def test_what_compares_no_models_is_refused(book: Book) -> None:
    with pytest.raises(DocumentError, match="compares no models"):
        written(book, "data")
    with pytest.raises(UnknownName):
        written(book, "")
