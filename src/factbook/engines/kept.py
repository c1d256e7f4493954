"""Tallies, and sketches of columns, kept in the private store, a file each, under the digest of all that decides them.

A tally of a part of a table (a file, or a run of its rows) follows from the bytes of the part, from the declared columns and from the code that
counts. So what was counted before is not counted again: a run that was ended goes on where it was, and a further file is added to the others. A
file that was damaged does not match its own hash and is counted again. Nothing here is ever published: small groups are not hidden in it.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from factbook import canon, sources
from factbook.engines import bins, cells, columns, folding, kernel, pages, sketches, sketching, tallies
from factbook.engines.sketches import Sketch
from factbook.engines.sketching import Cell, Split
from factbook.engines.tallies import Tally
from factbook.errors import SourceError, StorageError
from factbook.manifest import Source
from factbook.model import Progress
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
    return canon.digest([inspect.getsource(module) for module in (kernel, columns, folding, bins, tallies, cells, sketches, sketching, pages)])


def get(store: Path, name: str) -> Tally | None:
    """A kept tally; None where there is none, or where its file is damaged."""
    data = read(store, name)
    try:
        return None if data is None else tallies.load(data)
    except ValueError:
        return None


def put(store: Path, name: str, tally: Tally) -> bool:
    """Keep a tally, in one step; False where the store takes nothing."""
    return write(store, name, tallies.dump(tally))


def sketched(
    table: Table, source: Source, wanted: Mapping[str, bool], store: Path, progress: Progress, splits: Sequence[Split] = ()
) -> dict[Cell, dict[str, Sketch]]:
    """`sketching.scan` of a table, file by file; what was sketched before is not sketched again.

    Where rows are kept apart by their place in the table, it is scanned as a whole.
    """
    whole = table.by_file
    if not whole.parts or any(split.blocks for split in splits):
        return sketching.scan(table, source, wanted, store, progress, splits)
    types = [[name, table.column(name, "columns").type, category] for name, category in wanted.items()]
    common = [_code(), types, [split.sql for split in splits]]
    found: defaultdict[Cell, list[dict[str, Sketch]]] = defaultdict(list)
    for number, pin in enumerate(sources.pins(whole, store)):
        part, name = whole.part(number), canon.digest([*common, pin]).removeprefix("sha256:")
        for cell, one in (_sketches(read(store, name)) or _scanned(part, source, wanted, store, progress, splits, name)).items():
            found[cell].append(one)
    if not found:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    return {cell: {name: sketches.combine([part[name] for part in parts]) for name in wanted} for cell, parts in found.items()}


def _scanned(
    part: Table, source: Source, wanted: Mapping[str, bool], store: Path, progress: Progress, splits: Sequence[Split], name: str
) -> dict[Cell, dict[str, Sketch]]:
    """The sketches of one file, kept; none where it has no rows."""
    if not part.rows and _is_empty(part, store):
        return {}
    found = sketching.scan(part, source, wanted, store, progress, splits)
    blobs = {cell: {column: sketches.dump(sketch) for column, sketch in one.items()} for cell, one in found.items()}
    head = [[cell, [[column, len(blob)] for column, blob in one.items()]] for cell, one in blobs.items()]
    write(store, name, json.dumps(head).encode() + b"\n" + b"".join(blob for one in blobs.values() for blob in one.values()))
    return found


def _sketches(data: bytes | None) -> dict[Cell, dict[str, Sketch]] | None:
    if data is None:
        return None
    line, _, rest = data.partition(b"\n")
    found: dict[Cell, dict[str, Sketch]] = {}
    place = 0
    for cell, parts in json.loads(line):
        for column, size in parts:
            found.setdefault(tuple(cell), {})[column] = sketches.load(rest[place : place + size])
            place += size
    return found


def _is_empty(part: Table, store: Path) -> bool:
    import duckdb

    try:
        return sources.connect(store).execute(f"SELECT 1 FROM ({part.sql}) LIMIT 1").fetchone() is None
    except duckdb.Error:
        return False  # the scan says what is wrong


def read(store: Path, name: str) -> bytes | None:
    """What is kept under a name; None where there is nothing, or where it does not match its own hash."""
    path = store / FOLDER / name
    try:
        known, _, data = path.read_bytes().partition(b"\n")
        if hashlib.sha256(data).hexdigest().encode() != known:
            return None
        path.touch()  # the least recently used are tidied
    except OSError:
        return None
    return data


def write(store: Path, name: str, data: bytes) -> bool:
    """A store that cannot be written costs time later, nothing else."""
    try:
        canon.write_atomic(store / FOLDER / name, hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    except StorageError:
        return False
    return True


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
