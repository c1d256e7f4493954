"""A document is reviewed by the day that it names.

Why: a card that nobody has read for two years describes another model, other data and other law.

Bad:  review_by: 2025-06-30          in the front matter, and it is later than that
Bad:  reviewed: last spring          no date
Good: reviewed: 2026-09-01
      review_by: 2027-03-01

`review_by` is the last day on which the document may go unread, `reviewed` the day of the last review. `bands: {review_days: 365}` in style.yaml says
how long a review holds where a document does not say it; a document without either is not judged. Past the day is a warning in draft and fails
from `validation` on. `factbook check --on DATE` judges as of another day.
Fix: review it, then set both dates.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Document
from factbook.manifest import Stage
from factbook.rules import Checked, NotJudged, Problem, Severity

CODE: Final = "FB404"
NAME: Final = "review-is-due-later"
_FIX: Final = "review the document, then set `reviewed` and `review_by`"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the dates in front matter with the day of the check."""
    for document in checked.documents:
        dates: dict[str, dt.date] = {}
        for name in ("reviewed", "review_by"):
            if name in document.front:
                try:
                    dates[name] = dt.date.fromisoformat(str(document.front[name]).strip())
                except ValueError:
                    yield _at(document, name, f"{name}: {document.front[name]!r} is no date", "write it as 2026-12-31", Severity.ERROR)
        yield from _compared(checked, document, dates)


def _compared(checked: Checked, document: Document, dates: dict[str, dt.date]) -> Iterator[Problem | NotJudged]:
    done, due = dates.get("reviewed"), dates.get("review_by")
    if done is not None and done > checked.on:
        yield _at(document, "reviewed", f"it was reviewed on {done}, which is not yet", "give the day of the last review", Severity.ERROR)
    elif done is not None and due is not None and due < done:
        yield _at(
            document, "review_by", f"it is to be reviewed by {due} and was reviewed on {done}", "set `review_by` to the next day", Severity.ERROR
        )
        return
    days = checked.style.bands.review_days
    if due is not None and due < checked.on:
        yield _at(document, "review_by", f"it was to be reviewed by {due}", _FIX, checked.due(Stage.VALIDATION))
    elif due is None and done is not None and days and done + dt.timedelta(days) < checked.on:
        said = f"it was last reviewed on {done}, more than {days} days ago"
        yield _at(document, "reviewed", said, _FIX, checked.due(Stage.VALIDATION))
    elif days and not dates and "reviewed" not in document.front and "review_by" not in document.front:
        yield NotJudged("whether its review is due", "its front matter has neither `reviewed` nor `review_by`", document.name, 1)


def _at(document: Document, name: str, message: str, fix: str, severity: Severity) -> Problem:
    lines = document.source.decode(errors="replace").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if re.match(rf"[\"']?{name}[\"']?\s*:", text)), 1)
    return Problem(document.name, line, 1, message, fix, severity)
