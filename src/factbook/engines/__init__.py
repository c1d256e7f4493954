"""Engines scan a source once and return its tally. Each module here is one engine: it defines `parts`.

    parts(tables, source, attributes, store, settings, told)    yields the number of each table and its tally, in any order

`count` is the seam: it opens the source, has an engine count the parts that were not counted before, keeps their tallies and adds up. It
remembers the last sums of this process, so that all measures over one source share one scan. Nothing but the tally goes on to the measures.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from factbook import shelf, sources
from factbook.engines import kept
from factbook.engines.tallies import Tally, combine
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.model import Progress
from factbook.sources import Table

__all__ = ["Tally", "count"]

_RECENT: Final = 4
_recent: OrderedDict[tuple[str, ...], Tally] = OrderedDict()


def count(
    source: Source,
    root: Path,
    store: Path,
    progress: Progress,
    *,
    digest: str,
    attributes: Sequence[str] | None = None,
    engine: str = "duckdb",
    settings: Mapping[str, str] | None = None,
) -> Tally:
    """The tally of a source, by all of its declared attributes or by those given.

    Args:
        source: the declared table.
        root: the book's folder.
        store: its private store.
        progress: is told how many rows are done.
        digest: the digest of the source's bytes; what was counted for it in this process is not counted again.
        attributes: the slice attributes to keep apart.
        engine: the engine's name.
        settings: the engine's own.

    Raises:
        SourceError: the rows contradict the declaration, or there are none.
    """
    wanted = tuple(source.by) if attributes is None else tuple(attributes)
    key = (engine, digest, sources.declaration(source), *wanted)
    if key not in _recent:
        table = sources.table(source, root, store)
        _recent[key] = _Count(table, source, wanted, store, progress).run(engine, settings or {})
        while len(_recent) > _RECENT:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return _recent[key]


class _Count:
    """One count of a table, part by part."""

    def __init__(self, table: Table, source: Source, attributes: Sequence[str], store: Path, progress: Progress) -> None:
        self.table, self.source, self.attributes, self.store, self.progress = table, source, attributes, store, progress
        self.total: Tally | None = None
        self.rows = 0

    def run(self, engine: str, settings: Mapping[str, str]) -> Tally:
        """Add up what is kept, and what the engine counts of the rest; each part is kept as soon as it is counted.

        Parts are added at the end, from the store: while a part is counted, the sum of the others would take as much memory again.
        """
        names = kept.names(self.table, self.source, self.attributes, self.store)
        missing = []
        for i, name in enumerate(names):
            found = kept.get(self.store, name)
            if found is None:
                missing.append(i)
            else:
                self.add(self.done(found))
        tables = [self.table.part(i) for i in missing] if names else [self.table]
        counting = shelf.find("engines", engine).parts(tables, self.source, self.attributes, self.store, settings, self.told)
        later: list[str] = []
        for number, tally in counting if tables else ():  # `enumerate` would hold the tally before
            self.done(tally)
            stored = bool(names) and kept.put(self.store, names[missing[number]], tally)
            if stored and len(later) + 1 < len(tables):
                later.append(names[missing[number]])
            else:
                self.add(tally)
            del tally  # the next part needs the memory
        for name in later:
            self.add(self._stored(name))
        if self.total is None or not self.total.rows:
            raise SourceError(f"{self.table.where}: no rows", remedy="give a table with at least one row")
        return self.total

    def _stored(self, name: str) -> Tally:
        found = kept.get(self.store, name)
        if found is None:
            raise SourceError(f"{self.table.where}: what was just counted is gone from {self.store / kept.FOLDER}", remedy="measure again")
        return found

    def add(self, tally: Tally) -> None:
        self.total = tally if self.total is None else combine((self.total, tally))

    def done(self, tally: Tally) -> Tally:
        self.rows += tally.rows
        self.told(0)
        return tally

    def told(self, rows: int) -> None:
        """How many rows are done beyond those of whole parts."""
        self.progress(self.table.where, self.rows + rows, self.table.rows or 0)
