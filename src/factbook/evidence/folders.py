"""A folder of kept records: FOLDER/NAME.json, each in a schema of its own. All are read, or the first that is damaged is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from factbook import canon
from factbook.errors import EvidenceError, FactbookError

T = TypeVar("T")


def path(root: Path, folder: str, name: str) -> Path:
    """The file of a record."""
    return root / folder / f"{name}.json"


def names(root: Path, folder: str) -> list[str]:
    """The names of the records that are kept, sorted."""
    return sorted(item.stem for item in (root / folder).glob("*.json") if not item.name.startswith("."))


def load(root: Path, folder: str, read: Callable[[Any, str], T], remedy: str) -> dict[str, T]:
    """All records of a folder by name, as `read` makes them of a tree and its place; `{name}` in `remedy` is the name of the damaged one.

    Raises:
        EvidenceError: a file is damaged.
    """
    return {name: _one(path(root, folder, name), f"{folder}/{name}.json", read, remedy.format(name=name)) for name in names(root, folder)}


def _one(place: Path, where: str, read: Callable[[Any, str], T], remedy: str) -> T:
    try:
        return read(canon.loads(place.read_text(encoding="utf-8"), where), where)
    except (FactbookError, OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        said = error.message if isinstance(error, FactbookError) else str(error)
        raise EvidenceError(f"{where}: cannot be used ({said})", remedy=remedy) from error
