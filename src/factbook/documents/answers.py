"""What a document answers: which sections of its kind say something, and which of its questions are answered where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from factbook.documents import kinds
from factbook.documents.parse import Document, Kind, slug

_PLACEHOLDER: Final = re.compile(
    r"[\W_]*(?:(?:more|further) information (?:is )?needed|information (?:missing|to follow)|to[ -]?do|tb[acd]|fixme|xxx+|coming soon|lorem ipsum\b.*"
    r"|to be (?:added|announced|completed|confirmed|decided|defined|described|determined|done|filled in|provided|written)"
    r"|(?:fill in|insert|your)\b.{0,40}\bhere)?(?: later| soon)?[\W_]*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the id of its question or section, the items of regimes that it meets, and where it stands."""

    id: str
    meets: tuple[str, ...]
    document: str
    anchor: str
    heading: str
    start: int


def says_something(document: Document, start: int, end: int) -> bool:
    """Whether a part of a document says anything besides headings, comments, open questions and words that hold a place."""
    asked = {link.block for link in document.bound("question")}
    inside = (block for index, block in enumerate(document.blocks) if start <= block.start < end and index not in asked)
    return any(block.kind not in {Kind.HEADING, Kind.HTML} and not _PLACEHOLDER.fullmatch(block.text) for block in inside)


def answers(document: Document, kind: kinds.Kind) -> Iterator[Answer]:
    """The questions of the kind that are answered, in a passage that begins with their topic, and the sections that say something."""
    still_open = {link.name for link in document.bound("question")}
    for section in kind.sections:
        for found in document.sections:
            if found.slug != slug(section.heading):
                continue
            if says_something(document, found.start, found.end):
                yield Answer(section.id, section.meets, document.name, found.slug, section.heading, found.start)
            for question in section.questions:
                start = _passage(document, f"{question.topic}.", found.start, found.end)
                if question.id not in still_open and start is not None:
                    yield Answer(question.id, question.meets, document.name, found.slug, section.heading, start)


def _passage(document: Document, opening: str, start: int, end: int) -> int | None:
    """Where a passage stands that begins with a topic and goes on."""
    for block in document.blocks:
        opens, _, rest = block.text.lstrip().partition(opening)
        if start <= block.start < end and block.kind is not Kind.HEADING and not opens and rest and not _PLACEHOLDER.fullmatch(rest):
            return block.start
    return None
