"""Golden outputs: a measure's results may change only with a new VERSION.

After a deliberate change raise VERSION and write them anew: GOLDEN=write python -m pytest tests/measures/test_golden.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factbook import canon, shelf
from factbook.evidence import form
from factbook.model import Measured
from measuring import run, table

GOLDEN = Path(__file__).parent / "golden"
GROUPS = {"by": {"age": {"column": "age", "cuts": ["40", "60"]}, "sex": {"column": "sex", "names": {"1": "men", "2": "women"}}}}
SOURCE = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.4", "key": "id", **GROUPS}
PLANS: dict[str, dict[str, Any]] = {
    "classification": {"measure": "classification", "data": "data", "by": ["age", "sex", ["age", "sex"]]},
    "classification-clusters": {"measure": "classification", "data": "data", "by": ["sex"], "curves": "yes", "criterion": "f1"},
    "classification-classes": {"measure": "classification", "data": "data", "by": ["sex"], "confusion": "slices"},
    "classification-sets": {"measure": "classification", "data": "data", "by": ["sex"]},
    "fairness": {"measure": "fairness", "data": "data", "protected": {"age": "40-59", "sex": "2"}},
    "fairness-classes": {"measure": "fairness", "data": "data", "protected": {"sex": "2"}},
    "fairness-numbers": {"measure": "fairness", "data": "data", "protected": {"age": "40-59", "sex": "2"}, "label": "y", "prediction": "s"},
    "profile": {"measure": "profile", "data": "data"},
}
SOURCES: dict[str, dict[str, Any]] = {
    "classification-clusters": SOURCE | {"cluster": "age"},
    "classification-classes": {"uri": "c.parquet", "label": "y", "prediction": "p", "classes": {"a": "s0", "b": "s1", "c": "s2"}, "by": ["sex"]},
    "fairness-classes": {"uri": "c.parquet", "label": "y", "prediction": "p", "classes": {"a": "s0", "b": "s1", "c": "s2"}, "by": ["sex"]},
    "fairness-numbers": {"uri": "n.parquet", **GROUPS},
    "classification-sets": {"uri": "c.parquet", "label": "some", "prediction": "found", "multilabel": ";", "by": ["sex"]},
}


def rows(path: Path) -> None:
    """400 rows from a congruential generator, so that no library's random numbers are part of the golden outputs."""
    state, found = 12345, []
    for i in range(400):
        numbers = []
        for _ in range(4):
            state = (1103515245 * state + 12345) % 2**31
            numbers.append(state / 2**31)
        label = int(numbers[0] < 0.35)
        score = round(min(0.98, max(0.02, 0.25 + 0.3 * label + 0.5 * (numbers[1] - 0.5))), 3)
        found.append({"id": i, "y": str(label), "s": score, "age": int(20 + 60 * numbers[2]), "sex": "1" if numbers[3] < 0.6 else "2"})
    columns = {name: [row[name] for row in found] for name in found[0]}
    table(path, columns)
    table(path.with_name("n.parquet"), columns | {"y": [int(label) for label in columns["y"]]})


def rows_of_classes(path: Path) -> None:
    """300 rows with three classes, their scores, and sets of them."""
    state, found = 54321, []
    for _ in range(300):
        numbers = []
        for _ in range(8):
            state = (1103515245 * state + 12345) % 2**31
            numbers.append(state / 2**31)
        label = min(int(numbers[0] * 4), 2)
        raw = [numbers[1 + i] + (0.7 if i == label else 0.0) for i in range(3)]
        scores = [round(value / sum(raw), 4) for value in raw]
        sets = [";".join(name for name, number in zip("abc", numbers[i : i + 3], strict=True) if number < 0.5) for i in (4, 5)]
        row = {"y": "abc"[label], "p": "abc"[raw.index(max(raw))], "sex": "1" if numbers[7] < 0.6 else "2", "some": sets[0], "found": sets[1]}
        found.append(row | {f"s{i}": scores[i] for i in range(3)})
    table(path, {name: [row[name] for row in found] for name in found[0]})


def outcome(measured: Measured) -> dict[str, Any]:
    return {"version": measured.version, "facts": {str(fact.key): json.loads(canon.dumps(form.dump(fact))) for fact in measured.facts}}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_results_change_only_with_the_version(name: str, tmp_path: Path) -> None:
    rows(tmp_path / "d.parquet")
    rows_of_classes(tmp_path / "c.parquet")
    found = outcome(run(tmp_path, SOURCES.get(name, SOURCE), {"m": PLANS[name]}, suppress_below="20")["m"])
    path = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":
        lines = [f"  {json.dumps(key, ensure_ascii=False)}: {canon.dumps(fact)}" for key, fact in sorted(found["facts"].items())]
        path.write_text(f'{{"version": {found["version"]},\n "facts": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")
    golden = json.loads(path.read_text(encoding="utf-8"))
    assert found["version"] == golden["version"], "the golden output is of another VERSION: write it anew"
    assert sorted(found["facts"]) == sorted(golden["facts"])
    for key, fact in golden["facts"].items():
        assert fact.keys() == found["facts"][key].keys(), key
        for member, value in fact.items():
            here = found["facts"][key][member]
            same = here == pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else here == value
            assert same, (
                f"{key}: {member} is {here}, the golden output of version {golden['version']} says {value}: raise VERSION or mend the measure"
            )


def test_every_measure_has_a_golden_output() -> None:
    assert set(shelf.modules("measures")) - {"recorded"} <= {path.stem for path in GOLDEN.glob("*.json")}


def test_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b/c"):
        rows(tmp_path / name / "d.parquet")
        measured = run(tmp_path / name, SOURCE, {name.replace("/", "-"): PLANS["classification"]})
        found.append([(fact.key.metric, fact.value, fact.low, fact.high) for item in measured.values() for fact in item.facts])
    assert found[0] == found[1]


def test_a_million_rows_take_seconds(tmp_path: Path) -> None:
    import time

    rng = np.random.default_rng(1)
    n = 10**6
    y = rng.random(n) < 0.3
    s = 1 / (1 + np.exp(-(rng.normal(size=n) + y)))
    import pyarrow as pa
    import pyarrow.parquet as pq

    groups = pa.array(np.array(["a", "b", "c", "d"])[rng.integers(0, 4, n)])
    pq.write_table(pa.table({"y": pa.array(y.astype("int8")), "s": s, "g": groups}), tmp_path / "d.parquet")
    started = time.process_time()
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5", "by": ["g"]}
    assert len(run(tmp_path, source)["performance"].facts) > 100
    assert time.process_time() - started < 20
