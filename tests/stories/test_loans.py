"""HMDA, Boston 1990: who is denied a mortgage that was granted. The tables of a fairness audit: rates by class and intersection, with disparities.

The model is logistic regression without race and without `insurance`, which is the answer in disguise. Predictions are out of fold (ten folds, in the
order of the file), and the riskiest 12 % are denied, as the banks denied 12 %.
"""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from telling import columns, facts, frame, measured, percent, share, told, verdicts

from factbook import Book

MANIFEST = """
subject: {name: mortgage-decisions}
sources:
  log: {uri: log.csv, label: granted, positive: "yes", prediction: offered, score: score, key: rownames, by: [afam, single]}
  applications: {uri: applications.csv, label: deny, positive: "yes", key: rownames, by: [afam, single]}
  proxies: {uri: applications.csv, label: afam, positive: "yes", key: rownames}
plan:
  performance: {measure: classification, data: log, by: [afam, single, [afam, single]]}
  fairness: {measure: fairness, data: log, protected: {afam: "no", single: "no"}}
  data: {measure: profile, data: applications}
  proxies: {measure: profile, data: proxies}
claims:
  blacks-denied-more: "{fairness/fnr_difference?afam=yes} > 0"
  under-four-fifths: "{fairness/selection_rate_ratio?afam=yes} < 0.8"
"""
RATES = ("fnr", "for", "fpr", "selection_rate")


@pytest.fixture(scope="module")
def log() -> pandas.DataFrame:
    table = frame("loan/hmda_boston_1990.csv")
    known = table.drop(columns=["rownames", "deny", "afam", "insurance"])
    model = make_pipeline(columns(known), StandardScaler(), LogisticRegression())
    risk = cross_val_predict(model, known, table["deny"] == "yes", cv=10, method="predict_proba")[:, 1]
    denied = risk >= np.quantile(risk, 0.88)
    decided = {"granted": np.where(table["deny"] == "no", "yes", "no"), "offered": np.where(denied, "no", "yes"), "score": 1 - risk}
    return table[["rownames", "afam", "single"]].assign(**decided)


@pytest.fixture(scope="module")
def book(log: pandas.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Book:
    return measured(tmp_path_factory.mktemp("loans"), MANIFEST, {"log": log, "applications": frame("loan/hmda_boston_1990.csv")})


def test_black_applicants_are_denied_what_others_are_granted(book: Book) -> None:
    """False denials .218 against .057: four times as many, and no accident."""
    found = facts(book)
    assert round(found["performance/fnr?afam=yes"].value, 3) == 0.218
    assert round(found["performance/fnr?afam=no"].value, 3) == 0.057
    assert verdicts(book)["blacks-denied-more"] == "holds"
    assert found["fairness/fnr_difference_p;adjusted=holm?afam=yes"].value < 1e-6
    told(*(f"{percent(found[f'performance/fnr?afam={group}'])} of {who}" for group, who in (("yes", "black applicants"), ("no", "the others"))))


def test_the_approval_ratio_is_under_four_fifths(book: Book) -> None:
    found = facts(book)
    ratio = found["fairness/selection_rate_ratio?afam=yes"]
    assert round(ratio.value, 2) == 0.74
    assert ratio.high < 0.8
    assert verdicts(book)["under-four-fifths"] == "holds"
    assert found["fairness/four_fifths;attribute=afam"].value == "not met"
    told(f"{ratio.value:.2f} (95 % CI {ratio.low:.2f} to {ratio.high:.2f}): under four fifths")


@pytest.mark.parametrize("by", [("afam",), ("single",), ("afam", "single")], ids="-".join)
def test_tables_of_the_audit(book: Book, log: pandas.DataFrame, by: tuple[str, ...]) -> None:
    """Each rate of each class and intersection is what a count of the rows says, has an interval, and is compared with the reference group."""
    found = facts(book)
    for group, rows in log.groupby(list(by)):
        place = "&".join(f"{name}={value}" for name, value in zip(by, group, strict=True))
        granted, offered = rows["granted"] == "yes", rows["offered"] == "yes"
        expected = (share(~offered[granted]), share(granted[~offered]), share(offered[~granted]), share(offered))
        for name, value in zip(RATES, expected, strict=True):
            fact = found[f"fairness/{name}?{place}"]
            assert fact.value == pytest.approx(value, abs=1e-11)
            assert fact.low <= fact.value <= fact.high
            if any(value != "no" for value in group):
                difference = found[f"fairness/{name}_difference?{place}"]
                assert difference.low <= difference.value <= difference.high
                assert found[f"fairness/{name}_ratio?{place}"].measured
    assert found[f"fairness/equalised_odds_difference;attribute={','.join(by)}"].interval is not None


def test_insurance_is_the_answer_in_disguise(book: Book) -> None:
    """Who was refused mortgage insurance was denied: 44 of 48, and no other column is flagged."""
    found = facts(book)
    (flag,) = [fact for key, fact in found.items() if key.startswith("data/label_given;")]
    assert ("column", "insurance") in flag.key.params
    assert flag.counts == {"k": 44, "n": 48}
    assert found["data/leaks"].value == 1
    told(f"of {flag.counts['n']} who were refused it, {flag.counts['k']} were denied")


def test_features_that_stand_for_race(book: Book) -> None:
    """What each column tells of a protected attribute: the record of payments and the loan's share of the house most, none of them gives it away."""
    told_of = {key.partition("column=")[2]: fact.value for key, fact in facts(book).items() if key.startswith("proxies/label_explained;")}
    table = frame("loan/hmda_boston_1990.csv")
    for name in ("chist", "condomin", "phist", "single"):
        shared = mutual_info_score(table[name], table["afam"]) / mutual_info_score(table["afam"], table["afam"])
        assert told_of[name] == pytest.approx(shared, abs=1e-8)
    assert set(sorted(told_of, key=told_of.__getitem__)[-2:]) == {"chist", "lvrat"}
    assert max(told_of.values()) < 0.1
    assert facts(book)["proxies/leaks"].value == 0
    told(f"{told_of['chist']:.1%} and {told_of['lvrat']:.1%} of its uncertainty".replace("%", " %"))
