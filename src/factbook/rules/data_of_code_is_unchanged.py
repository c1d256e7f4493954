"""What the code of a document read is what it would read now.

Why: the output of code over last month's file looks like one over today's.

Bad:  data/sales.csv is replaced after `factbook run tutorial`, and the figures in the tutorial stay
Good: `factbook run tutorial`

A run notes the files of the book that its code opened, with their digests. Checking compares the digests and runs nothing. A file that is not here is
listed as not judged; with `--require-sources` it is a finding. Files outside of the book and answers from a network are not noted.
Fix: `factbook run DOCUMENT`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents.parse import Documents
from factbook.evidence.locking import STORE
from factbook.evidence.sessions import Session
from factbook.rules import Checked, NotJudged, Problem
from factbook.sources import digests

CODE: Final = "FB406"
NAME: Final = "data-of-code-is-unchanged"
WHOLE: Final = True


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Compare the files that code read with their digests."""
    names = _names(checked)
    for name, session in sorted(checked.catalog.evidence.sessions.items()):
        if session.document in names:
            yield from _session(checked, session, f"factbook run {name}")


def _names(checked: Checked) -> frozenset[str]:
    """The names of all documents, none of which needs to be parsed for that."""
    documents = checked.documents
    return frozenset(documents.sources if isinstance(documents, Documents) else (document.name for document in documents))


def _session(checked: Checked, session: Session, fix: str) -> Iterator[Problem | NotJudged]:
    here = [file for file in session.files if (checked.root / file).is_file()]
    now = dict(zip(here, digests.hashes([checked.root / file for file in here], checked.root / STORE), strict=True))
    for file, digest in session.files.items():
        if now.get(file, digest) != digest:
            yield Problem(session.document, 1, 1, f"{file} has changed since the code of this document read it", fix)
        elif file not in now and checked.require_sources:
            yield Problem(session.document, 1, 1, f"{file}, which the code of this document read, is not here", "get the file, or " + fix)
        elif file not in now:
            yield NotJudged(f"{file}, which the code read", "the file is not here", session.document)
