"""The text of a value link is the fact.

Why: the number in the prose is what people read; the evidence is what is true.

Bad:  the model misses [21 %](fact:performance/fnr) of patients      (the fact is 19.5 %)
Good: the model misses [19.5 %](fact:performance/fnr) of patients

Fix: look at why they differ. If the evidence is right, `factbook update` writes its number in the shape that you chose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents.shapes import disagreement
from factbook.errors import FactbookError
from factbook.model import Key
from factbook.rules import Checked, Problem, at

CODE: Final = "FB101"
NAME: Final = "text-equals-fact"


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
                yield at(document, link.start, f"[{link.text}] is not {key}: {why}", "factbook update, after looking at why it differs")
