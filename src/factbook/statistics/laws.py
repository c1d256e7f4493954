"""Tail probabilities of test statistics, in plain Python, and the adjustment of p-values for how many there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from factbook.statistics import beta

_EPSILON: Final = 1e-16
_TINY: Final = 1e-300
_EXACT_SPREAD: Final = 500
_MANY_PAIRS: Final = 1_000_000


def chi_square(statistic: float, freedom: int) -> float:
    """P(X >= statistic) for a chi-square variable: the regularised incomplete gamma function Q(freedom / 2, statistic / 2).

    By its series below the mean and Lentz's continued fraction above it (Press et al., Numerical Recipes, section 6.2).
    """
    a, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        return max(0.0, 1 - front * _series(a, x))
    return min(1.0, front * _fraction(a, x))


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    while term > total * _EPSILON:
        a += 1
        term *= x / a
        total += term
    return total


def _fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c = 1 / _TINY
    d = value = 1 / b
    for i in range(1, 100_000):
        step = -i * (i - a)
        b += 2
        d = 1 / _apart(step * d + b)
        c = _apart(b + step / c)
        value *= d * c
        if abs(d * c - 1) < 4 * _EPSILON:
            break
    return value


def _apart(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def kolmogorov(value: float) -> float:
    """P(K >= value) for Kolmogorov's limit law (Smirnov 1948, Annals of Mathematical Statistics 19, 279)."""
    if value <= 0.2:
        return 1.0
    if value < 1:
        scale = math.pi**2 / (8 * value**2)
        return 1 - math.sqrt(2 * math.pi) / value * sum(math.exp(-((2 * k - 1) ** 2) * scale) for k in range(1, 8))
    return 2 * sum((-1.0) ** (k - 1) * math.exp(-2 * (k * value) ** 2) for k in range(1, 8))


def holm(values: Sequence[float]) -> list[float]:
    """p-values adjusted so that the chance of any false rejection among them stays at the level (Holm 1979, Scandinavian J. of Statistics 6, 65)."""
    adjusted = [0.0] * len(values)
    highest = 0.0
    for place, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - place) * values[i]))
        adjusted[i] = highest
    return adjusted


def benjamini_hochberg(values: Sequence[float]) -> list[float]:
    """p-values adjusted so that of the rejections at a level no larger share is expected to be false (Benjamini & Hochberg 1995, JRSS B 57, 289).

    For tests that are independent or positively dependent (Benjamini & Yekutieli 2001, Annals of Statistics 29, 1165).
    """
    adjusted = [0.0] * len(values)
    least = 1.0
    order = sorted(range(len(values)), key=values.__getitem__)
    for place in range(len(values), 0, -1):
        i = order[place - 1]
        least = min(least, values[i] * len(values) / place)
        adjusted[i] = least
    return adjusted


def two_sided(z: float) -> float:
    """P(|Z| >= |z|) for a standard normal variable."""
    return math.erfc(abs(z) / math.sqrt(2))


def student_tail(t: float, freedom: float) -> float:
    """P(|T| >= |t|) for Student's t."""
    return beta.incomplete(freedom / 2, 0.5, freedom / (freedom + t * t))


def equal_shares(k1: float, n1: float, k2: float, n2: float) -> float:
    """The p-value of the hypothesis that two independent proportions are equal, against both sides.

    For whole counts Fisher's exact test, whose error is never above its level (Fisher 1935; two-sided by likelihood as in Freeman & Halton 1951,
    Biometrika 38, 141); with effective counts, or where every expected count is above some 250,000, the pooled score test.
    """
    n, k = n1 + n2, k1 + k2
    pooled = k / n
    if not 0 < pooled < 1:
        return 1.0
    spread = math.sqrt(n1 * pooled * (1 - pooled) * n2 / n)
    if spread <= _EXACT_SPREAD and all(float(item).is_integer() for item in (k1, n1, k2, n2)):
        return _fisher(int(k1), int(n1), int(k), int(n))
    return two_sided((k1 - n1 * pooled) / spread)


def _fisher(x: int, n1: int, k: int, n: int) -> float:
    """The chance of a table no more likely than x of n1 drawn from k of n; by ratios of neighbouring tables, so that no factorial is needed."""
    low, high = max(0, k - (n - n1)), min(k, n1)
    mode = min(high, max(low, (k + 1) * (n1 + 1) // (n + 2)))
    spread = math.sqrt(k * n1 / n * (1 - k / n))
    if abs(x - mode) > 40 * spread + 60:
        return _TINY
    reach = int(max(abs(x - mode), 5 * spread) + 4 * spread) + 60
    weights = {mode: 1.0}
    for i in range(mode, min(high, mode + reach)):
        weights[i + 1] = weights[i] * ((k - i) * (n1 - i)) / ((i + 1) * (n - k - n1 + i + 1))
    for i in range(mode, max(low, mode - reach), -1):
        weights[i - 1] = weights[i] * (i * (n - k - n1 + i)) / ((k - i + 1) * (n1 - i + 1))
    most = weights[x] * (1 + 1e-7)
    return max(_TINY, min(1.0, math.fsum(weight for weight in weights.values() if weight <= most) / math.fsum(weights.values())))


def mcnemar(first: int, second: int) -> float:
    """The mid-p value of the hypothesis that discordant pairs are as often of the one kind as of the other; 1 without any.

    Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13, 91: nearly as true to its level as the exact test, and more powerful.
    """
    n, less = first + second, min(first, second)
    if not n:
        return 1.0
    if n > _MANY_PAIRS:
        return two_sided((first - second) / math.sqrt(n))
    tail = beta.incomplete(n - less, less + 1, 0.5)
    chance = math.exp(math.lgamma(n + 1) - math.lgamma(less + 1) - math.lgamma(n - less + 1) - n * math.log(2))
    return 1.0 if first == second else max(_TINY, min(1.0, 2 * tail - chance))
