"""Classification of rows that have any number of classes: every class by itself, averages over classes and over rows, and whole sets.

All figures are functions of how often each pair of sets (labels, predictions) occurs. A figure that is 0 of 0 for a class or a row is undefined there
and left out of the average, which says so (Zhang & Zhou 2014, IEEE Transactions on Knowledge and Data Engineering 26, 1819).

Intervals: proportions of rows exactly; averages from the sum of each row's influences (linearisation), Student's t, on the logit scale.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from factbook.engines import Tally
from factbook.engines.tallies import CLUSTER, CLUSTER_BLOCKS, LABEL, PREDICTION, Integers, sums, total
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures import binary, clusters, multiclass, rates
from factbook.measures.binary import ABSTAINED, DROPPED, FN, FP, TP, Counts, Flags
from factbook.measures.cluster_scores import METHOD
from factbook.measures.clusters import Blocked
from factbook.measures.rates import add_rate
from factbook.measures.request import Answer
from factbook.measures.tagged import tagged
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import beta, delta, intervals
from factbook.statistics.delta import Part
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, tidy

LISTS: Final = "list"
LARGEST: Final = 1 << 27
_ZHANG: Final = "Zhang & Zhou 2014, IEEE Transactions on Knowledge and Data Engineering 26, 1819"
METRICS: Final = (
    Metric(
        "subset_accuracy",
        "subset accuracy",
        "exact sets",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "rows whose predicted set is the set of labels / rows",
        _ZHANG,
        ("exact_match_ratio",),
    ),
    Metric(
        "hamming_loss",
        "Hamming loss",
        "Hamming loss",
        Unit.FRACTION,
        Direction.LOWER,
        (0.0, 1.0),
        "mean over rows of classes that are wrong / classes",
        _ZHANG,
    ),
    Metric(
        "jaccard",
        "Jaccard index",
        "Jaccard",
        Unit.SCORE,
        Direction.HIGHER,
        (0.0, 1.0),
        "tp / (tp + fp + fn)",
        "Jaccard 1912, New Phytologist 11, 37",
        ("iou", "jaccard_score"),
    ),
    Metric("label_cardinality", "labels a row", "labels", Unit.SCORE, Direction.NEITHER, (0.0, math.inf), "mean number of labels of a row", _ZHANG),
    Metric(
        "predicted_cardinality",
        "predictions a row",
        "predictions",
        Unit.SCORE,
        Direction.NEITHER,
        (0.0, math.inf),
        "mean number of predicted classes of a row",
        _ZHANG,
    ),
)


@dataclass(frozen=True, eq=False)
class Sets:
    """A tally whose cells have a set of classes for label and prediction.

    Attributes:
        kind: per cell 0 where it is judged, or ABSTAINED or DROPPED.
        label, prediction: per cell and class, whether it is in the set.
    """

    source: Source
    tally: Tally
    classes: tuple[str, ...]
    kind: Integers
    label: Flags
    prediction: Flags
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Slice:
    """The judged cells of one slice: their sets, rows, weights and blocks of clusters.

    Attributes:
        rows: of each cell.
        limbs: the fixed-point sums of weights and of squares of each cell, or None.
        block: of each cell, or None.
        abstained, all: rows without a decision, and all rows.
    """

    classes: tuple[str, ...]
    label: Flags
    prediction: Flags
    rows: Integers
    limbs: Integers | None
    block: Integers | None
    abstained: int
    all: int
    level: float

    @cached_property
    def judged(self) -> int:
        """The rows that enter the figures."""
        return int(self.rows.sum())

    @cached_property
    def weight(self) -> Floats:
        """What the rows of each cell weigh."""
        return self.rows.astype(np.float64) if self.limbs is None else np.asarray(sums(self.limbs)[:, 0])

    @cached_property
    def squares(self) -> Floats:
        """The sums of squared weights of each cell."""
        return self.weight if self.limbs is None else np.asarray(sums(self.limbs)[:, 1])

    @cached_property
    def both(self) -> Flags:
        """Per cell and class, whether it is label and prediction."""
        return self.label & self.prediction

    def counts(self, kind: Integers) -> Counts:
        """The rows of each kind (per cell)."""
        rows = tuple(np.bincount(kind, weights=self.rows, minlength=DROPPED + 1).astype(np.int64).tolist())
        weights = None
        if self.limbs is not None:
            weights = tuple(total(self.limbs[kind == k]) for k in range(DROPPED + 1))
        if self.block is None:
            return Counts(rows, weights)
        blocks = np.zeros((CLUSTER_BLOCKS, DROPPED + 1))
        np.add.at(blocks, (self.block, kind), self.weight)
        return Blocked(rows, weights, blocks, self.level)

    def of(self, i: int) -> Counts:
        """The four counts of one class."""
        return self.counts(2 * self.label[:, i].astype(np.int64) + self.prediction[:, i])

    @cached_property
    def units(self) -> float:
        """How many rows (effective ones), or blocks of clusters, vary independently."""
        if self.block is not None:
            return len(np.unique(self.block[self.weight > 0]))
        summed = float(self.squares.sum())
        return float(self.weight.sum()) ** 2 / summed if summed else 0.0

    def variance(self, influence: Floats) -> float:
        """The variance of a figure from what a row of each cell contributes to it."""
        if self.block is not None:
            each = np.bincount(self.block, weights=self.weight * influence, minlength=CLUSTER_BLOCKS).astype(np.float64)
            return clusters.variance(each, int(self.units))
        return float((self.squares * influence**2).sum()) * self.units / (self.units - 1)


def read(tally: Tally, source: Source, where: str) -> Sets:
    """Tell the cells' sets, and refuse what contradicts the declaration.

    Raises:
        SourceError: values are missing without a policy; a value is no declared class, or no list; there are too many classes.
        MeasureError: the scores of the classes are declared.
    """
    if any(source.classes.values()):
        raise MeasureError(f"source {where}: scores of many labels are not measured", remedy="name the `classes` without columns, as a list")
    binary.refuse_missing(tally, source)
    kind = binary.outcomes(tally, source).kind
    kind = np.where(kind <= TP, 0, kind)
    found = [[_set(text, source) for text in tally.values_of(what)] for what in (LABEL, PREDICTION)]
    classes = _classes(source, found)
    place = {name: i for i, name in enumerate(classes)}
    if len(kind) * len(classes) > LARGEST:
        raise SourceError(f"{source.uri}: {len(classes):,} classes in {len(kind):,} different sets are too many", remedy="name fewer `classes`")
    matrices = [_members(sets, place)[tally.codes_of(what)] for sets, what in zip(found, (LABEL, PREDICTION), strict=True)]
    warnings = []
    if dropped := int(tally.n[kind == DROPPED].sum()):
        warnings.append(f"{source.uri}: {dropped} of {tally.rows} rows were left out because a value is missing (policy: drop)")
    return Sets(source, tally, classes, kind, matrices[0], matrices[1], tuple(warnings))


def _set(text: str, source: Source) -> frozenset[str]:
    """The classes in a value."""
    if text == source.abstain and text:
        return frozenset()
    if source.multilabel != LISTS:
        return frozenset(source.labels.get(part, part) for raw in text.split(source.multilabel) if (part := raw.strip()))
    try:
        values = json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        values = None
    if not isinstance(values, list) or any(isinstance(value, list | dict) or value is None for value in values):
        raise SourceError(f"{source.uri}: {text!r} is no list of classes", remedy='for texts declare their separator, e.g. `multilabel: ";"`')
    texts = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    return frozenset(source.labels.get(part, part) for part in texts)


def _classes(source: Source, found: Sequence[Sequence[frozenset[str]]]) -> tuple[str, ...]:
    seen = sorted(set().union(*(part for sets in found for part in sets)))
    if source.classes:
        if strange := [value for value in seen if value not in source.classes]:
            said = f"{source.uri}: labels or predictions hold {', '.join(map(repr, strange[:5]))}: no declared class"
            raise SourceError(said, remedy="add it to `classes`, or declare which values mean the same under `labels`")
        return tuple(source.classes)
    if len(seen) > multiclass.MOST_CLASSES:
        said = f"{source.uri}: labels and predictions hold {len(seen):,} classes, more than {multiclass.MOST_CLASSES:,}"
        raise SourceError(said, remedy="is the separator right? else name the `classes`")
    return tuple(seen)


def _members(sets: Sequence[frozenset[str]], place: dict[str, int]) -> Flags:
    """Per code (0 is missing) and class, whether it is in the set."""
    found = np.zeros((len(sets) + 1, len(place)), dtype=bool)
    for i, values in enumerate(sets):
        found[i + 1, [place[value] for value in values]] = True
    return found


def slices(found: Sets, by: Sequence[str], level: float) -> Iterator[tuple[Pairs, Slice]]:
    """The judged cells of every slice of a combination of attributes."""
    inside = np.flatnonzero(binary.placed(found.tally, found.source, by))
    tally = found.tally.where(binary.placed(found.tally, found.source, by))
    names, index = binary.slices(tally, by)
    order = np.argsort(index, kind="stable")
    ends = np.searchsorted(index[order], np.arange(len(names) + 1))
    block = None
    if CLUSTER in tally.dimensions:
        block = np.array([0, *(int(text) for text in tally.values_of(CLUSTER))], dtype=np.int64)[tally.codes_of(CLUSTER)]
    for i, name in enumerate(names):
        every = order[ends[i] : ends[i + 1]]
        kind = found.kind[inside[every]]
        cells = every[kind == 0]
        yield (
            name,
            Slice(
                found.classes,
                found.label[inside[cells]],
                found.prediction[inside[cells]],
                tally.n[cells],
                None if tally.weights is None else tally.weights[cells],
                None if block is None else block[cells],
                int(tally.n[every[kind == ABSTAINED]].sum()),
                int(tally.n[every].sum()),
                level,
            ),
        )


def add(answer: Answer, found: Slice, place: Pairs, *, abstains: bool) -> None:
    """All figures of one slice."""
    answer.add("rows", found.judged, slice=place, n=found.judged)
    if abstains:
        answer.add("abstained", found.abstained, slice=place, n=found.all)
    if not place and (dropped := found.all - found.judged - found.abstained):
        answer.add("dropped", dropped, n=found.all)
    exact = found.counts(np.where((found.label == found.prediction).all(axis=1), TP, FN))
    multiclass.add_correct(clusters.fit(answer, exact, (TP, FN)), "subset_accuracy", exact, place)
    _add_rows(answer, found, place)
    for name in RATIOS:
        for kind in ("micro", "macro", "weighted"):
            _add_average(tagged(answer, average=kind), found, name, kind, place)
    for i, name in enumerate(found.classes):
        _add_class(tagged(answer, **{"class": name}), found.of(i), place)


def _add_class(answer: Answer, counts: Counts, place: Pairs) -> None:
    answer.add("support", counts.count((TP, FN)), slice=place, n=counts.judged)
    answer.add("predicted", counts.count((TP, FP)), slice=place, n=counts.judged)
    for kind, name in enumerate(binary.CELLS):
        answer.add(name, counts.rows[kind], slice=place, n=counts.judged)
    for name in multiclass.RATES:
        add_rate(clusters.fit(answer, counts, rates.RATES[name].whole), name, counts, place)
    fitted = clusters.fit(answer, counts, (TP, FP, FN))
    multiclass.add_f1(fitted, counts, place)
    share, n = counts.share((TP,), (TP, FP, FN)), counts.count((TP, FP, FN))
    if share is None:
        fitted.add("jaccard", None, slice=place, n=n, undefined="0 of 0: no label and no prediction is of the class")
    else:
        fitted.add("jaccard", share.value, slice=place, n=n, interval=intervals.share(share, answer.level))


def _add_rows(answer: Answer, found: Slice, place: Pairs) -> None:
    """Means over rows: of what is wrong, of the sizes of sets, and of each row's own ratios."""
    labels, predictions, hits = (part.sum(axis=1).astype(np.float64) for part in (found.label, found.prediction, found.both))
    _add_mean(answer, "hamming_loss", found, (labels + predictions - 2 * hits) / max(len(found.classes), 1), place)
    _add_mean(answer, "label_cardinality", found, labels, place)
    _add_mean(answer, "predicted_cardinality", found, predictions, place)
    for name, ratio in RATIOS.items():
        above, below = ratio(labels, predictions, hits)
        values = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
        _add_mean(tagged(answer, average="samples"), name, found, values, place)


def _add_mean(answer: Answer, name: str, found: Slice, values: Floats, place: Pairs) -> None:
    """A mean over the rows for which there is a value."""
    known = np.isfinite(values)
    amount = float(found.weight[known].sum())
    if not amount:
        answer.add(name, None, slice=place, n=0, undefined="0 of 0: no rows" if known.all() else "0 of 0 in every row")
        return
    value = float(found.weight[known] @ values[known]) / amount
    influence = np.where(known, values - value, 0.0) / amount
    left = int(found.rows[~known].sum())
    note = f"{left} rows for which it is 0 of 0 are left out" if left else ""
    _put(answer, name, value, influence, found, place, n=int(found.rows[known].sum()), note=note)


def _put(answer: Answer, name: str, value: float, influence: Floats, found: Slice, place: Pairs, *, n: int, note: str) -> None:
    about = answer.metrics[name].bounds
    interval = _interval(value, influence, found, answer.level, bounded=about == (0.0, 1.0))
    said = "; ".join(filter(None, (note, interval if isinstance(interval, str) else "")))
    answer.add(name, tidy(value), slice=place, n=n, interval=None if isinstance(interval, str) else interval, note=said)


def _interval(value: float, influence: Floats, found: Slice, level: float, *, bounded: bool) -> Interval | str:
    """Student's t from a linearisation, on the logit scale for shares; or why there is none."""
    if found.block is not None and found.units < clusters.FEW:
        return clusters.short(int(found.units))
    if found.units < 2:
        return "no interval: there are not two rows"
    variance = found.variance(influence)
    if variance <= 1e-28:
        return "no interval: nothing varies"
    weighted = ", linearised for weights" if found.limbs is not None else ", linearised"
    method = METHOD if found.block is not None else f"Student's t over rows{weighted}"
    half = (beta.student(level, found.units - 1) if found.units < 1e6 else intervals.normal(level)) * math.sqrt(variance)
    if not bounded:
        return Interval(max(0.0, value - half), value + half, method)
    if not 1e-12 < value < 1 - 1e-12:
        return "no interval: nothing varies"
    centre, half = intervals.logit(value), half / (value * (1 - value))
    return Interval(intervals.expit(centre - half), intervals.expit(centre + half), f"{method}, logit scale")


def _f1(labels: Any, predictions: Any, hits: Any) -> tuple[Any, Any]:
    return 2 * hits, labels + predictions


def _jaccard(labels: Any, predictions: Any, hits: Any) -> tuple[Any, Any]:
    return hits, labels + predictions - hits


def _precision(labels: Any, predictions: Any, hits: Any) -> tuple[Any, Any]:
    return hits, predictions


def _recall(labels: Any, predictions: Any, hits: Any) -> tuple[Any, Any]:
    return hits, labels


RATIOS: Final = {"precision": _precision, "recall": _recall, "f1": _f1, "jaccard": _jaccard}
"""Numerator and denominator from the numbers of labels, of predictions and of what is both."""
WHOLE: Final = {"precision": (TP, FP), "recall": (TP, FN), "f1": (TP, FP, FN), "jaccard": (TP, FP, FN)}


def _add_average(answer: Answer, found: Slice, name: str, kind: str, place: Pairs) -> None:
    """The micro, macro or weighted average of a ratio over classes."""
    label, prediction, both = (part.astype(np.float64) for part in (found.label, found.prediction, found.both))
    above, below = RATIOS[name](label, prediction, both)
    tops, bottoms, labels = (found.weight @ part for part in (above, below, label))
    if kind == "micro":
        top, bottom = float(tops.sum()), float(bottoms.sum())
        if not bottom:
            answer.add(name, None, slice=place, n=found.judged, undefined="0 of 0 in every class")
            return
        influence = (above.sum(axis=1) - top / bottom * below.sum(axis=1)) / bottom
        _put(answer, name, top / bottom, influence, found, place, n=found.judged, note="")
        return
    known = bottoms > 0
    share = np.where(known, labels if kind == "weighted" else 1.0, 0.0)
    if not share.sum():
        answer.add(name, None, slice=place, n=found.judged, undefined="0 of 0 in every class")
        return
    share = share / float(share.sum())
    values = np.divide(tops, bottoms, out=np.zeros(len(tops)), where=known)
    value = float(share @ values)
    influence = (above - below * values) @ np.divide(share, bottoms, out=np.zeros(len(share)), where=known)
    if kind == "weighted":
        influence = influence + (label * np.where(known, values - value, 0.0)).sum(axis=1) / float(labels[known].sum())
    note = "" if known.all() else f"over {int(known.sum())} of {len(known)} classes; 0 of 0 in the others"
    few = float(bottoms[known].min()) < multiclass.FEW or not 1e-12 < value < 1 - 1e-12
    if kind == "macro" and few and not (found.block is not None and found.units < clusters.FEW):
        answer.add(name, tidy(value), slice=place, n=found.judged, interval=_of_few(found, name, answer.level), note=note)
    else:
        _put(answer, name, value, influence, found, place, n=found.judged, note=note)


def _of_few(found: Slice, name: str, level: float) -> Interval:
    """The interval of a macro average where a class has few rows: from the classes' exact intervals."""
    shares = [share for i in range(len(found.classes)) if (share := found.of(i).share((TP,), WHOLE[name])) is not None]
    parts = []
    for share in shares:
        own = intervals.f1(share, level) if name == "f1" else intervals.share(share, level)
        parts.append(Part(2 * share.value / (1 + share.value) if name == "f1" else share.value, own, 1 / len(shares)))
    interval = delta.dependent(parts)
    said = ", effective n of clusters" if found.block is not None else ", effective n of weights" if found.limbs is not None else ""
    return Interval(interval.low, interval.high, interval.method + said)
