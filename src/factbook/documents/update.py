"""`factbook update`: the only thing that edits documents, byte for byte elsewhere.

It fills empty value links, corrects texts that are no longer the fact in the shape in which they stand, and regenerates tables and charts
that differ. Valid text is left alone, and so are the words of a claim: those are for a person to change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from factbook import charts
from factbook.documents import quotes
from factbook.documents.agreement import disagreement, respell
from factbook.documents.regions import escape, regenerated
from factbook.errors import FactbookError
from factbook.model import Fact, Key

if TYPE_CHECKING:
    from factbook.documents.parse import Document, Link
    from factbook.evidence.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes to put in place of `start`..`end`."""

    start: int
    end: int
    data: bytes


def update(document: Document, catalog: Catalog, *, parts_only: bool = False) -> bytes:
    """The document's bytes with every value link and table as the facts are now; with `parts_only`, those in written parts."""
    edits = sorted((*_link_edits(document, catalog), *_region_edits(document, catalog)), key=lambda edit: edit.start)
    parts, position = [], 0
    for edit in edits:
        if parts_only and document.part_at(edit.start) is None:
            continue
        parts += [document.source[position : edit.start], edit.data]
        position = edit.end
    return b"".join([*parts, document.source[position:]])


def drawings(document: Document, catalog: Catalog) -> dict[str, bytes]:
    """The charts that the document shows: file (relative to the book) and its bytes. A chart that cannot be drawn is left to the rules."""
    drawn: dict[str, bytes] = {}
    for image in document.images:
        if not image.title.startswith(charts.PREFIX):
            continue
        try:
            spec = charts.ChartSpec.parse(image.title)
            drawn[charts.path(spec)] = charts.render(spec, catalog).encode()
        except FactbookError:
            continue
    return drawn


def _region_edits(document: Document, catalog: Catalog) -> Iterator[Edit]:
    for region in document.regions:
        data = regenerated(document, region, catalog)
        if data is not None:
            yield Edit(region.inner_start, region.inner_end, data)


def _link_edits(document: Document, catalog: Catalog) -> Iterator[Edit]:
    for link in document.links:
        if link.bound and not link.shortcut and document.region_at(link.start) is None:
            text = wanted(link, catalog)
            if text is not None:
                yield Edit(link.text_start, link.text_end, text.encode())


def wanted(link: Link, catalog: Catalog) -> str | None:
    """The text that must stand in the link as Markdown, or None where it is to be left alone."""
    try:
        if link.scheme == "fact":
            return _fact_text(link, catalog)
        if link.scheme == "declared":
            value = catalog.declared(link.target).value
            return None if " ".join(link.text.split()) == " ".join(value.split()) else escape(value)
        if link.scheme == "quoted":
            return None if quotes.fault(link.text, link.target, catalog) is None else escape(quotes.text(link.target, catalog))
        if link.text.strip():
            return None
        if link.scheme == "gap":
            return escape(catalog.gap(link.name).why)
        if link.scheme == "policy":
            return escape(catalog.policy(link.name).text)
    except FactbookError:
        return None
    return None


def _fact_text(link: Link, catalog: Catalog) -> str | None:
    key = Key.parse(link.target)
    fact = catalog.fact(key)
    thresholds = catalog.thresholds_for(key)
    if link.text.strip() and disagreement(link.text, fact, thresholds) is None:
        return None
    text = respell(link.text, fact, thresholds)
    return escape(text) if _wordy(fact) else text


def _wordy(fact: Fact) -> bool:
    return fact.measured and isinstance(fact.value, str)
