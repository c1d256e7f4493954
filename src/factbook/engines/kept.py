"""Tallies kept in the private store, a file each, under the digest of all that decides them.

A tally of a part of a table (a file, or a run of its rows) follows from the bytes of the part, from the declared columns and from the code that
counts. So what was counted before is not counted again: a run that was ended goes on where it was, and a further file is added to the others. A
file that was damaged does not match its own hash and is counted again. Nothing here is ever published: small groups are not hidden in it.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from factbook import canon, sources
from factbook.engines import bins, columns, folding, kernel, tallies
from factbook.engines.tallies import Tally
from factbook.errors import StorageError
from factbook.manifest import Source
from factbook.sources import Table

FOLDER: Final = "tallies"
LIMITS: Final = {FOLDER: 1 << 30, "tables": 1 << 33}
_IRRELEVANT: Final = {"uri", "more", "by", "positive", "abstain", "unit", "missing", "key", "join"}


def names(table: Table, source: Source, attributes: Sequence[str], store: Path) -> list[str]:
    """Under which name the tally of each part of a table is kept."""
    declared = source.model_dump(mode="json", exclude=_IRRELEVANT, exclude_defaults=True)
    groups = [[name, source.by[name].model_dump(mode="json")] for name in attributes]
    read = {source.label, source.prediction, source.score, source.weight, source.cluster, *(source.by[name].column for name in attributes)}
    types = [[column.name, column.type] for column in table.columns if column.name in read]
    common = [_code(), declared, groups, types]
    return [canon.digest([*common, pin]).removeprefix("sha256:") for pin in sources.pins(table, store)]


@functools.cache
def _code() -> str:
    """The digest of the code that counts: another kernel counts anew."""
    return canon.digest([inspect.getsource(module) for module in (kernel, columns, folding, bins, tallies)])


def get(store: Path, name: str) -> Tally | None:
    """A kept tally; None where there is none, or where its file is damaged."""
    path = store / FOLDER / name
    try:
        known, _, data = path.read_bytes().partition(b"\n")
        if hashlib.sha256(data).hexdigest().encode() != known:
            return None
        found = tallies.load(data)
        path.touch()  # the least recently used are tidied
    except (OSError, ValueError):
        return None
    return found


def put(store: Path, name: str, tally: Tally) -> None:
    """Keep a tally, in one step. A store that cannot be written costs time later, nothing else."""
    data = tallies.dump(tally)
    try:
        canon.write_atomic(store / FOLDER / name, hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    except StorageError:
        return


def tidy(store: Path) -> None:
    """Remove the temporary files of processes that were killed, and the files used longest ago where there are too many bytes of them."""
    for folder, limit in LIMITS.items():
        for left in (store / folder).glob(".*.tmp"):
            left.unlink(missing_ok=True)
        _shrink((path for path in (store / folder).glob("*") if path.is_file()), limit)


def _shrink(files: Iterable[Path], limit: int) -> None:
    states = sorted(((path.stat(), path) for path in files), key=lambda item: -item[0].st_mtime_ns)
    total = 0
    for state, path in states:
        total += state.st_size
        if total > limit:
            path.unlink(missing_ok=True)
