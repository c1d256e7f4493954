"""The columns that a measure names in its plan entry, as arrays, with the declared policies for what is missing applied.

For measures whose facts are no function of label, prediction and score counts. Slices have the same names as in the tally, because the same SQL
makes them. Memory: 8 bytes a row for every column and attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from factbook import sources
from factbook.engines import columns as selected
from factbook.engines import tallies
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Planned, Source
from factbook.measures import suppression
from factbook.measures.binary import MISSING
from factbook.measures.request import Answer, Request
from factbook.model import Pairs
from factbook.sources import Table, quote
from factbook.statistics.moments import LARGEST, Floats, Integers, Sample

Flags = NDArray[np.bool_]
_P = TypeVar("_P", bound=BaseModel)
KEEP: Final = "keep"


class Parameters(BaseModel):
    """What a measure understands in its plan entry; all of it is text in the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def parameters(schema: type[_P], request: Request) -> _P:
    """The parameters of a plan entry.

    Raises:
        MeasureError: one is missing or has no value that can be used; names all of them.
    """
    try:
        return schema.model_validate(request.planned.params)
    except ValidationError as error:
        said = [_worded(item["loc"], item["msg"].removeprefix("Value error, ")) for item in error.errors()]
        example = ", ".join(f"{name}: …" for name, about in schema.model_fields.items() if about.is_required())
        remedy = f"a plan entry of {request.planned.measure} needs {example}" if example else "mend the plan entry"
        raise MeasureError(f"plan.{request.name}: " + "; ".join(said), remedy=remedy) from error


def _worded(place: Sequence[object], said: str) -> str:
    return f"`{'.'.join(map(str, place))}`: {said}" if place else said


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column in a role.

    `policy` is the name in the source's `missing` that says what to do without a value, or KEEP to keep the row. A `nested` column may hold lists;
    it is read as JSON.
    """

    role: str
    column: str
    number: bool
    policy: str = KEEP
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: those that occur, sorted, and per row 1 + the index of its own, 0 where missing."""

    values: tuple[str, ...]
    codes: Integers


@dataclass(frozen=True, eq=False)
class Rows:
    """What was read.

    Attributes:
        source: the declared table.
        numbers: role to values, NaN where missing.
        texts: role to texts.
        groups: attribute to the names of its groups.
        warnings: what was left out.
    """

    source: Source
    numbers: Mapping[str, Floats]
    texts: Mapping[str, Texts]
    groups: Mapping[str, Texts]
    warnings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """The number of rows."""
        every = [*self.numbers.values(), *(item.codes for item in (*self.texts.values(), *self.groups.values()))]
        return len(every[0])

    def where(self, chosen: Flags | Integers) -> Rows:
        """Some of the rows."""
        return replace(
            self,
            numbers={role: values[chosen] for role, values in self.numbers.items()},
            texts={role: Texts(item.values, item.codes[chosen]) for role, item in self.texts.items()},
            groups={name: Texts(item.values, item.codes[chosen]) for name, item in self.groups.items()},
        )

    def places(self, by: Sequence[str]) -> tuple[list[Pairs], Integers]:
        """The slices of a combination of attributes, sorted, and per row the index of its own.

        The groups of a single attribute that are declared but do not occur are among them, so that they are not forgotten.
        """
        if not by:
            return [()], np.zeros(self.count, dtype=np.int64)
        chosen = [self.groups[name] for name in by]
        blocks, index = tallies.numbered([item.codes for item in chosen], [item.values for item in chosen], self.count)
        columns = [[(MISSING, *item.values)[code] for code in blocks[:, i].tolist()] for i, item in enumerate(chosen)]
        names = [tuple(zip(by, values, strict=True)) for values in zip(*columns, strict=True)]
        names += [((by[0], value),) for value in self._absent(by)]
        return names, index

    def _absent(self, by: Sequence[str]) -> list[str]:
        group = self.source.by[by[0]]
        declared = group.bands() if group.cuts else group.names.values()
        return [] if len(by) > 1 else [value for value in dict.fromkeys(declared) if value not in self.groups[by[0]].values]

    def pairs(self, role: str, codes: Integers) -> int:
        """How many different pairs there are of a text in a role and another code."""
        return len(distinct(self.texts[role].codes * (int(codes.max(initial=0)) + 1) + codes))

    def first(self, role: str) -> Integers:
        """The first row of each text in a role."""
        item = self.texts[role]
        found = np.full(len(item.values) + 1, -1, dtype=np.int64)
        found[item.codes[::-1]] = np.arange(len(item.codes))[::-1]
        return found[found >= 0]

    def sample(self, by: Sequence[str]) -> tuple[list[Pairs], Sample]:
        """The slices of a combination of attributes and the rows in them, with the declared weights and clusters."""
        names, index = self.places(by)
        return names, Sample(index, len(names), self.numbers.get("weight"), self.clusters)

    @cached_property
    def clusters(self) -> Integers | None:
        """Per row the number of its declared cluster; rows without one are clusters of their own."""
        if "cluster" not in self.texts:
            return None
        item = self.texts["cluster"]
        alone = item.codes == 0
        return np.where(alone, len(item.values) + np.cumsum(alone), item.codes)


def read(request: Request, wanted: Iterable[Wanted], role: str = "data") -> Rows:
    """Read the columns in `wanted`, the source's attributes, its weight and its cluster, and apply the policies.

    Raises:
        SourceError: a column does not exist or cannot be read as declared; values are missing without a policy.
    """
    source = request.source(role)
    table = sources.table(source, request.root, request.store)
    reading = Reading(table, source, _declared(source, wanted))
    (found,) = reading.batches(table, request.store, size=0)
    request.progress(table.where, reading.rows, reading.rows)
    reading.refuse()
    return replace(found, warnings=reading.warnings)


def _declared(source: Source, wanted: Iterable[Wanted]) -> list[Wanted]:
    columns = [*wanted]
    columns += [Wanted("weight", source.weight, number=True, policy="weight")] if source.weight else []
    columns += [Wanted("cluster", source.cluster, number=False)] if source.cluster else []
    return columns


class Reading:
    """Reads columns batch by batch, leaves out what the policies say, and remembers what is wrong with the values, to be refused at the end."""

    def __init__(self, table: Table, source: Source, columns: Sequence[Wanted]) -> None:
        self.table, self.source, self.columns = table, source, columns
        self.query = selected.Selection(table, source, tuple(source.by))
        self.rows = self.out = 0
        self.wrong: dict[tuple[int, int], tuple[int, str]] = {}
        self.missing: dict[tuple[str, str], int] = {}

    def batches(self, part: Table, store: Path, size: int) -> Iterator[Rows]:
        """The rows of the table or of a part of it, at most `size` at a time; 0 for all of them at once.

        Raises:
            SourceError: a column does not exist or is of another kind; the scan fails.
        """
        import duckdb
        import pyarrow as pa

        try:
            stored = self._stored(part, size) if size else None
            if stored is not None:
                yield from map(self._rows, stored)
                return
            reader = sources.batches(sources.connect(store), _sql(part, self.source, self.columns), *([size] if size else []))
            for batch in reader if size else [reader.read_all()]:
                yield self._rows(pa.table(batch) if size else batch)
        except (duckdb.Error, pa.ArrowException, UnicodeDecodeError) as error:
            raise sources.explain(self.source, part, error) from error

    def _stored(self, part: Table, size: int) -> Iterator[Any] | None:
        """The columns as the file holds them, where that is what the engine would make of them; else None."""
        read = part.columnar.get(part.sql)
        numbers = {item.role: item.column for item in self.columns if item.number}
        texts = {item.role: item.column for item in self.columns if not item.number}
        texts |= {f"{i} by": group.column for i, group in enumerate(self.source.by.values())}
        plain = all(part.column(name, role).type in (*selected.FLOATS, *selected.WHOLE) for role, name in numbers.items())
        plain = plain and all(part.column(name, role).type == "VARCHAR" for role, name in texts.items())
        if read is None or not plain or any(item.nested for item in self.columns) or any(group.cuts for group in self.source.by.values()):
            return None
        every = numbers | texts
        return (_shaped(batch, every, numbers) for batch in read(list(dict.fromkeys(every.values())), sorted(set(texts.values())), size))

    def _rows(self, data: Any) -> Rows:
        self.rows += data.num_rows
        found = Rows(
            self.source,
            {item.role: self._numbers(data, i) for i, item in enumerate(self.columns) if item.number},
            {item.role: _texts(data.column(item.role)) for item in self.columns if not item.number},
            {name: _texts(data.column(f"{i} by"), lambda texts, name=name: self.query.named(name, texts)) for i, name in enumerate(self.source.by)},
        )
        return self._without_missing(found)

    def _numbers(self, data: Any, i: int) -> Floats:
        """The numbers of a column, NaN where missing."""
        item = self.columns[i]
        unread = data.column(f"{item.role}_unread").drop_null()
        if len(unread):
            self._note(i, 0, len(unread), repr(min(unread.to_pylist())))
        column = data.column(item.role).combine_chunks().cast("float64")
        values: Floats = np.where(sources.numpy(column.is_null()) == 1, np.nan, sources.numpy(column) + 0.0)
        self._note(i, 1, int((np.abs(values) > LARGEST).sum()))
        if item.role == "weight":
            self._note(i, 2, int((values < 0).sum()))
        return values

    def _note(self, column: int, kind: int, count: int, example: str = "") -> None:
        before, shown = self.wrong.get((column, kind), (0, example))
        if count:
            self.wrong[column, kind] = (before + count, min(shown, example))

    def _without_missing(self, found: Rows) -> Rows:
        """Note missing values that no policy covers, and leave out what the policies say."""
        out = np.zeros(found.count, dtype=bool)
        absent = [(item.policy, f"column {item.column!r} ({item.role})", _absent(found, item.role)) for item in self.columns if item.policy != KEEP]
        absent += [("group", f"column {self.source.by[name].column!r} (by {name})", item.codes == 0) for name, item in found.groups.items()]
        for policy, said, missing in absent:
            chosen = getattr(self.source.missing, policy)
            if chosen == "error":
                self.missing[policy, said] = self.missing.get((policy, said), 0) + int(missing.sum())
            if chosen == "drop":
                out |= missing
        count = int(out.sum())
        self.out += count
        return found.where(~out) if count else found

    @property
    def contradicted(self) -> bool:
        """Whether something will be refused."""
        return bool(self.wrong) or any(self.missing.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was left out."""
        return left_out(self.table, self.out, self.rows)

    def refuse(self) -> None:
        """Raise what is wrong with the values of all batches.

        Raises:
            SourceError: no rows; a value is no number, infinite or too large to be squared, or missing without a policy; a weight is negative.
        """
        if not self.rows:
            raise SourceError(f"{self.table.where}: no rows", remedy="give a table with at least one row")
        if self.wrong:
            (i, kind), (count, example) = min(self.wrong.items())
            said = (f"holds text that is no number: {{}}, e.g. {example}", f"is infinite or beyond {LARGEST:g} in {{}}", "is negative in {}")[kind]
            where = f"{self.table.where}: column {self.columns[i].column!r} ({self.columns[i].role})"
            raise SourceError(f"{where} {said.format(f'{count} of {self.rows} rows')}", remedy="mend the values" if kind else "")
        self.query.refuse(self.rows)
        problems = [(policy, f"{said} is missing in {count} of {self.rows} rows") for (policy, said), count in self.missing.items() if count]
        if problems:
            policy = problems[0][0]
            also = " or `group` (a group of its own)" if policy == "group" else ""
            remedy = f"fill them in, or declare `missing: {{{policy}: drop}}`{also}; what is dropped is counted"
            raise SourceError(f"{self.table.where}: " + "\n  ".join(said for _, said in problems), remedy=remedy)


def _shaped(batch: Any, every: Mapping[str, str], numbers: Iterable[str]) -> Any:
    """A batch of stored columns as the engine would give it."""
    import pyarrow as pa

    columns = {role: batch.column(name).cast("float64", safe=False) if role in numbers else batch.column(name) for role, name in every.items()}
    return pa.table(columns | {f"{role}_unread": pa.nulls(batch.num_rows, "string") for role in numbers})


def left_out(table: Table, out: int, rows: int) -> tuple[str, ...]:
    """The warning that rows were left out, if any were."""
    return (f"{table.where}: {out} of {rows} rows were left out because a value is missing (policy: drop)",) if out else ()


def _sql(table: Table, source: Source, columns: Sequence[Wanted]) -> str:
    """One SELECT; the engines' own SQL for attributes, so that slices have one name everywhere."""
    query = selected.Selection(table, source, tuple(source.by))
    parts = [f"{query.attribute(name)} AS {quote(f'{i} by')}" for i, name in enumerate(source.by)]
    for item in columns:
        column = table.column(item.column, item.role)
        if item.nested:
            parts.append(f"CAST(to_json({quote(column.name)}) AS VARCHAR) AS {quote(item.role)}")
        elif not item.number:
            parts.append(f"{selected.text(column, item.role, table)} AS {quote(item.role)}")
        elif column.type == "BOOLEAN":
            parts += [
                f"CAST(CAST({quote(column.name)} AS TINYINT) AS DOUBLE) AS {quote(item.role)}",
                f"NULL::VARCHAR AS {quote(item.role + '_unread')}",
            ]
        else:
            number = selected.number(column, item.role, table)
            unread = f"CASE WHEN {quote(column.name)} IS NOT NULL AND {number} IS NULL THEN CAST({quote(column.name)} AS VARCHAR) END"
            parts += [f"{number} AS {quote(item.role)}", f"{unread} AS {quote(item.role + '_unread')}"]
    return f"SELECT {', '.join(parts)} FROM ({table.sql})"


def _encoded(column: Any) -> tuple[Sequence[str], Integers]:
    """The texts of a column and, per row, 1 + the index of its text (0 where missing)."""
    if not str(column.type).startswith("dictionary"):
        return selected.encoded(column)
    found = selected.values(column)
    place = np.array([0 if text is None else i + 1 for i, text in enumerate(found.texts)], dtype=np.int64)
    return [text or "" for text in found.texts], place[found.index] if len(place) else np.zeros(len(column), dtype=np.int64)


def _texts(column: Any, rename: Any = None) -> Texts:
    raw, codes = _encoded(column.combine_chunks())
    named = rename(raw) if rename else raw
    ordered = tuple(sorted({named[code - 1] for code in np.flatnonzero(np.bincount(codes)).tolist() if code}))
    place = {text: i + 1 for i, text in enumerate(ordered)}
    return Texts(ordered, np.array([0, *(place.get(text, 0) for text in named)], dtype=np.int64)[codes])


def _absent(found: Rows, role: str) -> Flags:
    return np.isnan(found.numbers[role]) if role in found.numbers else found.texts[role].codes == 0


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """The combinations in `by` that a source has; another source of the measurement need not have them."""
    del name
    return tuple(item for item in planned.by if set(item) <= set(source.by))


def distinct(numbers: Integers) -> Integers:
    """The different numbers, sorted. (`np.unique` hashes whole numbers, which takes longer where there are many.)"""
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def split(index: Integers, size: int) -> list[Integers]:
    """The places of the rows of each of `size` slices."""
    order = np.argsort(index, kind="stable")
    return np.split(order, np.cumsum(np.bincount(index, minlength=size))[:-1])


def refuse_split(found: Rows, role: str) -> None:
    """Every attribute and the cluster belong to the unit in a role: its rows lie in one group.

    Raises:
        SourceError: a unit's rows lie in several.
    """
    for what, codes in [*((f"by {name}", item.codes) for name, item in found.groups.items()), ("cluster", found.clusters)]:
        if codes is not None and (several := found.pairs(role, codes) - len(found.first(role))):
            said = f"{found.source.uri}: {several} values of {role} have more than one value of {what}"
            raise SourceError(said, remedy=f"give all rows of a {role} the same value")


def protect(request: Request, answer: Answer, by: Iterable[tuple[str, ...]], *counted: Rows, kinds: Integers | None = None) -> None:
    """Hide also the slices where fewer rows than the book's smallest group are judged, although there are enough rows of any kind.

    Other measurements that judge the same rows hide the same: the combinations of attributes of all of them count. `kinds` is, per row of the
    first of `counted`, the number of its outcome where the slices' rows are published by outcome.
    """
    atoms: dict[Pairs, list[int]] = {}
    for i, rows in enumerate(counted):
        names, index = rows.places(sorted(rows.source.by))
        for name, count in zip(names, np.bincount(index, minlength=len(names)).tolist(), strict=True):
            atoms.setdefault(name, [0] * len(counted))[i] = count
    counts = {name: tuple(count) for name, count in atoms.items()}
    protect_counts(request, answer, by, counts, None if kinds is None else _by_kind(counted[0], kinds, counts))


def protect_counts(
    request: Request, answer: Answer, by: Iterable[tuple[str, ...]], counts: Mapping[Pairs, tuple[int, ...]], details: Any = None
) -> None:
    """As `protect`, of the rows of every finest slice, of each kind that is counted."""
    margins = {item for item in (*by, *(item for role in request.margins.values() for item in role)) if item}
    answer.hidden |= suppression.hidden(counts, margins, request.manifest.suppress_below, details=details, held=answer.hidden)


def _by_kind(rows: Rows, kinds: Integers, atoms: Iterable[Pairs]) -> dict[Pairs, tuple[int, ...]]:
    """The rows of every finest slice by outcome."""
    names, index = rows.places(sorted(rows.source.by))
    size = int(kinds.max(initial=0)) + 1
    table = np.bincount(index * size + kinds, minlength=len(names) * size).reshape(len(names), size)
    found = {name: tuple(row) for name, row in zip(names, table.tolist(), strict=True)}
    return {name: found.get(name, (0,) * size) for name in atoms}


def told(source: Source, label: str) -> list[Pairs]:
    """The slices whose rows are those of a class, where the label is an attribute too: what is said of the class is said of them."""
    return [((name, group.names.get(label, label)),) for name, group in source.by.items() if group.column == source.label and not group.cuts]
