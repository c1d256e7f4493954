"""Churn: two simple classifiers compared, from the split to what is established.

Logistic regression and a random forest learn from 60 % of the customers and are judged on the others: confusion matrices, F1, learning curves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from telling import columns, documented, facts, frame, logistic, measured, told, verdicts

from factbook import Book

MANIFEST = """
subject: {name: churn}
sources:
  test: {uri: test.csv, label: churn, positive: "yes", key: customer, used_for: testing}
  train: {uri: train.csv, label: churn, positive: "yes", key: customer, used_for: training}
  forest: {uri: test.csv, label: churn, positive: "yes", score: forest, cut: 0.5, key: customer}
  logistic: {uri: test.csv, label: churn, positive: "yes", score: logistic, cut: 0.5, key: customer}
  curve: {uri: curve.csv, label: churn, positive: "yes", score: score, cut: 0.5, key: row}
plan:
  forest: {measure: classification, data: forest}
  logistic: {measure: classification, data: logistic}
  better: {measure: comparison, data: test, models: {forest: {score: forest, cut: 0.5}, logistic: {score: logistic, cut: 0.5}}}
  learning: {measure: learning, data: curve, size: customers, on: judged_on, training: training, model: model}
  customers: {measure: profile, data: train}
claims:
  forest-better: "{forest/f1} > {logistic/f1}"
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
                score = model.predict_proba(rows.drop(columns="churn"))[:, 1].round(6)
                about = {"model": name, "customers": size, "judged_on": judged_on}
                yield pandas.DataFrame({"customer": rows.index, **about, "churn": rows["churn"], "score": score})


@pytest.fixture(scope="module")
def log() -> pandas.DataFrame:
    return pandas.concat(predicted(), ignore_index=True).assign(row=lambda table: np.arange(len(table)))


@pytest.fixture(scope="module")
def test_set(log: pandas.DataFrame) -> pandas.DataFrame:
    """The customers held out, with the scores of both models trained on all others."""
    rows = log[(log["customers"] == SIZES[-1]) & (log["judged_on"] == "test")]
    return rows.pivot(index=["customer", "churn"], columns="model", values="score").reset_index()


@pytest.fixture(scope="module")
def book(log: pandas.DataFrame, test_set: pandas.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Book:
    train = log[(log["customers"] == SIZES[-1]) & (log["judged_on"] == "training") & (log["model"] == MODELS[0])][["customer", "churn"]]
    return measured(tmp_path_factory.mktemp("churn"), MANIFEST, {"test": test_set, "train": train, "curve": log})


@pytest.mark.parametrize("model", MODELS)
def test_confusion_matrices_and_f1_are_those_of_the_rows(book: Book, test_set: pandas.DataFrame, model: str) -> None:
    found = facts(book)
    truth, said = test_set["churn"] == "yes", test_set[model] >= 0.5
    (tn, fp), (fn, tp) = confusion_matrix(truth, said)
    cells = [found[f"{model}/{name}"].counts for name in ("accuracy", "fnr", "fpr")]
    assert cells == [{"k": tn + tp, "n": 2000}, {"k": fn, "n": fn + tp}, {"k": fp, "n": fp + tn}]
    f1 = found[f"{model}/f1"]
    assert f1.value == pytest.approx(f1_score(truth, said), abs=1e-11)
    assert f1.low < f1.value < f1.high


def test_the_forest_clearly_wins(book: Book) -> None:
    found = facts(book)
    assert found["forest/f1"].value > 0.7
    assert found["logistic/f1"].value < 0.4
    assert found["forest/f1"].low > found["logistic/f1"].high
    assert verdicts(book)["forest-better"] == "holds"
    told(f"F1 of {found['forest/f1'].value:.2f} and logistic regression of {found['logistic/f1'].value:.2f}")


def test_that_it_wins_is_established_on_the_same_customers(book: Book, test_set: pandas.DataFrame) -> None:
    """McNemar's mid-p value, from the customers that only one model gets right."""
    found = facts(book)
    right = {model: (test_set[model] >= 0.5) == (test_set["churn"] == "yes") for model in MODELS}
    only = [int((right[one] & ~right[other]).sum()) for one, other in (("forest", "logistic"), ("logistic", "forest"))]
    difference = found["better/accuracy_difference;models=forest,logistic"]
    assert difference.value == pytest.approx((only[0] - only[1]) / 2000, abs=1e-11)
    assert 0 < difference.low < difference.value < difference.high
    value, low, high = (f"{100 * end:.2f}" for end in (difference.value, difference.low, difference.high))
    told(f"{value} points (95 % CI {low} to {high}) more customers right")
    exact = stats.binomtest(only[0], sum(only)).pvalue - stats.binom.pmf(only[0], sum(only), 0.5)
    assert found["better/accuracy_difference_p;models=forest,logistic"].value == pytest.approx(exact, rel=1e-6)
    assert found["better/auc_difference;models=forest,logistic"].low > 0


def test_learning_curves_tell_bias_from_variance(book: Book) -> None:
    """The forest knows its training customers by heart and gains from more; the line gains nothing, and is soon as bad on its own as on others."""
    found = facts(book)

    def curve(model: str, judged_on: str) -> list[float]:
        return [found[f"learning/f1;model={model};on={judged_on};size={size}"].value for size in SIZES]

    assert min(curve("forest", "training")) > 0.99
    assert curve("forest", "test")[-1] > curve("forest", "test")[0] + 0.1
    assert curve("logistic", "test")[-1] <= curve("logistic", "test")[0]
    gaps = [found[f"learning/f1_gap;model=logistic;size={size}"] for size in SIZES]
    assert gaps[0].value > 0.1 > gaps[1].value > gaps[2].value > 0
    assert gaps[2].low < 0, "that the line still knows its own customers better is not established"
    assert min(found[f"learning/f1_gap;model=forest;size={size}"].low for size in SIZES) > 0.1, "that the forest does is"
    assert found["learning/f1_gain;model=forest"].low > 0.1
    assert found["learning/f1_gain;model=logistic"].low < 0 < found["learning/f1_gain;model=logistic"].high


def test_the_comparison_recommends_nothing_by_itself_and_says_what_is_established(book: Book) -> None:
    """One command: both models on the same customers, and of every difference whether it is established."""
    text = documented(book, "comparison")
    assert "`better` compares `forest` and `logistic`." in text
    assert "The models were compared on the same [2,000](fact:better/rows) cases" in text
    difference = facts(book)["better/accuracy_difference;models=forest,logistic"]
    assert f"[{100 * difference.value:.1f} points (95 % CI {100 * difference.low:.1f}–{100 * difference.high:.1f})]" in text
    assert "established, in favour of forest" in text
    assert "in favour of logistic" not in text
    assert "Which model is recommended for which use" in text, "that is for people to say"
    assert "`test` serves for testing." in text
    assert "`train` serves for training." in text
    for model in MODELS:
        assert f'"fact:chart {model} kind=confusion"' in text
        assert f"| F1 score | {found_f1(book, model)} [" in text
    assert '"fact:chart learning metric=f1 kind=learning"' in text
    gap = facts(book)["learning/f1_gap;model=logistic;size=3000"]
    assert f"[{gap.value:.3f} (95 % CI" in text
    assert text.count(", established |") == 4, "the gaps of the forest, and that of the line on few customers"
    assert text.count(", not established |") == 2
    assert "Why may the models differ, as a hypothesis" in text


def found_f1(book: Book, model: str) -> str:
    return f"{facts(book)[f'{model}/f1'].value:.3f}"
