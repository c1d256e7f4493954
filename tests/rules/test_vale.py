"""The style for Vale, run by Vale itself where it is installed: it loads, and says at least what `check` says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import casebook
import pytest

from factbook import Book
from factbook.canon import load_yaml
from factbook.cli import main

CASES = Path(__file__).parent.parent / "cases" / "rules"
WRAPPED = (
    "It is, in order\nto win, a very\ngood and state-of-the\nart model for the\nthe clinic. Utilise it.\n\n"
    "[It is better](claim:older-better). `better` [better](https://example.org/a)\n\n"
    "<!-- fact:part terms -->\n\nvery good\n\n<!-- /fact -->\n"
)


def _works(command: str) -> bool:
    """Whether Vale itself answers: the package of that name on PyPI fetches it only when it is first run."""
    try:
        return subprocess.run([command, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


VALE = shutil.which("vale") or ""
needs_vale = pytest.mark.skipif(not VALE or not _works(VALE), reason="Vale is not installed")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    root = casebook.build(tmp_path / "book")
    (root / "style.yaml").write_text("say: {utilise: use, in order to: to}\nallow: [robust]\n", encoding="utf-8")
    return Book(root)


def _alerts(book: Book, folder: Path) -> dict[str, Counter[str]]:
    """What Vale says of each document, by code."""
    assert main(["style", str(book.root), "--vale", str(folder)]) == 0
    files = [str(path) for path in sorted((book.root / "documents").glob("*.md"))]
    done = subprocess.run(
        [VALE, "--no-exit", "--output=JSON", f"--config={folder / '.vale.ini'}", *files], capture_output=True, text=True, check=True, timeout=120
    )
    said = {Path(name).name: [re.search(r"\((FB\d+)\)$", item["Message"]) for item in alerts] for name, alerts in json.loads(done.stdout).items()}
    return {name: Counter(match[1] for match in found if match) for name, found in said.items()}


@needs_vale
def test_vale_says_what_check_says_of_words(book: Book, tmp_path: Path) -> None:
    for name in ("comparison-is-claimed", "words-are-measured", "word-stands-once"):
        planted, _ = load_yaml((CASES / f"{name}.yaml").read_text(encoding="utf-8"), name)
        for number, item in enumerate(item for item in planted["bad"] if "write" not in item):
            (book.root / "documents" / f"{name}-{number}.md").write_text(item["text"], encoding="utf-8")
    mine: dict[str, Counter[str]] = {}
    for finding in book.check().findings:
        if finding.code in ("FB304", "FB311", "FB312", "FB313"):
            mine.setdefault(Path(finding.file).name, Counter())[finding.code] += 1
    theirs = _alerts(book, tmp_path / "vale")
    assert sum(sum(found.values()) for found in mine.values()) > 20
    assert {name: found - theirs.get(name, Counter()) for name, found in mine.items() if found - theirs.get(name, Counter())} == {}


@needs_vale
def test_vale_reads_across_line_ends_and_leaves_alone_what_claims_sources_and_machines_say(book: Book, tmp_path: Path) -> None:
    (book.root / "documents" / "wrapped.md").write_text(WRAPPED, encoding="utf-8")
    assert _alerts(book, tmp_path / "vale")["wrapped.md"] == Counter({"FB304": 1, "FB311": 1, "FB312": 2, "FB313": 1})
