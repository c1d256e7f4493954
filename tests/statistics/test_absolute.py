"""Sums of absolute differences: their intervals hold the truth where a bootstrap would not, and the processes behind them have the right law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from factbook.statistics import absolute, gaps
from factbook.statistics.absolute import Bins, Curve

LEVEL = 0.95
EDGES = np.arange(1, 10) / 10


def bins(y: np.ndarray, s: np.ndarray) -> Bins:
    one = np.ones(len(y))
    return Bins.of(s, EDGES, (one * y, one * ~y), (one * y, one * ~y))


def drawn(rng: np.random.Generator, n: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that are true where `shift` is 0."""
    logit = rng.normal(-1, 1.2, n)
    return rng.random(n) < 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-logit - shift))


def test_bins_are_what_a_loop_counts() -> None:
    y, s = drawn(np.random.default_rng(1), 300, 0.5)
    found, error = bins(y, s), 0.0
    for i in range(10):
        inside = (s > i / 10) & (s <= (i + 1) / 10)
        error += inside.sum() / 300 * abs(y[inside].mean() - s[inside].mean()) if inside.any() else 0.0
    assert found.error == pytest.approx(error, abs=1e-12)
    assert found.share.sum() == pytest.approx(1)
    assert found.n.sum() == 300


def test_weights_count_by_their_effective_number() -> None:
    y, s = drawn(np.random.default_rng(1), 300, 0.5)
    weight = np.random.default_rng(2).uniform(0.2, 3, 300)
    found = Bins.of(s, EDGES, (weight * y, weight * ~y), (weight**2 * y, weight**2 * ~y))
    assert found.n[0] == pytest.approx(weight[s <= 0.1].sum() ** 2 / (weight[s <= 0.1] ** 2).sum())
    assert found.expected[0] == pytest.approx(np.average(s[s <= 0.1], weights=weight[s <= 0.1]))


@pytest.mark.parametrize(("n", "shift"), [(10, 0.0), (30, 0.5), (200, 0.0), (200, 3.0), (2000, 0.0), (2000, 0.7)])
def test_calibration_errors_are_covered(n: int, shift: float) -> None:
    truth = bins(*drawn(np.random.default_rng(0), 1_000_000, shift)).error
    rng, held, draws = np.random.default_rng(n), 0, 200
    for _ in range(draws):
        found = bins(*drawn(rng, n, shift))
        interval = absolute.calibration(found, n, LEVEL)
        assert interval.low <= found.error <= interval.high
        held += interval.low <= truth + 1e-3 and truth <= interval.high
    assert held / draws >= 0.92


def test_percentiles_of_a_bootstrap_would_not_cover() -> None:
    """The error of true probabilities: the bootstrap adds its own error to that of the sample."""
    rng, truth, held = np.random.default_rng(3), bins(*drawn(np.random.default_rng(0), 1_000_000, 0.0)).error, 0
    for _ in range(40):
        y, s = drawn(rng, 200, 0.0)
        again = [bins(y[rows], s[rows]).error for rows in rng.integers(0, 200, (60, 200))]
        held += np.quantile(again, 0.025) <= truth
    assert held < 10


def test_what_is_clearly_off_has_the_interval_of_a_mean() -> None:
    """With all scores .5 and no positives the error is .5 less a share: its interval is about as long as that of the share."""
    y, s = np.repeat([True, False], [400, 1600]), np.full(2000, 0.5)
    found, wilson = absolute.calibration(bins(y, s), 2000, LEVEL), 1.96 * math.sqrt(0.2 * 0.8 / 2000)
    assert found.low == pytest.approx(0.3 - wilson, abs=0.15 * wilson)
    assert found.high == pytest.approx(0.3 + wilson, abs=0.1 * wilson)


def test_bridges_have_the_covariance_of_brownian_bridges() -> None:
    at = np.array([0.1, 0.3, 0.5, 0.9])
    found = absolute._bridge(at, gaps.multiples(4))
    expected = np.minimum.outer(at, at) - np.outer(at, at)
    assert np.cov(found.T) == pytest.approx(expected, abs=0.015)


def curve(positive: np.ndarray, negative: np.ndarray) -> Curve:
    grid = np.sort(np.concatenate([positive, negative, [-99, 99]]))[::-1]
    false, true = ((side[None, :] >= grid[:, None]).mean(axis=1) for side in (negative, positive))
    return Curve(false, true, len(negative), len(positive))


def area(first: Curve, second: Curve) -> float:
    grid = np.linspace(0, 1, 4001)
    return float(np.abs(np.interp(grid, first.false, first.true) - np.interp(grid, second.false, second.true)).mean())


@pytest.mark.parametrize(
    ("sizes", "shifts"), [(((5, 15), (50, 150)), (1.0, 1.0)), (((50, 450), (500, 4500)), (0.5, 1.5)), (((40, 60), (40, 60)), (1, 1))]
)
def test_areas_between_curves_are_covered(sizes: tuple[tuple[int, int], tuple[int, int]], shifts: tuple[float, float]) -> None:
    grid = np.linspace(0, 1, 4001)
    exact = [stats.norm.sf(stats.norm.isf(grid) - shift) for shift in shifts]
    truth, rng, held, draws = float(np.abs(exact[0] - exact[1]).mean()), np.random.default_rng(4), 0, 60
    for _ in range(draws):
        first, second = (curve(rng.normal(shift, 1, m), rng.normal(0, 1, n)) for (m, n), shift in zip(sizes, shifts, strict=True))
        found = absolute.between_curves(area(first, second), first, second, LEVEL)
        held += found.low <= truth + 1e-9 and truth <= found.high
    assert held / draws >= 0.9


def test_separated_classes_of_few_rows_are_not_certain() -> None:
    perfect = Curve(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), 5, 5)
    many = Curve(perfect.false, perfect.true, 5000, 5000)
    assert absolute.between_curves(0.0, perfect, perfect, LEVEL).high > 0.2
    assert absolute.between_curves(0.0, many, many, LEVEL).high < 0.01
