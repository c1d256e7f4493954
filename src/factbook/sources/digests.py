"""Digests of files, remembered in the private store by path, size and time of change; and what else a look at their bytes has shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from factbook import canon
from factbook.errors import StorageError

_T = TypeVar("_T")
_HASHES: Final = "digests"
_SETTLED: Final = 3_000_000_000  # ns; a file younger than this may change again within the clock's grain, so it is not remembered


def digest(files: Sequence[Path], store: Path, *, rehash: bool = False) -> str:
    """`sha256:` and a hash over the hashes of the files, sorted, so that neither their folder, their names nor their order matters.

    Args:
        files: the files, at least one.
        store: the private store; a hash found there for the same path, size and time of change is trusted unless `rehash`.
        rehash: read every byte again.
    """
    return combine(hashes(files, store, rehash=rehash))


def hashes(files: Sequence[Path], store: Path, *, rehash: bool = False) -> list[str]:
    """The hash of each file."""
    return [str(item) for item in remembered(_HASHES, files, store, canon.hash_file, again=rehash)]


def combine(hashes: Sequence[str]) -> str:
    """One digest for several; one file keeps its own plain hash."""
    if len(hashes) == 1:
        return "sha256:" + hashes[0]
    return canon.digest(sorted(hashes))


def remembered(what: str, files: Sequence[Path], store: Path, look: Callable[[Path], _T], *, again: bool = False) -> list[_T]:
    """What a look at each file shows, as JSON can hold it; a file of the same path, size and time of change is looked at once.

    Args:
        what: under which name it is remembered.
        files: the files.
        store: the private store.
        look: reads a file.
        again: look again.
    """
    place = store / f"{what}.json"
    known = _load(place)
    found, changed = [], False
    for path in files:
        name, stamp = str(path.resolve()), _stamp(path)
        entry = known.get(name)
        if again or not isinstance(entry, list) or entry[:-1] != stamp:
            entry = [*stamp, look(path)]
            if time.time_ns() - max(stamp[1::2]) > _SETTLED and _stamp(path) == stamp:
                known[name] = entry
                changed = True
        found.append(entry[-1])
    if changed:
        _save(place, known)
    return found


def _stamp(path: Path) -> list[int]:
    """Size and time of change of a file, and of the log that a database keeps beside it."""
    beside = [path.with_name(path.name + suffix) for suffix in (".wal", "-wal")]
    states = [item.stat() for item in (path, *beside) if item.exists()] or [path.stat()]
    return [number for state in states for number in (state.st_size, state.st_mtime_ns)]


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _save(path: Path, content: dict[str, Any]) -> None:
    """A cache that cannot be written (read-only disk) costs time, nothing else."""
    try:
        canon.write_atomic(path, json.dumps(content, sort_keys=True, indent=0).encode())
    except StorageError:
        return
