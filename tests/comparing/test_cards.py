"""What a published card says: four real ones, and small ones with front matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factbook.comparing import cards, figures
from factbook.errors import DocumentError
from factbook.evidence.quoted import Quoted
from factbook.manifest import Compared
from measuring import shared

HUB = """---
license: apache-2.0
library_name: transformers
base_model: bert-base-uncased
datasets: [imdb, sst2]
co2_eq_emissions: {emissions: 12, hardware_used: 8 x A100}
model-index:
- name: small
  results:
  - task: {type: text-classification}
    dataset: {name: IMDB, type: stanfordnlp/imdb, split: test}
    metrics: [{type: accuracy, value: 0.91}, {type: f1, value: 91.2}, {type: rouge1, value: 41.0}]
---
# Small

- **Developed by:** the small team
- **Funded by:** [More Information Needed]

## Uses

### Direct Use

[More Information Needed]

### Out-of-Scope Use

Nothing that matters.
"""


def read(name: str, *asked: str, **said: Any) -> Quoted:
    path = shared(f"cards/{name}.md")
    return cards.read(name, path, path.name, asked or ("model-cards",), "entry", Compared(card=path.name, **said))


def written(folder: Path, text: str, **said: Any) -> Quoted:
    (folder / "card.md").write_text(text, encoding="utf-8")
    return cards.read("card", folder / "card.md", "card.md", ("model-cards", "hf-model-card", "datasheets"), "card", Compared(card="card.md", **said))


def test_columns_of_tables_and_sections_say_what_is_set_side_by_side() -> None:
    whisper = read("openai_whisper_model-card")
    assert whisper.says["parameters"].text == "tiny 39 M; base 74 M; small 244 M; medium 769 M; large 1550 M; turbo 798 M"
    assert whisper.says["training data"].text.startswith("The models are trained on 680,000 hours of audio")
    assert whisper.says["training data"].place == "“Training Data”"
    assert not {"licence", "hardware", "base model", "library"} & set(whisper.says)
    assert whisper.figures == {}, "the shares of the training data are no figures of the model"


def test_figures_in_the_text_are_quoted_and_about_no_data_that_anybody_named() -> None:
    clip = read("openai_CLIP_model-card")
    assert [(figure.metric, figure.text, figure.data) for figure in clip.figures.values()] == [
        ("accuracy", ">96%", ""),
        ("accuracy", "98.4%", ""),
        ("accuracy", "96.5%", ""),
    ]
    assert [figure.value for figure in clip.figures.values()] == [None, 0.984, 0.965]
    assert "no exact figure" in next(iter(clip.figures.values())).why
    assert {figure.place for figure in clip.figures.values()} == {"line 112"}


def test_what_a_card_answers_is_found_under_its_headings() -> None:
    answers = read("openai_CLIP_model-card").answers["model-cards"]
    assert answers["mitchell:use.out_of_scope"] == "“Out-of-Scope Use Cases”"
    assert answers["mitchell:details.date"] == "“Model Date”"
    assert "mitchell:details.license" not in answers
    assert "mitchell:metrics.thresholds" not in answers
    assert set(read("hf_lvwerra_bert-imdb").answers["model-cards"]) == {"mitchell:details.training", "mitchell:details.refs"}
    assert "nobody wrote down" in read("multitacred_datasheet", "datasheets").unread["datasheets"]


def test_words_that_somebody_points_at_are_quoted_with_their_line() -> None:
    said = {"accuracy": {"text": "90% classification accuracy", "metric": "accuracy", "dataset": {"name": "imdb", "split": "validation"}}}
    bert = read("hf_lvwerra_bert-imdb", reports=said, says={"library": "simpletransformers"})
    figure = bert.figures["accuracy"]
    assert (figure.text, figure.value, figure.place) == ("90%", 0.9, "line 11")
    assert bert.data[figure.data].words == "imdb, validation split"
    assert bert.says["library"].place == "line 8"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"reports": {"accuracy": {"text": "95% accuracy", "metric": "accuracy", "dataset": {"name": "imdb"}}}}, "does not say"),
        ({"reports": {"accuracy": {"text": "classification accuracy", "metric": "accuracy", "dataset": {"name": "imdb"}}}}, "0 figures"),
        ({"says": {"licence": "MIT"}}, "does not say 'MIT'"),
        ({"says": {"colour": "BERT-IMDB"}}, "knows no colour"),
    ],
)
def test_words_that_a_card_does_not_hold_are_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        read("hf_lvwerra_bert-imdb", **said)


def test_the_front_matter_of_the_hub_is_read(tmp_path: Path) -> None:
    card = written(tmp_path, HUB)
    said = {field: passage.text for field, passage in card.says.items()}
    assert said == {
        "made by": "the small team",
        "hardware": "8 x A100",
        "training data": "imdb, sst2",
        "base model": "bert-base-uncased",
        "library": "transformers",
        "licence": "apache-2.0",
    }
    accuracy, f1, rouge = card.figures.values()
    assert (accuracy.metric, accuracy.value) == ("accuracy", 0.91)
    assert card.data[accuracy.data].words == "stanfordnlp/imdb, test split"
    assert f1.value is None
    assert "its unit is not said" in f1.why, "91.2 may be per cent, or something else"
    assert rouge.value == 41.0, "nobody here knows the bounds of what the card calls rouge1"


def test_a_placeholder_is_no_answer(tmp_path: Path) -> None:
    hub = written(tmp_path, HUB).answers["hf-model-card"]
    assert "hf:uses.out-of-scope-use" in hub
    assert "hf:uses.direct-use" not in hub
    assert "hf:model-details.model-description.funded-by" not in hub
    assert hub["hf:meta.license"] == "front matter, license"


def test_an_interval_is_read_where_one_is_stated(tmp_path: Path) -> None:
    text = "# A\n\nIt has a recall of 91.2 % (95 % CI 90.1–92.3), and on Sundays of 80 %.\n"
    said = {"text": "recall of 91.2 % (95 % CI 90.1–92.3)", "metric": "recall", "dataset": {"name": "imdb", "split": "test"}}
    index = HUB.replace("value: 0.91}", 'value: "91.2 % (95 % CI 90.1–92.3)"}')
    for figure in (written(tmp_path, text, reports={"recall": said}).figures["recall"], next(iter(written(tmp_path, index).figures.values()))):
        assert (figure.value, figure.low, figure.high, figure.level) == (0.912, pytest.approx(0.901), pytest.approx(0.923), 0.95)
    with pytest.raises(DocumentError, match="figures in"):
        written(tmp_path, text, reports={"recall": {**said, "text": "91.2 % (95 % CI 90.1–92.3), and on Sundays of 80 %"}})


@pytest.mark.parametrize(
    ("said", "metric"), [("Accuracy", "accuracy"), ("F1-score", "f1"), ("TPR", "recall"), ("wer", "wer"), ("My Metric", "my_metric")]
)
def test_metrics_have_the_names_that_they_have_here(said: str, metric: str) -> None:
    assert figures.metric_of(said) == metric


def test_a_word_is_no_acronym(tmp_path: Path) -> None:
    assert written(tmp_path, "# A\n\nTrained on 80% of the data for three days.\n").figures == {}, "`for` is no false-omission rate"
    assert [figure.metric for figure in written(tmp_path, "# A\n\nIts FOR is 8%.\n").figures.values()] == ["for"]


def test_plain_labels_are_read_and_code_is_not(tmp_path: Path) -> None:
    card = written(tmp_path, "# A\n\nParameters: 66 M\n\n- License: MIT\n\n```yaml\nhardware: none\n```\n")
    assert {field: (said.text, said.place) for field, said in card.says.items()} == {"parameters": ("66 M", "line 3"), "licence": ("MIT", "line 5")}


@pytest.mark.parametrize("data", [b"---\nlicense: [\n---\n# A\n", b"# \xff\n"])
def test_a_card_that_cannot_be_read_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "card.md").write_bytes(data)
    with pytest.raises(DocumentError, match=r"hub/card\.md"):
        cards.read("card", tmp_path / "card.md", "hub/card.md", ("model-cards",))
