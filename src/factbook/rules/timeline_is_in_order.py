"""The entries of a timeline stand in the order in which things happened.

Why: a timeline that goes back and forth holds a wrong time, or hides what came first.

Bad:  | 10:05 | the alert |  then  | 09:50 | somebody looks |
Bad:  - 2026-03-02 14:00: rolled back, above - 2026-03-01 16:00: deployed
Good: | 23:50 | the alert |  then  | 00:20 | somebody looks |

Judged: tables whose first column is called time, when, at, date or UTC, and lists whose items begin with a time, of three entries or more. Times
without a day may pass midnight once, from evening to morning. Not judged: entries that run backwards throughout, the latest first, and tables with a
day in a column of its own.
Fix: correct the time, or move the entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from factbook.documents.parse import Block, Document, Kind
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB116"
NAME: Final = "timeline-is-in-order"
EXEMPTABLE: Final = True
_DAY: Final = r"(?P<day>20\d\d-[01]\d-[0-3]\d)"
_TIME: Final = r"(?P<time>[0-2]?\d:[0-5]\d)(?::[0-5]\d)?"
_ENTRY: Final = re.compile(rf"\W*(?:{_DAY}(?:[T ,]+{_TIME})?|(?P<bare>[0-2]?\d:[0-5]\d)(?::[0-5]\d)?)(?!\s?(?:[-–—]|to|until)\s?\d)(?![\d:])")
_HEAD: Final = re.compile(r"\W*(?:times?|when|at|dates?|utc)\b.*", re.IGNORECASE)
_DAYS: Final = re.compile(r"\W*(?:day|date)s?\b.*", re.IGNORECASE)
_LEAST: Final = 3
_EVENING, _MORNING = "18:00", "06:00"
Moment = tuple[str, str]


def check(checked: Checked) -> Iterator[Problem]:
    """Compare each entry of a timeline with the one before."""
    for document in checked.documents:
        for entries in (*_tables(document), *_lists(document)):
            yield from _backwards(document, entries)


def _moment(text: str) -> Moment | None:
    """Day and time, as texts that sort; the day is empty where none is given."""
    match = _ENTRY.match(text)
    if match is None:
        return None
    time = match["time"] or match["bare"] or ""
    return match["day"] or "", time.zfill(5) if time else ""


def _backwards(document: Document, entries: Sequence[tuple[Block, Moment]]) -> Iterator[Problem]:
    """What stands before its time; nothing where the latest comes first throughout, or where days and times are mixed."""
    moments = [moment for _, moment in entries]
    if len(entries) < _LEAST or len({(bool(day), bool(time)) for day, time in moments}) > 1 or moments == sorted(moments, reverse=True):
        return
    nights = 0
    for (_, before), (block, moment) in pairwise(entries):
        if moment >= before:
            continue
        midnight = not moment[0] and before[1] >= _EVENING and moment[1] <= _MORNING
        nights += midnight
        if not midnight or nights > 1:
            yield at(document, block.start, f"{' '.join(moment).strip()} stands after {' '.join(before).strip()}", "correct it, or move it")


def _tables(document: Document) -> Iterator[list[tuple[Block, Moment]]]:
    entries: list[tuple[Block, Moment]] = []
    wanted = False
    for row in prose.rows(document):
        if row and row[0].header:
            yield entries
            entries = []
            wanted = bool(_HEAD.fullmatch(row[0].text)) and not any(_DAYS.fullmatch(cell.text) for cell in row[1:])
        elif row and wanted and (moment := _moment(row[0].text)) is not None:
            entries.append((row[0], moment))
    yield entries


def _lists(document: Document) -> Iterator[list[tuple[Block, Moment]]]:
    entries: list[tuple[Block, Moment]] = []
    for block in document.blocks:
        moment = _moment(block.text) if block.kind is Kind.ITEM else None
        if moment is not None:
            entries.append((block, moment))
        elif block.kind is not Kind.ITEM:
            yield entries
            entries = []
    yield entries
