"""Rows of formats that an engine does not scan itself, as Parquet files in the private store, by what pins them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import SourceError, StorageError
from factbook.sources.tables import check_names

FOLDER: Final = "tables"
_GROUP: Final = 1 << 18


def copy(store: Path, pin: str, where: str, reader: Callable[[], Any]) -> Path:
    """The Parquet file of some rows; written unless it is there.

    Args:
        store: the private store.
        pin: what decides the rows, e.g. the digest of their file.
        where: how messages name their source.
        reader: opens the rows as a `pyarrow.RecordBatchReader`.

    Raises:
        SourceError: a column has a type that Parquet cannot hold.
        StorageError: the store cannot be written.
    """
    path = store / FOLDER / f"{canon.digest([1, pin]).removeprefix('sha256:')}.parquet"
    if not path.is_file():
        put(path, reader(), where)
    path.touch()  # the least recently used are tidied
    return path


def put(path: Path, reader: Any, where: str, metadata: dict[str, str] | None = None) -> int:
    """Write a `pyarrow.RecordBatchReader` as one Parquet file, in one step; returns the number of rows.

    Raises:
        SourceError: a column has a type that Parquet cannot hold, or a name is given twice.
        StorageError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_names(where, reader.schema.names)
    schema = pa.schema([pa.field(field.name, _plain(field, where)) for field in reader.schema])
    rows = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.close(handle)
        try:
            with pq.ParquetWriter(temporary, schema, compression="zstd", store_schema=False) as writer:
                for batch in reader:
                    rows += batch.num_rows
                    writer.write_batch(_cast(batch, schema), row_group_size=_GROUP)
                writer.add_key_value_metadata(metadata or {})
            Path(temporary).chmod(0o600)
            Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(path, error) from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise SourceError(f"{where}: its rows cannot be kept ({str(error).splitlines()[0]})", remedy="give columns of plain types") from error
    return rows


def _cast(batch: Any, schema: Any) -> Any:
    import pyarrow as pa

    columns = [_decoded(column).cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _decoded(column: Any) -> Any:
    import pyarrow as pa

    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _plain(field: Any, where: str) -> Any:
    """The type that Parquet holds and the engine reads for a column.

    Raises:
        SourceError: there is none that keeps the values.
    """
    import pyarrow as pa

    kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    simple = ((pa.types.is_null, pa.string()), (pa.types.is_string_view, pa.string()), (pa.types.is_binary_view, pa.binary()))
    for test, plain in (*simple, (pa.types.is_float16, pa.float32())):
        if test(kind):
            return plain
    if pa.types.is_decimal(kind):
        if kind.precision <= 38:
            return pa.decimal128(kind.precision, kind.scale)
    elif not (pa.types.is_duration(kind) or pa.types.is_interval(kind) or pa.types.is_union(kind)):
        return kind
    raise SourceError(f"{where}: column {field.name!r} is {field.type}, which cannot be kept", remedy="write it as a number or a text")
