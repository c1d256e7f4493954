"""Rows that a database gives for a declared SELECT: pinned by themselves, since the bytes of a server cannot be hashed.

The rows are copied once into the private store, and everything is counted from that copy. Their digest does not depend on their order: it is the
SHA-256 of the sorted SHA-256 of the rows, a row being the texts of its values, each with its length before it (`-` where missing), after a first
line with the names and types of the columns.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import copies, digests, parquet
from factbook.sources.places import Servers
from factbook.sources.tables import Table, batches, connect, listing, quote

_PINNED: Final = "queries"


def pin_file(source: Source, database: Path, store: Path, reader: Callable[[], Any]) -> str:
    """The digest of the rows of a query to a database in a file. It is asked again only where the file or the query has changed."""
    asked = f"{_PINNED}-{canon.digest([source.query])[7:23]}"
    known = str(digests.remembered(asked, [database], store, lambda _: snapshot(source, store, reader))[0])
    return known if _place(store, known).is_file() else snapshot(source, store, reader)


def pin_server(source: Source, store: Path, servers: Servers, reader: Callable[[], Any]) -> str | None:
    """The digest of the rows of a query to a server; None where it is not asked and no copy is here.

    Args:
        source: the declared `uri` and `query`.
        store: the private store, where the copy of the last answer lies.
        servers: whether to ask.
        reader: asks.
    """
    last = store / copies.FOLDER / f"{canon.digest([source.uri, source.query]).removeprefix('sha256:')}.last"
    if servers is Servers.SKIP:
        return None
    if servers is Servers.LAST:
        with contextlib.suppress(OSError):
            known = last.read_text(encoding="ascii")
            if _place(store, known).is_file():
                return known
    known = snapshot(source, store, reader)
    canon.write_atomic(last, known.encode())
    return known


def snapshot(source: Source, store: Path, reader: Callable[[], Any]) -> str:
    """Copy the rows of a query into the private store; returns their digest."""
    fresh = store / copies.FOLDER / "fresh.parquet"
    copies.put(fresh, reader(), source.uri)
    known = rows_digest(fresh, store)
    fresh.replace(_place(store, known))
    return known


def opened(source: Source, store: Path, known: str, files: tuple[Path, ...]) -> Table:
    """The table of a copy whose rows have a digest."""
    kept = parquet.read([_place(store, known)], source, store)
    return Table(source.uri, kept.sql, kept.columns, kept.rows, files, kept.parts)


def rows_digest(path: Path, store: Path) -> str:
    """The digest of the rows of a Parquet file, in any order."""
    connection = connect(store)
    rows = f"SELECT * FROM read_parquet({listing([path])})"
    columns = [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {rows}").fetchall()]
    state = hashlib.sha256(canon.dumps([list(column) for column in columns]).encode())
    texts = (f"CAST({quote(name)} AS VARCHAR)" for name, _ in columns)
    values = ", ".join(f"coalesce(strlen({text}) || ':' || {text}, '-')" for text in texts)
    for batch in batches(connection, f"SELECT sha256(concat({values})) AS h FROM ({rows}) ORDER BY h"):
        state.update(_joined(batch.column(0)))
    return "sha256:" + state.hexdigest()


def _joined(texts: Any) -> Any:
    """The bytes of all texts of an Arrow array, one after the other: as they lie in memory."""
    data = texts.cast("large_string")
    _, ends, held = data.buffers()
    first, last = (int.from_bytes(ends[8 * i : 8 * i + 8], "little") for i in (data.offset, data.offset + len(data)))
    return held[first:last]


def _place(store: Path, known: str) -> Path:
    return store / copies.FOLDER / f"{known.removeprefix('sha256:')}.parquet"


def only(source: Source, files: Sequence[Path]) -> Path:
    """The one file of a database.

    Raises:
        SourceError: there are several.
    """
    if len(files) != 1:
        raise SourceError(f"{source.uri}: {len(files)} databases; a query is put to one", remedy="name one file, or write the rows to Parquet")
    return files[0]


def refused(source: Source, error: Exception) -> SourceError:
    """The error of a database about a query."""
    said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return SourceError(f"{source.uri}: the query cannot be answered ({said})", remedy="mend `query`; it must be one SELECT")
