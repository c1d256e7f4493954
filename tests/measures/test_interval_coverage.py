"""What intervals cover, in fewer draws than benchmarks/coverage.py takes; each verdict allows for three standard errors of its simulation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks import coverage, coverage_units
from benchmarks.coverage import CASES, Case

KEPT = Path(coverage.__file__).parent / "coverage.json"
DRAWS = {coverage.losses: 1000, coverage.rankings: 750, coverage_units.images: 1000}


@pytest.mark.parametrize("family", CASES, ids=lambda family: family.__name__)
def test_no_interval_covers_less_than_it_says(family: Callable[[], Iterator[Case]]) -> None:
    found = [case.simulate(max(20, DRAWS.get(family, 400) // coverage.PARTS.get(case.used, 1))) for case in family()]
    worse = [item for item in found if item.verdict == "under" and item.coverage < 0.94 - 1.4 * item.error]
    assert not worse, worse


def test_the_page_shows_the_last_run() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    found = [coverage.Found(**{name: row[name] for name in coverage.Found.__slots__}) for row in rows]
    assert {row["verdict"] for row in rows} <= {"95 ± 1", "conservative", "none given"}
    page = KEPT.parents[1] / "docs" / "guide" / "coverage.md"
    assert page.read_text(encoding="utf-8") == coverage.page(found)


def test_the_simulation_would_find_a_bad_interval() -> None:
    """Wald's interval of a proportion, for one."""

    def wald(rng, draws):
        k = rng.binomial(20, 0.05, draws)
        half = 1.96 * (k / 20 * (1 - k / 20) / 20) ** 0.5
        return 1.0 + 0 * k, k / 20 - half, k / 20 + half, 0.05

    assert Case("Wald", "", "", wald).simulate(2000).verdict == "under"
