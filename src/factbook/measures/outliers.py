"""Values far from the others, counted by two declared rules, from the sketch of a column. A reason to look, not a verdict."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from factbook.engines.sketches import Floats, Integers, Numbers
from factbook.measures.request import Answer, count_metric
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals

FENCE: Final = 1.5
FAR: Final = 3.5
_CONSISTENT: Final = 1.482602218505602
_RULES: Final = (
    f"rule=tukey: values beyond the quartiles by more than {FENCE} times their distance (Tukey 1977, Exploratory Data Analysis, 2C); "
    f"rule=mad: values further from the median than {FAR} times 1.4826 times the median of these distances "
    "(Iglewicz & Hoaglin 1993, How to Detect and Handle Outliers)"
)
METRICS: Final = (
    count_metric("outliers", "outliers", "outliers", _RULES),
    Metric("outlier_share", "share of outliers", "outliers", Unit.FRACTION, Direction.NEITHER, (0.0, 1.0), "outliers / values", _RULES),
)


def add(answer: Answer, numbers: Numbers, params: Pairs) -> None:
    """Outliers of a column by both rules; undefined where half of the values, or the middle half, are equal (or in one bin)."""
    total, alike = numbers.count, "equal" if numbers.exact else "equal, or too near to be told apart among the others"
    for rule, said, fences in (
        ("mad", f"half of the values are {alike}", _median_fences(numbers)),
        ("tukey", f"the quartiles are {alike}", _quartile_fences(numbers)),
    ):
        place = tuple(sorted((*params, ("rule", rule))))
        if fences is None:
            for metric in ("outliers", "outlier_share"):
                answer.add(metric, None, params=place, n=total, undefined=said)
            continue
        low, high = beyond(numbers, *fences)
        note = f"beyond {fences[0]:.6g} and {fences[1]:.6g}" + ("" if low == high else f"; values are counted in bins: between {low} and {high}")
        answer.add("outliers", low, params=place, n=total, note=note)
        counts = {"k": low, "n": total}
        answer.add("outlier_share", low / total, params=place, n=total, counts=counts, interval=intervals.proportion(low, total, answer.level))


def beyond(numbers: Numbers, low: float, high: float) -> tuple[int, int]:
    """How many values certainly lie below `low` or above `high`, and how many may."""
    lows, highs = numbers.edges
    surely = (highs < low) | (lows > high)
    maybe = (lows < low) | (highs > high)
    return int(numbers.n[surely].sum()), int(numbers.n[maybe].sum())


def _middles(numbers: Numbers) -> Floats:
    lows, highs = numbers.edges
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(lows == highs, lows, lows / 2 + highs / 2)


def _quantile(values: Floats, n: Integers, part: float) -> float:
    """The smallest value that a part of all values reach (Hyndman & Fan 1996, definition 1)."""
    reached = np.cumsum(n)
    return float(values[np.searchsorted(reached, math.ceil(part * int(reached[-1])))])


def _quartile_fences(numbers: Numbers) -> tuple[float, float] | None:
    values = _middles(numbers)
    first, third = (_quantile(values, numbers.n, part) for part in (0.25, 0.75))
    width = third - first
    return (first - FENCE * width, third + FENCE * width) if 0 < width < math.inf else None


def _median_fences(numbers: Numbers) -> tuple[float, float] | None:
    values = _middles(numbers)
    middle = _quantile(values, numbers.n, 0.5)
    if not math.isfinite(middle):
        return None
    apart = np.abs(values - middle)
    order = np.argsort(apart, kind="stable")
    typical = _quantile(apart[order], numbers.n[order], 0.5) * _CONSISTENT
    return (middle - FAR * typical, middle + FAR * typical) if 0 < typical < math.inf else None
