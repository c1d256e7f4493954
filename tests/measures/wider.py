"""The wider of Student's t and Hall's interval of a mean, by solving for the ends: an oracle that shares no code with the package."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats


def mean(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Of independent values."""
    n = len(values)
    return ends(float(np.mean(values)), float(stats.sem(values)), float(stats.skew(values)) / math.sqrt(n), float(stats.t.ppf(0.975, n - 1)))


def ends(value: float, error: float, skew: float, t: float) -> tuple[float, float]:
    """From a standard error, the skewness of the estimate and the quantile of Student's t (Hall 1992, JRSS B 54, 221)."""

    def transformed(end: float) -> float:
        return end + skew * end**2 / 3 + skew**2 * end**3 / 27 + skew / 6

    upper, lower = (optimize.brentq(lambda end, goal=goal: transformed(end) - goal, -50, 50, xtol=1e-13) for goal in (t, -t))
    return min(value - error * upper, value - error * t), max(value - error * lower, value + error * t)
