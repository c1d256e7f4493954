"""What published sums give away of the unknowns that they add up: bounds, and what is determined exactly.

An unknown is a number of rows that nobody sees alone. Equations come in families; those of one family (the groups of one attribute) share no unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_ROUNDS: Final = 60
_DENSE: Final = 30_000_000
_MOST: Final = 3_000
_NONE: Final = 1e-6


class TooLarge(Exception):
    """There are more equations than can be solved."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Published sums.

    Attributes:
        places: unknowns x families, the equation that an unknown enters in a family, or -1.
        totals: equations x kinds: what the unknowns of each kind (each outcome) add up to. No unknown is negative.
        implied: further families whose equations follow from those in `places`; they make the bounds closer.
    """

    places: Integers
    totals: Integers
    implied: Integers

    @cached_property
    def bounds(self) -> tuple[Integers, Integers]:
        """The lowest and highest value of each unknown by kind that passing bounds to and fro leaves.

        Buzzigoli & Giusti 1999, An algorithm to calculate the lower and upper bounds of the elements of an array given its marginals.
        """
        low = np.zeros((len(self.places), self.totals.shape[1]), dtype=np.int64)
        high = np.full_like(low, int(self.totals.max(initial=0)))
        places = np.concatenate([self.places, self.implied], axis=1)
        unknown, family = np.nonzero(places >= 0)
        equation = places[unknown, family]
        order = np.argsort(equation, kind="stable")
        unknown, equation = unknown[order], equation[order]
        starts = np.flatnonzero(np.diff(equation, prepend=-1))
        number = np.cumsum(np.diff(equation, prepend=-1) != 0) - 1
        for _ in range(_ROUNDS if len(unknown) else 0):
            before = int((high - low).sum())
            lows, highs, total = low[unknown], high[unknown], self.totals[equation]
            np.minimum.at(high, unknown, total - np.add.reduceat(lows, starts)[number] + lows)
            np.maximum.at(low, unknown, total - np.add.reduceat(highs, starts)[number] + highs)
            if int((high - low).sum()) == before or (low > high).any():
                break
        return low, high

    @cached_property
    def consistent(self) -> bool:
        """Whether the bounds leave a value for each unknown."""
        low, high = self.bounds
        return bool((low <= high).all())

    @cached_property
    def open(self) -> Flags:
        """The unknowns that their bounds leave open."""
        low, high = self.bounds
        return np.asarray((low < high).any(axis=1))

    def determined(self, targets: Integers, size: int) -> Flags:
        """Which sums of unknowns are a linear combination of the published ones; those known from their bounds are known.

        A sum is determined if nothing of it is left over by the projection on the equations. Their Gram matrix is diagonal within a family, so that
        the largest family is eliminated at once (Schur complement), and only the others are solved.

        Args:
            targets: unknowns x families, the sum that an unknown enters in a family, or -1.
            size: the number of sums.

        Raises:
            TooLarge: more than 3,000 equations outside the largest family.
        """
        places, targets = self.places[self.open], targets[self.open]
        wanted = np.bincount(targets[targets >= 0], minlength=size).astype(np.float64)
        equations = [_ranked(places[:, family]) for family in range(places.shape[1])]
        equations.sort(key=lambda item: item[1], reverse=True)
        solver = _Projection(equations)
        rest = wanted.copy()
        for family in range(targets.shape[1]):
            there = targets[:, family] >= 0
            if there.any():
                index, names = np.unique(targets[there, family], return_inverse=True)[::-1]
                rest[names] = wanted[names] - solver.explained(there, index.reshape(-1), len(names))
        return np.asarray(rest <= _NONE * np.maximum(wanted, 1.0))


def _ranked(places: Integers) -> tuple[Integers, int]:
    """Equation numbers of one family as 0, 1, …, and how many there are; -1 stays."""
    there = places >= 0
    names, index = np.unique(places[there], return_inverse=True)
    found = np.full(len(places), -1, dtype=np.int64)
    found[there] = index.reshape(-1)
    return found, len(names)


class _Projection:
    """The projection on the rows of a matrix of zeros and ones whose first family of rows is eliminated."""

    def __init__(self, equations: list[tuple[Integers, int]]) -> None:
        (self.first, self.size), *others = equations
        starts = np.cumsum([0, *(size for _, size in others)])
        self.others = [np.where(places >= 0, places + start, -1) for (places, _), start in zip(others, starts.tolist(), strict=False)]
        self.rest = int(starts[-1])
        if self.rest > _MOST or self.rest * self.size > _DENSE:
            raise TooLarge
        self.weight = np.bincount(self.first[self.first >= 0], minlength=self.size).astype(np.float64)
        self.across = _counted([(self.first, places) for places in self.others], self.size, self.rest)
        gram = _counted([(a, b) for a in self.others for b in self.others], self.rest, self.rest)
        self.share = self.across / self.weight[:, None]
        self.inverse = np.linalg.pinv(gram - self.across.T @ self.share, rcond=1e-10, hermitian=True) if self.rest else gram

    def explained(self, there: Flags, index: Integers, size: int) -> Floats:
        """The squared length of the projection of each of `size` sums; `index` is the sum that each unknown in `there` enters."""
        found = np.zeros(size)
        step = max(1, _DENSE // max(1, self.size + self.rest))
        for start in range(0, size, step):
            inside = (index >= start) & (index < start + step)
            own = np.full(len(there), -1, dtype=np.int64)
            own[np.flatnonzero(there)[inside]] = index[inside] - start
            count = min(step, size - start)
            first = _counted([(own, self.first)], count, self.size)
            second = _counted([(own, places) for places in self.others], count, self.rest) - first @ self.share
            along = (first * first / self.weight).sum(axis=1) if self.size else np.zeros(count)
            found[start : start + count] = along + ((second @ self.inverse) * second).sum(axis=1)
        return found


def _counted(pairs: list[tuple[Integers, Integers]], rows: int, columns: int) -> Floats:
    """How many unknowns enter each row and each column at once."""
    found = np.zeros(rows * columns)
    for row, column in pairs:
        both = (row >= 0) & (column >= 0)
        if both.any():
            found += np.bincount(row[both] * columns + column[both], minlength=rows * columns)
    return found.reshape(rows, columns)
