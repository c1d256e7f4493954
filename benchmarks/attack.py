"""Attacks on suppression: can a hidden group's size be told from everything that is published, in one version or in two?

    python -m benchmarks.attack 1000 40

attacks 1,000 random tables of counts and 40 random books, each in two successive versions, and prints how many hidden counts were recovered. The
attacker knows every published count, which combinations occur, that no count is negative or a fraction, that a hidden group has rows, and that rows
were only added, only taken away, or all stayed. A hidden count is recovered if it is a linear combination of published ones, or if integer
programming (HiGHS) finds one value for it.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from factbook.measures import suppression
from factbook.measures.suppression import Exposed, Publication

K = 10
Slice = tuple[tuple[str, str], ...]
Table = dict[Slice, int]


def cut(cell: Slice, margin: Iterable[str]) -> Slice:
    return tuple(pair for pair in cell if pair[0] in margin)


@dataclass
class System:
    """What is known of the unknowns: equations, as coefficients and totals."""

    size: int
    rows: list[np.ndarray] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)

    def add(self, row: np.ndarray, total: float) -> None:
        self.rows.append(row)
        self.totals.append(total)

    def solves(self, target: np.ndarray, most: np.ndarray, truth: int) -> tuple[float, float] | None:
        """The value of a sum of unknowns if it can be told, as the two ends of its range; None if it stays open.

        It does if a larger one than the truth is possible.
        """
        matrix, totals = np.array(self.rows), np.array(self.totals)
        solution = np.linalg.lstsq(matrix.T, target, rcond=None)[0]
        if np.abs(matrix.T @ solution - target).max() < 1e-7:
            value = float(solution @ totals)
            return value, value
        ends = []
        for sign in (-1, 1):
            within = LinearConstraint(matrix, totals, totals)
            found = milp(sign * target, constraints=within, bounds=Bounds(0, most), integrality=np.ones(self.size))
            if found.status == 2:
                raise AssertionError("the published counts contradict each other")
            ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
            if sign < 0 and ends[0] > truth + 0.5:
                return None
        return (ends[1], ends[0]) if max(1, ends[1]) >= ends[0] - 1e-6 else None


@dataclass
class Version:
    """A table, what is published of it, and what is hidden."""

    table: Table
    margins: list[tuple[str, ...]]
    hidden: frozenset[Slice]

    def slices(self) -> list[Slice]:
        return list(dict.fromkeys(cut(cell, margin) for margin in [(), *self.margins] for cell in self.table))

    def count(self, part: Slice) -> int:
        return sum(rows for cell, rows in self.table.items() if set(part) <= set(cell))

    def published(self, same: bool) -> Publication:
        shown = {part: (self.count(part),) for part in self.slices() if part not in self.hidden}
        return Publication(frozenset(self.margins), shown, self.hidden, same)

    def equations(self, cells: Sequence[Slice]) -> Iterator[tuple[np.ndarray, int]]:
        """Every count that is shown, and 0 for the combinations that do not occur."""
        for part in self.slices():
            if part not in self.hidden:
                yield inside(cells, part), self.count(part)
        for margin in self.margins:
            there = {cut(cell, margin) for cell in self.table}
            yield np.array([float(cut(cell, margin) not in there) for cell in cells]), 0


def inside(cells: Sequence[Slice], part: Slice) -> np.ndarray:
    return np.array([float(set(part) <= set(cell)) for cell in cells])


def secrets(version: Version, before: Version | None, way: str) -> list[Slice]:
    """The hidden groups of fewer than K rows; but not all rows, and not what the same rows had shown before."""
    small = [part for part in version.hidden if 0 < version.count(part) < K and version.count(part) < version.count(())]
    known = set(before.slices()) - before.hidden if before is not None and way == "same" else set()
    return [part for part in small if part not in known]


def attack(first: Version, second: Version, way: str) -> Iterator[tuple[int, Slice, tuple[float, float] | None]]:
    """Every secret of both versions, and what is told of it."""
    values = {name: sorted({dict(cell)[name] for cell in (*first.table, *second.table)}) for name, _ in next(iter(first.table))}
    cells = [tuple(zip(values, found, strict=True)) for found in product(*values.values())]
    none = np.zeros(len(cells))

    def placed(row: np.ndarray, larger: bool) -> np.ndarray:
        return np.concatenate([row, row if larger else none])

    larger = (way == "removed", way != "removed")
    system = System(2 * len(cells))
    for version, more in zip((first, second), larger, strict=True):
        for row, total in version.equations(cells):
            system.add(placed(row, more), total)
    most = np.concatenate([np.full(len(cells), np.inf), np.full(len(cells), 0.0 if way == "same" else np.inf)])
    for number, (version, before, more) in enumerate(((first, None, larger[0]), (second, first, larger[1])), 1):
        for part in secrets(version, before, way):
            yield number, part, system.solves(placed(inside(cells, part), more), most, version.count(part))


def random_table(rng: np.random.Generator) -> tuple[Table, list[tuple[str, ...]]]:
    """A table of 2 to 4 attributes with small groups, and every combination of its attributes."""
    names = "abcd"[: int(rng.choice([2, 2, 2, 3, 3, 4]))]
    sizes = [int(rng.integers(2, 5 if len(names) < 4 else 3)) for _ in names]
    table = {}
    for codes in product(*(range(size) for size in sizes)):
        if rows := int(rng.choice([0, 0, 1, 2, 3, 5, 8, 9, 9, 10, 11, 15, 30, 60, 200])):
            table[tuple((name, str(code)) for name, code in zip(names, codes, strict=True))] = rows
    return table, [margin for size in range(1, len(names) + 1) for margin in combinations(names, size)]


def some(rng: np.random.Generator, margins: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What some measurements with different `by` publish together."""
    return sorted(margins[i] for i in rng.choice(len(margins), int(rng.integers(1, len(margins) + 1)), replace=False))


def changed(rng: np.random.Generator, table: Table, way: str) -> Table:
    """The next version: the same rows, or a few or many more, also in new groups, or fewer."""
    found = dict(table)
    values = [sorted({cell[i] for cell in table}) for i in range(len(next(iter(table))))]
    for _ in range(0 if way == "same" else int(rng.choice([1, 2, 5, 10, 20, 40, 100]))):
        cells = list(found)
        cell = tuple(value[rng.integers(len(value))] for value in values) if way == "added" else cells[rng.integers(len(cells))]
        found[cell] = found.get(cell, 0) + (1 if way == "added" else -1)
        if not found[cell]:
            del found[cell]
        if not found:
            return {cell: 1}
    return found


def hide(table: Table, margins: Sequence[tuple[str, ...]], **before: Any) -> frozenset[Slice]:
    return suppression.hidden({cell: (rows,) for cell, rows in table.items()}, margins, K, **before)


def attack_tables(seeds: Iterable[int]) -> Counter[str]:
    """Attack random tables; counts of tables, of those refused, of secrets, and of secrets recovered."""
    found: Counter[str] = Counter()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        table, every = random_table(rng)
        if not table:
            continue
        found["tables"] += 1
        margins, way = some(rng, every), str(rng.choice(["same", "added", "removed"], p=[0.25, 0.5, 0.25]))
        first = Version(table, margins, hide(table, margins))
        later, more = changed(rng, table, way), margins if rng.random() < 0.6 else some(rng, every)
        try:
            second = Version(later, more, hide(later, more, held=first.hidden, before=[first.published(way == "same")]))
        except Exposed:
            found["refused"] += 1
            second = first
            way = "same"
        for number, part, value in attack(first, second, way):
            found["secrets"] += 1
            if value is not None:
                found["recovered"] += 1
                print(f"seed {seed}, version {number} ({way}): {part} is {value}", file=sys.stderr)
    return found


KINDS = ("tn", "fp", "fn", "tp", "dropped")
NAMED = {"rows": (0, 1, 2, 3), "tn": (0,), "fp": (1,), "fn": (2,), "tp": (3,), "dropped": (4,), "positives": (2, 3), "negatives": (0, 1)}


def sums_of(facts: Mapping[Any, Any], cells: Sequence[Slice], every: bool) -> Iterator[tuple[np.ndarray, float]]:
    """What each fact says of the numbers of rows by cell and outcome: its value, its n, and its counts."""
    from factbook.measures.rates import RATES

    def row(part: Slice, kinds: Iterable[int]) -> np.ndarray:
        return np.kron(inside(cells, part), [float(kind in kinds) for kind in range(len(KINDS))])

    for key, fact in facts.items():
        if fact.status == "suppressed" or key.params:
            continue
        judged = NAMED["rows"] if not every else range(len(KINDS))
        if key.metric in NAMED and fact.measured:
            yield row(key.slice, judged if key.metric == "rows" else NAMED[key.metric]), fact.value
        if key.metric in RATES and not key.params:
            rate = RATES[key.metric]
            for name, kinds in (("k", rate.part), ("n", rate.whole)):
                if name in fact.counts:
                    yield row(key.slice, kinds), fact.counts[name]
            if fact.n is not None:
                yield row(key.slice, rate.whole), fact.n
        for name in ("tp", "fp", "fn", "tn", "positives", "negatives"):
            if name in fact.counts:
                yield row(key.slice, NAMED[name]), fact.counts[name]
        if key.metric == "share" and key.slice:
            yield row(key.slice, judged), fact.counts["k"]


def random_rows(rng: np.random.Generator, rows: int, groups: Sequence[Sequence[str]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows of a log of predictions: skewed groups, some without a group or a label."""
    columns: dict[str, list[Any]] = {}
    for name, values in zip(names, groups, strict=True):
        share = rng.dirichlet([0.5] * len(values))
        columns[name] = [values[0], *(values[i] for i in rng.choice(len(values), max(0, rows - 1), p=share))][:rows]
    columns["y"] = [str(value) if value < 2 else None for value in rng.choice([0, 1, 2], rows, p=[0.6, 0.38, 0.02])]
    columns["p"] = [str(value) for value in rng.integers(0, 2, rows)]
    return columns


def attack_books(seeds: Iterable[int]) -> Counter[str]:
    """Attack what whole books publish of a source, in two versions, through classification, fairness, profile and more."""
    found: Counter[str] = Counter()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            found += attack_book(np.random.default_rng(seed), Path(folder), f"seed {seed}")
    return found


def attack_book(rng: np.random.Generator, root: Path, name: str) -> Counter[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from factbook.errors import MeasureError
    from factbook.evidence import Evidence, measure_plan
    from factbook.manifest import Manifest, validate

    names = list("abc"[: int(rng.integers(2, 4))])
    groups = [[f"{n}{i}" for i in range(int(rng.integers(2, 4)))] for n in names]
    pairs = [list(pair) for pair in combinations(names, 2)]
    plan = {
        "performance": {"measure": "classification", "data": "data", "by": names},
        "cells": {"measure": "classification", "data": "data", "by": [pairs[int(rng.integers(len(pairs)))]]},
        "fairness": {"measure": "fairness", "data": "data", "protected": {names[0]: groups[0][0]}},
        "data": {"measure": "profile", "data": "data"},
    }
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": names, "missing": {"label": "drop"}}
    tree = {"factbook": "1", "subject": {"name": "attack"}, "sources": {"data": source}, "plan": plan}
    manifest = validate(Manifest, tree, "factbook.yaml", {})
    columns = random_rows(rng, int(rng.integers(40, 160)), groups, names)
    versions = []
    for more in (0, int(rng.choice([1, 3, 12, 40]))):
        extra = random_rows(rng, more, groups, names)
        columns = {key: values + extra[key] for key, values in columns.items()}
        pq.write_table(pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()}), root / "d.parquet")
        try:
            measure_plan(root, manifest)
        except MeasureError:
            break
        versions.append((Evidence.load(root), columns))
    return told(versions, names, groups, name)


def told(versions: Sequence[Any], names: Sequence[str], groups: Sequence[Sequence[str]], name: str) -> Counter[str]:
    """How many sizes of hidden groups the facts of the versions tell; version 2 has more rows."""
    found = Counter(books=1, refused=2 - len(versions))
    cells = [tuple(zip(names, values, strict=True)) for values in product(*groups)]
    size = len(cells) * len(KINDS)
    system = System(len(versions) * size)
    for number, (evidence, _) in enumerate(versions):
        for record in evidence.records.values():
            facts = {key: evidence[key] for key in evidence if key.evidence == record.name}
            for row, total in sums_of(facts, cells, every=record.measure == "profile"):
                system.add(np.concatenate([row if i <= number else 0 * row for i in range(len(versions))]), total)
    for number, (evidence, columns) in enumerate(versions):
        hidden = {key.slice for key in evidence if evidence[key].status == "suppressed" and key.metric == "rows"}
        for part in sorted(hidden):
            rows = sum(all(columns[attribute][i] == value for attribute, value in part) for i in range(len(columns["y"])))
            if not 0 < rows < K:
                continue
            found["secrets"] += 1
            target = np.concatenate([np.kron(inside(cells, part) * (i <= number), np.ones(len(KINDS))) for i in range(len(versions))])
            value = system.solves(target, np.full(system.size, np.inf), rows)
            if value is not None:
                found["recovered"] += 1
                print(f"{name}, version {number + 1} of {len(versions)}: {part} is {value}, in truth {rows}", file=sys.stderr)
    return found


def main(arguments: Sequence[str]) -> int:
    tables, books = (int(arguments[i]) if len(arguments) > i else default for i, default in enumerate((1000, 40)))
    recovered = 0
    for what, found in (("tables", attack_tables(range(tables))), ("books", attack_books(range(books)))):
        recovered += found["recovered"]
        print(f"{found[what]} random {what} in two versions, {found['refused']} of the second refused:", end=" ")
        print(f"{found['secrets']} hidden counts of fewer than {K} rows attacked, {found['recovered']} recovered")
    return 1 if recovered else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
