"""An auditor's checks: what intervals cover in simulations, and what an attacker learns about a hidden group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from factbook.measures import scores, suppression
from factbook.measures.scores import Scored
from factbook.model import Pairs, Status
from factbook.statistics import intervals
from measuring import run, table

LEVEL = 0.95


def scored(y: np.ndarray, s: np.ndarray) -> Scored:
    order = np.argsort(s)
    positive = y[order].astype(float)
    return Scored(s[order], s[order], (positive, 1 - positive), (positive, 1 - positive), exact=True)


@pytest.mark.parametrize(("m", "n", "spread"), [(5, 45, 1), (15, 35, 1), (25, 25, 1), (15, 35, 2), (10, 490, 1), (50, 450, 2), (100, 100, 1)])
@pytest.mark.parametrize("area", [0.638, 0.871, 0.948])
def test_auc_covers_where_delongs_plain_interval_does_not(m: int, n: int, spread: int, area: float) -> None:
    rng = np.random.default_rng(m + n + spread)
    shift = stats.norm.ppf(area) * math.sqrt(1 + spread**2)
    y = np.repeat([1, 0], [m, n])
    covered, above, draws = 0, 0, 300
    for _ in range(draws):
        found = scores.area(scored(y, np.concatenate([rng.normal(shift, spread, m), rng.normal(0, 1, n)])))
        interval = intervals.area(found.value, found.parts, found.sizes, LEVEL)
        assert interval is not None
        covered += interval.low <= area <= interval.high
        above += area < interval.low
    assert covered / draws >= 0.915, covered / draws
    assert above / draws <= 0.07, above / draws


def test_auc_of_separated_classes_has_a_lower_end() -> None:
    found = scores.area(scored(np.repeat([1, 0], [20, 20]), np.concatenate([np.arange(20) + 100.0, np.arange(20.0)])))
    interval = intervals.area(found.value, found.parts, found.sizes, LEVEL)
    assert interval is not None
    assert (interval.high, interval.method) == (1.0, "Newcombe")
    assert 0.8 < interval.low < 0.95


def test_scores_that_do_not_vary_have_no_auc_interval() -> None:
    found = scores.area(
        Scored(np.array([0.5]), np.array([0.5]), (np.array([30.0]), np.array([30.0])), (np.array([30.0]), np.array([30.0])), exact=True)
    )
    assert intervals.area(found.value, found.parts, found.sizes, LEVEL) is None


@pytest.mark.parametrize(("prevalence", "shift"), [(0.3, 1.0), (0.3, 2.3), (0.1, 1.0)])
@pytest.mark.parametrize("rows", [50, 500])
def test_losses_cover_in_spite_of_their_skewness(prevalence: float, shift: float, rows: int) -> None:
    rng = np.random.default_rng(rows)

    def log_losses(size: int) -> np.ndarray:
        y = rng.random(size) < prevalence
        logit = shift * rng.normal(shift * y, 1) - shift**2 / 2 + math.log(prevalence / (1 - prevalence))
        return np.logaddexp(0, np.where(y, -logit, logit))

    truth, covered, draws = log_losses(2_000_000).mean(), 0, 500
    for _ in range(draws):
        losses = log_losses(rows)
        interval = intervals.mean(losses.mean(), losses.var(ddof=1), stats.skew(losses), rows, LEVEL)
        assert interval is not None
        covered += interval.low <= truth <= interval.high
    assert covered / draws >= 0.92, covered / draws


def slices(names: Sequence[Pairs], margins: Sequence[Sequence[str]]) -> set[Pairs]:
    return {tuple(pair for pair in name if pair[0] in margin) for margin in margins for name in names}


@pytest.mark.parametrize("seed", range(40))
def test_no_small_group_is_pinned_by_the_counts_of_its_outcomes(seed: int) -> None:
    """An attacker who knows each outcome's margins, that no count is negative, and which groups occur, is left with a choice (linear programming)."""
    rng = np.random.default_rng(seed)
    sizes, margins = rng.integers(2, 5, 2), [("a",), ("b",), ("a", "b")]
    cells = [(("a", str(i)), ("b", str(j))) for i in range(sizes[0]) for j in range(sizes[1])]
    outcomes = {cell: tuple(int(k) for k in rng.choice([0, 0, 0, 1, 1, 2, 3, 5, 12, 40, 80], 4)) for cell in cells}
    atoms = {cell: (sum(counts),) for cell, counts in outcomes.items() if sum(counts)}
    hidden = suppression.hidden(atoms, margins, 10, None, {cell: outcomes[cell] for cell in atoms})
    names, parts = list(atoms), slices(list(atoms), [(), *margins])
    inside = {part: np.array([float(set(part) <= set(name)) for name in names]) for part in parts}
    known = np.array([np.kron(np.eye(4)[kind], inside[part]) for part in parts - hidden for kind in range(4)])
    truth = np.array([outcomes[name][kind] for kind in range(4) for name in names], dtype=float)
    occurs = -np.array([np.tile(inside[part], 4) for part in parts])
    for part in hidden:
        target = np.tile(inside[part], 4)
        if 0 < target @ truth < 10 and not target.all():
            ends = [sign * linprog(sign * target, A_ub=occurs, b_ub=-np.ones(len(occurs)), A_eq=known, b_eq=known @ truth).fun for sign in (1, -1)]
            assert ends[1] - ends[0] > 0.5, (part, ends)


@pytest.mark.parametrize(("ages", "shown"), [((0, 1), False), (range(20, 80), True)])
def test_the_mean_of_a_cut_column_does_not_count_a_hidden_group(ages: Sequence[int], shown: bool, tmp_path: Path) -> None:
    """The mean of 0 and 1 is the share of the group above the cut; that of ages is not."""
    values = [ages[-1]] * 3 + [ages[i % (len(ages) - 1)] for i in range(97)]
    table(tmp_path / "d.parquet", {"age": values, "y": ["1", "0"] * 50, "p": ["1", "1", "0", "0"] * 25})
    cuts = [str(ages[-1])]
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": {"band": {"column": "age", "cuts": cuts}}}
    facts = {str(fact.key): fact for fact in run(tmp_path, source, {"data": {"measure": "profile", "data": "data"}})["data"].facts}
    assert facts[f"data/rows?band={ages[-1]}+"].status is Status.SUPPRESSED
    assert facts["data/mean;column=age"].measured is shown
