"""The code of a document was run as it stands, and its outputs are those of that run.

Why: an output that was pasted, or that older code gave, is believed like one that was measured.

Bad:  a block of Python in a tutorial is changed, and the output below it stays
Good: `factbook run tutorial`

Checking never runs code: it compares the blocks with the digests of the run, and the outputs with what the run recorded. Blocks that say `no-run`
are listed as not judged.
Fix: `factbook run DOCUMENT`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import executable
from factbook.documents.parse import Document
from factbook.errors import DocumentError
from factbook.rules import Checked, NotJudged, Problem, at

CODE: Final = "FB402"
NAME: Final = "code-is-run"


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the code and the outputs of every document that is run with what was recorded."""
    for document in checked.documents:
        try:
            yield from _document(checked, document)
            for block in executable.skipped(document):
                yield NotJudged("code that says no-run", "nobody ran it", document.name, document.place(block.start)[0])
        except DocumentError as error:
            yield Problem(document.name, 1, 1, error.message, error.remedy)


def _document(checked: Checked, document: Document) -> Iterator[Problem]:
    code, name = executable.code(document), executable.name_of(document)
    fix = f"factbook run {name}"
    if not code:
        return
    session, record = checked.catalog.evidence.sessions.get(name), checked.catalog.evidence.records.get(name)
    if session is None or record is None or session.document != document.name:
        yield at(document, code[0].start, "the code of this document was never run", fix)
        return
    if not any(run.context == session.digest for run in record.runs):
        yield at(document, code[0].start, "no run vouches for the recorded outputs: they were edited, or merged from elsewhere", fix)
    ran = [block.digest for block in session.blocks]
    for place, block in enumerate(code):
        if place >= len(ran) or block.digest != ran[place]:
            yield at(document, block.start, "this code is not what was run: it or a block before it changed", fix)
            return
    if len(ran) > len(code):
        yield at(document, code[-1].end, "blocks that were run after this one are gone", fix)
        return
    shown = executable.outputs(document)
    for number, (block, done) in enumerate(zip(code, session.blocks, strict=True), 1):
        if done.output and number not in shown:
            yield at(document, block.start, "the output of this block is not shown", fix)
