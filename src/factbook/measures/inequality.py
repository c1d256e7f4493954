"""Inequality of what decisions give to people: generalised entropy of the benefit `prediction - label + 1` (0 where a positive was missed,
2 where a negative was taken for one, else 1), and treatment equality, the ratio of the two kinds of errors.

Speicher et al. 2018, KDD, 2239. An index is a smooth function of the three shares: its interval is that of the delta method (see `interval`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from factbook.measures.binary import FN, FP, TN, TP, Counts
from factbook.measures.request import Answer
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import beta, intervals
from factbook.statistics.delta import ADDED
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import tidy

_SPEICHER: Final = "Speicher et al. 2018, KDD, 2239"
METRICS: Final = (
    Metric(
        "generalised_entropy",
        "generalised entropy of benefits (alpha 2)",
        "GE(2)",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, math.inf),
        "(mean of (b / mean b)² - 1) / 2 with b = prediction - label + 1",
        _SPEICHER,
        ("generalized_entropy", "generalized_entropy_index"),
    ),
    Metric(
        "theil", "Theil index of benefits", "Theil", Unit.SCORE, Direction.LOWER, (0.0, math.inf), "mean of b / mean b times its logarithm", _SPEICHER
    ),
    Metric(
        "generalised_entropy_between",
        "generalised entropy between groups (alpha 2)",
        "GE(2) between",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, math.inf),
        "generalised entropy, were everybody given the mean benefit of their group",
        _SPEICHER,
    ),
    Metric(
        "treatment_equality",
        "treatment equality: missed positives to false alarms",
        "FN / FP",
        Unit.RATIO,
        Direction.NEITHER,
        (0.0, math.inf),
        "fn / fp",
        "Berk et al. 2021, Sociological Methods & Research 50, 3",
        ("error_ratio",),
    ),
)


def add(answer: Answer, counts: Counts, place: Pairs) -> None:
    """The indices of a slice."""
    low, high = counts.share((FN,), (TN, FP, FN, TP)), counts.share((FP,), (TN, FP, FN, TP))
    given: dict[str, Any] = {"slice": place, "n": counts.judged, "counts": {"fn": counts.rows[FN], "fp": counts.rows[FP]}}
    for name in ("generalised_entropy", "theil"):
        if low is None or high is None:
            answer.add(name, None, undefined="0 of 0: no rows", **given)
        elif low.value == 1:
            answer.add(name, None, undefined="0 / 0: nobody has a benefit", **given)
        else:
            index = entropy if name == "generalised_entropy" else theil
            answer.add(name, tidy(index(low.value, high.value)[0]), interval=interval(index, low, high, answer.level), **given)
    _add_treatment(answer, counts, given)


Index = Callable[[float, float], tuple[float, tuple[float, float]]]


def entropy(low: float, high: float) -> tuple[float, tuple[float, float]]:
    """Generalised entropy, alpha 2, where shares `low` and `high` have the benefits 0 and 2; and its derivatives by them."""
    mean, square = 1 + high - low, 1 - low + 3 * high
    return (square / mean**2 - 1) / 2, (-0.5 / mean**2 + square / mean**3, 1.5 / mean**2 - square / mean**3)


def theil(low: float, high: float) -> tuple[float, tuple[float, float]]:
    """The Theil index, and its derivatives: (2 high ln 2) / mean - ln mean."""
    mean, rest = 1 + high - low, 2 * math.log(2)
    return rest * high / mean - math.log(mean), (rest * high / mean**2 + 1 / mean, rest / mean - rest * high / mean**2 - 1 / mean)


def interval(index: Index, low: Share, high: Share, level: float) -> Interval:
    """The hull of the delta method on the log scale, and of it on both scales about the shares with two more rows, spread evenly over the benefits.

    As in `delta`: with ten rows the first alone holds .46 to .97 of the truths, the hull .94 or more (Bishop, Fienberg & Holland 1975, section 14.6;
    Agresti & Coull 1998, The American Statistician 52, 119).
    """
    n, more = low.n, low.n + ADDED
    about = ((low.k + ADDED / 3) / more, (high.k + ADDED / 3) / more)
    ends = [*_delta(index, about, more, intervals.normal(level), log=False), *_delta(index, about, more, intervals.normal(level), log=True)]
    if index(low.value, high.value)[0] > 1e-15:
        ends += _delta(index, (low.value, high.value), n, beta.student(level, n - 1) if 1 < n < 1e6 else intervals.normal(level), log=True)
    else:
        ends.append(0.0)
    return Interval(max(0.0, min(ends)), max(ends), "delta method, log scale and about two more rows" + intervals.effective(low))


def _delta(index: Index, shares: tuple[float, float], n: float, t: float, *, log: bool) -> tuple[float, float]:
    """The ends of the plain interval, or of that on the log scale."""
    value, (a, b) = index(*shares)
    mean = a * shares[0] + b * shares[1]
    half = t * math.sqrt(max(a * a * shares[0] + b * b * shares[1] - mean * mean, 0.0) / n)
    return (value * math.exp(-half / value), value * math.exp(min(half / value, 700.0))) if log else (value - half, value + half)


def _add_treatment(answer: Answer, counts: Counts, given: Mapping[str, Any]) -> None:
    """The ratio fn / fp = p / (1 - p), where p is the share of missed positives among the errors: its interval carries over."""
    part = counts.share((FN,), (FN, FP))
    if part is None or part.k >= part.n:
        answer.add("treatment_equality", None, undefined="0 / 0: there is no error" if part is None else "division by 0: no false positive", **given)
        return
    found = intervals.share(part, answer.level)
    interval = Interval(found.low / (1 - found.low), found.high / (1 - found.high), f"{found.method}, odds") if found.high < 1 else None
    answer.add("treatment_equality", tidy(part.value / (1 - part.value)), interval=interval, **given)


def add_between(answer: Answer, found: Mapping[Pairs, Counts], by: Sequence[str]) -> None:
    """The inequality between groups that are not suppressed."""
    parts = []
    for place, counts in found.items():
        low, high = counts.share((FN,), (TN, FP, FN, TP)), counts.share((FP,), (TN, FP, FN, TP))
        if place not in answer.hidden and low is not None and high is not None:
            parts.append((_weight(counts), 1 + high.value - low.value))
    note = "" if len(parts) == len(found) else f"over {len(parts)} of {len(found)} groups; in the others it is undefined or suppressed"
    note = "; ".join(filter(None, (note, "no interval: its estimate is biased upwards in small groups")))
    total, params = math.fsum(weight for weight, _ in parts), (("attribute", ",".join(by)),)
    mean = math.fsum(weight * benefit for weight, benefit in parts) / total if total else 0.0
    if len(parts) < 2 or mean <= 0:
        answer.add("generalised_entropy_between", None, params=params, undefined="fewer than two groups can be compared", note=note)
        return
    value = math.fsum(weight * ((benefit / mean) ** 2 - 1) for weight, benefit in parts) / total / 2
    answer.add("generalised_entropy_between", tidy(max(0.0, value)), params=params, note=note)


def _weight(counts: Counts) -> float:
    return float(counts.judged) if counts.weights is None else counts.weight((TN, FP, FN, TP))[0] / 2**50
