"""pandas by hand, with scikit-learn where there are scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import SETS

REQUIRES = ("pandas==3.1.1", "scikit-learn==1.9.1", "pyarrow==26.0.1", "numpy==2.4.6")
LARGEST = {"rates": 10**7, "rates and scores": 10**6}
Job = Callable[[], object]


def rates(folder: Path) -> Job:
    """counts of the outcomes of every group, from which rates follow; no intervals"""
    import pandas

    return lambda: crosstabs(pandas.read_parquet(folder / "log.parquet"))


def scores(folder: Path) -> Job:
    """the same, and scikit-learn's AUC, average precision, log loss and Brier score of every group; no intervals"""
    import pandas
    from sklearn import metrics

    functions = (metrics.roc_auc_score, metrics.average_precision_score, metrics.log_loss, metrics.brier_score_loss)

    def job() -> object:
        frame = pandas.read_parquet(folder / "log.parquet")
        parts = (part for item in SETS for _, part in frame.groupby(list(item)))
        return crosstabs(frame), [[function(part["y"], part["s"]) for function in functions] for part in parts]

    return job


def crosstabs(frame: Any) -> list[Any]:
    frame["cell"] = 2 * frame["y"] + frame["p"]
    return [frame.groupby([*item, "cell"]).size().unstack(fill_value=0) for item in SETS]


JOBS = {"rates": rates, "rates and scores": scores}
