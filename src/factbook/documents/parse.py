"""Reads Markdown into what the rest of factbook asks about: links, images, blocks of text, sections and regions, each with its byte range.

The grammar is plain CommonMark with GitHub's tables, footnotes, strikethrough and task lists, and YAML front matter. Nothing is evaluated.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, overload

from factbook.canon import load_yaml
from factbook.errors import DocumentError, FactbookError

SCHEMES: Final = ("fact", "claim", "gap", "policy", "declared", "quoted", "question")
Event = tuple[Any, int, int]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_OPEN = re.compile(rb"<!--[ \t]*fact:(table|part)\b(.*?)-->", re.DOTALL)
_CLOSE = re.compile(rb"<!--[ \t]*/fact[ \t]*-->")
_NUMBERING = re.compile(r"^\s*(?:\(?(?:\d+|[A-Za-z])(?:\.\d+)*[.)]|\d+(?:\.\d+)+|§\s*\d+(?:\.\d+)*)\s+")


class Kind(StrEnum):
    """What a block of text is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    CELL = "cell"
    CODE = "code"
    HTML = "html"


class PieceKind(StrEnum):
    """What a run of characters inside a block is."""

    TEXT = "text"
    CODE = "code"
    HTML = "html"
    BREAK = "break"
    FOOTNOTE = "footnote"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters: its plain text (entities and escapes resolved), its bytes, and the link or image (by index) it stands in."""

    kind: PieceKind
    text: str
    start: int
    end: int
    link: int = -1
    image: int = -1
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link. `scheme` is lower case as written ('' for a relative one), `target` what follows it, `text` its plain text.

    `start`/`end` are the bytes of the whole link, `text_start`/`text_end` those between the brackets; `reference` is the label of a reference
    link ('' for an inline one) and `shortcut` says that the label itself is the text.
    """

    scheme: str
    target: str
    text: str
    start: int
    end: int
    text_start: int
    text_end: int
    reference: str
    shortcut: bool
    block: int
    title: str = ""

    @property
    def bound(self) -> bool:
        """Whether this is a value link (or an open question) and not an ordinary one."""
        return self.scheme in SCHEMES

    @property
    def name(self) -> str:
        """The target up to a `?`: the name of a claim, gap, policy, declared number or question."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The target after a `?`."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Image:
    """An image: destination, title, alternative text, bytes, and the block it stands in."""

    path: str
    title: str
    alt: str
    start: int
    end: int
    block: int


@dataclass(frozen=True)
class Block:
    """A leaf block: a paragraph, heading, list item text, table cell, code or raw HTML; `quote` numbers the block quote it is in (-1: none)."""

    kind: Kind
    start: int
    end: int
    pieces: tuple[Piece, ...]
    quote: int = -1
    level: int = 0
    header: bool = False
    footnote: str = ""
    fenced: bool = False

    @functools.cached_property
    def text(self) -> str:
        """The plain text of all pieces but raw HTML."""
        return "".join(piece.text for piece in self.pieces if piece.kind is not PieceKind.HTML)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, subsections included. `block` is the index of the heading block."""

    title: str
    slug: str
    level: int
    start: int
    end: int
    block: int


@dataclass(frozen=True, slots=True)
class Region:
    """A regenerated part between `<!-- fact:table ARGUMENTS -->` and `<!-- /fact -->`. `start`/`end` cover both comments,
    `inner_start`/`inner_end` what is between them; `rows` are the plain texts of the cells found there, the header row first.
    """

    arguments: str
    start: int
    end: int
    inner_start: int
    inner_end: int
    rows: tuple[tuple[str, ...], ...]
    row_starts: tuple[int, ...]
    cell_starts: tuple[tuple[int, ...], ...]
    stray: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part that a machine writes, between `<!-- fact:part ARGUMENTS -->` and `<!-- /fact -->`; positions as in `Region`."""

    arguments: str
    start: int
    end: int
    inner_start: int
    inner_end: int


@dataclass(frozen=True)
class Document:
    """A Markdown document of a book. All positions are byte offsets in `source`; `place` turns one into line and column."""

    name: str
    source: bytes
    front: dict[str, Any]
    events: tuple[Event, ...]
    blocks: tuple[Block, ...]
    links: tuple[Link, ...]
    images: tuple[Image, ...]
    sections: tuple[Section, ...]
    regions: tuple[Region, ...]
    parts: tuple[Part, ...] = ()
    faults: tuple[tuple[int, str], ...] = ()
    definitions: dict[str, tuple[int, int]] = field(default_factory=dict)

    @functools.cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(rb"\r\n|\n|\r", self.source))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column (in characters), both from 1."""
        line = bisect.bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return line, len(self.source[start:offset].decode(errors="replace")) + 1

    @property
    def kind(self) -> str:
        """The kind of document: what the front matter says, else the name of the file (`model-card.md` is a model card)."""
        return str(self.front.get("kind") or Path(self.name).stem)

    @property
    def title(self) -> str:
        """The first heading, or the file's stem."""
        return self.sections[0].title if self.sections else Path(self.name).stem

    def region_at(self, offset: int) -> Region | None:
        """The region that the byte lies in, if any."""
        return next((region for region in self.regions if region.start <= offset < region.end), None)

    def part_at(self, offset: int) -> Part | None:
        """The machine-written part that the byte lies in, if any."""
        return next((part for part in self.parts if part.start <= offset < part.end), None)

    def section_at(self, offset: int) -> Section | None:
        """The innermost section that the byte lies in, if any."""
        found = [section for section in self.sections if section.start <= offset < section.end]
        return max(found, key=lambda section: section.level, default=None)

    def bound(self, scheme: str) -> Iterator[Link]:
        """All value links of one scheme."""
        return (link for link in self.links if link.scheme == scheme)


def read(path: Path, root: Path) -> Document:
    """Read a document of the book in `root`.

    Raises:
        DocumentError: not UTF-8, or its front matter cannot be read.
    """
    return decoded(path.read_bytes(), path.relative_to(root).as_posix())


def decoded(data: bytes, name: str) -> Document:
    """A document from its bytes.

    Raises:
        DocumentError: not UTF-8, or its front matter cannot be read.
    """
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(f"{name}:{line}: not UTF-8 (byte {error.start})", remedy="save the file as UTF-8") from error
    if b"\x00" in data:
        raise DocumentError(f"{name}: a NUL byte at {data.index(0)}", remedy="this is not a text file")
    return parse(data, name)


class Documents(Sequence[Document]):
    """The documents in a folder of a book, by name: their bytes are read at once, and each is parsed when it is first asked for.

    `drafts` take the place of files: the texts that an editor holds and has not saved.
    """

    def __init__(self, root: Path, folder: str, drafts: Mapping[str, bytes] | None = None) -> None:
        held = drafts or {}
        paths = {path.relative_to(root).as_posix(): path for path in (root / folder).rglob("*.md")}
        self.sources = {name: held[name] if name in held else paths[name].read_bytes() for name in sorted({*paths, *held}, key=Path)}
        self._parsed: dict[str, Document] = {}

    def named(self, name: str) -> Document:
        """One document.

        Raises:
            DocumentError: not UTF-8, or its front matter cannot be read.
        """
        if name not in self._parsed:
            self._parsed[name] = decoded(self.sources[name], name)
        return self._parsed[name]

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Document, ...]: ...
    def __getitem__(self, index: int | slice) -> Document | tuple[Document, ...]:
        names = list(self.sources)
        return self.named(names[index]) if isinstance(index, int) else tuple(map(self.named, names[index]))

    def __iter__(self) -> Iterator[Document]:
        return map(self.named, self.sources)


def parse(source: bytes | str, name: str = "document.md") -> Document:
    """Parse Markdown (UTF-8). Pure; the same bytes give the same document."""
    import pyromark

    data = source.encode() if isinstance(source, str) else source
    options = pyromark.Options
    wanted = (
        options.ENABLE_TABLES
        | options.ENABLE_FOOTNOTES
        | options.ENABLE_STRIKETHROUGH
        | options.ENABLE_TASKLISTS
        | options.ENABLE_YAML_STYLE_METADATA_BLOCKS
        | options.ENABLE_GFM
    )
    text = data.decode()
    events = tuple((event, span["start"], span["end"]) for event, span in pyromark.events_with_range(text, options=wanted))
    reader = _Reader(data, events)
    reader.run()
    definitions = {
        " ".join(label.split()).casefold(): (item["span"]["start"], item["span"]["end"])
        for label, item in pyromark.reference_definitions(text, options=wanted).items()
    }
    regions, parts, faults = _regions(data, events, reader.blocks)
    return Document(
        name=name,
        source=data,
        front=_front(events, name),
        events=events,
        blocks=tuple(reader.blocks),
        links=tuple(reader.links),
        images=tuple(reader.images),
        sections=_sections(reader.blocks, len(data)),
        regions=regions,
        parts=parts,
        faults=faults,
        definitions=definitions,
    )


_LEAVES: Final = {"Paragraph": Kind.PARAGRAPH, "Heading": Kind.HEADING, "TableCell": Kind.CELL, "CodeBlock": Kind.CODE, "HtmlBlock": Kind.HTML}
_INLINE_STARTS: Final = frozenset({"Link", "Image", "Strong", "Emphasis", "Strikethrough", "Superscript", "Subscript"})


def tag(event: Any) -> tuple[str, str, Any]:
    """(`Start`, `End` or the event's own name; the tag's name or ''; its attributes or text)."""
    if isinstance(event, str):
        return event, "", None
    ((name, inner),) = event.items()
    if name not in {"Start", "End"}:
        return name, "", inner
    if isinstance(inner, str):
        return name, inner, None
    ((kind, attributes),) = inner.items()
    return name, kind, attributes


@dataclass(slots=True)
class _Open:
    """A leaf block that is being read."""

    kind: Kind
    start: int
    level: int = 0
    fenced: bool = False
    pieces: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class _OpenLink:
    """A link or image that is being read, with where its inner events end so far."""

    attributes: dict[str, Any]
    start: int
    end: int
    inner_end: int
    first_piece: int


class _Reader:
    """Turns the event stream into blocks, links and images."""

    def __init__(self, source: bytes, events: tuple[Event, ...]) -> None:
        self.source, self.events = source, events
        self.blocks: list[Block] = []
        self.links: list[Link] = []
        self.images: list[Image] = []
        self.leaf: _Open | None = None
        self.open_links: list[_OpenLink] = []
        self.open_images: list[_OpenLink] = []
        self.quotes: list[int] = []
        self.quote_count = 0
        self.struck = 0
        self.footnote = ""
        self.header = False
        self.front = False

    def run(self) -> None:
        for event, start, end in self.events:
            step, kind, attributes = tag(event)
            for pending in (*self.open_links, *self.open_images):
                if start > pending.start:
                    pending.inner_end = max(pending.inner_end, min(end, pending.end))
            if step == "Start":
                self.start(kind, attributes, start, end)
            elif step == "End":
                self.finish(kind, end)
            else:
                self.inline(step, attributes, start, end)
        self.flush(len(self.source))

    def start(self, kind: str, attributes: Any, start: int, end: int) -> None:
        if kind in _INLINE_STARTS:
            self.leaf = self.leaf or _Open(Kind.ITEM, start)
            self.struck += kind == "Strikethrough"
            if kind in {"Link", "Image"}:
                opened = _OpenLink(attributes, start, end, start + (1 if kind == "Link" else 2), len(self.leaf.pieces))
                (self.open_links if kind == "Link" else self.open_images).append(opened)
            return
        self.flush(start)
        self.front = kind == "MetadataBlock"
        if kind in _LEAVES:
            level = int(attributes["level"][1:]) if kind == "Heading" else 0
            self.leaf = _Open(_LEAVES[kind], start, level, fenced=isinstance(attributes, dict) and "Fenced" in attributes)
        elif kind == "BlockQuote":
            self.quotes.append(self.quote_count)
            self.quote_count += 1
        elif kind == "FootnoteDefinition":
            self.footnote = str(attributes)
        elif kind == "TableHead":
            self.header = True

    def finish(self, kind: str, end: int) -> None:
        if kind == "Link":
            self.close_link(self.open_links.pop())
        elif kind == "Image":
            self.close_image(self.open_images.pop())
        elif kind in _INLINE_STARTS:
            self.struck -= kind == "Strikethrough"
        else:
            self.flush(end)
            self.front = False
            if kind == "BlockQuote":
                self.quotes.pop()
            elif kind == "FootnoteDefinition":
                self.footnote = ""
            elif kind == "TableHead":
                self.header = False

    def inline(self, step: str, text: Any, start: int, end: int) -> None:
        kinds = {"Text": PieceKind.TEXT, "Code": PieceKind.CODE, "Html": PieceKind.HTML, "InlineHtml": PieceKind.HTML}
        if self.front:
            return
        if step in {"SoftBreak", "HardBreak"}:
            kind, text = PieceKind.BREAK, " "
        elif step == "FootnoteReference":
            kind, text = PieceKind.FOOTNOTE, ""
        elif step in kinds:
            kind = kinds[step]
        else:
            return
        self.leaf = self.leaf or _Open(Kind.ITEM, start)
        link = len(self.links) + len(self.open_links) - 1 if self.open_links else -1
        image = len(self.images) + len(self.open_images) - 1 if self.open_images else -1
        self.leaf.pieces.append(Piece(kind, str(text), start, end, link, image, self.struck > 0))

    def close_link(self, opened: _OpenLink) -> None:
        leaf = self.leaf
        assert leaf is not None
        scheme, target = split(opened.attributes["dest_url"])
        text = "".join(piece.text for piece in leaf.pieces[opened.first_piece :] if piece.kind is not PieceKind.HTML)
        close = self.source.find(b"]", opened.inner_end, opened.end)
        kind = opened.attributes["link_type"]
        if kind in {"Autolink", "Email"} or close < 0:
            close = opened.end - 1
        self.links.append(
            Link(
                scheme=scheme,
                target=target,
                text=text,
                start=opened.start,
                end=opened.end,
                text_start=opened.start + 1,
                text_end=close,
                reference=opened.attributes["id"] if kind not in {"Inline", "Autolink", "Email"} else "",
                shortcut=kind in {"Shortcut", "Collapsed", "Autolink", "Email"},
                block=len(self.blocks),
                title=opened.attributes["title"],
            )
        )

    def close_image(self, opened: _OpenLink) -> None:
        leaf = self.leaf
        assert leaf is not None
        alt = "".join(piece.text for piece in leaf.pieces[opened.first_piece :])
        attributes = opened.attributes
        self.images.append(Image(attributes["dest_url"], attributes["title"], alt, opened.start, opened.end, len(self.blocks)))

    def flush(self, end: int) -> None:
        leaf, self.leaf = self.leaf, None
        if leaf is None:
            return
        quote = self.quotes[-1] if self.quotes else -1
        header = self.header and leaf.kind is Kind.CELL
        self.blocks.append(Block(leaf.kind, leaf.start, end, tuple(leaf.pieces), quote, leaf.level, header, self.footnote, leaf.fenced))


def split(destination: str) -> tuple[str, str]:
    """(scheme, rest) of a link destination; the scheme is '' for a relative one."""
    match = _SCHEME.match(destination)
    return (match.group(1), destination[match.end() :]) if match else ("", destination)


def slug(title: str) -> str:
    """A heading's anchor: numbering dropped, lower case, words joined by hyphens."""
    return re.sub(r"[^\w]+", "-", _NUMBERING.sub("", title).casefold()).strip("-")


def _sections(blocks: list[Block], size: int) -> tuple[Section, ...]:
    headings = [(index, block) for index, block in enumerate(blocks) if block.kind is Kind.HEADING]
    sections = []
    for position, (index, block) in enumerate(headings):
        end = next((other.start for _, other in headings[position + 1 :] if other.level <= block.level), size)
        sections.append(Section(block.text.strip(), slug(block.text), block.level, block.start, end, index))
    return tuple(sections)


def _front(events: tuple[Event, ...], name: str) -> dict[str, Any]:
    if not events or tag(events[0][0])[:2] != ("Start", "MetadataBlock"):
        return {}
    text = "\n" + str(tag(events[1][0])[2] or "")
    try:
        front, _ = load_yaml(text, name)
    except FactbookError as error:
        raise DocumentError(f"front matter of {error.message}", remedy=error.remedy) from error
    return front if isinstance(front, dict) else {}


def _regions(
    source: bytes, events: tuple[Event, ...], blocks: list[Block]
) -> tuple[tuple[Region, ...], tuple[Part, ...], tuple[tuple[int, str], ...]]:
    """Pair the opening and closing comments; what does not pair is a fault."""
    regions: list[Region] = []
    parts: list[Part] = []
    faults: list[tuple[int, str]] = []
    opened: tuple[int, int, str] | None = None
    for start, end, arguments in _markers(source, blocks):
        if arguments is not None:
            if opened is not None:
                faults.append((opened[0], "this region is not closed before the next one opens"))
            opened = (start, end, arguments)
        elif opened is None:
            faults.append((start, "a region closes here that was not opened"))
        else:
            what, _, own = opened[2].partition(" ")
            if what == "part":
                parts.append(Part(own, opened[0], end, opened[1], start))
            else:
                regions.append(_region((opened[0], opened[1], own), start, end, events, blocks))
            opened = None
    if opened is not None:
        faults.append((opened[0], "this region is never closed"))
    return tuple(regions), tuple(parts), tuple(faults)


def _html(blocks: list[Block]) -> Iterator[tuple[int, int]]:
    """The byte ranges of raw HTML: whole blocks, and runs inside a text."""
    for block in blocks:
        if block.kind is Kind.HTML:
            yield block.start, block.end
        else:
            yield from ((piece.start, piece.end) for piece in block.pieces if piece.kind is PieceKind.HTML)


def _markers(source: bytes, blocks: list[Block]) -> Iterator[tuple[int, int, str | None]]:
    """(start, end, arguments or None for a closing comment) of every region comment that is HTML, not code."""
    for start, end in _html(blocks):
        chunk = source[start:end]
        found = [(m.start(), m.end(), " ".join(b" ".join(m.groups()).decode().split())) for m in _OPEN.finditer(chunk)]
        closing = [(m.start(), m.end(), None) for m in _CLOSE.finditer(chunk)]
        for low, high, arguments in sorted([*found, *closing], key=lambda item: item[0]):
            yield start + low, start + high, arguments


def _region(opened: tuple[int, int, str], start: int, end: int, events: tuple[Event, ...], blocks: list[Block]) -> Region:
    low, inner_start, arguments = opened
    rows: list[list[Block]] = []
    starts: list[int] = []
    tables = 0
    for event, position, stop in events:
        if not (inner_start <= position and stop <= start):
            continue
        step, kind, _ = tag(event)
        if step == "Start" and kind == "Table":
            tables += 1
        elif step == "Start" and kind in {"TableHead", "TableRow"}:
            starts.append(position)
            rows.append([])
    inside = [block for block in blocks if inner_start <= block.start and block.end <= start]
    for block in inside:
        if block.kind is Kind.CELL:
            rows[bisect.bisect_right(starts, block.start) - 1].append(block)
    return Region(
        arguments=arguments,
        start=low,
        end=end,
        inner_start=inner_start,
        inner_end=start,
        rows=tuple(tuple(" ".join(block.text.split()) for block in row) for row in rows),
        row_starts=tuple(starts),
        cell_starts=tuple(tuple(block.start for block in row) for row in rows),
        stray=tables > 1 or any(block.kind is not Kind.CELL for block in inside),
    )
