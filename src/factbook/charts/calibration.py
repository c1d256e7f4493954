"""The calibration curve of a score: how often what was given a probability came true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, plane
from factbook.charts.plane import Plane, Point, Series

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the tenths of the score of one evidence, with their intervals.

    Raises:
        DocumentError: the evidence has no such curve.
    """
    means = {name: plane.value(fact) for name, fact in plane.points(spec, catalog, "mean_score", "bin")}
    shown = []
    for name, fact in plane.points(spec, catalog, "observed", "bin"):
        mean = means.get(name)
        shown.append(None if mean is None else plane.point(mean, fact, f"score {name} (mean {plane.per_cent(mean)}, n = {fact.n})"))
    return plane.picture(
        spec,
        Plane(
            f"Calibration ({spec.evidence})",
            " · ".join(filter(None, (plane.said(spec, catalog, "calibration_slope", "Slope"), plane.said(spec, catalog, "ece", "ECE")))),
            "Mean score",
            "Share of positives",
            (Series("", plane.known(shown), dots=True),),
            (Point(0, 0), Point(1, 1)),
            "calibrated",
        ),
    )
