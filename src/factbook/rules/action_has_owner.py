"""A corrective action of a post-mortem says who does it, and by when.

Why: "will be fixed" is what everybody reads and nobody does.

Bad:  The alert threshold will be lowered.
Bad:  | Monitoring should be added |  |  |
Good: The alert threshold will be lowered by the platform team by 2026-12-15.
Good: | Monitoring should be added | Data platform (Ada) | 2026-12-15 |

Judged in post-mortems and remediation plans: sentences, items and table rows in which something "will be", "should be", "must be" or "needs to be"
done. A row answers with any of its cells, an item with the items inside it. Not judged: questions, conditions, quotations, and what will not be done.
Fix: name the role or person (`by …`, `owner: …`) and the day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Block, Document, Kind
from factbook.manifest import Stage
from factbook.rules import Checked, Problem, prose
from factbook.rules.wording import Said, said

CODE: Final = "FB309"
NAME: Final = "action-has-owner"
LANGUAGES: Final = ("en",)
KINDS: Final = frozenset({"postmortem", "remediation-plan"})
_DONE: Final = (
    r"(?!(?:noted|expected|assumed|mentioned|stressed|remembered|emphasi[sz]ed|observed|concerned|pleased|supposed|interested|needed|affected|limited"
    r"|based|tired|red|bed)\b)\w+ed|put in place|taken|looked (?:at|into)|set(?: up)?|sent|rebuilt|rewritten|done|made|written|built"
    r"|carried out|brought|kept"
)
_PASSIVE: Final = re.compile(
    rf"\b(?:will|shall|should|must|needs? to|ha(?:s|ve) to|is to|are to|is going to|are going to) (?:also |then |soon "
    rf"|now )?be (?:\w+ly )?(?:{_DONE})\b",
    re.IGNORECASE,
)
_MONTHS: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE: Final = re.compile(
    rf"\b20\d\d-\d\d(?:-\d\d)?\b|\b\d{{1,2}}[./]\d{{1,2}}[./]20\d\d\b|\b\d{{1,2}}(?:st|nd|rd|th)? {_MONTHS}|\b{_MONTHS} (?:\d{{1,2}}"
    rf"|20\d\d)\b|\bQ[1-4]\b"
    r"|\bwithin (?:\w+ )?(?:a|an|one|two|three|four|six|\d+) (?:hour|day|week|month|working)|\b(?:by|before|until|at) (?:the )?(?:next"
    r"|end of|coming)\b"
    r"|\bby (?:tomorrow|Monday|Tuesday|Wednesday|Thursday|Friday)\b|\bnext (?:week|month|quarter|sprint|release)\b|\bin the (?:next|coming)\b",
    re.IGNORECASE,
)
_TIME_WORDS: Final = (
    rf"\d|{_MONTHS}\b|next\b|tomorrow|the (?:end|next|coming|time)\b|Monday|Tuesday|Wednesday|Thursday|Friday|Q[1-4]\b|then\b|now\b|default"
    rf"|hand\b|means|"
    r"(?:add|chang|us|lower|rais|remov|replac|retrain|mov|mak|switch|sett|introduc|check|measur)\w*ing\b"
)
_OWNER: Final = re.compile(
    rf"\bby (?!(?:{_TIME_WORDS}))(?:the |our |a )?[\w-]+|\b(?:owner|owned by|responsible|assignee|assigned to|accountable|lead)\b\s*:?\s*\S"
    rf"|(?<!\w)@[\w-]+",
    re.IGNORECASE,
)
_OWNER_HEAD: Final = re.compile(r"\b(?:owner|responsible|who|assignee|lead|team|role|accountable)\b", re.IGNORECASE)
_DUE_HEAD: Final = re.compile(r"\b(?:due|by|when|date|deadline|until|target|done)\b", re.IGNORECASE)
_EMPTY: Final = re.compile(r"[\s\-–—?.…]*|n/?a|tbd|tba|to be (?:decided|determined|announced)|unassigned|none|nobody|open", re.IGNORECASE)


def check(checked: Checked) -> Iterator[Problem]:
    """Look for actions in the passive without an owner or a day."""
    kept = tuple(document for document in checked.documents if document.kind in KINDS)
    if not kept:
        return
    rows = {document.name: list(_tables(document)) for document in kept}
    for item in said(checked, _PASSIVE, headings=False):
        if item.document.kind not in KINDS or item.negated or _conditional(item):
            continue
        lacking = [what for what, given in zip(("an owner", "a day"), _given(item, rows[item.document.name]), strict=True) if not given]
        if lacking:
            yield item.problem(f"{item.words!r} without {' and '.join(lacking)}", "say who does it, and by when", checked.due(Stage.VALIDATION))


def _conditional(item: Said) -> bool:
    return bool(re.search(r"\b(?:if|unless|whenever|when|in case|whether|could|might)\b", item.before, re.IGNORECASE))


def _given(item: Said, tables: list[tuple[list[Block], list[Block]]]) -> tuple[bool, bool]:
    """Whether an owner and a day are given: in the row of a table, or in the sentence, its passage and what follows it in the list."""
    for heads, row in tables:
        if item.block in row:
            cells = [(head.text, cell.text) for head, cell in zip(heads, row, strict=False) if not _EMPTY.fullmatch(cell.text.strip())]
            owner = any(_OWNER_HEAD.search(head) or _OWNER.search(text) for head, text in cells)
            return owner, any(_DUE_HEAD.search(head) or _DATE.search(text) for head, text in cells)
    text = item.text.plain if item.block.kind is Kind.ITEM else item.sentence
    text += _following(item)
    return bool(_OWNER.search(text)), bool(_DATE.search(text))


def _following(item: Said) -> str:
    """What says more right after: a bracket or a sentence that begins with an owner or a day, and blocks such as `Owner: …`."""
    blocks = item.document.blocks
    place = next(index for index, block in enumerate(blocks) if block is item.block)
    rest = item.text.plain[item.start - len(item.before) + len(item.sentence) :]
    said_next = [
        block.text for block in blocks[place + 1 : place + 3] if re.match(r"\s*(?:owner|responsible|due|deadline|by when|who)\b", block.text, re.I)
    ]
    return " " + rest if re.match(r"\s*\(?\s*(?:owner|responsible|due|deadline)\b", rest, re.I) else " " + " ".join(said_next)


def _tables(document: Document) -> Iterator[tuple[list[Block], list[Block]]]:
    """Each row of each table with the header row above it."""
    heads: list[Block] = []
    for row in prose.rows(document):
        if row and row[0].header:
            heads = row
        else:
            yield heads, row
