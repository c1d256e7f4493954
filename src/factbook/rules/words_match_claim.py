"""The words of a claim link do not contradict its expression, nor the verdict that it asserts.

Why: the expression is what is tested; words that say the reverse, name other groups or other numbers, would borrow its verdict.

Bad:  [Patients under 50 are missed less often](claim:young-missed-more)        {…age_band=<40} > {…age_band=40-59}
Bad:  [Patients under 40 are missed more often](claim:young-missed-more?not-established)
Good: [Patients under 40 are missed more often](claim:young-missed-more)
Good: [Whether patients under 40 are missed more often was not established](claim:young-missed-more?not-established)

"Better" and "worse" are read by the direction of the metric. "Fell" and "improved" are read from the earlier of two figures to the later, where
their names tell which that is (before, after, old, new, a year). In a language other than English only numbers and groups are judged.
Fix: say what the expression says, or write the claim that you mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Link
from factbook.errors import FactbookError
from factbook.evidence.catalog import Catalog
from factbook.evidence.claims import Claim
from factbook.model import Direction
from factbook.rules import Checked, NotJudged, Problem, at
from factbook.rules.groups import attributes, mentions, without_groups

CODE: Final = "FB105"
NAME: Final = "words-match-claim"

_UP = re.compile(r"\b(?:more|higher|greater|larger|above|exceeds?|exceeding|over)\b", re.IGNORECASE)
_DOWN = re.compile(r"\b(?:less|lower|fewer|smaller|below|under|beneath)\b", re.IGNORECASE)
_GOOD = re.compile(r"\b(?:better|best|fairer|safer|beats?|outperforms?|surpass(?:es)?)\b", re.IGNORECASE)
_POOR = re.compile(r"\b(?:worse|worst|poorer)\b", re.IGNORECASE)
_ROSE = re.compile(r"\b(?:increase[sd]?|rises?|rose|risen|grows?|grew|grown|went up|climb(?:s|ed))\b", re.IGNORECASE)
_FELL = re.compile(r"\b(?:decrease[sd]?|falls?(?! short)|fell(?! short)|fallen|drop(?:s|ped)?|declined?|declines|went down|reduced)\b", re.I)
_IMPROVED = re.compile(r"\bimprove[sd]?\b", re.IGNORECASE)
_WORSENED = re.compile(r"\b(?:deteriorate[sd]?|worsen(?:s|ed)?|got worse|degrade[sd]?)\b", re.IGNORECASE)
_EARLIER: Final = frozenset({"before", "old", "previous", "prior", "earlier", "first", "baseline", "original", "initial", "legacy"})
_LATER: Final = frozenset({"after", "new", "current", "now", "later", "latest", "second", "mitigated", "retrained", "updated", "final"})
_FROM = re.compile(r"\bfrom\b.*\bto\b", re.IGNORECASE | re.DOTALL)
_NOT = re.compile(r"\b(?:not|no|never|neither|nor|cannot|hardly|fails?|failed)\b|n[\'’]t\b", re.IGNORECASE)
_OPEN = re.compile(
    r"\b(?:not (?:been )?(?:established|shown|proven|settled|known)|un(?:clear|certain|decided|settled|proven|known)|inconclusive|undetermined)\b"
    r"|\bwhether\b|\b(?:cannot|could not|can't|couldn't) be (?:shown|established|told|said|confirmed)",
    re.IGNORECASE,
)
_HEDGE = re.compile(r"\b(?:may|might|could|possibly|perhaps|open|insufficient|indistinguishable|too few|too small|within chance)\b", re.IGNORECASE)
_BROKEN = re.compile(
    r"\b(?:not?|never|n['’]t) (?:hold|holds|true|met|reached|so|the case)\b|\b(?:falls?|fell) short\b"
    r"|\b(?:broken|refuted|rejected|disproved|false|untrue|wrong|contradicted|unmet|violated)\b",
    re.IGNORECASE,
)
_INVERTED = re.compile(r"\b(?:compared (?:with|to)|unlike|relative to|in contrast (?:to|with))\b", re.IGNORECASE)
_SYMMETRIC = re.compile(r"\b(?:gap|abs|min|max)\b")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_FIX: Final = "reword it, or write the claim that you mean"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the words of every `claim:` link with the expression and the asserted verdict."""
    english = checked.manifest.language.partition("-")[0] == "en"
    for document in checked.documents:
        links = list(document.bound("claim"))
        if links and not english:
            yield NotJudged("the direction of the words of claims", f"the book is in {checked.manifest.language!r}", document.name)
        for link in links:
            try:
                claim = checked.catalog.claim(link.name)
            except FactbookError:
                continue
            for said in (*_strangers(checked.catalog, link, claim), *(_contradictions(checked.catalog, link, claim) if english else ())):
                yield at(document, link.start, said, _FIX)


def _strangers(catalog: Catalog, link: Link, claim: Claim) -> Iterator[str]:
    """Numbers and groups in the words that the expression does not have."""
    unknown = [number for number in _DIGITS.findall(link.text) if number not in _numbers(claim)]
    if unknown:
        yield f"{', '.join(unknown)} does not occur in the expression {claim.expression}"
    for attribute in attributes(catalog):
        own = {dict(key.slice)[attribute] for key in claim.operands if attribute in key.attributes}
        others = [group for _, group in mentions(catalog, attribute, link.text) if group not in own]
        if others and own:
            yield f"{others[0]} does not occur in the expression {claim.expression}"


def _contradictions(catalog: Catalog, link: Link, claim: Claim) -> Iterator[str]:
    words = without_groups(catalog, link.text)
    sense = _sense(catalog, link.text, words, claim)
    name = re.sub(r"[-_.]", " ", claim.name)
    if sense is None and _sense(catalog, name, without_groups(catalog, name), claim) is False:
        yield f"the name {claim.name} contradicts the expression {claim.expression}, and the words have no direction of their own"
    if link.query == "not-established":
        if words.strip() and not (_OPEN.search(words) or _NOT.search(words) or _HEDGE.search(words)):
            yield f"the words state what the link says was not established: {claim.expression}"
    elif link.query == "broken":
        denied = _either(words, _NOT, _BROKEN, _DOWN, _FELL)
        if (sense is True and not _BROKEN.search(words)) or (sense is None and words.strip() and not denied):
            yield f"the words state what the link says is broken: {claim.expression}"
    elif (said := _OPEN.search(words) or _BROKEN.search(words)) is not None:
        yield f"{said.group()!r} contradicts the verdict that the link asserts: it holds"
    elif sense is False:
        yield f"the words contradict the expression {claim.expression}"


def _sense(catalog: Catalog, text: str, words: str, claim: Claim) -> bool | None:
    """Whether the direction of the words is that of the comparison; None where they have no direction, or two."""
    lower = _direction(catalog, claim) is Direction.LOWER
    up, down = _either(words, _ROSE, _WORSENED if lower else _IMPROVED), _either(words, _FELL, _IMPROVED if lower else _WORSENED)
    if changed := up or down:
        backwards = _begins_left(catalog, text, claim)
    else:
        up, down = _either(words, _UP, _POOR if lower else _GOOD), _either(words, _DOWN, _GOOD if lower else _POOR)
        backwards = _reversed(catalog, text, claim)
    if up is down or claim.operator not in {">", ">=", "<", "<="} or (changed and backwards is None):
        return None
    flips = (claim.operator in {"<", "<="}) + bool(_NOT.search(words)) + bool(backwards)
    return up is (flips % 2 == 0)


def _either(words: str, *patterns: re.Pattern[str]) -> bool:
    return any(pattern.search(words) for pattern in patterns)


def _begins_left(catalog: Catalog, text: str, claim: Claim) -> bool | None:
    """Whether a change goes from the left-hand fact to the right-hand one, so that `{before} > {after}` is a fall; None where nothing tells.

    A single quantity is a change itself: what it says of its own direction counts.
    """
    if len(claim.operands) != 2 or _SYMMETRIC.search(claim.expression):
        return False
    left, right = (set(re.findall(r"[a-z]+|\d+", str(key).casefold())) for key in claim.operands)
    left, right = left - right, right - left
    forwards, back = bool(left & _EARLIER or right & _LATER), bool(left & _LATER or right & _EARLIER)
    if forwards is not back:
        return forwards
    years = [[int(word) for word in side if re.fullmatch(r"(?:19|20)\d\d", word)] for side in (left, right)]
    if all(len(side) == 1 for side in years):
        return years[0] < years[1]
    return not _reversed(catalog, text, claim) if _FROM.search(text) else None


def _direction(catalog: Catalog, claim: Claim) -> Direction:
    try:
        return catalog.fact(claim.operands[0]).direction if claim.operands else Direction.NEITHER
    except FactbookError:
        return Direction.NEITHER


def _reversed(catalog: Catalog, text: str, claim: Claim) -> bool:
    """Whether the words begin with the group of the right-hand fact: `{a} > {b}` is also "b less often than a"."""
    if len(claim.operands) != 2 or _SYMMETRIC.search(claim.expression):
        return False
    left, right = (dict(key.slice) for key in claim.operands)
    for attribute in sorted(set(left) & set(right)):
        named = [group for _, group in mentions(catalog, attribute, text)]
        if named and left[attribute] != right[attribute]:
            return (named[0] == right[attribute]) is not bool(_INVERTED.search(text))
    return False


def _numbers(claim: Claim) -> set[str]:
    keys = " ".join(value for key in claim.operands for _, value in (*key.slice, *key.params))
    found = set(_DIGITS.findall(keys))
    for literal in (*claim.literals, *((claim.margin,) if claim.margin is not None else ())):
        found |= {f"{literal.normalize():f}", f"{literal:f}", f"{(literal * 100).normalize():f}"}
    return found
