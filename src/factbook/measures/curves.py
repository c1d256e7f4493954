"""Curves of a two-class score: rates at thresholds, ROC and precision-recall points, cumulative gains, calibration. Planned by `curves`.

Every point is a fact with the threshold, share or bin as its parameter. A threshold that is best on some rows is optimistic about them, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from factbook.engines.tallies import CLUSTER_BLOCKS, SCALE, TENTHS, Integers
from factbook.measures import cluster_scores, clusters, scores
from factbook.measures.binary import FN, FP, TN, TP, Counts
from factbook.measures.cluster_scores import Spread
from factbook.measures.clusters import Blocked
from factbook.measures.multiclass import add_f1
from factbook.measures.rates import RATES, add_rate
from factbook.measures.request import Answer
from factbook.measures.scores import Scored
from factbook.measures.tagged import bare, tagged
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import beta, intervals, moments
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import Floats, tidy

KINDS: Final = ("thresholds", "roc", "precision-recall", "gains", "calibration")
GRID: Final = tuple(f"{i / 20:g}" for i in range(1, 20))
FALSE_ALARMS: Final = ("0", "0.01", "0.02", "0.03", "0.05", "0.075", *(f"{i / 20:g}" for i in range(2, 21)))
RECALLS: Final = tuple(f"{i / 20:g}" for i in range(1, 21))
TOPS: Final = ("0.01", "0.02", "0.05", *(f"{i / 10:g}" for i in range(1, 11)))
BINS: Final = tuple(f"{i / 10:g}-{(i + 1) / 10:g}" for i in range(10))
SWEPT: Final = tuple(name for name in RATES if name != "prevalence")
_REAL: Final = (-math.inf, math.inf)
_MURPHY: Final = "Murphy 1973, Journal of Applied Meteorology 12, 595"


def _metric(
    name: str, title: str, unit: Unit, direction: Direction, bounds: tuple[float, float], formula: str, source: str, aliases: tuple[str, ...] = ()
) -> Metric:
    return Metric(name, title, title, unit, direction, bounds, formula, source, aliases)


def _part(name: str, direction: Direction, most: float, formula: str) -> Metric:
    return _metric(f"brier_{name}", f"Brier score, {name}", Unit.SCORE, direction, (0.0, most), formula, _MURPHY)


METRICS: Final = (
    _metric(
        "best_threshold",
        "best threshold",
        Unit.QUANTITY,
        Direction.NEITHER,
        (0.0, 1.0),
        "of the thresholds given, the lowest with the best value of the criterion on these rows",
        "",
    ),
    _metric(
        "roc",
        "recall at a false-positive rate",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "recall on the ROC curve at the false-positive rate, linear between its points",
        "Fawcett 2006, Pattern Recognition Letters 27, 861",
    ),
    _metric(
        "precision_at_recall",
        "precision at a recall",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "precision at the highest threshold that reaches the recall",
        "Davis & Goadrich 2006, ICML, 233",
    ),
    _metric(
        "gains",
        "positives among the highest scores",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "positives among the given share of rows with the highest scores / positives; ties in proportion",
        "Vuk & Curk 2006, Metodološki zvezki 3, 89",
        ("cumulative_gains", "capture_rate"),
    ),
    _metric(
        "lift",
        "lift",
        Unit.RATIO,
        Direction.HIGHER,
        (0.0, math.inf),
        "share of positives among the highest scores / share of positives",
        "Vuk & Curk 2006, Metodološki zvezki 3, 89",
    ),
    _metric("mean_score", "mean score", Unit.FRACTION, Direction.NEITHER, (0.0, 1.0), "mean score of the rows in a bin", ""),
    _metric(
        "observed",
        "share of positives in a bin of scores",
        Unit.FRACTION,
        Direction.NEITHER,
        (0.0, 1.0),
        "positives / rows, of the rows whose score lies in the bin (lower edge open)",
        "DeGroot & Fienberg 1983, The Statistician 32, 12",
    ),
    _metric(
        "calibration_in_the_large",
        "calibration in the large",
        Unit.POINTS,
        Direction.NEITHER,
        (-1.0, 1.0),
        "share of positive labels - mean score",
        "Van Calster et al. 2019, BMC Medicine 17, 230",
        ("calibration_bias", "observed_minus_expected"),
    ),
    _metric(
        "calibration_slope",
        "calibration slope",
        Unit.SCORE,
        Direction.NEITHER,
        _REAL,
        "b of the logistic regression of the outcome on a + b logit(score); 1 is right, below it scores are too extreme",
        "Cox 1958, Biometrika 45, 562",
    ),
    _metric(
        "calibration_intercept",
        "calibration intercept",
        Unit.SCORE,
        Direction.NEITHER,
        _REAL,
        "a of the logistic regression of the outcome on a + logit(score); 0 is right, below it scores are too high",
        "Van Calster et al. 2019, BMC Medicine 17, 230",
    ),
    _metric(
        "brier_skill",
        "Brier skill score",
        Unit.SCORE,
        Direction.HIGHER,
        (-math.inf, 1.0),
        "1 - Brier score / (prevalence (1 - prevalence))",
        "Brier 1950; Murphy 1973",
    ),
    _metric(
        "brier_reliability",
        "Brier score, reliability",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, 1.0),
        "mean of (mean score - observed)^2 of the bin",
        _MURPHY,
    ),
    _metric(
        "brier_resolution",
        "Brier score, resolution",
        Unit.SCORE,
        Direction.HIGHER,
        (0.0, 0.25),
        "mean of (observed of the bin - prevalence)^2",
        _MURPHY,
    ),
    _metric("brier_uncertainty", "Brier score, uncertainty", Unit.SCORE, Direction.NEITHER, (0.0, 0.25), "prevalence (1 - prevalence)", _MURPHY),
)


@dataclass(frozen=True, eq=False)
class Place:
    """A slice with its scores.

    Attributes:
        place: its name.
        counts: of its rows, for sizes.
        scored: its score distribution.
        spread: where its rows lie, where the source declares clusters.
        narrow: whether the scores are stored as 32-bit floats, so that thresholds are rounded alike.
    """

    place: Pairs
    counts: Counts
    scored: Scored
    spread: Spread | None
    narrow: bool

    def said(self, note: str = "") -> str:
        """A note, after that scores are counted in bins where they are."""
        return note if self.scored.exact else "; ".join(filter(None, ("scores are counted in bins", note)))

    @property
    def positive(self) -> Floats:
        """What the positive rows weigh, by score."""
        return self.scored.weights[0]

    @property
    def negative(self) -> Floats:
        """What the negative rows weigh, by score."""
        return self.scored.weights[1]

    def above(self, threshold: str) -> Integers:
        """Per score, 1 where it is at least the threshold."""
        cut = float(np.float32(threshold)) if self.narrow else float(threshold)
        found: Integers = (self.scored.middle >= cut).astype(np.int64)
        return found

    def decided(self, predicted: Integers, level: float) -> Counts:
        """The counts if each score is predicted positive (1) or negative (0)."""
        positive, negative = self.scored.rows or (self.positive, self.negative)
        rows = (*(round(float(part @ side)) for part in (negative, positive) for side in (1 - predicted, predicted)), 0, 0)
        weights = None
        if self.counts.weights is not None:
            squares = self.scored.squares
            kind = [self.negative @ (1 - predicted), self.negative @ predicted, self.positive @ (1 - predicted), self.positive @ predicted]
            square = [squares[1] @ (1 - predicted), squares[1] @ predicted, squares[0] @ (1 - predicted), squares[0] @ predicted]
            weights = (*((_units(a), _units(b)) for a, b in zip(kind, square, strict=True)), (0, 0), (0, 0))
        if self.spread is None:
            return Counts(rows, weights)
        blocks = np.zeros((CLUSTER_BLOCKS, 6))
        np.add.at(blocks, (self.spread.block, 2 * self.spread.truth + predicted[self.spread.place]), self.spread.weight)
        return Blocked(rows, weights, blocks, level)


def _units(weight: Any) -> int:
    """A weight in units of 2^-50, from twelve digits: the last bits of a sum differ between processors."""
    return round(tidy(float(weight)) * 2.0**SCALE)


def add(answer: Answer, at: Place, kinds: Sequence[str], thresholds: Sequence[str], criterion: str) -> None:
    """The points of some kinds of curve of one slice. Where a class is missing its points are left out, as the rates say why."""
    if "thresholds" in kinds:
        _add_thresholds(answer, at, thresholds, criterion)
    both = bool(at.positive.sum() > 0 and at.negative.sum() > 0)
    for name, function in _CURVES.items():
        if name in kinds and both:
            function(answer, at)


def _add_thresholds(answer: Answer, at: Place, thresholds: Sequence[str], criterion: str) -> None:
    """The rates at each threshold, and which is best."""
    found = {threshold: at.decided(at.above(threshold), answer.level) for threshold in thresholds}
    for threshold, counts in found.items():
        own = tagged(_unbinned(answer, at, threshold), threshold=threshold)
        for name in SWEPT:
            add_rate(clusters.fit(own, counts, RATES[name].whole), name, counts, at.place)
        add_f1(clusters.fit(own, counts, (TP, FP, FN)), counts, at.place)
    if criterion:
        _add_best(answer, at, found, criterion)


def _unbinned(answer: Answer, at: Place, threshold: str) -> Answer:
    """The answer, or where the threshold lies within a bin of scores one that says so."""
    if at.scored.exact:
        return answer
    cut = float(threshold)
    inside = (at.scored.low < cut) & (cut < at.scored.high)
    weight = float((at.positive + at.negative)[inside].sum())
    return bare(answer, f"no interval: {weight:g} rows have scores in the bin around the threshold") if weight else answer


def _add_best(answer: Answer, at: Place, found: Mapping[str, Counts], criterion: str) -> None:
    values = {threshold: value for threshold, counts in found.items() if (value := CRITERIA[criterion](counts)) is not None}
    own = tagged(answer, criterion=criterion)
    if not values:
        own.add("best_threshold", None, slice=at.place, undefined=f"{criterion} is 0 of 0 at every threshold")
        return
    best = max(values.values())
    chosen = min((threshold for threshold, value in values.items() if value == best), key=float)
    note = (
        f"no interval: {criterion} is {best:.3f} there, the best of {len(found)} thresholds on these very rows, and so optimistic; "
        "measure it at this threshold on other rows"
    )
    own.add("best_threshold", float(chosen), slice=at.place, n=at.counts.judged, note=note)


def _value(counts: Counts, part: Sequence[int], whole: Sequence[int]) -> float | None:
    share = counts.share(part, whole)
    return None if share is None else share.value


def _f1(counts: Counts) -> float | None:
    jaccard = _value(counts, (TP,), (TP, FP, FN))
    return None if jaccard is None else 2 * jaccard / (1 + jaccard)


def _balanced(counts: Counts) -> float | None:
    recall, specificity = _value(counts, (TP,), (TP, FN)), _value(counts, (TN,), (TN, FP))
    return None if recall is None or specificity is None else (recall + specificity) / 2


CRITERIA: Final[Mapping[str, Callable[[Counts], float | None]]] = {
    "f1": _f1,
    "balanced_accuracy": _balanced,
    "accuracy": lambda counts: _value(counts, (TN, TP), (TN, FP, FN, TP)),
}


def _add_roc(answer: Answer, at: Place) -> None:
    false = np.concatenate([[0.0], np.cumsum(at.negative[::-1])]) / float(at.negative.sum())
    true = np.concatenate([[0.0], np.cumsum(at.positive[::-1])]) / float(at.positive.sum())
    last = np.append(false[1:] != false[:-1], True)
    for rate in FALSE_ALARMS:
        value = float(np.interp(float(rate), false[last], true[last]))
        tagged(answer, fpr=rate).add("roc", tidy(min(value, 1.0)), slice=at.place, n=at.counts.judged, note=at.said(_POINT))


_POINT: Final = "no interval: a point of the curve; recall, precision and false-positive rate at declared `thresholds` have one"


def _add_precision_recall(answer: Answer, at: Place) -> None:
    hits, wrong = np.cumsum(at.positive[::-1]), np.cumsum(at.negative[::-1])
    recall = hits / float(hits[-1])
    for level in RECALLS:
        i = int(np.argmax(recall >= float(level) - 1e-12))
        value = float(hits[i] / (hits[i] + wrong[i]))
        tagged(answer, recall=level).add("precision_at_recall", tidy(value), slice=at.place, n=at.counts.judged, note=at.said(_POINT))


def _add_gains(answer: Answer, at: Place) -> None:
    """Gains and lift. The interval is that of recall with the cut taken as given."""
    every = at.positive + at.negative
    rows = np.concatenate([[0.0], np.cumsum(every[::-1])]) / float(every.sum())
    hits = np.concatenate([[0.0], np.cumsum(at.positive[::-1])]) / float(at.positive.sum())
    for top in TOPS:
        value = min(float(np.interp(float(top), rows, hits)), 1.0)
        share = _among_positives(at, value, rows, top, answer.level)
        own = tagged(answer, top=top)
        n = at.counts.count((TP, FN))
        why = clusters.short(at.spread.blocks(1)) if at.spread is not None and at.spread.blocks(1) < clusters.FEW else ""
        found = None if why or top == "1" else intervals.share(share, answer.level)
        interval = None if found is None else Interval(found.low, found.high, f"{found.method}, the cut taken as given")
        own.add("gains", tidy(value), slice=at.place, n=n, interval=interval, note=at.said(why))
        lift = None if interval is None else Interval(interval.low / float(top), interval.high / float(top), interval.method)
        own.add("lift", tidy(value / float(top)), slice=at.place, n=n, interval=lift, note=at.said(why))


def _among_positives(at: Place, value: float, rows: Floats, top: str, level: float) -> Share:
    """The share of positives above the cut, with the effective counts of weights and clusters."""
    squares, total = float(at.scored.squares[0].sum()), float(at.positive.sum())
    n = total**2 / squares
    if at.spread is None:
        return Share(value * n, n, weighted=at.counts.weights is not None)
    reached = (rows[1:] <= float(top) + 1e-12)[::-1].astype(np.float64)
    positive = np.where(at.spread.truth == 1, at.spread.weight, 0.0)
    whole = np.bincount(at.spread.block, weights=positive, minlength=CLUSTER_BLOCKS).astype(np.float64)
    part = np.bincount(at.spread.block, weights=positive * reached[at.spread.place], minlength=CLUSTER_BLOCKS).astype(np.float64)
    size = clusters.effective(part, whole, n, level)
    return Share(value * size, size, clustered=True)


def _add_calibration(answer: Answer, at: Place) -> None:
    """Observed shares by tenths of the score, and what the whole curve says."""
    where = np.searchsorted(TENTHS, at.scored.middle)
    for i, name in enumerate(BINS):
        inside = where == i
        own, weight = tagged(answer, bin=name), float((at.positive + at.negative)[inside].sum())
        counts = at.decided(inside.astype(np.int64), answer.level)
        if not weight:
            own.add("observed", None, slice=at.place, n=0, undefined="0 of 0: no score lies in the bin")
            continue
        share, evidence = counts.share((TP,), (TP, FP)), counts.evidence((TP,), (TP, FP))
        assert share is not None
        mean = float(((at.positive + at.negative) * at.scored.middle)[inside].sum()) / weight
        own.add("mean_score", tidy(min(max(mean, 0.0), 1.0)), slice=at.place, n=counts.count((TP, FP)), note=at.said())
        fitted = clusters.fit(own, counts, (TP, FP))
        fitted.add("observed", share.value, slice=at.place, n=counts.count((TP, FP)), counts=evidence, interval=intervals.share(share, answer.level))
    _add_large(answer, at)
    _add_regressions(answer, at)
    _add_murphy(answer, at, where)


@dataclass(frozen=True, eq=False)
class Figure:
    """A statistic, and how it changes with the weight of a positive and of a negative row of each score."""

    value: float
    up: Floats
    down: Floats

    def interval(self, at: Place, level: float, bounds: tuple[float, float] = _REAL) -> Interval | str:
        """Student's t from the linearisation, over rows or over blocks of clusters; or why there is none."""
        if at.spread is not None:
            size = at.spread.blocks()
            if size < clusters.FEW:
                return clusters.short(size)
            variance, method = at.spread.variance(self.up, self.down), cluster_scores.METHOD
        else:
            return self._of_rows(at, level, bounds)
        if variance <= 1e-28:
            return "no interval: nothing varies"
        half = beta.student(level, size - 1) * math.sqrt(variance)
        return Interval(max(bounds[0], self.value - half), min(bounds[1], self.value + half), method)

    def _of_rows(self, at: Place, level: float, bounds: tuple[float, float]) -> Interval | str:
        if min(at.counts.count((TP, FN)), at.counts.count((FP, TN))) < scores.FEWEST:
            return f"no interval: fewer than {scores.FEWEST} rows of a class"
        weight, total = np.concatenate(at.scored.squares), float(at.positive.sum() + at.negative.sum())
        found = moments.linearised(self.value, np.concatenate([self.up, self.down]), weight, total**2 / float(weight.sum()), level)
        if found is None:
            return "no interval: nothing varies"
        method = found.method + (", Kish's effective n" if at.counts.weights is not None else "")
        return Interval(max(bounds[0], found.low), min(bounds[1], found.high), method)


def _add_figure(answer: Answer, name: str, at: Place, figure: Figure) -> None:
    found = figure.interval(at, answer.level, answer.metrics[name].bounds or _REAL)
    note = at.said(found if isinstance(found, str) else "")
    answer.add(name, tidy(figure.value), slice=at.place, n=at.counts.judged, interval=None if isinstance(found, str) else found, note=note)


def _add_large(answer: Answer, at: Place) -> None:
    score, total = at.scored.middle, float(at.positive.sum() + at.negative.sum())
    value = float((at.positive * (1 - score)).sum() - (at.negative * score).sum()) / total
    _add_figure(answer, "calibration_in_the_large", at, Figure(value, (1 - score - value) / total, -(score + value) / total))


def _add_regressions(answer: Answer, at: Place) -> None:
    """Logistic regressions of the outcome on the logit of the score, by Newton's method, with sandwich variances (White 1982, Econometrica 50, 1)."""
    low, high = at.scored.low, at.scored.high
    if (low <= 0).any() or (high >= 1).any():
        said = "a score is 0 or 1: its logit is infinite"
        for name in ("calibration_slope", "calibration_intercept"):
            answer.add(name, None, slice=at.place, n=at.counts.judged, undefined=said)
        return
    logit = np.log(at.scored.middle) - np.log1p(-at.scored.middle)
    ones, weight = np.ones_like(logit), at.positive + at.negative
    middle = float((weight * logit).sum() / weight.sum())
    spread = math.sqrt(float((weight * (logit - middle) ** 2).sum() / weight.sum()))
    for name, columns, offset, scale in (
        ("calibration_slope", np.stack([(logit - middle) / (spread or 1.0), ones], axis=1), np.zeros_like(logit), spread),
        ("calibration_intercept", ones[:, None], logit, 1.0),
    ):
        figure = _regression(columns, offset, at.positive, at.negative) if scale else None
        if figure is None:
            answer.add(name, None, slice=at.place, n=at.counts.judged, undefined=_NO_SOLUTION)
        else:
            _add_figure(answer, name, at, Figure(figure.value / scale, figure.up / scale, figure.down / scale))


_NO_SOLUTION: Final = "the regression has no solution: the scores separate the classes, or all but, or do not vary"


def _regression(columns: Floats, offset: Floats, positive: Floats, negative: Floats) -> Figure | None:
    """The first coefficient of a logistic regression on columns of size 1, and its influences; None where it has no finite solution."""
    weight = positive + negative
    beta_hat = np.zeros(columns.shape[1])
    beta_hat[-1] = math.log(float(positive.sum() / negative.sum())) - float((weight * offset).sum() / weight.sum())
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(columns @ beta_hat + offset, -700, 700)))
        information = (columns * (weight * p * (1 - p))[:, None]).T @ columns
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, columns.T @ (positive - weight * p))
        beta_hat = beta_hat + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-12:
            break
    else:
        return None
    each = columns @ np.linalg.inv(information)[:, 0]
    return Figure(float(beta_hat[0]), each * (1 - p), -each * p)


def _add_murphy(answer: Answer, at: Place, where: Integers) -> None:
    """The skill of the Brier score, and its decomposition over tenths."""
    weight = at.positive + at.negative
    total, score = float(weight.sum()), at.scored.middle
    share = float(at.positive.sum()) / total
    up, down = scores.squared_losses(score)
    brier, reference = float((at.positive * up).sum() + (at.negative * down).sum()) / total, share * (1 - share)
    slope = brier * (1 - 2 * share) / reference**2
    influences = (-(loss - brier) / reference + slope * (truth - share) for loss, truth in ((up, 1.0), (down, 0.0)))
    rise, fall = (part / total for part in influences)
    _add_figure(answer, "brier_skill", at, Figure(1 - brier / reference, rise, fall))
    rows, hits, summed = (np.bincount(where, weights=part, minlength=len(BINS)) for part in (weight, at.positive, weight * score))
    there = rows > 0
    observed, expected = hits[there] / rows[there], summed[there] / rows[there]
    found = {
        "brier_reliability": float((rows[there] * (expected - observed) ** 2).sum()) / total,
        "brier_resolution": float((rows[there] * (observed - share) ** 2).sum()) / total,
        "brier_uncertainty": reference,
    }
    note = at.said("no interval: over tenths of the score, biased upwards by chance in them")
    for name, value in found.items():
        answer.add(name, tidy(value), slice=at.place, n=at.counts.judged, note=note)


_CURVES: Final[Mapping[str, Callable[[Answer, Place], None]]] = {
    "roc": _add_roc,
    "precision-recall": _add_precision_recall,
    "gains": _add_gains,
    "calibration": _add_calibration,
}
