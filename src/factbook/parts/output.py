"""What a block of code printed when the document was last run: `<!-- fact:part output block=1 -->`. `factbook run` puts it after the block."""

from __future__ import annotations

from factbook.documents import executable
from factbook.errors import DocumentError
from factbook.parts import Holding, Words


def write(words: Words, holding: Holding) -> str:
    """The output as a fenced block.

    Raises:
        DocumentError: the document was not run, or has no such block.
    """
    number = words.only("block").given.get("block", "")
    session = holding.catalog.evidence.sessions.get(executable.name_of(holding.document))
    if session is None or session.document != holding.document.name:
        raise DocumentError("the code of this document was never run", remedy=f"factbook run {executable.name_of(holding.document)}")
    if not number.isdigit() or not 1 <= int(number) <= len(session.blocks):
        raise DocumentError(f"the part output has block={number!r}; there are {len(session.blocks)} blocks", remedy="factbook run writes this part")
    return executable.shown(session.blocks[int(number) - 1])
