"""No word stands twice in a row by mistake.

Why: "the the" is a slip of the hand; a reader stumbles, and wonders what else was not read again.

Bad:  The model was trained on on two cohorts.
Good: He had had two operations before; that that holds is not shown.
Good: New York New York Marathon, 10 10 10

A matter of style: always a warning, never a reason to fail. Only words that English never doubles are judged: articles, prepositions, pronouns,
forms of "to be", conjunctions.
Fix: `factbook fix` takes the second one out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from factbook.documents.update import Edit
from factbook.rules import Checked, Problem
from factbook.rules.style import Style
from factbook.rules.wording import Said, said

CODE: Final = "FB313"
NAME: Final = "word-stands-once"
LANGUAGES: Final = ("en",)
STYLE: Final = True
_ONCE: Final = (
    "the|a|an|of|to|and|or|but|with|for|from|by|as|at|into|are|was|were|be|been|this|these|those|which|it|its|we|our"
    "|they|their|not|has|have|will|can|may|if|than|when"
)
_TWICE: Final = re.compile(rf"(?<![\w'’-])(?P<word>{_ONCE}|on|in|is)\s+(?P=word)(?![\w'’-])", re.IGNORECASE)
_PARTICLE: Final = re.compile(
    r"\b(?:log\w*|carr\w+|go(?:es|ing)?|went|hold\w*|move\w*|pass\w*|turn\w*|check\w*|what it|that it|where it|who it)\s+$", re.IGNORECASE
)


def check(checked: Checked) -> Iterator[Problem]:
    """Look for words that stand twice."""
    for item in said(checked, _TWICE):
        first, second = item.words.split()[0], item.words.split()[-1]
        if second[0].isupper() or (first[0].isupper() and item.before.strip()):
            continue
        if first.casefold() in {"on", "in", "is"} and _PARTICLE.search(item.before):
            continue
        found = item.problem(f"{second!r} stands twice", f"take one {second!r} out")
        yield replace(found, edit=_edit(item, first))


def vale(_: Style) -> dict[str, Any]:
    """The rule for an editor."""
    return {"extends": "existence", "ignorecase": True, "message": "'%s': a word stands twice.", "tokens": [rf"({_ONCE}|on|in|is)\s+\1"]}


def _edit(item: Said, first: str) -> Edit | None:
    """Take the second one out, with the white space before it, where nothing but white space stands between them."""
    start, end = item.span
    held = item.document.source[start:end].decode(errors="replace")
    linked = any(link >= 0 for link in item.text.links[item.start : item.end])
    return Edit(start, end, first.encode()) if held.split() == item.words.split() and not linked else None
