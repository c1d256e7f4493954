"""factbook itself."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import ATTRIBUTES, SETS

Job = Callable[[], object]


def measuring(folder: Path, sources: dict[str, Any], planned: dict[str, Any]) -> Job:
    """One measurement as a book makes it: from the digest of the files to facts."""
    import duckdb
    import numpy
    import pyarrow.compute
    import pyarrow.parquet

    from factbook import measures, shelf
    from factbook.manifest import Manifest, validate
    from factbook.model import silent

    tree = {"factbook": "1", "subject": {"name": "benchmark"}, "sources": sources, "plan": {"figures": planned}}
    book = validate(Manifest, tree, "benchmark", {})
    for room in ("sources", "engines", "measures"):
        shelf.modules(room)
    del duckdb, numpy, pyarrow
    store = Path(tempfile.mkdtemp(dir=folder))  # nothing is known from an earlier run
    return lambda: measures.run("figures", book.plan["figures"], book, folder, store, silent)


def classification(folder: Path, **roles: str) -> Job:
    source = {"uri": "log.parquet", "label": "y", "positive": "1", "by": list(ATTRIBUTES), **roles}
    return measuring(folder, {"log": source}, {"measure": "classification", "data": "log", "by": [list(item) for item in SETS]})


def start(_folder: Path) -> Job:
    """factbook --help"""
    return lambda: subprocess.run([sys.executable, "-m", "factbook", "--help"], check=True, stdout=subprocess.DEVNULL)


def rates(folder: Path) -> Job:
    """counts and rates of the 457 groups, each with its interval"""
    return classification(folder, prediction="p")


def scores(folder: Path) -> Job:
    """the same, and AUC with DeLong's interval, average precision, log loss, Brier score and calibration error of every group"""
    return classification(folder, score="s", cut="0.5")


def card(folder: Path) -> Job:
    """a book begun, measured by the four attributes, its model card written, checked and published as HTML, with intervals and charts"""
    from factbook import Book, shelf

    for room in ("sources", "engines", "measures", "publish", "rules"):
        shelf.modules(room)
    said: dict[str, Any] = {"label": "y", "positive": "1", "score": "s", "cut": "0.5", "by": tuple(ATTRIBUTES)}
    return lambda: Book.init(tempfile.mkdtemp(dir=folder), data=str(folder / "log.parquet"), **said)[0].build(("html",))


def drift(folder: Path) -> Job:
    """PSI, KS, chi-square, Jensen–Shannon, Wasserstein, means and missing values, with intervals and adjusted p-values"""
    sources = {side: {"uri": f"{side}.parquet"} for side in ("reference", "current")}
    return measuring(folder, sources, {"measure": "drift", "reference": "reference", "current": "current"})


JOBS = {
    "start": start,
    "rates": rates,
    "rates and scores": scores,
    "intervals of one attribute": scores,
    "card": card,
    "drift, 10 columns": drift,
    "drift, 50 columns": drift,
}
