"""Words that the organisation has a better one for are replaced.

Why: one name for one thing is easier to read, to search and to translate; `say` in style.yaml lists the names.

Bad:  We utilise logistic regression.            with `say: {utilise: use}`
Good: We use logistic regression.
Good: "We utilise what we have", said the committee.

A matter of style: always a warning, never a reason to fail. Quotations, code, the words of claims and everything that a machine writes stay.
Fix: `factbook fix` writes the word of style.yaml, in the letter case of the one that stood there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from factbook.documents.update import Edit
from factbook.rules import Checked, Problem
from factbook.rules.style import Style, expression, pattern
from factbook.rules.wording import Said, said

CODE: Final = "FB312"
NAME: Final = "house-words-are-used"
STYLE: Final = True


def check(checked: Checked) -> Iterator[Problem]:
    """Look for the words that style.yaml replaces."""
    for word, better in checked.style.say.items():
        for item in said(checked, pattern((word,))):
            if not word.endswith("*"):
                found = item.problem(f"{item.words!r}: here it is called {better!r}", f"write {_cased(word, item.words, better)!r}")
                yield replace(found, edit=_edit(item, word, better))
            else:
                yield item.problem(f"{item.words!r}: here it is called {better!r}", f"write it with {better!r}")


def vale(style: Style) -> dict[str, Any]:
    """The words for an editor."""
    swap = {expression(word): better for word, better in style.say.items()}
    return {"extends": "substitution", "ignorecase": True, "message": "Write '%s' instead of '%s'.", "swap": swap}


def _edit(item: Said, word: str, better: str) -> Edit | None:
    """The replacement, where the characters that a reader sees are the bytes of the file, and no link holds them."""
    start, end = item.span
    plain = item.document.source[start:end] == item.words.encode()
    linked = any(link >= 0 for link in item.text.links[item.start : item.end])
    return Edit(start, end, _cased(word, item.words, better).encode()) if plain and not linked else None


def _cased(word: str, found: str, better: str) -> str:
    """The better word in the letter case that stands there, where that is not the case of the word itself (AI, Internet)."""
    if len(found) > 1 and found.isupper() and not word.isupper():
        return better.upper()
    return f"{better[0].upper()}{better[1:]}" if better and found[0].isupper() and not word[0].isupper() else better
