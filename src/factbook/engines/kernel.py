"""The kernel that every engine runs: which columns are selected, how a batch of them is folded, how tallies of batches add up.

DuckDB selects, over files or over Arrow batches that somebody else read (a Spark worker, a frame in memory); numpy folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import tallies
from factbook.engines.bins import Floats, Integers
from factbook.engines.columns import FLOATS, WHOLE, Selection, classes, number, stored, text, values
from factbook.engines.folding import Folding, Values
from factbook.engines.tallies import Tally, combine
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import Table, quote

__all__ = ["combine", "count", "fold_batches"]

_BATCH: Final = 1 << 17
_ROWS: Final = "rows*"


def count(
    table: Table,
    source: Source,
    attributes: Sequence[str],
    connection: Any = None,
    told: Callable[[int], None] | None = None,
    store: Path | None = None,
) -> Tally:
    """The tally of a table that a DuckDB connection can scan; of no rows, a tally without cells, which adds nothing.

    Args:
        table: what to scan; it may be a part of a source.
        source: the declared roles of its columns.
        attributes: the slice attributes to keep apart.
        connection: of DuckDB; None opens one where it is needed.
        told: is told how many rows are done.
        store: the private store, where DuckDB may spill to.

    Raises:
        SourceError: a column does not exist; a score is no probability; a weight is negative; a number does not read; the scan fails.
    """
    import duckdb
    import pyarrow as pa

    query = _Query(table, source, attributes)
    folding = Folding(query.dimensions, weighted=bool(source.weight), decided=query.decided)
    try:
        for batch in query.batches(connection, store):
            query.fold(batch, folding)
            if told is not None:
                told(folding.rows)
    except (duckdb.Error, pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise sources.explain(source, table, error) from error
    query.refuse(folding.rows)
    pa.default_memory_pool().release_unused()
    return folding.tally()


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
        query = _Query(table, source, attributes)
        return Folding(query.dimensions, weighted=bool(source.weight), decided=query.decided).tally()
    connection = sources.connect(store)
    connection.register(_ROWS, pa.RecordBatchReader.from_batches(first.schema, chain([first], found)))
    given = set(first.schema.names)
    chosen = (f"CAST({quote(column.name)} AS {column.type}) AS {quote(column.name)}" for column in table.columns if column.name in given)
    return count(replace(table, sql=f"SELECT {', '.join(chosen)} FROM {quote(_ROWS)}"), source, attributes, connection)


@dataclass
class _Query(Selection):
    """What is selected, and how a batch of it is folded."""

    @property
    def decided(self) -> bool:
        """Whether the predictions follow from the scores."""
        return not self.source.prediction and self.source.cut is not None

    @property
    def dimensions(self) -> list[str]:
        roles = {
            tallies.LABEL: bool(self.source.label),
            tallies.PREDICTION: bool(self.source.prediction) or self.source.cut is not None,
            tallies.WEIGHT: bool(self.source.weight),
            tallies.SCORE: bool(self.source.score),
            tallies.CLUSTER: bool(self.source.cluster),
        }
        return [*self.attributes, *(name for name, declared in roles.items() if declared)]

    @property
    def _by_rows(self) -> bool:
        """Whether rows have to be kept apart, since a number of each is summed."""
        return bool(self.source.score or self.source.weight)

    @property
    def _longest(self) -> int:
        """The most rows of a batch: fewer where a number of each is kept, since arrays of a MiB are handed back to the system each time."""
        return -(-_BATCH // 2) if self._by_rows else _BATCH

    def batches(self, connection: Any, store: Path | None) -> Iterator[Mapping[str, Any]]:
        """The roles of the columns and their Arrow arrays, batch by batch: from the file's own encoding where it has one, else by DuckDB."""
        import pyarrow as pa

        read, names = self.table.columnar.get(self.table.sql), self._stored()
        if names == {} and self.table.rows is not None:
            yield {"n": pa.Array.from_buffers(pa.int64(), 1, [None, pa.py_buffer(np.int64(self.table.rows).tobytes())])}  # `array` imports pandas
            return
        if read is not None and names:
            texts = [name for name in names.values() if self.table.column(name, "").type == "VARCHAR"]
            for batch in read(list(dict.fromkeys(names.values())), texts, self._longest):
                yield {role: batch.column(name) for role, name in names.items()}
            return
        for batch in sources.batches(connection or sources.connect(store), self.sql(), self._longest):
            yield dict(zip(batch.schema.names, batch.columns, strict=True))

    def _stored(self) -> dict[str, str] | None:
        """The column of each role where all can be used as they are stored, else None."""
        numbers = {f"a{i}": self.source.by[name].column for i, name in enumerate(self.attributes) if self.source.by[name].cuts}
        texts = {f"a{i}": self.source.by[name].column for i, name in enumerate(self.attributes) if not self.source.by[name].cuts}
        numbers |= {"score": self.source.score, "weight": self.source.weight}
        texts |= {"label": self.source.label, "prediction": self.source.prediction}
        found = {role: name for role, name in (numbers | texts).items() if name}
        said = {f"a{i}": f"by {name}" for i, name in enumerate(self.attributes)}
        types = {role: self.table.column(name, said.get(role, role)).type for role, name in found.items()}
        plain = all(kind in ((*FLOATS, *WHOLE) if role in numbers else ("VARCHAR", "BOOLEAN", *WHOLE)) for role, kind in types.items())
        return found if plain and not self.source.cluster and not self.source.multilabel else None

    def sql(self) -> str:
        """One SELECT over the source; grouped where no number has to be kept apart."""
        parts = [f"{self._group(name)} AS a{i}" for i, name in enumerate(self.attributes)]
        for role, name in (("label", self.source.label), ("prediction", self.source.prediction)):
            parts += [f"{classes(self.table.column(name, role), role, self.table, self.source)} AS {role}"] if name else []
        for role in ("score", "weight"):
            if name := getattr(self.source, role):
                parts += [f"{number(self.table.column(name, role), role, self.table)} AS {role}", f"{self.unread(name, role)} AS {role}_unread"]
        for i, name in enumerate(self.attributes):
            if self.source.by[name].cuts:
                parts.append(f"{self.unread(self.source.by[name].column, name)} AS a{i}_unread")
        if self._by_rows:
            parts += [f"{self._hashed()} AS cluster"] if self.source.cluster else []
            return f"SELECT {', '.join(parts)} FROM ({self.table.sql})"
        if any(self.source.by[name].cuts for name in self.attributes):
            parts += [f"{self._hashed()} AS cluster"] if self.source.cluster else []
            return f"SELECT {', '.join([*parts, 'count(*) AS n'])} FROM ({self.table.sql}) GROUP BY ALL"
        parts += [f"{quote(self._count + 'c')} AS cluster"] if self.source.cluster else []
        return f"SELECT {', '.join([*parts, f'{quote(self._count)} AS n'])} FROM ({self._grouped()})"

    def _group(self, name: str) -> str:
        group = self.source.by[name]
        return self.attribute(name) if group.cuts else stored(self.table.column(group.column, f"by {name}"), f"by {name}", self.table)

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

    def fold(self, batch: Mapping[str, Any], folding: Folding) -> None:
        """Add one batch."""
        n = sources.numpy(batch["n"]).astype(np.int64) if "n" in batch else None
        columns = {name: self._attribute(name, batch[f"a{i}"]) for i, name in enumerate(self.attributes)}
        for role, dimension in (("label", tallies.LABEL), ("prediction", tallies.PREDICTION)):
            if role in batch:
                found = values(batch[role])
                texts = [None if raw is None else self.source.labels.get(raw, raw) for raw in found.texts]
                columns[dimension] = Values(texts, found.index)
        scores = self._numbers(batch, "score") if self.source.score else None
        weights = self._numbers(batch, "weight") if self.source.weight else None
        if scores is not None:
            columns[tallies.SCORE] = given = _given(scores)
            if self.decided:
                columns[tallies.PREDICTION] = self._decided(scores, given)
        if weights is not None:
            columns[tallies.WEIGHT] = _given(weights)
        if self.source.cluster:
            found = values(batch["cluster"])
            blocks = [None if digits is None else f"{int(digits, 16) % tallies.CLUSTER_BLOCKS:02d}" for digits in found.texts]
            columns[tallies.CLUSTER] = Values(blocks, found.index)
        self._note_cuts(batch, n)
        rows = len(next(iter(batch.values())))
        limbs = None if weights is None else self._fixed(weights)
        folding.add([columns[name] for name in self.dimensions], rows, n, limbs, scores)

    def _attribute(self, name: str, column: Any) -> Values:
        """The groups of rows: bands where the column is a number that has cuts, else its values or the names given to them."""
        group = self.source.by[name]
        if not group.cuts or str(column.type) in ("string", "large_string"):
            found = values(column)
            given = [raw for raw in found.texts if raw is not None]
            names = dict(zip(given, self.named(name, given), strict=True))
            return Values([None if raw is None else names[raw] for raw in found.texts], found.index)
        numbers = _doubles(column)
        kind = np.float32 if self.table.column(group.column, name).type == "FLOAT" else np.float64
        index = np.zeros(len(numbers), dtype=np.int64)
        for cut in group.cuts:
            index += numbers >= float(kind(float(cut)))
        index[np.isnan(numbers)] = len(group.cuts) + 1
        return Values([*group.bands(), None], index)

    def _decided(self, scores: Floats, given: Values) -> Values:
        assert self.source.cut is not None
        index = (scores >= self._cut(self.source.cut)).view(np.int8)
        if None in given.texts:
            index[given.index == 1] = 2
        return Values(("0", "1", None) if None in given.texts else ("0", "1"), index)

    def _fixed(self, weights: Floats) -> Integers:
        try:
            return tallies.fixed(np.nan_to_num(weights))
        except SourceError as error:
            said = f"{self.table.where}: weight column {self.source.weight!r}: {error.message}"
            raise SourceError(said, remedy=error.remedy) from error

    def _cut(self, cut: Decimal) -> float:
        """The cut as the score column would hold it: 0.35 in a FLOAT column is a little less than 0.35 in a DOUBLE one."""
        kind = self.table.column(self.source.score, "score").type
        return float(np.float32(float(cut))) if kind == "FLOAT" else float(cut)

    def _numbers(self, batch: Mapping[str, Any], role: str) -> Floats:
        """The numbers of a role, NaN where missing; what is wrong with them is remembered and refused at the end, with its count."""
        column = batch[role]
        if f"{role}_unread" in batch:
            said = f"{role} column {getattr(self.source, role)!r} holds text that is no number"
            self._note_unread(batch[f"{role}_unread"], said, None)
        found = _doubles(column) if not column.null_count else np.where(sources.numpy(column.is_null()) == 1, 0.0, _doubles(column))
        low, high = (found.min(), found.max()) if len(found) else (0.0, 0.0)
        wrong = np.zeros(0, dtype=bool)
        if not (low >= 0 and high <= (1.0 if role == "score" else np.finfo(np.float64).max)):
            wrong = ~((found >= 0.0) & (found <= 1.0)) if role == "score" else ~((found >= 0.0) & np.isfinite(found))
            said = "is no probability between 0 and 1" if role == "score" else "is negative, NaN or infinite"
            self.remember(f"{role} column {getattr(self.source, role)!r} {said}", int(np.count_nonzero(wrong)), _shown(found[wrong]))
        if not column.null_count and not len(wrong):
            return found
        missing = sources.numpy(column.is_null()) == 1
        return np.where(missing | wrong if len(wrong) else missing, np.nan, found)

    def _note_cuts(self, batch: Mapping[str, Any], n: Integers | None) -> None:
        for i, name in enumerate(self.attributes):
            if f"a{i}_unread" in batch:
                said = f"by {name}: column {self.source.by[name].column!r} has cuts but holds text that is no number"
                self._note_unread(batch[f"a{i}_unread"], said, n)

    def _note_unread(self, column: Any, said: str, n: Integers | None) -> None:
        if column.null_count < len(column):
            there = sources.numpy(column.is_valid()) == 1
            count = np.count_nonzero(there) if n is None else n[there].sum()
            self.remember(said, int(count), repr(min(column.drop_null().to_pylist())))


def _doubles(column: Any) -> Floats:
    """The numbers of an Arrow array; NaN where missing if it is not of doubles, else anything there."""
    found: Floats = sources.numpy(column)
    if found.dtype == np.float64 and not column.null_count:
        return found
    found = found.astype(np.float64)
    if column.null_count:
        found[sources.numpy(column.is_null()) == 1] = np.nan
    return found


def _given(numbers: Floats) -> Values:
    """Whether a number is there."""
    if not np.isnan(numbers.sum()):
        return Values(("given",), np.zeros(0, dtype=np.int8))
    return Values(("given", None), np.isnan(numbers).view(np.int8))


def _shown(values: Floats) -> str:
    finite = values[np.isfinite(values)]
    return repr(float(finite.max() if len(finite) and finite.max() > 1 else finite.min())) if len(finite) else repr(float(values[0]))
