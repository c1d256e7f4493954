"""A duration is the time between the two moments that it is said of.

Why: a timeline that does not add up was not read by those who were there.

Bad:  The service was down from 10:05 to 11:20 (90 minutes).
Bad:  The test ran from 2026-03-01 to 2026-03-10 (two weeks).
Good: The service was down from 10:05 to 11:20 (75 minutes).
Good: It was down from 23:50 to 00:20 (30 minutes), about half an hour.

Judged: a duration in brackets or after "lasted", "took", "for" or "a total of" in a sentence with one range of times or days; and tables with columns
for start, end and duration. Days may be counted with or without the last one. Rounding is allowed for; "about" doubles it. A range may pass midnight.
Fix: correct the one that is wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Block, Document, Kind
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB114"
NAME: Final = "durations-add-up"
LANGUAGES: Final = ("en",)
EXEMPTABLE: Final = True
_NAMES: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS: Final = {word: n for n, word in enumerate(_NAMES)} | {"a": 1, "an": 1}
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AMOUNT: Final = rf"(?:\d+(?:\.\d+)?|{'|'.join(_WORDS)})"
_UNIT: Final = r"(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?)"
_LENGTH: Final = rf"{_AMOUNT}[ -]?{_UNIT}\b(?:(?: and | ){_AMOUNT} ?{_UNIT}\b)*"
_PIECE: Final = re.compile(rf"({_AMOUNT})[ -]?({_UNIT})\b", re.IGNORECASE)
_MOMENT: Final = r"(?:20\d\d-\d\d-\d\d[T ])?[0-2]?\d:[0-5]\d(?::[0-5]\d)?"
_DAY: Final = r"20\d\d-\d\d-\d\d"
_RANGE: Final = re.compile(
    rf"(?<![\d:-])(?P<start>{_MOMENT}|{_DAY})(?: ?(?:UTC|CET|CEST|GMT|Z))?\s?(?:to|until|till|–|—|-|and)\s?(?P<end>{_MOMENT}|{_DAY})(?![\d:]|-\d)",
    re.IGNORECASE,
)
_SAID: Final = re.compile(rf"(?P<about>(?:about|around|roughly|approximately|some|nearly|almost|ca\.?|~|≈)\s?)?(?P<length>{_LENGTH})", re.IGNORECASE)
_OPENS: Final = re.compile(r"(?:\(|\b(?:lasted|lasting|took|for|a total of|duration(?: of)?:?|i\.e\.,?|that is,?|down)\s?)$", re.IGNORECASE)
_HEADS: Final = (
    re.compile(r"\W*(?:start\w*|began|begin\w*|from|opened)\b.*", re.IGNORECASE),
    re.compile(r"\W*(?:end\w*|until|to|finish\w*|closed|resolved)\b.*", re.IGNORECASE),
    re.compile(r"\W*(?:duration|length|lasted|took|elapsed)\b.*", re.IGNORECASE),
)
_FIX: Final = "correct the one that is wrong"


def check(checked: Checked) -> Iterator[Problem]:
    """Compare durations with the times between which they lie."""
    for document in checked.documents:
        quotes = prose.attributed_quotes(document)
        for block in document.blocks:
            if block.kind not in {Kind.CODE, Kind.HTML} and block.quote not in quotes and _RANGE.search(block.text):
                yield from _sentences(document, block)
        yield from _tables(document)


def _sentences(document: Document, block: Block) -> Iterator[Problem]:
    text = prose.text_of(block)
    for start, end in _clauses(text.plain):
        sentence = text.plain[start:end]
        ranges = list(_RANGE.finditer(sentence))
        lengths = [match for match in _SAID.finditer(sentence) if _OPENS.search(sentence[: match.start()])]
        if len(ranges) != 1 or len(lengths) != 1:
            continue
        wrong = _wrong(ranges[0]["start"], ranges[0]["end"], lengths[0]["length"], loose=bool(lengths[0]["about"]))
        if wrong:
            yield at(document, text.offset(start + lengths[0].start("length")), wrong, _FIX)


def _clauses(plain: str) -> Iterator[tuple[int, int]]:
    """The sentences, and of those with semicolons their parts."""
    for start, end in prose.sentences(plain):
        for piece in re.finditer(r"[^;]+", plain[start:end]):
            yield start + piece.start(), start + piece.end()


def _tables(document: Document) -> Iterator[Problem]:
    columns: list[int] = []
    for row in prose.rows(document):
        if row and row[0].header:
            found = [next((i for i, cell in enumerate(row) if head.fullmatch(cell.text.strip())), -1) for head in _HEADS]
            columns = found if min(found) >= 0 else []
        elif columns and len(row) > max(columns):
            start, end, length = (row[i].text.strip() for i in columns)
            said = _SAID.fullmatch(length)
            if re.fullmatch(_MOMENT, start) and re.fullmatch(_MOMENT, end) and said:
                wrong = _wrong(start, end, said["length"], loose=bool(said["about"]))
                if wrong:
                    yield at(document, row[columns[2]].start, wrong, _FIX)


def _wrong(start: str, end: str, length: str, *, loose: bool) -> str:
    """What is wrong with a duration, if anything is."""
    times = [between for between in (_between(start, end),) if between is not None]
    if not times:
        return ""
    told, room = _length(length)
    possible = [times[0], times[0] + 86400] if re.fullmatch(_DAY, start) else times
    if any(abs(told - seconds) <= room * (2 if loose else 1) for seconds in possible):
        return ""
    return f"from {start} to {end} is {_spoken(times[0])}, not {length}"


def _between(start: str, end: str) -> int | None:
    """Seconds between two moments; an end before its start is of the next day, unless both name their days."""
    try:
        first, last = _moment(start), _moment(end)
    except ValueError:
        return None
    if "-" in start and "-" not in end:
        last = dt.datetime.combine(first.date(), last.time())
    if "-" not in end and last < first:
        last += dt.timedelta(days=1)
    seconds = int((last - first).total_seconds())
    return seconds if seconds >= 0 and ("-" in start or "-" not in end) else None


def _moment(text: str) -> dt.datetime:
    if re.fullmatch(_DAY, text):
        return dt.datetime.fromisoformat(text)
    day, _, time = text.replace("T", " ").rpartition(" ")
    return dt.datetime.fromisoformat(f"{day or '2000-01-01'} {time.zfill(5) if time.count(':') == 1 else time.zfill(8)}")


def _length(text: str) -> tuple[float, float]:
    """Seconds that a duration says, and how far rounding of its last unit can have moved it."""
    total = room = 0.0
    for amount, unit in _PIECE.findall(text):
        size = _UNITS[unit[0].casefold()]
        total += size * float(_WORDS.get(amount.casefold(), amount))
        room = size * 0.5 * 10 ** -len(amount.partition(".")[2])
    return total, room


def _spoken(seconds: int) -> str:
    """A duration in the largest units that it fills."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    parts = [(days, "days"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "no time"
