"""Associations against scipy, scikit-learn and pandas, and what a profile says of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import mutual_info_score

from factbook.statistics import dependence
from measuring import facts, shared, table

PLAN = {"data": {"measure": "profile", "data": "data"}}


def test_correlations_equal_pandas_with_missing_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 5)) * [1, 1e6, 1e-9, 1e150, 3] + [0, 1e9, 0, 0, -5]
    values[rng.random((300, 5)) < 0.1] = np.nan
    scaled = np.stack([dependence.scaled(column) for column in values.T], axis=1)
    found, n = dependence.correlations(scaled)
    assert found == pytest.approx(pd.DataFrame(values / [1, 1, 1, 1e150, 1]).corr().to_numpy(), abs=1e-9)
    assert n[0, 1] == (~np.isnan(values[:, 0] + values[:, 1])).sum()
    constant, _ = dependence.correlations(np.stack([dependence.scaled(np.full(9, 0.1)), np.arange(9.0)], axis=1))
    assert math.isnan(constant[0, 1])


def test_ranks_equal_scipy() -> None:
    values = np.random.default_rng(2).integers(0, 9, 200).astype(float)
    assert dependence.ranks(values) == pytest.approx(stats.rankdata(values))


def test_cramers_v_of_independent_columns_is_near_0_and_of_equal_ones_1() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 6, 500), rng.integers(0, 7, 500)
    counts = dependence.table(a, b, (6, 7))
    plain = stats.contingency.association(counts, method="cramer")
    n, r, c = 500, 6, 7
    phi = max(0.0, plain**2 * min(r - 1, c - 1) - (r - 1) * (c - 1) / (n - 1))
    corrected = math.sqrt(phi / (min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1))
    assert dependence.cramer(counts) == pytest.approx(corrected)
    assert corrected < plain / 1.5
    assert dependence.cramer(dependence.table(a, a, (6, 6))) == pytest.approx(1.0)
    assert dependence.cramer(np.array([[5, 5]])) is None


def test_correlation_ratio_and_uncertainty_equal_their_definitions() -> None:
    rng = np.random.default_rng(4)
    codes, values = rng.integers(0, 4, 400), rng.normal(size=400)
    values += codes
    frame = pd.DataFrame({"c": codes, "v": values})
    between = ((frame.groupby("c").v.transform("mean") - frame.v.mean()) ** 2).sum()
    assert dependence.ratio(codes, dependence.scaled(values), 4) == pytest.approx(math.sqrt(between / ((frame.v - frame.v.mean()) ** 2).sum()))
    label = (values > 1).astype(int)
    share = mutual_info_score(codes, label) / stats.entropy(np.bincount(label))
    assert dependence.uncertainty(dependence.table(codes, label, (4, 2))) == pytest.approx(share)
    assert dependence.uncertainty(np.array([[3], [4]])) is None


def test_fisher_intervals_cover() -> None:
    rng = np.random.default_rng(5)
    for rank in (False, True):
        true = 6 / math.pi * math.asin(0.25) if rank else 0.5
        hits = 0
        for _ in range(1_000):
            pair = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=60)
            r = (stats.spearmanr if rank else stats.pearsonr)(*pair.T).statistic
            interval = dependence.fisher(float(r), 60, 0.95, rank=rank)
            assert interval is not None
            hits += interval.low <= true <= interval.high
        assert 0.93 <= hits / 1_000 <= 0.97


def test_the_strongest_pairs_of_a_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    n = 400
    x = rng.normal(size=n)
    y = np.where(rng.random(n) < 0.1, np.nan, np.exp(x))
    kind = np.where(x > 0, "up", "down")
    table(tmp_path / "d.parquet", {"x": x, "y": y, "z": rng.normal(size=n), "kind": kind, "other": rng.choice(["a", "b"], n), "same": [1.0] * n})
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    there = ~np.isnan(y)
    assert found["data/pairs"].value == 10
    pearson = found["data/pearson;column=x;with=y"]
    oracle = stats.pearsonr(x[there], y[there])
    assert (pearson.value, pearson.n) == (pytest.approx(oracle.statistic, abs=1e-8), there.sum())
    assert pearson.interval == pytest.approx(tuple(oracle.confidence_interval(0.95)), abs=1e-6)
    assert found["data/spearman;column=x;with=y"].value == 1.0
    assert found["data/correlation_ratio;column=kind;with=x"].value > 0.7  # type: ignore[operator]
    assert found["data/cramers_v;column=kind;with=other"].value < 0.2  # type: ignore[operator]
    assert found["data/constant_columns"].value == 1


def test_missing_together(tmp_path: Path) -> None:
    a = [None if i % 4 == 0 else 1.0 + i for i in range(40)]
    b = [math.nan if i % 8 == 0 else float(i) for i in range(40)]
    c = [None if i % 4 == 1 else f"t{i % 3}" for i in range(40)]
    table(tmp_path / "d.parquet", {"a": a, "b": b, "c": c})
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    assert found["data/missing_together;column=a;with=b"].value == 5
    assert "data/missing_together;column=a;with=c" not in found


def test_insurance_gives_the_decision_away(tmp_path: Path) -> None:
    source = {"uri": str(shared("loan/hmda_boston_1990.csv")), "label": "deny", "positive": "yes", "key": "rownames"}
    found = facts(tmp_path, source, PLAN)
    fact = found["data/label_given;column=insurance;label=yes;value=yes"]
    assert (fact.counts, found["data/leaks"].value) == ({"k": 44, "n": 48}, 1)
    assert [key for key in found if "label_given" in key] == ["data/label_given;column=insurance;label=yes;value=yes"]


def test_a_copy_of_the_label_is_found_whatever_its_type(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    y = (rng.random(500) < 0.3).astype(int)
    columns = {"y": y, "copy": np.where(y, 7.5, 2.5), "near": y + rng.normal(0, 0.05, 500), "noise": rng.normal(size=500)}
    table(tmp_path / "d.parquet", columns)
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1"}, PLAN)
    assert found["data/leaks"].value == 2
    assert found["data/leaks"].note == "copy, near"
    assert found["data/label_explained;column=copy"].value == 1.0


def test_small_tables_explain_a_label_by_chance_and_that_is_no_leak(tmp_path: Path) -> None:
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = np.arange(30) % 2
        columns = {f"x{i}": rng.normal(size=30) for i in range(4)} | {"c": rng.integers(0, 14, 30).astype(str)}
        table(tmp_path / "d.parquet", {"y": y, **columns})
        alarms += facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1"}, PLAN)["data/leaks"].value
    assert alarms <= 2
    table(tmp_path / "d.parquet", {"y": np.arange(60) % 2, "late": np.arange(60) % 2 + np.linspace(0, 0.5, 60)})
    assert facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1"}, PLAN)["data/leaks"].note == "late"


def test_outliers_by_both_rules(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    for n, digits in ((500, 12), (60_000, 12)):
        x = np.concatenate([rng.normal(size=n).round(digits), [50.0, -60.0, np.nan]])
        table(tmp_path / "d.parquet", {"x": x, "flat": [1.0] * (len(x) - 2) + [2.0, 3.0]})
        found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
        known = np.sort(x[~np.isnan(x)])
        first, third, middle = (known[math.ceil(p * len(known)) - 1] for p in (0.25, 0.75, 0.5))
        tukey = ((known < first - 1.5 * (third - first)) | (known > third + 1.5 * (third - first))).sum()
        far = np.sort(np.abs(known - middle))[math.ceil(0.5 * len(known)) - 1] * stats.norm.ppf(0.75) ** -1 * 3.5
        mad = (np.abs(known - middle) > far).sum()
        slack = 0 if n < 1_000 else 12
        assert found["data/outliers;column=x;rule=tukey"].value == pytest.approx(tukey, abs=slack)
        assert found["data/outliers;column=x;rule=mad"].value == pytest.approx(mad, abs=slack)
        assert found["data/outliers;column=flat;rule=mad"].value is None


def test_long_tables_are_looked_at_in_steps(tmp_path: Path) -> None:
    n = 250_000
    x = np.random.default_rng(9).normal(size=n)
    table(tmp_path / "d.parquet", {"x": x, "y": -x, "c": np.array(["a", "b", "c"])[np.arange(n) % 3]})
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    fact = found["data/pearson;column=x;with=y"]
    assert (fact.value, fact.n, fact.note) == (-1.0, 83_334, "over 83,334 of 250,000 rows, every 3th")
