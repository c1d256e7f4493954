"""How two columns depend on each other: pure functions of arrays and of tables of counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from factbook.statistics import intervals
from factbook.statistics.intervals import Interval

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs; NaN stays NaN."""
    there = ~np.isnan(values)
    _, place, n = np.unique(values[there], return_inverse=True, return_counts=True)
    found = np.full(len(values), np.nan)
    found[there] = (np.cumsum(n) - (n - 1) / 2)[place.reshape(-1)]
    return found


def scaled(values: Floats) -> Floats:
    """Values about their mean, within -1 … 1, so that no square overflows; NaN stays NaN."""
    middle = values / 2 - np.nanmean(values / 2)
    largest = np.nanmax(np.abs(middle))
    return middle / largest if largest > 0 else middle * 0


def correlations(columns: Floats) -> tuple[Floats, Integers]:
    """Pearson's r of every pair of columns (k by k), NaN where one does not vary, over the rows where both have a value; and how many these are.

    Columns (one each) must be `scaled`.
    """
    there = (~np.isnan(columns)).astype(np.float64)
    known = np.nan_to_num(columns)
    n = there.T @ there
    sums, squares, products = known.T @ there, (known * known).T @ there, known.T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = squares - sums * sums / n
        covariance = products - sums * sums.T / n
        varies = (variance > 1e-12 * squares) & (variance.T > 1e-12 * squares.T)
        found = np.where(varies & (n > 2), covariance / np.sqrt(variance * variance.T), np.nan)
    return np.clip(found, -1.0, 1.0), n.astype(np.int64)


def fisher(r: float, n: int, level: float, *, rank: bool = False) -> Interval | None:
    """Fisher's z interval of a correlation (Fisher 1921, Metron 1, 3); of ranks with the variance of Bonett & Wright 2000, Psychometrika 65, 23."""
    if n < 4 or abs(r) >= 1:
        return None
    half = intervals.normal(level) * math.sqrt((1 + r * r / 2 if rank else 1) / (n - 3))
    z = math.atanh(r)
    return Interval(math.tanh(z - half), math.tanh(z + half), "Fisher's z" + (", Bonett-Wright" if rank else ""))


def cramer(table: Integers) -> float | None:
    """Cramér's V, corrected for bias, of a table of counts; None where a side has one value only.

    Bergsma 2013, Journal of the Korean Statistical Society 42, 323.
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (r, c) = int(table.sum()), table.shape
    if r < 2 or c < 2 or n < 2:
        return None
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = max(0.0, float(((table - expected) ** 2 / expected).sum()) / n - (r - 1) * (c - 1) / (n - 1))
    below = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return min(1.0, math.sqrt(phi / below)) if below > 0 else None


def ratio(codes: Integers, values: Floats, size: int) -> float | None:
    """The correlation ratio η: root of the variance between `size` groups over the variance of all values; None where they do not vary.

    Pearson 1905; Kelley 1935, PNAS 21, 554. Values must be `scaled`.
    """
    n = np.bincount(codes, minlength=size)
    total = np.bincount(codes, weights=values, minlength=size)
    centre = float(values.mean()) if len(values) else 0.0
    whole = float(((values - centre) ** 2).sum())
    if whole <= 1e-12 * float((values**2).sum()):
        return None
    between = float((n[n > 0] * (total[n > 0] / n[n > 0] - centre) ** 2).sum())
    return min(1.0, math.sqrt(between / whole))


def uncertainty(table: Integers) -> float | None:
    """The share of the columns' entropy that the rows explain (Theil 1970, American Journal of Sociology 76, 103); None where they do not vary."""
    n, whole = int(table.sum()), _entropy(table)
    if whole <= 0:
        return None
    cells, row = table[table > 0] / n, table.sum(axis=1)
    row = row[row > 0] / n
    joint = -float((cells * np.log(cells)).sum()) + float((row * np.log(row)).sum())
    return min(1.0, max(0.0, 1 - joint / whole))


def beyond_chance(table: Integers, share: float) -> float:
    """What is left of `uncertainty` without what independent rows and columns show on average, over the most that could be left.

    That is (r - 1) (c - 1) / 2 n H (Miller & Madow 1955). 0 where there are fewer than two cases a row: they explain everything.
    """
    n, (r, c) = int(table.sum()), (int((table.sum(axis=axis) > 0).sum()) for axis in (1, 0))
    chance = (r - 1) * (c - 1) / (2 * n * _entropy(table))
    return (share - chance) / (1 - chance) if chance < 1 and n >= 2 * r else 0.0


def _entropy(table: Integers) -> float:
    column = table.sum(axis=0)
    shares = column[column > 0] / column.sum()
    return -float((shares * np.log(shares)).sum()) if len(shares) > 1 else 0.0


def table(first: Integers, second: Integers, sizes: tuple[int, int]) -> Integers:
    """Counts of two columns of codes 0, 1, …; a negative code is missing."""
    both = (first >= 0) & (second >= 0)
    return np.bincount(first[both] * sizes[1] + second[both], minlength=sizes[0] * sizes[1]).reshape(sizes)
