"""How often each interval holds the truth: exactly where that can be added up, else in simulations with a fixed seed.

    python -m benchmarks.coverage [DRAWS [PROCESSES]]

writes benchmarks/coverage.json and the page docs/guide/coverage.md. A case is a way to draw data with a known truth and the function of factbook that
makes an interval of it. Where a function gives none, the fact has no interval and says why; the column `none` says how often, and coverage is
among the intervals that are given.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks import coverage_groups, coverage_units
from benchmarks.simulation import LEVEL, Case, Floats, Found, counted, ends, outcomes
from factbook.measures import divergences, regression, residuals, scores, stratified
from factbook.statistics import average_precision, averages, delta, gaps, intervals, kappa, moments, two_rates
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


PAIRS = ((10, 10), (15, 60), (20, 100), (50, 50), (10, 2000), (50, 500), (200, 200))
RATE_PAIRS = ((0.01, 0.01), (0.05, 0.02), (0.02, 0.05), (0.1, 0.1), (0.2, 0.5), (0.5, 0.5), (0.01, 0.9))


def compared(a: int, n: int, b: int, m: int) -> Interval:
    return two_rates.difference(Share(a, n), Share(b, m), LEVEL)


def divided(a: int, n: int, b: int, m: int) -> Interval:
    """As facts state it: without an event in the second group the ratio is at least so much, without any nothing is said."""
    found = two_rates.quotient(Share(a, n), Share(b, m), LEVEL)
    if found is not None:
        return found
    return Interval(two_rates.least(Share(a, n), Share(b, m), LEVEL) if a else 0.0, math.inf, "")


def pairs_of_rates() -> Iterator[Case]:
    methods = {
        "Newcombe, below 10 events exact limits": (compared, "differences of two rates", lambda p, q: p - q),
        "Koopman, below 10 events corrected": (divided, "ratios of two rates", lambda p, q: p / q),
    }
    for (name, (make, used, truth)), (n, m), (p, q) in product(methods.items(), PAIRS, RATE_PAIRS):

        def run(
            _rng: np.random.Generator, _draws: int, make: Any = make, n: int = n, m: int = m, p: float = p, q: float = q, truth: Any = truth
        ) -> Any:
            rows, weight = outcomes(stats.binom.pmf(np.arange(n + 1), n, p), stats.binom.pmf(np.arange(m + 1), m, q))
            return weight, *ends([make(a, n, b, m) for a, b in rows.tolist()]), truth(p, q)

        yield Case(name, used, f"n = {n} and {m}, p = {p} and {q}", run, exact=True)


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


def binormal(rng: np.random.Generator, n: int | tuple[int, int], p: float, shift: float) -> tuple[Floats, Floats]:
    """Labels and true probabilities: normal scores, apart by `shift`."""
    y = rng.random(n) < p
    s = shift * rng.normal(shift * y, 1) - shift**2 / 2 + math.log(p / (1 - p))
    return y, 1 / (1 + np.exp(-s))


def scored(y: Floats, s: Floats) -> scores.Scored:
    order = np.argsort(s)
    positive = y[order].astype(float)
    return scores.Scored(s[order], s[order], (positive, 1 - positive), (positive, 1 - positive), exact=True)


LOSSES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "log_loss": lambda y, s: -np.log(np.where(y, s, 1 - s)),
    "brier": lambda y, s: (y - s) ** 2,
}


@cache
def lost(name: str, p: float, shift: float) -> float:
    return float(np.mean(LOSSES[name](*binormal(np.random.default_rng(1), 1_000_000, p, shift))))


def losses() -> Iterator[Case]:
    """The moments of the losses as `scores.mean_loss` takes them, of 500 samples at once."""
    for name, n, p, shift in product(LOSSES, (10, 20, 50, 100, 200, 500, 1000), (0.01, 0.05, 0.1, 0.3, 0.5), (1.0, 2.3)):

        def run(rng: np.random.Generator, draws: int, name: str = name, n: int = n, p: float = p, shift: float = shift) -> Any:
            found: list[Interval | None] = []
            for start in range(0, draws, 500):
                y, s = binormal(rng, (min(500, draws - start), n), p, shift)
                each, positive = LOSSES[name](y, s), y.sum(axis=1)
                value = each.mean(axis=1)
                spread, third = (((each - value[:, None]) ** power).mean(axis=1) for power in (2, 3))
                parts = zip(np.minimum(positive, n - positive), value, spread * n / (n - 1), third / np.maximum(spread, 1e-300) ** 1.5, strict=True)
                found += [None if few < scores.FEWEST else intervals.mean(*map(float, item), n, LEVEL) for few, *item in parts]
            return np.ones(draws), *ends(found), lost(name, p, shift)

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
            e, rank = np.sort(np.abs(law(rng, (draws, n)))), residuals.median_rank(n, LEVEL)
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


def effective(rng: np.random.Generator, n: int, p: float) -> Share:
    """The share of events among rows with unequal weights."""
    w = rng.lognormal(0, 0.5, n)
    size = w.sum() ** 2 / (w * w).sum()
    return Share(float((w * (rng.random(n) < p)).sum() / w.sum() * size), float(size), weighted=True)


def weighted() -> Iterator[Case]:
    for n, p in product((10, 50, 200, 1000), (0.01, 0.05, 0.2, 0.5)):

        def run(rng: np.random.Generator, draws: int, n: int = n, p: float = p) -> Any:
            return np.ones(draws), *ends([intervals.share(effective(rng, n, p), LEVEL) for _ in range(draws)]), p

        def apart(rng: np.random.Generator, draws: int, n: int = n, p: float = p) -> Any:
            found = [two_rates.difference(effective(rng, n, p), effective(rng, 200, 0.1), LEVEL) for _ in range(draws)]
            return np.ones(draws), *ends(found), p - 0.1

        def ratio(rng: np.random.Generator, draws: int, n: int = n, p: float = p) -> Any:
            found = [two_rates.quotient(effective(rng, n, p), effective(rng, 200, 0.1), LEVEL) for _ in range(draws)]
            return np.ones(draws), *ends(found), p / 0.1

        said = f"n = {n}, p = {p}, weights lognormal(0, .5)"
        yield Case("the same, Kish's effective n", "rates of weighted rows", said, run)
        yield Case("the same, Kish's effective n", "differences of rates of weighted rows", f"{said}; 200, p = 0.1", apart)
        yield Case("the same, Kish's effective n", "ratios of rates of weighted rows", f"{said}; 200, p = 0.1", ratio)


def largest_gaps() -> Iterator[Case]:
    plain = product((20, 100, 500), ((0.2, 0.2), (0.3,) * 5, (0.1, 0.2, 0.3), (0.1,) * 10))
    rare = (((20,) * 3, (0.01,) * 3), ((10, 30, 1000), (0.05, 0.02, 0.02)), ((10, 50, 500, 1000), (0.2, 0.2, 0.25, 0.3)), ((100,) * 10, (0.01,) * 10))
    for sizes, rates in (*(((n,) * len(rates), rates) for n, rates in plain), *rare):
        alike = len(set(zip(sizes, rates, strict=True))) == 1

        def run(rng: np.random.Generator, draws: int, make: Any, sizes: Any = sizes, rates: Any = rates, alike: bool = alike) -> Any:
            draw = rng.binomial(sizes, rates, (draws, len(rates)))
            draw = np.sort(draw, axis=1) if alike else draw
            return counted(draw, lambda *k: make([gaps.shares([Share(i, n) for i, n in zip(k, sizes, strict=True)])], LEVEL))

        def apart(rng: np.random.Generator, draws: int, run: Any = run, rates: Any = rates) -> Any:
            return *run(rng, draws, gaps.difference), max(rates) - min(rates)

        def ratio(rng: np.random.Generator, draws: int, run: Any = run, rates: Any = rates) -> Any:
            return *run(rng, draws, gaps.ratio), min(rates) / max(rates)

        said = f"{len(rates)} groups of {', '.join(map(str, sorted(set(sizes))))}, p = {', '.join(map(str, sorted(set(rates))))}"
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
    pairs_of_rates,
    tables,
    losses,
    rankings,
    errors,
    bounded,
    weighted,
    largest_gaps,
    others,
    *coverage_units.CASES,
    *coverage_groups.CASES,
)
PARTS = (
    coverage_units.PARTS
    | coverage_groups.PARTS
    | {
        "log_loss": 8,
        "brier": 8,
        **dict.fromkeys(("mae, bias and other means of rows without bounds", "mse, rmse (and r2)", "r2"), 2),
        "ndcg, pass_at_k, rouge_l and other means between bounds": 2,
        "auc": 5,
        "average_precision": 5,
        "rates of weighted rows": 10,
        "differences of rates of weighted rows": 10,
        "ratios of rates of weighted rows": 10,
        "largest gaps": 20,
        "smallest ratios": 20,
        "differences within strata": 10,
    }
)
"""By how much the draws are divided of what is worked one by one."""


def tried(place: tuple[int, int], draws: int) -> Found:
    """One case, by its family and its place there; cases themselves do not travel between processes."""
    case = list(CASES[place[0]]())[place[1]]
    return case.simulate(draws // PARTS.get(case.used, 1))


def every(draws: int, processes: int = 1) -> list[Found]:
    """All cases; each has its own seed, so that it does not matter where it is worked."""
    places = [(i, j) for i, family in enumerate(CASES) for j, _ in enumerate(family())]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(tried, draws=draws), places, chunksize=4))


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
with n = 10 to 2,000 and rates from .01 to .9, exactly where that can be added up, else in simulations; all cases are in `benchmarks/coverage.json`.

*95 ± 1* counts the cases that are within one point, with allowance for the error of the simulation; *conservative* those above: counts are whole
numbers, so that few of them cannot be covered exactly, and where a method has to choose it is the wider interval. *Under* has to be 0.

| method | of | cases | lowest coverage | highest | 95 ± 1 | conservative | under |
|---|---|---|---|---|---|---|---|
"""
TAIL = """
Of rates, differences and ratios the coverage is over all samples. A ratio whose reference group has no event is undefined, and its reason says how
large the ratio is at least: such a sample counts as covered where that is true. (Of two groups without events nothing is said, which is true.) Among
finite intervals alone no method can promise it: the rarer the events of the reference group, the more those that came overstate its rate. Of the
other figures the coverage is among the samples that have an interval.

## Where there is no interval

- A log loss or Brier score of fewer than 30 rows, or with fewer than 2 rows of a class: what has not been seen yet weighs most. (With one expected
  positive, Hall's interval holds the mean log loss 69 times in 100.) Calibration in the large, slope, intercept and Brier skill likewise with fewer
  than 2 rows of a class.
- An AUC of a class with one row; an average precision of fewer than two positives, or of a perfect ranking.
- Distances that chance alone makes larger than 0 and for which no interval is known here: the reliability and resolution of a Brier score over
  tenths, distances of distributions of predictions, dissimilarity, inequality between groups.
- A rate of rows that lie in fewer than ten of the 64 blocks of clusters; an overlap of fewer than two images, or of 0 or 1.
- A mean between no bounds whose values do not vary; a coefficient of annotators who never differ (but Cohen's kappa, which has one).
- A quantile whose interval would reach beyond the largest or smallest value: that of the median needs 8 rows, of the .9-quantile 38, of the
  .99-quantile 382.
- Points of ROC and precision-recall curves; rates at declared thresholds have one.

## Calibration errors and areas between curves

An expected calibration error, and the area between two ROC curves (ABROCA), are sizes of differences: their estimates are too large, in small groups
many times so, and bootstrapping them doubles that. Where groups are compared they have intervals all the same: what chance adds is no more than the
size of the error itself, whose distribution is known. Such an interval reaches down to 0 where chance alone would give what is seen. It is not
centred at the estimate, and holds the truth more often than it says.

## What is not promised

Intervals take rows as independent, or as independent between declared clusters. Means of values without bounds are covered for errors as skew as the
exponential distribution, of rows and of clusters, ten of them or more; where single rows outweigh all others (a log-normal spread of 1 at n = 10 is
covered .89) nothing short of more rows helps. Pearson's correlation is covered for columns that are normal together (of log-normal ones .70 to .87,
where Spearman's has .96). Attributes, cuts and bins count as given: what was chosen after looking is not covered. Folds of a cross-validation share
rows they learn from; Nadeau and Bengio's correction for that is a rule of thumb. Gaps over several groups hold together, so that each alone is
conservative.

Among 100 slices, or 100 columns, that do not differ, something is said to differ at most 5 times in 100: `python -m benchmarks.families` tries it.
That two rates differ by less than a margin, where they differ by just as much, is claimed in 3 samples of 100 at most (nominally 2.5).
"""


def main(arguments: Sequence[str]) -> int:
    numbers = [int(argument) for argument in arguments]
    found = every(*(numbers or [20_000]))
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
