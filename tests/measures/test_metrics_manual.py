"""Every metric of every measure is documented: the page is made from their vocabulary, and says of each how it is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook import shelf
from factbook.measures.manual import manual

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "metrics.md"
MEASURES = sorted(shelf.modules("measures"))


def test_the_guide_is_what_the_measures_say() -> None:
    assert GUIDE.read_text(encoding="utf-8") == manual(), "python -m factbook.measures.manual > docs/guide/metrics.md"


@pytest.mark.parametrize("name", MEASURES)
def test_every_metric_says_what_it_is(name: str) -> None:
    metrics = shelf.find("measures", name).METRICS
    assert [item.name for item in metrics if not (item.title and item.short)] == []
    assert [item.name for item in metrics if not item.formula] == []
    assert len({item.name for item in metrics}) == len(metrics)


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_has_a_section_of_the_guide(name: str) -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in GUIDE.parent.glob("*.md") if path != GUIDE)
    assert f"\n## {name}" in pages or f"measure: {name}" in pages or name == "recorded"
