"""fairlearn's MetricFrame."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import SETS

REQUIRES = ("fairlearn==0.15.0", "pandas==3.1.1", "scikit-learn==1.9.1", "pyarrow==26.0.1", "numpy==2.4.6")
LARGEST = {"rates and scores": 10**6, "intervals of one attribute": 10**5}
Job = Callable[[], object]


def functions() -> dict[str, Any]:
    from fairlearn import metrics as fair
    from sklearn import metrics

    return {
        "accuracy": metrics.accuracy_score,
        "precision": metrics.precision_score,
        "selection_rate": fair.selection_rate,
        "tpr": fair.true_positive_rate,
        "fpr": fair.false_positive_rate,
        "fnr": fair.false_negative_rate,
        "tnr": fair.true_negative_rate,
        "n": fair.count,
    }


def framing(folder: Path, sets: tuple[tuple[str, ...], ...], **more: Any) -> Job:
    """Two frames a set: the rates from decisions, AUC from scores."""
    import pandas
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import roc_auc_score

    wanted = (("p", functions()), ("s", {"auc": roc_auc_score}))

    def job() -> object:
        log = pandas.read_parquet(folder / "log.parquet")
        return [
            MetricFrame(metrics=metrics, y_true=log["y"], y_pred=log[column], sensitive_features=log[list(item)], **more)
            for item in sets
            for column, metrics in wanted
        ]

    return job


def start(_folder: Path) -> Job:
    """import fairlearn.metrics"""
    return lambda: subprocess.run([sys.executable, "-c", "import fairlearn.metrics"], check=True)


def scores(folder: Path) -> Job:
    """eight rates and AUC of every group; no intervals"""
    return framing(folder, SETS)


def bootstrap(folder: Path) -> Job:
    """the same for the twenty groups of one attribute, with intervals from `n_boot=100`, the least that 95 % intervals can do with"""
    return framing(folder, (("d",),), n_boot=100, ci_quantiles=[0.025, 0.975], random_state=1)


JOBS = {"start": start, "rates and scores": scores, "intervals of one attribute": bootstrap}
