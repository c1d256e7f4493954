"""Totals: exact sums of numbers by cell, their extremes, and how they are spread. What a tally is for counts of labels, for measures of numbers.

A cell is a combination of slice values. Sums are integers in units of 2^-1126 (see `statistics.moments`). A spread counts values, alone or in pairs,
in bins that keep their order: runs of doubles that share their leading bits, as many of these as leave at most `room` bins that occur. Bins are
nested, so that how fine they are depends on the rows alone. Adding totals is associative and commutative: the same rows give the same totals in any
order and partitioning.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final

import numpy as np

from factbook.engines import tallies
from factbook.statistics.moments import UNIT, Floats, Integers, pieces

Term = tuple[Floats, ...]
Terms = Mapping[str, Term]
Columns = Mapping[str, Floats]

ROOM: Final = 1 << 18
_CHUNK: Final = 1 << 15
_BITS: Final = 62
_COARSEST: Final = 62
_FORMAT: Final = 1
_MAGNITUDE: Final = np.int64(0x7FFFFFFFFFFFFFFF)


@dataclass(frozen=True)
class Counting:
    """How values are spread.

    Attributes:
        values: the columns whose values are counted; of two, their pairs.
        apart: whether each cell is counted by itself.
        room: the most bins that may occur.
        finest: how many trailing bits of a double the finest bins leave out.
        terms: what is summed in every bin, in the order of their names.
    """

    values: tuple[str, ...]
    apart: bool = False
    room: int = ROOM
    finest: int = 20
    terms: Callable[[Columns], Terms] | None = None


@dataclass(frozen=True)
class Design:
    """What is summed and counted of the columns of some rows.

    Attributes:
        terms: what is summed by cell; each is the sum of its arrays, of which the second holds what the first lost in rounding.
        extremes: the columns whose least and largest value are kept by cell.
        spreads: what is counted.
    """

    terms: Callable[[Columns], Terms]
    extremes: tuple[str, ...] = ()
    spreads: Mapping[str, Counting] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Spread:
    """Values, or pairs of them, in bins that occur.

    Attributes:
        shift: how many trailing bits of a double the bins leave out.
        cell: of each bin; 0 where cells are not kept apart.
        keys: of each bin, a column a value; sorted after their cell.
        n: rows of each bin.
        sums: of each bin, a column a term, in units of 2^-1126.
    """

    shift: int
    cell: Integers
    keys: Integers
    n: Integers
    sums: Any

    def edges(self, value: int = 0) -> tuple[Floats, Floats]:
        """The lowest and the highest value that each bin can hold."""
        first = self.keys[:, value] << self.shift
        return _from_keys(first), _from_keys(first + ((1 << self.shift) - 1))


@dataclass(frozen=True, eq=False)
class Totals:
    """What was summed and counted.

    Attributes:
        dimensions, values, blocks, n: as of a `Tally`.
        sums: by term, of each block, in units of 2^-1126.
        extremes: by term, of each block the least and the largest value.
        spreads: by name.
    """

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    blocks: Integers
    n: Integers
    sums: Mapping[str, Any]
    extremes: Mapping[str, Floats]
    spreads: Mapping[str, Spread]

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.n.sum())


def fold(design: Design, groups: Mapping[str, tuple[tuple[str, ...], Integers]], columns: Columns, rows: int, shifts: Mapping[str, int]) -> Totals:
    """The totals of some rows.

    Args:
        design: what is summed and counted.
        groups: attribute to the texts that occur, sorted, and per row 1 + the index of its own, 0 where missing.
        columns: the numbers.
        rows: how many there are, at most 2^18.
        shifts: how coarse spreads are known to be.
    """
    texts = tuple(values for values, _ in groups.values())
    blocks, cell = tallies.numbered([codes for _, codes in groups.values()], texts, rows)
    order = np.argsort(cell.astype(np.uint16 if len(blocks) <= 1 << 16 else np.int64), kind="stable") if len(blocks) > 1 else None
    ordered, cell = _taken(columns, order), cell if order is None else cell[order]
    sums = _summed(design.terms, ordered, cell, len(blocks))
    extremes = {name: _extremes(ordered[name], cell) for name in design.extremes}
    counted = {name: _counted(item, ordered, cell, max(item.finest, shifts.get(name, 0))) for name, item in design.spreads.items()}
    return _pruned(Totals(tuple(groups), texts, blocks, np.bincount(cell, minlength=len(blocks)), sums, extremes, counted))


def _taken(columns: Columns, order: Integers | None) -> Columns:
    return columns if order is None else {name: values[order] for name, values in columns.items()}


def _pruned(found: Totals) -> Totals:
    """Without texts that do not occur."""
    values, blocks = [], found.blocks.copy()
    for i, texts in enumerate(found.values):
        there = np.unique(blocks[:, i])
        chosen = there[there > 0]
        lookup = np.zeros(len(texts) + 1, dtype=np.int64)
        lookup[chosen] = np.arange(1, len(chosen) + 1)
        values.append(tuple(texts[code - 1] for code in chosen.tolist()))
        blocks[:, i] = lookup[blocks[:, i]]
    return replace(found, values=tuple(values), blocks=blocks)


class _Sums:
    """Exact sums by place, of rows that come sorted by it: as 64-bit integers until they are asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.found: dict[int, Integers] = {}

    def add(self, values: Floats, starts: Integers, places: Integers) -> None:
        for unit, part in pieces(values):
            own = np.ldexp(np.add.reduceat(part, starts), -unit).astype(np.int64)
            self.found.setdefault(unit, np.zeros(self.size, dtype=np.int64))[places] += own

    def total(self) -> Any:
        found = np.zeros(self.size, dtype=object)
        for unit, own in self.found.items():
            there = np.flatnonzero(own)
            found[there] += own[there].astype(object) << (unit + UNIT)
        return found


def _summed(terms: Callable[[Columns], Terms], columns: Columns, cell: Integers, size: int) -> dict[str, Any]:
    """The sums by cell of rows that come in the order of their cells."""
    sums: dict[str, _Sums] = {}
    for start in range(0, len(cell), _CHUNK):
        own = cell[start : start + _CHUNK]
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        places = own[starts]
        for name, term in terms({name: values[start : start + _CHUNK] for name, values in columns.items()}).items():
            for part in term:
                sums.setdefault(name, _Sums(size)).add(part, starts, places)
    return {name: total.total() for name, total in sums.items()}


def _extremes(values: Floats, cell: Integers) -> Floats:
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    return np.stack([np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)], axis=1) + 0.0  # one way to write 0


def _counted(item: Counting, columns: Columns, cell: Integers, shift: int) -> Spread:
    """One spread of some rows."""
    own = cell if item.apart else np.zeros(len(cell), dtype=np.int64)
    keys = np.stack([_to_keys(columns[name]) for name in item.values], axis=1)
    keys >>= shift
    order, starts = _runs(own, keys)
    first = order[starts]
    sums = np.zeros((len(starts), 0), dtype=object) if item.terms is None else _binned(item.terms, _taken(columns, order), starts)
    return _fitted(Spread(shift, own[first], keys[first], np.diff(starts, append=len(own)), sums), item.room)


def _binned(terms: Callable[[Columns], Terms], columns: Columns, starts: Integers) -> Any:
    place = np.zeros(len(next(iter(columns.values()))), dtype=np.int64)
    place[starts[1:]] = 1
    return np.stack(list(_summed(terms, columns, np.cumsum(place), len(starts)).values()), axis=1)


def _runs(cell: Integers, keys: Integers) -> tuple[Integers, Integers]:
    """An order in which equal bins are together, cells and keys rising, and where each bin begins in it."""
    columns = [cell, *keys.T]
    lows = [int(column.min(initial=0)) for column in columns]
    bits = [(int(column.max(initial=0)) - low).bit_length() for column, low in zip(columns, lows, strict=True)]
    if sum(bits) > _BITS:
        order = np.lexsort(columns[::-1])
        change = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    else:
        packed = np.zeros(len(cell), dtype=np.int64)
        for column, low, width in zip(columns, lows, bits, strict=True):
            packed = (packed << width) | (column - low)
        order = np.argsort(packed)
        change = np.diff(packed[order]) != 0
    return order, np.flatnonzero(np.append(True, change))


def _fitted(spread: Spread, room: int) -> Spread:
    """In bins as fine as fit; where there are more cells than room, the coarsest."""
    while len(spread.n) > room and spread.shift < _COARSEST:
        spread = gathered(replace(spread, shift=spread.shift + 1, keys=spread.keys >> 1))
    return spread


def gathered(spread: Spread) -> Spread:
    """Equal bins as one."""
    if not len(spread.n):
        return spread
    order, starts = _runs(spread.cell, spread.keys)
    first = order[starts]
    sums = np.add.reduceat(spread.sums[order], starts, axis=0) if spread.sums.shape[1] else spread.sums[first]
    return Spread(spread.shift, spread.cell[first], spread.keys[first], np.add.reduceat(spread.n[order], starts), sums)


def combine(design: Design, parts: Sequence[Totals]) -> Totals:
    """The sum of totals of one design over the same dimensions."""
    first = parts[0]
    if len(parts) == 1:
        return first
    values = tuple(tuple(sorted(set().union(*(part.values[i] for part in parts)))) for i in range(len(first.dimensions)))
    blocks, place = tallies.numbered(list(np.concatenate([_recoded(part, values) for part in parts]).T), values, sum(len(part.n) for part in parts))
    size = len(blocks)
    n = np.zeros(size, dtype=np.int64)
    np.add.at(n, place, np.concatenate([part.n for part in parts]))
    sums = {name: _placed(np.concatenate([part.sums[name] for part in parts]), place, size) for name in first.sums}
    extremes = {}
    for name in first.extremes:
        every = np.concatenate([part.extremes[name] for part in parts])
        extremes[name] = np.stack([np.full(size, math.inf), np.full(size, -math.inf)], axis=1)
        np.minimum.at(extremes[name][:, 0], place, every[:, 0])
        np.maximum.at(extremes[name][:, 1], place, every[:, 1])
    own = np.split(place, np.cumsum([len(part.n) for part in parts])[:-1])
    spreads = {name: _together([part.spreads[name] for part in parts], own, item) for name, item in design.spreads.items()}
    return Totals(first.dimensions, values, blocks, n, sums, extremes, spreads)


def _placed(amounts: Any, place: Integers, size: int) -> Any:
    found = np.zeros(size, dtype=object)
    np.add.at(found, place, amounts)
    return found


def _recoded(part: Totals, values: tuple[tuple[str, ...], ...]) -> Integers:
    """The blocks of a part in the codes of the sum."""
    codes = part.blocks.copy()
    for i, (own, common) in enumerate(zip(part.values, values, strict=True)):
        place = {text: j + 1 for j, text in enumerate(common)}
        codes[:, i] = np.array([0, *(place[text] for text in own)], dtype=np.int64)[codes[:, i]]
    return codes


def _together(parts: Sequence[Spread], places: Sequence[Integers], item: Counting) -> Spread:
    """The sum of spreads, whose cells have new places."""
    shift = max(part.shift for part in parts)
    cell = np.concatenate([place[part.cell] if item.apart else part.cell for part, place in zip(parts, places, strict=True)])
    keys = np.concatenate([part.keys >> (shift - part.shift) for part in parts])
    n, sums = np.concatenate([part.n for part in parts]), np.concatenate([part.sums for part in parts])
    return _fitted(gathered(Spread(shift, cell, keys, n, sums)), item.room)


def add_up(design: Design, parts: Iterable[Totals]) -> Totals | None:
    """The sum of totals as they come; of a few at a time, so that large ones are not copied for every small one."""
    held: list[Totals] = []
    for part in parts:
        held.append(part)
        if len(held) > 8:
            held = [combine(design, held)]
    return combine(design, held) if held else None


def dump(totals: Totals) -> bytes:
    """Totals as bytes, the same for equal ones: a line of JSON, and the steps of their arrays, compressed."""
    import pyarrow as pa

    arrays: list[Any] = [totals.blocks, totals.n, *(array.view(np.int64) for array in totals.extremes.values())]
    spreads = {}
    for name, item in totals.spreads.items():
        arrays += [item.cell, item.keys, item.n]
        spreads[name] = [item.shift, [f"{amount:x}" for amount in item.sums.reshape(-1).tolist()]]
    head = {
        "totals": _FORMAT,
        "dimensions": totals.dimensions,
        "values": totals.values,
        "sums": {name: [f"{amount:x}" for amount in column.tolist()] for name, column in totals.sums.items()},
        "extremes": list(totals.extremes),
        "spreads": spreads,
        "arrays": [array.shape for array in arrays],
    }
    steps = [np.diff(array, axis=0, prepend=np.zeros_like(array[:1])).T for array in arrays]
    body = b"".join(np.ascontiguousarray(array, dtype="<i8").tobytes() for array in steps)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packed:
        packed.write(json.dumps(head).encode() + b"\n" + body)
    return bytes(sink.getvalue().to_pybytes())


def load(data: bytes) -> Totals:
    """The totals that `dump` wrote.

    Raises:
        ValueError: these are none.
    """
    import pyarrow as pa

    try:
        line, _, body = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read().partition(b"\n")
    except OSError as error:
        raise ValueError("not totals that this version reads") from error
    head = json.loads(line)
    if head.get("totals") != _FORMAT:
        raise ValueError("not totals that this version reads")
    ends = np.cumsum([math.prod(shape) for shape in head["arrays"]])
    steps = np.frombuffer(body, dtype="<i8").astype(np.int64)
    parts = zip(np.split(steps, ends[:-1]), head["arrays"], strict=True)
    blocks, n, *rest = [np.cumsum(part.reshape(shape[::-1]).T, axis=0, dtype=np.int64) for part, shape in parts]
    extremes = {name: rest.pop(0).view(np.float64) for name in head["extremes"]}
    spreads = {}
    for name, (shift, sums) in head["spreads"].items():
        cell, keys, counts = (rest.pop(0) for _ in range(3))
        spreads[name] = Spread(shift, cell, keys, counts, _objects(sums).reshape(len(counts), -1 if len(counts) else 0))
    own = {name: _objects(column) for name, column in head["sums"].items()}
    return Totals(tuple(head["dimensions"]), tuple(tuple(texts) for texts in head["values"]), blocks, n, own, extremes, spreads)


def _objects(written: Sequence[str]) -> Any:
    found = np.zeros(len(written), dtype=object)
    found[:] = [int(amount, 16) for amount in written]
    return found


def _to_keys(values: Floats) -> Integers:
    """Doubles as integers of the same order; that of -v is the complement of that of v."""
    bits = (values + 0.0).view(np.int64)
    return bits ^ ((bits >> 63) & _MAGNITUDE)


def _from_keys(keys: Integers) -> Floats:
    found: Floats = (keys ^ ((keys >> 63) & _MAGNITUDE)).view(np.float64)
    return np.where(np.isnan(found), np.where(keys < 0, -math.inf, math.inf), found)


def times(a: Term, b: Term) -> Term:
    """The product of two terms, with what rounding it loses (Dekker 1971, Numerische Mathematik 18, 224)."""
    product = a[0] * b[0]
    (x, y), (u, v) = _halves(a[0]), _halves(b[0])
    lost = ((x * u - product) + x * v + y * u) + y * v
    for one, other in ((a, b), (b, a)):
        if len(one) > 1:
            lost = lost + one[1] * other[0]
    return product, lost


def _halves(values: Floats) -> tuple[Floats, Floats]:
    large = values * 134217729.0
    high = large - (large - values)
    return high, values - high


def powers(value: Term, most: int) -> list[Term]:
    """A term to the powers 1 … most."""
    return reduce(lambda found, _: [*found, times(found[-1], value)], range(most - 1), [value])
