"""Amounts with units and ranges: `40 (25 to 60) requests/s`. Units are checked, never guessed; ranges go through by interval arithmetic.

A unit is a product of words: `EUR/server/hour` (everything after a slash divides). Times, data, power and energy are converted into each other;
every other word (EUR, request, server) is a unit of its own, so a misspelt one fits nothing. A month is a twelfth of 365.25 days.
Interval arithmetic (Moore 1966, Interval Analysis) never gives too narrow a range; where an input stands twice in a formula, perhaps too wide a one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Final

from factbook.errors import MeasureError
from factbook.expressions import Call, Node, Number

Dimensions = tuple[tuple[str, int], ...]

_TIMES: Final = {"s": "1", "second": "1", "ms": "1/1000", "us": "1/1000000", "min": "60", "minute": "60", "h": "3600", "hour": "3600"}
_DAYS: Final = {"day": "86400", "week": "604800", "month": "2629800", "year": "31557600"}
_DATA: Final = {"B": "1", "kB": "1e3", "MB": "1e6", "GB": "1e9", "TB": "1e12", "bit": "1/8", "Mbit": "125000", "Gbit": "125000000"}
_BINARY: Final = {"KiB": "1024", "MiB": "1048576", "GiB": "1073741824", "TiB": "1099511627776"}
_ENERGY: Final = {"J": "1", "Wh": "3600", "kWh": "3600000", "MWh": "3600000000"}
_POWER: Final = {"W": "1", "kW": "1000", "MW": "1000000"}
_PLAIN: Final = {"%": "1/100", "thousand": "1000", "million": "1000000"}
_TABLES: Final[tuple[tuple[Dimensions, dict[str, str]], ...]] = (
    ((("s", 1),), _TIMES | _DAYS),
    ((("B", 1),), _DATA | _BINARY),
    ((("J", 1),), _ENERGY),
    ((("J", 1), ("s", -1)), _POWER),
    ((), _PLAIN),
)
_SCALES: Final = {name: (Fraction(factor), dimensions) for dimensions, table in _TABLES for name, factor in table.items()}
_NUMBER: Final = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d{1,3})?"
_AMOUNT = re.compile(rf"\s*({_NUMBER})\s*(?:\(\s*({_NUMBER})\s*(?:to|–)\s*({_NUMBER})\s*\))?\s*(.*?)\s*", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]\w*|%|€|\$|£")


@dataclass(frozen=True, slots=True)
class Amount:
    """A value with the ends of its range, in base units; `high` is None where it grows without end."""

    low: Fraction
    value: Fraction
    high: Fraction | None
    dimensions: Dimensions = ()

    @property
    def exact(self) -> bool:
        """Whether the range is the value alone."""
        return self.low == self.value == self.high


def plain(value: Fraction | int) -> Amount:
    """A number without a unit and without a range."""
    return Amount(Fraction(value), Fraction(value), Fraction(value))


def unit(text: str) -> tuple[Fraction, Dimensions]:
    """How many base units one of these is, and of which dimensions.

    Raises:
        MeasureError: it is no product of words.
    """
    factor, powers, sign = Fraction(1), dict[str, int](), 1
    for place, part in enumerate(text.split("/")):
        sign = 1 if place == 0 else -1
        words = [word for word in part.replace("*", " ").split() if word != "1"]
        if (not words and place) or any(not _WORD.fullmatch(word) for word in words):
            raise MeasureError(f"{text!r} is no unit", remedy="write words joined by * and /, e.g. EUR/server/hour")
        for word in words:
            scale, dimensions = _scale(word)
            factor *= scale**sign
            for name, power in dimensions:
                powers[name] = powers.get(name, 0) + sign * power
    return factor, _sorted(powers)


def _scale(word: str) -> tuple[Fraction, Dimensions]:
    """A word in base units; a plural is its singular."""
    singular = word.removesuffix("s") if len(word) > 2 else word
    return _SCALES.get(word) or _SCALES.get(singular) or (Fraction(1), ((singular, 1),))


def _sorted(powers: Mapping[str, int]) -> Dimensions:
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def read(text: str, where: str) -> Amount:
    """Read `VALUE (LOW to HIGH) UNIT`; range and unit may be left out.

    Raises:
        MeasureError: it is not of this form, or the value is outside its range.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise MeasureError(f"{where}: {text!r} is no amount", remedy="write VALUE UNIT, or VALUE (LOW to HIGH) UNIT, e.g. 40 (25 to 60) requests/s")
    value, low, high = (Fraction(Decimal((given or match[1]).replace(",", ""))) for given in match.group(1, 2, 3))
    if not low <= value <= high:
        raise MeasureError(f"{where}: {text!r}: the value is outside its range")
    try:
        factor, dimensions = unit(match[4])
    except MeasureError as error:
        raise MeasureError(f"{where}: {error.message}", remedy=error.remedy) from error
    return Amount(low * factor, value * factor, high * factor, dimensions)


def spelled(dimensions: Dimensions) -> str:
    """Base units in words: `EUR/s`."""
    above = "*".join(name for name, power in dimensions for _ in range(power)) or "1"
    return above + "".join(f"/{name}" for name, power in dimensions for _ in range(-power)) if dimensions else "a number without a unit"


def within(amount: Amount, wanted: str, where: str) -> Amount:
    """An amount in a unit.

    Raises:
        MeasureError: it is of other dimensions.
    """
    factor, dimensions = unit(wanted)
    if dimensions != amount.dimensions:
        said = f"it comes out in {spelled(amount.dimensions)}, which is not {wanted or 'a number without a unit'}"
        raise MeasureError(f"{where}: {said}", remedy="mend `unit`, the formula, or the units of its inputs")
    return Amount(amount.low / factor, amount.value / factor, None if amount.high is None else amount.high / factor, dimensions)


def evaluate(node: Node, lookup: Callable[[str], Amount], where: str) -> Amount:
    """The amount of a formula whose operands are named `input/NAME`.

    Raises:
        MeasureError: units do not go together, it divides by what may be 0, or an operand has no upper end.
    """
    if isinstance(node, Number):
        return plain(Fraction(node.value))
    if not isinstance(node, Call):
        return lookup(node.key.metric)
    items = [evaluate(argument, lookup, where) for argument in node.arguments]
    dimensions = _together(node.name, items, where)
    ranges = [(item.low, _end(item, where)) for item in items]
    if node.name == "/" and ranges[1][0] <= 0 <= ranges[1][1]:
        raise MeasureError(f"{where}: it divides by what may be 0", remedy="give the divisor a range without 0")
    value = _apply(node.name, [(item.value, item.value) for item in items])[0]
    low, high = _apply(node.name, ranges)
    return Amount(low, value, high, dimensions)


def _end(amount: Amount, where: str) -> Fraction:
    if amount.high is None:
        raise MeasureError(f"{where}: an input has no upper end", remedy="narrow the ranges, or add servers")
    return amount.high


def _together(name: str, items: list[Amount], where: str) -> Dimensions:
    """The dimensions of an operation."""
    if name in "*/":
        powers = dict(items[0].dimensions)
        for dimension, power in items[1].dimensions:
            powers[dimension] = powers.get(dimension, 0) + (power if name == "*" else -power)
        return _sorted(powers)
    for item in items[1:]:
        if item.dimensions != items[0].dimensions:
            raise MeasureError(f"{where}: {spelled(items[0].dimensions)} and {spelled(item.dimensions)} do not go together in {name!r}")
    return items[0].dimensions


def _apply(name: str, ranges: list[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """The range of an operation on ranges."""
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    if name == "+":
        return sum(lows, Fraction()), sum(highs, Fraction())
    if name == "-":
        return lows[0] - highs[1], highs[0] - lows[1]
    if name in ("min", "max"):
        chosen = min if name == "min" else max
        return chosen(lows), chosen(highs)
    if name == "gap":
        return max(Fraction(0), max(lows) - min(highs)), max(highs) - min(lows)
    if name == "abs":
        return max(lows[0], -highs[0], Fraction(0)), max(highs[0], -lows[0])
    if name == "/":
        ranges = [ranges[0], (1 / highs[1], 1 / lows[1])]
    ends = [a * b for a, b in product(*ranges)]
    return min(ends), max(ends)


def whole(amount: Amount) -> Amount:
    """An amount rounded up to whole numbers."""
    up = [None if end is None else Fraction(math.ceil(end)) for end in (amount.low, amount.value, amount.high)]
    return Amount(up[0] or Fraction(0), up[1] or Fraction(0), up[2], amount.dimensions)
