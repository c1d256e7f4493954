"""SQLite files: the rows of a declared SELECT, read-only. SQLite has types of values, not of columns, so each column must hold one type."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import queries
from factbook.sources.places import Servers
from factbook.sources.tables import Table, check_names, quote

SUFFIXES: Final = (".sqlite", ".sqlite3")
_ALLOWED: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_KINDS: Final = ("integer", "real", "text", "blob")
_EXACT: Final = 1 << 53
_BATCH: Final = 1 << 16
_WIDE: Final = 500  # columns looked at together; SQLite answers at most 2,000


def pin(source: Source, files: Sequence[Path], store: Path, servers: Servers) -> str:
    """The digest of the rows.

    Raises:
        SourceError: there are several files, the file is no SQLite database, it does not answer the query, or a column mixes types.
    """
    return queries.pin_file(source, queries.only(source, files), store, lambda: _rows(source, files[0]))


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of the rows, from their copy."""
    return queries.opened(source, store, pin(source, files, store, Servers.LAST), tuple(files))


def _rows(source: Source, path: Path) -> Any:
    import pyarrow as pa

    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master")  # reads the file, whatever the query does
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
        names = [item[0] for item in connection.execute(_query(source)).description or ()]
        check_names(path, names)
        schema = pa.schema([pair for i in range(0, len(names), _WIDE) for pair in _types(connection, source, names[i : i + _WIDE])])
    except sqlite3.Error as error:
        raise queries.refused(source, error) from error
    return pa.RecordBatchReader.from_batches(schema, _batches(connection, source, schema))


def _batches(connection: sqlite3.Connection, source: Source, schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    try:
        cursor = connection.execute(_query(source))
        while rows := cursor.fetchmany(_BATCH):
            columns = zip(*rows, strict=True)
            yield pa.RecordBatch.from_arrays([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema)
    except (sqlite3.Error, UnicodeEncodeError) as error:
        raise queries.refused(source, error) from error
    finally:
        connection.close()


def _query(source: Source) -> str:
    return source.query.strip().rstrip(";")


def _types(connection: sqlite3.Connection, source: Source, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Columns and their Arrow types: the one type of the values of each; integers among reals are reals."""
    import pyarrow as pa

    plain = {None: pa.string(), "integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "blob": pa.binary()}
    kinds = ", ".join(f"{end}(nullif(typeof({quote(name)}), 'null'))" for name in names for end in ("min", "max"))
    found = connection.execute(f"SELECT {kinds} FROM ({_query(source)})").fetchone()
    for name, low, high in zip(names, found[::2], found[1::2], strict=True):
        yield name, plain[low] if low == high else _mixed(connection, source, name)


def _mixed(connection: sqlite3.Connection, source: Source, name: str) -> Any:
    """The Arrow type of a column that holds integers and reals.

    Raises:
        SourceError: it mixes others, or holds an integer that no real equals; says how many there are of each.
    """
    import pyarrow as pa

    column = quote(name)
    counts = ", ".join(f"sum(typeof({column}) = '{kind}')" for kind in _KINDS)
    large = f"sum(typeof({column}) = 'integer' AND {column} NOT BETWEEN -{_EXACT} AND {_EXACT})"
    *found, beyond = connection.execute(f"SELECT {counts}, {large} FROM ({_query(source)})").fetchone()
    held = {kind: count for kind, count in zip(_KINDS, found, strict=True) if count}
    if set(held) == {"integer", "real"} and not beyond:
        return pa.float64()
    said = ", ".join(f"{count} {kind}" for kind, count in held.items())
    raise SourceError(f"{source.uri}: column {name!r} of the query mixes types: {said}", remedy=f"say which: CAST({column} AS TEXT) AS {column}")
