"""An attacker who solves the linear system of everything published must not find a hidden count."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from factbook.measures import suppression
from factbook.model import Pairs, Status
from measuring import run, table

K = 10


def members(atoms: list[Pairs], part: Pairs) -> np.ndarray:
    return np.array([float(set(part) <= set(atom)) for atom in atoms])


def all_slices(atoms: list[Pairs], margins: list[tuple[str, ...]]) -> list[Pairs]:
    found: dict[Pairs, None] = {(): None}
    for margin in margins:
        for atom in atoms:
            found[tuple(pair for pair in atom if pair[0] in margin)] = None
    return list(found)


def solvable(matrix: np.ndarray, target: np.ndarray) -> bool:
    """Whether the target is a linear combination of the rows (by least squares, unlike the code under test)."""
    solution, *_ = np.linalg.lstsq(matrix.T, target, rcond=None)
    return bool(np.abs(matrix.T @ solution - target).max() < 1e-7)


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Pairs, tuple[int, ...]], list[tuple[str, ...]]]:
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    sizes = [draw(st.integers(1, 4)) for _ in names]
    count = st.sampled_from([0, 0, 1, 2, 5, 9, 10, 11, 15, 30, 200])
    atoms = {}
    for codes in itertools.product(*(range(size) for size in sizes)):
        if rows := draw(count):
            atoms[tuple((name, str(code)) for name, code in zip(names, codes, strict=True))] = (rows,)
    every = [margin for size in range(1, len(names) + 1) for margin in itertools.combinations(names, size)]
    return atoms, draw(st.lists(st.sampled_from(every), min_size=1, unique=True))


@given(tables())
@settings(max_examples=1000, deadline=None)
def test_nothing_hidden_can_be_computed(case: tuple[dict[Pairs, tuple[int, ...]], list[tuple[str, ...]]]) -> None:
    atoms, margins = case
    hidden = suppression.hidden(atoms, margins, K)
    names = list(atoms)
    if not names:
        return
    rows = np.array([atoms[name][0] for name in names], dtype=float)
    parts = all_slices(names, margins)
    published = np.array([members(names, part) for part in parts if part not in hidden])
    everything = np.ones(len(names))
    for part in parts:
        indicator = members(names, part)
        if part and 0 < indicator @ rows < K:
            assert part in hidden
        if part in hidden and not (indicator == everything).all():
            assert not solvable(published, indicator), (part, hidden)


@given(tables())
@settings(max_examples=60, deadline=None)
def test_no_count_below_k_is_pinned_by_counts_being_positive(case: tuple[dict[Pairs, tuple[int, ...]], list[tuple[str, ...]]]) -> None:
    """Bounds from non-negativity: the attacker's interval for a small group is never a point."""
    atoms, margins = case
    hidden = suppression.hidden(atoms, margins, K)
    names = list(atoms)
    if not names:
        return
    rows = np.array([atoms[name][0] for name in names], dtype=float)
    parts = all_slices(names, margins)
    published = np.array([members(names, part) for part in parts if part not in hidden])
    for part in hidden:
        indicator = members(names, part)
        if 0 < indicator @ rows < K and not indicator.all():
            ends = [linprog(sign * indicator, A_eq=published, b_eq=published @ rows, bounds=(0, None)).fun * sign for sign in (1, -1)]
            assert ends[1] - ends[0] > 0.5


def test_one_small_group_hides_a_second() -> None:
    atoms = {(("sex", "men"),): (100,), (("sex", "women"),): (60,), (("sex", "x"),): (3,)}
    assert suppression.hidden(atoms, [("sex",)], K) == {(("sex", "x"),), (("sex", "women"),)}


def test_two_small_groups_that_sum_to_a_small_number_hide_a_third() -> None:
    atoms = {(("g", "a"),): (100,), (("g", "b"),): (60,), (("g", "c"),): (3,), (("g", "d"),): (4,)}
    assert (("g", "b"),) in suppression.hidden(atoms, [("g",)], K)


def test_zero_switches_it_off() -> None:
    assert not suppression.hidden({(("g", "a"),): (1,), (("g", "b"),): (2,)}, [("g",)], 0)


def test_large_margins_are_solved_not_hidden_whole() -> None:
    rng = np.random.default_rng(1)
    atoms = {(("a", f"{i:03}"), ("b", f"{j:03}")): (int(rng.integers(1, 400)),) for i in range(60) for j in range(60)}
    hidden = suppression.hidden(atoms, [("a",), ("b",), ("a", "b")], K)
    small = {part for part, rows in atoms.items() if rows[0] < K}
    assert small <= hidden
    assert len(hidden) < 4 * len(small)


def test_very_many_groups_do_not_hang() -> None:
    atoms = {(("a", f"{i}"), ("b", f"{i % 97}"), ("c", f"{i % 89}")): (3 + i % 40,) for i in range(8000)}
    assert suppression.hidden(atoms, [("a",), ("b",), ("c",), ("b", "c")], K)


PLAN = {
    "performance": {"measure": "classification", "data": "data", "by": ["sex", "age", ["age", "sex"]]},
    "fairness": {"measure": "fairness", "data": "data", "protected": {"sex": "men"}},
    "data": {"measure": "profile", "data": "data"},
}


def planted(path: Path) -> None:
    """40 rows a cell, but three women over sixty and two rows without a sex."""
    rng = np.random.default_rng(9)
    groups = [("men", "old")] * 40 + [("men", "young")] * 40 + [("women", "young")] * 40 + [("women", "old")] * 3 + [(None, "young")] * 2
    columns = {
        "y": [str(value) for value in rng.integers(0, 2, len(groups))],
        "p": [str(value) for value in rng.integers(0, 2, len(groups))],
        "sex": [group[0] for group in groups],
        "age": [group[1] for group in groups],
    }
    table(path, columns)


def test_attack_on_the_facts_of_three_measurements(tmp_path: Path) -> None:
    planted(tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": ["sex", "age"], "missing": {"group": "group"}}
    facts = [fact for measured in run(tmp_path, source, PLAN).values() for fact in measured.facts]
    published: dict[Pairs, int] = {}
    hidden = set()
    for fact in facts:
        if fact.key.metric == "rows":
            if fact.status is Status.SUPPRESSED:
                hidden.add(fact.key.slice)
            else:
                assert isinstance(fact.value, int)
                published[fact.key.slice] = fact.value
    atoms = [(("age", age), ("sex", sex)) for age in ("old", "young") for sex in ("men", "women", "not recorded")]
    system = np.array([members(atoms, part) for part in published])
    assert (("age", "old"), ("sex", "women")) in hidden
    assert (("sex", "not recorded"),) in hidden
    for part in hidden:
        assert not solvable(system, members(atoms, part)), part
    assert not hidden & set(published)


def test_a_hidden_group_leaves_no_trace_in_any_fact(tmp_path: Path) -> None:
    planted(tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": ["sex", "age"], "missing": {"group": "group"}}
    for measured in run(tmp_path, source, PLAN).values():
        for fact in measured.facts:
            inside = set(fact.key.slice)
            if {("age", "old"), ("sex", "women")} <= inside or ("sex", "not recorded") in inside:
                assert fact.status is Status.SUPPRESSED
                assert (fact.value, fact.n, fact.low, dict(fact.counts)) == (None, None, None, {})
            if fact.key.metric.startswith("missing") and fact.key.params == (("column", "sex"),):
                assert fact.status is Status.SUPPRESSED


def test_what_one_measurement_publishes_hides_in_another(tmp_path: Path) -> None:
    """Alone, `by: sex` hides nothing; beside a measurement of age × sex its evidence has another identity, and the margins agree."""
    planted(tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": ["sex", "age"], "missing": {"group": "drop"}}
    first = {"performance": {"measure": "classification", "data": "data", "by": ["sex"]}}
    alone = run(tmp_path, source, first)["performance"]
    assert not [fact for fact in alone.facts if fact.status is Status.SUPPRESSED]
    both = run(tmp_path, source, {**first, "cells": {"measure": "classification", "data": "data", "by": [["age", "sex"]]}})
    assert both["performance"].params["published"] != alone.params["published"]
    assert [fact for fact in both["cells"].facts if fact.status is Status.SUPPRESSED]


def test_switched_off_everything_is_shown(tmp_path: Path) -> None:
    planted(tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": ["sex", "age"], "missing": {"group": "group"}}
    shown = run(tmp_path, source, PLAN, suppress_below="0")
    assert not [fact for measured in shown.values() for fact in measured.facts if fact.status is Status.SUPPRESSED]


@pytest.mark.parametrize("metric", ["rows", "fnr_difference", "fnr_ratio"])
def test_comparisons_with_a_hidden_reference_are_hidden(metric: str, tmp_path: Path) -> None:
    planted(tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": ["sex", "age"], "missing": {"group": "group"}}
    plan = {"fairness": {"measure": "fairness", "data": "data", "protected": {"sex": "not recorded"}}}
    facts = {str(fact.key): fact for fact in run(tmp_path, source, plan)["fairness"].facts}
    suffix = "not%20recorded" if metric == "rows" else "men"
    assert facts[f"fairness/{metric}?sex={suffix}"].status is Status.SUPPRESSED
