"""The tally: the small, integer, mergeable statistic of a table of predictions from which every rate, interval and score is read.

A tally is a sorted list of *cells*. A cell is a combination of slice values, label, prediction and score; it holds how many rows there are
and, where a weight is declared, the sums of the weights and of their squares in fixed point. Adding two tallies adds their cells. Adding is
associative and commutative, and the same rows give the same tally (and digest) in any order, partitioning, thread count or engine.

Scores are exact while there are at most `CAP` cells. Above it they fall into bins that keep their order, each bin a run of neighbouring float32
numbers (of s below one half, of 1 - s above, so that scores crowded near 0 or near 1 stay apart). The bins are nested, and the finest ones
that fit are taken; which ones depends on the rows alone. No bin reaches over a tenth, so that calibration by tenths stays exact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from factbook.errors import SourceError

CAP: Final = 1 << 20
EXACT: Final = 0
NO_SCORE: Final = -1
LABEL: Final = "*label"
PREDICTION: Final = "*prediction"
WEIGHT: Final = "*weight"
CLUSTER: Final = "*cluster"
CLUSTER_BLOCKS: Final = 64
TENTHS: Final = np.linspace(0, 1, 11)[1:-1]
SCALE: Final = 50
_BELOW: Final = np.array([-1.0, *TENTHS])
_ABOVE: Final = np.array([*TENTHS, 2.0])
_CHUNK: Final = 1 << 16
_DENSE: Final = 1 << 16
_ROOM: Final = 34
_LOW: Final = 34
_HIGH: Final = SCALE - _LOW
_HALF: Final = 0x3F000000
_RESOLUTIONS: Final = (8, 10, 12, 14, 16, 18, 20, 22, 24)
_LIMIT: Final = 2.0**46
_LEAST: Final = 2.0**-20
_FORMAT: Final = 1

_TOO_HEAVY: Final = "the weights, or their squares, sum to more than 2^46"

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tally:
    """Cells, sorted by block, then by score. A block is what has equal values in every dimension.

    Attributes:
        dimensions: what the columns of `blocks` are: slice attributes, then LABEL, PREDICTION, WEIGHT and CLUSTER where declared.
            The values of CLUSTER are `00` to `63`: a hash of what the rows of a cluster share.
        values: per dimension the texts that occur, sorted; code 0 is "missing", code i is the i-th text.
        resolution: EXACT, or the number of low bits that the score bins drop.
        blocks: the codes of the blocks that occur, sorted; one row a block, one column a dimension.
        block: per cell the row of `blocks`.
        keys: the score of a cell as an integer of the same order (see `scores`), NO_SCORE where there is none.
        n: rows.
        weights: sums of the weights and of their squares, in two limbs each (high, low), or None.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    resolution: int
    blocks: Integers
    block: Integers
    keys: Integers
    n: Integers
    weights: Integers | None = None

    @cached_property
    def rows(self) -> int:
        """All rows, whatever is missing in them."""
        return int(self.n.sum())

    def block_codes(self, dimension: str) -> Integers:
        """The codes of one dimension, a block each."""
        return self.blocks[:, self.dimensions.index(dimension)]

    def codes_of(self, dimension: str) -> Integers:
        """The codes of one dimension, a cell each."""
        return self.block_codes(dimension)[self.block]

    def values_of(self, dimension: str) -> tuple[str, ...]:
        """The texts of one dimension."""
        return self.values[self.dimensions.index(dimension)]

    def code(self, dimension: str, text: str) -> int:
        """The code of a text, or -1 where it does not occur."""
        values = self.values_of(dimension)
        return values.index(text) + 1 if text in values else -1

    def count(self, dimension: str, code: int = 0) -> int:
        """The rows with one code of one dimension (by default: the rows where it is missing)."""
        return int(self.n[self.codes_of(dimension) == code].sum())

    @cached_property
    def scores(self) -> tuple[Floats, Floats]:
        """The lowest and the highest score that a cell can hold; equal where the tally is exact, NaN where there is none."""
        none = self.keys == NO_SCORE
        if self.resolution == EXACT:
            exact = np.where(none, 0, self.keys).view(np.float64).copy()
            exact[none] = np.nan
            return exact, exact
        low, high = _edges(self.keys, self.resolution)
        low[none] = high[none] = np.nan
        return low, high

    def where(self, chosen: NDArray[np.bool_]) -> Tally:
        """The tally of some of the cells."""
        if chosen.all():
            return self
        weights = None if self.weights is None else self.weights[chosen]
        block, there = ranks(self.block[chosen], len(self.blocks))
        return Tally(self.dimensions, self.values, self.resolution, self.blocks[there], block, self.keys[chosen], self.n[chosen], weights)

    def __add__(self, other: Tally) -> Tally:
        return combine((self, other))

    @cached_property
    def digest(self) -> str:
        """`sha256:` and a hash of the canonical form. Private: it would give suppressed cells away."""
        state = hashlib.sha256(json.dumps([self.dimensions, self.values, self.resolution, self.weights is not None]).encode())
        for start in range(0, len(self.block), _CHUNK):
            state.update(np.ascontiguousarray(self.blocks[self.block[start : start + _CHUNK]], dtype="<i8").tobytes())
        for array in (self.keys, self.n, self.weights):
            if array is not None:
                state.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        return "sha256:" + state.hexdigest()


def make(
    dimensions: Sequence[str],
    columns: Sequence[tuple[Sequence[str], Integers]],
    keys: Integers,
    n: Integers,
    weights: Integers | None,
    resolution: int = EXACT,
) -> Tally:
    """A tally of rows (or of cells in any order, with repetitions), at `resolution` or a coarser one.

    `columns` are texts and codes (0 missing) per dimension.
    """
    values, codes = [], []
    for texts, column in columns:
        ordered, column = _sorted_codes(texts, column)
        values.append(ordered)
        codes.append(column)
    blocks, block = _numbered(codes, values, len(keys))
    return _fit(_reduce(tuple(dimensions), tuple(values), resolution, blocks, block, _coarse(keys, EXACT, resolution), n, weights))


def empty(dimensions: Sequence[str], *, weighted: bool) -> Tally:
    """The tally of no rows: added to another, it changes nothing."""
    none = np.zeros(0, dtype=np.int64)
    return make(dimensions, [((), none)] * len(dimensions), none, none, np.zeros((0, 4), dtype=np.int64) if weighted else None)


def dump(tally: Tally) -> bytes:
    """A tally as bytes, the same for equal tallies: a line of JSON, then its arrays in the narrowest integers that hold them, compressed."""
    import pyarrow as pa

    arrays = [tally.blocks, tally.block, _steps(tally.keys), tally.n, *([] if tally.weights is None else [tally.weights])]
    narrow = [np.ascontiguousarray(array, dtype=_narrowest(array)) for array in arrays]
    data = b"".join(array.tobytes() for array in narrow)
    shapes = [[array.dtype.str, *array.shape] for array in narrow]
    head = {"tally": _FORMAT, "dimensions": tally.dimensions, "values": tally.values, "resolution": tally.resolution}
    text = json.dumps(head | {"arrays": shapes, "size": len(data)}, ensure_ascii=True, separators=(",", ":"))
    packed: bytes = pa.Codec("zstd", compression_level=3).compress(data, asbytes=True)
    return text.encode() + b"\n" + packed


def load(data: bytes) -> Tally:
    """The tally that `dump` wrote.

    Raises:
        ValueError: these are no bytes of a tally, or another version wrote them.
    """
    import pyarrow as pa

    line, found, packed = data.partition(b"\n")
    head = json.loads(line) if found and line.startswith(b"{") else {}
    if head.get("tally") != _FORMAT:
        raise ValueError("not a tally that this version reads")
    raw, start, arrays = pa.Codec("zstd").decompress(packed, head["size"], asbytes=True), 0, []
    for kind, *shape in head["arrays"]:
        count = int(np.prod(shape))
        arrays.append(np.frombuffer(raw, dtype=kind, count=count, offset=start).astype(np.int64).reshape(shape))
        start += count * np.dtype(kind).itemsize
    blocks, block, keys, n, *weights = arrays
    values = tuple(tuple(texts) for texts in head["values"])
    resolution = int(head["resolution"])
    return Tally(tuple(head["dimensions"]), values, resolution, blocks, block, np.cumsum(keys), n, weights[0] if weights else None)


def _steps(keys: Integers) -> Integers:
    return np.diff(keys, prepend=0)


def _narrowest(array: Integers) -> np.dtype[Any]:
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    return next(kind for kind in map(np.dtype, ("<i1", "<i2", "<i4", "<i8")) if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)


def combine(parts: Sequence[Tally]) -> Tally:
    """The sum of tallies over the same dimensions."""
    first = parts[0]
    if any(part.dimensions != first.dimensions or (part.weights is None) != (first.weights is None) for part in parts):
        raise ValueError("only tallies over the same dimensions add up")
    if len(parts) == 1:
        return first
    resolution = max(part.resolution for part in parts)
    values = tuple(tuple(sorted(set().union(*(part.values[i] for part in parts)))) for i in range(len(first.dimensions)))
    recoded = np.concatenate([_recoded(part, values) for part in parts])
    blocks, number = _numbered(list(recoded.T), values, len(recoded))
    starts = np.cumsum([0, *(len(part.blocks) for part in parts)])
    block = np.concatenate([number[start:][part.block] for start, part in zip(starts.tolist(), parts, strict=False)])
    keys = np.concatenate([_coarse(part.keys, part.resolution, resolution) for part in parts])
    n = np.concatenate([part.n for part in parts])
    if (
        first.weights is not None
        and sum(float(part.weights[:, [0, 2]].sum(axis=0, dtype=np.float64).max()) for part in parts if part.weights is not None) > 2.0**62
    ):
        raise SourceError(_TOO_HEAVY, remedy="divide all weights by a constant")
    weights = None if first.weights is None else np.concatenate([part.weights for part in parts if part.weights is not None])
    return _fit(_reduce(first.dimensions, values, resolution, blocks, block, keys, n, weights))


def ranks(numbers: Integers, size: int) -> tuple[Integers, Integers]:
    """Numbers below `size` as their ranks among the distinct ones, and these, sorted; by counting where that is cheap."""
    if size > max(_DENSE, 4 * len(numbers)):
        found, index = np.unique(numbers, return_inverse=True)
        return index.reshape(-1).astype(np.int64), found
    there = np.zeros(size, dtype=bool)
    there[numbers] = True
    place: Integers = np.cumsum(there) - 1
    return place[numbers], np.flatnonzero(there)


def score_keys(scores: Floats) -> Integers:
    """Scores in [0, 1] as integers of the same order, one for one; NaN is NO_SCORE."""
    keys = (scores + 0.0).view(np.int64).copy()
    keys[np.isnan(scores)] = NO_SCORE
    return keys


def fixed(weights: Floats) -> Integers:
    """Weights and their squares as fixed-point integers (50 binary places) in two limbs each.

    Raises:
        SourceError: they are too large or too small to be summed exactly.
    """
    if (weights[weights > 0] < _LEAST).any():
        raise SourceError("a weight is smaller than 2^-20 and not 0", remedy="multiply all weights by a constant")
    if float(weights.sum()) > _LIMIT or float((weights * weights).sum()) > _LIMIT:
        raise SourceError(_TOO_HEAVY, remedy="divide all weights by a constant")
    limbs = []
    for amount in (weights, weights * weights):
        scaled = amount * float(1 << _HIGH)
        high = np.floor(scaled)
        limbs += [high.astype(np.int64), np.floor((scaled - high) * float(1 << _LOW)).astype(np.int64)]
    return np.stack(limbs, axis=1)


def total(weights: Integers) -> tuple[int, int]:
    """The exact sums of weights and of squares, as integers in units of 2^-50."""
    sums = [int(limb) for limb in weights.sum(axis=0, dtype=np.int64)]
    return (sums[0] << _LOW) + sums[1], (sums[2] << _LOW) + sums[3]


def sums(weights: Integers) -> Floats:
    """Per cell the sums of weights and of squares, as floats."""
    limbs = weights.astype(np.float64)
    return (limbs[:, [0, 2]] * float(1 << _LOW) + limbs[:, [1, 3]]) * 2.0**-SCALE


def _sorted_codes(texts: Sequence[str], codes: Integers) -> tuple[tuple[str, ...], Integers]:
    """Sort the texts of a dimension and drop those that do not occur; two equal texts become one."""
    present = ranks(codes, len(texts) + 1)[1]
    ordered = tuple(sorted({texts[code - 1] for code in present.tolist() if code > 0}))
    place = {text: i + 1 for i, text in enumerate(ordered)}
    lookup = np.zeros(len(texts) + 1, dtype=np.int64)
    for code in present.tolist():
        if code > 0:
            lookup[code] = place[texts[code - 1]]
    return ordered, lookup[codes]


def _recoded(part: Tally, values: tuple[tuple[str, ...], ...]) -> Integers:
    """The blocks of a part in the codes of the sum."""
    codes = part.blocks.copy()
    for i, (own, common) in enumerate(zip(part.values, values, strict=True)):
        if own != common:
            place = {text: j + 1 for j, text in enumerate(common)}
            codes[:, i] = np.array([0, *(place[text] for text in own)], dtype=np.int64)[codes[:, i]]
    return codes


def _numbered(columns: Sequence[Integers], values: Sequence[Sequence[str]], rows: int) -> tuple[Integers, Integers]:
    """The combinations of codes that occur, sorted, and per row the number of its own."""
    index, size = np.zeros(rows, dtype=np.int64), 1
    for column, texts in zip(columns, values, strict=True):
        if size * (len(texts) + 1) > _DENSE:
            index, found = ranks(index, size)
            size = len(found)
        index = index * (len(texts) + 1) + column
        size *= len(texts) + 1
    index, found = ranks(index, size)
    example = np.zeros(len(found), dtype=np.int64)
    example[index] = np.arange(rows)
    blocks = np.stack([column[example] for column in columns], axis=1) if columns else np.zeros((len(found), 0), dtype=np.int64)
    return blocks, index


def _reduce(
    dimensions: tuple[str, ...],
    values: tuple[tuple[str, ...], ...],
    resolution: int,
    blocks: Integers,
    block: Integers,
    keys: Integers,
    n: Integers,
    weights: Integers | None,
) -> Tally:
    """Sort cells and add up equal ones."""
    order = _order(block, keys, len(blocks), resolution)
    weights = None if weights is None else weights[order]
    return _summed(Tally(dimensions, values, resolution, blocks, block[order], keys[order], n[order], weights))


def _order(block: Integers, keys: Integers, blocks: int, resolution: int) -> Integers:
    """The order by block, then by key: both in one integer where they fit, else by the key and then stably by 16 bits of the block at a time."""
    if resolution != EXACT and blocks < 1 << _ROOM:
        return np.argsort((block << (63 - _ROOM)) + keys)
    order = np.argsort(keys)
    for shift in range(0, max(blocks - 1, 0).bit_length(), 16):
        order = order[np.argsort((block[order] >> shift).astype(np.uint16), kind="stable")]
    return order


def _summed(cells: Tally) -> Tally:
    """Add up equal cells that follow each other."""
    starts = np.flatnonzero(_changes(cells.block, cells.keys))
    if len(starts) == len(cells.keys):
        return cells
    weights = cells.weights
    if weights is not None:
        weights = np.add.reduceat(weights, starts, axis=0)
        for high, low in ((0, 1), (2, 3)):
            weights[:, high] += weights[:, low] >> _LOW
            weights[:, low] &= (1 << _LOW) - 1
    n = np.add.reduceat(cells.n, starts)
    return Tally(cells.dimensions, cells.values, cells.resolution, cells.blocks, cells.block[starts], cells.keys[starts], n, weights)


def _changes(block: Integers, keys: Integers) -> NDArray[np.bool_]:
    """Where a cell differs from the one before."""
    change = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=change[1:])
    change[1:] |= block[1:] != block[:-1]
    return change


def _fit(tally: Tally) -> Tally:
    """The finest resolution with at most CAP cells. A part of the rows never needs a coarser one than all, so that any order of merging agrees.

    A coarser key keeps the order, so that the cells stay sorted.
    """
    keys, resolution, cells = tally.keys, tally.resolution, len(tally.keys)
    while cells > CAP and (coarser := next((r for r in _RESOLUTIONS if r > resolution), None)):
        keys, resolution = _coarse(keys, resolution, coarser), coarser
        cells = int(_changes(tally.block, keys).sum())
    return tally if resolution == tally.resolution else _summed(replace(tally, resolution=resolution, keys=keys))


def _coarse(keys: Integers, resolution: int, coarser: int) -> Integers:
    if resolution == coarser:
        return keys
    none = keys == NO_SCORE
    if resolution == EXACT:
        scores = np.where(none, 0, keys).view(np.float64)
        bits, tenths = _ordered_bits(scores), tenths_of(scores)
    else:
        bits, tenths = keys >> 4, keys & 15
    return np.where(none, NO_SCORE, (bits >> (coarser - resolution)) << 4 | tenths)


def tenths_of(scores: Floats) -> Integers:
    """`np.searchsorted(TENTHS, scores)`, faster: a guess, mended by at most one."""
    found = np.minimum((scores * 10).astype(np.int64), len(TENTHS))
    found -= scores <= _BELOW[found]
    found += scores > _ABOVE[found]
    return found


def _ordered_bits(scores: Floats) -> Integers:
    """An integer of the same order: the bits of float32(s) below one half, mirrored bits of float32(1 - s) above."""
    below = np.minimum(scores, 0.5).astype(np.float32).view(np.int32).astype(np.int64)
    above = 2 * _HALF - (1.0 - np.maximum(scores, 0.5)).astype(np.float32).view(np.int32).astype(np.int64)
    return np.where(scores < 0.5, below, above)


def _edges(keys: Integers, resolution: int) -> tuple[Floats, Floats]:
    """Bounds of a bin, wider by the rounding to float32, within its tenth."""
    bits, tenths = keys >> 4, keys & 15
    first = np.clip((bits << resolution) - 1, 0, 2 * _HALF)
    last = np.clip((bits + 1) << resolution, 0, 2 * _HALF)
    ends = np.concatenate(([0.0], TENTHS, [1.0]))
    return np.maximum(_from_bits(first), ends[tenths]), np.minimum(_from_bits(last), ends[tenths + 1])


def _from_bits(bits: Integers) -> Floats:
    below = np.minimum(bits, _HALF).astype(np.int32).view(np.float32).astype(np.float64)
    above = 1.0 - (2 * _HALF - np.maximum(bits, _HALF)).astype(np.int32).view(np.float32).astype(np.float64)
    return np.where(bits < _HALF, below, above)


def describe(tally: Tally) -> dict[str, Any]:
    """How large and how fine a tally is, for run records."""
    return {"cells": len(tally.keys), "rows": tally.rows, "resolution": tally.resolution}
