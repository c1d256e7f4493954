"""Totals of the parts of a table, kept in the private store like tallies: what was added up before is not read again."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factbook import canon, sources
from factbook.engines import columns, kept, totals
from factbook.engines.totals import Design, Totals
from factbook.manifest import Source
from factbook.sources import Table
from factbook.statistics import moments

_LOCATION: Final = {"uri", "more", "used_for", "dataset"}


@dataclass(frozen=True, slots=True)
class Sum:
    """What the parts of a table come to.

    Attributes:
        totals: of the rows that were not left out; None where there are none.
        rows: all rows.
        out: rows that were left out.
    """

    totals: Totals | None
    rows: int
    out: int


def add_up(table: Table, source: Source, design: Design, about: object, store: Path, read: Callable[[Table], Sum]) -> Sum:
    """The sum of the parts of a table, each read once and then kept.

    Args:
        table: the opened source.
        source: its declaration.
        design: what is added up.
        about: what else decides it, as JSON can hold it: which columns are read, and the code that makes terms of them.
        store: the private store.
        read: adds up the rows of a part; raises where they contradict the declaration.

    Raises:
        SourceError: as `read`.
    """
    rows = out = 0

    def parts() -> Iterator[Totals]:
        nonlocal rows, out
        for part, name in _named(table, source, about, store):
            found = _get(store, name)
            if found is None:
                found = read(part)
                _put(store, name, found)
            rows, out = rows + found.rows, out + found.out
            if found.totals is not None:
                yield found.totals

    return Sum(totals.add_up(design, parts()), rows, out)


def _named(table: Table, source: Source, about: object, store: Path) -> Iterable[tuple[Table, str]]:
    """The parts, and under which name each is kept; the whole, kept nowhere, where it has none."""
    if not table.parts:
        return [(table, "")]
    types = [[column.name, column.type] for column in table.columns]
    common = [_code(), about, source.model_dump(mode="json", exclude=_LOCATION, exclude_defaults=True), types]
    pins: Sequence[str] = sources.pins(table, store)
    return [(table.part(i), canon.digest([*common, pin]).removeprefix("sha256:")) for i, pin in enumerate(pins)]


@functools.cache
def _code() -> str:
    """The digest of the code that adds up."""
    return canon.digest([inspect.getsource(module) for module in (totals, columns, moments)])


def _get(store: Path, name: str) -> Sum | None:
    data = kept.read(store, name) if name else None
    if data is None:
        return None
    line, _, body = data.partition(b"\n")
    try:
        rows, out = json.loads(line)
        return Sum(totals.load(body) if body else None, rows, out)
    except ValueError:
        return None


def _put(store: Path, name: str, found: Sum) -> None:
    if name:
        kept.write(store, name, json.dumps([found.rows, found.out]).encode() + b"\n" + (totals.dump(found.totals) if found.totals else b""))
