"""Logs that Inspect 0.3.285 and lm-evaluation-harness 0.4.13 wrote (over a mock model): read as tables, and measured as these tools measured them."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from factbook import measures, sources
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.model import silent
from factbook.sources import inspect
from factbook.statistics import moments
from measuring import manifest

LOGS = Path(__file__).parents[1] / "cases" / "logs"


def read(uri, form, root=LOGS, tmp=None):
    table = sources.table(Source(uri=uri, format=form), root, tmp)
    return sources.batches(sources.connect(), f"SELECT * FROM ({table.sql}) ORDER BY ALL").read_all().to_pylist()


def facts(root, source, plan):
    book = manifest({"log": source}, {"m": {"measure": "text-generation", "data": "log", **plan}}, suppress_below="0")
    found = measures.run("m", book.plan["m"], book, root, root / ".factbook", silent)
    return {str(fact.key).removeprefix("m/"): fact for fact in found.facts}


def header(name):
    """What the log says of itself; the archive is packed with Zstandard."""
    with zipfile.ZipFile(LOGS / name) as archive:
        return json.loads(inspect._unpacked(LOGS / name, archive, archive.getinfo("header.json")))


def test_an_archive_of_inspect(tmp_path):
    rows = read("trivia.eval", "inspect", tmp=tmp_path)
    assert len(rows) == 24
    assert {(row["id"], row["epoch"]) for row in rows} == {(f"q{i}", str(epoch)) for i in range(1, 9) for epoch in (1, 2, 3)}
    first = next(row for row in rows if (row["id"], row["epoch"]) == ("q1", "1"))
    assert (first["input"], first["target"], first["output"]) == ("What is the capital of France?", '"Paris"', "It is Paris.")
    assert (first["score.includes"], first["metadata.level"], first["stop"], first["total_tokens"]) == ("1", "easy", "stop", 9)
    assert next(row["target"] for row in rows if row["id"] == "q4") == '["blue whale","Blue Whale"]', "a list of targets stays one"


def test_both_formats_of_inspect_say_the_same(tmp_path):
    """Two runs of the same questions; the small one has two epochs of three questions."""
    small = read("trivia.json", "inspect", tmp=tmp_path)
    assert len(small) == 6
    archive = {(row["id"], row["epoch"]): row for row in read("trivia.eval", "inspect", tmp=tmp_path)}
    for row in small:
        other = archive[row["id"], row["epoch"]]
        assert {name: row[name] for name in ("input", "target", "output", "score.includes", "metadata.level")} == {
            name: other[name] for name in ("input", "target", "output", "score.includes", "metadata.level")
        }


def test_what_inspect_says_is_what_is_measured(tmp_path):
    shutil.copy(LOGS / "trivia.eval", tmp_path)
    plan = {"sample": "sample", "prediction": "output", "references": "target", "correct": "score.includes", "judge": "score.grader"}
    plan |= {"human": "score.includes", "quantities": ["output_tokens", "total_time"], "refusals": ["I cannot"]}
    found = facts(tmp_path, {"uri": "trivia.eval", "format": "inspect", "by": {"level": "metadata.level"}}, {**plan, "by": ["level"]})
    said = header("trivia.eval")
    accuracy = said["results"]["scores"][0]["metrics"]
    fact = found["pass_at_k;k=1"]
    assert fact.value == pytest.approx(accuracy["accuracy"]["value"])
    expected = moments.student(accuracy["accuracy"]["value"], accuracy["stderr"]["value"] ** 2, 8, 0.95, "", (0.0, 1.0))
    assert fact.interval == pytest.approx((expected.low, expected.high), rel=1e-9), "over samples, from Inspect's own standard error"
    usage = said["stats"]["model_usage"]["mockllm/model"]
    assert found["quantity_total;of=output_tokens"].value == usage["output_tokens"]
    assert found["judge_agreement"].n == 24
    assert found["refusal_rate?level=hard"].value > 0
    assert found["samples"].value == 8


def test_samples_of_lm_eval(tmp_path):
    for path in LOGS.glob("samples_*.jsonl"):
        shutil.copy(path, tmp_path / path.name.replace(".jsonl", "_2026-11-21T04-25-39.490721.jsonl"))
    rows = read("samples_trivia_*.jsonl", "lm-eval", tmp_path, tmp_path / ".factbook")
    assert {row["task"] for row in rows} == {"trivia"}
    assert (rows[0]["target"], rows[0]["doc.question"], rows[0]["filter"]) == ("Paris", "What is the capital of France?", "take_first")
    found = facts(
        tmp_path, {"uri": "samples_*.jsonl", "format": "lm-eval", "by": ["task"]}, {"prediction": "output", "references": "target", "by": ["task"]}
    )
    assert found["exact_match?task=trivia"].value == pytest.approx(4 / 6), "exact_match,take_first of the harness"
    assert found["exact_match?task=choice"].value == pytest.approx(2 / 3), "acc,none of the harness"
    assert np.mean([float(row["metric.exact_match"]) for row in rows]) == pytest.approx(4 / 6)


def test_several_responses_are_epochs(tmp_path):
    sample = json.loads((LOGS / "samples_trivia.jsonl").read_text().splitlines()[0])
    sample["filtered_resps"] = [["Paris", "Rome"]]
    (tmp_path / "samples_a_b.jsonl").write_text(json.dumps(sample))
    rows = read("samples_a_b.jsonl", "lm-eval", tmp_path, tmp_path / ".factbook")
    assert [(row["sample"], row["epoch"], row["output"]) for row in rows] == [("a_b/0", "1", "Paris"), ("a_b/0", "2", "Rome")]


@pytest.mark.parametrize(
    ("name", "form", "content", "said"),
    [
        ("a.json", "inspect", "{}", "no log of Inspect"),
        ("a.json", "inspect", '{"status": "error", "eval": {}, "samples": []}', "ended with status 'error'"),
        ("a.eval", "inspect", "no archive", "no log of Inspect"),
        ("a.json", "inspect", "[]", "no log of Inspect"),
        ("samples_a.jsonl", "lm-eval", '{"doc_id": 1}\n', r"samples_a.jsonl:1: no sample of lm-eval"),
        ("samples_a.jsonl", "lm-eval", "{\n", r"samples_a.jsonl:1: no sample of lm-eval"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, name, form, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=said):
        read(name, form, tmp_path, tmp_path / ".factbook")


def test_a_log_without_its_header_is_of_a_run_that_has_not_ended(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with pytest.raises(SourceError, match="the run has not ended"):
        read("a.eval", "inspect", tmp_path, tmp_path / ".factbook")


def test_scores_of_several_values_and_messages_of_several_parts(tmp_path):
    log = json.loads((LOGS / "trivia.json").read_text())
    sample = log["samples"][0]
    sample["scores"]["grader"]["value"] = {"tone": "C", "facts": 0.25}
    sample["input"] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Who?"}]}]
    sample["metadata"]["docs"] = ["d1", "d2"]
    (tmp_path / "a.json").write_text(json.dumps({**log, "samples": [sample]}))
    row = read("a.json", "inspect", tmp_path, tmp_path / ".factbook")[0]
    assert (row["score.grader.tone"], row["score.grader.facts"]) == ("1", "0.25")
    assert (row["input"], row["metadata.docs"]) == ("Be brief.\nWho?", '["d1","d2"]')


def test_grades_in_words_and_the_means_of_a_log(tmp_path):
    log = json.loads((LOGS / "trivia.json").read_text())
    first, other = log["samples"][0], log["samples"][1]
    first["scores"]["grader"]["value"], other["scores"]["grader"]["value"] = "Yes", True
    (tmp_path / "a.json").write_text(json.dumps({**log, "samples": [first, other]}))
    rows = read("a.json", "inspect", tmp_path, tmp_path / ".factbook")
    assert [row["score.grader"] for row in rows] == ["1", "1"]
    said = {score["name"]: score["metrics"] for score in log["results"]["scores"]}
    assert {float(row["logged.includes"]) for row in rows} == {said["includes"]["accuracy"]["value"]}
    assert {float(row["logged.grader"]) for row in rows} == {said["grader"]["mean"]["value"]}


def test_a_sample_that_failed_has_no_output(tmp_path):
    log = json.loads((LOGS / "trivia.json").read_text())
    log["samples"][0] |= {"error": {"message": "boom"}, "scores": None, "output": {"choices": [], "completion": ""}}
    (tmp_path / "a.json").write_text(json.dumps(log))
    rows = read("a.json", "inspect", tmp_path, tmp_path / ".factbook")
    assert [row["error"] for row in rows if row["output"] is None] == ["boom"]


def test_models_filters_and_metrics_of_lm_eval(tmp_path):
    """Model and means are those of the file of results; older versions do not list the metrics."""
    sample = json.loads((LOGS / "samples_trivia.jsonl").read_text().splitlines()[0])
    del sample["metrics"]
    lines = [json.dumps(sample | {"filter": name, "exact_match": value}) for name, value in (("strict", 0.0), ("loose", 1.0))]
    for model in ("a", "b"):
        (tmp_path / model).mkdir()
        (tmp_path / model / "samples_x_2026-01-01T00-00-00.1.jsonl").write_text("\n".join(lines))
    said = {"model_name": "org/a", "results": {"x": {"exact_match,strict": 0.25, "exact_match,loose": "N/A"}}}
    (tmp_path / "a" / "results_2026-01-01T00-00-00.1.json").write_text(json.dumps(said))
    rows = read("*/*", "lm-eval", tmp_path, tmp_path / ".factbook")
    assert sorted((row["model"], row["filter"], row["metric.exact_match"], row["logged.exact_match"]) for row in rows if row["model"] == "org/a") == [
        ("org/a", "loose", "1.0", "N/A"),
        ("org/a", "strict", "0.0", "0.25"),
    ]
    assert {(row["model"], row["logged.exact_match"]) for row in rows if row["model"] != "org/a"} == {("b", None)}
    table = sources.table(Source(uri="*/*", format="lm-eval", members="str*"), tmp_path, tmp_path / ".factbook")
    assert table.rows == 2
    (tmp_path / "a" / "results_2026-01-01T00-00-00.1.json").write_text("{")
    with pytest.raises(SourceError, match="no results of lm-eval"):
        read("*/*", "lm-eval", tmp_path, tmp_path / ".factbook")
