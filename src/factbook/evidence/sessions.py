"""What came out when the code of a document was run: evidence/sessions/NAME.json, one block a line. The run record vouches for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError
from factbook.evidence import folders
from factbook.evidence.record import FOLDER

SCHEMA: Final = "factbook/session/1"
SESSIONS: Final = f"{FOLDER}/sessions"


class Ended(StrEnum):
    """How a block ended."""

    RAN = "ran"
    FAILED = "failed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code that was to be run: the digest of language and code, how it ended, its output; and why and in which line it failed."""

    digest: str
    ended: Ended
    output: str = ""
    said: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a document; `files` are the digests of the files of the book that its code read."""

    document: str
    blocks: tuple[Block, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of all that came out."""
        read = {"files": dict(self.files)} if self.files else {}
        return canon.digest({"document": self.document, "blocks": [asdict(block) for block in self.blocks], **read})


def write(root: Path, name: str, session: Session) -> None:
    """Keep a session.

    Raises:
        StorageError: the folder cannot be written.
    """
    blocks = ",\n".join(canon.dumps(asdict(block)) for block in session.blocks)
    read = f'"files":{canon.dumps(dict(session.files))},\n' if session.files else ""
    text = f'{{"schema":{canon.dumps(SCHEMA)},\n"document":{canon.dumps(session.document)},\n{read}"blocks":[\n{blocks}\n]}}\n'
    canon.write_atomic(folders.path(root, SESSIONS, name), text.encode())


def load(root: Path) -> dict[str, Session]:
    """All sessions of a book.

    Raises:
        EvidenceError: a file is damaged.
    """
    return folders.load(root, SESSIONS, _read, "run the document again: factbook run {name}")


def _read(tree: Any, where: str) -> Session:
    if tree["schema"] != SCHEMA:
        raise EvidenceError(f"{where}: this is not {SCHEMA}")
    return Session(_text(tree["document"]), tuple(_block(item) for item in tree["blocks"]), _files(tree.get("files", {})))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _files(tree: Any) -> dict[str, str]:
    """Digests by path; none leads out of the book."""
    found = {_text(name): _text(value) for name, value in dict(tree).items()}
    if astray := [name for name in found if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts]:
        raise ValueError(f"{astray[0]!r} leads out of the book")
    return found


def _block(tree: dict[str, Any]) -> Block:
    block = Block(**tree)
    return Block(_text(block.digest), Ended(block.ended), _text(block.output), _text(block.said), int(block.line))
