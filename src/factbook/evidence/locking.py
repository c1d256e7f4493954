"""One process at a time writes to a book. The lock belongs to the open file, so it goes with its process: a stale lock cannot exist."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from factbook.errors import BookLocked, StorageError
from factbook.model import Progress, silent

STORE: Final = ".factbook"
_PAUSE: Final = 0.05

if sys.platform == "win32":
    import msvcrt

    def _try(stream: IO[bytes]) -> bool:
        try:
            stream.seek(0)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def lock(root: Path, *, wait: float = 20.0, progress: Progress = silent) -> Iterator[None]:
    """Hold the book in `root` for writing; waits up to `wait` seconds for another process.

    Raises:
        BookLocked: another process still holds it; names its process id.
        StorageError: the book's folder cannot be written.
    """
    folder = root / STORE
    place, holder = folder / "lock", folder / "lock.pid"
    try:
        folder.mkdir(exist_ok=True)
        stream = place.open("ab")
    except OSError as error:
        raise StorageError(place, error) from error
    with stream:
        _wait(stream, holder, wait, progress)
        try:
            holder.write_text(str(os.getpid()), encoding="ascii")
        except OSError as error:
            raise StorageError(holder, error) from error
        yield


def _wait(stream: IO[bytes], holder: Path, wait: float, progress: Progress) -> None:
    end = time.monotonic() + wait
    told = False
    while not _try(stream):
        who = _pid(holder)
        if time.monotonic() >= end:
            raise BookLocked(f"another factbook{who} is writing to this book", remedy="wait until it is done, or end it")
        if not told:
            progress(f"waiting for another factbook{who}", 0, 0)
            told = True
        time.sleep(_PAUSE)


def _pid(holder: Path) -> str:
    try:
        return f" (process {holder.read_text(encoding='ascii')})"
    except (OSError, UnicodeDecodeError):
        return ""
