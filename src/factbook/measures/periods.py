"""Which rows a drift measurement sets against each other: its parameters, and the sketches of the reference and of each block of time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from factbook.engines import kept, sketches
from factbook.engines.sketches import Sketch
from factbook.engines.sketching import Split
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures.request import Request
from factbook.sources import Table, quote

PARAMS: Final = ("columns", "kinds", "over", "every", "blocks", "baseline", "empty", "psi_limit", "concept")
MOST_BLOCKS: Final = 1000
_EVERY: Final = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "quarter": "", "year": "%Y"}


@dataclass(frozen=True, slots=True)
class Options:
    """The parameters of the plan, read."""

    columns: tuple[str, ...]
    kinds: Mapping[str, str]
    over: str
    every: str
    blocks: int
    baseline: int
    half: bool
    psi_limit: float
    concept: bool

    @property
    def in_time(self) -> bool:
        return bool(self.over or self.blocks)


class _Reader:
    """Reads the parameters of a plan, and refuses what is not one."""

    def __init__(self, name: str, params: Mapping[str, Any]) -> None:
        self.name, self.params = name, params

    def refuse(self, said: str, remedy: str) -> MeasureError:
        return MeasureError(f"plan.{self.name}: {said}", remedy=remedy)

    def whole(self, key: str, least: int) -> int:
        given = str(self.params.get(key, least))
        if not (given.isascii() and given.isdecimal()) or int(given) < least:
            raise self.refuse(f"`{key}: {given}` is no whole number of at least {least}", f"write e.g. `{key}: 10`")
        return int(given)

    def one_of(self, key: str, known: Sequence[str]) -> str:
        given = self.params.get(key, known[0])
        if given not in known:
            raise self.refuse(f"`{key}: {given}` is not known", f"one of: {', '.join(filter(None, known))}")
        return str(given)

    def columns(self) -> tuple[str, ...]:
        given = self.params.get("columns", [])
        if not isinstance(given, list) or not all(isinstance(item, str) for item in given) or len(set(given)) < len(given):
            raise self.refuse("`columns` is no list of different columns", "write e.g. `columns: [age, income]`")
        return tuple(given)

    def kinds(self) -> Mapping[str, str]:
        given = self.params.get("kinds", {})
        if not isinstance(given, dict) or not all(kind in ("number", "category") for kind in given.values()):
            raise self.refuse("`kinds` says of a column that it is a `number` or a `category`", "write e.g. `kinds: {postcode: category}`")
        return given

    def limit(self) -> float:
        given = self.params.get("psi_limit", "0.2")
        try:
            limit = float(given)
        except (TypeError, ValueError):
            limit = math.nan
        if not 0 < limit < math.inf:
            raise self.refuse(f"`psi_limit: {given}` is no number above 0", "write e.g. `psi_limit: 0.2`")
        return limit


def options_of(name: str, params: Mapping[str, Any]) -> Options:
    """The parameters of a planned measurement.

    Raises:
        MeasureError: one of them cannot be used; says how it is written.
    """
    read = _Reader(name, params)
    options = Options(
        columns=read.columns(),
        kinds=read.kinds(),
        over=str(params.get("over", "")),
        every=read.one_of("every", ("", *_EVERY)),
        blocks=read.whole("blocks", 0),
        baseline=read.whole("baseline", 1),
        half=read.one_of("empty", ("undefined", "half")) == "half",
        psi_limit=read.limit(),
        concept=read.one_of("concept", ("no", "yes")) == "yes",
    )
    if options.over and options.blocks:
        raise read.refuse("both `over` and `blocks` cut time", "keep one of them")
    if options.every and not options.over:
        raise read.refuse("`every` needs `over`, a column of dates", "add `over: COLUMN`")
    if options.blocks > MOST_BLOCKS:
        raise read.refuse(f"{options.blocks} blocks", f"at most {MOST_BLOCKS} are compared")
    return options


@dataclass(frozen=True)
class Blocks:
    """The sketches of a table: per block (in order; one, '', without time) and label value (one, '', without `concept`) the sketch of each column."""

    names: tuple[str, ...]
    cells: Mapping[tuple[str, str], Mapping[str, Sketch]]

    @classmethod
    def scan(cls, request: Request, options: Options, table: Table, role: str, columns: Mapping[str, bool]) -> Blocks:
        """Sketch columns (and whether they are categories) of a table; only the current one is cut in time."""
        source = request.source(role)
        time = [time_split(request, options, table, source, role)] if role == "current" and options.in_time else []
        label = [Split(f"CAST({quote(source.label)} AS VARCHAR)")] if options.concept else []
        found = kept.sketched(table, source, columns, request.store, request.progress, [*time, *label])
        cells: dict[tuple[str, str], Mapping[str, Sketch]] = {}
        for cell, sketched in found.items():
            block, raw = cell[0] if time else "", cell[-1] if label else ""
            place = (block, source.labels.get(raw, raw))
            cells[place] = _added([cells[place], sketched]) if place in cells else sketched
        _check_blocks(request, options, table, {block: one for (block, _), one in cells.items()} if time else {})
        return cls(tuple(sorted({block for block, _ in cells}, key=_order)), cells)

    def cut(self, size: int) -> tuple[Blocks, Blocks]:
        """The first blocks, and the rest."""
        if len(self.names) <= size:
            raise MeasureError(
                f"{len(self.names)} blocks, of which {size} are the baseline: none are left", remedy="give more blocks, or a smaller `baseline`"
            )
        first = set(self.names[:size])
        return (
            Blocks(self.names[:size], {cell: one for cell, one in self.cells.items() if cell[0] in first}),
            Blocks(self.names[size:], {cell: one for cell, one in self.cells.items() if cell[0] not in first}),
        )

    def only(self, block: str) -> Blocks:
        """One block."""
        return Blocks((block,), {cell: one for cell, one in self.cells.items() if cell[0] == block})

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(next(iter(one.values())).rows for one in self.cells.values())

    def sketch(self, column: str) -> Sketch:
        """The sketch of a column over all rows."""
        return sketches.combine([one[column] for one in self.cells.values()])

    def by_label(self, column: str) -> dict[str, Sketch]:
        """The sketches of a column, a label value each; rows without a label are left out."""
        found: dict[str, list[Sketch]] = {}
        for (_, label), one in self.cells.items():
            if label:
                found.setdefault(label, []).append(one[column])
        return {label: sketches.combine(parts) for label, parts in found.items()}


def _added(parts: Sequence[Mapping[str, Sketch]]) -> dict[str, Sketch]:
    return {name: sketches.combine([part[name] for part in parts]) for name in parts[0]}


def _order(block: str) -> tuple[int, str]:
    return (int(block), "") if block.isdecimal() else (-1, block)


def time_split(request: Request, options: Options, table: Table, source: Source, role: str) -> Split:
    """What cuts the rows of a table into blocks."""
    if options.blocks:
        if source.join is not None:
            raise MeasureError(f"plan.{request.name}: a joined table has no order of rows", remedy="use `over: COLUMN` in place of `blocks`")
        rows = request.tally(role).rows
        if rows < options.blocks:
            raise MeasureError(f"plan.{request.name}: {options.blocks} blocks of {rows} rows", remedy="give fewer blocks")
        return Split(blocks=options.blocks, rows=rows)
    column = table.column(options.over, "over")
    name = quote(column.name)
    if not options.every:
        return Split(f"CAST({name} AS VARCHAR)")
    if column.type != "VARCHAR" and not column.type.startswith(("DATE", "TIMESTAMP")):
        raise MeasureError(f"plan.{request.name}: {table.where}: column {column.name!r} is {column.type}, not a date", remedy="leave `every` out")
    stamp = f"TRY_CAST({name} AS TIMESTAMP)"
    if options.every == "quarter":
        return Split(f"year({stamp})::VARCHAR || '-Q' || quarter({stamp})::VARCHAR")
    return Split(f"strftime({stamp}, '{_EVERY[options.every]}')")


def _check_blocks(request: Request, options: Options, table: Table, blocks: Mapping[str, Mapping[str, Sketch]]) -> None:
    if "" in blocks:
        said = "missing" + (" or no date" if options.every else "")
        raise SourceError(f"{table.where}: column {options.over!r} (over) is {said} in some rows", remedy="fill them in, or leave these rows out")
    if len(blocks) > MOST_BLOCKS:
        remedy = "group dates with `every: month`, or cut rows with `blocks: 30`"
        raise MeasureError(
            f"plan.{request.name}: column {options.over!r} (over) has {len(blocks)} values; at most {MOST_BLOCKS} are compared", remedy=remedy
        )
