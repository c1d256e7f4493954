"""The safe fixes: what a finding carries as an edit is put in place. No rule carries one for the words of a claim, a number or a quotation."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from factbook.rules import Finding


@dataclass(frozen=True, slots=True)
class Fixed:
    """A document before and after its safe fixes, and the findings that they mend."""

    file: str
    before: bytes
    after: bytes
    findings: tuple[Finding, ...]

    def diff(self) -> str:
        """The change as a unified diff."""
        lines = (self.before.decode().splitlines(keepends=True), self.after.decode().splitlines(keepends=True))
        found = difflib.unified_diff(*lines, fromfile=self.file, tofile=self.file)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)


def fixed(file: str, source: bytes, findings: Iterable[Finding]) -> Fixed:
    """The document with every edit of its findings; of two that overlap, the first."""
    done = tuple(_apart(finding for finding in findings if finding.file == file and finding.edit is not None))
    after, position = b"", 0
    for finding in done:
        assert finding.edit is not None
        after += source[position : finding.edit.start] + finding.edit.data
        position = finding.edit.end
    return Fixed(file, source, after + source[position:], done)


def _apart(findings: Iterable[Finding]) -> Iterator[Finding]:
    end = 0
    for finding in sorted(findings, key=lambda item: (item.edit.start, item.edit.end, item.code) if item.edit else (0, 0, "")):
        if finding.edit is not None and finding.edit.start >= end:
            end = finding.edit.end
            yield finding
