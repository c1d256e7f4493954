"""Two versions of a signed book: which sign-offs would fall, and which triggers were hit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from signed_book import edit, sign

from factbook import Book
from factbook.book import diff
from factbook.cli import main

NOTES = "documents/notes.md"


def later(book: Path) -> Path:
    """A copy of the book, to be changed."""
    shutil.copytree(book, book.parent / "later")
    return book.parent / "later"


def test_what_would_fall_is_listed_with_the_reason(book: Path) -> None:
    sign(book)
    sign(book, "cara", "auditor", section="Limits")
    after = later(book)
    edit(after, NOTES, "Nobody knows", "No one knows")
    found = diff(book, after)
    assert [(item.place, item.person, item.before, item.after, item.why) for item in found.sign_offs] == [
        ("documents/notes.md#limits", "cara", "stands", "fallen", "the words changed")
    ]
    assert found.held == 2
    page = found.markdown()
    assert "1 of 2 that held in" in page
    assert "| documents/notes.md#limits | approved by cara (auditor) | stands | fallen | the words changed |" in page
    assert "1 sign-off would fall" in page


def test_a_sign_off_that_was_deleted_is_gone_and_one_that_is_new_is_no_fall(book: Path) -> None:
    path = sign(book)
    after = later(book)
    (after / "reviews" / path.name).unlink()
    sign(after, "cara", key=book.parent / "keys/cara")
    assert [(item.person, item.after) for item in diff(book, after).sign_offs] == [("anna", "gone")]


def test_the_triggers_of_the_policy_are_evaluated(book: Path) -> None:
    more = "  triggers: {major_version: false, groups: true, sections: [Limits], facts: {performance/accuracy: 1%, performance/rows: 50%}}\n"
    edit(book, "factbook.yaml", "  keeper: quality", f"{more}  keeper: quality")
    after = later(book)
    rows = (book.parent / "rows.csv").read_text(encoding="utf-8").replace("female", "women").splitlines()
    (after / "rows.csv").write_text("\n".join(rows[:150]) + "\n", encoding="utf-8")
    (uri,) = {line.split("uri:")[1].strip() for line in (after / "factbook.yaml").read_text(encoding="utf-8").splitlines() if "uri:" in line}
    edit(after, "factbook.yaml", uri, "rows.csv")
    edit(after, "factbook.yaml", "version: 1.4.0", "version: 2.0.0")
    edit(after, NOTES, "Nobody knows", "No one knows")
    Book(after).measure()
    Book(after).update()
    found = {(item.name, item.why.partition(":")[0]) for item in diff(book, after).triggers}
    assert found == {
        ("group", "sex"),
        ("section", "documents/notes.md#limits was reworded"),
        ("fact", "performance/accuracy"),
    }


def test_a_revision_holds_its_sign_offs_and_the_pictures_that_they_speak_of(book: Path) -> None:
    (book / "pictures").mkdir()
    (book / "documents/scan.png").rename(book / "pictures/scan.png")
    edit(book, NOTES, "(scan.png)", "(../pictures/scan.png)")
    sign(book)
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "signed"]):
        subprocess.run(["git", *who, *words], cwd=book, check=True, capture_output=True)
    assert diff("HEAD", book=book).sign_offs == ()
    edit(book, "pictures/scan.png", "a picture", "another")
    (fall,) = diff("HEAD", book=book).sign_offs
    assert (fall.after, fall.why) == ("fallen", "pictures/scan.png changed")
    program = subprocess.run(
        [sys.executable, "-m", "factbook", "diff", "HEAD", "--book", str(book), "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(program.stdout)["sign_offs"][0]["why"] == "pictures/scan.png changed"
    assert main(["diff", "HEAD", "--book", str(book)]) == 0
