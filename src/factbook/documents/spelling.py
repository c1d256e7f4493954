"""How a fact is written: in a text, in a table, with its interval; and how its numbers are rounded."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from factbook.model import Fact, Unit

_MOST_DECIMALS: Final = 9
_TINY: Final = Decimal("1e-6")
_CHANCE: Final = (0.0, 1.0)


def spell(fact: Fact, *, interval: bool = True) -> str:
    """The full text of a fact: `19.5 % (95 % CI 14.9–25.1)`; counts, texts, dates and absences as they are."""
    if not fact.measured:
        return fact.status.value
    if isinstance(fact.value, dt.date):
        return fact.value.isoformat()
    if isinstance(fact.value, str) or fact.value is None:
        return str(fact.value)
    main = _written(fact.value, fact) + {Unit.FRACTION: " %", Unit.POINTS: " points"}.get(fact.unit, "")
    return f"{main} ({interval_of(fact)})" if interval and fact.interval else main


def cell(fact: Fact) -> str:
    """The text of a fact in a table: without the interval where there is none, and with it in brackets: `19.5 % [14.9, 25.1]`."""
    main = spell(fact, interval=False)
    if not fact.measured or fact.low is None or fact.high is None:
        return main
    return f"{main} [{_written(fact.low, fact)}, {_written(fact.high, fact)}]"


def interval_of(fact: Fact) -> str:
    """The interval of a fact with its level: `95 % CI 14.9–25.1`."""
    if fact.low is None or fact.high is None:
        return "none"
    low, high = _written(fact.low, fact), _written(fact.high, fact)
    dash = " to " if low.startswith("\u2212") or high.startswith("\u2212") else "–"
    return f"{percent(fact.level or 0)} % CI {low}{dash}{high}"


def percent(fraction: float) -> str:
    """A fraction in per cent, without the sign."""
    return f"{(exact(fraction) * 100).normalize():f}"


def _written(value: float, fact: Fact) -> str:
    """One number in the fact's unit, with enough decimals that it does not land on a bound that it does not reach."""
    if isinstance(value, int):
        return minus(f"{value:,}")
    number = exact(value)
    if fact.unit is Unit.QUANTITY and fact.bounds == _CHANCE:
        return _chance(number)
    if fact.unit in {Unit.QUANTITY, Unit.COUNT}:
        return minus(f"{_significant(number):,f}")
    scale, decimals = {Unit.FRACTION: (100, 1), Unit.POINTS: (100, 1), Unit.RATIO: (1, 2)}.get(fact.unit, (1, 3))
    for places in range(decimals, _MOST_DECIMALS):
        shown = round_half_even(number * scale, places)
        if shown / scale == number or shown / scale not in limits(fact):
            return minus(f"{shown:f}")
    return minus(f"{number * scale:.2e}" if abs(number) < _TINY else f"{number * scale:f}")


def _chance(number: Decimal) -> str:
    """A p-value: three significant digits, or as many as keep it off 0 and 1."""
    digits = next(digits for digits in itertools.count(3) if (shown := _significant(number, digits)) == number or shown not in _CHANCE)
    return minus(f"{number:.2e}" if 0 < number < _TINY else f"{_significant(number, digits):f}")


def _significant(number: Decimal, digits: int = 6) -> Decimal:
    """Six significant digits, without trailing zeros; whole numbers whole."""
    if number == number.to_integral_value():
        return number.to_integral_value()
    places = max(digits - 1 - number.adjusted(), 0)
    rounded = round_half_even(number, places).normalize()
    return rounded if rounded.as_tuple().exponent != 0 else rounded.to_integral_value()


def round_half_even(number: Decimal, places: int) -> Decimal:
    """Round to decimal places, without a negative zero."""
    rounded = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return abs(rounded) if rounded == 0 else rounded


def minus(text: str) -> str:
    """A number with a minus sign in place of a hyphen."""
    return text.replace("-", "\u2212")


def exact(value: float) -> Decimal:
    """The shortest decimal that reads back as this number; zero has no sign."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(float(value) + 0.0))


def limits(fact: Fact) -> tuple[Decimal, ...]:
    """What a rounding must not land on: zero, the ends of the range of possible values, and 1 for a ratio (no difference)."""
    ends = [Decimal(0), *(exact(end) for end in fact.bounds or () if math.isfinite(end))]
    return (*ends, Decimal(1)) if fact.unit is Unit.RATIO else tuple(ends)
