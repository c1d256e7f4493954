"""Whether a difference is established.

From the predictions, where a `comparison` of both on the same rows is among the facts. Else from the two intervals, which hold at once at the asked
level whatever their dependence when each is at 1 - (1 - level) / 2 (Bonferroni 1936): where even these do not meet, the figures differ. Where they do
meet, nothing can be told: both are of the same rows, and the intervals know nothing of that. Nor can it without an interval on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from factbook import canon
from factbook.comparing import figures
from factbook.comparing.joined import Match, Side
from factbook.documents.spelling import spell
from factbook.evidence.catalog import Catalog
from factbook.model import Direction, Fact, Key
from factbook.statistics.intervals import rescale

_NEAR: Final = 1e-9
_DIFFERENCE: Final = "_difference"
_MEASURE: Final = "comparison"
PAIRED: Final = "paired"
APART: Final = "intervals apart"
MEET: Final = "intervals meet"


class Verdict(StrEnum):
    """What is known of a difference."""

    ESTABLISHED = "established"
    NOT_ESTABLISHED = "not established"
    EQUAL = "the same figure"
    CANNOT_TELL = "cannot be told"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict: whom it favours where one direction is good; its `basis` in two words, the method and, of intervals, the level, or why there is
    none; `key` is the paired difference that it rests on.
    """

    verdict: Verdict
    favours: str = ""
    basis: str = ""
    method: str = ""
    why: str = ""
    level: float | None = None
    key: str = ""
    difference: str = ""

    @property
    def words(self) -> str:
        """In words."""
        favour = f", in favour of {self.favours}" if self.favours else ""
        return f"{self.verdict}{favour}"


def judge(match: Match, catalog: Catalog | None = None) -> Judged:
    """Whether the difference of two figures is established. `catalog` is that of this book, whose facts may hold the paired test."""
    one, other = match.first, match.second
    tested = _paired(match, catalog) if catalog is not None else None
    if tested is not None:
        return tested
    if one.figure.value == other.figure.value and one.figure.interval == other.figure.interval:
        return Judged(Verdict.EQUAL)
    silent = [side.thing.name for side in (one, other) if side.figure.interval is None or side.figure.level is None]
    if silent:
        why = f"{' and '.join(silent)} {'state' if len(silent) > 1 else 'states'} no interval with its level"
        return Judged(Verdict.CANNOT_TELL, basis="no interval", why=why)
    (first, second), level = _widened(one, other)
    if first[1] < second[0] or second[1] < first[0]:
        method = f"the intervals, widened to hold together at {level * 100:.4g} %, do not meet"
        return Judged(Verdict.ESTABLISHED, _favoured(match, first[0] > second[1]), APART, method, level=level)
    return Judged(Verdict.CANNOT_TELL, basis=MEET, why="the intervals know nothing of the rows that both share; compare the predictions row by row")


def _widened(one: Side, other: Side) -> tuple[list[tuple[float, float]], float]:
    """Both intervals, facts at half of what is left of the level, and the level at which both hold at once."""
    found: list[tuple[float, float]] = []
    missed = 0.0
    for side in (one, other):
        fact, level = side.figure.fact, side.figure.level or 0.0
        wider = rescale(fact, 1 - (1 - level) / 2) if fact is not None else None
        found.append((wider.low, wider.high) if wider is not None else side.figure.interval or (0.0, 0.0))
        missed += (1 - level) / 2 if wider is not None else 1 - level
    return found, 1 - missed


def _favoured(match: Match, first_is_higher: bool) -> str:
    good = _direction(match.first) or _direction(match.second)
    if good is None or good is Direction.NEITHER:
        return ""
    return (match.first if first_is_higher == (good is Direction.HIGHER) else match.second).thing.name


def _direction(side: Side) -> Direction | None:
    if side.figure.fact is not None:
        return side.figure.fact.direction
    metric = figures.known(side.figure.metric)
    return metric.direction if metric is not None else None


# --- from the predictions --------------------------------------------------------------------------------------------------------------------


def _paired(match: Match, catalog: Catalog) -> Judged | None:
    """The paired difference of the two, where this book has compared their predictions: over these bytes, with exactly these two figures."""
    for name, first, second, turned in _tests(match, catalog):
        key = Key(name, f"{match.first.figure.metric}{_DIFFERENCE}", (("models", f"{first},{second}"),), match.first.figure.slice)
        fact = catalog.evidence.get(key)
        if fact is not None and fact.measured:
            return _verdict(match, fact, turned)
    return None


def _verdict(match: Match, fact: Fact, turned: bool) -> Judged:
    said: dict[str, Any] = {"basis": PAIRED, "method": f"on the same rows: {fact.method}", "key": str(fact.key), "difference": spell(fact)}
    if fact.low is None or fact.high is None:
        return Judged(Verdict.CANNOT_TELL, why=fact.note or "the difference has no interval", **said)
    if fact.low <= 0 <= fact.high:
        return Judged(Verdict.NOT_ESTABLISHED, **said)
    return Judged(Verdict.ESTABLISHED, _favoured(match, (fact.low > 0) != turned), **said)


def _tests(match: Match, catalog: Catalog) -> Iterator[tuple[str, str, str, bool]]:
    """The comparisons over the bytes of both whose models have just these two figures, and whether the second of ours is their first."""
    digests = [side.data.digest for side in (match.first, match.second)]
    joined = {digests[0]} if digests[0] == digests[1] else {canon.digest(digests), canon.digest(digests[::-1])}
    for name, record in catalog.evidence.records.items():
        if record.measure != _MEASURE or not any(item.digest in joined for item in record.inputs.values()):
            continue
        models = {dict(key.params)["model"]: fact for key, fact in catalog.evidence.items() if _own(key, name, match)}
        a, b = ([model for model, fact in models.items() if _agrees(fact, side)] for side in (match.first, match.second))
        if len(a) == 1 and len(b) == 1 and a != b:
            known = {dict(key.params).get("models") for key in catalog.evidence if key.evidence == name}
            turned = f"{a[0]},{b[0]}" not in known
            yield (name, b[0], a[0], True) if turned else (name, a[0], b[0], False)


def _own(key: Key, name: str, match: Match) -> bool:
    figure = match.first.figure
    return (key.evidence, key.metric, key.slice) == (name, figure.metric, figure.slice) and [part for part, _ in key.params] == ["model"]


def _agrees(fact: Fact, side: Side) -> bool:
    value = side.figure.value
    return (
        isinstance(fact.value, int | float)
        and value is not None
        and abs(fact.value - value) < _NEAR
        and fact.n == (side.figure.fact and side.figure.fact.n)
    )
