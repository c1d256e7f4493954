"""Intervals of the difference and of the ratio of two independent proportions.

Score intervals are too narrow where one of the two groups has few events: beside 2,000 rows Newcombe's covers .90 of a difference of ten rows with a
rate of .01, and Koopman's .86 of a ratio of 15 rows to 60. So below FEW events the limits that the difference is made of are Clopper and Pearson's,
and the score of the ratio is corrected for continuity, as Yates (1934, JRSS Supplement 1, 217) did for a table of four. Coverage added up over all
outcomes for groups of 10 to 2,000 rows and rates of .01 to .9 is never under .943 then (tests/statistics/test_two_rates.py); with few events it is
mostly .97 to 1. Without an event in the second group a ratio has no upper end. Such samples count as covered where the ratio is not below `least`; of
the finite intervals alone no method can promise more than chance leaves: the rarer the second group's events, the more those that came overstate it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from factbook.statistics.intervals import Interval, Share, clopper_pearson, effective, normal, root, wilson

FEW: Final = 10
"""Below this many events (of a difference: or non-events) in a group the intervals are conservative ones."""
NEWCOMBE: Final = "Newcombe"
NEWCOMBE_FEW: Final = "Newcombe, exact limits"
KOOPMAN: Final = "Koopman"
KOOPMAN_FEW: Final = "Koopman, corrected for continuity"


def difference(first: Share, second: Share, level: float) -> Interval:
    """`newcombe` of two shares; the method says where their counts are effective ones."""
    found = newcombe(first.k, first.n, second.k, second.n, level)
    return Interval(found.low, found.high, found.method + effective(first, second))


def newcombe(k1: float, n1: float, k2: float, n2: float, level: float) -> Interval:
    """The interval of p1 - p2 from those of both (Newcombe 1998, Statistics in Medicine 17, 873, method 10; with other limits Zou & Donner 2008)."""
    first, second = limits(k1, n1, level), limits(k2, n2, level)
    found = mover(k1 / n1, first, k2 / n2, second)
    exact = "Clopper-Pearson" in (first.method, second.method)
    return Interval(max(-1.0, found.low), min(1.0, found.high), NEWCOMBE_FEW if exact else NEWCOMBE)


def mover(a: float, own: Interval, b: float, other: Interval) -> Interval:
    """The interval of a - b, two independent estimates, from their own (Zou & Donner 2008, Statistics in Medicine 27, 1693).

    Of two of DeLong's it is DeLong's for independent groups.
    """
    low, high = a - b - math.hypot(a - own.low, other.high - b), a - b + math.hypot(own.high - a, b - other.low)
    return Interval(low, high, f"MOVER of {own.method if own.method == other.method else f'{own.method} and {other.method}'}")


def limits(k: float, n: float, level: float) -> Interval:
    """Of one of two proportions: Wilson's interval, or Clopper and Pearson's below FEW events or non-events."""
    return clopper_pearson(k, n, level) if min(k, n - k) < FEW else wilson(k, n, level)


def quotient(first: Share, second: Share, level: float) -> Interval | None:
    """`koopman` of two shares; the method says where their counts are effective ones."""
    found = koopman(first.k, first.n, second.k, second.n, level)
    return None if found is None else Interval(found.low, found.high, found.method + effective(first, second))


def koopman(k1: float, n1: float, k2: float, n2: float, level: float) -> Interval | None:
    """The score interval of p1 / p2 (Koopman 1984, Biometrics 40, 513), corrected for continuity below FEW events; None where k2 = 0."""
    if k2 <= 0:
        return None
    excess, estimate = _excess(k1, n1, k2, n2, level), (k1 / n1) / (k2 / n2)
    low = 0.0 if k1 <= 0 else root(excess, 0.0, estimate)
    top = max(estimate, k1 / n1, 1 / n1)
    while excess(top) < 0:
        top *= 2
        if top > 1e12:
            return None
    return Interval(low, root(excess, top, estimate), KOOPMAN_FEW if min(k1, k2) < FEW else KOOPMAN)


def least(first: Share, second: Share, level: float) -> float:
    """The lower end of p1 / p2 where k2 = 0 and k1 > 0, so that the ratio itself is not defined and its interval has no upper end."""
    excess, inside = _excess(first.k, first.n, second.k, second.n, level), 1.0
    while excess(inside) > 0:
        inside *= 2
    return root(excess, 0.0, inside)


def _excess(k1: float, n1: float, k2: float, n2: float, level: float) -> Callable[[float], float]:
    """By how much the score statistic of a ratio exceeds its bound."""
    bound, correction = normal(level) ** 2, 0.5 if min(k1, k2) < FEW else 0.0
    return lambda theta: _score(theta, k1, n1, k2, n2, correction) - bound


def _score(theta: float, k1: float, n1: float, k2: float, n2: float, correction: float) -> float:
    """The score statistic of p1 = theta p2, at the maximum-likelihood p2 under it (Miettinen & Nurminen 1985, without their correction).

    `correction` is in events: to move one of them from one group to the other changes p1 - theta p2 by 1 / n1 + theta / n2.
    """
    if theta <= 0:
        return math.inf if k1 > 0 else 0.0
    a, b, c = (n1 + n2) * theta, n1 * theta + k1 + n2 + k2 * theta, k1 + k2
    p2 = 2 * c / (b + math.sqrt(max(b * b - 4 * a * c, 0.0)))
    p1 = min(theta * p2, 1.0)
    variance = p1 * (1 - p1) / n1 + theta * theta * p2 * (1 - p2) / n2
    gap = max(0.0, abs(k1 / n1 - theta * k2 / n2) - correction * (1 / n1 + theta / n2))
    if variance <= 0:
        return 0.0 if gap < 1e-15 else math.inf
    return gap * gap / variance
