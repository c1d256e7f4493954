"""Tables in folders named `column=value`: what the path of a file says is in all of its rows, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from factbook import canon
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources.tables import Column, fold

OPTIONS: Final = {False: "hive_partitioning = false", True: "hive_partitioning = true, hive_types_autocast = false"}
_NONE: Final = "__HIVE_DEFAULT_PARTITION__"


def keys(path: Path) -> tuple[tuple[str, str], ...]:
    """Column and value of each folder above a file that is named so."""
    found = (name.partition("=") for name in path.parts[:-1] if "=" in name)
    return tuple((column, unquote(value)) for column, _, value in found)


def span(path: Path, source: Source) -> str:
    """What the path of a file adds to what its bytes decide; '' where it says nothing."""
    return canon.digest(sorted(keys(path))) if source.partitioned else ""


def marked(files: Sequence[Path], source: Source, hashes: Sequence[str]) -> list[str]:
    """The hashes of files, and with them what their paths say."""
    if not source.partitioned:
        return list(hashes)
    return [canon.digest([known, span(path, source)]).removeprefix("sha256:") for path, known in zip(files, hashes, strict=True)]


def columns(files: Sequence[Path], source: Source, own: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of a table with those that its folders add, sorted, as the engine adds them.

    Raises:
        SourceError: no folder names a column, one cannot be read, files lie under different ones, or one is in the files as well.
    """
    if not source.partitioned:
        return tuple(own)
    first = [name for name, _ in keys(files[0])]
    if not first:
        raise SourceError(f"{source.uri}: `partitioned`, but {files[0]} lies in no folder named column=value", remedy="leave `partitioned` out")
    for path in files:
        if odd := [name for name in path.parts[:-1] if name.count("=") > 1]:
            raise SourceError(f"{source.uri}: the folder {odd[0]!r} has two equals signs", remedy="write %3D for the one in the value")
        if [name for name, _ in keys(path)] != first:
            raise SourceError(f"{path}: its folders name other columns than those of {files[0]}, {', '.join(map(repr, first))}")
    if both := {fold(column.name) for column in own} & {fold(name) for name in first}:
        raise SourceError(f"{source.uri}: {min(both)!r} names a folder and a column of the files", remedy="rename one of them")
    return (*own, *(Column(name, "VARCHAR") for name in sorted(first)))
