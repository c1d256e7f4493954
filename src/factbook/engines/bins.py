"""Bins of scores: which there are at each resolution, which one a score falls into, and its edges. Nothing depends on the data.

A score s below one half is placed by the binary logarithm of s + 2^-20, one above by that of 1 - s + 2^-20: bins are narrow where the scores of rare
events crowd, near 0 and near 1. Each doubling is cut into a power of two of equal steps, so that the bins of a coarser resolution are unions of those
of a finer one. 0 and 1 are bins of their own, and no bin reaches over a tenth, so that calibration by tenths stays exact. The coarsest resolution
has tenths and ends only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

EXACT: Final = 0
COARSEST: Final = 14
TENTHS: Final = np.linspace(0, 1, 11)[1:-1]
_SPLITS: Final = np.array([0.0, *TENTHS, np.nextafter(1.0, 0.0)])
_OFFSET: Final = 2.0**-20
_DOUBLINGS: Final = 19
_SLACK: Final = 2.0**-51


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of one resolution, rising: 1 is the finest, COARSEST the coarsest.

    Attributes:
        low, high: per bin, the lowest and the highest score that it can hold.
    """

    resolution: int
    low: Floats
    high: Floats
    _first: Integers
    _split: Floats

    def __len__(self) -> int:
        return len(self.low)

    @cached_property
    def coarser(self) -> Integers:
        """Per bin, its bin at the next coarser resolution."""
        return at(self.resolution + 1).place((self.low + self.high) / 2)

    def place(self, scores: Floats) -> Integers:
        """The bin of each score in [0, 1]."""
        if self.resolution == COARSEST:
            return np.searchsorted(_SPLITS, scores).astype(np.int64)
        step = _steps(scores, _fineness(self.resolution))
        found: Integers = self._first[step]
        found += scores > self._split[step]
        return found


def _fineness(resolution: int) -> int:
    """A doubling has 2^this steps: 16,384 at resolution 1, 4 at 13."""
    return COARSEST + 1 - resolution


def _steps(scores: Floats, fineness: int) -> Integers:
    """The step of each score, counted from either end towards one half: first those below it, then those above."""
    near = 1.0 - scores
    np.minimum(near, scores, out=near)
    near += _OFFSET
    step: Integers = near.view(np.int64)
    step >>= 52 - fineness
    step -= _base(fineness)
    step += (scores >= 0.5) * np.int64(_half(fineness))
    return step


def _half(fineness: int) -> int:
    return (_DOUBLINGS << fineness) + 1


def _base(fineness: int) -> int:
    return int(np.array(_OFFSET).view(np.int64)) >> (52 - fineness)


@lru_cache(maxsize=COARSEST)
def size(resolution: int) -> int:
    """How many bins there are at a resolution; they need not be made for that."""
    if resolution == COARSEST:
        return len(_SPLITS) + 1
    fineness = _fineness(resolution)
    return 2 * _half(fineness) + len(set(_steps(_SPLITS, fineness).tolist()))


@lru_cache(maxsize=COARSEST)
def at(resolution: int) -> Bins:
    """The bins of a resolution."""
    if resolution == COARSEST:
        low, high = np.array([0.0, *np.nextafter(_SPLITS, 1)]), np.array([*_SPLITS, 1.0])
        return Bins(resolution, low, high, np.zeros(0, dtype=np.int64), np.zeros(0))
    fineness = _fineness(resolution)
    low, high = _edges(fineness)
    split = np.full(len(low), np.inf)
    split[_steps(_SPLITS, fineness)] = _SPLITS
    half = _half(fineness)
    rising = np.concatenate([np.arange(half), np.arange(half, 2 * half)[::-1]])
    count = 1 + np.isfinite(split[rising]).astype(np.int64)
    first = np.zeros(len(low), dtype=np.int64)
    first[rising] = np.cumsum(count) - count
    step = np.repeat(rising, count)
    above = np.concatenate([[False], step[1:] == step[:-1]])
    below = np.concatenate([above[1:], [False]])
    lows = np.where(above, np.nextafter(split[step], 1), low[step])
    return Bins(resolution, lows, np.where(below, split[step], high[step]), first, split)


def _edges(fineness: int) -> tuple[Floats, Floats]:
    """The lowest and the highest score of each step, wider by what rounding can move."""
    half = _half(fineness)
    ends = ((np.arange(half + 1, dtype=np.int64) + _base(fineness)) << (52 - fineness)).view(np.float64)
    low = np.maximum(ends[:-1] * (1 - _SLACK) - _OFFSET, 0.0)
    high = np.minimum(ends[1:] * (1 + _SLACK) - _OFFSET, 0.5)
    above = np.maximum(np.nextafter(1.0 - high, 0), 0.5), np.minimum(np.nextafter(1.0 - low, 2), 1.0)
    return np.concatenate([low, above[0]]), np.concatenate([high, above[1]])
