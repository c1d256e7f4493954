"""Finds a version of a book: a folder, or a revision of the Git repository that the book lies in, whose committed files are read beside it."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from factbook import git
from factbook.errors import UnknownName
from factbook.manifest import FILE

_HELD: Final = (FILE, "documents", "evidence", "runs", "reviews")
_PICTURES: Final = (".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp")


@contextmanager
def version(said: str, book: Path) -> Iterator[Path]:
    """The folder of a version of a book: `said` is a folder with a book, else a revision (`HEAD~1`, a tag, a branch) of the one in `book`.

    Raises:
        UnknownName: it is neither.
    """
    if (Path(said) / FILE).is_file():
        yield Path(said)
        return
    with tempfile.TemporaryDirectory(prefix="factbook-") as place:
        _unpack(said, book, Path(place))
        yield Path(place)


def _unpack(revision: str, book: Path, place: Path) -> None:
    commit = _git(book, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    prefix = _git(book, "rev-parse", "--show-prefix").decode().rstrip("\n")
    top = Path(_git(book, "rev-parse", "--show-toplevel").decode().rstrip("\n") or book)
    if not commit:
        raise UnknownName("book or revision", revision, (), remedy=f"name a folder that holds {FILE}, or a revision of the repository of {book}")
    tree = f"{commit}:{prefix}"
    there = _git(top, "ls-tree", "--name-only", tree).decode().split("\n")
    if FILE not in there:
        raise UnknownName("book", f"{revision}:{prefix or '.'}", (), remedy=f"{FILE} was not committed there yet")
    pictures = (name for name in _git(top, "ls-tree", "-r", "--name-only", "-z", tree).decode().split("\0") if name.lower().endswith(_PICTURES))
    wanted: list[str] = [name for name in _HELD if name in there]
    wanted += [name for name in pictures if not name.startswith(_HELD)] if "reviews" in there else []  # a sign-off vouches for them
    data = _git(top, "--literal-pathspecs", "archive", "--format=tar", tree, "--", *wanted)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(place, filter="data")


def _git(book: Path, *arguments: str) -> bytes:
    return git.said(book, *arguments) or b""
