"""An item is met by what answers it: never by a heading, a gap, an open question or a fact that no document shows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from factbook.book import Book
from factbook.errors import UnknownName
from factbook.regimes.coverage import Row, State, page

BOOK = """factbook: 1
subject: {{kind: model, name: risk, version: 1.2.0}}
sources:
  holdout: {{uri: rows.csv, label: y, positive: 1, prediction: p, by: [sex]{used_for}}}
plan:
  performance: {{measure: classification, data: holdout, by: [sex]}}
  data: {{measure: profile, data: holdout}}
{regimes}
"""
LATE = dt.date(2029, 1, 1)
CARD = "# Card\n\n## Intended use\n\n{use}\n\n## Quantitative analyses\n\n{quant}\n"


@pytest.fixture
def made(tmp_path: Path):
    def make(use: str = "", quant: str = "", regimes: str = "", used_for: str = "") -> Book:
        (tmp_path / "documents").mkdir(exist_ok=True)
        rows = "".join(f"{i % 2},{(i // 2) % 2},{'mf'[i % 3 == 0]}\n" for i in range(240))
        (tmp_path / "rows.csv").write_text("y,p,sex\n" + rows)
        (tmp_path / "factbook.yaml").write_text(BOOK.format(regimes=regimes, used_for=used_for and f", used_for: {used_for}"))
        (tmp_path / "documents" / "model-card.md").write_text(CARD.format(use=use, quant=quant))
        book = Book(tmp_path)
        book.measure()
        return Book(tmp_path)

    return make


def row(book: Book, regime: str, item: str, on: dt.date = LATE) -> Row:
    return next(row for row in book.coverage(regime, on=on).rows if row.item.id == item)


def test_an_answer_meets_what_its_question_says(made) -> None:
    found = row(made(use="**Purpose.** It ranks patients for a call."), "model-cards", "mitchell:use.primary")
    assert (found.state, found.by) == (State.AUTHORED, ("documents/model-card.md#intended-use",))


@pytest.mark.parametrize(
    "use",
    ["", "> **Open question [Q8](question:use.primary), purpose:** What for?", "**Purpose.**", "Purpose of other things is told elsewhere."],
)
def test_a_heading_an_open_question_and_an_empty_topic_are_no_answers(made, use: str) -> None:
    assert row(made(use=use), "model-cards", "mitchell:use.primary").state is State.OPEN


def test_a_fact_counts_where_a_document_shows_it(made) -> None:
    hidden = row(made(), "model-cards", "mitchell:quant.unitary")
    assert hidden.state is State.OPEN
    assert "no document shows it" in hidden.missing
    table = "<!-- fact:table performance by=sex metrics=n,fnr -->\n\n<!-- /fact -->"
    shown = row(made(quant=table), "model-cards", "mitchell:quant.unitary")
    assert shown.state is State.MEASURED
    assert "performance/fnr by sex" in shown.by


def test_what_applies_later_does_not_apply_yet(made) -> None:
    found = row(made(), "eu-ai-act-annex-iv", "eu-aia:annex-iv.1.a", dt.date(2026, 1, 1))
    assert (found.state, found.missing) == (State.NOT_APPLICABLE, "applies from 2027-12-02 on")


def test_what_was_repealed_stays_for_its_time(made) -> None:
    from factbook import regimes

    repealed = next(item for item in regimes.load("eu-ai-act-high-risk").items.values() if item.until is not None)
    book = made()
    assert row(book, "eu-ai-act-high-risk", repealed.id).missing == f"repealed from {repealed.until} on"


def test_factbook_yaml_says_what_does_not_apply_and_what_meets(made) -> None:
    declared = """regimes:
  model-cards:
    not_applicable: {"mitchell:details.license": it is never given to anybody}
    met_by: {"mitchell:use.users": ["documents/model-card.md#intended-use"]}
"""
    book = made(use="Nurses use it.", regimes=declared)
    assert row(book, "model-cards", "mitchell:details.license").missing == "it is never given to anybody"
    assert row(book, "model-cards", "mitchell:use.users").by == ("documents/model-card.md#intended-use",)
    with pytest.raises(UnknownName, match=r"did you mean mitchell:use\.users"):
        made(regimes="regimes: {model-cards: {met_by: {'mitchell:use.user': [x]}}}").coverage("model-cards")


def test_the_matrix_counts_every_item_once_and_is_written(made) -> None:
    book = made()
    found = book.coverage("eu-ai-act-annex-iv", on=LATE)
    assert sum(found.counts.values()) == len(found.rows)
    assert "%" not in page(found)
    written = (book.root / "dist" / "coverage" / "eu-ai-act-annex-iv.md").read_text()
    assert written == page(found)
    assert all(f"`{row.item.id}`" in written for row in found.rows)
