"""How the rows of a scan add up to a tally, batch by batch, in memory that does not depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from factbook.engines import bins, tallies
from factbook.engines.bins import EXACT, Floats, Integers
from factbook.engines.tallies import Scores, Tally

_DENSE: Final = 1 << 17
_MOST_ROWS: Final = 1 << 27
_BITS: Final = 62
_DIRECT: Final = 20


@dataclass(frozen=True, slots=True)
class Values:
    """A column of a batch: the texts in it (None: missing), and per row the place of its own."""

    texts: Sequence[str | None]
    index: NDArray[Any]


class Folding:
    """Adds up batches of the same dimensions. `decided`: the predictions follow from the scores."""

    def __init__(self, dimensions: Sequence[str], *, weighted: bool, decided: bool) -> None:
        self.dimensions = tuple(dimensions)
        self.weighted = weighted
        self.apart = tallies.score_dimensions(dimensions, decided)
        self.order = [self.dimensions.index(name) for name in self.apart]
        self.order += [i for i, name in enumerate(self.dimensions) if name not in self.apart]
        self.rows = 0
        self.done: list[Tally] = []
        self._begin()

    def _begin(self) -> None:
        self.known: list[dict[str, int]] = [{} for _ in self.dimensions]
        self.numbers = _Numbers(len(self.dimensions))
        self.n = np.zeros(0, dtype=np.int64)
        self.limbs = np.zeros((0, 4), dtype=np.int64)
        self.scores = _Scores(len(self.apart), self.weighted) if tallies.SCORE in self.dimensions else None
        self.held = 0

    def add(self, columns: Sequence[Values], rows: int, n: Integers | None, weights: Integers | None, scores: Floats | None) -> None:
        """Add a batch.

        Args:
            columns: in the order of the dimensions.
            rows: in the batch.
            n: for how many rows each of them stands; None for one.
            weights: in fixed point.
            scores: in [0, 1]; NaN where SCORE is missing.
        """
        ordered = [columns[i] for i in self.order]
        codes = [np.array([self._code(i, text) for text in columns[i].texts], dtype=np.int64) for i in self.order]
        base, rest = _Mixed(ordered[: len(self.apart)], rows), _Mixed(ordered[len(self.apart) :], rows)
        index = base.index if rest.size == 1 else base.index * rest.size + rest.index
        counts = np.bincount(index, weights=n, minlength=base.size * rest.size)
        found = np.flatnonzero(counts)

        def own(places: Integers) -> Integers:
            local = np.concatenate([base.places(places // rest.size), rest.places(places % rest.size)], axis=1)
            return np.stack([known[local[:, i]] for i, known in enumerate(codes)], axis=1) if codes else local

        same = b"" if base.table is not None else b"".join(known.tobytes() + b"|" for known in codes)
        place = self.numbers.places(same, base.size * rest.size, found, own)
        self._count(place, index, counts, found, weights)
        if self.scores is not None and scores is not None:
            width = len(self.apart)
            chosen = found // rest.size
            chosen = chosen[np.append(True, chosen[1:] != chosen[:-1])]
            cells = _Cells(n, weights, scores, None in columns[self.dimensions.index(tallies.SCORE)].texts)
            self.scores.add(base, chosen, same, lambda places: own(places * rest.size)[:, :width], cells)
        self.rows += int(counts.sum())
        self.held += rows
        if self.held > _MOST_ROWS:
            self.done = [self.tally()]
            self._begin()

    def _code(self, dimension: int, text: str | None) -> int:
        known = self.known[dimension]
        return 0 if text is None else known.setdefault(text, len(known) + 1)

    def _count(self, place: Integers, index: Integers, counts: Any, found: Integers, weights: Integers | None) -> None:
        self.n = _longer(self.n, len(self.numbers))
        np.add.at(self.n, place[found], counts[found].astype(np.int64))
        if weights is not None:
            self.limbs = _longer(self.limbs, len(self.numbers))
            _weigh(self.limbs, place[index], weights)

    def tally(self) -> Tally:
        """The sum of all that was added; it takes over what was counted, so that nothing can be added after it."""
        codes = np.empty((len(self.numbers), len(self.dimensions)), dtype=np.int64)
        codes[:, self.order] = self.numbers.codes()
        values, lookup = zip(*(_ordered(known, codes[:, i]) for i, known in enumerate(self.known)), strict=True) if self.known else ((), ())
        blocks, place = tallies.numbered([look[codes[:, i]] for i, look in enumerate(lookup)], values, len(codes))
        n = _placed(self.n[: len(codes)], place)
        weights = tallies.carried(_placed(self.limbs[: len(codes)], place)) if self.weighted else None
        tally = Tally(self.dimensions, tuple(values), blocks, n, weights)
        if self.scores is not None:
            chosen = self.order[: len(self.apart)]
            own = self.scores.codes()
            blocks, place = tallies.numbered([lookup[i][own[:, j]] for j, i in enumerate(chosen)], [values[i] for i in chosen], len(own))
            tally = Tally(self.dimensions, tuple(values), tally.blocks, n, weights, self.scores.total(self.apart, blocks, place))
        return tallies.combine([*self.done, tally])


@dataclass(frozen=True, slots=True)
class _Cells:
    """What is counted of the rows of a batch; `gaps`: some scores are missing."""

    n: Integers | None
    weights: Integers | None
    scores: Floats
    gaps: bool = False

    def given(self) -> tuple[Any, _Cells]:
        """Which rows have a score, and these."""
        found = ~np.isnan(self.scores)
        n, weights = None if self.n is None else self.n[found], None if self.weights is None else self.weights[found]
        return found, _Cells(n, weights, self.scores[found])


class _Mixed:
    """The combinations of some columns: one number a row, below `size`."""

    def __init__(self, columns: Sequence[Values], rows: int) -> None:
        self.sizes = [max(1, len(column.texts)) for column in columns]
        self.size = int(np.prod(self.sizes, dtype=np.float64))
        self.table: Integers | None = None
        if self.size > _DENSE:
            places = [column.index if size > 1 else np.zeros(rows, dtype=np.int64) for column, size in zip(columns, self.sizes, strict=True)]
            self.table, self.index = tallies.numbered(places, [range(size - 1) for size in self.sizes], rows)
            self.size = len(self.table)
            return
        index: NDArray[np.int32] | None = None
        for column, size in zip(columns, self.sizes, strict=True):
            if size > 1:
                index = column.index.astype(np.int32) if index is None else _append(index, size, column.index)
        self.index = np.zeros(rows, dtype=np.int64) if index is None else index.astype(np.int64)

    def places(self, numbers: Integers) -> Integers:
        """The places in the texts of each column, for some combinations."""
        if self.table is not None:
            return self.table[numbers]
        return np.stack(np.unravel_index(numbers, self.sizes), axis=1) if self.sizes else np.zeros((len(numbers), 0), dtype=np.int64)


def _append(index: NDArray[np.int32], size: int, column: Integers) -> NDArray[np.int32]:
    """Times size plus column, in place; in narrow numbers, since this is much of the work on every row."""
    index *= size
    index += column.astype(np.int32, copy=False)
    return index


class _Numbers:
    """Numbers for combinations of codes, in the order in which they come.

    `direct` has a place for every combination that there could be, while they take few bits; `known` serves where they take more.
    """

    def __init__(self, width: int) -> None:
        self.parts = [np.zeros((0, width), dtype=np.int64)]
        self.bits = [1] * width
        self.size = 0
        self.direct = np.full(1 << min(width, _DIRECT), -1, dtype=np.int32)
        self.known: dict[object, int] = {}
        self.same = b""
        self.table = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return self.size

    def places(self, same: bytes, size: int, found: Integers, codes: Callable[[Integers], Integers]) -> Integers:
        """The number of each combination `found` of a batch, as a table by place; `same` says when places mean what they did before."""
        if not same or same != self.same or size != len(self.table):
            self.same, self.table = same, np.full(size, -1, dtype=np.int64)
        new = found[self.table[found] < 0]
        if len(new):
            self.table[new] = self._of(codes(new))
        return self.table

    def _of(self, codes: Integers) -> Integers:
        self._widen(codes)
        if sum(self.bits) <= _DIRECT:
            keys = _packed(codes, self.bits)
            new = np.flatnonzero(self.direct[keys] < 0)
            self.direct[keys[new[::-1]]] = self.size + new[::-1]  # the first of two that are alike, where texts of a column have one name
            new = new[self.direct[keys[new]] == self.size + new]
            self.direct[keys[new]] = self.size + np.arange(len(new))
            number = self.direct[keys].astype(np.int64)
        else:
            known = self.known
            number = np.array([known.setdefault(key, len(known)) for key in _keys(codes, self.bits)], dtype=np.int64)
            new = np.flatnonzero(number >= self.size)
            new = new[np.unique(number[new], return_index=True)[1]]
        self.parts.append(codes[new])
        self.size += len(new)
        return number

    def _widen(self, codes: Integers) -> None:
        """Make room in the keys for larger codes than before."""
        bits = [max(had, int(most).bit_length()) for had, most in zip(self.bits, codes.max(axis=0, initial=0).tolist(), strict=True)]
        if bits == self.bits:
            return
        self.bits = bits
        if sum(bits) <= _DIRECT:
            self.direct = np.full(1 << sum(bits), -1, dtype=np.int32)
            self.direct[_packed(self.codes(), bits)] = np.arange(self.size)
        else:
            self.known = {key: i for i, key in enumerate(_keys(self.codes(), bits))}

    def codes(self) -> Integers:
        """The combinations by their numbers."""
        self.parts = [np.concatenate(self.parts)]
        return self.parts[0]


def _keys(codes: Integers, bits: Sequence[int]) -> Sequence[object]:
    """One object for each combination: a number where all codes fit in one, as they nearly always do."""
    if sum(bits) > _BITS:
        return [row.tobytes() for row in codes.astype(np.int32)]
    found: list[object] = _packed(codes, bits).tolist()
    return found


def _packed(codes: Integers, bits: Sequence[int]) -> Integers:
    """One number for each combination."""
    found = np.zeros(len(codes), dtype=np.int64)
    for i, width in enumerate(bits):
        found = (found << width) | codes[:, i]
    return found


class _Scores:
    """The scores so far: cells while there are few enough, then a row of bins a block."""

    def __init__(self, width: int, weighted: bool) -> None:
        self.numbers = _Numbers(width)
        self.weighted = weighted
        self.resolution = EXACT
        self.pending: list[tuple[Integers, _Cells]] = []
        self.counts: NDArray[Any] = np.zeros((0, 0), dtype=np.int32)
        self.limbs = np.zeros((0, 0, 4), dtype=np.int64)

    def codes(self) -> Integers:
        return self.numbers.codes()

    def add(self, base: _Mixed, found: Integers, same: bytes, codes: Callable[[Integers], Integers], batch: _Cells) -> None:
        """Add the rows of a batch whose score is given; `found` are the combinations in it, `codes` gives their codes."""
        index = base.index
        if batch.gaps:
            given, batch = batch.given()
            index = index[given]
            found = tallies.ranks(index, base.size)[1]
        numbers = self.numbers.places(same, base.size, found, codes)
        if self.resolution != EXACT:
            self._bin(index, batch, numbers)
            return
        self.pending.append((numbers[index], batch))
        if sum(len(block) for block, _ in self.pending) > tallies.CAP + (tallies.CAP >> 2):
            self._settle()

    def _settle(self) -> None:
        """Begin to count in bins where there are too many cells; else add up equal cells."""
        if not tallies.crowded((block, batch.scores) for block, batch in self.pending):
            found = self._cells()
            if found.resolution == EXACT:
                self.pending = [(found.block, _Cells(found.n, found.weights, found.keys.view(np.float64)))]
                return
        pending, self.pending = self.pending, []
        numbers = np.arange(len(self.numbers))
        for block, batch in pending:
            self._bin(block, batch, numbers)

    def _pending(self) -> tuple[Integers, Integers, Integers, Integers | None]:
        none = np.zeros(0, dtype=np.int64)
        block = np.concatenate([none, *(block for block, _ in self.pending)])
        keys = tallies.score_keys(np.concatenate([np.zeros(0), *(batch.scores for _, batch in self.pending)]))
        ones = (np.ones(len(batch.scores), dtype=np.int64) if batch.n is None else batch.n for _, batch in self.pending)
        limbs = [batch.weights for _, batch in self.pending if batch.weights is not None]
        return block, keys, np.concatenate([none, *ones]), np.concatenate([np.zeros((0, 4), dtype=np.int64), *limbs]) if self.weighted else None

    def _cells(self) -> Scores:
        blocks = np.zeros((len(self.numbers), 0), dtype=np.int64)
        return tallies.cells((), blocks, *self._pending())

    def _bin(self, index: Integers, batch: _Cells, numbers: Integers) -> None:
        """Count rows in the bins of their blocks, which are `numbers` at an index."""
        self._fit()
        starts = numbers * self.counts.shape[1]
        place = bins.at(self.resolution).place(batch.scores)
        place += starts[index]
        np.add.at(self.counts.reshape(-1), place, np.int32(1) if batch.n is None else batch.n.astype(np.int32))
        if batch.weights is not None:
            _weigh(self.limbs.reshape(-1, 4), place, batch.weights)

    def _fit(self) -> None:
        """Room for all blocks, at the resolution that they allow."""
        blocks = len(self.numbers)
        resolution = tallies.fitting(blocks, self.weighted)
        if resolution != self.resolution:
            none = np.zeros(0, dtype=np.int64)
            before = Scores((), none, self.resolution, none, none, self.counts, self.limbs if self.weighted else None)
            fresh = self.resolution == EXACT
            self.resolution = resolution
            size = bins.size(resolution)
            coarser = None if fresh else tallies.binned(before, resolution)
            self.counts = np.zeros((0, size), dtype=np.int32) if coarser is None else coarser.n
            self.limbs = np.zeros((0, size, 4), dtype=np.int64) if coarser is None or coarser.weights is None else coarser.weights
        self.counts = _longer(self.counts, blocks)
        if self.weighted:
            self.limbs = _longer(self.limbs, blocks)

    def total(self, dimensions: tuple[str, ...], blocks: Integers, place: Integers) -> Scores:
        """All of them; `place` is where each block stands among the sorted ones."""
        if self.resolution == EXACT:
            block, keys, n, weights = self._pending()
            return tallies.cells(dimensions, blocks, place[block], keys, n, weights)
        counts, limbs = self.counts[: len(place)], self.limbs[: len(place)]
        _permute(counts, place)
        if self.weighted:
            _permute(limbs, place)
        none = np.zeros(0, dtype=np.int64)
        return Scores(dimensions, blocks, self.resolution, none, none, tallies.narrow(counts), tallies.carried(limbs) if self.weighted else None)


def _ordered(known: dict[str, int], codes: Integers) -> tuple[tuple[str, ...], Integers]:
    """The texts that occur, sorted, and the place among them of every text that was met."""
    there = np.zeros(len(known) + 1, dtype=bool)
    there[codes] = True
    texts = tuple(sorted(text for text, code in known.items() if there[code]))
    place = {text: i + 1 for i, text in enumerate(texts)}
    return texts, np.array([0, *(place.get(text, 0) for text in known)], dtype=np.int64)


def _permute(rows: NDArray[Any], place: Integers) -> None:
    """Move each row to its place, without a second array: these are large."""
    moved = np.zeros(len(place), dtype=bool)
    for start in np.flatnonzero(place != np.arange(len(place))).tolist():
        if moved[start]:
            continue
        held, to = rows[start].copy(), int(place[start])
        while not moved[to]:
            moved[to] = True
            rest = rows[to].copy()
            rows[to] = held
            held, to = rest, int(place[to])


def _placed(array: Integers, place: Integers) -> Integers:
    found = np.empty_like(array)
    found[place] = array
    return found


def _weigh(sums: Integers, place: Integers, weights: Integers) -> None:
    for i in range(4):
        np.add.at(sums[:, i], place, weights[:, i])


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The array with room for so many rows, or a few more."""
    if len(array) >= size:
        return array
    found: NDArray[Any] = np.zeros((size + (size >> 3), *array.shape[1:]), dtype=array.dtype)
    found[: len(array)] = array
    return found
