"""How far judges of texts agree, with a human and among each other, where the outputs of one sample vary together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from factbook.measures import agreement, rows
from factbook.measures.agreement import Ratings
from factbook.measures.outputs import Judged, Slices, add_mean, alone, share
from factbook.measures.request import Answer
from factbook.measures.rows import Texts
from factbook.model import Direction, Metric, Unit
from factbook.statistics.intervals import Interval
from factbook.statistics.kappa import kappa
from factbook.statistics.moments import Floats, Integers, tidy

WORK: Final = 20_000_000
_METHOD: Final = "jackknife over samples, Student's t"
METRICS: Final = (
    share("judge_agreement", "agreement of judge and human", "agreement", Unit.FRACTION, "outputs with equal grades / outputs with both"),
    Metric(
        "judge_kappa",
        "Cohen's kappa of judge and human",
        "κ",
        Unit.SCORE,
        Direction.HIGHER,
        (-1.0, 1.0),
        "(observed - expected agreement) / (1 - expected agreement)",
        "Cohen 1960, Educational and Psychological Measurement 20, 37",
    ),
    Metric(
        "judges_alpha",
        "Krippendorff's alpha of the judges",
        "α",
        Unit.SCORE,
        Direction.HIGHER,
        (-1.0, 1.0),
        "1 - observed / expected disagreement, over outputs with at least two grades",
        "Krippendorff 2011, Computing Krippendorff's Alpha-Reliability",
    ),
)


def clustered_kappa(one: Integers, other: Integers, size: int, cluster: Integers, level: float) -> tuple[float | None, Interval | None]:
    """Cohen's kappa of two judges, and its interval by the jackknife over clusters; as `kappa`, whose interval takes outputs as independent.

    Args:
        one: the grade that the first judge gave, from 0 below `size`.
        other: that of the second.
        size: the number of grades.
        cluster: per output, the number of its sample.
        level: of the interval.
    """
    units, unit = np.unique(cluster, return_inverse=True)
    table = np.bincount(one * size + other, minlength=size * size).reshape(size, size)
    value = kappa(table, np.eye(size), level)[0]
    if value is None or len(units) * size * size > WORK:
        return value, None
    each = np.bincount(unit.reshape(-1) * size * size + one * size + other, minlength=len(units) * size * size).reshape(-1, size, size)
    left = (table - each).astype(np.float64)
    n = left.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.trace(left, axis1=1, axis2=2) / n
        expected = (left.sum(axis=1) * left.sum(axis=2)).sum(axis=1) / n**2
        without = np.where(1 - expected > 1e-14, (observed - expected) / (1 - expected), np.nan)
    return value, agreement.jackknife(value, without, np.ones(len(without), dtype=np.int64), level, _METHOD)


def alpha(own: Ratings, cluster: Integers | None, level: float) -> tuple[float | None, Interval | None]:
    """Krippendorff's alpha of items with at least two ratings, and its interval by the jackknife over items, or over clusters of them."""
    found, pattern = agreement.patterns(own)
    value = float(agreement.alphas(found, np.zeros((1, len(found.times)), dtype=np.int64))[0])
    if math.isnan(value):
        return None, None
    unit = np.arange(len(pattern)) if cluster is None else np.unique(cluster, return_inverse=True)[1].reshape(-1)
    removed = np.zeros((int(unit.max()) + 1, len(found.times)), dtype=np.int64)
    np.add.at(removed, (unit, pattern), 1)
    variants, back = np.unique(removed, axis=0, return_inverse=True)
    if len(variants) * len(found.times) * len(found.values) > WORK:
        return tidy(value), None
    without = agreement.alphas(found, variants)[back.reshape(-1)]
    return tidy(value), agreement.jackknife(value, without, np.ones(len(without), dtype=np.int64), level, _METHOD)


def add_pair(answer: Answer, judge: Texts, human: Texts, slices: Slices) -> None:
    """How far a judge's grades are those of a human."""
    (one, other), size = _coded((judge, human))
    both = (one >= 0) & (other >= 0)
    none = "no output has both grades"
    add_mean(answer, Judged("judge_agreement", (), (one == other).astype(np.float64), both, True, none), slices)
    sample = slices.sample(both)
    together = None if alone(sample) else sample.clusters
    one, other = one[both], other[both]
    for place, own in zip(slices.names, rows.split(sample.index, sample.size), strict=True):
        if said := slices.lacking(len(own), "have a value", none):
            answer.add("judge_kappa", None, slice=place, undefined=said)
            continue
        if together is not None:
            value, interval = clustered_kappa(one[own], other[own], size, together[own], answer.level)
        else:
            table = np.bincount(one[own] * size + other[own], minlength=size * size).reshape(size, size)
            value, interval = kappa(table, np.eye(size), answer.level)
        said = "0 of 0: both give one and the same grade" if value is None else ""
        answer.add("judge_kappa", value, slice=place, n=len(own), interval=interval, undefined=said)


def _coded(columns: Sequence[Texts]) -> tuple[list[Integers], int]:
    """The grades in several columns numbered alike, -1 where missing, and how many different ones there are."""
    values = sorted({value for item in columns for value in item.values})
    place = {value: i for i, value in enumerate(values)}
    return [np.array([-1, *(place[value] for value in item.values)], dtype=np.int64)[item.codes] for item in columns], len(values)


def add_all(answer: Answer, ratings: Ratings, slices: Slices) -> None:
    """Krippendorff's alpha of all judges."""
    graded = ratings.given >= 2
    for place, own in zip(slices.names, rows.split(slices.index[graded], len(slices.names)), strict=True):
        if said := slices.lacking(len(own), "have two grades", "no output has two grades"):
            answer.add("judges_alpha", None, slice=place, undefined=said)
            continue
        unit = None if slices.clusters is None else slices.clusters[graded][own]
        value, interval = alpha(ratings.where(graded).where(own), unit, answer.level)
        said = "0 of 0: all grades are equal" if value is None else ""
        answer.add("judges_alpha", value, slice=place, n=len(own), interval=interval, undefined=said)


def named(columns: Sequence[Texts]) -> Ratings:
    """Grades on a nominal scale."""
    codes, size = _coded(columns)
    return Ratings(np.stack(codes, axis=1), np.arange(size, dtype=np.float64), "nominal")


def numbered(columns: Sequence[Floats], scale: str) -> Ratings:
    """Grades that are numbers, on an ordinal or interval scale."""
    grades = np.stack(columns, axis=1)
    known = np.unique(grades[~np.isnan(grades)])
    codes = np.where(np.isnan(grades), -1, np.searchsorted(known, np.nan_to_num(grades)))
    return Ratings(codes, np.arange(len(known), dtype=np.float64) if scale == "ordinal" else known, scale)
