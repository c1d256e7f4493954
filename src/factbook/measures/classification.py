"""Classification: counts, rates, and what the scores are worth, overall and by slice.

With `positive` declared, of two classes; without, of as many as label and prediction hold (`multiclass`).

    {measure: classification, data: holdout, by: [site], top_k: [1, 3], confusion: slices}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import repeat
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from factbook import sources
from factbook.errors import MeasureError
from factbook.manifest import Source
from factbook.measures import binary, class_scores, cluster_scores, clusters, curves, multiclass, multilabel, rows, scores
from factbook.measures.binary import FN, FP, TN, TP, Counts
from factbook.measures.rates import COUNTS, RATES, add_counts, add_rate
from factbook.measures.request import Answer, Request
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import averages, intervals
from factbook.statistics.moments import tidy

VERSION: Final = 5
ROLES: Final = ("data",)
PARAMS: Final = ("top_k", "confusion", "curves", "thresholds", "criterion", "curves_in")
METRICS: Final = (
    *COUNTS,
    *(rate.metric for rate in RATES.values()),
    Metric(
        "f1",
        "F1 score",
        "F1",
        Unit.SCORE,
        Direction.HIGHER,
        (0.0, 1.0),
        "2 tp / (2 tp + fp + fn)",
        "van Rijsbergen 1979",
        ("f_score", "f_measure", "dice"),
    ),
    Metric(
        "balanced_accuracy",
        "balanced accuracy",
        "balanced accuracy",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "(recall + specificity) / 2",
        "Brodersen et al. 2010, ICPR, 3121",
    ),
    Metric(
        "mcc",
        "Matthews correlation coefficient",
        "MCC",
        Unit.SCORE,
        Direction.HIGHER,
        (-1.0, 1.0),
        "(tp tn - fp fn) / sqrt((tp+fp)(tp+fn)(tn+fp)(tn+fn))",
        "Matthews 1975, BBA 405, 442",
        ("matthews", "phi"),
    ),
    *scores.METRICS,
    *multiclass.METRICS,
    *class_scores.METRICS,
    *curves.METRICS,
    *multilabel.METRICS,
)


def _every(value: Any) -> Any:
    """`curves: yes` is short for all of them."""
    return curves.KINDS if value in ("yes", "true", "all") else () if value in ("no", "false") else value


class Parameters(rows.Parameters):
    """What is measured beyond the usual.

    Attributes:
        top_k: the ranks for top-k accuracy.
        confusion: where the counts of the confusion matrix of many classes are given.
        curves: which curves of a score; `yes` for all.
        thresholds: at which scores the rates are given.
        criterion: by which the best of them is told.
        curves_in: where curves are given.
    """

    top_k: tuple[Annotated[int, Field(ge=1)], ...] = (1, 3, 5)
    confusion: Literal["overall", "slices", "no"] = "overall"
    curves: Annotated[tuple[Literal["thresholds", "roc", "precision-recall", "gains", "calibration"], ...], BeforeValidator(_every)] = ()
    thresholds: tuple[Annotated[Decimal, Field(ge=0, le=1)], ...] = ()
    criterion: Literal["", "f1", "balanced_accuracy", "accuracy"] = ""
    curves_in: Literal["overall", "slices"] = "overall"

    @model_validator(mode="after")
    def _together(self) -> Parameters:
        if self.criterion and "thresholds" not in self.kinds:
            raise ValueError("`criterion` chooses among `thresholds`: give some, or `curves: [thresholds]`")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The curves that are planned."""
        return tuple(dict.fromkeys((*self.curves, *(("thresholds",) if self.thresholds else ()))))

    @property
    def cuts(self) -> tuple[str, ...]:
        """The thresholds as they are named."""
        return tuple(f"{cut.normalize():f}" for cut in self.thresholds) or curves.GRID


def propose(source_name: str, source: Source, protected: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    """`performance` for a source with labels and predictions, by each of its attributes."""
    if not source.label or not (source.prediction or source.score):
        return None
    planned: dict[str, Any] = {"measure": "classification", "data": source_name}
    return "performance", {**planned, "by": list(source.by)} if source.by else planned


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter has no value that can be used; the source declares no label or no predictions.
        SourceError: the rows contradict the declaration.
    """
    given = rows.parameters(Parameters, request)
    if request.source().positive:
        _two(request, answer, given)
    elif request.source().multilabel:
        _sets(request, answer)
    else:
        _many(request, answer, given)


def _two(request: Request, answer: Answer, given: Parameters) -> None:
    source = request.source()
    outcomes = binary.read(request.tally(), source, request.source_name())
    answer.warnings += outcomes.warnings
    if given.kinds and not source.score:
        raise MeasureError(f"plan.{request.name}: curves need a score", remedy="declare the source's `score`")
    for by in sorted(((), *request.slices()), key=len, reverse=True):  # sums of few slices follow from those of many
        found = clusters.counts(outcomes, by, answer.level)
        _absent(answer, source, by, found, RATES)
        scored = scores.along(outcomes, by, found) if source.score else repeat(None, len(found))
        spread = dict(cluster_scores.by_slice(outcomes, by)) if source.score and source.cluster else {}
        for (place, counts), own in zip(found.items(), scored, strict=True):
            add_counts(answer, counts, place, abstains=bool(source.abstain))
            for name, rate in RATES.items():
                add_rate(clusters.fit(answer, counts, rate.whole), name, counts, place)
            _summaries(answer, counts, place)
            if source.score:
                scores.add(cluster_scores.robust(answer, own, spread[place]) if place in spread else answer, own, counts, place)
                if own is not None and given.kinds and (given.curves_in == "slices" or not place):
                    at = curves.Place(place, counts, own, spread.get(place), _narrow(request))
                    curves.add(answer, at, given.kinds, given.cuts, given.criterion)


def _narrow(request: Request) -> bool:
    source = request.source()
    return sources.table(source, request.root, request.store).column(source.score, "score").type == "FLOAT"


def _many(request: Request, answer: Answer, given: Parameters) -> None:
    source = request.source()
    found = multiclass.read(request.tally(), source, request.source_name())
    answer.warnings += found.warnings
    slices = ((), *request.slices())
    for by in slices:
        tables = dict(multiclass.confusions(found, by, answer.level))
        _absent(answer, source, by, tables, ("accuracy",))
        for place, table in tables.items():
            cells = len(found.classes) <= multiclass.MOST_SHOWN and (given.confusion == "slices" or (given.confusion == "overall" and not place))
            multiclass.add(answer, table, place, abstains=bool(source.abstain), cells=cells)
    if any(source.classes.values()):
        class_scores.add(request, answer, slices, [k for k in given.top_k if k < len(found.classes)])


def _sets(request: Request, answer: Answer) -> None:
    source = request.source()
    found = multilabel.read(request.tally(), source, request.source_name())
    answer.warnings += found.warnings
    for by in ((), *request.slices()):
        parts = dict(multilabel.slices(found, by, answer.level))
        _absent(answer, source, by, parts, ())
        for place, part in parts.items():
            multilabel.add(answer, part, place, abstains=bool(source.abstain))


def _absent(answer: Answer, source: Source, by: tuple[str, ...], found: Mapping[Pairs, object], rates: Iterable[str]) -> None:
    """Groups that are named or cut in the declaration but do not occur: 0 rows, so that nobody reads them as forgotten."""
    if len(by) != 1:
        return
    group = source.by[by[0]]
    seen = {place[0][1] for place in found}
    for value in dict.fromkeys((*group.bands(), *group.names.values())):
        if value not in seen and not (group.cuts and value not in group.bands()):
            answer.warnings.append(f"{source.uri}: no row has {by[0]} = {value!r}, which is declared")
            place = ((by[0], value),)
            answer.add("rows", 0, slice=place, n=0)
            for name in rates:
                add_rate(answer, name, Counts((0,) * 6), place)


def _summaries(answer: Answer, counts: Counts, place: Pairs) -> None:
    """F1, balanced accuracy and MCC: undefined where their denominator is 0."""
    multiclass.add_f1(clusters.fit(answer, counts, (TP, FP, FN)), counts, place)
    answer = clusters.fit(clusters.fit(answer, counts, (TP, FN)), counts, (TN, FP))
    recall, specificity = counts.share((TP,), (TP, FN)), counts.share((TN,), (TN, FP))
    every = {name: counts.rows[kind] for kind, name in enumerate(binary.CELLS)}
    if recall is None or specificity is None:
        missing, kinds = ("positive", (TP, FN)) if recall is None else ("negative", (TN, FP))
        said = f"all weights of {missing} labels are 0" if counts.count(kinds) else f"no label is {missing}"
        answer.add("balanced_accuracy", None, slice=place, n=counts.judged, counts=every, undefined=said)
    else:
        value = (recall.value + specificity.value) / 2
        found = multiclass.average_interval(multiclass.of_two(counts), "recall", answer.level) if recall.clustered else None
        found = found or intervals.balanced(recall, specificity, answer.level)
        answer.add("balanced_accuracy", value, slice=place, interval=found, n=counts.judged, counts=every)
    _matthews(answer, counts, place, every)


def _matthews(answer: Answer, counts: Counts, place: Pairs, every: Mapping[str, int]) -> None:
    if counts.weights is not None or isinstance(counts, clusters.Blocked):
        multiclass.add_correlation(answer, "mcc", multiclass.of_two(counts), averages.matthews, multiclass.SIDE, place, every)
        return
    tn, fp, fn, tp = counts.rows[: TP + 1]
    below = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    if not below:
        answer.add("mcc", None, slice=place, n=counts.judged, counts=every, undefined=multiclass.SIDE)
        return
    value = tidy((tp * tn - fp * fn) / math.sqrt(below))
    answer.add("mcc", value, slice=place, interval=intervals.phi(tp, fp, fn, tn, answer.level), n=counts.judged, counts=every)
