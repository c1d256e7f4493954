"""Arrow IPC files and streams, Feather among them. Values keep their types, as in Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import copies, digests, parquet
from factbook.sources.tables import Part, Table

SUFFIXES: Final = (".arrow", ".feather", ".ipc", ".arrows")
_FILE: Final = b"ARROW1"


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of one or several files with equal columns, through a Parquet copy of each in the private store.

    Raises:
        SourceError: a file is no Arrow file, has a column that cannot be kept, or differs from the first in its columns.
    """
    if source.partitioned:
        raise SourceError(f"{source.uri}: a partitioned table is Parquet, CSV or JSON Lines", remedy="write its files as Parquet")
    first = None
    for path in files:
        schema = _opened(path).schema
        first = first or schema
        if [(field.name, field.type) for field in schema] != [(field.name, field.type) for field in first]:
            odd = sorted({f"{field.name} {field.type}" for field in schema} ^ {f"{field.name} {field.type}" for field in first})
            said = f"{path}: its columns differ from those of {files[0]}: {', '.join(odd[:5]) or 'another order'}"
            raise SourceError(said, remedy="write all files with the same columns in one order")
    hashes = digests.hashes(files, store)
    written = [copies.copy(store, known, str(path), partial(_opened, path)) for path, known in zip(files, hashes, strict=True)]
    opened, origin = parquet.read(written, source, store), dict(zip(written, files, strict=True))

    def of_origin(part: Part) -> Part:
        return replace(part, file=origin[part.file], of=of_origin(part.of) if part.of else None)

    return replace(opened, parts=tuple(map(of_origin, opened.parts)))


def _opened(path: Path) -> Any:
    """The batches of a file, whichever of the two forms it has."""
    import pyarrow as pa

    try:
        with path.open("rb") as stream:
            is_file = stream.read(len(_FILE)) == _FILE
        mapped = pa.memory_map(str(path))
        if not is_file:
            return pa.ipc.open_stream(mapped)
        opened = pa.ipc.open_file(mapped)
        batches = (opened.get_batch(i) for i in range(opened.num_record_batches))
        return pa.RecordBatchReader.from_batches(opened.schema, batches)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"{path}: not an Arrow file ({str(error).splitlines()[0]})", remedy="write it again, as Arrow IPC or Parquet") from error
