"""How well scores rank positives above negatives, for many slices at once: AUC and average precision, and what their intervals need.

A score at which a class has no rows says nothing of that class, so that each class is worked on alone, at its own scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from factbook.engines.bins import Floats, Integers

Pair = tuple[Floats, Floats]
Rows = list[tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class Side:
    """One class: the scores at which it has rows.

    Attributes:
        at: their places among the scores of all slices, rising.
        lengths: how many each slice has.
        weights, squares: what the rows of each weigh, and the sum of the squares; without weights the same array.
        size: what the class weighs in each slice.
    """

    at: Integers
    lengths: Integers
    weights: Floats
    squares: Floats
    size: Floats

    @property
    def weighted(self) -> bool:
        """Whether there are weights."""
        return self.weights is not self.squares

    def each(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """A number of each slice, repeated for its scores."""
        return np.repeat(numbers, self.lengths)

    @cached_property
    def starts(self) -> Integers:
        """Where each slice begins."""
        starts: Integers = np.cumsum(self.lengths) - self.lengths
        return starts

    def total(self, amounts: Floats) -> Floats:
        """Sums over the scores of each slice."""
        found = np.zeros(len(self.lengths))
        there = self.lengths > 0
        if there.any():
            found[there] = np.add.reduceat(amounts, self.starts[there])
        return found

    @cached_property
    def effective(self) -> Floats:
        """The effective number of rows in each slice (Kish)."""
        return self.size * self.size / self.total(self.squares) if self.weighted else self.size

    def first(self, counts: Integers, other: Side) -> Floats:
        """What the first so many of its scores weigh, those of earlier slices left out; one count for each score of the other side."""
        if not self.weighted:
            running = _running(self.weights)
            found: Floats = running[counts] - other.each(running[self.starts])
        else:  # one running sum over all slices would cost the small ones their last digits
            running = np.concatenate([_running(own) for own in np.split(self.weights, self.starts[1:])])
            found = running[counts + other.each(np.arange(len(self.lengths)))]
        return found


@dataclass(frozen=True, eq=False)
class Ranked:
    """The scores of many slices, rising in each.

    Attributes:
        starts: where each slice begins; none is empty.
        weights: what the positives and the negatives of each score weigh.
        squares: sums of squared weights; without weights the same arrays.
        sizes: what the positives and the negatives of each slice weigh.
        exact: False where the scores are binned.
    """

    starts: Integers
    weights: Pair
    squares: Pair
    sizes: Pair
    exact: bool

    @cached_property
    def _sides(self) -> tuple[Side, Side]:
        return self._side(0), self._side(1)

    def _side(self, of: int) -> Side:
        at = np.flatnonzero(self.weights[of] > 0)
        lengths = np.diff(np.searchsorted(at, self.starts), append=len(at))
        weights = self.weights[of][at]
        return Side(at, lengths, weights, weights if self.weights is self.squares else self.squares[of][at], self.sizes[of])

    def _lower(self, of: int) -> Integers:
        """Per score of the other side, how many scores of a side are lower."""
        there, at = self.weights[of] > 0, self._sides[1 - of].at
        found: Integers = np.cumsum(there, dtype=np.int32)[at].astype(np.int64)
        return found - there[at]

    @cached_property
    def _below(self) -> Floats:
        """Per score of the positives, what the negatives with a lower score weigh."""
        positives, negatives = self._sides
        return negatives.first(self._lower(1), positives)

    @cached_property
    def _tied(self) -> Floats:
        """Per score of the positives, what the negatives with the same score weigh."""
        return self.weights[1][self._sides[0].at]

    @cached_property
    def areas(self) -> Rows:
        """Of each slice: AUC, its variance by class, the classes' effective sizes, and how far ties within bins can move it; see `scores.area`.

        NaN without both classes.
        """
        (positives, negatives), (m, n) = self._sides, self.sizes
        with np.errstate(divide="ignore", invalid="ignore"):
            below = self._below + self._tied / 2
            above = negatives.each(m) - positives.first(self._lower(0), negatives) - self.weights[0][negatives.at] / 2
            value = positives.total(positives.weights * below) / (m * n)
            parts, effective = [], []
            for side, other, lost in ((positives, n, below), (negatives, m, above)):
                own, away = side.effective, lost - side.each(other * value)
                spread = side.total(side.squares * away * away) / (m * n) ** 2
                parts.append(np.where(own > 1, spread * own / (own - 1), np.nan))
                effective.append(own)
            ties = np.zeros(len(m)) if self.exact else positives.total(positives.weights * self._tied) / (2 * m * n)
        return rows(value, *parts, *effective, ties)

    @cached_property
    def precisions(self) -> Rows:
        """Of each slice: average precision, its hard bounds, and what its interval needs: see `average_precision.around`."""
        side = self._sides[0]
        hits = side.each(side.size) - side.first(np.arange(len(side.at)), side)
        wrong = side.each(self.sizes[1]) - self._below
        if side.weighted:  # they are sums that were rounded
            hits, wrong = np.maximum(hits, side.weights), np.maximum(wrong, self._tied)

        def summed(precision: Floats) -> Floats:
            return side.total(side.weights * precision) / side.size

        with np.errstate(divide="ignore", invalid="ignore"):
            precision = hits / (hits + wrong)
            value = low = high = summed(precision)
            if not self.exact:
                fewest = hits - side.weights
                low = summed(fewest / (fewest + np.maximum(wrong, 1e-300)))
                high = summed(hits / (hits + wrong - self._tied))
            return rows(value, low, high, *self._spreads(value, precision, hits, wrong))

    def _spreads(self, value: Floats, precision: Floats, hits: Floats, wrong: Floats) -> tuple[Floats, Floats, Floats]:
        """The average precision if no positive counts itself, its variance, and the effective positives; see `average_precision.components`."""
        side, negatives = self._sides
        rest = np.maximum(hits - (side.squares / side.weights if side.weighted else 1.0), 0.0)
        others = side.total(side.weights * (rest / np.maximum(rest + wrong, 1e-300))) / side.size
        share = side.weights * precision / hits
        above, below = _running(share * precision), _running(share - share * precision)
        up = precision + below[1:] - side.each(value + below[side.starts])
        down = above[self._lower(0) + (self.weights[0][negatives.at] > 0)] - negatives.each(above[side.starts])
        size = side.effective
        spread = side.total(side.squares * up * up) * size / (size - 1) + negatives.total(negatives.squares * down * down)
        return np.clip(others, 1e-12, 1 - 1e-12), spread / side.size**2, size


def _running(amounts: Floats) -> Floats:
    """The sum of the first none, one, two … amounts."""
    found = np.empty(len(amounts) + 1)
    found[0] = 0.0
    np.cumsum(amounts, out=found[1:])
    return found


def rows(*figures: Floats) -> Rows:
    """The figures of each slice together, as plain numbers."""
    return list(zip(*(figure.tolist() for figure in figures), strict=True))
