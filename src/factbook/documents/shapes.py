"""The closed grammar of the text of a value link: what it may say, whether that is the fact, and how to say it right.

    text     = [about] main [interval] [n]      every part optional, but every character explained
    main     = NUMBER [unit]  |  K in M  |  K of N  |  K/N
    unit     = %  |  per cent  |  points  |  percentage points  |  thousand  |  million  |  billion  |  trillion
    interval = (95 % CI A–B)  |  95 % CI A to B  |  [A, B]  |  (A–B)
    n        = n = N          alone, after a comma or inside the brackets of the interval
    about    = ~ ≈ about approximately around roughly | > over above more than | < under below less than | ≥ at least | ≤ at most | nearly almost

The number of digits is the author's; the number is compared in decimal with the shortest text of the stored value, ties pass both ways.
Integers are exact unless a scale word or `about` loosens them. Undefined and suppressed facts are cited in words, never as numbers.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from factbook.manifest import Threshold
from factbook.model import Fact, Status, Unit

ABOUT: Final = Decimal("0.05")
_NEAR_COUNT: Final = Decimal("0.025")
_MOST_DECIMALS: Final = 9
_TINY: Final = Decimal("1e-6")
_CHANCE: Final = (0.0, 1.0)

_NUMBER = re.compile(r"([+-]?)((?:[0-9]{1,3}(?:[,' ][0-9]{3})+|[0-9]+)(?:\.([0-9]+))?)(?![0-9.]*[0-9])(?:[eE]([+-]?[0-9]{1,3}))?")
APPROXIMATIONS: Final = {
    "about": r"~\s*|≈\s*|(?:about|approximately|around|roughly|circa|ca\.)\s+",
    "over": r">(?!=)\s*|(?:over|above|more than|greater than)\s+",
    "under": r"<(?!=)\s*|(?:under|below|less than|fewer than)\s+",
    "at least": r"(?:≥|>=)\s*|at least\s+",
    "at most": r"(?:≤|<=)\s*|(?:at most|up to)\s+",
    "nearly": r"(?:nearly|almost|just under)\s+",
}
_APPROXIMATE = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in APPROXIMATIONS.items()}
_PERCENT = re.compile(r"\s*%|\s+(?:percent|per cent)\b(?! point)", re.IGNORECASE)
_POINTS = re.compile(r"\s*(?:(?:percentage|percent|per cent|%)[ -]points?|points?|pp)\b", re.IGNORECASE)
_SCALE = re.compile(r"\s+(thousand|million|billion|trillion)\b", re.IGNORECASE)
_SCALES: Final = {"thousand": Decimal(10**3), "million": Decimal(10**6), "billion": Decimal(10**9), "trillion": Decimal(10**12)}
_IN = re.compile(r"\s+in\s+", re.IGNORECASE)
_OF = re.compile(r"\s*/\s*|\s+(?:out\s+)?of\s+", re.IGNORECASE)
_CI = re.compile(r"\s*%\s*(?:-\s*)?(?:CI|confidence interval)\s*:?\s*", re.IGNORECASE)
_TO = re.compile(r"\s*(?:–|—|-|…|\bto\b|,|;)\s*", re.IGNORECASE)
_N = re.compile(r"n\s*=\s*", re.IGNORECASE)
_BREAK = re.compile(r"\s*[,;]?\s*")
_SAME_WIDTH = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "\u2212": "-", "\u2011": "-", "\n": " ", "\t": " "})
_UNDEFINED = re.compile(r"(?:undefined|not defined)(?:\s*\((.*)\))?\Z", re.IGNORECASE)
_SUPPRESSED = re.compile(r"(?:suppressed|not shown)(?:\s*\((.*)\))?\Z", re.IGNORECASE)
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


class UnreadableText(ValueError):
    """The text of a value link is not of the grammar; says which part is not understood."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: its value, the value of one unit of its last digit, and where it stands in the text."""

    value: Decimal
    ulp: Decimal
    start: int
    end: int
    grouped: bool
    plus: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text of a value link says, part by part."""

    about: str = ""
    main: Number | None = None
    other: Number | None = None
    joint: str = ""
    unit: str = ""
    low: Number | None = None
    high: Number | None = None
    level: Number | None = None
    n: Number | None = None


class _Scanner:
    """Reads a text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text.translate(_SAME_WIDTH)
        self.at = len(self.text) - len(self.text.lstrip())
        self.stop = len(self.text.rstrip())

    def accept(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at, self.stop)
        if match is not None:
            self.at = match.end()
        return match

    def literal(self, text: str) -> bool:
        if self.text.startswith(text, self.at, self.stop):
            self.at += len(text)
            return True
        return False

    def number(self) -> Number | None:
        match = self.accept(_NUMBER)
        if match is None:
            return None
        sign, digits, decimals, exponent = match.groups()
        plain = re.sub(r"[,' ]", "", digits)
        power = int(exponent or 0)
        value = Decimal(f"{sign}{plain}").scaleb(power)
        return Number(value, Decimal(1).scaleb(power - len(decimals or "")), match.start(), match.end(), plain != digits, sign == "+")

    @property
    def done(self) -> bool:
        return self.at >= self.stop

    @property
    def rest(self) -> str:
        return self.text[self.at : self.stop]


@functools.lru_cache(maxsize=1 << 12)
def read(text: str) -> Shape:
    """Read the text of a value link.

    Raises:
        UnreadableText: a part is not of the grammar.
    """
    scanner = _Scanner(text)
    parts: dict[str, object] = {"about": next((name for name, pattern in _APPROXIMATE.items() if scanner.accept(pattern)), "")}
    _read_main(scanner, parts)
    while not scanner.done:
        apart = bool(scanner.accept(_BREAK).group()) or len(parts) == 1  # type: ignore[union-attr]
        _read_tail(scanner, parts, apart=apart)
    if len(parts) == 1:
        raise UnreadableText("there is no number in it")
    return Shape(**parts)  # type: ignore[arg-type]


def _read_main(scanner: _Scanner, parts: dict[str, object]) -> None:
    start = scanner.at
    main = scanner.number()
    if main is None:
        return
    if scanner.accept(_CI):
        scanner.at = start
        return
    parts["main"] = main
    for joint, pattern in (("in", _IN), ("of", _OF)):
        if scanner.accept(pattern):
            parts["joint"], parts["other"] = joint, _expect(scanner)
            return
    parts["unit"] = _read_unit(scanner)


def _read_unit(scanner: _Scanner) -> str:
    if scanner.accept(_POINTS):
        return "points"
    if scanner.accept(_PERCENT):
        return "%"
    scale = scanner.accept(_SCALE)
    return scale.group(1).lower() if scale else ""


def _read_tail(scanner: _Scanner, parts: dict[str, object], *, apart: bool) -> None:
    """One of: an interval, n = N, or a bracket that holds them."""
    if scanner.literal("("):
        while True:
            _read_item(scanner, parts, bracketed=True)
            if scanner.literal(")"):
                return
            if not scanner.accept(re.compile(r"\s*[,;]\s*")):
                raise UnreadableText(f"{scanner.rest!r} is not understood")
    if not apart:
        raise UnreadableText(f"{scanner.rest!r} is not understood")
    _read_item(scanner, parts, bracketed=False)


def _read_item(scanner: _Scanner, parts: dict[str, object], *, bracketed: bool) -> None:
    if scanner.accept(_N):
        return _once(parts, "n", _expect(scanner))
    start = scanner.at
    level = scanner.number()
    if level is not None and scanner.accept(_CI):
        _once(parts, "level", level)
        bracketed = True
    else:
        scanner.at = start
    square = scanner.literal("[")
    if not (square or bracketed):
        raise UnreadableText(f"{scanner.rest!r} is not understood")
    low = _expect(scanner)
    _read_unit_again(scanner, parts)
    if not scanner.accept(_TO):
        raise UnreadableText(f"an interval needs two ends, not {scanner.rest!r}")
    high = _expect(scanner)
    _read_unit_again(scanner, parts)
    if square and not scanner.literal("]"):
        raise UnreadableText("a bracket is not closed")
    _once(parts, "low", low)
    _once(parts, "high", high)
    return None


def _read_unit_again(scanner: _Scanner, parts: dict[str, object]) -> None:
    unit = _read_unit(scanner)
    if unit and unit != parts.setdefault("unit", unit):
        raise UnreadableText("the interval has another unit than the number")


def _expect(scanner: _Scanner) -> Number:
    number = scanner.number()
    if number is None:
        raise UnreadableText(f"a number is missing before {scanner.rest!r}")
    return number


def _once(parts: dict[str, object], name: str, value: object) -> None:
    if name in parts:
        raise UnreadableText(f"it gives {'the interval' if name in {'low', 'high'} else name} twice")
    parts[name] = value


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
    if shape.unit in _SCALES and fact.unit in {Unit.FRACTION, Unit.POINTS}:
        return f"{shape.unit} is the wrong unit"
    if shape.main is not None and shape.main.value == 0 and shape.main.value.is_signed():
        return "zero has no sign"
    if shape.main is not None and shape.main.plus and fact.unit not in {Unit.POINTS, Unit.QUANTITY}:
        return "a plus sign says that it is a change, which it is not"
    return None


def scale_of(shape: Shape) -> Decimal:
    """What a written number is multiplied with to be in the fact's own unit."""
    return Decimal("0.01") if shape.unit in {"%", "points"} else _SCALES.get(shape.unit, Decimal(1))


def exact(value: float) -> Decimal:
    """The shortest decimal that reads back as this number; zero has no sign."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(float(value) + 0.0))


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
    if shown != value and shown in _bounds(fact):
        return f"it rounds onto {'zero' if shown == 0 else 'the bound'}, which the fact ({spell(fact)}) does not reach; write more digits"
    return None


def _bounds(fact: Fact) -> tuple[Decimal, ...]:
    """What a rounding must not land on: zero, the ends of the range of possible values, and 1 for a ratio (no difference)."""
    ends = [Decimal(0), *(exact(end) for end in fact.bounds or () if math.isfinite(end))]
    return (*ends, Decimal(1)) if fact.unit is Unit.RATIO else tuple(ends)


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
        return f"the interval is at the level {_percent(fact.level or 0)} %"
    factor = scale_of(shape)
    for number, end in ((shape.low, fact.low), (shape.high, fact.high)):
        if not _rounds(number, end, factor, integer=False):
            return f"the interval is {_interval(fact)}"
        if _landing_fault(number.value * factor, exact(end), fact):
            return f"an end of the interval rounds onto a bound; it is {_interval(fact)}"
    return None


def _n_fault(shape: Shape, fact: Fact) -> str | None:
    n = fact.value if fact.key.field == "n" else fact.n
    if shape.n is None or (n is not None and shape.n.value == n):
        return None
    return f"n is {n}" if n is not None else "the fact has no n"


def spell(fact: Fact, *, interval: bool = True) -> str:
    """The full text of a fact: `19.5 % (95 % CI 14.9–25.1)`; counts, texts, dates and absences as they are."""
    if not fact.measured:
        return fact.status.value
    if isinstance(fact.value, dt.date):
        return fact.value.isoformat()
    if isinstance(fact.value, str) or fact.value is None:
        return str(fact.value)
    main = _written(fact.value, fact) + {Unit.FRACTION: " %", Unit.POINTS: " points"}.get(fact.unit, "")
    return f"{main} ({_interval(fact)})" if interval and fact.interval else main


def cell(fact: Fact) -> str:
    """The text of a fact in a table: without the interval where there is none, and with it in brackets: `19.5 % [14.9, 25.1]`."""
    main = spell(fact, interval=False)
    if not fact.measured or fact.low is None or fact.high is None:
        return main
    return f"{main} [{_written(fact.low, fact)}, {_written(fact.high, fact)}]"


def _percent(fraction: float) -> str:
    return f"{(exact(fraction) * 100).normalize():f}"


def _interval(fact: Fact) -> str:
    if fact.low is None or fact.high is None:
        return "none"
    low, high = _written(fact.low, fact), _written(fact.high, fact)
    dash = " to " if low.startswith("\u2212") or high.startswith("\u2212") else "–"
    return f"{_percent(fact.level or 0)} % CI {low}{dash}{high}"


def _written(value: float, fact: Fact) -> str:
    """One number in the fact's unit, with enough decimals that it does not land on a bound that it does not reach."""
    if isinstance(value, int):
        return _minus(f"{value:,}")
    number = exact(value)
    if fact.unit is Unit.QUANTITY and fact.bounds == _CHANCE:
        return _chance(number)
    if fact.unit in {Unit.QUANTITY, Unit.COUNT}:
        return _minus(f"{_significant(number):,f}")
    scale, decimals = {Unit.FRACTION: (100, 1), Unit.POINTS: (100, 1), Unit.RATIO: (1, 2)}.get(fact.unit, (1, 3))
    for places in range(decimals, _MOST_DECIMALS):
        shown = round_half_even(number * scale, places)
        if shown / scale == number or shown / scale not in _bounds(fact):
            return _minus(f"{shown:f}")
    return _minus(f"{number * scale:.2e}" if abs(number) < _TINY else f"{number * scale:f}")


def _chance(number: Decimal) -> str:
    """A p-value: three significant digits, or as many as keep it off 0 and 1."""
    digits = next(digits for digits in itertools.count(3) if (shown := _significant(number, digits)) == number or shown not in _CHANCE)
    return _minus(f"{number:.2e}" if 0 < number < _TINY else f"{_significant(number, digits):f}")


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")


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
    if shape.unit not in _SCALES and isinstance(value, int) and number.ulp < 1:
        return True
    return number.ulp * scale_of(shape) > max(abs(exact(value)), Decimal("1e-9")) or (abs(number.value * scale_of(shape)) > 1 >= abs(value))


def _like(number: Number, value: Decimal) -> str:
    """The value with the digits, grouping and sign of the number that stood there."""
    exponent = number.ulp.adjusted()
    rounded = round_half_even(value, max(-exponent, 0))
    text = _minus(f"{rounded:,f}" if number.grouped else f"{rounded:f}")
    return f"+{text}" if number.plus and rounded > 0 else text
