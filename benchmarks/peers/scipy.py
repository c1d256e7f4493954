"""scipy and pandas by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

REQUIRES = ("scipy==1.17.1", "pandas==3.1.1", "pyarrow==26.0.1", "numpy==2.4.6")
Job = Callable[[], object]


def drift(folder: Path) -> Job:
    """KS and PSI of numbers, chi-square of categories; no intervals"""
    import numpy as np
    import pandas
    from scipy import stats

    def psi(a: Any, b: Any) -> float:
        edges = np.quantile(a, np.linspace(0.1, 0.9, 9))
        p, q = (np.bincount(np.searchsorted(edges, side), minlength=10) / len(side) for side in (a, b))
        return float(((q - p) * np.log(q / p)).sum())

    def compared(a: Any, b: Any) -> object:
        if a.dtype.kind == "f":
            return stats.ks_2samp(a, b, method="asymp"), psi(a.to_numpy(), b.to_numpy())
        return stats.chi2_contingency(pandas.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0))

    def job() -> object:
        old, new = (pandas.read_parquet(folder / f"{side}.parquet") for side in ("reference", "current"))
        return [compared(old[name], new[name]) for name in old.columns]

    return job


JOBS = {"drift, 10 columns": drift, "drift, 50 columns": drift}
