"""A plan that is signed before it is measured is registered; every other was set after measurement, and the page says so."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from signed_book import WHEN, edit, sign

from factbook import Book
from factbook.review.judging import Standing

EARLY = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
LATE = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
AFTER = "The claims and thresholds were set after measurement: nobody registered them before."


def test_what_nobody_signed_was_set_after_measurement(book: Path) -> None:
    assert Book(book).reviews.plan == AFTER
    Book(book).build(["html"])
    assert AFTER in (book / "site/statements.html").read_text(encoding="utf-8")


def test_signed_before_the_first_run_it_is_registered(book: Path) -> None:
    sign(book, "ben", "quality", section="", document="plan", time=EARLY)
    assert Book(book).reviews.plan == (
        "The plan, its claims and its thresholds were registered by Ben Novak (quality) on 2020-01-01, before the measurements that are kept."
    )
    assert Book(book).reviews.holding == (), "it vouches for no document"


def test_signed_after_it_was_measured_it_is_not(book: Path) -> None:
    sign(book, "ben", "quality", section="", document="plan", time=LATE)
    assert Book(book).reviews.plan == AFTER


def test_another_claim_or_slice_is_another_plan(book: Path) -> None:
    sign(book, "ben", "quality", section="", document="plan", time=EARLY)
    edit(book, "factbook.yaml", "{performance/accuracy} > 0.6", "{performance/accuracy} > 0.61")
    (verdict,) = Book(book).reviews.verdicts
    assert (verdict.standing, verdict.why) == (Standing.FALLEN, "the plan, its claims or its thresholds changed")
    assert Book(book).reviews.plan == AFTER


def test_nothing_is_said_where_nothing_is_measured_or_claimed(book: Path) -> None:
    for path in [*(book / "evidence").glob("*.json"), *(book / "runs").glob("*.json")]:
        path.unlink()
    assert Book(book).reviews.plan == ""
    sign(book, "ben", "quality", section="", document="plan", time=WHEN)
    assert "registered by Ben Novak" in Book(book).reviews.plan
