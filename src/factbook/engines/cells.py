"""Cells of numbers: runs of neighbouring doubles, as fine as leaves few of them that occur, in which a column with many different values is counted.

Cells are nested. At the coarsest level a cell is the run of float32 numbers that share their first 18 bits (sign, exponent, nine bits of mantissa);
each level below cuts the cells in two, down to runs that hold one double. Taken is the finest level at which at most ROOM cells occur, or the
coarsest where more do: a column whose values lie close together far from 0 (coordinates of a town, time stamps of a week) is told apart as well as
any. A part of the rows is never counted in coarser cells than all, so that counts add up, and the level depends on the rows alone.

Cuts below the coarsest level stand between the smallest and the largest normal float32 number, 1e-38 and 3e38, of either sign.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

COARSEST: Final = 43
ROOM: Final = 1 << 12
_COARSE: Final = 1 << 18
_FIRST: Final = 1 << 17
_DROPPED: Final = 14
_CHUNK: Final = 1 << 15
_WITHIN: Final = np.int64((1 << COARSEST) - 1)
_MAGNITUDE: Final = np.int64(0x7FFFFFFFFFFFFFFF)
_HALF: Final = np.int64(1 << 28)  # half of what two neighbouring float32 numbers are apart, in doubles
_BIAS: Final = 896 << 9
_NORMAL: Final = (1 << 9, 255 << 9)


def counted(values: Floats) -> tuple[int, Integers, Integers]:
    """The level, the cells that occur, rising, and how often, of numbers that are not NaN."""
    if len(values) < _CHUNK:
        return fitted(0, *added(finest(values), np.ones(len(values), dtype=np.int64)))
    keys, n = _coarse(values)
    if len(keys) > ROOM:
        return COARSEST, keys, n
    level, keys, n = _finer(values, keys)
    if len(keys) <= ROOM:  # closer together than can be told in one pass
        level, keys, n = 0, *added(finest(values), np.ones(len(values), dtype=np.int64))
    return fitted(level, keys, n)


def fitted(level: int, keys: Integers, n: Integers) -> tuple[int, Integers, Integers]:
    """Sorted cells at the finest level, from a given one on, at which they are no more than ROOM."""
    apart = keys[1:] ^ keys[:-1]
    by = 0
    while level + by < COARSEST and np.count_nonzero(apart >> by) >= ROOM:
        by += 1
    return (level + by, *added(keys >> by, n)) if by else (level, keys, n)


def finest(values: Floats) -> Integers:
    """The cell of each number at level 0; shifted by a level, its cell there."""
    bits = (values + 0.0).view(np.int64)
    size = (bits & _MAGNITUDE) + _HALF
    coarse = (size >> COARSEST) - _BIAS
    inside = np.where(bits < 0, ~size, size) & _WITHIN
    inside[(coarse < _NORMAL[0]) | (coarse >= _NORMAL[1])] = 0
    return (_bins(values) << COARSEST) | inside


def edges(level: int, keys: Integers) -> tuple[Floats, Floats]:
    """The lowest and the highest number that each cell can hold."""
    first = keys << level
    coarse = (first >> COARSEST) - _FIRST
    whole = ~_cut(coarse) | (level == COARSEST)
    highs = np.where(whole, _border((coarse + 1) << _DROPPED), _lower(first + (1 << level)))
    return _lower(first), highs


def added(keys: NDArray[Any], n: Integers) -> tuple[Integers, Integers]:
    """Sorted keys, each once, with the sums of their counts."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    keys = keys[order].astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(n[order], starts)


def _coarse(values: Floats) -> tuple[Integers, Integers]:
    """The cells of the coarsest level. Small pieces stay in the processor's cache."""
    raw, single, place = np.zeros(_COARSE, dtype=np.int64), np.empty(_CHUNK, dtype=np.float32), np.empty(_CHUNK, dtype=np.intp)
    with np.errstate(over="ignore"):
        for start in range(0, len(values), _CHUNK):
            size = min(_CHUNK, len(values) - start)
            own = single[:size]
            own[:] = values[start : start + size]
            own += np.float32(0)
            place[:size] = own.view(np.uint32) >> _DROPPED
            np.add.at(raw, place[:size], 1)
    below, above = np.flatnonzero(raw[_FIRST:] != 0)[::-1] + _FIRST, np.flatnonzero(raw[:_FIRST] != 0)
    return np.concatenate([_COARSE - 1 - below, above + _FIRST]), raw[np.concatenate([below, above])]


def _finer(values: Floats, coarse: Integers) -> tuple[int, Integers, Integers]:
    """Few cells of the coarsest level cut into as many as are counted in one pass."""
    cut = 18 - (len(coarse) - 1).bit_length()
    level, rank = COARSEST - cut, np.zeros(_COARSE, dtype=np.int64)
    rank[coarse] = np.arange(len(coarse))
    raw = np.zeros(len(coarse) << cut, dtype=np.int64)
    for start in range(0, len(values), _CHUNK):
        keys = finest(values[start : start + _CHUNK])
        np.add.at(raw, (rank[keys >> COARSEST] << cut) | ((keys & _WITHIN) >> level), 1)
    there = np.flatnonzero(raw)
    return level, (coarse[there >> cut] << cut) | (there & ((1 << cut) - 1)), raw[there]


def _bins(values: Floats) -> Integers:
    """The coarsest cell of each of some numbers."""
    with np.errstate(over="ignore"):
        bits = (values.astype(np.float32) + np.float32(0)).view(np.int32) >> _DROPPED
    return np.where(bits < 0, ~bits - _FIRST, bits).astype(np.int64) + _FIRST


def _cut(coarse: Integers) -> NDArray[np.bool_]:
    """Which coarsest cells, counted from 0, the levels below cut."""
    size = np.where(coarse < 0, ~coarse, coarse)
    found: NDArray[np.bool_] = (size >= _NORMAL[0]) & (size < _NORMAL[1])
    return found


def _lower(first: Integers) -> Floats:
    """The lower border of the cell of level 0 with each key."""
    coarse, inside = (first >> COARSEST) - _FIRST, first & _WITHIN
    base = (np.where(coarse < 0, ~coarse, coarse) + _BIAS) << COARSEST
    values = (np.where(coarse < 0, base + (1 << COARSEST) - inside, base + inside) - _HALF).view(np.float64)
    return np.where(_cut(coarse) & (inside > 0), np.where(coarse < 0, -values, values), _border(coarse << _DROPPED))


def _border(bits: Integers) -> Floats:
    """The number halfway between the float32 number with some ordered bits and the one before: what is above rounds up, what is below rounds down."""
    first, last = -0x7F800001, 0x7F800000
    before = bits - 1 - (bits == 0)  # the one before 0 is the negative one nearest to it, not -0.0
    above, below = _float32(np.clip(bits, first, last)), _float32(np.clip(before, first, last))
    return np.where(bits > last, np.inf, np.where(bits <= first, -np.inf, (above + below) / 2))


def _float32(bits: Integers) -> Floats:
    """The float32 number with some ordered bits, as a double; 2^128 for the infinite one, which is where rounding to it would begin."""
    ordered = bits.astype(np.int32)
    values: Floats = (ordered ^ ((ordered >> 31) & np.int32(0x7FFFFFFF))).view(np.float32).astype(np.float64)
    return np.clip(values, -(2.0**128), 2.0**128)
