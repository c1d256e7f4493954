"""Which slices must stay hidden, so that no count of fewer than k rows is published or can be computed from what is.

Primary: slices with fewer than k rows. Complementary: further slices, the smallest first, until no hidden count is a linear combination of published
ones (checked exactly, in the row space of the published slices over the finest cells), no sum of hidden counts that is known from a margin is
smaller than k, and the bounds that follow from no count being negative leave each small slice open (Hundepool et al. 2012, Statistical Disclosure
Control, chapter 4). What each measurement of a source publishes counts together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from factbook.model import Pairs

Margin = tuple[str, ...]
Atoms = Mapping[Pairs, tuple[int, ...]]
Counts = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
REASON: Final = "fewer than {k} rows, or needed to protect such a group"
_PRIME: Final = 2_147_483_647
_EXACT_SIZE: Final = 3e9
_ROUNDS: Final = 30


def hidden(atoms: Atoms, margins: Iterable[Margin], k: int, unpublished: str | None = None, details: Atoms | None = None) -> frozenset[Pairs]:
    """The slices to hide.

    Args:
        atoms: the rows of every finest combination of attributes that occurs; several counts (all rows, judged rows) are each protected.
        margins: the combinations of attributes that are published, by any measurement of the source. The totals of all rows are always published.
        k: the smallest count that is published; 0 hides nothing.
        unpublished: a value that gets no slice of its own (rows without a group, where these are left out).
        details: the rows of every finest combination by outcome, where these are published too; the first of `atoms` where not given.
    """
    wanted = sorted({tuple(sorted(margin)) for margin in margins if margin})
    if not k or not wanted or not atoms:
        return frozenset()
    table = _Table(atoms, wanted, k, unpublished, details or {name: counts[:1] for name, counts in atoms.items()})
    table.primary()
    while table.residuals() or table.recoverable() or table.pinned():
        pass
    return frozenset(table.hidden)


class _Table:
    """The published margins of a source, and what is hidden of them so far."""

    def __init__(self, atoms: Atoms, margins: Sequence[Margin], k: int, unpublished: str | None, details: Atoms) -> None:
        self.k = k
        self.margins = margins
        names = list(atoms)
        self.sizes = np.array([atoms[name] for name in names], dtype=np.int64).reshape(len(names), -1)
        self.members: dict[Pairs, list[int]] = {(): list(range(len(names)))}
        self.children: dict[Margin, list[Pairs]] = {margin: [] for margin in margins}
        for i, name in enumerate(names):
            values = dict(name)
            for margin in margins:
                part = tuple((attribute, values[attribute]) for attribute in margin)
                if unpublished is not None and any(value == unpublished for _, value in part):
                    continue
                if part not in self.members:
                    self.members[part] = []
                    self.children[margin].append(part)
                self.members[part].append(i)
        self.columns = _columns(self.members)
        outcomes = np.array([details[name] for name in names], dtype=np.int64).reshape(len(names), -1)
        self.outcomes = {part: outcomes[cells].sum(axis=0) for part, cells in self.members.items()}
        self.rows = {part: self.sizes[cells].sum(axis=0) for part, cells in self.members.items()}
        self.hidden: set[Pairs] = set()

    def small(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
        return bool(((rows > 0) & (rows < self.k)).any())

    def primary(self) -> None:
        self.hidden |= {part for part, rows in self.rows.items() if part and self.small(rows)}

    def residuals(self) -> bool:
        """Hide one more slice wherever the hidden ones of a margin sum, within a published slice, to fewer than k rows."""
        changed = False
        for margin in self.margins:
            for parent in [(), *(other for other in self.margins if set(other) < set(margin))]:
                for within, parts in self._families(margin, parent).items():
                    if within in self.hidden:
                        continue
                    unknown = [part for part in parts if part in self.hidden]
                    rest = sum((self.rows[part] for part in unknown), start=np.zeros_like(self.rows[()]))
                    if unknown and (self.small(rest) or len(unknown) == 1):
                        changed |= self._hide_smallest([part for part in parts if part not in self.hidden])
        return changed

    def _families(self, margin: Margin, parent: Margin) -> Mapping[Pairs, list[Pairs]]:
        families: dict[Pairs, list[Pairs]] = defaultdict(list)
        for part in self.children[margin]:
            families[tuple(pair for pair in part if pair[0] in parent)].append(part)
        return families

    def _hide_smallest(self, parts: Sequence[Pairs]) -> bool:
        shown = [part for part in parts if part and part not in self.hidden]
        if not shown:
            return False
        self.hidden.add(min(shown, key=lambda part: (int(self.rows[part].max()), part)))
        return True

    def recoverable(self) -> bool:
        """Hide one more slice if some hidden count is a linear combination of published ones."""
        published = [part for part in self.members if part not in self.hidden]
        covered = frozenset(self.members[()])
        unknown = [part for part in sorted(self.hidden) if frozenset(self.members[part]) != covered]
        if not unknown:
            return False
        rows, known = _unsolved([self.columns[part] for part in published])
        places = {column: i for i, column in enumerate(sorted(set().union(*rows)))}
        if len(rows) ** 2 * len(places) > _EXACT_SIZE:
            return self._hide_margins()
        basis = _Basis(_matrix(rows, places))
        for part in unknown:
            rest = self.columns[part] - known
            if rest <= places.keys() and basis.contains(_matrix([rest], places)[0]):
                return self._hide_near(part, published)
        return False

    def pinned(self) -> bool:
        """Hide one more slice for every small hidden one that its bounds give away."""
        small = [part for part in sorted(self.hidden) if self.small(self.rows[part])]
        published = [part for part in self.members if part not in self.hidden]
        everything = frozenset(self.columns[()])
        if not small:
            return False
        low, high = _bounds([(self.columns[part], self.outcomes[part]) for part in published])
        changed = False
        for part in small:
            cells = sorted(self.columns[part])
            if self.columns[part] != everything and _settled(low[cells].sum(axis=0), high[cells].sum(axis=0)):
                changed |= self._hide_near(part, published)
        return changed

    def _hide_near(self, part: Pairs, published: Sequence[Pairs]) -> bool:
        """The smallest published slice of the same margin, else of one that shares rows with it, else of all."""
        margin = tuple(name for name, _ in part)
        rows = set(self.members[part])
        near = [other for other in published if other and rows & set(self.members[other])]
        return self._hide_smallest(self.children[margin]) or self._hide_smallest(near) or self._hide_smallest(published)

    def _hide_margins(self) -> bool:
        """Too large for the exact check: hide every margin whole that hides anything, and all that cross it."""
        touched = {tuple(name for name, _ in part) for part in self.hidden}
        shared = {name for margin in touched for name in margin}
        before = len(self.hidden)
        for margin in self.margins:
            if shared & set(margin):
                self.hidden |= set(self.children[margin])
        return len(self.hidden) > before


def _columns(members: Mapping[Pairs, Sequence[int]]) -> dict[Pairs, frozenset[int]]:
    """The slices as sets of unknowns: cells that lie in the same slices are one unknown, since nobody could tell them apart."""
    signature: dict[int, list[int]] = defaultdict(list)
    for i, cells in enumerate(members.values()):
        for cell in cells:
            signature[cell].append(i)
    unknowns: dict[tuple[int, ...], int] = {}
    column = {cell: unknowns.setdefault(tuple(where), len(unknowns)) for cell, where in signature.items()}
    return {part: frozenset(column[cell] for cell in cells) for part, cells in members.items()}


def _settled(low: Counts, high: Counts) -> bool:
    """Whether bounds by outcome give away a slice that is known to have rows: their number, or the number of one outcome other than 0."""
    return bool(max(1, low.sum()) >= high.sum() or ((low == high) & (low > 0)).any())


def _bounds(equations: Sequence[tuple[frozenset[int], Counts]]) -> tuple[Counts, Counts]:
    """The lowest and highest value of each unknown by outcome, none being negative, that published sums leave by passing bounds to and fro.

    Buzzigoli & Giusti 1999, An algorithm to calculate the lower and upper bounds of the elements of an array given its marginals.
    """
    low = np.zeros((1 + max(max(unknowns) for unknowns, _ in equations), len(equations[0][1])), dtype=np.int64)
    high = np.full_like(low, max(int(total.max()) for _, total in equations))
    solved = frozenset().union(*(unknowns for unknowns, _ in equations if len(unknowns) == 1))
    for unknowns, total in equations:
        if len(unknowns) == 1:
            low[list(unknowns)] = high[list(unknowns)] = total
    left = {rest: total - low[list(unknowns & solved)].sum(axis=0) for unknowns, total in equations if (rest := unknowns - solved)}
    for _ in range(_ROUNDS):
        before = int((high - low).sum())
        for unknowns, total in left.items():
            cells = list(unknowns)
            lows, highs = low[cells], high[cells]
            high[cells] = np.minimum(highs, total - lows.sum(axis=0) + lows)
            low[cells] = np.maximum(lows, total - highs.sum(axis=0) + highs)
        if int((high - low).sum()) == before:
            break
    return low, high


def _unsolved(rows: Iterable[frozenset[int]]) -> tuple[list[frozenset[int]], set[int]]:
    """The equations that are left, and the unknowns that are known, once every equation in one unknown is solved and put into the others."""
    left = set(rows)
    known: set[int] = set()
    while solved := {next(iter(row)) for row in left if len(row) == 1}:
        known |= solved
        left = {row - solved for row in left} - {frozenset()}
    return sorted(left, key=sorted), known


def _matrix(rows: Sequence[frozenset[int]], places: Mapping[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    matrix = np.zeros((len(rows), len(places)), dtype=np.int64)
    for i, row in enumerate(rows):
        matrix[i, [places[column] for column in row]] = 1
    return matrix


class _Basis:
    """The row space of an integer matrix, modulo a large prime."""

    def __init__(self, matrix: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
        self.rows: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        self.pivots: list[int] = []
        for row in matrix:
            rest = self.reduce(row)
            lead = np.flatnonzero(rest)
            if len(lead):
                self.pivots.append(int(lead[0]))
                self.rows.append(rest * pow(int(rest[lead[0]]), -1, _PRIME) % _PRIME)

    def reduce(self, row: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        rest = row % _PRIME
        for pivot, other in zip(self.pivots, self.rows, strict=True):
            if rest[pivot]:
                rest = (rest - int(rest[pivot]) * other) % _PRIME
        return rest

    def contains(self, row: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
        return not self.reduce(row).any()


def margins_of(attributes: Sequence[str]) -> tuple[Margin, ...]:
    """Each attribute and each pair of them, in declared order."""
    return (*((name,) for name in attributes), *(tuple(sorted(pair)) for pair in combinations(attributes, 2)))
