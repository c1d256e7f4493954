"""Measures of numbers over more rows than are held at once: from exact totals of the parts of a table, which add up and are kept.

Means, variances and shapes follow from exact sums of powers. Order statistics are read from bins, with hard bounds, and have no more digits than
these support. What is jackknifed of rows has the infinitesimal jackknife here (Jaeckel 1972, Bell Laboratories MM 72-1215-11; Efron 1982, The
Jackknife, the Bootstrap and Other Resampling Plans, chapter 6), which differs by a share of 1/n.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import Any, Final

import numpy as np

from factbook import canon, sources
from factbook.engines import totalling, totals
from factbook.engines.totalling import Sum
from factbook.engines.totals import Columns, Design, Spread, Totals
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.measures import rows
from factbook.measures.request import Request
from factbook.measures.rows import Reading, Rows, Texts, Wanted
from factbook.model import Pairs
from factbook.sources import Table
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import UNIT, Floats, Integers, Sample, within

LARGE: Final = 1 << 20
_LUMP: Final = 1 << 17
_CELLS: Final = 1 << 12
_ONE: Final = 1 << UNIT


def needed(request: Request) -> bool:
    """Whether there are more rows than are held at once, of a kind that adds up: neither weighted nor in clusters."""
    source = request.source()
    return not source.weight and not source.cluster and request.tally().rows > LARGE


@dataclass(frozen=True)
class Asked:
    """What a measure wants added up: the columns that it reads, what it derives from them, what is summed, and the modules that say so."""

    wanted: Sequence[Wanted]
    derive: Callable[[Mapping[str, Floats]], Columns]
    design: Design
    params: object
    modules: Sequence[ModuleType]


def add_up(request: Request, asked: Asked) -> tuple[Totals, tuple[str, ...]]:
    """The totals of a source, and the warning of what was left out; parts that were added up before are not read again.

    Raises:
        SourceError: a column does not exist, holds no numbers, or misses values without a policy; there are no rows.
    """
    source = request.source()
    table = sources.table(source, request.root, request.store)
    done = 0

    def read(part: Table) -> Sum:
        nonlocal done
        found = _read(part, source, asked, request, done)
        done += found.rows
        return found

    code = [canon.digest(inspect.getsource(module)) for module in (*asked.modules, rows)]
    about = [code, asked.params, [[item.role, item.column, item.policy] for item in asked.wanted]]
    found = totalling.add_up(table, source, asked.design, about, request.store, read)
    if found.totals is None:
        raise SourceError(f"{table.where}: no rows with a value in every column", remedy="give a table with at least one")
    return found.totals, rows.left_out(table, found.out, found.rows)


def _read(part: Table, source: Source, asked: Asked, request: Request, done: int) -> Sum:
    """Add up one part."""
    reading, shifts = Reading(part, source, asked.wanted), dict[str, int]()
    held: list[Totals] = []
    for batch in reading.batches(part, request.store, _LUMP):
        if batch.count and not reading.contradicted:
            groups = {name: (item.values, item.codes) for name, item in batch.groups.items()}
            held.append(totals.fold(asked.design, groups, asked.derive(batch.numbers), batch.count, shifts))
        if len(held) > 4 or sum(len(item.n) for item in held[1:]) > _CELLS:
            held = [totals.combine(asked.design, held)]
            shifts = {name: item.shift for name, item in held[0].spreads.items()}
        request.progress(part.where, done + reading.rows, request.tally().rows)
    if reading.rows:
        reading.refuse()
    return Sum(totals.combine(asked.design, held) if held else None, reading.rows, reading.out)


def atoms(source: Source, found: Totals) -> dict[Pairs, tuple[int, ...]]:
    """The rows of every finest slice."""
    names, place = _cells(source, found).places(sorted(source.by))
    n = np.bincount(place, weights=found.n, minlength=len(names)).astype(np.int64).tolist()
    return {name: (count,) for name, count in zip(names, n, strict=True)}


def _cells(source: Source, found: Totals) -> Rows:
    """The cells as rows, for the names of their slices."""
    groups = {name: Texts(values, found.blocks[:, i]) for i, (name, values) in enumerate(zip(found.dimensions, found.values, strict=True))}
    return Rows(source, {"n": found.n.astype(np.float64)}, {}, groups)


@dataclass(frozen=True, eq=False)
class Counted(Sample):
    """A sample of which only the number of rows in each group is known."""

    rows: Integers | None = None

    @cached_property
    def n(self) -> Integers:
        """Rows of each group."""
        assert self.rows is not None
        return self.rows


@dataclass(frozen=True, eq=False)
class Moments:
    """The mean of each slice, and the sums of powers of what its values are apart from it."""

    mean: Floats
    second: Floats
    third: Floats
    fourth: Floats
    n: Integers

    @property
    def spread(self) -> Floats:
        """The variance of the mean."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.n > 1, self.second / self.n / (self.n - 1), np.nan)

    @property
    def skewness(self) -> Floats:
        """How skew the values are; 0 where they do not vary."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.second > 0, self.third / self.n / (self.second / self.n) ** 1.5, 0.0)


def moments_of(n: Integers, sums: Sequence[Any]) -> Moments:
    """From exact sums of the first powers, 1 … 4 or fewer, in units of 2^-1126."""
    found = [_central(int(count), [int(column[i]) for column in sums]) for i, count in enumerate(n.tolist())]
    mean, second, third, fourth = np.array(found, dtype=np.float64).reshape(-1, 4).T
    return Moments(mean, second, third, fourth, n)


def _central(n: int, s: list[int]) -> tuple[float, float, float, float]:
    """Each is one correctly rounded quotient of whole numbers."""
    if not n:
        return math.nan, 0.0, 0.0, 0.0
    a, b, c, d = (*s, *([0] * (4 - len(s))))
    second = (n * b * _ONE - a * a) / (n * _ONE**2)
    third = (n * n * c * _ONE**2 - 3 * n * a * b * _ONE + 2 * a**3) / (n**2 * _ONE**3) if len(s) > 2 else 0.0
    fourth = (n**3 * d * _ONE**3 - 4 * n * n * a * c * _ONE**2 + 6 * n * a * a * b * _ONE - 3 * a**4) / (n**3 * _ONE**4) if len(s) > 3 else 0.0
    return a / (n * _ONE), max(0.0, second), third, max(0.0, fourth)


class Slices:
    """The totals of the slices of a combination of attributes."""

    def __init__(self, source: Source, found: Totals, by: Sequence[str]) -> None:
        self.found = found
        self.names, self.place = _cells(source, found).places(by)
        self.size = len(self.names)
        n = np.zeros(self.size, dtype=np.int64)
        np.add.at(n, self.place, found.n)
        self.sample = Counted(np.zeros(0, dtype=np.int64), self.size, rows=n)

    def sum(self, name: str) -> Any:
        """The exact sums of a term."""
        found = np.zeros(self.size, dtype=object)
        np.add.at(found, self.place, self.found.sums[name])
        return found

    def total(self, name: str) -> Floats:
        """The sums of a term, correctly rounded."""
        return np.array([amount / _ONE for amount in self.sum(name).tolist()], dtype=np.float64)

    def moments(self, *names: str) -> Moments:
        """From the terms that are the first powers of a value."""
        return moments_of(self.sample.n, [self.sum(name) for name in names])

    def extremes(self, name: str) -> tuple[Floats, Floats]:
        """The least and the largest value."""
        low, high = np.full(self.size, math.inf), np.full(self.size, -math.inf)
        np.minimum.at(low, self.place, self.found.extremes[name][:, 0])
        np.maximum.at(high, self.place, self.found.extremes[name][:, 1])
        return low, high

    def bins(self, name: str) -> list[Bins]:
        """How a value is spread in each slice."""
        spread = self.found.spreads[name]
        own = totals.gathered(replace(spread, cell=self.place[spread.cell]))
        ends = np.searchsorted(own.cell, np.arange(self.size + 1))
        return [Bins.of(own, slice(start, stop)) for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]


@dataclass(frozen=True, eq=False)
class Bins:
    """Values in rising bins: their ends, and how many rows lie in them and in those before."""

    low: Floats
    high: Floats
    n: Integers

    @classmethod
    def of(cls, spread: Spread, rows: slice) -> Bins:
        """Some of the bins of a spread."""
        low, high = spread.edges()
        return cls(low[rows], high[rows], spread.n[rows])

    @cached_property
    def below(self) -> Integers:
        """The rows up to and with each bin."""
        return np.cumsum(self.n)

    def sizes(self) -> Bins:
        """The absolute values; bins of opposite values have opposite ends."""
        low, high = np.where(self.low < 0, -self.high, self.low) + 0.0, np.where(self.low < 0, -self.low, self.high) + 0.0
        order = np.argsort(low, kind="stable")
        starts = np.flatnonzero(np.diff(low[order], prepend=-1.0))
        first = order[starts]
        return Bins(low[first], high[first], np.add.reduceat(self.n[order], starts)) if len(low) else self

    def at(self, rank: int) -> tuple[float, float]:
        """Between which values the value of a rank (from 1) lies."""
        i = int(np.searchsorted(self.below, rank))
        return float(self.low[i]), float(self.high[i])

    def beyond(self, low: float, high: float) -> tuple[int, int]:
        """At least and at most how many rows lie below `low` or above `high`."""
        certain = (self.high < low) | (self.low > high)
        possible = (self.low < low) | (self.high > high)
        return int(self.n[certain].sum()), int(self.n[possible].sum())


def distance(groups: Sequence[Bins], i: int, base: int) -> tuple[float, float]:
    """Between which values the Kolmogorov-Smirnov distance of the values of two groups lies."""
    every = np.union1d(groups[i].low, groups[base].low)
    after = []
    for own in (groups[i], groups[base]):
        places = np.searchsorted(own.low, every, side="right")
        after.append(np.append(0, own.below)[places] / own.below[-1])
    before = [np.append(0.0, found[:-1]) for found in after]
    least = float(np.abs(after[0] - after[1]).max())
    most = float(np.maximum(np.abs(after[0] - before[1]), np.abs(before[0] - after[1])).max())
    exact = bool((groups[i].low == groups[i].high).all() and (groups[base].low == groups[base].high).all())
    return least, least if exact else max(least, most)


def bounded(value: float, low: float, high: float, interval: Interval | None) -> tuple[float, Interval | None, str]:
    """A value of which only bounds are known: no more digits than they support, an interval that holds them, and what to say."""
    if not high > low:
        return value, interval, ""
    if interval is not None:
        interval = Interval(min(interval.low, low), max(interval.high, high), f"{interval.method}, widened by the bins")
    return within(value, low, high), interval, f"counted in bins: the exact value lies between {low:.10g} and {high:.10g}"
