"""What a table holds: rows, columns, types, missing values, ranges, duplicates, outliers, label balance, and how many rows each group has; which
columns go together, which may give the label away, which tell rows apart, and which may hold personal data.

It describes and judges nothing: missing values are counted here whatever the policy for rates says. Columns of groups that must stay hidden are left
out of outliers, associations and hints.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import kept
from factbook.engines.sketches import Sketch
from factbook.engines.tallies import LABEL
from factbook.manifest import Planned, Source
from factbook.measures import associations, binary, outliers, personal
from factbook.measures.request import Answer, Request, attributes, count_metric
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.sources import Column, Table, is_nan, listing, literal, quote
from factbook.statistics import intervals
from factbook.statistics.moments import tidy

VERSION: Final = 5
ROLES: Final = ("data",)
PARAMS: Final = ()
BALANCE_CAP: Final = 50
NEAR: Final = 0.95
LEAST: Final = 20
LOOKED: Final = 100_000
SHOWN: Final = 10
FEW_VALUES: Final = 10
DISTINCT_CAP: Final = 1 << 24
_CHUNK: Final = 12
_WIDEST_CHUNK: Final = 96
_CHUNK_CELLS: Final = 12_000_000
_SHORTEST_GROUP: Final = 1 << 11
_HELD: Final = 1 << 20
_TELLING_APART: Final = 8
_LEADING_ZEROS: Final = "-?0[0-9].*"
_TELLING: Final = re.compile(personal.PREFILTER)
_WHOLE: Final = re.compile("-?(0|[1-9][0-9]{0,14})")
_NEITHER: Final = Direction.NEITHER
_EVERYTHING: Final = (-math.inf, math.inf)
METRICS: Final = (
    count_metric("rows", "rows", "n", "rows of the table, or of a group"),
    count_metric("columns", "columns", "columns", "columns of the table"),
    count_metric("duplicates", "duplicate rows", "duplicates", "rows - distinct rows, over all columns", Direction.LOWER),
    Metric("type", "type", "type", Unit.TEXT, _NEITHER, None, "what all values of the column are", ""),
    count_metric("missing", "missing values", "missing", "rows without a value (CSV: an empty field)", Direction.LOWER),
    Metric("missing_share", "share of missing values", "missing", Unit.FRACTION, Direction.LOWER, (0.0, 1.0), "missing / rows", ""),
    count_metric("distinct", "distinct values", "distinct", "different values, missing not counted"),
    Metric("minimum", "smallest value", "min", Unit.QUANTITY, _NEITHER, _EVERYTHING, "smallest value", ""),
    Metric("maximum", "largest value", "max", Unit.QUANTITY, _NEITHER, _EVERYTHING, "largest value", ""),
    Metric("mean", "mean", "mean", Unit.QUANTITY, _NEITHER, _EVERYTHING, "sum / number of values", ""),
    count_metric(
        "duplicates_but_key", "duplicate rows but for the key", "duplicates", "rows - distinct rows, over all columns but the key", Direction.LOWER
    ),
    count_metric("constant_columns", "columns with one value", "constant", "columns with one different value"),
    count_metric(
        "near_unique_columns",
        "columns whose values tell rows apart",
        "near-unique",
        f"columns of texts, dates or whole numbers with at least {LEAST} different values, and as many as {NEAR:.0%} of the rows with one",
    ),
    count_metric(
        "personal_data",
        "rows with what may be personal data",
        "personal data",
        "rows in which the text of the column holds one (check digits are checked)",
    ),
    count_metric("personal_columns", "columns that may hold personal data", "personal", "columns with such rows, or with a name that says so"),
    *outliers.METRICS,
    *associations.METRICS,
    Metric("share", "share of rows", "share", Unit.FRACTION, _NEITHER, (0.0, 1.0), "rows of the class (or group) / rows with a class (or group)", ""),
)


def propose(source_name: str, source: Source, protected: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    """`data`, for every source."""
    del source, protected
    return "data", {"measure": "profile", "data": source_name}


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """The slices in `by`; every declared attribute where it is not given."""
    return attributes(name, planned.by or [(item,) for item in source.by], source)


def measure(request: Request, answer: Answer) -> None:
    """Facts of the table, of its columns, of its label and of its groups."""
    source = request.source()
    table = sources.table(source, request.root, request.store)
    tally = request.tally()
    rows = tally.rows
    answer.add("rows", rows, n=rows)
    answer.add("columns", len(table.columns))
    connection = sources.connect(request.store)
    with _at_hand(table, source, connection, rows, request.store) as scanned:
        read = scanned if scanned.parts else table
        sketched = kept.sketched(read, source, dict.fromkeys(table.names, False), request.store, request.progress)[()]
        _add_table(answer, request, _Scanned(scanned, source, connection, sketched))
    slices = margins(request.name, request.planned, source)
    if source.label:
        for by in ((), *slices):
            _add_balance(answer, request, source, by)
    for by in slices:
        _add_groups(answer, request, source, by)


@dataclass(frozen=True)
class _Scanned:
    """The table as it is scanned, and what is known of its columns from their sketches."""

    table: Table
    source: Source
    connection: Any
    sketched: Mapping[str, Sketch]

    @property
    def rows(self) -> int:
        """The rows of the table."""
        return next(iter(self.sketched.values())).rows

    def one(self, parts: Sequence[str], sql: str = "") -> tuple[Any, ...]:
        """The aggregates of the table (or of a statement)."""
        import duckdb

        try:
            (found,) = self.connection.execute(f"SELECT {', '.join(parts)} FROM ({sql or self.table.sql})").fetchall()
        except duckdb.Error as error:
            raise sources.explain(self.source, self.table, error) from error
        return tuple(found)


def _add_table(answer: Answer, request: Request, scanned: _Scanned) -> None:
    """Facts of all columns."""
    source, rows, sketched = scanned.source, scanned.rows, scanned.sketched
    described = _describe(scanned)
    duplicates = _duplicates(scanned, described)
    answer.add("duplicates", duplicates, n=rows, undefined=_TOO_MANY if duplicates is None else "")
    telling = _telling(source, answer.hidden, {column.name for column in described if column.distinct is not None and column.distinct <= FEW_VALUES})
    for column in described:
        _add_column(answer, column, rows, telling.get(column.name, frozenset()))
    _add_kinds(answer, scanned, described)
    group_columns = {group.column for group in source.by.values()} if answer.hidden else set()
    free = [column for column in described if column.name not in group_columns]
    _add_personal(answer, scanned, [column.name for column in free])
    values = {column.name: sketched[column.name] for column in free if column.name != source.key}
    for name, sketch in values.items():
        if sketch.numbers is not None and sketch.present:
            outliers.add(answer, sketch.numbers, (("column", name),))
    associations.add(answer, associations.Reader(request, scanned.table, scanned.connection), values)


_TOO_MANY: Final = f"not counted in tables of more than {DISTINCT_CAP:,} rows"


def _telling(source: Source, hidden: frozenset[Pairs], few: Set[str]) -> dict[str, frozenset[str]]:
    """The metrics of a group's column that would tell the size of a hidden group: its missing values, and the mean of a few codes such as 0 and 1.

    Of a column that is cut the mean stays, unless it has `few` values.
    """
    found: dict[str, frozenset[str]] = {}
    for name, group in source.by.items():
        values = {value for place in hidden for attribute, value in place if attribute == name}
        metrics = {"missing", "missing_share"} if binary.MISSING in values else set()
        if values and (not group.cuts or group.column in few):
            metrics.add("mean")
        found[group.column] = found.get(group.column, frozenset()) | metrics
    return found


@dataclass(frozen=True, slots=True)
class _Described:
    """What the scan says of a column; `mean` is None where there are no finite numbers."""

    name: str
    type: str
    present: int
    distinct: int | None
    low: Any
    high: Any
    mean: float | None
    as_text: bool


@contextmanager
def _at_hand(table: Table, source: Source, connection: Any, rows: int, store: Path) -> Iterator[Table]:
    """The table, or where every scan would read a text file again a copy of it: in memory where that is small, else in the private store.

    A copy of one file has it as its part: what is kept of it goes by the bytes of the file.
    """
    import duckdb

    small = rows * len(table.columns) <= _CHUNK_CELLS
    if table.stored or (table.rows is not None and not small):
        yield table
        return
    connection.execute("SET preserve_insertion_order = true")
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store) as folder:
        copy = Path(folder) / "table.parquet"
        group = max(_SHORTEST_GROUP, _CHUNK_CELLS // len(table.columns))
        stored = f"COPY ({table.sql}) TO {literal(str(copy))} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {group})"
        try:
            connection.execute(f"CREATE TABLE at_hand AS {table.sql}" if small else stored)
        except duckdb.Error as error:
            raise sources.explain(source, table, error) from error
        sql = "SELECT * FROM at_hand" if small else f"SELECT * FROM read_parquet({listing([copy])})"
        parts = () if small or len(table.parts) > 1 else tuple(replace(part, sql=sql) for part in table.parts)
        yield Table(table.where, sql, table.columns, rows, table.files, parts)


def _describe(scanned: _Scanned) -> list[_Described]:
    """Each column: from its sketch, and what that does not tell from scans of as many columns as their distinct values leave memory for."""
    sketched, unclear = scanned.sketched, _unclear(scanned)
    found: dict[str, _Described] = {}
    counted, rest = [], []
    for column in scanned.table.columns:
        one = sketched[column.name]
        if not _tells(column, one) or column.name in unclear:
            rest.append(column)
        elif (distinct := _different(column, one)) is None:
            counted.append(column)
        else:
            found[column.name] = _from_sketch(column, one, distinct, _whole(one))
    size = max(_CHUNK, min(_WIDEST_CHUNK, _CHUNK_CELLS // max(scanned.rows, 1)))
    for scan, columns in ((_count_chunk, counted), (_describe_chunk, rest)):
        for start in range(0, len(columns), size):
            found |= {described.name: described for described in scan(scanned, columns[start : start + size])}
    return [found[column.name] for column in scanned.table.columns]


def _unclear(scanned: _Scanned) -> frozenset[str]:
    """The columns of texts in which the text that no sketch reads as a number may be one here (`+5`), so that only a scan tells."""
    texts = [column.name for column in scanned.table.columns if column.type == "VARCHAR" and scanned.sketched[column.name].unread]
    test = f"NOT contains(x, '_') AND isfinite(TRY_CAST(x AS DOUBLE)) AND NOT regexp_full_match(x, '{_LEADING_ZEROS}')"
    asked = [scanned.sketched[name].example for name in texts]
    ((found,),) = scanned.connection.execute(f"SELECT list_transform(CAST(? AS VARCHAR[]), lambda x: coalesce({test}, false))", [asked]).fetchall()
    return frozenset(name for name, numeric in zip(texts, found, strict=True) if numeric)


def _tells(column: Column, sketch: Sketch) -> bool:
    """Whether a sketch tells all of a column but perhaps its different values: not of whole numbers that a double cannot hold."""
    numbers = sketch.numbers
    if numbers is not None and numbers.beyond:
        return False
    if _kind(column.type) == "whole number":
        return numbers is not None and max(numbers.high, -numbers.low) < 2.0**53
    return column.type in ("VARCHAR", "BOOLEAN", "FLOAT", "DOUBLE")


def _different(column: Column, sketch: Sketch) -> int | None:
    """How many different values a sketch holds: of texts, as they are written; None where there are too many."""
    if column.type != "VARCHAR" or sketch.texts is None:
        return sketch.distinct
    return None if sketch.texts.overflow else len(sketch.texts.values)


def _whole(sketch: Sketch) -> int:
    """How many texts are whole numbers, where a sketch holds all and all are numbers."""
    known = sketch.texts is not None and sketch.numbers is not None
    return sketch.present if known and all(map(_WHOLE.fullmatch, sketch.texts.values)) else 0  # type: ignore[union-attr]


def _from_sketch(column: Column, sketch: Sketch, distinct: int | None, whole: int) -> _Described:
    """What a sketch says of a column, given its different values and how many texts are whole numbers."""
    numbers = sketch.numbers
    low = high = mean = None
    if numbers is not None and numbers.count:
        low, high, mean = numbers.low, numbers.high, numbers.mean
        low, high = (int(low), int(high)) if _kind(column.type) == "whole number" else (low, high)
    return _described(column, (sketch.present, distinct, 0 if numbers is None else numbers.count, whole, low, high), mean, sketch.rows)


def _count_chunk(scanned: _Scanned, columns: Sequence[Column]) -> list[_Described]:
    """Columns of which a sketch tells all but the different values, and which texts are whole numbers."""
    if scanned.rows > _HELD:
        found = iter(scanned.one([part for column in columns for part in (_distinct(_value(column)), _wholes(scanned, column))]))
        return [_from_sketch(column, scanned.sketched[column.name], next(found), next(found)) for column in columns]
    described = []
    for column, values in zip(columns, _columns(scanned, columns), strict=True):
        whole = _count_whole(values) if _may_be_whole(scanned, column) else 0
        described.append(_from_sketch(column, scanned.sketched[column.name], _count_distinct(values), whole))
    return described


def _columns(scanned: _Scanned, columns: Sequence[Column]) -> Iterator[Any]:
    """The values of columns but missing ones, as Arrow arrays: texts as they are, all others as doubles, NaN among them."""
    import duckdb

    parts = [quote(column.name) if column.type == "VARCHAR" else f"CAST({quote(column.name)} AS DOUBLE)" for column in columns]
    named = ", ".join(f"{part} AS c{i}" for i, part in enumerate(parts))
    try:
        data = sources.batches(scanned.connection, f"SELECT {named} FROM ({scanned.table.sql})").read_all()
    except duckdb.Error as error:
        raise sources.explain(scanned.source, scanned.table, error) from error
    return (column.drop_null() for column in data.columns)


def _count_distinct(values: Any) -> int:
    """How many different values there are, NaN not counted; 0 and -0 are one."""
    import pyarrow.compute as pc

    if str(values.type) != "double":
        return int(pc.count_distinct(values).as_py())
    ordered = np.sort(np.concatenate([sources.numpy(chunk) for chunk in values.chunks]))
    ordered = ordered[: int(np.searchsorted(ordered, np.inf, side="right"))]
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _count_whole(texts: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.match_substring_regex(texts, f"^(?:{_WHOLE.pattern})$")).as_py())


def _may_be_whole(scanned: _Scanned, column: Column) -> bool:
    """Whether the texts of a column may be whole numbers."""
    numbers = scanned.sketched[column.name].numbers
    return column.type == "VARCHAR" and numbers is not None and numbers.low.is_integer() and numbers.high.is_integer()


def _wholes(scanned: _Scanned, column: Column) -> str:
    return _count_of(_WHOLE.pattern, quote(column.name)) if _may_be_whole(scanned, column) else "0"


def _describe_chunk(scanned: _Scanned, columns: Sequence[Column]) -> list[_Described]:
    parts = ["count(*)"]
    for column in columns:
        parts += _aggregates(column)
    rows, *values = scanned.one(parts)
    blocks = [values[i * 6 : i * 6 + 6] for i in range(len(columns))]
    means = _means(scanned, columns, blocks)
    return [_described(column, block, mean, rows) for column, block, mean in zip(columns, blocks, means, strict=True)]


def _aggregates(column: Column) -> list[str]:
    """present, distinct, numbers, whole numbers, smallest, largest."""
    name, number, kind = _value(column), _number(column), _kind(column.type)
    if kind == "text":
        whole, leading_zeros = (_count_of(pattern, name) for pattern in (_WHOLE.pattern, _LEADING_ZEROS))
        return [f"count({name})", _distinct(name), f"count({number}) - {leading_zeros}", whole, f"min({number})", f"max({number})"]
    low, high = (f"min({name})", f"max({name})") if kind in ("whole number", "number", "date", "time stamp") else ("NULL", "NULL")
    if kind == "time stamp":
        low, high = f"CAST({low} AS TIMESTAMP)", f"CAST({high} AS TIMESTAMP)"
    return [f"count({name})", _distinct(name), "0", "0", low, high]


def _value(column: Column) -> str:
    """The column, NaN being missing."""
    name = quote(column.name)
    return f"CASE WHEN NOT {is_nan(name)} THEN {name} END" if column.type in ("FLOAT", "DOUBLE") else name


def _count_of(pattern: str, name: str) -> str:
    return f"count(*) FILTER (WHERE regexp_full_match({name}, '{pattern}'))"


def _distinct(name: str) -> str:
    return f"CASE WHEN count(*) <= {DISTINCT_CAP} THEN count(DISTINCT {name}) END"


def _number(column: Column) -> str:
    name = quote(column.name)
    if _kind(column.type) != "text":
        return f"CAST({name} AS DOUBLE)"
    return f"CASE WHEN NOT contains({name}, '_') AND isfinite(TRY_CAST({name} AS DOUBLE)) THEN TRY_CAST({name} AS DOUBLE) END"


def _kind(kind: str) -> str:
    if kind == "VARCHAR":
        return "text"
    if (
        kind.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"))
        and "[" not in kind
    ):
        return "whole number"
    if kind in ("FLOAT", "DOUBLE") or (kind.startswith("DECIMAL") and "[" not in kind):
        return "number"
    return {"BOOLEAN": "true or false", "DATE": "date"}.get(
        kind, "time stamp" if kind.startswith("TIMESTAMP") and "[" not in kind else f"other ({kind})"
    )


def _is_number(column: Column, block: Sequence[Any]) -> bool:
    present, _, numbers = block[:3]
    kind = _kind(column.type)
    return bool(present) and (kind in ("whole number", "number") or (kind == "text" and numbers == present))


def _means(scanned: _Scanned, columns: Sequence[Column], blocks: Sequence[Sequence[Any]]) -> list[float | None]:
    """Means from exact integer sums, which no order of rows and no number of threads changes."""
    scales: list[int | None] = []
    parts = []
    for column, block in zip(columns, blocks, strict=True):
        ends = [float(end) for end in block[4:6]] if _is_number(column, block) else [math.inf]
        largest = max(abs(end) for end in ends)
        scale = None if not math.isfinite(largest) else min(1000, 59 - math.frexp(largest)[1])
        scales.append(scale)
        if scale is not None:
            number = _number(column)
            value = f"CASE WHEN isfinite({number}) THEN {number} END"
            parts.append(f"sum(CAST(round({value} * CAST({literal(repr(2.0**scale))} AS DOUBLE)) AS HUGEINT))")
    sums = iter(scanned.one(parts) if parts else ())
    return [None if scale is None else int(next(sums)) / block[0] / 2.0**scale for scale, block in zip(scales, blocks, strict=True)]


def _described(column: Column, block: Sequence[Any], mean: float | None, rows: int) -> _Described:
    present, distinct, _, whole, low, high = block
    kind = _kind(column.type)
    as_text = kind == "text" and _is_number(column, block)
    if as_text:
        kind = "whole number" if whole == present else "number"
        low, high = (int(low), int(high)) if kind == "whole number" else (low, high)
    elif kind == "text":
        low = high = None
    if not present:
        kind = f"{kind} (all {rows} values are missing)"
    return _Described(column.name, kind, present, distinct, low, high, mean, as_text)


def _duplicates(scanned: _Scanned, columns: Sequence[_Described]) -> int | None:
    """Rows that equal another in all of these columns, but the first of each; None of too many rows.

    Rows that differ in some columns differ: only those are compared as a whole whose values in a few columns, those with most different values, have
    the same hash as another's.
    """
    if scanned.rows > DISTINCT_CAP:
        return None
    ordered = sorted(columns, key=lambda column: -(column.distinct or 0))
    hashed = f"hash({', '.join(quote(column.name) for column in ordered[:_TELLING_APART])})"
    names, sql = ", ".join(quote(column.name) for column in columns), scanned.table.sql
    alike = f"SELECT {hashed} FROM ({sql}) GROUP BY 1 HAVING count(*) > 1"
    if not scanned.one(["count(*)"], alike)[0]:
        return 0
    rows = f"SELECT {names} FROM ({sql}) WHERE {hashed} IN ({alike})"
    return int(scanned.one(["count(*)"], rows)[0]) - int(scanned.one(["count(*)"], f"SELECT DISTINCT * FROM ({rows})")[0])


def _add_column(answer: Answer, column: _Described, rows: int, telling: frozenset[str]) -> None:
    params = (("column", column.name),)
    missing = rows - column.present
    answer.add("type", column.type, params=params, note="written as text (CSV)" if column.as_text else "")
    for name in sorted(telling):
        if name != "mean" or column.mean is not None:
            answer.suppress(name, params)
    if "missing" not in telling:
        answer.add("missing", missing, params=params, n=rows)
        interval = intervals.proportion(missing, rows, answer.level)
        answer.add("missing_share", missing / rows, params=params, n=rows, counts={"k": missing, "n": rows}, interval=interval)
    answer.add("distinct", column.distinct, params=params, n=column.present, undefined=_TOO_MANY if column.distinct is None else "")
    _add_range(answer, column, params, telling)


def _add_range(answer: Answer, column: _Described, params: Pairs, telling: frozenset[str]) -> None:
    n = column.present
    for name, value in (("minimum", column.low), ("maximum", column.high)):
        if value is not None:
            _add_end(answer, name, value, params, n)
    if column.mean is not None and "mean" not in telling:
        answer.add("mean", tidy(column.mean), params=params, n=n)


def _add_end(answer: Answer, name: str, value: Any, params: Pairs, n: int) -> None:
    if isinstance(value, dt.date):
        answer.add(name, value, params=params, n=n, unit=Unit.DATE)
    elif isinstance(value, int):
        answer.add(name, value, params=params, n=n)
    else:
        number = float(value)
        answer.add(name, number, params=params, n=n, undefined="" if math.isfinite(number) else "infinite")


def _add_balance(answer: Answer, request: Request, source: Source, by: tuple[str, ...]) -> None:
    """The share of each class among the rows with a label, of all rows and of each group."""
    tally = request.tally()
    values = tally.values_of(LABEL)
    if len(values) > BALANCE_CAP:
        if not by:
            said = f"label column {source.label!r} has {len(values)} values; the balance of more than {BALANCE_CAP} is left out"
            answer.warnings.append(f"{source.uri}: {said}")
        return
    inside = tally.where(binary.placed(tally, source, by)) if by else tally
    names, index = binary.slices(inside, by)
    counts = np.zeros((len(names), len(values) + 1), dtype=np.int64)
    np.add.at(counts, (index, inside.codes_of(LABEL)), inside.n)
    for place, own in zip(names, counts.tolist(), strict=True):
        n = sum(own[1:])
        for value, k in zip(values, own[1:], strict=True):
            params = (("column", source.label), ("value", value))
            interval = intervals.proportion(k, n, request.level) if n else None
            said = "" if n else "0 of 0: no row has a label"
            answer.add("share", k / n if n else None, params=params, slice=place, n=n, counts={"k": k, "n": n}, interval=interval, undefined=said)


def _add_kinds(answer: Answer, scanned: _Scanned, columns: Sequence[_Described]) -> None:
    """Columns with one value, columns that tell rows apart, and rows that only the key tells apart."""
    constant = [column.name for column in columns if column.distinct == 1]
    near = [
        column.name
        for column in columns
        if column.distinct is not None and column.distinct >= max(LEAST, NEAR * column.present) and not column.type.startswith("number")
    ]
    for metric, names in (("constant_columns", constant), ("near_unique_columns", near)):
        answer.add(metric, len(names), n=len(columns), note=_listed(names))
    rest = [column for column in columns if column.name != scanned.source.key]
    if 0 < len(rest) < len(columns) and (duplicates := _duplicates(scanned, rest)) is not None:
        answer.add("duplicates_but_key", duplicates, n=scanned.rows)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _add_personal(answer: Answer, scanned: _Scanned, names: Sequence[str]) -> None:
    """Hints of personal data: kinds and counts, never values. Of a longer table the first rows are looked at, in the order of the file."""
    table, source = scanned.table, scanned.source
    texts = [column.name for column in table.columns if column.type == "VARCHAR" and column.name in set(names)]
    found = {name: said for name in names if (said := personal.named(name))}
    n = min(scanned.rows, LOOKED)
    note = "" if scanned.rows <= LOOKED else f"in the first {n:,} rows"
    for name, likely in _likely(scanned, texts):
        kinds: Counter[str] = Counter()
        for text, count in likely:
            for kind in personal.found(text):
                kinds[kind] += count
        for kind, k in sorted(kinds.items()):
            answer.add("personal_data", k, params=(("column", name), ("kind", kind)), n=n, note=note)
        found[name] = " and ".join(sorted(kinds)) or found.get(name, "")
    found = {name: said for name, said in found.items() if said}
    answer.add("personal_columns", len(found), n=len(names), note=_listed([f"{name} ({said})" for name, said in sorted(found.items())]))
    if found:
        answer.warnings.append(f"{source.uri}: {len(found)} column(s) may hold personal data: {_listed(sorted(found))}")


def _likely(scanned: _Scanned, names: Sequence[str]) -> Iterator[tuple[str, Iterable[tuple[str, int]]]]:
    """Each column with the texts that may hold personal data and how often they occur: from its sketch where that holds the rows looked at."""
    rest = []
    for name in names:
        texts, numbers = scanned.sketched[name].texts, scanned.sketched[name].numbers
        if numbers is not None and max(numbers.high, -numbers.low) < personal.SMALLEST:
            continue
        if scanned.rows > LOOKED or texts is None or texts.overflow:
            rest.append(name)
        elif _TELLING.search("\n".join(texts.values)):
            yield name, ((text, k) for text, k in zip(texts.values, texts.n.tolist(), strict=True) if _TELLING.search(text))
    for start in range(0, len(rest), _WIDEST_CHUNK):
        yield from _looked(scanned, rest[start : start + _WIDEST_CHUNK])


def _looked(scanned: _Scanned, names: Sequence[str]) -> Iterator[tuple[str, Iterable[tuple[str, int]]]]:
    import duckdb
    import pyarrow.compute as pc

    columns = ", ".join(f"{quote(name)} AS c{i}" for i, name in enumerate(names))
    scanned.connection.execute("SET preserve_insertion_order = true")
    try:
        data = sources.batches(scanned.connection, f"SELECT {columns} FROM ({scanned.table.sql}) LIMIT {LOOKED}").read_all()
    except duckdb.Error as error:
        raise sources.explain(scanned.source, scanned.table, error) from error
    for i, name in enumerate(names):
        counted = pc.value_counts(data.column(i).combine_chunks())
        likely = pc.match_substring_regex(counted.field("values"), personal.PREFILTER)  # fill_null would import pandas
        yield name, ((item["values"], item["counts"]) for item in counted.filter(likely).to_pylist())


def _add_groups(answer: Answer, request: Request, source: Source, by: tuple[str, ...]) -> None:
    rows = binary.sizes(request.tally(), source, by)
    total = sum(rows.values())
    for place, k in rows.items():
        answer.add("rows", k, slice=place, n=k)
        interval = intervals.proportion(k, total, request.level)
        answer.add("share", k / total, slice=place, n=total, counts={"k": k, "n": total}, interval=interval)
