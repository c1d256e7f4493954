"""Every block of code that was run came to its end.

Why: a reader who follows a tutorial stops where the code stops.

Bad:  `model.score(X_tset, y_test)` in a tutorial: NameError
Good: code that runs from the first block to the last

The line is that of the failure. Code that has changed since is judged by FB402 only.
Fix: mend the block, then `factbook run DOCUMENT`. A failure that is the lesson is caught in the code, or its block says `no-run`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import executable
from factbook.errors import DocumentError
from factbook.evidence.sessions import Ended
from factbook.rules import Checked, Problem

CODE: Final = "FB403"
NAME: Final = "code-succeeds"


def check(checked: Checked) -> Iterator[Problem]:
    """Report the block that failed, and how many were not run for it."""
    for document in checked.documents:
        try:
            code, name = executable.code(document), executable.name_of(document)
        except DocumentError:
            continue
        session = checked.catalog.evidence.sessions.get(name)
        if session is None or session.document != document.name:
            continue
        left = sum(block.ended is Ended.NOT_RUN for block in session.blocks)
        for block, done in zip(code, session.blocks, strict=False):
            if done.ended is Ended.FAILED and done.digest == block.digest:
                more = f"; {left} more block{'s were' if left > 1 else ' was'} not run" if left else ""
                line = document.place(block.body)[0] + max(done.line, 1) - 1
                yield Problem(document.name, line, 1, f"this code failed: {done.said}{more}", f"mend it, then factbook run {name}")
