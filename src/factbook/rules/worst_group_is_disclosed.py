"""Whoever cites a figure for some groups of an attribute shows the worst of them.

Why: to name the groups that do well and leave out the one that does not is a false statement made of true ones.

Bad:  Men are missed in [12 %](fact:performance/fnr?sex=men) of cases.         and women, at 25 %, are not mentioned
Good: both, or a table or chart of the metric by sex, which shows every group

A document of a kind that lists a metric under `disclose` must show its worst group even if it cites no group, from `validation` on.
Fix: cite the worst group, or add <!-- fact:table EVIDENCE by=ATTRIBUTE metrics=METRIC -->.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.manifest import Stage
from factbook.model import Key, Pairs
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB301"
NAME: Final = "worst-group-is-disclosed"
Table = tuple[str, str, Pairs, tuple[str, ...]]


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the groups that each document cites with the worst one."""
    for document in checked.documents:
        found = cited.facts(document, checked.catalog)
        yield from _partial(checked, document, found)
        yield from _disclosed(checked, document, found)


def _partial(checked: Checked, document: Document, found: cited.Cited) -> Iterator[Problem]:
    groups: dict[Table, list[tuple[Key, int]]] = {}
    for key, offset in (*found.links, *found.claimed):
        if key.slice and not key.field:
            groups.setdefault((key.evidence, key.metric, key.params, key.attributes), []).append((key, offset))
    for table, keys in groups.items():
        worst = _worst(checked, table)
        if table not in found.shown and worst is not None and worst not in {key for key, _ in keys}:
            named = ", ".join(value for _, value in worst.slice)
            yield at(
                document, keys[0][1], f"{table[1]} is cited for some groups of {', '.join(table[3])} and not for the worst, {named}", f"cite {worst}"
            )


def _worst(checked: Checked, table: Table) -> Key | None:
    fact = checked.catalog.worst(table[0], table[1], table[3], table[2])
    return fact.key if fact is not None else None


def _disclosed(checked: Checked, document: Document, found: cited.Cited) -> Iterator[Problem | NotJudged]:
    kind = checked.kinds.get(document.name)
    for metric in kind.disclose if kind else ():
        for record in checked.catalog.evidence.records.values():
            for attributes in record.slices:
                table: Table = (record.name, metric, (), attributes)
                worst = _worst(checked, table) if len(attributes) == 1 and found.has(record.name, metric) else None
                if worst is None or table in found.shown or worst in {key for key, _ in found.links}:
                    continue
                said = f"the worst group of {metric} by {attributes[0]} is not shown"
                if checked.reached(Stage.VALIDATION):
                    yield at(document, 0, said, f"cite {worst}, or add a table by={attributes[0]}")
                else:
                    yield NotJudged(said, "required from validation on", document.name, 1)
