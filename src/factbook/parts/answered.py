"""What answers an item of a law or standard in the other documents: `<!-- fact:part answered regime=NAME item=ID -->`. Empty where nothing does."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from factbook import regimes
from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.documents.regions import escape
from factbook.documents.spelling import spell
from factbook.errors import DocumentError, FactbookError
from factbook.model import Key
from factbook.parts import Holding, Words
from factbook.regimes.coverage import in_words


def write(words: Words, holding: Holding) -> str:
    """A list of the passages, facts and records that meet the item.

    Raises:
        DocumentError: a word is missing.
        UnknownName: there is no such regime or item.
    """
    given = words.only("regime", "item").given
    if set(given) != {"regime", "item"}:
        raise DocumentError("the part answered needs regime=NAME and item=ID", remedy="`factbook coverage REGIME` lists the items")
    row = holding.elsewhere.row(regimes.load(given["regime"]), given["item"])
    return "\n".join(f"- {line}" for line in dict.fromkeys(_line(place, holding) for place in row.by))


def _line(place: str, holding: Holding) -> str:
    """One place: a passage as a link to it, a fact as a value link, a record in words."""
    name, hash_, anchor = place.partition("#")
    document = next((item for item in holding.documents if item.name == name), None)
    if document is not None and hash_:
        heading = next((section.title for section in document.sections if section.slug == anchor), anchor)
        address = posixpath.relpath(name, posixpath.dirname(holding.document.name) or ".")
        return f"[{escape(document.title)}, {escape(heading)}]({address}#{anchor})"
    said = in_words(place, holding.catalog.manifest)
    if said:
        return escape(said)
    try:
        fact = holding.catalog.fact(Key.parse(place))
    except FactbookError:
        return _shown(place, holding) or escape(place)
    return f"{holding.catalog.metric(fact.key).title} in {escape(fact.key.evidence)}: [{escape(spell(fact))}](fact:{fact.key})"


def _shown(place: str, holding: Holding) -> str:
    """A metric that a table or chart shows by groups, with a link to the section where it stands; empty where none does."""
    name, _, attributes = place.partition(" by ")
    evidence, _, metric = name.partition("/")
    by = tuple(sorted(attributes.split(" and "))) if attributes else ()
    for document in holding.documents:
        start = next((start for start, item in _displays(document) if (evidence, metric, by) in item), None)
        section = document.section_at(start) if start is not None else None
        if section is not None:
            title = holding.catalog.metric(Key(evidence, metric)).title
            address = f"{posixpath.relpath(document.name, posixpath.dirname(holding.document.name) or '.')}#{section.slug}"
            said = f"{title} by {attributes}" if attributes else title
            return f"{escape(said)}: [{escape(document.title)}, {escape(section.title)}]({address})"
    return ""


def _displays(document: Document) -> Iterator[tuple[int, set[tuple[str, str, tuple[str, ...]]]]]:
    """Where tables and charts stand, and what each shows."""
    bare = replace(document, links=(), regions=(), images=())
    alone = [(region.start, replace(bare, regions=(region,))) for region in document.regions]
    alone += [(image.start, replace(bare, images=(image,))) for image in document.images]
    for start, one in alone:
        yield start, {(evidence, metric, by) for evidence, metric, _, by in cited.facts(one).shown}
