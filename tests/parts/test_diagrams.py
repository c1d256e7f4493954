"""Diagrams show what factbook.yaml declares, at the level that is asked for, and a name never becomes syntax."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from factbook.book import Book
from factbook.errors import DocumentError, ManifestError, UnknownName
from factbook.parts import Holding, Words, diagram
from factbook.parts.drawing import draw

SVG = "{http://www.w3.org/2000/svg}"
SYSTEM = """factbook: 1
subject: {kind: system, name: triage}
system:
  elements:
    nurse: {title: Nurse, kind: person}
    clinic: {title: Triage, kind: system}
    ehr: {title: 'Records "A" | <b>', kind: system, outside: true}
    api: {title: API, inside: clinic, technology: FastAPI}
    store: {title: Store, kind: store, inside: clinic}
    model: {title: risk, kind: model, inside: api}
  relations:
    - {from: ehr, to: store, label: sends, data: readings}
    - {from: nurse, to: api, label: asks}
    - {from: api, to: store, label: reads, data: features}
    - {from: model, to: store, label: keeps, data: scores}
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    (tmp_path / "documents").mkdir()
    (tmp_path / "factbook.yaml").write_text(SYSTEM)
    (tmp_path / "documents" / "system.md").write_text("# System\n\n<!-- fact:part diagram level=containers -->\n<!-- /fact -->\n")
    return Book(tmp_path)


def shown(book: Book, words: str):
    return diagram.shown(Words.parse(f"diagram {words}"), Holding(book.catalog, book.documents, book.documents[0]))


def arrows(book: Book, words: str) -> set[tuple[str, str, str]]:
    return {(arrow.source, arrow.target, arrow.label) for arrow in shown(book, words).arrows}


def test_a_level_lifts_what_lies_deeper(book: Book) -> None:
    assert arrows(book, "level=context") == {("ehr", "clinic", "sends"), ("nurse", "clinic", "asks")}
    assert arrows(book, "level=containers") == {("ehr", "store", "sends"), ("nurse", "api", "asks"), ("api", "store", "reads; keeps")}
    assert arrows(book, "level=data") == {("ehr", "store", "readings"), ("api", "store", "features"), ("model", "store", "scores")}
    assert {box.name for box in shown(book, "level=components of=api").boxes} >= {"model"}


def test_frames_hold_what_is_inside(book: Book) -> None:
    found = shown(book, "level=containers")
    assert found.frames == (("clinic", "Triage"),)
    assert {box.name for box in found.boxes if box.frame == "clinic"} == {"api", "store"}


def test_a_name_never_becomes_syntax(book: Book) -> None:
    text = diagram.mermaid(shown(book, "level=containers"))
    assert "#34;A#34; #124; #60;b#62;" in text
    assert not re.search(r'Records "A"|<b>(?!r)', text)
    drawing = Xml.fromstring(draw(shown(book, "level=containers"), "T"))
    assert 'Records "A" | <b>' in [element.text for element in drawing.iter(f"{SVG}text")]


@pytest.mark.parametrize("words", ["level=context", "level=containers", "level=data"])
def test_an_arrow_runs_from_the_border_of_a_box_to_the_border_of_another(book: Book, words: str) -> None:
    drawing = Xml.fromstring(draw(shown(book, words), "T"))
    rects = [{name: float(rect.get(name, "nan")) for name in ("x", "y", "width", "height")} for rect in drawing.iter(f"{SVG}rect") if rect.get("rx")]
    paths = [path.get("d", "") for path in drawing.iter(f"{SVG}path") if path.get("class") == "l"]
    assert len(paths) == len(shown(book, words).arrows)
    for path in paths:
        numbers = [float(number) for number in re.findall(r"-?[0-9.]+", path)]
        first, last = _touched(rects, numbers[:2]), _touched(rects, numbers[-2:])
        assert first
        assert last
        assert first != last


def _touched(rects: list[dict[str, float]], point: list[float]) -> list[int]:
    """The boxes (and frames) in the middle of a side of which the point lies."""
    x, y = point
    found = []
    for i, rect in enumerate(rects):
        middle_x, middle_y = rect["x"] + rect["width"] / 2, rect["y"] + rect["height"] / 2
        sides = [(rect["x"], middle_y), (rect["x"] + rect["width"], middle_y), (middle_x, rect["y"]), (middle_x, rect["y"] + rect["height"])]
        found += [i] if any(abs(x - a) < 0.1 and abs(y - b) < 0.1 for a, b in sides) else []
    return found


def test_update_writes_the_part_and_check_guards_it(book: Book) -> None:
    assert len(book.update()) == 1
    path = book.root / "documents" / "system.md"
    assert Book(book.root).update() == ()
    assert not Book(book.root).check().findings
    path.write_text(path.read_text().replace("Nurse", "Doctor"))
    assert [finding.code for finding in Book(book.root).check().findings] == ["FB112"]


@pytest.mark.parametrize(
    ("words", "error"),
    [("level=deep", DocumentError), ("level=containers of=nobody", UnknownName), ("colour=red", DocumentError)],
)
def test_what_cannot_be_shown_says_so(book: Book, words: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        shown(book, words)


@pytest.mark.parametrize("wrong", ["{a: {title: A, inside: b}}", "{a: {title: A, inside: b}, b: {title: B, inside: a}}"])
def test_elements_lie_inside_of_elements_that_exist(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "factbook.yaml").write_text(f"factbook: 1\nsubject: {{name: x}}\nsystem: {{elements: {wrong}}}\n")
    with pytest.raises(ManifestError, match=r"inside|names the element"):
        Book(tmp_path)
