"""Two tables that differ only in how many rows hidden groups have publish the same: not one fact, note or warning tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factbook import measures
from factbook.model import Status, silent
from measuring import manifest, table

REFERENCE = {"uri": "r.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5"}


def plan(by: list[Any], protected: dict[str, str]) -> dict[str, Any]:
    return {
        "performance": {"measure": "classification", "data": "data", "by": by},
        "fairness": {"measure": "fairness", "data": "data", "protected": protected},
        "data": {"measure": "profile", "data": "data"},
        "spread": {"measure": "distribution", "data": "data"},
        "drift": {"measure": "drift", "reference": "ref", "current": "data"},
        "cover": {"measure": "coverage", "data": "data", "reference": "ref", "reference_is": "sample", "by": by},
        "errors": {"measure": "regression", "data": "data", "label": "t", "prediction": "f", "by": by},
        "annotators": {"measure": "agreement", "data": "data", "annotators": ["a1", "a2"], "scale": "nominal", "by": by},
    }


def columns(groups: dict[str, list[str]], twins: tuple[int, int]) -> dict[str, list[Any]]:
    """Rows of random figures; the twins differ in their groups alone."""
    rng, n = np.random.default_rng(4), len(next(iter(groups.values())))
    figures: dict[str, list[Any]] = {name: [str(value) for value in rng.integers(0, 2, n)] for name in ("y", "a1", "a2")}
    figures |= {name: [float(value) for value in rng.random(n).round(3)] for name in ("s", "t", "f")}
    for values in figures.values():
        values[twins[1]] = values[twins[0]]
    return groups | figures


def published(root: Path, rows: dict[str, list[Any]], by: list[Any], protected: dict[str, str]) -> dict[str, Any]:
    root.mkdir()
    table(root / "d.parquet", rows)
    n = len(rows["y"])
    other = {name: ([rows[name][0], rows[name][-1]] * n)[:n] for name in protected}
    table(root / "r.parquet", rows | other)
    attributes = list(protected)
    book = manifest({"data": {**REFERENCE, "uri": "d.parquet", "by": attributes}, "ref": {**REFERENCE, "by": attributes}}, plan(by, protected))
    found: dict[str, Any] = {}
    for name, planned in book.plan.items():
        measured = measures.run(name, planned, book, root, root / ".factbook", silent)
        found |= {str(fact.key): fact for fact in measured.facts} | {f"{name} warnings": measured.warnings}
    return found


def one_attribute(*, swapped: bool) -> tuple[dict[str, list[str]], tuple[int, int]]:
    """3 or 4 rows of x, hidden with the 60 or 59 women."""
    groups = ["men"] * 100 + ["women"] * 60 + ["x"] * 3
    if swapped:
        groups[159] = "x"
    return {"sex": groups}, (159, 159)


def two_attributes(*, swapped: bool) -> tuple[dict[str, list[str]], tuple[int, int]]:
    """3 or 4 old women; as many women, men, old and young in all."""
    groups = [("men", "old")] * 40 + [("men", "young")] * 60 + [("women", "young")] * 57 + [("women", "old")] * 3
    if swapped:
        groups[5], groups[120] = ("women", "old"), ("men", "young")
    return {"sex": [sex for sex, _ in groups], "age": [age for _, age in groups]}, (5, 120)


@pytest.mark.parametrize(
    ("made", "by", "protected"),
    [(one_attribute, ["sex"], {"sex": "men"}), (two_attributes, ["sex", "age", ["sex", "age"]], {"sex": "men", "age": "young"})],
)
def test_nothing_that_is_published_depends_on_hidden_counts(made: Any, by: list[Any], protected: dict[str, str], tmp_path: Path) -> None:
    first, second = (published(tmp_path / str(swapped), columns(*made(swapped=swapped)), by, protected) for swapped in (False, True))
    assert first.keys() == second.keys()
    assert {key for key in first if first[key] != second[key]} == set()
    hidden = [fact for fact in first.values() if getattr(fact, "status", None) is Status.SUPPRESSED]
    assert 100 < len(hidden) < len(first) / 2
