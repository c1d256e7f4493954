"""The evidence was measured from the sources as they are now, by the plan as it is now.

Why: a number that was true of last month's data is not a number about this month's.

Bad:  data/holdout.csv has changed since `performance` was measured
Good: factbook measure

Where a source is not here (a build server without the data), freshness is not judged; `--require-sources` makes that a failure.
Fix: factbook measure
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.evidence.plan import State
from factbook.manifest import FILE
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB401"
NAME: Final = "evidence-is-fresh"
WHOLE: Final = True
_FEW: Final = 20  # beyond that the file as a whole is in doubt, and the finding in factbook.yaml says so


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Report what is stale, missing, left over, or cannot be judged."""
    for item in checked.freshness:
        line = checked.lines.get(("plan", item.name), checked.lines.get(("plan",), 1))
        if item.state in {State.STALE, State.MISSING}:
            yield Problem(FILE, line, 1, f"{item.name} is {item.state}: {item.reason}", "factbook measure")
        elif item.state is State.NOT_JUDGED and checked.require_sources:
            yield Problem(FILE, line, 1, f"{item.name} cannot be judged: {item.reason}", "bring the source here")
        elif item.state in {State.NOT_JUDGED, State.ORPHAN}:
            yield NotJudged(f"freshness of {item.name}", item.reason, FILE, line)
    for record in checked.catalog.evidence.records.values():
        for key in record.unvouched if len(record.unvouched) <= _FEW else ():
            file, line = checked.catalog.evidence.place(key)
            yield Problem(
                file, line, 1, f"no run vouches for {key}: it was edited, or merged from elsewhere", f"factbook measure {record.name} --force"
            )
