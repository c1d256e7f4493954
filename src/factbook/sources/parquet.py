"""Parquet files. Values keep their types; where text is needed (labels, groups) they are written canonically (`1`, `1.0`, `true`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
_GROUPS: Final = 4
_NUMBER: Final = "file_row_number"
_TYPES: Final = {
    ("BOOLEAN", "NONE"): "BOOLEAN",
    ("INT32", "NONE"): "INTEGER",
    ("INT64", "NONE"): "BIGINT",
    ("INT32", "INT_8"): "TINYINT",
    ("INT32", "INT_16"): "SMALLINT",
    ("INT32", "UINT_8"): "UTINYINT",
    ("INT32", "UINT_16"): "USMALLINT",
    ("INT32", "UINT_32"): "UINTEGER",
    ("INT64", "UINT_64"): "UBIGINT",
    ("FLOAT", "NONE"): "FLOAT",
    ("DOUBLE", "NONE"): "DOUBLE",
    ("BYTE_ARRAY", "UTF8"): "VARCHAR",
}
"""What the engine reads plain columns of a file as, by their physical and their converted type."""
_ARROW: Final = {
    "BOOLEAN": ("bool",),
    "TINYINT": ("int8",),
    "SMALLINT": ("int16",),
    "INTEGER": ("int32",),
    "BIGINT": ("int64",),
    "UTINYINT": ("uint8",),
    "USMALLINT": ("uint16",),
    "UINTEGER": ("uint32",),
    "UBIGINT": ("uint64",),
    "FLOAT": ("float",),
    "DOUBLE": ("double",),
    "VARCHAR": ("string", "large_string"),
}
"""What Arrow calls the same values. It reads others from a file that says so: durations, halves, views."""


@dataclass(frozen=True, slots=True)
class _Footer:
    """What the end of a file says.

    Attributes:
        names: of the columns as the file spells them.
        groups: the rows of each row group.
        plain: the columns, if all are of types in _TYPES.
        arrow: the types that Arrow would read the columns as.
    """

    names: list[str]
    groups: list[int]
    plain: list[Column] | None
    arrow: list[str]


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of one or several Parquet files with equal columns.

    Raises:
        SourceError: a file is no Parquet file, names a column twice, or differs from the first in its columns; or there are no rows.
    """
    footers: list[_Footer] = []
    for path in files:
        footers.append(_footer(path))
        names, first = footers[-1].names, footers[0].names
        check_names(path, names)
        if names != first:
            odd = sorted(set(first) ^ set(names))
            raise SourceError(
                f"{path}: its columns differ from those of {files[0]}: {', '.join(map(repr, odd[:5])) or 'another order'}",
                remedy="write all files with the same columns in one order",
            )
    found = _columns(files, footers, store)
    rows = sum(sum(footer.groups) for footer in footers)
    if rows == 0:
        raise SourceError(f"{source.uri}: no rows", remedy="give a table with at least one row")
    columns = hive.columns(files, source, found)
    parts = tuple(part for path, footer in zip(files, footers, strict=True) for part in _parts(path, source, columns, footer.groups))
    sql, stored = _sql(files, source.partitioned), not source.partitioned and all(_alike(found, footer.arrow) for footer in footers)
    runs: dict[str, Reader] = {part.sql: partial(_batches, [part.file], part.first, part.rows or 0) for part in parts}
    return Table(source.uri, sql, columns, rows, tuple(files), parts, stored, runs | {sql: partial(_batches, files, 0, rows)} if stored else {})


def _batches(files: Sequence[Path], first: int, rows: int, columns: Sequence[str], texts: Sequence[str], size: int) -> Iterator[Any]:
    """Batches of the row groups that begin in a run of rows, their texts as the dictionaries of the file and what they point to."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    release = pa.default_memory_pool().release_unused
    start = 0
    for path in files:
        with ParquetFile(path, read_dictionary=list(texts), pre_buffer=False) as file:
            counts = (file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))
            starts = list(accumulate(counts, initial=start))
            chosen = [i for i, row in enumerate(starts[:-1]) if first <= row < first + rows]
            start = starts[-1]
            for some in range(0, len(chosen), _GROUPS):
                yield from file.iter_batches(size, row_groups=chosen[some : some + _GROUPS], columns=list(columns), use_threads=False)
                release()  # else what Arrow keeps grows with the number of row groups


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


def _footer(path: Path) -> _Footer:
    import pyarrow as pa
    from pyarrow.parquet import read_metadata

    try:
        found = read_metadata(path)
        schema = found.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"{path}: not a Parquet file ({reason})", remedy="declare its `format`, or write it again") from error
    leaves = [found.schema.column(i) for i in range(found.num_columns)]
    types = [_TYPES.get((leaf.physical_type, leaf.converted_type)) for leaf in leaves if leaf.logical_type.type in ("NONE", "INT", "STRING")]
    plain = [Column(leaf.path, kind) for leaf, kind in zip(leaves, types, strict=False) if kind is not None and not leaf.max_repetition_level]
    groups = [found.row_group(i).num_rows for i in range(found.num_row_groups)]
    names = schema.names  # `DESCRIBE` would rename one that is given twice
    return _Footer(names, groups, plain if [column.name for column in plain] == names else None, list(map(str, schema.types)))


def _alike(columns: Sequence[Column], arrow: Sequence[str]) -> bool:
    """Whether Arrow reads the values that the engine reads, where they can be used as they are stored."""
    return all(
        column.type not in _ARROW or kind in _ARROW[column.type] or kind.startswith("dictionary<values=string,")
        for column, kind in zip(columns, arrow, strict=True)
    )


def _columns(files: Sequence[Path], footers: Sequence[_Footer], store: Path) -> list[Column]:
    """The columns that all files have, as the engine reads them; it is asked only where their types are not plain.

    Raises:
        SourceError: the files differ in their types: the engine would read all as those of the first, 0.25 in a later one as 0, and 2 as true.
    """
    first: list[Column] = []
    connection = None
    for path, footer in zip(files, footers, strict=True):
        found = footer.plain
        if found is None:
            connection = connection or connect(store)
            described = connection.execute(f"DESCRIBE {_sql([path], False)}").fetchall()
            found = [Column(name, kind) for name, kind, *_ in described]
        first = first or found
        odd = [(one, other) for one, other in zip(first, found, strict=True) if one != other]
        if odd:
            one, other = odd[0]
            raise SourceError(
                f"{path}: {len(odd)} column(s) differ in type from {files[0]}: {one.name!r} is {other.type} here and {one.type} there",
                remedy="write all files with the same types",
            )
    return first
