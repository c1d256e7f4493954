"""Places boxes so that arrows run from left to right: a layered drawing after Sugiyama, Tagawa & Toda 1981 (IEEE Trans. SMC 11, 109).

Ranks are longest paths, edges that close a cycle are turned round for that; long edges bend through empty places in the ranks between; boxes in a
rank are ordered by the mean place of their neighbours. The boxes of a frame share a lane, which nothing else enters, so that a frame can be drawn
around them. The same boxes and arrows give the same drawing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Edge = tuple[str, str]
Size = tuple[float, float]
Point = tuple[float, float]
ROOM: Final = 22.0
HEAD: Final = 24.0
_SWEEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each box has its upper left corner, the bends of each edge, where each lane begins and ends, and the size of the whole."""

    places: Mapping[str, Point]
    bends: tuple[tuple[Point, ...], ...]
    lanes: Mapping[str, tuple[float, float]]
    size: Size


def arrange(sizes: Mapping[str, Size], lanes: Mapping[str, str], edges: Sequence[Edge], gaps: Sequence[float]) -> Layout:
    """Place boxes of given sizes in their lanes. `gaps` is the room that the label of each edge needs between two ranks."""
    turned = _acyclic(list(sizes), edges)
    ranks = _ranks(list(sizes), turned)
    chains, bends = _chains(turned, ranks)
    lane_of = {name: lanes.get(name, "") for name in sizes} | {name: lanes.get(chain[-1], "") for chain in chains for name in chain[1:-1]}
    rows = _ordered([*sizes, *bends], ranks | bends, chains)
    between = _between(turned, ranks, gaps, len(rows))
    spans = _lanes(rows, lane_of, sizes)
    places, width = _placed(rows, lane_of, spans, sizes, between)
    found = []
    for (source, target), (first, _), chain in zip(edges, turned, chains, strict=True):
        points = tuple(places[name] for name in chain[1:-1])
        found.append(points if source in (first, target) else points[::-1])
    height = max((end for _, end in spans.values()), default=0.0)
    return Layout({name: places[name] for name in sizes}, tuple(found), spans, (width, height))


def _acyclic(names: Sequence[str], edges: Sequence[Edge]) -> list[Edge]:
    """The edges, those turned round that lead back to where a walk in the order of the names came from."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        after[source].append(target)
    state: dict[str, int] = {}
    back: set[Edge] = set()

    def walk(name: str) -> None:
        state[name] = 1
        for target in after[name]:
            if state.get(target) == 1:
                back.add((name, target))
            elif target not in state:
                walk(target)
        state[name] = 2

    for name in names:
        if name not in state:
            walk(name)
    return [(target, source) if (source, target) in back else (source, target) for source, target in edges]


def _ranks(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    ranks = dict.fromkeys(names, 0)
    for _ in names:
        changed = False
        for source, target in edges:
            if source != target and ranks[target] <= ranks[source]:
                ranks[target], changed = ranks[source] + 1, True
        if not changed:
            break
    return ranks


def _chains(edges: Sequence[Edge], ranks: Mapping[str, int]) -> tuple[list[list[str]], dict[str, int]]:
    """Each edge as the row of names that it passes, with an empty place in every rank between; and the ranks of those places."""
    chains: list[list[str]] = []
    places: dict[str, int] = {}
    for number, (source, target) in enumerate(edges):
        bends = [f"\0{number} {rank}" for rank in range(ranks[source] + 1, ranks[target])]
        places |= {name: ranks[source] + 1 + i for i, name in enumerate(bends)}
        chains.append([source, *bends, target])
    return chains, places


def _ordered(names: Sequence[str], ranks: Mapping[str, int], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for name in names:
        rows[ranks[name]].append(name)
    links = [(a, b) for chain in chains for a, b in itertools.pairwise(chain)]
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for row in rows[1:] if forward else rows[-2::-1]:
            place = {name: i / max(len(other) - 1, 1) for other in rows for i, name in enumerate(other)}
            near = {name: [place[a] for a, b in links if b == name] if forward else [place[b] for a, b in links if a == name] for name in row}
            row.sort(key=lambda name: sum(near[name]) / len(near[name]) if near[name] else place[name])
    return rows


def _between(edges: Sequence[Edge], ranks: Mapping[str, int], gaps: Sequence[float], rows: int) -> list[float]:
    """The room between each rank and the next: for the longest label of an edge that begins there."""
    room = [ROOM * 2.5] * max(rows - 1, 0)
    for (source, target), gap in zip(edges, gaps, strict=True):
        if ranks[source] < ranks[target]:
            span = ranks[target] - ranks[source]
            middle = ranks[source] + (span - 1) // 2
            room[middle] = max(room[middle], gap + ROOM * 2)
    return room


def _lanes(rows: Sequence[Sequence[str]], lane_of: Mapping[str, str], sizes: Mapping[str, Size]) -> dict[str, tuple[float, float]]:
    """Where each lane begins and ends: as high as its fullest rank, with room for the title of its frame."""
    spans: dict[str, tuple[float, float]] = {}
    y = 0.0
    for lane in dict.fromkeys(["", *(lane_of[name] for row in rows for name in row)]):
        heights = [sum(sizes.get(name, (0, 0))[1] + ROOM for name in row if lane_of[name] == lane) for row in rows]
        if not max(heights, default=0.0):
            continue
        title = HEAD if lane else 0.0
        spans[lane] = (y, y + title + max(heights) + (ROOM / 2 if lane else 0.0))
        y = spans[lane][1] + ROOM / 2
    return spans


def _placed(
    rows: Sequence[Sequence[str]],
    lane_of: Mapping[str, str],
    spans: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, Size],
    between: Sequence[float],
) -> tuple[dict[str, Point], float]:
    places: dict[str, Point] = {}
    x = 0.0
    for rank, row in enumerate(rows):
        width = max((sizes.get(name, (0.0, 0.0))[0] for name in row), default=0.0)
        for lane, (top, bottom) in spans.items():
            members = [name for name in row if lane_of[name] == lane]
            height = sum(sizes.get(name, (0, 0))[1] + ROOM for name in members) - ROOM
            title = HEAD if lane else 0.0
            y = top + title + (bottom - top - title - height) / 2
            for name in members:
                own_width, own_height = sizes.get(name, (0.0, 0.0))
                places[name] = (x + (width - own_width) / 2, y)
                y += own_height + ROOM
        x += width + (between[rank] if rank < len(between) else 0.0)
    return places, x
