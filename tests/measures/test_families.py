"""Among 100 slices or columns that do not differ, something is said to differ at most 5 times in 100 (with allowance for the draws)."""

from __future__ import annotations

import math

import pytest
from benchmarks.families import CASES, false_alarms

from factbook.statistics import laws

DRAWS = 80


@pytest.mark.parametrize("case", [next(name for name in CASES if name.startswith(kind)) for kind in ("each", "largest", "smallest", "100 columns")])
def test_a_family_of_a_hundred_raises_few_false_alarms(case: str) -> None:
    assert false_alarms(case, DRAWS) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / DRAWS)


def test_without_adjustment_there_would_be_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "holm", lambda values: values)
    assert false_alarms(next(iter(CASES)), 20) > 0.5
