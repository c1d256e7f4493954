"""Intervals of quantities that are sums of absolute differences: calibration errors over bins, areas between ROC curves.

What is estimated is the norm of a vector of differences, and chance makes that of an estimate larger: it is biased upwards, the more the smaller the
sample (Bröcker 2012, Climate Dynamics 39, 655; Kumar, Liang & Ma 2019, NeurIPS 32, 3792). A bootstrap adds the same error once more. But the ends can
be found without any correction of the estimate, by the triangle inequality: observed and true norm differ by no more than the norm of the error,
whose distribution is known, that of a normal vector. At the lower end that is what is taken off. At the upper end less will do: with the true
signs the sum of the differences is unbiased, and no larger than the observed norm; what has to be added is what an ordinary mean needs.

So the interval reaches down to 0 where chance alone would give what is seen, holds the truth at least as often as it says, and is not centred at the
estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from factbook.statistics import gaps, two_rates
from factbook.statistics.intervals import Interval, normal
from factbook.statistics.moments import Floats

REPLICATES: Final = 2_000
_SELECTING: Final = 0.1
"""The share of the error that is spent on telling which differences are not 0."""


@dataclass(frozen=True, eq=False)
class Bins:
    """What lies in bins of a score, one entry a bin; bins without rows are left out.

    Attributes:
        share: of the rows (of their weight); sums to 1.
        n: the (effective) number of rows.
        observed: the share of positives.
        expected: the mean score.
    """

    share: Floats
    n: Floats
    observed: Floats
    expected: Floats

    @classmethod
    def of(cls, score: Floats, edges: Floats, weights: tuple[Floats, Floats], squares: tuple[Floats, Floats]) -> Bins:
        """Bins between rising edges (lower edge open).

        Args:
            score: distinct scores.
            edges: between the bins.
            weights: per score, what the positive and the negative rows weigh.
            squares: the sums of their squared weights.
        """
        where = np.searchsorted(edges, score)
        kinds = (weights[0] + weights[1], squares[0] + squares[1], weights[0], (weights[0] + weights[1]) * score)
        total, square, hits, scores = (np.bincount(where, weights=kind, minlength=len(edges) + 1) for kind in kinds)
        there = total > 0
        total = total[there]
        return cls(total / total.sum(), total**2 / square[there], hits[there] / total, scores[there] / total)

    @property
    def error(self) -> float:
        """The expected calibration error."""
        return float((self.share * np.abs(self.observed - self.expected)).sum())


def calibration(bins: Bins, size: float, level: float) -> Interval:
    """The interval of an expected calibration error, of the bins as they are.

    What a bin's share of positives may be away from what was observed is read from its own interval (exact for few events); how the rows fall into
    bins varies too, which matters where some are far off.

    Args:
        bins: of the scores.
        size: the (effective) number of rows.
        level: of confidence.
    """
    away, error, z = np.abs(bins.observed - bins.expected), bins.error, normal(level)
    reach = bins.share * np.array([_reach(p, n, level) for p, n in zip(bins.observed.tolist(), bins.n.tolist(), strict=True)])
    between = math.sqrt(max(0.0, float((bins.share * away**2).sum()) - error**2) / size)
    clear = bins.share * away > reach * (normal(1 - (1 - level) * _SELECTING / len(away)) / z)
    draws = gaps.multiples(len(away) + 1, REPLICATES)
    moved = draws[:, :-1] * (reach / z)
    total = np.where(clear, moved, np.abs(moved)).sum(axis=1) + draws[:, -1] * between
    less = _quantile(total, 1 - (1 - level) / 2 * (1 - _SELECTING))
    more = math.hypot(float(np.sqrt((reach**2).sum())), z * between)
    return Interval(max(0.0, error - max(0.0, round(less, 9))), min(1.0, error + more), "norm of the bins' differences, conservative")


def _quantile(values: Floats, share: float) -> float:
    """Between the two values in order that are nearest to a share of them (numpy's own would import numpy.ma)."""
    at = share * (len(values) - 1)
    first = min(int(at), len(values) - 2)
    low, high = np.partition(values, (first, first + 1))[[first, first + 1]].tolist()
    return float(low + (high - low) * (at - first))


def _reach(p: float, n: float, level: float) -> float:
    found = two_rates.limits(p * n, n, level)
    return max(found.high - p, p - found.low)


@dataclass(frozen=True, eq=False)
class Curve:
    """An ROC curve: false- and true-positive rates, rising, from (0, 0) to (1, 1), and the (effective) numbers of negatives and positives."""

    false: Floats
    true: Floats
    negatives: float
    positives: float


_PIECES: Final = 40


def between_curves(area: float, first: Curve, second: Curve, level: float) -> Interval:
    """The interval of the area between two independent ROC curves.

    The error of a curve is that of both of its rates, each a Brownian bridge (Hsieh & Turnbull 1996, Annals of Statistics 24, 25): one moves it up
    and down, the other sideways. Its norm is taken over a grid of false-positive rates. Rates are drawn towards 1/2 by two rows, so that separated
    classes do not look certain.
    """
    draws = gaps.multiples(4 * _PIECES, REPLICATES)
    error = _error(first, draws[:, : 2 * _PIECES]) - _error(second, draws[:, 2 * _PIECES :])
    reach = round(_quantile(np.abs(error).sum(axis=1), 1 - (1 - level) / 2), 9)
    return Interval(max(0.0, area - reach), min(1.0, area + reach), "norm of the curves' errors, conservative")


def _error(curve: Curve, draws: Floats) -> Floats:
    """Per replicate and piece of the grid, the area between the curve and another that might have been observed."""
    grid = np.linspace(0.0, 1.0, _PIECES + 1)
    true = np.interp(grid, curve.false, curve.true)
    middle, height = (grid[1:] + grid[:-1]) / 2, (true[1:] + true[:-1]) / 2
    up = _bridge((height * curve.positives + 1) / (curve.positives + 2), draws[:, :_PIECES]) / math.sqrt(curve.positives)
    aside = _bridge((middle * curve.negatives + 1) / (curve.negatives + 2), draws[:, _PIECES:]) / math.sqrt(curve.negatives)
    found: Floats = up * np.diff(grid) + aside * np.diff(true)
    return found


def _bridge(at: Floats, draws: Floats) -> Floats:
    """Brownian bridges at rising points between 0 and 1: each value given the one before."""
    found, before, last = np.zeros_like(draws), np.zeros(len(draws)), 0.0
    for i, t in enumerate(at.tolist()):
        mean, spread = before * (1 - t) / (1 - last), math.sqrt((t - last) * (1 - t) / (1 - last))
        before = found[:, i] = mean + spread * draws[:, i]
        last = t
    return found
