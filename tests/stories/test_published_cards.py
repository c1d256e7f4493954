"""Two competing models by their published cards, read from a folder: what they declare, what is not comparable, what none of them says.

The four cards are real: Whisper, CLIP, a BERT for film reviews, and the datasheet of a corpus. A book of our own stands beside them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas
import pytest
from telling import documented, factbook, measured, told

from factbook import Book
from measuring import shared

CARDS = ("hf_lvwerra_bert-imdb", "multitacred_datasheet", "openai_CLIP_model-card", "openai_whisper_model-card")
MANIFEST = """
subject: {name: reviews, licence: MIT}
sources:
  reviews: {uri: reviews.csv, label: positive, positive: "1", prediction: said, key: review, dataset: {name: imdb, split: test}}
plan:
  performance: {measure: classification, data: reviews}
compared:
  cards: {hub: cards}
  bert:
    card: cards/hf_lvwerra_bert-imdb.md
    reports:
      accuracy: {text: 90% classification accuracy on the validation set, metric: accuracy, dataset: {name: imdb, split: validation}}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reviews") / "cards"
    place.mkdir()
    for name in CARDS:
        shutil.copy(shared(f"cards/{name}.md"), place)
    return place


@pytest.fixture(scope="module")
def book(hub: Path) -> Book:
    rows = pandas.DataFrame({"review": range(400), "positive": [row % 2 for row in range(400)]})
    rows["said"] = [value if row % 10 else 1 - value for row, value in enumerate(rows["positive"])]
    return measured(hub.parent, MANIFEST, {"reviews": rows})


def test_the_cards_of_a_folder_are_set_side_by_side(hub: Path) -> None:
    page = factbook("compare", "cards", cwd=hub.parent)
    assert "| Parameters | tiny 39 M; base 74 M; small 244 M; medium 769 M; large 1550 M; turbo 798 M |" in page
    assert "| Parameters | not found | not found | not found |" in page
    assert "| Licence | not found | not found | not found |" in page
    assert "No figure of one is of the same metric on the same data as a figure of another." in page
    assert (
        "accuracy: hf_lvwerra_bert-imdb 90% (quoted) and openai_CLIP_model-card 98.4% (quoted). They differ in data (one of them names no data set)."
        in page
    )


def test_what_each_card_does_not_say_is_listed(hub: Path) -> None:
    tree = json.loads(factbook("compare", "cards", "--json", cwd=hub.parent))
    unsaid = {item["name"]: set(item["items"]["model-cards"]) for item in tree["unsaid"]}
    assert all("mitchell:details.license" in items for items in unsaid.values()), "none of the four says under which licence it is given"
    told("None says under which licence it is given.", "accuracy of 90% and CLIP's of 98.4%")
    assert "mitchell:use.out_of_scope" not in unsaid["openai_CLIP_model-card"]
    assert "mitchell:use.out_of_scope" in unsaid["hf_lvwerra_bert-imdb"]
    assert {item["name"]: item["metrics"] for item in tree["unsaid"]}["openai_whisper_model-card"] == ["accuracy"]


def test_an_accuracy_on_the_validation_set_is_no_rival_of_one_on_the_test_set(book: Book) -> None:
    text = documented(book, "comparison")
    assert "No figure of one is of the same metric on the same data as a figure of another." in text
    accuracy = book.facts("performance/accuracy")[0]
    assert accuracy.value == 0.9
    assert "[90%](quoted:bert/accuracy) (quoted). They differ in data (the test split and the validation split)." in text
    assert "is recommended" in text
    assert "in favour of" not in text


def test_a_corrected_card_fails_the_build(book: Book, hub: Path) -> None:
    documented_before = (hub.parent / "documents/comparison.md").read_text(encoding="utf-8")
    assert "(quoted:openai_CLIP_model-card/line-112-2)" in documented_before
    card = hub / "openai_CLIP_model-card.md"
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace("98.4%", "97.4%"), encoding="utf-8")
    assert {finding.code for finding in Book(hub.parent).check().findings} == {"FB405"}
    card.write_text(text, encoding="utf-8")
    assert not Book(hub.parent).check().failed
