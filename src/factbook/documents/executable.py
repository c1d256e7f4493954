"""The code of a document: which blocks are to be run, where they stand, and where their output is shown.

A document is run where its kind says so, or its front matter: `run: true`. Of its fenced blocks those in `python` are run, and `sh run`; those that
say `no-run` are not, and are listed as not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factbook import canon
from factbook.documents import kinds
from factbook.documents.parse import Document, Part, tag
from factbook.errors import DocumentError
from factbook.evidence.sessions import Block, Session

OUTPUT: Final = "output"
SKIP: Final = "no-run"
TIME_LIMIT: Final = 60.0
_OPEN = re.compile(r"`{3,}|~{3,}")


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code: its language and words, its text, and its bytes; `body` is where the text begins, `closing` where it ends."""

    language: str
    words: tuple[str, ...]
    text: str
    start: int
    end: int
    body: int
    closing: int

    @property
    def digest(self) -> str:
        """Of language and code, whatever the line ends."""
        return canon.digest([self.language, "\n".join(self.text.splitlines()).rstrip()])

    @property
    def wanted(self) -> bool:
        """Whether it is to be run."""
        return SKIP not in self.words and (self.language == "python" or (self.language == "sh" and "run" in self.words))


def is_run(document: Document) -> bool:
    """Whether the document's front matter, or else its kind, says that its code is run."""
    said = str(document.front.get("run", "")).casefold()
    if said in ("true", "false"):
        return said == "true"
    return document.kind in kinds.names() and kinds.load(document.kind).run


def name_of(document: Document) -> str:
    """The evidence that a document's run makes: the file's name without its ending."""
    return Path(document.name).stem


def time_limit(document: Document) -> float:
    """How many seconds the document's code may take.

    Raises:
        DocumentError: the front matter says something else.
    """
    said = document.front.get("time_limit", TIME_LIMIT)
    try:
        seconds = float(said)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 < seconds <= 86400:
        raise DocumentError(f"{document.name}:1: time_limit is {said!r}", remedy="give seconds, e.g. time_limit: 120")
    return seconds


def code(document: Document) -> tuple[Code, ...]:
    """The blocks that are to be run, in order; none where the document is not run.

    Raises:
        DocumentError: such a block is not closed, or stands in a list or quotation, where its output has no place.
    """
    return tuple(block for block in _fenced(document) if block.wanted) if is_run(document) else ()


def skipped(document: Document) -> tuple[Code, ...]:
    """The blocks that say that they are not to be run."""
    return tuple(block for block in _fenced(document) if SKIP in block.words) if is_run(document) else ()


def _fenced(document: Document) -> Iterator[Code]:
    for event, start, end in document.events:
        step, kind, attributes = tag(event)
        if step == "Start" and kind == "CodeBlock" and isinstance(attributes, dict) and document.part_at(start) is None:
            words = str(attributes.get("Fenced") or "").split()
            if words and words[0] in ("python", "sh"):
                yield _block(document, words, start, end)


def _block(document: Document, words: list[str], start: int, end: int) -> Code:
    lines = document.source[start:end].decode().rstrip("\r\n").split("\n")
    line, column = document.place(start)
    wanted = SKIP not in words and (words[0] == "python" or "run" in words)
    if wanted and column != 1:
        raise DocumentError(f"{document.name}:{line}: code that is run begins at the left margin", remedy=f"take it out of the list, or write {SKIP}")
    opened = _OPEN.match(lines[0])
    if wanted and opened and (len(lines) < 2 or not re.fullmatch(rf"\s{{0,3}}{opened[0]}{opened[0][0]}*\s*", lines[-1])):
        raise DocumentError(f"{document.name}:{line}: this block of code is never closed", remedy="close it with ```")
    body = start + len(lines[0].encode()) + 1
    inner = "".join(f"{item}\n" for item in lines[1:-1])
    return Code(words[0], tuple(words[1:]), inner, start, start + len("\n".join(lines).encode()), body, body + len(inner.encode()))


def outputs(document: Document) -> dict[int, Part]:
    """The parts that show outputs, by the number of their block."""
    found = {}
    for part in document.parts:
        match = re.fullmatch(rf"{OUTPUT} block=(\d+)", part.arguments)
        if match:
            found[int(match[1])] = part
    return found


def shown(block: Block) -> str:
    """The output of a block as Markdown: a fenced block that nothing in it can close."""
    if not block.output:
        return ""
    longest = max((len(run) for run in re.findall(r"`{3,}", block.output)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{block.output}\n{fence}"


def placed(document: Document, session: Session) -> bytes:
    """The document's bytes with the output of every block in a part right after it; other parts of this kind go."""
    source = document.source
    end = "\r\n" if b"\r\n" in source else "\n"
    edits: list[tuple[int, int, str]] = []
    for part in document.parts:
        if part.arguments.split()[:1] == [OUTPUT]:
            before = source[: part.start]
            edits.append((len(before.rstrip()), part.end, ""))
    for number, (block, done) in enumerate(zip(code(document), session.blocks, strict=True), 1):
        if done.output:
            text = f"\n\n<!-- fact:part {OUTPUT} block={number} -->\n\n{shown(done)}\n\n<!-- /fact -->"
            edits.append((block.end, block.end, text.replace("\n", end)))
    for start, stop, text in sorted(edits, reverse=True):
        source = source[:start] + text.encode() + source[stop:]
    return source
