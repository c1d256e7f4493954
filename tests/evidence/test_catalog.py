"""What documents, charts, rules and publishers ask of a book."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from factbook.errors import ExpressionError, ManifestError, UnknownName
from factbook.evidence.catalog import Catalog, Met
from factbook.model import Direction, Fact, Key, Origin, Status, Unit
from handmade import count, proportion, score

Build = Callable[..., Catalog]
AGES = tuple(proportion(f"performance/fnr?age={group}", k, 40) for group, k in (("60+", 10), ("<40", 20), ("40-59", 20)))
FACTS = (
    proportion("performance/fnr", 50, 120),
    *AGES,
    proportion("performance/fnr?sex=women", 30, 60),
    proportion("performance/fnr?sex=men", 20, 60),
    proportion("performance/recall?sex=women", 30, 60, direction=Direction.HIGHER),
    proportion("performance/recall?sex=men", 40, 60, direction=Direction.HIGHER),
    Fact(Key.parse("performance/recall?sex=other"), status=Status.SUPPRESSED, reason="fewer than 10", unit=Unit.FRACTION),
    score("performance/auc", 0.81, 0.77, 0.85),
    count("performance/rows", 500),
    count("performance/positives", 120),
)


def key(text: str) -> Key:
    return Key.parse(text)


def test_a_fact_is_found_by_its_key_and_its_fields_by_theirs(catalog: Build) -> None:
    book = catalog(FACTS)
    auc = book.fact(key("performance/auc"))
    assert auc == next(fact for fact in FACTS if str(fact.key) == "performance/auc")
    for name, unit in (("low", auc.unit), ("high", auc.unit), ("level", Unit.FRACTION)):
        field = book.fact(key(f"performance/auc#{name}"))
        assert (field.value, field.unit, field.interval, str(field.key)) == (getattr(auc, name), unit, None, f"performance/auc#{name}")
    n = book.fact(key("performance/fnr#n"))
    assert (n.value, n.unit, n.measured) == (120, Unit.COUNT, True)


def test_a_field_that_is_not_there_is_undefined(catalog: Build) -> None:
    book = catalog(FACTS)
    assert book.fact(key("performance/rows#low")).reason == "it has no interval"
    assert book.fact(key("performance/auc#n")).status is Status.UNDEFINED
    hidden = book.fact(key("performance/recall?sex=other#low"))
    assert (hidden.status, hidden.reason) == (Status.SUPPRESSED, "fewer than 10")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("performance/fnt", "did you mean performance/fnr"),
        ("performance/fnr?sex=woman", "did you mean performance/fnr?sex=women"),
        ("performance/tpr?sex=women", "tpr is called recall here: performance/recall?sex=women"),
        ("performance/sensitivity?sex=men", "sensitivity is called recall here"),
        ("fairness/auc", "there is no fact 'fairness/auc'"),
        ("derived/nothing", "there is no fact 'derived/nothing'"),
        ("derived/positive-share;a=b", "there is no fact"),
        ("derived/positive-share?sex=men", "there is no fact"),
    ],
)
def test_an_unknown_fact_suggests_the_nearest(catalog: Build, asked: str, says: str) -> None:
    book = catalog(FACTS, 'derived: {positive-share: "{performance/positives} / {performance/rows}"}')
    with pytest.raises(UnknownName) as caught:
        book.fact(key(asked))
    assert says in str(caught.value)


def test_groups_come_in_the_order_of_their_cuts_or_sorted(catalog: Build) -> None:
    book = catalog((*FACTS, proportion("performance/fnr?age=not recorded", 1, 11)))
    assert book.groups("age") == ("<40", "40-59", "60+", "not recorded")
    assert book.groups("sex") == ("men", "other", "women")
    assert book.groups("nothing") == ()
    assert [fact.key.slice[0][1] for fact in book.slices("performance", "fnr", "age")] == ["<40", "40-59", "60+", "not recorded"]


def test_combinations_come_in_the_order_of_their_attributes(catalog: Build) -> None:
    facts = [proportion(f"performance/fnr?age={age}&sex={sex}", 5, 20) for sex in ("women", "men") for age in ("60+", "<40", "40-59")]
    book = catalog(facts)
    for by in (("sex", "age"), "age,sex", ["age", "sex"]):
        found = [dict(fact.key.slice) for fact in book.slices("performance", "fnr", by)]
        assert [(item["age"], item["sex"]) for item in found[:3]] == [("<40", "men"), ("<40", "women"), ("40-59", "men")]
        assert len(found) == 6
    assert book.slices("performance", "fnr", "sex") == []


def test_declared_groups_are_known_before_they_are_measured(catalog: Build) -> None:
    book = catalog(FACTS, "")
    named = catalog(FACTS)
    assert named.groups("age")[:3] == ("<40", "40-59", "60+")
    assert book.groups("sex") == ("men", "other", "women")


@pytest.mark.parametrize(
    ("metric", "attribute", "worst"),
    [("fnr", "sex", "women"), ("recall", "sex", "women"), ("fnr", "age", "<40"), ("fnr", "nothing", None), ("nothing", "sex", None)],
)
def test_the_worst_group_is_worst_by_the_metrics_direction(catalog: Build, metric: str, attribute: str, worst: str | None) -> None:
    """Both bands of the ages miss half; the first in order is named. The suppressed group is left out."""
    found = catalog(FACTS).worst("performance", metric, attribute)
    assert (found.key.slice[0][1] if found else None) == worst


def test_no_group_is_worst_where_no_direction_is_good(catalog: Build) -> None:
    facts = [proportion(f"performance/selection_rate?sex={sex}", k, 60, direction=Direction.NEITHER) for sex, k in (("a", 1), ("b", 2))]
    assert catalog(facts).worst("performance", "selection_rate", "sex") is None


def test_params_keep_metrics_apart(catalog: Build) -> None:
    facts = [proportion(f"performance/precision;k={k}?sex=men", k, 60) for k in (5, 10)]
    book = catalog(facts)
    assert book.slices("performance", "precision", "sex") == []
    assert [fact.value for fact in book.slices("performance", "precision", "sex", (("k", "10"),))] == [10 / 60]


def test_values_beyond_all_floats_are_undefined(catalog: Build) -> None:
    product = "9" * 400 + " * {performance/auc}"
    book = catalog(FACTS, f'derived: {{huge: "{product}", count: "{"9" * 400} + {{performance/rows}}"}}\nclaims: {{x: "{product} > 1"}}')
    assert book.fact(key("derived/huge")).reason == "its value is too large"
    assert book.fact(key("derived/count")).status is Status.UNDEFINED
    assert book.claim("x").reason == "its value is too large"


DERIVED = """
derived:
  gap: "{performance/fnr?sex=women} - {performance/fnr?sex=men}"
  twice: "2 * {derived/gap}"
  kept: "1 - {performance/fnr}"
  more: "{performance/fnr?sex=women} / {performance/fnr?sex=men}"
  share: "{performance/positives} / {performance/rows}"
  negatives: "{performance/rows} - {performance/positives}"
  half: "{performance/positives} / 2"
  third: "{performance/rows} / 3"
  mixed: "{performance/auc} - {performance/fnr}"
  hidden: "{performance/recall?sex=other} - {performance/recall?sex=men}"
  lost: "{performance/nothing} + 1"
  largest: "max({performance/fnr?sex=women}, {performance/fnr?sex=men})"
  spread: "gap({performance/fnr?sex=women}, {performance/fnr?sex=men})"
  below: "{performance/fnr} - 0.5"
  lower: "{performance/auc#low} * 1"
"""


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("gap", 0.16666666666666669, Unit.POINTS),
        ("twice", 0.33333333333333337, Unit.POINTS),
        ("kept", 0.5833333333333333, Unit.FRACTION),
        ("more", 1.5, Unit.RATIO),
        ("share", 0.24, Unit.RATIO),
        ("negatives", 380, Unit.COUNT),
        ("half", 60, Unit.COUNT),
        ("third", 500 / 3, Unit.QUANTITY),
        ("mixed", 0.81 - 50 / 120, Unit.SCORE),
        ("largest", 0.5, Unit.FRACTION),
        ("spread", 1 / 6, Unit.POINTS),
        ("below", 50 / 120 - 0.5, Unit.POINTS),
        ("lower", 0.77, Unit.SCORE),
    ],
)
def test_derived_facts(catalog: Build, name: str, value: float, unit: Unit) -> None:
    book = catalog(FACTS, DERIVED)
    fact = book.fact(Key("derived", name))
    assert (fact.value, fact.unit) == (pytest.approx(value, abs=1e-15), unit)
    assert (fact.origin, fact.counts, fact.n) == (Origin.RECOUNTED, {}, None)
    assert isinstance(fact.value, int) is (unit is Unit.COUNT)
    exact = name in ("share", "negatives", "half", "third", "lower")
    assert (fact.interval is None) is exact
    if fact.interval:
        assert fact.interval[0] <= float(fact.value or 0) <= fact.interval[1]
        assert fact.level == 0.95
        assert fact.method


def test_derived_facts_have_the_interval_of_their_expression(catalog: Build) -> None:
    book = catalog(FACTS, DERIVED)
    gap, twice = book.fact(key("derived/gap")), book.fact(key("derived/twice"))
    assert gap.method == twice.method == "Newcombe"
    assert (twice.low, twice.high) == (pytest.approx(2 * (gap.low or 0)), pytest.approx(2 * (gap.high or 0)))
    kept, whole = book.fact(key("derived/kept")), book.fact(key("performance/fnr"))
    assert (kept.low, kept.high) == (pytest.approx(1 - (whole.high or 0)), pytest.approx(1 - (whole.low or 0)))
    assert book.fact(key("derived/gap#low")).value == gap.low


def test_what_has_no_value_passes_on_to_what_is_derived(catalog: Build) -> None:
    book = catalog(FACTS, DERIVED)
    hidden, lost = book.fact(key("derived/hidden")), book.fact(key("derived/lost"))
    assert (hidden.status, hidden.value) == (Status.SUPPRESSED, None)
    assert "fewer than 10" in hidden.reason
    assert lost.status is Status.UNDEFINED
    assert "there is no fact 'performance/nothing'" in lost.reason


def test_derived_facts_are_listed_after_the_measured_ones(catalog: Build) -> None:
    names = [str(fact.key) for fact in catalog(FACTS, DERIVED).facts()]
    assert names[: len(FACTS)] == sorted(str(fact.key) for fact in FACTS)
    assert names[len(FACTS) :][:2] == ["derived/gap", "derived/twice"]


def test_a_circle_of_derived_facts_is_refused(catalog: Build) -> None:
    with pytest.raises(ExpressionError, match=r"derived\.a: derived facts go round in a circle: a → b → a"):
        catalog(FACTS, 'derived: {a: "{derived/b} + 1", b: "{derived/a} + 1"}').fact(key("derived/a"))
    with pytest.raises(ExpressionError, match="circle"):
        catalog(FACTS, 'derived: {a: "{derived/a}"}\nclaims: {x: "{derived/a} > 1"}').claim("x")
    with pytest.raises(ExpressionError, match=r"derived\.a: column 20"):
        catalog(FACTS, 'derived: {a: "{performance/rows} > 1"}')


@pytest.mark.parametrize(
    ("threshold", "met"),
    [
        ("{at_least: 0.81}", Met.MET),
        ("{at_least: 0.8100001}", Met.NOT_MET),
        ("{at_most: 0.81}", Met.MET),
        ("{at_most: 0.8099999}", Met.NOT_MET),
        ("{at_least: 0.8, at_most: 0.9}", Met.MET),
        ("{at_least: 0.77, bound: lower}", Met.MET),
        ("{at_least: 0.7700001, bound: lower}", Met.NOT_ESTABLISHED),
        ("{at_least: 0.85, bound: lower}", Met.NOT_ESTABLISHED),
        ("{at_least: 0.8500001, bound: lower}", Met.NOT_MET),
        ("{at_most: 0.85, bound: upper}", Met.MET),
        ("{at_most: 0.8499999, bound: upper}", Met.NOT_ESTABLISHED),
        ("{at_most: 0.7699999, bound: upper}", Met.NOT_MET),
    ],
)
def test_thresholds_on_both_sides_of_each_boundary(catalog: Build, threshold: str, met: Met) -> None:
    book = catalog(FACTS, f"thresholds: {{performance/auc: {threshold}}}")
    (requirement,) = book.requirements()
    assert requirement.verdict is met
    assert len(book.thresholds_for(key("performance/auc#low"))) == 1


def test_thresholds_that_cannot_be_judged_say_why(catalog: Build) -> None:
    text = (
        "thresholds: {performance/nothing: {at_least: 1}, performance/recall?sex=other: {at_least: 1}, performance/rows: {at_least: 1, bound: lower}}"
    )
    book = catalog(FACTS, text)
    assert [(item.verdict, item.reason) for item in book.requirements()] == [
        (Met.NOT_EVALUABLE, "there is no fact 'performance/nothing'"),
        (Met.NOT_EVALUABLE, "fewer than 10"),
        (Met.NOT_EVALUABLE, "it has no interval"),
    ]


def test_thresholds_are_found_whatever_the_spelling_of_their_key(catalog: Build) -> None:
    book = catalog(FACTS, "thresholds: {performance/fnr?sex=%77omen: {at_most: 0.10}}")
    assert [item.at_most for item in book.thresholds_for(key("performance/fnr?sex=women"))] == [Decimal("0.10")]
    assert book.thresholds_for(key("performance/fnr")) == ()
    with pytest.raises(ManifestError, match=r"factbook\.yaml: thresholds\.fnr"):
        catalog(FACTS, "thresholds: {fnr: {at_most: 0.10}}").requirements()


def test_what_people_declared_is_found_by_name(catalog: Build) -> None:
    text = (
        "gaps: {ethnicity: {why: not recorded}}\npolicies: {latency: {text: below 300 ms}}\ndeclared: {cost: {value: '12.50', source: invoice}}\n"
        "claims: {many: '{performance/rows} > 100'}"
    )
    book = catalog(FACTS, text)
    assert book.gap("ethnicity").why == "not recorded"
    assert book.policy("latency").text == "below 300 ms"
    assert book.declared("cost").value == "12.50"
    for ask, what in ((book.gap, "gap"), (book.policy, "policy"), (book.declared, "declared number"), (book.claim, "claim")):
        with pytest.raises(UnknownName, match=f"there is no {what} 'nothing'"):
            ask("nothing")
    with pytest.raises(UnknownName, match="did you mean many"):
        book.claim("mány")


def test_every_fact_knows_its_record_and_its_metric(catalog: Build) -> None:
    book = catalog(FACTS, DERIVED)
    assert book.record_of(key("performance/auc")).measure == "classification"
    assert book.metric(key("performance/fnr?sex=men")).short == "FNR"
    assert book.metric(key("derived/more")).unit is Unit.RATIO
    assert book.metric(key("derived/more")).formula == "{performance/fnr?sex=women} / {performance/fnr?sex=men}"
    with pytest.raises(UnknownName):
        book.record_of(key("fairness/auc"))
