"""The text of a `quoted:` link: what another book or a published card says, as it was read. It is never a fact of this book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from factbook.documents import agreement, spelling
from factbook.evidence.quoted import DATA, SAYS

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog


def text(target: str, catalog: Catalog) -> str:
    """The words of a statement; a figure of a book as documents write facts.

    Raises:
        UnknownName: nobody says so.
    """
    thing, statement = catalog.quoted(target)
    if statement.startswith((SAYS, DATA)):
        return thing.text(statement)
    figure = thing.figure(statement)
    return spelling.spell(figure.fact) if figure.fact is not None else figure.text


def fault(said: str, target: str, catalog: Catalog) -> str | None:
    """Why a text is not what was said, or None where it is: word by word; a figure of a book in any shape that a fact may have.

    Raises:
        UnknownName: nobody says so.
    """
    wanted = text(target, catalog)
    if " ".join(said.split()) == " ".join(wanted.split()):
        return None
    thing, statement = catalog.quoted(target)
    fact = None if statement.startswith((SAYS, DATA)) else thing.figure(statement).fact
    return agreement.disagreement(said, fact) if fact is not None else f"it says {wanted!r}"


def data(target: str, catalog: Catalog) -> str:
    """The data of a figure in words; '' for what is no figure.

    Raises:
        UnknownName: nobody says so.
    """
    thing, statement = catalog.quoted(target)
    if statement.startswith((SAYS, DATA)):
        return ""
    found = thing.data.get(thing.figure(statement).data)
    return found.words if found is not None else "not named"
