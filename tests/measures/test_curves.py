"""Points of curves are scikit-learn's, regressions statsmodels', and what has an interval covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from factbook.engines import tallies
from factbook.errors import MeasureError
from factbook.measures import curves
from factbook.measures.binary import Counts
from factbook.measures.scores import Scored
from factbook.model import Fact, Status
from measuring import facts, table

metrics = pytest.importorskip("sklearn.metrics")
statsmodels = pytest.importorskip("statsmodels.api")
CLOSE = 1e-9


def generated(rows: int = 1500, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.3).astype(int)
    s = np.round(1 / (1 + np.exp(-(1.4 * (rng.normal(size=rows) + 1.2 * y - 1)))), 2).clip(0.01, 0.99)
    return {"y": y, "s": s, "g": rng.choice(["a", "b"], rows), "w": np.round(rng.lognormal(size=rows), 3) + 0.01, "c": rng.integers(0, 150, rows)}


def measured(root: Path, data: dict[str, np.ndarray], plan: dict[str, Any] | None = None, **roles: Any) -> dict[str, Fact]:
    table(root / "d.parquet", {name: values.tolist() for name, values in data.items()})
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5", "by": ["g"], **roles}
    planned = {"m": {"measure": "classification", "data": "data", "by": ["g"], **(plan or {"curves": "yes"})}}
    return facts(root, source, planned, suppress_below="0")


@pytest.mark.parametrize("weighted", [False, True])
def test_points_are_scikit_learns(weighted: bool, tmp_path: Path) -> None:
    data = generated()
    y, s, w = data["y"], data["s"], data["w"] if weighted else np.ones(len(data["y"]))
    found = measured(tmp_path, data, **({"weight": "w"} if weighted else {}))
    fpr, tpr, _ = metrics.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    for rate in ("0.01", "0.1", "0.5"):
        assert found[f"m/roc;fpr={rate}"].value == pytest.approx(np.interp(float(rate), fpr, tpr), abs=CLOSE)
    precision, recall, _ = metrics.precision_recall_curve(y, s, sample_weight=w)
    for level in ("0.2", "0.5", "0.9"):
        reached = np.flatnonzero(recall >= float(level))[-1]
        assert found[f"m/precision_at_recall;recall={level}"].value == pytest.approx(precision[reached], abs=CLOSE)
    for threshold in ("0.05", "0.35", "0.8"):
        p = (s >= float(threshold)).astype(int)
        assert found[f"m/recall;threshold={threshold}"].value == pytest.approx(metrics.recall_score(y, p, sample_weight=w), abs=CLOSE)
        assert found[f"m/precision;threshold={threshold}"].value == pytest.approx(metrics.precision_score(y, p, sample_weight=w), abs=CLOSE)
        assert found[f"m/f1;threshold={threshold}"].value == pytest.approx(metrics.f1_score(y, p, sample_weight=w), abs=CLOSE)
        assert found[f"m/f1;threshold={threshold}"].interval is not None
    for i, name in enumerate(curves.BINS):
        inside = np.searchsorted(np.linspace(0, 1, 11)[1:-1], s) == i
        assert found[f"m/observed;bin={name}"].value == pytest.approx(np.average(y[inside], weights=w[inside]), abs=CLOSE)
        assert found[f"m/mean_score;bin={name}"].value == pytest.approx(np.average(s[inside], weights=w[inside]), abs=CLOSE)
    assert found["m/calibration_in_the_large"].value == pytest.approx(np.average(y - s, weights=w), abs=CLOSE)


def test_the_rates_at_the_cut_are_the_rates(tmp_path: Path) -> None:
    found = measured(tmp_path, generated(), {"thresholds": ["0.5"], "curves_in": "slices"})
    for name in curves.SWEPT:
        for place in ("", "?g=a", "?g=b"):
            cut, plain = found[f"m/{name};threshold=0.5{place}"], found[f"m/{name}{place}"]
            assert (cut.value, cut.low, cut.high, cut.counts) == (plain.value, plain.low, plain.high, plain.counts)


def test_narrow_floats_are_cut_as_they_are_stored(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = generated()
    pq.write_table(pa.table({"y": data["y"], "s": pa.array(data["s"], pa.float32())}), tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.35"}
    found = facts(tmp_path, source, {"m": {"measure": "classification", "data": "data", "thresholds": ["0.35"]}})
    assert found["m/recall;threshold=0.35"].counts == found["m/recall"].counts


def test_gains_are_those_of_sorted_rows(tmp_path: Path) -> None:
    data = generated()
    data["s"] = (stats.rankdata(data["s"] + np.linspace(0, 1e-4, 1500)) - 0.5) / 1500
    found = measured(tmp_path, data)
    order = np.argsort(-data["s"])
    for top in ("0.1", "0.5"):
        hits = data["y"][order][: round(float(top) * 1500)].sum() / data["y"].sum()
        assert found[f"m/gains;top={top}"].value == pytest.approx(hits, abs=CLOSE)
        assert found[f"m/lift;top={top}"].value == pytest.approx(hits / float(top), abs=CLOSE)
    assert found["m/gains;top=1"].value == 1


def without_skewness(model: Any, error: float) -> tuple[float, float]:
    """The hull of Student's t, one degree fewer than rows that carry the variance, and of Hall's cubic transformation, inverted by search."""
    bread = model.normalized_cov_params / model.scale
    influence = (model.model.exog * model.resid_response[:, None]) @ bread[:, 0]
    n, spread = len(influence), float((influence**2).sum())
    far = stats.t.ppf(0.975, spread**2 / float((influence**4).sum()) - 1) * error
    skew, t = float((influence**3).sum()) / spread**1.5, stats.t.ppf(0.975, n - 1)

    def hall(x: float, end: float) -> float:
        return x + skew * x**2 / 3 + skew**2 * x**3 / 27 + skew / 6 - end

    low, high = (model.params[0] - error * optimize.brentq(hall, -50, 50, args=(end,)) for end in (t, -t))
    return min(low, model.params[0] - far), max(high, model.params[0] + far)


@pytest.mark.parametrize("clustered", [False, True])
def test_slope_and_intercept_are_statsmodels(clustered: bool, tmp_path: Path) -> None:
    import hashlib

    data = generated()
    found = measured(tmp_path, data, **({"cluster": "c"} if clustered else {}))
    y, logit = data["y"], np.log(data["s"] / (1 - data["s"]))
    groups = np.array([hashlib.md5(str(c).encode()).digest()[0] % 64 for c in data["c"]])
    robust = {"cov_type": "cluster", "cov_kwds": {"groups": groups}} if clustered else {"cov_type": "HC0"}
    slope = statsmodels.Logit(y, np.stack([logit, np.ones(len(y))], axis=1)).fit(disp=0, method="newton")
    fitted = statsmodels.GLM(y, np.stack([logit, np.ones(len(y))], axis=1), family=statsmodels.families.Binomial()).fit(tol=1e-14, **robust)
    large = statsmodels.GLM(y, np.ones(len(y)), offset=logit, family=statsmodels.families.Binomial()).fit(tol=1e-14, **robust)
    size = len(np.unique(groups)) if clustered else len(y)
    for name, model, columns in (("slope", fitted, 2), ("intercept", large, 1)):
        fact = found[f"m/calibration_{name}"]
        correction = np.sqrt((len(y) - columns) / (len(y) - 1)) if clustered else np.sqrt(len(y) / (len(y) - 1))
        error = model.bse[0] * correction
        assert fact.value == pytest.approx(model.params[0], abs=1e-8)
        if clustered:
            half = stats.t.ppf(0.975, size - 1) * error
            assert (fact.low, fact.high) == pytest.approx((model.params[0] - half, model.params[0] + half), abs=1e-6)
        else:
            assert (fact.low, fact.high) == pytest.approx(without_skewness(model, error), abs=1e-6)
    assert slope.params[0] == pytest.approx(found["m/calibration_slope"].value, abs=1e-6)


def test_the_brier_score_is_the_sum_of_its_parts_where_bins_hold_one_score(tmp_path: Path) -> None:
    data = generated()
    data["s"] = np.round(data["s"], 1).clip(0.1, 0.9) - 0.05
    found = measured(tmp_path, data)
    parts = {name: found[f"m/brier_{name}"].value for name in ("reliability", "resolution", "uncertainty")}
    assert found["m/brier"].value == pytest.approx(parts["reliability"] - parts["resolution"] + parts["uncertainty"], abs=1e-9)
    assert found["m/brier_skill"].value == pytest.approx(1 - found["m/brier"].value / parts["uncertainty"], abs=1e-9)


def test_the_best_threshold_is_told_with_its_optimism(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data, {"thresholds": ["0.3", "0.5", "0.7"], "criterion": "f1"})
    scores = {t: metrics.f1_score(data["y"], data["s"] >= t) for t in (0.3, 0.5, 0.7)}
    fact = found["m/best_threshold;criterion=f1"]
    assert fact.value == max(scores, key=lambda t: scores[t])
    assert "optimistic" in fact.note
    assert not any("best_threshold" in key for key in measured(tmp_path, data))
    with pytest.raises(MeasureError, match="`criterion` chooses among `thresholds`"):
        measured(tmp_path, data, {"criterion": "f1"})


def test_no_curves_unless_planned_and_not_without_a_score(tmp_path: Path) -> None:
    data = generated()
    assert not any(";" in key for key in measured(tmp_path, data, {"top_k": ["1"]}))
    table(tmp_path / "p.parquet", {"y": data["y"].tolist(), "p": (data["s"] > 0.5).astype(int).tolist()})
    source = {"uri": "p.parquet", "label": "y", "positive": "1", "prediction": "p"}
    with pytest.raises(MeasureError, match="curves need a score"):
        facts(tmp_path, source, {"m": {"measure": "classification", "data": "data", "curves": "yes"}})


def test_scores_far_from_the_outcomes_have_a_slope(tmp_path: Path) -> None:
    rng = np.random.default_rng(41)
    y = (rng.random(40) < 0.3).astype(int)
    logit = rng.normal(-28, 1, 40)
    found = measured(tmp_path, {"y": y, "s": 1 / (1 + np.exp(-logit)), "g": np.repeat("a", 40)})
    fitted = statsmodels.GLM(y, np.stack([logit + 28, np.ones(40)], axis=1), family=statsmodels.families.Binomial()).fit(tol=1e-14)
    assert found["m/calibration_slope"].value == pytest.approx(fitted.params[0], abs=1e-6)
    large = statsmodels.GLM(y, np.ones(40), offset=logit, family=statsmodels.families.Binomial()).fit(tol=1e-14, maxiter=300)
    assert found["m/calibration_intercept"].value == pytest.approx(large.params[0], abs=1e-6)


def test_points_of_binned_scores_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "CAP", 100)
    data = generated()
    data["s"] = np.random.default_rng(0).random(1500)
    found = measured(tmp_path, data)
    for key in (
        "roc;fpr=0.1",
        "precision_at_recall;recall=0.5",
        "gains;top=0.1",
        "lift;top=0.1",
        "mean_score;bin=0.5-0.6",
        "brier_skill",
        "brier_resolution",
    ):
        assert found[f"m/{key}"].note.startswith("scores are counted in bins")


@pytest.mark.parametrize("cap", [1 << 19, 50])
def test_weighted_rates_at_thresholds_and_in_bins_count_rows(cap: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "CAP", cap)
    data = generated()
    data["w"] = np.round(data["w"] / 1000, 5) + 1e-5
    found = measured(tmp_path, data, weight="w")
    for name in ("precision", "recall", "npv", "accuracy"):
        assert found[f"m/{name};threshold=0.5"].n == pytest.approx(found[f"m/{name}"].n, abs=30 if cap == 50 else 0)
    assert found["m/observed;bin=0.5-0.6"].n == pytest.approx(((data["s"] > 0.5) & (data["s"] <= 0.6)).sum(), abs=30 if cap == 50 else 0)


def test_undefined_slope_where_a_score_is_certain(tmp_path: Path) -> None:
    data = generated()
    data["s"][0] = 1.0
    assert measured(tmp_path, data)["m/calibration_slope"].status is Status.UNDEFINED


def scored(y: np.ndarray, s: np.ndarray) -> Scored:
    keys, place = np.unique(s, return_inverse=True)
    weights = np.bincount(place, weights=y, minlength=len(keys)), np.bincount(place, weights=1 - y, minlength=len(keys))
    return Scored(keys, keys, weights, weights, True)


@pytest.mark.parametrize(
    "name", ["calibration_slope", "calibration_intercept", "brier_skill", "calibration_in_the_large", "gains;top=0.1", "gains;top=0.5"]
)
def test_they_cover(name: str) -> None:
    from factbook.measures.classification import METRICS
    from factbook.measures.request import Answer

    def drawn(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        logit = rng.normal(-1, 1.2, rows)
        return (rng.random(rows) < 1 / (1 + np.exp(0.3 - 0.8 * logit))).astype(int), 1 / (1 + np.exp(-logit))

    def fact(rng: np.random.Generator, rows: int) -> Fact:
        y, s = drawn(rng, rows)
        answer = Answer("m", 0.95, {metric.name: metric for metric in METRICS}, frozenset(), "")
        counts = Counts((0, int((1 - y).sum()), 0, int(y.sum()), 0, 0))
        curves.add(answer, curves.Place((), counts, scored(y, s), None, False), ("gains", "calibration"), (), "")
        return next(item for item in answer.facts if str(item.key) == f"m/{name}")

    rng, covered, draws = np.random.default_rng(2), 0, 300
    truth = fact(rng, 400_000).value
    for _ in range(draws):
        found = fact(rng, 300)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / draws >= 0.93, covered / draws
