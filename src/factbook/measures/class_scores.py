"""What the scores of many classes are worth: of each class against the rest, and of the label's own and the highest score.

Each statistic is read from a tally of its own: of the score of a class, of the score of the label (log loss), of half the squared distance (Brier),
of the highest score (calibration), of the rank of the label (top-k). So they are exact, or bounded, and weighted like those of two classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from factbook import shelf, sources
from factbook.engines import Tally, columns
from factbook.engines.tallies import PREDICTION
from factbook.manifest import Source
from factbook.measures import binary, cluster_scores, clusters, scores
from factbook.measures.binary import FN, TP, Counts, Outcomes
from factbook.measures.cluster_scores import Spread
from factbook.measures.multiclass import add_correct
from factbook.measures.request import Answer, Request
from factbook.measures.scores import Scored
from factbook.measures.tagged import tagged
from factbook.model import Direction, Fact, Metric, Pairs, Unit
from factbook.sources import Column, Table, is_nan, literal, quote
from factbook.statistics import delta, intervals
from factbook.statistics.delta import Part
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, tidy

SUM: Final = 0.01
METRICS: Final = (
    Metric(
        "top_k_accuracy",
        "top-k accuracy",
        "top-k",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "rows with fewer than k other classes scored as high as the label, or higher / rows",
        "Russakovsky et al. 2015, International Journal of Computer Vision 115, 211",
        ("top_k", "top_k_accuracy_score"),
    ),
    Metric(
        "top_label_ece",
        "calibration error of the highest score",
        "top-label ECE",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, 1.0),
        f"sum over {scores.ECE_BINS} equal-width bins of the highest score: share times |mean score - share of right predictions|",
        "Guo, Pleiss, Sun & Weinberger 2017, ICML, 1321",
        ("confidence_calibration_error",),
    ),
)


def add(request: Request, answer: Answer, by: Sequence[tuple[str, ...]], top_k: Sequence[int]) -> None:
    """The facts of all slices that need the scores of the classes.

    Raises:
        SourceError: a score is missing without a policy, or lies outside 0 and 1.
    """
    source = request.source()
    areas: dict[Pairs, list[tuple[Fact, int]]] = {}
    for name in source.classes:
        for place, fact, support in _add_class(request, answer, name, by):
            areas.setdefault(place, []).append((fact, support))
    for place, found in areas.items():
        _add_area(answer, found, place)
    _add_rows(request, answer, by, top_k)


def _add_class(request: Request, answer: Answer, name: str, by: Sequence[tuple[str, ...]]) -> list[tuple[Pairs, Fact, int]]:
    """One class against the rest: the facts about its score; returns its AUC in every slice with its number of labels."""
    source = request.source()
    one = source.model_copy(update={"positive": name, "score": source.classes[name], "classes": {}})
    tally = request.tally(source=one)
    binary.refuse_missing(tally, one)
    outcomes = binary.outcomes(tally, one)
    own, found = tagged(answer, **{"class": name}), []
    for combination in by:
        scored = scores.by_slice(outcomes, combination)
        spread = _spread(outcomes, combination)
        for place, counts in clusters.counts(outcomes, combination, answer.level).items():
            before = len(answer.facts)
            scores.add(cluster_scores.robust(own, scored.get(place), spread.get(place)), scored.get(place), counts, place)
            area = next(fact for fact in answer.facts[before:] if fact.key.metric == "auc")
            found.append((place, area, counts.count((FN, TP))))
    return found


def _spread(outcomes: Outcomes, by: Sequence[str]) -> dict[Pairs, Spread]:
    """Where the rows of every slice lie, where the source declares clusters."""
    return dict(cluster_scores.by_slice(outcomes, by)) if outcomes.source.cluster else {}


def _add_area(answer: Answer, found: Sequence[tuple[Fact, int]], place: Pairs) -> None:
    """The macro and the weighted average of the classes' AUCs; undefined ones are left out, as the note says."""
    known = [(fact, support) for fact, support in found if fact.measured]
    note = "" if len(known) == len(found) else f"over {len(known)} of {len(found)} classes; undefined in the others"
    for kind in ("macro", "weighted"):
        amounts = [1 if kind == "macro" else support for _, support in known]
        if not sum(amounts):
            tagged(answer, average=kind).add("auc", None, slice=place, undefined="undefined in every class")
            continue
        parts = [_part(fact, amount / sum(amounts)) for (fact, _), amount in zip(known, amounts, strict=True)]
        value = sum(part.share * part.value for part in parts)
        whole = all(fact.interval is not None for fact, _ in known)
        said = note if whole else "; ".join(filter(None, (note, "no interval: a class has none")))
        interval = delta.dependent(parts) if whole else None
        tagged(answer, average=kind).add("auc", tidy(value), slice=place, n=known[0][0].n, interval=interval, note=said)


def _part(fact: Fact, share: float) -> Part:
    assert isinstance(fact.value, int | float)
    low, high = fact.interval or (fact.value, fact.value)
    return Part(float(fact.value), Interval(low, high, fact.method), share)


def _add_rows(request: Request, answer: Answer, by: Sequence[tuple[str, ...]], top_k: Sequence[int]) -> None:
    """What needs all scores of a row."""
    derived = _Derived(request.source(), sources.table(request.source(), request.root, request.store))
    table = derived.table()
    connection = sources.connect(request.store)
    row = connection.execute(f"SELECT count(*) FROM ({table.sql}) WHERE abs({derived.sum} - 1) > {SUM}").fetchone()
    said = f"the scores of the classes do not sum to 1 (within {SUM}) in {row[0]} rows" if row[0] else ""
    if said:
        answer.warnings.append(f"{request.source().uri}: {said}")
    for kind in ("own", "distance", "highest"):
        source = derived.source(kind)
        found: Tally = shelf.find("engines", "duckdb").tally(table, source, tuple(source.by), request.store, request.progress)
        outcomes = binary.outcomes(found, source)
        if kind == "own":
            _add_ranks(answer, outcomes, by, top_k)
        for combination in by:
            scored, spread = scores.by_slice(outcomes, combination), _spread(outcomes, combination)
            for place, counts in binary.confusion(outcomes, combination).items():
                _ADD[kind](answer, _Losses(scored.get(place), spread.get(place), counts, place), said)


@dataclass(frozen=True)
class _Derived:
    """The source with what follows from the scores of each row, in columns of names that no column has."""

    base: Source
    opened: Table

    def name(self, what: str) -> str:
        return max(self.opened.names, key=len) + f"*{what}"

    @property
    def sum(self) -> str:
        return quote(self.name("sum"))

    def source(self, score: str) -> Source:
        """Whether a row is right as its label, the rank of its label as its prediction, and one of the derived numbers as its score."""
        roles = {"label": self.name("right"), "prediction": self.name("rank"), "score": self.name(score)}
        return self.base.model_copy(update={**roles, "positive": "1", "classes": {}, "labels": {}, "abstain": ""})

    def table(self) -> Table:
        label, prediction = (self._class(role) for role in ("label", "prediction"))
        numbers = ", ".join(f"{self._number(column)} AS {self._score(name)}" for name, column in self.base.classes.items())
        classes = f"{label} AS {quote(self.name('label'))}, {prediction} AS {quote(self.name('prediction'))}"
        every = [self._score(name) for name in self.base.classes]
        steps = " ".join(f"WHEN {literal(name)} THEN {self._score(name)}" for name in self.base.classes)
        own = f"CASE {quote(self.name('label'))} {steps} END AS {quote(self.name('own'))}"
        inner = f"SELECT *, {own}, {' + '.join(every)} AS {self.sum} FROM (SELECT *, {classes}, {numbers} FROM ({self.opened.sql}))"
        made = ", ".join(f"{sql} AS {quote(self.name(name))}" for name, sql in self._made(every).items())
        added = [Column(self.name(name), "VARCHAR" if name in ("right", "rank") else "DOUBLE") for name in ("own", *self._made(every))]
        return replace(self.opened, sql=f"SELECT *, {made} FROM ({inner})", columns=(*self.opened.columns, *added), parts=(), stored=False)

    def _made(self, every: Sequence[str]) -> dict[str, str]:
        label, prediction, own = (quote(self.name(what)) for what in ("label", "prediction", "own"))
        judged = f"CASE WHEN {label} IS NOT NULL AND {prediction} IS NOT NULL AND {self.sum} IS NOT NULL THEN"
        ahead = " + ".join(f"CAST({score} >= {own} AS INTEGER)" for score in every)
        squares = " + ".join(f"({self._score(name)} - CAST({label} = {literal(name)} AS INTEGER)) ** 2" for name in self.base.classes)
        return {
            "right": f"{judged} CASE WHEN {label} = {prediction} THEN '1' ELSE '0' END END",
            "rank": f"{judged} CAST({ahead} AS VARCHAR) END",
            "highest": f"{judged} greatest({', '.join(every)}) END",
            "distance": f"{judged} least(1.0, ({squares}) / 2) END",
        }

    def _score(self, name: str) -> str:
        return quote(self.name(f"score of {name}"))

    def _number(self, column: str) -> str:
        value = columns.number(self.opened.column(column, "score"), "score", self.opened)
        return f"CASE WHEN {is_nan(value)} THEN NULL ELSE {value} END"

    def _class(self, role: str) -> str:
        """SQL for the class of a label or prediction; NULL where it is missing or no decision."""
        said = columns.text(self.opened.column(getattr(self.base, role), role), role, self.opened)
        steps = " ".join(f"WHEN {literal(raw)} THEN {literal(meant)}" for raw, meant in self.base.labels.items())
        mapped = f"CASE {said} {steps} ELSE {said} END" if steps else said
        return f"nullif({mapped}, {literal(self.base.abstain)})" if self.base.abstain and role == "prediction" else mapped


def _add_ranks(answer: Answer, outcomes: Outcomes, by: Sequence[tuple[str, ...]], top_k: Sequence[int]) -> None:
    tally = outcomes.tally
    ranks = np.array([0, *(int(text) for text in tally.values_of(PREDICTION))], dtype=np.int64)[tally.codes_of(PREDICTION)]
    for k in top_k:
        found = replace(outcomes, kind=np.where(outcomes.kind <= TP, np.where(ranks <= k, TP, FN), outcomes.kind))
        for combination in by:
            for place, counts in clusters.counts(found, combination, answer.level).items():
                own = clusters.fit(tagged(answer, k=str(k)), counts, (TP, FN))
                add_correct(own, "top_k_accuracy", counts, place)


@dataclass(frozen=True, eq=False)
class _Losses:
    """A slice: its distribution of a number, where its rows lie in clusters, its counts and its name."""

    scored: Scored | None
    spread: Spread | None
    counts: Counts
    place: Pairs


def _add_log_loss(answer: Answer, own: _Losses, said: str) -> None:
    scored = own.scored
    if scored is not None and not said and float(scored.weights[0][scored.low <= 0].sum() + scored.weights[1][scored.low <= 0].sum()):
        said = "infinite: a probability of 0 was given to what happened (not clipped)"

    def loss(score: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(score))

    _add_mean(answer, "log_loss", own, said, loss)


def _add_brier(answer: Answer, own: _Losses, said: str) -> None:
    _add_mean(answer, "brier", own, said, np.asarray)


def _add_mean(answer: Answer, name: str, own: _Losses, said: str, loss: Callable[[Floats], Floats]) -> None:
    """The mean of a monotonous loss of each row's score."""
    scored, counts, place = own.scored, own.counts, own.place
    if scored is None or said:
        answer.add(name, None, slice=place, n=counts.judged, undefined=said or "0 of 0: no rows")
        return
    each = loss(scored.middle)
    value, variance, skewness, n = scores.mean_loss(scored, (each, each))
    ends = [scores.mean_loss(scored, (loss(end), loss(end)))[0] for end in (scored.low, scored.high)]
    interval: Interval | str | None = intervals.mean(value, variance, skewness, n, answer.level)
    if isinstance(interval, Interval) and counts.weights is not None:
        interval = replace(interval, method=f"{interval.method}, Kish's effective n")
    if own.spread is not None:
        size = own.spread.blocks()
        interval = clusters.short(size) if size < clusters.FEW else cluster_scores.mean(scored, own.spread, (each, each), answer.level)
    note = interval if isinstance(interval, str) else "" if interval is not None else intervals.NO_MEAN
    found = interval if isinstance(interval, Interval) else None
    scores.put(answer, name, value, (min(ends), max(ends)), found, note=note, exact=scored.exact, slice=place, n=counts.judged, counts={})


def _add_calibration(answer: Answer, own: _Losses, said: str) -> None:
    scored, counts, place = own.scored, own.counts, own.place
    if scored is None or said:
        answer.add("top_label_ece", None, slice=place, n=counts.judged, undefined=said or "0 of 0: no rows")
        return
    value, slack = scores.calibration_error(scored)
    bounds = (max(0.0, value - slack), min(1.0, value + slack))
    interval = None if own.spread is not None else scores.calibration_interval(scored, answer.level)
    note = scores.CLUSTERED if interval is None else ""
    scores.put(answer, "top_label_ece", value, bounds, interval, note=note, exact=scored.exact, slice=place, n=counts.judged, counts={})


_ADD: Final[Mapping[str, Callable[[Answer, _Losses, str], None]]] = {
    "own": _add_log_loss,
    "distance": _add_brier,
    "highest": _add_calibration,
}
