"""Sources bring outside bytes in, with the digest that pins them. Each module here reads one format: it defines `SUFFIXES` and `read`.

Nothing is guessed: separator, encoding and the role of each column are declared, and what contradicts the declaration is an error that names
file, column, count and remedy.
"""

from __future__ import annotations

import difflib
import glob
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factbook import canon, shelf
from factbook.errors import SourceError
from factbook.manifest import Join, Source
from factbook.sources import digests, joins
from factbook.sources.tables import Column, Table, batches, connect, is_nan, literal, numpy, quote

__all__ = [
    "Column",
    "Preview",
    "Table",
    "batches",
    "columns",
    "connect",
    "declaration",
    "digest",
    "explain",
    "files",
    "is_nan",
    "literal",
    "numpy",
    "quote",
    "table",
]


def files(uri: str, root: Path) -> list[Path]:
    """The files that a path or glob pattern names, sorted; empty if there are none. Relative paths start at the book."""
    if "://" in uri:
        raise SourceError(f"{uri}: only local files are read", remedy="download it, and give its path")
    path = root / uri
    if path.is_file():
        return [_real(path)]
    if path.is_dir():
        raise SourceError(f"{uri}: is a folder", remedy=f"give a pattern, e.g. {uri.rstrip('/')}/*.parquet")
    if not glob.has_magic(uri):
        return []
    found = glob.glob(uri, root_dir=root, recursive=True)  # noqa: PTH207 (Path.glob refuses absolute patterns)
    return sorted(_real(root / name) for name in found if (root / name).is_file())


def _real(path: Path) -> Path:
    """Where the file lies, so that messages name a place that a person can open (a book in the making lies beside its place).

    Raises:
        SourceError: the name holds bytes that are no UTF-8, which no engine can open.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{str(path)!r}: the name of the file is not UTF-8", remedy="rename it") from error
    return path.parent.resolve() / path.name


def digest(source: Source, root: Path, store: Path, *, rehash: bool = False) -> str | None:
    """The digest of the source's bytes, its joined file included; None where a file is absent.

    Hashes are remembered in `store` by path, size and time of change; `rehash` reads every byte again.
    """
    found = files(source.uri, root)
    if not found:
        return None
    own = digests.digest(found, store, rehash=rehash)
    if source.join is None:
        return own
    other = files(source.join.uri, root)
    return canon.digest([own, digests.digest(other, store, rehash=rehash)]) if other else None


def declaration(source: Source) -> str:
    """The digest of what the manifest says about a source, without where it lies: moving a file changes nothing."""
    members = source.model_dump(mode="json", exclude={"uri"})
    if source.join is not None:
        members["join"] = {"key": source.join.key}
    return canon.digest(members)


def table(source: Source, root: Path, store: Path) -> Table:
    """Open a source (and its joined file).

    Raises:
        SourceError: it cannot be read as declared.
    """
    left = _open(source, root, store)
    connection = connect(store)
    if source.join is None:
        if source.key:
            left.column(source.key, "key")
            _guarded(left, source, lambda: joins.check_unique(left, source.key, connection))
        return left
    other = _joined(source, source.join)
    right = _open(other, root, store)
    joined: Table = _guarded(left, source, lambda: joins.join(left, right, source.key, other.key, connection))
    return joined


def _joined(source: Source, join: Join) -> Source:
    return Source(uri=join.uri, key=join.key or source.key, separator=source.separator, encoding=source.encoding)


def _guarded(where: Table, source: Source, work: Any) -> Any:
    import duckdb

    try:
        return work()
    except duckdb.Error as error:
        raise explain(source, where, error) from error


def explain(source: Source, where: Table, error: Exception) -> SourceError:
    """Word an error that a scan met in the way of the source's format."""
    own = getattr(_format(source), "explain", None)
    if own is not None:
        worded = own(where, error)
        assert isinstance(worded, SourceError)
        return worded
    return SourceError(f"{where.where}: cannot be read ({str(error).splitlines()[0]})", remedy="write the file again")


def _open(source: Source, root: Path, store: Path) -> Table:
    found = files(source.uri, root)
    if not found:
        raise _missing(source.uri, root)
    opened = _format(source).read(found, source, store)
    assert isinstance(opened, Table)
    return opened


def _missing(uri: str, root: Path) -> SourceError:
    if glob.has_magic(uri):
        return SourceError(f"{uri}: no file matches (in {root})", remedy="mend `uri`, or bring the files")
    folder = (root / uri).parent
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(Path(uri).name, names, n=3)
    remedy = f"did you mean {' or '.join(near)}?" if near else "mend `uri`, or bring the file"
    return SourceError(f"{uri}: no such file (in {root})", remedy=remedy)


def _format(source: Source) -> Any:
    if source.format:
        return shelf.find("sources", source.format)
    suffix = Path(source.uri).suffix.lower()
    known = shelf.modules("sources")
    for module in known.values():
        if suffix in module.SUFFIXES:
            return module
    raise SourceError(f"{source.uri}: {suffix!r} does not say the format", remedy=f"declare `format: {'` or `format: '.join(sorted(known))}`")


@dataclass(frozen=True, slots=True)
class Preview:
    """What `init` shows of a column.

    `numeric`: whether all values read as numbers. `distinct`: at most `limit` are counted, and `examples` (sorted) are shown below that.
    """

    name: str
    type: str
    numeric: bool
    distinct: int
    missing: int
    examples: tuple[str, ...]


def columns(source: Source, root: Path, store: Path, names: Iterable[str] | None = None, *, limit: int = 1000) -> tuple[Preview, ...]:
    """The columns of a source (those of `names` where they are given), for proposals: declared roles are not needed yet.

    Raises:
        SourceError: it cannot be read, or holds no rows.
    """
    opened = table(source, root, store)
    connection = connect(store)
    wanted = set(opened.names if names is None else names)
    chosen = [column for column in opened.columns if column.name in wanted]
    return tuple(_guarded(opened, source, lambda column=column: _preview(opened, column, connection, limit)) for column in chosen)


def _preview(opened: Table, column: Column, connection: Any, limit: int) -> Preview:
    name = quote(column.name)
    total, missing, numbers = connection.execute(
        f"SELECT count(*), count(*) - count({name}), count(TRY_CAST(CAST({name} AS VARCHAR) AS DOUBLE)) FROM ({opened.sql})"
    ).fetchone()
    if not total:
        raise SourceError(f"{opened.where}: no rows", remedy="give a table with at least one row")
    values = connection.execute(f"SELECT DISTINCT CAST({name} AS VARCHAR) AS v FROM ({opened.sql}) WHERE {name} IS NOT NULL LIMIT {limit}").fetchall()
    examples = tuple(sorted(row[0] for row in values)[:5]) if len(values) < limit else ()
    return Preview(column.name, column.type, numbers == total - missing and total > missing, len(values), missing, examples)
