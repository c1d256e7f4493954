"""A table between fact comments holds what the evidence says, cell by cell.

Why: a generated table is believed. A cell that was changed by hand, or a row that was taken out, is a lie that looks like a measurement.

Bad:  a row of the region is deleted, or 43.8 % becomes 34.8 %
Good: change the arguments of the comment, then `factbook update`

White space and alignment do not count, so Prettier and mdformat do no harm.
Fix: `factbook update` writes the table again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Document, Kind, PieceKind, Region
from factbook.documents.regions import Table, expected
from factbook.errors import FactbookError
from factbook.rules import Checked, Problem, at

CODE: Final = "FB108"
NAME: Final = "region-is-unchanged"
_FIX: Final = "factbook update"
_TOO_MUCH: Final = "is not in the evidence, or stands here twice"
_NOT_PLAIN: Final = frozenset({PieceKind.HTML, PieceKind.FOOTNOTE})
Row = tuple[str, ...]


def check(checked: Checked) -> Iterator[Problem]:
    """Compare every region with the table that the evidence gives."""
    for document in checked.documents:
        for region in document.regions:
            try:
                wanted = expected(region, checked.catalog)
            except FactbookError as error:
                yield at(document, region.start, error.message, error.remedy)
                continue
            yield from _strays(document, region)
            yield from _table(document, region, wanted)


def _strays(document: Document, region: Region) -> Iterator[Problem]:
    """What stands between the comments and is not the plain text of a table."""
    inside = [block for block in document.blocks if region.inner_start <= block.start < region.inner_end]
    others = [block.start for block in inside if block.kind is not Kind.CELL]
    changed = [piece.start for block in inside for piece in block.pieces if piece.struck or piece.image >= 0 or piece.kind in _NOT_PLAIN]
    if region.stray and not others:
        others = [region.inner_start]
    for offset in sorted({*others, *changed}):
        yield at(document, offset, "something other than the table stands between the comments", "move it outside, then factbook update")


def _table(document: Document, region: Region, wanted: Table) -> Iterator[Problem]:
    right = [tuple(" ".join(text.split()) for text in row) for row in (wanted.header, *wanted.rows)]
    if not region.rows:
        yield at(document, region.start, "the table is missing", _FIX)
        return
    if region.rows[0] != right[0]:
        yield at(document, region.start, "the table has other columns than these arguments give", _FIX)
    yield from _row(document, region, 0, right[0])
    yield from _rows(document, region, right[1:], wanted.names)


def _rows(document: Document, region: Region, right: list[Row], names: int) -> Iterator[Problem]:
    """Rows are known by their names: what is missing is reported where it should stand, what is too much or changed where it stands."""
    index = 1
    while index < len(region.rows):
        name = region.rows[index][:names]
        left = {row[:names] for row in region.rows[index:]}
        if right and name == right[0][:names]:
            yield from _row(document, region, index, right.pop(0))
        elif right and right[0][:names] not in left:
            if name in {row[:names] for row in right}:
                yield at(document, region.row_starts[index], f"the row {' | '.join(right.pop(0))} is missing", _FIX)
                continue
            yield from _row(document, region, index, right.pop(0))
        else:
            known = next((row for row in right if row[:names] == name), None)
            yield at(
                document, region.row_starts[index], f"the row {' | '.join(region.rows[index])} " + ("is out of place" if known else _TOO_MUCH), _FIX
            )
            if known:
                right.remove(known)
        index += 1
    after = document.source.find(b"\n", region.row_starts[-1]) + 1
    for row in right:
        yield at(document, after, f"the row {' | '.join(row)} is missing", _FIX)


def _row(document: Document, region: Region, index: int, right: Row) -> Iterator[Problem]:
    found = region.rows[index]
    if len(right) != len(found):
        yield at(document, region.row_starts[index], f"the row {' | '.join(found)} has {len(found)} cells where the evidence has {len(right)}", _FIX)
        return
    for column, (said, true) in enumerate(zip(found, right, strict=True)):
        if said != true:
            yield at(document, region.cell_starts[index][column], f"{said!r} stands where the evidence says {true!r}", _FIX)
