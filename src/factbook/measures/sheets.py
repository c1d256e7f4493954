"""The scores of all slices of a combination of attributes, side by side: what sums over them is computed for all slices at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from factbook.engines.bins import EXACT, TENTHS, Floats, Integers
from factbook.engines.tallies import Scores, carried, sums
from factbook.measures.binary import FN, TP, Flags, Outcomes, placed, slices
from factbook.measures.ranked import Pair, Ranked, Rows, rows
from factbook.model import Pairs

TENTH_BINS: Final = len(TENTHS) + 1
MOST: Final = 1 << 16
MOST_HELD: Final = 1 << 20


@dataclass(frozen=True, eq=False)
class Sheet:
    """Per slice, rising, the different scores (or bins), and what the positive and the negative rows of each weigh.

    Attributes:
        names: of the slices, each of which has rows.
        starts: where each begins.
        low, high: per score, the lowest and the highest that it can be.
        weights: of positives and of negatives.
        squares: sums of squared weights; without weights both are numbers of rows.
        exact: False where the scores are binned.
        rows: numbers of positives and of negatives, where there are weights.
        parts: what makes up the slices of this sheet and of others, this one's from the `first` on.
    """

    names: Sequence[Pairs]
    starts: Integers
    low: Floats
    high: Floats
    weights: Pair
    squares: Pair
    exact: bool
    rows: Pair | None = None
    parts: _Parts | None = None
    first: int = 0
    _known: dict[object, Rows] = field(default_factory=dict)

    @property
    def weighted(self) -> bool:
        """Whether there are weights."""
        return self.weights is not self.squares

    @cached_property
    def middle(self) -> Floats:
        """The score that stands for a cell."""
        return self.low if self.exact else (self.low + self.high) / 2

    @cached_property
    def lengths(self) -> Integers:
        """The number of scores in each slice."""
        return np.diff(self.starts, append=len(self.low))

    def each(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """A number of each slice, repeated for its scores."""
        return np.repeat(numbers, self.lengths)

    def total(self, amounts: Floats) -> Floats:
        """Sums over the scores of each slice."""
        found: Floats = np.add.reduceat(amounts, self.starts)
        return found

    @cached_property
    def sizes(self) -> Pair:
        """What the positives and the negatives of each slice weigh."""
        return self.total(self.weights[0]), self.total(self.weights[1])

    @cached_property
    def ranked(self) -> Ranked:
        """How well the scores of each slice rank its rows."""
        return Ranked(self.starts, self.weights, self.squares, self.sizes, self.exact)

    @cached_property
    def gaps(self) -> Rows:
        """Of each slice: its calibration error, and how far binned scores can move it."""
        if self.parts is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                value = np.abs(self._own(self.parts.gaps)).sum(axis=1) / (self.sizes[0] + self.sizes[1])
            return rows(value, np.zeros(len(value)))
        weight = self.weights[0] + self.weights[1]
        index = self.each(np.arange(len(self.starts)) * TENTH_BINS) + np.searchsorted(TENTHS, self.middle)
        found = np.bincount(index, weights=weight * self.middle - self.weights[0], minlength=len(self.starts) * TENTH_BINS)
        total = self.total(weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            slack = np.zeros(len(total)) if self.exact else self.total(weight * (self.high - self.low)) / 2 / total
            return rows(np.abs(found.reshape(-1, TENTH_BINS)).sum(axis=1) / total, slack)

    def losses(self, loss: Callable[[Floats], Pair]) -> Rows:
        """Of each slice: the mean of its losses, their sample variance, skewness, the effective rows, and the hard bounds of the mean.

        Args:
            loss: the losses of positives and of negatives at some scores; the first fall with the score, the second rise.
        """
        if loss not in self._known:
            self._known[loss] = rows(*self._losses(loss))
        return self._known[loss]

    def _losses(self, loss: Callable[[Floats], Pair]) -> tuple[Floats, ...]:
        total = self.sizes[0] + self.sizes[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            n = total**2 / (self.total(self.squares[0]) + self.total(self.squares[1])) if self.weighted else total
            value, spread, third = self._moments(loss, total) if self.parts is None else map(self._own, self.parts.losses(loss))
            spread = np.where(spread > (1e-14 * value) ** 2, spread, 0.0)  # losses that are all alike differ by rounding
            variance = np.where(n > 1, spread * n / (n - 1), 0.0)
            skewness = np.where(spread > 0, third / spread**1.5, 0.0)
            if self.exact:
                return value, variance, skewness, n, value, value
            low, high = loss(self.low), loss(self.high)
            return value, variance, skewness, n, self._mean((high[0], low[1]), total), self._mean((low[0], high[1]), total)

    def _own(self, numbers: Floats) -> Floats:
        """Those of this sheet, of numbers of all slices."""
        return numbers[self.first : self.first + len(self.names)]

    def _moments(self, loss: Callable[[Floats], Pair], total: Floats) -> tuple[Floats, Floats, Floats]:
        own = loss(self.middle)
        value = self._mean(own, total)
        away = own[0] - self.each(value), own[1] - self.each(value)
        squares = away[0] * away[0], away[1] * away[1]
        return value, self._mean(squares, total), self._mean((squares[0] * away[0], squares[1] * away[1]), total)

    @cached_property
    def impossible(self) -> Floats:
        """What weighs of each slice whose probability of what happened is 0."""
        found = np.zeros(len(self.starts))
        for weights, wrong in zip(self.weights, (self.low <= 0, self.high >= 1), strict=True):
            there = np.flatnonzero(wrong)
            np.add.at(found, np.searchsorted(self.starts, there, side="right") - 1, weights[there])
        return found

    def _mean(self, losses: Pair, total: Floats) -> Floats:
        return (self._sum(self.weights[0], losses[0]) + self._sum(self.weights[1], losses[1])) / total

    def _sum(self, weights: Floats, losses: Floats) -> Floats:
        """A weight of 0 takes nothing from an infinite loss."""
        products = weights * losses
        found = self.total(products)
        if np.isfinite(found).all():
            return found
        products[weights == 0] = 0.0
        return self.total(products)


def sheets(outcomes: Outcomes, by: Sequence[str]) -> Iterator[Sheet]:
    """The scores of all slices of a combination of attributes, so many slices a sheet as keep its arrays small: large ones cost more a number."""
    told, scores = outcomes.by_score, outcomes.tally.scores
    assert scores is not None
    judged = (told.kind <= TP) & placed(told.tally, told.source, by)
    if not judged.any():
        return
    positive = (told.kind == TP) | (told.kind == FN)
    names, index = slices(told.tally.where(judged), by)
    if scores.resolution == EXACT:
        yield from _exact(outcomes, judged, positive, names, index)
    else:
        yield from _binned(outcomes, by, judged, positive, names, index)


def _runs(sizes: Integers) -> Iterator[tuple[int, int]]:
    """Neighbours that have at most MOST cells together, or one that has more: the first, and the one after the last."""
    first = held = 0
    for i, size in enumerate(sizes.tolist()):
        if held and held + size > MOST:
            yield first, i
            first, held = i, 0
        held += size
    yield first, len(sizes)


def _exact(outcomes: Outcomes, judged: Flags, positive: Flags, names: Sequence[Pairs], index: Integers) -> Iterator[Sheet]:
    scores = outcomes.tally.scores
    assert scores is not None
    cells = scores.rising
    place: NDArray[Any] = np.full(len(judged), -1, dtype=np.int32 if len(names) >= 1 << 15 else np.int16)
    place[judged] = index
    group = place[cells.block]
    order = np.argsort(group, kind="stable")[np.count_nonzero(group < 0) :]
    parts = _Parts(outcomes, judged, positive, index, len(names))
    sizes = np.bincount(group[order], minlength=len(names))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    for first, last in _runs(sizes):
        own = order[ends[first] : ends[last]]
        yield _sheet(cells, own, group[own] - first, positive, names[first:last], parts, first)


def _sheet(cells: Scores, own: Integers, group: NDArray[Any], positive: Flags, names: Sequence[Pairs], parts: _Parts, first: int) -> Sheet:
    """The sheet of some exact cells, which lie in the order of their slices; `group` is the slice of each."""
    keys = cells.keys[own]
    change = np.ones(len(own), dtype=bool)
    change[1:] = (keys[1:] != keys[:-1]) | (group[1:] != group[:-1])
    there = np.flatnonzero(change)
    truth = positive[cells.block[own]]
    weight, square = _amounts(cells.n[own], None if cells.weights is None else cells.weights[own])

    def split(amount: Floats) -> Pair:
        own = amount * truth
        pair = own, amount - own
        return pair if len(there) == len(amount) else (np.add.reduceat(pair[0], there), np.add.reduceat(pair[1], there))

    low = keys[there].view(np.float64)
    starts = np.searchsorted(group[there], np.arange(len(names)))
    weights = split(weight)
    squares, numbers = (weights, None) if square is weight else (split(square), split(cells.n[own].astype(np.float64)))
    return Sheet(names, starts, low, low, weights, squares, exact=True, rows=numbers, parts=parts, first=first)


@dataclass(frozen=True, eq=False)
class _Parts:
    """The blocks of exact scores that make up the slices of a sheet: what sums over rows is summed over each block once, for all sheets."""

    outcomes: Outcomes
    judged: Flags
    positive: Flags
    index: Integers
    size: int
    _known: dict[object, tuple[Floats, Floats, Floats]] = field(default_factory=dict)

    def _sum(self, amounts: Floats) -> Floats:
        """Sums over the blocks of each slice."""
        return np.bincount(self.index, weights=amounts[self.judged], minlength=self.size).astype(np.float64, copy=False)

    def losses(self, loss: Callable[[Floats], Pair]) -> tuple[Floats, Floats, Floats]:
        """The mean of the losses of each slice, and their second and third central moments, from those of its blocks.

        Chan, Golub & LeVeque 1983, The American Statistician 37, 242; Terriberry 2007 for the third.
        """
        if loss not in self._known:
            self._known[loss] = self._losses(loss)
        return self._known[loss]

    def _losses(self, loss: Callable[[Floats], Pair]) -> tuple[Floats, Floats, Floats]:
        weight, mean, second, third = self._moments(loss)
        total = self._sum(weight)
        value = self._sum(weight * mean) / total
        away = np.zeros_like(mean)
        away[self.judged] = mean[self.judged] - value[self.index]
        squares = weight * away * away
        return value, self._sum(second + squares) / total, self._sum(third + 3 * away * second + squares * away) / total

    def _moments(self, loss: Callable[[Floats], Pair]) -> tuple[Floats, Floats, Floats, Floats]:
        known = self.outcomes.known
        if loss not in known:
            known[loss] = self._block_moments(loss)
        found: tuple[Floats, Floats, Floats, Floats] = known[loss]
        return found

    def _block_moments(self, loss: Callable[[Floats], Pair]) -> tuple[Floats, Floats, Floats, Floats]:
        scores, starts, weights = self._cells()
        truth = self.positive[scores.block]
        own = np.where(truth, *loss(scores.edges[0]))
        own[weights == 0] = 0.0
        weight = np.add.reduceat(weights, starts)
        mean = np.add.reduceat(weights * own, starts) / np.where(weight > 0, weight, 1.0)
        away = own - mean[scores.block]
        squares = weights * away * away
        return weight, mean, np.add.reduceat(squares, starts), np.add.reduceat(squares * away, starts)

    def _cells(self) -> tuple[Scores, Integers, Floats]:
        scores = self.outcomes.tally.scores
        assert scores is not None
        return scores, np.searchsorted(scores.block, np.arange(len(scores.blocks))), _amounts(scores.n, scores.weights)[0]

    @cached_property
    def gaps(self) -> Floats:
        """Per slice and tenth of the scores, how much more the scores sum up to than the outcomes."""
        known = self.outcomes.known
        if _Parts not in known:
            scores, _, weights = self._cells()
            place = scores.block * TENTH_BINS + np.searchsorted(TENTHS, scores.edges[0])
            found = np.bincount(place, weights=weights * (scores.edges[0] - self.positive[scores.block]), minlength=len(scores.blocks) * TENTH_BINS)
            known[_Parts] = found.reshape(-1, TENTH_BINS)
        return np.stack([self._sum(known[_Parts][:, tenth]) for tenth in range(TENTH_BINS)], axis=1)


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is counted in each bin, row by row: of blocks, or of the slices of a combination of attributes.

    Attributes:
        n: rows × bins.
        limbs: the sums of weights in two limbs each, in a last axis of four; or None.
        positive: whether a row counts positives.
        index: the slice that each is part of; -1 for none.
    """

    n: NDArray[Any]
    limbs: Integers | None
    positive: Flags
    index: Integers

    def summed(self, chosen: Integers, first: int, last: int) -> tuple[NDArray[Any], Integers | None]:
        """The sums of some rows for the slices from `first` to before `last`: two rows each, the negatives' before the positives'."""
        where = (2 * (self.index[chosen] - first) + self.positive[chosen]).tolist()

        def added(array: NDArray[Any]) -> NDArray[Any]:
            """Row by row: what numpy has for whole arrays reads them several times."""
            found = np.zeros((2 * (last - first), *array.shape[1:]), dtype=array.dtype)
            for to, own in zip(where, chosen.tolist(), strict=True):
                found[to] += array[own]
            return found

        return added(self.n), None if self.limbs is None else added(self.limbs)


def _binned(outcomes: Outcomes, by: Sequence[str], judged: Flags, positive: Flags, names: Sequence[Pairs], index: Integers) -> Iterator[Sheet]:
    scores = outcomes.tally.scores
    assert scores is not None
    rows = _wider(outcomes, by, names)
    if rows is None:
        place = np.full(len(judged), -1)
        place[judged] = index
        rows = _Rows(scores.wide, scores.weights, positive, place)
    order = np.argsort(rows.index, kind="stable")
    ends = np.searchsorted(rows.index[order], np.arange(len(names) + 1))
    held, small = [], scores.weights is None and 2 * len(names) * scores.n.shape[1] <= MOST_HELD
    for first, last in _runs(np.full(len(names), scores.n.shape[1])):
        n, limbs = rows.summed(order[ends[first] : ends[last]], first, last)
        held += [n] if small else []
        yield _binned_sheet(scores, n, limbs, names[first:last])
    if small:
        _known(outcomes)[tuple(by)] = names, np.concatenate(held)


def _known(outcomes: Outcomes) -> dict[tuple[str, ...], tuple[Sequence[Pairs], NDArray[Any]]]:
    """The sums that were made for combinations of attributes, where they are small."""
    known: dict[tuple[str, ...], tuple[Sequence[Pairs], NDArray[Any]]] = outcomes.known.setdefault(_binned, {})
    return known


def _wider(outcomes: Outcomes, by: Sequence[str], names: Sequence[Pairs]) -> _Rows | None:
    """The sums of a combination of more attributes, if there are any: so much less is to be added up."""
    known = [found for wider, found in _known(outcomes).items() if set(by) < set(wider)]
    if not known or outcomes.source.missing.group == "drop":
        return None
    slices, n = min(known, key=lambda found: len(found[0]))
    place = {name: i for i, name in enumerate(names)}
    index = np.array([place[tuple(pair for pair in name if pair[0] in by)] for name in slices])
    return _Rows(n, None, np.arange(len(n)) % 2 == 1, np.repeat(index, 2))


def _binned_sheet(scores: Scores, n: NDArray[Any], limbs: Integers | None, names: Sequence[Pairs]) -> Sheet:
    """The sheet of some slices: `n` and `limbs` have two rows each, the negatives' and the positives'."""
    both = n[0::2] + n[1::2]
    there = np.flatnonzero(both)
    low, high = scores.edges
    column = there % n.shape[1]

    def split(amount: NDArray[Any]) -> Pair:
        return amount[1::2].reshape(-1)[there].astype(np.float64), amount[0::2].reshape(-1)[there].astype(np.float64)

    begins = np.concatenate([[0], np.cumsum(np.count_nonzero(both, axis=1))[:-1]])
    weights = squares = numbers = split(n)
    if limbs is not None:
        amounts = sums(carried(limbs))
        weights, squares = split(amounts[..., 0]), split(amounts[..., 1])
    return Sheet(names, begins, low[column], high[column], weights, squares, exact=False, rows=numbers if weights is not numbers else None)


def _amounts(n: Integers, limbs: Integers | None) -> Pair:
    if limbs is None:
        weight = n.astype(np.float64)
        return weight, weight
    both = sums(limbs)
    return both[:, 0], both[:, 1]


@dataclass(frozen=True, eq=False)
class Cells:
    """The judged scores of all blocks: per cell the block of the scores, the score as a number that rises with it, its truth, what it weighs."""

    block: Integers
    key: Integers
    truth: Integers
    weight: Floats


def cells(outcomes: Outcomes) -> Cells:
    """The cells of scores, judged ones only."""
    told, scores = outcomes.by_score, outcomes.tally.scores
    assert scores is not None
    if scores.resolution == EXACT:
        there, block, key = np.arange(len(scores.keys)), scores.block, scores.keys
    else:
        there = np.flatnonzero(scores.n)
        block, key = np.divmod(there, scores.n.shape[1])
    judged = told.kind[block] <= TP
    there, block, key = there[judged], block[judged], key[judged]
    limbs = None if scores.weights is None else scores.weights.reshape(-1, 4)[there]
    truth = (told.kind[block] == TP) | (told.kind[block] == FN)
    return Cells(block, key, truth.astype(np.int64), _amounts(scores.n.reshape(-1)[there], limbs)[0])
