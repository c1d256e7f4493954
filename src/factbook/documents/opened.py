"""Which files of the book the code of a document read: those that its interpreter says it opened, and those whose time of access moved.

Neither alone tells: libraries that read without Python and the shell tell the interpreter nothing, and some disks keep no time of access.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from factbook import canon
from factbook.errors import DocumentError
from factbook.evidence import sessions
from factbook.evidence.record import FOLDER


@dataclass(frozen=True, slots=True)
class Unread:
    """The copy of a book before its code runs: size and time of change of every file."""

    book: Path
    files: Mapping[str, tuple[int, int]]


def unread(book: Path) -> Unread:
    """Remember a fresh copy, and set its files' time of access so far back that reading one moves it."""
    files = {}
    for path in sorted(item for item in book.rglob("*") if item.is_file() and not item.is_symlink()):
        stat = path.stat()
        files[path.relative_to(book).as_posix()] = (stat.st_size, stat.st_mtime_ns)
        os.utime(path, ns=(0, stat.st_mtime_ns))
    return Unread(book, files)


def read(before: Unread, told: Path) -> tuple[str, ...]:
    """The files that were there before the code ran and that it read. `told` is what the interpreter wrote of those that it opened."""
    said = told.read_text(encoding="utf-8", errors="replace").splitlines() if told.is_file() else []
    place = str(before.book.resolve()) + os.sep
    opened = {line.removeprefix(place).replace(os.sep, "/") for line in said if line.startswith(place)}
    return tuple(name for name in before.files if name in opened or _moved(before.book / name))


def _moved(path: Path) -> bool:
    try:
        return path.stat().st_atime_ns != 0
    except OSError:
        return False


def pinned(root: Path, before: Unread, names: tuple[str, ...], document: str) -> dict[str, str]:
    """The digests of files of the book, but for those that a run writes itself.

    Raises:
        DocumentError: one changed while the code ran.
    """
    own = (document, f"{FOLDER}/{Path(document).stem}.json", f"{sessions.SESSIONS}/{Path(document).stem}.json")
    found = {}
    for file in names:
        if file in own or file.startswith("runs/"):
            continue
        stat = (root / file).stat() if (root / file).is_file() else None
        if stat is None or (stat.st_size, stat.st_mtime_ns) != before.files[file]:
            raise DocumentError(f"{file} changed while the code ran that read it; nothing was kept", remedy="run it again")
        found[file] = canon.hash_file(root / file)
    return found
