"""The four counts of a binary classifier: what was so, against what was predicted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, path, svg
from factbook.model import Fact, Unit

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()

_WIDTH, _HEIGHT = 640, 288
_LEFT, _TOP, _CELL, _TALL = 140, 84, 240, 96
_CELLS: Final = (("tp", "true positives", 0, 0), ("fn", "false negatives", 0, 1), ("fp", "false positives", 1, 0), ("tn", "true negatives", 1, 1))


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the confusion counts of one evidence.

    Raises:
        UnknownName: the evidence has no confusion counts.
    """
    facts = {name: catalog.fact(spec.key(name)) for name, *_ in _CELLS}
    title = f"Confusion counts ({spec.evidence})"
    description = "; ".join(f"{words}: {_count(facts[name])}" for name, words, *_ in _CELLS) + "."
    identifier = path(spec).rpartition("/")[2].removesuffix(".svg").replace(".", "-")
    return svg.picture(identifier, title, description, _WIDTH, _HEIGHT, svg.label(2, 26, title, "t"), *_names(), *_cells(facts))


def _count(fact: Fact) -> str:
    return svg.group(Decimal(fact.value)) if fact.measured and isinstance(fact.value, int) else svg.value(fact)


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
