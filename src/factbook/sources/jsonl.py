"""JSON Lines: one object a line. As in CSV every value is text; null, and a name that a line does not have, are missing.

A number with a fraction or an exponent is the text of its double (`1.10` is `1.1`, `1e2` is `100.0`); everything else is as it is written.

Nested values stay readable: a column that holds a list or an object in any row has the type `JSON`, and each of its values is JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import digests, hive
from factbook.sources.places import opened
from factbook.sources.tables import Column, Part, Table, check_names, connect, listing, literal, quote

SUFFIXES: Final = (".jsonl", ".ndjson")
_OPTIONS: Final = "format = 'newline_delimited', records = true"


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of one or several files: the names of all lines together, sorted.

    Raises:
        SourceError: a line is no JSON object, or gives a name twice; two names differ only in their case.
    """
    import duckdb

    if source.encoding != "utf-8":
        raise SourceError(f"{source.uri}: JSON Lines are UTF-8, not {source.encoding}", remedy="save them as UTF-8 and leave `encoding` out")
    try:
        looked = digests.remembered("json-names", files, store, lambda path: _names(connect(store), path))
    except duckdb.Error as error:
        raise _worded(files, error) from error
    nested: dict[str, bool] = {}
    for found in looked:
        for name, there in found.items():
            nested[name] = nested.get(name, False) or there
    if not nested:
        raise SourceError(f"{source.uri}: no rows", remedy="give a table with at least one row")
    check_names(files[0], list(nested))
    own = tuple(Column(name, "JSON" if nested[name] else "VARCHAR") for name in sorted(nested))
    parts = (Part(path, _sql([path], own, source.partitioned), None, hive.span(path, source)) for path in files)
    return Table(source.uri, _sql(files, own, source.partitioned), hive.columns(files, source, own), None, tuple(files), tuple(parts))


def _names(connection: Any, path: Path) -> dict[str, bool]:
    """The names in the lines of a file, and which of them hold a list or an object; that takes a second look."""
    keys = f"SELECT DISTINCT unnest(json_keys(json)) FROM read_ndjson_objects({listing([path])}) WHERE json_type(json) = 'OBJECT'"
    names = sorted(row[0] for row in connection.execute(keys).fetchall())
    check_names(path, names)
    if "" in names:
        raise SourceError(f"{path}: a name is empty", remedy="name every value")
    if not names:
        return {}
    every = _sql([path], [Column(name, "JSON") for name in names], False)
    tests = ", ".join(f"bool_or(left({quote(name)}, 1) IN ('[', '{{'))" for name in names)
    return dict(zip(names, map(bool, connection.execute(f"SELECT {tests} FROM ({every})").fetchone()), strict=True))


def _sql(files: Sequence[Path], columns: Sequence[Column], partitioned: bool) -> str:
    types = ", ".join(f"{literal(column.name)}: '{column.type}'" for column in columns)
    return f"SELECT * FROM read_json({listing(files)}, columns = {{{types}}}, {_OPTIONS}, {hive.OPTIONS[partitioned]})"


def explain(table: Table, error: Exception) -> SourceError:
    """Word what DuckDB found wrong with a line."""
    return _worded(table.files, error)


def _worded(files: Sequence[Path], error: Exception) -> SourceError:
    """The file and line that cannot be read; DuckDB counts lines from elsewhere."""
    for path in files:
        with opened(path) as stream:
            for number, line in enumerate(stream, start=1):
                if wrong := _wrong(line):
                    return SourceError(f"{path}:{number}: {wrong}", remedy="write one JSON object a line, in UTF-8 without a byte order mark")
    return SourceError(f"{files[0]}: not JSON Lines ({str(error).splitlines()[0]})", remedy="write it again, one JSON object a line")


def _wrong(line: bytes) -> str:
    """What is wrong with a line; '' if nothing is."""
    twice: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    if not line.strip():
        return ""
    try:
        found = json.loads(line.decode(), object_pairs_hook=note)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"{error.object[error.start]!r} is half of a surrogate pair"
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the line is not UTF-8"
    except (ValueError, RecursionError) as error:
        return f"no JSON ({error})"
    if not isinstance(found, dict):
        return f"a JSON {type(found).__name__}, not an object"
    return f"the name {twice[0]!r} is given twice" if twice else ""
