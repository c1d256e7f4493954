"""Every interval against an independent implementation, and its coverage computed exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

from factbook.model import Fact, Key, Unit
from factbook.statistics import average_precision, averages, beta, delta, intervals
from factbook.statistics.intervals import Share

LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def counts(draw: st.DrawFn, largest: int = 5000) -> tuple[int, int]:
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


@given(counts(), LEVELS)
def test_wilson_is_statsmodels(pair: tuple[int, int], level: float) -> None:
    k, n = pair
    found = intervals.wilson(k, n, level)
    assert (found.low, found.high) == pytest.approx(proportion_confint(k, n, 1 - level, "wilson"), abs=1e-12)


@given(counts(), LEVELS)
def test_clopper_pearson_is_statsmodels(pair: tuple[int, int], level: float) -> None:
    k, n = pair
    found = intervals.clopper_pearson(k, n, level)
    assert (found.low, found.high) == pytest.approx(proportion_confint(k, n, 1 - level, "beta"), abs=1e-12)


@given(st.floats(0.3, 1e6), st.floats(0.3, 1e6), st.floats(0.001, 0.999))
@settings(max_examples=300)
def test_incomplete_beta_is_scipy(a: float, b: float, probability: float) -> None:
    x = stats.beta.ppf(probability, a, b)
    assume(1e-200 < x < 1 - 1e-9)
    assert beta.incomplete(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-10)
    assert beta.quantile(a, b, probability) == pytest.approx(x, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 7, 30, 1e3, 1e5])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_student_is_scipy(freedom: float, level: float) -> None:
    assert beta.student(level, freedom) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-10)


def least_coverage(n: int, level: float) -> float:
    """The exact lowest coverage of `proportion` over all p: it is reached next to an end of an interval."""
    found = [intervals.proportion(k, n, level) for k in range(n + 1)]
    low, high = np.array([item.low for item in found]), np.array([item.high for item in found])
    ends = np.concatenate([low, high])
    ends = ends[(ends > 0) & (ends < 1)]
    p = np.concatenate([ends * (1 - 1e-10), ends * (1 + 1e-10)])
    p = p[p < 1]
    first, last = np.searchsorted(high, p, side="left"), np.searchsorted(low, p, side="right") - 1
    return float((stats.binom.cdf(last, n, p) - stats.binom.cdf(first - 1, n, p)).min())


@pytest.mark.parametrize("n", [1, 5, 10, 20, 50, 89, 90, 91, 120, 150, 200, 400, 1000, 3000])
@pytest.mark.parametrize(("level", "promised"), [(0.90, 0.88), (0.95, 0.94), (0.99, 0.985)])
def test_coverage_of_proportions_is_what_the_docstring_says(n: int, level: float, promised: float) -> None:
    assert least_coverage(n, level) >= promised


def test_wilson_alone_would_not_do() -> None:
    n = 50
    covered = sum(stats.binom.pmf(k, n, 0.02) for k in range(n + 1) if intervals.wilson(k, n, 0.95).low <= 0.02 <= intervals.wilson(k, n, 0.95).high)
    assert covered == pytest.approx(0.922, abs=0.001)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_phi_is_the_delta_method_of_a_table(cells: list[int]) -> None:
    tp, fp, fn, tn = (float(cell) for cell in cells)
    assume(min(tp + fp, tp + fn, tn + fp, tn + fn) > 0)
    found, oracle = intervals.phi(tp, fp, fn, tn, 0.95), delta.interval(np.array([[tn, fp], [fn, tp]]), averages.matthews, 0.95, correlation=True)
    assert oracle is not None
    assert (found.low, found.high, found.method) == (pytest.approx(oracle.low, abs=1e-9), pytest.approx(oracle.high, abs=1e-9), oracle.method)
    assert found.low <= mcc(tp, fp, fn, tn) <= found.high


def mcc(tp: float, fp: float, fn: float, tn: float) -> float:
    return float((tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def test_f1_is_the_interval_of_jaccard() -> None:
    found, jaccard = intervals.f1(intervals.Share(60, 150), 0.95), intervals.wilson(60, 150, 0.95)
    assert (found.low, found.high) == pytest.approx((2 * jaccard.low / (1 + jaccard.low), 2 * jaccard.high / (1 + jaccard.high)), abs=1e-15)


@pytest.mark.parametrize(("m", "n", "shift"), [(40, 60, 1.0), (200, 300, 0.7)])
def test_intervals_of_means_and_balanced_accuracy_cover(m: int, n: int, shift: float) -> None:
    rng = np.random.default_rng(3)
    covered = np.zeros(2)
    draws = 600
    for _ in range(draws):
        losses = rng.exponential(shift, m + n)
        mean = intervals.mean(float(losses.mean()), float(losses.var(ddof=1)), float(stats.skew(losses)), m + n, 0.95)
        recall, specificity = Share(int(rng.binomial(m, 0.7)), m), Share(int(rng.binomial(n, 0.9)), n)
        balanced = intervals.balanced(recall, specificity, 0.95)
        assert mean is not None
        covered += [mean.low <= shift <= mean.high, balanced.low <= 0.8 <= balanced.high]
    assert (covered / draws >= 0.92).all()


def test_rescale_recomputes_proportions_and_stretches_the_rest() -> None:
    interval = intervals.proportion(300, 1000, 0.95)
    fact = Fact(Key("e", "fnr"), value=0.3, low=interval.low, high=interval.high, level=0.95, method="Wilson", n=1000, counts={"k": 300, "n": 1000})
    found = intervals.rescale(fact, 0.9)
    assert found == intervals.wilson(300, 1000, 0.9)
    other = Fact(Key("e", "auc"), value=0.9, low=0.85, high=0.95, level=0.95, method="DeLong", unit=Unit.SCORE, bounds=(0.0, 1.0))
    wider = intervals.rescale(other, 0.99)
    assert wider is not None
    assert wider.high - 0.9 == pytest.approx(0.05 * stats.norm.ppf(0.995) / stats.norm.ppf(0.975))
    assert "rescaled" in wider.method


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (0, 10**7), (3, 10**7)])
def test_ends_stay_in_range_and_hold_the_estimate(k: int, n: int) -> None:
    found = intervals.proportion(k, n, 0.95)
    assert 0 <= found.low <= k / n <= found.high <= 1
    assert found.low < found.high


@pytest.mark.parametrize(("m", "n"), [(40, 60), (150, 400)])
def test_delong_and_the_interval_of_average_precision_cover(m: int, n: int) -> None:
    """Binormal scores: the true AUC is known, the true average precision taken from a large sample."""
    from sklearn.metrics import average_precision_score

    from factbook.measures import scores

    rng = np.random.default_rng(6)
    area = float(stats.norm.cdf(1 / math.sqrt(2)))
    big = np.concatenate([rng.normal(1, 1, 40_000 * m // n), rng.normal(0, 1, 40_000)])
    precision = average_precision_score([1] * (40_000 * m // n) + [0] * 40_000, big)
    covered, draws = np.zeros(2), 400
    for _ in range(draws):
        s = np.concatenate([rng.normal(1, 1, m), rng.normal(0, 1, n)])
        order = np.argsort(s)
        positive = (order < m).astype(float)
        found = scores.Scored(s[order], s[order], (positive, 1 - positive), (positive, 1 - positive), exact=True)
        about = scores.area(found)
        interval = intervals.area(about.value, about.parts, about.sizes, 0.95)
        logit = average_precision.interval(found.weights, found.squares, 0.95)
        assert interval is not None
        assert logit is not None
        covered += [interval.low <= area <= interval.high, logit.low <= precision <= logit.high]
    assert (covered / draws >= 0.92).all(), covered / draws


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.9999])
@pytest.mark.parametrize("freedom", [1999.0, 2000.0, 2500.5, 1e5])
def test_students_quantile_is_the_same_on_both_sides_of_its_switch(level: float, freedom: float) -> None:
    assert beta.student(level, freedom) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-11)
