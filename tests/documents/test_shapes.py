"""The grammar of value-link texts: cases as data, and properties over arbitrary facts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from factbook.documents.agreement import disagreement, respell
from factbook.documents.shapes import UnreadableText, read, scale_of
from factbook.documents.spelling import cell, limits, spell
from factbook.manifest import Threshold
from factbook.model import Fact, Key, Status, Unit

CASES: list[dict[str, Any]] = yaml.load(
    (Path(__file__).parents[1] / "cases" / "documents" / "shapes.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader
)
BOUNDS = {"fraction": (0.0, 1.0), "points": (-1.0, 1.0), "score": (0.0, 1.0)}


def number(text: str) -> Any:
    for reading in (int, float):
        try:
            return reading(text)
        except ValueError:
            continue
    return text


def build(case: dict[str, Any]) -> tuple[Fact, tuple[Threshold, ...]]:
    given_ = {name: number(text) for name, text in case.items()}
    counts = {"k": given_.pop("k"), "n": given_["n"]} if "k" in given_ else {}
    at_least = given_.pop("at_least", None)
    unit = given_.pop("unit", "score")
    status = Status(given_.pop("status", "measured"))
    fact = Fact(Key.parse("performance/x"), status=status, counts=counts, unit=Unit(unit), bounds=BOUNDS.get(unit), **given_)
    return fact, (Threshold(at_least=Decimal(str(at_least))),) if at_least else ()


def each(name: str) -> list[Any]:
    return [pytest.param(case["fact"], text, id=f"{index}:{text}") for index, case in enumerate(CASES) for text in case.get(name, [])]


@pytest.mark.parametrize(("fact", "text"), each("right"))
def test_right_texts_agree(fact: dict[str, Any], text: str) -> None:
    assert disagreement(text, *build(fact)) is None


@pytest.mark.parametrize(("fact", "text"), each("wrong"))
def test_wrong_texts_disagree(fact: dict[str, Any], text: str) -> None:
    assert disagreement(text, *build(fact))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_spelling_and_mending(case: dict[str, Any]) -> None:
    fact, thresholds = build(case["fact"])
    assert spell(fact) == case["spelled"]
    for text, mended in case.get("mended", {}).items():
        assert respell(text, fact, thresholds) == mended


finite = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    unit = draw(st.sampled_from([Unit.FRACTION, Unit.POINTS, Unit.SCORE, Unit.RATIO, Unit.COUNT, Unit.QUANTITY]))
    bounds = {Unit.FRACTION: (0.0, 1.0), Unit.POINTS: (-1.0, 1.0)}.get(unit)
    if unit is Unit.COUNT:
        return Fact(Key.parse("a/b"), value=draw(st.integers(-(10**12), 10**12)), unit=unit)
    number = st.floats(*bounds) if bounds else st.floats(-1e9, 1e9)
    low, value, high = sorted(draw(st.tuples(number, number, number)))
    with_interval = draw(st.booleans())
    level = draw(st.sampled_from([0.9, 0.95, 0.99])) if with_interval else None
    return Fact(
        Key.parse("a/b"),
        value=value,
        low=low if with_interval else None,
        high=high if with_interval else None,
        level=level,
        n=draw(st.integers(0, 10**9)),
        unit=unit,
        bounds=bounds,
    )


@given(facts())
@example(Fact(Key.parse("a/b"), value=-0.0, unit=Unit.QUANTITY))
@example(Fact(Key.parse("a/b"), value=5e-324, unit=Unit.FRACTION, bounds=(0.0, 1.0)))
def test_a_spelled_fact_is_the_fact(fact: Fact) -> None:
    assert disagreement(spell(fact), fact) is None
    assert disagreement(cell(fact), fact) is None


@given(facts(), st.text(max_size=40))
def test_whatever_stood_there_the_mended_text_is_the_fact(fact: Fact, text: str) -> None:
    assert disagreement(respell(text, fact), fact) is None


@given(facts(), st.floats(-1, 1), st.sampled_from([1, 1e-2, 1e-4, 1e-6]))
def test_the_text_of_a_fact_is_accepted_for_another_just_where_it_rounds_alike(one: Fact, step: float, by: float) -> None:
    """But for texts that round onto a bound, which the other fact may not reach."""
    other = replace(one, value=one.value + step * by * max(abs(one.value), 1.0), low=None, high=None, level=None)  # type: ignore[operator,arg-type]
    text = spell(one, interval=False)
    shape = read(text)
    assert shape.main is not None
    shown, value = shape.main.value * scale_of(shape), Decimal(repr(other.value))
    alike = abs(shown - value) <= shape.main.ulp * scale_of(shape) / 2
    accepted = disagreement(text, other) is None
    assert accepted <= alike
    assert accepted or not alike or (shown != value and shown in limits(other))


@given(st.text(max_size=60))
def test_reading_never_fails_otherwise(text: str) -> None:
    try:
        read(text)
    except UnreadableText:
        return


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 4), st.sampled_from([-1, 1]))
def test_the_last_digit_matters(k: int, extra: int, places: int, step: int) -> None:
    n = k + extra
    fact = Fact(Key.parse("a/b"), value=k / n, unit=Unit.FRACTION, bounds=(0.0, 1.0))
    shown = round(Decimal(repr(k / n)) * 100, places)
    exactly_between = abs(abs(shown - Decimal(repr(k / n)) * 100) * 2 - Decimal(1).scaleb(-places)) == 0
    altered = shown + step * Decimal(1).scaleb(-places)
    if not exactly_between:
        assert disagreement(f"{altered:f} %", fact)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0201347, "0.0201"),
        (0.652415, "0.652"),
        (0.00000271194, "0.00000271"),
        (5.66282e-11, "5.66e−11"),
        (0.9999999, "0.9999999"),
        (1.0, "1"),
        (0.0, "0"),
    ],
)
def test_a_p_value_has_three_digits_and_never_becomes_0_or_1(value: float, text: str) -> None:
    fact = Fact(Key("fairness", "fnr_difference_p"), value=value, unit=Unit.QUANTITY, bounds=(0.0, 1.0))
    assert spell(fact) == text
    assert disagreement(text, fact) is None
