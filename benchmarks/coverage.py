"""How often each interval holds the truth: exactly where that can be added up, else in simulations with a fixed seed.

    python -m benchmarks.coverage [DRAWS]

writes benchmarks/coverage.json and the page docs/guide/coverage.md. A case is a way to draw data with a known truth and the function of factbook that
makes an interval of it. Where a function gives none, the fact has no interval and says why; the column `none` says how often, and coverage is
among the intervals that are given.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks import coverage_units
from benchmarks.simulation import LEVEL, Case, Floats, Found, counted, ends
from factbook.measures import divergences, regression, scores, stratified
from factbook.statistics import average_precision, averages, delta, gaps, intervals, kappa, moments
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import Sample

ROOT = Path(__file__).resolve().parents[1]
SIZES, RATES = (10, 20, 50, 100, 200, 500, 1000), (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


@cache
def proportions(n: int) -> tuple[Floats, Floats]:
    return ends([intervals.proportion(k, n, LEVEL) for k in range(n + 1)])


def one_rate() -> Iterator[Case]:
    for n, p in product(SIZES, RATES):

        def run(_rng: np.random.Generator, _draws: int, n: int = n, p: float = p) -> Any:
            return stats.binom.pmf(np.arange(n + 1), n, p), *proportions(n), p

        yield Case("Wilson, below 45 events Clopper-Pearson", "rates and shares", f"n = {n}, p = {p}", run, exact=True)


def two_rates() -> Iterator[Case]:
    methods = {
        "Newcombe": (intervals.difference, "differences of two rates", lambda p, q: p - q),
        "Koopman": (intervals.quotient, "ratios of two rates", lambda p, q: p / q),
    }
    for (name, (make, used, truth)), (n, m), (p, q) in product(
        methods.items(), ((10, 10), (20, 100), (50, 50), (100, 1000), (500, 500)), ((0.01, 0.01), (0.05, 0.02), (0.1, 0.1), (0.2, 0.5), (0.5, 0.5))
    ):

        def run(
            rng: np.random.Generator, draws: int, make: Any = make, n: int = n, m: int = m, p: float = p, q: float = q, truth: Any = truth
        ) -> Any:
            draw = np.stack([rng.binomial(n, p, draws), rng.binomial(m, q, draws)], axis=1)
            return *counted(draw, lambda a, b: make(Share(a, n), Share(b, m), LEVEL)), truth(p, q)

        yield Case(name, used, f"n = {n} and {m}, p = {p} and {q}", run)


def tables() -> Iterator[Case]:
    """Figures of the four outcomes of a decision."""

    def f1(_tn: int, fp: int, fn: int, tp: int) -> Interval | None:
        return intervals.f1(Share(tp, tp + fp + fn), LEVEL) if tp + fp + fn else None

    def balanced(tn: int, fp: int, fn: int, tp: int) -> Interval | None:
        return intervals.balanced(Share(tp, tp + fn), Share(tn, tn + fp), LEVEL) if tp + fn and tn + fp else None

    def matthews(tn: int, fp: int, fn: int, tp: int) -> Interval | None:
        table = np.array([[tn, fp], [fn, tp]], dtype=float)
        return delta.interval(table, averages.matthews, LEVEL, correlation=True) if table.sum(0).all() and table.sum(1).all() else None

    def cohen(tn: int, fp: int, fn: int, tp: int) -> Interval | None:
        return kappa.kappa(np.array([[tn, fp], [fn, tp]]), np.eye(2), LEVEL)[1]

    def truths(p: Floats) -> dict[str, float]:
        tn, fp, fn, tp = p
        balance = (tp / (tp + fn) + tn / (tn + fp)) / 2
        chance = (tp + fn) * (tp + fp) + (tn + fp) * (tn + fn)
        phi = (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return {"f1": 2 * tp / (2 * tp + fp + fn), "balanced": balance, "matthews": phi, "cohen": (tp + tn - chance) / (1 - chance)}

    methods = (
        ("f1", "Jaccard's interval, transformed", "f1", f1),
        ("balanced", "MOVER", "balanced_accuracy", balanced),
        ("matthews", "delta method, Fisher scale", "mcc", matthews),
        ("cohen", "delta method, Fisher scale", "cohen_kappa, judge_kappa", cohen),
    )
    for (name, method, used, make), n, p, (recall, specificity) in product(
        methods, (10, 50, 200, 1000), (0.05, 0.2, 0.5), ((0.7, 0.8), (0.95, 0.99))
    ):
        shares = np.array([(1 - p) * specificity, (1 - p) * (1 - specificity), p * (1 - recall), p * recall])

        def run(rng: np.random.Generator, draws: int, n: int = n, shares: Floats = shares, make: Any = make, name: str = name) -> Any:
            return *counted(rng.multinomial(n, shares, draws), make), truths(shares)[name]

        yield Case(method, used, f"n = {n}, p = {p}, recall {recall}, specificity {specificity}", run)


def binormal(rng: np.random.Generator, n: int, p: float, shift: float) -> tuple[Floats, Floats]:
    """Labels and true probabilities: normal scores, apart by `shift`."""
    y = rng.random(n) < p
    s = shift * rng.normal(shift * y, 1) - shift**2 / 2 + math.log(p / (1 - p))
    return y, 1 / (1 + np.exp(-s))


def scored(y: Floats, s: Floats) -> scores.Scored:
    order = np.argsort(s)
    positive = y[order].astype(float)
    return scores.Scored(s[order], s[order], (positive, 1 - positive), (positive, 1 - positive), exact=True)


def losses() -> Iterator[Case]:
    kinds = {
        "log_loss": lambda y, s: -np.log(np.where(y, s, 1 - s)),
        "brier": lambda y, s: (y - s) ** 2,
    }
    for (name, loss), n, p, shift in product(kinds.items(), (10, 20, 50, 100, 200, 500, 1000), (0.01, 0.05, 0.1, 0.3, 0.5), (1.0, 2.3)):

        def run(rng: np.random.Generator, draws: int, loss: Any = loss, n: int = n, p: float = p, shift: float = shift) -> Any:
            truth, found = float(np.mean(loss(*binormal(np.random.default_rng(1), 1_000_000, p, shift)))), []
            for _ in range(draws):
                y, s = binormal(rng, n, p, shift)
                if min(y.sum(), n - y.sum()) < scores.FEWEST:
                    found.append(None)
                    continue
                each = (loss(np.ones(n), np.sort(s)), loss(np.zeros(n), np.sort(s)))
                found.append(intervals.mean(*scores.mean_loss(scored(y, s), each), LEVEL))
            return np.ones(draws), *ends(found), truth

        yield Case("Student's t without skewness (Hall)", name, f"n = {n}, p = {p}, shift {shift}", run)


def rankings() -> Iterator[Case]:
    for (m, n), area in product(((3, 30), (5, 45), (25, 25), (10, 490), (100, 100), (50, 950)), (0.64, 0.76, 0.95)):
        shift = float(stats.norm.ppf(area)) * math.sqrt(2)
        y = np.repeat([1, 0], [m, n])

        def auc(rng: np.random.Generator, draws: int, m: int = m, n: int = n, y: Floats = y, shift: float = shift, area: float = area) -> Any:
            found = []
            for _ in range(draws):
                about = scores.area(scored(y, np.concatenate([rng.normal(shift, 1, m), rng.normal(0, 1, n)])))
                found.append(intervals.area(about.value, about.parts, about.sizes, LEVEL))
            return np.ones(draws), *ends(found), area

        def precision(rng: np.random.Generator, draws: int, m: int = m, n: int = n, y: Floats = y, shift: float = shift) -> Any:
            grid = np.linspace(-9, 12, 40_001)
            hits, wrong = m * stats.norm.sf(grid, shift), n * stats.norm.sf(grid)
            truth = float(np.sum(stats.norm.pdf(grid, shift) * hits / (hits + wrong)) * (grid[1] - grid[0]))
            found = []
            for _ in range(draws):
                ranked = scored(y, np.concatenate([rng.normal(shift, 1, m), rng.normal(0, 1, n)]))
                found.append(average_precision.interval(ranked.weights, ranked.squares, LEVEL))
            return np.ones(draws), *ends(found), truth

        yield Case("DeLong, or wider of DeLong (logit) and Newcombe", "auc", f"{m} of {m + n} positive, AUC {area}", auc)
        yield Case("logit, variance from influences", "average_precision", f"{m} of {m + n} positive, AUC {area}", precision)


def errors() -> Iterator[Case]:
    """Means and squares of the errors of a regression; every draw is a group of one sample."""
    draw: dict[str, tuple[Callable[..., Floats], float, float]] = {
        "normal": (lambda rng, size: rng.normal(0, 1, size), math.sqrt(2 / math.pi), 1.0),
        "Laplace": (lambda rng, size: rng.laplace(0, 1, size), 1.0, 2.0),
    }
    for (shape, (law, mae, mse)), n in product(draw.items(), (10, 20, 50, 200, 1000)):

        def absolute(rng: np.random.Generator, draws: int, law: Any = law, mae: float = mae, n: int = n) -> Any:
            return np.ones(draws), *ends(means(np.abs(law(rng, (draws, n))), (0.0, math.inf))), mae

        def squared(rng: np.random.Generator, draws: int, law: Any = law, mse: float = mse, n: int = n) -> Any:
            sample, e = Sample(np.repeat(np.arange(draws), n), draws), law(rng, draws * n)
            spread, carriers = regression.log_variances(sample, e * e, np.ones(draws * n))[0]
            parts = zip(sample.mean(e * e).tolist(), spread.tolist(), carriers.tolist(), strict=True)
            return np.ones(draws), *ends([moments.student_log(value, variance, n, LEVEL, "", most) for value, variance, most in parts]), mse

        def median(rng: np.random.Generator, draws: int, law: Any = law, n: int = n, shape: str = shape) -> Any:
            e, rank = np.sort(np.abs(law(rng, (draws, n)))), regression._rank(n, LEVEL)
            return np.ones(draws), e[:, rank - 1], e[:, n - rank], float(stats.norm.ppf(0.75)) if shape == "normal" else math.log(2)

        yield Case("wider of Student's t and Hall's", "mae, bias and other means of rows without bounds", f"n = {n}, {shape} errors", absolute)
        yield Case("jackknife, Student's t on the log scale", "mse, rmse (and r2)", f"n = {n}, {shape} errors", squared)
        yield Case("order statistics", "median_absolute_error", f"n = {n}, {shape} errors", median)


def means(values: Floats, bounds: tuple[float, float]) -> list[Interval | None]:
    """The interval of the mean of each row, as measures make it."""
    draws, n = values.shape
    return [interval for _, interval in moments.means(Sample(np.repeat(np.arange(draws), n), draws), values.ravel(), LEVEL, "", bounds)]


def bounded() -> Iterator[Case]:
    """Means over queries, samples or images of values between 0 and 1."""
    laws: dict[str, tuple[Callable[..., Floats], float]] = {
        "1 in 50 is 1": (lambda rng, size: (rng.random(size) < 0.02).astype(float), 0.02),
        "nine of ten are 1, the others uniform": (lambda rng, size: np.where(rng.random(size) < 0.9, 1.0, rng.random(size)), 0.95),
        "Beta(8, 2)": (lambda rng, size: rng.beta(8, 2, size), 0.8),
        "Beta(1/2, 1/2)": (lambda rng, size: rng.beta(0.5, 0.5, size), 0.5),
        "1/3, 2/3 or 1": (lambda rng, size: rng.integers(1, 4, size) / 3, 2 / 3),
    }
    for (shape, (law, truth)), n in product(laws.items(), (10, 20, 50, 200, 1000)):

        def run(rng: np.random.Generator, draws: int, law: Any = law, truth: float = truth, n: int = n) -> Any:
            return np.ones(draws), *ends(means(law(rng, (draws, n)), (0.0, 1.0))), truth

        yield Case("Korn-Graubard", "ndcg, pass_at_k, rouge_l and other means between bounds", f"n = {n}, {shape}", run)


def weighted() -> Iterator[Case]:
    for n, p in product((50, 200, 1000), (0.05, 0.2, 0.5)):

        def run(rng: np.random.Generator, draws: int, n: int = n, p: float = p) -> Any:
            found = []
            for _ in range(draws):
                w = rng.lognormal(0, 0.5, n)
                size = w.sum() ** 2 / (w * w).sum()
                found.append(intervals.share(Share(float((w * (rng.random(n) < p)).sum() / w.sum() * size), float(size), weighted=True), LEVEL))
            return np.ones(draws), *ends(found), p

        yield Case("the same, Kish's effective n", "rates of weighted rows", f"n = {n}, p = {p}, weights lognormal(0, .5)", run)


def largest_gaps() -> Iterator[Case]:
    for n, rates in product((20, 100, 500), ((0.2, 0.2), (0.3,) * 5, (0.1, 0.2, 0.3), (0.1,) * 10)):

        def apart(rng: np.random.Generator, draws: int, n: int = n, rates: Any = rates) -> Any:
            draw = (
                np.sort(rng.binomial(n, rates, (draws, len(rates))), axis=1) if len(set(rates)) == 1 else rng.binomial(n, rates, (draws, len(rates)))
            )
            return *counted(draw, lambda *k: gaps.difference([gaps.shares([Share(i, n) for i in k])], LEVEL)), max(rates) - min(rates)

        def ratio(rng: np.random.Generator, draws: int, n: int = n, rates: Any = rates) -> Any:
            draw = (
                np.sort(rng.binomial(n, rates, (draws, len(rates))), axis=1) if len(set(rates)) == 1 else rng.binomial(n, rates, (draws, len(rates)))
            )
            return *counted(draw, lambda *k: gaps.ratio([gaps.shares([Share(i, n) for i in k])], LEVEL)), min(rates) / max(rates)

        said = f"{len(rates)} groups of {n}, p = {', '.join(map(str, sorted(set(rates))))}"
        yield Case("simultaneous Newcombe", "largest gaps", said, apart)
        yield Case("simultaneous Koopman", "smallest ratios", said, ratio)


def others() -> Iterator[Case]:
    for n, strata in product((10, 50), (2, 10)):

        def klingenberg(rng: np.random.Generator, draws: int, n: int = n, strata: int = strata) -> Any:
            base = np.linspace(0.1, 0.5, strata)
            found = []
            for a, b in zip(rng.binomial(n, base + 0.1, (draws, strata)), rng.binomial(2 * n, base, (draws, strata)), strict=True):
                pairs = [(Share(int(x), n), Share(int(y), 2 * n)) for x, y in zip(a, b, strict=True)]
                found.append(stratified.mantel_haenszel(pairs, LEVEL)[1])
            return np.ones(draws), *ends(found), 0.1

        yield Case("Klingenberg", "differences within strata", f"{strata} strata of {n} and {2 * n}", klingenberg)
    for n, shift in product((200, 1000, 5000), (0.0, 0.2)):

        def psi(rng: np.random.Generator, draws: int, n: int = n, shift: float = shift) -> Any:
            edges = stats.norm.ppf(np.arange(1, 10) / 10)
            q = np.diff(np.concatenate([[0], stats.norm.cdf(edges - shift), [1]]))
            truth = float(((q - 0.1) * np.log(q / 0.1)).sum())
            pairs = zip(rng.multinomial(n, [0.1] * 10, draws), rng.multinomial(n, q, draws), strict=True)
            return np.ones(draws), *ends([divergences.stability_interval(a, b, LEVEL) for a, b in pairs]), truth

        yield Case("Sankaran's root of PSI", "psi", f"{n} and {n} rows in deciles, means {shift} apart", psi)


CASES: tuple[Callable[[], Iterator[Case]], ...] = (
    one_rate,
    two_rates,
    tables,
    losses,
    rankings,
    errors,
    bounded,
    weighted,
    largest_gaps,
    others,
    *coverage_units.CASES,
)
LONG = coverage_units.LONG | {
    "log_loss",
    "brier",
    "auc",
    "average_precision",
    "rates of weighted rows",
    "largest gaps",
    "smallest ratios",
    "differences within strata",
}


def every(draws: int) -> list[Found]:
    """All cases; those whose draws are worked one by one take a tenth as many."""
    return [case.simulate(draws // 10 if case.used in LONG else draws) for family in CASES for case in family()]


def page(found: Sequence[Found]) -> str:
    """The page of the guide: a row for each method and figure, with the lowest and the highest coverage of its cases."""
    lines = [HEAD]
    for method, used in dict.fromkeys((item.method, item.used) for item in found):
        own = [item for item in found if (item.method, item.used) == (method, used)]
        given = [item for item in own if item.none < 0.9]
        least = min(given, key=lambda item: item.coverage)
        verdicts = [item.verdict for item in given]
        shares = f"{verdicts.count('95 ± 1')} | {verdicts.count('conservative')} | {verdicts.count('under')}"
        lines.append(
            f"| {method} | {used} | {len(given)} | {least.coverage:.3f} ({least.case}) | {max(item.coverage for item in given):.3f} | {shares} |\n"
        )
    return "".join(lines) + TAIL


HEAD = """# What intervals cover

An interval of 95 % is to hold the truth 95 times in 100. `python -m benchmarks.coverage` tries the methods of factbook on data whose truth is known,
with n = 10 to 1,000 and rates from .01 to .5, exactly where that can be added up, else in simulations; all cases are in `benchmarks/coverage.json`.

*95 ± 1* counts the cases that are within one point, with allowance for the error of the simulation; *conservative* those above: counts are whole
numbers, so that few of them cannot be covered exactly, and where a method has to choose it is the wider interval. *Under* has to be 0.

| method | of | cases | lowest coverage | highest | 95 ± 1 | conservative | under |
|---|---|---|---|---|---|---|---|
"""
TAIL = """
## Where there is no interval

- A log loss or Brier score of fewer than 30 rows, or with fewer than 2 rows of a class: what has not been seen yet weighs most. (With one expected
  positive, Hall's interval holds the mean log loss 69 times in 100.)
- An AUC of a class with one row; an average precision of fewer than two positives, or of a perfect ranking.
- An expected calibration error, and ABROCA: sizes of differences, which chance alone makes larger than 0, so that they are too large in small groups.
- A rate of rows that lie in fewer than ten of the 64 blocks of clusters; an overlap of fewer than two images, or of 0 or 1.
- A mean between no bounds whose values do not vary; a coefficient of annotators who never differ (but Cohen's kappa, which has one).

## What is not promised

Intervals take rows as independent, or as independent between declared clusters. Means of values without bounds are covered for errors as skew as the
exponential distribution; where single rows outweigh all others (a log-normal spread of 1 at n = 10 is covered .89) nothing short of more rows helps.
Ten clusters of unequal size do not tell all of such values either (.92). Attributes, cuts and bins count as given: what was chosen after looking is
not covered. A ratio of two rates needs an event in both; of those that are given in samples of 50 with one event expected, .93 hold the truth.
Gaps over several groups hold together, so that each alone is conservative.

Among 100 slices, or 100 columns, that do not differ, something is said to differ at most 5 times in 100: `python -m benchmarks.families` tries it.
"""


def main(arguments: Sequence[str]) -> int:
    found = every(int(arguments[0]) if arguments else 20_000)
    rows = [asdict(item) | {"verdict": item.verdict} for item in found]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (ROOT / "benchmarks" / "coverage.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    (ROOT / "docs" / "guide" / "coverage.md").write_text(page(found), encoding="utf-8")
    under = [item for item in found if item.verdict == "under"]
    for item in under:
        print(f"{item.method} ({item.used}), {item.case}: {item.coverage:.3f}, none {item.none}")
    return 1 if under else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
