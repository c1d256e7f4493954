"""Intervals of average precision cover, also where positives are rare, and are narrow enough to be of use there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from factbook.statistics import average_precision

LEVEL = 0.95


def tabulated(positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores = np.unique(np.concatenate([positive, negative]))
    return tuple(np.bincount(np.searchsorted(scores, part), minlength=len(scores)).astype(float) for part in (positive, negative))  # type: ignore[return-value]


def truth(prevalence: float, apart: float) -> float:
    """The average precision of binormal scores in the population."""

    def summand(s: float) -> float:
        found = prevalence * stats.norm.sf(s - apart)
        return stats.norm.pdf(s - apart) * found / (found + (1 - prevalence) * stats.norm.sf(s))

    return float(integrate.quad(summand, -8, 12, limit=500, points=[0, apart])[0])


@pytest.mark.parametrize(("prevalence", "positives", "apart"), [(0.5, 50, 1.5), (0.1, 10, 0.5), (0.1, 100, 1.5), (0.01, 25, 1.5), (0.01, 25, 0.5)])
def test_it_covers(prevalence: float, positives: int, apart: float) -> None:
    rng, expected, draws, covered = np.random.default_rng(4), truth(prevalence, apart), 400, 0
    rows = round(positives / prevalence)
    for _ in range(draws):
        found = max(int(rng.binomial(rows, prevalence)), 2)
        weights = tabulated(rng.normal(apart, 1, found), rng.normal(0, 1, rows - found))
        interval = average_precision.interval(weights, weights, LEVEL)
        covered += interval is not None and interval.low <= expected <= interval.high
    assert covered / draws >= 0.93, covered / draws


def test_rare_positives_get_an_interval_of_use() -> None:
    rng = np.random.default_rng(5)
    weights = tabulated(rng.normal(0.5, 1, 10), rng.normal(0, 1, 9990))
    interval = average_precision.interval(weights, weights, LEVEL)
    assert interval is not None
    assert interval.high - interval.low < 0.2


def test_the_variance_is_that_of_the_jackknife() -> None:
    rng = np.random.default_rng(6)
    weights = tabulated(np.round(rng.normal(1, 1, 400), 1), np.round(rng.normal(0, 1, 1600), 1))
    positive, negative = weights[0][::-1], weights[1][::-1]

    def value(up: np.ndarray, down: np.ndarray) -> float:
        hits, wrong = np.cumsum(up), np.cumsum(down)
        return float((up[up > 0] * (hits / (hits + wrong))[up > 0]).sum() / hits[-1])

    whole, squares = value(positive, negative), 0.0
    for i in range(len(positive)):
        for k, amount in enumerate((positive, negative)):
            if amount[i]:
                without = [positive.copy(), negative.copy()]
                without[k][i] -= 1
                squares += amount[i] * (value(*without) - whole) ** 2
    found, _, rising, falling = average_precision.components(weights, weights)
    up, down = rising[::-1], falling[::-1]
    assert found == pytest.approx(whole)
    assert (positive * up**2).sum() + (negative * down**2).sum() == pytest.approx(squares, rel=0.02)


def test_a_weight_of_two_is_two_rows_but_for_the_variance() -> None:
    rng = np.random.default_rng(7)
    weights = tabulated(np.round(rng.normal(1, 1, 100), 1), np.round(rng.normal(0, 1, 300), 1))
    once = average_precision.interval(weights, weights, LEVEL)
    heavier = average_precision.interval(tuple(2 * part for part in weights), tuple(4 * part for part in weights), LEVEL)  # type: ignore[arg-type]
    assert heavier == once


def test_none_where_there_is_nothing_to_estimate_from() -> None:
    nothing = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    assert average_precision.interval(nothing, nothing, LEVEL) is None
    perfect = np.array([0.0, 5.0]), np.array([5.0, 0.0])
    assert average_precision.interval(perfect, perfect, LEVEL) is None
