"""Tail probabilities of test statistics, in plain Python, and Holm's adjustment of p-values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_EPSILON: Final = 1e-16
_TINY: Final = 1e-300


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
