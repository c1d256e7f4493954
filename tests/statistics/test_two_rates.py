"""Differences and ratios of two independent proportions: against an independent implementation, and their coverage added up over all outcomes."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from factbook.statistics import two_rates
from factbook.statistics.intervals import Share

LEVEL = 0.95
RATES = (0.01, 0.05, 0.2, 0.5, 0.9)
SIZES = ((10, 10), (15, 60), (20, 100), (10, 500))


def counts(least: int = 0) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(2 * least + 1, 500).flatmap(lambda n: st.tuples(st.integers(least, n - least), st.just(n)))


@given(counts(two_rates.FEW), counts(two_rates.FEW))
@settings(max_examples=60, deadline=None)
def test_with_enough_events_they_are_statsmodels(first: tuple[int, int], second: tuple[int, int]) -> None:
    found = two_rates.newcombe(*first, *second, LEVEL)
    low, high = confint_proportions_2indep(*first, *second, compare="diff", method="newcomb")
    assert (found.low, found.high) == pytest.approx((max(low, -1), min(high, 1)), abs=1e-12)
    ratio = two_rates.koopman(*first, *second, LEVEL)
    assert ratio is not None
    assert (ratio.low, ratio.high) == pytest.approx(
        confint_proportions_2indep(*first, *second, compare="ratio", method="score", correction=False), rel=1e-6
    )


@given(counts(), counts())
def test_a_difference_with_few_events_is_made_of_exact_limits(first: tuple[int, int], second: tuple[int, int]) -> None:
    found, ends = two_rates.newcombe(*first, *second, LEVEL), []
    for k, n in (first, second):
        ends.append(proportion_confint(k, n, method="beta" if min(k, n - k) < two_rates.FEW else "wilson"))
    p, q = (k / n for k, n in (first, second))
    low = p - q - math.hypot(p - ends[0][0], ends[1][1] - q)
    high = p - q + math.hypot(ends[0][1] - p, q - ends[1][0])
    assert (found.low, found.high) == pytest.approx((max(low, -1), min(high, 1)), abs=1e-9)


def brute_score(theta: float, k1: int, n1: int, k2: int, n2: int) -> float:
    """The corrected score statistic, its constrained estimate found by search."""
    grid = np.linspace(1e-9, min(1.0, 1 / theta) - 1e-9, 200_001)
    likelihood = stats.binom.logpmf(k1, n1, np.minimum(theta * grid, 1)) + stats.binom.logpmf(k2, n2, grid)
    q = float(grid[np.argmax(likelihood)])
    p = theta * q
    away = max(0.0, abs(k1 / n1 - theta * k2 / n2) - 0.5 * (1 / n1 + theta / n2))
    return away**2 / (p * (1 - p) / n1 + theta**2 * q * (1 - q) / n2)


@pytest.mark.parametrize(("first", "second"), [((3, 20), (12, 100)), ((9, 10), (5, 60)), ((0, 15), (4, 30)), ((40, 90), (2, 50))])
def test_the_ends_of_a_ratio_with_few_events_have_the_nominal_score(first: tuple[int, int], second: tuple[int, int]) -> None:
    found = two_rates.koopman(*first, *second, LEVEL)
    assert found is not None
    assert found.method == two_rates.KOOPMAN_FEW
    for end in (found.low, found.high):
        if end > 0:
            assert brute_score(end, *first, *second) == pytest.approx(stats.norm.ppf(0.975) ** 2, rel=2e-3)


@given(counts(1), counts(1))
def test_the_correction_only_widens(first: tuple[int, int], second: tuple[int, int]) -> None:
    assume(min(first[0], second[0]) < two_rates.FEW)
    found = two_rates.koopman(*first, *second, LEVEL)
    assert found is not None
    low, high = (math.nextafter(first[0] / first[1] / (second[0] / second[1]), side) for side in (0.0, math.inf))
    assert found.low <= low < high <= found.high


def test_without_an_event_in_the_second_group_a_ratio_has_a_lower_end_only() -> None:
    assert two_rates.koopman(3, 10, 0, 100, LEVEL) is None
    least = two_rates.least(Share(3, 10), Share(0, 100), LEVEL)
    assert least > 1
    assert two_rates._excess(3, 10, 0, 100, LEVEL)(least) == pytest.approx(0, abs=1e-6)
    more = two_rates.koopman(3, 10, 1, 100, LEVEL)
    assert more is not None
    assert more.low < least


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_no_outcome_is_left_out_of_the_coverage(sizes: tuple[int, int]) -> None:
    """Exact: every pair of counts with its probability; a ratio without an upper end reaches up to infinity."""
    n, m = sizes
    outcomes = list(product(range(n + 1), range(m + 1)))
    apart = np.array([(found.low, found.high) for a, b in outcomes for found in [two_rates.newcombe(a, n, b, m, LEVEL)]])
    ratios = np.array([ratio_ends(a, n, b, m) for a, b in outcomes])
    for p, q in product(RATES, RATES):
        weight = np.outer(stats.binom.pmf(np.arange(n + 1), n, p), stats.binom.pmf(np.arange(m + 1), m, q)).ravel()
        for ends, truth in ((apart, p - q), (ratios, p / q)):
            held = (ends[:, 0] <= truth + 1e-12) & (truth <= ends[:, 1] + 1e-12)
            assert weight[held].sum() > 0.94, (p, q, truth)


def ratio_ends(a: int, n: int, b: int, m: int) -> tuple[float, float]:
    found = two_rates.koopman(a, n, b, m, LEVEL)
    if found is not None:
        return found.low, found.high
    return two_rates.least(Share(a, n), Share(b, m), LEVEL) if a else 0.0, math.inf


def test_plain_score_intervals_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_rates, "FEW", 0)
    with pytest.raises(AssertionError):
        test_no_outcome_is_left_out_of_the_coverage((15, 60))


def test_the_method_says_how_counts_are_effective() -> None:
    plain, kish, blocks = Share(20, 50), Share(20.5, 50.2, weighted=True), Share(20.5, 50.2, clustered=True)
    assert two_rates.difference(plain, plain, LEVEL).method == "Newcombe"
    assert two_rates.difference(plain, kish, LEVEL).method == "Newcombe, Kish's effective n"
    found = two_rates.quotient(blocks, plain, LEVEL)
    assert found is not None
    assert found.method == "Koopman, effective n of clusters"


@pytest.mark.parametrize("sizes", [(30, 30), (50, 500), (100, 100)], ids=str)
def test_equivalence_is_claimed_falsely_in_no_more_than_three_of_a_hundred_samples(sizes: tuple[int, int]) -> None:
    """Exact, nominally 2.5: two rates that differ by as much as the margin, and how often the interval of their difference lies within it."""
    n, m = sizes
    outcomes = list(product(range(n + 1), range(m + 1)))
    ends = np.array([(found.low, found.high) for a, b in outcomes for found in [two_rates.newcombe(a, n, b, m, LEVEL)]])
    for q, margin in product((0.01, 0.1, 0.5), (0.05, 0.1, 0.2)):
        weight = np.outer(stats.binom.pmf(np.arange(n + 1), n, q + margin), stats.binom.pmf(np.arange(m + 1), m, q)).ravel()
        assert weight[(ends[:, 0] >= -margin) & (ends[:, 1] <= margin)].sum() <= 0.03
