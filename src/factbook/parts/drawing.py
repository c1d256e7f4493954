"""A view as SVG, for pages and papers: boxes, frames, arrows with their labels, and a description in words for readers who do not see it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from factbook.charts.svg import Markup, element, join, label, number, picture, shorten
from factbook.parts.labels import Curve, Rect, columns, settled, spots, wrapped
from factbook.parts.layout import Point, Size, arrange
from factbook.parts.views import Box, View

_LETTER: Final = 7.4
_WIDEST: Final = 34
_LINE: Final = 18.0
_TITLE: Final = 24
_LABEL: Final = 16
_LABEL_LINE: Final = 14.0
_LINES: Final = 3
_PAD: Final = 14.0
_MARGIN: Final = 18.0
_ROUND: Final = {"person": 22, "store": 10, "dataset": 10, "source": 10, "document": 0}


def draw(found: View, title: str, identifier: str = "diagram") -> str:
    """The SVG file of a view; the same view gives the same bytes."""
    drawn = placed(found)
    places, sizes = ({name: item[side] for name, item in drawn.boxes.items()} for side in (0, 1))
    frames = [_frame_mark(text, *drawn.frames[name]) for name, text in found.frames]
    taken = [_rect(*item) for item in drawn.boxes.values()] + [_title_rect(text, drawn.frames[name][0]) for name, text in found.frames]
    ends = [(places[arrow.source], sizes[arrow.source], places[arrow.target], sizes[arrow.target]) for arrow in found.arrows]
    courses = [_course(*four, bends) for four, bends in zip(ends, drawn.bends, strict=True)]
    lines, words = [_line_mark(curves, back) for curves, back in courses], []
    for arrow, (curves, _) in zip(found.arrows, courses, strict=True):
        if arrow.label:
            shown = wrapped(arrow.label, _LABEL, _LINES)
            others = [spot for course, _ in courses if course is not curves for spot in spots(course)]
            taken.append(settled((_breadth(shown), _LABEL_LINE * len(shown)), curves, [*taken, *others]))
            words.append(_word_mark(shown, arrow.label, taken[-1]))
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
    labels = [wrapped(arrow.label, _LABEL, _LINES) for arrow in found.arrows]
    slots = {
        name: (size[0], max(size[1], *(_LABEL_LINE * len(said) + _PAD for (source, _), said in zip(edges, labels, strict=True) if source == name), 0))
        for name, size in sizes.items()
    }
    layout = arrange(slots, lanes, edges, [_breadth(said) for said in labels])
    places = {name: _moved((x, y + (slots[name][1] - sizes[name][1]) / 2)) for name, (x, y) in layout.places.items()}
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


def _breadth(lines: Sequence[str]) -> float:
    return max(map(columns, lines), default=0) * _LETTER


def _size(box: Box) -> Size:
    title, note = _title(box), _note(box)
    return max(_breadth([*title, *note]), 60.0) + 2 * _PAD, _LINE * len([*title, *note]) + 2 * _PAD - 6


def _title(box: Box) -> list[str]:
    return wrapped(box.title, _TITLE, _LINES - 1) or [""]


def _note(box: Box) -> list[str]:
    return [shorten(box.note, _WIDEST)] if box.note else []


def _rect(place: Point, size: Size) -> Rect:
    return place[0], place[1], place[0] + size[0], place[1] + size[1]


def _title_rect(title: str, place: Point) -> Rect:
    return _rect(place, (_breadth([title]) + _PAD, 24.0))


def _moved(point: Point) -> Point:
    return point[0] + _MARGIN, point[1] + _MARGIN


def _frame_mark(title: str, place: Point, size: Size) -> Markup:
    (x, y), (width, height) = place, size
    return element("g", element("rect", x=x, y=y, width=width, height=height, rx=8, class_="f"), label(x + _PAD, y + 17, title, "s"))


def _box_mark(box: Box, place: Point, size: Size) -> Markup:
    (x, y), (width, height) = place, size
    style = "o" if box.outside else "k"
    rect = element("rect", x=x, y=y, width=width, height=height, rx=_ROUND.get(box.kind, 4), class_=style)
    title, note = _title(box), _note(box)
    styled = [*((line, "m", box.title) for line in title), *((line, "s m", box.note) for line in note)]
    texts = [label(x + width / 2, y + _PAD + 9 + _LINE * at, line, style, full) for at, (line, style, full) in enumerate(styled)]
    return element("g", rect, *texts)


def _course(start: Point, size: Size, end: Point, end_size: Size, bends: tuple[Point, ...]) -> tuple[list[Curve], Point]:
    """The curves of an arrow from one box to another, and the direction in which its head opens."""
    (x1, y1), (w1, h1), (x2, y2), (w2, h2) = start, size, end, end_size
    if x1 + w1 <= x2 or x2 + w2 <= x1:
        forward = x1 + w1 <= x2
        lean = 1.0 if forward else -1.0
        first = (x1 + w1 if forward else x1, y1 + h1 / 2)
        last = (x2 if forward else x2 + w2, y2 + h2 / 2)
        return [_smooth(*pair, lean) for pair in itertools.pairwise([first, *bends, last])], (-lean, 0.0)
    down = y1 + h1 <= y2
    first, last = (x1 + w1 / 2, y1 + (h1 if down else 0)), (x2 + w2 / 2, y2 + (0 if down else h2))
    return [(first, first, last, last)], (0.0, -1.0 if down else 1.0)


def _smooth(start: Point, end: Point, lean: float) -> Curve:
    reach = max(abs(end[0] - start[0]) / 2, 12.0) * lean
    return start, (start[0] + reach, start[1]), (end[0] - reach, end[1]), end


def _line_mark(curves: Sequence[Curve], back: Point) -> Markup:
    path = f"M{_at(curves[0][0])}" + "".join(f"C{' '.join(map(_at, curve[1:]))}" for curve in curves)
    return element("g", element("path", d=path, class_="l"), element("path", d=_head(curves[-1][3], back), class_="a"))


def _word_mark(lines: Sequence[str], full: str, place: Rect) -> Markup:
    """A label on a ground of the page's colour, so that no line runs through its letters."""
    left, top, right, bottom = place
    ground = element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="h")
    return join(ground, *(label((left + right) / 2, top + _LABEL_LINE * (at + 1) - 3, line, "s m", full) for at, line in enumerate(lines)))


def _head(tip: Point, back: Point) -> str:
    (x, y), (dx, dy) = tip, back
    left = (x + 9 * dx + 4 * dy, y + 9 * dy + 4 * dx)
    right = (x + 9 * dx - 4 * dy, y + 9 * dy - 4 * dx)
    return f"M{_at(tip)}L{_at(left)}L{_at(right)}Z"


def _at(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"
