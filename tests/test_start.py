"""A book that begins with a run of a tracker: what is said of the run, what is inferred, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from factbook import Book
from factbook.errors import FactbookError

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow with one finished run, heart/logistic."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    client = mlflow.MlflowClient(f"sqlite:///{path}")
    run = client.create_run(client.create_experiment("heart"), run_name="logistic").info.run_id
    client.log_metric(run, "accuracy", 0.84)
    client.set_terminated(run)
    return path


@pytest.mark.parametrize("form", ["{0}", "sqlite:///{0}"])
def test_a_run_alone_begins_a_book_whose_card_shows_what_was_tracked(store: Path, tmp_path: Path, form: str) -> None:
    book, notes = Book.init(tmp_path / "book", run="heart/logistic", tracker=form.format(store))
    assert notes == []
    assert str(book.facts("training/metric;name=accuracy")[0].value) == "0.84"
    assert "| accuracy | 0.840 |" in (book.root / "documents" / "model-card.md").read_text(encoding="utf-8")
    assert not book.check().findings


def test_a_run_joins_predictions(store: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("y,p\n1,0.9\n0,0.2\n1,0.4\n0,0.1\n", encoding="utf-8")
    book, _ = Book.init(tmp_path / "book", data=str(tmp_path / "rows.csv"), label="y", score="p", run="heart/logistic", tracker=str(store))
    assert {"performance", "training"} <= set(book.manifest.plan)


def test_the_tracker_is_where_mlflow_has_it_and_said(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(store.parent)
    assert Book.init(tmp_path / "here", run="heart/logistic")[1] == ["the tracker is mlflow.db; say --tracker to name another"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FactbookError, match=r"neither mlflow\.db nor mlruns"):
        Book.init(tmp_path / "no", run="heart/logistic")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
    assert "say --tracker" in Book.init(tmp_path / "set", run="heart/logistic")[1][0]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"run": "heart/ridge"}, "has no run 'ridge'"),
        ({"run": "heart/logistic", "tracker": "nowhere.db"}, "nowhere.db: no such tracker"),
        ({}, "--data, --logs or --run"),
    ],
)
def test_what_cannot_be_begun_leaves_nothing_behind(store: Path, tmp_path: Path, said: dict[str, str], names: str) -> None:
    with pytest.raises(FactbookError, match=names):
        Book.init(tmp_path / "book", **({"tracker": str(store)} | said))
    assert not list(tmp_path.iterdir())
