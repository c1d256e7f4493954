"""Learning curves: how a model does on the rows that it was trained on and on others, by the number of rows that it was trained on.

    {measure: learning, data: curve, size: customers, on: judged_on, training: training, model: model}

The source has a row for every judgement: which model (or one only), trained on how many rows, judged a row of which set, and what it said.
`training` is the value of the column `on` that marks a row which the model was trained on; all other rows are test rows. The gap is training less
test. The gain is what test rows gained from the smallest training set to the largest; the rows are often the same, and its interval takes them as
others: it is then too wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures import rows
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, two_rates
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import tidy

VERSION: Final = 2
ROLES: Final = ("data",)
PARAMS: Final = ("size", "on", "training", "model")
TRAINING: Final = "training"
TEST: Final = "test"
_NEWCOMBE: Final = "Newcombe 1998, Statistics in Medicine 17, 873"
_MOVER: Final = "Zou & Donner 2008, Statistics in Medicine 27, 1693"
_FIGURES: Final = {"accuracy": "rows judged right / rows", "f1": "2 tp / (2 tp + fp + fn)"}
_TITLES: Final = {"accuracy": "accuracy", "f1": "F1"}


def _metrics(name: str) -> Iterator[Metric]:
    title, unit = _TITLES[name], Unit.FRACTION if name == "accuracy" else Unit.SCORE
    points = Unit.POINTS if name == "accuracy" else Unit.SCORE
    yield Metric(name, title, title, unit, Direction.HIGHER, (0.0, 1.0), _FIGURES[name], "")
    for kind, said in (("gap", "on training rows less on test rows"), ("gain", "on test rows, with the most training rows less with the fewest")):
        words = f"{title}, {kind}"
        yield Metric(
            f"{name}_{kind}", words, words, points, Direction.NEITHER, (-1.0, 1.0), f"{title} {said}", _NEWCOMBE if name == "accuracy" else _MOVER
        )


METRICS: Final = (
    count_metric("rows", "rows", "n", "judgements with a label and a prediction"),
    count_metric("trained_on", "rows trained on", "trained on", "rows that the model was trained on, as the source says"),
    *(metric for name in _FIGURES for metric in _metrics(name)),
)


class Parameters(rows.Parameters):
    """The columns of the number of training rows, of the set that a row is of, and of the model; and the value that marks training rows."""

    size: str
    on: str
    training: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A value with its interval; None where it is undefined."""

    value: float | None
    interval: Interval | None
    n: int
    counts: Mapping[str, int]


def measure(request: Request, answer: Answer) -> None:
    """Accuracy and, of two classes, F1 of every model and size, on training and on test rows; gaps and gains.

    Raises:
        MeasureError: the source declares no label, or weights or clusters, which this measure does not know.
        SourceError: a size is no number, no row is a training row, or a size has rows of one kind only.
    """
    source, given = request.source(), rows.parameters(Parameters, request)
    if not source.label:
        raise MeasureError(f"source {request.source_name()}: no label declared", remedy="declare `label` (and `positive` for two classes)")
    if source.weight or source.cluster:
        raise MeasureError(
            f"source {request.source_name()}: learning knows no weights and clusters", remedy="declare a source of its own without them"
        )
    found = rows.read(request, _columns(source, given))
    answer.warnings += found.warnings
    rows.protect(request, answer, [], found)
    for model, places in _places(found, "model").items():
        _add(answer, source, found, places, (("model", model),) if given.model else (), given)


def _columns(source: Source, given: Parameters) -> Iterator[Wanted]:
    yield Wanted("label", source.label, number=False, policy="label")
    if source.prediction:
        yield Wanted("said", source.prediction, number=False, policy="prediction")
    else:
        yield Wanted("score", source.score, number=True, policy="prediction")
    yield Wanted("size", given.size, number=False, policy="prediction")
    yield Wanted("on", given.on, number=False, policy="prediction")
    if given.model:
        yield Wanted("model", given.model, number=False, policy="prediction")


def _places(found: Rows, role: str) -> dict[str, Flags]:
    """Per text of a column the rows that have it; all rows where there is no such column."""
    if role not in found.texts:
        return {"": np.ones(found.count, dtype=bool)}
    item = found.texts[role]
    return {value: item.codes == code for code, value in enumerate(item.values, 1)}


def _add(answer: Answer, source: Source, found: Rows, places: Flags, named: Pairs, given: Parameters) -> None:
    """The curve of one model."""
    sets = _places(found, "on")
    if given.training not in sets:
        raise SourceError(
            f"{source.uri}: no row has {given.on} = {given.training!r}", remedy=f"name the value that marks training rows: {list(sets)}"
        )
    trained = sets[given.training]
    sizes = sorted(((size, where & places) for size, where in _places(found, "size").items() if (where & places).any()), key=_number(source, given))
    tests: list[dict[str, _Figure]] = []
    for size, where in sizes:
        if not (where & trained).any() or not (where & ~trained).any():
            raise SourceError(f"{source.uri}: {given.size} = {size} has no {'test' if (where & trained).any() else 'training'} rows")
        both = [_judged(source, found, where & part, answer.level) for part in (trained, ~trained)]
        for on, figures in zip((TRAINING, TEST), both, strict=True):
            params = (*named, ("on", on), ("size", size))
            answer.add("rows", figures["accuracy"].n, params=params, n=figures["accuracy"].n)
            for name, figure in figures.items():
                said = "" if figure.value is not None else "0 of 0: no label and no prediction is positive"
                answer.add(name, figure.value, params=params, interval=figure.interval, n=figure.n, counts=figure.counts, undefined=said)
        answer.add("trained_on", int(Decimal(size)), params=(*named, ("size", size)))
        _differ(answer, "gap", both[0], both[1], (*named, ("size", size)))
        tests.append(both[1])
    if len(sizes) > 1:
        _differ(answer, "gain", tests[-1], tests[0], named)


def _number(source: Source, given: Parameters) -> Callable[[tuple[str, Flags]], Decimal]:
    def key(item: tuple[str, Flags]) -> Decimal:
        try:
            return Decimal(int(item[0]))
        except ValueError as error:
            raise SourceError(f"{source.uri}: {given.size} = {item[0]!r} is no whole number of rows") from error

    return key


def _judged(source: Source, found: Rows, chosen: Flags, level: float) -> dict[str, _Figure]:
    """Accuracy and F1 of some rows."""
    label = _values(source, found, "label")[chosen]
    if "said" in found.texts:
        said = _values(source, found, "said")[chosen]
        right = label == said
        positive = said == source.positive
    else:
        positive = found.numbers["score"][chosen] >= float(source.cut or 0)
        right = positive == (label == source.positive)
    n, k = len(right), int(right.sum())
    figures = {"accuracy": _Figure(tidy(k / n), intervals.proportion(k, n, level), n, {"k": k, "n": n})}
    if source.positive:
        figures["f1"] = _f1(label == source.positive, positive, level)
    return figures


def _f1(label: Flags, positive: Flags, level: float) -> _Figure:
    tp, fp, fn = int((label & positive).sum()), int((~label & positive).sum()), int((label & ~positive).sum())
    counts = {"tp": tp, "fp": fp, "fn": fn}
    if not tp + fp + fn:
        return _Figure(None, None, 0, counts)
    return _Figure(tidy(2 * tp / (2 * tp + fp + fn)), intervals.f1(Share(tp, tp + fp + fn), level), tp + fp + fn, counts)


def _values(source: Source, found: Rows, role: str) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Values as the source declares that they mean the same."""
    item = found.texts[role]
    named: np.ndarray[tuple[int], np.dtype[np.str_]] = np.array(["", *(source.labels.get(value, value) for value in item.values)])[item.codes]
    return named


def _differ(answer: Answer, kind: str, first: Mapping[str, _Figure], second: Mapping[str, _Figure], params: Pairs) -> None:
    """The difference of the figures of two sets of rows, taken as independent: of proportions Newcombe's interval, else from both intervals."""
    for name in first:
        a, b = first[name], second[name]
        if a.value is None or b.value is None:
            answer.add(f"{name}_{kind}", None, params=params, undefined="one of the figures is undefined")
            continue
        share = {"k", "n"} <= set(a.counts)
        found = two_rates.newcombe(a.counts["k"], a.n, b.counts["k"], b.n, answer.level) if share else _mover(a, b)
        answer.add(f"{name}_{kind}", tidy(a.value - b.value), params=params, interval=found)


def _mover(a: _Figure, b: _Figure) -> Interval | None:
    """The interval of a difference from the intervals of both, taken as independent (Zou & Donner 2008)."""
    if a.interval is None or b.interval is None or a.value is None or b.value is None:
        return None
    found = two_rates.mover(a.value, a.interval, b.value, b.interval)
    return Interval(max(-1.0, found.low), min(1.0, found.high), "MOVER, taken as independent")
