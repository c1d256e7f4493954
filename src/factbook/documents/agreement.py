"""Whether the text of a value link is the fact, and the right text in its place.

The number of digits is the author's; the number is compared in decimal with the shortest text of the stored value, ties pass both ways.
Integers are exact unless a scale word or `about` loosens them. Undefined and suppressed facts are cited in words, never as numbers.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from factbook.documents.shapes import SCALES, Number, Shape, UnreadableText, read, scale_of
from factbook.documents.spelling import exact, interval_of, limits, minus, percent, round_half_even, spell
from factbook.manifest import Threshold
from factbook.model import Fact, Status, Unit

ABOUT: Final = Decimal("0.05")
_NEAR_COUNT: Final = Decimal("0.025")
_UNDEFINED = re.compile(r"(?:undefined|not defined)(?:\s*\((.*)\))?\Z", re.IGNORECASE)
_SUPPRESSED = re.compile(r"(?:suppressed|not shown)(?:\s*\((.*)\))?\Z", re.IGNORECASE)
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def disagreement(text: str, fact: Fact, thresholds: Sequence[Threshold] = ()) -> str | None:
    """Why the text is not the fact, or None where it is.

    Args:
        text: the plain text of the link.
        fact: the fact (with a field's value in `value` where the key names a field).
        thresholds: declared requirements on the fact that a rounding must not cross.
    """
    if not fact.measured:
        return _absent(text, fact)
    if isinstance(fact.value, str):
        return None if " ".join(text.split()) == " ".join(fact.value.split()) else f"the fact is {fact.value!r}"
    if isinstance(fact.value, dt.date):
        return None if " ".join(text.split()) in _dates(fact.value) else f"the fact is {fact.value.isoformat()}"
    try:
        shape = read(text)
    except UnreadableText as error:
        return f"{error}; the fact is {spell(fact)}"
    return _main_fault(shape, fact, thresholds) or _interval_fault(shape, fact) or _n_fault(shape, fact)


def _absent(text: str, fact: Fact) -> str | None:
    pattern = _UNDEFINED if fact.status is Status.UNDEFINED else _SUPPRESSED
    match = pattern.match(" ".join(text.split()))
    if match is None:
        return f"the fact is {fact.status.value} ({fact.reason})" if fact.reason else f"the fact is {fact.status.value}"
    said = match.group(1)
    return None if said is None or said == " ".join(fact.reason.split()) else f"the reason is {fact.reason!r}"


def _dates(day: dt.date) -> tuple[str, ...]:
    month = _MONTHS[day.month - 1]
    return (day.isoformat(), f"{day.day} {month} {day.year}", f"{month} {day.day}, {day.year}")


def _unit_fault(shape: Shape, fact: Fact) -> str | None:
    if shape.unit == "%" and fact.unit is not Unit.FRACTION:
        what = "a difference of two fractions reads in points" if fact.unit is Unit.POINTS else "it is no fraction"
        return f"% is the wrong unit: {what}"
    if shape.unit == "points" and fact.unit is not Unit.POINTS:
        return "points are the unit of a difference of two fractions, which this is not"
    if shape.unit in SCALES and fact.unit in {Unit.FRACTION, Unit.POINTS}:
        return f"{shape.unit} is the wrong unit"
    if shape.main is not None and shape.main.value == 0 and shape.main.value.is_signed():
        return "zero has no sign"
    if shape.main is not None and shape.main.plus and fact.unit not in {Unit.POINTS, Unit.QUANTITY}:
        return "a plus sign says that it is a change, which it is not"
    return None


def _rounds(number: Number, value: float, factor: Decimal, *, integer: bool) -> bool:
    tolerance = Decimal(0) if integer and factor <= 1 else number.ulp * factor / 2
    return abs(number.value * factor - exact(value)) <= tolerance


def _main_fault(shape: Shape, fact: Fact, thresholds: Sequence[Threshold]) -> str | None:
    if shape.main is None:
        return _unit_fault(shape, fact)
    if shape.joint:
        return _counted_fault(shape, fact)
    if fault := _unit_fault(shape, fact):
        return fault
    assert isinstance(fact.value, int | float)
    factor, value = scale_of(shape), exact(fact.value)
    shown = shape.main.value * factor
    integer = isinstance(fact.value, int)
    if not _says(shape.about, shown, value, _rounds(shape.main, fact.value, factor, integer=integer)):
        return f"the fact is {spell(fact)}"
    if shape.about in {"", "about"}:
        return _landing_fault(shown, value, fact) or _crossing_fault(shown, value, thresholds)
    return None


def _says(about: str, shown: Decimal, value: Decimal, rounds: bool) -> bool:
    close = abs(shown - value) <= ABOUT * abs(value)
    return {
        "": rounds,
        "about": rounds or close,
        "over": value > shown,
        "under": value < shown,
        "at least": value >= shown,
        "at most": value <= shown,
        "nearly": value < shown and close,
    }[about]


def _landing_fault(shown: Decimal, value: Decimal, fact: Fact) -> str | None:
    if shown != value and shown in limits(fact):
        return f"it rounds onto {'zero' if shown == 0 else 'the bound'}, which the fact ({spell(fact)}) does not reach; write more digits"
    return None


def _crossing_fault(shown: Decimal, value: Decimal, thresholds: Sequence[Threshold]) -> str | None:
    for threshold in thresholds:
        for limit, sign in ((threshold.at_least, 1), (threshold.at_most, -1)):
            if limit is not None and (sign * value < sign * limit) != (sign * shown < sign * limit):
                return f"the rounding crosses the declared threshold {limit}; write more digits"
    return None


def _counted_fault(shape: Shape, fact: Fact) -> str | None:
    """`20 of 100` must be the counts; `1 in 5` must be the nearest such phrase."""
    assert shape.main is not None
    assert shape.other is not None
    k, total = shape.main.value, shape.other.value
    if shape.joint == "of":
        if "k" not in fact.counts or "n" not in fact.counts:
            return "the fact has no counts to cite"
        if shape.about or k != fact.counts["k"] or total != fact.counts["n"]:
            return f"the counts are {fact.counts['k']} of {fact.counts['n']}"
        return None
    assert isinstance(fact.value, int | float)
    value = exact(fact.value)
    if fact.unit is not Unit.FRACTION or total <= 0 or not 0 < k <= total:
        return f"`in` cannot say this; the fact is {spell(fact)}"
    near = abs(value - k / total) <= min(_NEAR_COUNT, 1 / (2 * total))
    if k == 1 and value > 0:
        near = abs(1 / value - total) <= Decimal("0.5")
    if not _says(shape.about, k / total, value, near):
        return f"the fact is {spell(fact)}"
    return None


def _interval_fault(shape: Shape, fact: Fact) -> str | None:
    if shape.low is None or shape.high is None:
        return None
    if fact.low is None or fact.high is None:
        return "the fact has no interval"
    if shape.level is not None and (fact.level is None or shape.level.value / 100 != exact(fact.level)):
        return f"the interval is at the level {percent(fact.level or 0)} %"
    factor = scale_of(shape)
    for number, end in ((shape.low, fact.low), (shape.high, fact.high)):
        if not _rounds(number, end, factor, integer=False):
            return f"the interval is {interval_of(fact)}"
        if _landing_fault(number.value * factor, exact(end), fact):
            return f"an end of the interval rounds onto a bound; it is {interval_of(fact)}"
    return None


def _n_fault(shape: Shape, fact: Fact) -> str | None:
    n = fact.value if fact.key.field == "n" else fact.n
    if shape.n is None or (n is not None and shape.n.value == n):
        return None
    return f"n is {n}" if n is not None else "the fact has no n"


def respell(text: str, fact: Fact, thresholds: Sequence[Threshold] = ()) -> str:
    """The right text in the shape of the given one: its digits, unit and order kept where they can say the fact, else the full text."""
    if not text.strip() or not fact.measured or isinstance(fact.value, str | dt.date) or fact.value is None:
        return spell(fact)
    try:
        shape = read(text)
    except UnreadableText:
        return spell(fact)
    if shape.main is not None and not shape.joint and _unlike(shape.main, shape, fact.value):
        return spell(fact)
    wanted = [
        (shape.main, None if shape.joint == "in" else fact.counts.get("k") if shape.joint == "of" else fact.value),
        (shape.other, None if shape.joint == "in" else fact.counts.get("n")),
        (shape.low, fact.low),
        (shape.high, fact.high),
        (shape.n, fact.n),
    ]
    result = text
    for number, value in sorted(((n, v) for n, v in wanted if n is not None), key=lambda item: -item[0].start):
        if value is None:
            return spell(fact)
        scale = Decimal(1) if number is shape.n or shape.joint else scale_of(shape)
        result = result[: number.start] + _like(number, exact(value) / scale) + result[number.end :]
    return result if disagreement(result, fact, thresholds) is None else spell(fact)


def _unlike(number: Number, shape: Shape, value: float) -> bool:
    """Whether the digits that stand there cannot show the value: a fraction written above 1, an integer with decimals, too few digits."""
    if shape.unit not in SCALES and isinstance(value, int) and number.ulp < 1:
        return True
    return number.ulp * scale_of(shape) > max(abs(exact(value)), Decimal("1e-9")) or (abs(number.value * scale_of(shape)) > 1 >= abs(value))


def _like(number: Number, value: Decimal) -> str:
    """The value with the digits, grouping and sign of the number that stood there."""
    exponent = number.ulp.adjusted()
    rounded = round_half_even(value, max(-exponent, 0))
    text = minus(f"{rounded:,f}" if number.grouped else f"{rounded:f}")
    return f"+{text}" if number.plus and rounded > 0 else text
