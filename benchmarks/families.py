"""How often something is said to differ where nothing does, among 100 slices or 100 columns at once: to be at most 5 times in 100.

    python -m benchmarks.families [DRAWS]

What factbook asserts of many slices: Holm's adjusted p-values of each group against a reference group; the largest gap and the smallest ratio over
all groups (they claim a difference where their interval leaves 0, or 1, out); and the columns that drifted.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

import numpy as np

from factbook.measures import divergences
from factbook.statistics import gaps, laws
from factbook.statistics.intervals import Share

LEVEL, SLICES = 0.95, 100
Draw = Callable[[np.random.Generator], bool]


def against_reference(p: float, n: int) -> Draw:
    """99 groups against one, ten times as large: whether any adjusted p-value is at most .05."""

    def run(rng: np.random.Generator) -> bool:
        base = int(rng.binomial(10 * n, p))
        tests = [laws.equal_shares(int(k), n, base, 10 * n) for k in rng.binomial(n, p, SLICES - 1)]
        return min(laws.holm([found for found in tests if found is not None])) <= 1 - LEVEL

    return run


def largest_gap(p: float, n: int) -> Draw:
    def run(rng: np.random.Generator) -> bool:
        found = gaps.difference([gaps.shares([Share(int(k), n) for k in rng.binomial(n, p, SLICES)])], LEVEL)
        return found is not None and found.low > 0

    return run


def smallest_ratio(p: float, n: int) -> Draw:
    def run(rng: np.random.Generator) -> bool:
        found = gaps.ratio([gaps.shares([Share(int(k), n) for k in rng.binomial(n, p, SLICES)])], LEVEL)
        return found is not None and found.high < 1

    return run


def drifted(n: int, m: int) -> Draw:
    """50 columns of numbers (Kolmogorov-Smirnov) and 50 of categories, some rare (chi-square)."""
    shares = np.array([0.5, 0.25, 0.15, 0.07, 0.03])

    def run(rng: np.random.Generator) -> bool:
        tests = []
        for _ in range(SLICES // 2):
            first = np.arange(n + m)[np.argsort(rng.random(n + m))] < n
            tests.append(divergences.smirnov_p(float(np.abs(np.cumsum(first) / n - np.cumsum(~first) / m).max()), n, m))
            statistic, freedom, _ = divergences.chi_square(rng.multinomial(n, shares), rng.multinomial(m, shares))
            tests.append(laws.chi_square(statistic, freedom))
        return min(laws.holm(tests)) <= 1 - LEVEL

    return run


CASES: dict[str, Draw] = {
    **{f"each of 99 groups of {n} against one, p = {p}": against_reference(p, n) for n, p in ((30, 0.05), (100, 0.1), (100, 0.5), (1000, 0.02))},
    **{f"largest gap over 100 groups of {n}, p = {p}": largest_gap(p, n) for n, p in ((30, 0.05), (100, 0.3), (1000, 0.02))},
    **{f"smallest ratio over 100 groups of {n}, p = {p}": smallest_ratio(p, n) for n, p in ((30, 0.2), (100, 0.3), (1000, 0.02))},
    **{f"100 columns of {n} and {m} rows": drifted(n, m) for n, m in ((200, 200), (2000, 300))},
}


def false_alarms(case: str, draws: int) -> float:
    """The share of draws in which something is said to differ."""
    rng = np.random.default_rng(sum(map(ord, case)))
    return sum(CASES[case](rng) for _ in range(draws)) / draws


def main(arguments: Sequence[str]) -> int:
    draws = int(arguments[0]) if arguments else 2000
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)
    found = {case: false_alarms(case, draws) for case in CASES}
    for case, share in found.items():
        print(f"{share:.3f}  {case}")
    return int(any(share > most for share in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
