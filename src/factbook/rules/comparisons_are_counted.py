"""A document that compares many groups says that it does.

Why: of many intervals some leave out zero by chance alone; who reads only the one that does is misled without a false word.

Bad:  a table of differences for twelve groups, and no word on how many were looked at
Good: the same, and "Many groups are compared here: some of these intervals leave out zero by chance alone."
Good: the same, beside p-values that are adjusted for all of them (`…_difference_p;adjusted=holm`)

Counted: differences, ratios and p-values of groups that are cited or stand in tables. From ten on (`bands: {comparisons: 10}` in style.yaml), from
`validation` on; in draft it is listed.
Fix: say that many were compared and what follows from it, or show adjusted p-values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.manifest import Stage
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB307"
NAME: Final = "comparisons-are-counted"
LANGUAGES: Final = ("en",)
_COMPARES: Final = ("_difference", "_ratio", "_difference_p")
_STATED: Final = re.compile(
    r"\b(?:multipl(?:e|icity)(?: (?:comparisons?|tests?|testing|hypothes\w+))?|many (?:\w+ )?(?:comparisons?|tests?|differences?"
    r"|groups? (?:are|were))|Bonferroni|Holm"
    r"|Benjamini|false[- ]discovery|family[- ]?wise|adjusted (?:p|for|intervals?)|(?:by|to) chance alone|comparisons? (?:were|are) made"
    r"|many were (?:tested|compared))\b",
    re.IGNORECASE,
)


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Count the comparisons of each document."""
    for document in checked.documents:
        found = cited.facts(document)
        many = len(_compared(checked, found))
        if many < checked.style.bands.comparisons or _adjusted(found) or _stated(document):
            continue
        said = f"{many} comparisons of groups are shown, and nothing says that many were made"
        fix = "say that of many intervals some leave out zero by chance alone, or show adjusted p-values"
        if checked.reached(Stage.VALIDATION):
            yield at(document, _first(document), said, fix)
        else:
            yield NotJudged(said, "required from validation on", document.name, document.place(_first(document))[0])


def _compared(checked: Checked, found: cited.Cited) -> set[str]:
    """The keys of all comparisons that are cited or shown."""
    keys = {str(key.whole()) for key, _ in found.links if key.slice and key.metric.endswith(_COMPARES)}
    for evidence, metric, params, attributes in found.shown:
        if attributes and metric.endswith(_COMPARES):
            keys |= {str(fact.key) for fact in checked.catalog.slices(evidence, metric, attributes, params) if fact.measured}
    return keys


def _adjusted(found: cited.Cited) -> bool:
    said = [key.params for key, _ in found.links] + [item[2] for item in found.shown]
    return any(name in {"adjusted", "adjust", "correction"} or value in {"holm", "bh"} for params in said for name, value in params)


def _stated(document: Document) -> bool:
    return any(_STATED.search(block.text) for block in document.blocks)


def _first(document: Document) -> int:
    """Where the first comparison stands."""
    links = [link.start for link in document.bound("fact") if link.target.partition("?")[0].partition(";")[0].endswith(_COMPARES)]
    tables = [region.start for region in document.regions if any(word in region.arguments for word in _COMPARES)]
    return min([*links, *tables], default=0)
