"""Words that compare or rank stand on a claim, or on a source.

Why: "better", "significant", "robust", "best" and "missed more often than" are results. Whether they hold is decided by an interval, not by an
adjective.

Bad:  The model outperforms the rules that it replaces.
Bad:  There is no significant difference between men and women.
Good: [The model misses fewer than the rules](claim:fewer-missed)
Good: [It outperforms earlier systems](https://doi.org/10.1000/182), or the sentence cites the paper that says so

Not judged: quotations, questions, hypotheses, aims, conditions and advice ("may be better", "should be robust"), sections and passages about
limits and risks, and phrases that rank nothing (best practice, higher is better, robust standard errors). Allow a word, or add some, in style.yaml.
Fix: write the comparison as a claim in factbook.yaml and put the words on its link; cite a source; or say what was measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from factbook.documents.parse import Document, Kind, Link
from factbook.manifest import Stage
from factbook.rules import Checked, Problem, prose
from factbook.rules.style import Style, pattern
from factbook.rules.wording import Said, said, tokens

CODE: Final = "FB304"
NAME: Final = "comparison-is-claimed"
LANGUAGES: Final = ("en",)
_QUALITIES: Final = "accuracy|precision|reliability|robustness|fairness|performance|quality|results|generali[sz]ation|efficiency"
WORDS: Final = (
    r"better|best|outperform\w*|superior(?:ity)?|inferior(?:ity)?|surpass\w*|beats?|significant(?:ly)?(?: (?:better|worse|more|less|fewer"
    r"|higher|lower|larger|smaller))?|robust(?:ly)?|fairer|safer"
    r"|(?:near(?: the)? )?state[- ]of[- ]the[- ]art|SOTA|on par with"
    rf"|(?:more|most|less|least) (?:accurate|precise|reliable|fair|efficient|effective)(?: than)?"
    r"|(?:missed|flagged|refused|rejected|misclassified|detected|recogni[sz]ed) (?:more|less) (?:often|frequently) than"
    r"|(?:misses|flags|refuses|rejects|detects) (?:more|fewer)(?: \w+){0,4} than"
    rf"|(?:improved|superior|greater|increased|unequalled) (?:{_QUALITIES})"
)
_NO_RANK: Final = re.compile(
    r"\b(?:at best|(?:do|does|did|try|tried) (?:our|their|its|your) best|for best results|better late|significant at|best (?:practices?"
    r"|efforts?|checkpoints?|epochs?|iterations?|hyper-?parameters?|parameters?|fit|guess|interests?|viewed"
    r"|known|suited"
    r"|before|regards|wishes|case|to|of (?:my|our|both|all worlds)|possible|available techniques)|(?:higher|lower|larger|smaller|more|less"
    r"|fewer) (?:is|are|means?) (?:better|best)|(?:which"
    r"|how) \w+ best"
    r"|to better (?:understand|serve|explore|reflect|capture|know|meet|support|judge|inform|see|explain|represent|handle|assess|describe"
    r"|protect|study|target)|better (?:to|not|understanding)|the better (?:the|part|to)|no (?:better|worse)|better off|for better or"
    r"|significant (?:figures?|digits?|bits?|places?|others?|risks?|harms?|incidents?|events?|effort|part|portion|number|changes? (?:to|in"
    r"|of) (?:the |its )?"
    r"(?:intended|purpose|use|law|design))|similarly significant|legally significant|significant effects? on"
    r"|robust (?:standard errors?|evaluations?|tests?|testing|scal\w+|regression|estimat\w+|statistics|variance|measures?|process\w*"
    r"|governance|controls?)"
    r"|most (?:reliable|effective) way)\b",
    re.IGNORECASE,
)
_CITES = re.compile(r"paper|study|studies|report|article|evaluation|et al|appendix|benchmark|leaderboard|\d{4}", re.IGNORECASE)
_MILD: Final = re.compile(r"best|robust|state|SOTA", re.IGNORECASE)
_FIX: Final = "carry it by a claim: [words](claim:NAME); cite its source; or say what was measured"


def check(checked: Checked) -> Iterator[Problem]:
    """Look for words that compare, outside claims."""
    words = pattern(checked.style.comparisons, WORDS)
    for item in said(checked, words):
        if not (_ranks_nothing(item) or item.supposed or item.advised or item.limited or _cited(item) or _judged_in_row(item)):
            yield item.problem(f"{item.words!r} compares, and no claim carries it", _FIX, checked.due(Stage.VALIDATION))


def vale(style: Style) -> dict[str, Any]:
    """The words for an editor."""
    return tokens(style, ("comparisons",), WORDS) | {"message": "'%s' compares: carry it by a claim, or cite its source."}


def _ranks_nothing(item: Said) -> bool:
    """Whether the words are part of a phrase that ranks nothing, or deny a quality."""
    if item.negated and _MILD.match(item.words):
        return True
    if item.words.istitle() and item.block.kind is not Kind.HEADING and re.search(r"[A-Z]\w+ $", item.before):
        return True  # a name of a person
    return any(match.start() < item.end and item.start < match.end() for match in _NO_RANK.finditer(item.text.plain))


def _cited(item: Said) -> bool:
    """Whether the sentence names a paper or report outside the book by a link."""
    return any(_CITES.search(link.text) and prose.external(link) for link in _links(item.document, item))


def _judged_in_row(item: Said) -> bool:
    """Whether another cell of the same row links to a claim, as in a table of claims and their verdicts."""
    if item.block.kind is not Kind.CELL:
        return False
    claimed = {id(item.document.blocks[link.block]) for link in item.document.bound("claim")}
    return any(any(cell is item.block for cell in row) and any(id(cell) in claimed for cell in row) for row in prose.rows(item.document))


def _links(document: Document, item: Said) -> Iterator[Link]:
    start = item.start - len(item.before)
    indices = {link for link in item.text.links[start : start + len(item.sentence)] if link >= 0}
    yield from (document.links[index] for index in sorted(indices))
