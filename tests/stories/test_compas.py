"""COMPAS: the same discrimination, different errors (ProPublica's table; recorded decisions)."""

from __future__ import annotations

from pathlib import Path

import pytest
from telling import facts, frame, measured, percent, share, told, verdicts

from factbook import Book
from factbook.model import Status

MANIFEST = """
subject: {name: compas}
suppress_below: 33
sources:
  log: {uri: log.csv, label: label_value, positive: "1", score: score, cut: 0.5, key: entity_id, by: [race, sex]}
plan:
  performance: {measure: classification, data: log, by: [race, [race, sex]]}
  fairness: {measure: fairness, data: log, protected: {race: Caucasian}}
claims:
  more-false-alarms: "{fairness/fpr?race=African-American} > {fairness/fpr?race=Caucasian}"
  equal-auc: "{performance/auc?race=African-American} = {performance/auc?race=Caucasian} within 5 points"
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return measured(tmp_path_factory.mktemp("compas"), MANIFEST, {"log": frame("fairness/compas_for_aequitas.csv")})


def test_false_alarms_differ_at_equal_auc(book: Book) -> None:
    found = facts(book)
    assert round(found["fairness/fpr?race=African-American"].value, 3) == 0.448
    assert round(found["fairness/fpr?race=Caucasian"].value, 3) == 0.235
    said = [percent(found[f"fairness/fpr?race={race}"]) for race in ("African-American", "Caucasian")]
    told(f"{said[0]} of the African-American and {said[1]} of the Caucasian defendants")
    assert verdicts(book) == {"more-false-alarms": "holds", "equal-auc": "holds"}


def test_small_groups_are_hidden_everywhere(book: Book) -> None:
    """18 Native Americans and 32 Asians: hidden themselves, and whatever would give them away."""
    sizes = frame("fairness/compas_for_aequitas.csv")["race"].value_counts()
    assert (sizes["Native American"], sizes["Asian"]) == (18, 32)
    about = [fact for fact in facts(book).values() if {"Native American", "Asian"} & {value for _, value in fact.key.slice}]
    assert len(about) > 50
    assert all(fact.status is Status.SUPPRESSED and not fact.counts for fact in about)
    written = "".join(path.read_text(encoding="utf-8") for path in (book.root / "evidence").glob("*.json"))
    assert '"n":18,' not in written
    assert '"n":32,' not in written


def test_shown_small_groups_are_wide_and_settle_nothing(tmp_path: Path) -> None:
    """Above the limit they are shown, with intervals that say how little is known and how many cases would be needed."""
    found = facts(measured(tmp_path, MANIFEST.replace("33", "10"), {"log": frame("fairness/compas_for_aequitas.csv")}))
    small = found["fairness/fpr?race=Native%20American"]
    rows = frame("fairness/compas_for_aequitas.csv").query("race == 'Native American' and label_value == 0")
    assert small.value == pytest.approx(share(rows["score"]))
    assert small.high - small.low > 0.4
    difference = found["fairness/fpr_difference?race=Native%20American"]
    assert difference.low < 0 < difference.high
