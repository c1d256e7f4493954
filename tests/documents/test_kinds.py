"""Kinds of document: their data is sound, and a document of each is clean at birth over any book."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from factbook import Book
from factbook.documents import kinds
from factbook.documents.parse import parse
from factbook.documents.scaffold import scaffold
from factbook.errors import ManifestError, UnknownName
from made import predictions

BARE = {"label": "y", "score": "p"}
RICH = BARE | {"key": "id", "by": ("sex", "age:40,60"), "protected": ("sex=male", "age=40-59")}
UNLIKE = {
    "profile": ("{measure: profile, data: rows}", ""),
    "regression": ("{measure: regression, data: rows, label: p, prediction: age, by: [sex]}", ""),
    "ranking": ("{measure: ranking, data: rows, query: id, relevance: y, score: p, k: [1, 2]}", "{title: 'Over <all> 40', kind: system}"),
    "agreement": ("{measure: agreement, data: rows, annotators: [y, yhat, sex], scale: nominal}", ""),
}


@pytest.fixture(scope="module", params=["bare", "rich", "predictions-only", "tiny", "classes", "sets", *UNLIKE])
def book(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Book:
    place = tmp_path_factory.mktemp(request.param)
    if request.param in UNLIKE:
        return _unlike(place, *UNLIKE[request.param])
    if request.param in ("classes", "sets"):
        return _of_classes(place, sets=request.param == "sets")
    data = str(predictions(place / "rows.csv", rows=14 if request.param == "tiny" else 240))
    said = {"bare": BARE, "rich": RICH, "predictions-only": {"label": "y", "prediction": "yhat", "by": ("sex",)}, "tiny": RICH}[request.param]
    return Book.init(place / "book", data=data, **said)[0]


def _unlike(place: Path, planned: str, element: str) -> Book:
    """A book that predicts no class, over the same rows."""
    (place / "documents").mkdir()
    predictions(place / "rows.csv")
    system = f"system: {{elements: {{all: {element}}}}}\n" if element else ""
    text = f"factbook: 1\nsubject: {{name: other}}\nsources: {{rows: {{uri: rows.csv, by: [sex]}}}}\nplan:\n  result: {planned}\n{system}"
    (place / "factbook.yaml").write_text(text, encoding="utf-8")
    book = Book(place)
    book.measure()
    return book


def _of_classes(place: Path, *, sets: bool) -> Book:
    """A book over three classes; over sets of them, declared by hand."""
    names = ("cat", "dog", "fox")
    rows = [(names[i % 3], names[i % 3 if i % 5 else (i + 1) % 3], ("m", "f")[i // 7 % 2]) for i in range(240)]
    more = ";fox" if sets else ""
    (place / "rows.csv").write_text("y,yhat,sex\n" + "".join(f"{y}{more},{p},{s}\n" for y, p, s in rows), encoding="utf-8")
    book = Book.init(place / "book", data=str(place / "rows.csv"), label="y", prediction="yhat", by=("sex",), protected=() if sets else ("sex=m",))[0]
    if sets:
        path = place / "book" / "factbook.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("label: y\n", 'label: y\n    multilabel: ";"\n'), encoding="utf-8")
        (place / "book/documents/model-card.md").unlink()
        book = Book(place / "book")
        book.measure()
    return book


@pytest.mark.parametrize("kind", kinds.names())
def test_a_document_of_each_kind_is_clean_at_birth(book: Book, kind: str) -> None:
    path, *_ = book.new(kind, name=f"new-{kind}")
    findings = [item for item in book.check().findings if item.file.endswith(path.name)]
    assert findings == []
    text = path.read_text(encoding="utf-8")
    assert "[](" not in text
    assert "{{" not in text
    document = parse(text, path.name)
    titles = [section.title for section in document.sections if section.level == 2]
    assert titles == [section.heading for section in kinds.load(kind).sections]
    assert book.update() == ()
    path.unlink()


@pytest.mark.parametrize("name", kinds.names())
def test_questions_are_numbered_through_and_end_with_a_question_mark(name: str) -> None:
    kind = kinds.load(name)
    assert [kind.number(item.id) for item in kind.questions] == list(range(1, len(kind.questions) + 1))
    for item in kind.questions:
        assert item.ask.endswith("?")
        assert not re.search(r"[0-9]", item.ask), "a digit in a question would be an unbound number"
        assert item.id.split(".")[0] in {section.id for section in kind.sections}


@pytest.mark.parametrize("name", kinds.names())
def test_what_a_section_needs_exists(name: str) -> None:
    from factbook import measures

    for section in kinds.load(name).sections:
        for needed in (*section.needs.facts, *section.needs.tables, *section.needs.charts):
            measure, _, metric = needed.partition("/")
            known = {item.name for item in measures.metrics(measure)}
            assert not metric or metric in known


def test_answers_take_the_place_of_questions_and_a_wrong_one_is_refused(book: Book) -> None:
    path, *_ = book.new("summary", name="answered", answers={"purpose.task": "It sorts *letters*."})
    text = path.read_text(encoding="utf-8")
    assert "**Task.** It sorts *letters*." in text
    assert "question:purpose.task" not in text
    with pytest.raises(UnknownName, match=r"purpose\.task"):
        book.new("summary", name="wrong", answers={"purpose.tsk": "x"})
    assert not (book.root / "documents/wrong.md").exists()


def test_sections_are_found_by_heading_and_twice_is_refused(tmp_path: Path) -> None:
    card = kinds.load("model-card")
    found = card.section("  intended   USE ")
    assert found is not None
    assert found.id == "use"
    tree = card.model_dump(mode="json", by_alias=True)
    tree["sections"].append(tree["sections"][0])
    with pytest.raises(ValueError, match="given twice"):
        kinds.Kind.model_validate(tree)
    with pytest.raises((UnknownName, ManifestError)):
        kinds.load("novel")


ESTIMATE = """factbook: 1
subject: {kind: system, name: triage}
declared:
  hour: {value: 2.40 EUR/server/hour, source: a price list}
  servers: {value: 4 (3 to 6) server, source: a plan}
plan:
  cost:
    measure: estimate
    inputs: {price: declared:hour, servers: declared:servers}
    figures: {cost_hour: {formula: servers * price, unit: EUR/hour}}
"""


def test_a_proposal_shows_what_was_estimated_and_a_template_finds_its_figures(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "factbook.yaml").write_text(ESTIMATE, encoding="utf-8")
    book = Book(tmp_path)
    book.measure()
    text = book.new("proposal")[0].read_text(encoding="utf-8")
    assert "| cost hour | EUR/hour | [9.6](fact:cost/cost_hour) | [7.2](fact:cost/cost_hour;end=low) | [14.4](fact:cost/cost_hour;end=high) |" in text
    asked = {"capacity.doubt": "{{ table('cost', metrics=figures('cost')) }}"}
    assert "<!-- fact:table cost metrics=cost_hour -->" in scaffold("proposal", book.manifest, book.catalog, asked)


def test_rows_that_serve_twice_are_described_once(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    predictions(tmp_path / "rows.csv")
    sources = "sources: {rows: {uri: rows.csv, label: y, positive: 1}, again: {uri: rows.csv, label: sex, positive: male}}"
    plan = "plan: {one: {measure: profile, data: rows}, two: {measure: profile, data: again}}"
    (tmp_path / "factbook.yaml").write_text(f"factbook: 1\nsubject: {{name: other}}\n{sources}\n{plan}\n", encoding="utf-8")
    book = Book(tmp_path)
    book.measure()
    for kind in ("audit", "datasheet"):
        text = book.new(kind)[0].read_text(encoding="utf-8")
        assert text.count("per=column") == 1
        assert "`again` is made of the same [240](fact:two/rows) rows" in text
    assert book.check().findings == ()


def test_a_book_of_two_sources_has_a_document_of_each_kind(tmp_path: Path) -> None:
    """Objects and detections: the measurement names no `data`, and its tables of groups stay narrow."""
    rows = [(f"i{i}", "abc"[i % 3], i % 2, f"{i % 7},{i % 5},9,{5 + i % 4}") for i in range(60)]
    found = "".join(f"{image},{label},{box},{0.5 + i % 40 / 100}\n" for i, (image, label, _, box) in enumerate(rows) if i % 5)
    (tmp_path / "truth.csv").write_text("image,class,light,x,y,w,h\n" + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in rows), encoding="utf-8")
    (tmp_path / "found.csv").write_text("image,class,x,y,w,h,score\n" + found, encoding="utf-8")
    (tmp_path / "documents").mkdir()
    text = "factbook: 1\nsubject: {name: boxes}\nsources: {t: {uri: truth.csv, by: [light]}, f: {uri: found.csv}}\n"
    text += "plan: {street: {measure: detection, truth: t, predictions: f, cut: 0.5, by: [light]}}\n"
    (tmp_path / "factbook.yaml").write_text(text, encoding="utf-8")
    book = Book(tmp_path)
    book.measure()
    for kind in kinds.names():
        book.new(kind)
    assert not book.check().findings
    card = (tmp_path / "documents" / "model-card.md").read_text(encoding="utf-8")
    assert "| mean average precision, iou = 0.5 |" in card
    header = next(line for line in card.splitlines() if line.startswith("| light |"))
    assert header.split(" | ")[2:5] == ["mAP, iou = 0.5", "mAP, iou = 0.5:0.95", "mAP, iou = 0.75"], "the parameter tells the columns apart"
    assert len(header.split("|")) <= 10
