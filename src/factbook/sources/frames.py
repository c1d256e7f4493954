"""Rows from Python: whatever speaks Arrow (pandas, Polars, DuckDB, Arrow itself) becomes a Parquet file of the book."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.sources.copies import put

_MARK: Final = "factbook"


def write(frame: Any, path: Path) -> int:
    """Write the rows of a frame; returns how many. A file that factbook wrote from a frame before is replaced, any other is not.

    Args:
        frame: anything with `__arrow_c_stream__`: a pandas or Polars frame, a DuckDB relation, a `pyarrow.Table` or reader.
        path: the Parquet file.

    Raises:
        SourceError: it is no such frame, it has columns that cannot be kept, or there is a file that somebody else wrote.
        StorageError: the file cannot be written.
    """
    import pyarrow as pa

    if not hasattr(frame, "__arrow_c_stream__"):
        raise SourceError(
            f"{type(frame).__name__} is no frame of rows", remedy="give a pandas or Polars frame, a DuckDB relation, or an Arrow table or reader"
        )
    if path.suffix != ".parquet":
        raise SourceError(f"{path}: rows from Python are written as Parquet", remedy="let `uri` of the source end in .parquet")
    if path.exists() and not _ours(path):
        raise SourceError(f"{path}: there is a file that was not written from a frame", remedy="name another `uri` for the source, or move it away")
    try:
        reader = pa.RecordBatchReader.from_stream(frame)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError) as error:
        raise SourceError(
            f"the {type(frame).__name__} cannot be read as columns ({str(error).splitlines()[0]})", remedy="give each column values of one type"
        ) from error
    return put(path, reader, "the frame", {_MARK: "frame"})


def _ours(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return (pq.read_metadata(path).metadata or {}).get(_MARK.encode()) == b"frame"
    except (pa.ArrowInvalid, OSError):
        return False
