"""The kernel that every engine runs: which columns are selected, how a batch of them is folded, how tallies of batches add up.

DuckDB selects, over files or over Arrow batches that somebody else read (a Spark worker, a frame in memory); numpy folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import tallies
from factbook.engines.columns import Selection, classes, encoded, number, text
from factbook.engines.tallies import Tally, combine
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import Table, quote

__all__ = ["combine", "count", "fold_batches"]

_PENDING: Final = tallies.CAP + (tallies.CAP >> 2)
_BATCH: Final = 1 << 18
_ROWS: Final = "rows*"


def count(table: Table, source: Source, attributes: Sequence[str], connection: Any, told: Callable[[int], None] | None = None) -> Tally:
    """The tally of a table that a DuckDB connection can scan; of no rows, a tally without cells, which adds nothing.

    Args:
        table: what to scan; it may be a part of a source.
        source: the declared roles of its columns.
        attributes: the slice attributes to keep apart.
        connection: of DuckDB.
        told: is told how many rows are done.

    Raises:
        SourceError: a column does not exist; a score is no probability; a weight is negative; a number does not read; the scan fails.
    """
    import duckdb

    query = _Query(table, source, attributes)
    parts: list[Tally] = []
    done = pending = resolution = 0
    try:
        for batch in sources.batches(connection, query.sql(), _BATCH):
            part = query.fold(batch, resolution)
            parts.append(part)
            done += part.rows
            pending += len(part.keys)
            if pending > _PENDING:
                parts = [combine(parts)]
                pending = len(parts[0].keys)
            resolution = max(part.resolution, parts[0].resolution)
            if told is not None:
                told(done)
    except duckdb.Error as error:
        raise sources.explain(source, table, error) from error
    query.refuse(done)
    return combine(parts) if parts else tallies.empty(query.dimensions, weighted=bool(source.weight))


def fold_batches(batches: Iterable[Any], table: Table, source: Source, attributes: Sequence[str], store: Path | None = None) -> Tally:
    """The tally of Arrow record batches, one part of a source: the same cells that a scan of the files would give for these rows.

    Args:
        batches: `pyarrow.RecordBatch`es that hold at least the declared columns, in any order; none at all is a part without rows.
        table: the source's table: its name and the types of its columns, to which the values are cast; nothing of it is read.
        source: the declared roles of its columns.
        attributes: the slice attributes to keep apart.
        store: the private store, where DuckDB may spill to.

    Raises:
        SourceError: as `count`, about these rows.
    """
    import pyarrow as pa

    found = iter(batches)
    first = next(found, None)
    if first is None:
        return tallies.empty(_Query(table, source, attributes).dimensions, weighted=bool(source.weight))
    connection = sources.connect(store)
    connection.register(_ROWS, pa.RecordBatchReader.from_batches(first.schema, chain([first], found)))
    given = set(first.schema.names)
    chosen = (f"CAST({quote(column.name)} AS {column.type}) AS {quote(column.name)}" for column in table.columns if column.name in given)
    return count(replace(table, sql=f"SELECT {', '.join(chosen)} FROM {quote(_ROWS)}"), source, attributes, connection)


@dataclass
class _Query(Selection):
    """What is selected, and how a batch of it is folded."""

    @property
    def dimensions(self) -> list[str]:
        roles = {
            tallies.LABEL: bool(self.source.label),
            tallies.PREDICTION: bool(self.source.prediction) or self.source.cut is not None,
            tallies.WEIGHT: bool(self.source.weight),
            tallies.CLUSTER: bool(self.source.cluster),
        }
        return [*self.attributes, *(name for name, declared in roles.items() if declared)]

    def sql(self) -> str:
        """One SELECT over the source; grouped where no number has to be kept apart."""
        parts = [f"{self.attribute(name)} AS a{i}" for i, name in enumerate(self.attributes)]
        for role, name in (("label", self.source.label), ("prediction", self.source.prediction)):
            parts += [f"{classes(self.table.column(name, role), role, self.table, self.source)} AS {role}"] if name else []
        for role in ("score", "weight"):
            if name := getattr(self.source, role):
                parts += [f"{number(self.table.column(name, role), role, self.table)} AS {role}", f"{self.unread(name, role)} AS {role}_unread"]
        for i, name in enumerate(self.attributes):
            if self.source.by[name].cuts:
                parts.append(f"{self.unread(self.source.by[name].column, name)} AS a{i}_unread")
        parts += [f"{self._hashed()} AS cluster"] if self.source.cluster else []
        if self.source.score or self.source.weight:
            return f"SELECT {', '.join([*parts, '1 AS n'])} FROM ({self.table.sql})"
        if any(self.source.by[name].cuts for name in self.attributes):
            return f"SELECT {', '.join([*parts, 'count(*) AS n'])} FROM ({self.table.sql}) GROUP BY ALL"
        parts[-1:] = [f"{quote(self._count + 'c')} AS cluster"] if self.source.cluster else parts[-1:]
        return f"SELECT {', '.join([*parts, f'{quote(self._count)} AS n'])} FROM ({self._grouped()})"

    def _hashed(self) -> str:
        """SQL for two hexadecimal digits that all rows of a cluster share."""
        return f"substr(md5({text(self.table.column(self.source.cluster, 'cluster'), 'cluster', self.table)}), 1, 2)"

    @property
    def _count(self) -> str:
        """A name that no column has."""
        return max(self.table.names, key=len) + "*"

    def _grouped(self) -> str:
        """The values as they are stored, counted; writing them as text first would take longer than all the rest."""
        names = dict.fromkeys((*(self.source.by[name].column for name in self.attributes), self.source.label, self.source.prediction))
        chosen = [quote(name) for name in names if name]
        chosen += [f"{self._hashed()} AS {quote(self._count + 'c')}"] if self.source.cluster else []
        return f"SELECT {', '.join([*chosen, f'count(*) AS {quote(self._count)}'])} FROM ({self.table.sql}) GROUP BY ALL"

    def fold(self, batch: Any, resolution: int = tallies.EXACT) -> Tally:
        """The tally of one Arrow batch, at a resolution that the rows before it need already, or a coarser one."""
        n = sources.numpy(batch.column("n")).astype(np.int64)
        columns: list[tuple[Sequence[str], tallies.Integers]] = []
        for i, name in enumerate(self.attributes):
            texts, codes = encoded(batch.column(f"a{i}"))
            columns.append((self.named(name, texts), codes))
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
        if self.source.cluster:
            texts, codes = encoded(batch.column("cluster"))
            columns.append(([f"{int(digits or '0', 16) % tallies.CLUSTER_BLOCKS:02d}" for digits in texts], codes))
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
        texts, codes = encoded(column)
        return [self.source.labels.get(raw, raw) for raw in texts], codes

    def _cut(self, cut: Decimal) -> float:
        """The cut as the score column would hold it: 0.35 in a FLOAT column is a little less than 0.35 in a DOUBLE one."""
        kind = self.table.column(self.source.score, "score").type
        return float(np.float32(float(cut))) if kind == "FLOAT" else float(cut)

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
            self.remember(f"{role} column {getattr(self.source, role)!r} {said}", int(n[wrong].sum()), _shown(values[wrong]))
        return np.where(missing | wrong, np.nan, values)

    def _note_cuts(self, batch: Any, n: tallies.Integers) -> None:
        for i, name in enumerate(self.attributes):
            if self.source.by[name].cuts:
                said = f"by {name}: column {self.source.by[name].column!r} has cuts but holds text that is no number"
                self._note_unread(batch.column(f"a{i}_unread"), said, n)

    def _note_unread(self, column: Any, said: str, n: tallies.Integers) -> None:
        if column.null_count < len(column):
            there = sources.numpy(column.is_valid()) == 1
            self.remember(said, int(n[there].sum()), repr(min(column.drop_null().to_pylist())))


def _shown(values: tallies.Floats) -> str:
    finite = values[np.isfinite(values)]
    return repr(float(finite.max() if len(finite) and finite.max() > 1 else finite.min())) if len(finite) else repr(float(values[0]))
