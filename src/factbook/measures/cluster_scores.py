"""Intervals of score statistics where rows share a cluster: each row's influence on the statistic, summed by block of clusters.

For the area under the ROC curve these are the sums of structural components of Obuchowski (1997, Biometrics 53, 567), for means the linearisation of
a ratio, for average precision that of `average_precision`. Student's t has one degree of freedom fewer than there are blocks with rows, on the logit
scale for areas and precisions, on the log scale for losses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from factbook.engines.bins import Integers
from factbook.engines.tallies import CLUSTER, CLUSTER_BLOCKS
from factbook.measures import binary, clusters, scores, sheets
from factbook.measures.binary import Outcomes
from factbook.measures.request import Answer
from factbook.measures.scores import Scored
from factbook.measures.tagged import Passing, passing
from factbook.model import Fact, Pairs, Value
from factbook.statistics import average_precision, beta
from factbook.statistics.intervals import Interval, expit, logit
from factbook.statistics.moments import Floats

METHOD = "Student's t over blocks of clusters"


@dataclass(frozen=True, eq=False)
class Spread:
    """Where the rows of a slice lie: per cell its place among the distinct scores, its truth, its block and what it weighs."""

    place: Integers
    truth: Integers
    block: Integers
    weight: Floats

    def blocks(self, truth: int | None = None) -> int:
        """In how many blocks there are rows (of one truth)."""
        return len(np.unique(self.block[(self.weight > 0) & (True if truth is None else self.truth == truth)]))

    def variance(self, up: Floats, down: Floats) -> float:
        """The variance of a statistic from the influences of a positive and of a negative row of each score."""
        each = np.where(self.truth == 1, up[self.place], down[self.place])
        found: Floats = np.bincount(self.block, weights=self.weight * each, minlength=CLUSTER_BLOCKS).astype(np.float64)
        return clusters.variance(found, self.blocks())


def by_slice(outcomes: Outcomes, by: Sequence[str]) -> Iterator[tuple[Pairs, Spread]]:
    """Where the judged rows of every slice lie."""
    cells, tally = sheets.cells(outcomes), outcomes.by_score.tally
    names, index = binary.slices(tally, by)
    inside = binary.placed(tally, outcomes.source, by)
    blocks = np.array([0, *(int(text) for text in tally.values_of(CLUSTER))], dtype=np.int64)[tally.codes_of(CLUSTER)]
    chosen = np.flatnonzero(inside[cells.block])
    own = index[cells.block]
    order = chosen[np.argsort(own[chosen], kind="stable")]
    ends = np.searchsorted(own[order], np.arange(len(names) + 1))
    for i, name in enumerate(names):
        found = order[ends[i] : ends[i + 1]]
        if len(found):
            place = np.unique(cells.key[found], return_inverse=True)[1].reshape(-1)
            yield name, Spread(place, cells.truth[found], blocks[cells.block[found]], cells.weight[found])


@dataclass
class Robust(Passing):
    """Adds its facts to another answer, with the intervals that it was given, or why there is none."""

    found: Mapping[str, Interval | str] = field(default_factory=dict)

    def add(self, metric: str, value: Value | None, *, interval: Interval | None = None, note: str = "", **given: Any) -> Fact:
        """Add a fact with its own interval."""
        own = self.found.get(metric)
        if own is None:
            return super().add(metric, value, interval=interval, note=note, **given)
        said = [part for part in note.split("; ") if part and not part.startswith("no interval")]
        said += [own] if isinstance(own, str) and value is not None else []
        return super().add(metric, value, interval=None if isinstance(own, str) else own, note="; ".join(said), **given)


def robust(answer: Answer, scored: Scored | None, spread: Spread | None) -> Answer:
    """The answer for the score metrics of a slice, with intervals over its clusters."""
    found: Mapping[str, Interval | str] = {} if scored is None or spread is None else _intervals(scored, spread, answer.level)
    return passing(Robust, answer, found=found)


def _intervals(scored: Scored, spread: Spread, level: float) -> dict[str, Interval | str]:
    size, least = spread.blocks(), min(spread.blocks(0), spread.blocks(1))
    found: dict[str, Interval | str] = {}
    for name, losses in (("log_loss", scores.log_losses), ("brier", scores.squared_losses)):
        found[name] = clusters.short(size) if size < clusters.FEW else mean(scored, spread, losses(scored.middle), level)
    if least:
        for name, function in (("auc", _area), ("average_precision", _average_precision)):
            found[name] = clusters.short(least) if least < clusters.FEW else function(scored, spread, level, least)
    return found


def mean(scored: Scored, spread: Spread, losses: tuple[Floats, Floats], level: float) -> Interval | str:
    """The interval of a mean loss, on the log scale."""
    value = scores.mean_loss(scored, losses)[0]
    total = float(scored.weights[0].sum() + scored.weights[1].sum())
    if not 0 < value < math.inf:
        return "no interval: the losses do not vary"
    up, down = (np.where(np.isfinite(part), part - value, 0.0) / total for part in losses)
    half = _t(spread.blocks(), level) * math.sqrt(spread.variance(up, down)) / value
    if half <= 1e-12:
        return "no interval: the losses do not vary"
    widen = _slack(scored)
    return Interval(value * math.exp(-half) - widen, value * math.exp(min(half, 700.0)) + widen, f"{METHOD}, log scale")


def area(scored: Scored, spread: Spread, level: float) -> Interval | None:
    """The interval of an AUC, widened by what bins can move it; None with too few blocks of a class, or where the scores do not vary."""
    least = min(spread.blocks(0), spread.blocks(1))
    found = _area(scored, spread, level, least) if least >= clusters.FEW else None
    return found if isinstance(found, Interval) else None


def large(scored: Scored, spread: Spread, level: float) -> Interval | None:
    """The interval of the mean of label - score; None with too few blocks, or without variation."""
    value, total = scores.mean_loss(scored, (1 - scored.middle, -scored.middle))[0], float(sum(part.sum() for part in scored.weights))
    size = spread.blocks()
    variance = spread.variance((1 - scored.middle - value) / total, (-scored.middle - value) / total) if size >= clusters.FEW else 0.0
    half = _t(size, level) * math.sqrt(variance) if variance > 0 else 0.0
    return Interval(value - half, value + half, METHOD) if half > 1e-12 else None


def _slack(scored: Scored) -> float:
    """How far a binned score can lie from what stands for it."""
    return 0.0 if scored.exact else float((scored.high - scored.low).max()) / 2


def _t(size: int, level: float) -> float:
    return beta.student(level, size - 1)


def _area(scored: Scored, spread: Spread, level: float, size: int) -> Interval | str:
    area = scores.area(scored)
    up, down = scores.placements(scored)
    m, n = float(scored.weights[0].sum()), float(scored.weights[1].sum())
    spread_of = spread.variance((up - area.value) / m, (down - area.value) / n)
    if not 0 < area.value < 1 or spread_of <= 1e-24:
        return "no interval: the classes are separated, or the scores do not vary"
    half = _t(size, level) * math.sqrt(spread_of) / (area.value * (1 - area.value))
    return _widened(area.value, area.value, half, area.ties, f"{METHOD}, logit scale (Obuchowski)")


def _average_precision(scored: Scored, spread: Spread, level: float, size: int) -> Interval | str:
    value, low, high = scores.average_precision(scored)
    _, others, up, down = average_precision.components(scored.weights, scored.squares)
    spread_of = spread.variance(up, down)
    if not 0 < value < 1 - 1e-12 or spread_of <= 1e-24:
        return "no interval: the ranking is perfect"
    half = _t(size, level) * math.sqrt(spread_of) / (value * (1 - value))
    return _widened(others, value, half, max(value - low, high - value), f"{METHOD}, logit scale")


def _widened(low: float, high: float, half: float, widen: float, method: str) -> Interval:
    ends = (expit(logit(low) - half) - widen, expit(logit(high) + half) + widen)
    return Interval(max(0.0, ends[0]), min(1.0, ends[1]), method)
