"""A dot and its interval for each group, with the overall value as the line to compare with. A group without a value keeps its row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, path, svg
from factbook.errors import DocumentError, UnknownName
from factbook.model import Fact, Metric, Unit

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ("metric", "by")

_WIDTH, _TOP, _ROW = 640, 74, 32
_START, _LEFT, _RIGHT, _VALUE, _END = 2, 156, 412, 432, 638
_ROOM: Final = 19
_STEPS: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale from values to the picture, with ticks at round numbers."""

    ticks: tuple[Decimal, ...]

    @classmethod
    def around(cls, values: Iterable[float], bounds: tuple[float, float] | None) -> Axis:
        """The shortest axis with round ends around the values; it starts at 0 where 0 is near, and stays within the bounds of the metric."""
        numbers = [Decimal(repr(float(value))) for value in values]
        low, high = min(numbers), max(numbers)
        low = Decimal(0) if 0 < low < high / 2 else low
        if low == high:
            low, high = low - abs(low) / 2 - Decimal("0.05"), high + abs(high) / 2 + Decimal("0.05")
        if bounds is not None:
            low, high = max(low, Decimal(repr(float(bounds[0])))), min(high, Decimal(repr(float(bounds[1]))))
        rough = (high - low) / 5
        power = Decimal(1).scaleb(rough.adjusted())
        step = next(power * size for size in _STEPS if power * size >= rough)
        first = low // step - (1 if low < 0 and low % step else 0)
        ticks = [step * (first + index) for index in range(9)]
        end = next(index for index, tick in enumerate(ticks) if tick >= high)
        return cls(tuple(ticks[: end + 1]))

    def x(self, value: float) -> float:
        """Where a value is, in pixels."""
        low, high = float(self.ticks[0]), float(self.ticks[-1])
        return _LEFT + (_RIGHT - _LEFT) * (value - low) / (high - low)


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw one metric by groups.

    Raises:
        UnknownName: the evidence has no such facts.
        DocumentError: the facts are no numbers.
    """
    key = spec.key()
    facts = catalog.slices(key.evidence, key.metric, spec.by, key.params)
    if not facts:
        raise DocumentError(f"{spec}: there is no {spec.metric} by {', '.join(spec.by)} in the evidence", remedy="plan it: by: [ATTRIBUTE]")
    metric = catalog.metric(facts[0].key)
    if metric.unit in (Unit.TEXT, Unit.DATE):
        raise DocumentError(f"{spec}: {spec.metric} is no number", remedy="choose another metric")
    reference = _reference(spec, catalog, metric)
    title = f"{metric.title[:1].upper()}{metric.title[1:]} by {' and '.join(spec.by)}"
    rows = [(", ".join(dict(fact.key.slice)[name] for name in spec.by), fact) for fact in facts]
    axis = _axis([fact for _, fact in rows], reference, metric)
    height = _TOP + _ROW * len(rows) + 34
    identifier = path(spec).rpartition("/")[2].removesuffix(".svg").replace(".", "-")
    return svg.picture(
        identifier,
        title,
        _description(rows, reference),
        _WIDTH,
        height,
        *_heading(title, facts, metric),
        *(_grid(axis, metric, facts) if axis else ()),
        *(_line(axis, reference, facts) if axis and reference else ()),
        *(_row(index, name, fact, axis) for index, (name, fact) in enumerate(rows)),
    )


@dataclass(frozen=True, slots=True)
class _Reference:
    value: float
    words: str


def _reference(spec: ChartSpec, catalog: Catalog, metric: Metric) -> _Reference | None:
    try:
        fact = catalog.fact(spec.key())
    except UnknownName:
        neutral = {Unit.POINTS: 0.0, Unit.RATIO: 1.0}.get(metric.unit)
        return None if neutral is None else _Reference(neutral, "no difference")
    if not fact.measured or not isinstance(fact.value, int | float):
        return None
    return _Reference(float(fact.value), f"overall {svg.quantity(fact.value, fact.unit)}{svg.sign(fact.unit)}")


def _axis(facts: Sequence[Fact], reference: _Reference | None, metric: Metric) -> Axis | None:
    values = [float(fact.value) for fact in facts if fact.measured and isinstance(fact.value, int | float)]
    if not values:
        return None
    values += [end for fact in facts if fact.measured for end in fact.interval or ()]
    values += [reference.value] if reference else []
    return Axis.around(values, metric.bounds)


def _description(rows: Sequence[tuple[str, Fact]], reference: _Reference | None) -> str:
    parts = [f"{name}: {svg.value(fact)}" + (f", n = {fact.n}" if fact.n is not None else "") for name, fact in rows]
    return "; ".join(parts) + (f". Dashed line: {reference.words}." if reference else ".")


def _heading(title: str, facts: Sequence[Fact], metric: Metric) -> list[str]:
    levels = sorted({fact.level for fact in facts if fact.level is not None})
    shown = " / ".join(f"{svg.quantity(level, Unit.FRACTION).removesuffix('.0')} %" for level in levels)
    unit = {Unit.FRACTION: "per cent", Unit.POINTS: "points"}.get(metric.unit, "value")
    return [
        svg.label(_START, 26, svg.shorten(title, 78), "t", title),
        svg.label(_VALUE, 62, f"{unit} ({shown} interval)" if shown else unit, "s"),
        svg.label(_END, 62, "n", "s e"),
    ]


def _spans(facts: Sequence[Fact]) -> list[tuple[float, float]]:
    """From where to where vertical lines run: past the rows with a value only, so that no line crosses the words of the others."""
    spans: list[tuple[float, float]] = []
    for index, fact in enumerate(facts):
        top = _TOP + _ROW * index
        if fact.measured and spans and spans[-1][1] == top:
            spans[-1] = (spans[-1][0], top + _ROW)
        elif fact.measured:
            spans.append((top, top + _ROW))
    return spans


def _grid(axis: Axis, metric: Metric, facts: Sequence[Fact]) -> list[str]:
    marks: list[str] = []
    for tick in axis.ticks:
        x = axis.x(float(tick))
        marks += [svg.element("line", x1=x, x2=x, y1=top, y2=bottom, class_="g") for top, bottom in _spans(facts)]
        marks.append(svg.label(x, _TOP + _ROW * len(facts) + 20, _tick(tick, axis, metric), "s m"))
    return marks


def _tick(tick: Decimal, axis: Axis, metric: Metric) -> str:
    step = min(high - low for low, high in pairwise(axis.ticks))
    per_cent = metric.unit in (Unit.FRACTION, Unit.POINTS)
    scale = 100 if per_cent else 1
    digits = max(0, -int((step * scale).normalize().as_tuple().exponent))
    return svg.minus(f"{tick * scale:.{digits}f}") + (" %" if metric.unit is Unit.FRACTION else "")


def _line(axis: Axis, reference: _Reference, facts: Sequence[Fact]) -> list[str]:
    x = axis.x(reference.value)
    name = svg.element("title", reference.words)
    lines = [svg.element("line", name, x1=x, x2=x, y1=top, y2=bottom, class_="r") for top, bottom in _spans(facts)]
    return [*lines, svg.label(min(max(x, _LEFT + 40), _RIGHT - 40), 62, reference.words, "s m")]


def _row(index: int, name: str, fact: Fact, axis: Axis | None) -> str:
    y = _TOP + _ROW * index + _ROW / 2
    said = svg.value(fact)
    shown: list[str] = [svg.label(_START, y + 4.5, svg.shorten(name, _ROOM), None, name)]
    if fact.n is not None:
        shown.append(svg.label(_END, y + 4.5, svg.group(Decimal(fact.n)), "s e"))
    if not fact.measured or axis is None or not isinstance(fact.value, int | float):
        shown.append(svg.label(_LEFT, y + 4.5, svg.shorten(said, 44), "i", said))
        return svg.element("g", svg.element("title", f"{name}: {said}"), *shown)
    if fact.interval is not None:
        low, high = (axis.x(end) for end in fact.interval)
        shown.append(svg.element("line", x1=low, x2=high, y1=y, y2=y, class_="w"))
    shown.append(svg.element("circle", cx=axis.x(float(fact.value)), cy=y, r=5, class_="d"))
    shown.append(svg.label(_VALUE, y + 4.5, said.replace(" %", "").replace(" points", "")))
    return svg.element("g", svg.element("title", f"{name}: {said}"), *shown)
