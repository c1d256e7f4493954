"""The site tells, for each law and standard that a book names, how every item stands and what says so."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from factbook.book import Book

BOOK = """factbook: 1
subject: {kind: model, name: risk, version: 1.2.0, licence: MIT}
sources:
  holdout: {uri: rows.csv, label: y, positive: 1, prediction: p, by: [sex], used_for: testing}
plan:
  performance: {measure: classification, data: holdout, by: [sex]}
  data: {measure: profile, data: holdout}
regimes:
  model-cards: {not_applicable: {"mitchell:details.citation": "it is never <b>cited</b>"}}
  eu-ai-act-annex-iv: {}
"""
CARD = """# Card

## Intended use

**Purpose.** It ranks patients for a call.

## Quantitative analyses

It is right in [](fact:performance/accuracy).

<!-- fact:table performance by=sex metrics=n,fnr -->

<!-- /fact -->
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("duties")
    (root / "documents").mkdir()
    (root / "rows.csv").write_text("y,p,sex\n" + "".join(f"{i % 2},{(i // 2) % 2},{'mf'[i % 3 == 0]}\n" for i in range(240)))
    (root / "factbook.yaml").write_text(BOOK)
    (root / "documents" / "model-card.md").write_text(CARD)
    made = Book(root)
    made.measure()
    made.update()
    built = Book(root).build(["html", "markdown"])
    assert built.published, built.report.findings
    return root


def rows(book: Path, regime: str) -> dict[str, str]:
    page = (book / "site" / "coverage" / f"{regime}.html").read_text()
    return {unescape(name): unescape(re.sub(r"<[^>]+>", " ", body)) for name, body in re.findall(r'<tr id="([^"]+)">(.*?)</tr>', page, re.DOTALL)}


def test_every_item_stands_on_the_page_once_with_its_state(book: Path) -> None:
    found = Book(book).coverage("model-cards")
    told = rows(book, "model-cards")
    assert list(told) == [row.item.id for row in found.rows]
    assert all(f" {row.state} " in f" {' '.join(told[row.item.id].split())} " for row in found.rows)


def test_what_answers_is_named_and_what_is_missing_is_said(book: Path) -> None:
    told = rows(book, "model-cards")
    assert "Intended use" in told["mitchell:use.primary"]
    assert "false-negative rate in performance, by sex" in told["mitchell:quant.unitary"]
    assert "licence: MIT" in told["mitchell:details.license"]
    assert "Missing:" in told["mitchell:use.users"]
    assert "it is never <b>cited</b>" in told["mitchell:details.citation"]
    assert "used_for: training" in told["mitchell:training_data"] or "Missing" in told["mitchell:training_data"]


def test_what_applies_later_tells_how_it_would_stand(book: Path) -> None:
    told = " ".join(rows(book, "eu-ai-act-annex-iv")["eu-aia:annex-iv.1.a"].split())
    assert "not applicable then ? partly" in told
    assert "applies from 2027-12-02 on" in told


def test_every_link_leads_somewhere(book: Path) -> None:
    for page in (book / "site" / "coverage").glob("*.html"):
        for address, anchor in re.findall(r'<a[^>]* href="([^"#]*\.html)#?([^"]*)"', page.read_text()):
            target = (page.parent / unquote(address)).resolve()
            assert target.is_file(), address
            assert not anchor or f'id="{unquote(unescape(anchor))}"' in unescape(target.read_text()), (address, anchor)


def test_the_start_page_and_every_menu_lead_to_it(book: Path) -> None:
    index = (book / "site" / "index.html").read_text()
    assert "Laws and standards" in index
    assert index.count("coverage/model-cards.html") == 2
    assert "../coverage/model-cards.html" in (book / "site" / "documents" / "model-card.html").read_text()


def test_there_is_no_script_and_no_state_by_colour_alone(book: Path) -> None:
    page = (book / "site" / "coverage" / "model-cards.html").read_text()
    assert "<script" not in page
    pills = re.findall(r'class="pill[^"]*">(?!draft)(.*?)</span></', page)
    assert pills
    assert all("aria-hidden" in pill for pill in pills)


def test_the_markdown_export_holds_it_as_well(book: Path) -> None:
    text = (book / "dist" / "markdown" / "coverage" / "model-cards.md").read_text()
    assert "](../documents/model-card.md#intended-use)" in text
    assert (book / "dist" / "markdown" / "documents" / "model-card.md").is_file()
    Book(book).coverage("model-cards")
    assert "](../../documents/model-card.md#intended-use)" in (book / "dist" / "coverage" / "model-cards.md").read_text()
