"""Totals are the sums of their parts, and shares those of their counts.

Why: a table whose total is not the sum of its rows has lost rows, counted some twice, or was typed.

Bad:  a row `Total` of 150 under rows of 80 and 60
Bad:  12 of 48 (30 %)
Bad:  120 + 35 = 150
Bad:  150 cases, made up of 80 from the north and 60 from the south
Good: 12 of 48 (25 %); about 12 of 48 (a quarter)

Judged: columns of plain numbers in tables that somebody wrote and that have a row named total, sum or all; shares in brackets after `K of N`, and
before it; sums written with + and =, and counts that a sentence splits ("consisting of", "split into", "in all 150 cases: 80 …"). Rounding is
allowed for. Not judged: columns of means, rates, medians or percentages (unless their total is 100 %), tables with subtotals, rows that begin with
"of which", and quotations.
Fix: count again. Where rows overlap, say so and exempt it: <!-- factbook: allow FB113 because a case may be in several rows -->.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from factbook.documents.parse import Block, Document, Kind
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB113"
NAME: Final = "totals-add-up"
EXEMPTABLE: Final = True
_NUMBER: Final = r"\d{1,3}(?:[, \u00a0\u202f']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CELL: Final = re.compile(rf"\s*(?P<sign>[−-]?)(?P<number>{_NUMBER})\s?(?P<unit>%|[^\d\W]{{1,12}}|€|\$)?\s*")
_TOTAL: Final = re.compile(r"\W*(?:grand )?(?:totals?|sum|all|altogether|overall|in all|gesamt|summe|insgesamt)\W*", re.IGNORECASE)
_PART_OF: Final = re.compile(r"\W*(?:sub-?totals?|of which|of them|thereof|including|incl\.|davon)\b", re.IGNORECASE)
_NOT_SUMMED: Final = re.compile(
    r"\b(?:mean|average|avg|median|rates?|ratio|share|min(?:imum)?|max(?:imum)?|accuracy|precision|recall|f1|auc|score|error|per|p|sd|version|year|id"
    r"|rank|index|duration|start|end|time|date|latency|speed|layers?|width|distinct|unique)\b",
    re.IGNORECASE,
)
_OF: Final = rf"(?P<k>{_NUMBER})\s?(?:/|(?:out )?of)\s?(?:the |all )?(?P<n>{_NUMBER})(?! ?%)"
_AFTER: Final = re.compile(rf"(?<![\d.,]){_OF}(?:\s[^\W\d]+){{0,3}}\s?[(,]\s?(?P<share>\d+(?:\.\d+)?)\s?(?:%|per ?cent)\s?(?=[),;])")
_BEFORE: Final = re.compile(rf"(?<![\d.,])(?P<share>\d+(?:\.\d+)?)\s?(?:%|per ?cent)\s?\({_OF}(?=[\s)])")
_SUM: Final = re.compile(rf"(?<![\d.,+])(?P<parts>(?:{_NUMBER})(?:\s?\+\s?(?:{_NUMBER}))+)\s?=\s?(?P<sum>{_NUMBER})(?![\d%])")
_WHAT: Final = r"(?:\s(?!and\b)[^\W\d][\w-]*)"
_COUNT: Final = rf"(?:{_NUMBER})(?!\s?(?:%|per ?cent)){_WHAT}{{0,5}}"
_SPLIT: Final = r",? (?:made up|composed|consisting) of |,? comprising |,? (?:split|divided) into |,? namely "
_SPLITS: Final = re.compile(
    rf"(?<![\d.,])(?:(?P<all>a total of |in all |altogether |in total ))?(?P<sum>{_NUMBER}){_WHAT}{{1,4}}?(?:{_SPLIT}|(?(all): |(?!)))"
    rf"(?P<parts>{_COUNT}(?:, {_COUNT})*,? and {_COUNT})(?!\s?(?:%|per ?cent|of\b))",
    re.IGNORECASE,
)
_JUDGED: Final = re.compile(r"\d[^\n]*(?:%|=|cent| and )")
_LOOSE: Final = re.compile(
    r"\b(?:about|around|roughly|approximately|nearly|almost|some|ca\.?|circa|over|more than|less than|under|at least|up to)\s*$|[~≈<>]\s?$", re.I
)
_FIX: Final = "count again"


def check(checked: Checked) -> Iterator[Problem]:
    """Add up what documents say."""
    for document in checked.documents:
        yield from _tables(document)
        quotes = prose.attributed_quotes(document)
        for block in document.blocks:
            if block.kind not in {Kind.CODE, Kind.HTML} and block.quote not in quotes and _JUDGED.search(block.text):
                yield from _sentences(document, block)


def _sentences(document: Document, block: Block) -> Iterator[Problem]:
    text = prose.text_of(block)
    quoted = list(prose.quotations(text.plain))
    for pattern, judge in ((_AFTER, _share), (_BEFORE, _share), (_SUM, _sum), (_SPLITS, _split)):
        for match in pattern.finditer(text.plain):
            said = None if _LOOSE.search(text.plain[: match.start()]) else judge(match)
            if said and not any(low <= match.start() < high for low, high in quoted):
                yield at(document, text.offset(match.start()), said, _FIX)


def _share(match: re.Match[str]) -> str:
    k, n, share = (_decimal(match[name]) for name in ("k", "n", "share"))
    if not n or k > n:
        return ""
    exact = 100 * k / n
    return (
        ""
        if abs(exact - share) <= _half(match["share"])
        else f"{match['k']} of {match['n']} is {_short(exact, match['share'])} %, not {match['share']} %"
    )


def _sum(match: re.Match[str]) -> str:
    parts = re.findall(_NUMBER, match["parts"])
    found, told = sum(map(_decimal, parts)), _decimal(match["sum"])
    room = sum((_half(part) for part in (*parts, match["sum"]) if "." in part), Decimal(0))
    return "" if abs(found - told) <= room else f"{match['parts']} is {found:f}, not {match['sum']}"


def _split(match: re.Match[str]) -> str:
    """Whole counts only: parts of rates do not add up."""
    parts = [_decimal(part) for part in re.findall(_NUMBER, match["parts"])]
    whole = all(part == part.to_integral_value() for part in parts)
    return (
        f"{' + '.join(f'{part:,f}' for part in parts)} is {sum(parts):,f}, not {match['sum']}"
        if whole and sum(parts) != _decimal(match["sum"])
        else ""
    )


def _tables(document: Document) -> Iterator[Problem]:
    heads: list[Block] = []
    rows: list[list[Block]] = []
    for row in prose.rows(document):
        if row and row[0].header:
            heads, rows = row, []
        elif row and _TOTAL.fullmatch(row[0].text) and not document.region_at(row[0].start):
            yield from _total(document, heads, rows, row)
            rows = []
        else:
            rows.append(row)


def _total(document: Document, heads: list[Block], rows: list[list[Block]], total: list[Block]) -> Iterator[Problem]:
    """Compare each column with its total; a column that is not all plain numbers of one unit is none of ours."""
    if any(_PART_OF.match(row[0].text) and re.match(r"\W*sub", row[0].text, re.IGNORECASE) for row in rows):
        return
    parts = [row for row in rows if not _PART_OF.match(row[0].text)]
    for column in range(1, len(total)):
        cells = [row[column].text for row in parts if column < len(row)]
        told = _CELL.fullmatch(total[column].text)
        read = [_CELL.fullmatch(cell) for cell in cells]
        if told is None or len(read) < 2 or None in read or (told["unit"] != "%" and _NOT_SUMMED.search(heads[column].text)):
            continue
        numbers = [match for match in read if match is not None]
        if {match["unit"] or "" for match in numbers} != {told["unit"] or ""} or (told["unit"] == "%" and _decimal(told["number"]) != 100):
            continue
        found, wanted = sum(map(_signed, numbers)), _signed(told)
        fine = [match["number"] for match in (*numbers, told) if "." in match["number"] or told["unit"]]
        if abs(found - wanted) > sum(map(_half, fine), Decimal(0)):
            name = heads[column].text.strip() or f"column {column + 1}"
            yield at(
                document, total[column].start, f"the rows of {name!r} add up to {found:f}, and its total says {total[column].text.strip()}", _FIX
            )


def _decimal(number: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.]", "", number))


def _signed(match: re.Match[str]) -> Decimal:
    return -_decimal(match["number"]) if match["sign"] else _decimal(match["number"])


def _half(number: str) -> Decimal:
    """Half a unit of the last digit that was written: how far rounding can have moved it."""
    return Decimal(5).scaleb(-len(number.partition(".")[2]) - 1)


def _short(exact: Decimal, like: str) -> Decimal:
    return round(exact, max(len(like.partition(".")[2]), 1))
