"""The evidence of a post-mortem: credit scoring after a data update (German credit; the update is planted, the applicants are real).

The update is made up: credit amounts come in euros instead of marks, durations in weeks instead of months, and "no checking account" (A14) comes as
"below 0 marks" (A11). The model, trained before it, is not changed. Each feature's PSI and KS say what moved; scoring the same applicants with the
update undone says that it is what the performance fell by.
"""

from __future__ import annotations

import pandas
import pytest
from telling import documented, facts, frame, logistic, measured, percent, told, verdicts

from factbook import Book

PLANTED = ("status", "month", "credit_amount")
ROLES = 'label: credit, positive: "2", score: score, cut: 0.3'
MANIFEST = f"""
subject: {{name: credit-risk}}
sources:
  before: {{uri: before.csv, {ROLES}}}
  after: {{uri: after.csv, {ROLES}}}
  undone: {{uri: undone.csv, {ROLES}}}
plan:
  before: {{measure: classification, data: before}}
  after: {{measure: classification, data: after}}
  undone: {{measure: classification, data: undone}}
  drift: {{measure: drift, reference: before, current: after, empty: half}}
  undone-drift: {{measure: drift, reference: before, current: undone, empty: half}}
claims:
  accuracy-fell: "{{after/accuracy}} < {{before/accuracy}}"
  the-update-did-it: "{{undone/accuracy}} > {{after/accuracy}}"
  something-else-did: "{{before/accuracy}} > {{undone/accuracy}}"
  ranking-fell: "{{after/auc}} < {{before/auc}}"
"""


def updated(table: pandas.DataFrame) -> pandas.DataFrame:
    """The applicants as the update delivers them."""
    amount, weeks = (table["credit_amount"] / 1.95583).round(2), (table["month"] * 4.345).round()
    return table.assign(status=table["status"].replace("A14", "A11"), month=weeks, credit_amount=amount)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    table = frame("credit/german_credit.csv")
    train, before, after = table[:400], table[400:700], table[700:]
    model = logistic(train.drop(columns="credit")).fit(train.drop(columns="credit"), train["credit"] == 2)

    def scored(rows: pandas.DataFrame) -> pandas.DataFrame:
        return rows.assign(score=model.predict_proba(rows.drop(columns="credit"))[:, 1].round(6))

    return measured(tmp_path_factory.mktemp("credit"), MANIFEST, {"before": scored(before), "after": scored(updated(after)), "undone": scored(after)})


def test_what_moved_is_what_the_update_changed(book: Book) -> None:
    """PSI and KS of each feature; adjusted for the number of features nothing else moved."""
    found = facts(book)
    features = [name for name in frame("credit/german_credit.csv") if name != "credit"]
    assert {name for name in features if found[f"drift/holm_p;column={name}"].value < 0.05} == set(PLANTED)
    assert min(found[f"drift/psi;column={name}"].value for name in PLANTED) > 0.25
    assert max(found[f"drift/psi;column={name}"].value for name in features if name not in PLANTED) < 0.25
    for name in ("month", "credit_amount"):
        assert found[f"drift/ks;column={name}"].low > 0.1
    assert found["drift/psi;role=score"].value > 0.25
    assert found["drift/drifted"].value >= 3


def test_the_fall_in_performance_is_tied_to_it(book: Book) -> None:
    """On the same applicants without the update the model is as good as it was. What fell is calibration and with it decisions, not the ranking."""
    found = facts(book)
    told(f"from {percent(found['before/accuracy'])} to {percent(found['after/accuracy'])}", f"it is {percent(found['undone/accuracy'])}")
    assert found["undone-drift/drifted"].value == 0
    said = {"accuracy-fell": "holds", "the-update-did-it": "holds", "something-else-did": "not-established", "ranking-fell": "not-established"}
    assert verdicts(book) == said
    assert found["after/brier"].value > found["undone/brier"].high


def test_a_post_mortem_begins_with_the_drift_and_the_fall(book: Book) -> None:
    """One command: PSI and KS of every feature, the fall of accuracy and AUC, and the claims that tie them; everything else is asked."""
    text, found = documented(book, "postmortem"), facts(book)
    cause = text.partition("## Root cause")[2].partition("## Impact")[0]
    for name in PLANTED:
        psi = found[f"drift/psi;column={name}"]
        assert f"| {name} | {psi.value:.3f}" in cause
    fall = found["drift/accuracy_difference;data=current"]
    assert f"[−{-100 * fall.value:.1f} points" in cause
    for claim, verdict in verdicts(book).items():
        assert f"claim:{claim}{'' if verdict == 'holds' else '?' + verdict}" in cause
    for heading in ("Summary", "Timeline", "Impact", "Corrective actions", "Monitoring from now on"):
        assert f"## {heading}" in text
    assert "How is the earlier state restored, step by step" in text
