"""Agreement: equal to scikit-learn, statsmodels and Krippendorff's worked example, undefined where undefined, the same in any order."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned_measures import SHARED, facts, golden, measured
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from factbook.errors import MeasureError, SourceError
from factbook.measures import agreement
from factbook.model import Status
from factbook.statistics import kappa

PLAN = "measure: agreement, data: data, annotators: [a, b], scale: nominal"
THREE = "measure: agreement, data: data, annotators: [a, b, c], scale: "
KRIPPENDORFF = {
    "a": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "b": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "c": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "d": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}


def table(n: int = 200, seed: int = 1, annotators: str = "abc", values: int = 4) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, values, n)
    return {name: np.where(random.random(n) < 0.7, truth, random.integers(0, values, n)) for name in annotators}


def reference(rows: list[list[float]], scale: str) -> float:
    """Alpha from the coincidences of all ordered pairs, with the distances of Krippendorff 2011."""
    units = [[value for value in row if value is not None] for row in rows]
    units = [unit for unit in units if len(unit) > 1]
    every = [value for unit in units for value in unit]
    count = {value: every.count(value) for value in every}

    def apart(x: float, y: float) -> float:
        if scale == "nominal":
            return float(x != y)
        if scale == "interval":
            return (x - y) ** 2
        low, high = min(x, y), max(x, y)
        return (sum(count[value] for value in count if low <= value <= high) - (count[x] + count[y]) / 2) ** 2

    observed = sum(sum(apart(x, y) for x, y in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / len(every)
    expected = sum(apart(x, y) for x, y in permutations(every, 2)) / len(every) / (len(every) - 1)
    return 1 - observed / expected


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_own_example(tmp_path, scale, alpha):
    found = facts(measured(tmp_path, KRIPPENDORFF, "", f"measure: agreement, data: data, annotators: [a, b, c, d], scale: {scale}"))
    assert found["krippendorff_alpha"].value == pytest.approx(alpha, abs=5e-4)
    assert (found["items"].value, found["ratings"].value) == (11, 40)
    assert found["krippendorff_alpha"].value == pytest.approx(reference(list(zip(*KRIPPENDORFF.values(), strict=True)), scale), rel=1e-9)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(*[st.none() | st.integers(-3, 6)] * 3), min_size=2, max_size=12).filter(
        lambda rows: len({value for row in rows if sum(value is not None for value in row) > 1 for value in row if value is not None}) > 1
    ),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_is_that_of_all_pairs(tmp_path, rows, scale):
    data = {name: pa.array([row[j] for row in rows], pa.float64()) for j, name in enumerate("abc")}
    found = facts(measured(tmp_path, data, "", THREE + scale))
    assert found["krippendorff_alpha"].value == pytest.approx(reference(rows, scale), rel=1e-9, abs=1e-12)


def test_equal_to_scikit_learn_and_statsmodels(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, "", THREE + "interval"))
    for one, other in ("ab", "ac", "bc"):
        for name, weights in (("cohen_kappa", None), ("weighted_kappa", "quadratic")):
            fact = found[f"{name};annotators={one},{other}"]
            assert fact.value == pytest.approx(cohen_kappa_score(data[one], data[other], weights=weights), rel=1e-9)
        counts = np.histogram2d(data[one], data[other], bins=4)[0]
        for name, weights in (("cohen_kappa", None), ("weighted_kappa", "quadratic")):
            oracle = inter_rater.cohens_kappa(counts, wt=weights)
            own = kappa._weighted(counts, np.eye(4) if weights is None else kappa.quadratic(np.arange(4.0)))
            assert math.sqrt(own.variance(counts) * (1 - 1 / counts.sum())) == pytest.approx(oracle.std_kappa, rel=1e-9)
            low, high = found[f"{name};annotators={one},{other}"].interval
            assert low <= oracle.kappa - 1.9 * oracle.std_kappa
            assert high >= oracle.kappa + 1.9 * oracle.std_kappa * (1 - oracle.kappa)
    counts, _ = inter_rater.aggregate_raters(np.stack(list(data.values()), axis=1))
    assert found["fleiss_kappa"].value == pytest.approx(inter_rater.fleiss_kappa(counts), rel=1e-9)
    equal = found["observed_agreement;annotators=a,b"]
    assert (equal.counts["k"], equal.n) == ((data["a"] == data["b"]).sum(), 200)


def test_the_real_data_of_heart_disease(tmp_path):
    path = SHARED / "medical" / "heart_disease.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    frame = pacsv.read_csv(path)
    angina = ["1" if value == "Y" else "0" for value in frame["Angina"].to_pylist()]
    data = {"a": angina, "b": [str(value) for value in frame["HeartDisease"].to_pylist()], "sex": frame["Sex"].to_pylist()}
    found = facts(measured(tmp_path, data, ", by: [sex]", PLAN + ", by: [sex]"))
    women = [value == "F" for value in data["sex"]]
    for place, chosen in (("", [True] * len(women)), ("?sex=F", women)):
        one, other = ([value for value, own in zip(data[name], chosen, strict=True) if own] for name in "ab")
        assert found[f"cohen_kappa{place}"].value == pytest.approx(cohen_kappa_score(one, other), rel=1e-9)
        assert found[f"krippendorff_alpha{place}"].value == pytest.approx(reference(list(zip(one, other, strict=True)), "nominal"), rel=1e-9)


def test_the_jackknife_is_that_over_items(tmp_path):
    data = table(30)
    found = facts(measured(tmp_path, data, "", THREE + "ordinal"))["krippendorff_alpha"]
    rows = np.stack(list(data.values()), axis=1).tolist()
    without = np.array([reference(rows[:i] + rows[i + 1 :], "ordinal") for i in range(30)])
    squares = (without - without.mean()) ** 2
    error, bias = (29 / 30 * squares.sum()) ** 0.5, 29 * (without.mean() - found.value)
    freedom = squares.sum() ** 2 / (squares**2).sum() - 1
    ends = []
    for centre, t in ((found.value - max(bias, 0), -2.045229642132703), (found.value - min(bias, 0), stats.t.ppf(0.975, freedom))):
        ends.append(np.tanh(np.arctanh(centre) + t * error / (1 - centre**2)))
    assert found.interval == pytest.approx(tuple(ends), rel=1e-9)


def test_the_declared_order_counts_and_not_the_alphabet(tmp_path):
    words = np.array(["bad", "fair", "good", "best"])
    data = table()
    plan = THREE + "ordinal, order: [bad, fair, good, best]"
    named = facts(measured(tmp_path, {name: words[values] for name, values in data.items()}, "", plan))
    numbers = facts(measured(tmp_path, data, "", THREE + "ordinal"))
    for name in ("krippendorff_alpha", "weighted_kappa;annotators=a,b"):
        assert named[name].value == numbers[name].value


def test_the_same_in_any_order_and_partitioning(tmp_path):
    data = pa.table(table() | {"g": np.repeat(["x", "y"], 100)})
    one = measured(tmp_path, data, ", by: [g]", THREE + "ordinal, by: [g]")
    other = measured(tmp_path, data.take(np.random.default_rng(2).permutation(200)), ", by: [g]", THREE + "ordinal, by: [g]", parts=6)
    assert one.facts == other.facts


def test_undefined_is_not_zero(tmp_path):
    same = facts(measured(tmp_path, {"a": ["x"] * 3, "b": ["x"] * 3}, "", PLAN))
    assert same["observed_agreement"].value == 1.0
    for name in ("cohen_kappa", "fleiss_kappa", "krippendorff_alpha"):
        assert (same[name].status, same[name].reason[:6]) == (Status.UNDEFINED, "0 of 0")
    apart = facts(measured(tmp_path, {"a": ["x", None], "b": [None, "y"]}, "", PLAN))
    assert apart["items"].value == 0
    assert apart["krippendorff_alpha"].reason == "0 of 0: no item has two ratings"
    grouped = facts(measured(tmp_path, {"a": ["x", "y"], "b": [None, "y"], "g": [1, 2]}, ", by: [g]", PLAN + ", by: [g]"))
    assert (grouped["items?g=1"].value, grouped["krippendorff_alpha?g=1"].status) == (0, Status.UNDEFINED), "a group that nobody rated twice"
    perfect = facts(measured(tmp_path, {"a": ["x", "y"] * 10, "b": ["x", "y"] * 10}, "", PLAN))
    assert (perfect["cohen_kappa"].value, perfect["cohen_kappa"].high, perfect["krippendorff_alpha"].interval) == (1.0, 1.0, None)
    assert 0.6 < perfect["cohen_kappa"].low < 0.9


def test_what_few_items_of_a_group_say_is_not_published(tmp_path):
    data = table(100) | {"g": ["x"] * 50 + ["y"] * 50}
    data["c"] = [int(value) if i < 4 or i >= 50 else None for i, value in enumerate(data["c"])]
    found = facts(measured(tmp_path, data, ", by: [g]", THREE + "nominal, by: [g]", below=10))
    assert found["cohen_kappa;annotators=a,c?g=x"].reason == "fewer than 10 items are rated by both"
    assert found["cohen_kappa;annotators=a,c?g=x"].n is None
    assert found["cohen_kappa;annotators=a,b?g=x"].n == 50
    data["g"] = ["x"] * 9 + ["y"] * 20 + ["z"] * 71
    found = facts(measured(tmp_path, data, ", by: [g]", THREE + "nominal, by: [g]", below=10))
    assert [found[f"items?g={group}"].status for group in "xyz"] == [Status.SUPPRESSED, Status.SUPPRESSED, Status.MEASURED]


@pytest.mark.parametrize(
    ("plan", "error", "said"),
    [
        (PLAN.replace("[a, b]", "[a]"), MeasureError, "at least two"),
        (PLAN + ", order: [x, y]", MeasureError, "ordinal"),
        (PLAN.replace("nominal", "ordinal, order: [x, z]"), SourceError, "'y', which is not in `order`"),
        (PLAN.replace("nominal", "interval"), SourceError, "no number"),
        (PLAN.replace("nominal", "ratio"), MeasureError, "scale"),
    ],
)
def test_what_contradicts_the_declaration_is_refused(tmp_path, plan, error, said):
    with pytest.raises(error, match=said):
        measured(tmp_path, {"a": ["x", "y"], "b": ["x", "x"]}, "", plan)


def test_golden(tmp_path):
    data = table(60) | {"g": ["x"] * 25 + ["y"] * 35}
    golden("agreement", agreement.VERSION, measured(tmp_path, data, ", by: [g]", THREE + "ordinal, by: [g]"))


def test_intervals_cover():
    """Two annotators, 100 items, three values: the coverage of Cohen's kappa and of alpha, and of Fleiss' kappa as the same jackknife."""
    random, n, hits = np.random.default_rng(8), 100, {"kappa": [], "alpha": []}
    share, right = np.array([0.5, 0.3, 0.2]), 0.8
    chance = float((share**2).sum())
    joint = right**2 + (1 - right**2) * chance
    truth = (joint - chance) / (1 - chance)
    for _ in range(3000):
        item = random.choice(3, n, p=share)
        codes = np.stack([np.where(random.random(n) < right, item, random.choice(3, n, p=share)) for _ in range(2)], axis=1)
        table = np.bincount(codes[:, 0] * 3 + codes[:, 1], minlength=9).reshape(3, 3)
        found = kappa.kappa(table, np.eye(3), 0.95)[1]
        hits["kappa"].append(found.low <= truth <= found.high)
        found = agreement._alpha(agreement.patterns(agreement.Ratings(codes, np.arange(3.0), "nominal"))[0], 0.95)[1]
        hits["alpha"].append(found.low <= truth <= found.high)
    assert all(0.94 <= np.mean(hit) <= 0.96 for hit in hits.values()), {name: np.mean(hit) for name, hit in hits.items()}
