"""What a sign-off speaks of: every scheme of value links, every fact of tables and charts, and nothing besides."""

from __future__ import annotations

from pathlib import Path

import pytest
from signed_book import edit

from factbook import Book
from factbook.documents.parse import SCHEMES, parse
from factbook.evidence.catalog import Catalog
from factbook.review.excerpt import Excerpt, excerpt

HEAD = "# A\n\n## B\n\n"


@pytest.fixture
def catalog(book: Path) -> Catalog:
    return Book(book).catalog


def said(book: Path, catalog: Catalog, text: str) -> Excerpt:
    return excerpt(book, catalog, parse(HEAD + text + "\n\n## C\n\n[240](fact:performance/rows)\n", "documents/a.md"), "b")


def test_every_scheme_of_a_value_link_is_behind_the_words_or_a_fact(book: Path, catalog: Catalog) -> None:
    found = said(book, catalog, " ".join(f"[x]({scheme}:a/b)" for scheme in SCHEMES if scheme != "question"))
    assert set(found.behind) == {f"{scheme}:a/b" for scheme in SCHEMES} - {"fact:a/b", "question:a/b"}
    assert found.facts == {"a/b": ""}, "what does not exist is noted as missing"


def test_a_table_stands_for_all_of_its_facts(book: Path, catalog: Catalog) -> None:
    by = said(book, catalog, "<!-- fact:table performance by=sex metrics=n,accuracy -->\n<!-- /fact -->")
    assert set(by.facts) == {f"performance/{metric}{group}" for metric in ("rows", "accuracy") for group in ("", "?sex=female", "?sex=male")}
    one = said(book, catalog, "<!-- fact:table performance metrics=accuracy,auc -->\n<!-- /fact -->")
    assert set(one.facts) == {"performance/accuracy", "performance/auc"}


def test_a_chart_stands_for_all_of_its_facts(book: Path, catalog: Catalog) -> None:
    title = "fact:chart performance metric=accuracy by=sex"
    found = said(book, catalog, f'![A chart](../evidence/figures/x.svg "{title}")')
    assert {"performance/accuracy?sex=female", "performance/accuracy?sex=male"} <= set(found.facts)
    assert found.behind == {}, "its file is made from the facts"


def test_a_derived_fact_and_a_claim_stand_for_what_they_are_made_of(book: Path) -> None:
    edit(book, "factbook.yaml", "\nclaims:\n", '\nderived:\n  missed: "1 - {performance/recall}"\nclaims:\n  few: "{derived/missed} < 0.9"\n')
    held = Book(book).catalog
    found = said(book, held, "[few](claim:few)")
    assert set(found.facts) == {"derived/missed", "performance/recall"}
    assert found.behind["claim:few"].endswith("{derived/missed} < 0.9")
    edit(book, "factbook.yaml", "1 - {performance/recall}", "1 - {performance/precision}")
    assert said(book, Book(book).catalog, "[few](claim:few)").facts["derived/missed"] != found.facts["derived/missed"]


def test_the_shape_leaves_figures_open_and_nothing_else(book: Path, catalog: Catalog) -> None:
    def shape(text: str) -> str:
        return said(book, catalog, text).shape

    first = shape("It is [19.5 % (95 % CI 14.9–25.1)](fact:performance/accuracy) in 2026.")
    assert first == shape("It is [7.1 % (95 % CI 1.9–115.1)](fact:performance/accuracy) in 2026.")
    assert shape("[999](fact:performance/rows)") == shape("[1,001](fact:performance/rows)")
    for other in (
        "It is [about 19.5 % (95 % CI 14.9–25.1)](fact:performance/accuracy) in 2026.",
        "It is [20 % (95 % CI 14.9–25.1)](fact:performance/accuracy) in 2026.",
        "It is [−19.5 % (95 % CI 14.9–25.1)](fact:performance/accuracy) in 2026.",
        "It is [19.5 % (95 % CI 14.9–25.1)](fact:performance/recall) in 2026.",
        "It is [19.5 % (95 % CI 14.9–25.1)](fact:performance/accuracy) in 2027.",
    ):
        assert shape(other) != first, other


def test_plain_data_and_back(book: Path, catalog: Catalog) -> None:
    from factbook import canon

    found = said(book, catalog, "[240](fact:performance/rows) [x](gap:why)")
    assert Excerpt.read(canon.loads(canon.dumps(found.tree()), "x")) == found
