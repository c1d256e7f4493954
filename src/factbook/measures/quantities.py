"""Totals, means and quantiles of a quantity (tokens, seconds, costs) over slices, with intervals that hold for rows that vary together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from factbook.measures import rows
from factbook.measures.duplicates import quantile
from factbook.measures.request import Answer
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, moments
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats, Sample, tidy

QUANTILES: Final = ("0.5", "0.9", "0.95", "0.99")
_UP: Final = (0.0, math.inf)
_BEYOND: Final = "no interval: an end of it lies beyond the sample"
METRICS: Final = (
    Metric("quantity_total", "total of a quantity", "total", Unit.QUANTITY, Direction.LOWER, _UP, "sum over the outputs that have it", ""),
    Metric("quantity_mean", "mean of a quantity", "mean", Unit.QUANTITY, Direction.LOWER, _UP, "total / outputs that have it", ""),
    Metric(
        "quantity_quantile",
        "quantile of a quantity",
        "quantile",
        Unit.QUANTITY,
        Direction.LOWER,
        _UP,
        "the least value that the share q of the outputs does not exceed (type 1)",
        "Hyndman & Fan 1996, The American Statistician 50, 361",
    ),
)


def add(answer: Answer, name: str, values: Floats, sample: Sample, names: Sequence[Pairs], method: str, below: int) -> None:
    """The facts of one quantity; `values` are those that there are, `sample` their slices and units. Fewer than `below` are not published."""
    means = moments.means(sample, values, answer.level, method, _UP)
    totals = sample.total(values)
    about = ("of", name)
    for i, (place, own) in enumerate(zip(names, rows.split(sample.index, len(names)), strict=True)):
        n = int(sample.n[i])
        said = f"fewer than {below} outputs have a value" if 0 < n < below else "" if n else "0 of 0: no output has a value"
        if said:
            for metric, params in (("quantity_total", ()), ("quantity_mean", ()), *(("quantity_quantile", (("q", q),)) for q in QUANTILES)):
                answer.add(metric, None, params=(about, *params), slice=place, undefined=said)
            continue
        answer.add("quantity_total", tidy(float(totals[i])), params=(about,), slice=place, n=n)
        mean, interval = means[i]
        answer.add("quantity_mean", tidy(mean), params=(about,), slice=place, n=n, interval=interval)
        mine = Sample.whole(n, None if sample.clusters is None else sample.clusters[own])
        ordered = np.sort(values[own])
        for q in QUANTILES:
            found = _interval(values[own], ordered, float(q), mine, answer.level)
            answer.add(
                "quantity_quantile",
                quantile(ordered, float(q)),
                params=(about, ("q", q)),
                slice=place,
                n=n,
                interval=found,
                note="" if found else _BEYOND,
            )


def _interval(values: Floats, ordered: Floats, q: float, sample: Sample, level: float) -> Interval | None:
    """The interval of a quantile: the values at the ends of the interval of the share that does not exceed it (Woodruff 1952, JASA 47, 635).

    That of a share of independent rows is Clopper-Pearson's, from order statistics; of rows in clusters it is Student's t over clusters. None where
    an end lies outside of the sample, so that nothing bounds the quantile there.
    """
    n, share = len(values), float((values <= quantile(ordered, q)).mean())
    if sample.clusters is None or bool((sample.units == sample.n).all()):
        found = intervals.clopper_pearson(q * n, n, level)
        low, high, method = found.low, found.high, "order statistics (Woodruff)"
    else:
        below = (values <= quantile(ordered, q)).astype(np.float64)
        spread = float(sample.spread(below, np.array([share]))[0])
        half = moments.student(q, spread, int(sample.units[0]), level, "")
        if half is None:
            return None
        low, high, method = half.low, half.high, "Woodruff, over clusters"
    if low * n < 1 or high * n > n - 1:
        return None
    return Interval(quantile(ordered, low), float(ordered[min(math.ceil(high * n - 1e-9), n - 1)]), method)
