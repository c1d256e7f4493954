"""Curves of a score, drawn from a measurement."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from factbook.charts import ChartSpec, render
from factbook.errors import DocumentError
from factbook.evidence import runs, store
from factbook.evidence.catalog import Catalog
from factbook.manifest import Manifest, validate
from measuring import run, table

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("roc", "precision-recall", "calibration", "gains", "thresholds")
SOURCE = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5"}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root = tmp_path_factory.mktemp("curves")
    rows = [(int(i * 7 % 11 < 5), round((i * 37 % 100) / 200 + int(i * 7 % 11 < 5) / 3, 3)) for i in range(400)]
    table(root / "d.parquet", {"y": [y for y, _ in rows], "s": [s for _, s in rows]})
    plan = {"performance": {"measure": "classification", "data": "data", "curves": "yes"}}
    for measured in run(root, SOURCE, plan).values():
        store.write(root, measured, runs.Run("2026-11-21T01:02:03Z", {}, "Linux"))
    tree = {"factbook": "1", "subject": {"name": "test"}, "sources": {"data": SOURCE}, "plan": plan}
    return Catalog(validate(Manifest, tree, "factbook.yaml", {}), store.Evidence.load(root))


@pytest.mark.parametrize("kind", KINDS)
def test_a_curve_is_drawn_and_told(kind: str, catalog: Catalog) -> None:
    drawing = render(ChartSpec("performance", kind=kind), catalog)
    assert drawing == render(ChartSpec("performance", kind=kind), catalog)
    assert "prefers-color-scheme:dark" in drawing
    root = ElementTree.fromstring(drawing)
    description = root.find(f"{SVG}desc")
    assert description is not None
    assert len(description.text or "") > 200
    for line in root.iter(f"{SVG}polyline"):
        places = [tuple(map(float, place.split(","))) for place in line.attrib["points"].split()]
        assert len(places) >= 8
        assert all(64 <= x <= 494 and 90 <= y <= 420 for x, y in places)
        assert [x for x, _ in places] == sorted(x for x, _ in places)


def test_points_are_where_the_facts_are(catalog: Catalog) -> None:
    root = ElementTree.fromstring(render(ChartSpec("performance", kind="gains"), catalog))
    dots = {float(dot.attrib["cx"]): float(dot.attrib["cy"]) for dot in root.iter(f"{SVG}circle")}
    fact = next(catalog.fact(key) for key in catalog.evidence if str(key) == "performance/gains;top=0.5")
    assert dots[64 + 430 * 0.5] == pytest.approx(90 + 330 * (1 - fact.value), abs=0.01)


def test_names_of_lines_do_not_lie_on_each_other(catalog: Catalog) -> None:
    root = ElementTree.fromstring(render(ChartSpec("performance", kind="thresholds"), catalog))
    names = [text for text in root.iter(f"{SVG}text") if text.text in ("recall", "precision", "false-positive rate")]
    heights = sorted(float(text.attrib["y"]) for text in names)
    assert len(heights) == 3
    assert all(later - earlier >= 15 for earlier, later in pairwise(heights))


def test_what_is_not_planned_says_how_to_plan_it(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": [0, 1] * 30, "s": [0.2, 0.7] * 30})
    for measured in run(tmp_path, SOURCE).values():
        store.write(tmp_path, measured, runs.Run("2026-11-21T01:02:03Z", {}, "Linux"))
    manifest = validate(Manifest, {"factbook": "1", "subject": {"name": "test"}, "sources": {"data": SOURCE}}, "factbook.yaml", {})
    with pytest.raises(DocumentError, match="there is no roc;fpr=…") as caught:
        render(ChartSpec("performance", kind="roc"), Catalog(manifest, store.Evidence.load(tmp_path)))
    assert "curves: [roc]" in caught.value.remedy
