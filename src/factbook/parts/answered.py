"""What answers an item of a law or standard in the other documents: `<!-- fact:part answered regime=NAME item=ID -->`. Empty where nothing does."""

from __future__ import annotations

import posixpath

from factbook import regimes
from factbook.documents.regions import escape
from factbook.documents.shapes import spell
from factbook.errors import DocumentError, FactbookError
from factbook.model import Key
from factbook.parts import Holding, Words
from factbook.regimes.coverage import Material

_RECORDED = {"inputs": "the digests of the data, in the evidence", "runs": "who measured when and with what, in the run records"}


def write(words: Words, holding: Holding) -> str:
    """A list of the passages, facts and records that meet the item.

    Raises:
        DocumentError: a word is missing.
        UnknownName: there is no such regime or item.
    """
    given = words.only("regime", "item").given
    if set(given) != {"regime", "item"}:
        raise DocumentError("the part answered needs regime=NAME and item=ID", remedy="`factbook coverage REGIME` lists the items")
    others = tuple(document for document in holding.documents if document.name != holding.document.name)
    material = Material(holding.catalog.manifest, holding.catalog, others)
    row = material.row(regimes.load(given["regime"]), given["item"])
    return "\n".join(f"- {_line(place, holding)}" for place in row.by)


def _line(place: str, holding: Holding) -> str:
    """One place: a passage as a link to it, a fact as a value link, a record in words."""
    name, hash_, anchor = place.partition("#")
    document = next((item for item in holding.documents if item.name == name), None)
    if document is not None and hash_:
        heading = next((section.title for section in document.sections if section.slug == anchor), anchor)
        address = posixpath.relpath(name, posixpath.dirname(holding.document.name) or ".")
        return f"[{escape(document.title)}, {escape(heading)}]({address}#{anchor})"
    if place.startswith("subject."):
        return f"{place.removeprefix('subject.')}: {escape(str(getattr(holding.catalog.manifest.subject, place.removeprefix('subject.'))))}"
    try:
        fact = holding.catalog.fact(Key.parse(place))
    except FactbookError:
        return _RECORDED.get(place, escape(place))
    return f"{holding.catalog.metric(fact.key).title}: [{escape(spell(fact))}](fact:{fact.key})"
