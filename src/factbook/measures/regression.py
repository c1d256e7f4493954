"""Predictions of a number: errors, explained variance, quantile losses and the coverage of prediction intervals, overall and by slice.

    {measure: regression, data: holdout, label: y, prediction: yhat, low: y05, high: y95, nominal: 0.9, quantiles: {"0.9": y90}, by: [site]}

`e = prediction - label`. Every statistic is a function of exact sums or of order statistics, so that the order and the partitioning of the rows do
not matter. A label of 0 makes MAPE undefined, it does not make it large.

Intervals: means (MAE, bias, MAPE, ...) Student's t over rows or clusters; MSE, RMSE and R² the jackknife on the log scale (of MSE, and of
SSE/SST), because their distributions are skewed (simulated with normal errors, MSE covers .939 at 30 rows, .945 at 60, .948 at 200); the median error
its order statistics (Conover 1999, Practical Nonparametric Statistics, 3.2), conservative. The shape of the errors is in `residuals`. More than a
million rows (2^20) are added up part by part, see `summed_errors`; weighted rows and clusters are held whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from pydantic import Field, model_validator

from factbook.errors import MeasureError
from factbook.measures import residuals, rows, summed, summed_errors
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Rows, Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, moments
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, Integers, Sample, tidy

VERSION: Final = 4
ROLES: Final = ("data",)
PARAMS: Final = ("label", "prediction", "low", "high", "nominal", "quantiles")
_REAL: Final = (-math.inf, math.inf)
_POSITIVE: Final = (0.0, math.inf)
_LOWER, _NEITHER = Direction.LOWER, Direction.NEITHER
_HYNDMAN: Final = "Hyndman & Koehler 2006, International Journal of Forecasting 22, 679"


def _error(name: str, title: str, short: str, formula: str, source: str, aliases: tuple[str, ...] = (), unit: Unit = Unit.QUANTITY) -> Metric:
    return Metric(name, title, short, unit, _LOWER, _POSITIVE, formula, source, aliases)


METRICS: Final = (
    count_metric("rows", "rows", "n", "rows with a label and a prediction"),
    Metric("label_mean", "mean label", "mean label", Unit.QUANTITY, _NEITHER, _REAL, "sum of labels / rows", ""),
    Metric("bias", "mean error (bias)", "bias", Unit.QUANTITY, _NEITHER, _REAL, "mean of prediction - label", _HYNDMAN, ("mean_error", "me")),
    _error("mae", "mean absolute error", "MAE", "mean of |e|", _HYNDMAN, ("mean_absolute_error",)),
    _error("median_absolute_error", "median absolute error", "median |e|", "median of |e|", _HYNDMAN, ("mdae", "medae")),
    _error("mse", "mean squared error", "MSE", "mean of e²", _HYNDMAN, ("mean_squared_error",)),
    _error("rmse", "root mean squared error", "RMSE", "sqrt(mean of e²)", _HYNDMAN, ("root_mean_squared_error",)),
    _error("mape", "mean absolute percentage error", "MAPE", "mean of |e / label|", _HYNDMAN, ("mean_absolute_percentage_error",), Unit.FRACTION),
    _error(
        "smape",
        "symmetric mean absolute percentage error",
        "sMAPE",
        "mean of 2|e| / (|label| + |prediction|), between 0 and 2",
        "Makridakis 1993, International Journal of Forecasting 9, 527",
        unit=Unit.FRACTION,
    ),
    Metric(
        "r2",
        "coefficient of determination",
        "R²",
        Unit.SCORE,
        Direction.HIGHER,
        (-math.inf, 1.0),
        "1 - sum of e² / sum of (label - mean label)²",
        "Kvålseth 1985, The American Statistician 39, 279, eq. 1",
        ("r_squared",),
    ),
    _error(
        "quantile_loss",
        "quantile (pinball) loss",
        "quantile loss",
        "mean of max(q (label - forecast), (q - 1)(label - forecast))",
        "Koenker & Bassett 1978, Econometrica 46, 33",
        ("pinball_loss",),
    ),
    Metric(
        "interval_coverage",
        "coverage of the prediction interval",
        "coverage",
        Unit.FRACTION,
        _NEITHER,
        (0.0, 1.0),
        "rows with low <= label <= high / rows",
        "Christoffersen 1998, International Economic Review 39, 841",
        ("picp",),
    ),
    *residuals.METRICS,
    Metric("interval_width", "mean width of the prediction interval", "width", Unit.QUANTITY, _NEITHER, _POSITIVE, "mean of high - low", ""),
)


class Parameters(rows.Parameters):
    """Columns of label and prediction; of the ends of a prediction interval and its nominal coverage; of quantile forecasts by level."""

    label: str
    prediction: str
    low: str = ""
    high: str = ""
    nominal: Decimal | None = Field(default=None, gt=0, lt=1)
    quantiles: dict[Decimal, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _together(self) -> Parameters:
        if bool(self.low) != bool(self.high):
            raise ValueError("`low` and `high` go together")
        if self.nominal is not None and not self.low:
            raise ValueError("`nominal` needs `low` and `high`")
        if any(not 0 < level < 1 for level in self.quantiles):
            raise ValueError("the levels of `quantiles` lie between 0 and 1")
        return self

    def columns(self) -> list[Wanted]:
        """What is read. A forecast that is missing falls under the policy for predictions."""
        found = [Wanted("label", self.label, number=True, policy="label"), Wanted("prediction", self.prediction, number=True, policy="prediction")]
        if self.low:
            found += [Wanted(end, getattr(self, end), number=True, policy="prediction") for end in ("low", "high")]
        return found + [Wanted(f"q{level}", column, number=True, policy="prediction") for level, column in self.quantiles.items()]


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: label or prediction is not given; an interval's low end lies above its high end.
        SourceError: a column does not exist, holds no numbers, or misses values without a policy.
    """
    given = rows.parameters(Parameters, request)
    slices = request.slices()
    if summed.needed(request):
        _add_summed(request, answer, given, slices)
        return
    found = rows.read(request, given.columns())
    answer.warnings += found.warnings
    if given.low:
        _refuse_reversed(request, given, int((found.numbers["low"] > found.numbers["high"]).sum()))
    rows.protect(request, answer, slices, found)
    for by in ((), *slices):
        names, sample = found.sample(by)
        _add_all(_Adder(answer, names, sample), given, found)


def _add_summed(request: Request, answer: Answer, given: Parameters, slices: Sequence[tuple[str, ...]]) -> None:
    """The facts of more rows than are held at once."""
    levels = sorted(given.quantiles)
    found, left_out = summed.add_up(request, summed_errors.asked(given.columns(), [str(level) for level in levels], bool(given.low)))
    answer.warnings += left_out
    if given.low:
        _refuse_reversed(request, given, sum(found.sums["reversed"].tolist()) >> moments.UNIT)
    rows.protect_counts(request, answer, slices, summed.atoms(request.source(), found))
    written = [(str(level), f"{level.normalize():f}") for level in levels]
    for by in ((), *slices):
        own = summed.Slices(request.source(), found, by)
        summed_errors.add_all(_Adder(answer, own.names, own.sample), own, written, _nominal(given), bool(given.low))


def _refuse_reversed(request: Request, given: Parameters, wrong: int) -> None:
    if wrong:
        raise MeasureError(f"plan.{request.name}: {given.low!r} lies above {given.high!r} in {wrong} rows", remedy="swap `low` and `high`")


def _nominal(given: Parameters) -> Pairs:
    return () if given.nominal is None else (("nominal", f"{given.nominal.normalize():f}"),)


@dataclass(frozen=True, slots=True)
class _Adder:
    """Adds one metric for all slices at once."""

    answer: Answer
    names: list[Pairs]
    sample: Sample

    @property
    def method(self) -> str:
        return moments.method(self.sample)

    def student(self, value: float, variance: float, i: int, bounds: tuple[float, float] = _REAL, skewness: float = 0.0) -> Interval | None:
        return moments.student(value, variance, float(self.sample.alike[i]), self.answer.level, self.method, bounds, skewness)

    def log(self, value: float, spread: tuple[Floats, Floats], how: str, i: int) -> Interval | None:
        """From the variance of the logarithm and the units that carry it."""
        variance, carriers = (float(item[i]) for item in spread)
        return moments.student_log(value, variance, float(self.sample.alike[i]), self.answer.level, how, carriers)

    def mean(self, metric: str, values: Floats, *, undefined: Floats | None = None, said: str = "", params: Pairs = ()) -> None:
        """A mean with Student's t; undefined where some of the rows have no value (`undefined`, 0 or 1 a row)."""
        means = self.sample.mean(values)
        spread, skewness = self.sample.spread(values, np.nan_to_num(means)), self.sample.skewness(values, np.nan_to_num(means))
        bad = None if undefined is None else np.bincount(self.sample.index, weights=undefined, minlength=self.sample.size).astype(np.float64)
        self.means(metric, means, spread, skewness, bad, said, params)

    def means(
        self, metric: str, means: Floats, spread: Floats, skewness: Floats, zero: Floats | None = None, said: str = "", params: Pairs = ()
    ) -> None:
        """Means with their variances; undefined where some of the rows have no value (`zero` of them)."""
        bounds = self.answer.metrics[metric].bounds or _REAL
        for i in range(len(self.names)):
            if zero is not None and zero[i]:
                self.one(metric, i, None, None, f"{int(zero[i])} rows {said}", params)
            else:
                interval = self.student(float(means[i]), float(spread[i]), i, bounds, float(skewness[i]))
                self.one(metric, i, float(means[i]), interval, "", params)

    def squares(self, mse: Floats, total: Floats, centre: Floats, variances: Sequence[tuple[Floats, Floats]], how: str) -> None:
        """MSE, RMSE and R² from the mean squares of the errors and of the labels about their mean, the variances of log MSE and log (SSE / SST)."""
        for i in range(len(self.names)):
            own = self.log(float(mse[i]), variances[0], how, i)
            self.one("mse", i, float(mse[i]), own)
            self.one("rmse", i, math.sqrt(mse[i]), None if own is None else Interval(math.sqrt(own.low), math.sqrt(own.high), own.method))
            if not moments.varies(float(total[i]), float(centre[i])):
                self.one("r2", i, None, None, "division by 0: all labels are equal" if self.sample.n[i] else "")
                continue
            rest = float(mse[i] / total[i])
            ratio = self.log(rest, variances[1], how, i)
            self.one("r2", i, 1 - rest, None if ratio is None else Interval(1 - ratio.high, 1 - ratio.low, ratio.method))

    def hits(self, metric: str, hits: Integers, params: Pairs) -> None:
        """A share of the rows."""
        for place, k, n in zip(self.names, hits.tolist(), self.sample.n.tolist(), strict=True):
            interval = intervals.proportion(k, n, self.answer.level) if n else None
            said = "" if n else "0 of 0: no rows"
            counts = {"k": k, "n": n}
            self.answer.add(metric, k / n if n else None, params=params, slice=place, interval=interval, n=n, counts=counts, undefined=said)

    def one(
        self, metric: str, i: int, value: float | None, interval: Interval | None, undefined: str = "", params: Pairs = (), note: str = ""
    ) -> None:
        n = int(self.sample.n[i])
        said = undefined or ("0 of 0: no rows" if not self.sample.weight[i] else "")
        value = None if said or value is None else tidy(value)
        self.answer.add(metric, value, params=params, slice=self.names[i], interval=interval, n=n, undefined=said, note=note)


def _add_all(add: _Adder, given: Parameters, found: Rows) -> None:
    label, prediction = found.numbers["label"], found.numbers["prediction"]
    error = prediction - label
    for i, place in enumerate(add.names):
        add.answer.add("rows", int(add.sample.n[i]), slice=place, n=int(add.sample.n[i]))
    add.mean("label_mean", label)
    add.mean("bias", error)
    add.mean("mae", np.abs(error))
    _add_median(add, np.abs(error))
    _add_squares(add, label, error)
    _add_percentages(add, label, prediction, np.abs(error))
    residuals.add_shape(add, error)
    if add.names == [()]:
        residuals.add_parts(add, prediction, label)
    for level in sorted(given.quantiles):
        rest = label - found.numbers[f"q{level}"]
        q = float(level)
        add.mean("quantile_loss", np.maximum(q * rest, (q - 1) * rest), params=(("level", f"{level.normalize():f}"),))
    if given.low:
        _add_interval(add, given, found, label)


def _add_percentages(add: _Adder, label: Floats, prediction: Floats, size: Floats) -> None:
    """MAPE and sMAPE, undefined where a denominator is 0."""
    for metric, below, said in (
        ("mape", np.abs(label), "have the label 0"),
        ("smape", (np.abs(label) + np.abs(prediction)) / 2, "have label and prediction 0"),
    ):
        zero = below == 0
        add.mean(metric, size / np.where(zero, 1.0, below), undefined=zero.astype(np.float64), said=said)


def _add_squares(add: _Adder, label: Floats, error: Floats) -> None:
    """MSE, RMSE and R²."""
    sample, squares = add.sample, error * error
    centre = np.nan_to_num(sample.mean(label))
    apart = label - centre[sample.index]
    mse, total = sample.mean(squares), sample.mean(apart * apart)
    add.squares(mse, total, centre, log_variances(sample, squares, apart), f"jackknife, {add.method}")


def log_variances(sample: Sample, squares: Floats, apart: Floats) -> list[tuple[Floats, Floats]]:
    """The jackknife variances of log MSE and of log(SSE/SST), each with the units that carry it; `apart` are the labels about their mean."""
    owner = sample.owner
    weight, error = sample.by_unit(np.ones(len(squares))), sample.by_unit(squares)
    first, second = sample.by_unit(apart), sample.by_unit(apart * apart)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = sample.weight[owner] - weight
        error = sample.total(squares)[owner] - error
        total = sample.total(apart * apart)[owner] - second - first * first / weight
        return [(sample.jackknife(without), sample.carriers(without)) for without in (np.log(error / weight), np.log(error / total))]


def _add_median(add: _Adder, size: Floats) -> None:
    """The median of |e|; with weights it is not defined here, with clusters it has no interval."""
    order = np.lexsort((size, add.sample.index))
    ordered, ends = size[order], np.cumsum(add.sample.n)
    for i in range(len(add.names)):
        n = int(add.sample.n[i])
        own = ordered[ends[i] - n : ends[i]]
        if add.sample.weights is not None or not n:
            add.one("median_absolute_error", i, None, None, "not defined for weighted rows" if n else "")
            continue
        interval = None
        rank = 0 if add.sample.clusters is not None else residuals.median_rank(n, add.answer.level)
        if rank:
            interval = Interval(float(own[rank - 1]), float(own[n - rank]), "order statistics, conservative")
        add.one("median_absolute_error", i, (float(own[(n - 1) // 2]) + float(own[n // 2])) / 2, interval)


def _add_interval(add: _Adder, given: Parameters, found: Rows, label: Floats) -> None:
    """Which share of the labels lies in the prediction interval, and how wide it is."""
    low, high = found.numbers["low"], found.numbers["high"]
    inside = ((label >= low) & (label <= high)).astype(np.float64)
    params = _nominal(given)
    if add.sample.weights is not None or add.sample.clusters is not None:
        add.mean("interval_coverage", inside, params=params)
    else:
        hits = np.bincount(add.sample.index, weights=inside, minlength=add.sample.size).astype(np.int64)
        add.hits("interval_coverage", hits, params)
    add.mean("interval_width", high - low)
