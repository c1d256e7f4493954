"""A claim, gap, policy, declared number or question that a document names exists in the book, and a declared number reads as declared.

Why: a link to a name that nobody declared only looks like an answer.

Bad:  [13 EUR](declared:price)      factbook.yaml declares 12 EUR
Good: [12 EUR](declared:price)

Fix: declare the name in factbook.yaml, or mend the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from factbook.documents.parse import Document, Link
from factbook.errors import FactbookError, UnknownName
from factbook.rules import Checked, Problem, at

CODE: Final = "FB110"
NAME: Final = "name-exists"


def check(checked: Checked) -> Iterator[Problem]:
    """Look up every name that a value link cites."""
    lookups: dict[str, Callable[[str], object]] = {"gap": checked.catalog.gap, "policy": checked.catalog.policy, "declared": checked.catalog.declared}
    for document in checked.documents:
        for link in document.links:
            if link.scheme in lookups:
                try:
                    lookups[link.scheme](link.target)
                except FactbookError as error:
                    yield at(document, link.start, error.message, error.remedy)
                else:
                    yield from _declared(checked, document, link)
            elif link.scheme == "question":
                yield from _question(checked, document, link)


def _declared(checked: Checked, document: Document, link: Link) -> Iterator[Problem]:
    if link.scheme == "declared":
        value = checked.catalog.declared(link.target).value
        if " ".join(link.text.split()) != " ".join(value.split()):
            yield at(document, link.start, f"[{link.text}] is not what was declared: {value}", "factbook update")


def _question(checked: Checked, document: Document, link: Link) -> Iterator[Problem]:
    kind = checked.kinds.get(document.name)
    if kind is not None:
        try:
            kind.question(link.target)
        except UnknownName as error:
            yield at(document, link.start, error.message, error.remedy)
