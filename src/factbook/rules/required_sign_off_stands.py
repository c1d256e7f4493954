"""Every sign-off that the book's policy asks for is there and stands.

Why: a document that people rely on is vouched for by people, each for their part, and for what it says now and not for what it said once.

Bad:  required: [{document: model-card, section: Limits, role: clinician, people: 2}], and one clinician has signed
Bad:  both have signed, and then a figure in the section changed
Good: both have signed what stands there now

Fails from the stage that the requirement names (`from`; `released` where it names none), and is listed before. A sign-off that is carried (only
figures moved, within the tolerance that was signed) does not meet a requirement, and neither does one person with two keys.
Fix: have the section signed, again where it fell: factbook sign DOCUMENT --section HEADING. `factbook reviews` lists all that is wanted and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from factbook.manifest import FILE
from factbook.review.reviews import Asked
from factbook.rules import Checked, NotJudged, Problem

CODE: Final = "FB501"
NAME: Final = "required-sign-off-stands"
WHOLE: Final = True
EXEMPTABLE: Final = False


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Report what the policy asks for and nobody has signed as it is."""
    early: dict[int, list[Asked]] = {}
    for item in checked.reviews.asked:
        line = checked.lines.get(("review", "required", str(item.number)), 1)
        if item.met:
            continue
        if item.unverified:
            yield NotJudged(f"{item} is wanted", f"{item.why}; sign-offs cannot be verified here", FILE, line)
        elif checked.reached(item.required_from):
            yield Problem(FILE, line, 1, f"{item} is wanted: {item.why}", _command(item))
        else:
            early.setdefault(item.number, []).append(item)
    for number, items in early.items():
        first, others = items[0], f"; {len(items) - 1} more of that document likewise" if len(items) > 1 else ""
        line = checked.lines.get(("review", "required", str(number)), 1)
        yield NotJudged(f"{first} is wanted", f"{first.why}; required from {first.required_from} on{others}", FILE, line)


def _command(item: Asked) -> str:
    """How it is signed, by whoever may."""
    section = f' --section "{item.heading}"' if item.heading else ""
    return f'factbook sign {PurePosixPath(item.document).stem}{section} --role "{item.role}" --as … --key …'
