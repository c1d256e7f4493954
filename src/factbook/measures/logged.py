"""What an evaluation tool wrote down as its own result, held against what its samples say."""

from __future__ import annotations

from typing import Final

import numpy as np

from factbook.measures.request import Answer, count_metric
from factbook.measures.rows import Rows
from factbook.model import Direction
from factbook.statistics.moments import Sample

METRICS: Final = (
    count_metric("runs_apart", "runs whose log says another mean", "apart", "runs whose logged mean is not that of their samples", Direction.LOWER),
)
_NEAR: Final = 1e-6
"""Tools compute in doubles, and some round what they write."""


def compare(answer: Answer, found: Rows, column: str) -> None:
    """Count the runs, which are the rows of one logged mean, whose samples have another mean of `correct`; each is a warning.

    The mean is over samples, each with the mean of its epochs, as the tools take it.
    """
    said = found.numbers["logged"]
    there = ~np.isnan(said)
    runs, run = np.unique(said[there], return_inverse=True)
    sample, correct = found.texts["sample"].codes[there], found.numbers["correct"][there]
    pairs, unit = np.unique(run.reshape(-1) * (int(sample.max(initial=0)) + 1) + sample, return_inverse=True)
    epochs = np.bincount(unit.reshape(-1))
    each = np.bincount(unit.reshape(-1), weights=correct) / epochs
    own = Sample(pairs // (int(sample.max(initial=0)) + 1), len(runs)).mean(each)
    apart = np.flatnonzero(np.abs(own - runs) > _NEAR).tolist()
    for i in apart:
        answer.warnings.append(
            f"{found.source.uri}: the log says {runs[i]:.6g} ({column}), its samples {own[i]:.6g}: rows were left out, or rescored"
        )
    if not there.any():
        answer.add("runs_apart", None, undefined="no log says its own mean")
        return
    answer.add("runs_apart", len(apart), n=len(runs))
