"""What the book is compared with still says what was quoted from it.

Why: a card that was corrected after it was quoted makes the comparison false.

Bad:  cards/bert.md changed after it was read
Good: factbook measure, then factbook update

Where the card or book is not here, that is not judged; `--require-sources` makes it a failure. Only `factbook measure` asks for a Git revision.
Fix: factbook measure
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.comparing import take
from factbook.evidence import State
from factbook.manifest import FILE
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB405"
NAME: Final = "quotation-is-current"
WHOLE: Final = True


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Report what was never read, what changed since, and what is not here."""
    if not checked.manifest.compared and not checked.catalog.evidence.quoted:
        return
    for item in take.standings(checked.root, checked.manifest, checked.catalog):
        line = checked.lines.get(("compared", item.entry), checked.lines.get(("compared",), 1))
        if item.state in {State.STALE, State.MISSING}:
            yield Problem(FILE, line, 1, f"compared.{item.name} is {item.state}: {item.reason}", item.fix)
        elif item.state is State.NOT_JUDGED and checked.require_sources:
            yield Problem(FILE, line, 1, f"compared.{item.name} cannot be judged: {item.reason}", "bring it here")
        elif item.state in {State.NOT_JUDGED, State.ORPHAN}:
            yield NotJudged(
                f"whether {item.name} still says what was quoted",
                f"{item.reason}; {item.fix}" if item.state is State.ORPHAN else item.reason,
                FILE,
                line,
            )
