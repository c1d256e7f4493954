"""Whether a model got worse: accuracy and AUC of the reference, of the current table and of its blocks, and how far they are from the reference.

For sources that declare a label with a prediction (or a score with its cut): accuracy; with a score and the positive value: AUC. Rows without one of
them are left out. Rows are taken as independent; those of a log that follow each other seldom are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from factbook.engines import columns, sketches, sketching
from factbook.engines.sketches import NO_NUMBERS, Numbers, Sketch
from factbook.engines.sketching import Split
from factbook.manifest import Source
from factbook.measures import divergences, scores
from factbook.measures.periods import Options, time_split
from factbook.measures.request import Answer, Request
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.sources import Table, quote
from factbook.statistics import intervals, two_rates
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import tidy

_NEITHER: Final = Direction.NEITHER
METRICS: Final = (
    Metric(
        "accuracy", "accuracy", "accuracy", Unit.FRACTION, Direction.HIGHER, (0.0, 1.0), "rows whose prediction is the label / rows with both", ""
    ),
    Metric(
        "accuracy_difference",
        "accuracy, difference from the reference",
        "accuracy difference",
        Unit.POINTS,
        Direction.HIGHER,
        (-1.0, 1.0),
        "accuracy - accuracy of the reference",
        "Newcombe 1998",
    ),
    Metric(
        "auc",
        "area under the ROC curve",
        "AUC",
        Unit.SCORE,
        Direction.HIGHER,
        (0.0, 1.0),
        "P(score of a positive > score of another) + P(equal) / 2",
        "DeLong et al. 1988, Biometrics 44, 837",
    ),
    Metric(
        "auc_difference",
        "AUC, difference from the reference",
        "AUC difference",
        Unit.SCORE,
        Direction.HIGHER,
        (-1.0, 1.0),
        "AUC - AUC of the reference",
        "DeLong et al. 1988, Biometrics 44, 837",
    ),
)


@dataclass(frozen=True)
class Outcome:
    """What became of some rows: how many were judged right, of how many; and the scores of positives and of the others."""

    right: int = 0
    judged: int = 0
    positive: Numbers = NO_NUMBERS
    other: Numbers = NO_NUMBERS

    def __add__(self, more: Outcome) -> Outcome:
        return Outcome(
            self.right + more.right,
            self.judged + more.judged,
            sketches.merged(self.positive, more.positive),
            sketches.merged(self.other, more.other),
        )


def add(request: Request, answer: Answer, options: Options, tables: Mapping[str, Table]) -> None:
    """Facts of the reference, of the current table and, in time, of its blocks; nothing where a source does not declare what is needed."""
    if not all(_declared(request.source(role)) for role in tables):
        return
    blocks = _outcomes(request, options, tables["current"], "current")
    if request.source_name("reference") == request.source_name("current"):
        names = list(blocks)
        before, after = names[: options.baseline], names[options.baseline :]
        reference = _total([blocks[name] for name in before])
        blocks = {name: blocks[name] for name in after}
    else:
        reference = _total(list(_outcomes(request, options, tables["reference"], "reference").values()))
    _add(answer, reference, None, (("data", "reference"),))
    _add(answer, _total(list(blocks.values())), reference, (("data", "current"),))
    for name in blocks if options.in_time else ():
        _add(answer, blocks[name], reference, (("block", name),))


def _declared(source: Source) -> bool:
    return bool(source.label and (source.prediction or source.score))


def _total(parts: Sequence[Outcome]) -> Outcome:
    found = Outcome()
    for part in parts:
        found = found + part
    return found


def _outcomes(request: Request, options: Options, table: Table, role: str) -> dict[str, Outcome]:
    """Per block (one, '', of a table that is not cut in time), in order."""
    source = request.source(role)
    timed = role == "current" and options.in_time
    splits = [time_split(request, options, table, source, role)] if timed else []
    splits.append(Split(f"CAST({quote(source.label)} AS VARCHAR)"))
    decided = bool(source.score and source.cut is not None and not source.prediction)
    if decided:
        number = columns.number(table.column(source.score, "score"), "score", table)
        splits.append(Split(f"CASE WHEN {number} >= {source.cut:f} THEN '1' WHEN {number} < {source.cut:f} THEN '0' END"))
    wanted = {name: category for name, category in ((source.prediction, True), (source.score, False)) if name}
    found: dict[str, Outcome] = {}
    for cell, sketched in sketching.scan(table, source, wanted, request.store, request.progress, splits).items():
        block, label = (cell[0], cell[1]) if timed else ("", cell[0])
        if label:
            one = _outcome(source, source.labels.get(label, label), sketched, cell[-1] if decided else "")
            found[block] = found.get(block, Outcome()) + one
    return {block: found[block] for block in sorted(found, key=lambda name: (int(name), "") if name.isdecimal() else (-1, name))}


def _outcome(source: Source, label: str, sketched: Mapping[str, Sketch], decision: str) -> Outcome:
    right = judged = 0
    if source.prediction:
        texts = sketched[source.prediction].renamed(source.labels).texts
        if texts is not None and not texts.overflow:
            own = dict(zip(texts.values, texts.n.tolist(), strict=True))
            own.pop(source.abstain or "", None)
            right, judged = own.get(label, 0), sum(own.values())
    elif decision and source.positive:
        judged = sketched[source.score].present
        right = judged if (decision == "1") == (label == source.positive) else 0
    numbers = sketched[source.score].numbers if source.score else None
    if numbers is None or not source.positive:
        return Outcome(right, judged)
    return Outcome(right, judged, numbers, NO_NUMBERS) if label == source.positive else Outcome(right, judged, NO_NUMBERS, numbers)


def _add(answer: Answer, own: Outcome, reference: Outcome | None, params: Pairs) -> None:
    if own.judged:
        counts = {"k": own.right, "n": own.judged}
        interval = intervals.proportion(own.right, own.judged, answer.level)
        answer.add("accuracy", own.right / own.judged, params=params, n=own.judged, counts=counts, interval=interval)
        if reference is not None and reference.judged:
            both = own.right, own.judged, reference.right, reference.judged
            value = own.right / own.judged - reference.right / reference.judged
            more = {"k_reference": reference.right, "n_reference": reference.judged}
            change = two_rates.newcombe(*both, answer.level)
            answer.add("accuracy_difference", tidy(value), params=params, n=own.judged + reference.judged, counts=counts | more, interval=change)
    if own.positive.count + own.other.count:
        _add_area(answer, own, reference, params)


def _add_area(answer: Answer, own: Outcome, reference: Outcome | None, params: Pairs) -> None:
    n = own.positive.count + own.other.count
    said = "" if own.positive.count and own.other.count else "only one class has scores"
    if said:
        answer.add("auc", None, params=params, n=n, undefined=said)
        return
    area = _area(own)
    note = f"scores are counted in bins: ± {area.ties:.2g}" if area.ties else ""
    counts = {"positives": own.positive.count, "negatives": own.other.count}
    interval = _area_interval(area, answer.level)
    note = "no interval: a class has one row" if any(math.isnan(part) for part in area.parts) else note
    answer.add("auc", tidy(area.value), params=params, n=n, counts=counts, interval=interval, note=note)
    if reference is not None and reference.positive.count and reference.other.count:
        before = _area(reference)
        value, change, base = area.value - before.value, None, _area_interval(before, answer.level)
        if interval is not None and base is not None:
            found = two_rates.mover(area.value, interval, before.value, base)
            change = replace(found, low=max(-1.0, found.low), high=min(1.0, found.high))
        answer.add("auc_difference", tidy(value), params=params, n=n + reference.positive.count + reference.other.count, interval=change)


def _area_interval(area: scores.Area, level: float) -> Interval | None:
    return None if any(math.isnan(part) for part in area.parts) else intervals.area(area.value, area.parts, area.sizes, level)


def _area(own: Outcome) -> scores.Area:
    pair = divergences.Pair.of(own.other, own.positive)
    weights = pair.current.astype(np.float64), pair.reference.astype(np.float64)
    return scores.area(scores.Scored(pair.lows, pair.highs, weights, weights, own.positive.exact and own.other.exact))
