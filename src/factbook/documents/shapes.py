"""The closed grammar of the text of a value link: what it may say. Whether that is the fact, `agreement` says; how a fact is written, `spelling`.

    text     = [about] main [interval] [n]
    main     = NUMBER [unit]  |  K in M  |  K of N  |  K/N
    unit     = %  |  per cent  |  points  |  percentage points  |  thousand  |  million  |  billion  |  trillion
    interval = (95 % CI A–B)  |  95 % CI A to B  |  [A, B]  |  (A–B)
    n        = n = N          alone, after a comma or inside the brackets of the interval
    about    = ~ ≈ about approximately around roughly | > over above more than | < under below less than | ≥ at least | ≤ at most | nearly almost

Every part is optional, but every character is explained.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

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
SCALES: Final = {"thousand": Decimal(10**3), "million": Decimal(10**6), "billion": Decimal(10**9), "trillion": Decimal(10**12)}
_IN = re.compile(r"\s+in\s+", re.IGNORECASE)
_OF = re.compile(r"\s*/\s*|\s+(?:out\s+)?of\s+", re.IGNORECASE)
_CI = re.compile(r"\s*%\s*(?:-\s*)?(?:CI|confidence interval)\s*:?\s*", re.IGNORECASE)
_TO = re.compile(r"\s*(?:–|—|-|…|\bto\b|,|;)\s*", re.IGNORECASE)
_N = re.compile(r"n\s*=\s*", re.IGNORECASE)
_BREAK = re.compile(r"\s*[,;]?\s*")
_SAME_WIDTH = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "\u2212": "-", "\u2011": "-", "\n": " ", "\t": " "})


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


def scale_of(shape: Shape) -> Decimal:
    """What a written number is multiplied with to be in the fact's own unit."""
    return Decimal("0.01") if shape.unit in {"%", "points"} else SCALES.get(shape.unit, Decimal(1))
