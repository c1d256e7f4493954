"""Fairness of predictions of a number: errors and predictions of groups, compared with a reference group and over all groups.

`e = prediction - label`. Means have Student's t, RMSE the jackknife on the log scale, as in `regression`; differences and ratios of independent
groups carry these over (MOVER: Zou & Donner 2008, Statistics in Medicine 27, 1693; ratios on the log scale). Clusters are taken to lie within
groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from factbook.measures import multiplicity, reference_groups, rows, summed, summed_errors
from factbook.measures.multiplicity import Families
from factbook.measures.reference_groups import References, shown
from factbook.measures.request import Answer, Request
from factbook.measures.rows import Rows, Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import gaps, intervals, laws, moments, two_rates
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, Sample, tidy

_REAL: Final = (-math.inf, math.inf)
_POSITIVE: Final = (0.0, math.inf)
_AGARWAL: Final = "Agarwal, Dudík & Wu 2019, ICML, PMLR 97, 120"
_TITLES: Final = {
    "prediction_mean": ("mean prediction", "mean of the predictions", Direction.NEITHER, _REAL),
    "bias": ("mean error (bias)", "mean of prediction - label", Direction.NEITHER, _REAL),
    "mae": ("mean absolute error", "mean of |e|", Direction.LOWER, _POSITIVE),
    "rmse": ("root mean squared error", "sqrt(mean of e²)", Direction.LOWER, _POSITIVE),
}
_RATIOS: Final = ("mae", "rmse")
_TESTED: Final = ("prediction_mean", "bias", "mae")


def _metrics(name: str) -> list[Metric]:
    title, formula, direction, bounds = _TITLES[name]
    found = [
        Metric(name, title, title, Unit.QUANTITY, direction, bounds, formula, _AGARWAL),
        Metric(f"{name}_difference", f"{title}, difference", f"{title} difference", Unit.QUANTITY, Direction.NEITHER, _REAL, "group - reference", ""),
        Metric(f"{name}_gap", f"{title}, gap", f"{title} gap", Unit.QUANTITY, Direction.LOWER, _POSITIVE, "largest over groups - smallest", _AGARWAL),
    ]
    if name in _RATIOS:
        found += [
            Metric(f"{name}_ratio", f"{title}, ratio", f"{title} ratio", Unit.RATIO, Direction.NEITHER, _POSITIVE, "group / reference", ""),
            Metric(
                f"{name}_worst_ratio", f"{title}, worst ratio", f"{title} worst ratio", Unit.RATIO, Direction.HIGHER, (0.0, 1.0), "least / most", ""
            ),
        ]
    if name in _TESTED:
        test = "two-sided p-value of Welch's t, were the means equal"
        found.append(multiplicity.metric(f"{name}_difference_p", f"{title}, difference", f"{title} difference", test, "Welch 1947"))
    return found


METRICS: Final = (
    *(metric for name in _TITLES for metric in _metrics(name)),
    Metric(
        "prediction_ks",
        "distance of the distributions of predictions (Kolmogorov-Smirnov)",
        "prediction KS",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, 1.0),
        "largest |F_group - F_reference| of the predictions",
        _AGARWAL,
    ),
)


class Parameters(rows.Parameters):
    """The columns of label and prediction."""

    label: str
    prediction: str


@dataclass(frozen=True, eq=False)
class _Figure:
    """One figure of all slices of a combination.

    Attributes:
        value, variance, units: per slice; the variance is that of the logarithm where `log`.
        method: how its interval is called.
        log: whether the interval is made on the log scale.
        bounds: between which the figure lies.
        shape: per slice how skew the units' values are; where `log`, how many units carry the variance.
    """

    value: Floats
    variance: Floats
    units: Floats
    method: str
    log: bool
    bounds: tuple[float, float]
    shape: Floats

    def interval(self, i: int, level: float) -> Interval | None:
        value, variance, units, shape = float(self.value[i]), float(self.variance[i]), float(self.units[i]), float(self.shape[i])
        if self.log:
            return moments.student_log(value, variance, units, level, self.method, shape)
        return moments.student(value, variance, units, level, self.method, self.bounds, shape)


def compare(request: Request, answer: Answer) -> None:
    """Facts of every group of every protected attribute and intersection.

    Raises:
        MeasureError: label or prediction is not given.
        SourceError: a column does not exist, holds no numbers, or misses values without a policy.
    """
    source, given = request.source(), rows.parameters(Parameters, request)
    wanted = [Wanted("label", given.label, number=True, policy="label"), Wanted("prediction", given.prediction, number=True, policy="prediction")]
    margins = reference_groups.margins(request.name, request.planned, source)
    tables = _summed(request, answer, wanted, margins) if summed.needed(request) else _held(request, answer, wanted, margins)
    references, families = References(request, source), Families()
    for by, table in zip(((), *margins), tables, strict=True):
        reference = references.of(by, [name for i, name in enumerate(table.names) if table.sample.n[i]], answer) if by else None
        table.add_own()
        if reference is not None:
            table.add_against(table.names.index(reference), families)
        if by:
            table.add_gaps(by)
    families.adjust()


def _held(request: Request, answer: Answer, wanted: Sequence[Wanted], margins: Sequence[tuple[str, ...]]) -> Iterator[_Table]:
    """The combinations of attributes, from the rows."""
    found = rows.read(request, wanted)
    answer.warnings += found.warnings
    rows.protect(request, answer, margins, found)
    for by in ((), *margins):
        names, sample = found.sample(by)
        yield _Table(answer, names, sample, _figures(found, sample), partial(_distance, found.numbers["prediction"], sample))


def _summed(request: Request, answer: Answer, wanted: Sequence[Wanted], margins: Sequence[tuple[str, ...]]) -> Iterator[_Table]:
    """The combinations of attributes, from totals of more rows than are held at once."""
    found, left_out = summed.add_up(request, summed_errors.asked_of_groups(wanted))
    answer.warnings += left_out
    rows.protect_counts(request, answer, margins, summed.atoms(request.source(), found))
    for by in ((), *margins):
        own = summed.Slices(request.source(), found, by)
        distance = partial(summed.distance, own.bins("prediction")) if by else None
        yield _Table(answer, own.names, own.sample, _figures_of(own), distance)


def _figures_of(own: summed.Slices) -> dict[str, _Figure]:
    n, method = own.sample.n.astype(np.float64), moments.method(own.sample)
    figures = {}
    for name, powers in (("prediction_mean", ("p1", "p2", "p3")), ("bias", ("e1", "e2", "e3")), ("mae", ("a1", "e2", "a3"))):
        found = own.moments(*powers)
        figures[name] = _Figure(found.mean, found.spread, n, method, False, _TITLES[name][3], found.skewness)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance, carriers = summed_errors.log_variance(own)
        figures["rmse"] = _Figure(np.sqrt(own.total("e2") / n), variance / 4, n, summed_errors.METHOD, True, _POSITIVE, carriers)
    return figures


def _figures(found: Rows, sample: Sample) -> dict[str, _Figure]:
    label, prediction = found.numbers["label"], found.numbers["prediction"]
    error = prediction - label
    method, units = moments.method(sample), sample.alike
    figures = {}
    for name, values in (("prediction_mean", prediction), ("bias", error), ("mae", np.abs(error))):
        mean = sample.mean(values)
        centre = np.nan_to_num(mean)
        figures[name] = _Figure(mean, sample.spread(values, centre), units, method, False, _TITLES[name][3], sample.skewness(values, centre))
    squares = error * error
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = sample.total(squares)[sample.owner] - sample.by_unit(squares)
        weight = sample.weight[sample.owner] - sample.by_unit(np.ones(len(squares)))
        without = np.log(rest / weight)
        root, variance, carriers = np.sqrt(sample.mean(squares)), sample.jackknife(without) / 4, sample.carriers(without)
        figures["rmse"] = _Figure(root, variance, units, f"jackknife, {method}", True, _POSITIVE, carriers)
    return figures


@dataclass(frozen=True, eq=False)
class _Table:
    """Adds the facts of one combination of attributes."""

    answer: Answer
    names: list[Pairs]
    sample: Sample
    figures: Mapping[str, _Figure]
    distance: Callable[[int, int], tuple[float, float]] | None

    def add_own(self) -> None:
        for i, place in enumerate(self.names):
            n = int(self.sample.n[i])
            self.answer.add("rows", n, slice=place, n=n)
            for name, figure in self.figures.items():
                said = "" if self.sample.weight[i] else "0 of 0: no rows"
                value = None if said else tidy(float(figure.value[i]))
                self.answer.add(name, value, slice=place, n=n, undefined=said, interval=None if said else figure.interval(i, self.answer.level))

    def add_against(self, base: int, families: Families) -> None:
        for i, place in enumerate(self.names):
            if i == base:
                continue
            n = int(self.sample.n[i] + self.sample.n[base])
            note = f"against {shown(self.names[base])}"
            given: dict[str, Any] = {"slice": place, "involves": (self.names[base],), "n": n, "note": note}
            lacking = "" if self.sample.weight[i] and self.sample.weight[base] else "0 of 0: no rows"
            for name, figure in self.figures.items():
                self._difference(name, figure, (i, base), lacking, given)
                if name in _TESTED and (p := None if lacking else _welch(figure, i, base)) is not None:
                    families.add(self.answer, f"{name}_difference_p", p, **given)
            value, counted = None, ""
            if self.distance is not None and not lacking:
                low, high = self.distance(i, base)
                value, _, counted = summed.bounded(low, low, high, None)
            said = "; ".join(filter(None, (note, counted, "no interval: its estimate is biased upwards in small groups")))
            self.answer.add("prediction_ks", None if value is None else tidy(value), undefined=lacking, **{**given, "note": said})

    def _difference(self, name: str, figure: _Figure, pair: tuple[int, int], lacking: str, given: Mapping[str, Any]) -> None:
        a, b = (float(figure.value[i]) for i in pair)
        own, base = (None if lacking else figure.interval(i, self.answer.level) for i in pair)
        apart = None if own is None or base is None else two_rates.mover(a, own, b, base)
        self.answer.add(f"{name}_difference", None if lacking else tidy(a - b), undefined=lacking, interval=apart, **given)
        if name not in _RATIOS:
            return
        said = lacking or ("" if b else "division by 0: the reference group has no error")
        self.answer.add(f"{name}_ratio", None if said else tidy(a / b), undefined=said, interval=_quotient(a, own, b, base), **given)

    def add_gaps(self, by: tuple[str, ...]) -> None:
        """Over the groups that are not suppressed."""
        visible = [i for i, name in enumerate(self.names) if name not in self.answer.hidden and self.sample.weight[i]]
        note = "" if len(visible) == len(self.names) else f"over {len(visible)} of {len(self.names)} groups; others are empty or suppressed"
        given: dict[str, Any] = {"params": (("attribute", ",".join(by)),), "n": int(self.sample.n[visible].sum()), "note": note}
        said = "" if len(visible) > 1 else "fewer than two groups can be compared"
        for name, figure in self.figures.items():
            values = figure.value[visible] if visible else np.zeros(1)
            gap = None if said else tidy(float(values.max() - values.min()))
            estimates = _estimates(figure, visible, self.answer.level, log=False) if not said else None
            interval = None if estimates is None else gaps.difference([estimates], self.answer.level)
            self.answer.add(f"{name}_gap", gap, undefined=said, interval=interval, **given)
            if name in _RATIOS:
                least, most = float(values.min()), float(values.max())
                lacking = said or ("" if most else "0 / 0: no group has an error")
                logs = _estimates(figure, visible, self.answer.level, log=True) if not lacking and least > 0 else None
                worst = None if logs is None else gaps.quotient(logs, self.answer.level)
                self.answer.add(f"{name}_worst_ratio", None if lacking else tidy(least / most), undefined=lacking, interval=worst, **given)


def _quotient(a: float, own: Interval | None, b: float, base: Interval | None) -> Interval | None:
    """The ratio a / b from their own intervals, on the log scale; None where an interval reaches 0."""
    if own is None or base is None or min(own.low, base.low, a, b) <= 0:
        return None
    low = math.hypot(math.log(a / own.low), math.log(base.high / b))
    high = math.hypot(math.log(own.high / a), math.log(b / base.low))
    return Interval(a / b * math.exp(-low), a / b * math.exp(high), f"MOVER on the log scale of {own.method}")


def _estimates(figure: _Figure, chosen: list[int], level: float, *, log: bool) -> gaps.Estimates | None:
    """The figures of some slices, for their gap; None where one has no interval (or on the log scale reaches 0)."""

    def own(at: float, log: bool) -> tuple[Floats, Floats]:
        found = [figure.interval(i, at) for i in chosen]
        low, high = (np.array([math.nan if item is None else getattr(item, end) for item in found]) for end in ("low", "high"))
        with np.errstate(invalid="ignore", divide="ignore"):
            return (np.log(low), np.log(high)) if log else (low, high)

    value = np.log(figure.value[chosen]) if log else figure.value[chosen]
    low, high = own(level, log)
    if not np.isfinite(np.concatenate([low, high])).all():
        return None
    error = (high - low) / (2 * intervals.normal(level))
    return gaps.Estimates(value, error, partial(own, log=log), f"MOVER of {figure.method}")


def _welch(figure: _Figure, i: int, base: int) -> float | None:
    """Welch's test with Satterthwaite's degrees of freedom; None where a variance is unknown or both are 0."""
    parts = [(float(figure.variance[j]), float(figure.units[j])) for j in (i, base)]
    total = sum(variance for variance, _ in parts)
    if not math.isfinite(total) or total <= 0:
        return None
    freedom = total**2 / sum(variance**2 / (units - 1) for variance, units in parts)
    return laws.student_tail(float(figure.value[i] - figure.value[base]) / math.sqrt(total), freedom)


def _distance(values: Floats, sample: Sample, i: int, base: int) -> tuple[float, float]:
    """The Kolmogorov-Smirnov distance of the values of two groups, as both ends of what it can be."""
    order = np.argsort(values, kind="stable")
    ordered, index = values[order], sample.index[order]
    weight = np.ones(len(values)) if sample.weights is None else sample.weights[order]
    first, second = (np.where(index == j, weight, 0.0) for j in (i, base))
    apart = np.cumsum(first) / first.sum() - np.cumsum(second) / second.sum()
    last = np.append(ordered[1:] != ordered[:-1], True)
    found = float(np.abs(apart[last]).max())
    return found, found
