"""Cumulative gains: how many of the positives are among the highest scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, plane
from factbook.charts.plane import Plane, Point, Series

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the gains of one evidence.

    Raises:
        DocumentError: the evidence has none.
    """
    curve = plane.curve(spec, catalog, "gains", "top", "in the highest {}")
    return plane.picture(
        spec,
        Plane(
            f"Cumulative gains ({spec.evidence})",
            "With intervals at each share of cases",
            "Cases with the highest scores",
            "Share of all positives among them",
            (Series("", (Point(0.0, 0.0), *curve), dots=True),),
            (Point(0, 0), Point(1, 1)),
            "chance",
        ),
    )
