"""The mechanism of measures: vocabulary, identity, proposals."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from factbook import canon, engines, measures, shelf
from factbook.engines import tallies
from factbook.errors import MeasureError, UnknownName
from factbook.evidence import form
from factbook.manifest import Planned, Source, validate
from factbook.model import Unit, silent
from factbook.statistics import intervals
from measuring import manifest, run, table

SOURCE = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": ["g"]}
PLAN = {"performance": {"measure": "classification", "data": "data", "by": ["g"]}}


def test_the_vocabulary_is_complete() -> None:
    for name in shelf.modules("measures"):
        found = measures.metrics(name)
        assert len({item.name for item in found}) == len(found)
        for item in found:
            assert item.title
            assert item.short
            assert item.formula
            assert (item.bounds is None) == (item.unit in (Unit.TEXT, Unit.DATE))


def test_a_metric_by_another_name_is_suggested() -> None:
    assert measures.find_alias("TPR") == "recall"
    assert measures.find_alias("nonsense") is None
    assert measures.metric("classification", "fnr").short == "FNR"
    with pytest.raises(UnknownName, match="recall"):
        measures.metric("classification", "tpr")


def test_identity_leaves_out_where_the_file_lies() -> None:
    here, there = manifest({"data": SOURCE}, PLAN), manifest({"data": {**SOURCE, "uri": "other/place.parquet"}}, PLAN)
    assert measures.identity("performance", here.plan["performance"], here) == measures.identity("performance", there.plan["performance"], there)


@pytest.mark.parametrize("change", [{"positive": "0"}, {"by": {"g": {"column": "h"}}}, {"missing": {"label": "drop"}}, {"weight": "w"}])
def test_identity_holds_the_declaration(change: dict[str, object]) -> None:
    before, after = manifest({"data": SOURCE}, PLAN), manifest({"data": {**SOURCE, **change}}, PLAN)
    assert measures.identity("performance", before.plan["performance"], before) != measures.identity("performance", after.plan["performance"], after)


@pytest.mark.parametrize("change", [{"level": "0.9"}, {"suppress_below": "5"}])
def test_identity_holds_level_and_suppression(change: dict[str, str]) -> None:
    before, after = manifest({"data": SOURCE}, PLAN), manifest({"data": SOURCE}, PLAN, **change)
    assert measures.identity("performance", before.plan["performance"], before) != measures.identity("performance", after.plan["performance"], after)


def test_a_measurement_has_the_identity_that_was_foretold(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": ["1", "0"] * 20, "p": ["1", "0", "0", "1"] * 10, "g": ["a"] * 20 + ["b"] * 20})
    measured = run(tmp_path, SOURCE, PLAN)["performance"]
    book = manifest({"data": SOURCE}, PLAN)
    assert measured.params == measures.identity("performance", book.plan["performance"], book)
    assert measured.version == measures.version("classification")
    assert measured.inputs["data"].rows == 40


def test_the_level_reaches_the_facts(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": ["1", "0"] * 20, "p": ["1", "0", "0", "1"] * 10, "g": ["a"] * 20 + ["b"] * 20})
    facts = run(tmp_path, SOURCE, PLAN, level="0.9")["performance"].facts
    assert {fact.level for fact in facts if fact.interval} == {0.9}


def test_proposals_can_be_planned() -> None:
    found = measures.proposals("holdout", validate(Source, SOURCE, "x", {}), {"g": "a"})
    assert set(found) >= {"performance", "fairness", "data"}
    for planned in found.values():
        assert validate(Planned, planned, "x", {}).params["data"] == "holdout"
    assert set(measures.proposals("train", validate(Source, {"uri": "t.csv", "label": "y"}, "x", {}))) == {"data"}


def test_groups_that_look_alike_are_warned_about(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": ["1", "0"] * 20, "p": ["1", "0", "0", "1"] * 10, "g": ["men", " Men"] * 20})
    warnings = run(tmp_path, SOURCE, PLAN)["performance"].warnings
    assert any("' Men' and 'men', which differ only in case or spaces" in said for said in warnings)


def test_an_identifier_is_no_attribute(tmp_path: Path) -> None:
    n = 20_000
    table(tmp_path / "d.parquet", {"y": ["1", "0"] * (n // 2), "p": ["1", "0"] * (n // 2), "g": [str(i) for i in range(n)]})
    with pytest.raises(MeasureError, match="'g' has 20,000 groups"):
        run(tmp_path, SOURCE, PLAN)


def test_many_attributes_of_many_groups(tmp_path: Path) -> None:
    names = "abcdef"
    columns = {name: [str((i * step) % 3001) for i in range(3001)] for step, name in enumerate(names, 1)}
    table(tmp_path / "d.parquet", {"y": ["1"] * 3001, **columns})
    source = {"uri": "d.parquet", "label": "y", "by": list(names)}
    assert run(tmp_path, source, {"data": {"measure": "profile", "data": "data"}})["data"].facts


def test_integer_weights_are_repeated_rows(tmp_path: Path) -> None:
    labels, predictions, weights = ["1", "0", "1", "0", "1"], ["1", "0", "0", "1", "1"], [3, 1, 2, 1, 4]
    table(tmp_path / "w.parquet", {"y": labels, "p": predictions, "w": weights})
    times = [i for i, w in enumerate(weights) for _ in range(w)]
    repeated = {"y": [labels[i] for i in times], "p": [predictions[i] for i in times]}
    table(tmp_path / "r.parquet", repeated)
    plan = {"performance": {"measure": "classification", "data": "data"}}
    roles = {"label": "y", "positive": "1", "prediction": "p"}
    weighted = {fact.key.metric: fact for fact in run(tmp_path, {"uri": "w.parquet", "weight": "w", **roles}, plan)["performance"].facts}
    plain = {fact.key.metric: fact for fact in run(tmp_path, {"uri": "r.parquet", **roles}, plan)["performance"].facts}
    for name, fact in plain.items():
        if isinstance(fact.value, float):
            assert weighted[name].value == pytest.approx(fact.value, abs=1e-12)
    recall = weighted["recall"]
    assert recall.n == 3
    assert dict(recall.counts) == {"weighted_k": 7, "weighted_n": 9, "weighted_squares": 29, "scale": 0}
    assert "Kish" in recall.method
    wider = intervals.proportion(7 / 9 * 81 / 29, 81 / 29, 0.95)
    assert (recall.low, recall.high) == pytest.approx((wider.low, wider.high))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("cap", [1 << 20, 300])
def test_every_fact_has_a_written_form(weighted: bool, cap: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where scores are binned, rows weighted, groups hidden, figures undefined: the evidence refuses facts that contradict themselves."""
    monkeypatch.setattr(tallies, "CAP", cap)
    monkeypatch.setattr(engines, "_recent", OrderedDict())
    rng = np.random.default_rng(12)
    n = 900
    y = (rng.random(n) < 0.3).astype(int)
    columns = {
        "y": y.astype(str).tolist(),
        "s": np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0, 1).tolist(),
        "w": rng.lognormal(size=n).tolist(),
        "g": rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.38, 0.015, 0.005]).tolist(),
        "h": [None if value < 0.1 else "x" if value < 0.5 else "y" for value in rng.random(n)],
    }
    table(tmp_path / "d.parquet", columns)
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5", "by": ["g", "h"], "missing": {"group": "group"}}
    plan = {
        "performance": {"measure": "classification", "data": "data", "by": ["g", "h", ["g", "h"]]},
        "fairness": {"measure": "fairness", "data": "data", "protected": {"g": "a", "h": "x"}},
        "data": {"measure": "profile", "data": "data"},
    }
    for measured in run(tmp_path, source | ({"weight": "w"} if weighted else {}), plan).values():
        assert len({str(fact.key) for fact in measured.facts}) == len(measured.facts)
        for fact in measured.facts:
            assert form.load(fact.key, json.loads(canon.dumps(form.dump(fact))), "line") == fact
        canon.dumps(dict(measured.params))


def test_roles_that_a_plan_entry_may_leave_out(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"text": ["a b c", "d e f"]})
    table(tmp_path / "e.parquet", {"text": ["a b c"]})
    sources = {"data": {"uri": "d.parquet"}, "other": {"uri": "e.parquet"}}
    plan = {"alone": {"measure": "text-corpus", "data": "data"}, "both": {"measure": "text-corpus", "data": "data", "against": "other"}}
    book = manifest(sources, plan, suppress_below="0")
    alone, both = (measures.run(name, planned, book, tmp_path, tmp_path / ".factbook", silent) for name, planned in book.plan.items())
    assert (set(alone.inputs), set(both.inputs)) == ({"data"}, {"data", "against"})
    assert {fact.key.metric for fact in both.facts} - {fact.key.metric for fact in alone.facts} == {"shared", "shared_share"}
    wrong = validate(Planned, {"measure": "text-corpus", "data": "data", "against": "nothing"}, "x", {})
    with pytest.raises(UnknownName, match="source 'nothing'"):
        measures.identity("both", wrong, book)


def test_measures_that_read_rows_import_no_pandas(tmp_path: Path) -> None:
    import subprocess
    import sys

    table(tmp_path / "d.parquet", {"text": ["a b c", None], "n": [1.0, None]})
    code = (
        "import sys; from pathlib import Path; from factbook import measures; from factbook.manifest import Manifest, validate;"
        "from factbook.model import silent; root = Path(sys.argv[1]);"
        "plan = {'measure': 'text-generation', 'data': 'd', 'quantities': ['n']};"
        "tree = {'factbook': '1', 'subject': {'name': 'x'}, 'sources': {'d': {'uri': 'd.parquet'}}, 'plan': {'m': plan}};"
        "book = validate(Manifest, tree, 'x', {});"
        "assert measures.run('m', book.plan['m'], book, root, root, silent).facts and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
