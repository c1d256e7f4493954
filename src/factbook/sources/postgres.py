"""PostgreSQL: the rows of a declared SELECT, in one read-only transaction. What the URL leaves out comes from libpq's own environment and files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from factbook.errors import MissingExtra, SourceAbsent, SourceError
from factbook.manifest import Source
from factbook.sources import queries
from factbook.sources.places import Servers, expanded
from factbook.sources.tables import Table, check_names

SUFFIXES: Final = ()
SCHEMES: Final = ("postgresql", "postgres")
_BATCH: Final = 1 << 14
_PATIENCE: Final = 10


def pin(source: Source, files: Sequence[Path], store: Path, servers: Servers) -> str | None:
    """The digest of the rows; None where the server is not to be asked.

    Raises:
        MissingExtra: psycopg is not installed.
        SourceError: the server does not answer, or refuses the query.
    """
    return queries.pin_server(source, store, servers, lambda: _rows(source))


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of the rows, from their copy."""
    known = queries.pin_server(source, store, Servers.LAST, lambda: _rows(source))
    assert known is not None
    return queries.opened(source, store, known, ())


def _rows(source: Source) -> Any:
    import pyarrow as pa

    try:
        import psycopg
    except ImportError as error:
        raise MissingExtra("reading from PostgreSQL", "postgres") from error
    try:
        connection = psycopg.connect(expanded(source.uri), connect_timeout=_PATIENCE, application_name="factbook", options="-c TimeZone=UTC")
    except (psycopg.Error, UnicodeError) as error:
        raise SourceAbsent(f"{source.uri}: the server cannot be reached ({_first_line(error)})", remedy="start it, or mend `uri` or PG…") from error
    try:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        cursor = connection.cursor(name="factbook")
        cursor.execute(source.query)
        first = cursor.fetchmany(_BATCH)
        check_names(source.uri, [item.name for item in cursor.description or ()])
        schema = pa.schema([(item.name, _type(item, connection)) for item in cursor.description or ()])
    except psycopg.Error as error:
        connection.close()
        raise _failed(source, error) from error
    return pa.RecordBatchReader.from_batches(schema, _batches(connection, cursor, first, schema, source))


def _batches(connection: Any, cursor: Any, rows: list[Any], schema: Any, source: Source) -> Iterator[Any]:
    import psycopg
    import pyarrow as pa

    try:
        while rows:
            columns = zip(*rows, strict=True)
            arrays = [pa.array(_values(values, field.type), type=field.type) for values, field in zip(columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            rows = cursor.fetchmany(_BATCH)
    except psycopg.Error as error:
        raise _failed(source, error) from error
    finally:
        connection.close()


def _type(column: Any, connection: Any) -> Any:
    """The Arrow type of a column of the answer; text for all that Arrow has no type of its own for, as PostgreSQL or JSON writes it."""
    import pyarrow as pa

    known = connection.adapters.types.get(column.type_code)
    name = known.name if known is not None and known.oid == column.type_code else ""
    plain = {
        "bool": pa.bool_(),
        "int2": pa.int16(),
        "int4": pa.int32(),
        "int8": pa.int64(),
        "float4": pa.float32(),
        "float8": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", "UTC"),
        "time": pa.time64("us"),
        "bytea": pa.binary(),
    }
    if name == "numeric" and column.precision is not None and column.precision <= 38 and 0 <= (column.scale or 0) <= column.precision:
        return pa.decimal128(column.precision, column.scale or 0)
    return plain.get(name, pa.string())


def _values(values: Sequence[Any], kind: Any) -> Sequence[Any]:
    """The values of a column as its type holds them."""
    import pyarrow as pa

    return list(map(_text, values)) if pa.types.is_string(kind) and set(map(type, values)) - {str, type(None)} else values


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)


def _failed(source: Source, error: Exception) -> SourceError:
    """The error of a query: the server has gone or gave up, or it refuses the query."""
    import psycopg

    if isinstance(error, psycopg.OperationalError):
        return SourceError(f"{source.uri}: the server did not finish its answer ({_first_line(error)})", remedy="measure again when it can")
    return queries.refused(source, error)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
