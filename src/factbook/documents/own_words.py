"""The words of a section by themselves: without its subsections, without what a machine writes, and with a fact in the place of its figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from factbook.documents.parse import Block, Document, Kind, PieceKind

Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """A section's title and its own words, without its subsections."""

    title: str
    words: tuple[str, ...]


def sections(document: Document) -> dict[Name, Own]:
    """The sections of a document by the headings above them; a further one of the same name is numbered."""
    found: dict[Name, Own] = {}
    above: list[tuple[int, str]] = []
    for section in document.sections:
        above = [item for item in above if item[0] < section.level] + [(section.level, section.slug)]
        name: Name = tuple(slug for _, slug in above)
        number = 2
        while name in found:
            name, number = (*name[:-1], f"{section.slug}-{number}"), number + 1
        found[name] = Own(section.title, tuple(_words(document, section.block)))
    return found


def _words(document: Document, heading: int) -> Iterator[str]:
    for block in document.blocks[heading + 1 :]:
        if block.kind is Kind.HEADING:
            return
        if document.region_at(block.start) is None and document.part_at(block.start) is None:
            yield from _said(document, block)


def _said(document: Document, block: Block) -> list[str]:
    """The words of a block; a link to a fact is the fact, whatever its figure."""
    said, last = "", -1
    for piece in block.pieces:
        if piece.kind is PieceKind.HTML:
            continue
        link = document.links[piece.link] if piece.link >= 0 else None
        if link is None or link.scheme != "fact":
            said += piece.text
        elif piece.link != last:
            said += f"[fact:{link.target}]"
        last = piece.link
    return said.split()
