"""A value link names a fact that exists.

Why: a link to nothing rests on nothing.

Bad:  [19.5 %](fact:performance/fnrate)
Good: [19.5 %](fact:performance/fnr)

Fix: the nearest names are suggested; `factbook facts` lists all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.errors import FactbookError, KeySyntaxError
from factbook.model import Key
from factbook.rules import Checked, Problem, at

CODE: Final = "FB102"
NAME: Final = "fact-exists"


def check(checked: Checked) -> Iterator[Problem]:
    """Look up the fact of every `fact:` link."""
    for document in checked.documents:
        for link in document.bound("fact"):
            try:
                checked.catalog.fact(Key.parse(link.target))
            except KeySyntaxError:
                continue
            except FactbookError as error:
                yield at(document, link.start, error.message, error.remedy)
