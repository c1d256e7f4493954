"""How the errors of a regression are spread: their standard deviation, shape and quantiles, and whether they grow with the prediction.

`e = prediction - label`. Skewness and kurtosis are those of moments (0 for a normal distribution); they and the largest error have no interval,
because a few rows of the tail make them. Quantiles have that of order statistics, by the normal approximation of the binomial.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np

from factbook.measures.request import Answer, count_metric
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import beta, dependence, intervals, moments
from factbook.statistics.intervals import Interval, normal
from factbook.statistics.moments import Floats, Sample, tidy

LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
FAR: Final = (2, 3)
PARTS: Final = 10
_REAL: Final = (-math.inf, math.inf)
_POSITIVE: Final = (0.0, math.inf)
_LOWER, _NEITHER = Direction.LOWER, Direction.NEITHER


def _quantity(name: str, title: str, short: str, formula: str, source: str = "", unit: Unit = Unit.QUANTITY, low: float = -math.inf) -> Metric:
    return Metric(name, title, short, unit, _NEITHER, (low, math.inf), formula, source)


METRICS: Final = (
    Metric("max_error", "largest error", "max |e|", Unit.QUANTITY, _LOWER, _POSITIVE, "largest |e|", "", ("maximum_error",)),
    Metric(
        "residual_sd", "standard deviation of the errors", "sd of e", Unit.QUANTITY, _LOWER, _POSITIVE, "root of sum of (e - bias)² / (rows - 1)", ""
    ),
    _quantity(
        "residual_skewness", "skewness of the errors", "skewness", "m3 / m2^1.5", "Joanes & Gill 1998, The Statistician 47, 183, g1", Unit.SCORE
    ),
    _quantity("residual_kurtosis", "excess kurtosis of the errors", "kurtosis", "m4 / m2² - 3", "Joanes & Gill 1998, g2", Unit.SCORE, -2.0),
    _quantity(
        "residual_quantile", "quantile of the errors", "quantile of e", "smallest error that a share of the errors reach", "Hyndman & Fan 1996"
    ),
    Metric(
        "residual_far",
        "share of errors far from their mean",
        "far errors",
        Unit.FRACTION,
        _LOWER,
        (0.0, 1.0),
        "rows with |e - bias| > sd times their standard deviation / rows (4.6 % and 0.3 % of normal errors beyond 2 and 3)",
        "",
    ),
    Metric(
        "error_trend",
        "rank correlation of |e| with the prediction",
        "error trend",
        Unit.SCORE,
        _NEITHER,
        (-1.0, 1.0),
        "Spearman's correlation of |e| and prediction: away from 0, errors grow or shrink with the prediction (heteroscedasticity)",
        "Spearman 1904, Am. J. Psychology 15, 72",
    ),
    count_metric(
        "part_rows", "rows of a part", "n", f"rows in each of {PARTS} parts of about equal size, by prediction; equal predictions stay together"
    ),
    _quantity("part_prediction", "mean prediction of a part", "predicted", "mean prediction of the rows of the part"),
    _quantity("part_label", "mean label of a part", "observed", "mean label of the rows of the part"),
    Metric("part_mae", "mean absolute error of a part", "MAE", Unit.QUANTITY, _LOWER, _POSITIVE, "mean of |e| in the part", ""),
)


class Adds(Protocol):
    """Adds a metric of one of several slices of a sample."""

    @property
    def answer(self) -> Answer: ...
    @property
    def names(self) -> list[Pairs]: ...
    @property
    def sample(self) -> Sample: ...
    def one(self, metric: str, i: int, value: float | None, interval: Interval | None, undefined: str = "", params: Pairs = ()) -> None: ...


def add_shape(add: Adds, error: Floats) -> None:
    """The shape of the errors of every slice."""
    sample = add.sample
    centre = np.nan_to_num(sample.mean(error))
    apart = error - centre[sample.index]
    largest, furthest = np.zeros(sample.size), np.zeros(sample.size)
    np.maximum.at(largest, sample.index, np.abs(error))
    np.maximum.at(furthest, sample.index, np.abs(apart))
    scale = np.where(furthest > 0, furthest, 1.0)
    powers = [sample.mean((apart / scale[sample.index]) ** power) for power in (2, 3, 4)]
    ordered = error[np.lexsort((error, sample.index))]
    ends = np.cumsum(sample.n)
    for i in range(len(add.names)):
        n = int(sample.n[i])
        own = ordered[ends[i] - n : ends[i]]
        add.one("max_error", i, float(largest[i]), None)
        varies = n > 1 and furthest[i] > 1e-14 * largest[i]
        sd = math.sqrt(float(powers[0][i]) * n / (n - 1)) * float(scale[i]) if varies else 0.0
        add.one("residual_sd", i, sd, None, "" if n > 1 else "fewer than two rows")
        _add_shape(add, i, [float(power[i]) for power in powers], "" if varies else "the errors do not vary")
        _add_far(add, i, np.abs(own - centre[i]), sd, "" if varies else "the errors do not vary")
        _add_quantiles(add, i, own)


def _add_shape(add: Adds, i: int, powers: list[float], undefined: str) -> None:
    second, third, fourth = powers
    add.one("residual_skewness", i, None if undefined else third / second**1.5, None, undefined)
    add.one("residual_kurtosis", i, None if undefined else fourth / second**2 - 3, None, undefined)


def median_rank(n: int, level: float) -> int:
    """The largest r such that the r-th smallest and the r-th largest of n values enclose the median with at least the given level; 0 if none."""
    tail = (1 - level) / 2

    def below(r: int) -> float:
        return beta.incomplete(n - r + 1, r, 0.5)

    low, high = 0, n // 2
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if below(middle) <= tail else (low, middle - 1)
    return low


def _add_quantiles(add: Adds, i: int, ordered: Floats) -> None:
    """Quantiles of sorted errors; not defined here for weighted rows."""
    n = len(ordered)
    for level in LEVELS:
        params = (("level", f"{level:g}"),)
        if add.sample.weights is not None or not n:
            add.one("residual_quantile", i, None, None, "not defined for weighted rows" if n else "", params)
            continue
        half = normal(add.answer.level) * math.sqrt(n * level * (1 - level))
        low, high = math.floor(n * level - half), math.ceil(n * level + half) + 1
        known = add.sample.clusters is None and low >= 1 and high <= n
        interval = Interval(float(ordered[low - 1]), float(ordered[high - 1]), "order statistics, normal approximation") if known else None
        add.one("residual_quantile", i, float(ordered[math.ceil(n * level) - 1]), interval, "", params)


def _add_far(add: Adds, i: int, apart: Floats, sd: float, undefined: str) -> None:
    n = len(apart)
    said = undefined or ("not defined for weighted rows" if add.sample.weights is not None else "")
    for times in FAR:
        k = int((apart > times * sd).sum())
        interval = None if said or add.sample.clusters is not None else intervals.proportion(k, n, add.answer.level)
        add.one("residual_far", i, None if said else k / n, interval, said, (("sd", str(times)),))


def add_parts(add: Adds, prediction: Floats, label: Floats) -> None:
    """Whether errors grow with the prediction, over all rows: their rank correlation, and predicted, observed and error in parts of equal size."""
    n, error = len(prediction), np.abs(prediction - label)
    if n < 2 * PARTS:
        return
    both = np.stack([dependence.scaled(dependence.ranks(column)) for column in (prediction, error)], axis=1)
    r = float(dependence.correlations(both)[0][0, 1])
    alone = add.sample.weights is None and add.sample.clusters is None
    interval = dependence.fisher(r, n, add.answer.level, rank=True) if alone and not math.isnan(r) else None
    add.one("error_trend", 0, None if math.isnan(r) else round(r, 9), interval, "predictions or errors do not vary" if math.isnan(r) else "")
    edges = np.unique(np.sort(prediction)[(np.arange(1, PARTS) * n) // PARTS])
    part = np.searchsorted(edges, prediction, side="right")
    sample = Sample(part, len(edges) + 1, add.sample.weights, add.sample.clusters)
    for metric, values in (("part_prediction", prediction), ("part_label", label), ("part_mae", error)):
        _add_means(add.answer, metric, values, sample)
    for i in np.flatnonzero(sample.n).tolist():
        add.answer.add("part_rows", int(sample.n[i]), params=(("part", str(i + 1)),), n=int(sample.n[i]))


def _add_means(answer: Answer, metric: str, values: Floats, sample: Sample) -> None:
    means = moments.means(sample, values, answer.level, moments.method(sample), answer.metrics[metric].bounds)
    for i in np.flatnonzero(sample.weight > 0).tolist():
        mean, interval = means[i]
        answer.add(metric, tidy(mean), params=(("part", str(i + 1)),), n=int(sample.n[i]), interval=interval)
