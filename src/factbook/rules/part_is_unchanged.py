"""A part between fact comments, such as a diagram or a glossary, says what the book says.

Why: a generated part is believed. One that was changed by hand, or that its book has left behind, is a lie that looks generated.

Bad:  a box of the diagram is renamed by hand
Good: change `system:` in factbook.yaml, then `factbook update`

White space does not count, so Prettier and mdformat do no harm.
Fix: `factbook update` writes the part again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook import parts
from factbook.errors import FactbookError
from factbook.rules import Checked, Problem, at

CODE: Final = "FB112"
NAME: Final = "part-is-unchanged"


def check(checked: Checked) -> Iterator[Problem]:
    """Compare every part with what must stand there."""
    for document in checked.documents:
        holding = parts.Holding(checked.catalog, tuple(checked.others), document)
        for part in document.parts:
            try:
                text = parts.wanted(part, holding)
            except FactbookError as error:
                yield at(document, part.start, error.message, error.remedy)
                continue
            if not parts.agrees(document, part, text):
                yield at(document, part.start, f"this part is not what the book says: {part.arguments}", "factbook update")
