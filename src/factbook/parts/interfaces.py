"""What the parts of the system do with each other, as a table, from `system:` of factbook.yaml: `<!-- fact:part interfaces -->`."""

from __future__ import annotations

from factbook.documents.regions import escape
from factbook.errors import DocumentError
from factbook.parts import Holding, Words


def write(words: Words, holding: Holding) -> str:
    """A row for each relation: from where to where, what happens, over what, and which data flow.

    Raises:
        DocumentError: the part is given a word, or no relation is declared.
    """
    words.only()
    system = holding.catalog.manifest.system
    if not system.relations:
        raise DocumentError("no relation is declared", remedy="declare relations under `system:` of factbook.yaml")
    titles = {name: item.title for name, item in system.elements.items()}
    rows = [(titles[item.source], titles[item.target], item.label or "–", item.technology or "–", item.data or "–") for item in system.relations]
    lines = [("From", "To", "What happens", "Over", "Data"), ("---",) * 5, *(tuple(map(escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
