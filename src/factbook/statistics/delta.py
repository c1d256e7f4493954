"""Intervals of figures that are smooth functions of a table of counts: averages over classes, kappa, Matthews' correlation.

The variance is that of the figure's linearisation, the sum of what each row contributes to it (delta method: Bishop, Fienberg & Holland 1975,
Discrete Multivariate Analysis, 14.6; for averages of F1 Takahashi, Yamamoto, Kuchiba & Koyama 2022, Applied Intelligence 52, 4961). Near the ends
of a scale its plain interval is far too narrow (a perfect table has no variance at all), so what is given is the hull of two: the delta method on
the logit scale (Fisher's z for correlations), and the plain one about the table with two more rows, spread evenly over its cells (as Agresti & Coull
1998, The American Statistician 52, 119, do for one proportion).

Weights and clusters enter by the effective number of rows, with which the table is scaled (Rao & Scott 1992, Biometrics 48, 577).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from factbook.statistics import intervals
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import Floats

ADDED: Final = 2.0


@dataclass(frozen=True, eq=False)
class Statistic:
    """A figure of a table, and how it changes with each of the table's entries; homogeneous of degree 0, so that only proportions matter."""

    value: float
    gradient: Floats

    def influence(self, table: Floats) -> Floats:
        """Per cell what one row in it contributes: the influence function at the table's proportions, of mean 0."""
        found: Floats = self.gradient * float(table.sum())
        return found

    def variance(self, table: Floats) -> float:
        """The variance of the figure over independent rows."""
        n = float(table.sum())
        spread = float((table * self.influence(table) ** 2).sum()) / n
        return spread / (n - 1) if n > 1 else 0.0


Figure = Callable[[Floats], Statistic | None]


def interval(table: Floats, figure: Figure, level: float, *, correlation: bool = False) -> Interval | None:
    """The interval of a figure of a table of (effective) counts.

    Args:
        table: rows by cell; only those cells and classes that can occur.
        figure: of the table; None where it is not defined.
        level: of confidence.
        correlation: whether the figure lies between -1 and 1 (Fisher's z scale) and not between 0 and 1 (logit scale).
    """
    found = figure(table)
    smooth = table + ADDED / table.size
    about = figure(smooth)
    if found is None or about is None:
        return None
    z, least = intervals.normal(level), -1.0 if correlation else 0.0
    half = z * math.sqrt(about.variance(smooth))
    low, high = max(least, about.value - half), min(1.0, about.value + half)
    name = "delta method, about the table with two more rows"
    curved = _curved(found.value, z * math.sqrt(found.variance(table)), correlation)
    if curved is not None:
        low, high = min(low, curved[0]), max(high, curved[1])
        name = f"delta method ({'Fisher' if correlation else 'logit'} scale, and about the table with two more rows)"
    return Interval(min(low, found.value), max(high, found.value), name)


def _curved(value: float, half: float, correlation: bool) -> tuple[float, float] | None:
    """The interval on the curved scale; None at its ends and without variation."""
    if correlation:
        if abs(value) >= 1 - 1e-12 or half <= 0:
            return None
        half /= 1 - value * value
        return math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
    if not 1e-12 < value < 1 - 1e-12 or half <= 0:
        return None
    centre, half = intervals.logit(value), half / (value * (1 - value))
    return intervals.expit(centre - half), intervals.expit(centre + half)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the figures that an average is made of: its value, its interval and its share in the average."""

    value: float
    interval: Interval
    share: float


def independent(parts: list[Part]) -> Interval:
    """The interval of a weighted sum of independent figures, from their own (MOVER: Zou & Donner 2008, Statistics in Medicine 27, 1693)."""
    value = sum(part.share * part.value for part in parts)
    low = value - math.sqrt(sum((part.share * (part.value - part.interval.low)) ** 2 for part in parts))
    high = value + math.sqrt(sum((part.share * (part.interval.high - part.value)) ** 2 for part in parts))
    return Interval(max(0.0, low), min(1.0, high), "MOVER over the classes' intervals")


def dependent(parts: list[Part]) -> Interval:
    """As `independent`, where nothing is known of how they depend: the standard error of a sum is at most the sum of theirs."""
    low = sum(part.share * part.interval.low for part in parts)
    return Interval(low, sum(part.share * part.interval.high for part in parts), "average of the classes' intervals, conservative")
