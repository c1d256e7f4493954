"""What a table holds, at a glance: for proposals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from factbook.errors import SourceError
from factbook.sources.tables import Column, Table, quote

_SHOWN: Final = 5


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


def preview(table: Table, column: Column, connection: Any, limit: int) -> Preview:
    """One column of a table.

    Raises:
        SourceError: there are no rows.
    """
    name = quote(column.name)
    total, missing, numbers = connection.execute(
        f"SELECT count(*), count(*) - count({name}), count(TRY_CAST(CAST({name} AS VARCHAR) AS DOUBLE)) FROM ({table.sql})"
    ).fetchone()
    if not total:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    values = connection.execute(f"SELECT DISTINCT CAST({name} AS VARCHAR) AS v FROM ({table.sql}) WHERE {name} IS NOT NULL LIMIT {limit}").fetchall()
    examples = tuple(sorted(row[0] for row in values)[:_SHOWN]) if len(values) < limit else ()
    return Preview(column.name, column.type, numbers == total - missing and total > missing, len(values), missing, examples)
