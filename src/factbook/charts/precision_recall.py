"""The precision-recall curve of a score: how many of those flagged are positive, against how many of the positives are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, plane
from factbook.charts.plane import Plane, Point, Series
from factbook.model import Key

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the curve of one evidence.

    Raises:
        DocumentError: the evidence has no such curve.
    """
    curve = plane.curve(spec, catalog, "precision_at_recall", "recall", "at a recall of {}")
    base = plane.value(catalog.fact(Key(spec.evidence, "prevalence")))
    return plane.picture(
        spec,
        Plane(
            f"Precision and recall ({spec.evidence})",
            plane.said(spec, catalog, "average_precision", "Average precision"),
            "Recall",
            "Precision",
            (Series("", curve),),
            None if base is None else (Point(0, base), Point(1, base)),
            "" if base is None else "share of positives",
        ),
    )
