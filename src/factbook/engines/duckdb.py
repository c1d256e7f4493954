"""The embedded engine: DuckDB reads and groups, numpy adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from factbook.engines import kernel
from factbook.engines.tallies import Tally
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.model import Progress
from factbook.sources import Table


def parts(
    tables: Sequence[Table], source: Source, attributes: Sequence[str], store: Path, settings: Mapping[str, str], told: Callable[[int], None]
) -> Iterator[tuple[int, Tally]]:
    """The tallies of parts of a source, one after the other; each uses all threads.

    Raises:
        SourceError: as `tally`; rows may be missing from a part.
    """
    for number, table in enumerate(tables):
        yield number, kernel.count(table, source, attributes, None, told, store)


def tally(table: Table, source: Source, attributes: Sequence[str], store: Path, progress: Progress) -> Tally:
    """Scan the source once.

    Args:
        table: the opened source.
        source: the declared roles of its columns.
        attributes: the slice attributes to keep apart.
        store: the private store.
        progress: is told how many rows are done.

    Returns:
        The tally over the attributes and LABEL, PREDICTION, WEIGHT and CLUSTER (whichever are declared). Missing values are cells of their
        own. With a `cut` the predictions are `1` (score >= cut) and `0`.

    Raises:
        SourceError: a column does not exist; a score is no probability; a weight is negative; a number does not read; there are no rows.
    """
    found = kernel.count(table, source, attributes, None, lambda done: progress(table.where, done, table.rows or 0), store)
    if not found.rows:
        raise SourceError(f"{table.where}: no rows", remedy="give a table with at least one row")
    return found
