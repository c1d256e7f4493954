"""A claim link asserts the verdict that the evidence gives.

Why: "women are missed more often" is as much a statement as a number. The words are yours; whether they may stand is decided by the interval.

Bad:  [Women are missed more often](claim:women-missed-more)                        the verdict is not-established
Good: [A difference was not established](claim:women-missed-more?not-established)

Fix: write what the evidence says, and assert that verdict: nothing (it holds), ?not-established or ?broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.errors import FactbookError
from factbook.evidence.claims import Verdict
from factbook.rules import Checked, Problem, at

CODE: Final = "FB104"
NAME: Final = "verdict-is-asserted"
_ASSERTED: Final = {"": Verdict.HOLDS, "holds": Verdict.HOLDS, "not-established": Verdict.NOT_ESTABLISHED, "broken": Verdict.BROKEN}


def check(checked: Checked) -> Iterator[Problem]:
    """Compare the verdict that every `claim:` link asserts with the claim's own."""
    for document in checked.documents:
        for link in document.bound("claim"):
            try:
                claim = checked.catalog.claim(link.name)
            except FactbookError as error:
                yield at(document, link.start, error.message, error.remedy)
                continue
            if link.query not in _ASSERTED:
                yield at(document, link.start, f"there is no verdict {link.query!r}", "assert nothing, ?not-established or ?broken")
            elif claim.verdict is Verdict.NOT_EVALUABLE:
                yield at(document, link.start, f"{link.name} cannot be evaluated: {claim.reason}", "take the claim out, or measure what it needs")
            elif claim.verdict is not _ASSERTED[link.query]:
                interval = "" if claim.low is None else f" ({claim.quantity}: {claim.low:.4g} to {claim.high:.4g}, {claim.method})"
                said = f"{link.name} is asserted to be {_ASSERTED[link.query]} and is {claim.verdict}: {claim.expression}{interval}"
                if claim.reason:
                    said = f"{said}; {claim.reason}"
                query = "" if claim.verdict is Verdict.HOLDS else f"?{claim.verdict}"
                yield at(document, link.start, said, f"reword it, then assert claim:{link.name}{query}")
