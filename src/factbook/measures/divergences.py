"""How far apart two distributions are: pure functions of counts and column sketches. `reference` comes first, `current` second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from factbook.engines.sketches import NO_NUMBERS, NO_TEXTS, Numbers, Sketch, Texts, merged
from factbook.statistics import beta, intervals, laws
from factbook.statistics.intervals import Interval

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
PARTS: Final = 10


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value with its hard bounds; they are equal where it is exact."""

    value: float
    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether nothing was lost in bins."""
        return self.low == self.high


@dataclass(frozen=True, eq=False)
class Pair:
    """Two samples of numbers over common cells: the ends of each cell, and the counts in it."""

    lows: Floats
    highs: Floats
    reference: Integers
    current: Integers

    @classmethod
    def of(cls, reference: Numbers, current: Numbers) -> Pair:
        """The common cells of two sketches: their values, or bins where either is binned."""
        both, counts = _common((reference, current))
        return cls(*both.edges, *counts)

    @cached_property
    def shares(self) -> tuple[Floats, Floats]:
        """Cumulative shares at the end of each cell."""
        return np.cumsum(self.reference) / self.reference.sum(), np.cumsum(self.current) / self.current.sum()

    @cached_property
    def deciles(self) -> tuple[Integers, Integers]:
        """Counts between the deciles of the reference."""
        starts = deciles(self.reference)
        return np.add.reduceat(self.reference, starts), np.add.reduceat(self.current, starts)


def _common(parts: Sequence[Numbers]) -> tuple[Numbers, list[Integers]]:
    both = merged(*parts)
    counts = []
    for one in parts:
        own = one if both.exact else one.at(both.level)
        found = np.zeros(len(both.keys), dtype=np.int64)
        found[np.searchsorted(both.keys, own.keys)] = own.n
        counts.append(found)
    return both, counts


def deciles(reference: Integers) -> Integers:
    """Where bins start, as indices of cells.

    A bin ends with the cell in which the reference reaches one, two … nine tenths. A constant reference has three bins: below, equal, above.
    """
    there = np.flatnonzero(reference)
    if len(there) == 1:
        cuts = np.array([there[0] - 1, there[0]])
    else:
        reached = np.cumsum(reference) * PARTS
        cuts = _once(np.searchsorted(reached, np.arange(1, PARTS) * int(reference.sum())))
        cuts = cuts[cuts < there[-1]]
    starts = _once(np.concatenate([[0], cuts + 1]))
    return starts[starts < len(reference)]


def _once(values: Integers) -> Integers:
    """Sorted integers, each once. (`np.unique` would import numpy.ma.)"""
    first: NDArray[np.bool_] = np.diff(values, prepend=values[:1] - 1) != 0
    return values[first]


def kolmogorov_smirnov(pair: Pair) -> Bounded:
    """The largest distance between the two cumulative distributions (Smirnov 1948), over the ends of cells.

    Inside a bin the distance is at most what it would be if all of one sample came before all of the other.
    """
    first, second = pair.shares
    value = float(np.abs(first - second).max())
    if np.array_equal(pair.lows, pair.highs):
        return Bounded(value, value, value)
    before = first - pair.reference / pair.reference.sum(), second - pair.current / pair.current.sum()
    wide = pair.lows < pair.highs
    inside = np.where(wide, np.maximum(first - before[1], second - before[0]), 0.0)
    return Bounded(value, value, min(1.0, max(value, float(inside.max()))))


def smirnov_p(distance: float, n: int, m: int) -> float:
    """The asymptotic p-value of the two-sample test; conservative where values repeat."""
    return min(1.0, laws.kolmogorov(distance * math.sqrt(n / (n + m) * m)))


def smirnov_interval(distance: Bounded, n: int, m: int, level: float) -> Interval:
    """The bands around the two samples, each at half the error, added up (Massart 1990, Annals of Probability 18, 1269)."""
    band = sum(math.sqrt(math.log(4 / (1 - level)) / (2 * size)) for size in (n, m))
    return Interval(max(0.0, distance.low - band), min(1.0, distance.high + band), "Dvoretzky-Kiefer-Wolfowitz, conservative")


def wasserstein(pair: Pair) -> Bounded:
    """The area between the two cumulative distributions, in the unit of the column (Vallender 1974, Theory of Probability 18, 784).

    Binned values are taken from the middle of their bin; no value moves further than to an end of it.
    """
    middle = (pair.lows + pair.highs) / 2
    first, second = pair.shares
    value = float((np.abs(first - second)[:-1] * np.diff(middle)).sum())
    mass = pair.reference / pair.reference.sum() + pair.current / pair.current.sum()
    slack = float((mass * (pair.highs - pair.lows)).sum()) / 2
    return Bounded(value, max(0.0, value - slack), value + slack) if slack else Bounded(value, value, value)


def stability(reference: Integers, current: Integers) -> float:
    """The population stability index: sum of (q - p) ln(q / p) over cells, Jeffreys' divergence; infinite where a cell is empty on one side only.

    Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(4), 89. Cells that are empty on both sides add nothing.
    """
    p, q = _shares(reference, current)
    if ((p == 0) != (q == 0)).any():
        return math.inf
    p, q = p[p > 0], q[q > 0]
    return float(((q - p) * np.log(q / p)).sum())


def stability_interval(reference: Integers, current: Integers, level: float) -> Interval | None:
    """The interval of PSI, by way of T = PSI / (1/n + 1/m).

    T is asymptotically chi-square with cells - 1 degrees of freedom without drift (Yurdakul & Naranjo 2020), non-central near it; the root of
    T - (cells - 2) / 2 is then nearly normal with variance 1 (Sankaran 1963, Biometrika 50, 199). Further off, the variance of the delta method for
    two multinomials takes its place. Small cells widen it by half the mean of 1/rows, without which 20 rows a cell cover .93 of a small drift. None
    where PSI is infinite or there is one cell.
    """
    used = (reference > 0) | (current > 0)
    reference, current = reference[used], current[used]
    if len(reference) < 2 or not (reference.all() and current.all()):
        return None
    p, q = _shares(reference, current)
    n, m, ratio = int(reference.sum()), int(current.sum()), np.log(q / p)
    scale, shift = 1 / n + 1 / m, (len(p) - 2) / 2
    value = float(((q - p) * ratio).sum())
    variance = _spread(p, 1 - q / p - ratio) / n + _spread(q, 1 - p / q + ratio) / m
    wider = math.sqrt(max(1.0, variance / (4 * value * scale))) if value > 0 else 1.0
    wider *= 1 + float((1 / reference + 1 / current).mean()) / 2
    root, half = math.sqrt(max(0.0, value / scale - shift)), intervals.normal(level) * wider
    low, high = max(0.0, root - half) ** 2 - shift, (root + half) ** 2 - shift
    return Interval(max(0.0, low) * scale, max(0.0, high) * scale, "Sankaran's root of PSI, delta method")


def _spread(weights: Floats, values: Floats) -> float:
    return float((weights * values**2).sum() - (weights * values).sum() ** 2)


def jensen_shannon(reference: Integers, current: Integers) -> float:
    """The Jensen-Shannon distance to base 2, between 0 and 1: the root of the divergence (Lin 1991, IEEE Trans. Information Theory 37, 145)."""
    p, q = _shares(reference, current)
    middle = (p + q) / 2
    total = 0.0
    for one in (p, q):
        there = one > 0
        total += float((one[there] * np.log2(one[there] / middle[there])).sum()) / 2
    return math.sqrt(min(1.0, max(0.0, total)))


def chi_square(reference: Integers, current: Integers) -> tuple[float, int, int]:
    """Pearson's statistic of homogeneity, its degrees of freedom, and how many expected counts lie under 5 (Cochran 1954, Biometrics 10, 417)."""
    both = reference + current
    used = both > 0
    observed = np.stack([reference[used], current[used]]).astype(np.float64)
    expected = observed.sum(axis=1, keepdims=True) * (both[used] / both.sum())
    if not expected.all():
        return 0.0, 0, 0
    return float(((observed - expected) ** 2 / expected).sum()), int(used.sum()) - 1, int((expected < 5).sum())


@dataclass(frozen=True, slots=True)
class Shift:
    """What `label_shift` finds; the value is NaN where no bin has rows on both sides."""

    value: float
    statistic: float
    freedom: int
    left_out: int


def label_shift(reference: Integers, current: Integers) -> Shift:
    """How far the label's shares moved within bins of a column: concept drift, apart from drift of the column itself.

    Both tables of counts have a label a row and a bin a column. Returns the distance of the label's shares in a bin (half the sum of absolute
    differences), averaged over the current rows (Webb et al. 2016, Data Mining and Knowledge Discovery 30, 964, conditioned class drift); the sum of
    Pearson's statistics over the bins and its degrees of freedom; and how many current rows were left out, their bins having no reference rows.
    """
    value = statistic = 0.0
    freedom = judged = 0
    for before, after in zip(reference.T, current.T, strict=True):
        if not before.sum() or not after.sum():
            continue
        p, q = _shares(before, after)
        value += float(np.abs(p - q).sum()) / 2 * int(after.sum())
        judged += int(after.sum())
        found = chi_square(before, after)
        statistic, freedom = statistic + found[0], freedom + found[1]
    return Shift(value / judged if judged else math.nan, statistic, freedom, int(current.sum()) - judged)


def tabulate(sides: Sequence[Sequence[Sketch | None]], *, number: bool) -> tuple[Integers, Integers] | None:
    """Counts of reference and current, a label a row and a bin (a decile of the reference, or a category) a column.

    `sides` hold one sketch a label, None where the label does not occur. None where a side is empty or texts are not kept.
    """
    flat = [sketch for side in sides for sketch in side]
    if number:
        parts = [NO_NUMBERS if sketch is None or sketch.numbers is None else sketch.numbers for sketch in flat]
        counts = np.stack(_common(parts)[1]) if flat else np.zeros((0, 0), dtype=np.int64)
    else:
        texts = [NO_TEXTS if sketch is None or sketch.texts is None else sketch.texts for sketch in flat]
        if any(one.overflow for one in texts):
            return None
        counts = np.stack(_side_by_side(texts)[1]) if flat else np.zeros((0, 0), dtype=np.int64)
    size = len(sides[0])
    if not counts[:size].sum() or not counts[size:].sum():
        return None
    if number:
        counts = np.add.reduceat(counts, deciles(counts[:size].sum(axis=0)), axis=1)
    return counts[:size], counts[size:]


def categories(reference: Sketch, current: Sketch) -> tuple[tuple[str, ...], Integers, Integers] | None:
    """All texts of two columns, sorted, and the counts of each; None where either has more than a sketch keeps."""
    if reference.texts is None or current.texts is None or reference.texts.overflow or current.texts.overflow:
        return None
    values, counts = _side_by_side((reference.texts, current.texts))
    return values, counts[0], counts[1]


def _side_by_side(parts: Sequence[Texts]) -> tuple[tuple[str, ...], list[Integers]]:
    values = tuple(sorted({text for part in parts for text in part.values}))
    place = {text: i for i, text in enumerate(values)}
    counts = []
    for part in parts:
        found = np.zeros(len(values), dtype=np.int64)
        found[np.array([place[text] for text in part.values], dtype=np.int64)] = part.n
        counts.append(found)
    return values, counts


def welch(reference: Numbers, current: Numbers, level: float) -> tuple[float, Interval | None]:
    """The difference of the means, and its interval where the values vary. Both must have means.

    Welch's (1947, Biometrika 34, 28), or where it is wider the one that takes the skewness of both samples out (Zhou & Dinh 2005, Biostatistics 6,
    187, with Hall's transformation): of exponential values in samples of 10 and 100 Welch's alone covers .91.
    """
    assert reference.mean is not None
    assert current.mean is not None
    value = current.mean - reference.mean
    if reference.variance is None or current.variance is None:
        return value, None
    parts = [(reference.variance / reference.count, reference.count), (current.variance / current.count, current.count)]
    variance = sum(part for part, _ in parts)
    if variance <= 0:
        return value, None
    freedom = variance**2 / sum(part**2 / (n - 1) for part, n in parts)
    t, error = beta.student(level, freedom) if freedom < 1e6 else intervals.normal(level), math.sqrt(variance)
    skews = [_skewness(one) * (part / variance) ** 1.5 / math.sqrt(n) for one, (part, n) in zip((reference, current), parts, strict=True)]
    low, high = (value - error * intervals.without_skew(end, skews[1] - skews[0]) for end in (t, -t))
    return value, Interval(min(low, value - t * error), max(high, value + t * error), "wider of Welch's and Zhou-Dinh's")


def _skewness(numbers: Numbers) -> float:
    """Of numbers with a mean; those in bins are taken from the middle. 0 where they do not vary."""
    lows, highs = numbers.edges
    apart = lows / 2 + highs / 2 - (numbers.mean or 0.0)
    apart /= np.abs(apart).max(initial=0.0) or 1.0
    squares = apart * apart
    square = float((numbers.n * squares).sum()) / numbers.count
    return float((numbers.n * squares * apart).sum()) / numbers.count / square**1.5 if square > 0 else 0.0


def _shares(*counts: Integers) -> Sequence[Floats]:
    return [one / one.sum() for one in counts]
