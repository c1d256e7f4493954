"""Curves on the unit square: shares against shares, with intervals. The kinds roc, precision-recall, gains, calibration and thresholds draw on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, path, svg
from factbook.errors import DocumentError
from factbook.model import Fact, Key, Unit

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

_WIDTH, _HEIGHT = 640, 482
_LEFT, _TOP, _WIDE, _TALL = 64, 90, 430, 330
_STEPS: Final = tuple(i / 5 for i in range(6))


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the square: `x`, `y` and the ends of the interval of `y`, and what it says in a tooltip."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Points in order.

    Attributes:
        name: what stands beside its end.
        line: whether they are joined.
        dots: whether each is marked.
        dashes: the pattern of the line, to tell it from others.
    """

    name: str
    points: tuple[Point, ...]
    line: bool = True
    dots: bool = False
    dashes: str | None = None


@dataclass(frozen=True, slots=True)
class Plane:
    """The picture: its title and subtitle, the names of its axes, its series, and the ends of the dashed line to compare them with, with its name."""

    title: str
    subtitle: str
    across: str
    up: str
    series: tuple[Series, ...]
    reference: tuple[Point, Point] | None = None
    reference_name: str = ""


def points(spec: ChartSpec, catalog: Catalog, metric: str, param: str) -> list[tuple[str, Fact]]:
    """The overall facts of a metric that have just one parameter, with its values, in the order of their numbers.

    Raises:
        DocumentError: there are none.
    """
    found = [
        (key.params[0][1], catalog.fact(key))
        for key in catalog.evidence
        if (key.evidence, key.metric) == (spec.evidence, metric) and not key.slice and [name for name, _ in key.params] == [param]
    ]
    if not found:
        kind = "thresholds" if param == "threshold" else spec.kind
        raise DocumentError(f"{spec}: there is no {metric};{param}=… in the evidence", remedy=f"plan it: curves: [{kind}]")
    return sorted(found, key=lambda item: float(item[0].partition("-")[0]))


def value(fact: Fact) -> float | None:
    """The number of a fact, or None."""
    return float(fact.value) if fact.measured and isinstance(fact.value, int | float) else None


def point(x: float, fact: Fact, words: str) -> Point | None:
    """A fact at a place, with its interval; None where it has no value."""
    y = value(fact)
    return None if y is None else Point(x, y, fact.low, fact.high, f"{words}: {svg.value(fact)}")


def curve(spec: ChartSpec, catalog: Catalog, metric: str, param: str, words: str) -> tuple[Point, ...]:
    """The points of a curve; `words` say where each is, e.g. `at a recall of {}`.

    Raises:
        DocumentError: the evidence has no such curve.
    """
    found = points(spec, catalog, metric, param)
    return known(point(float(x), fact, words.format(per_cent(float(x)))) for x, fact in found)


def known(found: Iterable[Point | None]) -> tuple[Point, ...]:
    """Those that are there."""
    return tuple(item for item in found if item is not None)


def said(spec: ChartSpec, catalog: Catalog, metric: str, title: str) -> str:
    """A figure for the subtitle; '' where it is not measured."""
    key = Key(spec.evidence, metric)
    return f"{title} {svg.value(catalog.fact(key))}" if key in catalog.evidence else ""


def per_cent(share: float) -> str:
    """A share in words."""
    return f"{svg.quantity(share, Unit.FRACTION).removesuffix('.0')} %"


def picture(spec: ChartSpec, plane: Plane) -> str:
    """The whole file."""
    identifier = path(spec).rpartition("/")[2].removesuffix(".svg").replace(".", "-")
    marks = [svg.label(2, 26, plane.title, "t"), svg.label(2, 48, plane.subtitle, "s"), *_axes(plane)]
    if plane.reference is not None:
        start, end = plane.reference
        name = svg.element("title", plane.reference_name)
        marks.append(svg.element("line", name, x1=_x(start.x), y1=_y(start.y), x2=_x(end.x), y2=_y(end.y), class_="r"))
        marks.append(svg.label(_x(1) + 8, _y(end.y) + 4, plane.reference_name, "s"))
    heights = _apart([series.points[-1].y if series.points else 0.0 for series in plane.series], plane)
    for series, height in zip(plane.series, heights, strict=True):
        marks += _series(series, height)
    return svg.picture(identifier, plane.title, _description(plane), _WIDTH, _HEIGHT, *marks)


def _x(share: float) -> float:
    return _LEFT + _WIDE * share


def _y(share: float) -> float:
    return _TOP + _TALL * (1 - share)


def _axes(plane: Plane) -> list[str]:
    marks: list[str] = []
    for step in _STEPS:
        marks.append(svg.element("line", x1=_x(step), x2=_x(step), y1=_y(0), y2=_y(1), class_="g"))
        marks.append(svg.element("line", x1=_x(0), x2=_x(1), y1=_y(step), y2=_y(step), class_="g"))
        marks.append(svg.label(_x(step), _y(0) + 20, per_cent(step), "s m"))
        marks.append(svg.label(_LEFT - 8, _y(step) + 4, per_cent(step), "s e"))
    return [*marks, svg.label(_x(0.5), _y(0) + 44, plane.across, "m"), svg.label(2, _TOP - 14, plane.up, None)]


def _series(series: Series, height: float) -> list[str]:
    marks: list[str] = []
    if series.line and len(series.points) > 1:
        places = " ".join(f"{svg.number(_x(item.x))},{svg.number(_y(item.y))}" for item in series.points)
        name = svg.element("title", series.name)
        marks.append(svg.element("polyline", name, points=places, class_="w", fill="none", stroke_dasharray=series.dashes))
    for item in series.points:
        own: list[str] = []
        if item.low is not None and item.high is not None:
            own.append(svg.element("line", x1=_x(item.x), x2=_x(item.x), y1=_y(item.low), y2=_y(item.high), class_="w", opacity=0.45))
        own += [svg.element("circle", cx=_x(item.x), cy=_y(item.y), r=4.0, class_="d")] if series.dots else []
        marks += [svg.element("g", svg.element("title", item.tip), *own)] if own else []
    if series.name and series.points:
        marks.append(svg.label(_x(1) + 8, height, series.name, "s"))
    return marks


def _apart(ends: Sequence[float], plane: Plane) -> list[float]:
    """Where the names of series stand: at their ends, one above the other where these are close, and clear of the name of the reference."""
    taken = [_y(plane.reference[1].y) + 4] if plane.reference is not None and plane.reference_name else []
    found = dict.fromkeys(range(len(ends)), 0.0)
    for i in sorted(found, key=lambda i: ends[i]):
        place = _y(ends[i]) + 4
        while any(abs(place - other) < 15 for other in taken):
            place -= 5
        found[i] = place
        taken.append(place)
    return list(found.values())


def _description(plane: Plane) -> str:
    parts = [f"{plane.up} against {plane.across}."]
    for series in plane.series:
        tips = [item.tip for item in series.points if item.tip]
        chosen = tips if len(tips) <= 12 else tips[:: max(1, len(tips) // 10)]
        parts.append((f"{series.name}: " if series.name else "") + "; ".join(chosen) + ".")
    return " ".join([*parts, f"Dashed line: {plane.reference_name}."] if plane.reference_name else parts)
