"""Numbers of more rows than are held: the facts of the rows, in any partitioning, and a file that is added is all that is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planned_measures import facts, measured

from factbook.errors import MeasureError, SourceError
from factbook.measures import rows, summed
from factbook.model import Fact

REGRESSION = "measure: regression, data: data, label: y, prediction: f, low: a, high: b, nominal: 0.9, quantiles: {'0.9': b}, by: [g]"
GROUPS = "measure: fairness, data: data, label: y, prediction: f, protected: {g: x}"
COARSE = ("part_", "error_trend", "median_absolute_error", "residual_quantile", "residual_far", "prediction_ks")
JACKKNIFED = ("mse", "rmse", "r2")


def table(n: int = 3000, seed: int = 1) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.gamma(3, 10, n)
    f = y * random.normal(1, 0.2, n) + 1
    return {"y": y, "f": f, "a": f - 8, "b": f + 8, "g": random.choice(["x", "y", "z"], n)}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summed, "LARGE", 100)
    monkeypatch.setattr(summed, "_LUMP", 512)


def both(root: Path, monkeypatch: pytest.MonkeyPatch, plan: str, data: dict[str, np.ndarray]) -> list[tuple[Fact, Fact]]:
    held = facts(measured(root, data, ", by: [g]", plan))
    monkeypatch.setattr(summed, "LARGE", 100)
    monkeypatch.setattr(summed, "_LUMP", 512)
    added = facts(measured(root, data, ", by: [g]", plan, parts=3))
    assert list(held) == list(added)
    return [(held[key], added[key]) for key in held]


def same(a: float | None, b: float | None, part: float) -> bool:
    return (a is None) == (b is None) and (a is None or b is None or a == pytest.approx(b, rel=part, abs=1e-12))


@pytest.mark.parametrize("plan", [REGRESSION, GROUPS])
def test_facts_are_those_of_the_rows(tmp_path, monkeypatch, plan):
    for one, other in both(tmp_path, monkeypatch, plan, table()):
        name = one.key.metric
        if name.startswith(COARSE):
            continue
        assert (one.n, one.status, one.counts, one.reason) == (other.n, other.status, other.counts, other.reason)
        assert same(one.value, other.value, 1e-11), name
        assert (one.interval is None) == (other.interval is None)
        if one.interval is not None:
            part = 0.4 if name == "r2" else 0.1  # its units are counted from below
            apart = part * (one.high - one.low) if name.startswith(JACKKNIFED) else 1e-10 * max(map(abs, one.interval))
            assert other.low == pytest.approx(one.low, rel=1e-10, abs=apart), name
            assert other.high == pytest.approx(one.high, rel=1e-10, abs=apart), name


def test_order_statistics_lie_where_the_bins_say(tmp_path, monkeypatch):
    for one, other in both(tmp_path, monkeypatch, REGRESSION, table()):
        if not one.key.metric.startswith(COARSE) or one.key.metric.startswith("part_"):
            continue
        assert other.value == pytest.approx(one.value, rel=5e-2), one.key
        if "between" in other.note:
            low, high = (float(word) for word in other.note.rpartition("between ")[2].split(" and "))
            assert low - 1e-6 * abs(low) <= one.value <= high + 1e-6 * abs(high), one.key
        if one.interval is not None:
            assert other.interval is not None
            assert other.low <= one.low + 1e-6
            assert other.high >= one.high - 1e-6


def test_parts_by_prediction_are_about_equal(tmp_path, monkeypatch):
    pairs = [(one, other) for one, other in both(tmp_path, monkeypatch, REGRESSION, table()) if one.key.metric.startswith("part_")]
    assert len(pairs) == 40
    for one, other in pairs:
        assert other.value == pytest.approx(one.value, rel=2e-2)
    assert sum(other.value for _, other in pairs if other.key.metric == "part_rows") == 3000


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("plan", [REGRESSION, GROUPS])
def test_any_order_and_partitioning_give_the_same_facts(tmp_path, plan):
    data = table()
    order = np.random.default_rng(2).permutation(3000)
    whole = measured(tmp_path, data, ", by: [g]", plan)
    assert measured(tmp_path, {name: values[order] for name, values in data.items()}, ", by: [g]", plan, parts=7).facts == whole.facts


@pytest.mark.usefixtures("small")
def test_only_a_file_that_is_new_is_read(tmp_path, monkeypatch):
    read, own = [], rows.Reading.batches
    monkeypatch.setattr(rows.Reading, "batches", lambda self, part, store, size: (read.append(part.files[0].name), own(self, part, store, size))[1])
    data = pa.table(table())
    first = measured(tmp_path, data.slice(0, 2000), ", by: [g]", REGRESSION, parts=2)
    assert sorted(read) == ["part0.parquet", "part1.parquet"]
    read.clear()
    found = measured(tmp_path, data, ", by: [g]", REGRESSION, parts=3)
    assert read == ["part2.parquet"]
    assert found.facts != first.facts
    for kept in (tmp_path / ".factbook" / "tallies").iterdir():
        kept.write_bytes(kept.read_bytes()[:-3])
    assert measured(tmp_path, data, ", by: [g]", REGRESSION, parts=3).facts == found.facts, "what was damaged is read again"


@pytest.mark.usefixtures("small")
def test_the_engine_and_the_file_itself_give_the_same(tmp_path):
    data = table()
    plain = measured(tmp_path, data, ", by: [g]", REGRESSION)
    cut = pa.table({**data, "g": pa.array(data["g"]).dictionary_encode()})
    assert measured(tmp_path, cut, ", by: {g: {column: g, names: {x: x}}}", REGRESSION).facts == plain.facts
    texts = pa.table({**data, "y": pa.array([repr(float(value)) for value in data["y"]])})
    assert measured(tmp_path, texts, ", by: [g]", REGRESSION).facts == plain.facts


@pytest.mark.usefixtures("small")
def test_missing_values_follow_their_policies(tmp_path):
    data = table(1000)
    missing = pa.table({**data, "f": pa.array([None if i < 30 else value for i, value in enumerate(data["f"].tolist())])})
    with pytest.raises(SourceError, match=r"'f' \(prediction\) is missing in 30 of 1000 rows"):
        measured(tmp_path, missing, ", by: [g]", REGRESSION)
    found = measured(tmp_path, missing, ", by: [g], missing: {prediction: drop}", REGRESSION, parts=2)
    assert found.warnings == ("part*.parquet: 30 of 1000 rows were left out because a value is missing (policy: drop)",)
    assert facts(found)["mae"].n == 970
    nowhere = pa.table({**data, "g": pa.array([None if i < 30 else value for i, value in enumerate(data["g"].tolist())])})
    found = facts(measured(tmp_path, nowhere, ", by: [g], missing: {group: group}", REGRESSION))
    assert sum(fact.n for key, fact in found.items() if key.startswith("mae?")) == 1000
    assert sum(key.startswith("mae?") for key in found) == 4


@pytest.mark.usefixtures("small")
def test_what_contradicts_the_declaration_is_refused(tmp_path):
    data = table(1000)
    data["f"][3] = np.inf
    with pytest.raises(SourceError, match=r"'f' \(prediction\) is infinite or beyond 1e\+70 in 1 of 1000 rows"):
        measured(tmp_path, data, ", by: [g]", REGRESSION)
    data = table(1000)
    data["a"], data["b"] = data["b"], data["a"]
    with pytest.raises(MeasureError, match="lies above 'b' in 1000 rows"):
        measured(tmp_path, data, ", by: [g]", REGRESSION)


@pytest.mark.usefixtures("small")
def test_small_groups_are_hidden(tmp_path):
    data = table(1000)
    data["g"][:] = "x"
    data["g"][:4] = "y"
    found = facts(measured(tmp_path, data, ", by: [g]", REGRESSION, below=10))
    assert found["mae?g=y"].value is None
    assert found["mae"].value is not None


@pytest.mark.usefixtures("small")
def test_labels_that_do_not_vary_and_labels_of_zero(tmp_path):
    data = table(1000)
    data["y"][:] = 7.1
    found = facts(measured(tmp_path, data, ", by: [g]", REGRESSION))
    assert (found["r2"].value, found["r2"].reason) == (None, "division by 0: all labels are equal")
    assert found["label_mean"].interval is None
    data = table(1000)
    data["y"][:5] = 0
    found = facts(measured(tmp_path, data, ", by: [g]", REGRESSION))
    assert found["mape"].reason == "5 rows have the label 0"


def test_the_file_is_not_needed_to_be_parquet(tmp_path, small):
    data = pa.table(table(400))
    pq.write_table(data, tmp_path / "one.parquet")
    lines = [",".join(data.column_names), *(",".join(map(str, row.values())) for row in data.to_pylist())]
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    from measuring import run

    plan = {"measure": "regression", "data": "data", "label": "y", "prediction": "f", "by": ["g"]}
    one, other = (run(tmp_path, {"uri": uri, "by": ["g"]}, {"m": plan}, suppress_below="0")["m"].facts for uri in ("one.parquet", "d.csv"))
    assert one == other
