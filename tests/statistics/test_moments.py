"""Exact sums and what follows from them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from factbook.statistics import moments
from factbook.statistics.moments import Sample

numbers = st.lists(st.floats(min_value=-1e70, max_value=1e70, allow_subnormal=True), min_size=1, max_size=40)


@given(numbers, st.randoms())
def test_sums_are_exact_and_correctly_rounded_in_any_order_and_partitioning(values, random):
    exact = float(sum((Fraction(value) for value in values), Fraction()))
    shuffled = list(values)
    random.shuffle(shuffled)
    cut = random.randint(0, len(values))
    parts = [np.array(part, dtype=float) for part in (shuffled[:cut], shuffled[cut:])]
    merged = sum(moments.sums(part, np.zeros(len(part), dtype=np.int64), 1) for part in parts)
    assert moments.real(merged)[0] == exact
    assert (merged == moments.sums(np.array(values), np.zeros(len(values), dtype=np.int64), 1)).all()


@given(numbers, st.integers(1, 100_000))
def test_groups_are_summed_apart_whether_few_or_many(values, size):
    index = np.arange(len(values)) * 7919 % size
    found = moments.real(moments.sums(np.array(values), index, size))
    for group in set(index.tolist()):
        assert found[group] == math.fsum(value for value, own in zip(values, index, strict=True) if own == group)
    assert np.count_nonzero(found) <= len(set(index.tolist()))


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=60), st.randoms())
def test_totals_of_many_groups_are_the_same_in_any_order(rows, random):
    found = []
    for _ in range(2):
        index, values = (np.array(column) for column in zip(*rows, strict=True))
        found.append(moments.totals(values, index, 6).tolist())
        random.shuffle(rows)
    assert found[0] == found[1]
    largest = max(abs(value) for _, value in rows)
    for group in range(6):
        exact = math.fsum(value for own, value in rows if own == group)
        assert found[0][group] == pytest.approx(exact, rel=1e-15, abs=largest * 1e-20)


def test_spread_is_the_squared_standard_error():
    values = np.random.default_rng(1).normal(3, 2, 50)
    sample = Sample(np.zeros(50, dtype=np.int64), 1)
    mean = sample.mean(values)
    assert mean[0] == pytest.approx(values.mean(), rel=1e-13)
    assert sample.spread(values, mean)[0] == pytest.approx(values.var(ddof=1) / 50, rel=1e-12)
    found = moments.student(float(mean[0]), float(sample.spread(values, mean)[0]), 50, 0.95, "t")
    low, high = stats.t.interval(0.95, 49, loc=values.mean(), scale=stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-10)


def test_weights_are_those_of_statsmodels_and_clusters_those_of_leaving_one_out():
    sm = pytest.importorskip("statsmodels.api")
    random = np.random.default_rng(2)
    clusters, weights, values = random.integers(0, 12, 200), random.uniform(0.1, 3, 200), random.normal(size=200)
    sample = Sample(np.zeros(200, dtype=np.int64), 1, weights, clusters)
    mean = sample.mean(values)
    model = sm.WLS(values, np.ones(200), weights=weights)
    robust = model.fit(cov_type="HC0")
    assert mean[0] == pytest.approx(robust.params[0], rel=1e-12)
    alone = Sample(sample.index, 1, weights)
    assert alone.spread(values, mean)[0] == pytest.approx(robust.cov_params()[0, 0] * 200 / 199, rel=1e-10)
    without = np.array([np.average(values[clusters != i], weights=weights[clusters != i]) for i in range(12)])
    assert sample.spread(values, mean)[0] == pytest.approx(11 / 12 * ((without - mean[0]) ** 2).sum(), rel=1e-10)


def test_equal_values_have_no_interval():
    values = np.full(7, 0.1)
    sample = Sample(np.zeros(7, dtype=np.int64), 1, np.full(7, 0.3))
    mean = sample.mean(values)
    assert moments.student(float(mean[0]), float(sample.spread(values, mean)[0]), 7, 0.95, "t") is None


def test_clusters_of_unequal_size_count_as_fewer_of_one_size() -> None:
    sizes = np.array([1, 2, 3, 9])
    clusters = np.repeat(np.arange(4), sizes)
    equal = Sample(np.zeros(20, dtype=np.int64), 1, None, np.repeat(np.arange(4), 5))
    unequal, alone = Sample(np.zeros(15, dtype=np.int64), 1, None, clusters), Sample(np.zeros(15, dtype=np.int64), 1)
    assert equal.alike.tolist() == [4.0]
    assert alone.alike.tolist() == [15.0]
    assert unequal.alike[0] == pytest.approx(max(2.0, (sizes**2).sum() ** 2 / (sizes**4).sum()))
    both = Sample(np.repeat([0, 1], [15, 20]), 2, None, np.concatenate([clusters, 10 + np.repeat(np.arange(4), 5)]))
    assert both.alike.tolist() == [unequal.alike[0], 4.0]
    values = np.random.default_rng(1).normal(size=15)
    wide, narrow = (moments.student(float(values.mean()), 0.1, units, 0.95, "t") for units in (float(unequal.alike[0]), 4))
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > narrow.high - narrow.low


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.365768, 0.258426, 0.365768, 0.365768),
        (0.44, 0.303067, 0.993767, 0.4),
        (375591.4, 0.0, 1.13e6, 375591.0),
        (0.5, 0.5, 0.5, 0.5),
        (0.31, 0.3, 0.4, 0.3),
    ],
)
def test_a_value_between_hard_bounds_stays_between_them(value: float, low: float, high: float, shown: float) -> None:
    assert moments.within(value, low, high) == pytest.approx(shown, abs=1e-12)
    assert low <= moments.within(value, low, high) <= high
