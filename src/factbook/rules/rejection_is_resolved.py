"""Nobody rejects what stands there.

Why: a rejection that is kept in a drawer is no review. Whoever publishes what a reviewer rejected has to change it, or to change their mind.

Bad:  Anna signs `rejected`, because the limits leave out children, and the section stays as it is
Good: the section is rewritten, and Anna signs it `approved`
Good: Anna has looked again, and signs the same words `approved`

A rejection speaks of the words and facts that were there: when they change it has fallen, and the section is to be signed anew. A warning in draft,
fails from `validation` on; it cannot be exempted.
Fix: change what was rejected, for the reason that is given, or ask the reviewer to look again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.manifest import Meaning, Stage
from factbook.rules import Checked, Problem

CODE: Final = "FB504"
NAME: Final = "rejection-is-resolved"
WHOLE: Final = True
EXEMPTABLE: Final = False


def check(checked: Checked) -> Iterator[Problem]:
    """Report rejections that stand."""
    documents = {document.name: document for document in checked.documents} if checked.reviews.holding else {}
    for verdict in checked.reviews.holding:
        said = verdict.sign_off
        if said.meaning is not Meaning.REJECTED or said.document not in documents:
            continue
        document = documents[said.document]
        start = next((section.start for section in document.sections if section.slug == said.anchor), 0)
        line, column = document.place(start)
        message = f"rejected by {checked.reviews.policy.people[said.person].name} ({said.role}) on {said.time.date()}: {said.note}"
        yield Problem(document.name, line, column, message, "change it, or ask them to look again", checked.due(Stage.VALIDATION))
