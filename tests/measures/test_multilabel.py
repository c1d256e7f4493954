"""Rows of many classes: every figure is scikit-learn's, in lists and in texts with a separator; intervals cover."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factbook.errors import FactbookError
from factbook.measures import multilabel
from factbook.measures.request import Answer
from factbook.model import Fact, Status
from measuring import facts, table

metrics = pytest.importorskip("sklearn.metrics")
CLASSES = ["air", "fire", "sea"]
PLAN = {"m": {"measure": "classification", "data": "data", "by": ["g"]}}
CLOSE = 1e-9


def generated(rows: int = 400, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    y = rng.random((rows, 3)) < np.array([0.5, 0.3, 0.15])
    p = np.where(rng.random((rows, 3)) < 0.8, y, rng.random((rows, 3)) < 0.3)
    return {"y": y, "p": p, "g": rng.choice(["a", "b"], rows), "w": rng.lognormal(size=rows)}


def named(matrix: np.ndarray) -> list[list[str]]:
    return [[name for name, there in zip(CLASSES, row, strict=True) if there] for row in matrix]


def measured(root: Path, data: dict[str, Any], **roles: Any) -> dict[str, Fact]:
    table(root / "d.parquet", {"y": named(data["y"]), "p": named(data["p"]), "g": data["g"].tolist(), "w": data["w"].tolist()})
    return facts(root, {"uri": "d.parquet", "label": "y", "prediction": "p", "multilabel": "list", "by": ["g"], **roles}, PLAN, suppress_below="0")


def check(found: dict[str, Fact], y: np.ndarray, p: np.ndarray, w: np.ndarray | None, place: str) -> None:
    plain: dict[str, float] = {
        "subset_accuracy": metrics.accuracy_score(y, p, sample_weight=w),
        "hamming_loss": metrics.hamming_loss(y, p, sample_weight=w),
        "label_cardinality": float(np.average(y.sum(axis=1), weights=w)),
        "predicted_cardinality": float(np.average(p.sum(axis=1), weights=w)),
    }
    for name in ("precision", "recall", "f1", "jaccard"):
        score = getattr(metrics, f"{name}_score")
        undefined: dict[str, Any] = {} if name == "jaccard" else {"zero_division": np.nan}
        for kind in ("micro", "macro", "weighted", *(() if name == "jaccard" else ("samples",))):
            plain[f"{name};average={kind}"] = score(y, p, average=kind, sample_weight=w, **undefined)
        each = score(y, p, average=None, sample_weight=w, **undefined)
        plain |= {f"{name};class={label}": value for label, value in zip(CLASSES, each, strict=True)}
    some = (y | p).any(axis=1)
    plain["jaccard;average=samples"] = metrics.jaccard_score(y[some], p[some], average="samples", sample_weight=None if w is None else w[some])
    for name, value in plain.items():
        assert found[f"m/{name}{place}"].value == pytest.approx(value, abs=CLOSE), (name, place)
        assert found[f"m/{name}{place}"].interval is not None, (name, place)


@pytest.mark.parametrize("weighted", [False, True])
def test_every_figure_is_scikit_learns(weighted: bool, tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data, **({"weight": "w"} if weighted else {}))
    for place, inside in (("", data["g"] != ""), ("?g=a", data["g"] == "a")):
        check(found, data["y"][inside], data["p"][inside], data["w"][inside] if weighted else None, place)


def test_lists_and_texts_say_the_same(tmp_path: Path) -> None:
    data = generated(120)
    lists = measured(tmp_path, data)
    rows = zip(named(data["y"]), named(data["p"])[:], data["g"].tolist(), strict=True)
    (tmp_path / "d.csv").write_text("y,p,g\n" + "".join(f"{'; '.join(y)},{';'.join(reversed(p))},{g}\n" for y, p, g in rows), encoding="utf-8")
    texts = facts(tmp_path, {"uri": "d.csv", "label": "y", "prediction": "p", "multilabel": ";", "by": ["g"]}, PLAN, suppress_below="0")
    lines = [{"y": y, "p": p, "g": g} for y, p, g in zip(named(data["y"]), named(data["p"]), data["g"].tolist(), strict=True)]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    json_lines = facts(tmp_path, {"uri": "d.jsonl", "label": "y", "prediction": "p", "multilabel": "list", "by": ["g"]}, PLAN, suppress_below="0")
    for other in (texts, json_lines):
        assert {key: (fact.value, fact.low) for key, fact in other.items()} == {key: (fact.value, fact.low) for key, fact in lists.items()}


def test_undefined_is_not_zero(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": ["a", "a;b", ""] * 10, "p": ["a", "a", ""] * 10})
    source = {"uri": "d.parquet", "label": "y", "prediction": "p", "multilabel": ";", "classes": ["a", "b", "c"]}
    found = facts(tmp_path, source)
    assert found["performance/f1;class=c"].status is Status.UNDEFINED
    assert found["performance/precision;class=b"].status is Status.UNDEFINED
    assert found["performance/f1;average=macro"].value == pytest.approx(0.5)
    assert "over 2 of 3 classes" in found["performance/f1;average=macro"].note
    assert "10 rows for which it is 0 of 0 are left out" in found["performance/f1;average=samples"].note
    assert found["performance/subset_accuracy"].value == pytest.approx(2 / 3)
    assert found["performance/hamming_loss"].value == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("columns", "roles", "said"),
    [
        ({"y": ["a"], "p": ["a"]}, {"multilabel": "list"}, "holds no lists"),
        ({"y": [["a"]], "p": [["a", None]]}, {"multilabel": "list"}, "is no list of classes"),
        ({"y": ["a;x"], "p": ["a"]}, {"multilabel": ";", "classes": ["a"]}, "hold 'x': no declared class"),
        ({"y": ["a"], "p": ["a"], "s": [0.1]}, {"multilabel": ";", "classes": {"a": "s"}}, "scores of many labels are not measured"),
        ({"y": [["a"], None], "p": [["a"], ["a"]]}, {"multilabel": "list"}, "is missing in 1 of 2 rows"),
    ],
)
def test_what_contradicts_the_declaration_is_refused(columns: dict[str, Any], roles: dict[str, Any], said: str, tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", columns)
    with pytest.raises(FactbookError, match=said):
        facts(tmp_path, {"uri": "d.parquet", "label": "y", "prediction": "p", **roles})


FIGURES = [f"{name};average={kind}" for name in ("f1", "jaccard") for kind in ("micro", "macro", "weighted", "samples")] + ["hamming_loss"]


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_cover(clustered: bool) -> None:
    """All of them in the same simulated samples, of rows and of clusters of rows."""
    from factbook.measures.classification import METRICS

    def drawn(rng: np.random.Generator, rows: int) -> dict[str, Fact]:
        clusters = rows // 4
        shift = np.repeat(rng.normal(0, 1.0 if clustered else 0.0, (clusters, 1)), 4, axis=0)
        y = rng.random((rows, 3)) < 1 / (1 + np.exp(-(np.array([0.0, -0.5, -1.0]) + shift)))
        p = np.where(rng.random((rows, 3)) < 1 / (1 + np.exp(-(1.5 + shift))), y, ~y)
        block = np.repeat(rng.integers(0, 64, clusters), 4) if clustered else None
        part = multilabel.Slice(tuple(CLASSES), y, p, np.ones(rows, dtype=np.int64), None, block, 0, rows, 0.95)
        answer = Answer("m", 0.95, {metric.name: metric for metric in METRICS}, frozenset(), "")
        multilabel.add(answer, part, (), abstains=False)
        return {str(fact.key).removeprefix("m/"): fact for fact in answer.facts}

    rng, draws = np.random.default_rng(3), 150
    truth = drawn(rng, 200_000)
    covered = dict.fromkeys(FIGURES, 0)
    for _ in range(draws):
        found = drawn(rng, 240)
        for name in FIGURES:
            covered[name] += found[name].low <= truth[name].value <= found[name].high
    assert min(covered.values()) / draws >= 0.91, covered
    assert sum(covered.values()) / draws / len(FIGURES) >= 0.935, covered
