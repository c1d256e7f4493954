"""Exemptions silence what follows them and nothing else, and every report lists them."""

from __future__ import annotations

from pathlib import Path

import casebook
import pytest

BARE = "The model misses [19.5 %](fact:performance/fnr)."
COMMENT = "<!-- factbook: allow FB302 because the interval stands in the table -->"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = casebook.build(tmp_path_factory.mktemp("casebook") / "book")
    path = root / "factbook.yaml"
    path.write_text(path.read_text().replace("stage: draft", "stage: validation"))
    return root


def codes(book: Path, text: str) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in casebook.judged(book, text).findings if finding.file != "factbook.yaml"]


def test_without_a_comment_the_finding_stands(book: Path) -> None:
    assert codes(book, f"# Risk\n\n{BARE}\n") == [("FB302", 3)]


def test_a_comment_exempts_the_passage_after_it_and_is_listed(book: Path) -> None:
    report = casebook.judged(book, f"# Risk\n\n{COMMENT}\n\n{BARE}\n")
    assert {finding.file for finding in report.findings} <= {"factbook.yaml"}
    assert [(item.code, item.line, item.reason) for item in report.exempted] == [("FB302", 3, "the interval stands in the table")]
    assert report.tree()["counts"]["exempted"] == 1


def test_the_passage_after_that_is_not_exempt(book: Path) -> None:
    assert codes(book, f"# Risk\n\n{COMMENT}\n\nFirst {BARE}\n\n[19.6 %](fact:performance/fnr)\n") != []
    text = f"# Risk\n\n{COMMENT}\n\nThe model.\n\n{BARE}\n"
    assert ("FB302", 7) in codes(book, text)


def test_a_comment_that_exempts_nothing_is_a_finding_that_does_not_fail(book: Path) -> None:
    report = casebook.judged(book, f"# Risk\n\n{COMMENT}\n\nNothing here.\n")
    assert [(finding.code, finding.line) for finding in report.findings] == [("FB310", 3)]
    assert not report.failed


def test_before_the_first_heading_it_covers_the_document(book: Path) -> None:
    assert codes(book, f"{COMMENT}\n\n# Risk\n\nText.\n\n{BARE}\n") == []


def test_what_is_false_cannot_be_exempted(book: Path) -> None:
    text = "# Risk\n\n<!-- factbook: allow FB101 because it looks better -->\n\n[1.5 % (95 % CI 14.2–25.7)](fact:performance/fnr)\n"
    assert {code for code, _ in codes(book, text)} == {"FB101", "FB310"}
