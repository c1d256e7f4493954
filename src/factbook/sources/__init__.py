"""Sources bring outside bytes in, with the digest that pins them. Each module here reads one format: it defines `SUFFIXES` and `read`.

    SUFFIXES    the ends of file names that say the format
    read(files, source, store)              the table
    explain(table, error)                   words what a scan found wrong; optional
    SCHEMES     the beginnings of a `uri` that names no file; optional
    FOLDERS     whether `uri` may be a folder, where `format` names the module; optional
    pin(source, files, store, servers)      the digest of the rows of a query, where the bytes of the files are not what is read; optional
    marked(files, source, hashes)           the hashes of the files with what their names say, where these are data; optional

Nothing is guessed: separator, encoding and the role of each column are declared, and what contradicts the declaration is an error that names
file, column, count and remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from factbook import canon, shelf
from factbook.errors import SourceError
from factbook.manifest import Join, Source
from factbook.sources import digests, hive, joins, places
from factbook.sources.frames import write
from factbook.sources.places import Servers
from factbook.sources.previews import Preview, previews
from factbook.sources.tables import Column, Part, Table, batches, connect, is_nan, listing, literal, numpy, quote

__all__ = [
    "Column",
    "Part",
    "Preview",
    "Servers",
    "Table",
    "batches",
    "columns",
    "connect",
    "declaration",
    "digest",
    "explain",
    "files",
    "hashes",
    "is_nan",
    "listing",
    "literal",
    "located",
    "numpy",
    "pins",
    "quote",
    "table",
    "write",
]


def files(uri: str, root: Path) -> list[Path]:
    """The files that a path or glob pattern names, sorted; empty if there are none. Relative paths start at the book."""
    return places.files(uri, root)


def located(source: Source, root: Path) -> list[Path]:
    """All files of a source, its joined file left out: those of `uri`, then those of `more`; none for what lies on a server.

    Raises:
        SourceError: a file of `more` is not here, or a file has two names.
    """
    if places.scheme(source.uri):
        _format(source)
        return []
    whole = source.partitioned or (source.format and getattr(_format(source), "FOLDERS", False))
    found = places.below(source.uri, root) if whole else files(source.uri, root)
    for uri in source.more if found else ():
        added = files(uri, root)
        if not added:
            raise places.missing(uri, root)
        if twice := [path for path in added if path in found]:
            raise SourceError(f"{uri}: {twice[0].name} is in `uri` already; its rows would count twice", remedy="take it out of `more`")
        found += added
    places.once(found, source.uri)
    return found


def digest(source: Source, root: Path, store: Path, *, rehash: bool = False, servers: Servers = Servers.LAST) -> str | None:
    """The digest of the source's bytes (of the rows, where it is a query), its joined file included; None where it is absent.

    Hashes are remembered in `store` by path, size and time of change; `rehash` reads every byte again. `servers` says whether one is asked.
    """
    found = located(source, root)
    if not found and not places.scheme(source.uri):
        return None
    module = _format(source, found)
    pin, marked = getattr(module, "pin", None), getattr(module, "marked", hive.marked)
    own = digests.combine(marked(found, source, digests.hashes(found, store, rehash=rehash))) if pin is None else pin(source, found, store, servers)
    if source.join is None or own is None:
        return own
    other = files(source.join.uri, root)
    return canon.digest([own, digests.digest(other, store, rehash=rehash)]) if other else None


def hashes(found: Sequence[Path], store: Path) -> list[str]:
    """The hash of the bytes of each file."""
    return digests.hashes(found, store)


def pins(table: Table, store: Path) -> list[str]:
    """What pins the rows of each part of a table: the hash of its file, and its span."""
    hashes = digests.hashes([part.file for part in table.parts], store)
    return [f"{known} {part.span}".strip() for known, part in zip(hashes, table.parts, strict=True)]


def declaration(source: Source) -> str:
    """The digest of what the manifest says about a source, without where it lies and what it serves for: neither changes a figure."""
    members = source.model_dump(mode="json", exclude={"uri", "more", "used_for", "dataset"}, exclude_defaults=True)
    if source.join is not None:
        members["join"] = {"key": source.join.key, **({"prefix": source.join.prefix} if source.join.prefix else {})}
    return canon.digest(members)


def table(source: Source, root: Path, store: Path) -> Table:
    """Open a source (and its joined file).

    Raises:
        SourceError: it cannot be read as declared.
    """
    left = _open(source, root, store)
    if source.join is None:
        if source.key:
            left.column(source.key, "key")
            _guarded(left, source, lambda: joins.check_unique(left, source.key, connect(store)))
        return left
    other = _joined(source, source.join)
    right = _open(other, root, store)
    joined: Table = _guarded(left, source, lambda: joins.join(left, right, source.key, other.key, connect(store), source.join.prefix))
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
    own = getattr(_format(source, where.files), "explain", None)
    if own is not None:
        worded = own(where, error)
        assert isinstance(worded, SourceError)
        return worded
    return SourceError(f"{where.where}: cannot be read ({str(error).splitlines()[0]})", remedy="write the file again")


def _open(source: Source, root: Path, store: Path) -> Table:
    found = located(source, root)
    if not found and not places.scheme(source.uri):
        raise places.missing(source.uri, root)
    module = _format(source, found)
    _refuse_query(source, hasattr(module, "pin"))
    opened = module.read(found, source, store)
    assert isinstance(opened, Table)
    return opened


def _refuse_query(source: Source, answers: bool) -> None:
    """A query is for what can answer it."""
    if source.query and not answers:
        raise SourceError(f"{source.uri}: `query` is for databases", remedy="leave it out; what is not needed of a file is not read")
    if answers and not source.query:
        raise SourceError(f"{source.uri}: which rows of the database?", remedy="declare `query: SELECT … FROM …`")


def _format(source: Source, found: Sequence[Path] = ()) -> Any:
    """The module that reads a source: by its declared format, its scheme, or the suffix of its name (of its files, where it is a folder)."""
    scheme = places.scheme(source.uri)
    if source.format and not scheme:
        return shelf.find("sources", source.format)
    suffixes = sorted({places.kind(path) for path in found if source.partitioned}) or [places.kind(source.uri)]
    if len(suffixes) > 1:
        raise SourceError(f"{source.uri}: files of several kinds: {', '.join(suffixes)}", remedy="let `uri` be a pattern, e.g. log/**/*.parquet")
    suffix = suffixes[0]
    known = shelf.modules("sources")
    for module in known.values():
        if (scheme in getattr(module, "SCHEMES", ())) if scheme else (suffix in module.SUFFIXES):
            return module
    if scheme:
        schemes = sorted(item for module in known.values() for item in getattr(module, "SCHEMES", ()))
        raise SourceError(
            f"{source.uri}: only local files and the databases of {', '.join(schemes)} are read", remedy="download it, and give its path"
        )
    raise SourceError(f"{source.uri}: {suffix!r} does not say the format", remedy=f"declare `format: {'` or `format: '.join(sorted(known))}`")


def columns(source: Source, root: Path, store: Path, names: Iterable[str] | None = None, *, limit: int = 1000) -> tuple[Preview, ...]:
    """The columns of a source (those of `names` where they are given), for proposals: declared roles are not needed yet.

    Raises:
        SourceError: it cannot be read, or holds no rows.
    """
    opened = table(source, root, store)
    connection = connect(store)
    wanted = set(opened.names if names is None else names)
    chosen = [column for column in opened.columns if column.name in wanted]
    found: tuple[Preview, ...] = _guarded(opened, source, lambda: previews(opened, chosen, connection, limit))
    return found
