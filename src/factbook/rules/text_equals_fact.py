"""The text of a value link is the fact.

Why: the number in the prose is what people read; the evidence is what is true.

Bad:  the model misses [21 %](fact:performance/fnr) of patients      (the fact is 19.5 %)
Good: the model misses [19.5 %](fact:performance/fnr) of patients

Bad:  about a third, more than [27.6 %](fact:performance/fnr)        (27.59 % is not more)
Bad:  [0.195](fact:performance/fnr) %                               (the sign outside makes it another number)

Fix: look at why they differ. If the evidence is right, `factbook update` writes its number in the shape that you chose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.agreement import disagreement
from factbook.documents.parse import Document, Link
from factbook.errors import FactbookError
from factbook.model import Fact, Key, Unit
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB101"
NAME: Final = "text-equals-fact"

_BEFORE = re.compile(
    r"(?:^|(?<=[\s(\[:=|]))([-−+]|[~≈<>≤≥]\s?|(?:more than|greater than|less than|fewer than|at least|at most|nearly|almost|just under)\s)$",
    re.IGNORECASE,
)
_SHARE_BEFORE = re.compile(r"(?:^|(?<=[\s(]))((?:over|above|under|below|up to)\s)$", re.IGNORECASE)
_CHANGED_BEFORE = re.compile(
    r"\b(?:half(?: of)?|twice|double|triple|a (?:third|quarter|fifth|tenth) of|(?:hundred|thousand|million)(?: and)?|(?<!or )not)\s$", re.IGNORECASE
)
_AFTER = re.compile(
    r"(\s?[%‰٪％]|\s(?:per ?cent(?:age points?)?|percent(?:age points?)?|per ?mille|pp|thousand|million|billion|trillion)\b)(?!\s*CI)", re.IGNORECASE
)
_POINTS_AFTER = re.compile(r"([\s-]points?\b)", re.IGNORECASE)
_CHANGED_AFTER = re.compile(r"[^\W_]+|-?\s?fold\b|\s(?:in|out of)(?: an?| every)? (?:ten|hundred|thousand|million)\b", re.IGNORECASE)
_ZERO = re.compile(r"\s*(?:[-−+]\s*0(?:\.0*)?(?![\d.])|0(?:\.0*)?\s+(?:thousand|million|billion|trillion)\b)", re.IGNORECASE)
_FIX: Final = "factbook update, after looking at why it differs"


def check(checked: Checked) -> Iterator[Problem]:
    """Compare the text of every `fact:` link with its fact."""
    for document in checked.documents:
        for link in document.bound("fact"):
            try:
                key = Key.parse(link.target)
                fact, thresholds = checked.catalog.fact(key), checked.catalog.thresholds_for(key)
            except FactbookError:
                continue
            if link.text.strip() and (why := disagreement(link.text, fact, thresholds)):
                yield at(document, link.start, f"[{link.text}] is not {key}: {why}", _FIX)
            elif link.text.strip() and (wrong := _around(document, link, fact)):
                yield at(document, link.start, f"{wrong!r} is not {key}: the words around the link change what it says", "put them into the link")


def _around(document: Document, link: Link, fact: Fact) -> str | None:
    """What the link says together with the sign, unit or word that stands right beside it, where that is not the fact."""
    if not fact.measured or not isinstance(fact.value, int | float):
        return None
    if _ZERO.match(link.text):
        return link.text
    before, after = prose.beside(document, link)
    share = after.startswith(" of") and "%" in link.text
    sign = _BEFORE.search(before) or (_SHARE_BEFORE.search(before) if share else None)
    unit = _AFTER.match(after) or (_POINTS_AFTER.match(after) if fact.unit in {Unit.FRACTION, Unit.POINTS} else None)
    for match in (_CHANGED_BEFORE.search(before), _CHANGED_AFTER.match(after)):
        if match is not None:
            return f"{match.group()}{link.text}" if match.re is _CHANGED_BEFORE else f"{link.text}{match.group()}"
    if sign is None and unit is None:
        return None
    said = (sign.group(1) if sign else "") + link.text + (unit.group(1) if unit else "")
    return said if disagreement(said, fact) else None
