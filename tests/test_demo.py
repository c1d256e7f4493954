"""The demo: what ADR 0002 fixed before any result was seen, and that every run gives the same clean book."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from factbook import Book
from factbook.book import Built


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Book, Built]:
    return Book.demo(tmp_path_factory.mktemp("demo") / "book")


def test_the_rows_are_those_of_the_adr(made: tuple[Book, Built]) -> None:
    data = load_diabetes(scaled=False)
    train, holdout = train_test_split(np.arange(442), test_size=0.4, random_state=0)
    high = data.target > np.median(data.target[train])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data[train], high[train].astype(int))
    rows = pq.read_table(made[0].root / "data/holdout.parquet")
    assert rows["patient"].to_pylist() == holdout.tolist()
    assert rows["high"].to_pylist() == high[holdout].astype(int).tolist()
    assert np.allclose(rows["probability"], model.predict_proba(data.data[holdout])[:, 1], atol=1e-6)
    assert pq.read_table(made[0].root / "data/train.parquet").num_rows == len(train)


def test_the_demo_is_clean_complete_and_published(made: tuple[Book, Built]) -> None:
    book, built = made
    assert not built.report.findings
    assert {document.kind for document in book.documents} == {"model-card", "datasheet", "summary"}
    assert built.report.questions, "what nobody knows stays open"
    assert {item.target for item in built.published if item.files} >= {"html", "markdown"}


def test_verdicts_are_asserted_as_they_came_out(made: tuple[Book, Built]) -> None:
    book, _ = made
    asserted = {link.target for document in book.documents for link in document.bound("claim")}
    for claim in book.catalog.claims():
        query = "" if claim.verdict == "holds" else f"?{claim.verdict}"
        assert f"{claim.name}{query}" in asserted


def test_run_again_it_builds_again_and_measures_nothing(made: tuple[Book, Built]) -> None:
    _, built = Book.demo(made[0].root)
    assert {outcome.state for outcome in built.outcomes} == {"fresh"}


def test_another_folder_gives_the_same_bytes(made: tuple[Book, Built], tmp_path: Path) -> None:
    other, _ = Book.demo(tmp_path / "elsewhere" / "book")
    for folder in ("data", "documents", "site", "dist", "evidence/figures"):
        ours, theirs = (
            {p.relative_to(b.root).as_posix(): p.read_bytes() for p in (b.root / folder).rglob("*") if p.is_file()} for b in (made[0], other)
        )
        assert ours.keys() == theirs.keys()
        assert [name for name in ours if ours[name] != theirs[name]] == []
