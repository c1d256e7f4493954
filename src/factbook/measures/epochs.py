"""pass@k: whether one of k epochs of a sample is correct."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from factbook.measures.outputs import Slices, share
from factbook.measures.request import Answer
from factbook.model import Unit
from factbook.statistics import intervals, moments
from factbook.statistics.moments import Floats, Sample, tidy

METRICS: Final = (
    share(
        "pass_at_k",
        "pass@k",
        "pass@k",
        Unit.FRACTION,
        "mean over samples of 1 - C(n - c, k) / C(n, k), c of n epochs correct",
        "Chen et al. 2021, arXiv:2107.03374, eq. 1",
        ("pass",),
    ),
)


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate, from c correct ones of n epochs, that one of k is correct (Chen et al. 2021, eq. 1); n >= k."""
    return 1 - math.comb(n - c, k) / math.comb(n, k)


def add(answer: Answer, correct: Floats, slices: Slices, ks: Sequence[int]) -> None:
    """pass@k, the mean over samples; undefined where a sample has fewer than k epochs. Where each sample has k, it is a share of samples."""
    assert slices.clusters is not None
    width = len(slices.names)
    units, sample = np.unique(slices.clusters * width + slices.index, return_inverse=True)
    epochs = np.bincount(sample.reshape(-1))
    passed = np.bincount(sample.reshape(-1), weights=correct).astype(np.int64)
    over = Sample(units % width, width)
    for k in ks:
        few = np.bincount(over.index, weights=epochs < k, minlength=width).astype(np.int64).tolist()
        values = np.array([pass_at_k(n, c, k) if n >= k else 0.0 for n, c in zip(epochs.tolist(), passed.tolist(), strict=True)], dtype=np.float64)
        means = over.mean(values)
        spread = over.spread(values, np.nan_to_num(means))
        whole = np.bincount(over.index, weights=~np.isin(values, (0.0, 1.0)), minlength=width) == 0
        for i, place in enumerate(slices.names):
            n, mean = int(over.n[i]), float(means[i])
            said = f"{few[i]} samples have fewer than {k} epochs" if few[i] else "" if n else "0 of 0: no samples"
            params, value, interval, counts = (("k", str(k)),), None if said else tidy(mean), None, {}
            if not said and whole[i]:
                counts = {"k": round(mean * n), "n": n}
                value, interval = counts["k"] / n, intervals.proportion(counts["k"], n, answer.level)
            elif not said:
                interval = moments.student(mean, float(spread[i]), n, answer.level, "Student's t over samples", (0.0, 1.0))
            answer.add("pass_at_k", value, params=params, slice=place, n=n, counts=counts, interval=interval, undefined=said)
