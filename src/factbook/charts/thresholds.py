"""What each threshold of a score would mean: recall, precision and false-positive rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, plane
from factbook.charts.plane import Plane, Series

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ()

_LINES: Final = (("recall", "recall", None), ("precision", "precision", "9 5"), ("fpr", "false-positive rate", "2 5"))


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the rates at the thresholds of one evidence.

    Raises:
        DocumentError: the evidence has none.
    """
    series = []
    for metric, name, dashes in _LINES:
        found = plane.points(spec, catalog, metric, "threshold")
        shown = plane.known(plane.point(float(x), fact, f"at a threshold of {x}") for x, fact in found)
        series.append(Series(name, shown, dashes=dashes))
    title, subtitle = f"Rates by threshold ({spec.evidence})", "A case is predicted positive from the threshold on"
    return plane.picture(spec, Plane(title, subtitle, "Threshold", "Share", tuple(series)))
