"""Evidently's presets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

REQUIRES = ("evidently==0.7.23", "pandas==2.3.3", "scikit-learn==1.9.1", "scipy==1.17.1", "pyarrow==26.0.1", "numpy==2.4.6")
Job = Callable[[], object]


def start(_folder: Path) -> Job:
    """import evidently and its presets"""
    return lambda: subprocess.run([sys.executable, "-c", "import evidently.presets"], check=True)


def card(folder: Path) -> Job:
    """ClassificationPreset saved as HTML; no groups, no intervals"""
    import pandas
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationPreset

    roles = DataDefinition(classification=[BinaryClassification(target="y", prediction_labels="p", prediction_probas="s")])

    def job() -> object:
        frame = pandas.read_parquet(folder / "log.parquet", columns=["y", "s", "p"])
        return Report([ClassificationPreset()]).run(Dataset.from_pandas(frame, roles), None).save_html(str(folder / "evidently.html"))

    return job


def drift(folder: Path) -> Job:
    """DataDriftPreset with KS and chi-square; no intervals"""
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    def job() -> object:
        old, new = (pandas.read_parquet(folder / f"{side}.parquet") for side in ("reference", "current"))
        return Report([DataDriftPreset(num_method="ks", cat_method="chisquare")]).run(new, old).dict()

    return job


JOBS = {"start": start, "card": card, "drift, 10 columns": drift, "drift, 50 columns": drift}
