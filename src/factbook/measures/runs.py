"""Masks of pixels as COCO writes them, in run-length encoding or as polygons: their pixels, what two share, and the boundary of one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from factbook.errors import SourceError
from factbook.statistics.moments import Floats, Integers

_FINE: Final = 5


@dataclass(frozen=True, eq=False)
class Mask:
    """The pixels of an object.

    Attributes:
        size: height and width of its image.
        spans: beginning and end of each run of its pixels, column by column, in order.
    """

    size: tuple[int, int]
    spans: Integers

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return int((self.spans[:, 1] - self.spans[:, 0]).sum())


def read(text: str, where: str) -> Mask:
    """The mask that a text encodes.

    Raises:
        SourceError: it encodes none; `where` says which.
    """
    try:
        rle = json.loads(text)
        height, width = (int(side) for side in rle["size"])
        return Mask((height, width), spans(rle, where))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SourceError(
            f"{where}: a mask cannot be read ({type(error).__name__})", remedy="give COCO's run-length encoding: size and counts"
        ) from error


def of(inside: Any, size: tuple[int, int]) -> Mask:
    """The mask of the pixels that are inside, column by column."""
    changes = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    return Mask((size[0], size[1]), changes.reshape(-1, 2))


def spans(rle: Mapping[str, Any], where: str) -> Integers:
    """Beginning and end of each run of a mask, column by column, from COCO's encoding: a list, or text of 6 bits a character (`maskApi.c`).

    Also from `polygons`, of which a pixel in any counts.

    Raises:
        SourceError: its runs are not as many pixels as its size says.
    """
    if "polygons" in rle:
        return _joined([_filled(np.array(item, dtype=np.float64).reshape(-1, 2), *rle["size"]) for item in rle["polygons"]])
    counts = rle["counts"]
    runs = np.array(counts if isinstance(counts, list) else _runs(counts), dtype=np.int64)
    height, width = rle["size"]
    if (runs < 0).any() or runs.sum() != height * width:
        raise SourceError(f"{where}: a mask has {int(runs.sum())} pixels, its size is {height} x {width}", remedy="encode it again")
    ends = np.cumsum(runs)
    found = np.stack((ends[0 : len(ends) // 2 * 2 : 2], ends[1::2]), axis=1)
    return found[found[:, 1] > found[:, 0]]


def _filled(corners: Floats, height: int, width: int) -> Integers:
    """The pixels in a polygon, by COCO's rule (`rleFrPoly` of `maskApi.c`).

    Its edge is drawn on a grid five times as fine. Where it crosses the middle of a column of pixels, inside and outside change from the next row on.
    """
    corners = (_FINE * corners + 0.5).astype(np.int64)
    points = np.concatenate([_drawn(one, other) for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    (u, v), (past_u, past_v) = points[1:].T, points[:-1].T
    column = (np.where(u < past_u, u, u - 1) + 0.5) / _FINE - 0.5
    crossing = (u != past_u) & (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    row = np.ceil(np.clip((np.minimum(v, past_v) + 0.5) / _FINE - 0.5, 0, height))
    places = np.sort(column[crossing].astype(np.int64) * height + row[crossing].astype(np.int64))
    found = np.append(places, np.full(len(places) % 2, height * width)).reshape(-1, 2)
    return found[found[:, 1] > found[:, 0]]


def _drawn(one: Integers, other: Integers) -> Integers:
    """The points of the grid along an edge, a step at a time in the direction in which it is longer."""
    along = int(abs(other - one)[1] > abs(other - one)[0])
    first, last = (one, other) if one[along] <= other[along] else (other, one)
    size = int(last[along] - first[along])
    steps = np.arange(size + 1)
    slope = (last[1 - along] - first[1 - along]) / size if size else 0.0
    points = np.empty((size + 1, 2), dtype=np.int64)
    points[:, along] = first[along] + steps
    points[:, 1 - along] = (first[1 - along] + slope * steps + 0.5).astype(np.int64)
    return points if first is one else points[::-1]


def _joined(parts: Sequence[Integers]) -> Integers:
    """The pixels in any of some masks."""
    every = np.concatenate([np.zeros((0, 2), dtype=np.int64), *parts])
    every = every[np.argsort(every[:, 0], kind="stable")]
    reached = np.maximum.accumulate(every[:, 1])
    starts = np.flatnonzero(np.append(True, every[1:, 0] > reached[:-1])) if len(every) else np.zeros(0, dtype=np.int64)
    return np.stack((every[starts, 0], reached[np.append(starts[1:], len(every)) - 1]), axis=1) if len(every) else every


def _runs(text: str) -> list[int]:
    """Lengths in groups of 5 bits, low first, with a bit that says that more follow; from the fourth on differences to the one before last."""
    found: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value = shift = 0
    return found


def shared(one: Mask, other: Mask) -> int:
    """How many pixels two masks of one image have in common."""
    a, b = one.spans, other.spans
    if not len(a) or not len(b) or a[0, 0] >= b[-1, 1] or b[0, 0] >= a[-1, 1]:
        return 0
    below = np.cumsum(np.stack((np.zeros(len(b)), b[:, 1] - b[:, 0]), axis=1))
    ends = np.interp(a, b.reshape(-1), below)
    return round(float((ends[:, 1] - ends[:, 0]).sum()))


def boundary(mask: Mask, part: float) -> Mask:
    """The pixels of a mask that are at most a part of the image's diagonal away from its contour, rounded, at least one.

    Distances are those of a king on a chessboard; beyond the image there is nothing (Cheng et al. 2021, CVPR, 15334).
    """
    height, width = mask.size
    far = max(1, round(part * math.hypot(height, width)))
    if not len(mask.spans):
        return mask
    first, last = int(mask.spans[0, 0]) // height, (int(mask.spans[-1, 1]) - 1) // height
    inside = np.zeros((last - first + 1) * height, dtype=np.int64)
    for start, end in (mask.spans - first * height).tolist():
        inside[start:end] = 1
    edge = inside.astype(bool) & ~_eroded(inside.reshape(-1, height), far).reshape(-1)
    return Mask(mask.size, of(edge, mask.size).spans + first * height)


def _eroded(inside: Integers, far: int) -> Any:
    """The pixels around which a whole square is inside, from sums of rectangles."""
    sums = np.pad(np.cumsum(np.cumsum(np.pad(inside, far), axis=0), axis=1), ((1, 0), (1, 0)))
    side = 2 * far + 1
    return sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side] == side * side
