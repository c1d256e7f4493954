"""A pack of an organisation's own kinds, regimes, rules, words, roles and look works without a change of factbook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from factbook.book import Book
from factbook.errors import BookExists, DocumentError

REGIME = """title: Acme's rules for releases
issuer: Acme
nature: policy
source: Acme policy 12
items:
  - id: acme:decision
    ask: which decision the note serves
    cite: policy 12, section 1
    fill: [authored]
  - id: acme:accuracy
    ask: the share of correct predictions
    cite: policy 12, section 2
    topics: [acme.results]
    fill: [measured]
    facts: ["acme_results@!training"]
  - id: acme:never
    ask: what nobody has said
    cite: policy 12, section 3
    fill: [authored]
"""
RULE = '''"""A release note says no "soon".

Why: nobody can plan with it.

Bad:  It comes soon.
Good: It comes on 1 March.

Fix: give the day.
"""

from factbook.rules import at

CODE = "AC101"
NAME = "soon-is-a-day"


def check(checked):
    for document in checked.documents:
        place = document.source.find(b"soon")
        if place >= 0:
            yield at(document, place, "soon is no day", "give the day")
'''
LOOK = """name: Acme
accent: "#7a1f5c"
accent-dark: "#e59ac8"
fonts: {text: DejaVu Sans Mono}
logo: logo.svg
header: Model risk of Acme
footer: Acme, for internal use
"""
BOOK = """factbook: 1
subject: {kind: model, name: risk, version: 1.2.0}
sources:
  holdout: {uri: rows.csv, label: y, positive: 1, prediction: p}
plan:
  performance: {measure: classification, data: holdout}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack that `new kind` began, with a regime, a rule and a look dropped in, and installed the way that an installer leaves it."""
    folder = tmp_path / "acme-pack"
    Book.new_kind("release-note", folder)
    kind = folder / "acme_pack" / "documents" / "kinds" / "release-note" / "kind.yaml"
    kind.write_text(kind.read_text().replace('        # meets: ["mitchell:use.primary"]', '        meets: ["acme:decision"]  #'))
    for name, text in {
        "regimes/acme-release/regime.yaml": REGIME,
        "regimes/facts.yaml": "acme_results: [classification/accuracy, classification/auc]\n",
        "regimes/topics.yaml": "acme.results: {fill: measured, what: results that Acme counts}\n",
        "rules/soon_is_a_day.py": RULE,
        "style.yaml": "say: {utilise: use}\nallow: [robust]\n",
        "roles.yaml": "model owner: product lead\n",
        "look.css": ":root { --line: #8a1c5b; }\n",
        "look.yaml": LOOK,
        "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10" fill="#7a1f5c"/></svg>',
    }.items():
        path = folder / "acme_pack" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "acme_pack-0.1.0.dist-info").mkdir()
    (folder / "acme_pack-0.1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pack\nVersion: 0.1.0\n")
    (folder / "acme_pack-0.1.0.dist-info" / "entry_points.txt").write_text("[factbook.packs]\nacme_pack = acme_pack\n")
    return folder


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "book" / "documents").mkdir(parents=True)
    (tmp_path / "book" / "factbook.yaml").write_text(BOOK)
    (tmp_path / "book" / "rows.csv").write_text("y,p\n" + "".join(f"{i % 2},{i % 3 == 0:d}\n" for i in range(60)))
    return tmp_path / "book"


def factbook(pack: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "factbook", *arguments], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(pack)}, check=False
    )
    return done.stdout + done.stderr


def test_a_pack_brings_a_kind_a_regime_a_rule_and_a_look(pack: Path, book: Path) -> None:
    assert "release-note" in factbook(pack, "new", "--list")
    assert "acme-release" in factbook(pack, "coverage", "--list")
    factbook(pack, "measure", str(book))
    assert "begun" in factbook(pack, "new", "release-note", str(book))
    note = book / "documents" / "release-note.md"
    assert "(fact:performance/accuracy)" in note.read_text()
    assert "1 question" in (said := factbook(pack, "check", str(book))), said
    note.write_text(note.read_text().replace("## Results", "**Decision.** The board decides soon.\n\n## Results"))
    assert "AC101" in factbook(pack, "check", str(book))
    kept = [line for line in note.read_text().split("\n") if "question:" not in line]
    note.write_text("\n".join(kept).replace(" soon", " on it"))
    covered = factbook(pack, "coverage", "acme-release", str(book))
    assert "1 measured, 1 authored, 1 open" in covered, covered
    (book / "look.yaml").write_text("footer: The book's own\n")
    factbook(pack, "build", str(book), "--to", "html", "--to", "pdf")
    page = (book / "site" / "documents" / "release-note.html").read_text()
    for said in ("--line: #8a1c5b", "--accent: #7a1f5c", 'alt="Acme"', "Model risk of Acme", "The book&#x27;s own"):
        assert said in page
    with pikepdf.open(book / "dist" / "pdf" / "release-note.pdf") as paper:
        fonts = " ".join(str(font.BaseFont) for font in paper.pages[0].Resources.Font.values())
        assert b"0.47843" in paper.pages[0].Contents.read_bytes(), "the accent, 0x7a of 0xff"
    assert "DejaVuSansMono" in fonts
    assert "Libertinus" not in fonts


def test_a_pack_brings_words_and_roles(pack: Path, book: Path) -> None:
    factbook(pack, "measure", str(book))
    factbook(pack, "new", "release-note", str(book))
    assert "product lead" in (said := factbook(pack, "check", str(book)))
    assert "model owner" not in said
    note = book / "documents" / "release-note.md"
    note.write_text(note.read_text() + "\nWe utilise it. It is robust.\n")
    said = factbook(pack, "check", str(book))
    assert "'utilise': the house says 'use'" in said or "FB312" in said, said
    assert "robust" not in said
    (book / "style.yaml").write_text("allow: [utilise]\ncomparisons: [robust]\n")
    said = factbook(pack, "check", str(book))
    assert "utilise" not in said, "what the book allows counts"
    assert "robust" in said
    (pack / "acme_pack" / "roles.yaml").write_text("model owner: ''\n")
    assert "roles.yaml:1" in factbook(pack, "check", str(book))


def test_a_second_kind_joins_the_pack(tmp_path: Path) -> None:
    first = Book.new_kind("release-note", tmp_path / "acme")
    second = Book.new_kind("memo", tmp_path / "acme")
    assert len(first) == 5
    assert [path.name for path in second] == ["kind.yaml", "template.md"]
    with pytest.raises(BookExists):
        Book.new_kind("memo", tmp_path / "acme")


@pytest.mark.parametrize("name", ["", "Memo", "../memo", "a b", "kind", "-x"])
def test_a_kind_needs_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError):
        Book.new_kind(name, tmp_path / "acme")
    assert not (tmp_path / "acme").exists()
