"""What things are called: keys, facts, and what was measured.

A *fact* is a quantity bound to the evidence that made it. Its *key* is its name everywhere: in evidence files, in links, in claims.

    NAME/METRIC[;param=value…][?attribute=value&…][#field]
    performance/fnr?age_band=<40#low
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

from factbook.errors import KeySyntaxError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_RESERVED: Final = frozenset('%&=#;?()[]{}\\`|"')
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
FIELDS: Final = ("value", "low", "high", "level", "n")

Pairs = tuple[tuple[str, str], ...]
Value = int | float | str | dt.date


def encode(text: str) -> str:
    """Percent-encode what would end a key, an operand of an expression, a Markdown destination or a table cell; everything else stays readable."""
    return "".join(c if c not in _RESERVED and c.isprintable() and not c.isspace() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _decode(text: str, whole: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise KeySyntaxError(f"{whole!r}: a lone % in a key", remedy="write %25 for a per cent sign")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise KeySyntaxError(f"{whole!r}: an escape is not UTF-8") from error


def _pairs(text: str, separator: str, whole: str) -> Pairs:
    pairs = []
    for part in text.split(separator):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise KeySyntaxError(f"{whole!r}: {part!r} is not of the form name=value")
        pairs.append((_decode(name, whole), _decode(value, whole)))
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise KeySyntaxError(f"{whole!r}: a name is given twice")
    return tuple(sorted(pairs))


@dataclass(frozen=True, slots=True)
class Key:
    """The name of a fact. `params` and `slice` are sorted pairs; no slice means overall; `field` is one of FIELDS, '' the fact itself."""

    evidence: str
    metric: str
    params: Pairs = ()
    slice: Pairs = ()
    field: str = ""

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read a key. Percent-decoding only: `+` is a plus.

        Raises:
            KeySyntaxError: the text is not a key; the message says which part.
        """
        return _key(text)

    def __str__(self) -> str:
        params = "".join(f";{encode(name)}={encode(value)}" for name, value in self.params)
        query = "&".join(f"{encode(name)}={encode(value)}" for name, value in self.slice)
        return f"{self.evidence}/{self.metric}{params}{'?' if query else ''}{query}{'#' if self.field else ''}{self.field}"

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the slice attributes, sorted."""
        return tuple(name for name, _ in self.slice)

    def whole(self) -> Key:
        """The key of the fact itself, without a field."""
        return replace(self, field="") if self.field else self

    def sliced(self, pairs: Mapping[str, str]) -> Key:
        """The same metric for another slice."""
        return replace(self, slice=tuple(sorted(pairs.items())))


@functools.lru_cache(maxsize=1 << 14)
def _key(text: str) -> Key:
    rest, _, fragment = text.partition("#")
    if "#" in text and fragment not in FIELDS:
        raise KeySyntaxError(f"{text!r}: no field {fragment!r}", remedy="fields are " + ", ".join(FIELDS))
    rest, has_slice, query = rest.partition("?")
    path, has_params, parameters = rest.partition(";")
    evidence, _, metric = path.partition("/")
    for part in (evidence, metric):
        if not _NAME.match(part):
            raise KeySyntaxError(f"{text!r} is not a fact key", remedy="a key is NAME/METRIC, then ?attribute=value for a slice")
    return Key(
        evidence,
        metric,
        _pairs(parameters, ";", text) if has_params else (),
        _pairs(query, "&", text) if has_slice else (),
        fragment if fragment != "value" else "",
    )


class Status(StrEnum):
    """Whether a fact has a value. Undefined (0/0) and suppressed (too few people) are values of their own, never 0."""

    MEASURED = "measured"
    UNDEFINED = "undefined"
    SUPPRESSED = "suppressed"


class Origin(StrEnum):
    """Who or what stands behind a fact."""

    DECLARED = "declared"
    IMPORTED = "imported"
    RECOUNTED = "recounted"
    REPREDICTED = "re-predicted"
    REPLAYED = "replayed"


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Unit(StrEnum):
    """How a value reads. A difference of two fractions is in points, never in per cent."""

    FRACTION = "fraction"
    POINTS = "points"
    RATIO = "ratio"
    SCORE = "score"
    COUNT = "count"
    QUANTITY = "quantity"
    TEXT = "text"
    DATE = "date"


@dataclass(slots=True)  # making a frozen one takes several times as long, and a measurement makes tens of thousands
class Fact:
    """A quantity bound to the evidence that made it. Nothing changes one: `replace` makes another.

    Attributes:
        key: its name, without a field.
        status: measured, undefined or suppressed; the latter two carry a `reason` and no value.
        value: an int (exact), a float, a text or a date.
        low, high, level, method: the interval, its confidence level (a fraction) and the name of the method; all or none.
        n: the denominator of this metric (not the number of rows, unless they are the same).
        counts: the integers from which the value is re-derivable, e.g. {"fn": 3, "tp": 9}.
        unit, direction, bounds: how it reads, which way is good, and the closed range of possible values.
        origin: who or what stands behind it.
        note: a remark that every rendering prints with it (e.g. the hard bound of a binned AUC).
    """

    key: Key
    status: Status = Status.MEASURED
    value: Value | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str = ""
    n: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    unit: Unit = Unit.SCORE
    direction: Direction = Direction.NEITHER
    bounds: tuple[float, float] | None = None
    reason: str = ""
    origin: Origin = Origin.RECOUNTED
    note: str = ""

    @property
    def measured(self) -> bool:
        """Whether there is a value to cite."""
        return self.status is Status.MEASURED

    @property
    def interval(self) -> tuple[float, float] | None:
        """(low, high), or None where there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a measure says about one of its metrics; the text of glossaries, hover cards and suggestions.

    `formula` is plain text in counts; `source` cites where it is defined; `aliases` are other names of the field (suggested, not accepted).
    """

    name: str
    title: str
    short: str
    unit: Unit
    direction: Direction
    bounds: tuple[float, float] | None
    formula: str
    source: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """What pins the bytes that a source was read from: digest over all files, their number and size, and the number of rows."""

    source: str
    digest: str
    files: int
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measure hands to the evidence: its facts, all that their identity depends on, and what must stay hidden of each source."""

    name: str
    measure: str
    version: int
    facts: tuple[Fact, ...]
    params: Mapping[str, object]
    inputs: Mapping[str, Artifact]
    warnings: tuple[str, ...] = ()
    hidden: Mapping[str, Any] = field(default_factory=dict)


class Progress(Protocol):
    """Is told how far long work has come; `total` is 0 while it is not known."""

    def __call__(self, task: str, done: int, total: int) -> None: ...


def silent(task: str, done: int, total: int) -> None:
    """The progress that nobody watches."""
