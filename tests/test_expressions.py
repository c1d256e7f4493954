"""The language of claims: what it reads, what it refuses, what it computes."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factbook.errors import ExpressionError, UnknownName
from factbook.evidence.algebra import Algebra, NotEvaluable
from factbook.expressions import MAX_DEPTH, MAX_TOKENS, Number, exact, literals, operands, parse_claim, parse_value
from factbook.model import Fact, Key
from handmade import count, score

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "expressions" / "refused.yaml").read_text(encoding="utf-8"))
FACTS = {fact.key: fact for fact in (count("a/two", 2), count("a/three", 3), score("a/x", 0.25), score("a/y", 0.1), score("a/z", 0.0))}


def lookup(key: Key) -> Fact:
    if key not in FACTS:
        raise UnknownName("fact", str(key), map(str, FACTS))
    return FACTS[key]


def value(text: str) -> Fraction:
    algebra = Algebra(lookup, {}, 0.95)
    return algebra.point(algebra.reduce(parse_value(text)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_what_is_not_understood_is_refused_with_its_column(case: dict[str, str]) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_claim(case["text"], "claims.x")
    assert case["says"] in str(caught.value)
    assert str(caught.value).startswith("claims.x: column ")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 / 2 / 2", 2),
        ("8 - 2 - 2", 4),
        ("-{a/two}", -2),
        ("- 2 * 3", -6),
        ("2 * -3", -6),
        ("1 - -1", 2),
        ("min(3, {a/two}, 4)", 2),
        ("max({a/x}, {a/y})", Fraction(1, 4)),
        ("gap(3, {a/two}, 7)", 5),
        ("gap({a/x}, {a/y})", Fraction(15, 100)),
        ("gap({a/y}, {a/x})", Fraction(15, 100)),
        ("abs({a/y} - {a/x})", Fraction(15, 100)),
        ("{a/x} / {a/y}", Fraction(5, 2)),
        ("{a/x} * {a/y}", Fraction(1, 40)),
        ("{a/x} * {a/two} - {a/x}", Fraction(1, 4)),
        ("5 %", Fraction(1, 20)),
        ("5%", Fraction(1, 20)),
        ("2.5 points", Fraction(1, 40)),
        (".5", Fraction(1, 2)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("{a/y} + {a/y} + {a/y}", Fraction(3, 10)),
    ],
)
def test_values_are_exact(text: str, result: Fraction | int) -> None:
    assert value(text) == result


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "it divides by 0"),
        ("{a/two} / ({a/three} - 3)", "it divides by 0"),
        ("{a/x} / {a/z}", "a denominator is 0"),
        ("{a/nothing}", "there is no fact 'a/nothing'"),
    ],
)
def test_what_has_no_value_says_why(text: str, reason: str) -> None:
    with pytest.raises(NotEvaluable, match=reason):
        value(text)


NUMBERS = st.decimals(0, 1000, allow_nan=False, places=3).map(lambda number: f"{number:f}")
TEXTS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"),
        inner.map(lambda part: f"-abs({part})"),
    ),
    max_leaves=8,
)


@given(TEXTS)
def test_arithmetic_is_that_of_python(text: str) -> None:
    python = re.sub(r"\d+\.\d+", lambda match: f"Fraction('{match[0]}')", text)
    assert value(text) == eval(python, {"Fraction": Fraction, "min": min, "max": max, "abs": abs})


@given(st.text(max_size=40) | st.text(alphabet=st.sampled_from("{}()a/b0123456789.+-*/<>=! ,minabsgwith%"), max_size=40))
def test_reading_only_fails_by_its_own_error(text: str) -> None:
    for read in (parse_claim, parse_value):
        with suppress(ExpressionError):
            read(text)


def test_depth_and_length_are_limited() -> None:
    parse_value("(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1))
    parse_value("+".join(["1"] * (MAX_TOKENS // 2 - 1)))
    for text in ("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH, "+".join(["1"] * MAX_TOKENS), "1" + " " * 3000, "(" * 1900, "abs(" * 400):
        with pytest.raises(ExpressionError):
            parse_value(text)


def test_operands_and_literals_come_in_order_as_written() -> None:
    said = parse_claim("{a/x} - 0.10 * {a/y} = -{a/x} + 5 % within 2 points")
    assert list(map(str, operands(*said.sides))) == ["a/x", "a/y"]
    assert literals(*said.sides) == (Decimal("0.10"), Decimal(5), Decimal(2))
    assert said.margin == Number(Decimal("0.02"), "2 points")


def test_a_group_with_braces_in_its_name_can_be_an_operand() -> None:
    key = Key("a", "b", slice=(("g", "x}{y"),))
    assert operands(parse_value(f"{{{key}}}")) == (key,)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_shortest_text(number: float) -> None:
    assert exact(number) == Fraction(repr(number))
    assert float(exact(number)) == number


def test_derived_facts_that_grow_without_end_are_refused() -> None:
    derived = {f"d{i}": parse_value(f"{{derived/d{i - 1}}} * {{derived/d{i - 1}}}") for i in range(1, 40)}
    algebra = Algebra(lookup, {"d0": parse_value("{a/x}"), **derived}, 0.95)
    with pytest.raises(ExpressionError, match="too large"):
        algebra.reduce(parse_value("{derived/d39}"))


def test_derived_facts_that_rest_on_each_other_without_end_are_refused() -> None:
    derived = {"d0": parse_value("{a/x}")} | {f"d{i}": parse_value(f"{{derived/d{i - 1}}} + 1") for i in range(1, 1000)}
    with pytest.raises(ExpressionError, match="more than 50 deep, from d999 on"):
        Algebra(lookup, derived, 0.95).reduce(parse_value("{derived/d999}"))
    assert Algebra(lookup, derived, 0.95).reduce(parse_value("{derived/d20}")).terms


def test_derived_facts_that_go_in_a_circle_are_refused() -> None:
    derived = {"a": parse_value("{derived/b} + 1"), "b": parse_value("{derived/c}"), "c": parse_value("2 * {derived/a}")}
    with pytest.raises(ExpressionError, match="derived facts go round in a circle: a → b → c → a"):
        Algebra(lookup, derived, 0.95).reduce(parse_value("{derived/a}"))
