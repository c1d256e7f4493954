"""Estimates from images (or other units) that vary independently, and their intervals: the infinitesimal jackknife.

The variance of a smooth function of sums over units is the sum of the squared influences of the units (Jaeckel 1972, Bell Laboratories memorandum;
Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6). It needs no resampling, hence no seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from factbook.measures.request import Answer
from factbook.measures.rows import Flags, Rows
from factbook.model import Pairs
from factbook.statistics import moments
from factbook.statistics.intervals import Interval, expit, logit
from factbook.statistics.moments import Floats, tidy

METHOD: Final = "jackknife over {units}, Student's t, on the logit scale"
_CORRECTED: Final = ", bias taken from its lower end"
NOTHING: Final = "no interval: nothing varies between images"


@dataclass(frozen=True, eq=False)
class Estimate:
    """A value, what each unit adds to it (its influence), by how much its expectation is too high, and how many units of one size it is worth."""

    value: float
    influence: Floats
    bias: float = 0.0
    units: float = math.inf


def average(estimates: Sequence[Estimate]) -> Estimate | None:
    """The mean of several estimates over the same units; None of none. What it is worth in units: Satterthwaite 1946, Biometrics Bulletin 2, 110."""
    if not estimates:
        return None
    value = float(np.mean([item.value for item in estimates]))
    bias = float(np.mean([item.bias for item in estimates]))
    spreads = [float(np.sum(item.influence**2)) for item in estimates]
    carried = sum(spread**2 / item.units for spread, item in zip(spreads, estimates, strict=True))
    units = sum(spreads) ** 2 / carried if carried > 0 else math.inf
    return Estimate(value, np.mean([item.influence for item in estimates], axis=0), bias, units)


def ratio(part: Floats, whole: Floats) -> Estimate | None:
    """The sum of the parts of the units over that of their wholes; None for 0 of 0.

    The influence of a unit is what changes without it (the jackknife: Miller 1974, Biometrika 61, 1), since large units pull the ratio towards
    themselves: the first order alone covers .90 of an overlap over ten images. Degrees of freedom are those of as many units of one size (Kish 1965,
    Survey Sampling, 11.7).
    """
    total, size = float(whole.sum()), int((whole > 0).sum())
    if not total:
        return None
    value = float(part.sum()) / total
    rest = (total - whole) * size / (size - 1) if size > 1 else total
    return Estimate(value, (part - value * whole) / rest, units=total**2 / float((whole**2).sum()))


def interval(estimate: Estimate, units: Rows, inside: Flags, level: float) -> Interval | None:
    """Student's t interval on the logit scale, its lower end that of the value without its bias; None at 0 and 1, and where fewer than two units (or
    clusters of them) have an influence.

    Args:
        estimate: a value between 0 and 1 with the influence of each unit.
        units: one row a unit, for their clusters.
        inside: which units the estimate is of.
        level: of confidence.
    """
    value, clusters = estimate.value, units.clusters
    influence: Floats = estimate.influence[inside]
    if clusters is not None:
        influence = np.bincount(np.unique(clusters[inside], return_inverse=True)[1].reshape(-1), weights=influence).astype(np.float64)
    varying = int((np.abs(influence) > 1e-15).sum())
    if varying < 2 or not 0 < value < 1:
        return None
    variance = float(np.sum(influence**2)) * varying / (varying - 1)
    half = moments.quantile(max(2.0, min(varying, estimate.units)), level) * math.sqrt(variance)
    less = max(value - max(estimate.bias, 0.0), value / 2)
    low, high = logit(less) - half / (less * (1 - less)), logit(value) + half / (value * (1 - value))
    method = METHOD.format(units="images" if clusters is None else "clusters") + (_CORRECTED if less < value else "")
    return Interval(expit(low), expit(high), method)


@dataclass(frozen=True, eq=False)
class Stated:
    """States estimates over some of the units as facts of one slice; all of them have the parameters `about`."""

    answer: Answer
    units: Rows
    inside: Flags
    place: Pairs
    about: Pairs = ()

    def add(self, metric: str, estimate: Estimate | None, n: int, params: Pairs = (), empty: str = "", counts: dict[str, int] | None = None) -> None:
        """One fact with its interval, or why it has none; `empty` says what there is none of where there is no estimate."""
        ordered = tuple(sorted((*params, *self.about)))
        if estimate is None:
            self.answer.add(metric, None, params=ordered, slice=self.place, n=0, undefined=f"0 of 0: {empty}")
            return
        found = interval(estimate, self.units, self.inside, self.answer.level)
        value = tidy(estimate.value)
        self.answer.add(metric, value, params=ordered, slice=self.place, n=n, interval=found, note="" if found else NOTHING, counts=counts)
