"""Every metric of every measure, which is their vocabulary: `python -m factbook.measures.manual > docs/guide/metrics.md`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Final

from factbook import shelf
from factbook.model import Direction, Metric, Unit

_HEAD: Final = """# Metrics

All that the measures state, made from their vocabulary by `python -m factbook.measures.manual`; a test compares them. *Is* says how a metric follows
from counts or values; where nothing is cited it is no more than that. Names in brackets are found too: a claim that uses one is told the name to use.
How each interval is made is told by the fact itself (`factbook facts`), and how often it holds the truth by [coverage](coverage.md).
"""
_UNITS: Final = {
    Unit.FRACTION: "share",
    Unit.POINTS: "difference of shares",
    Unit.COUNT: "number",
    Unit.SCORE: "score",
    Unit.QUANTITY: "in the unit of the data",
}
_BETTER: Final = {Direction.HIGHER: ", higher is better", Direction.LOWER: ", lower is better"}


def manual() -> str:
    """A section a measure that has metrics of its own."""
    parts = [_HEAD]
    for name, module in sorted(shelf.modules("measures").items()):
        if module.METRICS:
            parts.append("\n".join(_section(name, module)))
    return "\n".join(parts)


def _section(name: str, module: ModuleType) -> Iterator[str]:
    said = " ".join(inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0].split())
    yield f"## {name}\n\n{_cell(said)}\n\n| metric | what | is | source |\n|---|---|---|---|"
    yield from (_row(item) for item in module.METRICS)
    yield ""


def _row(item: Metric) -> str:
    names = f"`{item.name}`" + (f" ({', '.join(item.aliases)})" if item.aliases else "")
    what = f"{item.title} ({_UNITS.get(item.unit, str(item.unit))}{_BETTER.get(item.direction, '')})"
    return f"| {names} | {_cell(what)} | {_cell(item.formula)} | {_cell(item.source)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(manual())
