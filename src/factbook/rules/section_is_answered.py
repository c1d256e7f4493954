"""The sections that a kind of document asks for are there, and something stands under them.

Why: a heading over nothing is not an answer, and neither is an open question.

Bad:  ## Ethical considerations        followed by nothing, by open questions only, or by "TBD" and "[More Information Needed]"
Good: ## Ethical considerations        followed by what is known, and by what is declared not to be known

Judged from the stage on that the kind names, and not before `validation`; earlier, what is missing is listed.
Fix: answer the question in the section's place, or cite a declared gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents.answers import says_something
from factbook.documents.kinds import Section
from factbook.documents.parse import Document, slug
from factbook.manifest import Stage
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB201"
NAME: Final = "section-is-answered"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Look for the sections of each document's kind."""
    for document in checked.documents:
        if "kind" in document.front and document.name not in checked.kinds:
            yield NotJudged("sections", f"there is no kind {document.kind!r}", document.name, 1)
        kind = checked.kinds.get(document.name)
        for section in kind.sections if kind else ():
            yield from _section(checked, document, section)
        if kind is not None and checked.reached(Stage.VALIDATION):
            yield from _questions(checked, document)


def due(required: Stage) -> Stage:
    """The stage from which on a missing part fails: never in draft."""
    return required if required is not Stage.DRAFT else Stage.VALIDATION


def _section(checked: Checked, document: Document, section: Section) -> Iterator[Problem | NotJudged]:
    found = [item for item in document.sections if item.slug == slug(section.heading)]
    reached = checked.reached(due(section.required_from))
    if not found:
        said = f"the section {section.heading!r} is missing"
        if reached:
            yield at(document, 0, said, f"add `## {section.heading}`: {section.purpose}")
        else:
            yield NotJudged(said, f"required from {due(section.required_from)} on", document.name, 1)
    for item in found:
        if reached and not says_something(document, item.start, item.end):
            yield at(document, item.start, f"nothing stands under {section.heading!r}", section.purpose)


def _questions(checked: Checked, document: Document) -> Iterator[Problem]:
    kind = checked.kinds[document.name]
    known = {question.id: question for question in kind.questions}
    for link in document.bound("question"):
        question = known.get(link.target)
        if question is not None and checked.reached(due(question.required_from)):
            yield at(document, link.start, f"still open: {question.ask}", f"to be answered by: {question.owner}")
