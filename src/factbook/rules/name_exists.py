"""A claim, gap, policy, declared number or question that a document names exists in the book, and a declared number reads as declared.

Why: a link to a name that nobody declared only looks like an answer.

Bad:  [13 EUR](declared:price)      factbook.yaml declares 12 EUR
Good: [12 EUR](declared:price)

The numbers in the words of a gap or a policy are those of its text, and `Q4` is the question with that number. Claims, derived facts and
thresholds of factbook.yaml name facts that exist.

Fix: declare the name in factbook.yaml, or mend the link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from factbook.documents.parse import Document, Link
from factbook.errors import FactbookError, UnknownName
from factbook.expressions import operands, parse_value
from factbook.manifest import FILE
from factbook.model import Key
from factbook.rules import Checked, Problem, at

CODE: Final = "FB110"
NAME: Final = "name-exists"

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def check(checked: Checked) -> Iterator[Problem]:
    """Look up every name that a value link cites."""
    lookups: dict[str, Callable[[str], object]] = {"gap": checked.catalog.gap, "policy": checked.catalog.policy, "declared": checked.catalog.declared}
    yield from _manifest(checked)
    for document in checked.documents:
        for link in document.links:
            if link.scheme in lookups:
                try:
                    lookups[link.scheme](link.target)
                except FactbookError as error:
                    yield at(document, link.start, error.message, error.remedy)
                else:
                    yield from _declared(checked, document, link)
                    yield from _words(checked, document, link)
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
            number = kind.number(link.target)
        except UnknownName as error:
            yield at(document, link.start, error.message, error.remedy)
            return
        if any(said != str(number) for said in _NUMBER.findall(link.text)):
            yield at(document, link.start, f"[{link.text}]: this question has the number {number}", f"write Q{number}")


def _words(checked: Checked, document: Document, link: Link) -> Iterator[Problem]:
    """The numbers in the words of a gap or a policy must stand in what was declared."""
    if link.scheme in {"gap", "policy"}:
        text = checked.catalog.gap(link.target).why if link.scheme == "gap" else checked.catalog.policy(link.target).text
        unknown = [said for said in _NUMBER.findall(link.text) if said not in _NUMBER.findall(text)]
        if unknown:
            yield at(document, link.start, f"{', '.join(unknown)} does not occur in what was declared: {text}", "say what was declared")


def _manifest(checked: Checked) -> Iterator[Problem]:
    """What factbook.yaml itself says of facts."""
    known = checked.catalog.fact
    for group, items in (("claims", checked.manifest.claims), ("derived", checked.manifest.derived)):
        for name, text in items.items():
            try:
                keys = checked.catalog.claim(name).operands if group == "claims" else operands(parse_value(text, f"derived.{name}"))
                for key in keys:
                    known(key)
            except FactbookError as error:
                yield Problem(FILE, checked.lines.get((group, name), 1), 1, f"{name}: {error.message}", error.remedy)
    for text in checked.manifest.thresholds:
        try:
            known(Key.parse(text))
        except FactbookError as error:
            yield Problem(FILE, checked.lines.get(("thresholds", text), 1), 1, error.message, error.remedy)
