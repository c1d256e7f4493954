"""What a table holds, at a glance: for proposals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from factbook.errors import SourceError
from factbook.sources.tables import Column, Table, batches, quote

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


def previews(table: Table, columns: Sequence[Column], connection: Any, limit: int) -> tuple[Preview, ...]:
    """Columns of a table, in one scan.

    Raises:
        SourceError: there are no rows.
    """
    texts = {column.name: f"CAST({quote(column.name)} AS VARCHAR)" for column in columns}
    parts = [f"{text} AS c{i}, TRY_CAST({text} AS DOUBLE) IS NOT NULL AS n{i}" for i, text in enumerate(texts.values())]
    seen: list[set[str]] = [set() for _ in columns]
    missing, numbers = [0] * len(columns), [0] * len(columns)
    total = 0
    for batch in batches(connection, f"SELECT {', '.join([*parts, 'true AS one'])} FROM ({table.sql})"):
        total += batch.num_rows
        for i, values in enumerate(seen):
            missing[i] += batch.column(f"c{i}").null_count
            numbers[i] += batch.column(f"n{i}").true_count
            if len(values) < limit:
                values.update(batch.column(f"c{i}").drop_null().unique().to_pylist())
    if not total:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    return tuple(
        Preview(
            column.name,
            column.type,
            numbers[i] == total - missing[i] and total > missing[i],
            min(len(seen[i]), limit),
            missing[i],
            tuple(sorted(seen[i])[:_SHOWN]) if len(seen[i]) < limit else (),
        )
        for i, column in enumerate(columns)
    )
