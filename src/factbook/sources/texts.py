"""Texts in files, one a file, in folders or a zip archive: the columns `file`, `folder` and `text`. Declare `format: texts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.tables import Table

SUFFIXES: Final = ()
marked = converted.marked
_SCHEMA: Final = {"file": "VARCHAR", "folder": "VARCHAR", "text": "VARCHAR"}


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """One row a file (or member of an archive).

    Raises:
        SourceError: a file is in another encoding.
    """
    return converted.table(files, source, store, _SCHEMA, lambda: _records(files, source), "texts 1")


def _records(files: Sequence[Path], source: Source) -> Iterator[dict[str, Any]]:
    for name, data in converted.entries(files, source):
        yield {"file": name, "folder": converted.folder(name), "text": decoded(data, name, source)}


def decoded(data: bytes, name: str, source: Source) -> str:
    """The text in the declared encoding, without a byte order mark.

    Raises:
        SourceError: it is in another one; names the file and the byte.
    """
    try:
        return data.decode(source.encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        said = f"{source.uri}: byte {error.start} of {name} is not {source.encoding}"
        raise SourceError(said, remedy="declare its `encoding` (e.g. latin-1), or save it as UTF-8") from error
    except LookupError as error:
        raise SourceError(f"{source.uri}: no encoding {source.encoding!r}", remedy="e.g. utf-8, latin-1, cp1252, utf-16") from error
