"""Which slices must stay hidden, so that no count of fewer than k rows is published or can be computed from what is, now or before.

Primary: slices with fewer than k rows. Complementary: further slices, the smallest first, until no hidden count is a linear combination of published
ones, no sum of hidden counts that is known from a margin is smaller than k, and the bounds that follow from no count being negative leave each small
slice open, also to somebody who knows that it is small (Hundepool et al. 2012, Statistical Disclosure Control, chapter 4). What each measurement of
a source publishes counts together.

Over time: a slice that was hidden stays hidden. Then a later publication adds nothing to what can be told of an earlier one, even if it were known
which rows came and went: whatever the earlier sums allow, the later ones allow as well. A slice that is hidden for the first time is checked against
the earlier publications, on the assumption that rows were only added, or only taken away; if nothing can protect it, measuring is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np

from factbook.engines.tallies import numbered, ranks
from factbook.model import Pairs
from factbook.statistics.sums import Flags, Integers, Sums, TooLarge

Margin = tuple[str, ...]
Atoms = Mapping[Pairs, tuple[int, ...]]
REASON: Final = "fewer than {k} rows, or needed to protect such a group"
_FAR: Final = np.iinfo(np.int64).max


class Exposed(Exception):
    """A small slice that nothing can protect against what was published before."""

    def __init__(self, slice: Pairs) -> None:
        super().__init__(slice)
        self.slice = slice


@dataclass(frozen=True, eq=False)
class Publication:
    """Counts of a source that were published before.

    Attributes:
        margins: the combinations of attributes.
        shown: the slices whose counts were shown, () among them, with these counts by kind (outcomes, or just rows).
        hidden: those that were not.
        same: whether they are counts of the very rows that are measured now.
    """

    margins: frozenset[Margin]
    shown: Mapping[Pairs, tuple[int, ...]]
    hidden: frozenset[Pairs]
    same: bool = False

    @property
    def kinds(self) -> int:
        """How many counts a slice has."""
        return len(self.shown[()])


@dataclass(frozen=True, eq=False)
class Past:
    """What became of a source before.

    Attributes:
        digest: of the bytes that were counted last.
        margins, hidden: what was published of them, and which slices were not; `own`: which further ones by each measurement.
        publications: what the evidence shows, each with the digest of the bytes that were counted.
    """

    digest: str = ""
    margins: frozenset[Margin] = frozenset()
    hidden: frozenset[Pairs] = frozenset()
    own: Mapping[str, frozenset[Pairs]] = field(default_factory=dict)
    publications: tuple[tuple[str, Publication], ...] = ()

    def compared(self, digest: str, margins: frozenset[Margin]) -> list[Publication]:
        """What has to be compared with a publication of some bytes now: nothing if that was done already."""
        if self.digest == digest and margins <= self.margins:
            return []
        return [replace(item, same=bytes == digest) for bytes, item in self.publications]


def hidden(
    atoms: Atoms,
    margins: Iterable[Margin],
    k: int,
    unpublished: str | None = None,
    details: Atoms | None = None,
    held: Iterable[Pairs] = (),
    before: Sequence[Publication] = (),
) -> frozenset[Pairs]:
    """The slices to hide.

    Args:
        atoms: the rows of every finest combination of attributes that occurs; several counts (all rows, judged rows) are each protected.
        margins: the combinations of attributes that are published, by any measurement of the source. The totals of all rows are always published.
        k: the smallest count that is published; 0 hides nothing.
        unpublished: a value that gets no slice of its own (rows without a group, where these are left out).
        details: the rows of every finest combination by outcome, where these are published too; the first of `atoms` where not given.
        held: slices that were hidden before.
        before: what was published before; of one kind (all rows), or of the first four kinds of `details`. Its margins count as published.

    Raises:
        Exposed: a slice cannot be protected from what was published before.
    """
    if not k or not atoms:
        return frozenset()
    known = {name for name, _ in next(iter(atoms))}
    earlier = {margin for publication in before for margin in publication.margins if known.issuperset(margin)}
    wanted = sorted({tuple(sorted(margin)) for margin in margins if margin} | earlier)
    if not wanted:
        return frozenset()
    table = _Table(atoms, wanted, k, unpublished, details or {name: counts[:1] for name, counts in atoms.items()})
    table.begin(held, before)
    while table.residuals() or table.known() or any(table.compared(publication) for publication in before):
        pass
    return frozenset(table.parts[i] for i in np.flatnonzero(table.hidden).tolist())


class _Names:
    """The names of atoms, in columns of codes."""

    def __init__(self, atoms: Sequence[Pairs]) -> None:
        self.size = len(atoms)
        self.columns = []
        for pairs in zip(*atoms, strict=True):
            code = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
            self.columns.append((list(code), np.array([code[pair] for pair in pairs], dtype=np.int64)))

    def within(self, margin: Margin) -> tuple[list[Pairs], Integers]:
        """The slices of a margin that occur, and per atom which of them it lies in."""
        chosen = [(pairs, codes) for pairs, codes in self.columns if pairs[0][0] in margin]
        found, index = numbered([codes for _, codes in chosen], [pairs for pairs, _ in chosen], self.size)
        columns = [[pairs[code] for code in found[:, i].tolist()] for i, (pairs, _) in enumerate(chosen)]
        return list(zip(*columns, strict=True)) if columns else [()], index


class _Table:
    """The published margins of a source, and what is hidden of them so far. Slices are numbered; slice 0 is all rows."""

    def __init__(self, atoms: Atoms, margins: Sequence[Margin], k: int, unpublished: str | None, details: Atoms) -> None:
        self.k = k
        self.margins: list[Margin] = [(), *margins]
        self.parts: list[Pairs] = [()]
        self.number: dict[Pairs, int] = {(): 0}
        names = _Names(list(atoms))
        places = [self._numbered(names, margin, unpublished) for margin in self.margins]
        self.places, cell = _distinct(places, len(self.parts))
        sizes = np.array(list(atoms.values()), dtype=np.int64).reshape(len(atoms), -1)
        outcomes = np.array([details[name] for name in atoms], dtype=np.int64).reshape(len(atoms), -1)
        self.cells = np.zeros((len(self.places), sizes.shape[1] + outcomes.shape[1]), dtype=np.int64)
        np.add.at(self.cells, cell, np.concatenate([sizes, outcomes], axis=1))
        counts = _summed(self.places, self.cells, len(self.parts))
        self.rows, self.outcomes = counts[:, : sizes.shape[1]], counts[:, sizes.shape[1] :]
        self.nested = [(i, j) for i, a in enumerate(self.margins) for j, b in enumerate(self.margins) if set(b) < set(a)]
        self.margin = np.zeros(len(self.parts), dtype=np.int64)
        for i in range(len(self.margins)):
            self.margin[self.places[self.places[:, i] >= 0, i]] = i
        self.hidden = np.zeros(len(self.parts), dtype=bool)
        self.known_before = np.zeros(len(self.parts), dtype=bool)
        self.assumed = np.zeros(len(self.parts), dtype=bool)
        self.whole = np.bincount(self.places[self.places >= 0], minlength=len(self.parts)) == len(self.places)

    def _numbered(self, names: _Names, margin: Margin, unpublished: str | None) -> Integers:
        """Per atom the number of its slice of a margin, -1 where it has none; new slices are taken up."""
        parts, index = names.within(margin)
        numbers = []
        for part in parts:
            if unpublished is not None and any(value == unpublished for _, value in part):
                numbers.append(-1)
                continue
            number = self.number.setdefault(part, len(self.parts))
            numbers.append(number)
            if number == len(self.parts):
                self.parts.append(part)
        return np.array(numbers, dtype=np.int64)[index]

    @cached_property
    def small(self) -> Flags:
        """The slices with fewer than k rows."""
        return _small(self.rows, self.k)

    @property
    def rank(self) -> Integers:
        """The order in which slices are given up: those never shown before first, then the smallest."""
        names = np.empty(len(self.parts), dtype=np.int64)
        names[sorted(range(len(self.parts)), key=self.parts.__getitem__)] = np.arange(len(self.parts))
        found = np.empty(len(self.parts), dtype=np.int64)
        found[np.lexsort((names, self.rows.max(axis=1), self.known_before))] = np.arange(len(self.parts))
        return found

    def begin(self, held: Iterable[Pairs], before: Sequence[Publication]) -> None:
        """Hide what is small, and what was hidden before.

        Where combinations of attributes come that were not published before, what was shown then is assumed to be known, and protects nothing.
        """
        self.hidden[1:] = self.small[1:]
        for part in held:
            if self.number.get(part, 0):
                self.hidden[self.number[part]] = True
        for publication in before:
            known = [self.number[part] for part in publication.shown if part in self.number]
            self.known_before[known] = True
            self.assumed[known] = self.assumed[known] | (not publication.margins >= set(self.margins[1:]))
        self.order = self.rank

    @cached_property
    def _families(self) -> list[tuple[Integers, Integers]]:
        """For every margin and every smaller one: slices of the first, and those of the second in which they lie."""
        found = []
        for i, j in self.nested:
            both = _distinct(self.places[self.places[:, i] >= 0][:, [i, j]].T, len(self.parts))[0]
            found.append((both[:, 0], both[:, 1]))
        return found

    def residuals(self) -> bool:
        """Hide one more slice wherever the hidden ones of a margin sum, within a published slice, to fewer than k rows."""
        changed = False
        for children, parents in self._families:
            unknown = self.hidden[children] & ~self.hidden[parents]
            if not unknown.any():
                continue
            rest = np.zeros_like(self.rows)
            np.add.at(rest, parents[unknown], self.rows[children[unknown]])
            alone = np.bincount(parents[unknown], minlength=len(self.parts))
            thin = (alone == 1) | ((alone > 0) & _small(rest, self.k))
            shown = thin[parents] & ~self.hidden[children]
            least = np.full(len(self.parts), _FAR)
            np.minimum.at(least, parents[shown], self.order[children[shown]])
            chosen = children[shown][self.order[children[shown]] == least[parents[shown]]]
            self.hidden[chosen] = True
            changed |= bool(len(chosen))
        return changed

    def known(self) -> bool:
        """Hide one more slice near those that are given away by what is shown, or by that and what is assumed to be known."""
        nothing = np.zeros_like(self.assumed)
        return self.given_away(nothing) or (bool(self.assumed.any()) and self.given_away(self.assumed))

    def given_away(self, assumed: Flags) -> bool:
        """Hide one more slice near those whose number is a linear combination of published ones, or that their bounds give away.

        Args:
            assumed: slices that are taken for known although they are hidden now; then small ones alone are protected.

        Raises:
            Exposed: none of the others can protect one.
        """
        must = bool(assumed.any())
        wanted = self.hidden & ~self.whole & ~assumed & (self.small | (not must))
        targets = np.where((self.places >= 0) & wanted[self.places], self.places, -1)
        there = np.bincount(targets[targets >= 0], minlength=len(self.parts)) > 0
        if not there.any():
            return False
        sums = _sums([self._published(assumed)])
        try:
            exposed = sums.determined(targets, len(self.parts)) & there
        except TooLarge:
            return self._hide_margins()
        low, high = (_summed(self.places, end, len(self.parts)) for end in sums.bounds)
        exposed |= _settled(low, high, self.k) & self.small & there
        return self._hide_near(np.flatnonzero(exposed), assumed, must=must)

    def _published(self, assumed: Flags) -> _Published:
        """What is shown now. Where rows have no slice, those that have one are counted together as well."""
        lost = [i for i in range(1, len(self.margins)) if (self.places[:, i] < 0).any()]
        size = len(self.parts)
        counted = [np.where(self.places[:, i] >= 0, size + at, -1) for at, i in enumerate(lost)]
        cells = self.cells[:, self.rows.shape[1] :]
        totals = [cells[self.places[:, i] >= 0].sum(axis=0) for i in lost]
        places = np.stack([*self.places.T, *counted], axis=1)
        shown = np.concatenate([~self.hidden | assumed, np.ones(len(lost), dtype=bool)])
        nested = [*self.nested, *((i, len(self.margins) + at) for at, i in enumerate(lost))]
        return _Published(places, shown, np.concatenate([self.outcomes, np.array(totals, dtype=np.int64).reshape(-1, cells.shape[1])]), nested)

    def compared(self, before: Publication) -> bool:
        """Hide one more slice near those that become known beside what was published before.

        Raises:
            Exposed: there is none, or fewer than k rows came or went, which are a small group themselves.
        """
        kinds = self.outcomes[:, : before.kinds] if before.kinds > 1 else self.rows[:, :1]
        found = [part for grown in (True, False) for part in _Comparison(self, before, kinds, grown=grown).exposed()]
        few = not before.same and abs(int(kinds[0].sum()) - sum(before.shown[()])) < self.k
        for part in found:
            if few or part not in self.number:
                raise Exposed(part)
        return self._hide_near(np.array(sorted({self.number[part] for part in found}), dtype=np.int64), self.assumed, must=True)

    def _hide_near(self, exposed: Integers, assumed: Flags, *, must: bool) -> bool:
        """Hide the nearest published slice for each exposed one, but one for all those that are near each other."""
        chosen: set[int] = set()
        helped: set[int] = set()
        for part in sorted(exposed.tolist(), key=self.order.__getitem__):
            parents = set(self._above(part).tolist())
            if helped & parents:
                continue
            near = self._nearest(part, assumed)
            if near is None and must:
                raise Exposed(self.parts[part])
            if near is not None:
                chosen.add(near)
                helped |= parents | set(self._above(near).tolist())
        self.hidden[list(chosen)] = True
        return bool(chosen)

    def _above(self, part: int) -> Integers:
        """The slices of smaller margins in which a slice lies, all rows left out."""
        margin = set(self.margins[self.margin[part]])
        smaller = [i for i, other in enumerate(self.margins) if other and set(other) < margin]
        found = self.places[self.places[:, self.margin[part]] == part][:, smaller]
        return ranks(found[found >= 0], len(self.parts))[1]

    def _nearest(self, part: int, assumed: Flags) -> int | None:
        """The first published slice of the same margin within a slice that both lie in; else of the margin, of one that shares rows, of all."""
        mine = self.margin[part]
        inside = np.isin(self.places, self._above(part)).any(axis=1) if len(self._above(part)) else np.zeros(len(self.places), dtype=bool)
        rows = self.places[:, mine] == part
        for found in (self.places[inside, mine], self.places[:, mine], self.places[rows], self.places):
            there = ranks(found[found > 0], len(self.parts))[1]
            there = there[~self.hidden[there] & ~assumed[there]]
            if len(there):
                return int(there[np.argmin(self.order[there])])
        return None

    def _hide_margins(self) -> bool:
        """Too large for the exact check: hide every margin whole that hides anything, and all that cross it."""
        touched = {name for i in ranks(self.margin[self.hidden], len(self.margins))[1].tolist() for name in self.margins[i]}
        crossing = np.array([bool(touched & set(margin)) for margin in self.margins])[self.margin]
        changed = bool((crossing & ~self.hidden).any())
        self.hidden |= crossing
        return changed


class _Comparison:
    """What is published now beside what was published before, if rows were only added (`grown`), or only taken away.

    Two unknowns for each cell: the rows of the smaller publication, and those that the larger one has more. A slice that was shown or hidden before
    and does not occur now is a slice of 0 rows.
    """

    def __init__(self, table: _Table, before: Publication, kinds: Integers, *, grown: bool) -> None:
        self.table, self.before, self.grown = table, before, grown
        gone = sorted(part for part in (*before.shown, *before.hidden) if part not in table.number)
        self.parts = [*table.parts, *gone]
        self.places = np.concatenate([table.places, self._lost(gone)])
        self.now = np.concatenate([kinds, np.zeros((len(gone), kinds.shape[1]), dtype=np.int64)])
        self.then = np.array([before.shown.get(part, (0,) * before.kinds) for part in self.parts], dtype=np.int64)
        margins = [tuple(name for name, _ in part) for part in self.parts]
        published = {(), *before.margins}
        self.shown_then = np.array([margin in published and part not in before.hidden for part, margin in zip(self.parts, margins, strict=True)])
        self.shown_now = np.array([margin in table.margins for margin in margins])
        self.shown_now[: len(table.parts)] &= ~table.hidden

    def _lost(self, gone: Sequence[Pairs]) -> Integers:
        """A cell for each slice that does not occur any more: in which slices of each margin it lies."""
        table = self.table
        number = table.number | {part: len(table.parts) + i for i, part in enumerate(gone)}
        found = [[number.get(tuple(pair for pair in part if pair[0] in margin), -1) for margin in table.margins] for part in gone]
        inside = np.array([[set(margin) <= {name for name, _ in part} for margin in table.margins] for part in gone])
        places = np.where(inside, np.array(found, dtype=np.int64), -1) if gone else np.zeros((0, len(table.margins)), dtype=np.int64)
        covered = {place for part, row in zip(gone, places.tolist(), strict=True) for place in row if place != number[part]}
        return places[[number[part] not in covered for part in gone]]

    def exposed(self) -> list[Pairs]:
        """The small slices of either publication whose number is given away."""
        if not self._possible():
            return []
        cells, size = len(self.places), len(self.parts)
        smaller, larger = (self.then, self.now) if self.grown else (self.now, self.then)
        least, most = (self.shown_then, self.shown_now) if self.grown else (self.shown_now, self.shown_then)
        pairs = self.table.nested
        known = [_Published(self.places, least, smaller, pairs, (True, False))]
        known.append(_Published(self.places, least & most, larger - smaller, pairs, (False, True)))
        if (most & ~least).any():
            known.append(_Published(self.places, most, larger, pairs, (True, True)))
        sums = _sums(known)
        if not sums.consistent:
            return []
        exposed = np.zeros(size, dtype=bool)
        for wanted, later in ((self._wanted_now(), self.grown), (self._wanted_then(), not self.grown)):
            if not wanted.any():
                continue
            chosen = [0, cells] if later else [0]
            low, high = (_summed(self.places, np.sum([end[start : start + cells] for start in chosen], axis=0), size) for end in sums.bounds)
            exposed |= _settled(low, high, self.table.k, slack=self.table.k // 3) & (low.sum(axis=1) < self.table.k) & wanted
            own = np.where((self.places >= 0) & wanted[self.places], self.places, -1)
            with suppress(TooLarge):
                exposed |= sums.determined(np.concatenate([own, own if later else np.full_like(own, -1)]), size) & wanted
        return [self.parts[i] for i in np.flatnonzero(exposed).tolist()]

    def _wanted_now(self) -> Flags:
        """Small slices; but not those of the same rows that were shown before, which nothing makes unknown."""
        table = self.table
        found = np.zeros(len(self.parts), dtype=bool)
        found[: len(table.parts)] = table.hidden & table.small & ~table.whole
        return found & ~self.shown_then if self.before.same else found

    def _wanted_then(self) -> Flags:
        """Slices that were hidden then, and are gone or lie under margins that were not published then."""
        found = np.array([part in self.before.hidden for part in self.parts])
        if self.before.margins >= set(self.table.margins[1:]):
            found[: len(self.table.parts)] = False
        found[: len(self.table.parts)] &= ~self.table.whole
        return found

    def _possible(self) -> bool:
        """Whether what was shown before and is shown now allows that rows were only added, or only taken away."""
        both = self.shown_then & self.shown_now
        change = self.now[both] - self.then[both]
        return bool((change >= 0).all() if self.grown else (change <= 0).all())


@dataclass(frozen=True, eq=False)
class _Published:
    """The counts of a table that are shown.

    Attributes:
        places: cells x margins, the slice in which a cell lies, or -1.
        shown, totals: per slice.
        nested: margins, and smaller ones, in whose slices theirs lie.
        copies: of which of the two unknowns of a cell these are counts.
    """

    places: Integers
    shown: Flags
    totals: Integers
    nested: Sequence[tuple[int, int]]
    copies: tuple[bool, ...] = (True,)

    @property
    def own(self) -> Integers:
        """Cells x margins, the slice that is shown."""
        return np.where((self.places >= 0) & self.shown[self.places], self.places, -1)

    def rests(self) -> list[tuple[Integers, Integers]]:
        """What the slices that are not shown sum to within those that are: cells, and totals."""
        own, found = self.own, []
        for child, parent in self.nested:
            rest = np.where(own[:, child] < 0, own[:, parent], -1)
            if (rest >= 0).any():
                both = _distinct(own[(own[:, child] >= 0) & (own[:, parent] >= 0)][:, [child, parent]].T, len(self.totals))[0]
                totals = self.totals.copy()
                np.subtract.at(totals, both[:, 1], self.totals[both[:, 0]])
                found.append((rest, totals))
        return found


def _sums(published: Sequence[_Published]) -> Sums:
    """All that is published, as one system."""
    places: list[Integers] = []
    implied: list[Integers] = []
    totals: list[Integers] = []
    size = 0
    for item in published:
        parts: list[tuple[list[Integers], Integers, Integers]] = [(places, item.own, item.totals)]
        parts += [(implied, rest[:, None], amount) for rest, amount in item.rests()]
        for families, cells, amount in parts:
            numbered = np.where(cells >= 0, cells + size, -1)
            families.append(np.concatenate([numbered if there else np.full_like(cells, -1) for there in item.copies]))
            totals.append(amount)
            size += len(amount)
    nothing = np.zeros((len(places[0]), 0), dtype=np.int64)
    return Sums(np.concatenate(places, axis=1), np.concatenate(totals), np.concatenate([nothing, *implied], axis=1))


def _summed(places: Integers, cells: Integers, size: int) -> Integers:
    """What the cells of each slice add up to."""
    found = np.zeros((size, cells.shape[1]), dtype=np.int64)
    for family in places.T:
        np.add.at(found, family[family >= 0], cells[family >= 0])
    return found


def _distinct(columns: Iterable[Integers], size: int) -> tuple[Integers, Integers]:
    """The different rows of columns of numbers from -1 to size - 1, sorted, and per row which of them it is."""
    wide = [column + 1 for column in columns]
    found, index = numbered(wide, [range(size)] * len(wide), len(wide[0]))
    return found - 1, index


def _small(rows: Integers, k: int) -> Flags:
    return np.asarray(((rows > 0) & (rows < k)).any(axis=1))


def _settled(low: Integers, high: Integers, k: int, slack: int = 0) -> Flags:
    """Whether bounds by outcome give away a slice that is known to have rows, but fewer than k: their number, or that of one outcome, if not 0.

    `slack` is by how much the number may be known better than these bounds say.
    """
    number = np.maximum(1, low.sum(axis=1)) + slack >= np.minimum(high.sum(axis=1), k - 1)
    return np.asarray(number | ((low == high) & (low > 0)).any(axis=1))


def margins_of(attributes: Sequence[str]) -> tuple[Margin, ...]:
    """Each attribute and each pair of them, in declared order."""
    return (*((name,) for name in attributes), *(tuple(sorted(pair)) for pair in combinations(attributes, 2)))
