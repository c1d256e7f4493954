"""Which figures stand side by side: those of the same metric, on the same data, for the same group, in the same unit. All others are refused, each
with what differs.

Data are the same where their digests are; where keys and labels are the same rows; or where both name the same public data set, and its split.
What nobody says is never taken to be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from factbook.comparing import figures
from factbook.comparing.books import spelled
from factbook.evidence.quoted import Data, Figure, Quoted
from factbook.model import Pairs

_PUBLIC: Final = ("config", "revision")
_SAME: Final = "the same bytes"
_ROWS: Final = "the same keys and labels"
_NAMED: Final = "the same name and split"


@dataclass(frozen=True, slots=True)
class Side:
    """A figure and who reports it; `ours` is a fact of this book."""

    thing: Quoted
    figure: Figure
    ours: bool = False

    @property
    def data(self) -> Data:
        """What it is about."""
        return self.thing.data.get(self.figure.data, Data())

    @property
    def metric(self) -> tuple[str, Pairs]:
        """What was measured."""
        return self.figure.metric, self.figure.params

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        return {"of": self.thing.name, "figure": self.figure.id, "text": spelled(self.figure), "data": self.data.words, "place": self.figure.place}


@dataclass(frozen=True, slots=True)
class Match:
    """Two figures that may stand side by side, and by what their data are the same."""

    first: Side
    second: Side
    how: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Two figures of one name that may not stand side by side: what differs; and how many more pairs differ alike."""

    first: Side
    second: Side
    why: tuple[str, ...]
    more: int = 0

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        return {"first": self.first.tree(), "second": self.second.tree(), "why": list(self.why), "more": self.more}


def join(things: Sequence[Quoted], ours: str = "") -> tuple[list[Match], list[Refusal]]:
    """All pairs of figures that stand side by side, and those of the same metric that do not."""
    matches: list[Match] = []
    refusals: list[Refusal] = []
    rows = {digest: known for thing in things for digest, known in thing.own.items()}
    for first, second in combinations(things, 2):
        found, refused = _pair(first, second, ours, rows)
        matches += found
        refusals += refused
    return matches, refusals


def _pair(one: Quoted, other: Quoted, ours: str, rows: dict[str, str]) -> tuple[list[Match], list[Refusal]]:
    left, right = (_sides(thing, thing.name == ours) for thing in (one, other))
    matches: list[Match] = []
    refused: dict[tuple[str, ...], list[tuple[Side, Side]]] = {}
    matched: set[tuple[str, str]] = set()
    for metric, sides in left.items():
        for a in sides:
            for b in right.get(metric, []):
                how, why = differences(a, b, rows)
                if not why:
                    matches.append(Match(a, b, how))
                    matched |= {(one.name, a.figure.id), (other.name, b.figure.id)}
    for metric, sides in left.items():
        for a, b, why in _nearest(sides, right.get(metric, []), matched, rows):
            refused.setdefault((metric, *why), []).append((a, b))
    return matches, [Refusal(*pairs[0], key[1:], len(pairs) - 1) for key, pairs in refused.items()]


def _sides(thing: Quoted, ours: bool) -> dict[str, list[Side]]:
    found: dict[str, list[Side]] = {}
    for figure in thing.figures.values():
        found.setdefault(figure.metric, []).append(Side(thing, figure, ours))
    return found


def _nearest(
    left: Sequence[Side], right: Sequence[Side], matched: set[tuple[str, str]], rows: dict[str, str]
) -> Iterator[tuple[Side, Side, tuple[str, ...]]]:
    """Each figure without a partner beside the one that differs in the least; groups only beside groups of the same attributes."""
    told: set[tuple[str, str]] = set()
    for turned, side, others in (*((False, side, right) for side in left), *((True, side, left) for side in right)):
        if (side.thing.name, side.figure.id) in matched:
            continue
        alike = [other for other in others if _attributes(other) == _attributes(side)]
        pairs = [(other, side) if turned else (side, other) for other in alike]
        found = [(a, b, differences(a, b, rows)[1]) for a, b in pairs]
        if found:
            a, b, why = min(found, key=lambda item: len(item[2]))
            if (a.figure.id, b.figure.id) not in told:
                told.add((a.figure.id, b.figure.id))
                yield a, b, why


def _attributes(side: Side) -> tuple[str, ...]:
    return tuple(name for name, _ in side.figure.slice)


def differences(one: Side, other: Side, rows: dict[str, str] | None = None) -> tuple[str, tuple[str, ...]]:
    """By what the data of two figures are the same, and in what the figures differ; nothing where they may stand side by side."""
    how, data = same_data(one.data, other.data, rows or {})
    found = [*_metric(one, other), *data, *_group(one, other), *_unit(one, other)]
    return how, tuple(found)


def _metric(one: Side, other: Side) -> Iterator[str]:
    if one.figure.metric != other.figure.metric:
        yield f"metric: {one.figure.metric} and {other.figure.metric}"
    elif one.figure.params != other.figure.params:
        yield f"metric: {_params(one.figure.params)} and {_params(other.figure.params)}"
    elif one.figure.measure and other.figure.measure and one.figure.measure != other.figure.measure:
        yield f"metric: computed by {one.figure.measure} and {other.figure.measure}"


def _params(pairs: Pairs) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs) or "no parameters"


def same_data(one: Data, other: Data, rows: dict[str, str]) -> tuple[str, list[str]]:
    """By what two data are the same, and else why they are not, or why that cannot be told."""
    if one.digest and other.digest:
        if one.digest == other.digest:
            return _SAME, []
        first, second = (item.rows or rows.get(item.digest, "") for item in (one, other))
        if first and first == second:
            return _ROWS, []
        if first and second:
            return "", ["data: other keys or labels"]
    if one.name and other.name:
        return _public(one, other)
    if one.digest and other.digest:
        return "", ["data: the digests differ, and no keys and labels say that the rows are the same"]
    nameless = any(not item.name and not item.digest for item in (one, other))
    what = "one of them names no data set" if nameless else "one is pinned by its digest, of the other only a name is known"
    return "", [f"data: {what}"]


def _public(one: Data, other: Data) -> tuple[str, list[str]]:
    """Data that are known by their public names."""
    if figures.plain_name(one.name) != figures.plain_name(other.name):
        return "", [f"data: {one.name} and {other.name}"]
    if not one.split or not other.split:
        return "", [f"data: the split of {one.name} is not said" + (" by one of them" if one.split or other.split else "")]
    found = [f"data: the {one.split} split and the {other.split} split"] if one.split.casefold() != other.split.casefold() else []
    for part in _PUBLIC:
        said = [getattr(item, part) for item in (one, other)]
        if said[0] != said[1]:
            found.append(f"data: {part} {said[0] or 'not said'} and {said[1] or 'not said'}")
    return ("" if found else _NAMED), found


def _group(one: Side, other: Side) -> Iterator[str]:
    if one.figure.slice != other.figure.slice:
        first, second = (", ".join(f"{name} {value}" for name, value in side.figure.slice) or "everybody" for side in (one, other))
        yield f"group: {first} and {second}"


def _unit(one: Side, other: Side) -> Iterator[str]:
    for side in (one, other):
        if side.figure.value is None:
            yield f"unit: {side.figure.why or 'it is no number'}"
    values = [side.figure.value for side in (one, other)]
    unknown = figures.known(one.figure.metric) is None
    if unknown and None not in values and len({abs(value) <= 1 for value in values if value}) > 1 and not (one.figure.fact and other.figure.fact):
        yield f"unit: {one.figure.text} and {other.figure.text}, one of which may be a percentage"
    if one.figure.fact is not None and other.figure.fact is not None and one.figure.fact.unit is not other.figure.fact.unit:
        yield f"unit: {one.figure.fact.unit} and {other.figure.fact.unit}"
