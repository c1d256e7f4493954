"""Two versions of a book: what is noise, what is not, what asks for people."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from factbook import Book
from factbook.book import diff
from factbook.differences import Judgement
from factbook.differences.words import rewordings
from factbook.documents.parse import parse
from factbook.errors import UnknownName
from made import predictions

SAID = {"label": "y", "score": "p", "key": "id", "by": ("sex",)}
MORE = """
claims:
  good: "{performance/accuracy} > 0.7"
thresholds:
  performance/accuracy: {at_least: 0.7}
"""


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    elsewhere = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose book, in a folder of it, was committed, and whose model then got worse."""
    top = tmp_path_factory.mktemp("versions")
    rows = predictions(top / "rows.csv", rows=600)
    book, _ = Book.init(top / "book", data=str(rows), **SAID)
    path = book.root / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  kind: model\n", "  kind: model\n  version: 1.4.0\n") + MORE, encoding="utf-8")
    text = "# Notes\n\n## Intended use\n\nFor [](fact:performance/rows) nurses to read.\n\n## Limits\n\nNone are known.\n"
    (book.root / "documents/notes.md").write_text(text, encoding="utf-8")
    book = Book(book.root)
    book.measure()
    book.update()
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    lines = rows.read_text(encoding="utf-8").splitlines()
    worse = [lines[0]] + [flipped(line) if number % 3 == 0 else line for number, line in enumerate(lines[1:])]
    rows.write_text("\n".join(worse) + "\n", encoding="utf-8")
    notes = book.root / "documents/notes.md"
    notes.write_text(
        notes.read_text(encoding="utf-8").replace("nurses to read", "doctors to act on").replace("## Limits", "## Known limits"), encoding="utf-8"
    )
    path.write_text(path.read_text(encoding="utf-8").replace("1.4.0", "2.0.0"), encoding="utf-8")
    book = Book(book.root)
    book.measure()
    book.update()
    return top


def flipped(line: str) -> str:
    """A row whose score says the contrary."""
    name, label, score, *rest = line.split(",")
    return ",".join([name, label, f"{max(0.0, 0.84 - float(score)):.3f}", *rest])


def test_a_revision_is_compared_with_the_folder(repository: Path) -> None:
    found = diff("HEAD", book=repository / "book")
    changes = {change.key: change for change in found.changes}
    accuracy = changes["performance/accuracy"]
    assert (accuracy.judgement, accuracy.good) == (Judgement.REAL, False)
    assert "Newcombe" in accuracy.why
    assert changes["performance/auc"].judgement is Judgement.NOT_JUDGED
    assert "no test" in changes["performance/auc"].why
    assert changes["performance/tp"].judgement is Judgement.EXACT
    assert "performance/rows" not in changes
    assert [(flip.name, flip.before, flip.after) for flip in found.claims] == [("good", "holds", "broken")]
    assert [(flip.before, flip.after) for flip in found.thresholds] == [("met", "not met")]
    assert {item.name for item in found.triggers} == {"major version", "intended use", "threshold"}
    assert [(item.section, item.what) for item in found.rewordings] == [
        ("Intended use", "was reworded"),
        ("Known limits", "is new"),
        ("Limits", "is gone"),
    ]
    assert (found.sign_offs, found.held) == ((), 0)


def test_the_interval_is_that_of_the_difference(repository: Path) -> None:
    from factbook.statistics.two_rates import newcombe

    found = {change.key: change for change in diff("HEAD", book=repository / "book").changes}["performance/accuracy"]
    old, new = (json.loads(text) for text in _versions(repository, "performance/accuracy"))
    expected = newcombe(new["counts"]["k"], new["counts"]["n"], old["counts"]["k"], old["counts"]["n"], 0.95)
    assert f"95 % CI \u2212{-expected.low * 100:.1f} to \u2212{-expected.high * 100:.1f}" in found.difference


def _versions(repository: Path, key: str) -> list[str]:
    """The line of a fact in both versions, as the evidence has it."""
    committed = subprocess.run(
        ["git", "show", "HEAD:book/evidence/performance.json"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    now = (repository / "book/evidence/performance.json").read_text(encoding="utf-8")
    return [next(line for line in text.splitlines() if line.startswith(f'"{key}":')).partition(":")[2].rstrip(",") for text in (committed, now)]


def test_two_equal_versions_differ_in_nothing(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "book", tmp_path / "copy")
    found = diff(repository / "book", tmp_path / "copy")
    assert (found.changes, found.claims, found.thresholds, found.rewordings, found.triggers, found.new, found.gone) == ((),) * 7
    assert "Nothing that the policy names asks for it" in found.markdown()


def test_the_same_rows_measured_otherwise_are_no_sample(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "other")
    path = tmp_path / "other/book/factbook.yaml"
    text = path.read_text(encoding="utf-8")
    assert "cut: 0.5" in text
    path.write_text(text.replace("cut: 0.5", "cut: 0.3"), encoding="utf-8")
    Book(path.parent).measure()
    changes = {change.key: change for change in diff(repository / "book", path.parent).changes}
    assert changes["performance/accuracy"].judgement is Judgement.NOT_JUDGED
    assert changes["performance/accuracy"].why.startswith("the same data")


def test_what_is_no_version_is_refused(repository: Path, tmp_path: Path) -> None:
    for said in ("HEAD~7", "--output=x", "nowhere"):
        with pytest.raises(UnknownName):
            diff(said, book=repository / "book")
    with pytest.raises(UnknownName, match="no book 'HEAD:"):
        diff("HEAD", book=repository)


def test_a_figure_that_moved_is_no_rewording() -> None:
    old, new = (parse(f"# A\n\nIt is [{value} %](fact:a/b), {word} and `x`.\n\n# B\n\nSame.\n") for value, word in ((1, "well"), (2, "well")))
    assert rewordings([old], [new]) == ()
    (found,) = rewordings([old], [parse("# A\n\nIt is [1 %](fact:a/c), badly and `x`.\n\n# B\n\nSame.\n")])
    assert found.runs == (
        ("equal", "It is"),
        ("delete", "[fact:a/b], well"),
        ("insert", "[fact:a/c], badly"),
        ("equal", "and x."),
    )


def test_the_command_prints_markdown_or_json(repository: Path) -> None:
    command = [sys.executable, "-m", "factbook", "diff", "HEAD", "--book", "book"]
    page = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    assert page.startswith("# What changed from HEAD to the book as it is now\n")
    assert "~~nurses~~ **doctors** to ~~read.~~ **act on.**" in page
    assert "more than noise, worse |" in page
    assert "keeps no sign-off" in page
    parsed = parse(page)
    assert [section.title for section in parsed.sections][1:] == [
        "To be reviewed again",
        "Claims that flipped",
        "Thresholds",
        "Facts",
        "Words",
        "Sign-offs",
    ]
    tree = json.loads(subprocess.run([*command, "--json"], cwd=repository, capture_output=True, text=True, check=True).stdout)
    assert tree["counts"]["more than noise"] >= 1
    assert tree["triggers"][0]["name"] == "major version"
