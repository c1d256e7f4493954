"""What was registered is reported: every claim and every planned comparison of factbook.yaml is shown in some document.

Why: a question that was written down beforehand and answered "no" is a result; to leave it out is to choose the results.

Bad:  factbook.yaml registers three claims, and the documents tell of the one that holds
Good: [A difference was not established](claim:women-missed-more?not-established)

A claim is reported where a document links to it, whatever its verdict; a comparison of the plan (a measurement that compares groups with a
reference) where a link, table or chart shows a difference, ratio or gap of it. Judged where a document shows results at all; in draft it is listed.
Fix: report it, or take it out of factbook.yaml with a note of why in its history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.manifest import FILE, Stage
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB305"
NAME: Final = "claims-are-reported"
WHOLE: Final = True
_COMPARING: Final = ("_difference", "_ratio", "_gap", "_difference_p")
_REFERENCES: Final = frozenset({"protected", "reference", "against", "baseline"})
_PROFILES: Final = frozenset({"profile", "datasets"})


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare what is registered with what the documents report; they are read only until everything is found."""
    claims = dict.fromkeys(checked.manifest.claims)
    planned = {name: metrics for name in checked.catalog.evidence.records if (metrics := _compared(checked, name))}
    results = False
    for document in checked.documents if claims or planned else ():
        found = cited.facts(document)
        linked = {link.name for link in document.bound("claim")}
        results = results or bool(linked) or _results(checked, found)
        claims = {name: None for name in claims if name not in linked}
        planned = {name: metrics for name, metrics in planned.items() if not any(found.has(name, metric) for metric in metrics)}
        if not claims and not planned:
            return
    for name in claims if results else ():
        verdict = str(checked.catalog.claim(name).verdict).replace("-", " ")
        yield _said(checked, ("claims", name), f"the claim {name} is registered ({verdict}), and no document reports it", f"link to claim:{name}")
    for name in planned if results else ():
        yield _said(
            checked, ("plan", name), f"the comparison {name} is planned and measured, and no document shows it", "show a table of its differences"
        )


def _results(checked: Checked, found: cited.Cited) -> bool:
    """Whether a document shows more than the counts and columns of its data."""
    names = {key.evidence for key, _ in found.links} | {item[0] for item in found.shown}
    return any(name in checked.catalog.evidence.records and checked.catalog.evidence.records[name].measure not in _PROFILES for name in names)


def _compared(checked: Checked, name: str) -> set[str]:
    """The comparing metrics of a measurement whose plan names a reference."""
    planned = checked.manifest.plan.get(name)
    if planned is None or not _REFERENCES & set(planned.params):
        return set()
    return {key.metric for key in checked.catalog.evidence if key.evidence == name and key.metric.endswith(_COMPARING)}


def _said(checked: Checked, path: tuple[str, ...], message: str, fix: str) -> Problem | NotJudged:
    line = checked.lines.get(path, 1)
    if checked.reached(Stage.VALIDATION):
        return Problem(FILE, line, 1, message, fix)
    return NotJudged(message, "required from validation on", FILE, line)
