"""DuckDB files: the rows of a declared SELECT, read-only and with the file system out of the query's reach."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import queries
from factbook.sources.places import Servers
from factbook.sources.tables import Table

SUFFIXES: Final = (".duckdb", ".ddb")
_SETTINGS: Final[dict[str, Any]] = {
    "TimeZone": "UTC",
    "autoinstall_known_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}


def pin(source: Source, files: Sequence[Path], store: Path, servers: Servers) -> str:
    """The digest of the rows.

    Raises:
        SourceError: there are several files, the file is no DuckDB database or in use, or it does not answer the query.
    """
    return queries.pin_file(source, queries.only(source, files), store, lambda: _rows(source, files[0]))


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of the rows, from their copy."""
    return queries.opened(source, store, pin(source, files, store, Servers.LAST), tuple(files))


def _rows(source: Source, path: Path) -> Any:
    import duckdb

    try:
        connection = duckdb.connect(str(path), read_only=True, config=_SETTINGS)
    except duckdb.Error as error:
        raise SourceError(
            f"{path}: cannot be opened as a DuckDB database ({str(error).splitlines()[0]})", remedy="close what writes to it, or name another file"
        ) from error
    try:
        relation = connection.sql(source.query)
        if relation is None:
            raise SourceError(f"{source.uri}: the query gives no rows", remedy="declare a SELECT")
        reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
        return reader(1 << 17)
    except duckdb.Error as error:
        raise queries.refused(source, error) from error
