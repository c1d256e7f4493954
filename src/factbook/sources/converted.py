"""Files that are no tables (logs, images, texts, annotations) read once into a Parquet file in the private store, which DuckDB then scans."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Final
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

from factbook import canon
from factbook.errors import MissingExtra, SourceError, StorageError
from factbook.manifest import Source
from factbook.sources import copies, digests
from factbook.sources.tables import Column, Table, connect, listing, literal

LARGEST: Final = 1 << 28
"""Bytes of the largest member of an archive that is unpacked."""


def table(
    files: Sequence[Path], source: Source, store: Path, schema: Mapping[str, str], records: Callable[[], Iterable[Mapping[str, Any]]], form: str
) -> Table:
    """The table of the records, made once for the bytes and names of the files.

    Args:
        files: what is read.
        source: its declaration.
        store: the private store.
        schema: the DuckDB type of each column; a further name that a record has becomes a column of text, and one with a list or
            an object in it a column of JSON.
        records: reads the files.
        form: the name and version of the reader; another one reads the files again.

    Raises:
        SourceError: there are no records.
        StorageError: the private store cannot be written.
    """
    made = [form, source.encoding, source.members, *sorted(marked(files, source, digests.hashes(files, store)))]
    path = store / copies.FOLDER / f"{canon.digest(made).removeprefix('sha256:')}.parquet"
    connection = connect(store)
    if not path.is_file():
        _convert(connection, path, source, schema, records())
    path.touch()  # the least recently used are tidied
    sql = f"SELECT * FROM read_parquet({listing([path])}, hive_partitioning = false)"
    columns = tuple(Column(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {sql}").fetchall())
    rows = int(connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0])
    return Table(source.uri, sql, columns, rows, tuple(files))


def _convert(connection: Any, path: Path, source: Source, schema: Mapping[str, str], records: Iterable[Mapping[str, Any]]) -> None:
    """Through JSON Lines, since building Arrow arrays from Python objects would import pandas."""
    columns = dict(schema)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            lines, done = Path(folder) / "rows.jsonl", Path(folder) / "done.parquet"
            rows = 0
            with lines.open("w", encoding="utf-8", errors="surrogatepass") as out:
                for record in records:
                    columns |= {name: "VARCHAR" for name in record if name not in columns}
                    columns |= {name: "JSON" for name, value in record.items() if isinstance(value, list | dict)}
                    out.write(json.dumps(record, ensure_ascii=True) + "\n")
                    rows += 1
            if not rows:
                raise SourceError(f"{source.uri}: nothing to read in it", remedy="mend `uri` or `members`")
            types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
            reading = f"read_json({listing([lines])}, columns = {{{types}}}, format = 'newline_delimited', maximum_object_size = {4 * LARGEST})"
            connection.execute(f"COPY (SELECT * FROM {reading}) TO {literal(str(done))} (FORMAT parquet, COMPRESSION zstd)")
            os.replace(done, path)  # noqa: PTH105
    except OSError as error:
        raise StorageError(path.parent, error) from error


def pillow(what: str) -> str:
    """Pillow with its version, which decides what its readers find in an image.

    Raises:
        MissingExtra: it is not there.
    """
    try:
        import PIL
    except ImportError as error:
        raise MissingExtra(f"reading {what}", "images") from error
    return f"Pillow {PIL.__version__}"


def marked(files: Sequence[Path], source: Source, hashes: Sequence[str]) -> list[str]:
    """The hashes of files whose names say something (the class in the name of a folder), each with its name."""
    del source
    return [canon.digest([name, known]).removeprefix("sha256:") for name, known in zip(names(files), hashes, strict=True)]


def names(files: Sequence[Path]) -> list[str]:
    """The files' names from the folder that they share: `cat/1.png`."""
    shared = Path(os.path.commonpath([path.parent for path in files])) if files else Path()
    return [path.relative_to(shared).as_posix() for path in files]


def entries(files: Sequence[Path], source: Source) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file, and of each member of an archive that `members` names, in the order of their names.

    Raises:
        SourceError: an archive is damaged, or packs more than is unpacked.
    """
    for name, path in sorted(zip(names(files), files, strict=True)):
        if path.suffix.lower() == ".zip" or (source.members and is_zipfile(path)):
            yield from _members(path, source)
        else:
            yield name, path.read_bytes()


def _members(path: Path, source: Source) -> Iterator[tuple[str, bytes]]:
    try:
        with ZipFile(path) as archive:
            for item in sorted(archive.infolist(), key=lambda item: item.filename):
                if not _hidden(item) and fnmatchcase(item.filename, source.members or "*"):
                    if item.file_size > LARGEST:
                        raise SourceError(f"{path}: {item.filename} holds {item.file_size:,} bytes", remedy="unpack it, and split it")
                    yield item.filename, archive.read(item)
    except (BadZipFile, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"{path}: cannot be unpacked ({error})", remedy="pack it again, without a password") from error


def _hidden(item: ZipInfo) -> bool:
    return item.is_dir() or item.filename.startswith("__MACOSX/") or PurePosixPath(item.filename).name.startswith(".")


def folder(name: str) -> str | None:
    """The folder that a file lies in, which often says its class; None where there is none."""
    return PurePosixPath(name).parent.name or None
