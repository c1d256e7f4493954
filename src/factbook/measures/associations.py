"""Which columns of a table go together: the strongest pairs, what nearly gives the label away, and what is missing in the same rows.

At most 100,000 rows are looked at, every so manieth in the order of the file, and pairs of at most 100 columns: facts say how many. The strongest of
many pairs look stronger than they are; the number tried stands beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import columns as selected
from factbook.engines.sketches import Sketch, places
from factbook.measures.request import Answer, Request, count_metric
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.sources import Table, quote
from factbook.statistics import dependence, intervals
from factbook.statistics.dependence import Floats, Integers
from factbook.statistics.moments import tidy

ROWS: Final = 100_000
COLUMNS: Final = 100
STRONGEST: Final = 10
CATEGORIES: Final = 50
PARTS: Final = 20
BITS: Final = 40
GIVEN: Final = 0.75
RARE: Final = 0.5
ODDS: Final = 10
NEARLY: Final = 0.9
_CELLS: Final = 20_000_000
_NEITHER: Final = Direction.NEITHER


def _score(name: str, title: str, short: str, low: float, formula: str, source: str) -> Metric:
    return Metric(name, title, short, Unit.SCORE, _NEITHER, (low, 1.0), formula, source)


METRICS: Final = (
    count_metric("pairs", "pairs of columns compared", "pairs", "pairs of columns whose association was measured; the strongest are given"),
    _score("pearson", "Pearson's correlation", "r", -1.0, "covariance / product of the standard deviations", "Pearson 1895"),
    _score("spearman", "Spearman's rank correlation", "ρ", -1.0, "Pearson's correlation of the ranks", "Spearman 1904, Am. J. Psychology 15, 72"),
    _score(
        "cramers_v",
        "Cramér's V, corrected for bias",
        "V",
        0.0,
        "root of corrected φ² / corrected (smaller number of values - 1)",
        "Bergsma 2013, J. Korean Stat. Soc. 42, 323",
    ),
    _score("correlation_ratio", "correlation ratio", "η", 0.0, "root of the variance between categories / variance", "Kelley 1935, PNAS 21, 554"),
    _score(
        "label_explained",
        "share of the label's uncertainty that the column explains",
        "U(label | column)",
        0.0,
        f"1 - H(label | column) / H(label), numbers in {PARTS} parts of equal size",
        "Theil 1970, American Journal of Sociology 76, 103",
    ),
    Metric(
        "label_given",
        "share of a rare label where the column has a value",
        "P(label | value)",
        Unit.FRACTION,
        _NEITHER,
        (0.0, 1.0),
        f"rows with label and value / rows with the value; where its lower end is at least {GIVEN}, and its odds {ODDS} times the label's own",
        "",
    ),
    count_metric(
        "leaks",
        "columns that may give the label away",
        "leaks",
        "columns with a `label_given`, or whose label_explained less what chance explains is at least 0.9 of what is left",
    ),
    count_metric("missing_together", "rows where both columns are missing", "missing together", "rows without a value of either", Direction.NEITHER),
)


@dataclass(frozen=True)
class Sample:
    """Columns of the rows looked at: numbers (NaN missing), and categories as codes (-1 missing) with their names."""

    numbers: Mapping[str, Floats]
    codes: Mapping[str, tuple[Integers, tuple[str, ...]]]
    rows: int
    note: str


@dataclass(frozen=True)
class Reader:
    """What reads the table: its rows come in the order of the file."""

    request: Request
    table: Table
    connection: Any

    def rows(self, sql: str, size: int) -> Iterator[Any]:
        """The batches of a query."""
        import duckdb

        self.connection.execute("SET preserve_insertion_order = true")
        try:
            yield from sources.batches(self.connection, sql, size)
        except duckdb.Error as error:
            raise sources.explain(self.request.source(), self.table, error) from error


def add(answer: Answer, reader: Reader, found: Mapping[str, Sketch]) -> None:
    """Facts of the columns in `found`, which are neither keys nor may tell of hidden groups."""
    request = reader.request
    source = request.source()
    rows = next(iter(found.values())).rows if found else 0
    if rows > ROWS and source.join is not None:
        answer.warnings.append(f"{source.uri}: associations are not measured in joined tables of more than {ROWS:,} rows")
        return
    kinds = {name: kind for name, one in found.items() if (kind := _kind(one, name, request))}
    compared = [name for name in kinds if name != source.label][: COLUMNS - 1] + ([source.label] if source.label in kinds else [])
    leaks: dict[str, tuple[float, bool]] = {}
    known = [name for name in kinds if name not in (source.label, source.prediction, source.score)]
    for names in _chunks([source.label, *known] if source.label in kinds else [], rows):
        sample = _read(reader, {name: kinds[name] for name in names}, rows)
        leaks |= _label(answer, sample, source.label, request.manifest.suppress_below)
    if source.label in kinds:
        _add_leaks(answer, leaks, source.uri)
    if len(compared) > 1:
        sample = _read(reader, {name: kinds[name] for name in compared}, rows)
        _pairs(answer, sample, sum(1 for name in kinds) - len(compared))
    _missing(answer, reader, found, rows)


def _kind(sketch: Sketch, name: str, request: Request) -> str:
    """`number`, `category`, or '' for what varies too little or too much to be compared."""
    source, distinct = request.source(), sketch.distinct
    declared = name == source.label or any(group.column == name and not group.cuts for group in source.by.values())
    if not sketch.present or distinct == 1:
        return ""
    if sketch.numbers is not None and not (declared and name == source.label and distinct is not None and distinct <= CATEGORIES):
        return "" if sketch.numbers.beyond else "number"
    return "category" if distinct is not None and distinct <= CATEGORIES else ""


def _chunks(names: Sequence[str], rows: int) -> Iterator[Sequence[str]]:
    """The label with as many columns at a time as memory is set aside for."""
    size = max(10, _CELLS // max(1, min(rows, ROWS)))
    for start in range(1, len(names), size):
        yield [names[0], *names[start : start + size]]


def _read(reader: Reader, kinds: Mapping[str, str], rows: int) -> Sample:
    """The values of every so manieth row."""
    step, table = -(-rows // ROWS), reader.table
    columns = []
    for i, (name, kind) in enumerate(kinds.items()):
        text = f"CAST({quote(name)} AS VARCHAR)"
        number = f"CAST({quote(name)} AS DOUBLE)" if table.column(name, "columns").type != "VARCHAR" else f"TRY_CAST({quote(name)} AS DOUBLE)"
        columns.append(f"{number if kind == 'number' else text} AS c{i}")
    parts: list[list[Any]] = [[] for _ in kinds]
    done = 0
    size = max(1 << 11, min(1 << 17, _CELLS // max(1, len(kinds))))
    for batch in reader.rows(f"SELECT {', '.join(columns)} FROM ({table.sql})", size):
        chosen = np.arange(-done % step, batch.num_rows, step)
        for i in range(len(kinds)):
            parts[i].append(_taken(batch.column(i), chosen))
        done += batch.num_rows
    numbers, codes = {}, {}
    for (name, kind), values in zip(kinds.items(), parts, strict=True):
        if kind == "number":
            numbers[name] = np.concatenate(values)
        else:
            codes[name] = _coded(values)
    used = -(-rows // step)
    note = "" if step == 1 else f"over {used:,} of {rows:,} rows, every {step}th"
    return Sample(numbers, codes, used, note)


def _taken(column: Any, chosen: Integers) -> Any:
    """Numbers, NaN where missing or infinite; or texts and per row 1 + the index of its own, 0 where missing."""
    part = column.take(places(chosen))
    if str(column.type) != "double":
        return selected.encoded(part)
    values = np.array(sources.numpy(part), dtype=np.float64)
    if part.null_count:
        values[~sources.numpy(part.is_valid()).astype(bool)] = np.nan
    return np.where(np.isfinite(values), values, np.nan)


def _coded(parts: Sequence[tuple[Sequence[str], Integers]]) -> tuple[Integers, tuple[str, ...]]:
    """Codes over all parts, -1 where missing."""
    names = tuple(sorted({texts[code - 1] for texts, codes in parts for code in np.unique(codes).tolist() if code}))
    place = {text: i for i, text in enumerate(names)}
    found = [np.array([-1, *(place.get(text, -1) for text in texts)], dtype=np.int64)[codes] for texts, codes in parts]
    return np.concatenate(found), names


def _parted(values: Floats) -> tuple[Integers, tuple[str, ...]]:
    """Numbers as codes: their values where there are few, else parts of about equal size; equal values stay together."""
    there = ~np.isnan(values)
    ordered = np.sort(values[there])
    known = ordered[np.flatnonzero(np.diff(ordered, prepend=np.nan) != 0)]
    whole = len(known) < PARTS
    if len(known) > PARTS:
        known = np.unique(ordered[(np.arange(PARTS) * len(ordered)) // PARTS])
    codes = np.where(there, np.searchsorted(known, np.nan_to_num(values), side="right") - 1, -1)
    names = tuple(f"{low:.6g}" if whole else f"from {low:.6g}" for low in known)
    return codes.astype(np.int64), names


def _label(answer: Answer, sample: Sample, label: str, least: int) -> dict[str, tuple[float, bool]]:
    """How much of the label each column explains and whether that is nearly all; and values of columns at which a rare label is nearly certain."""
    own, classes = sample.codes.get(label) or _parted(sample.numbers[label])
    shares = np.bincount(own[own >= 0], minlength=len(classes)) / max(1, int((own >= 0).sum()))
    found = {}
    for name in (*sample.codes, *sample.numbers):
        if name == label:
            continue
        codes, values = sample.codes.get(name) or _parted(sample.numbers[name])
        table = dependence.table(codes, own, (len(values), len(classes)))
        explained = dependence.uncertainty(table)
        if explained is None:
            continue
        found[name] = explained, dependence.beyond_chance(table, explained) >= NEARLY
        for i, j in zip(*np.nonzero(table), strict=True):
            k, n = int(table[i, j]), int(table[i].sum())
            if n < max(least, 10) or shares[j] > RARE:
                continue
            interval = intervals.proportion(k, n, answer.level)
            if interval.low >= GIVEN and interval.low * (1 - shares[j]) >= ODDS * shares[j] * (1 - interval.low):
                params = (("column", name), ("label", classes[j]), ("value", values[i]))
                note = "; ".join(filter(None, (f"{shares[j]:.3g} of all rows have this label: is the column known before the label?", sample.note)))
                answer.add("label_given", k / n, params=params, n=n, counts={"k": k, "n": n}, interval=interval, note=note)
    return found


def _add_leaks(answer: Answer, explained: Mapping[str, tuple[float, bool]], where: str) -> None:
    for name, (value, _) in sorted(explained.items(), key=lambda item: (-round(item[1][0], 9), item[0]))[:STRONGEST]:
        note = "biased upwards where a part has few rows"
        answer.add("label_explained", tidy(round(value, 9)), params=(("column", name),), n=len(explained), note=note)
    given = {fact.key.params[0][1] for fact in answer.facts if fact.key.metric == "label_given"}
    leaks = sorted(given | {name for name, (_, nearly) in explained.items() if nearly})
    shown = ", ".join(leaks[:STRONGEST])
    answer.add("leaks", len(leaks), n=len(explained), note=shown)
    if leaks:
        answer.warnings.append(f"{where}: {len(leaks)} column(s) may give the label away: {shown}; ask whether they are known before it")


def _pairs(answer: Answer, sample: Sample, left: int) -> None:
    """The strongest pairs of numbers, of categories, and of one with the other."""
    numbers, codes = list(sample.numbers), list(sample.codes)
    tried = (len(numbers) * (len(numbers) - 1) + len(codes) * (len(codes) - 1)) // 2 + len(numbers) * len(codes)
    note = "; ".join(filter(None, (sample.note, f"{left} further columns were not compared" if left > 0 else "")))
    answer.add("pairs", tried, n=len(numbers) + len(codes), note=note)
    if len(numbers) > 1:
        _add_numbers(answer, sample)
    strong = []
    for a, b in combinations(codes, 2):
        table = dependence.table(sample.codes[a][0], sample.codes[b][0], (len(sample.codes[a][1]), len(sample.codes[b][1])))
        if (value := dependence.cramer(table)) is not None:
            strong.append((value, a, b, int(table.sum())))
    _add_strongest(answer, "cramers_v", strong, sample.note)
    _add_strongest(answer, "correlation_ratio", list(_mixed(sample)), sample.note)


def _mixed(sample: Sample) -> Iterator[tuple[float, str, str, int]]:
    for number, values in sample.numbers.items():
        there = ~np.isnan(values)
        if not there.any():
            continue
        known = dependence.scaled(values)
        for name, (codes, names) in sample.codes.items():
            both = there & (codes >= 0)
            value = dependence.ratio(codes[both], known[both], len(names))
            if value is not None:
                yield value, number, name, int(both.sum())


def _add_strongest(answer: Answer, metric: str, found: list[tuple[float, str, str, int]], note: str) -> None:
    for value, a, b, n in sorted(found, key=lambda item: (-round(item[0], 9), item[1:]))[:STRONGEST]:
        answer.add(metric, tidy(round(value, 9)), params=_between(a, b), n=n, note=note)


def _between(a: str, b: str) -> Pairs:
    first, second = sorted((a, b))
    return (("column", first), ("with", second))


def _add_numbers(answer: Answer, sample: Sample) -> None:
    """Pearson's and Spearman's correlation of the pairs for which either is strongest; ranks are those within the rows that have both."""
    names = [name for name, values in sample.numbers.items() if not np.isnan(values).all()]
    columns = {name: dependence.scaled(sample.numbers[name]) for name in names}
    linear, n = dependence.correlations(np.stack([columns[name] for name in names], axis=1))
    ordered = {name: dependence.ranks(sample.numbers[name]) for name in names}
    monotone, _ = dependence.correlations(np.stack([dependence.scaled(ordered[name]) for name in names], axis=1))
    strength = np.fmax(np.abs(linear), np.abs(monotone))
    pairs = [(-round(float(strength[i, j]), 9), i, j) for i, j in combinations(range(len(names)), 2) if not math.isnan(strength[i, j])]
    for _, i, j in sorted(pairs)[:STRONGEST]:
        a, b, both = names[i], names[j], int(n[i, j])
        exact = float(monotone[i, j])
        if both < sample.rows:
            there = ~np.isnan(sample.numbers[a] + sample.numbers[b])
            within = [dependence.scaled(dependence.ranks(sample.numbers[name][there])) for name in (a, b)]
            exact = float(dependence.correlations(np.stack(within, axis=1))[0][0, 1])
        for metric, r in (("pearson", float(linear[i, j])), ("spearman", exact)):
            said = "" if not math.isnan(r) else "a column does not vary where both have a value"
            value = None if said else tidy(round(r, 9))
            interval = None if said else dependence.fisher(r, both, answer.level, rank=metric == "spearman")
            answer.add(metric, value, params=_between(a, b), n=both, interval=interval, undefined=said, note=sample.note)


def _missing(answer: Answer, reader: Reader, found: Mapping[str, Sketch], rows: int) -> None:
    """The pairs of columns that are most often missing in the same rows, from the patterns of what is missing."""
    holes = sorted((name for name, one in found.items() if 0 < one.missing < rows), key=lambda name: (-found[name].missing, name))[:BITS]
    if len(holes) < 2:
        return
    bits = " + ".join(f"CASE WHEN {_absent(reader.table, name)} THEN {1 << i}::BIGINT ELSE 0 END" for i, name in enumerate(holes))
    sql = f"SELECT pattern, count(*) AS n FROM (SELECT {bits} AS pattern FROM ({reader.table.sql})) GROUP BY pattern"
    together = np.zeros((len(holes), len(holes)), dtype=np.int64)
    for batch in reader.rows(sql, 1 << 16):
        pattern, n = (sources.numpy(batch.column(name)).astype(np.int64) for name in ("pattern", "n"))
        absent = (pattern[:, None] >> np.arange(len(holes)) & 1).astype(np.float64)
        together += (absent.T @ (absent * n[:, None])).astype(np.int64)  # exact: counts of rows are far below 2^53
    pairs = []
    for i, j in combinations(range(len(holes)), 2):
        both = int(together[i, j])
        either = int(together[i, i] + together[j, j]) - both
        pairs.append((-both / either, -both, holes[i], holes[j]))
    for _, both, a, b in sorted(pairs)[:STRONGEST]:
        if both:
            answer.add("missing_together", -both, params=_between(a, b), n=rows, note=f"of {found[a].missing} and {found[b].missing} missing values")


def _absent(table: Table, name: str) -> str:
    column = quote(name)
    float_ = table.column(name, "columns").type in ("FLOAT", "DOUBLE")
    return f"({column} IS NULL OR {sources.is_nan(column)})" if float_ else f"{column} IS NULL"
