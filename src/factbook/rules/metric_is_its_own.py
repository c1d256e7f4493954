"""A figure is not called by the name of another metric.

Why: "the false-positive rate is 28 %" beside the link of the false-negative rate is false, however right the number.

Bad:  The false-positive rate is [27.6 %](fact:performance/fnr).
Bad:  | False-positive rate | [27.6 %](fact:performance/fnr) |
Good: The false-negative rate is [27.6 %](fact:performance/fnr).

Judged are the name right before the link, in the same clause, and the first cell of its row in a table; by the titles, short names and other names
of the measure's metrics, in English. Under "Difference" stand differences of what the row names. Counts, and figures that a formula derives, are not
judged.
Fix: mend the words or the link.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from factbook import measures
from factbook.documents.parse import Block, Document, Kind, Link
from factbook.errors import FactbookError
from factbook.model import Key, Metric, Unit
from factbook.rules import Checked, NotJudged, Problem, at, prose

CODE: Final = "FB111"
NAME: Final = "metric-is-its-own"
_NAMED: Final = frozenset({Unit.FRACTION, Unit.SCORE})
_WORDS: Final = frozenset({"for", "map", "me", "new"})
BETWEEN = re.compile(
    r"\s*(?:\([^()]*\)\s*)?(?:(?:is|was|of|at|equals|reaches|reached|stands at|comes to|amounts to|only|just|about|an?|the|:|=|—|–|-)\s*)*\Z",
    re.IGNORECASE,
)


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the name before every `fact:` link with the metric of its fact."""
    if checked.manifest.language.partition("-")[0] != "en":
        yield NotJudged("the names of metrics beside figures", f"the book is in {checked.manifest.language!r}")
        return
    for document in checked.documents:
        rows = dict(_rows(document))
        for link in document.bound("fact"):
            yield from _link(checked, document, link, rows)


def _rows(document: Document) -> Iterator[tuple[int, tuple[str, bool]]]:
    """The start of every cell but the first of its row, with the text of that one, and whether the column holds differences."""
    heads: list[Block] = []
    for row in prose.rows(document):
        heads = row if row and row[0].header else heads
        for column, cell in enumerate(row[1:], 1):
            yield cell.start, (row[0].text, column < len(heads) and heads[column].text.strip().casefold() == "difference")


def _link(checked: Checked, document: Document, link: Link, rows: dict[int, tuple[str, bool]]) -> Iterator[Problem]:
    try:
        key = Key.parse(link.target)
        fact = checked.catalog.fact(key)
        measure = checked.catalog.record_of(key).measure
    except FactbookError:
        return
    if key.field in {"n", "level"} or fact.unit not in _NAMED or document.region_at(link.start):
        return
    block = document.blocks[link.block]
    text = prose.text_of(block)
    before = "".join(c for c, offset in zip(text.plain, text.offsets, strict=True) if offset < link.start)
    row, difference = rows.get(block.start, ("", False))
    said = _last(measure, before) or (_whole(measure, row) if block.kind is Kind.CELL else frozenset())
    metric = key.metric.removesuffix("_difference") if difference else key.metric
    if said and not said & {metric, key.metric}:
        names = " or ".join(sorted(said))
        yield at(document, link.start, f"the figure is {key.metric}; the words before it name {names}", "mend the words or the link")


@functools.cache
def _names(measure: str) -> dict[str, frozenset[str]]:
    """What the rates and scores of a measure are called, in lower case, and the metrics that each name may mean."""
    found: dict[str, frozenset[str]] = {}
    for metric in measures.metrics(measure):
        for name in called(metric) if metric.unit in _NAMED else ():
            found[name] = found.get(name, frozenset()) | {metric.name}
    return found


def called(metric: Metric) -> set[str]:
    """What a metric is called, in lower case, without hyphens."""
    written = {metric.title, metric.short, *metric.aliases, metric.name.replace("_", " ")}
    plain = {" ".join(re.sub(r"[-_]", " ", name).casefold().split()) for name in written}
    return {name for name in plain if len(name) > 2}


def spelling(name: str) -> str:
    """What finds a name in any letter case; one that is a plain word too (FOR, mAP) only where its capitals show that it is meant."""
    found = re.escape(name).replace(r"\ ", r"[\s_-]+")
    return rf"(?-i:(?!(?:{name}|{name.capitalize()})(?!\w))){found}" if name in _WORDS else found


@functools.cache
def _pattern(measure: str) -> re.Pattern[str]:
    names = sorted(_names(measure), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(spelling, names)) + r")(?!\w)", re.IGNORECASE)


def _meant(measure: str, text: str) -> frozenset[str]:
    return _names(measure).get(" ".join(re.sub(r"[-_]", " ", text).casefold().split()), frozenset())


def _last(measure: str, before: str) -> frozenset[str]:
    """The metrics that the last name before a link may mean, if nothing but a verb stands between."""
    matches = list(_pattern(measure).finditer(before))
    return _meant(measure, matches[-1].group()) if matches and BETWEEN.match(before, matches[-1].end()) else frozenset()


def _whole(measure: str, cell: str) -> frozenset[str]:
    """The metrics that a cell names, if it is a name and nothing else."""
    return _meant(measure, cell.strip(" *_`:"))
