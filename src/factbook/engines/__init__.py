"""Engines scan a source once and return its tally. Each module here is one engine: it defines `tally`.

`count` is the seam: it opens the source, runs an engine and remembers the last tallies of this process, so that all measures over one source
share one scan. Nothing but the tally goes on to the measures.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from factbook import shelf, sources
from factbook.engines.tallies import Tally
from factbook.manifest import Source
from factbook.model import Progress

__all__ = ["Tally", "count"]

_KEPT: Final = 4
_recent: OrderedDict[tuple[str, ...], Tally] = OrderedDict()


def count(
    source: Source, root: Path, store: Path, progress: Progress, *, digest: str, attributes: Sequence[str] | None = None, engine: str = "duckdb"
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

    Raises:
        SourceError: the rows contradict the declaration.
    """
    wanted = tuple(source.by) if attributes is None else tuple(attributes)
    key = (engine, digest, sources.declaration(source), *wanted)
    if key not in _recent:
        table = sources.table(source, root, store)
        _recent[key] = shelf.find("engines", engine).tally(table, source, wanted, store, progress)
        while len(_recent) > _KEPT:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return _recent[key]
