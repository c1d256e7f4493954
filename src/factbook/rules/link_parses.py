"""What looks like a value link is one.

Why: a link that does not parse is plain text to every tool, and its number is bound to nothing.

Bad:  [19.5 %](fact: performance/fnr)      a space in the destination
Bad:  <a href="fact:performance/fnr">19.5 %</a>
Bad:  [19.5 %](fcat:performance/fnr)
Good: [19.5 %](fact:performance/fnr)

In code a link is none; a fence that says ```markdown shows how one is written, and is left alone.
Fix: write the link as above; `factbook update` fills an empty one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Final

from factbook.documents.parse import SCHEMES, Block, Document, Kind, Link, Piece, PieceKind
from factbook.errors import KeySyntaxError
from factbook.model import Key
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB103"
NAME: Final = "link-parses"

_NAMES: Final = "|".join(SCHEMES)
_IN_TEXT = re.compile(rf"\]\s*\(\s*<?\s*(?:{_NAMES})\s*:|\]\((?:{_NAMES})\s|\b(?:fact|claim|declared)s?:\s*[A-Za-z_][\w.-]*[/?]", re.IGNORECASE)
_UNDEFINED = re.compile(r"(?<![\w\]])\[[^\[\]]+\]\s?\[[^\[\]]*\]")
_IN_HTML = re.compile(rf"(?:href|src|action)\s*=\s*[\"']?\s*(?:{_NAMES})\s*:", re.IGNORECASE)
_COMMENT = re.compile(r"<!--\s*(/?\s*\w+(?:\s*:\s*\w+)?)(?:\s+(\w+))?")
_COMMENTS: Final = ("fact:table", "fact:part", "fact:chart", "/fact")
_IN_CODE = re.compile(rf"\]\((?:{_NAMES}):|<!--\s*/?\s*fact\b", re.IGNORECASE)
_MARKDOWN = re.compile(rb"\s*(?:`{3,}|~{3,})\s*(?:markdown|md)\b", re.IGNORECASE)
_RELATIVE = re.compile(rf"(?:{_NAMES})\s*[/：]", re.IGNORECASE)
_REGION = re.compile(r"<!--[ \t]*(?:fact:(?:table|part)\s[^>]*|/fact[ \t]*)-->")
_KNOWN: Final = ("http", "https", "mailto", "doi", "ftp", "tel", "urn", "arxiv", "data", "javascript", "file", "vbscript")
_HOW: Final = "write [text](fact:NAME/METRIC?attribute=value)"


def check(checked: Checked) -> Iterator[Problem]:
    """Look for value links that do not parse, wherever they may hide."""
    for document in checked.documents:
        yield from (at(document, offset, message, "pair the comments") for offset, message in document.faults)
        yield from _links(document)
        yield from _texts(document)
        yield from _html(document)
        for image in document.images:
            if image.path.partition(":")[0].lower() in SCHEMES:
                yield at(document, image.start, "a value link cannot be an image", _HOW)


def _links(document: Document) -> Iterator[Problem]:
    pieces: dict[int, list[Piece]] = {}
    for block in document.blocks:
        for piece in block.pieces:
            pieces.setdefault(piece.link, []).append(piece)
    for index, link in enumerate(document.links):
        lower = link.scheme.lower()
        if not link.scheme and _RELATIVE.match(link.target):
            yield at(document, link.start, f"{link.target} is no value link", _HOW)
        elif not link.bound and (lower in SCHEMES or _misspelt(lower)):
            yield at(document, link.start, f"{link.scheme}: is no kind of value link", f"kinds: {', '.join(SCHEMES)}")
        elif link.bound:
            yield from _bound(document, link, pieces.get(index, ()))


def _misspelt(scheme: str) -> bool:
    return bool(scheme) and scheme not in _KNOWN and bool(difflib.get_close_matches(scheme, SCHEMES, n=1, cutoff=0.7))


def _bound(document: Document, link: Link, pieces: Sequence[Piece]) -> Iterator[Problem]:
    if document.source[link.start : link.start + 1] == b"<":
        yield at(document, link.start, "a value link needs a text", _HOW)
    if link.scheme == "fact":
        try:
            Key.parse(link.target)
        except KeySyntaxError as error:
            yield at(document, link.start, error.message, error.remedy)
    if not link.text.strip():
        yield at(document, link.start, "the value link is empty", "factbook update")
    if any(piece.struck for piece in pieces):
        yield at(document, link.start, "the text of the value link is struck through", "delete it, or let it stand")
    if any(piece.kind is PieceKind.HTML for piece in pieces):
        yield at(document, link.start, "raw HTML stands in the value link", "take it out")
    if any(piece.image >= 0 for piece in pieces):
        yield at(document, link.start, "a value link cannot stand in an image's text", "put it beside the image")


def _texts(document: Document) -> Iterator[Problem]:
    for block in document.blocks:
        for piece in block.pieces:
            code = piece.kind is PieceKind.CODE or (block.kind is Kind.CODE and not _example(document, block))
            if code and (match := _IN_CODE.search(piece.text)):
                yield at(document, piece.start, f"in code, this is no value link: {match.group()}", "take it out of the code")
        if block.kind in {Kind.CODE, Kind.HTML} or not any(piece.kind is PieceKind.TEXT for piece in block.pieces):
            continue
        text = prose.text_of(block)
        spans = prose.code_spans(block)
        for pattern, said in ((_IN_TEXT, "this looks like a value link and is none"), (_UNDEFINED, "the reference is not defined")):
            for match in pattern.finditer(text.plain):
                mentioned = "]" not in match.group() and any(low <= match.start() < high for low, high in spans)
                if not mentioned and all(link < 0 for link in text.links[match.start() : match.end()]):  # brackets about links are only brackets
                    yield at(document, text.offset(match.start()), f"{said}: {match.group()}", _HOW)


def _example(document: Document, block: Block) -> bool:
    """Whether fenced code shows how Markdown is written: it says so, and no reader takes it for text."""
    return bool(_MARKDOWN.match(document.source, block.start, block.end))


def _html(document: Document) -> Iterator[Problem]:
    for block in document.blocks:
        spans = [(block.start, block.end)] if block.kind is Kind.HTML else [(p.start, p.end) for p in block.pieces if p.kind is PieceKind.HTML]
        for start, end in spans:
            raw = document.source[start:end].decode()
            for match in _IN_HTML.finditer(raw):
                yield at(document, start + prose.byte(raw, match.start()), "a value link cannot be raw HTML", _HOW)
            for match in _COMMENT.finditer(raw):
                if _alike(match.group(1), match.group(2) or "") and not _REGION.match(raw, match.start()):
                    yield at(
                        document,
                        start + prose.byte(raw, match.start()),
                        "this comment is no region",
                        "write <!-- fact:table NAME metrics=… --> and <!-- /fact -->",
                    )


def _alike(word: str, after: str) -> bool:
    """Whether the first word of a comment was meant to begin or to end a region (`factbook:` begins an exemption, which has a rule of its own)."""
    plain = "".join(word.split()).casefold()
    if plain.startswith("factbook"):
        return plain == "factbook" and after in {"allow", "table", "part", "chart"}
    return plain.startswith(("fact", "/fact")) or bool(difflib.get_close_matches(plain, _COMMENTS, n=1, cutoff=0.75))
