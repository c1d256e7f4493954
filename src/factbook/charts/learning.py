"""Learning curves: a figure on training rows and on test rows, against the share of the training rows that were used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from factbook.charts import ChartSpec, plane
from factbook.charts.plane import Plane, Series
from factbook.errors import DocumentError
from factbook.model import Fact

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

WORDS: Final = ("metric",)
_ON: Final = {"training": "4 3", "test": None}


def draw(spec: ChartSpec, catalog: Catalog) -> str:
    """Draw the curves of every model of a `learning` measurement.

    Raises:
        DocumentError: the evidence has no such curves.
    """
    found = [(dict(key.params), catalog.fact(key)) for key in catalog.evidence if (key.evidence, key.metric) == (spec.evidence, spec.metric)]
    found = [(params, fact) for params, fact in found if {"on", "size"} <= set(params)]
    if not found:
        raise DocumentError(f"{spec}: there is no learning curve of {spec.metric}", remedy="plan one by `learning`")
    largest = max(float(params["size"]) for params, _ in found)
    models = dict.fromkeys(params.get("model", "") for params, _ in sorted(found, key=lambda item: item[0].get("model", "")))
    series = [_series(model, on, [item for item in found if _is(item[0], model, on)], largest) for model in models for on in _ON]
    title = catalog.metric(found[0][1].key).title
    said = f"Dashed: on the rows that the model was trained on, {largest:,.0f} at most"
    return plane.picture(spec, Plane(f"Learning curves ({spec.evidence})", said, "Share of the training rows", title, tuple(series)))


def _is(params: dict[str, str], model: str, on: str) -> bool:
    return params.get("model", "") == model and params["on"] == on


def _series(model: str, on: str, found: list[tuple[dict[str, str], Fact]], largest: float) -> Series:
    name = ", ".join(part for part in (model, on) if part)
    ordered = sorted(found, key=lambda item: float(item[0]["size"]))
    points = [plane.point(float(params["size"]) / largest, fact, f"{name}, {params['size']} rows") for params, fact in ordered]
    return Series(name, plane.known(points), dots=True, dashes=_ON[on])
