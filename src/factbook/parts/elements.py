"""The parts of the system as a table, from `system:` of factbook.yaml: `<!-- fact:part elements -->`. The diagrams show the same."""

from __future__ import annotations

import posixpath

from factbook.documents.regions import escape
from factbook.errors import DocumentError
from factbook.manifest import Element
from factbook.parts import Holding, Words


def write(words: Words, holding: Holding) -> str:
    """A row for each element: what it is, what it is inside of, what it is made with, what was measured of it and which document describes it.

    Raises:
        DocumentError: the part is given a word, or no element is declared.
    """
    words.only()
    elements = holding.catalog.manifest.system.elements
    if not elements:
        raise DocumentError("no element is declared", remedy="declare elements under `system:` of factbook.yaml")
    lines: list[tuple[str, ...]] = [("Part", "Kind", "Inside", "Made with", "What it does", "Measured as"), ("---",) * 6]
    lines += [_row(item, elements[item.inside].title if item.inside else "–", holding) for item in elements.values()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(item: Element, inside: str, holding: Holding) -> tuple[str, ...]:
    title = escape(item.title)
    if item.document in {document.name for document in holding.documents}:
        title = f"[{title}]({posixpath.relpath(item.document, posixpath.dirname(holding.document.name) or '.')})"
    kind = f"{item.kind}, outside" if item.outside else item.kind
    return title, kind, escape(inside), escape(item.technology or "–"), escape(item.description or "–"), escape(", ".join(item.evidence) or "–")
