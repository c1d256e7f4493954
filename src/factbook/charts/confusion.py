"""Counts of what was so against what was predicted: the four of two classes, or the whole matrix of many."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, path, svg
from factbook.errors import DocumentError
from factbook.model import Fact, Key, Unit

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()

_WIDTH, _HEIGHT = 640, 288
_LEFT, _TOP, _CELL, _TALL = 140, 84, 240, 96
_CELLS: Final = (("tp", "true positives", 0, 0), ("fn", "false negatives", 0, 1), ("fp", "false positives", 1, 0), ("tn", "true negatives", 1, 1))
_MOST: Final = 20
_NARROW: Final = 8


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the confusion counts of one evidence.

    Raises:
        UnknownName: the evidence has no confusion counts.
        DocumentError: there are too many classes to draw.
    """
    many = {key.params: catalog.fact(key) for key in catalog.evidence if _of_classes(key, spec.evidence)}
    if many:
        return _matrix(spec, {(dict(params)["label"], dict(params)["prediction"]): fact for params, fact in many.items()})
    facts = {name: catalog.fact(spec.key(name)) for name, *_ in _CELLS}
    title = f"Confusion counts ({spec.evidence})"
    description = "; ".join(f"{words}: {_count(facts[name])}" for name, words, *_ in _CELLS) + "."
    return svg.picture(_identifier(spec), title, description, _WIDTH, _HEIGHT, svg.label(2, 26, title, "t"), *_names(), *_cells(facts))


def _identifier(spec: ChartSpec) -> str:
    return path(spec).rpartition("/")[2].removesuffix(".svg").replace(".", "-")


def _of_classes(key: Key, evidence: str) -> bool:
    return (key.evidence, key.metric, key.slice) == (evidence, "confusion", ())


def _count(fact: Fact) -> str:
    return svg.group(Decimal(fact.value)) if fact.measured and isinstance(fact.value, int) else svg.value(fact)


def _matrix(spec: ChartSpec, facts: dict[tuple[str, str], Fact]) -> str:
    """The matrix of many classes: a row a label, darker where more of the label's cases are."""
    classes = sorted({label for label, _ in facts})
    if len(classes) > _MOST:
        raise DocumentError(f"{spec}: {len(classes)} classes are too many to draw", remedy=f"at most {_MOST}; show a table per=class instead")
    title, left = f"Predictions by class ({spec.evidence})", 150
    cell = (_WIDTH - left - 60) / len(classes)
    tall = max(24.0, min(48.0, cell))
    rows = []
    for i, label in enumerate(classes):
        rows.append(_row(label, [facts[label, other] for other in classes], classes, (left, _TOP + tall * i), (cell, tall)))
    heads = [svg.label(left + cell * (i + 0.5), _TOP - 10, svg.shorten(name, max(2, int(cell / 7))), "s m", name) for i, name in enumerate(classes)]
    said = (f"{label}: " + ", ".join(f"{other} {_count(facts[label, other])}" for other in classes) for label in classes)
    description = f"A row a class of the label, with how many of its cases were predicted as which class. {'; '.join(said)}."
    words = [
        svg.label(2, 26, title, "t"),
        svg.label(left, _TOP - 32, "predicted", "s"),
        svg.label(2, _TOP - 10, "actual", "s"),
        svg.label(_WIDTH - 2, _TOP - 10, "cases", "s e"),
    ]
    return svg.picture(_identifier(spec), title, description, _WIDTH, round(_TOP + tall * len(classes) + 14), *words, *heads, *rows)


def _row(label: str, facts: Sequence[Fact], classes: Sequence[str], corner: tuple[float, float], size: tuple[float, float]) -> str:
    counts = [fact.value if fact.measured and isinstance(fact.value, int) else None for fact in facts]
    total = sum(count for count in counts if count is not None)
    (x, y), (wide, tall) = corner, size
    line = y + tall / 2 + 4.5
    marks = [svg.label(2, line, svg.shorten(label, 19), None, label), svg.label(_WIDTH - 2, line, svg.group(Decimal(total)), "s e")]
    for i, (count, other) in enumerate(zip(counts, classes, strict=True)):
        share = count / total if count and total else 0.0
        shown = "–" if count is None else svg.group(Decimal(count))
        tip = f"{label}, predicted {other}: {shown}"
        tip += f", {svg.quantity(share, Unit.FRACTION)} % of actual {label}" if total and count is not None else ""
        marks.append(
            svg.element(
                "g",
                svg.element("title", tip),
                svg.element("rect", x=x + wide * i + 1, y=y + 1, width=wide - 2, height=tall - 2, rx=4, class_="d", opacity=0.06 + 0.34 * share),
                svg.label(x + wide * (i + 0.5), line, shown, "m" if len(classes) <= _NARROW else "s m"),
            )
        )
    return svg.join(*marks)


def _names() -> list[str]:
    return [
        *(svg.label(_LEFT + _CELL * (index + 0.5), _TOP - 14, f"predicted {name}", "s m") for index, name in enumerate(("positive", "negative"))),
        *(svg.label(_LEFT - 16, _TOP + _TALL * (index + 0.5) + 4, f"actually {name}", "s e") for index, name in enumerate(("positive", "negative"))),
    ]


def _cells(facts: dict[str, Fact]) -> list[str]:
    shares = {name: _share(facts, name, other) for name, other in (("tp", "fn"), ("fn", "tp"), ("fp", "tn"), ("tn", "fp"))}
    return [_cell(words, _count(facts[name]), shares[name], row, column) for name, words, row, column in _CELLS]


def _share(facts: dict[str, Fact], name: str, other: str) -> float | None:
    part, rest = facts[name].value, facts[other].value
    return part / (part + rest) if isinstance(part, int) and isinstance(rest, int) and part + rest else None


def _cell(words: str, count: str, share: float | None, row: int, column: int) -> str:
    x, y = _LEFT + _CELL * column, _TOP + _TALL * row
    whose = "positives" if row == 0 else "negatives"
    shown = "" if share is None else f"{svg.quantity(share, Unit.FRACTION)} % of actual {whose}"
    return svg.element(
        "g",
        svg.element("title", f"{words}: {count}" + (f", {shown}" if shown else "")),
        svg.element("rect", x=x + 2, y=y + 2, width=_CELL - 4, height=_TALL - 4, rx=6, class_="d", opacity=0.08 + 0.22 * (share or 0.0)),
        svg.label(x + _CELL / 2, y + 44, count, "b m"),
        svg.label(x + _CELL / 2, y + 64, words, "m"),
        svg.label(x + _CELL / 2, y + 82, shown, "s m"),
    )
