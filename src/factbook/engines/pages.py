"""Sketches of Parquet columns, read one by one from the pages of the file: numbers as they are stored, texts as the codes of their dictionary.

A third of what a query engine costs, and the memory of one column of one batch. It reads what has one plain meaning (floats, whole numbers, texts);
for anything else there is the query engine, and what both read is equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook import sources
from factbook.engines import sketches
from factbook.engines.sketches import Sketch
from factbook.errors import SourceError
from factbook.model import Progress
from factbook.sources import Table

_BATCH: Final = 1 << 18
_NUMBERS: Final = frozenset({"float", "double", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))})
_TEXTS: Final = frozenset({"string", "large_string"})


def sketched(table: Table, kinds: Mapping[str, str], progress: Progress) -> dict[str, Sketch]:
    """Sketches of those columns of whole Parquet files that can be read here; `kinds` says of each whether it holds a `number` or `text`.

    Raises:
        SourceError: a file is damaged.
    """
    import pyarrow as pa

    if not table.stored:
        return {}
    found: dict[str, list[Sketch]] = {}
    rows, done, path = table.rows or 0, 0, table.files[0]
    try:
        for path in table.files:
            file = _open(path, kinds)
            readable = [name for name in _readable(file.schema_arrow, kinds) if name in found or path == table.files[0]]
            for place, name in enumerate(readable):
                found.setdefault(name, []).extend(_parts(file, name, kinds[name]))
                progress(table.where, done + file.metadata.num_rows * (place + 1) // len(readable), rows)
            done += file.metadata.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0] if str(error) else "damaged"
        raise SourceError(f"{path}: cannot be read ({said})", remedy="write the file again") from error
    return {name: sketches.combine(parts) for name, parts in found.items()}


def _open(path: Path, kinds: Mapping[str, str]) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, pre_buffer=False, read_dictionary=[name for name, kind in kinds.items() if kind == "text"])


def _readable(schema: Any, kinds: Mapping[str, str]) -> list[str]:
    """The columns of a type that is read here, whose name tells them from the members of others. Files of a table have equal types."""
    roots = {name.partition(".")[0] for name in schema.names if "." in name}
    types = {name: kind for name, kind in zip(schema.names, schema.types, strict=True) if "." not in name and name not in roots}
    wanted = {"number": _NUMBERS, "text": _TEXTS}
    return [name for name, kind in kinds.items() if name in types and _stored(types[name], kind) in wanted.get(kind, frozenset())]


def _stored(kind: Any, wanted: str) -> str:
    return str(getattr(kind, "value_type", kind)) if wanted == "text" else str(kind)


def _parts(file: Any, name: str, kind: str) -> Iterator[Sketch]:
    """The sketches of the batches of one column."""
    many = False
    for batch in file.iter_batches(_BATCH, columns=[name], use_threads=False):
        column = batch.column(0)
        if kind == "text":
            yield _texts(column)
        else:
            sketch = sketches.make(kind, column if str(column.type) == "double" else column.cast("float64", safe=False), many=many)
            many = sketch.numbers is not None and not sketch.numbers.exact
            yield sketch


def _texts(column: Any) -> Sketch:
    """The texts of a dictionary, as often as their codes occur."""
    codes = sources.numpy(column.indices.drop_null() if column.null_count else column.indices)
    n = np.bincount(codes, minlength=len(column.dictionary))
    there = np.flatnonzero(n)
    values = column.dictionary if len(there) == len(n) else column.dictionary.take(sketches.places(there))
    return sketches.counted(values.cast("string"), n[there].astype(np.int64, copy=False), missing=column.null_count)
