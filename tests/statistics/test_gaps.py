"""Gaps over several groups: what their intervals cover, near 0 and far from it, of groups apart and of groups that share rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from factbook.statistics import gaps, intervals, two_rates
from factbook.statistics.gaps import Estimates
from factbook.statistics.intervals import Share

LEVEL = 0.95
FIRST = 0.30555524399503464


def of(*counts: tuple[int, int]) -> gaps.Shares:
    return gaps.shares([Share(k, n) for k, n in counts])


def test_the_gap_of_two_groups_is_newcombe_folded_at_zero() -> None:
    found, newcombe = gaps.difference([of((40, 200), (60, 200))], LEVEL), two_rates.newcombe(60, 200, 40, 200, LEVEL)
    assert found is not None
    assert (found.low, found.high, found.method) == (pytest.approx(newcombe.low), pytest.approx(newcombe.high), "Newcombe")
    assert found.low > 0  # although the two intervals overlap
    near = gaps.difference([of((40, 200), (41, 200))], LEVEL)
    assert near is not None
    assert near.low == 0.0


@pytest.mark.parametrize("counts", [((40, 200), (60, 200)), ((0, 30), (9, 40)), ((3, 10), (3, 10)), ((30, 30), (31, 40))])
def test_the_ratio_of_two_groups_is_koopmans(counts: tuple[tuple[int, int], tuple[int, int]]) -> None:
    (k1, n1), (k2, n2) = sorted(counts, key=lambda item: item[0] / item[1])
    found, koopman = gaps.ratio([of(*counts)], LEVEL), two_rates.koopman(k1, n1, k2, n2, LEVEL)
    assert found is not None
    assert koopman is not None
    assert found.low == pytest.approx(min(koopman.low, 1 / koopman.high), abs=1e-9)
    assert found.high == pytest.approx(
        min(1, max(koopman.high, 1 / koopman.low if koopman.low else 1)) if koopman.high >= 1 else koopman.high, abs=1e-9
    )


@pytest.mark.parametrize(
    ("rates", "sizes", "least"),
    [
        ((0.3, 0.4), (100, 100), 0.93),
        ((0.3, 0.3, 0.3, 0.3, 0.3), (100,) * 5, 0.92),
        ((0.3, 0.3, 0.3, 0.3, 0.5), (200,) * 5, 0.93),
        ((0.1, 0.2, 0.3, 0.4, 0.6), (30, 60, 100, 200, 400), 0.93),
        ((0.02,) * 8, (100,) * 8, 0.93),
        ((0.3,) * 12, (50,) * 12, 0.92),
    ],
)
def test_gaps_and_ratios_cover(rates: tuple[float, ...], sizes: tuple[int, ...], least: float) -> None:
    """Nominally .95; the shortfall that is allowed is the noise of 250 draws. Where groups tie, percentiles of a bootstrap would never cover."""
    rng = np.random.default_rng(len(rates))
    gap, ratio, covered, draws = max(rates) - min(rates), min(rates) / max(rates), np.zeros(2), 250
    for _ in range(draws):
        found = gaps.shares([Share(int(rng.binomial(n, p)), n) for p, n in zip(rates, sizes, strict=True)])
        difference, quotient = gaps.difference([found], LEVEL), gaps.ratio([found], LEVEL)
        assert difference is not None
        covered += [difference.low <= gap <= difference.high, quotient is None or quotient.low <= ratio <= quotient.high]
    assert (covered / draws >= least).all(), covered / draws


def bonferroni(counts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    level = 1 - (1 - LEVEL) / (len(counts) * (len(counts) - 1) / 2)
    found = [two_rates.newcombe(*a, *b, level) for a in counts for b in counts if a != b]
    return max(0.0, *(item.low for item in found)), max(item.high for item in found)


def test_a_clear_gap_is_narrower_than_all_pairs_at_once() -> None:
    counts = [(30, 100), (31, 100), (33, 100), (29, 100), (80, 100)]
    found, wide = gaps.difference([of(*counts)], LEVEL), bonferroni(counts)
    assert found is not None
    assert wide[0] < found.low < found.high < wide[1]
    assert found.high - found.low < 0.85 * (wide[1] - wide[0])
    assert "joint replicates" in found.method


CELLS = [(a, b, c) for a in range(2) for b in range(3) for c in range(2)]
MEMBERS = np.array([[cell[i] == value for cell in CELLS] for i, size in enumerate((2, 3, 2)) for value in range(size)])


def shared(k: np.ndarray, n: np.ndarray) -> gaps.Shares:
    parts = [Share(int(a), int(b)) for a, b in zip(MEMBERS @ k, MEMBERS @ n, strict=True)]
    return gaps.overlapping(parts, MEMBERS, k.astype(float), (n - k).astype(float), (MEMBERS @ n).astype(float))


@pytest.mark.parametrize(("base", "rise", "rows"), [(0.3, (0, 0), 600), (0.2, (0.2, 0), 600), (0.2, (0.1, 0.1), 1000)])
def test_gaps_of_groups_that_share_rows_cover(base: float, rise: tuple[float, float], rows: int) -> None:
    rng = np.random.default_rng(rows)
    share = rng.dirichlet(np.full(len(CELLS), 3.0))
    rate = np.array([base + rise[0] * cell[0] + rise[1] * cell[1] for cell in CELLS])
    truth = (MEMBERS @ (share * rate)) / (MEMBERS @ share)
    covered, draws = 0, 400
    for _ in range(draws):
        n = rng.multinomial(rows, share)
        found = gaps.difference([shared(rng.binomial(n, rate), n)], LEVEL)
        assert found is not None
        covered += found.low <= truth.max() - truth.min() <= found.high
    assert covered / draws >= 0.925, covered / draws


def test_correlations_are_those_of_poisson_replicates() -> None:
    """Poisson counts of the finest cells, rolled up, give the same correlations as the deviations."""
    rng = np.random.default_rng(2)
    n = rng.integers(50, 300, len(CELLS))
    k = rng.binomial(n, 0.3)
    hits, misses = rng.poisson(k, (20_000, len(CELLS))), rng.poisson(n - k, (20_000, len(CELLS)))
    replicates = (hits @ MEMBERS.T) / ((hits + misses) @ MEMBERS.T)
    assert np.abs(np.corrcoef(replicates.T) - shared(k, n).correlation).max() < 0.03
    assert replicates.std(axis=0) == pytest.approx(shared(k, n).error, rel=0.05)


def test_means_are_compared_as_rates_are() -> None:
    """Tukey's studentised range is the exact critical value where all errors are equal."""
    value = np.array([1.0, 1.1, 0.9, 1.05, 0.95])

    def ends(level: float) -> tuple[np.ndarray, np.ndarray]:
        half = intervals.normal(level) * 0.2
        return value - half, value + half

    found = gaps.difference([Estimates(value, np.full(5, 0.2), ends, "z")], LEVEL)
    assert found is not None
    critical = stats.studentized_range.ppf(LEVEL, 5, np.inf)
    assert found.low == 0.0
    level, _ = gaps._critical([np.diag(np.full(5, 0.2))], [gaps._pairs(value, np.full(5, 0.2), np.eye(5))], LEVEL)
    assert intervals.normal(level) * 2**0.5 == pytest.approx(critical, rel=0.02)


def test_the_multiples_are_standard_normal_and_always_the_same() -> None:
    found = gaps.multiples(20)
    assert stats.kstest(found.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(found.T) - np.eye(20)).max() < 0.1
    assert found[:3, :2] == pytest.approx(gaps.multiples(2)[:3], abs=0)
    assert found[0, 0] == pytest.approx(FIRST, abs=1e-12)


def test_no_group_is_compared_with_itself() -> None:
    """The interval of 1 of 1 reaches far down, which says nothing of its distance from others."""
    parts = ((1, 1), (30, 47), (20, 40))
    found = gaps.difference([of(*parts)], LEVEL)
    pairs = [two_rates.newcombe(*a, *b, LEVEL).high for a in parts for b in parts if a != b]
    assert found is not None
    assert found.high == pytest.approx(max(pairs), abs=1e-9)


def test_too_few_groups_have_no_gap() -> None:
    assert gaps.difference([of((3, 10))], LEVEL) is None
    assert gaps.ratio([of((0, 10), (0, 12))], LEVEL) is None
