"""What the code of a document recorded while it was run (`factbook.record`). It is written by `factbook run`, never planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from factbook.errors import MeasureError
from factbook.measures.request import Answer, Request
from factbook.model import Direction, Metric, Unit

VERSION: Final = 1
METRICS: Final[tuple[Metric, ...]] = ()
ROLES: Final[tuple[str, ...]] = ()
PARAMS: Final = ("units",)


def vocabulary(params: Mapping[str, Any]) -> tuple[Metric, ...]:
    """A metric for each recorded fact, by the name that the code gives it."""
    return tuple(_metric(name, Unit(unit)) for name, unit in dict(params.get("units") or {}).items())


def _metric(name: str, unit: Unit) -> Metric:
    words = name.replace("_", " ")
    return Metric(name, words, words, unit, Direction.NEITHER, None, "", "the code of the document")


def measure(request: Request, answer: Answer) -> None:
    """Refuse: nothing is measured here.

    Raises:
        MeasureError: always.
    """
    raise MeasureError(f"plan.{request.name}: `recorded` cannot be planned", remedy="write factbook.record(…) into a document, and `factbook run` it")
