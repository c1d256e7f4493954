"""Tests and adjustments of p-values against scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from factbook.statistics import laws


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=25, deadline=None)  # statsmodels takes a twentieth of a second for each
def test_holms_p_values_are_those_of_statsmodels(values: list[float]) -> None:
    assert laws.holm(values) == pytest.approx(multipletests(values, method="holm")[1], abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_benjamini_and_hochbergs_p_values_are_those_of_statsmodels(values: list[float]) -> None:
    assert laws.benjamini_hochberg(values) == pytest.approx(multipletests(values, method="fdr_bh")[1], abs=1e-12)


@given(st.integers(1, 80), st.integers(1, 300), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_equal_shares_is_fishers_exact_test(n1: int, n2: int, p: float, q: float) -> None:
    k1, k2 = round(p * n1), round(q * n2)
    expected = stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue
    assert laws.equal_shares(k1, n1, k2, n2) == pytest.approx(max(expected, 1e-300), rel=1e-9)


def test_equal_shares_of_many_rows_and_of_weighted_ones() -> None:
    z = (0.31 - 0.3) / np.sqrt(0.305 * 0.695 * 2 / 4_000_000)
    assert laws.equal_shares(1_240_000, 4_000_000, 1_200_000, 4_000_000) == pytest.approx(2 * stats.norm.sf(z), rel=1e-6)
    assert laws.equal_shares(30.5, 100.5, 20.5, 101.5) == pytest.approx(
        stats.chi2_contingency([[30.5, 70.0], [20.5, 81.0]], correction=False).pvalue, rel=1e-9
    )
    assert laws.equal_shares(3000, 9000, 2500, 6100) == pytest.approx(stats.fisher_exact([[3000, 6000], [2500, 3600]]).pvalue, rel=1e-6)
    assert laws.equal_shares(5, 5, 9, 9) == 1.0
    assert 0 < laws.equal_shares(0, 100_000, 100_000, 100_000) < 1e-200


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 9), (0, 5), (10, 10), (100, 140), (700, 500)])
def test_mcnemar_is_the_mid_p_value(first: int, second: int) -> None:
    n, less = first + second, min(first, second)
    expected = 1.0 if first == second else 2 * stats.binom.cdf(less, n, 0.5) - stats.binom.pmf(less, n, 0.5)
    assert laws.mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_student_tail_is_scipys() -> None:
    for t, freedom in ((0.3, 4.2), (2.1, 17.0), (-5.5, 300.3)):
        assert laws.student_tail(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-9)


def test_the_family_wise_error_at_a_hundred_null_slices_is_at_most_the_level() -> None:
    rng = np.random.default_rng(4)
    false, draws = 0, 150
    for _ in range(draws):
        base = int(rng.binomial(400, 0.2))
        sizes = rng.integers(15, 200, 100)
        values = [laws.equal_shares(int(rng.binomial(n, 0.2)), int(n), base, 400) for n in sizes]
        false += min(laws.holm(values)) <= 0.05
    assert false / draws <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / draws)


def test_false_discoveries_among_discoveries() -> None:
    """20 of 100 slices differ: Benjamini-Hochberg finds more of them than Holm, and few others."""
    rng = np.random.default_rng(5)
    wrong, found, strict, draws = 0.0, 0, 0, 60
    for _ in range(draws):
        rates = np.r_[np.full(20, 0.3), np.full(80, 0.2)]
        values = [laws.equal_shares(int(rng.binomial(250, p)), 250, 8000, 40_000) for p in rates]
        adjusted = np.array(laws.benjamini_hochberg(values)) <= 0.05
        wrong += adjusted[20:].sum() / max(1, adjusted.sum())
        found, strict = found + int(adjusted[:20].sum()), strict + int((np.array(laws.holm(values)) <= 0.05)[:20].sum())
    assert wrong / draws <= 0.06
    assert found > 1.15 * strict > 0
