"""Every item of a law or standard that factbook.yaml names, and that applies on the day of the check, is met or does not apply for a reason.

Why: to name a law in the book and to leave its items open looks like compliance and is none.

Bad:  regimes: [model-cards], and the card says nothing about the intended use
Good: regimes: {model-cards: {not_applicable: {"mitchell:details.license": never given to anybody}}}, and every other item is met

A heading, a gap or an open question is no answer. Judged from the stage `released` on; earlier, what is open is counted and listed. What a regime
only recommends is never a finding; what `met_by` names has to exist, at any stage. `factbook coverage` prints every item; `factbook check --on DATE`
judges as of another day.
Fix: answer the item in a document, show the fact, or say under `regimes:` what meets it or why it does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.errors import UnknownName
from factbook.manifest import FILE, Stage
from factbook.regimes.coverage import Coverage, Material, Row, State
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB203"
NAME: Final = "regime-is-answered"
WHOLE: Final = True


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Hold the book against every regime that it names."""
    material = Material(checked.manifest, checked.catalog, checked.documents, checked.reviews.signed) if checked.manifest.regimes else None
    for name in checked.manifest.regimes if material else ():
        line = checked.lines.get(("regimes", name), checked.lines.get(("regimes",), 1))
        try:
            found = material.cover(name, checked.on) if material else None
        except UnknownName as error:
            yield Problem(FILE, line, 1, error.message, error.remedy)
            continue
        if found is not None and material:
            yield from _open(checked, found, line)
            yield from _nowhere(checked, material, name, line)


def _open(checked: Checked, found: Coverage, line: int) -> Iterator[Problem | NotJudged]:
    rows = [row for row in found.rows if row.state in {State.OPEN, State.PARTLY} and not row.item.optional]
    if checked.reached(Stage.RELEASED):
        yield from (Problem(FILE, line, 1, _said(found, row), f"factbook coverage {found.regime.name}") for row in rows)
    elif rows:
        items = "1 item is" if len(rows) == 1 else f"{len(rows)} items are"
        yield NotJudged(f"{items} not met yet: {found.regime.name}", f"required from {Stage.RELEASED} on", FILE, line)


def _nowhere(checked: Checked, material: Material, name: str, line: int) -> Iterator[Problem]:
    for item, place in material.nowhere(name):
        where = checked.lines.get(("regimes", name, "met_by", item), line)
        said = f"{item} is said to be met by {place}, which is no section of a document and no fact"
        yield Problem(FILE, where, 1, said, "name a section as documents/FILE.md#SECTION, or a fact by its key")


def _said(found: Coverage, row: Row) -> str:
    state = "is met only partly" if row.state is State.PARTLY else "is open"
    return f"{found.regime.title}, {row.item.cite} ({row.item.id}) {state}: {row.item.ask}; missing: {row.missing}"
