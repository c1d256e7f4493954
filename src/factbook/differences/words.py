"""What was reworded between two versions, section by section, word by word. A figure that moved is no rewording: figures are compared as facts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from factbook.documents.own_words import Name, Own, sections
from factbook.documents.parse import Document

CONTEXT: Final = 6
_MARKED: Final = {"equal": "", "delete": "~~", "insert": "**"}


@dataclass(frozen=True, slots=True)
class Rewording:
    """A section that was reworded, is new or is gone. `runs` are the words in order: (equal, delete or insert; the words)."""

    document: str
    section: str
    slug: str
    what: str
    runs: tuple[tuple[str, str], ...] = ()


def rewordings(before: Sequence[Document], after: Sequence[Document]) -> tuple[Rewording, ...]:
    """All sections that were reworded, in the order of the later version, then those that are gone."""
    old, new = ({document.name: document for document in side} for side in (before, after))
    found: list[Rewording] = []
    for name in [*new, *(name for name in old if name not in new)]:
        if name in old and name in new:
            found += _compared(name, sections(old[name]), sections(new[name]))
        else:
            found.append(Rewording(name, (new.get(name) or old[name]).title, "", "is a new document" if name in new else "is gone"))
    return tuple(found)


def _compared(document: str, old: dict[Name, Own], new: dict[Name, Own]) -> Iterator[Rewording]:
    for name, own in new.items():
        slug = "/".join(name)
        if name not in old:
            yield Rewording(document, own.title, slug, "is new", (("insert", " ".join(own.words)),) if own.words else ())
        elif old[name].words != own.words:
            yield Rewording(document, own.title, slug, "was reworded", tuple(_runs(old[name].words, own.words)))
    for name, own in old.items():
        if name not in new:
            yield Rewording(document, own.title, "/".join(name), "is gone", (("delete", " ".join(own.words)),) if own.words else ())


def _runs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The words of both versions; of long stretches that are equal only the ends."""
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (step, low, high, start, end) in enumerate(steps):
        if step == "equal":
            yield "equal", _ends(old[low:high], first=place == 0, last=place == len(steps) - 1)
        if step in ("delete", "replace"):
            yield "delete", " ".join(old[low:high])
        if step in ("insert", "replace"):
            yield "insert", " ".join(new[start:end])


def _ends(words: Sequence[str], *, first: bool, last: bool) -> str:
    if len(words) <= 2 * CONTEXT:
        return " ".join(words)
    before = [] if first else words[:CONTEXT]
    after = [] if last else words[-CONTEXT:]
    return " ".join([*before, "…", *after])


def marked(run: tuple[str, str], text: str) -> str:
    """A run as Markdown: what went struck through, what came in bold."""
    mark = _MARKED[run[0]]
    return f"{mark}{text}{mark}" if text else ""
