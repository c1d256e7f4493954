"""Regression: equal to scikit-learn, undefined where undefined, the same in any order, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from planned_measures import SHARED, facts, golden, measured
from scipy import stats
from sklearn import metrics as oracle

from factbook.errors import MeasureError, SourceError
from factbook.measures import regression, residuals
from factbook.model import Status
from factbook.statistics import moments
from factbook.statistics.moments import Sample

PLAN = "measure: regression, data: data, label: y, prediction: f"
FULL = PLAN + ", low: a, high: b, nominal: 0.9, quantiles: {'0.9': b}, by: [g]"


def table(n: int = 300, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.gamma(3, 10, n)
    f = y * random.normal(1, 0.2, n) + 1
    return {
        "y": y,
        "f": f,
        "a": f - 8,
        "b": f + 8,
        "w": random.uniform(0, 2, n),
        "g": random.choice(["x", "y", "z"], n),
        "c": random.integers(0, 20, n),
    }


def check(found: dict, y: np.ndarray, f: np.ndarray, w: np.ndarray | None = None, place: str = "") -> None:
    expected = {
        "mae": oracle.mean_absolute_error(y, f, sample_weight=w),
        "mse": oracle.mean_squared_error(y, f, sample_weight=w),
        "rmse": oracle.root_mean_squared_error(y, f, sample_weight=w),
        "mape": oracle.mean_absolute_percentage_error(y, f, sample_weight=w),
        "r2": oracle.r2_score(y, f, sample_weight=w),
        "bias": np.average(f - y, weights=w),
        "smape": np.average(2 * abs(f - y) / (abs(f) + abs(y)), weights=w),
    }
    if w is None:
        expected["median_absolute_error"] = oracle.median_absolute_error(y, f)
    for name, value in expected.items():
        fact = found[name + place]
        assert fact.value == pytest.approx(value, rel=1e-9, abs=1e-12), name
        assert fact.low < fact.value < fact.high, name
        assert fact.n == len(y)


def test_equal_to_scikit_learn_overall_and_by_group(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, ", by: [g]", FULL))
    check(found, data["y"], data["f"])
    for group in "xyz":
        own = data["g"] == group
        check(found, data["y"][own], data["f"][own], place=f"?g={group}")
    assert found["quantile_loss;level=0.9"].value == pytest.approx(oracle.mean_pinball_loss(data["y"], data["b"], alpha=0.9), rel=1e-9)
    inside = (data["y"] >= data["a"]) & (data["y"] <= data["b"])
    coverage = found["interval_coverage;nominal=0.9"]
    assert (coverage.value, coverage.counts) == (inside.mean(), {"k": inside.sum(), "n": 300})
    assert found["interval_width"].value == pytest.approx(16)


def test_weights_and_clusters(tmp_path):
    data = table()
    check(facts(measured(tmp_path, data, ", weight: w", PLAN)), data["y"], data["f"], data["w"])
    alone, together = (facts(measured(tmp_path, data, source, PLAN))["mae"] for source in ("", ", cluster: c"))
    assert alone.value == together.value
    assert together.method == "wider of Student's t and Hall's over clusters (cluster-robust)"
    copied = {name: np.concatenate([values] * 4) for name, values in data.items()} | {"c": np.tile(np.arange(300), 4)}
    four = facts(measured(tmp_path, copied, ", cluster: c", PLAN))
    for name in ("mae", "rmse", "r2"):
        one = facts(measured(tmp_path, data, "", PLAN))[name]
        assert four[name].interval == pytest.approx(one.interval, rel=1e-9), "rows that repeat a cluster say nothing new"


def test_the_real_data_of_heart_disease(tmp_path):
    path = SHARED / "medical" / "heart_disease.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    frame = pacsv.read_csv(path)
    y, x = frame["MaxHR"].to_numpy().astype(float), frame["Age"].to_numpy().astype(float)
    slope, intercept = np.polyfit(x, y, 1)
    data = {"y": y, "f": intercept + slope * x, "sex": frame["Sex"].to_pylist()}
    found = facts(measured(tmp_path, data, ", by: [sex]", PLAN + ", by: [sex]"))
    check(found, y, data["f"])
    women = np.array(data["sex"]) == "F"
    check(found, y[women], data["f"][women], place="?sex=F")
    assert found["r2"].value == pytest.approx(stats.linregress(x, y).rvalue ** 2, rel=1e-9)


def test_the_same_in_any_order_and_partitioning(tmp_path):
    data = pa.table(table())
    order = np.random.default_rng(3).permutation(300)
    one = measured(tmp_path, data, ", by: [g], cluster: c, weight: w", FULL)
    other = measured(tmp_path, data.take(order), ", by: [g], cluster: c, weight: w", FULL, parts=7)
    assert one.facts == other.facts


def test_undefined_is_not_zero(tmp_path):
    zeros = facts(measured(tmp_path, {"y": [0.0, 1.0, 2.0], "f": [0.0, 1.0, 4.0]}, "", PLAN))
    assert (zeros["mape"].status, zeros["mape"].reason) == (Status.UNDEFINED, "1 rows have the label 0")
    assert (zeros["smape"].status, zeros["smape"].reason) == (Status.UNDEFINED, "1 rows have label and prediction 0")
    same = facts(measured(tmp_path, {"y": [0.1] * 30, "f": np.arange(30.0)}, "", PLAN))
    assert same["r2"].reason == "division by 0: all labels are equal"
    one = facts(measured(tmp_path, {"y": [1.0], "f": [2.0]}, "", PLAN))
    assert (one["mae"].value, one["mae"].interval, one["rmse"].interval) == (1.0, None, None)
    perfect = facts(measured(tmp_path, {"y": [1.0, 2.0], "f": [1.0, 2.0]}, "", PLAN))
    assert (perfect["r2"].value, perfect["rmse"].value, perfect["rmse"].interval) == (1.0, 0.0, None)


def test_a_large_offset_costs_no_digits(tmp_path):
    data = table()
    near, far = (facts(measured(tmp_path, {"y": data["y"].round(3) + add, "f": data["f"].round(3) + add}, "", PLAN)) for add in (0, 2.0**30))
    assert far["r2"].value == pytest.approx(near["r2"].value, rel=1e-7)


def test_declared_groups_that_do_not_occur_are_not_forgotten(tmp_path):
    data = {"y": [1.0, 2.0], "f": [1.0, 2.5], "age": [10, 20]}
    found = facts(measured(tmp_path, data, ", by: {age: {column: age, cuts: [40]}}", PLAN + ", by: [age]"))
    assert (found["rows?age=40+"].value, found["mae?age=40+"].status) == (0, Status.UNDEFINED)


def test_small_groups_are_suppressed_also_when_only_few_of_their_rows_are_judged(tmp_path):
    groups = ["few"] * 9 + ["half"] * 20 + ["many"] * 40 + ["most"] * 80
    y = np.arange(149.0)
    y[9:24] = np.nan
    found = facts(measured(tmp_path, {"y": y, "f": np.arange(149.0), "g": groups}, ", by: [g], missing: {label: drop}", PLAN + ", by: [g]", below=10))
    status = {group: found[f"mae?g={group}"].status for group in ("few", "half", "many", "most")}
    assert status == {"few": Status.SUPPRESSED, "half": Status.SUPPRESSED, "many": Status.MEASURED, "most": Status.MEASURED}
    assert found["rows"].value == 134


@pytest.mark.parametrize(
    ("change", "plan", "error", "said"),
    [
        ({"y": [1.0, None]}, PLAN, SourceError, r"column 'y' \(label\) is missing in 1 of 2 rows"),
        ({"y": [1.0, float("inf")]}, PLAN, SourceError, "infinite"),
        ({"y": ["1", "zwei"]}, PLAN, SourceError, "no number: 1 of 2 rows, e.g. 'zwei'"),
        ({}, "measure: regression, data: data, label: y", MeasureError, "`prediction`"),
        ({}, PLAN + ", low: f", MeasureError, "go together"),
        ({}, PLAN + ", low: f, high: y", MeasureError, "lies above"),
        ({}, PLAN.replace("f", "F"), MeasureError, "no parameter"),
        ({}, PLAN.replace(": y", ": yy"), SourceError, "no column 'yy'"),
    ],
)
def test_what_contradicts_the_declaration_is_refused(tmp_path, change, plan, error, said):
    if "F" in plan:
        plan = PLAN + ", lable: y"
    with pytest.raises(error, match=said):
        measured(tmp_path, {"y": [1.0, 2.0], "f": [3.0, 1.0]} | change, "", plan)


def test_golden(tmp_path):
    data = {name: values.round(2) if values.dtype == float else values for name, values in table(60).items()}
    golden("regression", regression.VERSION, measured(tmp_path, data, ", by: [g], cluster: c", FULL))


def simulated(n: int, runs: int = 3000) -> dict[str, float]:
    """The coverage of the intervals of MAE, RMSE and R² over many samples of n rows, a slice each."""
    random = np.random.default_rng(n)
    label = random.normal(0, 2, n * runs)
    error = random.normal(0.5, 1, n * runs)
    names = [(("run", str(i)),) for i in range(runs)]
    answer = regression.Answer("m", 0.95, {item.name: item for item in regression.METRICS}, frozenset(), "")
    add = regression._Adder(answer, names, Sample(np.repeat(np.arange(runs), n), runs))
    add.mean("mae", np.abs(error))
    regression._add_squares(add, label, error)
    regression._add_median(add, np.abs(error))
    folded = stats.foldnorm(0.5)
    truth = {"mae": folded.mean(), "rmse": 1.25**0.5, "r2": 1 - 1.25 / 4, "median_absolute_error": folded.median()}
    return {name: np.mean([fact.low <= value <= fact.high for fact in answer.facts if fact.key.metric == name]) for name, value in truth.items()}


def test_intervals_cover():
    found = simulated(200)
    assert all(0.94 <= found[name] <= 0.96 for name in ("mae", "rmse", "r2")), found
    assert found["median_absolute_error"] >= 0.945


def test_the_interval_of_clustered_means_covers():
    random = np.random.default_rng(5)
    runs, clusters, each = 2000, 40, 6
    effect = np.repeat(random.normal(size=runs * clusters), each)
    values = effect + random.normal(size=len(effect))
    sample = Sample(np.repeat(np.arange(runs), clusters * each), runs, None, np.tile(np.repeat(np.arange(clusters), each), runs))
    mean = sample.mean(values)
    found = [moments.student(m, v, clusters, 0.95, "") for m, v in zip(mean.tolist(), sample.spread(values, mean).tolist(), strict=True)]
    assert 0.94 <= np.mean([item.low <= 0 <= item.high for item in found if item]) <= 0.96


def test_the_shape_of_errors_equals_scipy(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, ", by: [g]", FULL))
    for place, chosen in (("", np.ones(300, bool)), ("?g=x", data["g"] == "x")):
        error = (data["f"] - data["y"])[chosen]
        expected = {
            "max_error": oracle.max_error(data["y"][chosen], data["f"][chosen]),
            "residual_sd": error.std(ddof=1),
            "residual_skewness": stats.skew(error),
            "residual_kurtosis": stats.kurtosis(error),
            "residual_far;sd=2": (abs(error - error.mean()) > 2 * error.std(ddof=1)).mean(),
            "residual_quantile;level=0.25": np.quantile(error, 0.25, method="inverted_cdf"),
            "residual_quantile;level=0.95": np.quantile(error, 0.95, method="inverted_cdf"),
        }
        for name, value in expected.items():
            assert found[name + place].value == pytest.approx(value, rel=1e-9), name
    trend = stats.spearmanr(abs(data["f"] - data["y"]), data["f"]).statistic
    assert found["error_trend"].value == pytest.approx(trend, abs=1e-8)
    assert found["error_trend"].low > 0.2  # the errors were made proportional


def test_parts_by_prediction_hold_all_rows(tmp_path):
    data = table()
    found = facts(measured(tmp_path, data, "", PLAN))
    order = np.argsort(data["f"])
    for i, part in enumerate(np.array_split(order, 10)):
        assert found[f"part_label;part={i + 1}"].value == pytest.approx(data["y"][part].mean())
        assert found[f"part_mae;part={i + 1}"].value == pytest.approx(abs(data["f"] - data["y"])[part].mean())
    assert sum(found[f"part_rows;part={i + 1}"].value for i in range(10)) == 300


def test_intervals_of_quantiles_cover():
    random, hits = np.random.default_rng(3), 0
    for _ in range(300):
        rows = measured_quantile(random.normal(size=200))
        hits += rows[0] <= stats.norm.ppf(0.25) <= rows[1]
    assert hits / 300 >= 0.93


def measured_quantile(error: np.ndarray) -> tuple[float, float]:
    names: dict[str, object] = {}

    class Add:
        answer = type("Level", (), {"level": 0.95})()
        sample = Sample(np.zeros(len(error), np.int64), 1)

        def one(self, metric, i, value, interval, undefined="", params=()):
            names[params[0][1]] = interval

    residuals._add_quantiles(Add(), 0, np.sort(error))
    return names["0.25"].low, names["0.25"].high


def test_errors_that_do_not_vary_have_no_shape(tmp_path):
    found = facts(measured(tmp_path, {"y": [1.0, 2.0, 3.0], "f": [1.5, 2.5, 3.5]}, "", PLAN))
    assert (found["residual_sd"].value, found["max_error"].value) == (0, 0.5)
    assert found["residual_skewness"].status is Status.UNDEFINED
    assert found["residual_far;sd=2"].reason == "the errors do not vary"
