"""The written form of facts: one canonical JSON line each, and what must hold of it.

Reading is strict. A line that contradicts itself (a value that does not follow from its counts, an interval the wrong way round) is refused.
What nobody can see from the line alone is a value that was changed *together with* its counts: that is caught by the digests of the run record
as long as that is left alone, and in the end only by measuring again.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError, FactbookError
from factbook.model import Direction, Fact, Key, Origin, Status, Unit, Value

TOLERANCE: Final = 1e-12
_INTEGER = re.compile(r"-?[0-9]+\Z")
_FIELDS: Final = frozenset(
    ("status", "value", "low", "high", "level", "method", "n", "counts", "unit", "direction", "bounds", "reason", "origin", "note")
)


def again(name: str) -> str:
    """What to do about evidence that cannot be used."""
    return f"evidence is measured, not edited; measure again: factbook measure --only {name}"


def dump(fact: Fact) -> dict[str, Any]:
    """The members of a fact's line; what is empty is left out.

    Raises:
        EvidenceError: the fact contradicts itself or holds a number that has no written form (NaN, infinity).
    """
    members: dict[str, Any] = {"status": fact.status.value, "unit": fact.unit.value, "origin": fact.origin.value}
    for name in ("low", "high", "level", "n"):
        if getattr(fact, name) is not None:
            members[name] = getattr(fact, name)
    for name in ("method", "reason", "note"):
        if getattr(fact, name):
            members[name] = getattr(fact, name)
    if fact.value is not None:
        members["value"] = fact.value.isoformat() if isinstance(fact.value, dt.date) else fact.value
    if fact.counts:
        members["counts"] = dict(fact.counts)
    if fact.direction is not Direction.NEITHER:
        members["direction"] = fact.direction.value
    if fact.bounds is not None:
        members["bounds"] = [end if math.isfinite(end) else None for end in fact.bounds]
    problems = list(_contradictions(fact))
    if problems:
        raise EvidenceError(f"{fact.key}: {problems[0]}", remedy="this is a mistake in the measure, not in the data; please report it")
    return members


def load(key: Key, members: Mapping[str, Any], where: str) -> Fact:
    """The fact of a line.

    Raises:
        EvidenceError: the line is not a fact or contradicts itself; `where` (file:line) names it.
    """

    def fail(said: str) -> EvidenceError:
        return EvidenceError(f"{where}: {key}: {said}", remedy=again(key.evidence))

    unknown = set(members) - _FIELDS
    if unknown:
        raise fail(f"{sorted(unknown)[0]!r} is not a member of a fact")
    try:
        fact = _build(key, members)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise fail(f"not a fact ({error})") from error
    for problem in _contradictions(fact):
        raise fail(problem)
    return fact


def _build(key: Key, members: Mapping[str, Any]) -> Fact:
    unit = Unit(members["unit"])
    bounds = members.get("bounds")
    return Fact(
        key=key,
        status=Status(members["status"]),
        value=_value(members["value"], unit) if "value" in members else None,
        low=_optional(members, "low", number),
        high=_optional(members, "high", number),
        level=_optional(members, "level", number),
        method=text(members.get("method", "")),
        n=_optional(members, "n", integer),
        counts={text(name): integer(count) for name, count in members.get("counts", {}).items()},
        unit=unit,
        direction=Direction(members.get("direction", "neither")),
        bounds=None if bounds is None else _bounds(bounds),
        reason=text(members.get("reason", "")),
        origin=Origin(members["origin"]),
        note=text(members.get("note", "")),
    )


def _optional(members: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> Any:
    return read(members[name]) if name in members else None


def text(value: Any) -> str:
    """A text as it was written; raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def number(value: Any) -> float:
    """A number as it was written; raises TypeError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def integer(value: Any) -> int:
    """An integer as it was written, large ones as text; raises TypeError for anything else."""
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not an integer")
    return value


def _bounds(value: Any) -> tuple[float, float]:
    low, high = value
    return (-math.inf if low is None else number(low), math.inf if high is None else number(high))


def _value(value: Any, unit: Unit) -> Value:
    if unit is Unit.TEXT:
        return text(value)
    if unit is Unit.DATE:
        date = text(value)
        return dt.datetime.fromisoformat(date) if "T" in date else dt.date.fromisoformat(date)
    if unit is Unit.COUNT:
        return integer(value)
    if unit is Unit.QUANTITY and (isinstance(value, str) or (isinstance(value, int) and abs(value) <= canon.SAFE_INTEGER)):
        return integer(value)
    return number(value)


def _contradictions(fact: Fact) -> Iterator[str]:
    """What must hold of every fact, and does not."""
    if fact.measured:
        if fact.value is None:
            yield "measured, but without a value"
            return
        if fact.reason:
            yield "measured, but with a reason for having no value"
    else:
        if fact.value is not None or fact.low is not None or fact.high is not None:
            yield f"{fact.status.value}, but with a value or an interval"
        if not fact.reason:
            yield f"{fact.status.value} without a reason"
        if fact.status is Status.SUPPRESSED and fact.counts:
            yield "suppressed, but its counts would give it away"
    yield from _interval_contradictions(fact)
    yield from _count_contradictions(fact)


def _interval_contradictions(fact: Fact) -> Iterator[str]:
    parts = (fact.low, fact.high, fact.level)
    if any(part is not None and not math.isfinite(part) for part in parts) or (isinstance(fact.value, float) and not math.isfinite(fact.value)):
        yield "a number is not finite"
        return
    if fact.measured and any(part is None for part in parts) and (any(part is not None for part in parts) or fact.method):
        yield "low, high, level and method come together or not at all"
        return
    if fact.low is not None and fact.high is not None and fact.level is not None:
        if not fact.method:
            yield "an interval without its method"
        if fact.low > fact.high:
            yield f"its interval runs from {fact.low} to {fact.high}"
        if not 0 < fact.level < 1:
            yield f"the confidence level {fact.level} is not between 0 and 1"
    if fact.bounds is not None and isinstance(fact.value, int | float):
        low, high = fact.bounds
        if not low - TOLERANCE <= fact.value <= high + TOLERANCE:
            yield f"its value {fact.value} is outside its bounds {low} to {high}"


def _count_contradictions(fact: Fact) -> Iterator[str]:
    if any(count < 0 for count in fact.counts.values()) or (fact.n is not None and fact.n < 0):
        yield "a count is negative"
    if fact.unit is Unit.COUNT and isinstance(fact.value, float):
        yield f"a count is an integer, not {fact.value}"
    if fact.unit is Unit.FRACTION:
        yield from _share_contradictions(fact, "k", "n")
        yield from _share_contradictions(fact, "weighted_k", "weighted_n")


def _share_contradictions(fact: Fact, part: str, whole: str) -> Iterator[str]:
    if not {part, whole} <= set(fact.counts):
        return
    k, n = fact.counts[part], fact.counts[whole]
    if k > n:
        yield f"{k} of {n} is no proportion"
    elif n == 0 and fact.measured:
        yield "0 of 0 is undefined"
    elif whole == "n" and fact.n is not None and fact.n != n:
        yield f"its denominator is {fact.n} here and {n} in its counts"
    elif fact.measured and isinstance(fact.value, int | float) and abs(fact.value - k / n) > TOLERANCE:
        yield f"its value is {fact.value}, but its counts give {k} / {n} = {k / n}"


def parse_key(written: str, name: str, where: str) -> Key:
    """The key of a line of the evidence `name`; a field or a spelling of its own is refused, so that one fact has one key."""
    try:
        key = Key.parse(written)
    except FactbookError as error:
        raise EvidenceError(f"{where}: {error.message}", remedy=again(name)) from error
    if key.field or str(key) != written:
        raise EvidenceError(f"{where}: {written!r} is not the canonical form of a fact's key, {key.whole()}", remedy=again(name))
    if key.evidence != name:
        raise EvidenceError(f"{where}: {written} belongs into {key.evidence}.json", remedy=again(name))
    return key
