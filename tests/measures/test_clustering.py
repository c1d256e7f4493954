"""Clusterings: equal to scikit-learn, undefined where undefined, the same in any order and under any names, intervals that cover."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned_measures import SHARED, facts, golden, measured
from scipy.cluster.vq import kmeans2
from sklearn import metrics as oracle

from factbook.errors import MeasureError, SourceError
from factbook.measures import clustering
from factbook.model import Status

PLAN = "measure: clustering, data: data, clusters: c, labels: l"
ORACLES = {
    "adjusted_rand": oracle.adjusted_rand_score,
    "homogeneity": oracle.homogeneity_score,
    "completeness": oracle.completeness_score,
    "v_measure": oracle.v_measure_score,
}


def table(n: int = 200, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    label = random.integers(0, 3, n)
    cluster = np.where(random.random(n) < 0.7, label, random.integers(0, 4, n))
    points = random.normal(size=(n, 2)) + cluster[:, None]
    return {"l": label, "c": cluster, "x": points[:, 0], "y": points[:, 1], "g": random.choice(["a", "b"], n)}


def check(found: dict, label: np.ndarray, cluster: np.ndarray, place: str = "") -> None:
    for name, expected in ORACLES.items():
        assert found[name + place].value == pytest.approx(expected(label, cluster), rel=1e-9, abs=1e-12), name
    normalised = oracle.normalized_mutual_info_score(label, cluster)
    assert found["v_measure" + place].value == pytest.approx(normalised, rel=1e-9, abs=1e-12)


def test_equal_to_scikit_learn_overall_and_by_group(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, ", by: [g]", PLAN + ", features: [x, y], by: [g]"))
    points = np.stack([data["x"], data["y"]], axis=1)
    for place, chosen in (("", np.ones(200, dtype=bool)), ("?g=a", data["g"] == "a")):
        check(found, data["l"][chosen], data["c"][chosen], place)
        assert found["silhouette" + place].value == pytest.approx(oracle.silhouette_score(points[chosen], data["c"][chosen]), rel=1e-9)
        assert all(found[name + place].low < found[name + place].value < found[name + place].high for name in ORACLES)
    assert found["purity"].value == oracle.cluster.contingency_matrix(data["l"], data["c"]).max(axis=0).sum() / 200


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_equal_to_scikit_learn_on_small_tables(tmp_path, pairs):
    label, cluster = (np.array(column) for column in zip(*pairs, strict=True))
    check(facts(measured(tmp_path, {"l": label, "c": cluster}, "", PLAN)), label, cluster)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), min_size=3, max_size=25))
def test_the_silhouette_of_scikit_learn_also_with_equal_points_and_lone_rows(rows):
    points, clusters = np.array([row[:2] for row in rows], dtype=float), np.array([row[2] for row in rows])
    if 2 <= len(set(clusters.tolist())) < len(rows):
        assert clustering.silhouette(points, clusters) == pytest.approx(oracle.silhouette_score(points, clusters), rel=1e-9, abs=1e-12)


def test_the_silhouette_is_the_same_in_blocks(monkeypatch):
    data = table()
    points = np.stack([data["x"], data["y"]], axis=1)
    whole = clustering.silhouette(points, data["c"])
    monkeypatch.setattr(clustering, "_BLOCK", 1000)
    assert clustering.silhouette(points, data["c"]) == whole


def test_the_real_data_of_heart_disease(tmp_path):
    path = SHARED / "medical" / "heart_disease.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    frame = pacsv.read_csv(path)
    points = np.stack([frame[name].to_numpy().astype(float) for name in ("Age", "MaxHR")], axis=1)
    clusters, label = kmeans2(points, 3, seed=1, minit="++")[1], frame["HeartDisease"].to_numpy()
    data = {"c": clusters, "l": label, "age": points[:, 0], "rate": points[:, 1], "sex": frame["Sex"].to_pylist()}
    found = facts(measured(tmp_path, data, ", by: [sex]", PLAN + ", features: [age, rate], by: [sex]"))
    check(found, label, clusters)
    assert found["silhouette"].value == pytest.approx(oracle.silhouette_score(points, clusters), rel=1e-9)
    women = np.array(data["sex"]) == "F"
    check(found, label[women], clusters[women], "?sex=F")


def test_the_same_in_any_order_partitioning_and_under_any_names(tmp_path):
    data = pa.table(table())
    plan = PLAN + ", features: [x, y], by: [g]"
    one = measured(tmp_path, data, ", by: [g]", plan)
    assert one.facts == measured(tmp_path, data.take(np.random.default_rng(2).permutation(200)), ", by: [g]", plan, parts=6).facts
    renamed = {**table(), "c": np.array(["q", "b", "z", "a"])[table()["c"]]}
    other = facts(measured(tmp_path, renamed, ", by: [g]", plan))
    for key, fact in facts(one).items():
        assert other[key].value == pytest.approx(fact.value, rel=1e-11)


def test_undefined_is_not_zero(tmp_path):
    one = facts(measured(tmp_path, {"l": ["x"], "c": ["y"], "f": [1.0]}, "", PLAN + ", features: [f]"))
    assert one["adjusted_rand"].reason == "0 of 0: there is one row"
    assert one["silhouette"].status is Status.UNDEFINED
    perfect = facts(measured(tmp_path, {"l": [1, 2] * 20, "c": [3, 4] * 20}, "", PLAN))
    assert [(perfect[name].value, perfect[name].interval) for name in ORACLES] == [(1.0, None)] * 4
    alike = facts(measured(tmp_path, {"l": [1, 2] * 20, "c": [3] * 40}, "", PLAN))
    assert (alike["homogeneity"].value, alike["completeness"].value, alike["completeness"].interval) == (0.0, 1.0, None)


def test_small_groups_are_suppressed(tmp_path):
    data = table() | {"g": np.repeat(["few", "next", "many"], [9, 30, 161])}
    found = facts(measured(tmp_path, data, ", by: [g]", PLAN + ", by: [g]", below=10))
    assert [found[f"v_measure?g={group}"].status for group in ("few", "next", "many")] == [Status.SUPPRESSED, Status.SUPPRESSED, Status.MEASURED]


@pytest.mark.parametrize(
    ("change", "plan", "error", "said"),
    [
        ({}, PLAN.replace(", labels: l", ""), MeasureError, "give `labels`"),
        ({"c": ["a", None]}, PLAN, SourceError, r"column 'c' \(clusters\) is missing in 1 of 2 rows"),
        ({}, PLAN + ", features: [l]", SourceError, "no number"),
    ],
)
def test_what_contradicts_the_declaration_is_refused(tmp_path, change, plan, error, said):
    with pytest.raises(error, match=said):
        measured(tmp_path, {"c": ["a", "b"], "l": ["x", "y"]} | change, "", plan)


def test_golden(tmp_path):
    data = {name: values.round(2) if values.dtype == float else values for name, values in table(80).items()}
    golden("clustering", clustering.VERSION, measured(tmp_path, data, ", by: [g]", PLAN + ", features: [x, y], by: [g]"))


def test_intervals_cover():
    random, n = np.random.default_rng(3), 400
    shares = np.array([[0.25, 0.05, 0.02], [0.04, 0.2, 0.06], [0.03, 0.05, 0.3]])
    many = np.rint(shares * 10_000_000).astype(np.int64)
    truth = {name: value[0] for name, value in {"adjusted_rand": clustering._rand(many), **clustering._information(many)}.items()}
    hits = {name: [] for name in ORACLES}
    for counts in random.multinomial(n, shares.reshape(-1), size=2000):
        answer = clustering.Answer("m", 0.95, {item.name: item for item in clustering.METRICS}, frozenset(), "")
        clustering._add_agreement(answer, counts.reshape(3, 3), ())
        for fact in answer.facts:
            if fact.key.metric in hits:
                hits[fact.key.metric].append(fact.low <= truth[fact.key.metric] <= fact.high)
    assert all(0.94 <= np.mean(hit) <= 0.96 for hit in hits.values()), {name: np.mean(hit) for name, hit in hits.items()}


def test_internal_indices_equal_scikit_learn(tmp_path):
    random = np.random.default_rng(12)
    clusters = random.integers(0, 4, 300)
    data = {"c": clusters, "k": random.integers(0, 3, 300), "x": clusters + random.normal(0, 0.4, 300) + 1e6, "y": random.normal(0, 0.4, 300)}
    found = facts(measured(tmp_path, data, "", "measure: clustering, data: data, clusters: c, labels: k, features: [x, y]"))
    points = np.stack([data["x"] - 1e6, data["y"]], axis=1)  # scikit-learn loses digits far from 0
    assert found["davies_bouldin"].value == pytest.approx(oracle.davies_bouldin_score(points, clusters), rel=1e-7)
    assert found["calinski_harabasz"].value == pytest.approx(oracle.calinski_harabasz_score(points, clusters), rel=1e-7)
    assert found["fowlkes_mallows"].value == pytest.approx(oracle.fowlkes_mallows_score(data["k"], clusters))


def test_internal_indices_that_are_not_defined(tmp_path):
    plan = "measure: clustering, data: data, clusters: c, features: [x]"
    found = facts(measured(tmp_path, {"c": [0, 0, 1, 1], "x": [1.0, 1.0, 1.0, 1.0]}, "", plan))
    assert found["davies_bouldin"].reason == "two clusters have one centre"
    assert found["calinski_harabasz"].reason == "no cluster has any spread"
    alone = facts(measured(tmp_path, {"c": [0, 0], "x": [1.0, 2.0]}, "", plan))
    assert "not at least two clusters" in alone["davies_bouldin"].reason


def test_chance_agreement_has_the_variance_of_permutations():
    random = np.random.default_rng(2)
    clusters, classes = np.repeat([0, 1, 2], [30, 25, 10]), np.repeat([0, 1], [20, 45])
    each = [oracle.adjusted_rand_score(clusters, random.permutation(classes)) for _ in range(4000)]
    assert clustering.chance(clustering.contingency(clusters, classes)) == pytest.approx(np.var(each), rel=0.15)
    assert clustering.chance(np.array([[1, 1], [1, 0]])) == 0


@pytest.mark.parametrize("n", [100, 400])
def test_intervals_of_clusters_that_say_nothing_hold(n):
    """Without agreement the delta method alone covers .76."""
    random, covered = np.random.default_rng(7), 0
    for _ in range(300):
        table = clustering.contingency(random.integers(0, 2, n), random.integers(0, 3, n))
        answer = clustering.Answer("m", 0.95, {item.name: item for item in clustering.METRICS}, frozenset(), "")
        clustering._add_agreement(answer, table, ())
        fact = next(fact for fact in answer.facts if fact.key.metric == "adjusted_rand")
        covered += fact.low <= 0 <= fact.high
    assert covered >= 285
