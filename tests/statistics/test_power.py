"""Power: against statsmodels, and by simulating the intervals that have to settle a difference."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import power_proportions_2indep

from factbook.statistics import power, two_rates
from factbook.statistics.intervals import Share

LEVEL = 0.95


@pytest.mark.parametrize(("base", "n1", "n2"), [(0.2, 40, 120), (0.8, 40, 120), (0.5, 30, 1000), (0.05, 200, 5000), (0.02, 20, 50)])
def test_the_detectable_difference_has_the_power_of_statsmodels(base: float, n1: int, n2: int) -> None:
    found = power.detectable(base, n1, n2, LEVEL)
    assert found is not None
    away = found if base <= 0.5 else -found
    assert power_proportions_2indep(away, base, n1, ratio=n2 / n1, alpha=1 - LEVEL).power == pytest.approx(power.POWER, abs=1e-3)


def test_too_few_cases_find_nothing() -> None:
    assert power.detectable(0.5, 2, 3, LEVEL) is None


@pytest.mark.parametrize(("mine", "base"), [(Share(7, 20), Share(60, 300)), (Share(6, 20), Share(180, 400)), (Share(8, 20), Share(240, 1000))])
def test_the_cases_needed_settle_the_difference_as_often_as_promised(mine: Share, base: Share) -> None:
    more = power.cases_needed(mine, base, LEVEL)
    assert more
    rng, n, settled, draws = np.random.default_rng(8), round(mine.n + more), 0, 1500
    for k, k_base in zip(rng.binomial(n, mine.value, draws), rng.binomial(int(base.n), base.value, draws), strict=True):
        found = two_rates.newcombe(int(k), n, int(k_base), base.n, LEVEL)
        settled += found.low > 0 or found.high < 0
    assert settled / draws == pytest.approx(power.POWER, abs=0.06)


def test_what_is_established_needs_no_case_and_what_does_not_differ_none_would_settle() -> None:
    assert power.cases_needed(Share(40, 100), Share(10, 100), LEVEL) == 0
    assert power.cases_needed(Share(4, 10), Share(40, 100), LEVEL) is None
    assert power.cases_needed(Share(20, 50), Share(9, 30), LEVEL) is None  # thirty cases of the other group never suffice


def test_times_as_many() -> None:
    """An interval that reaches as far as what it must leave out needs (1 + .84 / 1.96)² as many cases."""
    assert power.times_as_many(0.1, 0.1, LEVEL) == pytest.approx((1 + 0.8416212 / 1.959964) ** 2)
    assert power.times_as_many(0.05, 0.1, LEVEL) == pytest.approx(4 * (1 + 0.8416212 / 1.959964) ** 2)
