"""How a case of coverage is tried: data with a known truth are drawn, an interval is made of each, and those that hold the truth are counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from factbook.statistics.intervals import Interval

LEVEL = 0.95
Floats = np.ndarray


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one case; `draws` is 0 where the coverage is exact. `below` and `above`: how often the truth lies below and above the interval."""

    method: str
    used: str
    case: str
    coverage: float
    below: float
    above: float
    none: float
    draws: int

    @property
    def error(self) -> float:
        """Three standard errors of a simulated coverage of .95."""
        return 3 * math.sqrt(0.95 * 0.05 / max(1.0, self.draws * (1 - self.none))) if self.draws else 0.0

    @property
    def verdict(self) -> str:
        """`95 ± 1`, `conservative`, or `under`; with allowance for what chance does."""
        if self.none == 1:
            return "none given"
        if self.coverage < 0.94 - self.error:
            return "under"
        return "95 ± 1" if self.coverage <= 0.96 + self.error else "conservative"


@dataclass(frozen=True)
class Case:
    """A method, the facts that use it, where it is tried, and how.

    `run(rng, draws)` gives weights and, per outcome, the low and the high end (NaN: none), and the truth.
    """

    method: str
    used: str
    case: str
    run: Callable[[np.random.Generator, int], tuple[Floats, Floats, Floats, Any]]
    exact: bool = False

    def simulate(self, draws: int) -> Found:
        weight, low, high, truth = self.run(np.random.default_rng(sum(map(ord, self.method + self.case))), draws)
        weight = weight / weight.sum()
        given = ~np.isnan(low)
        share = float(weight[given].sum())
        below = float(weight[given & (truth < low - 1e-12)].sum())
        above = float(weight[given & (truth > high + 1e-12)].sum())
        parts = (1 - (below + above) / share, below / share, above / share) if share > 1e-9 else (0.0, 0.0, 0.0)
        none = max(0.0, round(1 - share, 4))
        return Found(self.method, self.used, self.case, *(round(part, 4) for part in parts), none, 0 if self.exact else draws)


def ends(found: Sequence[Interval | None]) -> tuple[Floats, Floats]:
    return tuple(np.array([math.nan if item is None else getattr(item, end) for item in found]) for end in ("low", "high"))  # type: ignore[return-value]


def outcomes(*laws: Floats) -> tuple[Floats, Floats]:
    """All outcomes of independent counts, and their probabilities; those of less than 1e-9 in any of them are left out."""
    kept = [np.flatnonzero(law > 1e-9) for law in laws]
    rows = np.stack([part.ravel() for part in np.meshgrid(*kept, indexing="ij")], axis=1)
    weight = np.prod([law[rows[:, i]] for i, law in enumerate(laws)], axis=0)
    return rows, weight


def counted(draw: Floats, make: Callable[..., Interval | None]) -> tuple[Floats, Floats, Floats]:
    """Each different outcome once, with how often it came."""
    outcomes, times = np.unique(draw, axis=0, return_counts=True)
    return times.astype(float), *ends([make(*row) for row in outcomes.tolist()])
