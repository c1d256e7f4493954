"""What scores are worth: how well they rank (AUC, average precision) and how true they are as probabilities (log loss, Brier, ECE).

All are read from the tally, cell by cell. Where its scores are binned every statistic carries hard bounds: the exact value cannot lie outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from factbook.engines.bins import TENTHS, Floats
from factbook.measures.binary import Counts, Outcomes
from factbook.measures.clusters import Blocked
from factbook.measures.ranked import Pair
from factbook.measures.request import Answer
from factbook.measures.sheets import TENTH_BINS, Sheet, sheets
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import absolute, intervals
from factbook.statistics import average_precision as precision
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import tidy, within

FEWEST: Final = 2
"""With fewer rows of a class a loss gets no interval: with 1 expected positive Hall's covers .69, since what has not been seen yet weighs most."""
ECE_BINS: Final = TENTH_BINS
CLUSTERED: Final = "no interval: the rows lie in clusters, over which its error is not known"
METRICS: Final = (
    Metric(
        "log_loss",
        "log loss",
        "log loss",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, math.inf),
        "mean of -ln(probability given to what happened); not clipped",
        "Good 1952, JRSS B 14, 107",
        ("logloss", "cross_entropy"),
    ),
    Metric(
        "brier",
        "Brier score",
        "Brier",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, 1.0),
        "mean of (probability - outcome)^2",
        "Brier 1950, Monthly Weather Review 78, 1",
        ("brier_score",),
    ),
    Metric(
        "auc",
        "area under the ROC curve",
        "AUC",
        Unit.SCORE,
        Direction.HIGHER,
        (0.0, 1.0),
        "probability that a positive row scores above a negative one, ties counting half",
        "Hanley & McNeil 1982, Radiology 143, 29",
        ("roc_auc", "auroc", "c_statistic"),
    ),
    Metric(
        "average_precision",
        "average precision",
        "AP",
        Unit.SCORE,
        Direction.HIGHER,
        (0.0, 1.0),
        "sum over thresholds of precision times the rise in recall",
        "Su, Yuan & Zhu 2015, ICTIR, 349",
        ("ap", "pr_auc", "auprc"),
    ),
    Metric(
        "ece",
        "expected calibration error",
        "ECE",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, 1.0),
        f"sum over {ECE_BINS} equal-width bins (lower edge open) of share times |mean score - share positive|",
        "Naeini, Cooper & Hauskrecht 2015, AAAI, 2901",
        ("expected_calibration_error", "calibration_error"),
    ),
)


@dataclass(frozen=True, eq=False)
class Scored:
    """The score distribution of a slice: per distinct score (or bin), rising, what the positive and the negative rows weigh.

    `squares` are sums of squared weights; without weights both are numbers of rows. `exact` is False where the scores are binned. `of` is the sheet
    that the slice is part of, and its place there; `rows` are numbers of rows, where there are weights.
    """

    low: Floats
    high: Floats
    weights: tuple[Floats, Floats]
    squares: tuple[Floats, Floats]
    exact: bool
    of: tuple[Sheet, int] | None = None
    rows: tuple[Floats, Floats] | None = None

    @property
    def middle(self) -> Floats:
        """The score that stands for a cell."""
        return self.low if self.exact else (self.low + self.high) / 2

    @property
    def sheet(self) -> tuple[Sheet, int]:
        """The sheet of the slice, if need be of it alone, and its place there."""
        return self.of or (Sheet([()], np.zeros(1, dtype=np.int64), self.low, self.high, self.weights, self.squares, self.exact), 0)

    @property
    def sizes(self) -> tuple[float, float]:
        """What the positive and the negative rows weigh."""
        sheet, i = self.sheet
        return sheet.sizes[0].item(i), sheet.sizes[1].item(i)


def by_slice(outcomes: Outcomes, by: Sequence[str]) -> Mapping[Pairs, Scored]:
    """The score distributions of all slices of a combination of attributes."""
    return dict(_each(outcomes, by))


def along(outcomes: Outcomes, by: Sequence[str], places: Iterable[Pairs]) -> Iterator[Scored | None]:
    """The score distribution of each slice in turn, in the order of `places`, which is that of `binary.slices`; None where it has no judged scores.

    What belongs to a slice is forgotten when the next is asked for, so that few are held at a time.
    """
    found = _each(outcomes, by)
    name, scored = next(found, (None, None))
    for place in places:
        if place != name:
            yield None
            continue
        yield scored
        name, scored = next(found, (None, None))
    assert name is None, f"{name} is not among the slices, or out of order"


def _each(outcomes: Outcomes, by: Sequence[str]) -> Iterator[tuple[Pairs, Scored]]:
    for sheet in sheets(outcomes, by):
        for i, (name, start, length) in enumerate(zip(sheet.names, sheet.starts.tolist(), sheet.lengths.tolist(), strict=True)):
            own = slice(start, start + length)
            weights = sheet.weights[0][own], sheet.weights[1][own]
            squares = (sheet.squares[0][own], sheet.squares[1][own]) if sheet.weighted else weights
            numbers = None if sheet.rows is None else (sheet.rows[0][own], sheet.rows[1][own])
            yield name, Scored(sheet.low[own], sheet.high[own], weights, squares, sheet.exact, (sheet, i), numbers)


def add(answer: Answer, scored: Scored | None, counts: Counts, place: Pairs) -> None:
    """The five score metrics of a slice."""
    positives, negatives = counts.count((2, 3)), counts.count((0, 1))
    sizes = {"positives": positives, "negatives": negatives}
    weights = (0.0, 0.0) if scored is None else scored.sizes
    if scored is None or not sum(weights):
        said = "all weights are 0" if positives + negatives else "no rows"
        for item in METRICS:
            answer.add(item.name, None, slice=place, n=counts.judged, counts=sizes, undefined=said)
        return
    _add_losses(answer, scored, counts, place, sizes)
    if not weights[0] or not weights[1]:
        said = f"no label is {'negative' if weights[0] else 'positive'}"
        for name in ("auc", "average_precision"):
            answer.add(name, None, slice=place, n=counts.judged, counts=sizes, undefined=said)
    else:
        _add_auc(answer, scored, place, sizes, counts.judged)
        _add_average_precision(answer, scored, place, sizes, counts.judged)
    _add_calibration_error(answer, scored, counts, place, sizes)


def put(
    answer: Answer,
    name: str,
    value: float,
    bounds: tuple[float, float],
    interval: Interval | None,
    *,
    note: str = "",
    exact: bool,
    slice: Pairs,
    n: int,
    counts: Mapping[str, int],
) -> None:
    """Add a statistic; where scores are binned, with its hard bounds, an interval that includes them, and no more digits than they support."""
    if not exact:
        low, high = bounds
        note = "; ".join(filter(None, (f"scores are counted in bins: the exact value lies between {low:.6g} and {high:.6g}", note)))
        if interval is not None:
            interval = replace(
                interval, low=interval.low - (value - low), high=interval.high + (high - value), method=f"{interval.method}, widened by the bins"
            )
        value = within(value, low, high)
    bounded = answer.metrics[name].bounds
    if interval is not None and bounded is not None and not bounded[0] <= interval.low <= interval.high <= bounded[1]:
        interval = replace(interval, low=max(bounded[0], interval.low), high=min(bounded[1], interval.high))
    answer.add(name, tidy(value), slice=slice, interval=interval, n=n, counts=counts, note=note)


def _add_losses(answer: Answer, scored: Scored, counts: Counts, place: Pairs, sizes: Mapping[str, int]) -> None:
    """Log loss and Brier score; a probability of 0 for what happened makes the log loss infinite, which is undefined here and not clipped."""
    sheet, i = scored.sheet
    if sheet.impossible[i]:
        said = "infinite: a probability of 0 was given to what happened (not clipped)"
        answer.add("log_loss", None, slice=place, n=counts.judged, counts=sizes, undefined=said)
    else:
        _add_mean(answer, "log_loss", scored, counts, place, sizes, log_losses)
    _add_mean(answer, "brier", scored, counts, place, sizes, squared_losses)


def log_losses(score: Floats) -> tuple[Floats, Floats]:
    """The log loss of a positive and of a negative row."""
    with np.errstate(divide="ignore"):
        return -np.log(score), -np.log1p(-score)


def squared_losses(score: Floats) -> tuple[Floats, Floats]:
    """The squared loss of a positive and of a negative row."""
    return (1 - score) ** 2, score**2


def _add_mean(
    answer: Answer, name: str, scored: Scored, counts: Counts, place: Pairs, sizes: Mapping[str, int], losses: Callable[[Floats], Pair]
) -> None:
    sheet, i = scored.sheet
    value, variance, skewness, n, *bounds = sheet.losses(losses)[i]
    few = min(sizes.values()) < FEWEST
    interval = None if few else intervals.mean(value, variance, skewness, n, answer.level)
    note = "" if interval is not None else f"no interval: fewer than {FEWEST} rows of a class" if few else intervals.NO_MEAN
    if interval is not None and counts.weights is not None:
        interval = replace(interval, method=f"{interval.method}, Kish's effective n")
    put(answer, name, value, (bounds[0], bounds[1]), interval, note=note, exact=scored.exact, slice=place, n=counts.judged, counts=sizes)


def _dot(weights: Floats, values: Floats) -> float:
    """A sum of products (pairwise summation); a weight of 0 takes nothing from an infinite value."""
    with np.errstate(invalid="ignore"):
        products = weights * values
        summed = float(products.sum())
    if math.isfinite(summed):
        return summed
    products[weights == 0] = 0.0
    return float(products.sum())


def _mean(scored: Scored, losses: tuple[Floats, Floats]) -> float:
    total = float(scored.weights[0].sum() + scored.weights[1].sum())
    return (_dot(scored.weights[0], losses[0]) + _dot(scored.weights[1], losses[1])) / total


def mean_loss(scored: Scored, losses: tuple[Floats, Floats]) -> tuple[float, float, float, float]:
    """The weighted mean of the losses (of positives, of negatives), its sample variance and skewness, and the effective number of rows."""
    value = _mean(scored, losses)
    total = float(scored.weights[0].sum() + scored.weights[1].sum())
    n = total**2 / float(scored.squares[0].sum() + scored.squares[1].sum())
    away = (losses[0] - value, losses[1] - value)
    squares = (away[0] * away[0], away[1] * away[1])
    spread, third = _mean(scored, squares), _mean(scored, (squares[0] * away[0], squares[1] * away[1]))
    return value, (spread * n / (n - 1) if n > 1 else 0.0), (third / spread**1.5 if spread > 0 else 0.0), n


@dataclass(frozen=True, slots=True)
class Area:
    """An AUC, what each class contributes to its variance, the classes' (effective) sizes, and how far ties within bins can move it."""

    value: float
    parts: tuple[float, float]
    sizes: tuple[float, float]
    ties: float


def area(scored: Scored) -> Area:
    """AUC and DeLong's variance of it.

    DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44, 837; from sorted counts as in Sun & Xu 2014, IEEE Signal Processing Letters 21, 1389.
    The variance of a class of one row is NaN. With weights each row's placement counts with its weight (sandwich variance).
    """
    sheet, i = scored.sheet
    value, *parts, ties = sheet.ranked.areas[i]
    return Area(value, (parts[0], parts[1]), (parts[2], parts[3]), ties)


def _weighted(scored: Scored) -> bool:
    return scored.weights is not scored.squares and any(not np.array_equal(*both) for both in zip(scored.weights, scored.squares, strict=True))


def placements(scored: Scored) -> tuple[Floats, Floats]:
    """Per score the share of the negatives that a positive is above, and of the positives that a negative is below; ties count half."""
    positive, negative = scored.weights
    m, n = float(positive.sum()), float(negative.sum())
    below, above = np.cumsum(negative) - negative, m - np.cumsum(positive)
    return (below + negative / 2) / n, (above + positive / 2) / m


def _add_auc(answer: Answer, scored: Scored, place: Pairs, sizes: Mapping[str, int], n: int) -> None:
    found = area(scored)
    note, interval = "", None
    if any(math.isnan(part) for part in found.parts):
        note = "no interval: a class has one row"
    else:
        interval = intervals.area(tidy(found.value), found.parts, found.sizes, answer.level)
        note = "no interval: the scores do not vary" if interval is None else ""
    if interval is not None and _weighted(scored):
        interval = replace(interval, method=f"{interval.method}, weighted")
    bounds = (found.value - found.ties, found.value + found.ties)
    put(answer, "auc", found.value, bounds, interval, note=note, exact=scored.exact, slice=place, n=n, counts=sizes)


def average_precision(scored: Scored) -> tuple[float, float, float]:
    """Average precision over falling thresholds (as scikit-learn defines it, without interpolation), and its hard bounds."""
    sheet, i = scored.sheet
    return sheet.ranked.precisions[i][0], sheet.ranked.precisions[i][1], sheet.ranked.precisions[i][2]


def _add_average_precision(answer: Answer, scored: Scored, place: Pairs, sizes: Mapping[str, int], n: int) -> None:
    sheet, i = scored.sheet
    value, low, high, others, spread, size = sheet.ranked.precisions[i]
    interval = precision.around(value, others, spread, size, answer.level)
    note = "" if interval is not None else "no interval: the ranking is perfect" if value > 1 - 1e-12 else "no interval: one label is positive"
    put(answer, "average_precision", value, (low, high), interval, note=note, exact=scored.exact, slice=place, n=n, counts=sizes)


def _add_calibration_error(answer: Answer, scored: Scored, counts: Counts, place: Pairs, sizes: Mapping[str, int]) -> None:
    """Its interval takes as long as all else of a slice, so that combinations of attributes have none."""
    value, slack = calibration_error(scored)
    bounds, interval, note = (max(0.0, value - slack), min(1.0, value + slack)), None, ""
    if isinstance(counts, Blocked):
        note = CLUSTERED
    elif len(place) > 1:
        note = "no interval: it is given over all rows and by one attribute"
    else:
        interval = calibration_interval(scored, answer.level)
    put(answer, "ece", value, bounds, interval, note=note, slice=place, n=counts.judged, counts=sizes, exact=scored.exact)


def calibration_interval(scored: Scored, level: float) -> Interval:
    """The interval of the calibration error of independent rows (see `absolute`)."""
    weight, squares = sum(scored.sizes), float(scored.squares[0].sum() + scored.squares[1].sum())
    return absolute.calibration(absolute.Bins.of(scored.middle, TENTHS, scored.weights, scored.squares), weight**2 / squares, level)


def calibration_error(scored: Scored) -> tuple[float, float]:
    """ECE, and how far binned scores can move it."""
    sheet, i = scored.sheet
    value, slack = sheet.gaps[i]
    return value, slack
