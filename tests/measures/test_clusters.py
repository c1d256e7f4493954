"""Rows that share a cluster: variances are statsmodels', intervals cover, and too few clusters get none."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factbook.measures import clusters
from factbook.measures.binary import FN, FP, TN, TP
from factbook.measures.clusters import Blocked
from factbook.model import Fact
from factbook.statistics import beta, intervals
from measuring import facts, table

statsmodels = pytest.importorskip("statsmodels.api")
LEVEL = 0.95
SOURCE = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5", "cluster": "patient", "by": ["g"]}


def generated(patients: int, seed: int = 1, each: int = 8) -> dict[str, Any]:
    """Patients whose rows have a disposition and a difficulty in common."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 2 * each, patients)
    patient = np.repeat(np.arange(patients), size)
    y = (rng.random(len(patient)) < np.repeat(rng.beta(1, 1.5, patients), size)).astype(int)
    logit = rng.normal(size=len(patient)) + 2.0 * y - 1 + np.repeat(rng.normal(0, 1.5, patients), size)
    return {"y": y, "s": np.round(1 / (1 + np.exp(-logit)), 3), "patient": [f"p{i}" for i in patient], "g": rng.choice(["a", "b"], len(patient))}


def block(cluster: str) -> int:
    return hashlib.md5(cluster.encode()).digest()[0] % 64


def measured(root: Path, data: dict[str, Any], **roles: Any) -> dict[str, Fact]:
    table(root / "d.parquet", {name: np.asarray(values).tolist() for name, values in data.items()})
    return facts(root, SOURCE | roles, suppress_below="0")


def test_the_variance_of_a_rate_is_that_of_a_cluster_robust_regression(tmp_path: Path) -> None:
    data = generated(200)
    predicted, blocks = data["s"] >= 0.5, np.array([block(name) for name in data["patient"]])
    for name, chosen, hit in (
        ("recall", data["y"] == 1, predicted),
        ("fpr", data["y"] == 0, predicted),
        ("accuracy", data["y"] >= 0, predicted == data["y"]),
    ):
        fitted = statsmodels.OLS(hit[chosen].astype(float), np.ones(chosen.sum())).fit(cov_type="cluster", cov_kwds={"groups": blocks[chosen]})
        p, size = hit[chosen].mean(), len(np.unique(blocks[chosen]))
        n = min(p * (1 - p) / fitted.bse[0] ** 2, chosen.sum()) * (intervals.normal(LEVEL) / beta.student(LEVEL, size - 1)) ** 2
        expected, fact = intervals.proportion(p * n, n, LEVEL), measured(tmp_path, data)[f"performance/{name}"]
        assert (fact.value, fact.low, fact.high) == pytest.approx((p, expected.low, expected.high), abs=1e-9)
        assert fact.method == f"{expected.method}, effective n of clusters"


def test_every_interval_is_one_over_clusters_and_wider(tmp_path: Path) -> None:
    data = generated(300)
    found = measured(tmp_path, data)
    plain = measured(tmp_path, data, cluster="")
    compared = 0
    for key, fact in found.items():
        assert fact.value == plain[key].value
        if fact.interval is None:
            continue
        assert "cluster" in fact.method, key
        assert "cluster" not in plain[key].method
        narrower = plain[key].interval
        assert narrower is not None
        compared += 1
        if "?" not in key and key not in ("performance/log_loss", "performance/brier"):
            assert fact.high - fact.low > 1.1 * (narrower[1] - narrower[0]), key
    assert compared > 45


def test_many_classes_over_clusters(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    patient = np.repeat(np.arange(120), 6)
    y = np.repeat(rng.choice(["a", "b", "c"], 120), 6)
    p = np.where(np.repeat(rng.random(120) < 0.7, 6), y, rng.choice(["a", "b", "c"], 720))
    table(tmp_path / "d.parquet", {"y": y.tolist(), "p": p.tolist(), "patient": patient.tolist()})
    source = {"uri": "d.parquet", "label": "y", "prediction": "p"}
    found, plain = facts(tmp_path, source | {"cluster": "patient"}), facts(tmp_path, source)
    for name in (
        "accuracy",
        "f1;average=macro",
        "balanced_accuracy",
        "cohen_kappa",
        "mcc",
        "precision;average=weighted",
        "recall;class=a",
        "f1;class=b",
    ):
        wide, narrow = found[f"performance/{name}"], plain[f"performance/{name}"]
        assert wide.value == narrow.value
        assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low), name
        assert "cluster" in wide.method


def test_scores_of_many_classes_over_clusters(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    y = np.repeat(rng.integers(0, 3, 120), 6)
    logits = 1.5 * np.eye(3)[y] + np.repeat(rng.normal(0, 1.5, (120, 3)), 6, axis=0) + rng.normal(size=(720, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predicted, patient = shares.argmax(axis=1).astype(str), np.repeat(np.arange(120), 6)
    rows: dict[str, Any] = {"y": y.astype(str).tolist(), "p": predicted.tolist(), "patient": patient.tolist()}
    table(tmp_path / "d.parquet", rows | {f"s{i}": shares[:, i].tolist() for i in range(3)})
    source = {"uri": "d.parquet", "label": "y", "prediction": "p", "classes": {"0": "s0", "1": "s1", "2": "s2"}}
    found, plain = facts(tmp_path, source | {"cluster": "patient"}), facts(tmp_path, source)
    for name in ("log_loss", "brier", "top_k_accuracy;k=1", "auc;class=1", "auc;average=macro", "average_precision;class=2", "log_loss;class=0"):
        wide, narrow = found[f"performance/{name}"], plain[f"performance/{name}"]
        assert wide.value == narrow.value
        assert wide.high - wide.low > 1.1 * (narrow.high - narrow.low), name
        assert "cluster" in wide.method or name == "auc;average=macro"


@pytest.mark.parametrize("label", ["1", "a"])
def test_few_clusters_have_no_interval(label: str, tmp_path: Path) -> None:
    values = [label, "0", "2"][: 2 if label == "1" else 3]
    rows = {
        "y": [values[i % len(values)] for i in range(60)],
        "p": [values[i // 7 % len(values)] for i in range(60)],
        "site": [i % 6 for i in range(60)],
    }
    table(tmp_path / "d.parquet", rows)
    roles = {"positive": "1"} if label == "1" else {}
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "prediction": "p", "cluster": "site", **roles})
    assert found["performance/accuracy"].measured
    assert not [key for key, fact in found.items() if fact.interval is not None]
    assert "6 clusters, and fewer than 10 are too few" in found["performance/accuracy"].note
    assert "too few" in found["performance/mcc"].note


def counts(k: np.ndarray, n: np.ndarray) -> Blocked:
    blocks = np.zeros((64, 6))
    blocks[:, TP], blocks[:, FN] = k, n - k
    return Blocked(tuple(int(total) for total in blocks.sum(axis=0)), None, blocks, LEVEL)


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.5])
@pytest.mark.parametrize(("groups", "p"), [(12, 0.3), (30, 0.05), (60, 0.3), (400, 0.1)])
def test_a_share_covers(correlation: float, groups: int, p: float) -> None:
    rng, covered, draws = np.random.default_rng(3), 0, 500
    for _ in range(draws):
        size = rng.integers(1, 20, groups)
        odds = (1 - correlation) / correlation if correlation else 0.0
        each = rng.beta(p * odds, (1 - p) * odds, groups) if correlation else np.full(groups, p)
        place = rng.integers(0, 64, groups)
        k, n = (np.bincount(place, weights=part, minlength=64) for part in (rng.binomial(size, each), size))
        share = counts(k, n).share((TP,), (TP, FN))
        assert share is not None
        interval = intervals.share(share, LEVEL)
        covered += interval.low <= p <= interval.high
    assert covered / draws >= 0.925, covered / draws


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("what", ["difference", "ratio"])
def test_two_groups_in_the_same_clusters(correlation: float, what: str) -> None:
    """Men and women of the same clinics: the difference and the ratio of their rates."""
    rng, covered, draws, p, q = np.random.default_rng(4), 0, 400, 0.4, 0.3
    for _ in range(draws):
        place, size = rng.integers(0, 64, 150), rng.integers(2, 12, (2, 150))
        shift = rng.normal(0, correlation, 150)
        chance = [1 / (1 + np.exp(-(math.log(rate / (1 - rate)) + shift))) for rate in (p, q)]
        first, second = (
            counts(*(np.bincount(place, weights=part, minlength=64) for part in (rng.binomial(n, chance), n)))
            for n, chance in zip(size, chance, strict=True)
        )
        truth = [float(np.mean(1 / (1 + np.exp(-(math.log(r / (1 - r)) + np.linspace(-4, 4, 2001) * correlation))) * _density())) for r in (p, q)]
        interval = getattr(clusters, what)(first, second, (TP,), (TP, FN), LEVEL)
        expected = truth[0] - truth[1] if what == "difference" else truth[0] / truth[1]
        assert interval is not None
        covered += interval.low <= expected <= interval.high
    assert 0.93 <= covered / draws <= 0.99, covered / draws


def _density() -> np.ndarray:
    weights = np.exp(-(np.linspace(-4, 4, 2001) ** 2) / 2)
    return weights / weights.mean()


def test_the_area_is_obuchowskis(tmp_path: Path) -> None:
    data = generated(150, seed=5)
    y, s = data["y"], data["s"]
    blocks = np.array([block(name) for name in data["patient"]])
    wins = (s[y == 1][:, None] > s[y == 0][None, :]) + 0.5 * (s[y == 1][:, None] == s[y == 0][None, :])
    value = wins.mean()
    influence = np.zeros(len(y))
    influence[y == 1], influence[y == 0] = (wins.mean(axis=1) - value) / (y == 1).sum(), (wins.mean(axis=0) - value) / (y == 0).sum()
    sums, size = np.bincount(blocks, weights=influence), len(np.unique(blocks))
    half = beta.student(LEVEL, min(len(np.unique(blocks[y == k])) for k in (0, 1)) - 1) * math.sqrt(size / (size - 1) * (sums**2).sum())
    centre, half = math.log(value / (1 - value)), half / (value * (1 - value))
    fact = measured(tmp_path, data)["performance/auc"]
    assert (fact.low, fact.high) == pytest.approx((1 / (1 + math.exp(half - centre)), 1 / (1 + math.exp(-half - centre))), abs=1e-9)


@pytest.mark.parametrize(("name", "least"), [("auc", 0.92), ("average_precision", 0.92), ("brier", 0.92), ("log_loss", 0.92)])
def test_score_statistics_cover(name: str, least: float, tmp_path: Path) -> None:
    from factbook.measures import cluster_scores, scores
    from factbook.measures.scores import Scored

    def drawn(rng: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size = 6
        y = rng.random((patients, size)) < np.repeat(rng.beta(1, 3, (patients, 1)), size, axis=1)
        logit = rng.normal(size=y.shape) + 1.5 * y - 1 + rng.normal(0, 1, (patients, 1))
        return y.reshape(-1).astype(int), 1 / (1 + np.exp(-logit.reshape(-1))), np.repeat(rng.integers(0, 64, patients), size)

    def tabulated(y: np.ndarray, s: np.ndarray) -> tuple[Scored, np.ndarray]:
        keys, place = np.unique(s, return_inverse=True)
        weights = np.bincount(place, weights=y, minlength=len(keys)), np.bincount(place, weights=1 - y, minlength=len(keys))
        return Scored(keys, keys, weights, weights, True), place

    value = {
        "auc": lambda scored: scores.area(scored).value,
        "average_precision": lambda scored: scores.average_precision(scored)[0],
        "brier": lambda scored: scores.mean_loss(scored, scores.squared_losses(scored.middle))[0],
        "log_loss": lambda scored: scores.mean_loss(scored, scores.log_losses(scored.middle))[0],
    }[name]
    rng, covered, draws = np.random.default_rng(6), 0, 300
    truth = value(tabulated(*drawn(rng, 60_000)[:2])[0])
    for _ in range(draws):
        y, s, blocks = drawn(rng, 60)
        scored, place = tabulated(y, s)
        interval = cluster_scores._intervals(scored, cluster_scores.Spread(place, y, blocks, np.ones(len(y))), LEVEL)[name]
        assert not isinstance(interval, str)
        covered += interval.low <= truth <= interval.high
    assert covered / draws >= least, covered / draws


def test_kinds_are_the_columns_of_blocks() -> None:
    assert (TN, FP, FN, TP) == (0, 1, 2, 3)
