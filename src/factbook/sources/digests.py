"""Digests of files, remembered in the private store by path, size and time of change."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import StorageError

_FILE: Final = "digests.json"
_SETTLED: Final = 3_000_000_000  # ns; a file younger than this may change again within the clock's grain, so it is not remembered


def digest(files: Sequence[Path], store: Path, *, rehash: bool = False) -> str:
    """`sha256:` and a hash over the hashes of the files, sorted, so that neither their folder, their names nor their order matters.

    Args:
        files: the files, at least one.
        store: the private store; a hash found there for the same path, size and time of change is trusted unless `rehash`.
        rehash: read every byte again.
    """
    remembered = _load(store / _FILE)
    hashes = []
    changed = False
    for path in files:
        state = path.stat()
        name, stamp = str(path.resolve()), [state.st_size, state.st_mtime_ns]
        known = remembered.get(name)
        if rehash or not isinstance(known, list) or known[:2] != stamp or len(known) != 3:
            known = [*stamp, canon.hash_file(path)]
            if time.time_ns() - state.st_mtime_ns > _SETTLED:
                remembered[name] = known
                changed = True
        hashes.append(str(known[2]))
    if changed:
        _save(store / _FILE, remembered)
    return combine(hashes)


def combine(hashes: Sequence[str]) -> str:
    """One digest for several; one file keeps its own plain hash."""
    if len(hashes) == 1:
        return "sha256:" + hashes[0]
    return canon.digest(sorted(hashes))


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
