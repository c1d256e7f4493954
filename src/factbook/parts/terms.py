"""The words and abbreviations that factbook.yaml declares under `terms`, by name: `<!-- fact:part terms -->`."""

from __future__ import annotations

from factbook.documents.regions import escape
from factbook.errors import DocumentError
from factbook.parts import Holding, Words


def write(words: Words, holding: Holding) -> str:
    """A table of the terms.

    Raises:
        DocumentError: the part is given a word, or no term is declared.
    """
    words.only()
    terms = holding.catalog.manifest.terms
    if not terms:
        raise DocumentError("no term is declared", remedy="declare words under `terms` of factbook.yaml")
    rows = [(name, terms[name].short or "–", terms[name].means) for name in sorted(terms, key=str.casefold)]
    lines = [("Term", "Short", "Meaning"), ("---",) * 3, *(tuple(map(escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
