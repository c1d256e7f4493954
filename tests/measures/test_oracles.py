"""Every figure against scikit-learn and fairlearn, on public data sets and on generated ones."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from factbook.model import Fact, Status
from measuring import facts, shared, table

metrics = pytest.importorskip("sklearn.metrics")
fairlearn = pytest.importorskip("fairlearn.metrics")

CLOSE = 1e-9
PLAIN = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": lambda y, p, sample_weight: (
        (metrics.recall_score(y, p, sample_weight=sample_weight) + metrics.recall_score(1 - y, 1 - p, sample_weight=sample_weight)) / 2
    ),
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "mcc": metrics.matthews_corrcoef,
    "fpr": fairlearn.false_positive_rate,
    "fnr": fairlearn.false_negative_rate,
    "specificity": fairlearn.true_negative_rate,
    "selection_rate": lambda y, p, sample_weight: fairlearn.selection_rate(y, p, sample_weight=sample_weight),
}
SCORED = {
    "auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
}


def hmda() -> dict[str, np.ndarray]:
    """HMDA Boston: denials predicted by a model from the applicant's finances; groups are race and marital status."""
    with shared("loan/hmda_boston_1990.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    y = np.array([row["deny"] == "yes" for row in rows], dtype=int)
    numbers = np.array([[float(row[name]) for name in ("pirat", "hirat", "lvrat", "unemp")] for row in rows])
    return fitted(y, numbers, {"afam": np.array([row["afam"] for row in rows]), "single": np.array([row["single"] for row in rows])})


def german() -> dict[str, np.ndarray]:
    """German credit: bad risks, by personal status and foreign worker."""
    with shared("credit/german_credit.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    y = np.array([row["credit"] == "2" for row in rows], dtype=int)
    numbers = np.array([[float(row[name]) for name in ("month", "credit_amount", "age")] for row in rows])
    groups = {"status": np.array([row["personal_status"] for row in rows]), "foreign": np.array([row["foreign_worker"] for row in rows])}
    return fitted(y, numbers, groups)


def compas() -> dict[str, np.ndarray]:
    """COMPAS: recorded decisions, no scores."""
    with shared("fairness/compas_for_aequitas.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    y = np.array([row["label_value"] == "1" for row in rows], dtype=int)
    p = np.array([float(row["score"]) for row in rows]).astype(int)
    return {"y": y, "p": p, "race": np.array([row["race"] for row in rows]), "sex": np.array([row["sex"] for row in rows])}


def fitted(y: np.ndarray, numbers: np.ndarray, groups: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(numbers)
    s = LogisticRegression().fit(scaled, y).predict_proba(scaled)[:, 1]
    return {"y": y, "s": s, "p": (s >= np.quantile(s, 0.8)).astype(int), **groups}


def generated() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    n = 3000
    y = (rng.random(n) < 0.25).astype(int)
    s = np.round(1 / (1 + np.exp(-(rng.normal(size=n) + y - 0.6))), 2).clip(0.01, 0.99)
    return {"y": y, "s": s, "p": (s >= 0.5).astype(int), "g": rng.choice(["a", "b", "c"], n), "h": rng.choice(["x", "y"], n)}


def measured(root: Path, data: dict[str, np.ndarray], **more: Any) -> dict[str, Fact]:
    columns: dict[str, Any] = {name: values.tolist() for name, values in data.items()}
    table(root / "d.parquet", columns)
    by = [name for name in data if name not in ("y", "s", "p", "w")]
    roles = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": by}
    roles |= {"score": "s"} if "s" in data else {}
    roles |= {"weight": "w"} if "w" in data else {}
    plan = {
        "performance": {"measure": "classification", "data": "data", "by": [*by, by]},
        "fairness": {"measure": "fairness", "data": "data", "protected": by},
    }
    return facts(root, roles, plan, suppress_below="0", **more)


SETS = [hmda, german, compas, generated]


def slices(data: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    from factbook.model import encode

    found = [("", np.ones(len(data["y"]), dtype=bool))]
    by = [name for name in data if name not in ("y", "s", "p", "w")]
    for name in by:
        found += [(f"?{name}={encode(value)}", data[name] == value) for value in np.unique(data[name])]
    both = sorted(by)
    for a in np.unique(data[both[0]]):
        for b in np.unique(data[both[1]]):
            inside = (data[both[0]] == a) & (data[both[1]] == b)
            if inside.any():
                found.append((f"?{both[0]}={encode(a)}&{both[1]}={encode(b)}", inside))
    return found


def check(found: dict[str, Fact], data: dict[str, np.ndarray]) -> int:
    checked = 0
    for place, inside in slices(data):
        y, p = data["y"][inside], data["p"][inside]
        w = data["w"][inside] if "w" in data else np.ones(len(y))
        for name, oracle in PLAIN.items():
            fact = found[f"performance/{name}{place}"]
            if fact.measured:
                assert fact.value == pytest.approx(oracle(y, p, sample_weight=w), abs=CLOSE), (name, place)
                checked += 1
            else:
                assert fact.status is Status.UNDEFINED
        if "s" in data and 0 < y.sum() < len(y):
            for name, oracle in SCORED.items():
                assert found[f"performance/{name}{place}"].value == pytest.approx(oracle(y, data["s"][inside], sample_weight=w), abs=CLOSE), (
                    name,
                    place,
                )
                checked += 1
    return checked


@pytest.mark.parametrize("data_set", SETS, ids=lambda item: item.__name__)
def test_rates_and_scores_are_scikit_learns(data_set: Any, tmp_path: Path) -> None:
    data = data_set()
    assert check(measured(tmp_path, data), data) > 40


def test_weighted_figures_are_scikit_learns(tmp_path: Path) -> None:
    data = generated()
    data["w"] = np.random.default_rng(5).lognormal(size=len(data["y"])) / 1000
    assert check(measured(tmp_path, data), data) > 40


def test_where_all_weights_are_zero_that_is_why(tmp_path: Path) -> None:
    data = generated()
    data["w"] = np.where(data["g"] == "a", 0.0, 1.0)
    found = measured(tmp_path, data)
    for name in ("accuracy", "recall", "f1", "auc", "log_loss"):
        assert found[f"performance/{name}?g=a"].reason == "all weights are 0", name
    assert found["performance/balanced_accuracy?g=a"].reason == "all weights of positive labels are 0"


@pytest.mark.parametrize("data_set", SETS, ids=lambda item: item.__name__)
def test_gaps_are_fairlearns(data_set: Any, tmp_path: Path) -> None:
    data = data_set()
    found = measured(tmp_path, data)
    oracles = {
        "demographic_parity_difference": fairlearn.demographic_parity_difference,
        "demographic_parity_ratio": fairlearn.demographic_parity_ratio,
        "equal_opportunity_difference": fairlearn.equal_opportunity_difference,
        "equal_opportunity_ratio": fairlearn.equal_opportunity_ratio,
        "equalised_odds_difference": fairlearn.equalized_odds_difference,
        "equalised_odds_ratio": fairlearn.equalized_odds_ratio,
    }
    for attribute in (name for name in data if name not in ("y", "s", "p")):
        for name, oracle in oracles.items():
            fact = found[f"fairness/{name};attribute={attribute}"]
            if fact.measured:
                expected = oracle(data["y"], data["p"], sensitive_features=data[attribute])
                assert fact.value == pytest.approx(expected, abs=CLOSE), (name, attribute)
                assert fact.low is not None
                assert fact.high is not None
                assert fact.low <= fact.value <= fact.high


def delong(y: np.ndarray, s: np.ndarray) -> tuple[float, float]:
    """DeLong's AUC and variance from their definition, over all pairs of rows."""
    positive, negative = s[y == 1], s[y == 0]
    wins = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    return float(wins.mean()), float(v10.var(ddof=1) / len(positive) + v01.var(ddof=1) / len(negative))


@pytest.mark.parametrize("data_set", [hmda, german, generated], ids=lambda item: item.__name__)
def test_auc_interval_is_delongs(data_set: Any, tmp_path: Path) -> None:
    data = data_set()
    fact = measured(tmp_path, data)["performance/auc"]
    value, variance = delong(data["y"], data["s"])
    half = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert (fact.value, fact.low, fact.high) == pytest.approx((value, value - half, value + half), abs=CLOSE)
    assert fact.method == "DeLong"


def test_losses_have_the_t_interval_without_skewness(tmp_path: Path) -> None:
    """Hall's transformation of both ends is the quantile of Student's t."""
    data = generated()
    found = measured(tmp_path, data)
    y, s = data["y"], data["s"]
    for name, losses in (("brier", (s - y) ** 2), ("log_loss", -np.where(y == 1, np.log(s), np.log1p(-s)))):
        fact, skew = found[f"performance/{name}"], stats.skew(losses) / math.sqrt(len(y))
        ends = [(losses.mean() - end) / stats.sem(losses) for end in (fact.low, fact.high)]
        transformed = [t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6 for t in ends]
        assert transformed == pytest.approx([stats.t.ppf(0.975, len(y) - 1), stats.t.ppf(0.025, len(y) - 1)], abs=1e-8)


def test_calibration_error_is_that_of_the_calibration_curve(tmp_path: Path) -> None:
    from sklearn.calibration import calibration_curve

    data = generated()
    fraction, mean = calibration_curve(data["y"], data["s"], n_bins=10)
    where = np.searchsorted(np.linspace(0, 1, 11)[1:-1], data["s"])
    sizes = np.bincount(where, minlength=10)
    expected = float(np.sum(sizes[sizes > 0] * np.abs(fraction - mean)) / len(where))
    fact = measured(tmp_path, data)["performance/ece"]
    assert fact.value == pytest.approx(expected, abs=CLOSE)
    assert fact.interval is not None
    assert fact.interval[0] < expected < fact.interval[1]
    both = measured(tmp_path, data)["performance/ece?g=a&h=x"]
    assert both.interval is None
    assert both.note == "no interval: it is given over all rows and by one attribute"


def test_undefined_where_others_print_zero(tmp_path: Path) -> None:
    data = {"y": np.array([0, 0, 1, 0]), "p": np.array([0, 0, 1, 0]), "g": np.array(["a", "a", "b", "b"]), "h": np.array(["x"] * 4)}
    found = measured(tmp_path, data)
    assert fairlearn.true_positive_rate(data["y"][:2], data["p"][:2], pos_label=1) == 0
    for name in ("recall", "precision", "fnr", "f1", "mcc", "balanced_accuracy"):
        fact = found[f"performance/{name}?g=a"]
        assert fact.status is Status.UNDEFINED
        assert fact.reason
        assert fact.interval is None
    assert found["fairness/equal_opportunity_difference;attribute=g"].status is Status.UNDEFINED


@given(rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=2, max_size=60))
@settings(max_examples=40, deadline=None)
def test_area_and_average_precision_with_ties(rows: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    y = np.array([row[0] for row in rows])
    s = np.array([row[1] / 10 for row in rows])
    data = {"y": y, "s": s, "p": (s >= 0.5).astype(int), "g": np.array(["a"] * len(y)), "h": np.array(["x"] * len(y))}
    found = measured(tmp_path_factory.mktemp("ties"), data)
    if 0 < y.sum() < len(y):
        assert found["performance/auc"].value == pytest.approx(metrics.roc_auc_score(y, s), abs=CLOSE)
        assert found["performance/average_precision"].value == pytest.approx(metrics.average_precision_score(y, s), abs=CLOSE)
    else:
        assert found["performance/auc"].status is Status.UNDEFINED
