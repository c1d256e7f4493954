"""Diagrams of a document as pictures: where its Markdown holds Mermaid between two comments, a page or a paper shows SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from factbook import parts
from factbook.errors import FactbookError
from factbook.parts import Words, diagram
from factbook.parts.drawing import described, draw

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.publish import Publication

_TITLES = {
    "context": "The system and what surrounds it",
    "containers": "What the system consists of",
    "components": "The components",
    "data": "How data flow",
    "lineage": "From the data to the documents",
}


def at(publication: Publication, document: Document, offset: int) -> tuple[str, str] | None:
    """The drawing of the diagram part at a byte of a document, and what it shows in words; None where there is none."""
    part = document.part_at(offset)
    if part is None:
        return None
    try:
        words = Words.parse(part.arguments)
        if words.name != "diagram":
            return None
        found = diagram.shown(words, parts.Holding(publication.catalog, publication.documents, document))
    except FactbookError:
        return None
    return draw(found, _TITLES[words.given.get("level", "context")]), described(found)
