"""Documents that were written without factbook: their numbers are proposed to be facts where value and words agree, and never otherwise."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from factbook import Book
from factbook.binding import Bound, State
from factbook.canon import load_yaml
from factbook.documents import model_index, parse
from factbook.errors import BookExists, DocumentError
from made import predictions

SAID = {"label": "y", "score": "p", "key": "id", "by": ("sex", "age:40,60"), "protected": ("sex=male",)}
CASES = Path(__file__).parent / "cases" / "legacy"
EXAMPLES = Path(__file__).parents[1] / "examples"
CARDS = Path(__file__).parents[2] / "shared" / "data" / "cards"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("legacy")
    Book.init(where / "book", data=str(predictions(where / "rows.csv")), **SAID)
    return where


@pytest.fixture(scope="module")
def book(place: Path) -> Book:
    return Book(place / "book")


def bind(book: Book, place: Path, text: str) -> Bound:
    (place / "card.md").write_text(text, encoding="utf-8")
    return book.bind(place / "card.md")


def share(book: Book, key: str) -> str:
    """A rate as a person writes it."""
    (fact,) = book.facts(key)
    assert isinstance(fact.value, float)
    return f"{fact.value * 100:.1f} %"


def test_value_metric_and_group_make_a_proposal(book: Book, place: Path) -> None:
    overall, women = share(book, "performance/fnr"), share(book, "performance/fnr?sex=female")
    assert overall != women
    found = bind(book, place, f"# Card\n\nThe false-negative rate is {overall}. For female patients the false-negative rate is {women}.\n")
    assert [(number.state, number.candidates[0].key) for number in found.numbers] == [
        (State.BOUND, "performance/fnr"),
        (State.BOUND, "performance/fnr?sex=female"),
    ]
    assert f"is [{overall}](fact:performance/fnr)." in found.after.decode()
    assert f"is [{women}](fact:performance/fnr?sex=female)." in found.after.decode()


@pytest.mark.parametrize(
    "text",
    [
        "Trained on {accuracy} of the rows.",
        "The recall is {accuracy}.",
        "For female patients the accuracy is {accuracy}.",
        "The accuracy changed by +{accuracy}.",
    ],
)
def test_the_value_alone_is_never_enough(book: Book, place: Path, text: str) -> None:
    found = bind(book, place, text.format(accuracy=share(book, "performance/accuracy")) + "\n")
    assert not found.of(State.BOUND)
    assert found.patch == ""
    assert len(found.numbers) == 1


def test_what_matches_nothing_is_unproven_and_says_what_the_fact_is(book: Book, place: Path) -> None:
    (number,) = bind(book, place, "The accuracy is 99.9 %.\n").numbers
    assert (number.state, number.line, number.column, number.text) == (State.UNPROVEN, 1, 17, "99.9 %")
    assert number.note.startswith("performance/accuracy is ")


def test_an_interval_and_its_rate_are_one_number(book: Book, place: Path) -> None:
    from factbook.book import spelled

    (fact,) = book.facts("performance/fnr")
    found = bind(book, place, f"We miss {spelled(fact)} of them.\n")
    assert [(number.state, number.text) for number in found.numbers] == [(State.BOUND, spelled(fact))]


def test_tables_are_read_by_row_and_column(book: Book, place: Path) -> None:
    men = share(book, "performance/accuracy?sex=male")
    found = bind(book, place, f"| sex | n | Accuracy |\n|---|---|---|\n| male | 12345 | **{men[:-2]}** % |\n")
    assert [(number.state, [one.key for one in number.candidates]) for number in found.numbers] == [
        (State.UNPROVEN, []),
        (State.BOUND, ["performance/accuracy?sex=male"]),
    ]
    assert f"[**{men[:-2]}** %](fact:performance/accuracy?sex=male)" in found.after.decode()


def test_where_no_link_can_stand_it_is_left_to_a_person(book: Book, place: Path) -> None:
    accuracy = share(book, "performance/accuracy")
    found = bind(book, place, f'The accuracy is `acc = {accuracy}`.\n\n<img alt="accuracy {accuracy}">\n')
    assert found.after == found.before
    assert [number.state for number in found.numbers] == [State.BY_HAND, State.UNPROVEN]


def test_every_link_of_a_generated_card_is_found_again_or_left_open(book: Book, place: Path) -> None:
    """Our own card with its links taken out: nothing is bound to another fact than before."""
    document = book.documents[0]
    links = sorted(document.bound("fact"), key=lambda link: link.start)
    plain, position, wanted = b"", 0, {}
    for link in links:
        plain += document.source[position : link.start]
        wanted[len(plain)] = link.target
        plain += document.source[link.text_start : link.text_end]
        position = link.end
    plain += document.source[position:]
    found = bind(book, place, plain.decode())
    bare = parse.parse(plain)
    targets = {bare.place(offset): target for offset, target in wanted.items()}
    proposed = {(number.line, number.column): number.candidates[0].key for number in found.of(State.BOUND)}
    assert len(proposed) > len(targets) / 2
    assert {place: (key, targets.get(place)) for place, key in proposed.items() if targets.get(place) != key} == {}


def test_a_card_written_by_hand_finds_its_facts_again(place: Path) -> None:
    """A card over the loan example, as somebody might have written it: rounded, in per cent and fractions, in sentences, tables and lists, with
    numbers that no fact bears out. The facts beside it are what a careful editor would bind."""
    card = CASES / "loan-scorecard.md"
    truth, _ = load_yaml((CASES / "loan-scorecard.yaml").read_text(encoding="utf-8"), "truth")
    found = Book(EXAMPLES / "loan").bind(card)
    assert [number.text for number in found.numbers] == [item["text"] for item in truth]
    settled = [(number, item["fact"]) for number, item in zip(found.numbers, truth, strict=True) if number.state in (State.BOUND, State.BY_HAND)]
    assert [(number.text, number.candidates[0].key) for number, _ in settled] == [(number.text, fact) for number, fact in settled]
    assert len(settled) >= 0.95 * sum(bool(item["fact"]) for item in truth)  # two are not found: no word names the one, “.710” is no number here
    notes = {number.text: number.note for number in found.of(State.BY_HAND)}
    assert notes["44.8"] == "the column says %: write “44.8 %” in the cell"
    assert [(item.result.metric, item.fact) for item in found.declared] == [
        ("accuracy", "performance/accuracy"),
        ("f1", "performance/f1"),
        ("precision", ""),  # 0.9, and that of other data is 0.92
    ]
    (place / card.name).write_bytes(card.read_bytes())
    patch = Book(EXAMPLES / "loan").bind(place / card.name).patch.replace(str(place).lstrip("/") + "/", "")
    done = subprocess.run(["git", "apply", "-"], input=patch, cwd=place, text=True, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (place / card.name).read_bytes() == found.after


def test_the_patch_applies(book: Book, place: Path) -> None:
    found = bind(book, place, f"The accuracy is {share(book, 'performance/accuracy')}.")
    folder = place / "apply"
    (folder / Path(found.name.lstrip("/")).parent).mkdir(parents=True)
    (folder / found.name.lstrip("/")).write_bytes(found.before)
    subprocess.run(["git", "apply", "--unsafe-paths", "-"], input=found.patch.encode(), cwd=folder, check=True, capture_output=True)
    assert (folder / found.name.lstrip("/")).read_bytes() == found.after


def test_write_makes_a_document_of_the_book_that_checks(book: Book, place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "copy")
    own = Book(tmp_path / "copy" / "book")
    (tmp_path / "old-card.md").write_text(f"# Old\n\nThe accuracy is {share(book, 'performance/accuracy')}.\n", encoding="utf-8")
    own.bind(tmp_path / "old-card.md", write=True)
    assert "fact:performance/accuracy" in (own.root / "documents/old-card.md").read_text(encoding="utf-8")
    assert not [finding for finding in own.check().findings if finding.file == "documents/old-card.md"]
    with pytest.raises(BookExists):
        own.bind(tmp_path / "old-card.md", write=True)
    with pytest.raises(DocumentError):
        own.bind(tmp_path / "none.md")


FRONT = """---
license: mit
model-index:
- name: old-model
  results:
  - task: {type: tabular-classification}
    dataset: {name: Ward visits, type: ward, split: test}
    metrics:
    - {type: accuracy, value: %s, name: Accuracy}
    - {type: recall, value: 0.999}
    - {type: bleu, value: [1, 2]}
    source: {name: Leaderboard, url: "https://example.org/board"}
---

# Old model
"""


def test_the_model_index_is_what_somebody_declared(book: Book, place: Path) -> None:
    (fact,) = book.facts("performance/accuracy")
    assert isinstance(fact.value, float)
    found = bind(book, place, FRONT % f"{fact.value:.4f}")
    names = {item.result.name: item for item in found.declared}
    assert set(names) == {"ward-test-accuracy", "ward-test-recall"}
    assert names["ward-test-accuracy"].fact == "performance/accuracy"
    assert names["ward-test-recall"].note.startswith("contradicted: performance/recall is")
    assert "Leaderboard https://example.org/board" in names["ward-test-recall"].result.source
    assert any("1 results of the model-index" in str(item) for item in found.not_judged)
    from factbook.manifest import read

    declared = read(f"factbook: 1\nsubject: {{name: x}}\n{found.declarations}")[0].declared
    assert declared["ward-test-recall"].value == "0.999"
    assert model_index.results({"model-index": "nonsense"}, "x") == ()


def test_the_command_prints_a_patch_and_the_rest_beside_it(book: Book, place: Path) -> None:
    bind(book, place, f"The accuracy is {share(book, 'performance/accuracy')}, of 98765 words.\n")
    command = [sys.executable, "-m", "factbook", "bind", "card.md", "book"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("--- a/card.md\n+++ b/card.md\n")
    assert "unproven   card.md:1:28  '98765'" in done.stderr
    tree = json.loads(subprocess.run([*command, "--json"], cwd=place, capture_output=True, text=True, check=True).stdout)
    assert tree["counts"] == {"bound": 1, "by hand": 0, "ambiguous": 0, "unproven": 1}


@pytest.mark.skipif(not CARDS.is_dir(), reason="the published cards are not here")
@pytest.mark.parametrize("name", ["hf_lvwerra_bert-imdb", "multitacred_datasheet", "openai_CLIP_model-card", "openai_whisper_model-card"])
def test_published_cards_are_read_and_nothing_of_them_is_bound_to_another_model(book: Book, name: str) -> None:
    found = book.bind(CARDS / f"{name}.md")
    assert found.numbers
    assert not found.of(State.BOUND)
    assert found.of(State.UNPROVEN)
