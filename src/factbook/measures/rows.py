"""The columns that a measure names in its plan entry, as arrays, with the declared policies for what is missing applied.

For measures whose facts are no function of label, prediction and score counts. Slices have the same names as in the tally, because the same SQL
makes them. Memory: 8 bytes a row for every column and attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from factbook import sources
from factbook.engines import columns as selected
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
        index = np.zeros(self.count, dtype=np.int64)
        for name in by:
            item = self.groups[name]
            index = np.unique(index * (len(item.values) + 1) + item.codes, return_inverse=True)[1].reshape(-1)
        first = np.unique(index, return_index=True)[1]
        columns = [[(MISSING, *self.groups[name].values)[code] for code in self.groups[name].codes[first].tolist()] for name in by]
        names = [tuple(zip(by, values, strict=True)) for values in zip(*columns, strict=True)]
        names += [((by[0], value),) for value in self._absent(by)]
        return names, index

    def _absent(self, by: Sequence[str]) -> list[str]:
        group = self.source.by[by[0]]
        declared = group.bands() if group.cuts else group.names.values()
        return [] if len(by) > 1 else [value for value in dict.fromkeys(declared) if value not in self.groups[by[0]].values]

    def pairs(self, role: str, codes: Integers) -> int:
        """How many different pairs there are of a text in a role and another code."""
        return len(np.unique(self.texts[role].codes * (int(codes.max(initial=0)) + 1) + codes))

    def first(self, role: str) -> Integers:
        """The first row of each text in a role."""
        return np.unique(self.texts[role].codes, return_index=True)[1]

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
    import duckdb

    source = request.source(role)
    table = sources.table(source, request.root, request.store)
    columns = [*wanted]
    columns += [Wanted("weight", source.weight, number=True, policy="weight")] if source.weight else []
    columns += [Wanted("cluster", source.cluster, number=False)] if source.cluster else []
    try:
        data = sources.batches(sources.connect(request.store), _sql(table, source, columns)).read_all()
    except duckdb.Error as error:
        raise sources.explain(source, table, error) from error
    request.progress(table.where, data.num_rows, data.num_rows)
    if not data.num_rows:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    query = selected.Selection(table, source, tuple(source.by))
    found = Rows(
        source,
        {item.role: _numbers(data, table, item) for item in columns if item.number},
        {item.role: _texts(data.column(item.role)) for item in columns if not item.number},
        {name: _texts(data.column(f"{i} by"), lambda texts, name=name: query.named(name, texts)) for i, name in enumerate(source.by)},
    )
    query.refuse(data.num_rows)
    return _without_missing(found, columns, table)


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


def _numbers(data: Any, table: Table, item: Wanted) -> Floats:
    """The numbers of a role, NaN where missing.

    Raises:
        SourceError: a value is no number, infinite or too large to be squared; a weight is negative.
    """
    unread = data.column(f"{item.role}_unread").drop_null()
    where = f"{table.where}: column {item.column!r} ({item.role})"
    if len(unread):
        raise SourceError(f"{where} holds text that is no number: {len(unread)} of {data.num_rows} rows, e.g. {min(unread.to_pylist())!r}")
    column = data.column(item.role).combine_chunks().cast("float64")
    values: Floats = np.where(sources.numpy(column.is_null()) == 1, np.nan, sources.numpy(column) + 0.0)
    wrong = np.abs(values) > LARGEST
    if wrong.any():
        raise SourceError(f"{where} is infinite or beyond {LARGEST:g} in {int(wrong.sum())} of {data.num_rows} rows", remedy="mend the values")
    if item.role == "weight" and (values < 0).any():
        raise SourceError(f"{where} is negative in {int((values < 0).sum())} of {data.num_rows} rows", remedy="mend the values")
    return values


def _texts(column: Any, rename: Any = None) -> Texts:
    raw, codes = selected.encoded(column.combine_chunks())
    named = rename(raw) if rename else raw
    ordered = tuple(sorted({named[code - 1] for code in np.unique(codes).tolist() if code}))
    place = {text: i + 1 for i, text in enumerate(ordered)}
    return Texts(ordered, np.array([0, *(place.get(text, 0) for text in named)], dtype=np.int64)[codes])


def _without_missing(found: Rows, columns: Sequence[Wanted], table: Table) -> Rows:
    """Refuse missing values that no policy covers, and leave out what the policies say."""
    problems, out = [], np.zeros(found.count, dtype=bool)
    absent = [(item.policy, f"column {item.column!r} ({item.role})", _absent(found, item.role)) for item in columns if item.policy != KEEP]
    absent += [("group", f"column {found.source.by[name].column!r} (by {name})", item.codes == 0) for name, item in found.groups.items()]
    for policy, said, missing in absent:
        chosen = getattr(found.source.missing, policy)
        if missing.any() and chosen == "error":
            problems.append((policy, f"{said} is missing in {int(missing.sum())} of {found.count} rows"))
        if chosen == "drop":
            out |= missing
    if problems:
        policy = problems[0][0]
        also = " or `group` (a group of its own)" if policy == "group" else ""
        remedy = f"fill them in, or declare `missing: {{{policy}: drop}}`{also}; what is dropped is counted"
        raise SourceError(f"{table.where}: " + "\n  ".join(said for _, said in problems), remedy=remedy)
    if not out.any():
        return found
    said = f"{table.where}: {int(out.sum())} of {found.count} rows were left out because a value is missing (policy: drop)"
    return replace(found.where(~out), warnings=(said,))


def _absent(found: Rows, role: str) -> Flags:
    return np.isnan(found.numbers[role]) if role in found.numbers else found.texts[role].codes == 0


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """The combinations in `by` that a source has; another source of the measurement need not have them."""
    del name
    return tuple(item for item in planned.by if set(item) <= set(source.by))


def split(index: Integers, size: int) -> list[Integers]:
    """The places of the rows of each of `size` slices."""
    order = np.argsort(index, kind="stable")
    return np.split(order, np.cumsum(np.bincount(index, minlength=size))[:-1])


def refuse_split(found: Rows, role: str) -> None:
    """Every attribute and the cluster belong to the unit in a role: its rows lie in one group.

    Raises:
        SourceError: a unit's rows lie in several.
    """
    unit = found.texts[role]
    for what, codes in [*((f"by {name}", item.codes) for name, item in found.groups.items()), ("cluster", found.clusters)]:
        if codes is not None and (several := found.pairs(role, codes) - len(np.unique(unit.codes))):
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
    margins = {item for item in (*by, *(item for role in request.margins.values() for item in role)) if item}
    counts = {name: tuple(count) for name, count in atoms.items()}
    details = None if kinds is None else _by_kind(counted[0], kinds, counts)
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
