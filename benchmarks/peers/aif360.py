"""aif360's ClassificationMetric."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import ATTRIBUTES

REQUIRES = ("aif360==0.6.1", "pandas==2.3.3", "scikit-learn==1.9.1", "pyarrow==26.0.1", "numpy==2.4.6")
LARGEST = {"rates": 10**6}
Job = Callable[[], object]


def rates(folder: Path) -> Job:
    """performance_measures of the 37 groups of single attributes, not of pairs; no intervals"""
    import pandas
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import ClassificationMetric

    def job() -> object:
        frame = pandas.read_parquet(folder / "log.parquet")
        for name in ATTRIBUTES:
            frame[name] = frame[name].str.slice(1).astype("float64")
        given = {"label_names": ["y"], "protected_attribute_names": list(ATTRIBUTES)}
        truth = BinaryLabelDataset(df=frame[["y", *ATTRIBUTES]], **given)
        told = truth.copy()
        told.labels = frame[["p"]].to_numpy(dtype=float)
        return [
            ClassificationMetric(truth, told, [{name: i}], [{name: k} for k in range(size) if k != i]).performance_measures(privileged=False)
            for name, size in ATTRIBUTES.items()
            for i in range(size)
        ]

    return job


JOBS = {"rates": rates}
