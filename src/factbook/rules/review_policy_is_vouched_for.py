"""The policy under which sign-offs were made is the present one, or its keeper has signed every change since.

Why: who may sign, with which key, and what has to be signed stands in factbook.yaml, which many people can edit. A key that is swapped or a
requirement that is dropped is to be seen, by more than a line in a diff.

Bad:  Anna signed; then her key, or anybody's, is replaced by another
Bad:  Anna signed; then a requirement is dropped
Good: the keeper, a role that the policy names, has signed the change: factbook sign policy --role ROLE --as PERSON

Every sign-off holds the policy under which it was made, so that the keeper of *that* policy vouches for what follows it. Where a policy names no
keeper, everything is signed again. Sign-offs that their signer has renewed since, with the same key, do not count. A warning in draft, fails from
`validation` on.
Fix: let the keeper look at what changed and sign it; else sign the documents again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.manifest import FILE, Stage
from factbook.review.judging import Cause, Verdict
from factbook.rules import Checked, Problem

CODE: Final = "FB503"
NAME: Final = "review-policy-is-vouched-for"
WHOLE: Final = True
EXEMPTABLE: Final = False


def check(checked: Checked) -> Iterator[Problem]:
    """Report each change of the policy that no keeper has signed."""
    renewed = {_whose(verdict): verdict.sign_off.time for verdict in checked.reviews.verdicts if verdict.cause is not Cause.POLICY}
    lapsed: dict[str, list[Verdict]] = {}
    for verdict in checked.reviews.verdicts:
        if verdict.cause is Cause.POLICY and renewed.get(_whose(verdict), verdict.sign_off.time) <= verdict.sign_off.time:
            lapsed.setdefault(verdict.why, []).append(verdict)
    line = checked.lines.get(("review",), 1)
    for why, verdicts in sorted(lapsed.items()):
        names = ", ".join(sorted({verdict.sign_off.person for verdict in verdicts}))
        count = f"{len(verdicts)} sign-off{'' if len(verdicts) == 1 else 's'} by {names}"
        yield Problem(FILE, line, 1, f"{count}: {why}", "factbook sign policy", checked.due(Stage.VALIDATION))


def _whose(verdict: Verdict) -> tuple[bytes, str, str, str]:
    """Who signed what; with another key it may be somebody else."""
    return verdict.key, verdict.sign_off.person, verdict.sign_off.role, verdict.sign_off.place
