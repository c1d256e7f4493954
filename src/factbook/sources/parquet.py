"""Parquet files. Values keep their types; where text is needed (labels, groups) they are written canonically (`1`, `1.0`, `true`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import hive
from factbook.sources.tables import Column, Part, Reader, Table, check_names, connect, fold, listing

SUFFIXES: Final = (".parquet", ".pq", ".parq")
RUN: Final = 1 << 24
_NUMBER: Final = "file_row_number"


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of one or several Parquet files with equal columns.

    Raises:
        SourceError: a file is no Parquet file, names a column twice, or differs from the first in its columns; or there are no rows.
    """
    connection = connect(store)
    first: list[str] = []
    rows = 0
    groups: dict[Path, list[int]] = {}
    for path in files:
        names, groups[path] = _footer(path)
        check_names(path, names)
        if first and names != first:
            odd = sorted(set(first) ^ set(names))
            raise SourceError(f"{path}: its columns differ from those of {files[0]}: {', '.join(map(repr, odd[:5])) or 'another order'}")
        first = names
        rows += sum(groups[path])
    if len(files) > 1:
        _check_types(connection, files)
    if rows == 0:
        raise SourceError(f"{source.uri}: no rows", remedy="give a table with at least one row")
    described = connection.execute(f"DESCRIBE {_sql(files, False)}").fetchall()
    columns = hive.columns(files, source, [Column(name, kind) for name, kind, *_ in described])
    parts = tuple(part for path in files for part in _parts(path, source, columns, groups[path]))
    sql, stored = _sql(files, source.partitioned), not source.partitioned
    runs: dict[str, Reader] = {part.sql: partial(_batches, [part.file], part.first, part.rows or 0) for part in parts}
    return Table(source.uri, sql, columns, rows, tuple(files), parts, stored, runs | {sql: partial(_batches, files, 0, rows)} if stored else {})


def _batches(files: Sequence[Path], first: int, rows: int, columns: Sequence[str], texts: Sequence[str], size: int) -> Iterator[Any]:
    """Batches of the row groups that begin in a run of rows, their texts as the dictionaries of the file and what they point to."""
    from pyarrow.parquet import ParquetFile

    start = 0
    for path in files:
        with ParquetFile(path, read_dictionary=list(texts), pre_buffer=False) as file:
            counts = (file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))
            starts = list(accumulate(counts, initial=start))
            chosen = [i for i, row in enumerate(starts[:-1]) if first <= row < first + rows]
            start = starts[-1]
            if chosen:
                yield from file.iter_batches(size, row_groups=chosen, columns=list(columns), use_threads=False)


def _sql(files: Sequence[Path], partitioned: bool) -> str:
    return f"SELECT * FROM read_parquet({listing(files)}, union_by_name = false, {hive.OPTIONS[partitioned]})"


def _parts(path: Path, source: Source, columns: Sequence[Column], groups: Sequence[int]) -> Iterator[Part]:
    """A file, or, where it is large, the runs of its row groups, which have so many rows each: only those are read."""
    sql, span = _sql([path], source.partitioned), hive.span(path, source)
    total = sum(groups)
    whole = Part(path, sql, total, span)
    if total <= RUN or any(fold(column.name) == _NUMBER for column in columns):
        yield whole
        return
    first = last = 0
    for rows in groups:
        last += rows
        if last - first >= RUN or last == total:
            where = f"{_NUMBER} BETWEEN {first} AND {last - 1}"
            yield Part(path, f"{sql} WHERE {where}", last - first, f"{span} rows {first}-{last - 1}".strip(), whole, first)
            first = last


def _footer(path: Path) -> tuple[list[str], list[int]]:
    """The names of the columns as the file spells them (`DESCRIBE` would rename one that is given twice), and the rows of each row group."""
    import pyarrow as pa
    from pyarrow.parquet import read_metadata

    try:
        found = read_metadata(path)
        return found.schema.to_arrow_schema().names, [found.row_group(i).num_rows for i in range(found.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"{path}: not a Parquet file ({reason})", remedy="declare its `format`, or write it again") from error


def _check_types(connection: Any, files: Sequence[Path]) -> None:
    """The engine would read every file as the types of the first: 0.25 in a later one as 0, and 2 as true."""
    first: dict[str, str] = {}
    for path in files:
        found = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({listing([path])}, hive_partitioning = false)").fetchall()
        types = {name: kind for name, kind, *_ in found}
        odd = [name for name, kind in first.items() if types[name] != kind]
        if odd:
            raise SourceError(
                f"{path}: {len(odd)} column(s) differ in type from {files[0]}: {odd[0]!r} is {types[odd[0]]} here and {first[odd[0]]} there",
                remedy="write all files with the same types",
            )
        first = first or types
