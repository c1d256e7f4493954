"""Every file under `reviews/` is a sign-off of this book, made with a key of the person whom it names, in a role that they hold.

Why: a sign-off that was edited, copied from another book or made with somebody else's key says that a person vouched for what they never saw.

Bad:  the payload was edited after it was signed
Bad:  reviews/ holds a sign-off of another book
Good: the file is as `factbook sign` wrote it

Wherever the file lies and whatever it is called, only what was signed in it counts: book, document, section, person, role, time and policy.
Fix: bring the file back from the repository's history, or delete it; nothing that was signed rightly is lost by that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.review import FOLDER
from factbook.review.judging import Standing
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB502"
NAME: Final = "sign-off-is-genuine"
WHOLE: Final = True
EXEMPTABLE: Final = False
_FIX: Final = "bring the file back as it was signed, or delete it"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Report files that are no sign-offs, and sign-offs that are not what they say."""
    for error in checked.reviews.damaged:
        file, _, said = error.message.partition(": ")
        yield Problem(file.partition(":")[0], 1, 1, said, _FIX)
    for verdict in checked.reviews.verdicts:
        if verdict.standing is Standing.INVALID:
            yield Problem(verdict.sign_off.file, 1, 1, verdict.why, _FIX)
    unverified = [verdict for verdict in checked.reviews.verdicts if verdict.standing is Standing.UNVERIFIED]
    if unverified:
        yield NotJudged(f"{len(unverified)} sign-offs", f"they cannot be verified here: {unverified[0].why}", FOLDER)
