"""The words of a claim link do not contradict its expression.

Why: the expression is what is tested; words that say the reverse, or name other numbers, would borrow its verdict.

Bad:  [Patients under 50 are missed less often](claim:young-missed-more)        {…age_band=<40} > {…age_band=40-59}
Good: [Patients under 40 are missed more often](claim:young-missed-more)

Fix: say what the expression says, or write the claim that you mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook.errors import FactbookError
from factbook.evidence.claims import Claim
from factbook.rules import Checked, Problem, at
from factbook.rules.groups import without_groups

CODE: Final = "FB105"
NAME: Final = "words-match-claim"

_UP = re.compile(r"\b(?:more|higher|greater|larger|above|exceeds?|exceeding|increase[sd]?|rises?|rose|over)\b", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:less|lower|fewer|smaller|below|under|beneath|decrease[sd]?|falls?|fell)\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


def check(checked: Checked) -> Iterator[Problem]:
    """Compare the words of every `claim:` link with the expression."""
    for document in checked.documents:
        for link in document.bound("claim"):
            try:
                claim = checked.catalog.claim(link.name)
            except FactbookError:
                continue
            words = without_groups(checked.catalog, link.text)
            if (wrong := _direction(words, claim)) is not None:
                yield at(
                    document, link.start, f"{wrong!r} contradicts the expression {claim.expression}", "reword it, or write the claim that you mean"
                )
            unknown = [number for number in _DIGITS.findall(link.text) if number not in _numbers(claim)]
            if unknown:
                yield at(document, link.start, f"{', '.join(unknown)} does not occur in the expression {claim.expression}", "bind it as a fact")


def _direction(words: str, claim: Claim) -> str | None:
    """The word that says the reverse of the comparison; None where the words say both, neither, or the right one."""
    up, down = _UP.search(words), _DOWN.search(words)
    if up and not down and claim.operator in {"<", "<="}:
        return up.group()
    if down and not up and claim.operator in {">", ">="}:
        return down.group()
    return None


def _numbers(claim: Claim) -> set[str]:
    keys = " ".join(value for key in claim.operands for _, value in (*key.slice, *key.params))
    found = set(_DIGITS.findall(keys))
    for literal in (*claim.literals, *((claim.margin,) if claim.margin is not None else ())):
        found |= {f"{literal.normalize():f}", f"{literal:f}", f"{(literal * 100).normalize():f}"}
    return found
