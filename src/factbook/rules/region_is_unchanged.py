"""A table between fact comments holds what the evidence says, cell by cell.

Why: a generated table is believed. A cell that was changed by hand, or a row that was taken out, is a lie that looks like a measurement.

Bad:  a row of the region is deleted, or 43.8 % becomes 34.8 %
Good: change the arguments of the comment, then `factbook update`

White space and alignment do not count, so Prettier and mdformat do no harm.
Fix: `factbook update` writes the table again.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

from factbook.documents.parse import Document, Region
from factbook.documents.regions import Table, expected
from factbook.errors import FactbookError
from factbook.rules import Checked, Problem, at

CODE: Final = "FB108"
NAME: Final = "region-is-unchanged"
_FIX: Final = "factbook update"


def check(checked: Checked) -> Iterator[Problem]:
    """Compare every region with the table that the evidence gives."""
    for document in checked.documents:
        for region in document.regions:
            try:
                wanted = expected(region, checked.catalog)
            except FactbookError as error:
                yield at(document, region.start, error.message, error.remedy)
                continue
            if region.stray:
                yield at(
                    document,
                    region.inner_start,
                    "something other than the table stands between the comments",
                    "move it outside, then factbook update",
                )
            yield from _rows(document, region, wanted)


def _rows(document: Document, region: Region, wanted: Table) -> Iterator[Problem]:
    right = [tuple(" ".join(text.split()) for text in row) for row in (wanted.header, *wanted.rows)]
    found = list(region.rows)
    if not found or found[0] != right[0]:
        yield at(document, region.start, "the table is not the one that its comment asks for", _FIX)
    for step, a, b, c, d in SequenceMatcher(None, found, right, autojunk=False).get_opcodes():
        if step == "equal":
            continue
        for index in range(a, b):
            yield from _row(document, region, index, right[c + index - a] if c + index - a < d else None)
        for row in right[c + (b - a) : d]:
            place = region.row_starts[min(b, len(found) - 1)] if found else region.start
            yield at(document, place, f"the row {' | '.join(row)} is missing", _FIX)


def _row(document: Document, region: Region, index: int, right: tuple[str, ...] | None) -> Iterator[Problem]:
    found = region.rows[index]
    if right is None or len(right) != len(found):
        yield at(document, region.row_starts[index], f"the row {' | '.join(found)} is not in the evidence", _FIX)
        return
    for column, (said, true) in enumerate(zip(found, right, strict=True)):
        if said != true:
            yield at(document, region.cell_starts[index][column], f"{said!r} stands where the evidence says {true!r}", _FIX)
