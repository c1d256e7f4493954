"""Texts in files, one a line: the columns `file` (its name without folder), `line` and `text`. Declare `format: lines`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.tables import Table
from factbook.sources.texts import decoded

SUFFIXES: Final = ()
marked = converted.marked
_SCHEMA: Final = {"file": "VARCHAR", "line": "BIGINT", "text": "VARCHAR"}


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """One row a line; line ends are LF or CRLF, and a last one adds no line.

    Raises:
        SourceError: a file is in another encoding.
    """
    return converted.table(files, source, store, _SCHEMA, lambda: _records(files, source), "lines 1")


def _records(files: Sequence[Path], source: Source) -> Iterator[dict[str, Any]]:
    for name, data in converted.entries(files, source):
        lines = decoded(data, name, source).split("\n")
        for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, start=1):
            yield {"file": PurePosixPath(name).name, "line": number, "text": line.removesuffix("\r")}
