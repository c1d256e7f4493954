"""Where sources lie: files by path or pattern, folders of partitions, servers by URL."""

from __future__ import annotations

import difflib
import glob
import io
import os
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

from factbook.errors import SourceAbsent, SourceError

PACKED: Final = {".gz": "gzip", ".zst": "zstd"}
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")


class Servers(StrEnum):
    """Whether a server is asked for its rows now, only where it never was, or not at all."""

    ASK = "ask"
    LAST = "last"
    SKIP = "skip"


def scheme(uri: str) -> str:
    """`postgresql` of `postgresql://…`; '' for a path."""
    return uri.partition("://")[0].lower() if "://" in uri else ""


def files(uri: str, root: Path) -> list[Path]:
    """The files that a path or glob pattern names, sorted; empty if there are none. Relative paths start at the book.

    Raises:
        SourceError: it is a folder, or no path.
        SourceAbsent: a file that matches is a link to one that is not here.
    """
    if scheme(uri):
        raise SourceError(f"{uri}: only local files are read", remedy="download it, and give its path")
    path = root / uri
    if path.is_file():
        return [_real(path)]
    if path.is_dir():
        raise SourceError(
            f"{uri}: is a folder", remedy=f"give a pattern, e.g. {uri.rstrip('/')}/*.parquet, or declare `partitioned: true` for folders column=value"
        )
    if not glob.has_magic(uri):
        return []
    found = [root / name for name in glob.glob(uri, root_dir=root, recursive=True)]  # noqa: PTH207 (Path.glob refuses absolute patterns)
    if lost := [path for path in found if path.is_symlink() and not path.exists()]:
        raise SourceAbsent(f"{uri}: {len(lost)} of {len(found)} files are links to what is not here, e.g. {min(lost).name}", remedy="bring the files")
    return sorted(_real(path) for path in found if path.is_file())


def below(uri: str, root: Path) -> list[Path]:
    """The files of a partitioned table, a folder or a pattern; a name that begins with a dot or an underscore is the writer's own (`_SUCCESS`)."""
    folder = root / uri
    if not folder.is_dir():
        return files(uri, root)
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(_real(path) for path in found if not any(name[0] in "._" for name in path.relative_to(folder).parts))


def once(found: Sequence[Path], uri: str) -> None:
    """Each file counts once, whatever names it has.

    Raises:
        SourceError: two of the names are of one file.
    """
    known: dict[tuple[int, int], Path] = {}
    for path in found:
        state = path.stat()
        other = known.setdefault((state.st_dev, state.st_ino), path)
        if other != path and other.samefile(path):
            raise SourceError(
                f"{uri}: {other.name} and {path.name} are one file; its rows would count twice", remedy="mend the pattern, or remove one"
            )


def kind(name: str | Path) -> str:
    """The suffix that says the format of a file, in small letters: `.csv` of `log.csv.gz`."""
    path = Path(name)
    return (Path(path.stem) if path.suffix.lower() in PACKED else path).suffix.lower()


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked where its name says that it is compressed."""
    if path.suffix.lower() not in PACKED:
        return path.open("rb")
    import pyarrow as pa

    return io.BufferedReader(pa.input_stream(str(path), compression=PACKED[path.suffix.lower()]))


def missing(uri: str, root: Path) -> SourceError:
    """The error for a path or pattern without a file: names what lies near it."""
    if glob.has_magic(uri):
        return SourceError(f"{uri}: no file matches (in {root})", remedy="mend `uri`, or bring the files")
    folder = (root / uri).parent
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(Path(uri).name, names, n=3)
    remedy = f"did you mean {' or '.join(near)}?" if near else "mend `uri`, or bring the file"
    return SourceError(f"{uri}: no such file (in {root})", remedy=remedy)


def expanded(uri: str) -> str:
    """A URL with `${NAME}` replaced from the environment, percent-encoded. Never shown: it may hold a password.

    Raises:
        SourceAbsent: a variable is not set.
    """
    absent = [name for name in _VARIABLE.findall(uri) if name not in os.environ]
    if absent:
        raise SourceAbsent(f"{uri}: the environment variable {absent[0]} is not set", remedy=f"export {absent[0]}=…")
    return _VARIABLE.sub(lambda found: quote(os.environ[found[1]], safe=""), uri)


def _real(path: Path) -> Path:
    """Where the file lies, so that messages name a place that a person can open (a book in the making lies beside its place).

    Raises:
        SourceError: the name holds bytes that are no UTF-8, which no engine can open.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise SourceError(f"{str(path)!r}: the name of the file is not UTF-8", remedy="rename it") from error
    return path.parent.resolve() / path.name
