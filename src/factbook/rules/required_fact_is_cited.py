"""A document cites the facts that its kind asks for, where the book has measured them.

Why: a model card without the miss rate that was measured leaves out what its readers came for.

Bad:  a section "Quantitative analyses" that cites no false-negative rate although `performance/fnr` was measured
Good: a link to it, or a table or chart that shows it

The figure of one group is not the figure of all.

Judged from the stage on that the kind names, and not before `validation`; earlier, what is missing is listed.
Fix: cite it; `factbook facts` shows the keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.kinds import Section
from factbook.rules import Checked, NotJudged, Problem, at
from factbook.rules.section_is_answered import due

CODE: Final = "FB202"
NAME: Final = "required-fact-is-cited"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Look for what each section of each document's kind must cite."""
    for document in checked.documents:
        kind = checked.kinds.get(document.name)
        if kind is None:
            continue
        shown = cited.facts(document)
        for section in kind.sections:
            for said in _missing(checked, section, shown):
                stage = due(section.required_from)
                if checked.reached(stage):
                    yield at(document, 0, f"{section.heading}: {said}", "cite it, or show it in a table or chart")
                else:
                    yield NotJudged(f"{section.heading}: {said}", f"required from {stage} on", document.name, 1)


def _missing(checked: Checked, section: Section, shown: cited.Cited) -> Iterator[str]:
    records = checked.catalog.evidence.records.values()
    for required in section.needs.facts:
        measure, _, metric = required.partition("/")
        for record in records:
            if record.measure == measure and not shown.overall(record.name, metric):
                yield f"{record.name}/{metric} is not cited"
    for what, wanted in (("table", section.needs.tables), ("chart", section.needs.charts)):
        for required in wanted:
            for record in records:
                if record.measure == required and record.slices and record.name not in (shown.tables if what == "table" else shown.charts):
                    yield f"no {what} of {record.name} is shown"
