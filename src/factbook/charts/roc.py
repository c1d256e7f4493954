"""The ROC curve of a score: how many positives are found, against how many negatives are flagged by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, plane
from factbook.charts.plane import Plane, Point, Series

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the curve of one evidence, with the thresholds that were declared.

    Raises:
        DocumentError: the evidence has no such curve.
    """
    line = plane.curve(spec, catalog, "roc", "fpr", "at a false-positive rate of {}")
    curve = (Point(0.0, 0.0), *line) if line and line[0].x > 0 else line
    return plane.picture(
        spec,
        Plane(
            f"ROC curve ({spec.evidence})",
            plane.said(spec, catalog, "auc", "Area under the curve"),
            "False-positive rate",
            "Recall (true-positive rate)",
            (Series("", curve),),
            (Point(0, 0), Point(1, 1)),
            "chance",
        ),
    )
