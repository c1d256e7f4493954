"""A cited figure shows its interval at least once in the document.

Why: 25 % of 12 cases and 25 % of 12,000 are not the same news.

Bad:  [25.0 %](fact:performance/fnr)                        and nowhere an interval
Good: [25.0 % (95 % CI 5.5–57.2)](fact:performance/fnr)
Good: [25.0 %](fact:performance/fnr), and both ends, [5.5](fact:performance/fnr#low) to [57.2 %](fact:performance/fnr#high)

A table or chart that shows the figure shows its interval too. Judged from `validation` on; in draft it is listed.
Fix: empty the text of the link and `factbook update`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.documents.shapes import UnreadableText, read
from factbook.errors import FactbookError
from factbook.manifest import Stage
from factbook.model import Key
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB302"
NAME: Final = "interval-is-shown"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Look for cited facts whose interval is nowhere shown."""
    for document in checked.documents:
        shown = cited.facts(document).shown
        for key, offset in _bare(checked, document).items():
            if (key.evidence, key.metric, key.params, key.attributes) in shown:
                continue
            if checked.reached(Stage.VALIDATION):
                yield at(document, offset, f"the interval of {key} is not shown", "empty the link's text, then factbook update")
            else:
                yield NotJudged(f"the interval of {key} is not shown", "required from validation on", document.name, document.place(offset)[0])


def _bare(checked: Checked, document: Document) -> dict[Key, int]:
    """The facts with an interval that are cited without it, and where they are first."""
    first: dict[Key, int] = {}
    with_interval: set[Key] = set()
    ends: dict[Key, set[str]] = {}
    for link in document.bound("fact"):
        try:
            key = Key.parse(link.target)
            fact = checked.catalog.fact(key)
        except FactbookError:
            continue
        if key.field:
            ends.setdefault(key.whole(), set()).add(key.field)
        if key.field or fact.interval is None:
            continue
        first.setdefault(key, link.start)
        try:
            with_interval |= {key} if read(link.text).low is not None else set()
        except UnreadableText:
            continue
    with_interval |= {key for key, fields in ends.items() if fields >= {"low", "high"}}
    return {key: offset for key, offset in first.items() if key not in with_interval}
