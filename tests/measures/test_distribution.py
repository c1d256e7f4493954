"""The spread of columns against numpy, and values that stand for "missing"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planned_measures import facts, golden, measured

from factbook.measures import distribution

PLAN = "measure: distribution, data: data"


@pytest.mark.parametrize("n", [7, 1_000, 100_000])
def test_quartiles_and_standard_deviation_equal_numpy(tmp_path: Path, n: int) -> None:
    values = np.random.default_rng(n).normal(10, 3, n)
    found = facts(measured(tmp_path, {"x": values}, "", PLAN, parts=3))
    for name, q in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75)):
        fact, oracle = found[f"{name};column=x"], np.quantile(values, q, method="inverted_cdf")
        if n < 16_384:
            assert (fact.value, fact.note) == (pytest.approx(oracle, rel=1e-11), "")
        else:
            low, high = (float(word) for word in fact.note.split("between ")[1].split(" and "))
            assert low - 1e-4 <= oracle <= high + 1e-4
            assert high - low <= abs(oracle) * 2**-8
    assert found["standard_deviation;column=x"].value == pytest.approx(values.std(ddof=1), rel=1e-9)
    assert "edge_spike;column=x" not in found


@pytest.mark.parametrize(
    ("odd", "count", "flagged"), [(0.0, 50, True), (999.0, 50, True), (-1.0, 50, True), (0.0, 3, False), (99.0, 50, False), (100.5, 50, False)]
)
def test_a_value_apart_from_all_others_is_asked_about(tmp_path: Path, odd: float, count: int, flagged: bool) -> None:
    values = np.concatenate([100 + np.arange(950) % 60, [odd] * count])
    done = measured(tmp_path, {"x": values}, "", PLAN)
    found = facts(done)
    assert ("edge_spike;column=x" in found) is flagged
    assert bool(done.warnings) is flagged
    if flagged:
        assert found["edge_spike;column=x"].value == odd
        assert found["edge_spike_share;column=x"].counts == {"k": count, "n": 950 + count}


def test_counts_and_flags_have_no_spike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = {"flag": rng.integers(0, 2, 2_000), "visits": rng.poisson(3, 2_000), "zeros": np.where(rng.random(2_000) < 0.6, 0, rng.poisson(6, 2_000))}
    assert not [key for key in facts(measured(tmp_path, table, "", PLAN)) if key.startswith("edge_spike")]


def test_columns_of_hidden_groups_are_left_out(tmp_path: Path) -> None:
    table = {"g": [1] * 97 + [2] * 3, "x": np.arange(100.0)}
    text = "measure: distribution, data: data}, p: {measure: profile, data: data"
    found = facts(measured(tmp_path, table, ", by: [g]", text, below=10))
    assert {key.partition("column=")[2] for key in found} == {"x"}


def test_golden(tmp_path: Path) -> None:
    table = {"x": [(i * 37 % 101) / 4 + 50 for i in range(300)], "y": [0] * 30 + [200 + i % 40 for i in range(270)], "t": ["a", "b", "c"] * 100}
    golden("distribution", distribution.VERSION, measured(tmp_path, table, "", PLAN))
