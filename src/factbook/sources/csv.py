"""CSV files. Every value is text, only an empty field is missing, and nothing is sniffed: separator and encoding are declared."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from factbook import canon
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import copies, digests, hive
from factbook.sources.places import opened
from factbook.sources.tables import Column, Part, Table, check_names, listing, literal

SUFFIXES: Final = (".csv", ".tsv", ".txt")
_CHUNK: Final = 1 << 22
_HEADER_LIMIT: Final = 1 << 20
_BYTE_ORDER_MARKS: Final = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_PACKED: Final = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of one or several CSV files with equal headers.

    Raises:
        SourceError: wrong encoding (names byte and line), NUL bytes, no header, a name given twice, a wrong separator, headers that differ.
            Ragged lines are found by the scan; `explain` words them.
    """
    if len(source.separator) != 1 or source.separator in '"\r\n':
        raise SourceError(f"{source.uri}: the separator {source.separator!r} is not one character", remedy='declare e.g. `separator: ";"`')
    first: list[str] = []
    readable = _readable(files, source, store)
    for path, text in zip(files, readable, strict=True):
        names = _header(path, text, source)
        if first and names != first:
            odd = sorted(set(first) ^ set(names))
            said = f"{path}: its columns differ from those of {files[0]}: {', '.join(map(repr, odd[:5])) or 'another order'}"
            raise SourceError(said, remedy="write all files with the same columns in one order")
        first = names
    columns = hive.columns(files, source, [Column(name, "VARCHAR") for name in first])
    parts = (Part(path, _sql([text], first, source), None, hive.span(path, source)) for path, text in zip(files, readable, strict=True))
    return Table(source.uri, _sql(readable, first, source), columns, None, tuple(files), tuple(parts))


def _sql(files: Sequence[Path], names: Sequence[str], source: Source) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"SELECT * FROM read_csv({listing(files)}, auto_detect = false, header = true, columns = {{{columns}}}, delim = {literal(source.separator)}, "
        f"quote = '\"', escape = '\"', nullstr = '', strict_mode = true, max_line_size = 16777216, {hive.OPTIONS[source.partitioned]})"
    )


def explain(table: Table, error: Exception) -> SourceError:
    """Word what DuckDB found wrong with a line."""
    said = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", said)
    place = f"{table.where}:{line[1]}" if line else table.where
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    if counts:
        return SourceError(
            f"{place}: {counts[2]} fields in a table of {counts[1]} columns", remedy="quote fields that contain the separator, or mend the line"
        )
    if "unterminated quote" in said:
        return SourceError(
            f"{place}: a quoted field does not end, or text follows its closing quote", remedy='write a quote inside a quoted field twice ("")'
        )
    return SourceError(
        f"{place}: not a regular CSV file ({said.splitlines()[0]})", remedy="write it again as RFC 4180 says, with one kind of line end"
    )


def _readable(files: Sequence[Path], source: Source, store: Path) -> list[Path]:
    """Check every byte of files that were not checked before; those in another declared encoding are copied as UTF-8 into the private store."""
    try:
        encoding = codecs.lookup(source.encoding).name
        "".encode(encoding)  # refuses what turns bytes into bytes, such as base64
    except (LookupError, ValueError) as error:
        raise SourceError(f"{files[0]}: no encoding {source.encoding!r}", remedy="e.g. utf-8, latin-1, cp1252, utf-16") from error
    if encoding in ("utf-8", "utf-8-sig", "ascii"):
        digests.remembered("utf-8", files, store, lambda path: _check(path, "utf-8"))
        return list(files)
    if source.partitioned:
        raise SourceError(f"{source.uri}: a partitioned table is UTF-8, not {source.encoding}", remedy="save its files as UTF-8")
    return [_copy(path, encoding, store) for path in files]


def _copy(path: Path, encoding: str, store: Path) -> Path:
    """The file as UTF-8, in the private store; written unless it is there."""
    copy = store / copies.FOLDER / f"{canon.digest([1, encoding, *digests.hashes([path], store)]).removeprefix('sha256:')}.csv"
    part = copy.with_name(f".{copy.name}.tmp")
    try:
        if not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8", newline="") as out:
                _check(path, encoding, out)
            part.replace(copy)
        copy.touch()  # the least recently used are tidied
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be copied as UTF-8 to {copy.parent} ({error.strerror})", remedy="make the book's folder writable, or save it as UTF-8"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return copy


def _check(path: Path, encoding: str, out: io.TextIOBase | io.TextIOWrapper | None = None) -> None:
    """Decode the whole file; names the byte and the line of the first mistake.

    Raises:
        SourceError: it is in another encoding, or holds NUL bytes.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    done = lines = 0
    with opened(path) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            if done == 0:
                _check_marks(path, chunk, encoding)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                byte = done - pending + error.start
                line = lines + chunk[: max(error.start - pending, 0)].count(b"\n") + 1
                raise SourceError(
                    f"{path}:{line}: byte {byte} is not {encoding}", remedy="declare its `encoding` (e.g. cp1252), or save it as UTF-8"
                ) from error
            if "\0" in text:
                line = lines + text[: text.index("\0")].count("\n") + 1
                raise SourceError(f"{path}:{line}: a NUL character", remedy="declare its `encoding` (utf-16?), or export it again as plain text")
            if out is not None:
                out.write(text.removeprefix("\ufeff") if done == 0 else text)
            if not chunk:
                return
            done += len(chunk)
            lines += text.count("\n")


def _check_marks(path: Path, chunk: bytes, encoding: str) -> None:
    """Raises SourceError where the first bytes of a file say that it is in another encoding, or compressed."""
    if ending := next((ending for mark, ending in _PACKED.items() if chunk.startswith(mark)), ""):
        raise SourceError(f"{path}: this is compressed", remedy=f"let its name end in {ending}, or unpack it")
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if chunk.startswith(mark)), "")
    if marked and not encoding.startswith(marked):
        raise SourceError(f"{path}: this is {marked.upper()}, not {encoding}", remedy=f"declare `encoding: {marked}`, or save it as UTF-8")


def _header(path: Path, text: Path, source: Source) -> list[str]:
    with io.TextIOWrapper(opened(text), encoding="utf-8-sig", newline="") as stream:
        head = stream.read(_HEADER_LIMIT)
    try:
        names = next(csv.reader(io.StringIO(head), delimiter=source.separator, strict=True), [])
    except csv.Error as error:
        if "\r" in head.replace("\r\n", ""):
            raise SourceError(f"{path}:1: the line ends with a carriage return alone", remedy="save the file with line ends LF or CRLF") from error
        raise SourceError(
            f"{path}:1: the header does not parse ({error})", remedy="quote column names that contain quotes or the separator"
        ) from error
    if not names or names == [""]:
        raise SourceError(f"{path}: no header", remedy="the first line must name the columns")
    if len(names) == 1 and (other := next((mark for mark in (";", "\t", "|", ",") if mark in names[0]), "")):
        shown = "\\t" if other == "\t" else other
        raise SourceError(
            f"{path}: one column only, {names[0][:60]!r}: the separator is not {source.separator!r}", remedy=f'declare `separator: "{shown}"`'
        )
    if "" in names:
        raise SourceError(f"{path}: column {names.index('') + 1} of {len(names)} has no name", remedy="name it in the first line")
    check_names(path, names)
    return names
