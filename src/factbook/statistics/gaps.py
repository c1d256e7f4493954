"""Intervals of the largest difference, and of the smallest ratio, between any two of several groups' proportions.

The largest of many differences is biased upwards, and so are its bootstrap percentiles: where all groups are equal they never reach 0. So the ends
are found otherwise. Whatever pair differs most, its own interval reaches as far as the true gap with the usual probability, and the largest of all
upper ends reaches at least as far: no allowance for many pairs is needed (intersection-union; Berger 1982, Technometrics 24, 295). At the lower
end all pairs that may be the largest must hold at once: their common critical value is the quantile of the largest of their standardised deviations
over joint replicates (multiplier bootstrap of a maximum: Chernozhukov, Chetverikov & Kato 2013, Annals of Statistics 41, 2786), over the pairs
that are not clearly smaller than others (Chernozhukov, Lee & Rosen 2013, Econometrica 81, 667). For ratios the ends change places.

Replicates are drawn at the finest cells, once for all groups, so that groups that share rows vary together: a normal multiple of the standard
deviation of each cell's count, the limit of a Poisson bootstrap (Hanley & MacGibbon 2006, Computer Methods and Programs in Biomedicine 83, 57).
The multiples are the same in every measurement, made from a counter: what is published would otherwise tell something of the tally that seeds them.
Coverage of 95 % intervals, simulated: tests/statistics/test_gaps.py; never under .94 where gaps are clear, up to 1 where several groups tie.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from factbook.statistics import intervals, two_rates
from factbook.statistics.intervals import Interval, Share, normal

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
REPLICATES: Final = 5_000
MOST_GROUPS: Final = 200
_MOST_PAIRS: Final = 500
_MOST_COLUMNS: Final = 2_000
_CHUNK: Final = 500
_HALVINGS: Final = 48


def multiples(columns: int, replicates: int = REPLICATES) -> Floats:
    """Replicates × columns standard normal numbers, of each the same however many there are; at most REPLICATES."""
    return _made(1 << (columns - 1).bit_length(), replicates)[:, :columns]


@lru_cache(maxsize=4)
def _made(columns: int, replicates: int) -> Floats:
    """By SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, 453) from a counter, and Box & Muller 1958."""
    with np.errstate(over="ignore"):
        first = np.arange(2 * columns)[:, None] * REPLICATES
        z = (first + np.arange(1, replicates + 1)).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    uniform = (((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53).reshape(columns, 2, replicates)
    found: Floats = (np.sqrt(-2 * np.log(uniform[:, 0])) * np.cos(2 * math.pi * uniform[:, 1])).T
    return found


@dataclass(frozen=True, eq=False)
class Estimates:
    """One figure of several groups that share no rows.

    Attributes:
        value, error: per group the estimate and its standard error, above 0; only what is compared rests on the errors, not the ends.
        ends: the lower and upper ends of their intervals at a level.
        method: how these are called.
    """

    value: Floats
    error: Floats
    ends: Callable[[float], tuple[Floats, Floats]]
    method: str

    @property
    def middle(self) -> Floats:
        """What is compared to tell which pairs may be the farthest apart."""
        return self.value

    @property
    def deviations(self) -> Floats:
        """Per group and cell the standard deviation of what the cell adds to the estimate."""
        return np.diag(self.error)

    @property
    def correlation(self) -> Floats:
        """Between the estimates of the groups."""
        return np.eye(len(self.value))


@dataclass(frozen=True, eq=False)
class Shares:
    """One rate of several groups, k of n > 0 (effective) rows, as `Estimates`.

    Attributes:
        k, n: per group.
        said: how the counts are effective ones, for the method.
        cells: where groups share rows or clusters, what each cell or block of clusters adds to each group's rate; else None.
    """

    k: Floats
    n: Floats
    said: str = ""
    cells: Floats | None = None

    @property
    def value(self) -> Floats:
        """The rates."""
        return self.k / self.n

    @cached_property
    def middle(self) -> Floats:
        """The rates with half a row more of either kind, for standard errors that are never 0."""
        return (self.k + 0.5) / (self.n + 1)

    @cached_property
    def error(self) -> Floats:
        """Standard errors."""
        found: Floats = np.sqrt(self.middle * (1 - self.middle) / self.n)
        return found

    @property
    def deviations(self) -> Floats:
        """As in `Estimates`; of the size of the errors."""
        if self.cells is None:
            return np.diag(self.error)
        found: Floats = self.cells * (self.error / np.maximum(np.sqrt((self.cells**2).sum(axis=1)), 1e-300))[:, None]
        return found

    @cached_property
    def correlation(self) -> Floats:
        """Between the rates of the groups, to nine digits."""
        if self.cells is None:
            return np.eye(len(self.k))
        covariance = self.cells @ self.cells.T
        scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
        found: Floats = np.round(np.clip(covariance / np.outer(scale, scale), -1, 1), 9)
        np.fill_diagonal(found, 1.0)
        return found

    def ends(self, level: float) -> tuple[Floats, Floats]:
        """Of the intervals that `two_rates` makes differences of."""
        found = [two_rates.limits(k, n, level) for k, n in zip(self.k.tolist(), self.n.tolist(), strict=True)]
        low, high = (np.array([getattr(item, end) for item in found], dtype=np.float64) for end in ("low", "high"))
        return np.minimum(self.value, low), np.maximum(self.value, high)

    @property
    def method(self) -> str:
        """Of the interval of a difference."""
        few = bool((np.minimum(self.k, self.n - self.k) < two_rates.FEW).any())
        return f"{two_rates.NEWCOMBE_FEW if few else two_rates.NEWCOMBE}{', correlated' if self.cells is not None else ''}{self.said}"


def shares(parts: Sequence[Share]) -> Shares:
    """A rate of groups that share no rows."""
    k, n = (np.array([getattr(part, name) for part in parts], dtype=np.float64) for name in ("k", "n"))
    return Shares(k, n, intervals.effective(*parts))


def overlapping(parts: Sequence[Share], members: Flags, hits: Floats, misses: Floats, weight: Floats) -> Shares:
    """A rate of groups that share rows.

    Args:
        parts: per group k of n > 0.
        members: per group and finest cell whether the cell lies in it.
        hits: per cell the rows in k (their sum of squared weights).
        misses: per cell the rows in n that are not in k, likewise.
        weight: per group its n (sum of weights).
    """
    groups = shares(parts)
    rate, inside = groups.middle[:, None], members / weight[:, None]
    return replace(groups, cells=np.concatenate([inside * (1 - rate) * np.sqrt(hits), -inside * rate * np.sqrt(misses)], axis=1))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of the groups (first, second) that may differ most: how far apart they are, and with what standard error."""

    first: Integers
    second: Integers
    apart: Floats
    error: Floats

    def where(self, chosen: Flags) -> _Pairs:
        return _Pairs(self.first[chosen], self.second[chosen], self.apart[chosen], self.error[chosen])


def _pairs(value: Floats, error: Floats, correlation: Floats) -> _Pairs:
    first, second = np.triu_indices(len(value), 1)
    a, b, rho = error[first], error[second], correlation[first, second]
    apart, spread = np.abs(value[first] - value[second]), np.sqrt(np.maximum(a * a + b * b - 2 * rho * a * b, 0.0))
    return _Pairs(first, second, apart, spread).where(spread > 1e-6 * (a + b))


def _candidates(pairs: Sequence[_Pairs], level: float) -> list[_Pairs]:
    """The pairs that are not clearly less far apart than some other, at a tenth of the error."""
    count = max(1, sum(len(item.apart) for item in pairs))
    far = normal(1 - (1 - level) / 10 / count)
    best = max((float((item.apart - far * item.error).max()) for item in pairs if len(item.apart)), default=0.0)
    return [item.where(item.apart + far * item.error >= best) for item in pairs]


def _critical(deviations: Sequence[Floats], pairs: Sequence[_Pairs], level: float) -> tuple[float, str]:
    """The level of each pair at which all hold together, and how it was found."""
    count, columns = sum(len(item.apart) for item in pairs), sum(part.shape[1] for part in deviations)
    if count <= 1:
        return level, ""
    if count > _MOST_PAIRS or columns > _MOST_COLUMNS:
        return 1 - (1 - level) / count, f", simultaneous over {count} pairs that may differ most (Bonferroni)"
    draws, most, start = multiples(columns), np.zeros(REPLICATES), 0
    for part, item in zip(deviations, pairs, strict=True):
        away = draws[:, start : start + part.shape[1]] @ part.T
        start += part.shape[1]
        for piece in range(0, REPLICATES if len(item.apart) else 0, _CHUNK):
            rows = away[piece : piece + _CHUNK]
            largest = (np.abs(rows[:, item.first] - rows[:, item.second]) / item.error).max(axis=1)
            most[piece : piece + _CHUNK] = np.maximum(most[piece : piece + _CHUNK], largest)
    found = max(normal(level), round(float(np.quantile(most, level)), 6))
    return 2 * NormalDist().cdf(found) - 1, f", simultaneous over {count} pairs that may differ most ({REPLICATES:,} joint replicates)"


def difference(families: Sequence[Estimates | Shares], level: float) -> Interval | None:
    """The interval of the largest difference between two groups in any of several figures.

    None for fewer than two groups, or more than MOST_GROUPS.
    """
    if any(not 2 <= len(item.value) <= MOST_GROUPS for item in families):
        return None
    pairs = _candidates([_pairs(item.middle, item.error, item.correlation) for item in families], level)
    each, said = _critical([item.deviations for item in families], pairs, level)
    low = high = 0.0
    for family, item in zip(families, pairs, strict=True):
        above = _apart(family, level)[1]
        np.fill_diagonal(above, 0.0)
        high = max(high, float(above.max()))
        if len(item.apart):
            below = _apart(family, each)[0]
            low = max(low, float(below[item.first, item.second].max()), float(below[item.second, item.first].max()))
    return Interval(low, high, families[0].method + said)


def _apart(family: Estimates | Shares, level: float) -> tuple[Floats, Floats]:
    """Lower and upper ends of every first figure less every second (MOVER, with their correlation: Zou & Donner 2008; of rates Newcombe 1998)."""
    low, high = family.ends(level)
    below, above, rho = family.value - low, high - family.value, family.correlation
    apart = family.value[:, None] - family.value[None, :]

    def reach(first: Floats, second: Floats) -> Floats:
        a, b = first[:, None], second[None, :]
        found: Floats = np.sqrt(np.maximum(a * a + b * b - 2 * rho * a * b, 0.0))
        return found

    bound = 1.0 if isinstance(family, Shares) else math.inf
    return apart - reach(below, above), np.minimum(bound, apart + reach(above, below))


def quotient(family: Estimates, level: float) -> Interval | None:
    """The interval of the smallest ratio between two groups in a figure given by its logarithms; None as for `difference`."""
    found = difference([family], level)
    return None if found is None else Interval(math.exp(-found.high), math.exp(-found.low), f"{found.method}, on the log scale")


def ratio(families: Sequence[Shares], level: float) -> Interval | None:
    """The interval of the smallest ratio between two groups in any of several rates, groups that share no rows.

    None for fewer than two groups, more than MOST_GROUPS, or where a rate is 0 in all groups.
    """
    if any(not 2 <= len(item.k) <= MOST_GROUPS or not item.k.any() for item in families):
        return None
    errors = [np.sqrt((1 - item.middle) / (item.middle * item.n)) for item in families]
    pairs = _candidates([_pairs(np.log(item.middle), error, item.correlation) for item, error in zip(families, errors, strict=True)], level)
    each, said = _critical([np.diag(error) for error in errors], pairs, level)
    low = high = 1.0
    for family, item in zip(families, pairs, strict=True):
        first, second = np.triu_indices(len(family.k), 1)
        low = min(low, float(_koopman(family, first, second, level)[0].min()))
        if len(item.apart):
            high = min(high, float(_koopman(family, item.first, item.second, each)[1].min()))
    few = any(bool((item.k < two_rates.FEW).any()) for item in families)
    return Interval(min(low, high), high, f"{two_rates.KOOPMAN_FEW if few else two_rates.KOOPMAN}{families[0].said}{said}")


def _koopman(family: Shares, first: Integers, second: Integers, level: float) -> tuple[Floats, Floats]:
    """The ends of the ratio of each pair (`two_rates.koopman`), or of its reciprocal: the smallest lower end, and the smallest upper end up to 1."""
    turned = family.value[first] > family.value[second]
    above, below = np.where(turned, second, first), np.where(turned, first, second)
    k1, n1, k2, n2 = family.k[above], family.n[above], family.k[below], family.n[below]
    known = k2 > 0
    estimate = np.where(known, (k1 / n1) / np.where(known, k2 / n2, 1.0), 0.0)

    def outside(theta: Floats) -> Flags:
        found: Flags = _score(theta, k1, n1, k2, n2) > normal(level) ** 2
        return found

    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(known & (k1 > 0), _bisect(outside, np.full(len(k1), -60.0), np.log(np.maximum(estimate, 1e-26))), 0.0)
        high = np.where(known, _bisect(outside, np.full(len(k1), 60.0), np.log(np.maximum(estimate, 1e-26))), np.inf)
        return np.where(known, np.minimum(low, 1 / high), 0.0), np.where(known, np.minimum(1.0, np.minimum(high, 1 / low)), 1.0)


def _score(theta: Floats, k1: Floats, n1: Floats, k2: Floats, n2: Floats) -> Floats:
    """The statistic of Koopman 1984 for p1 = theta p2, corrected for continuity where events are few (`two_rates`)."""
    a, b, c = (n1 + n2) * theta, n1 * theta + k1 + n2 + k2 * theta, k1 + k2
    p2 = 2 * c / (b + np.sqrt(np.maximum(b * b - 4 * a * c, 0.0)))
    p1 = np.minimum(theta * p2, 1.0)
    variance = p1 * (1 - p1) / n1 + theta * theta * p2 * (1 - p2) / n2
    correction = np.where(np.minimum(k1, k2) < two_rates.FEW, 0.5 * (1 / n1 + theta / n2), 0.0)
    gap = np.maximum(0.0, np.abs(k1 / n1 - theta * k2 / n2) - correction)
    return np.where(variance > 0, gap * gap / variance, np.where(gap < 1e-15, 0.0, np.inf))


def _bisect(outside: Callable[[Floats], Flags], out: Floats, inside: Floats) -> Floats:
    """Where each condition changes between a point outside and one inside, both logarithms."""
    for _ in range(_HALVINGS):
        middle = (out + inside) / 2
        away = outside(np.exp(middle))
        out, inside = np.where(away, middle, out), np.where(away, inside, middle)
    found: Floats = np.exp(inside)
    return found
