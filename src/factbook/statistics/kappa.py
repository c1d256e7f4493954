"""Cohen's kappa of a contingency table, and intervals of coefficients of agreement."""

from __future__ import annotations

import math

import numpy as np

from factbook.statistics import delta
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, Integers, tidy


def kappa(table: Integers, weights: Floats, level: float) -> tuple[float | None, Interval | None]:
    """Kappa with agreement weights (Cohen 1968, Psychological Bulletin 70, 213), and its interval (`delta.interval`).

    Args:
        table: how many items got each pair of values; square, not empty.
        weights: how far each pair of values agrees, 1 on the diagonal; the identity for plain kappa (Cohen 1960).
        level: of the interval.

    Returns:
        None where chance agreement is 1 (0 of 0).
    """
    counts = table.astype(np.float64)
    found = _weighted(counts, weights)
    if found is None:
        return None, None
    return tidy(found.value), delta.interval(counts, lambda own: _weighted(own, weights), level, correlation=True)


def _weighted(table: Floats, weights: Floats) -> delta.Statistic | None:
    """Weighted kappa, and how it changes with each cell (Fleiss, Cohen & Everitt 1969, Psychological Bulletin 72, 323)."""
    n = float(table.sum())
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((p * weights).sum()), float(rows @ weights @ columns)
    if 1 - expected < 1e-14:
        return None
    value = (observed - expected) / (1 - expected)
    means = (weights @ columns)[:, None] + (rows @ weights)[None, :]
    gradient = (weights - means * (1 - value)) / (1 - expected)
    return delta.Statistic(value, (gradient - float((p * gradient).sum())) / n)


def quadratic(values: Floats) -> Floats:
    """The agreement weights 1 - ((x - y) / range)² of values on a scale."""
    apart = values[:, None] - values[None, :]
    return np.asarray(1 - (apart / (np.ptp(values) or 1.0)) ** 2)


def fisher(value: float, variance: float, quantile: float, method: str) -> Interval | None:
    """The interval of a coefficient from its variance, on Fisher's z scale: near 1 its distribution is skewed. None at 1 and without variation."""
    if not variance > 1e-20 or abs(value) >= 1 - 1e-12:
        return None
    centre, half = math.atanh(value), quantile * math.sqrt(variance) / (1 - value * value)
    return Interval(math.tanh(centre - half), math.tanh(centre + half), f"{method}, on Fisher's z scale")
