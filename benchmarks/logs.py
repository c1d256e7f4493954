"""The generated data, a row group per million rows; the same rows for the same number. Run in a process of its own, which stays small.

python -m benchmarks.logs DATA ROWS FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cases import ATTRIBUTES

PART = 1_000_000
SIDES = ("reference", "current")
Columns = dict[str, Any]


def text(codes: Any, words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype("int32")), words).cast("string")


def predictions(rng: np.random.Generator, n: int) -> Columns:
    """A log of a two-class model: label, score, decision, and the four attributes."""
    y = rng.random(n) < 0.3
    s = 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * y - 1.5)))
    columns = {"y": y.astype("int8"), "s": s, "p": (s >= 0.5).astype("int8")}
    return columns | {name: text(rng.integers(0, size, n), [f"{name}{i}" for i in range(size)]) for name, size in ATTRIBUTES.items()}


def table(side: int, columns: int) -> Callable[[np.random.Generator, int], Columns]:
    """A table of drift, half of it numbers and half categories; that of side 1 has slightly moved."""
    words = [f"category {k}" for k in range(20)]

    def part(rng: np.random.Generator, n: int) -> Columns:
        found: Columns = {f"x{i}": rng.normal(0.002 * side * i, 1 + 0.01 * side, n) for i in range(columns // 2)}
        draws = {f"c{i}": np.minimum(rng.geometric(0.15 + 0.005 * side, n) - 1, 19) for i in range(columns - columns // 2)}
        return found | {name: text(codes, words) for name, codes in draws.items()}

    return part


def write(path: Path, rows: int, seed: list[int], part: Callable[[np.random.Generator, int], Columns]) -> None:
    rng, writer = np.random.default_rng(seed), None
    for start in range(0, rows, PART):
        block = pa.table(part(rng, min(PART, rows - start)))
        writer = writer or pq.ParquetWriter(path, block.schema)
        writer.write_table(block)
    if writer is not None:
        writer.close()


def main() -> None:
    data, rows, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if data == "log":
        write(folder / "log.parquet", rows, [rows], predictions)
        return
    columns = int(data.rpartition(" ")[2])
    for side, name in enumerate(SIDES):
        write(folder / f"{name}.parquet", rows, [rows, columns, side], table(side, columns))


if __name__ == "__main__":
    main()
