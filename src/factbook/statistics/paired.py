"""Two models on the same rows: paired differences of proportions, of AUCs and of means.

Rows that both models get right or wrong say nothing of which is better; comparing the models' own intervals ignores this and is far too careful.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from factbook.statistics import beta, laws
from factbook.statistics.intervals import Interval, wilson, without_skew
from factbook.statistics.moments import Floats, Integers, Sample, plural, student, varies

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tested:
    """A difference, its interval and p-value; None where there is none."""

    value: float
    interval: Interval | None
    p: float | None


def newcombe(both: int, first: int, second: int, neither: int, level: float) -> Interval:
    """The hybrid score interval of the difference of two paired proportions (Newcombe 1998, Statistics in Medicine 17, 2635, method 10).

    Args:
        both: pairs that count for both.
        first: pairs that count only for the first.
        second: pairs that count only for the second.
        neither: pairs that count for none.
        level: of confidence.
    """
    n = both + first + second + neither
    a, b = wilson(both + first, n, level), wilson(both + second, n, level)
    p, q = (both + first) / n, (both + second) / n
    rho = _correlation(both, first, second, neither)
    low = math.sqrt(max(0.0, (p - a.low) ** 2 - 2 * rho * (p - a.low) * (b.high - q) + (b.high - q) ** 2))
    high = math.sqrt(max(0.0, (a.high - p) ** 2 - 2 * rho * (a.high - p) * (q - b.low) + (q - b.low) ** 2))
    return Interval(max(-1.0, p - q - low), min(1.0, p - q + high), "Newcombe, paired")


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """Of the pairs, with Newcombe's continuity correction where it is positive."""
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not product:
        return 0.0
    excess = float(both * neither - first * second)
    if excess > 0:
        excess = max(0.0, excess - (both + first + second + neither) / 2)
    return excess / math.sqrt(product)


def mean(difference: Floats, weights: Floats | None, units: Integers | None, level: float, unit: str = "row") -> Tested:
    """The mean of paired differences: Student's t, over clusters where `units` (their numbers) are given, linearised for weights.

    Where it is wider the interval is Hall's (1992, JRSS B 54, 221), which takes the skewness of the differences out.

    Args:
        difference: per row.
        weights: per row, or None.
        units: per row the number of its cluster, or None.
        level: of confidence.
        unit: what a row is called.
    """
    weight = np.ones(len(difference)) if weights is None else weights
    total = math.fsum(weight.tolist())
    value = math.fsum((weight * difference).tolist()) / total
    if units is not None:
        return _clustered(value, difference, weight, units, level)
    influence = weight * (difference - value) / total
    return _unskewed(_tested(value, [influence], level, f"paired, Student's t over {plural(unit)}"), influence)


def _clustered(value: float, difference: Floats, weight: Floats, units: Integers, level: float) -> Tested:
    """As of any mean over clusters (`moments`): with as many degrees of freedom as clusters of one size would have."""
    codes = np.unique(units, return_inverse=True)[1].reshape(-1).astype(np.int64)
    sample, centre = Sample(np.zeros(len(units), dtype=np.int64), 1, weight, codes), np.array([value])
    variance, alike = float(sample.spread(difference, centre)[0]), float(sample.alike[0])
    if not varies(variance, 1.0):
        return Tested(value, None, None)
    skewness = float(sample.skewness(difference, centre)[0])
    interval = student(value, variance, alike, level, "paired, Student's t over clusters", skewness=skewness)
    return Tested(value, interval, laws.student_tail(value / math.sqrt(variance), alike - 1))


def _unskewed(tested: Tested, influence: Floats) -> Tested:
    """With the wider of the interval and Hall's, from what each independent unit adds to the mean."""
    found, n = tested.interval, len(influence)
    if found is None:
        return tested
    squares = math.fsum((influence * influence).tolist())
    half, error = (found.high - found.low) / 2, math.sqrt(squares * n / (n - 1))
    skew = math.fsum((influence**3).tolist()) / squares**1.5
    low, high = (tested.value - error * without_skew(end, skew) for end in (half / error, -half / error))
    method = found.method.replace("Student's t", "wider of Student's t and Hall's")
    return replace(tested, interval=Interval(min(low, found.low), max(high, found.high), method))


def auc(label: Flags, first: Floats, second: Floats, weights: Floats | None, units: Integers | None, level: float) -> Tested:
    """The difference of two AUCs on the same rows (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44, 837).

    Student's t with Satterthwaite's degrees of freedom. Rows of a cluster are summed before they are squared (Obuchowski 1997, Biometrics 53, 567);
    weighted rows count with their weight. Both classes occur.

    Args:
        label: per row whether it is positive.
        first: the scores of one model.
        second: those of the other.
        weights: per row, or None.
        units: per row the number of its cluster, or None.
        level: of confidence.
    """
    weight = np.ones(len(label)) if weights is None else weights
    a, b = (placements(label, score, weight) for score in (first, second))
    apart = a - b
    value = math.fsum((weight * apart)[label].tolist()) / math.fsum(weight[label].tolist())
    totals = np.where(label, math.fsum(weight[label].tolist()), math.fsum(weight[~label].tolist()))
    influence = weight * (apart - value) / totals
    if units is not None:
        return _tested(value, [by_cluster(influence, units)], level, "DeLong, paired, Student's t over clusters")
    return _unskewed(_tested(value, [influence[label], influence[~label]], level, "DeLong, paired, Student's t"), influence)


def by_cluster(influence: Floats, units: Integers) -> Floats:
    """Sums within clusters."""
    return np.bincount(np.unique(units, return_inverse=True)[1].reshape(-1), weights=influence).astype(np.float64)


def placements(label: Flags, score: Floats, weight: Floats) -> Floats:
    """Per row the (weighted) share of the other class that it is ranked rightly against, ties counting half; their mean is the AUC."""
    found = np.empty(len(label))
    for side, sign in ((label, 1.0), (~label, -1.0)):
        order = np.argsort(score[~side], kind="stable")
        other, below = score[~side][order], np.concatenate(([0.0], np.cumsum(weight[~side][order])))
        left, right = np.searchsorted(other, score[side], "left"), np.searchsorted(other, score[side], "right")
        share = (below[left] + below[right]) / (2 * below[-1])
        found[side] = share if sign > 0 else 1 - share
    return found


def _tested(value: float, samples: list[Floats], level: float, method: str) -> Tested:
    """Student's t from the influences of independent units, one or two samples of them (Satterthwaite 1946, Biometrics Bulletin 2, 110)."""
    if min(len(sample) for sample in samples) < 2:
        return Tested(value, None, None)
    parts = [math.fsum((sample * sample).tolist()) * len(sample) / (len(sample) - 1) for sample in samples]
    variance = math.fsum(parts)
    if not varies(variance, 1.0):
        return Tested(value, None, None)
    freedom = variance**2 / math.fsum(part**2 / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True))
    return _student(value, variance, freedom, level, method)


def _student(value: float, variance: float, freedom: float, level: float, method: str) -> Tested:
    half, t = beta.student(level, freedom) * math.sqrt(variance), value / math.sqrt(variance)
    return Tested(value, Interval(value - half, value + half, method), laws.student_tail(t, freedom))


def folds(differences: Floats, ratio: float, level: float) -> Tested:
    """The mean difference over the folds of a cross-validation, corrected for training sets that overlap.

    Nadeau & Bengio 2003, Machine Learning 52, 239: the variance of the mean is (1 / folds + rows tested / rows trained on) times that of the folds.

    Args:
        differences: per fold.
        ratio: rows tested / rows trained on.
        level: of confidence.
    """
    n = len(differences)
    value = math.fsum(differences.tolist()) / n
    if n < 2:
        return Tested(value, None, None)
    variance = math.fsum(((differences - value) ** 2).tolist()) / (n - 1) * (1 / n + ratio)
    if not varies(variance, 1.0):
        return Tested(value, None, None)
    return _student(value, variance, n - 1, level, "Nadeau-Bengio, Student's t over folds")
