"""Whoever shows a figure by groups shows the worst slice of all that were measured, combinations included, or leads to where it is shown.

Why: a model that does well for women and well for the young can fail young women; each attribute by itself hides that.

Bad:  a table by sex and a table by age band, where sex and age band together were measured and one of their combinations is worse than any group
Good: the same with <!-- fact:table performance by=sex,age_band metrics=n,fnr -->, or the worst combination cited

Good: a summary with the table by sex, and a link to the model card, which has the table by both

Judged of metrics with a good direction, once a document shows a metric by some groups; from `validation` on, and listed in draft. A document whose
kind lists the metric under `disclose` shows it itself, unless the kind has to fit on a few `pages`; all others may link to a document of the book
that does. Which groups of one attribute must be shown is the matter of worst-group-is-disclosed.
Fix: cite the slice that is named, add the table of its combination, or link to the document that shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.manifest import Stage
from factbook.model import Direction, Fact, Key, Pairs
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB306"
NAME: Final = "worst-slice-is-disclosed"
Figure = tuple[str, str, Pairs]


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the slices that each document shows with the worst one that was measured."""
    for document in checked.documents:
        found = cited.facts(document)
        for figure, offset in _by_groups(found).items():
            worst = _worst(checked, figure)
            if worst is None or _shown(found, worst.key) or _elsewhere(checked, document, worst.key):
                continue
            named = ", ".join(f"{attribute} {value}" for attribute, value in worst.key.slice)
            said = f"{figure[1]} is shown by groups and not for the worst slice, {named}"
            if checked.reached(Stage.VALIDATION):
                yield at(document, offset, said, f"cite {worst.key}, or add a table by={','.join(worst.key.attributes)}")
            else:
                yield NotJudged(said, "required from validation on", document.name, document.place(offset)[0])


def _elsewhere(checked: Checked, document: Document, worst: Key) -> bool:
    """Whether the document may leave the slice to another, and links to one that shows it."""
    kind = checked.kinds.get(document.name)
    promised = kind is not None and kind.pages is None and worst.metric in kind.disclose
    return not promised and any(_shown(cited.facts(other), worst) for other in checked.linked(document))


def _by_groups(found: cited.Cited) -> dict[Figure, int]:
    """The metrics that are shown by groups, and where the first of them is cited (0: in a table or chart)."""
    figures: dict[Figure, int] = {}
    for key, offset in found.links:
        if key.slice and not key.field:
            figures.setdefault((key.evidence, key.metric, key.params), offset)
    for evidence, metric, params, attributes in found.shown:
        if attributes:
            figures.setdefault((evidence, metric, params), 0)
    return dict(sorted(figures.items(), key=lambda item: (item[1], str(item[0]))))


def _worst(checked: Checked, figure: Figure) -> Fact | None:
    """The worst slice over all attributes and combinations; of equals, the one of fewest attributes."""
    evidence, metric, params = figure
    record = checked.catalog.evidence.records.get(evidence)
    facts = [checked.catalog.worst(evidence, metric, attributes, params) for attributes in (record.slices if record else ())]
    worst = [fact for fact in facts if fact is not None and isinstance(fact.value, int | float)]
    if not worst:
        return None
    sign = 1 if worst[0].direction is Direction.HIGHER else -1
    return min(worst, key=lambda fact: (sign * float(str(fact.value)), len(fact.key.slice), str(fact.key)))


def _shown(found: cited.Cited, worst: Key) -> bool:
    return (worst.evidence, worst.metric, worst.params, worst.attributes) in found.shown or worst in {key.whole() for key, _ in found.links}
