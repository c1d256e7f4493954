"""Coverage of a reference population: shares, ratios with intervals, groups that are missing on either side, suppression on both."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from planned_measures import SHARED, facts, golden, measured
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from factbook.errors import MeasureError, SourceError
from factbook.measures import coverage
from factbook.model import Status
from factbook.statistics import intervals

PLAN = "measure: coverage, data: data, reference: other, by: [sex], reference_is: "
BY = ", by: [sex, age]"


def people(women: int, men: int, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {"sex": np.array(["women"] * women + ["men"] * men, dtype=object), "age": random.choice(["old", "young"], women + men)}


def test_against_a_sample(tmp_path):
    data, other = people(60, 140), people(510, 490, seed=2)
    found = facts(measured(tmp_path, data, BY, PLAN + "sample", other=(other, BY)))
    assert found["share?sex=women"].counts == {"k": 60, "n": 200}
    assert found["reference_share?sex=women"].counts == {"k": 510, "n": 1000}
    ratio, gap = found["representation_ratio?sex=women"], found["representation_difference?sex=women"]
    assert (ratio.value, gap.value) == (pytest.approx(0.3 / 0.51, rel=1e-11), pytest.approx(-0.21, rel=1e-11))
    assert ratio.interval == pytest.approx(
        confint_proportions_2indep(60, 200, 510, 1000, compare="ratio", method="score", correction=False), rel=1e-5
    )
    assert gap.interval == pytest.approx(confint_proportions_2indep(60, 200, 510, 1000, compare="diff", method="newcomb"), rel=1e-9)
    assert found["lowest_representation;attribute=sex"].value == ratio.value
    assert found["lowest_representation;attribute=sex"].low < ratio.low
    assert found["dissimilarity;attribute=sex"].value == pytest.approx(0.21, rel=1e-11)


def test_against_a_census_given_as_declared_shares(tmp_path):
    shares = {"sex": ["women", "men"], "age": ["any", "any"], "share": [0.51, 0.49]}
    found = facts(measured(tmp_path, people(60, 140), BY, PLAN + "census", below=10, other=(shares, BY + ", weight: share")))
    low, high = proportion_confint(60, 200, method="wilson")
    ratio, gap = found["representation_ratio?sex=women"], found["representation_difference?sex=women"]
    assert ratio.interval == pytest.approx((low / 0.51, high / 0.51), rel=1e-9)
    assert gap.interval == pytest.approx((low - 0.51, high - 0.51), rel=1e-9)
    assert (found["reference_share?sex=women"].value, found["reference_share?sex=women"].interval) == (0.51, None)


def test_weights_count_with_kishs_effective_numbers(tmp_path):
    data = people(60, 140) | {"w": np.tile([1.0, 3.0], 100)}
    found = facts(measured(tmp_path, data, BY + ", weight: w", PLAN + "sample", other=(people(51, 49), BY)))
    share = found["share?sex=women"]
    assert share.value == pytest.approx(0.3)
    assert share.method.endswith("Kish's effective n")
    effective = 400**2 / (100 * 10)
    assert share.interval == pytest.approx(proportion_confint(0.3 * effective, effective, method="wilson"), rel=1e-9)


def test_the_real_data_of_heart_disease(tmp_path):
    path = SHARED / "medical" / "heart_disease.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    sexes = pacsv.read_csv(path)["Sex"].to_pylist()
    census = {"sex": ["F", "M"], "people": [167.5, 163.0]}
    by = ", by: [sex]"
    found = facts(measured(tmp_path, {"sex": sexes}, by, PLAN + "census", below=10, other=(census, by + ", weight: people")))
    ratio = found["representation_ratio?sex=F"]
    assert ratio.value == pytest.approx(sexes.count("F") / len(sexes) / (167.5 / 330.5), rel=1e-9)
    assert ratio.high < 0.5, "far fewer women than in the population"
    assert stats.binomtest(sexes.count("F"), len(sexes), 167.5 / 330.5).pvalue < 1e-10


def test_groups_that_one_side_lacks(tmp_path):
    data, other = people(0, 100), people(50, 50)
    data["sex"][:30] = "other"
    found = facts(run := measured(tmp_path, data, BY, PLAN + "sample", other=(other, BY)))
    assert (found["rows?sex=women"].value, found["share?sex=women"].value, found["representation_ratio?sex=women"].value) == (0, 0.0, 0.0)
    assert found["share?sex=women"].high == pytest.approx(stats.beta.ppf(0.975, 1, 100), rel=1e-9)
    assert found["representation_ratio?sex=other"].reason == "the reference has no such group"
    assert found["lowest_representation;attribute=sex"].value == 0.0
    assert "1 groups by sex are not in the reference, e.g. 'other'" in run.warnings[0]


def test_small_groups_are_suppressed_on_both_sides(tmp_path):
    data, other = people(60, 140), people(50, 50)
    data["sex"][:5], other["sex"][:40] = "x", "y"
    data["sex"][5:30] = "y"
    found = facts(measured(tmp_path, data, BY, PLAN + "sample", below=10, other=(other, BY)))
    assert found["share?sex=x"].status is Status.SUPPRESSED
    assert sum(fact.status is Status.SUPPRESSED for key, fact in found.items() if key.startswith("share")) >= 2
    assert found["dissimilarity;attribute=sex"].status is Status.SUPPRESSED
    few = people(60, 140), people(5, 95)
    found = facts(measured(tmp_path, few[0], BY, PLAN + "sample", below=10, other=(few[1], BY)))
    assert found["reference_share?sex=women"].status is Status.SUPPRESSED


def test_the_same_in_any_order_and_partitioning(tmp_path):
    data, plan = pa.table(people(60, 140)), PLAN.replace("[sex]", "[sex, [sex, age]]") + "sample"
    one = measured(tmp_path, data, BY, plan, other=(people(50, 50), BY))
    mixed = measured(tmp_path, data.take(np.random.default_rng(2).permutation(200)), BY, plan, parts=3, other=(people(50, 50), BY))
    assert one.facts == mixed.facts


@pytest.mark.parametrize(
    ("plan", "error", "said"),
    [
        (PLAN.replace(", by: [sex]", "") + "census", MeasureError, "`by` is not given"),
        (PLAN + "population", MeasureError, "reference_is"),
        (PLAN.replace("[sex]", "[town]") + "census", MeasureError, "no attribute 'town'"),
    ],
)
def test_what_is_not_declared_is_refused(tmp_path, plan, error, said):
    with pytest.raises(error, match=said):
        measured(tmp_path, people(5, 5), BY, plan, other=(people(5, 5), BY))


def test_missing_groups_need_a_policy(tmp_path):
    data = {"sex": ["women", None], "age": ["old", "old"]}
    with pytest.raises(SourceError, match="missing in 1 of 2 rows"):
        measured(tmp_path, data, BY, PLAN + "sample", other=(people(5, 5), BY))
    found = facts(measured(tmp_path, data, BY + ", missing: {group: group}", PLAN + "sample", other=(people(5, 5), BY)))
    assert found["share?sex=not%20recorded"].value == 0.5


def test_a_table_without_any_group_is_refused(tmp_path):
    data = {"sex": pa.array([None, None], pa.string()), "age": ["old", "old"]}
    with pytest.raises(MeasureError, match="no row has a value of sex"):
        measured(tmp_path, data, BY + ", missing: {group: drop}", PLAN + "sample", other=(people(5, 5), BY))


def test_golden(tmp_path):
    golden("coverage", coverage.VERSION, measured(tmp_path, people(60, 140), BY, PLAN + "sample", other=(people(510, 490), BY)))


def test_the_lowest_ratio_of_equal_groups_is_covered():
    random, hits = np.random.default_rng(4), []
    for counts in random.multinomial(300, [0.25] * 4, size=1500).tolist():
        groups = {(("g", str(i)),): coverage._Group(k, intervals.Share(k, 300), {}) for i, k in enumerate(counts)}
        known = {place: coverage._Group(1, intervals.Share(1, 4), {}) for place in groups}
        answer = coverage.Answer("m", 0.95, {item.name: item for item in coverage.METRICS}, frozenset(), "")
        coverage._add_attribute(answer, groups, known, ("g",), known=True)
        lowest = answer.facts[-1]
        hits.append(lowest.low <= 1 <= lowest.high)
    assert np.mean(hits) >= 0.94, "conservative"
