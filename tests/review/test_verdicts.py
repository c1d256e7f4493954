"""What became of a sign-off: it stands, is carried, or fell, and the reason names what changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from signed_book import WHEN, edit, only, sign

from factbook import Book
from factbook.errors import FactbookError, UnknownName
from factbook.review.judging import Cause, Standing, allowed
from factbook.review.watched import within

NOTES = "documents/notes.md"


def other_rows(book: Path, step: int = 60) -> None:
    """Other data: every so many rows change their score; measured and brought into the documents."""
    path = book.parent / "rows.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *(_flip(line) if n % step == 0 else line for n, line in enumerate(lines[1:]))]) + "\n", encoding="utf-8")
    edit(book, "factbook.yaml", "uri: ", "uri: ")
    Book(book).measure(rehash=True)
    Book(book).update()


def _flip(line: str) -> str:
    name, label, score, *rest = line.split(",")
    return ",".join([name, label, f"{max(0.0, 0.84 - float(score)):.3f}", *rest])


@pytest.fixture(autouse=True)
def rows(book: Path) -> None:
    """The rows of this copy, not those of the book that it is a copy of."""
    text = (book / "factbook.yaml").read_text(encoding="utf-8")
    (uri,) = {line.split("uri:")[1].strip() for line in text.splitlines() if "uri:" in line}
    edit(book, "factbook.yaml", uri, "../rows.csv")


def test_it_stands_while_nothing_changed(book: Path) -> None:
    sign(book)
    assert (only(book).standing, only(book).why) == (Standing.STANDS, "")


@pytest.mark.parametrize(
    ("file", "old", "new", "cause", "why"),
    [
        (NOTES, "The accuracy", "The true accuracy", Cause.WORDS, "the words changed"),
        (NOTES, "It was tried", "It was tested", Cause.WORDS, "the words changed"),
        (NOTES, "Measured once", "Measured twice", Cause.WORDS, "the words changed"),
        (NOTES, "[s]: https://example.org/study", "[s]: https://example.org/other", Cause.BEHIND, "[s] changed"),
        (NOTES, "## Quality", "# Old figures\n\n## Results of others\n\n### Quality", Cause.WORDS, "the words changed"),
        (NOTES, "## Quality", "## Qualities", Cause.PLACE, "there is no section"),
        (NOTES, "## Limits", "## Quality", Cause.PLACE, "has 2 sections"),
        (NOTES, " of [240](", " of [0240](", Cause.WORDS, "a figure is written otherwise"),
        ("factbook.yaml", "text: data of last year", "text: data of any year", Cause.BEHIND, "policy:year changed"),
        ("factbook.yaml", "{performance/accuracy} > 0.6", "{performance/accuracy} > 0.5", Cause.BEHIND, "claim:good changed"),
        ("documents/scan.png", "a picture", "another one", Cause.BEHIND, "documents/scan.png changed"),
        (NOTES, "Nurses call", "Doctors call", Cause.LOOK_AGAIN, "intended use: documents/notes.md#intended-use was reworded"),
        ("factbook.yaml", "version: 1.4.0", "version: 2.0.0", Cause.LOOK_AGAIN, "major version: 1.4.0 became 2.0.0"),
        ("factbook.yaml", "people: 2", "people: 1", Cause.POLICY, "no keeper has signed the change: required"),
    ],
)
def test_it_falls_and_says_why(book: Path, file: str, old: str, new: str, cause: Cause, why: str) -> None:
    sign(book)
    edit(book, file, old, new)
    verdict = only(book)
    assert (verdict.standing, verdict.cause) == (Standing.FALLEN, cause), verdict.why
    assert why in verdict.why


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (NOTES, "## Limits\n\nNobody", "## Limits\n\nIndeed, nobody"),
        (NOTES, "# Notes\n", "# Notes on the model\n"),
        ("factbook.yaml", "version: 1.4.0", "version: 1.5.0"),
        ("factbook.yaml", "why: nobody looked", "why: nobody could look"),
        ("factbook.yaml", "keeper: quality", "keeper: 'quality'"),
    ],
)
def test_what_it_does_not_speak_of_may_change(book: Path, file: str, old: str, new: str) -> None:
    sign(book)
    edit(book, file, old, new)
    assert only(book).standing is Standing.STANDS, only(book).why


def test_what_asks_to_look_again_and_what_changed_are_both_said(book: Path) -> None:
    sign(book)
    edit(book, NOTES, "The accuracy", "The true accuracy")
    edit(book, "factbook.yaml", "version: 1.4.0", "version: 2.0.0")
    assert only(book).why == "major version: 1.4.0 became 2.0.0; the words changed"


def test_a_section_under_another_heading_has_fallen(book: Path) -> None:
    sign(book, section="In use")
    edit(book, NOTES, "### In use", "## Tried by others\n\n### In use")
    assert (only(book).cause, only(book).why) == (Cause.PLACE, "it stands under Tried by others now")


def test_other_data_make_it_fall_without_a_tolerance(book: Path) -> None:
    sign(book)
    other_rows(book)
    assert only(book).cause is Cause.FACTS
    assert "performance/accuracy" in only(book).why


def test_figures_that_moved_within_the_tolerance_are_carried(book: Path) -> None:
    sign(book, tolerance=["0.05"])
    sign(book, "cara", tolerance=["0.0001"])
    other_rows(book)
    verdicts = {item.sign_off.person: item for item in Book(book).reviews.verdicts}
    assert (verdicts["anna"].standing, verdicts["cara"].standing) == (Standing.CARRIED, Standing.FALLEN)
    assert "by more than was allowed" in verdicts["cara"].why
    (asked,) = Book(book).reviews.asked
    assert not asked.met
    assert "anna: carried" in asked.why, "only one that stands meets a requirement"


def test_a_carried_one_falls_when_words_change_too(book: Path) -> None:
    sign(book, tolerance=["0.05"])
    other_rows(book)
    edit(book, NOTES, "The accuracy is", "The good accuracy is")
    assert (only(book).standing, only(book).cause) == (Standing.FALLEN, Cause.WORDS)


def test_a_carried_one_falls_when_a_figure_is_made_up(book: Path) -> None:
    sign(book, tolerance=["0.05"])
    other_rows(book)
    text = (book / NOTES).read_text(encoding="utf-8")
    figure = text.split("accuracy is [")[1].split(" %")[0]
    edit(book, NOTES, f"accuracy is [{figure} %", "accuracy is [99.9 %")
    assert (only(book).standing, only(book).why) == (Standing.FALLEN, "a figure does not say what its fact says")


def test_another_cut_is_no_figure_that_moved(book: Path) -> None:
    sign(book, tolerance=["0.9"])
    edit(book, "factbook.yaml", "cut: 0.5", "cut: 0.49")
    Book(book).measure()
    Book(book).update()
    assert "was measured otherwise" in only(book).why


def test_the_day_of_a_brand_new_group(book: Path) -> None:
    edit(
        book,
        "factbook.yaml",
        "  keeper: quality",
        "  triggers: {groups: true, facts: {performance/accuracy: 1%}, sections: [Limits]}\n  keeper: quality",
    )
    sign(book, section="In use")
    edit(book, NOTES, "Nobody knows", "No one knows")
    assert only(book).why == "section: documents/notes.md#limits was reworded"
    edit(book, NOTES, "No one knows", "Nobody knows")
    assert only(book).standing is Standing.STANDS
    text = (book.parent / "rows.csv").read_text(encoding="utf-8").replace("female", "women")
    (book.parent / "rows.csv").write_text(text, encoding="utf-8")
    other_rows(book, step=10)
    assert "group: sex: women" in only(book).why
    assert "fact: performance/accuracy" in only(book).why


@pytest.mark.parametrize(
    ("old", "new", "amount", "fits"),
    [
        ({"value": 0.2}, {"value": 0.22}, "0.02", True),
        ({"value": 0.2}, {"value": 0.2201}, "0.02", False),
        ({"value": 0.2, "low": 0.1, "high": 0.3}, {"value": 0.2, "low": 0.05, "high": 0.3}, "0.02", False),
        ({"value": 200}, {"value": 190}, "5%", True),
        ({"value": 200}, {"value": 189}, "5%", False),
        ({"value": 0}, {"value": 0.001}, "5%", False),
        ({"value": 0.2, "unit": "fraction"}, {"value": 0.2, "unit": "points"}, "1", False),
        ({"value": 0.2}, {"says": "suppressed: fewer than 10"}, "1", False),
        ({"value": 0.2, "low": 0.1, "high": 0.3}, {"value": 0.2}, "1", False),
        ({"says": "yes"}, {"says": "yes"}, "0", True),
        ({"says": "yes"}, {"says": "no"}, "1", False),
    ],
)
def test_how_far_a_figure_may_move(old: dict[str, Any], new: dict[str, Any], amount: str, fits: bool) -> None:
    assert within(old, new, amount) is fits


def test_the_nearest_tolerance_counts() -> None:
    given = {"*": "0.01", "performance/*": "0.02", "performance/fnr": "0.03"}
    assert [allowed(key, given) for key in ("a/b", "performance/fnr?sex=men", "performance/fnr")] == ["0.01", "0.02", "0.03"]
    assert allowed("a/b", {"performance/fnr": "0.03"}) == "0"
    given = {"*": "0.01", "counts": "5%", "performance/tp": "1"}
    assert [allowed(key, given, unit) for key, unit in (("a/n", "count"), ("a/b", "fraction"), ("performance/tp", "count"))] == ["5%", "0.01", "1"]


def test_what_is_not_clean_is_not_signed(book: Path) -> None:
    edit(book, NOTES, "Nobody knows", "All 17 of them know")
    with pytest.raises(FactbookError, match=r"does not check clean: documents/notes.md:\d+: FB106"):
        sign(book, section="In use")
    assert not (book / "reviews").exists()
    sign(book, section="Limits", meaning="rejected", note="17 of whom?")


def test_a_threshold_that_is_not_met_is_not_approved_but_may_be_accepted(book: Path) -> None:
    edit(book, "factbook.yaml", "\nclaims:", "\nthresholds: {performance/accuracy: {at_least: 0.99}}\nclaims:")
    edit(book, "factbook.yaml", "stage: draft", "stage: validation")
    with pytest.raises(FactbookError, match=r"does not check clean: factbook\.yaml"):
        sign(book)
    sign(book, meaning="risk accepted", note="a nurse looks at every case")
    sign(book, "cara", meaning="rejected", note="no")


def test_what_is_open_is_not_signed(book: Path) -> None:
    edit(book, NOTES, "Nobody knows", "> [Q1](question:why) Who knows?\n\nNobody knows")
    with pytest.raises(FactbookError, match="Q1 is still open"):
        sign(book, section="Limits")
    assert sign(book, section="Quality").exists()


def test_stale_evidence_is_not_signed(book: Path) -> None:
    edit(book, "factbook.yaml", "cut: 0.5", "cut: 0.4")
    with pytest.raises(FactbookError, match="FB401"):
        sign(book)


def test_who_may_not_sign_is_told_why(book: Path) -> None:
    for said, match in (
        ({"person": "mallory", "key": book.parent / "keys/anna"}, "no person"),
        ({"role": "auditor"}, "no role of anna"),
        ({"key": book.parent / "keys/ben"}, "not one of anna's"),
        ({"section": "Nowhere"}, "no section"),
        ({"document": "nothing"}, "no document"),
        ({"meaning": "liked"}, "no meaning"),
        ({"meaning": "rejected"}, "say why"),
        ({"tolerance": ["a lot"]}, "how far|how much"),
        ({"tolerance": ["1", "2"]}, "how far|how much"),
    ):
        with pytest.raises((FactbookError, UnknownName), match=match):
            sign(book, **said)
    assert not (book / "reviews").exists()


def test_sign_offs_are_added_and_never_changed(book: Path) -> None:
    first = sign(book)
    before = first.read_bytes()
    sign(book, "cara")
    edit(book, NOTES, "The accuracy", "The true accuracy")
    sign(book, time=WHEN.replace(day=3))
    assert first.read_bytes() == before
    assert len([*(book / "reviews").iterdir()]) == 3
    standing = {item.sign_off.time.day: item.standing for item in Book(book).reviews.verdicts if item.sign_off.person == "anna"}
    assert standing == {2: Standing.FALLEN, 3: Standing.STANDS}


def test_each_section_by_the_role_that_owns_it(book: Path) -> None:
    edit(book, "factbook.yaml", "    - {document: notes,", "    - {document: model-card, role: owner}\n    - {document: notes,")
    asked = {(item.heading, item.role) for item in Book(book).reviews.asked}
    assert ("Intended use", "product owner") in asked
    assert len(asked) > 5


def test_a_copy_of_the_book_elsewhere_says_the_same(book: Path, tmp_path: Path) -> None:
    sign(book)
    shutil.copytree(book, tmp_path / "elsewhere")
    assert only(tmp_path / "elsewhere").standing is Standing.STANDS
