"""Which texts and images are nearly the same: exact joins, without chance, up to a stated bound of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from factbook.statistics.moments import Floats, Integers

REACH: Final = 200
"""Sets that share an element are compared with so many others that share it; more are likely to be linked through these."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs of items that are alike, and whether some were not compared, so that there may be more."""

    pairs: list[tuple[int, int]]
    cut: bool


def alike_sets(owner: Integers, element: Integers, size: int, least: float) -> Alike:
    """All pairs of sets whose Jaccard index is at least `least`, by prefix filtering.

    Of sets in the order of the frequency of their elements, rare first, two such sets share one of their first n - ceil(least n) + 1 elements
    (Chaudhuri, Ganti & Kaushik 2006, ICDE; Bayardo, Ma & Srikant 2007, WWW, 131).

    Args:
        owner: the set that each element is of; an element occurs once in a set.
        element: the elements, numbered from 0.
        size: the number of sets.
        least: above 0, at most 1.
    """
    frequency = np.bincount(element)
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.lexsort((np.arange(len(frequency)), frequency))] = np.arange(len(frequency))
    order = np.lexsort((rank[element], owner))
    owner, element = owner[order], element[order]
    sizes = np.bincount(owner, minlength=size)
    place = np.arange(len(owner)) - (np.cumsum(sizes) - sizes)[owner]
    prefix = place < (sizes - np.ceil(least * sizes - 1e-9) + 1)[owner]
    shared = prefix & (frequency[element] > 1)
    candidates, cut = _candidates(owner[shared], element[shared], sizes, least)
    members = np.split(rank[element], np.cumsum(sizes)[:-1])
    known: dict[int, frozenset[int]] = {}
    found = []
    for one, other in candidates:
        a, b = (known.setdefault(i, frozenset(members[i].tolist())) if i not in known else known[i] for i in (one, other))
        common = len(a & b)
        if common >= least * (len(a) + len(b) - common) - 1e-9:
            found.append((one, other))
    return Alike(found, cut)


def _candidates(owner: Integers, element: Integers, sizes: Integers, least: float) -> tuple[list[tuple[int, int]], bool]:
    """Pairs of owners that share an element, each once, neither much larger than the other."""
    order = np.lexsort((owner, sizes[owner], element))
    owner, element = owner[order], element[order]
    pairs, cut = [], False
    for step in range(1, REACH + 1):
        same = np.flatnonzero(element[step:] == element[:-step])
        if not len(same):
            break
        one, other = owner[same], owner[same + step]
        near = sizes[one] >= least * sizes[other] - 1e-9
        pairs.append(np.minimum(one, other)[near] * len(sizes) + np.maximum(one, other)[near])
        cut = step == REACH and bool(near.any())
    if not pairs:
        return [], False
    return [divmod(pair, len(sizes)) for pair in np.unique(np.concatenate(pairs)).tolist()], cut


def alike_hashes(hashes: Sequence[int], most: int) -> Alike:
    """All pairs of different 64-bit hashes that differ in at most `most` bits: such two are equal in one of most + 1 parts of their bits."""
    numbers = np.array(hashes, dtype=np.uint64)
    ends = np.linspace(0, 64, most + 2).astype(int)
    found: set[tuple[int, int]] = set()
    for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        part = (numbers >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(part, kind="stable")
        for own in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
            for i in range(len(own) - 1):
                near = own[i + 1 :][_bits(numbers[own[i + 1 :]] ^ numbers[own[i]]) <= most]
                found.update((min(int(own[i]), other), max(int(own[i]), other)) for other in near.tolist())
    return Alike(sorted(found), False)


def _bits(numbers: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> Integers:
    """The number of set bits of each."""
    counted: Integers = _BITS[numbers.view(np.uint8)].reshape(len(numbers), 8).sum(axis=1)
    return counted


_BITS: Final = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.int64)


def components(size: int, pairs: Iterable[tuple[int, int]]) -> Integers:
    """Per item the smallest item that it is linked to, directly or through others."""
    root = list(range(size))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for one, other in pairs:
        a, b = find(one), find(other)
        root[max(a, b)] = min(a, b)
    return np.array([find(i) for i in range(size)], dtype=np.int64)


def quantile(ordered: Floats, q: float) -> float:
    """The smallest value of a sorted, non-empty column that at least the share q of all values do not exceed (Hyndman & Fan 1996, type 1)."""
    return float(ordered[max(int(np.ceil(q * len(ordered) - 1e-9)) - 1, 0)])
