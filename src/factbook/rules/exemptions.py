"""Exemptions: a comment in a document that says why a rule does not hold for the passage after it.

    <!-- factbook: allow FB303 because the regulator prescribes these words -->

It covers the passage that follows, up to the next blank line, or the whole document where it stands before the first heading. It is listed in
every report. What is false or unsafe is never exempt: only rules whose family is judged by taste or circumstance can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from factbook.documents.parse import Document, Kind, PieceKind

_COMMENT: Final = re.compile(r"<!--\s*factbook:\s*(.*?)\s*-->", re.DOTALL)
_MARK: Final = b"factbook:"
_FORM: Final = re.compile(r"allow\s+(FB\d{3})\s+because\s+(\S.*)\Z", re.DOTALL)
_FAMILIES: Final = frozenset("235")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One comment. `code` and `reason` are empty where it does not read; `first` and `last` are the lines that it covers."""

    file: str
    line: int
    code: str
    reason: str
    first: int
    last: int

    def covers(self, code: str, file: str, line: int) -> bool:
        """Whether a finding at this place is exempt."""
        return (self.code, self.file) == (code, file) and self.first <= line <= self.last

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code}: {self.reason}"


def can_be_exempt(rule: ModuleType) -> bool:
    """Whether a rule lets itself be exempted: it says so, or its family does."""
    return bool(getattr(rule, "EXEMPTABLE", rule.CODE[2] in _FAMILIES))


def exemptions(document: Document) -> Iterator[Exemption]:
    """The comments of a document."""
    if _MARK not in document.source:
        return
    lines = document.source.decode(errors="replace").splitlines()
    for start, text in _comments(document):
        line, _ = document.place(start)
        form = _FORM.match(text)
        code, reason = (form[1], " ".join(form[2].split())) if form else ("", "")
        if not document.sections or start < document.sections[0].start:
            yield Exemption(document.name, line, code, reason, 0, len(lines))
        else:
            yield Exemption(document.name, line, code, reason, line, _end(lines, line + text.count("\n")))


def _comments(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        inline = [(piece.start, piece.end) for piece in block.pieces if piece.kind is PieceKind.HTML]
        for start, end in [(block.start, block.end)] if block.kind is Kind.HTML else inline:
            text = document.source[start:end].decode(errors="replace")
            for found in _COMMENT.finditer(text):
                yield start + len(text[: found.start()].encode()), found[1]


def _end(lines: list[str], line: int) -> int:
    """The last line of the passage after a line."""
    rest = enumerate(lines[line:], start=line + 1)
    last = line
    begun = bool(lines[line - 1].replace("<!--", "").strip()) and not lines[line - 1].strip().endswith("-->")
    for number, text in rest:
        if text.strip():
            begun, last = True, number
        elif begun:
            break
    return last
