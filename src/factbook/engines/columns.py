"""How the values of a declared column are selected and named: the same for every engine and for every measure that reads rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines.bins import Integers
from factbook.engines.folding import Values
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import Column, Table, is_nan, literal, quote

WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
FLOATS: Final = ("FLOAT", "DOUBLE")
_NARROW: Final = 1 << 12
_NO_TEXT: Final = ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "VARIANT", "GEOMETRY")


@dataclass
class Selection:
    """The slice attributes of a table, and what is wrong with its values so far."""

    table: Table
    source: Source
    attributes: Sequence[str]
    bad: dict[str, tuple[int, str]] = field(default_factory=dict)

    def attribute(self, name: str) -> str:
        """SQL for the group of a row by one attribute, a value or a band; NULL where it is missing."""
        group = self.source.by[name]
        column = self.table.column(group.column, f"by {name}")
        if not group.cuts:
            return text(column, f"by {name}", self.table)
        value = number(column, f"by {name}", self.table)
        bands = group.bands()
        kind = "FLOAT" if column.type == "FLOAT" else "DOUBLE"
        cuts = (f"CAST(CAST('{cut:f}' AS {kind}) AS DOUBLE)" for cut in group.cuts)
        steps = " ".join(f"WHEN {value} < {cut} THEN {literal(band)}" for cut, band in zip(cuts, bands, strict=False))
        return f"CASE WHEN {value} IS NULL OR {is_nan(value)} THEN NULL {steps} ELSE {literal(bands[-1])} END"

    def unread(self, name: str, role: str) -> str:
        """The text of a value that is there but is no number, else NULL."""
        column = self.table.column(name, role)
        if column.type != "VARCHAR":
            return "NULL::VARCHAR"
        return f"CASE WHEN {quote(name)} IS NOT NULL AND {number(column, role, self.table)} IS NULL THEN {quote(name)} END"

    def named(self, name: str, texts: Sequence[str]) -> Sequence[str]:
        """The names of groups for the values that a column holds; an ambiguous one is remembered."""
        group = self.source.by[name]
        if not group.names or group.cuts:
            return texts
        given = set(group.names.values())
        for raw in texts:
            if raw in given and raw not in group.names:
                origin = next(value for value, said in group.names.items() if said == raw)
                self.remember(f"by {name}: {raw!r} is a value of column {group.column!r} and also the name given to {origin!r}", 1, "")
        return [group.names.get(raw, raw) for raw in texts]

    def remember(self, said: str, count: int, example: str) -> None:
        """Note what is wrong with some rows, to be refused when all were seen."""
        before, shown = self.bad.get(said, (0, example))
        self.bad[said] = (before + count, min(shown, example))

    def refuse(self, rows: int) -> None:
        """Raise what the batches remembered, all of it at once."""
        if not self.bad:
            return
        problems = []
        for said, (count, example) in sorted(self.bad.items()):
            problems.append(f"{said}: {count} of {rows} rows, e.g. {example}" if example else said)
        remedy = "mend the values" + ("; a score must be a probability (apply the link function first)" if "probability" in problems[-1] else "")
        raise SourceError(f"{self.table.where}: " + "\n  ".join(problems), remedy=remedy)


def text(column: Column, role: str, table: Table) -> str:
    """SQL for the canonical text of a value: `1`, `1.0`, `true`, `2026-01-31`; NaN is missing and -0.0 is 0.0.

    Raises:
        SourceError: the column is nested or binary.
    """
    name = quote(column.name)
    if column.type == "VARCHAR":
        return name
    if column.type.endswith("]") or column.type.startswith(_NO_TEXT):
        raise SourceError(
            f"{table.where}: column {column.name!r} ({role}) is {column.type}", remedy="give a column of texts, numbers, booleans or dates"
        )
    if column.type in FLOATS:
        return f"CASE WHEN {is_nan(name)} THEN NULL ELSE CAST({name} + 0.0::{column.type} AS VARCHAR) END"
    return f"CAST({name} AS VARCHAR)"


def stored(column: Column, role: str, table: Table) -> str:
    """SQL for a value as it is stored where `values` names it as `text` would, else for its text.

    Raises:
        SourceError: the column is nested or binary.
    """
    return quote(column.name) if column.type in ("BOOLEAN", *WHOLE) else text(column, role, table)


def classes(column: Column, role: str, table: Table, source: Source) -> str:
    """SQL for the text of a label or prediction: its value, a list as JSON, or several with a separator, where an empty field holds none.

    Raises:
        SourceError: the column is nested or binary, and no lists are declared.
    """
    if source.multilabel == "list":
        if not (column.type.endswith("]") or column.type == "JSON"):
            said = f"{table.where}: column {column.name!r} ({role}) holds no lists"
            raise SourceError(said, remedy='declare the separator of its texts, e.g. `multilabel: ";"`')
        return f"CAST(to_json({quote(column.name)}) AS VARCHAR)"
    return f"coalesce({text(column, role, table)}, '')" if source.multilabel else stored(column, role, table)


def number(column: Column, role: str, table: Table) -> str:
    """SQL for the number in a value, NULL where it is none.

    Raises:
        SourceError: the column can hold no numbers.
    """
    name = quote(column.name)
    if column.type in (*FLOATS, *WHOLE, "HUGEINT", "UHUGEINT") or column.type.startswith("DECIMAL"):
        return f"CAST({name} AS DOUBLE)"
    if column.type == "VARCHAR":
        return f"CASE WHEN contains({name}, '_') THEN NULL ELSE TRY_CAST({name} AS DOUBLE) END"
    raise SourceError(f"{table.where}: column {column.name!r} ({role}) is {column.type}, not a number", remedy="write it as numbers")


def encoded(column: Any) -> tuple[Sequence[str], Integers]:
    """The texts of a column and, per row, 1 + the index of its text (0 where missing)."""
    encoded = column.dictionary_encode(null_encoding="encode")
    texts = encoded.dictionary.to_pylist()
    place = np.array([0 if text is None else i + 1 for i, text in enumerate(texts)], dtype=np.int64)
    codes = place[sources.numpy(encoded.indices)] if texts else np.zeros(len(column), dtype=np.int64)
    return [text or "" for text in texts], codes


def values(column: Any) -> Values:
    """The values of an Arrow array of texts, whole numbers or flags as their texts, and per row which of them."""
    kind = str(column.type)
    if "int" in kind and "dictionary" not in kind:
        found = _whole(column)
        if found is not None:
            return found
    if not kind.startswith("dictionary"):
        column = column.dictionary_encode()
    texts = ["true" if text is True else "false" if text is False else None if text is None else str(text) for text in column.dictionary.to_pylist()]
    index = sources.numpy(column.indices)
    if column.null_count:
        index = np.where(sources.numpy(column.indices.is_null()) == 1, len(texts), index)
        texts.append(None)
    return Values(texts, index)


def _whole(column: Any) -> Values | None:
    """Whole numbers that lie close together, counted from the least; None where they do not."""
    if column.null_count or not len(column):
        return None
    numbers = sources.numpy(column)
    low, high = int(numbers.min()), int(numbers.max())
    if high - low >= _NARROW:
        return None
    index = numbers if low == 0 else numbers.astype(np.int64) - low if high < 1 << 62 else None
    return None if index is None else Values([str(number) for number in range(low, high + 1)], index)
