"""The embedded engine: DuckDB reads and groups, numpy adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import tallies
from factbook.engines.tallies import Tally
from factbook.errors import SourceError
from factbook.manifest import Group, Source
from factbook.model import Progress
from factbook.sources import Column, Table, is_nan, literal, quote

_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
_FLOATS: Final = ("FLOAT", "DOUBLE")
_NO_TEXT: Final = ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "VARIANT", "GEOMETRY")
_PENDING: Final = tallies.CAP + (tallies.CAP >> 2)
_BATCH: Final = 1 << 18


def tally(table: Table, source: Source, attributes: Sequence[str], store: Path, progress: Progress) -> Tally:
    """Scan the source once.

    Args:
        table: the opened source.
        source: the declared roles of its columns.
        attributes: the slice attributes to keep apart.
        store: the private store.
        progress: is told how many rows are done.

    Returns:
        The tally over the attributes and LABEL, PREDICTION and WEIGHT (whichever are declared). Missing values are cells of their
        own. With a `cut` the predictions are `1` (score >= cut) and `0`.

    Raises:
        SourceError: a column does not exist; a score is no probability; a weight is negative; a number does not read; there are no rows.
    """
    import duckdb

    query = _Query(table, source, attributes)
    connection = sources.connect(store)
    parts: list[Tally] = []
    done = pending = resolution = 0
    try:
        for batch in sources.batches(connection, query.sql(), _BATCH):
            part = query.fold(batch, resolution)
            parts.append(part)
            done += part.rows
            pending += len(part.keys)
            if pending > _PENDING:
                parts = [tallies.combine(parts)]
                pending = len(parts[0].keys)
            resolution = max(part.resolution, parts[0].resolution)
            progress(table.where, done, table.rows or 0)
    except duckdb.Error as error:
        raise sources.explain(source, table, error) from error
    if not done:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    query.refuse(done)
    return tallies.combine(parts)


@dataclass
class _Query:
    """What is selected, and how a batch of it is folded."""

    table: Table
    source: Source
    attributes: Sequence[str]
    bad: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def dimensions(self) -> list[str]:
        roles = {
            tallies.LABEL: bool(self.source.label),
            tallies.PREDICTION: bool(self.source.prediction) or self.source.cut is not None,
            tallies.WEIGHT: bool(self.source.weight),
        }
        return [*self.attributes, *(name for name, declared in roles.items() if declared)]

    def sql(self) -> str:
        """One SELECT over the source; grouped where no number has to be kept apart."""
        parts = [f"{self._attribute(name)} AS a{i}" for i, name in enumerate(self.attributes)]
        for role, name in (("label", self.source.label), ("prediction", self.source.prediction)):
            parts += [f"{text(self.table.column(name, role), role, self.table)} AS {role}"] if name else []
        for role in ("score", "weight"):
            if name := getattr(self.source, role):
                parts += [f"{_number(self.table.column(name, role), role, self.table)} AS {role}", f"{self._unread(name, role)} AS {role}_unread"]
        for i, name in enumerate(self.attributes):
            if self.source.by[name].cuts:
                parts.append(f"{self._unread(self.source.by[name].column, name)} AS a{i}_unread")
        if self.source.score or self.source.weight:
            return f"SELECT {', '.join([*parts, '1 AS n'])} FROM ({self.table.sql})"
        if any(self.source.by[name].cuts for name in self.attributes):
            return f"SELECT {', '.join([*parts, 'count(*) AS n'])} FROM ({self.table.sql}) GROUP BY ALL"
        return f"SELECT {', '.join([*parts, f'{quote(self._count)} AS n'])} FROM ({self._grouped()})"

    @property
    def _count(self) -> str:
        """A name that no column has."""
        return max(self.table.names, key=len) + "*"

    def _grouped(self) -> str:
        """The values as they are stored, counted; writing them as text first would take longer than all the rest."""
        names = dict.fromkeys((*(self.source.by[name].column for name in self.attributes), self.source.label, self.source.prediction))
        chosen = [quote(name) for name in names if name]
        return f"SELECT {', '.join([*chosen, f'count(*) AS {quote(self._count)}'])} FROM ({self.table.sql}) GROUP BY ALL"

    def _attribute(self, name: str) -> str:
        group = self.source.by[name]
        column = self.table.column(group.column, f"by {name}")
        if not group.cuts:
            return text(column, f"by {name}", self.table)
        value = _number(column, f"by {name}", self.table)
        bands = group.bands()
        kind = "FLOAT" if column.type == "FLOAT" else "DOUBLE"
        cuts = (f"CAST(CAST('{cut:f}' AS {kind}) AS DOUBLE)" for cut in group.cuts)
        steps = " ".join(f"WHEN {value} < {cut} THEN {literal(band)}" for cut, band in zip(cuts, bands, strict=False))
        return f"CASE WHEN {value} IS NULL OR {is_nan(value)} THEN NULL {steps} ELSE {literal(bands[-1])} END"

    def _unread(self, name: str, role: str) -> str:
        """The text of a value that is there but is no number, else NULL."""
        column = self.table.column(name, role)
        if column.type != "VARCHAR":
            return "NULL::VARCHAR"
        return f"CASE WHEN {quote(name)} IS NOT NULL AND {_number(column, role, self.table)} IS NULL THEN {quote(name)} END"

    def fold(self, batch: Any, resolution: int = tallies.EXACT) -> Tally:
        """The tally of one Arrow batch, at a resolution that the rows before it need already, or a coarser one."""
        n = sources.numpy(batch.column("n")).astype(np.int64)
        columns: list[tuple[Sequence[str], tallies.Integers]] = []
        for i, name in enumerate(self.attributes):
            texts, codes = _encoded(batch.column(f"a{i}"))
            columns.append((self._named(name, self.source.by[name], texts), codes))
        if self.source.label:
            columns.append(self._labelled(batch.column("label")))
        scores = self._numbers(batch, "score", n) if self.source.score else None
        if self.source.prediction:
            columns.append(self._labelled(batch.column("prediction")))
        elif scores is not None and self.source.cut is not None:
            decided = np.where(np.isnan(scores), 0, np.where(scores >= self._cut(self.source.cut), 2, 1)).astype(np.int64)
            columns.append((("0", "1"), decided))
        weights = self._numbers(batch, "weight", n) if self.source.weight else None
        limbs = None
        if weights is not None:
            columns.append((("given",), (~np.isnan(weights)).astype(np.int64)))
            limbs = self._fixed(weights)
        self._note_cuts(batch, n)
        keys = np.full(len(n), tallies.NO_SCORE, dtype=np.int64) if scores is None else tallies.score_keys(scores)
        return tallies.make(self.dimensions, columns, keys, n, limbs, resolution)

    def _fixed(self, weights: tallies.Floats) -> tallies.Integers:
        try:
            return tallies.fixed(np.nan_to_num(weights))
        except SourceError as error:
            said = f"{self.table.where}: weight column {self.source.weight!r}: {error.message}"
            raise SourceError(said, remedy=error.remedy) from error

    def _labelled(self, column: Any) -> tuple[Sequence[str], tallies.Integers]:
        """Labels or predictions, where the declaration says that values mean the same written as that value."""
        texts, codes = _encoded(column)
        return [self.source.labels.get(raw, raw) for raw in texts], codes

    def _cut(self, cut: Decimal) -> float:
        """The cut as the score column would hold it: 0.35 in a FLOAT column is a little less than 0.35 in a DOUBLE one."""
        kind = self.table.column(self.source.score, "score").type
        return float(np.float32(float(cut))) if kind == "FLOAT" else float(cut)

    def _named(self, name: str, group: Group, texts: Sequence[str]) -> Sequence[str]:
        if not group.names or group.cuts:
            return texts
        given = set(group.names.values())
        for raw in texts:
            if raw in given and raw not in group.names:
                origin = next(value for value, said in group.names.items() if said == raw)
                self._remember(f"by {name}: {raw!r} is a value of column {group.column!r} and also the name given to {origin!r}", 1, "")
        return [group.names.get(raw, raw) for raw in texts]

    def _numbers(self, batch: Any, role: str, n: tallies.Integers) -> tallies.Floats:
        """The numbers of a role, NaN where missing; what is wrong with them is remembered and refused at the end, with its count."""
        column = batch.column(role)
        self._note_unread(batch.column(f"{role}_unread"), f"{role} column {getattr(self.source, role)!r} holds text that is no number", n)
        missing = sources.numpy(column.is_null()) == 1
        values: tallies.Floats = np.where(missing, 0.0, sources.numpy(column))
        if role == "score":
            wrong, said = ~((values >= 0.0) & (values <= 1.0)), "is no probability between 0 and 1"
        else:
            wrong, said = ~((values >= 0.0) & np.isfinite(values)), "is negative, NaN or infinite"
        if wrong.any():
            self._remember(f"{role} column {getattr(self.source, role)!r} {said}", int(n[wrong].sum()), _shown(values[wrong]))
        return np.where(missing | wrong, np.nan, values)

    def _note_cuts(self, batch: Any, n: tallies.Integers) -> None:
        for i, name in enumerate(self.attributes):
            if self.source.by[name].cuts:
                said = f"by {name}: column {self.source.by[name].column!r} has cuts but holds text that is no number"
                self._note_unread(batch.column(f"a{i}_unread"), said, n)

    def _note_unread(self, column: Any, said: str, n: tallies.Integers) -> None:
        if column.null_count < len(column):
            there = sources.numpy(column.is_valid()) == 1
            self._remember(said, int(n[there].sum()), repr(min(column.drop_null().to_pylist())))

    def _remember(self, said: str, count: int, example: str) -> None:
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
    if column.type in _FLOATS:
        return f"CASE WHEN {is_nan(name)} THEN NULL ELSE CAST({name} + 0.0::{column.type} AS VARCHAR) END"
    return f"CAST({name} AS VARCHAR)"


def _number(column: Column, role: str, table: Table) -> str:
    name = quote(column.name)
    if column.type in _FLOATS or column.type in _NUMBERS or column.type.startswith("DECIMAL"):
        return f"CAST({name} AS DOUBLE)"
    if column.type == "VARCHAR":
        return f"CASE WHEN contains({name}, '_') THEN NULL ELSE TRY_CAST({name} AS DOUBLE) END"
    raise SourceError(f"{table.where}: column {column.name!r} ({role}) is {column.type}, not a number", remedy="write it as numbers")


def _encoded(column: Any) -> tuple[Sequence[str], tallies.Integers]:
    """The texts of a column and, per row, 1 + the index of its text (0 where missing)."""
    encoded = column.dictionary_encode(null_encoding="encode")
    texts = encoded.dictionary.to_pylist()
    place = np.array([0 if text is None else i + 1 for i, text in enumerate(texts)], dtype=np.int64)
    codes = place[sources.numpy(encoded.indices)] if texts else np.zeros(len(column), dtype=np.int64)
    return [text or "" for text in texts], codes


def _shown(values: tallies.Floats) -> str:
    finite = values[np.isfinite(values)]
    return repr(float(finite.max() if len(finite) and finite.max() > 1 else finite.min())) if len(finite) else repr(float(values[0]))
