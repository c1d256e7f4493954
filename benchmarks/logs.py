"""Generated logs of a two-class model: label, score, decision, and four attributes of 2, 5, 10 and 20 groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ATTRIBUTES = {"a": 2, "b": 5, "c": 10, "d": 20}
_PART = 1_000_000


def write(rows: int, path: Path) -> None:
    """Write the log, a row group per million rows; the same rows for the same number."""
    rng = np.random.default_rng(rows)
    writer = None
    for start in range(0, rows, _PART):
        n = min(_PART, rows - start)
        y = rng.random(n) < 0.3
        s = 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * y - 1.5)))
        columns = {"y": pa.array(y.astype("int8")), "s": s, "p": pa.array((s >= 0.5).astype("int8"))}
        for name, size in ATTRIBUTES.items():
            codes = pa.array(rng.integers(0, size, n).astype("int32"))
            columns[name] = pa.DictionaryArray.from_arrays(codes, [f"{name}{i}" for i in range(size)]).cast("string")
        part = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()
