"""Two-class outcomes read from a tally: the four counts of every slice, and what was left out of them, with the declared policies applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from factbook.engines import Tally
from factbook.engines.bins import Integers
from factbook.engines.tallies import CLUSTER, CLUSTER_BLOCKS, LABEL, PREDICTION, SCALE, SCORE, WEIGHT, ranks, total
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.model import Pairs
from factbook.statistics.intervals import Share

Flags = NDArray[np.bool_]
MISSING: Final = "not recorded"
MOST_GROUPS: Final = 5_000
MOST_SLICES: Final = 20_000
MOST_PAIRS: Final = 2_500
TN, FP, FN, TP, ABSTAINED, DROPPED = range(6)
CELLS: Final = ("tn", "fp", "fn", "tp")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """A tally whose blocks are told apart: `kind` is TN, FP, FN, TP, ABSTAINED or DROPPED for each block."""

    source: Source
    tally: Tally
    kind: Integers
    warnings: tuple[str, ...]

    @cached_property
    def known(self) -> dict[object, Any]:
        """What measures have derived from it and use again, by what it is."""
        return {}

    @cached_property
    def by_score(self) -> Outcomes:
        """The blocks of the scores, told apart alike; their numbers of rows are not set."""
        scores = self.tally.scores
        assert scores is not None
        values = tuple(self.tally.values_of(name) for name in scores.dimensions)
        return outcomes(Tally(scores.dimensions, values, scores.blocks, np.zeros(len(scores.blocks), dtype=np.int64)), self.source)


@dataclass(frozen=True, slots=True)
class Counts:
    """The rows of one slice by kind, and where weights are declared their fixed-point sums: (weights, squares) per kind."""

    rows: tuple[int, ...]
    weights: tuple[tuple[int, int], ...] | None = None

    @property
    def judged(self) -> int:
        """The rows that enter the rates."""
        return sum(self.rows[: TP + 1])

    @property
    def all(self) -> int:
        """All rows, those left out included."""
        return sum(self.rows)

    def count(self, kinds: Sequence[int]) -> int:
        """Rows of some kinds."""
        rows = self.rows
        return sum([rows[kind] for kind in kinds])  # a list is twice as fast as a generator, and every rate asks for five sums

    def weight(self, kinds: Sequence[int]) -> tuple[int, int]:
        """The sums of weights and of squares, in units of 2^-50."""
        assert self.weights is not None
        return sum(self.weights[kind][0] for kind in kinds), sum(self.weights[kind][1] for kind in kinds)

    def share(self, part: Sequence[int], whole: Sequence[int]) -> Share | None:
        """The proportion of some kinds among others; None for 0 of 0."""
        if self.weights is None:
            n = self.count(whole)
            return Share(self.count(part), n) if n else None
        n, squares = self.weight(whole)
        if n == 0:
            return None
        effective = n * n / (squares << SCALE)
        return Share(self.weight(part)[0] / n * effective, effective, weighted=True)

    def evidence(self, part: Sequence[int], whole: Sequence[int]) -> dict[str, int]:
        """The integers from which the proportion follows: k of n rows, or weighted sums over 2^scale."""
        if self.weights is None:
            return {"k": self.count(part), "n": self.count(whole)}
        k, (n, squares) = self.weight(part)[0], self.weight(whole)
        scale = SCALE
        while scale and not (k | n | squares) & 1:
            k, n, squares, scale = k >> 1, n >> 1, squares >> 1, scale - 1
        return {"weighted_k": k, "weighted_n": n, "weighted_squares": squares, "scale": scale}


def read(tally: Tally, source: Source, where: str) -> Outcomes:
    """Tell the blocks apart, and refuse what contradicts the declaration.

    Raises:
        SourceError: values are missing without a policy; labels and predictions do not match; the positive value does not occur.
        MeasureError: the source declares no label or no predictions, or two ways to decide.
    """
    if not source.label or PREDICTION not in tally.dimensions:
        what = "predictions" if source.label else "label"
        raise MeasureError(f"source {where}: no {what} declared", remedy="declare `label`, and `prediction` or `score` with `cut`")
    if source.prediction and source.cut is not None:
        raise MeasureError(f"source {where}: both `prediction` and `cut` decide", remedy="keep one of them")
    if source.label in (source.prediction, source.score):
        raise MeasureError(f"source {where}: column {source.label!r} is label and prediction at once", remedy="name the column of the predictions")
    refuse_missing(tally, source)
    warnings = _check_values(tally, source)
    found = outcomes(tally, source)
    dropped = int(tally.n[found.kind == DROPPED].sum())
    if dropped:
        warnings.append(f"{source.uri}: {dropped} of {tally.rows} rows were left out because a value is missing (policy: drop)")
    if not (found.kind <= TP).any():
        warnings.append(f"{source.uri}: no row is left to judge")
    return Outcomes(source, tally, found.kind, tuple(warnings))


def outcomes(tally: Tally, source: Source) -> Outcomes:
    """Tell the blocks apart; what is missing is left out, whatever the policy says."""
    label = tally.codes_of(LABEL)
    kind = 2 * (label == tally.code(LABEL, source.positive)).astype(np.int64)
    left_out = label == 0
    if PREDICTION in tally.dimensions:
        prediction = tally.codes_of(PREDICTION)
        kind += prediction == tally.code(PREDICTION, source.positive if source.prediction else "1")
        if source.abstain:
            kind[prediction == tally.code(PREDICTION, source.abstain)] = ABSTAINED
        left_out |= prediction == 0
    if SCORE in tally.dimensions:
        left_out |= (tally.codes_of(SCORE) == 0) & (kind != ABSTAINED)
    if WEIGHT in tally.dimensions:
        left_out |= tally.codes_of(WEIGHT) == 0
    left_out |= ~placed(tally, source, [name for name in source.by if name in tally.dimensions])
    kind[left_out] = DROPPED
    return Outcomes(source, tally, kind, ())


def refuse_missing(tally: Tally, source: Source) -> None:
    """Refuse missing values that no policy covers.

    Raises:
        SourceError: names column, count and policy.
    """
    problems: list[tuple[str, str]] = []
    for role, dimension in (("label", LABEL), ("prediction", PREDICTION), ("weight", WEIGHT)):
        if dimension in tally.dimensions and getattr(source.missing, role) == "error" and (count := tally.count(dimension)):
            column = getattr(source, role) or source.score
            problems.append((role, f"column {column!r} ({role}) is missing in {count} of {tally.rows} rows"))
    if source.prediction and source.score and source.missing.prediction == "error":
        absent = tally.codes_of(SCORE) == 0
        if source.abstain:
            absent &= tally.codes_of(PREDICTION) != tally.code(PREDICTION, source.abstain)
        if count := int(tally.n[absent].sum()):
            problems.append(("prediction", f"column {source.score!r} (score) is missing in {count} of {tally.rows} rows"))
    if CLUSTER in tally.dimensions and (count := tally.count(CLUSTER)):
        where = f"column {source.cluster!r} (cluster) is missing in {count} of {tally.rows} rows"
        raise SourceError(f"{source.uri}: {where}", remedy="fill it in: a row that shares nothing with others is a cluster of its own")
    if source.missing.group == "error":
        for name, group in source.by.items():
            if name in tally.dimensions and (count := tally.count(name)):
                problems.append(("group", f"column {group.column!r} (by {name}) is missing in {count} of {tally.rows} rows"))
    if problems:
        role = problems[0][0]
        also = " or `group` (a group of its own)" if role == "group" else ""
        raise SourceError(
            f"{source.uri}: " + "\n  ".join(said for _, said in problems),
            remedy=f"fill them in, or declare `missing: {{{role}: drop}}`{also}; what is dropped is counted",
        )


def _check_values(tally: Tally, source: Source) -> list[str]:
    labels = tally.values_of(LABEL)
    predictions = [value for value in tally.values_of(PREDICTION) if value != source.abstain] if source.prediction else []
    if len(labels) > 2:
        raise SourceError(
            f"{source.uri}: label column {source.label!r} has {len(labels)} values, {_set(labels)}; two were expected",
            remedy="give a table with two classes, or one class against the rest",
        )
    together = sorted({*labels, *predictions})
    if len(together) > 2:
        raise SourceError(
            f"{source.uri}: labels and predictions differ: column {source.label!r} holds {_set(labels)}, "
            f"column {source.prediction!r} holds {_set(predictions)}",
            remedy='write both alike, or declare which values mean the same, e.g. `labels: {"1.0": "1", "0.0": "0"}`',
        )
    if source.positive not in together and len(labels) == 2:
        raise SourceError(
            f"{source.uri}: `positive: {source.positive}` is no value of label column {source.label!r}, which holds {_set(labels)}",
            remedy=f'declare `positive: "{labels[-1]}"` or `positive: "{labels[0]}"`',
        )
    if not labels:
        return [f"{source.uri}: no row has a label"]
    if len(labels) == 1:
        return [f"{source.uri}: every label is {labels[0]!r}; what needs both classes is undefined"]
    return []


def _set(values: Sequence[str]) -> str:
    return "{" + ", ".join(repr(value) for value in values[:5]) + (", …" if len(values) > 5 else "") + "}"


def look_alikes(tally: Tally, source: Source) -> list[str]:
    """A warning for every two groups whose names differ only in case or in spaces: they are two groups, but perhaps nobody meant so."""
    found = []
    for name in source.by:
        seen: dict[str, str] = {}
        for value in tally.values_of(name):
            other = seen.setdefault(" ".join(value.split()).casefold(), value)
            if other != value:
                found.append(f"{source.uri}: {name} has the groups {other!r} and {value!r}, which differ only in case or spaces")
    return found


def slices(tally: Tally, by: Sequence[str], *, published: bool = True) -> tuple[list[Pairs], Integers]:
    """The slices of a combination of attributes that occur, sorted, and for each block the index of its slice.

    Raises:
        MeasureError: an attribute or the combination has more groups than anybody reads, and figures of each are to be published.
    """
    if not by:
        return [()], np.zeros(len(tally.blocks), dtype=np.int64)
    texts = [(MISSING, *tally.values_of(name)) for name in by]
    if published and (most := max(len(known) for known in texts)) - 1 > MOST_GROUPS:
        name = by[[len(known) for known in texts].index(most)]
        raise MeasureError(
            f"attribute {name!r} has {most - 1:,} groups; at most {MOST_GROUPS:,} are compared", remedy="give it `cuts`, or leave it out"
        )
    index, size = np.zeros(len(tally.blocks), dtype=np.int64), 1
    for name, known in zip(by, texts, strict=True):
        index, found = ranks(index * len(known) + tally.codes_of(name), size * len(known))
        size = len(found)
    if published and size > MOST_SLICES * (CLUSTER_BLOCKS if CLUSTER in by else 1):
        raise MeasureError(
            f"the combination {' × '.join(by)} has {size:,} groups; at most {MOST_SLICES:,} are compared", remedy="take fewer attributes together"
        )
    example = np.zeros(size, dtype=np.int64)
    example[index] = np.arange(len(index))
    columns = [[known[code] for code in tally.codes_of(name)[example].tolist()] for name, known in zip(by, texts, strict=True)]
    return [tuple(zip(by, values, strict=True)) for values in zip(*columns, strict=True)], index


def confusion(outcomes: Outcomes, by: Sequence[str]) -> Mapping[Pairs, Counts]:
    """The counts of every slice of a combination of attributes; without attributes, of all rows."""
    inside = placed(outcomes.tally, outcomes.source, by)
    every = bool(inside.all())
    tally, kind = (outcomes.tally, outcomes.kind) if every else (outcomes.tally.where(inside), outcomes.kind[inside])
    names, index = slices(tally, by)
    rows = np.bincount(index * 6 + kind, weights=tally.n, minlength=6 * len(names)).astype(np.int64).reshape(-1, 6)
    if tally.weights is None:
        return {name: Counts(tuple(row)) for name, row in zip(names, rows.tolist(), strict=True)}
    limbs = np.zeros((len(names), 6, 4), dtype=np.int64)
    np.add.at(limbs, (index, kind), tally.weights)
    return {
        name: Counts(tuple(row), tuple(total(limbs[i, k : k + 1]) for k in range(6)))
        for i, (name, row) in enumerate(zip(names, rows.tolist(), strict=True))
    }


def clustered(outcomes: Outcomes, by: Sequence[str]) -> Mapping[Pairs, tuple[Counts, ...]]:
    """The counts of every slice, apart for each block of clusters that occurs in it (at most 64): what is between blocks is independent.

    Empty where the source declares no `cluster`.
    """
    found: dict[Pairs, list[Counts]] = {}
    if CLUSTER in outcomes.tally.dimensions:
        for place, counts in confusion(outcomes, (*by, CLUSTER)).items():
            found.setdefault(place[:-1], []).append(counts)
    return {place: tuple(counts) for place, counts in found.items()}


def population(tally: Tally, source: Source) -> Mapping[Pairs, tuple[int, ...]]:
    """The rows of every finest slice, those without a group included: all of them, and where there are outcomes those that enter the rates."""
    names, index = slices(tally, sorted(source.by), published=False)
    counts = [tally.n]
    if source.label and PREDICTION in tally.dimensions:
        counts.append(np.where(outcomes(tally, source).kind <= TP, tally.n, 0))
    rows = np.zeros((len(names), len(counts)), dtype=np.int64)
    np.add.at(rows, index, np.stack(counts, axis=1))
    return {name: tuple(row) for name, row in zip(names, rows.tolist(), strict=True)}


def by_outcome(tally: Tally, source: Source) -> Mapping[Pairs, tuple[int, ...]] | None:
    """The rows of every finest slice by kind; None where there are no outcomes."""
    if not source.label or PREDICTION not in tally.dimensions:
        return None
    names, index = slices(tally, sorted(source.by), published=False)
    kind = outcomes(tally, source).kind if source.positive else _of_classes(tally)
    rows = np.zeros((len(names), max(DROPPED, int(kind.max(initial=0))) + 1), dtype=np.int64)
    np.add.at(rows, (index, kind), tally.n)
    return {name: tuple(row) for name, row in zip(names, rows.tolist(), strict=True)}


def _of_classes(tally: Tally) -> Integers:
    """Per cell a number for each pair of label and prediction of many classes; of so many that pairs would be a burden, for each label."""
    size = len(tally.values_of(PREDICTION)) + 1
    pairs = tally.codes_of(LABEL) * size + tally.codes_of(PREDICTION)
    kind, found = ranks(pairs, (len(tally.values_of(LABEL)) + 1) * size)
    if len(found) <= MOST_PAIRS:
        return kind
    return tally.codes_of(LABEL) if len(tally.values_of(LABEL)) <= MOST_PAIRS else np.zeros_like(kind)


def sizes(tally: Tally, source: Source, by: Sequence[str]) -> Mapping[Pairs, int]:
    """All rows of every slice of a combination of attributes."""
    inside = tally.where(placed(tally, source, by))
    names, index = slices(inside, by)
    rows = np.zeros(len(names), dtype=np.int64)
    np.add.at(rows, index, inside.n)
    return dict(zip(names, rows.tolist(), strict=True))


def placed(tally: Tally, source: Source, by: Sequence[str]) -> Flags:
    """The blocks that belong to a slice of a combination: all, unless the policy `group: drop` leaves those without a group out."""
    inside = np.ones(len(tally.blocks), dtype=bool)
    if source.missing.group == "drop":
        for name in by:
            inside &= tally.codes_of(name) > 0
    return inside
