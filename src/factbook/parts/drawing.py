"""A view as SVG, for pages and papers: boxes, frames, arrows with their labels, and a description in words for readers who do not see it."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from factbook.charts.svg import Markup, element, label, number, picture, shorten
from factbook.parts.layout import Point, Size, arrange
from factbook.parts.views import Arrow, Box, View

_LETTER: Final = 7.4
_WIDEST: Final = 34
_LINE: Final = 18.0
_PAD: Final = 14.0
_MARGIN: Final = 18.0
_ROUND: Final = {"person": 22, "store": 10, "dataset": 10, "source": 10, "document": 0}


def draw(found: View, title: str, identifier: str = "diagram") -> str:
    """The SVG file of a view; the same view gives the same bytes."""
    drawn = placed(found)
    places, sizes = ({name: item[side] for name, item in drawn.boxes.items()} for side in (0, 1))
    frames = [_frame_mark(text, *drawn.frames[name]) for name, text in found.frames]
    lines, words = [], []
    for arrow, bends in zip(found.arrows, drawn.bends, strict=True):
        line, word = _arrow_mark(arrow, places, sizes, bends)
        lines.append(line)
        words += [word] if word else []
    boxes = [_box_mark(box, places[box.name], sizes[box.name]) for box in found.boxes]
    width, height = (round(side + 2 * _MARGIN) for side in drawn.size)
    return picture(identifier, title, described(found), width, height, *frames, *lines, *boxes, *words)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where each box and each frame has its upper left corner, and its size; the bends of each arrow; the size of all without the margin."""

    boxes: Mapping[str, tuple[Point, Size]]
    frames: Mapping[str, tuple[Point, Size]]
    bends: tuple[tuple[Point, ...], ...]
    size: Size


def placed(found: View) -> Placed:
    """The places of a view; the same view has the same."""
    sizes = {box.name: _size(box) for box in found.boxes}
    lanes = {box.name: box.frame for box in found.boxes if box.frame}
    edges = [(arrow.source, arrow.target) for arrow in found.arrows]
    layout = arrange(sizes, lanes, edges, [_width(arrow.label) for arrow in found.arrows])
    places = {name: _moved(place) for name, place in layout.places.items()}
    frames = {name: _around(name, lanes, places, sizes, layout.lanes[name]) for name, _ in found.frames}
    bends = tuple(tuple(map(_moved, points)) for points in layout.bends)
    return Placed({name: (places[name], sizes[name]) for name in sizes}, frames, bends, layout.size)


def _around(
    name: str, lanes: Mapping[str, str], places: Mapping[str, Point], sizes: Mapping[str, Size], span: tuple[float, float]
) -> tuple[Point, Size]:
    """Where the frame of an element begins, and its size: its whole lane, as wide as what is in it."""
    inside = [box for box, frame in lanes.items() if frame == name]
    left = min(places[box][0] for box in inside) - _PAD
    right = max(places[box][0] + sizes[box][0] for box in inside) + _PAD
    return (left, span[0] + _MARGIN), (right - left, span[1] - span[0])


def described(found: View) -> str:
    """A view in words."""
    titles = {box.name: box.title for box in found.boxes}
    boxes = ", ".join(titles.values())
    arrows = "; ".join(f"{titles[a.source]} → {titles[a.target]}{f': {a.label}' if a.label else ''}" for a in found.arrows)
    return f"Boxes: {boxes}. Arrows: {arrows or 'none'}."


def _width(text: str) -> float:
    columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return min(columns, _WIDEST) * _LETTER


def _size(box: Box) -> Size:
    return max(_width(box.title), _width(box.note), 60.0) + 2 * _PAD, _LINE * (2 if box.note else 1) + 2 * _PAD - 6


def _moved(point: Point) -> Point:
    return point[0] + _MARGIN, point[1] + _MARGIN


def _frame_mark(title: str, place: Point, size: Size) -> Markup:
    (x, y), (width, height) = place, size
    return element("g", element("rect", x=x, y=y, width=width, height=height, rx=8, class_="f"), label(x + _PAD, y + 17, title, "s"))


def _box_mark(box: Box, place: Point, size: Size) -> Markup:
    (x, y), (width, height) = place, size
    style = "o" if box.outside else "k"
    rect = element("rect", x=x, y=y, width=width, height=height, rx=_ROUND.get(box.kind, 4), class_=style)
    first = label(x + width / 2, y + _PAD + 9, shorten(box.title, _WIDEST), "m", box.title)
    second = label(x + width / 2, y + _PAD + 9 + _LINE, shorten(box.note, _WIDEST), "s m", box.note) if box.note else None
    return element("g", rect, first, second)


def _arrow_mark(arrow: Arrow, places: dict[str, Point], sizes: dict[str, Size], bends: tuple[Point, ...]) -> tuple[Markup, Markup | None]:
    """The line of an arrow with its head, and its label."""
    (x1, y1), (w1, h1) = places[arrow.source], sizes[arrow.source]
    (x2, y2), (w2, h2) = places[arrow.target], sizes[arrow.target]
    if x1 + w1 <= x2 or x2 + w2 <= x1:
        forward = x1 + w1 <= x2
        start = (x1 + w1, y1 + h1 / 2) if forward else (x1, y1 + h1 / 2)
        end = (x2, y2 + h2 / 2) if forward else (x2 + w2, y2 + h2 / 2)
        lean = 1.0 if forward else -1.0
        points = [start, *bends, end]
        path, middle = _curve(points, lean)
        head = _head(end, (-lean, 0.0))
    else:
        down = y1 + h1 <= y2
        start, end = (x1 + w1 / 2, y1 + (h1 if down else 0)), (x2 + w2 / 2, y2 + (0 if down else h2))
        path = f"M{_at(start)}L{_at(end)}"
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        head = _head(end, (0.0, -1.0 if down else 1.0))
    line = element("g", element("path", d=path, class_="l"), element("path", d=head, class_="a"))
    word = label(middle[0], middle[1] - 5, shorten(arrow.label, _WIDEST), "s m h", arrow.label) if arrow.label else None
    return line, word


def _curve(points: list[Point], lean: float) -> tuple[str, Point]:
    """A smooth line through points that run to one side, and the middle of its middle piece."""
    path = f"M{_at(points[0])}"
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        reach = max(abs(bx - ax) / 2, 12.0) * lean
        path += f"C{_at((ax + reach, ay))} {_at((bx - reach, by))} {_at((bx, by))}"
    piece = (len(points) - 1) // 2
    (ax, ay), (bx, by) = points[piece], points[min(piece + 1, len(points) - 1)]
    return path, ((ax + bx) / 2, (ay + by) / 2)


def _head(tip: Point, back: Point) -> str:
    (x, y), (dx, dy) = tip, back
    left = (x + 9 * dx + 4 * dy, y + 9 * dy + 4 * dx)
    right = (x + 9 * dx - 4 * dy, y + 9 * dy - 4 * dx)
    return f"M{_at(tip)}L{_at(left)}L{_at(right)}Z"


def _at(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"
