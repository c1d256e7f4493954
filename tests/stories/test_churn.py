"""Churn: two simple classifiers compared, from the split to what is established.

Logistic regression and a random forest learn from 60 % of the customers and are judged on the others: confusion matrices, F1, learning curves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from telling import columns, facts, frame, logistic, measured, verdicts

from factbook import Book

MANIFEST = """
subject: {name: churn}
sources:
  test: {uri: test.csv, label: churn, positive: "yes", prediction: prediction, key: row, by: [model]}
  curve: {uri: curve.csv, label: churn, positive: "yes", prediction: prediction, key: row, by: [model, customers, judged_on]}
plan:
  performance: {measure: classification, data: test, by: [model]}
  learning: {measure: classification, data: curve, by: [[model, customers, judged_on]]}
claims:
  forest-better: "{performance/f1?model=forest} > {performance/f1?model=logistic}"
"""
SIZES = (500, 1000, 3000)
MODELS = ("logistic", "forest")


def untrained(name: str, table: pandas.DataFrame) -> Pipeline:
    return logistic(table) if name == "logistic" else make_pipeline(columns(table), RandomForestClassifier(100, random_state=0))


def predicted() -> Iterator[pandas.DataFrame]:
    """What each model, trained on so many customers, says of those and of the customers held out."""
    table = frame("churn/mlc_churn.csv").drop(columns="rownames")
    train, test = train_test_split(table, test_size=0.4, random_state=0, stratify=table["churn"])
    known = table.drop(columns="churn")
    for name in MODELS:
        for size in SIZES:
            model = untrained(name, known).fit(train[:size].drop(columns="churn"), train[:size]["churn"])
            for judged_on, rows in (("training", train[:size]), ("test", test)):
                said = model.predict(rows.drop(columns="churn"))
                yield pandas.DataFrame(
                    {"customer": rows.index, "model": name, "customers": size, "judged_on": judged_on, "churn": rows["churn"], "prediction": said}
                )


@pytest.fixture(scope="module")
def log() -> pandas.DataFrame:
    return pandas.concat(predicted(), ignore_index=True).assign(row=lambda table: np.arange(len(table)))


@pytest.fixture(scope="module")
def book(log: pandas.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Book:
    final = log[(log["customers"] == SIZES[-1]) & (log["judged_on"] == "test")]
    return measured(tmp_path_factory.mktemp("churn"), MANIFEST, {"test": final, "curve": log})


@pytest.mark.parametrize("model", MODELS)
def test_confusion_matrices_and_f1_are_those_of_the_rows(book: Book, log: pandas.DataFrame, model: str) -> None:
    found = facts(book)
    rows = log[(log["customers"] == SIZES[-1]) & (log["judged_on"] == "test") & (log["model"] == model)]
    (tn, fp), (fn, tp) = confusion_matrix(rows["churn"], rows["prediction"], labels=["no", "yes"])
    cells = found[f"performance/accuracy?model={model}"], found[f"performance/fnr?model={model}"], found[f"performance/fpr?model={model}"]
    assert [fact.counts for fact in cells] == [{"k": tn + tp, "n": 2000}, {"k": fn, "n": fn + tp}, {"k": fp, "n": fp + tn}]
    f1 = found[f"performance/f1?model={model}"]
    assert f1.value == pytest.approx(f1_score(rows["churn"], rows["prediction"], pos_label="yes"), abs=1e-11)
    assert f1.low < f1.value < f1.high


def test_the_forest_clearly_wins(book: Book) -> None:
    found = facts(book)
    forest, other = found["performance/f1?model=forest"], found["performance/f1?model=logistic"]
    assert forest.value > 0.7
    assert other.value < 0.4
    assert forest.low > other.high
    assert verdicts(book)["forest-better"] == "holds"


def test_learning_curves_tell_bias_from_variance(book: Book) -> None:
    """The forest knows its training customers by heart and gains from more; the line gains nothing, and is soon as bad on its own as on others."""
    found = facts(book)

    def curve(model: str, judged_on: str) -> list[float]:
        return [found[f"learning/f1?customers={size}&judged_on={judged_on}&model={model}"].value for size in SIZES]

    assert min(curve("forest", "training")) > 0.99
    assert curve("forest", "test")[-1] > curve("forest", "test")[0] + 0.1
    assert curve("logistic", "test")[-1] <= curve("logistic", "test")[0]
    gaps = [own - others for own, others in zip(curve("logistic", "training"), curve("logistic", "test"), strict=True)]
    assert gaps[0] > 0.1 > gaps[1] > gaps[2] > 0
