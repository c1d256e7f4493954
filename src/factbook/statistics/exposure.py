"""What lists show: how different the items of one list are, and how evenly items are shown. Pure functions of arrays."""

from __future__ import annotations

import math

import numpy as np

from factbook.statistics.moments import Floats, Integers


def diversity(kind: Integers, query: Integers, size: int) -> Floats:
    """Per query the share of pairs of its items that are of different kinds; NaN with fewer than two items.

    Intra-list diversity with distance 0 or 1 (Smyth & McClave 2001, ICCBR, 347; Ziegler et al. 2005, WWW, 22).
    """
    listed = np.bincount(query, minlength=size)
    width = int(kind.max(initial=0)) + 1
    cells, n = np.unique(query * width + kind, return_counts=True)
    same = np.bincount(cells // width, weights=(n * (n - 1)).astype(np.float64), minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(listed > 1, 1 - same / (listed * (listed - 1.0)), np.nan)


def gini(shown: Integers, items: int) -> float | None:
    """Gini's index of how often each of `items` items is shown: 0 where all alike, near 1 where few are all that is seen; None where nothing is.

    Gini 1912; for exposure Fleder & Hosanagar 2009, Management Science 55, 697. Items that are never shown count as 0.
    """
    total = int(shown.sum())
    if not total or not items:
        return None
    ordered = np.sort(np.concatenate([np.zeros(items - len(shown), dtype=np.int64), shown]))
    return math.fsum(((2 * np.arange(1, items + 1) - items - 1) * ordered).tolist()) / (items * total)
