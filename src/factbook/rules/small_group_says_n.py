"""A figure of few cases says of how many.

Why: 25 % of 12 cases is three people; a reader who does not see the 12 takes it for a property of the group.

Bad:  Patients over 90 are missed in [25.0 %](fact:performance/fnr?age_band=90+) of cases.            with 12 cases
Good: … in [3 of 12](fact:performance/fnr?age_band=90+) cases; … in [25.0 %, n = 12](fact:performance/fnr?age_band=90+)
Good: … in [25.0 %](fact:performance/fnr?age_band=90+) of [12](fact:performance/fnr?age_band=90+#n) cases

Few are fewer than 30, or what `bands: {small_group: …}` in style.yaml says. Once in a document is enough; a table of the same groups with a column of
n will do. From `validation` on; in draft it is listed.
Fix: cite the n beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.documents.shapes import UnreadableText, read
from factbook.errors import FactbookError
from factbook.manifest import Stage
from factbook.model import Key, Unit
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB308"
NAME: Final = "small-group-says-n"
_COUNTS: Final = frozenset({"n", "rows", "support", "positives", "negatives"})


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Look for cited figures of few cases whose number is nowhere said."""
    bound = checked.style.bands.small_group
    for document in checked.documents:
        for key, (offset, n) in _few(checked, document, bound).items():
            said = f"{key} rests on {n} cases, fewer than {bound}, and the document does not say so"
            if checked.reached(Stage.VALIDATION):
                yield at(document, offset, said, f"cite its n: [](fact:{key}#n)")
            else:
                yield NotJudged(said, "required from validation on", document.name, document.place(offset)[0])


def _few(checked: Checked, document: Document, bound: int) -> dict[Key, tuple[int, int]]:
    """The figures of few cases that are cited without their n."""
    found = cited.facts(document)
    counted = {(evidence, attributes) for evidence, metric, _, attributes in found.shown if metric in _COUNTS}
    few: dict[Key, tuple[int, int]] = {}
    told: set[tuple[str, object]] = set()
    for link in document.bound("fact"):
        try:
            key = Key.parse(link.target)
            fact = checked.catalog.fact(key.whole())
        except FactbookError:
            continue
        if key.field == "n" or key.metric in _COUNTS or _says_n(link.text):
            told.add((key.evidence, key.slice))
        elif not key.field and fact.measured and fact.unit is not Unit.COUNT and fact.n is not None and fact.n < bound:
            few.setdefault(key, (link.start, fact.n))
    return {key: item for key, item in few.items() if (key.evidence, key.slice) not in told and (key.evidence, key.attributes) not in counted}


def _says_n(text: str) -> bool:
    """Whether the text of a link says the number of cases: `3 of 12`, or `n = 12`."""
    try:
        shape = read(text)
    except UnreadableText:
        return False
    return bool(shape.joint) or shape.n is not None
