"""Classification into many classes: the confusion matrix of every slice, the figures of each class against the rest, and their averages.

A figure that is 0 of 0 for a class is undefined; an average is taken over the classes for which it is defined, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from factbook import canon
from factbook.engines import Tally
from factbook.engines.tallies import CLUSTER, CLUSTER_BLOCKS, LABEL, PREDICTION, SCALE, Integers
from factbook.engines.tallies import sums as limb_sums
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures import binary, clusters, rates
from factbook.measures.binary import ABSTAINED, DROPPED, FN, FP, TN, TP, Counts
from factbook.measures.clusters import Blocked
from factbook.measures.rates import add_rate
from factbook.measures.request import Answer, count_metric
from factbook.measures.tagged import tagged
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import averages, delta, intervals
from factbook.statistics.averages import MACRO, RATIOS, WEIGHTED
from factbook.statistics.delta import Figure, Part
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, tidy

MOST_CLASSES: Final = 1_000
MOST_SHOWN: Final = 50
FEW: Final = 10
METRICS: Final = (
    count_metric("support", "labels of a class", "support", "rows whose label is the class"),
    count_metric("predicted", "predictions of a class", "predicted", "rows whose prediction is the class"),
    count_metric("confusion", "rows by label and prediction", "rows", "rows of a class of label and a class of prediction"),
    Metric(
        "cohen_kappa",
        "Cohen's kappa",
        "kappa",
        Unit.SCORE,
        Direction.HIGHER,
        (-1.0, 1.0),
        "(accuracy - accuracy by chance) / (1 - accuracy by chance), chance from the margins",
        "Cohen 1960, Educational and Psychological Measurement 20, 37",
        ("kappa",),
    ),
)
RATES: Final = ("precision", "recall", "specificity", "fpr", "fnr", "npv", "prevalence", "selection_rate")


@dataclass(frozen=True, eq=False)
class Labelled:
    """A tally whose cells have a class for label and prediction.

    Attributes:
        classes: their names, sorted or as declared.
        kind: per cell TN where it is judged, or ABSTAINED or DROPPED.
        label, prediction: per cell the places of its classes; 0 where it is not judged.
    """

    source: Source
    tally: Tally
    classes: tuple[str, ...]
    kind: Integers
    label: Integers
    prediction: Integers
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a slice whose rows lie in clusters: their block, their classes and what they weigh."""

    block: Integers
    label: Integers
    prediction: Integers
    weight: Floats
    level: float

    def by_kind(self, kind: Integers) -> Floats:
        """What the rows of each kind weigh, one row a block."""
        found = np.zeros((CLUSTER_BLOCKS, DROPPED + 1))
        np.add.at(found, (self.block, kind), self.weight)
        return found

    @property
    def size(self) -> int:
        """In how many blocks there are rows."""
        return len(np.unique(self.block[self.weight > 0]))


@dataclass(frozen=True, eq=False)
class Confusion:
    """The rows of one slice by class of label (rows) and of prediction (columns).

    Attributes:
        classes: their names.
        rows: how many rows.
        sums: the exact sums of weights and of squares, in units of 2^-50, or None.
        abstained, all: rows without a decision, and all rows.
        cells: where they lie, where the source declares clusters.
    """

    classes: tuple[str, ...]
    rows: Integers
    sums: np.ndarray[Any, np.dtype[np.object_]] | None
    abstained: int
    all: int
    cells: Cells | None = None

    @cached_property
    def judged(self) -> int:
        """The rows that enter the figures."""
        return int(self.rows.sum())

    @cached_property
    def table(self) -> Floats:
        """What the rows weigh."""
        return self.rows.astype(np.float64) if self.sums is None else (self.sums[:, :, 0] / (1 << SCALE)).astype(np.float64)

    @cached_property
    def squares(self) -> Floats:
        """The sums of squared weights."""
        return self.table if self.sums is None else (self.sums[:, :, 1] / (1 << SCALE)).astype(np.float64)

    def counts(self, i: int) -> Counts:
        """The four counts of one class against the rest."""
        return self._counts(
            [_against(table, i) for table in self._tables], lambda label, prediction: 2 * (label == i).astype(np.int64) + (prediction == i)
        )

    @cached_property
    def correct(self) -> Counts:
        """Rows whose prediction is the label (TP), and the others (FN)."""
        return self._counts([_hits(table) for table in self._tables], lambda label, prediction: np.where(label == prediction, TP, FN))

    @property
    def _tables(self) -> list[Any]:
        return [self.rows] if self.sums is None else [self.rows, self.sums[:, :, 0], self.sums[:, :, 1]]

    def _counts(self, found: Sequence[tuple[int, int, int, int]], kind: Callable[[Integers, Integers], Integers]) -> Counts:
        """Counts from rows (and sums of weights and of squares) by kind; `kind` tells that of a cell."""
        rows, nothing = (*found[0], 0, 0), ((0, 0), (0, 0))
        weights = (*zip(found[1], found[2], strict=True), *nothing) if len(found) > 1 else None
        if self.cells is None:
            return Counts(rows, weights)
        return Blocked(rows, weights, self.cells.by_kind(kind(self.cells.label, self.cells.prediction)), self.cells.level)

    def effective(self, figure: Figure, table: Floats) -> Floats:
        """The table scaled to as many rows as its weights and clusters are worth for a figure."""
        found, total = figure(table), float(table.sum())
        if found is None or total <= 0 or (self.sums is None and self.cells is None):
            return table
        influence, inside = found.influence(table), np.ix_(self.occurring, self.occurring)
        spread, squares = float((table * influence**2).sum()) / total, self.squares[inside]
        kish = total**2 / float(squares.sum())
        if self.cells is None:
            size = spread / (float((squares * influence**2).sum()) / total**2) if spread > 1e-20 else kish
            return table * (size / total)
        cells = self.cells
        each = influence[np.searchsorted(self.occurring, cells.label), np.searchsorted(self.occurring, cells.prediction)]
        blocks = np.bincount(cells.block, weights=cells.weight * each, minlength=CLUSTER_BLOCKS) / total
        wrong = len(np.unique(cells.block[(cells.label != cells.prediction) & (cells.weight > 0)]))
        return table * (clusters.worth(spread, blocks, cells.size, wrong, kish, cells.level) / total)

    def named(self, interval: Interval | None) -> Interval | None:
        """An interval over effective counts says so."""
        said = ", effective n of clusters" if self.cells is not None else ", effective n of weights" if self.sums is not None else ""
        return None if interval is None else replace(interval, method=interval.method + said)

    @cached_property
    def occurring(self) -> Integers:
        """The classes that are a label or a prediction here."""
        return np.flatnonzero(self.table.sum(axis=0) + self.table.sum(axis=1))


def _against(table: Any, i: int) -> tuple[int, int, int, int]:
    tp, label, prediction = int(table[i, i]), int(table[i].sum()), int(table[:, i].sum())
    return int(table.sum()) - label - prediction + tp, prediction - tp, label - tp, tp


def _hits(table: Any) -> tuple[int, int, int, int]:
    hits = int(np.trace(table))
    return 0, 0, int(table.sum()) - hits, hits


def of_two(counts: Counts) -> Confusion:
    """The four counts of two classes as a confusion matrix."""
    rows = np.array(counts.rows[: TP + 1], dtype=np.int64).reshape(2, 2)
    sums = None if counts.weights is None else np.array(counts.weights[: TP + 1], dtype=object).reshape(2, 2, 2)
    cells = None
    if isinstance(counts, Blocked) and counts.blocks is not None:
        block, kind = (item.reshape(-1) for item in np.indices((CLUSTER_BLOCKS, TP + 1)))
        cells = Cells(block, kind // 2, kind % 2, counts.blocks[:, : TP + 1].reshape(-1), counts.level)
    return Confusion(("negative", "positive"), rows, sums, counts.rows[ABSTAINED], counts.all, cells)


def read(tally: Tally, source: Source, where: str) -> Labelled:
    """Tell the cells' classes, and refuse what contradicts the declaration.

    Raises:
        SourceError: values are missing without a policy; a value is no declared class; there are too few or too many classes.
        MeasureError: the source declares no label or no prediction.
    """
    if not source.label or not source.prediction:
        what = "prediction" if source.label else "label"
        raise MeasureError(f"source {where}: no {what} declared", remedy="declare the columns of `label` and `prediction`")
    if source.label == source.prediction:
        raise MeasureError(f"source {where}: column {source.label!r} is label and prediction at once", remedy="name the column of the predictions")
    binary.refuse_missing(tally, source)
    kind = np.where(binary.outcomes(tally, source).kind <= TP, TN, binary.outcomes(tally, source).kind)
    classes = _classes(tally, source)
    place = {name: i for i, name in enumerate(classes)}
    label, prediction = (_places(tally, what, place) for what in (LABEL, PREDICTION))
    warnings = []
    if dropped := int(tally.n[kind == DROPPED].sum()):
        warnings.append(f"{source.uri}: {dropped} of {tally.rows} rows were left out because a value is missing (policy: drop)")
    if not (kind == TN).any():
        warnings.append(f"{source.uri}: no row is left to judge")
    return Labelled(source, tally, classes, kind, label, prediction, tuple(warnings))


def _places(tally: Tally, what: str, place: Mapping[str, int]) -> Integers:
    """Per cell the place of its class; 0 for what is no class."""
    codes = np.array([0, *(place.get(value, 0) for value in tally.values_of(what))], dtype=np.int64)
    found: Integers = codes[tally.codes_of(what)]
    return found


def _classes(tally: Tally, source: Source) -> tuple[str, ...]:
    labels = tally.values_of(LABEL)
    predictions = tuple(value for value in tally.values_of(PREDICTION) if value != source.abstain)
    if source.classes:
        for what, column, values in ((LABEL, source.label, labels), (PREDICTION, source.prediction, predictions)):
            if strange := [value for value in values if value not in source.classes]:
                count = sum(tally.count(what, tally.code(what, value)) for value in strange)
                raise SourceError(
                    f"{source.uri}: column {column!r} holds {', '.join(map(repr, strange[:5]))} in {count} of {tally.rows} rows: no declared class",
                    remedy="add it to `classes`, or declare which values mean the same under `labels`",
                )
        return tuple(source.classes)
    found = tuple(sorted({*labels, *predictions}))
    _refuse_alike(source, labels, predictions)
    if len(found) <= 2:
        shown = ", ".join(map(repr, found))
        raise SourceError(
            f"{source.uri}: label column {source.label!r} and predictions hold {shown}, and no `positive` is declared",
            remedy=f'declare `positive: "{found[-1] if found else "VALUE"}"`, or name the `classes`',
        )
    if len(found) > MOST_CLASSES:
        raise SourceError(
            f"{source.uri}: label column {source.label!r} and predictions hold {len(found):,} values; at most {MOST_CLASSES:,} classes are compared",
            remedy="is it a number? plan a regression; else group the classes",
        )
    return found


def _refuse_alike(source: Source, labels: Sequence[str], predictions: Sequence[str]) -> None:
    """A prediction that is the same number as a label and only written otherwise (`1.0` for `1`) would be a class of its own."""
    numbers = {number: text for text in labels if (number := canon.number(text)) is not None}
    for text in predictions:
        meant = numbers.get(number) if (number := canon.number(text)) is not None else None
        if meant is not None and text not in labels:
            raise SourceError(
                f"{source.uri}: column {source.prediction!r} holds {text!r}, column {source.label!r} {meant!r}: one number, written in two ways",
                remedy=f'write both alike, or declare `labels: {{"{text}": "{meant}"}}` and so on',
            )


def confusions(found: Labelled, by: Sequence[str], level: float = 0.95) -> Iterator[tuple[Pairs, Confusion]]:
    """The confusion matrix of every slice of a combination of attributes; without attributes, of all rows. The level is that of the intervals."""
    inside = binary.placed(found.tally, found.source, by)
    tally = found.tally.where(inside)
    names, index = binary.slices(tally, by)
    kind, label, prediction = found.kind[inside], found.label[inside], found.prediction[inside]
    order = np.argsort(index, kind="stable")
    ends = np.searchsorted(index[order], np.arange(len(names) + 1))
    size = len(found.classes)
    for i, name in enumerate(names):
        every = order[ends[i] : ends[i + 1]]
        cells = every[kind[every] == TN]
        rows = np.zeros((size, size), dtype=np.int64)
        np.add.at(rows, (label[cells], prediction[cells]), tally.n[cells])
        sums = None if tally.weights is None else _sums(tally.weights[cells], label[cells], prediction[cells], size)
        own = _cells(tally, cells, label, prediction, level) if CLUSTER in tally.dimensions else None
        yield name, Confusion(found.classes, rows, sums, int(tally.n[every[kind[every] == ABSTAINED]].sum()), int(tally.n[every].sum()), own)


def _cells(tally: Tally, cells: Integers, label: Integers, prediction: Integers, level: float) -> Cells:
    names = np.array([0, *(int(text) for text in tally.values_of(CLUSTER))], dtype=np.int64)
    weight = tally.n[cells].astype(np.float64) if tally.weights is None else limb_sums(tally.weights[cells])[:, 0]
    return Cells(names[tally.codes_of(CLUSTER)[cells]], label[cells], prediction[cells], weight, level)


def _sums(limbs: Integers, label: Integers, prediction: Integers, size: int) -> np.ndarray[Any, np.dtype[np.object_]]:
    totals = np.zeros((size, size, 4), dtype=np.int64)
    np.add.at(totals, (label, prediction), limbs)
    whole = totals.astype(object)
    return np.stack([whole[:, :, 0] * (1 << 34) + whole[:, :, 1], whole[:, :, 2] * (1 << 34) + whole[:, :, 3]], axis=2)


def add(answer: Answer, found: Confusion, place: Pairs, *, abstains: bool, cells: bool) -> None:
    """All figures of one slice that need no scores.

    Args:
        answer: takes the facts.
        found: the confusion matrix.
        place: the slice.
        abstains: whether the source declares a prediction that means "no decision".
        cells: whether the counts of the confusion matrix are given.
    """
    answer.add("rows", found.judged, slice=place, n=found.judged)
    if abstains:
        answer.add("abstained", found.abstained, slice=place, n=found.all)
    if not place and (dropped := found.all - found.judged - found.abstained):
        answer.add("dropped", dropped, n=found.all)
    answer = clusters.fit(answer, found.correct, (TP, FN))
    add_correct(answer, "accuracy", found.correct, place)
    for name in RATIOS:
        add_correct(tagged(answer, average="micro"), name, found.correct, place, note="every row has one label and one prediction: equals accuracy")
        for kind in (MACRO, WEIGHTED):
            add_average(tagged(answer, average=kind), name, found, kind, place)
    add_average(answer, "balanced_accuracy", found, MACRO, place)
    for name, figure, said in (("cohen_kappa", averages.kappa, ALIKE), ("mcc", averages.matthews, SIDE)):
        add_correlation(answer, name, found, figure, said, place)
    for i, name in enumerate(found.classes):
        _add_class(tagged(answer, **{"class": name}), found, i, place)
    for i, j in np.ndindex(found.rows.shape) if cells else ():
        tags = {"label": found.classes[i], "prediction": found.classes[j]}
        tagged(answer, **tags).add("confusion", int(found.rows[i, j]), slice=place, n=found.judged)


ALIKE: Final = "0 of 0: all labels and predictions are one class"
SIDE: Final = "0 of 0: labels or predictions are all alike"


def add_correct(answer: Answer, name: str, counts: Counts, place: Pairs, note: str = "") -> None:
    """The share of rows that are counted as TP among TP and FN."""
    share, evidence, n = counts.share((TP,), (TP, FN)), counts.evidence((TP,), (TP, FN)), counts.count((TP, FN))
    if share is None:
        answer.add(name, None, slice=place, n=n, counts=evidence, undefined="all weights are 0" if n else "0 of 0: no rows")
        return
    value = evidence["k"] / evidence["n"] if counts.weights is None else evidence["weighted_k"] / evidence["weighted_n"]
    answer.add(name, value, slice=place, n=n, counts=evidence, interval=intervals.share(share, answer.level), note=note)


def _add_class(answer: Answer, found: Confusion, i: int, place: Pairs) -> None:
    """One class against the rest."""
    counts = found.counts(i)
    answer.add("support", counts.count((TP, FN)), slice=place, n=found.judged)
    answer.add("predicted", counts.count((TP, FP)), slice=place, n=found.judged)
    for kind, name in enumerate(binary.CELLS):
        answer.add(name, counts.rows[kind], slice=place, n=found.judged)
    for name in RATES:
        add_rate(clusters.fit(answer, counts, rates.RATES[name].whole), name, counts, place)
    add_f1(clusters.fit(answer, counts, (TP, FP, FN)), counts, place)


def add_f1(answer: Answer, counts: Counts, place: Pairs) -> None:
    """F1 of two classes: undefined where nothing is positive."""
    jaccard = counts.share((TP,), (TP, FP, FN))
    names = {"tp": counts.rows[TP], "fp": counts.rows[FP], "fn": counts.rows[FN]}
    if jaccard is None:
        n = sum(names.values())
        said = "all weights are 0" if n else "0 of 0: no label and no prediction is positive"
        answer.add("f1", None, slice=place, n=n, counts=names, undefined=said)
        return
    answer.add("f1", 2 * jaccard.value / (1 + jaccard.value), slice=place, interval=_f1(counts, answer.level), n=sum(names.values()), counts=names)


def _f1(counts: Counts, level: float) -> Interval:
    jaccard = counts.share((TP,), (TP, FP, FN))
    assert jaccard is not None
    return intervals.f1(jaccard, level)


def add_average(answer: Answer, name: str, found: Confusion, kind: str, place: Pairs) -> None:
    """A macro or weighted average over the classes for which the figure is defined."""
    metric = "recall" if name == "balanced_accuracy" else name
    table = found.table[np.ix_(found.occurring, found.occurring)]
    value = averages.average(metric, kind)(table) if len(table) else None
    known = np.isfinite(RATIOS[metric].values(found.table))
    missing = [repr(found.classes[i]) for i in np.flatnonzero(~known)]
    if value is None:
        answer.add(name, None, slice=place, n=found.judged, undefined="0 of 0 in every class")
        return
    note = f"over {int(known.sum())} of {len(known)} classes; 0 of 0 in {_some(missing)}" if missing else ""
    interval = average_interval(found, metric, answer.level, kind)
    answer.add(name, tidy(value.value), slice=place, n=found.judged, interval=interval, note=note)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def average_interval(found: Confusion, metric: str, level: float, kind: str = MACRO) -> Interval | None:
    """The interval of an average over classes.

    Macro precision and recall average independent proportions; F1 of classes depend, and averages of few rows a class are not normal.
    """
    table, figure = found.table[np.ix_(found.occurring, found.occurring)], averages.average(metric, kind)
    few = float(RATIOS[metric].below(table).min()) < FEW
    if kind == MACRO and (few or (metric != "f1" and found.cells is None)):
        parts = list(_parts(found, metric, level))
        return found.named(delta.dependent(parts) if metric == "f1" or found.cells is not None else delta.independent(parts))
    return found.named(delta.interval(found.effective(figure, table), figure, level))


def _parts(found: Confusion, metric: str, level: float) -> Iterator[Part]:
    """The classes' own figures and intervals, each with its share in the macro average."""
    whole = {"precision": (TP, FP), "recall": (TP, FN), "f1": (TP, FP, FN)}[metric]
    counts = [found.counts(i) for i in range(len(found.classes))]
    shares = [(item, share) for item in counts if (share := item.share((TP,), whole)) is not None]
    for item, share in shares:
        if metric == "f1":
            yield Part(2 * share.value / (1 + share.value), _f1(item, level), 1 / len(shares))
        else:
            yield Part(share.value, intervals.share(share, level), 1 / len(shares))


def add_correlation(
    answer: Answer, name: str, found: Confusion, figure: Figure, said: str, place: Pairs, counts: Mapping[str, int] | None = None
) -> None:
    """Kappa or Matthews' correlation, undefined where `said`."""
    table = found.table[np.ix_(found.occurring, found.occurring)]
    value = figure(table) if len(table) else None
    if value is None:
        answer.add(name, None, slice=place, n=found.judged, counts=counts, undefined=said)
        return
    interval = found.named(delta.interval(found.effective(figure, table), figure, answer.level, correlation=True))
    answer.add(name, tidy(value.value), slice=place, n=found.judged, counts=counts, interval=interval)
