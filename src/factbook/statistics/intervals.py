"""Confidence intervals, each named by its method and with the source of its formula. Counts may be fractional (effective sizes of weighted rows).

Levels are fractions (0.95). Where no interval can be given (no rows, no variation to estimate it from) the function says so with None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

from factbook.model import Fact
from factbook.statistics import beta

SMALL: Final = 45
"""Below this many events or non-events a proportion gets Clopper-Pearson.

Wilson's coverage for rare events sinks to .838 at a nominal .95. The switch was chosen by exact computation (tests/statistics/test_intervals.py
repeats it): over every p and n up to 3,000 the coverage of `proportion` is never under .94 at .95, .88 at .90 and .985 at .99.
"""


@dataclass(frozen=True, slots=True)
class Interval:
    """low, high and the name of the method."""

    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Share:
    """k of n, as exact counts or effective ones.

    Attributes:
        k, n: the counts of a proportion; n > 0.
        weighted: whether they are Kish's effective counts, (sum w)^2 / (sum w^2) and its share (Kish 1965, Survey Sampling).
        clustered: whether they are effective counts of rows in clusters (see `clusters`).
    """

    k: float
    n: float
    weighted: bool = False
    clustered: bool = False

    @property
    def value(self) -> float:
        """The proportion."""
        return self.k / self.n


@lru_cache(maxsize=64)
def normal(level: float) -> float:
    """The two-sided standard normal quantile: 1.96 at .95."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(k: float, n: float, level: float) -> Interval:
    """The score interval of a proportion (Wilson 1927, JASA 22, 209)."""
    z = normal(level)
    p, weight = k / n, z * z / n
    centre = (p + weight / 2) / (1 + weight)
    half = z * math.sqrt(p * (1 - p) / n + weight / (4 * n)) / (1 + weight)
    return Interval(0.0 if k <= 0 else max(0.0, centre - half), 1.0 if k >= n else min(1.0, centre + half), "Wilson")


def clopper_pearson(k: float, n: float, level: float) -> Interval:
    """The exact interval of a proportion, never under its level (Clopper & Pearson 1934, Biometrika 26, 404)."""
    tail = (1 - level) / 2
    low = beta.quantile(k, n - k + 1, tail) if k > 0 else 0.0
    high = 1 - beta.quantile(n - k, k + 1, tail) if k < n else 1.0
    return Interval(low, high, "Clopper-Pearson")


def proportion(k: float, n: float, level: float) -> Interval:
    """Wilson's interval, or Clopper-Pearson's below SMALL events or non-events."""
    return clopper_pearson(k, n, level) if min(k, n - k) < SMALL else wilson(k, n, level)


def share(part: Share, level: float) -> Interval:
    """`proportion` of a share; the method says where the counts are effective ones."""
    found = proportion(part.k, part.n, level)
    return Interval(found.low, found.high, found.method + effective(part)) if part.weighted or part.clustered else found


def effective(*parts: Share) -> str:
    """What is added to the name of a method where counts are effective ones."""
    if any(part.clustered for part in parts):
        return ", effective n of clusters"
    return ", Kish's effective n" if any(part.weighted for part in parts) else ""


def root(function: Callable[[float], float], outside: float, inside: float) -> float:
    """Where an excess changes sign between a point outside the interval and one inside, by bisection to the last bit."""
    for _ in range(200):
        middle = (outside + inside) / 2
        if middle in (outside, inside):
            break
        if function(middle) > 0:
            outside = middle
        else:
            inside = middle
    return inside


def f1(jaccard: Share, level: float) -> Interval:
    """F1 = 2J / (1 + J) rises with Jaccard's J = tp / (tp + fp + fn), a proportion: its interval carries over."""
    found = proportion(jaccard.k, jaccard.n, level)
    return Interval(2 * found.low / (1 + found.low), 2 * found.high / (1 + found.high), f"{found.method} of Jaccard's index" + effective(jaccard))


def balanced(recall: Share, specificity: Share, level: float) -> Interval:
    """The mean of two independent proportions, from their own intervals (MOVER: Zou & Donner 2008, Statistics in Medicine 27, 1693)."""
    a, b = share(recall, level), share(specificity, level)
    p, q = recall.value, specificity.value
    low = (p + q) / 2 - math.hypot(p - a.low, q - b.low) / 2
    high = (p + q) / 2 + math.hypot(a.high - p, b.high - q) / 2
    return Interval(max(0.0, low), min(1.0, high), "MOVER" + effective(recall, specificity))


def phi(tp: float, fp: float, fn: float, tn: float, level: float) -> Interval:
    """Matthews' correlation: what `delta.interval` gives for a table of two classes, in closed form (Bishop, Fienberg & Holland 1975, eq. 11.3-5)."""
    z = normal(level)
    value, variance = _phi(tp, fp, fn, tn)
    about, around = _phi(tp + 0.5, fp + 0.5, fn + 0.5, tn + 0.5)
    low, high = about - z * math.sqrt(around), about + z * math.sqrt(around)
    name = "delta method, about the table with two more rows"
    if abs(value) < 1 - 1e-12 and variance > 0:
        centre, half = math.atanh(value), z * math.sqrt(variance) / (1 - value**2)
        low, high = min(low, math.tanh(centre - half)), max(high, math.tanh(centre + half))
        name = "delta method (Fisher scale, and about the table with two more rows)"
    return Interval(max(-1.0, min(low, value)), min(1.0, max(high, value)), name)


def _phi(tp: float, fp: float, fn: float, tn: float) -> tuple[float, float]:
    """Matthews' correlation and its delta-method variance."""
    n = tp + fp + fn + tn
    rows, columns = (tp + fn) * (fp + tn), (tp + fp) * (fn + tn)
    value = (tp * tn - fp * fn) / math.sqrt(rows * columns)
    across, down = (tp + fn - fp - tn), (tp + fp - fn - tn)
    skew = across * down / math.sqrt(rows * columns)
    spread = 1 - value**2 + value * (1 + value**2 / 2) * skew - 0.75 * value**2 * (across**2 / rows + down**2 / columns)
    return value, max(spread, 0.0) / (n - 1) if n > 1 else 0.0


LEAST: Final = 30
NO_MEAN: Final = f"no interval: fewer than {LEAST} rows, or losses that do not vary"


def mean(value: float, variance: float, skewness: float, n: float, level: float) -> Interval | None:
    """The mean of n independent losses with sample variance and skewness: Student's t, its skewness removed by Hall's cubic transformation.

    Hall 1992, JRSS B 54, 221. Losses of good models are very skew: plain t covers .89 at n = 50 where this covers .95 (tests/measures/test_audit.py).
    None for fewer than LEAST losses: at n = 10 it covers .86 of a good model's.
    """
    if n < LEAST or variance <= 0:
        return None
    t = beta.student(level, n - 1) if n < 1e6 else normal(level)
    skew, error = skewness / math.sqrt(n), math.sqrt(variance / n)
    low, high = (value - error * without_skew(end, skew) for end in (t, -t))
    return Interval(low, high, "Student's t over rows, skewness removed")


def without_skew(t: float, skew: float) -> float:
    """The inverse of Hall's transformation t + skew t^2 / 3 + skew^2 t^3 / 27 + skew / 6."""
    return t if abs(skew) < 1e-9 else (math.cbrt(1 + skew * (t - skew / 6)) - 1) * 3 / skew


FEW: Final = 10
"""Below this many misranked rows of the smaller class (its size times 1 - AUC) an AUC does not get DeLong's plain interval.

It is too narrow and too high there: at 25 rows a class it covers .84 of an AUC of .95, and its lower end is above it 16 times in 100.
"""


def area(value: float, parts: tuple[float, float], sizes: tuple[float, float], level: float) -> Interval | None:
    """The interval of an AUC: DeLong's, or for few misranked rows the wider of DeLong's on the logit scale and Newcombe's.

    The first is Student's t on the logit scale with Satterthwaite's degrees of freedom (Brunner & Munzel 2000, Biometrical Journal 42, 17; Pauly,
    Asendorf & Konietschke 2016, Biometrical Journal 58, 1319), the second the score interval from Hanley and McNeil's variance (Newcombe 2006,
    Statistics in Medicine 25, 559, method 5), which alone is left where the classes are separated. None where the scores do not vary.

    Args:
        value: the AUC.
        parts: what the positive and the negative rows contribute to DeLong's variance.
        sizes: their (effective) numbers, more than 1 each.
        level: of confidence.
    """
    variance = sum(parts)
    if variance <= 0 < value < 1:
        return None
    if min(sizes) * min(value, 1 - value) >= FEW:
        return around(value, variance, level, "DeLong", (0.0, 1.0))
    score = _newcombe_area(value, sizes, level)
    if not 0 < value < 1:
        return score
    freedom = variance**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    half = beta.student(level, freedom) * math.sqrt(variance) / (value * (1 - value))
    centre = logit(value)
    low, high = expit(centre - half), expit(centre + half)
    return Interval(min(low, score.low), max(high, score.high), "wider of DeLong (logit) and Newcombe")


def _newcombe_area(value: float, sizes: tuple[float, float], level: float) -> Interval:
    m, n = sizes
    middle, bound = (m + n) / 2, normal(level) ** 2

    def excess(theta: float) -> float:
        variance = theta * (1 - theta) * (1 + (middle - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (m * n)
        return (theta - value) ** 2 - bound * variance

    return Interval(root(excess, 0.0, value) if value > 0 else 0.0, root(excess, 1.0, value) if value < 1 else 1.0, "Newcombe")


def logit(share: float) -> float:
    """The logarithm of the odds."""
    return math.log(share / (1 - share))


def expit(number: float) -> float:
    """The inverse of the logit."""
    return 1 / (1 + math.exp(-number)) if number > -700 else 0.0


def around(value: float, variance: float, level: float, method: str, bounds: tuple[float, float]) -> Interval | None:
    """A normal interval from an estimated variance, cut at the metric's bounds; None without variation."""
    if variance <= 0:
        return None
    half = normal(level) * math.sqrt(variance)
    return Interval(max(bounds[0], value - half), min(bounds[1], value + half), method)


def rescale(fact: Fact, level: float) -> Interval | None:
    """The interval of a measured fact at another level.

    Proportions are computed anew from their counts; for other methods each half is stretched by the ratio of the normal quantiles, which the
    method then says. None where the fact has no interval.
    """
    if fact.low is None or fact.high is None or fact.level is None or not isinstance(fact.value, int | float):
        return None
    if abs(fact.level - level) < 1e-12:
        return Interval(fact.low, fact.high, fact.method)
    if {"k", "n"} <= set(fact.counts) and fact.method in ("Wilson", "Clopper-Pearson"):
        return proportion(fact.counts["k"], fact.counts["n"], level)
    stretch = normal(level) / normal(fact.level)
    low, high = fact.value - (fact.value - fact.low) * stretch, fact.value + (fact.high - fact.value) * stretch
    if fact.bounds is not None:
        low, high = max(fact.bounds[0], low), min(fact.bounds[1], high)
    return Interval(low, high, f"{fact.method}, rescaled by the normal quantile")
