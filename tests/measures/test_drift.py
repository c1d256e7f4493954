"""Drift against scipy, by hand, and on real data with a known story."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import wider
from planned_measures import facts, golden
from scipy import stats
from scipy.spatial.distance import jensenshannon

from factbook import manifest, measures
from factbook.engines import sketches
from factbook.errors import FactbookError, MeasureError, SourceError
from factbook.measures import divergences, drift
from factbook.measures.divergences import Pair
from factbook.model import Fact, Status, silent
from factbook.statistics import laws

PLAN = "measure: drift, reference: old, current: new"


def compare(root: Path, old: Mapping[str, Any], new: Mapping[str, Any], plan: str = PLAN, roles: str = "", below: int = 0) -> dict[str, Fact]:
    for name, table in (("old", old), ("new", new)):
        pq.write_table(pa.table(dict(table)), root / f"{name}.parquet")
    return planned(root, f"{{old: {{uri: old.parquet{roles}}}, new: {{uri: new.parquet{roles}}}}}", plan, below)


def planned(root: Path, sources: str, plan: str, below: int = 0) -> dict[str, Fact]:
    text = f"factbook: 1\nsubject: {{name: test}}\nsuppress_below: {below}\nsources: {sources}\nplan: {{m: {{{plan}}}}}\n"
    book, _ = manifest.read(text)
    return facts(measures.run("m", book.plan["m"], book, root, root / ".factbook", silent))


def edges(reference: np.ndarray) -> np.ndarray:
    """The values at which the reference reaches each decile, as the definition says it, one row at a time."""
    ordered = np.sort(reference)
    return np.unique([ordered[math.ceil(j * len(ordered) / 10) - 1] for j in range(1, 10)])


@pytest.mark.parametrize(("n", "m", "digits"), [(900, 1_300, 12), (5_000, 700, 1), (60_000, 40_000, 12)])
def test_numbers_equal_scipy_within_the_printed_bounds(tmp_path: Path, n: int, m: int, digits: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=n).round(digits), rng.normal(0.1, 1.2, size=m).round(digits)
    found = compare(tmp_path, {"x": a}, {"x": b})
    exact = n + m < 50_000
    ks, area = stats.ks_2samp(a, b).statistic, stats.wasserstein_distance(a, b)
    for name, oracle in (("ks", ks), ("wasserstein", area)):
        fact = found[f"{name};column=x"]
        if exact:
            assert (fact.value, fact.note) == (pytest.approx(oracle, abs=1e-11), "")
        else:
            low, high = (float(word) for word in fact.note.split("between ")[1].split(" and "))
            assert low - 1e-6 <= oracle <= high + 1e-6
            assert high - low < (5e-3 if name == "ks" else 5e-3 * np.abs(a).max())
            assert fact.value == pytest.approx(oracle, abs=high - low)
    p = stats.kstwobign.sf(ks * math.sqrt(n * m / (n + m)))
    assert found["ks_p;column=x"].value == pytest.approx(p, rel=1e-9 if exact else 0.5)
    bins = np.concatenate([[-np.inf], edges(a), [np.inf]])
    first, second = (np.histogram(np.nextafter(side, -np.inf), bins)[0] for side in (a, b))  # bins closed above
    slack = {"abs": 1e-11} if exact else {"rel": 1e-2}  # the deciles lie at edges of bins
    assert found["js;column=x"].value == pytest.approx(jensenshannon(first, second, base=2), **slack)
    assert found["psi;column=x"].value == pytest.approx(sum((second / m - first / n) * np.log((second / m) / (first / n))), **slack)
    welch = stats.ttest_ind(b, a, equal_var=False)
    error = math.sqrt(a.var(ddof=1) / n + b.var(ddof=1) / m)
    cubes = [((side - side.mean()) ** 3).mean() * (side.std(ddof=1) / side.std()) ** 3 / len(side) ** 2 for side in (a, b)]
    low, high = wider.ends(b.mean() - a.mean(), error, (cubes[1] - cubes[0]) / error**3, stats.t.ppf(0.975, welch.df))
    fact = found["mean_difference;column=x"]
    assert (fact.value, fact.low, fact.high) == (pytest.approx(b.mean() - a.mean()), pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert fact.counts == {"reference": n, "current": m}


def test_a_shift_far_from_zero_is_seen_among_many_different_values(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    a, b = 48.09 + 0.002 * rng.normal(size=30_000), 48.092 + 0.002 * rng.normal(size=30_000)
    found = compare(tmp_path, {"x": a}, {"x": b})
    cuts = edges(a)
    p, q = (np.bincount(np.searchsorted(cuts, side), minlength=10) / len(side) for side in (a, b))
    assert found["psi;column=x"].value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=0.01)
    assert found["js;column=x"].value == pytest.approx(jensenshannon(p, q, 2), rel=0.01)
    assert found["ks;column=x"].value == pytest.approx(stats.ks_2samp(a, b).statistic, abs=0.005)
    assert (found["drifted"].value, found["shifted"].value) == (1, 1)
    assert found["mean_difference;column=x"].low is not None


def test_what_bins_tell_lies_within_its_own_bounds(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    found = compare(tmp_path, {"x": rng.normal(size=20_000)}, {"x": rng.normal(0.3, 1, size=20_000)})
    for name in ("ks", "wasserstein"):
        fact = found[f"{name};column=x"]
        low, high = map(float, re.findall(r"between (\S+) and (\S+)", fact.note)[0])
        assert low * (1 - 1e-5) <= fact.value <= high * (1 + 1e-5)


def test_categories_equal_scipy(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = np.array(list("abcdefg"))
    a, b = names[rng.integers(0, 6, 3_000)], names[np.minimum(rng.geometric(0.3, 2_000) - 1, 5)]
    found = compare(tmp_path, {"c": a}, {"c": b})
    first, second = ([int((side == name).sum()) for name in names[:6]] for side in (a, b))
    oracle = stats.chi2_contingency([first, second], correction=False)
    assert found["chi2;column=c"].value == pytest.approx(oracle.statistic, rel=1e-11)
    assert found["chi2_p;column=c"].value == pytest.approx(oracle.pvalue, rel=1e-8)
    assert found["js;column=c"].value == pytest.approx(jensenshannon(first, second, base=2), rel=1e-11)
    p, q = np.array(first) / 3_000, np.array(second) / 2_000
    assert found["psi;column=c"].value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), abs=1e-12)
    assert found["kind;column=c"].value == "category"


@pytest.mark.parametrize("freedom", [1, 2, 9, 100, 3_000, 16_000])
def test_laws_equal_scipy(freedom: int) -> None:
    for part in (1e-3, 0.3, 0.9, 1.0, 1.1, 1.5, 4.0, 30.0):
        oracle = stats.chi2.sf(part * freedom, freedom)
        assert laws.chi_square(part * freedom, freedom) == pytest.approx(oracle, rel=1e-7, abs=1e-290)
    for value in np.linspace(0.01, 5, 100):
        assert laws.kolmogorov(value) == pytest.approx(stats.kstwobign.sf(value), rel=1e-9, abs=1e-12)


def test_nothing_is_smoothed_silently(tmp_path: Path) -> None:
    old, new = {"c": ["a"] * 60 + ["b"] * 40}, {"c": ["a"] * 50 + ["c"] * 50}
    fact = compare(tmp_path, old, new)["psi;column=c"]
    assert (fact.status, fact.value) == (Status.UNDEFINED, None)
    assert "2 of 3 cells are empty" in fact.reason
    found = compare(tmp_path, old, new, PLAN + ", empty: half")
    p, q = np.array([60, 40, 0.5]) / 100.5, np.array([50, 0.5, 50]) / 100.5
    assert found["psi;column=c"].value == pytest.approx(float(((q - p) * np.log(q / p)).sum()))
    assert "half a row was put in each empty cell, 2 in all" in found["psi;column=c"].note
    assert [found[f"{name};column=c"].value for name in ("new_categories", "vanished_categories", "new_share")] == [1, 1, 0.5]
    assert found["js;column=c"].value == pytest.approx(jensenshannon([60, 40, 0], [50, 0, 50], base=2))
    assert found["shifted"].value == 1


def test_a_constant_reference_has_bins_below_equal_and_above(tmp_path: Path) -> None:
    found = compare(tmp_path, {"x": [3.0] * 20}, {"x": [2.0] * 5 + [3.0] * 10 + [9.0] * 5})
    assert found["constant;column=x"].value == "reference"
    assert found["js;column=x"].value == pytest.approx(jensenshannon([0, 20, 0], [5, 10, 5], base=2))
    assert found["psi;column=x"].status is Status.UNDEFINED
    assert found["ks;column=x"].value == 0.25
    same = compare(tmp_path, {"x": [3.0] * 20}, {"x": [3.0] * 20})
    assert [same[f"{name};column=x"].value for name in ("ks", "js", "psi", "wasserstein", "constant")] == [0, 0, 0, 0, "reference and current"]


def test_missing_values_by_newcombe(tmp_path: Path) -> None:
    old, new = {"x": [1.0] * 90 + [None] * 10}, {"x": [1.0] * 30 + [math.nan] * 20}
    fact = compare(tmp_path, old, new)["missing_difference;column=x"]
    assert fact.value == pytest.approx(0.3)
    assert fact.counts == {"k_reference": 10, "n_reference": 100, "k_current": 20, "n_current": 50}
    from statsmodels.stats.proportion import confint_proportions_2indep

    assert fact.interval == pytest.approx(confint_proportions_2indep(20, 50, 10, 100, method="newcomb"), abs=1e-9)


def test_nothing_to_compare_is_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0], "y": pa.array([None], pa.float64()), "day": [[1]], "old": [1]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"x": [math.inf], "y": [1.0], "day": [[1]], "new": [1]}), tmp_path / "new.parquet")
    found = planned(tmp_path, "{old: {uri: old.parquet}, new: {uri: new.parquet}}", PLAN)
    assert found["kind;column=old"].value == "not compared: only old has it"
    assert found["kind;column=new"].value == "not compared: only new has it"
    assert "only missing values" in str(found["kind;column=day"].value)
    assert found["psi;column=y"].reason == "reference has no values"
    assert "infinite" in found["wasserstein;column=x"].reason
    assert (found["columns"].value, found["ks;column=x"].value) == (1, 1.0)


def test_label_and_score_are_compared_by_role(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    old = {"y": rng.integers(0, 2, 500), "s": rng.random(500), "x": rng.random(500)}
    new = {"y": (rng.random(400) < 0.8).astype(int), "s": rng.random(400) ** 2, "x": rng.random(400)}
    found = compare(tmp_path, old, new, roles=", label: y, positive: '1', score: s, cut: 0.5")
    assert [found[f"kind;role={role}"].value for role in ("label", "score")] == ["category", "number"]
    assert "psi;column=y" not in found
    oracle = stats.chi2_contingency([np.bincount(old["y"]), np.bincount(new["y"])], correction=False)
    assert found["chi2;role=label"].value == pytest.approx(oracle.statistic)
    adjusted = [found[f"holm_p;{name}"].value for name in ("role=label", "role=score", "column=x")]
    raw = [found["chi2_p;role=label"].value, found["ks_p;role=score"].value, found["ks_p;column=x"].value]
    assert adjusted == pytest.approx(laws.holm([float(p) for p in raw]), rel=1e-9)
    assert (found["columns"].value, found["drifted"].value) == (3, 2)


def test_labels_that_mean_the_same_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("y\n" + "1\n0\n" * 50, encoding="utf-8")
    (tmp_path / "new.csv").write_text("y\n" + "1.0\n0.0\n" * 50, encoding="utf-8")
    sources = "{old: {uri: old.csv, label: y}, new: {uri: new.csv, label: y, labels: {'1.0': '1', '0.0': '0'}}}"
    found = planned(tmp_path, sources, PLAN)
    assert (found["chi2;role=label"].value, found["new_categories;role=label"].value) == (0, 0)


def test_a_type_that_differs_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("x\n" + "1\n2\n" * 50, encoding="utf-8")
    (tmp_path / "new.csv").write_text("x\n1\n2\nn/a\nn/a\n", encoding="utf-8")
    sources = "{old: {uri: old.csv}, new: {uri: new.csv}}"
    with pytest.raises(SourceError, match=r"new.csv: column 'x' \(current\) holds 2 texts that are no number, e.g. 'n/a'.*\n.*kinds: {x: category}"):
        planned(tmp_path, sources, PLAN)
    assert planned(tmp_path, sources, PLAN + ", kinds: {x: category}")["new_categories;column=x"].value == 1


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("measure: drift, reference: old, current: old", "the same source"),
        (PLAN + ", columns: [z]", "no column 'z'"),
        (PLAN + ", kinds: {x: text}", "`kinds`"),
        (PLAN + ", kinds: {z: number}", "no column 'z'"),
        (PLAN + ", blocks: two", "`blocks: two`"),
        (PLAN + ", blocks: 30", "30 blocks of 20 rows"),
        (PLAN + ", blocks: 3, over: g", "both `over` and `blocks`"),
        (PLAN + ", every: month", "`every` needs `over`"),
        (PLAN + ", over: g, every: month", "missing or no date"),
        (PLAN + ", over: x, every: month", "not a date"),
        (PLAN + ", empty: smooth", "`empty: smooth`"),
        (PLAN + ", psi_limit: -1", "psi_limit"),
        (PLAN + ", concept: yes", "needs a label"),
        (PLAN + ", colums: [x]", "did you mean columns"),
        ("measure: drift, reference: old, current: old, over: g, baseline: 4", "none are left"),
        ("measure: drift, reference: old, current: older", "older"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, plan: str, said: str) -> None:
    table = {"x": np.arange(20.0), "g": ["a", "b"] * 10}
    with pytest.raises(FactbookError) as error:
        compare(tmp_path, table, table, plan)
    assert said in str(error.value)


def test_over_time_by_month(tmp_path: Path) -> None:
    days = np.arange("2026-01-01", "2026-04-01", dtype="datetime64[D]")
    x = np.where(days < np.datetime64("2026-03-01"), 0.0, 5.0) + np.arange(len(days)) % 7
    pq.write_table(pa.table({"day": days, "x": x}), tmp_path / "log.parquet")
    plan = "measure: drift, reference: log, current: log, over: day, every: month"
    found = planned(tmp_path, "{log: {uri: log.parquet}}", plan)
    assert [found[f"rows;block=2026-0{month}"].value for month in (2, 3)] == [28, 31]
    assert "rows;block=2026-01" not in found
    assert found["ks;block=2026-03;column=x"].value == pytest.approx(stats.ks_2samp(x[:31], x[59:]).statistic)
    assert (found["drifted;block=2026-02"].value, found["drifted;block=2026-03"].value) == (0, 1)
    assert found["ks;column=x"].value == pytest.approx(stats.ks_2samp(x[:31], x[31:]).statistic)
    for every, first in (("quarter", "2026-Q1"), ("year", "2026"), ("week", "2026-W02"), ("day", "2026-01-02")):
        if every in ("week", "day"):
            assert f"rows;block={first}" in planned(tmp_path, "{log: {uri: log.parquet}}", plan.replace("month", every))
        else:
            with pytest.raises(MeasureError, match="1 blocks, of which 1"):
                planned(tmp_path, "{log: {uri: log.parquet}}", plan.replace("month", every))


def test_the_interval_of_psi_covers() -> None:
    """Simulated with a generator whose stream never changes; the level is .95."""
    rng = np.random.RandomState(0)
    for cells, n, m, tilt in ((10, 1_000, 700, 0.0), (10, 1_000, 700, 0.3), (2, 500, 500, 0.3), (10, 20_000, 20_000, 0.1), (10, 300, 300, 0.6)):
        p = np.full(cells, 1 / cells)
        q = p * np.exp(tilt * np.linspace(-1, 1, cells))
        q /= q.sum()
        truth = float(((q - p) * np.log(q / p)).sum())
        held = 0
        for _ in range(400):
            found = divergences.stability_interval(rng.multinomial(n, p), rng.multinomial(m, q), 0.95)
            assert found is not None
            held += found.low - 1e-12 <= truth <= max(found.high, 1e-12)
        assert 0.92 <= held / 400 <= 0.995, (cells, n, m, tilt, held / 400)


def test_the_interval_of_ks_never_covers_less(tmp_path: Path) -> None:
    rng, held = np.random.RandomState(1), 0
    truth = stats.norm.cdf(0.25) - stats.norm.cdf(-0.25)
    for _ in range(200):
        a, b = sketches.numbers_of(rng.normal(size=200)), sketches.numbers_of(rng.normal(0.5, 1, size=150))
        found = divergences.smirnov_interval(divergences.kolmogorov_smirnov(Pair.of(a, b)), 200, 150, 0.95)
        held += found.low <= truth <= found.high
    assert held >= 190


@pytest.mark.parametrize("small", ["old", "new"])
def test_columns_of_hidden_groups_tell_nothing(tmp_path: Path, small: str) -> None:
    for name in ("old", "new"):
        few = 3 if name == small else 50
        table = {"g": ["a"] * (100 - few) + ["b"] * few, "x": np.arange(100.0)}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    sources = "{old: {uri: old.parquet, by: [g]}, new: {uri: new.parquet, by: [g]}}"
    text = f"factbook: 1\nsubject: {{name: test}}\nsources: {sources}\nplan: {{m: {{{PLAN}}}, p: {{measure: profile, data: {small}}}}}\n"
    book, _ = manifest.read(text)
    found = facts(measures.run("m", book.plan["m"], book, tmp_path, tmp_path / ".factbook", silent))
    about = {key: fact for key, fact in found.items() if key.endswith("column=g") and not key.startswith("kind")}
    assert about
    assert all(fact.status is Status.SUPPRESSED and not fact.counts for fact in about.values()), about
    assert found["ks;column=x"].measured


def test_golden(tmp_path: Path) -> None:
    """400 rows from a congruential generator, so that no library's random numbers are part of the golden output."""
    state, rows = 12345, []
    for i in range(400):
        numbers = []
        for _ in range(3):
            state = (1103515245 * state + 12345) % 2**31
            numbers.append(state / 2**31)
        late = i >= 200
        rows.append((round(numbers[0] + 0.2 * late * numbers[1], 3), "abcd"[int((3 + late) * numbers[1] ** (1 + late))], str(int(numbers[2] < 0.4))))
    table = {"x": [row[0] for row in rows], "c": [row[1] for row in rows], "y": [row[2] for row in rows]}
    pq.write_table(pa.table(table), tmp_path / "log.parquet")
    plan = "measure: drift, reference: log, current: log, blocks: 4, baseline: 2, concept: yes"
    text = f"factbook: 1\nsubject: {{name: t}}\nsources: {{log: {{uri: log.parquet, label: y}}}}\nplan: {{m: {{{plan}}}}}\n"
    book, _ = manifest.read(text)
    golden("drift", drift.VERSION, measures.run("m", book.plan["m"], book, tmp_path, tmp_path / ".factbook", silent))


def test_the_example_of_the_guide_prints_what_it_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "guide" / "measures-drift.md").read_text(encoding="utf-8")
    code, shown = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL).groups()  # type: ignore[union-attr]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()


def decaying(n: int, blocks: int) -> dict[str, np.ndarray]:
    """A log whose score stops telling the classes apart in its second half."""
    rng = np.random.default_rng(11)
    y = (rng.random(n) < 0.4).astype(int)
    told = np.where(np.arange(n) < n // 2, 1.5, 0.2)
    s = (1 / (1 + np.exp(-(y * told + rng.normal(size=n) - 0.5)))).round(3)
    return {"y": y, "s": s, "p": (s >= 0.5).astype(int), "day": np.arange(n) * blocks // n + 1}


def test_performance_in_time_equals_scikit_learn(tmp_path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    log = decaying(4_000, 8)
    pq.write_table(pa.table(log), tmp_path / "log.parquet")
    for roles in ("prediction: p", "cut: 0.5"):
        source = f"{{log: {{uri: log.parquet, label: y, positive: '1', score: s, {roles}}}}}"
        found = planned(tmp_path, source, "measure: drift, reference: log, current: log, blocks: 8, baseline: 2")
        for name, chosen in {"data=reference": log["day"] < 3, "data=current": log["day"] > 2, "block=5": log["day"] == 5}.items():
            accuracy, auc = found[f"accuracy;{name}"], found[f"auc;{name}"]
            right = int((log["p"] == log["y"])[chosen].sum())
            assert accuracy.counts == {"k": right, "n": int(chosen.sum())}
            assert auc.value == pytest.approx(roc_auc_score(log["y"][chosen], log["s"][chosen]), rel=1e-11)
            assert auc.low < auc.value < auc.high  # type: ignore[operator]
        change = found["auc_difference;block=5"]
        assert change.value == pytest.approx(found["auc;block=5"].value - found["auc;data=reference"].value)  # type: ignore[operator]
        assert change.high < 0  # type: ignore[operator]
        assert found["auc_difference;block=3"].low < 0 < found["auc_difference;block=3"].high  # type: ignore[operator]
        assert found["accuracy_difference;block=6"].high < 0  # type: ignore[operator]
        assert "accuracy;block=1" not in found


def test_performance_of_two_tables_with_labels_that_mean_the_same(tmp_path: Path) -> None:
    log = decaying(2_000, 2)
    for name, chosen, shift in (("old", log["day"] == 1, ""), ("new", log["day"] == 2, ".0")):
        lines = [f"{y}{shift},{p}{shift},{s}" for y, p, s in zip(*(log[column][chosen] for column in "yps"), strict=True)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["y,p,s", *lines, f",0{shift},0.3"]) + "\n", encoding="utf-8")
    roles = "label: y, positive: '1', prediction: p, score: s, missing: {label: drop}"
    sources = f"{{old: {{uri: old.csv, {roles}}}, new: {{uri: new.csv, {roles}, labels: {{'1.0': '1', '0.0': '0'}}}}}}"
    found = planned(tmp_path, sources, PLAN)
    expected = (log["p"] == log["y"])[log["day"] == 2].mean() - (log["p"] == log["y"])[log["day"] == 1].mean()
    assert found["accuracy_difference;data=current"].value == pytest.approx(expected)
    assert found["auc;data=current"].n == 1_000
