"""Parts of documents that are written by a machine, between two comments, so that the Markdown stays readable without factbook.

    <!-- fact:part diagram level=containers -->
    ...
    <!-- /fact -->

Each module here is one kind of part: it defines `write(words, holding)`, which gives the Markdown that must stand there. `update` writes it, and
`check` compares what stands there with it: by blocks, texts and links, so that a formatter does no harm. What depends on facts belongs into value
links inside the part, where every rule sees it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from factbook import shelf
from factbook.documents import parse
from factbook.documents.parse import Document, Part
from factbook.errors import DocumentError, FactbookError
from factbook.evidence.catalog import Catalog
from factbook.regimes.coverage import Material


@dataclass(frozen=True)
class Holding:
    """What a part is written from: the facts of the book, its documents, and the document that the part stands in."""

    catalog: Catalog
    documents: tuple[Document, ...]
    document: Document

    @cached_property
    def elsewhere(self) -> Material:
        """What the other documents and the book itself have to hold against laws and standards: the same for every part of a document."""
        others = tuple(document for document in self.documents if document.name != self.document.name)
        return Material(self.catalog.manifest, self.catalog, others)


@dataclass(frozen=True, slots=True)
class Words:
    """The arguments of a part: NAME, then `name=value` once each."""

    name: str
    given: Mapping[str, str]

    @classmethod
    def parse(cls, arguments: str) -> Words:
        """Read the arguments of an opening comment.

        Raises:
            DocumentError: there is no name, or a word is not of the form name=value, or stands twice.
        """
        try:
            first, *rest = shlex.split(arguments)
        except ValueError as error:
            raise DocumentError(f"a part needs a name, not {arguments!r}", remedy="write <!-- fact:part NAME word=value -->") from error
        given: dict[str, str] = {}
        for word in rest:
            name, equals, value = word.partition("=")
            if not equals or name in given:
                raise DocumentError(f"{word!r} is no word of a part here", remedy="write word=value, once each")
            given[name] = value
        return cls(first, given)

    def only(self, *known: str) -> Words:
        """These words, if all of them are known.

        Raises:
            DocumentError: one is not.
        """
        for name in self.given:
            if name not in known:
                raise DocumentError(f"the part {self.name} has no word {name!r}", remedy=f"its words: {', '.join(known) or 'none'}")
        return self


def wanted(part: Part, holding: Holding) -> str:
    """The Markdown that must stand in a part.

    Raises:
        FactbookError: its words do not parse, or name what does not exist.
    """
    words = Words.parse(part.arguments)
    return str(shelf.find("parts", words.name).write(words, holding)).strip()


def defines(part: Part) -> bool:
    """Whether the numbers in a part belong to definitions, such as formulas, and not to what was measured: its module says `DEFINES = True`."""
    try:
        return bool(getattr(shelf.find("parts", Words.parse(part.arguments).name), "DEFINES", False))
    except FactbookError:
        return False


def agrees(document: Document, part: Part, text: str) -> bool:
    """Whether the part says exactly this, whatever its white space."""
    own = parse.parse(document.source[part.inner_start : part.inner_end].decode(), document.name)
    return _shape(own) == _shape(parse.parse(text, document.name))


def _shape(document: Document) -> tuple[object, ...]:
    blocks = tuple((block.kind, block.level, block.quote >= 0, " ".join(block.text.split())) for block in document.blocks)
    links = tuple((link.scheme, link.target, link.block) for link in document.links)
    return blocks, links, tuple((image.path, image.title, image.alt) for image in document.images)


def update(document: Document, documents: Sequence[Document], catalog: Catalog) -> bytes:
    """The document's bytes with every part as it must be; valid parts are left alone, and those that cannot be written are left to the rules."""
    source = document.source
    holding = Holding(catalog, tuple(documents), document)
    for part, text in reversed(list(_changed(document, holding))):
        end = "\r\n" if b"\r\n" in source else "\n"
        source = source[: part.inner_start] + f"\n\n{text}\n\n".replace("\n", end).encode() + source[part.inner_end :]
    return source


def _changed(document: Document, holding: Holding) -> Iterator[tuple[Part, str]]:
    for part in document.parts:
        try:
            text = wanted(part, holding)
        except FactbookError:
            continue
        if not agrees(document, part, text):
            yield part, text
