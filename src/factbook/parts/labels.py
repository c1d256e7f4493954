"""Where the label of an arrow stands: on its own line, and where there is room off boxes and other labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from factbook.charts.svg import shorten
from factbook.parts.layout import Point

Curve = tuple[Point, Point, Point, Point]
"""A cubic Bézier curve: its start, its two handles, its end."""
Rect = tuple[float, float, float, float]
_STEPS: Final = 16
_ALONG: Final = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)


def columns(text: str) -> int:
    """How many columns a text takes; wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, room: int, most: int) -> list[str]:
    """A text in at most so many lines of so many columns, broken between words; what does not fit is cut, and marked so."""
    lines: list[str] = []
    for word in text.split():
        if lines and columns(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    kept = lines[:most]
    if len(lines) > most:
        kept[-1] += "…"
    return [shorten(line, room + 8) for line in kept]


def settled(size: tuple[float, float], curves: Sequence[Curve], taken: Sequence[Rect]) -> Rect:
    """The first place along a line where a label of this size covers nothing; else the one where it covers least. The middle is tried first."""
    middle = (len(curves) - 1) / 2
    pieces = sorted(range(len(curves)), key=lambda piece: (abs(piece - middle), piece))
    places = [_around(_at(curves[piece], along), size) for piece in pieces for along in _ALONG]
    return min(places, key=lambda place: (round(sum(_common(place, other) for other in taken)), places.index(place)))


def spots(curves: Sequence[Curve]) -> list[Rect]:
    """Small squares along a line, for others to keep off."""
    points = [_at(curve, step / _STEPS) for curve in curves for step in range(_STEPS + 1)]
    return [(x - 3, y - 3, x + 3, y + 3) for x, y in points]


def _around(point: Point, size: tuple[float, float]) -> Rect:
    """The place of a label whose last line stands just above a point."""
    (x, y), (width, height) = point, size
    return x - width / 2, y - height - 3, x + width / 2, y - 3


def _at(curve: Curve, t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return sum(w * p[0] for w, p in zip(weights, curve, strict=True)), sum(w * p[1] for w, p in zip(weights, curve, strict=True))


def _common(one: Rect, other: Rect) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0
