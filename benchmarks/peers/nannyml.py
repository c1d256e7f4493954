"""NannyML's univariate drift."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

REQUIRES = ("nannyml==0.13.1", "statsmodels==0.15.0", "scikit-learn==1.9.1", "scipy==1.17.1", "pandas==2.3.3", "pyarrow==26.0.1", "numpy==2.4.6")
Job = Callable[[], object]


def start(_folder: Path) -> Job:
    """import nannyml"""
    return lambda: subprocess.run([sys.executable, "-c", "import nannyml"], check=True)


def drift(folder: Path) -> Job:
    """KS and Jensen–Shannon of numbers, chi-square and Jensen–Shannon of categories, in one chunk; no intervals"""
    import nannyml
    import pandas

    methods = {"continuous_methods": ["kolmogorov_smirnov", "jensen_shannon"], "categorical_methods": ["chi2", "jensen_shannon"]}

    def job() -> object:
        old, new = (pandas.read_parquet(folder / f"{side}.parquet") for side in ("reference", "current"))
        return nannyml.UnivariateDriftCalculator(column_names=list(old.columns), chunk_number=1, **methods).fit(old).calculate(new).to_df()

    return job


JOBS = {"start": start, "drift, 10 columns": drift, "drift, 50 columns": drift}
