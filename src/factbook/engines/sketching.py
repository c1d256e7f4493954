"""A scan of a table that sketches its columns: page by page where a file has its own dictionaries, else grouped or batch by batch by DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import pages
from factbook.engines.sketches import CAP, Integers, Sketch, combine, counted, distinct, make, places
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.model import Progress
from factbook.sources import Column, Table, quote

_LONGEST: Final = 1 << 18
_SHORTEST: Final = 1 << 12
_CELLS: Final = 1 << 23
_PENDING: Final = 1 << 14
_SETS: Final = 32
_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
_FLOATS: Final = ("FLOAT", "DOUBLE")
_TEXTS: Final = ("VARCHAR", "BOOLEAN", "UUID")

Cell = tuple[str, ...]


def _kind(column: Column, category: bool) -> str:
    name = column.type
    if name.endswith("]"):
        return "other"
    if name in _NUMBERS or name in _FLOATS or name.startswith("DECIMAL"):
        return "text" if category else "number"
    return "text" if name in _TEXTS or name.startswith("ENUM") else "other"


@dataclass(frozen=True, slots=True)
class Split:
    """What to keep apart: texts given by an SQL expression, or (with `blocks`) as many runs of rows of equal length in file order."""

    sql: str = ""
    blocks: int = 0
    rows: int = 0


def scan(
    table: Table, source: Source, columns: Mapping[str, bool], store: Path, progress: Progress, splits: Sequence[Split] = ()
) -> dict[Cell, dict[str, Sketch]]:
    """Sketch columns in one scan.

    Args:
        table: the opened source.
        source: its declaration.
        columns: names of the columns, and whether their values are categories, to be taken as texts whatever their type.
        store: the private store.
        progress: is told how many rows are done.
        splits: what to keep apart.

    Returns:
        Per cell (one text a split, '' where it is missing) the sketch of each column.

    Raises:
        SourceError: the file is damaged, or has no rows.
    """
    import duckdb

    wanted = {name: table.column(name, "columns") for name in columns}
    kinds = {name: _kind(column, columns[name]) for name, column in wanted.items()}
    whole = {} if splits else pages.sketched(table, kinds, progress)
    selected = {name: _selected(column, kinds[name]) for name, column in wanted.items() if name not in whole}
    if whole and not selected:
        return {(): whole}
    grouped = [] if splits or table.rows is None else [name for name in selected if kinds[name] == "text"]
    connection = sources.connect(store)
    try:
        whole |= _grouped(connection, table, {name: selected.pop(name) for name in grouped})
        if whole and not selected:
            return {(): whole}
        found = _scanned(connection, table, selected, kinds, splits, progress)
    except duckdb.Error as error:
        raise sources.explain(source, table, error) from error
    if not found:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    return {cell: {**whole, **one} for cell, one in found.items()}


def _grouped(connection: Any, table: Table, selected: Mapping[str, str]) -> dict[str, Sketch]:
    """Text columns of a columnar file, grouped while it is decoded: three times as fast as counting them batch by batch."""
    found: dict[str, Sketch] = {}
    names = list(selected)
    for some in (names[start : start + _SETS] for start in range(0, len(names), _SETS)):
        inner = ", ".join(f"{selected[name]} AS c{i}" for i, name in enumerate(some))
        columns = ", ".join(f"c{i}" for i in range(len(some)))
        sets = ", ".join(f"(c{i})" for i in range(len(some)))
        query = (
            f"SELECT grouping({columns}) AS which, {columns}, count(*) AS n FROM (SELECT {inner} FROM ({table.sql})) GROUP BY GROUPING SETS ({sets})"
        )
        parts: dict[str, list[Sketch]] = {name: [] for name in some}
        for batch in sources.batches(connection, query, _LONGEST):
            which, n = (sources.numpy(batch.column(name)).astype(np.int64) for name in ("which", "n"))
            for i, name in enumerate(some):
                rows = np.flatnonzero(which == (1 << len(some)) - 1 - (1 << (len(some) - 1 - i)))
                if len(rows):
                    parts[name].append(counted(batch.column(f"c{i}").take(places(rows)), n[rows]))
        found |= {name: combine(sketches) for name, sketches in parts.items()}
    return found


def _scanned(
    connection: Any, table: Table, selected: Mapping[str, str], kinds: Mapping[str, str], splits: Sequence[Split], progress: Progress
) -> dict[Cell, dict[str, Sketch]]:
    """All other columns, batch by batch."""
    if any(split.blocks for split in splits):
        connection.execute("SET preserve_insertion_order = true")
    pile = _Pile([(name, kinds[name]) for name in selected])
    columns = [f"{column} AS c{i}" for i, column in enumerate(selected.values())]
    texts = [f"{split.sql} AS s{i}" for i, split in enumerate(splits) if not split.blocks]
    done = 0
    size = min(_LONGEST, max(_SHORTEST, _CELLS // (len(selected) + 1)))
    for batch in sources.batches(connection, f"SELECT {', '.join([*columns, *texts, '1::TINYINT AS one'])} FROM ({table.sql})", size):
        pile.add(batch, [_codes(batch, i, split, done) for i, split in enumerate(splits)])
        done += batch.num_rows
        progress(table.where, done, table.rows or 0)
    return pile.sketches()


def _selected(column: Column, kind: str) -> str:
    name = quote(column.name)
    if kind == "other":
        return f"CASE WHEN {name} IS NOT NULL THEN true END"
    if kind == "number":
        return name if column.type == "DOUBLE" else f"CAST({name} AS DOUBLE)"
    if column.type in _FLOATS:
        return f"CASE WHEN NOT isnan({name}) THEN CAST({name} + 0.0::{column.type} AS VARCHAR) END"
    return name if column.type == "VARCHAR" else f"CAST({name} AS VARCHAR)"


def _codes(batch: Any, i: int, split: Split, done: int) -> tuple[Sequence[str], Integers]:
    """The texts of a split and, per row, the index of its text."""
    if split.blocks:
        place = (np.arange(done, done + batch.num_rows, dtype=np.int64) * split.blocks) // max(split.rows, done + batch.num_rows)
        first = int(place[0]) if len(place) else 0
        return [str(block + 1) for block in range(first, split.blocks)], place - first
    encoded = batch.column(f"s{i}").dictionary_encode(null_encoding="encode")
    return [text or "" for text in encoded.dictionary.to_pylist()], sources.numpy(encoded.indices).astype(np.int64)


class _Column:
    """One column of a cell: its sketches, added up when there are many. Texts are counted as Arrow holds them, until there are too many of them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.parts: list[Sketch] = []
        self.counts: list[tuple[Any, Integers]] = []
        self.missing = 0
        self.pending = self.size = 0

    def add(self, column: Any) -> None:
        """Further rows."""
        known = self.parts[0] if self.parts else None
        full = known is not None and known.texts is not None and known.texts.overflow
        if self.kind == "text" and not full:
            self._count(column)
            return
        many = known is not None and known.numbers is not None and not known.numbers.exact
        found = make(self.kind, column, many=many, full=full)
        self.parts.append(found)
        self.pending += 1 + (0 if found.numbers is None else len(found.numbers.keys))
        if self.pending > _PENDING + self.size:
            self._merge()

    def _count(self, column: Any) -> None:
        self.missing += column.null_count
        found = distinct(column.drop_null() if column.null_count else column)
        self.counts.append(found)
        self.pending += len(found[0])
        if self.pending > CAP + self.size:
            self._recount()

    def _recount(self) -> None:
        """The different texts so far; a sketch without texts where they are too many."""
        import pyarrow as pa

        if len(self.counts) > 1:
            encoded = pa.concat_arrays([values for values, _ in self.counts]).dictionary_encode()
            n = np.zeros(len(encoded.dictionary), dtype=np.int64)
            np.add.at(n, sources.numpy(encoded.indices), np.concatenate([n for _, n in self.counts]))
            self.counts = [(encoded.dictionary, n)]
        self.pending = self.size = len(self.counts[0][0])
        if self.size > CAP:
            self.parts, self.counts, self.pending, self.size = [counted(*self.counts[0], missing=self.missing)], [], 0, 0

    def _merge(self) -> None:
        merged = combine(self.parts)
        self.parts = [merged]
        self.pending = self.size = 0 if merged.numbers is None else len(merged.numbers.keys)

    def sketch(self) -> Sketch:
        """All rows."""
        if self.counts:
            self._recount()
        return counted(*self.counts[0], missing=self.missing) if self.counts else combine(self.parts)


class _Pile:
    """The columns of each cell."""

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self.columns = columns
        self.cells: dict[Cell, list[_Column]] = {}

    def add(self, batch: Any, splits: Sequence[tuple[Sequence[str], Integers]]) -> None:
        for cell, rows in _cells(batch, splits):
            columns = self.cells.setdefault(cell, [_Column(kind) for _, kind in self.columns])
            for i, column in enumerate(columns):
                column.add(rows.column(i))

    def sketches(self) -> dict[Cell, dict[str, Sketch]]:
        """The sketch of each column in each cell."""
        names = [name for name, _ in self.columns]
        return {cell: {name: column.sketch() for name, column in zip(names, columns, strict=True)} for cell, columns in sorted(self.cells.items())}


def _cells(batch: Any, splits: Sequence[tuple[Sequence[str], Integers]]) -> Iterable[tuple[Cell, Any]]:
    """The rows of each cell of a batch."""
    if not splits or not batch.num_rows:
        return [((), batch)] if batch.num_rows else []
    place = np.zeros(batch.num_rows, dtype=np.int64)
    for texts, codes in splits:
        place = place * len(texts) + codes
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    starts = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(ordered)]
    rows = batch if len(starts) == 2 else batch.take(places(order))
    firsts = order[starts[:-1]]
    names = [tuple(texts[int(codes[first])] for texts, codes in splits) for first in firsts]
    return [(name, rows.slice(start, stop - start)) for name, start, stop in zip(names, starts, starts[1:], strict=False)]
