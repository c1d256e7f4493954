"""The limit: DuckDB decodes the columns and does nothing with them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import ATTRIBUTES

PACKAGE = "duckdb"
Job = Callable[[], object]


def start(_folder: Path) -> Job:
    """a Python that does nothing"""
    return lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)


def log(folder: Path) -> Job:
    """the seven columns of the log, of which rates need six"""
    return scan(folder, ["log"], ["y", "s", "p"], list(ATTRIBUTES))


def tables(columns: int) -> Callable[[Path], Job]:
    def prepare(folder: Path) -> Job:
        return scan(folder, ["reference", "current"], [f"x{i}" for i in range(columns // 2)], [f"c{i}" for i in range(columns - columns // 2)])

    prepare.__doc__ = "all columns of both tables"
    return prepare


def scan(folder: Path, files: list[str], numbers: list[str], texts: list[str]) -> Job:
    """Every value is added up; counts and extremes would come from the footers of the file."""
    import duckdb

    sums = ", ".join([*(f"sum({name})" for name in numbers), *(f"sum(length({name}))" for name in texts)])
    return lambda: [duckdb.connect().execute(f"SELECT {sums} FROM read_parquet('{folder / name}.parquet')").fetchall() for name in files]


JOBS = {
    "start": start,
    "rates": log,
    "rates and scores": log,
    "intervals of one attribute": log,
    "card": log,
    "drift, 10 columns": tables(10),
    "drift, 50 columns": tables(50),
}
