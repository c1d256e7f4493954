"""A second file, joined by key. Position never joins; every key must be in both files, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from factbook.errors import SourceError
from factbook.sources.tables import Column, Table, fold, quote


def join(left: Table, right: Table, key: str, right_key: str, connection: Any, prefix: str = "") -> Table:
    """Both tables side by side, the columns of the second with `prefix` before their names; a name that is in both (other than the key) becomes
    unusable, since it would be ambiguous.

    Raises:
        SourceError: a key is missing, given twice, or in one file only: names file, column, count and examples.
    """
    for table, name in ((left, key), (right, right_key)):
        table.column(name, "key")
        check_unique(table, name, connection)
    _check_partners(left, key, right, right_key, connection)
    keys = {fold(right_key)} if prefix else {fold(key), fold(right_key)}
    named = {column.name: f"{prefix}{column.name}" for column in right.columns if fold(column.name) not in keys}
    shared = {*map(fold, left.names)} & {*map(fold, named.values())}
    kept = [column for column in left.columns if column.name == key or fold(column.name) not in shared]
    added = [column for column in right.columns if column.name in named and fold(named[column.name]) not in shared]
    renamed = [f"r.{quote(column.name)} AS {quote(named[column.name])}" for column in added]
    chosen = ", ".join([*(f"l.{quote(column.name)}" for column in kept), *renamed])
    sql = f"SELECT {chosen} FROM ({left.sql}) l JOIN ({right.sql}) r ON {text(key, 'l')} = {text(right_key, 'r')}"
    columns: tuple[Column, ...] = (*kept, *(replace(column, name=named[column.name]) for column in added))
    return Table(f"{left.where} + {right.where}", sql, columns, left.rows, (*left.files, *right.files))


def text(name: str, table: str = "") -> str:
    """A key as text, so that `7` in CSV meets 7 in Parquet; `007` and `7.0` do not."""
    return f"CAST({table + '.' if table else ''}{quote(name)} AS VARCHAR)"


def check_unique(table: Table, key: str, connection: Any) -> None:
    """Raises SourceError where the key of a row is missing or given twice."""
    column = text(key)
    rows, present, distinct = connection.execute(f"SELECT count(*), count({column}), count(DISTINCT {column}) FROM ({table.sql})").fetchone()
    if present < rows:
        raise SourceError(f"{table.where}: the key {key!r} is missing in {rows - present} of {rows} rows", remedy="give every row a key")
    if distinct < present:
        sql = f"SELECT {column} AS k FROM ({table.sql}) GROUP BY k HAVING count(*) > 1 ORDER BY k LIMIT 3"
        shown = ", ".join(repr(row[0]) for row in connection.execute(sql).fetchall())
        raise SourceError(
            f"{table.where}: the key {key!r} is not unique: {present - distinct} rows repeat one, e.g. {shown}",
            remedy="remove the duplicates, or declare the column that is unique",
        )


def _check_partners(left: Table, key: str, right: Table, right_key: str, connection: Any) -> None:
    for here, name, there, other in ((left, key, right, right_key), (right, right_key, left, key)):
        sql = f"SELECT {text(name)} AS k FROM ({here.sql}) EXCEPT SELECT {text(other)} FROM ({there.sql})"
        count = connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]
        if count:
            shown = ", ".join(repr(row[0]) for row in connection.execute(f"{sql} ORDER BY k LIMIT 3").fetchall())
            raise SourceError(
                f"{here.where}: {count} keys ({name!r}) are not in {there.where}, e.g. {shown}", remedy="both files must hold the same rows"
            )
