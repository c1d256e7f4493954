"""Heart disease: women are missed, and a cholesterol of 0 is no measurement.

Logistic regression over all columns, out of fold: five folds in the order of the file, which is the order of the hospitals.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import cross_val_predict
from telling import documented, facts, frame, logistic, measured, percent, told, verdicts

from factbook import Book

MANIFEST = """
subject: {name: heart-disease}
sources:
  log: {uri: log.csv, label: HeartDisease, positive: "1", score: score, cut: 0.5, key: rownames, by: [Sex]}
plan:
  performance: {measure: classification, data: log, by: [Sex]}
  fairness: {measure: fairness, data: log, protected: {Sex: M}}
  spread: {measure: distribution, data: log}
claims:
  women-missed: "{fairness/fnr?Sex=F} > {fairness/fnr?Sex=M}"
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    table = frame("medical/heart_disease.csv")
    known = table.drop(columns=["rownames", "HeartDisease"])
    score = cross_val_predict(logistic(known), known, table["HeartDisease"], cv=5, method="predict_proba")[:, 1]
    return measured(tmp_path_factory.mktemp("heart"), MANIFEST, {"log": table.assign(score=np.round(score, 6))})


def test_women_are_missed_three_times_as_often(book: Book) -> None:
    found = facts(book)
    women, men = found["fairness/fnr?Sex=F"], found["fairness/fnr?Sex=M"]
    assert (round(women.value, 3), women.n) == (0.62, 50)
    assert (round(men.value, 3), men.n) == (0.21, 458)
    told(f"{percent(women)} of the women and {percent(men)} of the men")
    assert verdicts(book)["women-missed"] == "holds"
    assert found["fairness/fnr_difference?Sex=F"].low > 0.25


def test_cholesterol_of_0_stands_for_missing(book: Book) -> None:
    found = facts(book)
    assert {key for key in found if key.startswith("spread/edge_spike;")} == {"spread/edge_spike;column=Cholesterol"}
    assert found["spread/edge_spike;column=Cholesterol"].value == 0
    assert found["spread/edge_spike_share;column=Cholesterol"].counts == {"k": 172, "n": 918}


@pytest.mark.parametrize("kind", ["model-card", "technical-file", "summary-clinicians", "summary-business", "summary-public", "audit"])
def test_every_audience_has_its_document_over_the_same_facts(book: Book, kind: str) -> None:
    """Tiers for engineers, auditors, clinicians, managers and patients: whoever reads sees that women are missed."""
    text = documented(book, kind)
    women = facts(book)["performance/fnr?Sex=F"]
    assert f"{100 * women.value:.1f} %" in text
