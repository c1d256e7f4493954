"""What a table holds: rows, columns, types, missing values, ranges, duplicates, label balance, and how many rows each group has.

It describes and judges nothing: missing values are counted here whatever the policy for rates says.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from factbook import sources
from factbook.engines.tallies import LABEL
from factbook.manifest import Planned, Source
from factbook.measures import binary, intervals
from factbook.measures.request import Answer, Request, attributes, count_metric, tidy
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.sources import Column, Table, is_nan, literal, quote

VERSION: Final = 1
ROLES: Final = ("data",)
PARAMS: Final = ()
BALANCE_CAP: Final = 50
FEW_VALUES: Final = 10
DISTINCT_CAP: Final = 1 << 24
_CHUNK: Final = 12
_WIDEST_CHUNK: Final = 500
_CHUNK_CELLS: Final = 12_000_000
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
    described = _describe(table, source, connection, rows)
    duplicates = _duplicates(table, source, connection, rows)
    answer.add("duplicates", duplicates, n=rows, undefined=_TOO_MANY if duplicates is None else "")
    telling = _telling(source, answer.hidden, {column.name for column in described if column.distinct is not None and column.distinct <= FEW_VALUES})
    for column in described:
        _add_column(answer, column, rows, telling.get(column.name, frozenset()))
    if source.label:
        _add_balance(answer, request, source)
    for by in margins(request.name, request.planned, source):
        _add_groups(answer, request, source, by)


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


def _describe(table: Table, source: Source, connection: Any, rows: int) -> list[_Described]:
    """Each column, some of them a scan: as many as their distinct values leave memory for."""
    found: list[_Described] = []
    size = max(_CHUNK, min(_WIDEST_CHUNK, _CHUNK_CELLS // max(rows, 1)))
    for start in range(0, len(table.columns), size):
        found += _describe_chunk(table, source, connection, table.columns[start : start + size])
    return found


def _describe_chunk(table: Table, source: Source, connection: Any, columns: Sequence[Column]) -> list[_Described]:
    parts = ["count(*)"]
    for column in columns:
        parts += _aggregates(column)
    rows, *values = _one(table, source, connection, parts)
    blocks = [values[i * 6 : i * 6 + 6] for i in range(len(columns))]
    means = _means(table, source, connection, columns, blocks)
    return [_described(column, block, mean, rows) for column, block, mean in zip(columns, blocks, means, strict=True)]


def _aggregates(column: Column) -> list[str]:
    """present, distinct, numbers, whole numbers, smallest, largest."""
    name, number = quote(column.name), _number(column)
    kind = _kind(column.type)
    if kind == "number" and column.type in ("FLOAT", "DOUBLE"):
        name = f"CASE WHEN NOT {is_nan(name)} THEN {name} END"
    if kind == "text":
        whole = f"count(*) FILTER (WHERE regexp_full_match({name}, '-?(0|[1-9][0-9]{{0,14}})'))"
        leading_zeros = f"count(*) FILTER (WHERE regexp_full_match({name}, '-?0[0-9].*'))"
        return [f"count({name})", _distinct(name), f"count({number}) - {leading_zeros}", whole, f"min({number})", f"max({number})"]
    low, high = (f"min({name})", f"max({name})") if kind in ("whole number", "number", "date", "time stamp") else ("NULL", "NULL")
    if kind == "time stamp":
        low, high = f"CAST({low} AS TIMESTAMP)", f"CAST({high} AS TIMESTAMP)"
    return [f"count({name})", _distinct(name), "0", "0", low, high]


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


def _means(table: Table, source: Source, connection: Any, columns: Sequence[Column], blocks: Sequence[Sequence[Any]]) -> list[float | None]:
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
    sums = iter(_one(table, source, connection, parts) if parts else ())
    return [None if scale is None else int(next(sums)) / block[0] / 2.0**scale for scale, block in zip(scales, blocks, strict=True)]


def _one(table: Table, source: Source, connection: Any, parts: Sequence[str]) -> tuple[Any, ...]:
    import duckdb

    try:
        found: tuple[Any, ...] = connection.execute(f"SELECT {', '.join(parts)} FROM ({table.sql})").fetchone()
    except duckdb.Error as error:
        raise sources.explain(source, table, error) from error
    return found


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


def _duplicates(table: Table, source: Source, connection: Any, rows: int) -> int | None:
    if rows > DISTINCT_CAP:
        return None
    distinct = Table(table.where, f"SELECT DISTINCT * FROM ({table.sql})", table.columns, None, table.files)
    return rows - int(_one(distinct, source, connection, ["count(*)"])[0])


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


def _add_balance(answer: Answer, request: Request, source: Source) -> None:
    tally = request.tally()
    values = tally.values_of(LABEL)
    if len(values) > BALANCE_CAP:
        answer.warnings.append(
            f"{source.uri}: label column {source.label!r} has {len(values)} values; the balance of more than {BALANCE_CAP} is left out"
        )
        return
    counts = [tally.count(LABEL, code) for code in range(1, len(values) + 1)]
    n = sum(counts)
    for value, k in zip(values, counts, strict=True):
        params = (("column", source.label), ("value", value))
        interval = intervals.proportion(k, n, request.level)
        answer.add("share", k / n, params=params, n=n, counts={"k": k, "n": n}, interval=interval)


def _add_groups(answer: Answer, request: Request, source: Source, by: tuple[str, ...]) -> None:
    rows = binary.sizes(request.tally(), source, by)
    total = sum(rows.values())
    for place, k in rows.items():
        answer.add("rows", k, slice=place, n=k)
        interval = intervals.proportion(k, total, request.level)
        answer.add("share", k / total, slice=place, n=total, counts={"k": k, "n": total}, interval=interval)
