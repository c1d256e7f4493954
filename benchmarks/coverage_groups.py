"""Cases of coverage of what is said of scores, classes and errors in groups: calibration, averages over classes, inequality, differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.simulation import LEVEL, Case, Floats, ends
from factbook.engines.tallies import CLUSTER_BLOCKS, TENTHS
from factbook.measures import cluster_scores, curves, group_errors, group_scores, inequality, multiclass, quantities, scores
from factbook.measures.binary import Counts
from factbook.measures.cluster_scores import Spread
from factbook.measures.group_scores import Group
from factbook.measures.influence import ratio
from factbook.measures.multiclass import Confusion
from factbook.statistics import absolute, averages, delta, gaps, intervals, moments, paired, two_rates
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import Sample


def probabilities(rng: np.random.Generator, n: int, p: float, off: float = 0.0) -> tuple[Floats, Floats]:
    """Labels, and their probabilities by binormal scores, moved by `off` on the logit scale."""
    y = rng.random(n) < p
    logit = 1.5 * rng.normal(1.5 * y, 1) - 1.5**2 / 2 + math.log(p / (1 - p))
    return y, 1 / (1 + np.exp(-logit - off))


def scored(y: Floats, s: Floats) -> scores.Scored:
    order = np.argsort(s)
    weights = y[order].astype(float), 1 - y[order].astype(float)
    return scores.Scored(s[order], s[order], weights, weights, exact=True)


class Kept:
    """An answer that keeps intervals."""

    level = LEVEL

    def __init__(self) -> None:
        self.metrics = {metric.name: metric for metric in curves.METRICS}
        self.found: dict[str, Interval | None] = {}

    def add(self, name: str, _value: object, *, interval: Interval | None = None, **_given: object) -> None:
        self.found[name] = interval


def place(own: scores.Scored) -> curves.Place:
    """A slice as the curves see it."""
    positive, negative = (int(part.sum()) for part in own.weights)
    return curves.Place((), Counts((negative, 0, 0, positive)), own, None, narrow=False)


@cache
def skill(p: float) -> float:
    y, s = probabilities(np.random.default_rng(1), 1_000_000, p)
    return float(1 - np.mean((y - s) ** 2) / (p * (1 - p)))


def calibrations() -> Iterator[Case]:
    makers: dict[str, Callable[[Any, Any], None]] = {
        "calibration_in_the_large": curves._add_large,
        "calibration_slope": curves._add_regressions,
        "calibration_intercept": curves._add_regressions,
        "brier_skill": lambda answer, at: curves._add_murphy(answer, at, np.searchsorted(TENTHS, at.scored.middle)),
    }
    for (name, make), n, p in product(makers.items(), (30, 50, 200, 1000), (0.02, 0.1, 0.3)):

        def run(rng: np.random.Generator, draws: int, name: str = name, make: Any = make, n: int = n, p: float = p) -> Any:
            found: list[Interval | None] = []
            for _ in range(draws):
                kept, (y, s) = Kept(), probabilities(rng, n, p)
                if 0 < y.sum() < n:
                    make(kept, place(scored(y, s)))
                found.append(kept.found.get(name))
            return np.ones(draws), *ends(found), {"calibration_slope": 1.0, "brier_skill": skill(p)}.get(name, 0.0)

        yield Case("linearised, hull of Student's t and Hall's", name, f"n = {n}, p = {p}", run)


def binned(y: Floats, s: Floats) -> absolute.Bins:
    one = np.ones(len(y))
    return absolute.Bins.of(s, TENTHS, (one * y, one * ~y), (one * y, one * ~y))


@cache
def off_by(p: float, off: float) -> float:
    return binned(*probabilities(np.random.default_rng(1), 2_000_000, p, off)).error


def norms() -> Iterator[Case]:
    for n, p, off in product((10, 50, 200, 1000), (0.01, 0.3), (0.0, 0.7, 3.0)):

        def error(rng: np.random.Generator, draws: int, n: int = n, p: float = p, off: float = off) -> Any:
            found = [absolute.calibration(binned(*probabilities(rng, n, p, off)), n, LEVEL) for _ in range(draws)]
            return np.ones(draws), *ends(found), off_by(p, off)

        said = "true probabilities" if not off else f"{off} too high on the logit scale"
        yield Case("norm of the bins' differences", "ece of groups", f"n = {n}, p = {p}, {said}", error)
    for sizes, shifts in product((((5, 15), (50, 150)), ((10, 90), (10, 90)), ((50, 450), (500, 4500))), ((1.0, 1.0), (0.5, 1.5), (2.5, 2.5))):
        said = f"{sizes[0][0]} of {sum(sizes[0])} and {sizes[1][0]} of {sum(sizes[1])} positive, shifts {shifts[0]} and {shifts[1]}"

        def between(rng: np.random.Generator, draws: int, sizes: Any = sizes, shifts: Any = shifts) -> Any:
            found = []
            for _ in range(draws):
                a, b = (ranked(rng, m, n, shift) for (m, n), shift in zip(sizes, shifts, strict=True))
                found.append(absolute.between_curves(group_scores.abroca(a.scored, b.scored), a.curve, b.curve, LEVEL))
            grid = np.linspace(0, 1, 20_001)
            first, second = (stats.norm.sf(stats.norm.isf(grid) - shift) for shift in shifts)
            return np.ones(draws), *ends(found), float(np.abs(first - second).mean())

        yield Case("norm of the curves' errors", "abroca", said, between)


def ranked(rng: np.random.Generator, m: int, n: int, shift: float) -> Group:
    y = np.repeat([True, False], [m, n])
    own = scored(y, np.concatenate([rng.normal(shift, 1, m), rng.normal(0, 1, n)]))
    return Group(own, place(own).counts)


def areas() -> Iterator[Case]:
    for sizes, shifts in product((((5, 45), (50, 450)), ((25, 25), (25, 25)), ((10, 990), (100, 9900))), ((1.0, 1.0), (0.5, 2.0))):

        def apart(rng: np.random.Generator, draws: int, sizes: Any = sizes, shifts: Any = shifts) -> Any:
            found = []
            for _ in range(draws):
                a, b = (ranked(rng, m, n, shift) for (m, n), shift in zip(sizes, shifts, strict=True))
                assert a.area is not None
                assert b.area is not None
                found.append(group_scores._apart(a.area_interval(LEVEL), a.area.value, b.area_interval(LEVEL), b.area.value))
            return np.ones(draws), *ends(found), float(np.subtract(*(stats.norm.cdf(shift / math.sqrt(2)) for shift in shifts)))

        said = f"{sizes[0][0]} of {sum(sizes[0])} and {sizes[1][0]} of {sum(sizes[1])} positive, shifts {shifts[0]} and {shifts[1]}"
        yield Case("MOVER of the areas' intervals", "auc_difference of groups, and in time", said, apart)
    for (m, n), shifts in product(((10, 40), (50, 450)), ((1.0,) * 4, (0.5, 1.0, 1.5))):

        def gap(rng: np.random.Generator, draws: int, m: int = m, n: int = n, shifts: Any = shifts) -> Any:
            found = []
            for _ in range(draws):
                groups = [ranked(rng, m, n, shift) for shift in shifts]
                values = np.array([group.area.value for group in groups if group.area])
                found.append(group_scores._gap(groups, values, "auc_gap", LEVEL))
            truth = [float(stats.norm.cdf(shift / math.sqrt(2))) for shift in shifts]
            return np.ones(draws), *ends(found), max(truth) - min(truth)

        yield Case("simultaneous MOVER", "auc_gap", f"{m} of {m + n} positive, shifts {', '.join(map(str, shifts))}", gap)


def averaged() -> Iterator[Case]:
    """Averages over three classes, which are told apart in `right` of the rows."""
    shares = np.array([0.6, 0.3, 0.1])
    for n, right, kind, name in product((10, 50, 200, 1000), (0.6, 0.9), ("macro", "weighted"), ("precision", "recall", "f1")):
        table = (np.eye(3) * right + (1 - right) / 3) * shares[:, None]

        def average(rng: np.random.Generator, draws: int, n: int = n, table: Floats = table, kind: str = kind, name: str = name) -> Any:
            tables, times = np.unique(rng.multinomial(n, table.ravel(), draws), axis=0, return_counts=True)
            found = [multiclass.average_interval(Confusion(("a", "b", "c"), own.reshape(3, 3), None, 0, n), name, LEVEL, kind) for own in tables]
            truth = averages.average(name, kind)(table)
            assert truth is not None
            return times.astype(float), *ends(found), truth.value

        yield Case("MOVER, delta method, or average of the classes'", f"{kind} {name}", f"n = {n}, {right:.0%} told apart", average)
    for n, right, (name, figure) in product((20, 200), (0.6, 0.9), (("cohen_kappa", averages.kappa), ("mcc", averages.matthews))):
        table = (np.eye(3) * right + (1 - right) / 3) * shares[:, None]

        def correlation(rng: np.random.Generator, draws: int, n: int = n, table: Floats = table, figure: Any = figure) -> Any:
            tables, times = np.unique(rng.multinomial(n, table.ravel(), draws), axis=0, return_counts=True)
            found = []
            for own in tables:
                there = (own.reshape(3, 3).sum(0) + own.reshape(3, 3).sum(1)) > 0
                occurring = own.reshape(3, 3)[np.ix_(there, there)].astype(float)
                found.append(delta.interval(occurring, figure, LEVEL, correlation=True) if figure(occurring) is not None else None)
            return times.astype(float), *ends(found), figure(table).value

        yield Case("delta method, Fisher scale", f"{name} of three classes", f"n = {n}, {right:.0%} told apart", correlation)


def benefits() -> Iterator[Case]:
    indices = {"generalised_entropy": inequality.entropy, "theil": inequality.theil}
    for (name, index), n, (low, high) in product(indices.items(), (10, 50, 500), ((0.01, 0.01), (0.05, 0.1), (0.1, 0.3), (0.3, 0.1), (0.4, 0.4))):

        def run(rng: np.random.Generator, draws: int, index: Any = index, n: int = n, low: float = low, high: float = high) -> Any:
            tables, times = np.unique(rng.multinomial(n, [low, high, 1 - low - high], draws), axis=0, return_counts=True)
            found = [inequality.interval(index, Share(a, n), Share(b, n), LEVEL) if a < n else None for a, b, _ in tables.tolist()]
            return times.astype(float), *ends(found), index(low, high)[0]

        yield Case("delta method, log scale and two more rows", name, f"n = {n}, {low} missed, {high} favoured", run)


def numbers() -> Iterator[Case]:
    """Errors of two groups, one with errors half as large again."""
    laws: dict[str, tuple[Callable[..., Floats], float]] = {
        "normal": (lambda rng, size: rng.normal(0, 1, size), math.sqrt(2 / math.pi)),
        "Laplace": (lambda rng, size: rng.laplace(0, 1, size), 1.0),
    }
    for (n, m), (shape, (law, mae)), name in product(((10, 10), (10, 200), (50, 50), (500, 500)), laws.items(), ("mae", "rmse")):
        size = mae if name == "mae" else 1.0 if shape == "normal" else math.sqrt(2)

        def both(rng: np.random.Generator, draws: int, name: str, n: int = n, m: int = m, law: Any = law) -> Iterator[Any]:
            e = np.concatenate([1.5 * law(rng, (draws, n)), law(rng, (draws, m))], axis=1).ravel()
            index = np.tile(np.repeat([0, 1], [n, m]), draws) + 2 * np.repeat(np.arange(draws), n + m)
            rows: Any = SimpleNamespace(numbers={"label": np.zeros(len(e)), "prediction": e})
            figure = group_errors._figures(rows, Sample(index, 2 * draws))[name]
            for i in range(0, 2 * draws, 2):
                own, base = (figure.interval(j, LEVEL) for j in (i, i + 1))
                assert own is not None
                assert base is not None
                yield float(figure.value[i]), own, float(figure.value[i + 1]), base

        def apart(rng: np.random.Generator, draws: int, both: Any = both, name: str = name, size: float = size) -> Any:
            return np.ones(draws), *ends([two_rates.mover(*pair) for pair in both(rng, draws, name)]), size / 2

        def quotient(rng: np.random.Generator, draws: int, both: Any = both, name: str = name) -> Any:
            return np.ones(draws), *ends([group_errors._quotient(*pair) for pair in both(rng, draws, name)]), 1.5

        yield Case("MOVER of both intervals", f"{name}_difference of groups", f"{n} and {m} rows, {shape} errors", apart)
        yield Case("MOVER, log scale", f"{name}_ratio of groups", f"{n} and {m} rows, {shape} errors", quotient)
    for n, count in product((10, 100), (2, 8)):

        def gap(rng: np.random.Generator, draws: int, n: int = n, count: int = count) -> Any:
            found = []
            for _ in range(draws):
                rows: Any = SimpleNamespace(numbers={"label": np.zeros(n * count), "prediction": rng.normal(0, 1, n * count)})
                figure = group_errors._figures(rows, Sample(np.repeat(np.arange(count), n), count))["mae"]
                estimates = group_errors._estimates(figure, list(range(count)), LEVEL, log=False)
                assert estimates is not None
                found.append(gaps.difference([estimates], LEVEL))
            return np.ones(draws), *ends(found), 0.0

        yield Case("simultaneous MOVER", "mae_gap", f"{count} groups of {n}, alike", gap)


def blocked(rng: np.random.Generator, size: int, p: float) -> tuple[scores.Scored, Spread]:
    """Scores of clusters of 1 to 9 rows that vary together, as the tally knows them."""
    unit = np.repeat(np.arange(size), rng.integers(1, 10, size))
    y = rng.random(len(unit)) < p
    logit = 1.5 * (rng.normal(0, 0.7, size)[unit] + rng.normal(1.5 * y, math.sqrt(0.51))) - 1.5**2 / 2 + math.log(p / (1 - p))
    own = scored(y, 1 / (1 + np.exp(-logit)))
    order = np.argsort(logit)
    spread = Spread(np.arange(len(unit)), y[order].astype(np.int64), rng.integers(0, CLUSTER_BLOCKS, size)[unit][order], np.ones(len(unit)))
    return own, spread


@cache
def of_all(p: float) -> dict[str, float]:
    own, _ = blocked(np.random.default_rng(1), 200_000, p)
    return {
        "auc": scores.area(own).value,
        "average_precision": scores.average_precision(own)[0],
        "brier": scores.mean_loss(own, scores.squared_losses(own.middle))[0],
        "log_loss": scores.mean_loss(own, scores.log_losses(own.middle))[0],
    }


def scores_of_clusters() -> Iterator[Case]:
    for name, size, p in product(("auc", "average_precision", "brier", "log_loss"), (20, 50, 200, 1000), (0.1, 0.4)):

        def run(rng: np.random.Generator, draws: int, name: str = name, size: int = size, p: float = p) -> Any:
            found = []
            for _ in range(draws):
                interval = cluster_scores._intervals(*blocked(rng, size, p), LEVEL).get(name)
                found.append(interval if isinstance(interval, Interval) else None)
            return np.ones(draws), *ends(found), of_all(p)[name]

        yield Case("Student's t over blocks of clusters", f"{name} of clustered rows", f"{size} clusters, p = {p}", run)


def positions() -> Iterator[Case]:
    for n, q in product((10, 50, 200, 1000), (0.5, 0.9, 0.99)):

        def quantile(rng: np.random.Generator, draws: int, n: int = n, q: float = q) -> Any:
            values = rng.random((draws, n))
            return np.ones(draws), *ends([quantities._interval(own, np.sort(own), q, Sample.whole(n), LEVEL) for own in values]), q

        yield Case("order statistics (Woodruff)", "quantity_quantile", f"n = {n}, q = {q}", quantile)
    for n, top in product((50, 200, 1000), (0.1, 0.5)):

        def gains(rng: np.random.Generator, draws: int, n: int = n, top: float = top) -> Any:
            found = []
            for _ in range(draws):
                kept, (y, s) = Kept(), probabilities(rng, n, 0.2)
                at, name = place(scored(y, s)), f"{top:g}"
                rows = np.concatenate([[0.0], np.arange(1, n + 1)]) / n
                hits = np.concatenate([[0.0], np.cumsum(at.positive[::-1])]) / at.positive.sum()
                share = curves._among_positives(at, float(np.interp(top, rows, hits)), rows, name, LEVEL)
                found.append(intervals.share(share, kept.level))
            y, s = probabilities(np.random.default_rng(1), 1_000_000, 0.2)
            return np.ones(draws), *ends(found), float(y[s > np.quantile(s, 1 - top)].sum() / y.sum())

        yield Case("that of recall, the cut taken as given", "gains, lift", f"n = {n}, top {top:.0%}", gains)


def sums() -> Iterator[Case]:
    for n, p in product((10, 50, 200), (0.5, 0.95)):

        def support(rng: np.random.Generator, draws: int, n: int = n, p: float = p) -> Any:
            found = []
            for _ in range(draws):
                claims = 1 + rng.poisson(3, n)
                estimate = ratio(rng.binomial(claims, rng.beta(4 * p, 4 * (1 - p), n)).astype(float), claims.astype(float))
                assert estimate is not None
                variance = float((estimate.influence**2).sum()) * n / (n - 1)
                found.append(moments.student(estimate.value, variance, n, LEVEL, "", (0.0, 1.0)))
            return np.ones(draws), *ends(found), p

        yield Case("Korn-Graubard, linearised", "claim_support", f"{n} outputs, {p} supported", support)
    for size, shape in product((10, 20, 50), ("normal", "exponential")):

        def mean(rng: np.random.Generator, draws: int, size: int = size, shape: str = shape) -> Any:
            found = []
            law = rng.standard_normal if shape == "normal" else rng.standard_exponential
            for _ in range(draws):
                unit = np.repeat(np.arange(size), rng.integers(1, 10, size))
                found.append(paired.mean((law(size)[unit] + law(len(unit))) / 2, None, unit, LEVEL).interval)
            return np.ones(draws), *ends(found), float(shape == "exponential")

        yield Case("paired means, over clusters", "differences of losses of two models, clustered rows", f"{size} clusters, {shape}", mean)


CASES: tuple[Callable[[], Iterator[Case]], ...] = (
    calibrations,
    norms,
    areas,
    averaged,
    benefits,
    numbers,
    scores_of_clusters,
    positions,
    sums,
)
PARTS = {
    **dict.fromkeys(("calibration_in_the_large", "calibration_slope", "calibration_intercept", "brier_skill", "gains, lift"), 20),
    **dict.fromkeys(("ece of groups", "auc_difference of groups, and in time", "auc_gap", "mae_gap"), 20),
    "abroca": 80,
    **{f"{name} of clustered rows": 20 for name in ("auc", "average_precision", "brier", "log_loss")},
    **{f"{name}_{kind} of groups": 5 for name in ("mae", "rmse") for kind in ("difference", "ratio")},
    **{f"{kind} {name}": 10 for kind in ("macro", "weighted") for name in ("precision", "recall", "f1")},
    **dict.fromkeys(("cohen_kappa of three classes", "mcc of three classes"), 10),
    **dict.fromkeys(("generalised_entropy", "theil", "quantity_quantile", "claim_support"), 5),
    "differences of losses of two models, clustered rows": 10,
}
