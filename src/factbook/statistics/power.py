"""How large a difference of two independent proportions can be found, and how many more cases would settle one.

Of the two-sided test at 1 - level: the normal power of Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, section 4.3, with
the pooled variance where the rates are equal and their own where they differ. "Found" means with a probability of POWER. What is needed to settle
an observed difference assumes that the rates stay as they were observed; it says nothing about the power that the study had.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Final

from factbook.statistics.intervals import Interval, Share, normal
from factbook.statistics.two_rates import difference

POWER: Final = 0.8
MOST: Final = 10**9
_TARGET: Final = NormalDist().inv_cdf(POWER)


def _spreads(p1: float, n1: float, p2: float, n2: float) -> tuple[float, float]:
    """The standard errors of the difference if the rates are equal, and if they are what they are."""
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    return math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2)), math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)


def _excess(p1: float, n1: float, p2: float, n2: float, level: float) -> float:
    """Above 0 where the power exceeds POWER: the difference, less what is not significant, less what chance may take away."""
    equal, own = _spreads(p1, n1, p2, n2)
    return abs(p1 - p2) - normal(level) * equal - _TARGET * own


def detectable(base: float, n1: float, n2: float, level: float) -> float | None:
    """The smallest difference from `base`, the rate of n2 cases, that n1 cases of a group would show: towards 1/2, where it has to be larger.

    None where no difference would be found.
    """
    sign = 1 if base <= 0.5 else -1
    room = 1 - base if sign > 0 else base

    def excess(away: float) -> float:
        return _excess(base + sign * away, n1, base, n2, level)

    if excess(room) < 0:
        return None
    return _first(excess, 0.0, room)


def _first(excess: Callable[[float], float], low: float, high: float) -> float:
    """Where an excess turns positive, by bisection to twelve digits."""
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if excess(middle) < 0:
            low = middle
        else:
            high = middle
    return high


def cases_needed(mine: Share, base: Share, level: float, found: Interval | None = None) -> int | None:
    """How many more cases of a group would show the difference from another that was observed; 0 where it is established, None where none would.

    None: there is no difference, or the other group is too small, whatever the size of this one. `found` is the difference's interval, or Newcombe's.
    """
    found = found or difference(mine, base, level)
    if found.low > 0 or found.high < 0:
        return 0

    def excess(more: float) -> float:
        return _excess(mine.value, mine.n + more, base.value, base.n, level)

    if mine.value == base.value or excess(MOST) < 0:
        return None
    high = 1
    while excess(high) < 0:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return high


def times_as_many(distance: float, half: float, level: float) -> float:
    """By what factor the cases must grow so that an interval that reaches `half` far leaves out what lies `distance` away.

    Intervals shrink with the square root of the number of cases.
    """
    return (half / distance * (1 + _TARGET / normal(level))) ** 2


def cases_each(base: float, other: float, power: float, level: float) -> int | None:
    """How many cases each of two equal groups needs so that a difference of their rates is found with this probability; None where there is none.

    The closed form of Fleiss, Levin & Paik 2003, section 4.3, without the correction for continuity.
    """
    if base == other:
        return None
    middle = (base + other) / 2
    equal, own = math.sqrt(2 * middle * (1 - middle)), math.sqrt(base * (1 - base) + other * (1 - other))
    return math.ceil(((normal(level) * equal + NormalDist().inv_cdf(power) * own) / (base - other)) ** 2)
