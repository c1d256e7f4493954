"""aequitas's Group."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import SETS

REQUIRES = ("aequitas==1.1.0", "pandas==2.3.3", "pyarrow==26.0.1", "numpy==2.4.6")
LARGEST = {"rates": 10**7}
Job = Callable[[], object]


def start(_folder: Path) -> Job:
    """from aequitas.group import Group"""
    return lambda: subprocess.run([sys.executable, "-c", "from aequitas.group import Group"], check=True)


def rates(folder: Path) -> Job:
    """get_crosstabs: counts and rates of every group; no intervals"""
    import pandas
    from aequitas.group import Group

    def job() -> object:
        frame = pandas.read_parquet(folder / "log.parquet").rename(columns={"y": "label_value", "p": "score"})
        for item in SETS:
            if len(item) > 1:
                frame["-".join(item)] = frame[item[0]] + "-" + frame[item[1]]
        return Group().get_crosstabs(frame, attr_cols=["-".join(item) for item in SETS])

    return job


JOBS = {"start": start, "rates": rates}
