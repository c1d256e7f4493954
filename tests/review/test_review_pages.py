"""What readers see of sign-offs, on pages, in plain Markdown and on paper, and what a matrix of a regime makes of them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from signed_book import edit, sign

from factbook import Book, regimes
from factbook.regimes.coverage import State

NOTES = "documents/notes.md"


def published(book: Path) -> tuple[str, str]:
    """The page and the plain Markdown of the notes."""
    Book(book).build(["html", "markdown"])
    return tuple((book / path).read_text(encoding="utf-8") for path in ("site/documents/notes.html", "dist/markdown/documents/notes.md"))  # type: ignore[return-value]


def test_who_signed_stands_under_the_heading(book: Path) -> None:
    sign(book, section="In use")
    sign(book, "cara", "auditor", section="", meaning="reviewed")
    page, text = published(book)
    for line in ("✓ Approved by Dr Anna Meyer (clinician) on 2026-11-02", "✓ Reviewed by Cara Ruiz (auditor) on 2026-11-02"):
        assert line in page
        assert f"- *{line}*" in text
    assert page.index('id="in-use"') < page.index("Dr Anna Meyer") < page.index('id="limits"')
    assert page.index("Cara Ruiz") < page.index('id="intended-use"'), "what is said of the whole document stands under its title"
    assert "Only what says so is signed." in page


def test_what_fell_is_not_shown(book: Path) -> None:
    sign(book, section="In use")
    edit(book, NOTES, "It was tried", "It was used")
    page, text = published(book)
    assert "Anna Meyer" not in page + text
    assert "Nobody has approved this document." in page


def test_a_reason_is_text_and_no_markup(book: Path) -> None:
    sign(book, section="Limits", meaning="risk accepted", note="<script>alert(1)</script> | *none* [x](javascript:y)")
    page, text = published(book)
    assert "Risk accepted by Dr Anna Meyer" in page
    assert "<script>alert" not in page
    assert "<script>" not in text
    assert "](javascript" not in text


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_paper_shows_it_too(book: Path) -> None:
    pytest.importorskip("typst")
    sign(book, section="In use")
    Book(book).build(["pdf"])
    said = subprocess.run(["pdftotext", "-layout", str(book / "dist/pdf/notes.pdf"), "-"], check=True, capture_output=True).stdout.decode()
    assert "✓ Approved by Dr Anna Meyer (clinician) on 2026-11-02" in said


@pytest.mark.parametrize(
    ("meaning", "section", "expected"),
    [("approved", "In use", State.SIGNED), ("reviewed", "Quality", State.SIGNED), ("approved", "", State.SIGNED), ("authored", "In use", State.OPEN)],
)
def test_only_what_others_vouch_for_is_signed(book: Path, meaning: str, section: str, expected: State) -> None:
    name = next(item.id for item in regimes.load("eu-ai-act-high-risk").items.values() if item.fill == ("attested",))
    regime = f'\nregimes: {{eu-ai-act-high-risk: {{met_by: {{"{name}": ["documents/notes.md#in-use"]}}}}}}\n'
    path = book / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8") + regime, encoding="utf-8")

    def state() -> State:
        rows = Book(book).coverage("eu-ai-act-high-risk", on=dt.date(2030, 1, 1)).rows
        return next(row.state for row in rows if row.item.id == name)

    assert state() is State.OPEN
    sign(book, section=section, meaning=meaning)
    assert state() is expected
    sign(book, "cara", section="In use", meaning="rejected", note="no")
    assert state() is State.OPEN, "what somebody rejects is not signed"


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "factbook", *words], capture_output=True, text=True, check=False)


def test_the_commands_list_what_is_signed_and_wanted(book: Path) -> None:
    said = ["--section", "Quality", "--role", "clinician", "--as", "anna", "--key", str(book.parent / "keys/anna")]
    assert "still wanted: 1 sign-off" in command("sign", "notes", str(book), *said).stdout
    listed = command("reviews", str(book)).stdout
    assert "stands     documents/notes.md#quality  approved by anna (clinician)" in listed
    assert "1 of 2 people" in listed
    tree = json.loads(command("reviews", str(book), "--json").stdout)
    assert tree["counts"] == {"stands": 1, "carried": 0, "fallen": 0, "invalid": 0, "unverified": 0}
    assert (tree["asked"][0]["met"], tree["asked"][0]["by"]) == (False, ["anna"])
    refused = command("sign", "notes", str(book))
    assert (refused.returncode, "--role" in refused.stderr) == (2, True)


def test_without_the_library_nothing_is_said_to_stand(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(book)
    sign(book, "cara")
    edit(book, "factbook.yaml", "stage: draft", "stage: validation")
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    held = Book(book)
    assert {item.standing.value for item in held.reviews.verdicts} == {"unverified"}
    assert not held.reviews.asked[0].met
    assert held.reviews.signed == frozenset()
    report = held.check()
    assert [finding.code for finding in report.findings if finding.code.startswith("FB5")] == []
    assert sum("cannot be verified here" in str(item) for item in report.not_judged) == 2
