"""Books beside each other and beside cards: what stands side by side, what is refused and why, what is established, what nobody says."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from factbook import Book
from factbook.book import compare
from factbook.comparing.page import Comparison
from factbook.errors import DocumentError, UnknownName
from factbook.evidence import State
from factbook.parts import Holding, Words, compared

BOOK = """factbook: 1
subject: {{name: {name}, version: 1.0.0, owner: team@example.org, licence: MIT}}
sources:
  test: {{uri: test.csv, label: y, positive: "1", score: score, cut: 0.5, key: id, by: [sex], dataset: {{name: spam, split: test}}}}
plan:
  performance: {{measure: classification, data: test, by: [sex]}}
"""
CARD = """---
license: apache-2.0
model-index:
- name: card
  results:
  - dataset: {type: spam, split: test}
    metrics: [{type: accuracy, value: "0.71"}, {type: recall, value: "10 % (95 % CI 5–15)"}]
  - dataset: {type: spam, split: validation}
    metrics: [{type: precision, value: 0.75}]
  - dataset: {type: ham, split: test}
    metrics: [{type: f1, value: 0.5}]
---
# Card
"""


def rows(folder: Path, skill: float, *, keys: int = 0, labels: int = 3, size: int = 600) -> None:
    """Predictions for the same cases, by a model with some skill; other `keys` or `labels` make other cases."""
    truth, noise = random.Random(labels), random.Random(str(skill))
    lines = ["id,y,sex,score"]
    for row in range(size):
        y, sex = int(truth.random() < 0.4), truth.choice(["f", "m"])
        lines.append(f"{row + keys},{y},{sex},{min(max(noise.gauss(0.5 + skill * (y - 0.5), 0.25), 0), 1):.3f}")
    (folder / "test.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def book(folder: Path, name: str, skill: float, more: str = "", **said: Any) -> Path:
    root = folder / name
    root.mkdir(parents=True)
    rows(root, skill, **said)
    (root / "factbook.yaml").write_text(BOOK.format(name=name) + more, encoding="utf-8")
    Book(root).measure()
    return root


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four books over the same cases (sharp, its equal twin, dull) and other ones (other), and a card."""
    place = tmp_path_factory.mktemp("shelf")
    for name, skill in (("sharp", 0.6), ("twin", 0.58), ("dull", 0.05)):
        book(place, name, skill)
    book(place, "other", 0.6, labels=7)
    (place / "cards").mkdir()
    (place / "cards/card.md").write_text(CARD, encoding="utf-8")
    return place


@pytest.fixture
def ours(shelf: Path, tmp_path: Path) -> Path:
    """A copy of all of it, where sharp compares itself with the others."""
    for name in ("sharp", "twin", "dull", "other", "cards"):
        shutil.copytree(shelf / name, tmp_path / name)
    with (tmp_path / "sharp/factbook.yaml").open("a", encoding="utf-8") as stream:
        stream.write("compared:\n  twin: {book: ../twin}\n  dull: {book: ../dull}\n  cards: {hub: ../cards}\n")
    return tmp_path / "sharp"


def beside(found: Comparison, metric: str, *names: str) -> dict[str, Any]:
    """The pair of figures of a metric for everybody, of two things."""
    return next(
        pair
        for pair in found.tree()["side_by_side"]
        if {pair["first"]["of"], pair["second"]["of"]} == set(names) and pair["first"]["figure"] == f"performance/{metric}"
    )


def refused(found: Comparison) -> dict[tuple[str, str], list[str]]:
    return {(item.first.figure.metric, item.second.thing.name): list(item.why) for item in found.joined[1] if not item.first.figure.slice}


def test_figures_of_other_files_with_the_same_keys_and_labels_stand_side_by_side(shelf: Path) -> None:
    found = compare(shelf / "sharp", shelf / "dull")
    pair = beside(found, "accuracy", "sharp", "dull")
    assert pair["data"] == "the same keys and labels"
    assert (pair["verdict"], pair["favours"]) == ("established", "sharp")
    groups = [match for match in found.joined[0] if match.first.figure.slice]
    assert {match.first.figure.slice for match in groups} == {(("sex", "f"),), (("sex", "m"),)}
    assert all(match.first.figure.slice == match.second.figure.slice for match in groups)


def test_predictions_of_two_books_are_tested_row_by_row(shelf: Path) -> None:
    pair = beside(compare(shelf / "sharp", shelf / "dull"), "accuracy", "sharp", "dull")
    assert pair["method"] == "on the same rows: Newcombe, paired"
    truth = [line.split(",") for line in (shelf / "sharp/test.csv").read_text().splitlines()[1:]]
    other = [line.split(",") for line in (shelf / "dull/test.csv").read_text().splitlines()[1:]]
    right = [[(float(row[3]) >= 0.5) == (row[1] == "1") for row in rows] for rows in (truth, other)]
    expected = 100 * (sum(right[0]) - sum(right[1])) / len(truth)
    assert pair["difference"].startswith(f"{expected:.1f} points (95 % CI ")
    pair = beside(compare(shelf / "sharp", shelf / "twin"), "accuracy", "sharp", "twin")
    assert (pair["verdict"], pair["favours"]) == ("not established", "")


def test_what_is_no_figure_of_both_on_the_same_rows_is_refused_with_what_differs(shelf: Path) -> None:
    found = compare(shelf / "sharp", shelf / "other")
    assert found.joined[0] == [], "the same public name does not make other labels the same"
    assert refused(found)["accuracy", "other"] == ["data: other keys or labels"]
    assert "They differ in data (other keys or labels)" in found.markdown()


def test_where_no_keys_are_declared_other_bytes_are_other_data(shelf: Path, tmp_path: Path) -> None:
    for name in ("sharp", "dull"):
        shutil.copytree(shelf / name, tmp_path / name)
        path = tmp_path / name / "factbook.yaml"
        text = path.read_text(encoding="utf-8").replace(" key: id,", "").replace(", dataset: {name: spam, split: test}", "")
        path.write_text(text, encoding="utf-8")
        Book(path.parent).measure()
    found = compare(tmp_path / "sharp", tmp_path / "dull")
    assert found.joined[0] == []
    assert refused(found)["accuracy", "dull"] == ["data: the digests differ, and no keys and labels say that the rows are the same"]


def test_a_card_stands_beside_a_book_only_on_the_same_public_data(shelf: Path) -> None:
    found = compare(shelf / "sharp", shelf / "cards")
    pair = beside(found, "accuracy", "sharp", "card")
    assert pair["data"] == "the same name and split"
    assert (pair["verdict"], pair["why"]) == ("cannot be told", "card states no interval with its level")
    assert refused(found)["precision", "card"] == ["data: the test split and the validation split"]
    assert refused(found)["f1", "card"] == ["data: spam and ham"]


def test_intervals_that_do_not_meet_establish_a_difference_whatever_the_dependence(shelf: Path) -> None:
    pair = beside(compare(shelf / "sharp", shelf / "cards"), "recall", "sharp", "card")
    assert (pair["verdict"], pair["favours"], pair["difference"]) == ("established", "sharp", "")
    assert pair["method"] == "the intervals, widened to hold together at 92.5 %, do not meet", "the card's own cannot be widened"


def test_intervals_that_meet_tell_nothing(ours: Path) -> None:
    book = Book(ours)
    book.measure()
    book.new("comparison")
    pair = beside(compared.comparison(Holding(book.catalog, book.documents, book.documents[0])), "accuracy", "sharp", "twin")
    assert (pair["verdict"], pair["method"]) == ("cannot be told", "")
    assert "compare the predictions row by row" in pair["why"]


def test_a_planned_comparison_of_both_files_is_the_test(ours: Path) -> None:
    path = ours / "factbook.yaml"
    source = "  both: {uri: test.csv, join: {uri: ../twin/test.csv, prefix: twin_}, label: y, positive: '1', key: id}\nplan:\n"
    plan = "  paired: {measure: comparison, data: both, models: {twin: {score: twin_score, cut: 0.5}, own: {score: score, cut: 0.5}}}\n"
    path.write_text(path.read_text(encoding="utf-8").replace("plan:\n", source + plan), encoding="utf-8")
    book = Book(ours)
    book.measure()
    book.new("comparison")
    pair = beside(compared.comparison(Holding(book.catalog, book.documents, book.documents[0])), "accuracy", "sharp", "twin")
    assert (pair["verdict"], pair["method"]) == ("not established", "on the same rows: Newcombe, paired")
    text = (ours / "documents/comparison.md").read_text(encoding="utf-8")
    assert "(fact:paired/accuracy_difference;models=twin,own)" in text
    assert book.check().findings == ()


def test_chosen_metrics_have_one_table_and_the_others_are_named(ours: Path) -> None:
    book = Book(ours)
    book.measure()
    book.new("comparison")
    holding = Holding(book.catalog, book.documents, book.documents[0])
    shown = compared.write(Words.parse("compared view=figures metrics=accuracy,recall,precision"), holding)
    table = shown.partition("sharp and twin, both on ")[2].partition("\n\n")[2].partition("\n\n")[0].splitlines()
    assert table[0] == "| Figure | sharp | twin (quoted) | Difference |"
    assert [row.split(" | ")[0] for row in table[2:]] == ["| accuracy", "| precision", "| recall (true-positive rate)"]
    also = shown.partition("Also side by side, and not shown: ")[2]
    assert "F1 score" in also
    assert "accuracy;" not in also.replace("balanced accuracy;", "")
    every = compared.write(Words.parse("compared view=figures metrics=mae"), holding)
    assert "| F1 score |" in every, "where none of them is there, all are"
    with pytest.raises(DocumentError, match="no metrics to choose from"):
        compared.write(Words.parse("compared view=apart metrics=mae"), holding)


def test_a_document_quotes_with_links_and_fails_when_the_card_changes(ours: Path) -> None:
    book = Book(ours)
    assert [(item.name, item.state) for item in book.measure()][1:] == [("twin", "quoted"), ("dull", "quoted"), ("card", "quoted")]
    assert {item.state for item in book.measure()} == {"fresh"}
    path, *_ = book.new("comparison")
    text = path.read_text(encoding="utf-8")
    assert "card: [0.71](quoted:card/spam-test-accuracy) (quoted)" in text
    assert "[MIT](quoted:dull/says:licence)" in text
    assert Book(ours).check().findings == ()
    card = ours.parent / "cards/card.md"
    card.write_text(CARD.replace("0.71", "0.81"), encoding="utf-8")
    assert {finding.code for finding in Book(ours).check().findings} == {"FB405"}
    Book(ours).measure("cards")
    found = Book(ours).check().findings
    assert {finding.code for finding in found} == {"FB112", "FB115"}
    Book(ours).update()
    assert Book(ours).check().findings == ()
    assert "[0.81](quoted:card/spam-test-accuracy)" in path.read_text(encoding="utf-8")


def test_a_book_that_changed_and_a_card_that_came_are_stale(ours: Path) -> None:
    from factbook.comparing import take

    Book(ours).measure()
    (ours.parent / "dull/documents").mkdir()
    (ours.parent / "dull/documents/notes.md").write_text("# Notes\n", encoding="utf-8")
    shutil.copy(ours.parent / "cards/card.md", ours.parent / "cards/second.md")
    again = Book(ours)
    states = {item.name: item.state for item in take.standings(ours, again.manifest, again.catalog)}
    assert states == {"twin": State.FRESH, "dull": State.STALE, "card": State.FRESH, "second": State.MISSING}
    (ours.parent / "cards/card.md").unlink()
    shutil.rmtree(ours.parent / "dull")
    states = {item.name: item.state for item in take.standings(ours, again.manifest, again.catalog)}
    assert states == {"twin": State.FRESH, "dull": State.NOT_JUDGED, "second": State.MISSING, "card": State.STALE}
    fixes = {item.name: item.fix for item in take.standings(ours, again.manifest, again.catalog)}
    assert fixes["card"] == "delete evidence/quoted/card.json"


def test_a_quotation_that_was_edited_is_found(ours: Path) -> None:
    Book(ours).measure()
    assert Book(ours).check().findings == ()
    for name, old, new in (("card", '"text":"0.71","value":0.71', '"text":"0.61","value":0.61'), ("dull", '"text":"MIT"', '"text":"GPL"')):
        path = ours / f"evidence/quoted/{name}.json"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        found = Book(ours).check().findings
        assert [(item.code, f"does not hold what {'../dull' if name == 'dull' else '../cards/card.md'} says" in item.message) for item in found] == [
            ("FB405", True)
        ]
        Book(ours).measure(name)
        assert path.read_text(encoding="utf-8") == text


def test_what_each_leaves_unsaid(shelf: Path) -> None:
    found = compare(shelf / "sharp", shelf / "cards", regimes=["hf-model-card"])
    book, card = found.unsaid
    assert "hf:meta.license" not in card.items["hf-model-card"]
    assert "hf:model-details.model-description.license" in card.items["hf-model-card"], "it has no heading of that name"
    assert "area under the ROC curve" in card.metrics
    assert card.groups == ("sex",)
    assert card.fields == ("made by", "version")
    assert (book.data, book.fields) == (("ham",), ())
    assert "| Licence | MIT | apache-2.0 |" in found.markdown()
    assert "| Hardware | not said | not found |" in found.markdown()


def test_versions_of_a_book_are_compared(ours: Path) -> None:
    top = ours.parent
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *who, *words], cwd=top, check=True, capture_output=True)
    rows(ours, 0.05)
    path = ours / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "  before: {revision: HEAD}\n", encoding="utf-8")
    book = Book(ours)
    book.measure()
    before = book.catalog.evidence.quoted["before"]
    assert before.source == ". at HEAD"
    assert before.figures["performance/accuracy"].value > book.facts("performance/accuracy")[0].value
    assert {item.state for item in Book(ours).measure("before")} == {"fresh"}
    live = compare(ours, "HEAD", book=ours)
    assert [thing.name for thing in live.things] == ["sharp", "HEAD"]


def test_what_is_nothing_to_compare_is_refused(shelf: Path, ours: Path) -> None:
    with pytest.raises(DocumentError, match="nothing to compare"):
        compare(shelf / "sharp")
    with pytest.raises(UnknownName):
        compare(shelf / "sharp", shelf / "nowhere", book=shelf / "sharp")
    (shelf / "empty").mkdir(exist_ok=True)
    with pytest.raises(UnknownName, match="folder of cards"):
        compare(shelf / "sharp", shelf / "empty")
    path = ours / "factbook.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{book: ../twin}", "{book: ../nobody}"), encoding="utf-8")
    with pytest.raises(UnknownName, match="nobody"):
        Book(ours).measure()


def test_the_command_prints_markdown_or_data(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from factbook.cli import main

    names = [str(shelf / name) for name in ("sharp", "dull")]
    assert main(["compare", *names]) == 0
    assert capsys.readouterr().out.startswith("# sharp and dull\n")
    assert main(["compare", *names, "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert {thing["name"] for thing in tree["things"]} == {"sharp", "dull"}
    assert {"side_by_side", "refused", "unsaid"} < set(tree)


def test_a_view_that_does_not_exist_and_a_book_without_others_are_refused(shelf: Path) -> None:
    book = Book(shelf / "sharp")
    holding = Holding(book.catalog, (), None)  # type: ignore[arg-type]
    with pytest.raises(DocumentError, match="no view"):
        compared.write(Words("compared", {"view": "all"}), holding)
    with pytest.raises(DocumentError, match="nothing to compare with"):
        compared.write(Words("compared", {}), holding)


def test_what_was_kept_is_read_back_as_it_was(ours: Path) -> None:
    from factbook.comparing import take
    from factbook.errors import EvidenceError
    from factbook.evidence import quoted

    book = Book(ours)
    book.measure()
    taken = {item.name: item for item in take.wanted(ours, book.manifest)}
    kept = quoted.load(ours)
    now = take.read(ours, taken["dull"], ("model-cards",), ours / ".factbook")
    assert kept["dull"].figures == now.figures
    assert (kept["card"].says, kept["card"].data) == (book.catalog.evidence.quoted["card"].says, book.catalog.evidence.quoted["card"].data)
    (ours / quoted.QUOTED / "card.json").write_text("[]", encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"card\.json"):
        quoted.load(ours)
