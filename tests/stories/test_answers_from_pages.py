"""A system with parts: a retriever finds passages in published cards and an incident report, a writer answers from them, and a checker compares.

The pages are real, and so are the log of Inspect beside them and the retrieval; the writer is a mock model that takes the first sentence of the
passage found first, and every fifth time one of another page, which nothing that was retrieved supports.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from math import log
from pathlib import Path

import pandas
import pytest
from telling import documented, facts, measured, percent, told, verdicts

from factbook import Book
from measuring import shared

LOGS = Path(__file__).parents[1] / "cases" / "logs"
PAGES = (
    "cards/openai_whisper_model-card.md",
    "cards/openai_CLIP_model-card.md",
    "cards/multitacred_datasheet.md",
    "incidents/pypi_2025-04-14_org_team_privileges.md",
)
MANIFEST = """
subject: {kind: system, name: page-answers, version: 0.1.0}
sources:
  log: {uri: log.jsonl, key: run, by: [page]}
  trivia: {uri: trivia.eval, format: inspect, by: {level: metadata.level}}
plan:
  answers: {measure: text-generation, data: log, sample: question, retrieved: found, relevant: wanted, support: supported, k: [1, 3], by: [page]}
  writer:
    {measure: text-generation, data: trivia, sample: sample, prediction: output, references: target, correct: score.includes, judge: score.grader,
     human: score.includes, refusals: [I cannot], by: [level]}
claims:
  finds-in-three: "{answers/retrieval_hit_rate;k=3} > 0.5"
  writer-right: "{writer/pass_at_k;k=1} > 0.5"
gaps:
  other-languages: {why: questions in other languages were not tried}
system:
  elements:
    reader: {title: Reader, kind: person}
    assistant: {title: Page answers, kind: system}
    planner: {title: Planner, kind: agent, inside: assistant, description: decides what to look up}
    retriever: {title: Retriever, inside: assistant, description: ranks passages by shared words, evidence: [answers]}
    index: {title: Passages, kind: store, inside: assistant}
    writer: {title: Writer, kind: model, inside: assistant, evidence: [writer]}
    checker: {title: Checker, kind: agent, inside: assistant, description: compares every sentence with what was retrieved, evidence: [answers]}
  relations:
    - {from: reader, to: planner, label: asks, data: question}
    - {from: planner, to: retriever, label: looks up, data: words}
    - {from: retriever, to: index, label: reads, data: passages}
    - {from: planner, to: writer, label: hands over, data: question and passages}
    - {from: writer, to: checker, label: hands over, data: answer}
    - {from: checker, to: planner, label: asks for another look}
"""


def passages() -> list[tuple[str, str, str]]:
    """Page, heading and text of every section that says something."""
    found = []
    for page in PAGES:
        text = shared(page).read_text(encoding="utf-8")
        parts = re.split(r"^#+\s+(.*)$", text, flags=re.MULTILINE)
        found += [
            (Path(page).stem.partition("_")[0], heading, " ".join(body.split())) for heading, body in zip(parts[1::2], parts[2::2], strict=True)
        ]
    return [item for item in found if len(item[2].split()) >= 15]


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[a-z]{3,}", text.lower()))


def rows() -> pandas.DataFrame:
    """What was asked, found, answered and supported, once for each section and again in other words: the rarest half of its first sentence."""
    known = passages()
    bags = [words(text) for _, _, text in known]
    rare = Counter(word for bag in bags for word in bag)
    weight = {word: log(len(bags) / count) + 0.1 for word, count in rare.items()}
    made = []
    for number, (page, heading, text) in enumerate(known):
        first = sorted(words(text.partition(". ")[0]), key=lambda word: (-weight.get(word, 0), word))
        for epoch, asked in enumerate((heading, " ".join(first[: max(2, len(first) // 4)]))):
            score = [sum(weight.get(word, 0) * min(bag[word], 3) for word in words(asked)) / (sum(bag.values()) ** 0.5) for bag in bags]
            found = sorted(range(len(known)), key=lambda item: (-score[item], item))[:5]
            astray = (number + epoch) % 5 == 0
            source = next(item for item in range(len(known)) if item not in found) if astray else found[0]
            answer = known[source][2].partition(". ")[0]
            supported = any(answer in known[item][2] for item in found)
            row = {"run": len(made), "question": number, "epoch": epoch, "page": page, "answer": answer, "found": found}
            made.append(row | {"wanted": [number], "supported": [supported]})
    return pandas.DataFrame(made)


@pytest.fixture(scope="module")
def log_of_runs() -> pandas.DataFrame:
    return rows()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory, log_of_runs: pandas.DataFrame) -> Book:
    root = tmp_path_factory.mktemp("answers")
    shutil.copy(LOGS / "trivia.eval", root)
    log_of_runs.to_json(root / "log.jsonl", orient="records", lines=True)
    return measured(root, MANIFEST, {})


def test_retrieval_and_faithfulness_are_measured_over_questions(book: Book, log_of_runs: pandas.DataFrame) -> None:
    found = facts(book)
    hit, faithful = found["answers/retrieval_hit_rate;k=3"], found["answers/faithfulness"]
    ranks = [row.found.index(row.question) if row.question in row.found else 9 for row in log_of_runs.itertuples()]
    assert hit.value == pytest.approx(sum(rank < 3 for rank in ranks) / len(ranks))
    assert faithful.value == pytest.approx(log_of_runs["supported"].map(all).mean())
    assert found["answers/samples"].value == log_of_runs["question"].nunique() < found["answers/rows"].value
    assert found["writer/samples"].value == 8
    assert all(fact.interval for fact in (hit, faithful, found["writer/pass_at_k;k=1"]))
    assert verdicts(book) == {"finds-in-three": "holds", "writer-right": "not-established"}
    told(f"finds the passage among the first three for {percent(hit)} of the questions", f"{percent(faithful)} of its sentences")


def test_the_system_is_described_part_by_part(book: Book) -> None:
    """Parts, interfaces, what is known of each part, and failure modes as open questions: nothing measured is asked again."""
    text = documented(book, "system-description")
    for part in ("Planner", "Retriever", "Passages", "Writer", "Checker"):
        assert part in text
    assert text.count("```mermaid") >= 2
    assert "(fact:answers/" in text or "fact:table answers" in text
    assert "(fact:writer/" in text or "fact:table writer" in text
    assert "asks for another look" in text
    assert "question:" in text
