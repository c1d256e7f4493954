"""Two models on the same rows: against their definitions, statsmodels and scipy, and by simulation."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wider
from planned_measures import golden
from planned_measures import measured as planned
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from factbook import Book
from factbook.errors import MeasureError, SourceError
from factbook.model import Fact, Status
from factbook.statistics import paired
from measuring import facts, shared, table

metrics = pytest.importorskip("sklearn.metrics")
LEVEL = 0.95
SCORES = "{one: {score: a, cut: 0.5}, two: {score: b, cut: 0.4}}"


def made(rows: int = 300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(31)
    y = (rng.random(rows) < 0.4).astype(int)
    common = rng.normal(size=rows)
    a, b = (1 / (1 + np.exp(-(common * 0.6 + rng.normal(size=rows) * 0.7 + 2 * y * skill - 0.8))) for skill in (1.0, 0.6))
    return {
        "y": y,
        "a": np.round(a, 3),
        "b": np.round(b, 3),
        "g": rng.choice(["x", "z"], rows),
        "c": rng.integers(0, 60, rows),
        "f": np.arange(rows) % 5,
    }


def compared(root: Path, data: dict[str, Any], models: Any, *, source: dict[str, Any] | None = None, **params: Any) -> dict[str, Fact]:
    table(root / "d.parquet", {name: np.asarray(values).tolist() for name, values in data.items()})
    roles = {"uri": "d.parquet", "label": "y", "positive": "1", "by": ["g"], **(source or {})}
    return facts(root, roles, {"m": {"measure": "comparison", "data": "data", "models": models, "by": ["g"], **params}})


TWO = {"one": {"score": "a", "cut": 0.5}, "two": {"score": "b", "cut": 0.4}}


def test_proportions(tmp_path: Path) -> None:
    data = made()
    found = compared(tmp_path, data, TWO)
    for place, rows in (("", np.full(300, True)), ("?g=x", data["g"] == "x")):
        right = {"one": ((data["a"] >= 0.5) == data["y"])[rows], "two": ((data["b"] >= 0.4) == data["y"])[rows]}
        cells = [[int((right["one"] & right["two"]).sum()), int((right["one"] & ~right["two"]).sum())]]
        cells += [[int((~right["one"] & right["two"]).sum()), int((~right["one"] & ~right["two"]).sum())]]
        fact = found[f"m/accuracy_difference;models=one,two{place}"]
        assert fact.value == pytest.approx(right["one"].mean() - right["two"].mean())
        assert fact.counts == {"both": cells[0][0], "first": cells[0][1], "second": cells[1][0], "neither": cells[1][1]}
        exact = mcnemar(cells, exact=True).pvalue
        mid = exact - stats.binom.pmf(min(cells[0][1], cells[1][0]), cells[0][1] + cells[1][0], 0.5)
        assert found[f"m/accuracy_difference_p;models=one,two{place}"].value == pytest.approx(mid, rel=1e-9)
        assert found[f"m/accuracy;model=two{place}"].value == pytest.approx(right["two"].mean())
    recall = [metrics.recall_score(data["y"], data[name] >= cut) for name, cut in (("a", 0.5), ("b", 0.4))]
    assert found["m/recall_difference;models=one,two"].value == pytest.approx(recall[0] - recall[1])


def test_areas_and_losses(tmp_path: Path) -> None:
    data = made()
    found = compared(tmp_path, data, TWO)
    y, areas, parts = data["y"] == 1, [], []
    for score in (data["a"], data["b"]):
        wins = (score[y][:, None] > score[~y][None, :]) + 0.5 * (score[y][:, None] == score[~y][None, :])
        areas.append(wins.mean())
        parts.append((wins.mean(axis=1), wins.mean(axis=0)))
    variance = sum((first - second).var(ddof=1) / len(first) for first, second in zip(*parts, strict=True))
    fact = found["m/auc_difference;models=one,two"]
    assert fact.value == pytest.approx(areas[0] - areas[1], abs=1e-9)
    assert 0.99 < (fact.high - fact.low) / 2 / (stats.t.ppf(0.975, 250) * math.sqrt(variance)) < 1.05  # or wider, where they are skew
    assert found["m/auc;model=one"].value == pytest.approx(metrics.roc_auc_score(data["y"], data["a"]))
    losses = [(data[name] - data["y"]) ** 2 for name in "ab"]
    test = stats.ttest_rel(*losses)
    brier = found["m/brier_difference;models=one,two"]
    assert (brier.low, brier.high) == pytest.approx(wider.mean(losses[0] - losses[1]), rel=1e-9)
    assert found["m/brier_difference_p;models=one,two"].value == pytest.approx(test.pvalue, rel=1e-9)
    log_loss = [metrics.log_loss(data["y"], data[name]) for name in "ab"]
    assert found["m/log_loss_difference;models=one,two"].value == pytest.approx(log_loss[0] - log_loss[1])


def test_p_values_are_adjusted_for_all_slices_and_pairs(tmp_path: Path) -> None:
    found = compared(tmp_path, made(), {**TWO, "three": {"score": "b", "cut": 0.6}})
    family = {key: fact for key, fact in found.items() if fact.key.metric == "accuracy_difference_p" and "adjusted" not in dict(fact.key.params)}
    assert len(family) == 9
    for key, expected in zip(family, multipletests([fact.value for fact in family.values()], method="holm")[1], strict=True):
        fact = found[key.replace("_p;", "_p;adjusted=holm;")]
        assert fact.value == pytest.approx(expected, rel=1e-9)
        assert "over 9 tests" in fact.note


@pytest.mark.parametrize(("n", "p", "q", "both"), [(30, 0.7, 0.6, 0.5), (50, 0.95, 0.9, 0.88), (200, 0.6, 0.6, 0.45), (10, 0.5, 0.5, 0.4)])
def test_paired_proportions_cover(n: int, p: float, q: float, both: float) -> None:
    rng, covered, draws = np.random.default_rng(n), 0, 800
    for a, b, c, d in rng.multinomial(n, [both, p - both, q - both, 1 - p - q + both], draws):
        found = paired.newcombe(int(a), int(b), int(c), int(d), LEVEL)
        covered += found.low <= p - q <= found.high
    assert covered / draws >= 0.935, covered / draws


def test_paired_proportions_are_symmetric_and_defined_without_discordant_pairs() -> None:
    found = paired.newcombe(36, 0, 0, 18, LEVEL)
    assert (found.low, found.high) == (pytest.approx(-found.high), pytest.approx(found.high))
    assert found.high < 0.07
    first, second = paired.newcombe(20, 12, 2, 16, LEVEL), paired.newcombe(20, 2, 12, 16, LEVEL)
    assert (first.low, first.high) == (pytest.approx(-second.high), pytest.approx(-second.low))
    assert first.low > 0


@pytest.mark.parametrize("positives", [12, 60])
def test_paired_auc_differences_cover(positives: int) -> None:
    rng, covered, wide, draws = np.random.default_rng(positives), 0, 0, 400
    label = np.repeat([True, False], [positives, 2 * positives])
    truth = stats.norm.cdf(1.5 / math.sqrt(2)) - stats.norm.cdf(1.0 / math.sqrt(2))
    for _ in range(draws):
        noise = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], len(label))
        found = paired.auc(label, noise[:, 0] + 1.5 * label, noise[:, 1] + label, None, None, LEVEL)
        assert found.interval is not None
        covered += found.interval.low <= truth <= found.interval.high
        wide += found.interval.high - found.interval.low > 0.3
    assert 0.92 <= covered / draws <= 0.985, covered / draws


def test_clusters_make_intervals_wider_and_cover() -> None:
    rng, covered, plain, draws = np.random.default_rng(7), 0, 0, 300
    units = np.repeat(np.arange(40), 6)
    for _ in range(draws):
        shared_noise = rng.normal(size=40)[units]
        difference = 0.1 + shared_noise + 0.5 * rng.normal(size=240)
        for count, clusters in (("plain", None), ("clusters", units)):
            found = paired.mean(difference, None, clusters, LEVEL).interval
            assert found is not None
            covered += count == "clusters" and found.low <= 0.1 <= found.high
            plain += count == "plain" and found.low <= 0.1 <= found.high
    assert covered / draws >= 0.92
    assert plain / draws < 0.7


def test_folds_are_corrected_for_overlapping_training_sets(tmp_path: Path) -> None:
    data = made()
    found = compared(tmp_path, data, TWO, folds="f")
    apart = np.array(
        [((data["a"] >= 0.5) == data["y"])[data["f"] == i].mean() - ((data["b"] >= 0.4) == data["y"])[data["f"] == i].mean() for i in range(5)]
    )
    fact = found["m/accuracy_difference_folds;models=one,two"]
    half = stats.t.ppf(0.975, 4) * math.sqrt(apart.var(ddof=1) * (1 / 5 + 1 / 4))
    assert (fact.value, fact.high - fact.value) == (pytest.approx(apart.mean()), pytest.approx(half))
    assert found["m/auc_difference_folds;models=one,two"].n == 5


def test_weights_count_rows(tmp_path: Path) -> None:
    data = made()
    data["w"] = np.random.default_rng(1).integers(1, 4, 300)
    found = compared(tmp_path / "w", data, TWO, source={"weight": "w"})
    plain = compared(tmp_path / "r", {name: np.repeat(values, data["w"]) for name, values in data.items()}, TWO)
    for name in ("accuracy_difference;models=one,two", "auc_difference;models=one,two", "brier_difference;models=one,two", "accuracy;model=one"):
        assert found[f"m/{name}"].value == pytest.approx(plain[f"m/{name}"].value), name
        assert found[f"m/{name}"].high - found[f"m/{name}"].low > plain[f"m/{name}"].high - plain[f"m/{name}"].low


def test_decisions_of_several_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    y = rng.choice(["cat", "dog", "owl"], 200)
    old, new = (np.where(rng.random(200) < skill, y, "cat") for skill in (0.6, 0.8))
    data = {"y": y, "old": old, "new": new, "g": rng.choice(["x", "z"], 200)}
    found = compared(tmp_path, data, {"new": "new", "old": "old"}, source={"positive": ""})
    assert found["m/accuracy_difference;models=new,old"].value == pytest.approx((new == y).mean() - (old == y).mean())
    assert "m/recall_difference;models=new,old" not in found


def test_two_tables_are_joined_by_key(tmp_path: Path) -> None:
    data = made()
    table(tmp_path / "other.parquet", {"id": list(range(299, -1, -1)), "b2": data["b"][::-1].tolist()})
    found = compared(
        tmp_path,
        {**data, "id": np.arange(300)},
        {"one": TWO["one"], "two": {"score": "b2", "cut": 0.4}},
        source={"key": "id", "join": {"uri": "other.parquet"}},
    )
    assert found["m/auc_difference;models=one,two"].value == pytest.approx(
        metrics.roc_auc_score(data["y"], data["a"]) - metrics.roc_auc_score(data["y"], data["b"])
    )


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    data = made(60)
    with pytest.raises(MeasureError, match="two or more models"):
        compared(tmp_path, data, {"one": "a"})
    with pytest.raises(MeasureError, match="need two classes"):
        compared(tmp_path, data, TWO, source={"positive": ""})
    with pytest.raises(SourceError, match="outside 0 to 1 in 60 rows"):
        compared(tmp_path, {**data, "a": data["a"] + 5}, TWO)
    same = compared(tmp_path, {**data, "b": data["a"]}, {"one": {"score": "a"}, "two": {"score": "b"}})
    fact = same["m/auc_difference;models=one,two"]
    assert (fact.value, fact.interval, fact.note) == (0.0, None, "no interval: the models do not differ in any row")
    assert "m/accuracy_difference;models=one,two" not in same
    alike = compared(tmp_path, {**data, "y": np.ones(60, dtype=int)}, TWO)
    assert alike["m/auc_difference;models=one,two"].status is Status.UNDEFINED


def test_churn_random_forest_clearly_wins(tmp_path: Path) -> None:
    """Scenario: a forest against a logistic regression, cross-validated on the churn data: it is better, and that is established."""
    ensemble, linear = pytest.importorskip("sklearn.ensemble"), pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    preprocessing, pipeline = pytest.importorskip("sklearn.preprocessing"), pytest.importorskip("sklearn.pipeline")
    with shared("churn/mlc_churn.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    numeric = [name for name in rows[0] if all(_is_number(row[name]) for row in rows[:50]) and name != "churn"]
    x = np.array([[float(row[name]) for name in numeric] for row in rows])
    y = np.array([int(row["churn"] == "yes") for row in rows])
    fold = np.zeros(len(y), dtype=int)
    models = {
        "forest": ensemble.RandomForestClassifier(60, random_state=0),
        "logistic": pipeline.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression()),
    }
    scored = {name: np.zeros(len(y)) for name in models}
    for i, (train, test) in enumerate(selection.StratifiedKFold(5, shuffle=True, random_state=0).split(x, y)):
        fold[test] = i
        for name, model in models.items():
            scored[name][test] = model.fit(x[train], y[train]).predict_proba(x[test])[:, 1]
    data = {"y": y, "a": scored["forest"], "b": scored["logistic"], "g": np.resize(["x", "z"], len(y)), "f": fold}
    found = compared(tmp_path, data, {"forest": {"score": "a", "cut": 0.5}, "logistic": {"score": "b", "cut": 0.5}}, folds="f")
    for name in ("accuracy_difference", "auc_difference", "auc_difference_folds", "accuracy_difference_folds"):
        fact = found[f"m/{name};models=forest,logistic"]
        assert fact.low > 0.01, name
        assert found[f"m/{name}_p;adjusted=holm;models=forest,logistic"].value < 0.01


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_golden(tmp_path: Path) -> None:
    from factbook.measures import comparison

    data: dict[str, list[Any]] = {"y": [], "a": [], "b": [], "g": []}
    state = 7
    for i in range(120):
        draws = []
        for _ in range(3):
            state = (1103515245 * state + 12345) % 2**31
            draws.append(state / 2**31)
        y = int(draws[0] < 0.4)
        data["y"].append(str(y))
        data["a"].append(round(min(0.99, 0.6 * draws[1] + 0.4 * y), 2))
        data["b"].append(round(min(0.99, 0.8 * draws[2] + 0.2 * y), 2))
        data["g"].append("xz"[i % 3 == 0])
    found = planned(tmp_path, data, ", label: y, positive: '1', by: [g]", f"measure: comparison, data: data, models: {SCORES}, by: [g]")
    golden("comparison", comparison.VERSION, found)


def test_another_order_of_the_models_is_another_measurement(tmp_path: Path) -> None:
    """The difference is of the first less the second, so that the order decides the facts; that of the names alone is no news."""
    values = made()
    table(tmp_path / "d.parquet", {name: list(column) for name, column in values.items()})
    source = 'sources: {data: {uri: d.parquet, label: y, positive: "1"}}\n'

    def book(models: str) -> Book:
        plan = f"plan: {{m: {{measure: comparison, data: data, models: {models}}}}}\n"
        (tmp_path / "factbook.yaml").write_text(f"factbook: 1\nsubject: {{name: test}}\n{source}{plan}", encoding="utf-8")
        return Book(tmp_path)

    turned = "{two: {score: b, cut: 0.4}, one: {score: a, cut: 0.5}}"
    book(SCORES).measure()
    assert [item.state for item in book(SCORES).freshness()] == ["fresh"]
    assert [(str(item.state), item.reason) for item in book(turned).freshness()] == [("stale", "its parameters changed")]
    book(turned).measure()
    assert [item.state for item in book(turned).freshness()] == ["fresh"]
    assert "m/accuracy_difference;models=two,one" in {str(fact.key) for fact in book(turned).facts()}
    assert [item.state for item in book(SCORES).freshness()] == ["stale"]
