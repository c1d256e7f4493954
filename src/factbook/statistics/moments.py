"""Exact sums over groups of rows, and the means, variances and intervals that follow from them.

Sums are integers in units of 2^-1126, wide enough for every double, as in a superaccumulator (Neal 2015, arXiv:1505.05571): they do not depend on
order, partitioning or threads, and those of two parts of the rows simply add up. What is read from them is correctly rounded.

Rows that share a cluster (a query, a patient) vary together: their influences are summed within the cluster before they are squared (Liang & Zeger
1986, Biometrika 73, 13), and Student's t has one degree of freedom fewer than there are clusters, or than would do if they were of one size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from factbook.statistics import beta
from factbook.statistics.intervals import Interval, normal, proportion, without_skew

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Totals = NDArray[np.object_]

UNIT: Final = 1126
LARGEST: Final = 1e70
_ONE: Final = 1 << UNIT
_HALF: Final = 36
_CHUNK: Final = 1 << 15
_LONGEST: Final = 1 << 24
_CHUNKS: Final = 512
_LEAST: Final = -1074


def tidy(number: float) -> float:
    """A computed statistic to twelve significant digits, so that the last bits of a processor's logarithms stay out of the evidence."""
    return float(f"{number:.12g}")


def within(value: float, low: float, high: float) -> float:
    """A value of which only hard bounds are known: to no more decimals than they support, and within them."""
    width = high - low
    if not 0 < width < math.inf:
        return value
    return min(max(round(value, max(0, min(12, math.ceil(-math.log10(width))))), low), high)


def sums(values: Floats, index: Integers, size: int) -> Totals:
    """The exact sum of the finite values of each of `size` groups, as integers in units of 2^-1126; those of parts of the rows add up."""
    totals = np.zeros(size, dtype=object)
    length = min(max(_CHUNK, 1 << size.bit_length()), _LONGEST)
    for begin in range(0, len(values), length * _CHUNKS):
        found: dict[int, Integers] = {}
        for start in range(begin, min(begin + length * _CHUNKS, len(values)), length):
            groups = index[start : start + length]
            for unit, part in pieces(values[start : start + length]):
                own = np.bincount(groups, weights=part, minlength=size) if size > 1 else part.sum(keepdims=True)
                found[unit] = found.get(unit, 0) + np.ldexp(own, -unit).astype(np.int64)
        for unit, own in found.items():
            there = np.flatnonzero(own)
            totals[there] += own[there].astype(object) << (unit + UNIT)
    return totals


def pieces(values: Floats) -> Iterator[tuple[int, Floats]]:
    """Numbers as sums of whole multiples of powers of two (2^unit each), so few bits long that doubles add up to 2^24 of them exactly, in any order.

    Rump, Ogita & Oishi 2008, SIAM J. Scientific Computing 31, 189, whose extraction takes the leading bits of all numbers at once.
    """
    bits = 53 - max(len(values), 2).bit_length()
    rest = values
    while len(rest) and (largest := max(float(rest.max()), -float(rest.min()))) > 0:
        unit = max(math.frexp(largest)[1] - bits, _LEAST)
        large = math.ldexp(1.5, unit + 52)
        part = (rest + large) - large
        rest = rest - part
        yield unit, part


def real(totals: Totals) -> Floats:
    """Totals as doubles, correctly rounded."""
    return np.array([total / _ONE for total in totals.tolist()], dtype=np.float64)


def totals(values: Floats, index: Integers, size: int) -> Floats:
    """The sums of many small groups: in fixed point, 72 bits below the largest of all values, so that no order matters here either."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return np.zeros(size)
    exponent = math.frexp(largest)[1]
    scaled = np.ldexp(values, _HALF - exponent)
    whole = np.floor(scaled)
    high, low = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    np.add.at(high, index, whole.astype(np.int64))
    np.add.at(low, index, np.floor((scaled - whole) * 2.0**_HALF).astype(np.int64))
    high, low = high + (low >> _HALF), low & ((1 << _HALF) - 1)
    found: Floats = np.ldexp(high.astype(np.float64), exponent - _HALF) + np.ldexp(low.astype(np.float64), exponent - 2 * _HALF)
    return found


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows in groups.

    Attributes:
        index: per row, its group.
        size: the number of groups.
        weights: per row, at least 0, or None.
        clusters: per row, a number that the rows that vary together share, or None.
    """

    index: Integers
    size: int
    weights: Floats | None = None
    clusters: Integers | None = None

    @classmethod
    def whole(cls, n: int, clusters: Integers | None = None) -> Sample:
        """All rows as one group."""
        return cls(np.zeros(n, dtype=np.int64), 1, None, clusters)

    @cached_property
    def n(self) -> Integers:
        """Rows of each group."""
        return np.bincount(self.index, minlength=self.size)

    @cached_property
    def weight(self) -> Floats:
        """The sum of weights of each group; rows where there are none."""
        return self.n.astype(np.float64) if self.weights is None else real(sums(self.weights, self.index, self.size))

    @cached_property
    def _units(self) -> tuple[Integers, Integers]:
        """Per row the number of its unit (cluster within group), and per unit its group."""
        assert self.clusters is not None
        names, unit = np.unique(self.index * (int(self.clusters.max(initial=0)) + 1) + self.clusters, return_inverse=True)
        return unit.reshape(-1).astype(np.int64), names // (int(self.clusters.max(initial=0)) + 1)

    @cached_property
    def units(self) -> Integers:
        """The independent units of each group: clusters, or rows where there are none."""
        return self.n if self.clusters is None else np.bincount(self._units[1], minlength=self.size)

    @cached_property
    def alike(self) -> Floats:
        """How many clusters of one size would tell as much of the variance as those of each group, at least 2; units where there are no clusters.

        Large clusters carry most of it: (sum of squared sizes)² / sum of their fourth powers, as where the rows of a cluster are wholly alike
        (Satterthwaite 1946; Carter, Schnepel & Steigerwald 2017, Review of Economics and Statistics 99, 698).
        """
        units = self.units.astype(np.float64)
        if self.clusters is None:
            return units
        sizes = self.by_unit(np.ones(len(self.index)))
        squares, fourths = (real(sums((sizes / max(1.0, float(sizes.max(initial=0.0)))) ** power, self.owner, self.size)) for power in (2, 4))
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.where(fourths > 0, np.minimum(units, np.maximum(2.0, squares**2 / fourths)), units)
        return found

    @property
    def owner(self) -> Integers:
        """Per unit its group."""
        return self.index if self.clusters is None else self._units[1]

    def by_unit(self, values: Floats) -> Floats:
        """The weighted sum of each unit."""
        own = values if self.weights is None else values * self.weights
        return own if self.clusters is None else totals(own, self._units[0], len(self.owner))

    def jackknife(self, without: Floats) -> Floats:
        """The variance of a statistic of each group from its values without each unit in turn (Miller 1974, Biometrika 61, 1); NaN where one is."""
        bad = np.bincount(self.owner, weights=~np.isfinite(without), minlength=self.size) > 0
        known = np.where(np.isfinite(without), without, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            centre = real(sums(known, self.owner, self.size)) / self.units
            squares = real(sums((known - centre[self.owner]) ** 2, self.owner, self.size))
            return np.where(bad | (self.units < 2), np.nan, squares * (self.units - 1) / self.units)

    def carriers(self, without: Floats) -> Floats:
        """How many units the variance of the jackknife rests on: (sum of squares)² / sum of fourth powers of what each changes."""
        known = np.where(np.isfinite(without), without, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = known - (real(sums(known, self.owner, self.size)) / self.units)[self.owner]
            apart /= np.maximum(np.abs(apart).max(initial=0.0), 1e-300)
            squares, fourths = (real(sums(apart**power, self.owner, self.size)) for power in (2, 4))
            return np.where(fourths > 0, np.minimum(squares**2 / fourths, self.units), self.units)

    def total(self, values: Floats) -> Floats:
        """The weighted sum of each group."""
        return real(sums(values if self.weights is None else values * self.weights, self.index, self.size))

    def mean(self, values: Floats) -> Floats:
        """The weighted mean of each group; NaN where its weight is 0."""
        if self.weights is None:
            totals = sums(values, self.index, self.size).tolist()
            return np.array([total / (n * _ONE) if n else math.nan for total, n in zip(totals, self.n.tolist(), strict=True)], dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.weight > 0, self.total(values) / self.weight, np.nan)

    def skewness(self, values: Floats, centre: Floats) -> Floats:
        """How skew the influences of the units of each group's mean are; 0 where they do not vary."""
        influence, owner = self.by_unit(values - centre[self.index]), self.owner
        squares, cubes = (real(sums(influence**power, owner, self.size)) for power in (2, 3))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(squares > 0, cubes / np.maximum(self.units, 1) / (squares / np.maximum(self.units, 1)) ** 1.5, 0.0)

    def spread(self, values: Floats, centre: Floats) -> Floats:
        """The variance of each group's weighted mean of `values`, linearised around `centre` (its mean); NaN where there are not two units.

        Without weights and clusters it is s²/n. Of clusters it is m/(m-1) times the sum of squared influences, each as it is without the cluster (the
        jackknife: Miller 1974, Biometrika 61, 1), since large ones pull the mean towards themselves.
        """
        influence, owner = self.by_unit(values - centre[self.index]), self.owner
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.clusters is not None:
                rest = 1 - self.by_unit(np.ones(len(values))) / self.weight[owner]
                own = influence / rest * ((self.units - 1) / self.units)[owner]
                influence = np.where(np.isfinite(own), own, influence)
            squares = real(sums(influence * influence, owner, self.size))
            return np.where((self.units > 1) & (self.weight > 0), squares / self.weight**2 * (self.units / (self.units - 1)), np.nan)


def means(
    sample: Sample, values: Floats, level: float, method: str, bounds: tuple[float, float] | None = None
) -> list[tuple[float, Interval | None]]:
    """The mean of each group, NaN where it is empty, and its interval as `student` makes it."""
    found = sample.mean(values)
    spread = sample.spread(values, np.nan_to_num(found))
    low, high = ends = bounds or (-math.inf, math.inf)
    skewness = np.zeros(sample.size) if math.isfinite(low) and math.isfinite(high) else sample.skewness(values, np.nan_to_num(found))
    parts = zip(found.tolist(), spread.tolist(), sample.alike.tolist(), skewness.tolist(), strict=True)
    return [(mean, student(mean, variance, units, level, method, ends, skew)) for mean, variance, units, skew in parts]


def student(
    value: float,
    variance: float,
    units: float,
    level: float,
    method: str,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    skewness: float = 0.0,
) -> Interval | None:
    """The interval of a mean from its estimated variance; None without two units, and without variation inside the bounds.

    Of values between two `bounds` it is `_bounded`: Student's t covers .88 of a mean near an end. Of others Student's t, or where `skewness` says how
    skew the values of the units are, the wider of it and Hall's (1992, JRSS B 54, 221): of absolute errors t alone covers .89 at n = 10.
    """
    if units < 2 or not math.isfinite(value):
        return None
    if math.isfinite(bounds[0]) and math.isfinite(bounds[1]):
        return _bounded(value, variance, units, level, method, bounds)
    if not varies(variance, value):
        return None
    t, error = quantile(units, level), math.sqrt(variance)
    low, high = value - t * error, value + t * error
    if abs(skewness) > 1e-9:
        ends = [value - error * without_skew(end, skewness / math.sqrt(units)) for end in (t, -t)]
        low, high, method = min(low, ends[0]), max(high, ends[1]), method.replace("Student's t", "wider of Student's t and Hall's")
    return Interval(max(bounds[0], low), min(bounds[1], high), method)


def linearised(value: float, influence: Floats, weight: Floats, size: float, level: float) -> Interval | None:
    """The interval of a smooth statistic from the influences of independent rows; None where nothing varies.

    The hull of Student's t with as many degrees of freedom as rows carry the variance (Satterthwaite 1946, Biometrics Bulletin 2, 110), less one, and
    of Hall's (1992, JRSS B 54, 221), which takes the skewness of the influences out. Where positives are rare few rows carry nearly all of it: t with
    the degrees of freedom of all rows holds .85 of a calibration slope, or of a Brier skill, at four expected positives of 200.

    Args:
        value: of the statistic.
        influence: what one row of each kind adds to it.
        weight: of each kind, the sum of its rows' squared weights (rows without weights).
        size: the (effective) number of rows.
        level: of confidence.
    """
    squares, cubes, fourths = (float((weight * influence**power).sum()) for power in (2, 3, 4))
    if size <= 2 or squares <= 1e-28:
        return None
    error, skew = math.sqrt(squares * size / (size - 1)), cubes / squares**1.5
    t, far = quantile(size, level), quantile(max(2.0, min(squares**2 / fourths, size)), level)
    ends = [value - error * without_skew(end, skew) for end in (t, -t)]
    name = "Student's t over rows, linearised (carriers of the variance, Hall)"
    return Interval(min(ends[0], value - far * error), max(ends[1], value + far * error), name)


def _bounded(value: float, variance: float, units: float, level: float, method: str, bounds: tuple[float, float]) -> Interval | None:
    """The interval of a mean of bounded values: that of a proportion of as many rows as would give its variance.

    Korn & Graubard 1998, Survey Methodology 24, 193, with their correction for few units. At an end itself, where nothing varies, as many rows as
    there are units: a mean is no further from the end than the share of values that are not there.
    """
    width = bounds[1] - bounds[0]
    share = min(1.0, max(0.0, (value - bounds[0]) / width))
    rows = float(units)
    if varies(variance, value) and 0 < share < 1:
        rows = share * (1 - share) * width**2 / variance * (normal(level) / quantile(units, level)) ** 2
    elif 0 < share < 1:
        return None
    found = proportion(share * rows, rows, level)
    name = method.replace("Student's t", "Korn-Graubard")
    return Interval(bounds[0] + width * found.low, bounds[0] + width * found.high, name)


def varies(variance: float, value: float) -> bool:
    """Whether a variance is more than what rounding makes of equal values."""
    return variance > (1e-14 * value) ** 2


def student_log(value: float, variance: float, units: float, level: float, method: str, carriers: float = math.inf) -> Interval | None:
    """As `student` of a logarithm with the given variance: for quantities above 0 whose distribution is skewed.

    The upper end has as many degrees of freedom as units carry the variance (Satterthwaite 1946, Biometrics Bulletin 2, 110), less one: where a few
    large errors make up the mean square, larger ones may not have come yet. Without it .89 of mean squared Laplace errors are covered at n = 20.
    """
    if not value > 0 or not variance > 1e-28 or units < 2:
        return None
    centre, error = math.log(value), math.sqrt(variance)
    low, high = centre - quantile(units, level) * error, centre + quantile(max(2.0, min(carriers, units)), level) * error
    return Interval(_exp(low), _exp(high), f"{method}, on the log scale")


def quantile(units: float, level: float) -> float:
    """The two-sided quantile of Student's t with units - 1 degrees of freedom."""
    return beta.student(level, units - 1) if units < 1e6 else normal(level)


def _exp(power: float) -> float:
    return math.exp(min(power, 700.0))


def method(sample: Sample, unit: str = "row") -> str:
    """How intervals from `Sample.spread` are called."""
    if sample.clusters is not None:
        return "Student's t over clusters (cluster-robust)"
    return "Student's t over rows, linearised for weights" if sample.weights is not None else f"Student's t over {plural(unit)}"


def plural(unit: str) -> str:
    """`rows`, `queries`."""
    return unit[:-1] + "ies" if unit.endswith("y") else unit + "s"
