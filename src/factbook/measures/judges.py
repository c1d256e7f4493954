"""How far judges of texts agree beyond chance, where the outputs of one sample vary together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from factbook.measures import agreement
from factbook.measures.agreement import Ratings
from factbook.statistics.intervals import Interval
from factbook.statistics.kappa import kappa
from factbook.statistics.moments import Integers, tidy

WORK: Final = 20_000_000
_METHOD: Final = "jackknife over samples, Student's t"


def clustered_kappa(one: Integers, other: Integers, size: int, cluster: Integers, level: float) -> tuple[float | None, Interval | None]:
    """Cohen's kappa of two judges, and its interval by the jackknife over clusters; as `kappa`, whose interval takes outputs as independent.

    Args:
        one: the grade that the first judge gave, from 0 below `size`.
        other: that of the second.
        size: the number of grades.
        cluster: per output, the number of its sample.
        level: of the interval.
    """
    units, unit = np.unique(cluster, return_inverse=True)
    table = np.bincount(one * size + other, minlength=size * size).reshape(size, size)
    value = kappa(table, np.eye(size), level)[0]
    if value is None or len(units) * size * size > WORK:
        return value, None
    each = np.bincount(unit.reshape(-1) * size * size + one * size + other, minlength=len(units) * size * size).reshape(-1, size, size)
    left = (table - each).astype(np.float64)
    n = left.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.trace(left, axis1=1, axis2=2) / n
        expected = (left.sum(axis=1) * left.sum(axis=2)).sum(axis=1) / n**2
        without = np.where(1 - expected > 1e-14, (observed - expected) / (1 - expected), np.nan)
    return value, agreement.jackknife(value, without, np.ones(len(without), dtype=np.int64), level, _METHOD)


def alpha(own: Ratings, cluster: Integers | None, level: float) -> tuple[float | None, Interval | None]:
    """Krippendorff's alpha of items with at least two ratings, and its interval by the jackknife over items, or over clusters of them."""
    found, pattern = agreement.patterns(own)
    value = float(agreement.alphas(found, np.zeros((1, len(found.times)), dtype=np.int64))[0])
    if math.isnan(value):
        return None, None
    unit = np.arange(len(pattern)) if cluster is None else np.unique(cluster, return_inverse=True)[1].reshape(-1)
    removed = np.zeros((int(unit.max()) + 1, len(found.times)), dtype=np.int64)
    np.add.at(removed, (unit, pattern), 1)
    variants, back = np.unique(removed, axis=0, return_inverse=True)
    if len(variants) * len(found.times) * len(found.values) > WORK:
        return tidy(value), None
    without = agreement.alphas(found, variants)[back.reshape(-1)]
    return tidy(value), agreement.jackknife(value, without, np.ones(len(without), dtype=np.int64), level, _METHOD)
