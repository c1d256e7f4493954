"""Fairness through a book: scores of groups, inequality, strata, tests, many classes and numbers, each against an independent oracle."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

from factbook.measures import group_scores, inequality, stratified
from factbook.measures.scores import Scored
from factbook.model import Fact, Measured, Status
from factbook.statistics import absolute, gaps, power, two_rates
from factbook.statistics.intervals import Share
from measuring import facts, run, table

metrics = pytest.importorskip("sklearn.metrics")
LEVEL = 0.95
SOURCE = {"uri": "d.parquet", "label": "y", "positive": "1"}


def generated(rows: int = 1500) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(21)
    g, h = rng.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2]), rng.choice(["x", "y"], rows)
    y = (rng.random(rows) < np.where(g == "a", 0.3, 0.4)).astype(int)
    s = np.round(1 / (1 + np.exp(-(rng.normal(size=rows) + y * np.where(g == "b", 0.6, 1.4) - 0.5))), 3)
    return {"y": y, "s": s, "p": (s >= 0.5).astype(int), "g": g, "h": h}


def measured(root: Path, data: dict[str, np.ndarray], *, below: int = 0, **source: Any) -> dict[str, Fact]:
    table(root / "d.parquet", {name: values.tolist() for name, values in data.items()})
    roles = {**SOURCE, "prediction": "p", "by": ["g", "h"], **({"score": "s"} if "s" in data else {}), **source}
    plan = {"f": {"measure": "fairness", "data": "data", "protected": {"g": "a", "h": "x"}}}
    return facts(root, roles, plan, suppress_below=str(below))


def scored(y: np.ndarray, s: np.ndarray) -> Scored:
    values = np.unique(s)
    weights = tuple(np.array([float(((y == label) & (s == value)).sum()) for value in values]) for label in (1, 0))
    return Scored(values, values, weights, weights, exact=True)


def abroca(y: np.ndarray, s: np.ndarray, y2: np.ndarray, s2: np.ndarray) -> float:
    """On a fine grid, as its authors compute it."""
    grid = np.linspace(0, 1, 200_001)
    curves = [np.interp(grid, *metrics.roc_curve(labels, values, drop_intermediate=False)[:2]) for labels, values in ((y, s), (y2, s2))]
    return float(np.trapezoid(np.abs(curves[0] - curves[1]), grid))


def test_scores_of_groups(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data)
    inside = {name: data["g"] == name for name in "abc"}
    area = {name: metrics.roc_auc_score(data["y"][rows], data["s"][rows]) for name, rows in inside.items()}
    large = {name: float((data["y"] - data["s"])[rows].mean()) for name, rows in inside.items()}
    for name in "bc":
        assert found[f"f/auc?g={name}"].value == pytest.approx(area[name], abs=1e-9)
        assert found[f"f/auc_difference?g={name}"].value == pytest.approx(area[name] - area["a"], abs=1e-9)
        assert found[f"f/calibration_in_the_large?g={name}"].value == pytest.approx(large[name], abs=1e-9)
        assert found[f"f/calibration_in_the_large_difference?g={name}"].value == pytest.approx(large[name] - large["a"], abs=1e-9)
        expected = abroca(data["y"][inside[name]], data["s"][inside[name]], data["y"][inside["a"]], data["s"][inside["a"]])
        assert found[f"f/abroca?g={name}"].value == pytest.approx(expected, abs=2e-5)
    assert found["f/auc_gap;attribute=g"].value == pytest.approx(max(area.values()) - min(area.values()), abs=1e-9)
    gap = found["f/calibration_in_the_large_gap;attribute=g"]
    assert gap.low is not None
    assert gap.low <= gap.value <= gap.high


def test_calibration_errors_and_areas_between_curves_have_intervals_that_reach_0_by_chance(tmp_path: Path) -> None:
    data = generated()
    data["g"] = np.array(["a", "b", "c"])[np.arange(1500) % 3]  # the groups do not differ
    found = measured(tmp_path, data)
    rows, edges = data["g"] == "b", np.arange(1, 10) / 10
    y, s, one = data["y"][rows], data["s"][rows], np.ones(500)
    kinds = (one * y, one * (1 - y))
    expected, fact = absolute.calibration(absolute.Bins.of(s, edges, kinds, kinds), 500, 0.95), found["f/ece?g=b"]
    assert fact.interval == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert fact.low <= fact.value <= fact.high
    assert fact.method == expected.method
    for name in ("abroca?g=b", "ece_difference?g=b", "ece_gap;attribute=g"):
        assert found[f"f/{name}"].low <= 0 < found[f"f/{name}"].high
    many = found["f/abroca?g=b"]
    assert 0 == many.low < many.value < many.high < 0.3


def test_of_too_many_groups_the_curves_are_not_replicated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MOST_GROUPS", 2)
    fact = measured(tmp_path, generated())["f/abroca?g=b"]
    assert (fact.interval, fact.note) == (None, "against g = 'a'; no interval: there are more than 2 groups")


def test_in_clusters_they_say_that_they_have_none(tmp_path: Path) -> None:
    data = generated() | {"c": np.arange(1500) // 5}
    found = measured(tmp_path, data, cluster="c")
    for name in ("ece?g=b", "ece_difference?g=b", "abroca?g=b"):
        assert found[f"f/{name}"].interval is None
        assert "the rows lie in clusters" in found[f"f/{name}"].note


def test_a_ratio_to_a_group_without_events_says_how_large_it_is_at_least(tmp_path: Path) -> None:
    data = generated()
    data["p"] = np.where(data["g"] == "a", 0, data["p"])
    found = measured(tmp_path, data)
    mine, base = (found[f"f/selection_rate?g={g}"].counts for g in "ba")
    least = two_rates.least(Share(mine["k"], mine["n"]), Share(base["k"], base["n"]), 0.95)
    ratio = found["f/selection_rate_ratio?g=b"]
    assert (ratio.status, base["k"]) == (Status.UNDEFINED, 0)
    assert ratio.reason == f"division by 0: the reference group's selection_rate is 0; at 95 % confidence the ratio is at least {least:.3g}"
    assert found["f/recall_ratio?g=b"].reason.startswith("division by 0")


def test_auc_difference_is_delongs_of_independent_groups(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data)
    variance = 0.0
    for name in "ab":
        rows = data["g"] == name
        positive, negative = data["s"][rows & (data["y"] == 1)], data["s"][rows & (data["y"] == 0)]
        wins = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
        variance += wins.mean(axis=1).var(ddof=1) / len(positive) + wins.mean(axis=0).var(ddof=1) / len(negative)
    fact = found["f/auc_difference?g=b"]
    assert fact.method == "MOVER of DeLong"
    assert (fact.low, fact.high) == pytest.approx([fact.value + sign * stats.norm.ppf(0.975) * math.sqrt(variance) for sign in (-1, 1)], abs=1e-9)


@pytest.mark.parametrize("size", [60, 300])
def test_auc_difference_covers(size: int) -> None:
    rng = np.random.default_rng(size)
    truth = stats.norm.cdf(1.5 / math.sqrt(2)) - stats.norm.cdf(0.5 / math.sqrt(2))
    covered, draws = 0, 250
    for _ in range(draws):
        groups = []
        for shift in (1.5, 0.5):
            y = (np.arange(size) < size * 0.3).astype(int)
            groups.append(group_scores.Group(scored(y, rng.normal(y * shift, 1)), None))  # type: ignore[arg-type]
        first, second = groups
        assert first.area is not None
        assert second.area is not None
        found = group_scores._apart(first.area_interval(LEVEL), first.area.value, second.area_interval(LEVEL), second.area.value)
        assert found is not None
        covered += found.low <= truth <= found.high
    assert covered / draws >= 0.92, covered / draws


def test_abroca_of_crossing_curves_and_of_ties() -> None:
    rng = np.random.default_rng(3)
    for digits in (1, 2, 9):
        y, y2 = (rng.random(300) < 0.4).astype(int), (rng.random(80) < 0.5).astype(int)
        s, s2 = np.round(rng.normal(y, 1), digits), np.round(rng.normal(y2 * 0.8, 3), digits)
        assert group_scores.abroca(scored(y, s), scored(y2, s2)) == pytest.approx(abroca(y, s, y2, s2), abs=5e-5)
    assert group_scores.abroca(scored(y, s), scored(y, s)) == 0.0
    assert group_scores.abroca(scored(y, s), scored(y2, s2)) >= abs(metrics.roc_auc_score(y, s) - metrics.roc_auc_score(y2, s2))


def test_binned_scores_say_how_exact_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from factbook import engines
    from factbook.engines import tallies

    data = generated()
    data["s"] = np.random.default_rng(1).random(len(data["y"])) * 0.4 + data["y"] * 0.3
    exact = measured(tmp_path / "exact", data)
    monkeypatch.setattr(tallies, "CAP", 300)
    monkeypatch.setattr(tallies, "ROOM", 20_000)
    monkeypatch.setattr(engines, "_recent", type(engines._recent)())
    binned = measured(tmp_path / "binned", data)
    for name in ("abroca", "auc_difference", "calibration_in_the_large", "auc"):
        fact, true = binned[f"f/{name}?g=b"], exact[f"f/{name}?g=b"].value
        assert "scores are counted in bins: exact to" in fact.note
        assert float(fact.value) == pytest.approx(float(true), abs=11 * float(fact.note.split("exact to ")[1].split(";")[0]))
        if fact.low is not None:
            assert fact.low <= float(true) <= fact.high


def benefits(y: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    b = (p - y + 1) / (p - y + 1).mean()
    return float((b**2 - 1).mean() / 2), float(np.where(b > 0, b * np.log(np.where(b > 0, b, 1)), 0).mean())


def test_inequality_follows_its_definition(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data)
    for place, rows in (("", slice(None)), ("?g=b", data["g"] == "b")):
        entropy, theil = benefits(data["y"][rows], data["p"][rows])
        assert found[f"f/generalised_entropy{place}"].value == pytest.approx(entropy, abs=1e-11)
        assert found[f"f/theil{place}"].value == pytest.approx(theil, abs=1e-11)
    means = np.select([data["g"] == name for name in "abc"], [(data["p"] - data["y"] + 1)[data["g"] == name].mean() for name in "abc"])
    expected = float(((means / means.mean()) ** 2 - 1).mean() / 2)
    assert found["f/generalised_entropy_between;attribute=g"].value == pytest.approx(expected, abs=1e-11)
    rows = data["g"] == "b"
    fn, fp = ((data["y"] > data["p"]) & rows).sum(), ((data["y"] < data["p"]) & rows).sum()
    assert found["f/treatment_equality?g=b"].value == pytest.approx(fn / fp)


@pytest.mark.parametrize("figure", [inequality.entropy, inequality.theil])
@pytest.mark.parametrize(
    ("n", "low", "high", "highest"), [(10, 0.1, 0.3, 1.0), (100, 0.1, 0.1, 0.99), (400, 0.05, 0.02, 0.99), (2000, 0.2, 0.05, 0.985)]
)
def test_inequality_covers(figure: Any, n: int, low: float, high: float, highest: float) -> None:
    rng, truth = np.random.default_rng(n), figure(low, high)[0]
    covered, draws = 0, 500
    for fn, fp, _ in rng.multinomial(n, [low, high, 1 - low - high], draws):
        interval = inequality.interval(figure, Share(int(fn), n), Share(int(fp), n), LEVEL)
        covered += interval.low <= truth <= interval.high
    assert 0.925 <= covered / draws <= highest, covered / draws


UCB = {
    "A": (512, 825, 89, 108),
    "B": (353, 560, 17, 25),
    "C": (120, 325, 202, 593),
    "D": (138, 417, 131, 375),
    "E": (53, 191, 94, 393),
    "F": (22, 373, 24, 341),
}
"""Admitted and applied, men and women, by department (Bickel, Hammel & O'Connell 1975)."""


def berkeley() -> dict[str, np.ndarray]:
    rows: list[tuple[int, str, str]] = []
    for department, (m, men, w, women) in UCB.items():
        for sex, k, n in (("men", m, men), ("women", w, women)):
            rows += [(1, sex, department)] * k + [(0, sex, department)] * (n - k)
    p, g, h = (np.array(column) for column in zip(*rows, strict=True))
    return {"y": np.resize([1, 0, 0], len(p)), "p": p, "g": g, "h": h}


def test_berkeley_is_reversed_within_departments(tmp_path: Path) -> None:
    data = berkeley()
    table(tmp_path / "d.parquet", {name: values.tolist() for name, values in data.items()})
    roles = {**SOURCE, "prediction": "p", "by": {"sex": "g", "department": "h"}}
    plan = {"f": {"measure": "fairness", "data": "data", "protected": {"sex": "men", "department": "A"}}}
    outcome = run(tmp_path, roles, plan)["f"]
    found = {str(fact.key): fact for fact in outcome.facts}
    tables = [np.array([[w, women - w], [m, men - m]]) for m, men, w, women in UCB.values()]
    oracle = StratifiedTable(tables)
    within = found["f/selection_rate_difference_stratified;within=department?sex=women"]
    assert found["f/selection_rate_difference?sex=women"].value == pytest.approx(557 / 1835 - 1198 / 2691)
    assert np.sign(within.value) == np.sign(oracle.logodds_pooled) == 1
    weight = np.array([t[0].sum() * t[1].sum() / t.sum() for t in tables])
    assert within.value == pytest.approx(float((weight * [t[0, 0] / t[0].sum() - t[1, 0] / t[1].sum() for t in tables]).sum() / weight.sum()))
    assert found["f/selection_rate_difference_reversal;within=department?sex=women"].value == stratified.REVERSED
    assert (oracle.test_null_odds().pvalue < 0.05) == (within.low > 0) is False
    assert any("Simpson's reversal" in said for said in outcome.warnings)


@pytest.mark.parametrize("sizes", [((30, 50), (40, 20), (60, 60)), ((8, 6),) * 15])
def test_the_difference_within_levels_covers(sizes: tuple[tuple[int, int], ...]) -> None:
    rng, truth, covered, draws = np.random.default_rng(len(sizes)), 0.15, 0, 600
    base = rng.uniform(0.1, 0.7, len(sizes))
    for _ in range(draws):
        strata = [(Share(int(rng.binomial(n, p + truth)), n), Share(int(rng.binomial(m, p)), m)) for (n, m), p in zip(sizes, base, strict=True)]
        _, found = stratified.mantel_haenszel(strata, LEVEL)
        assert found is not None
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / draws <= 0.975, covered / draws


def test_tests_and_their_adjustment(tmp_path: Path) -> None:
    data = generated()
    found = measured(tmp_path, data)
    rows = [data["g"] == name for name in "ab"]
    cells = [[int((data["p"][inside] == value).sum()) for value in (1, 0)] for inside in rows]
    assert found["f/selection_rate_difference_p?g=b"].value == pytest.approx(stats.fisher_exact(cells).pvalue, rel=1e-9)
    family = {key: fact for key, fact in found.items() if fact.key.metric == "selection_rate_difference_p" and not fact.key.params}
    values = [float(fact.value) for fact in family.values()]
    assert len(values) == 2 + 1 + 5
    for kind, method in (("holm", "holm"), ("bh", "fdr_bh")):
        for key, expected in zip(family, multipletests(values, method=method)[1], strict=True):
            fact = found[key.replace("_p?", f"_p;adjusted={kind}?")]
            assert fact.value == pytest.approx(expected, rel=1e-9)
            assert fact.note.endswith("over 8 tests")
    assert 0 < found["f/selection_rate_difference_mdd?g=b"].value < 0.2
    assert isinstance(found["f/fnr_difference_cases_needed?h=y"].value, int | None)


def test_gaps_over_groups_that_share_rows(tmp_path: Path) -> None:
    data = generated()
    fact = measured(tmp_path, data)["f/demographic_parity_difference;attribute=g+h"]
    rates = [data["p"][data[name] == value].mean() for name in "gh" for value in np.unique(data[name])]
    assert fact.value == pytest.approx(max(rates) - min(rates))
    assert fact.method.startswith("Newcombe, correlated")
    assert fact.low <= fact.value <= fact.high


def test_what_would_tell_of_a_hidden_group_is_left_out(tmp_path: Path) -> None:
    data = generated(400)
    rare = np.flatnonzero((data["g"] == "c") & (data["h"] == "y"))
    keep = np.ones(400, dtype=bool)
    keep[rare[4:]] = False
    found = measured(tmp_path, {name: values[keep] for name, values in data.items()}, below=10)
    assert found["f/rows?g=c&h=y"].status is Status.SUPPRESSED
    assert "f/demographic_parity_difference;attribute=g+h" not in found
    hidden = {fact.key.slice for fact in found.values() if fact.key.metric == "rows" and fact.status is Status.SUPPRESSED}
    assert len(hidden) >= 2
    for fact in found.values():
        if fact.key.slice in hidden:
            assert fact.status is Status.SUPPRESSED, fact.key
            assert not fact.note
    within = found["f/selection_rate_difference_stratified;within=h?g=c"]
    assert "over 0 of 2 levels" in within.note or "over 1 of 2 levels" in within.note
    tests = [fact for fact in found.values() if fact.key.metric == "fpr_difference_p" and not fact.key.params and fact.measured]
    adjusted = found["f/fpr_difference_p;adjusted=holm?h=y"]
    assert adjusted.note.endswith(f"over {len(tests)} tests")


def many(rows: int = 900) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    g, h = rng.choice(["a", "b"], rows), rng.choice(["x", "y"], rows)
    y = rng.choice(["cat", "dog", "owl"], rows)
    p = np.where(rng.random(rows) < np.where(g == "a", 0.8, 0.6), y, rng.choice(["cat", "dog", "owl"], rows))
    return {"y": y, "p": p, "g": g, "h": h}


def test_many_classes(tmp_path: Path) -> None:
    data = many()
    found = measured(tmp_path, data, positive="")
    rates = {name: {g: float((data["p"][data["g"] == g] == name).mean()) for g in "ab"} for name in ("cat", "dog", "owl")}
    for name, own in rates.items():
        assert found[f"f/selection_rate;class={name}?g=b"].value == pytest.approx(own["b"])
        assert found[f"f/selection_rate_difference;class={name}?g=b"].value == pytest.approx(own["b"] - own["a"])
        assert found[f"f/demographic_parity_difference;attribute=g;class={name}"].value == pytest.approx(abs(own["b"] - own["a"]))
        recall = [metrics.recall_score(data["y"][data["g"] == g], data["p"][data["g"] == g], labels=[name], average="macro") for g in "ab"]
        assert found[f"f/recall_difference;class={name}?g=b"].value == pytest.approx(recall[1] - recall[0])
    worst = found["f/demographic_parity_difference;attribute=g"]
    assert worst.value == pytest.approx(max(abs(own["b"] - own["a"]) for own in rates.values()))
    assert worst.note.startswith("worst class: ")
    assert found["f/prediction_distance?g=b"].value == pytest.approx(sum(abs(own["b"] - own["a"]) for own in rates.values()) / 2)
    cells = [[int((data["p"][data["g"] == g] == name).sum()) for name in rates] for g in "ab"]
    assert found["f/prediction_distance_p?g=b"].value == pytest.approx(stats.chi2_contingency(cells, correction=False).pvalue, rel=1e-9)
    assert found["f/accuracy?g=b"].value == pytest.approx(float((data["y"] == data["p"])[data["g"] == "b"].mean()))
    assert found["f/fnr_difference_p;adjusted=holm;class=cat?g=b"].note.endswith(f"over {3 * 5} tests")


def demand(rows: int = 400) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(6)
    g, h = rng.choice(["a", "b", "c"], rows), rng.choice(["x", "y"], rows)
    y = rng.normal(50, 10, rows)
    return {"y": y, "p": y + rng.normal(np.where(g == "b", 2, 0), np.where(g == "c", 5, 3)), "g": g, "h": h}


def errors(root: Path, data: dict[str, np.ndarray]) -> Measured:
    table(root / "d.parquet", {name: values.tolist() for name, values in data.items()})
    plan = {"f": {"measure": "fairness", "data": "data", "protected": {"g": "a", "h": "x"}, "label": "y", "prediction": "p"}}
    return run(root, {"uri": "d.parquet", "by": ["g", "h"]}, plan)["f"]


def test_errors_of_groups(tmp_path: Path) -> None:
    data = demand()
    found = {str(fact.key): fact for fact in errors(tmp_path, data).facts}
    error = data["p"] - data["y"]
    part = {g: error[data["g"] == g] for g in "abc"}
    for g in "bc":
        assert found[f"f/bias_difference?g={g}"].value == pytest.approx(part[g].mean() - part["a"].mean())
        assert found[f"f/mae_ratio?g={g}"].value == pytest.approx(np.abs(part[g]).mean() / np.abs(part["a"]).mean())
        assert found[f"f/rmse_difference?g={g}"].value == pytest.approx(math.sqrt((part[g] ** 2).mean()) - math.sqrt((part["a"] ** 2).mean()))
        welch = stats.ttest_ind(part[g], part["a"], equal_var=False)
        assert found[f"f/bias_difference_p?g={g}"].value == pytest.approx(welch.pvalue, rel=1e-9)
        ends = welch.confidence_interval(0.95)
        fact = found[f"f/bias_difference?g={g}"]
        assert (fact.low, fact.high) == pytest.approx((ends.low, ends.high), abs=0.02)
        ks = stats.ks_2samp(data["p"][data["g"] == g], data["p"][data["g"] == "a"]).statistic
        assert found[f"f/prediction_ks?g={g}"].value == pytest.approx(ks)
    sizes = [math.sqrt((values**2).mean()) for values in part.values()]
    gap, ratio = found["f/rmse_gap;attribute=g"], found["f/rmse_worst_ratio;attribute=g"]
    assert (gap.value, ratio.value) == (pytest.approx(max(sizes) - min(sizes)), pytest.approx(min(sizes) / max(sizes)))
    assert 0 < ratio.low < ratio.value < ratio.high < 1
    assert 0 < gap.low < gap.value < gap.high


def test_gaps_of_errors_cover(tmp_path: Path) -> None:
    rng, covered, draws = np.random.default_rng(9), np.zeros(3), 25
    truth = {"bias_gap": 0.0, "rmse_gap": 0.0, "rmse_worst_ratio": 1.0}
    for draw in range(draws):
        y = rng.normal(0, 1, 240)
        data = {"y": y, "p": y + rng.normal(0, 2, 240), "g": np.resize(["a", "b", "c", "d"], 240), "h": np.resize(["x", "x", "y"], 240)}
        found = {fact.key.metric: fact for fact in errors(tmp_path / str(draw), data).facts if fact.key.params == (("attribute", "g"),)}
        covered += [found[name].low - 1e-9 <= value <= found[name].high + 1e-9 for name, value in truth.items()]
    assert (covered >= draws - 4).all(), covered


def clustered(seed: int, people: int = 40, visits: int = 6) -> dict[str, np.ndarray]:
    """Visits of people who differ in how often they are selected; half of the visits of each person in each group."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), visits)
    own = rng.beta(1.5, 3.5, people)[person]
    rows = len(person)
    s = np.round(np.clip(own + rng.normal(0, 0.15, rows), 0.001, 0.999), 3)
    g = np.resize(["a", "b", "c"], rows)
    return {
        "y": (rng.random(rows) < own).astype(int),
        "s": s,
        "p": (rng.random(rows) < own).astype(int),
        "g": g,
        "h": np.resize(["x", "y"], rows),
        "w": person,
    }


def test_differences_and_gaps_cover_where_rows_share_clusters(tmp_path: Path) -> None:
    """Groups within people: the truth is 0, and so is the gap. Groups of people: intervals that ignore this would be far too narrow."""
    names = ("selection_rate_difference?g=b", "calibration_in_the_large_difference?g=b", "demographic_parity_difference;attribute=g")
    covered, draws = dict.fromkeys((*names, "between"), 0), 10
    for seed in range(draws):
        data = clustered(seed)
        found = measured(tmp_path / str(seed), data, cluster="w")
        for name in names:
            fact = found[f"f/{name}"]
            assert fact.low is not None, name
            covered[name] += fact.low <= 0 <= fact.high
        data["g"] = np.where(data["w"] % 2 == 0, "a", "b")
        fact = measured(tmp_path / f"{seed}b", data, cluster="w")["f/selection_rate_difference?g=b"]
        covered["between"] += fact.low <= 0 <= fact.high
    assert min(covered.values()) >= draws - 2, covered


def test_cases_needed_are_rows_and_not_effective_ones(tmp_path: Path) -> None:
    data = {name: values[:400] for name, values in generated().items()}
    data["w"] = np.resize([0.5, 3.0], 400)
    found, checked = measured(tmp_path, data, weight="w"), 0
    for fact in found.values():
        if fact.key.metric.endswith("_cases_needed") and fact.measured and fact.value and len(fact.key.slice) == 1:
            name, ((attribute, _),) = fact.key.metric.removesuffix("_difference_cases_needed"), fact.key.slice
            rates = [found[f"f/{name}?{attribute}={value}"] for value in (fact.key.slice[0][1], {"g": "a", "h": "x"}[attribute])]
            effective = [rate.counts["weighted_n"] ** 2 / (rate.counts["weighted_squares"] << rate.counts["scale"]) for rate in rates]
            more = power.cases_needed(*(Share(rate.value * n, n) for rate, n in zip(rates, effective, strict=True)), LEVEL)
            assert fact.value == math.ceil(more * rates[0].n / effective[0] - 1e-9) > more
            checked += 1
    assert checked


def test_weighted_groups_are_compared_by_effective_numbers(tmp_path: Path) -> None:
    data = generated()
    data["w"] = np.random.default_rng(5).uniform(0.5, 2, len(data["y"]))
    found = measured(tmp_path, data, weight="w")
    fact = found["f/demographic_parity_difference;attribute=g"]
    rates = [float(np.average(data["p"][data["g"] == g], weights=data["w"][data["g"] == g])) for g in "abc"]
    assert fact.value == pytest.approx(max(rates) - min(rates))
    assert "Kish's effective n" in fact.method
    assert found["f/demographic_parity_difference;attribute=g+h"].low is not None
    assert 0 < found["f/selection_rate_difference_p?g=b"].value <= 1
