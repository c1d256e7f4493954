"""The tally: the small, integer, mergeable statistic of a table of predictions from which every rate, interval and score is read.

A tally is a sorted list of *blocks*: combinations of slice values, label and prediction, with how many rows there are of each and, where a weight is
declared, the sums of the weights and of their squares in fixed point. Where a score is declared there are also the scores of each block. Adding two
tallies adds their blocks. Adding is associative and commutative, and the same rows give the same tally (and digest) in any order, partitioning,
thread count or engine.

Scores are exact while there are at most `CAP` cells, which are the different scores of a block. Above it they are counted in bins: one row of bins a
block, as fine as fits in `ROOM` for the blocks there are. Bins are nested (see `bins`), so that which ones are taken depends on the rows alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from factbook.engines import bins
from factbook.engines.bins import EXACT
from factbook.engines.bins import TENTHS as TENTHS
from factbook.engines.bins import Floats as Floats
from factbook.engines.bins import Integers as Integers
from factbook.errors import SourceError

CAP: Final = 1 << 19
ROOM: Final = 10 << 20
LABEL: Final = "*label"
PREDICTION: Final = "*prediction"
WEIGHT: Final = "*weight"
SCORE: Final = "*score"
CLUSTER: Final = "*cluster"
CLUSTER_BLOCKS: Final = 64
SCALE: Final = 50
_DENSE: Final = 1 << 16
_LOW: Final = 34
_HIGH: Final = SCALE - _LOW
_LIMIT: Final = 2.0**46
_LEAST: Final = 2.0**-20
_FORMAT: Final = 3

_TOO_HEAVY: Final = "the weights, or their squares, sum to more than 2^46"
_HASH: Final = np.uint64(0x9E3779B97F4A7C15)
_HASHED: Final = 21


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of a tally's rows, by blocks of their own: a prediction that follows from the score is no part of them.

    Attributes:
        dimensions: what the columns of `blocks` are: some of the tally's.
        blocks: the codes of the blocks that occur, sorted; one row a block.
        resolution: EXACT, or that of the bins.
        block, keys: where exact, per cell the row of `blocks` and the score as an integer of the same order; sorted. Else empty.
        n: rows; where exact one number a cell, else blocks × bins.
        weights: sums of the weights and of their squares, in two limbs each (high, low), in a last axis; or None.
    """

    dimensions: tuple[str, ...]
    blocks: Integers
    resolution: int
    block: Integers
    keys: Integers
    n: Integers
    weights: Integers | None = None

    @cached_property
    def edges(self) -> tuple[Floats, Floats]:
        """The lowest and the highest score of each cell, or of each bin."""
        if self.resolution == EXACT:
            exact = self.keys.view(np.float64)
            return exact, exact
        found = bins.at(self.resolution)
        return found.low, found.high

    @cached_property
    def wide(self) -> NDArray[Any]:
        """The rows in integers that hold any sum of them."""
        return self.n.astype(np.int32 if int(self.n.sum(dtype=np.int64)) < 1 << 31 else np.int64, copy=False)

    @cached_property
    def rising(self) -> Scores:
        """The same cells in the order of their scores."""
        order = np.argsort(self.keys)
        weights = None if self.weights is None else self.weights[order]
        return replace(self, block=self.block[order], keys=self.keys[order], n=self.n[order], weights=weights)


@dataclass(frozen=True, eq=False)
class Tally:
    """Blocks, sorted. A block is what has equal values in every dimension.

    Attributes:
        dimensions: what the columns of `blocks` are: slice attributes, then LABEL, PREDICTION, WEIGHT, SCORE and CLUSTER where declared.
            WEIGHT and SCORE have the value `given`. The values of CLUSTER are `00` to `63`: a hash of what the rows of a cluster share.
        values: per dimension the texts that occur, sorted; code 0 is "missing", code i is the i-th text.
        blocks: the codes of the blocks that occur, sorted; one row a block, one column a dimension.
        n: rows of each block.
        weights: sums of the weights and of their squares of each block, in two limbs each (high, low), or None.
        scores: the scores that are given, or None where none are declared.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    blocks: Integers
    n: Integers
    weights: Integers | None = None
    scores: Scores | None = None

    @cached_property
    def rows(self) -> int:
        """All rows, whatever is missing in them."""
        return int(self.n.sum())

    def codes_of(self, dimension: str) -> Integers:
        """The codes of one dimension, a block each."""
        return self.blocks[:, self.dimensions.index(dimension)]

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

    def where(self, chosen: NDArray[np.bool_]) -> Tally:
        """Some of the blocks, without their scores."""
        weights = None if self.weights is None else self.weights[chosen]
        return Tally(self.dimensions, self.values, self.blocks[chosen], self.n[chosen], weights)

    def __add__(self, other: Tally) -> Tally:
        return combine((self, other))

    @cached_property
    def digest(self) -> str:
        """`sha256:` and a hash of the canonical form. Private: it would give suppressed cells away."""
        head = [self.dimensions, self.values, self.weights is not None]
        if self.scores is not None:
            head += [self.scores.dimensions, self.scores.resolution]
        state = hashlib.sha256(json.dumps(head).encode())
        for array in _arrays(self):
            for part in np.array_split(array, max(1, array.size >> 20)):
                state.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        return "sha256:" + state.hexdigest()


def _arrays(tally: Tally) -> list[Integers]:
    scores = tally.scores
    own = [tally.blocks, tally.n, tally.weights]
    if scores is not None:
        own += [scores.blocks, scores.block, scores.keys, scores.n, scores.weights]
    return [array for array in own if array is not None]


def make(
    dimensions: Sequence[str],
    columns: Sequence[tuple[Sequence[str], Integers]],
    n: Integers,
    weights: Integers | None = None,
    scores: Floats | None = None,
    decided: bool = False,
) -> Tally:
    """A tally of rows (or of groups of equal rows, in any order, with repetitions).

    Args:
        dimensions: what the columns are; SCORE is one where there are scores.
        columns: texts and codes (0 missing) per dimension.
        n: rows.
        weights: in fixed point.
        scores: in [0, 1]; NaN where SCORE is missing.
        decided: whether the predictions follow from the scores.
    """
    values, codes = [], []
    for texts, column in columns:
        ordered, column = _sorted_codes(texts, column)
        values.append(ordered)
        codes.append(column)
    blocks, block = numbered(codes, values, len(n))
    tally = Tally(tuple(dimensions), tuple(values), blocks, *_added(block, len(blocks), n, weights))
    if scores is None:
        return tally
    apart = score_dimensions(dimensions, decided)
    given = ~np.isnan(scores)
    chosen = [i for i, name in enumerate(dimensions) if name in apart]
    blocks, block = numbered([codes[i][given] for i in chosen], [values[i] for i in chosen], int(given.sum()))
    return replace(tally, scores=cells(apart, blocks, block, score_keys(scores[given]), n[given], None if weights is None else weights[given]))


def score_dimensions(dimensions: Sequence[str], decided: bool) -> tuple[str, ...]:
    """What tells the blocks of scores apart: all but SCORE, and a prediction that follows from the score."""
    return tuple(name for name in dimensions if name != SCORE and not (decided and name == PREDICTION))


def empty(dimensions: Sequence[str], *, weighted: bool, decided: bool = False) -> Tally:
    """The tally of no rows: added to another, it changes nothing."""
    none = np.zeros(0, dtype=np.int64)
    weights = np.zeros((0, 4), dtype=np.int64) if weighted else None
    return make(dimensions, [((), none)] * len(dimensions), none, weights, np.zeros(0) if SCORE in dimensions else None, decided)


def cells(dimensions: tuple[str, ...], blocks: Integers, block: Integers, keys: Integers, n: Integers, weights: Integers | None) -> Scores:
    """Scores from cells in any order, with repetitions: exact where there are few enough, else in bins."""
    order = np.argsort(keys)
    for shift in range(0, max(len(blocks) - 1, 0).bit_length(), 16):
        order = order[np.argsort((block[order] >> shift).astype(np.uint16), kind="stable")]
    block, keys = block[order], keys[order]
    change = np.ones(len(keys), dtype=bool)
    change[1:] = (keys[1:] != keys[:-1]) | (block[1:] != block[:-1])
    starts = np.flatnonzero(change)
    n, weights = n[order], None if weights is None else weights[order]
    if len(starts) < len(keys):
        n, weights = np.add.reduceat(n, starts), None if weights is None else carried(np.add.reduceat(weights, starts, axis=0))
    found = Scores(dimensions, blocks, EXACT, block[starts], keys[starts], n, weights)
    return found if len(starts) <= CAP else binned(found, fitting(len(blocks), weights is not None))


def fitting(blocks: int, weighted: bool) -> int:
    """The finest resolution whose bins fit in ROOM for so many blocks."""
    size = max(1, blocks) * (5 if weighted else 1)
    return next((r for r in range(1, bins.COARSEST) if size * bins.size(r) <= ROOM), bins.COARSEST)


def crowded(parts: Iterable[tuple[Integers, Floats]]) -> bool:
    """Whether there are certainly more than CAP cells, given blocks and scores; fast, since it only counts hashes."""
    seen = np.zeros(1 << _HASHED, dtype=bool)
    for block, scores in parts:
        mixed = (score_keys(scores).view(np.uint64) + block.view(np.uint64) * _HASH) * _HASH
        seen[mixed >> np.uint64(64 - _HASHED)] = True
    return bool(np.count_nonzero(seen) > CAP)


def binned(scores: Scores, resolution: int) -> Scores:
    """The same scores at a coarser resolution."""
    if scores.resolution == resolution:
        return scores
    n, weights = scores.n, scores.weights
    if scores.resolution == EXACT:
        size = bins.size(resolution)
        place = scores.block * size + bins.at(resolution).place(scores.keys.view(np.float64))
        n, weights = _added(place, len(scores.blocks) * size, n, weights)
        n = narrow(n.reshape(-1, size))
        weights = None if weights is None else weights.reshape(-1, size, 4)
    else:
        for step in range(scores.resolution, resolution):
            starts = np.searchsorted(bins.at(step).coarser, np.arange(len(bins.at(step + 1))))
            n = _merged(n, starts)
            weights = None if weights is None else carried(_merged(weights, starts))
    none = np.zeros(0, dtype=np.int64)
    return Scores(scores.dimensions, scores.blocks, resolution, none, none, n, weights)


def _merged(array: NDArray[Any], starts: Integers) -> NDArray[Any]:
    """Sum neighbouring bins; every coarser bin holds at least one."""
    wide = array.dtype == np.int64 or int(array.sum(dtype=np.int64)) >= 1 << 31
    found: NDArray[Any] = np.add.reduceat(array, starts, axis=1, dtype=np.int64 if wide else np.int32)
    return found


def narrow(n: NDArray[Any]) -> NDArray[Any]:
    """Counts in as few bits as hold the largest: arrays of bins are the largest part of a tally."""
    return n.astype(_width(int(n.max(initial=0))), copy=False)


def _width(most: int) -> type[np.signedinteger[Any]]:
    return np.int16 if most < 1 << 15 else np.int32 if most < 1 << 31 else np.int64


def dump(tally: Tally) -> bytes:
    """A tally as bytes, the same for equal tallies: a line of JSON, then its arrays in the narrowest integers that hold them, compressed."""
    import pyarrow as pa

    arrays = _arrays(tally)
    kinds = [_narrowest(array) for array in arrays]
    head: dict[str, Any] = {"tally": _FORMAT, "dimensions": tally.dimensions, "values": tally.values, "weighted": tally.weights is not None}
    if tally.scores is not None:
        head |= {"scores": tally.scores.dimensions, "resolution": tally.scores.resolution}
    head["arrays"] = [[kind.str, *array.shape] for array, kind in zip(arrays, kinds, strict=True)]
    sink = pa.BufferOutputStream()
    sink.write(json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        for array, kind in zip(arrays, kinds, strict=True):
            for part in np.array_split(array, max(1, array.size >> 20)):
                packed.write(np.ascontiguousarray(part, dtype=kind).tobytes())
        packed.flush()
    found: bytes = sink.getvalue().to_pybytes()
    del sink, packed
    pa.default_memory_pool().release_unused()  # the next part needs the memory
    return found


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
    raw, arrays = pa.CompressedInputStream(pa.BufferReader(packed), "zstd"), []
    for kind, *shape in head["arrays"]:
        data = raw.read(int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize)
        arrays.append(np.frombuffer(data, dtype=kind).reshape(shape))
    return _loaded(head, arrays)


def _loaded(head: dict[str, Any], arrays: Sequence[NDArray[Any]]) -> Tally:
    binned = head.get("resolution", EXACT) != EXACT
    place = 5 + head["weighted"]  # the counts of bins stay narrow
    blocks, n, *more = [narrow(array) if binned and i == place else array.astype(np.int64) for i, array in enumerate(arrays)]
    weights = more.pop(0) if head["weighted"] else None
    scores = None
    if "scores" in head:
        own, block, keys, counts, *limbs = more
        scores = Scores(tuple(head["scores"]), own, int(head["resolution"]), block, keys, counts, limbs[0] if limbs else None)
    return Tally(tuple(head["dimensions"]), tuple(tuple(texts) for texts in head["values"]), blocks, n, weights, scores)


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
    values = tuple(tuple(sorted(set().union(*(part.values[i] for part in parts)))) for i in range(len(first.dimensions)))
    recoded = [_recoded(part.blocks, part.dimensions, part, values) for part in parts]
    blocks, block = _renumbered(recoded, values)
    limbs = [part.weights for part in parts if part.weights is not None]
    if sum(float(part[:, [0, 2]].sum(axis=0, dtype=np.float64).max(initial=0)) for part in limbs) > 2.0**62:
        raise SourceError(_TOO_HEAVY, remedy="divide all weights by a constant")
    n = np.concatenate([part.n for part in parts])
    summed = _added(block, len(blocks), n, np.concatenate(limbs) if limbs else None)
    return Tally(first.dimensions, values, blocks, *summed, _combined(parts, values))


def _combined(parts: Sequence[Tally], values: tuple[tuple[str, ...], ...]) -> Scores | None:
    """The sum of the scores of tallies."""
    found = [(part, part.scores) for part in parts if part.scores is not None]
    if not found:
        return None
    first = found[0][1]
    chosen = tuple(values[parts[0].dimensions.index(name)] for name in first.dimensions)
    recoded = [_recoded(scores.blocks, scores.dimensions, part, values) for part, scores in found]
    blocks, number = _renumbered(recoded, chosen)
    starts = np.cumsum([0, *map(len, recoded)]).tolist()
    numbers = [number[start : start + len(own)] for start, own in zip(starts, recoded, strict=False)]
    weighted = first.weights is not None
    if all(scores.resolution == EXACT for _, scores in found):
        block = np.concatenate([own[scores.block] for own, (_, scores) in zip(numbers, found, strict=True)])
        keys, n = (np.concatenate([getattr(scores, name) for _, scores in found]) for name in ("keys", "n"))
        limbs = np.concatenate([scores.weights for _, scores in found if scores.weights is not None]) if weighted else None
        return cells(first.dimensions, blocks, block, keys, n, limbs)
    resolution = fitting(len(blocks), weighted)
    size = bins.size(resolution)
    fitted = [binned(scores, resolution) for _, scores in found]
    n = np.zeros((len(blocks), size), dtype=_width(sum(int(part.n.max(initial=0)) for part in fitted)))
    weights = np.zeros((len(blocks), size, 4), dtype=np.int64) if weighted else None
    for own, part in zip(numbers, fitted, strict=True):
        for to, row in zip(own.tolist(), part.n, strict=True):  # row by row: an array of all of them would be copied
            n[to] += row
        if weights is not None and part.weights is not None:
            weights[own] = carried(weights[own] + part.weights)
    none = np.zeros(0, dtype=np.int64)
    return Scores(first.dimensions, blocks, resolution, none, none, n, weights)


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
    """Scores in [0, 1] as integers of the same order, one for one."""
    return (scores + 0.0).view(np.int64)


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
    """The sums of weights and of squares as floats, in a last axis of two."""
    limbs = weights.astype(np.float64)
    return (limbs[..., [0, 2]] * float(1 << _LOW) + limbs[..., [1, 3]]) * 2.0**-SCALE


def carried(weights: Integers) -> Integers:
    """The one way to write sums in two limbs; in place."""
    for high, low in ((0, 1), (2, 3)):
        weights[..., high] += weights[..., low] >> _LOW
        weights[..., low] &= (1 << _LOW) - 1
    return weights


def _added(index: Integers, size: int, n: Integers, weights: Integers | None) -> tuple[Integers, Integers | None]:
    """Rows and weights summed by an index below `size`."""
    rows = np.zeros(size, dtype=np.int64)
    np.add.at(rows, index, n)
    if weights is None:
        return rows, None
    limbs = np.zeros((size, 4), dtype=np.int64)
    for i in range(4):
        np.add.at(limbs[:, i], index, weights[:, i])
    return rows, carried(limbs)


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


def _recoded(blocks: Integers, dimensions: Sequence[str], part: Tally, values: tuple[tuple[str, ...], ...]) -> Integers:
    """The blocks of a part in the codes of the sum."""
    codes = blocks.copy()
    for i, name in enumerate(dimensions):
        own, common = part.values_of(name), values[part.dimensions.index(name)]
        if own != common:
            place = {text: j + 1 for j, text in enumerate(common)}
            codes[:, i] = np.array([0, *(place[text] for text in own)], dtype=np.int64)[codes[:, i]]
    return codes


def _renumbered(parts: Sequence[Integers], values: Sequence[Sequence[str]]) -> tuple[Integers, Integers]:
    every = np.concatenate(parts)
    return numbered(list(every.T), values, len(every))


def numbered(columns: Sequence[Integers], values: Sequence[Sequence[object]], rows: int) -> tuple[Integers, Integers]:
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


def describe(tally: Tally) -> dict[str, Any]:
    """How large and how fine a tally is, for run records."""
    scores = tally.scores
    return {"blocks": len(tally.blocks), "rows": tally.rows} | ({} if scores is None else {"cells": scores.n.size, "resolution": scores.resolution})
