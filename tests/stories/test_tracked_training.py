"""A model that was trained and logged to an experiment tracker: what the documents say of its training comes from there, and nobody types it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from telling import documented, factbook, facts, frame, logistic, measured

from factbook import Book
from factbook.evidence import State

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
COMMIT = "8f2c1de0"
MANIFEST = """
subject: {name: heart-disease}
sources:
  log: {uri: log.csv, label: HeartDisease, positive: "1", score: score, cut: 0.5, key: rownames, by: [Sex], used_for: testing}
  run: {uri: mlflow.db, format: mlflow, query: heart/logistic}
plan:
  performance: {measure: classification, data: log, by: [Sex]}
  fairness: {measure: fairness, data: log, protected: {Sex: M}}
  training: {measure: tracked, run: run, units: {training_accuracy: fraction}}
thresholds:
  training/metric;name=training_accuracy: {at_least: 0.8}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """Ever more steps of fitting, each logged; then the tests that the model had not seen."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    table, folder = frame("medical/heart_disease.csv"), tmp_path_factory.mktemp("tracked")
    known, label = table.drop(columns=["rownames", "HeartDisease"]), table["HeartDisease"]
    seen, unseen = train_test_split(np.arange(len(table)), test_size=0.3, random_state=1)
    client = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run = client.create_run(client.create_experiment("heart"), run_name="logistic", tags={"mlflow.source.git.commit": COMMIT}).info.run_id
    client.log_param(run, "penalty", "l2")
    client.log_param(run, "C", 1.0)
    profile = f'{{"num_rows": {len(seen)}}}'
    data = Dataset(name="heart_disease.csv", digest="9e14ea43", source_type="local", source="{}", profile=profile)
    client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", "training")])])
    for step in (1, 5, 25, 125):
        model = logistic(known)
        model.set_params(logisticregression__max_iter=step).fit(known.iloc[seen], label.iloc[seen])
        score = model.predict_proba(known.iloc[seen])[:, 1]
        client.log_metric(run, "loss", log_loss(label.iloc[seen], score), step=step)
    client.log_metric(run, "training_accuracy", accuracy_score(label.iloc[seen], score >= 0.5))
    client.set_terminated(run)
    scored = np.round(model.predict_proba(known.iloc[unseen])[:, 1], 6)
    return measured(folder, MANIFEST, {"log": table.iloc[unseen].assign(score=scored)})


@pytest.fixture(scope="module")
def card(book: Book) -> str:
    return documented(book, "model-card")


def test_the_card_says_what_the_tracker_recorded(book: Book, card: str) -> None:
    text, found = card, facts(book)
    assert f"[{COMMIT}](fact:training/commit)" in text
    assert f"[{found['training/dataset_rows;context=training;name=heart_disease.csv'].value}](fact:training/dataset_rows" in text
    assert f"| loss | {found['training/metric;name=loss'].value:.3f} |" in text
    assert f"| training_accuracy | {100 * found['training/metric;name=training_accuracy'].value:.1f} % |" in text
    assert "| penalty | l2 |" in text
    assert "they have no intervals" in text


def test_it_asks_only_for_what_the_tracker_cannot_say(card: str) -> None:
    assert "hyperparameters" not in card
    assert "which constraint was set on fairness or safety?" in card
    assert "In what way does what the model was trained on differ" in card


def test_the_clinicians_read_when_and_on_what_it_was_trained(book: Book) -> None:
    text = documented(book, "summary-clinicians")
    assert "By the record of an experiment tracker, it was trained on [2" in text
    assert "(fact:training/dataset_rows;context=training;name=heart_disease.csv) rows of `heart_disease.csv`." in text


@pytest.mark.parametrize("kind", ["factsheet", "technical-file"])
def test_auditors_read_the_same(kind: str, book: Book) -> None:
    assert f"[{COMMIT}](fact:training/commit)" in documented(book, kind)


def test_a_figure_that_is_typed_anew_is_found(book: Book, card: str) -> None:
    path = book.root / "documents/model-card.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("| penalty | l2 |", "| penalty | l1 |").replace(f"[{COMMIT}]", "[8f2c1de1]"), encoding="utf-8")
    found = [item.code for item in Book(book.root).check().findings]
    path.write_text(text, encoding="utf-8")
    assert sorted(found) == ["FB101", "FB108"]


def test_no_interval_is_made_up(book: Book, tmp_path: Path) -> None:
    """A threshold on the value is met; one on the lower end of an interval that a tracker cannot give cannot be evaluated."""
    assert [str(item.verdict) for item in book.catalog.requirements()] == ["met"]
    text = (book.root / "factbook.yaml").read_text().replace("{at_least: 0.8}", "{at_least: 0.8, bound: lower}")
    for path in book.root.rglob("*"):
        if path.is_file() and ".factbook" not in path.parts:
            (tmp_path / path.relative_to(book.root)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path.relative_to(book.root)).write_bytes(path.read_bytes())
    (tmp_path / "factbook.yaml").write_text(text)
    required = Book(tmp_path).catalog.requirements()
    assert [(str(item.verdict), "no interval" in item.reason) for item in required] == [("not evaluable", True)]


def test_the_book_is_built_and_fresh(book: Book) -> None:
    factbook("build", "--to", "html", cwd=book.root)
    assert {item.state for item in Book(book.root).freshness()} == {State.FRESH}
