"""A book that begins with logs of evaluations: what is taken from them, what is told, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from factbook import Book
from factbook.errors import FactbookError

LOGS = Path(__file__).parent / "cases" / "logs"
TIME = "2026-11-21T04-25-39.490721"


def harness(folder: Path, model: str, right: dict[str, int]) -> None:
    """What lm-eval writes of a task of 20 documents with two filters, of which so many are right."""
    own = folder / model.replace("/", "__")
    own.mkdir(parents=True)
    line = json.loads((LOGS / "samples_trivia.jsonl").read_text(encoding="utf-8").splitlines()[0])
    samples = [
        line | {"doc_id": i, "filter": name, "exact_match": float(i < count), "f": i / 20} | {"metrics": ["exact_match", "f"]}
        for name, count in right.items()
        for i in range(20)
    ]
    (own / f"samples_sums_{TIME}.jsonl").write_text("\n".join(map(json.dumps, samples)), encoding="utf-8")
    figures = {f"exact_match,{name}": count / 20 for name, count in right.items()}
    results = {"results": {"sums": figures}, "model_name": model}
    (own / f"results_{TIME}.json").write_text(json.dumps(results), encoding="utf-8")


def values(book: Book, pattern: str) -> list[Any]:
    return [fact.value for fact in book.facts(pattern)]


def test_a_log_of_inspect_begins_a_book(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    shutil.copy(LOGS / "trivia.eval", tmp_path / "logs")
    book, notes = Book.init(tmp_path / "book", logs=str(tmp_path / "logs"), by=("metadata.level",))
    assert notes == ["trivia: all values of score.grader lie between 0 and 1, and are taken to do so always: `ranges`"]
    assert book.manifest.subject.name == "mockllm/model"
    assert book.manifest.plan["trivia"].params["k"] == ["1", "3"]
    assert values(book, "trivia/runs_apart") == [0]
    assert len(values(book, "trivia/correct_share?level=*")) == 2
    card = (book.root / "documents" / "model-card.md").read_text(encoding="utf-8")
    assert "| share of correct outputs |" in card
    assert "False-negative rate" not in card
    assert not book.check().findings


def test_models_and_filters_of_lm_eval_are_measured_apart(tmp_path: Path) -> None:
    harness(tmp_path / "logs", "org/one", {"strict": 5, "flexible": 12})
    harness(tmp_path / "logs", "org/two", {"strict": 3, "flexible": 4})
    book, notes = Book.init(tmp_path / "book", logs=str(tmp_path / "logs"))
    assert {name: values(book, f"{name}/correct_share") for name in book.manifest.plan} == {
        "sums-one-flexible": [0.6],
        "sums-one-strict": [0.25],
        "sums-two-flexible": [0.2],
        "sums-two-strict": [0.15],
    }
    assert values(book, "*/runs_apart") == [0] * 4
    assert notes[-1] == "there are logs of 2 models; each has measurements of its own"
    assert "sums-one-strict: all values of metric.f lie between 0 and 1, and are taken to do so always: `ranges`" in notes
    assert "| `sums-one-strict` | [20]" in (book.root / "documents" / "model-card.md").read_text(encoding="utf-8")
    assert not book.check().findings


def test_a_changed_log_is_warned_of(tmp_path: Path) -> None:
    harness(tmp_path / "logs", "org/one", {"strict": 5})
    results = next((tmp_path / "logs").rglob("results_*"))
    results.write_text(results.read_text(encoding="utf-8").replace("0.25", "0.75"), encoding="utf-8")
    book, _ = Book.init(tmp_path / "book", logs=str(tmp_path / "logs"))
    assert values(book, "sums/runs_apart") == [1]


def test_failed_runs_and_repeated_ones_are_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = json.loads((LOGS / "trivia.json").read_text(encoding="utf-8"))
    for name, status in (("a.json", "success"), ("b.json", "success"), ("c.json", "error")):
        (tmp_path / "logs" / name).write_text(json.dumps(log | {"status": status}), encoding="utf-8")
    (tmp_path / "logs" / "notes.json").write_text("[1]", encoding="utf-8")
    book, notes = Book.init(tmp_path / "book", logs=str(tmp_path / "logs"))
    assert notes[0] == "trivia of mockllm/model was run more than once: the last counts, ../logs/b.json"
    assert "the run ended with status 'error'" in notes[1]
    assert book.manifest.sources["trivia"].uri == "../logs/b.json"


def test_outputs_that_ended_with_an_error_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = json.loads((LOGS / "trivia.json").read_text(encoding="utf-8"))
    log["samples"][0] |= {"scores": {}, "error": {"message": "boom"}, "output": {"choices": [], "completion": ""}}
    (tmp_path / "logs" / "a.json").write_text(json.dumps(log), encoding="utf-8")
    book, notes = Book.init(tmp_path / "book", logs=str(tmp_path / "logs"))
    assert notes[1] == "trivia: 1 outputs have no score.includes and are left out of it: `missing: {label: drop}`"
    assert values(book, "trivia/rows") == [len(log["samples"]) - 1]


def test_translations_are_compared_as_the_harness_does_and_likelihoods_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    line = json.loads((LOGS / "samples_trivia.jsonl").read_text(encoding="utf-8").splitlines()[0])
    said = line | {"metrics": ["bleu"], "bleu": ["the blue whale is large", "a blue whale is large"], "target": "the blue whale is large"}
    said |= {"filtered_resps": ["a blue whale is large"]}
    (folder / "samples_translated.jsonl").write_text(json.dumps(said), encoding="utf-8")
    rolled = line | {"metrics": ["word_perplexity"], "word_perplexity": [-12.5, 4], "filtered_resps": ["-12.5"], "target": "a text"}
    (folder / "samples_rolled.jsonl").write_text(json.dumps(rolled), encoding="utf-8")
    book, notes = Book.init(tmp_path / "book", logs=str(folder))
    assert values(book, "translated/bleu") == [pytest.approx(66.87403049764218)], "sacreBLEU 2.6.0"
    assert notes == ["left out: rolled has neither a score of single samples nor targets"]


@pytest.mark.parametrize(("made", "said"), [(False, "no such folder"), (True, "no log in it")])
def test_a_folder_without_logs_is_refused(tmp_path: Path, made: bool, said: str) -> None:
    if made:
        (tmp_path / "logs").mkdir()
    with pytest.raises(FactbookError, match=said):
        Book.init(tmp_path / "book", logs=str(tmp_path / "logs"))
    assert not (tmp_path / "book").exists()
