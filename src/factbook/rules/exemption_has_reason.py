"""An exemption names a rule that can be exempted, says why, and exempts something.

Why: a comment that silences a rule without a reason hides what the rule was for.

Bad:  <!-- factbook: allow FB301 -->
Good: <!-- factbook: allow FB301 because the interval stands in the table above -->

It covers the passage after it, or the whole document where it stands before the first heading; every report lists it. What is false, out of
date or unsafe cannot be exempted.
Fix: give the reason after `because`, or remove the comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook import shelf
from factbook.rules import Checked, Problem, Severity
from factbook.rules.exemptions import Exemption, can_be_exempt

CODE: Final = "FB310"
NAME: Final = "exemption-has-reason"
EXEMPTABLE: Final = False


def check(checked: Checked) -> Iterator[Problem]:
    """Read the comments of every document."""
    rules = {rule.CODE: rule for rule in shelf.modules("rules").values()}
    for item in checked.exemptions:
        if not item.code:
            said, fix = "this exemption does not read", "write `<!-- factbook: allow CODE because REASON -->`"
        elif item.code not in rules:
            said, fix = f"there is no rule {item.code}", "`factbook check --explain` lists the rules"
        elif not can_be_exempt(rules[item.code]):
            said, fix = f"{item.code} cannot be exempted: what it finds is false, out of date or unsafe", "mend the passage"
        else:
            continue
        yield Problem(item.file, item.line, 1, said, fix)


def unused(item: Exemption) -> Problem:
    """What to say of a comment that exempted nothing, once all rules have judged."""
    return Problem(item.file, item.line, 1, f"{item.code} finds nothing here to exempt", "remove the comment", Severity.WARNING)
