"""What rules see of a text: the characters a reader sees, each with its place, and where sentences and quotations are."""

from __future__ import annotations

import bisect
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from factbook.documents.parse import Block, Document, Kind, Link, PieceKind, tag

_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|approx|ca|etc|no|fig|art|al|resp|dr|mr|ms|st)|\b[A-Z])\.$", re.IGNORECASE)
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)")
_QUOTED = re.compile(r"“([^”]+)”|\"([^\"]+)\"|«([^»]+)»|„([^“]+)“")
_ATTRIBUTION = re.compile(r"(?:—|–|--)\s*[\"*_\[]*[A-Z].{0,160}$")
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)
TAG = re.compile(r"<[^>]*>", re.DOTALL)
_SHOWN_ATTRIBUTE = re.compile(
    r"\b(?:title|alt|aria-[a-z]+|placeholder|value|label|summary|content|data-[\w-]+)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE
)
_NEAR: Final = 60
_SAYS = re.compile(
    r"\b(?:sa(?:y|ys|id)|writes?|wrote|states?|stated|according to|reports?|reported|quotes?|quoted|reads|requires|defines|asks?|puts it)\b", re.I
)
_EXTERNAL: Final = {
    "http": r"//[^/\s]*[^/\s.]\.[^/\s.]",
    "https": r"//[^/\s]*[^/\s.]\.[^/\s.]",
    "ftp": r"//[^/\s]+",
    "doi": r"10\.",
    "urn": r"\w",
    "arxiv": r"\w",
}


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text whose characters know their bytes (from `offsets` to `ends`), and the link that each stands in (-1: none).

    `linked` are the runs of characters that stand in links: where they begin and end, and the link.
    """

    plain: str
    offsets: tuple[int, ...]
    links: tuple[int, ...]
    ends: tuple[int, ...]
    linked: tuple[tuple[int, int, int], ...] = ()

    def offset(self, position: int) -> int:
        """The byte of a character."""
        return self.offsets[min(position, len(self.offsets) - 1)]


_texts: dict[int, tuple[Block, Text]] = {}  # every rule asks for the blocks of the same document
_MANY: Final = 4096


def text_of(block: Block) -> Text:
    """The visible text of a block."""
    kept = _texts.get(id(block))
    if kept is None or kept[0] is not block:
        if len(_texts) >= _MANY:
            _texts.clear()
        _texts[id(block)] = kept = (block, _text_of(block))
    return kept[1]


def _text_of(block: Block) -> Text:
    plain: list[str] = []
    offsets: list[int] = []
    links: list[int] = []
    ends: list[int] = []
    linked: list[tuple[int, int, int]] = []
    for piece in block.pieces:
        if piece.kind is PieceKind.HTML:
            continue
        if piece.link >= 0:
            linked.append((len(links), len(links) + len(piece.text), piece.link))
        plain.append(piece.text)
        links += [piece.link] * len(piece.text)
        starts = _starts(piece.text, piece.start)
        exact = starts[-1] == piece.end
        offsets += starts[:-1] if exact else [piece.start] * len(piece.text)
        ends += starts[1:] if exact else [piece.end] * len(piece.text)
    return Text("".join(plain), tuple(offsets), tuple(links), tuple(ends), tuple(linked))


def _starts(text: str, start: int) -> list[int]:
    """The byte where each character begins, and where the last ends."""
    if text.isascii():
        return list(range(start, start + len(text) + 1))
    return list(accumulate((len(character.encode()) for character in text), initial=start))


def masked(text: Text, links: Container[int], mark: str) -> str:
    """The plain text with a mark in place of each character that stands in one of these links."""
    shown = text.plain
    for start, end, link in text.linked:
        if link in links:
            shown = shown[:start] + mark * (end - start) + shown[end:]
    return shown


def sentences(plain: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends; a point in a number or after an abbreviation ends none."""
    start = 0
    for match in _END.finditer(plain):
        if match.group().startswith(".") and _ABBREVIATION.search(plain[start : match.start() + 1]):
            continue
        yield start, match.end()
        start = match.end()
    if plain[start:].strip():
        yield start, len(plain)


def quotations(plain: str) -> Iterator[tuple[int, int]]:
    """Where words of somebody else stand in quotation marks: at least three words, so that a number in scare quotes is none."""
    for match in _QUOTED.finditer(plain):
        inner = next(group for group in match.groups() if group is not None)
        if len(re.findall(r"[^\W\d_]{2,}", inner)) >= 3:
            yield match.span()


def code_spans(block: Block) -> list[tuple[int, int]]:
    """Where inline code stands in the visible text."""
    spans, position = [], 0
    for piece in block.pieces:
        if piece.kind is PieceKind.HTML:
            continue
        if piece.kind is PieceKind.CODE:
            spans.append((position, position + len(piece.text)))
        position += len(piece.text)
    return spans


def attributed_quotes(document: Document) -> frozenset[int]:
    """The block quotes that name their source: an external link in them, a last line that begins with a dash, or a colon before them."""
    found = set()
    for number in {block.quote for block in document.blocks} - {-1}:
        inside = [index for index, block in enumerate(document.blocks) if block.quote == number]
        links = [link for link in document.links if link.block in inside]
        if any(link.bound for link in links):
            continue
        before = document.blocks[inside[0] - 1].text.rstrip() if inside[0] else ""
        last = document.source[document.blocks[inside[-1]].start : document.blocks[inside[-1]].end].decode().rstrip().rpartition("\n")[2].lstrip("> ")
        said = before.endswith(":") and _SAYS.search(before)
        if said or any(external(link) for link in links) or _ATTRIBUTION.match(last):
            found.add(number)
    return frozenset(found)


def external(link: Link) -> bool:
    """Whether a link leads to a source outside the book."""
    pattern = _EXTERNAL.get(link.scheme.lower())
    return pattern is not None and re.match(pattern, link.target) is not None


def beside(document: Document, link: Link) -> tuple[str, str]:
    """The visible text of the block right before and right after a link."""
    text = text_of(document.blocks[link.block])
    first, last = bisect.bisect_left(text.offsets, link.start), bisect.bisect_left(text.offsets, link.end)
    return text.plain[max(0, first - _NEAR) : first], text.plain[last : last + _NEAR]


def html(document: Document) -> Iterator[tuple[int, str]]:
    """Raw HTML, comments blanked out: the byte where it begins, and its text."""
    for block in document.blocks:
        if block.kind is Kind.HTML:
            yield block.start, _blank(document.source[block.start : block.end].decode())
        else:
            yield from ((piece.start, _blank(piece.text)) for piece in block.pieces if piece.kind is PieceKind.HTML)


def _blank(text: str) -> str:
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def shown_html(text: str) -> Iterator[tuple[int, str]]:
    """What a reader sees or hears of raw HTML: the text between tags, and the attributes that are shown; each with its position."""
    yield 0, TAG.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for match in _SHOWN_ATTRIBUTE.finditer(text):
        yield match.start(1), match.group(1)


def byte(text: str, position: int) -> int:
    """How many bytes stand before a character."""
    return len(text[:position].encode())


def rows(document: Document) -> Iterator[list[Block]]:
    """The rows of all tables, the header rows included, cell by cell."""
    cells = [block for block in document.blocks if block.kind is Kind.CELL]
    if not cells:
        return
    spans = [(start, end) for event, start, end in document.events if tag(event)[:2] in {("Start", "TableRow"), ("Start", "TableHead")}]
    position = 0
    for start, end in spans:
        row = []
        while position < len(cells) and cells[position].start < end:
            if cells[position].start >= start:
                row.append(cells[position])
            position += 1
        yield row
