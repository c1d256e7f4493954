"""The table that a source's files hold, as the rest of factbook sees it: names, types, rows, and SQL that DuckDB can scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from factbook.errors import SourceError, UnknownName


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and its DuckDB type (`VARCHAR` for everything from CSV)."""

    name: str
    type: str


Reader = Callable[[Sequence[str], Sequence[str], int], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table that can be counted by itself: a file, or a run of its rows.

    Attributes:
        file: the file whose bytes decide what is in it.
        sql: a SELECT statement over it, with the columns of the whole table.
        rows: how many there are, or None where only a scan tells.
        span: what else decides what is in it: the run of rows, and what the path of the file says.
        of: of a run of rows, the whole file.
        first: the row of the file that it begins with.
    """

    file: Path
    sql: str
    rows: int | None = None
    span: str = ""
    of: Part | None = None
    first: int = 0


@dataclass(frozen=True)
class Table:
    """A readable table.

    Attributes:
        where: how messages name it (the declared path or pattern).
        sql: a SELECT statement over the files; scanning it may still find damage (use `explain` for the error).
        columns: in file order.
        rows: the number of rows, or None where only a scan tells (CSV).
        files: the files, sorted.
        parts: what it can be counted by, in the order of the files; empty where only the whole can be (a join).
        stored: whether the files are Parquet that holds these columns and rows and no others, so that their pages can be read as they are.
        columnar: for some statements (its own, those of its parts), what reads the same rows as Arrow batches: given columns, those of them whose
            texts are wanted as dictionaries, and rows a batch.
    """

    where: str
    sql: str
    columns: tuple[Column, ...]
    rows: int | None
    files: tuple[Path, ...]
    parts: tuple[Part, ...] = ()
    stored: bool = False
    columnar: Mapping[str, Reader] = field(default_factory=dict, compare=False, hash=False)

    @property
    def by_file(self) -> Table:
        """The same table, each part of which is a whole file."""
        return replace(self, parts=tuple(dict.fromkeys(part.of or part for part in self.parts)))

    def part(self, number: int) -> Table:
        """One of the parts as a table; where there are several files, messages name its own."""
        part = self.parts[number]
        where = self.where if len({item.file for item in self.parts}) == 1 else f"{self.where} ({part.file.name})"
        stored = self.stored and part.file in self.files and part.of is None
        return replace(self, where=where, sql=part.sql, rows=part.rows, files=(part.file,), parts=(part,), stored=stored)

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in file order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str, role: str) -> Column:
        """One column.

        Raises:
            SourceError: it does not exist; names the file, the role and the nearest columns.
        """
        if name in self._columns:
            return self._columns[name]
        hint = UnknownName("column", name, self.names).args[0].partition("→ ")[2]
        raise SourceError(f"{self.where}: there is no column {name!r} ({role})", remedy=hint)


def check_names(path: object, names: Sequence[str]) -> None:
    """The names of columns tell them apart. Engines take names that differ only in their case for one.

    Raises:
        SourceError: names the file, how many names, and which.
    """
    counted = Counter(map(fold, names))
    twice = sorted(name for name in set(names) if counted[fold(name)] > 1)
    if not twice:
        return
    count = sum(1 for number in counted.values() if number > 1)
    same = "are given twice" if len(twice) == count else "differ from another only in their case"
    raise SourceError(f"{path}: {count} column name(s) {same}: {', '.join(map(repr, twice[:5]))}", remedy="rename one of each")


def fold(name: str) -> str:
    """What two names share that an engine takes for one."""
    return name.lower()


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def is_nan(value: str) -> str:
    """SQL for "this float is NaN". DuckDB's own `isnan` is False for a NaN in Parquet whose column statistics, as is usual, leave NaN out."""
    return f"(NOT isfinite({value}) AND CAST({value} AS VARCHAR) IN ('nan', '-nan'))"


def listing(paths: Iterable[Path]) -> str:
    """Paths as an SQL list. DuckDB reads `*`, `?` and `[` in a path as a pattern, so they are escaped."""
    return "[" + ", ".join(literal(_verbatim(str(path))) for path in paths) + "]"


def _verbatim(path: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)


def connect(store: Path | None = None) -> Any:
    """A DuckDB connection of its own: no extension is fetched, times read as UTC, what spills to disk stays in the private store."""
    import duckdb

    connection = duckdb.connect(":memory:")
    settings = {"TimeZone": "UTC", "enable_progress_bar": "false", "autoinstall_known_extensions": "false", "preserve_insertion_order": "false"}
    if store is not None:
        settings["temp_directory"] = str(store / "spill")
    for name, value in settings.items():
        connection.execute(f"SET {name} = {literal(value)}")
    return connection


def batches(connection: Any, sql: str, size: int = 1 << 19) -> Any:
    """The rows of a query as a `pyarrow.RecordBatchReader`."""
    relation = connection.sql(sql)
    reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return reader(size)


def numpy(array: Any) -> Any:
    """The numbers of an Arrow array as numpy; flags as 0 and 1; anything where missing. (`Array.to_numpy` would import pandas.)"""
    import numpy as np

    if str(array.type) == "bool":
        array = array.cast("int8")
    kind = {"double": "float64", "float": "float32"}.get(str(array.type), str(array.type))
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), dtype=kind)
    return np.frombuffer(data, dtype=kind, count=array.offset + len(array))[array.offset :]
