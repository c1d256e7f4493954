"""Cases of coverage in which items with several annotators, images, clusters of rows, pairs of models or two samples vary."""

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
from factbook.engines.sketches import numbers_of
from factbook.measures import agreement, boxes, clusters, divergences, influence, regression
from factbook.measures.divergences import Bounded
from factbook.statistics import dependence, intervals, kappa, moments, paired
from factbook.statistics.moments import Sample

BLOCKS = 64


def ratings(rng: np.random.Generator, n: int, care: float, missing: float, raters: int = 3) -> Any:
    """Items of three ordered classes, which each annotator names with probability `care`, else at random."""
    truth = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    seen = np.where(rng.random((n, raters)) < care, truth[:, None], rng.integers(0, 3, (n, raters)))
    codes = np.where(rng.random((n, raters)) < missing, -1, seen)
    return codes[(codes >= 0).sum(axis=1) >= 2]


@cache
def agreed(scale: str, care: float, missing: float) -> float:
    """Krippendorff's alpha of very many items (without missing ratings also Fleiss' kappa)."""
    codes = ratings(np.random.default_rng(1), 400_000, care, missing)
    value, _ = agreement._alpha(agreement.patterns(agreement.Ratings(codes, np.arange(3.0), scale))[0], LEVEL)
    assert value is not None
    return value


def annotators() -> Iterator[Case]:
    for (scale, missing), n, care in product(
        (("nominal", 0.0), ("nominal", 0.3), ("ordinal", 0.0), ("interval", 0.0)), (10, 20, 50, 200), (0.5, 0.9)
    ):

        def alpha(rng: np.random.Generator, draws: int, n: int = n, care: float = care, scale: str = scale, missing: float = missing) -> Any:
            found = []
            for _ in range(draws):
                own = agreement.Ratings(ratings(rng, n, care, missing), np.arange(3.0), scale)
                found.append(agreement._alpha(agreement.patterns(own)[0], LEVEL)[1])
            return np.ones(draws), *ends(found), agreed(scale, care, missing)

        said = f"{n} items, {scale}, annotators sure in {care:.0%}" + (f", {missing:.0%} missing" if missing else "")
        yield Case("jackknife over items, Fisher's z", "krippendorff_alpha", said, alpha)
        if scale == "nominal" and not missing:

            def fleiss(rng: np.random.Generator, draws: int, n: int = n, care: float = care) -> Any:
                own = [agreement.Ratings(ratings(rng, n, care, 0.0), np.arange(3.0), "nominal") for _ in range(draws)]
                return np.ones(draws), *ends([agreement._fleiss(item, LEVEL)[1] for item in own]), agreed("nominal", care, 0.0)

            yield Case("jackknife over items, Fisher's z", "fleiss_kappa", said, fleiss)
        if scale == "interval":

            def weighted(rng: np.random.Generator, draws: int, n: int = n, care: float = care) -> Any:
                found, weights = [], kappa.quadratic(np.arange(3.0))
                for _ in range(draws):
                    codes = ratings(rng, n, care, 0.0, raters=2)
                    table = np.bincount(codes[:, 0] * 3 + codes[:, 1], minlength=9).reshape(3, 3)
                    found.append(kappa.kappa(table, weights, LEVEL)[1])
                return np.ones(draws), *ends(found), agreed("interval", care, 0.0)

            yield Case("delta method, Fisher scale", "weighted_kappa", said, weighted)


ALONE: Any = SimpleNamespace(clusters=None)


def objects(rng: np.random.Generator, n: int, found: float, wrong: float) -> tuple[Floats, Floats, Floats]:
    """Detections by falling score, whether each is right, their images, and the objects of every image."""
    held = 1 + rng.poisson(2, n)
    right, false = rng.binomial(held, found), rng.poisson(wrong, n)
    image = np.concatenate([np.repeat(np.arange(n), right), np.repeat(np.arange(n), false)])
    hit = np.arange(len(image)) < right.sum()
    order = np.argsort(-np.where(hit, rng.beta(4, 2, len(image)), rng.beta(2, 4, len(image))))
    return hit[order], image[order], held


@cache
def precise(found: float, wrong: float) -> float:
    return boxes.average_precision(*objects(np.random.default_rng(1), 40_000, found, wrong)).value


def segments(rng: np.random.Generator, n: int, quality: tuple[float, float]) -> tuple[Floats, Floats]:
    """Pixels that are hit, and those of truth or prediction, of every image."""
    whole = np.ceil(rng.lognormal(8, 0.7, n))
    return np.floor(whole * rng.beta(*quality, n)), whole


def images() -> Iterator[Case]:
    for n, (found, wrong) in product((10, 20, 50, 200), ((0.9, 0.3), (0.6, 1.0), (0.3, 3.0))):

        def precision(rng: np.random.Generator, draws: int, n: int = n, found: float = found, wrong: float = wrong) -> Any:
            made = [boxes.average_precision(*objects(rng, n, found, wrong)) for _ in range(draws)]
            return np.ones(draws), *ends([influence.interval(item, ALONE, np.ones(n, dtype=bool), LEVEL) for item in made]), precise(found, wrong)

        said = f"{n} images, {found:.0%} of objects found, {wrong} false alarms an image"
        yield Case("infinitesimal jackknife, logit scale", "average_precision (detection)", said, precision)

    for n, quality in product((10, 20, 50, 200), ((8.0, 2.0), (2.0, 2.0), (0.5, 0.5))):

        def overlap(rng: np.random.Generator, draws: int, n: int = n, quality: tuple[float, float] = quality) -> Any:
            made = [influence.ratio(*segments(rng, n, quality)) for _ in range(draws)]
            found = [item and influence.interval(item, ALONE, np.ones(n, dtype=bool), LEVEL) for item in made]
            return np.ones(draws), *ends(found), quality[0] / sum(quality)

        yield Case("jackknife, logit scale", "iou, dice, recall of pixels and boxes", f"{n} images, overlap Beta{quality}", overlap)

        def mean(rng: np.random.Generator, draws: int, n: int = n, quality: tuple[float, float] = quality) -> Any:
            found = []
            for _ in range(draws):
                parts = [influence.ratio(*segments(rng, n, (quality[0] * scale, quality[1]))) for scale in (0.5, 1, 2)]
                average = influence.average([item for item in parts if item is not None])
                assert average is not None
                found.append(influence.interval(average, ALONE, np.ones(n, dtype=bool), LEVEL))
            truth = float(np.mean([quality[0] * scale / (quality[0] * scale + quality[1]) for scale in (0.5, 1, 2)]))
            return np.ones(draws), *ends(found), truth

        yield Case("jackknife, logit scale", "mean_iou and other means over classes", f"{n} images, overlap Beta{quality}", mean)


def blocked(rng: np.random.Generator, size: int, p: float, rho: float) -> tuple[Floats, Floats]:
    """Rows with and without an event in each block, of clusters of 1 to 9 rows that vary together."""
    rows = rng.integers(1, 10, size)
    rates = rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1), size) if rho else np.full(size, p)
    events, place = rng.binomial(rows, rates), rng.integers(0, BLOCKS, size)
    return np.bincount(place, weights=events, minlength=BLOCKS), np.bincount(place, weights=rows - events, minlength=BLOCKS)


def grouped() -> Iterator[Case]:
    for size, p, rho in product((20, 50, 200), (0.01, 0.05, 0.2, 0.5), (0.0, 0.1, 0.5)):

        def rate(rng: np.random.Generator, draws: int, size: int = size, p: float = p, rho: float = rho) -> Any:
            found = []
            for _ in range(draws):
                events, rest = blocked(rng, size, p, rho)
                own = clusters.Blocked((int(rest.sum()), int(events.sum())), None, np.stack((rest, events), axis=1), LEVEL)
                part = own.share((1,), (0, 1))
                found.append(None if part is None or clusters.few(own, (0, 1)) else intervals.share(part, LEVEL))
            return np.ones(draws), *ends(found), p

        def apart(rng: np.random.Generator, draws: int, size: int = size, p: float = p, rho: float = rho) -> Any:
            found = []
            for _ in range(draws):
                sides = []
                for share in (p, p / 2):
                    events, rest = blocked(rng, size, share, rho)
                    sides.append(clusters.Blocked((int(rest.sum()), int(events.sum())), None, np.stack((rest, events), axis=1), LEVEL))
                found.append(clusters.difference(*sides, (1,), (0, 1), LEVEL))
            return np.ones(draws), *ends(found), p / 2

        def ratio(rng: np.random.Generator, draws: int, size: int = size, p: float = p, rho: float = rho) -> Any:
            found = []
            for _ in range(draws):
                sides = []
                for share in (p, 0.3):
                    events, rest = blocked(rng, size, share, rho)
                    sides.append(clusters.Blocked((int(rest.sum()), int(events.sum())), None, np.stack((rest, events), axis=1), LEVEL))
                found.append(clusters.ratio(*sides, (1,), (0, 1), LEVEL))
            return np.ones(draws), *ends(found), p / 0.3

        said = f"{size} clusters, p = {p}, correlation {rho}"
        yield Case("effective n of clusters", "rates of clustered rows", said, rate)
        yield Case("MOVER, effective n of clusters", "differences of rates of clustered rows", said, apart)
        yield Case("MOVER of the ratio, effective n of clusters", "ratios of rates of clustered rows", f"{said}, over p = 0.3", ratio)


def grouped_means() -> Iterator[Case]:
    for size, shape in product((10, 20, 50, 200), ("normal", "exponential", "between 0 and 1")):

        def mean(rng: np.random.Generator, draws: int, size: int = size, shape: str = shape) -> Any:
            found = []
            for _ in range(draws):
                unit = np.repeat(np.arange(size), rng.integers(1, 10, size))
                law: dict[str, Callable[[int], Floats]] = {
                    "normal": rng.standard_normal,
                    "exponential": rng.standard_exponential,
                    "between 0 and 1": rng.random,
                }
                values = (law[shape](size)[unit] + law[shape](len(unit))) / 2
                bounds = (0.0, 1.0) if shape == "between 0 and 1" else None
                found.append(moments.means(Sample.whole(len(unit), unit), values, LEVEL, "", bounds)[0][1])
            return np.ones(draws), *ends(found), {"normal": 0.0, "exponential": 1.0, "between 0 and 1": 0.5}[shape]

        yield Case("cluster-robust t, Hall's, Korn-Graubard", "means of clustered rows", f"{size} clusters, {shape}", mean)


def shifts() -> Iterator[Case]:
    laws: dict[str, Callable[[np.random.Generator, int], Floats]] = {
        "normal": lambda rng, size: rng.standard_normal(size),
        "exponential": lambda rng, size: rng.standard_exponential(size),
    }
    for (n, m), (shape, law) in product(((10, 10), (10, 100), (50, 50), (1000, 200)), laws.items()):

        def welch(rng: np.random.Generator, draws: int, n: int = n, m: int = m, law: Any = law) -> Any:
            found = [divergences.welch(numbers_of(law(rng, n)), numbers_of(2 * law(rng, m)), LEVEL)[1] for _ in range(draws)]
            return np.ones(draws), *ends(found), float(law is laws["exponential"])

        yield Case("wider of Welch's and Zhou-Dinh's", "mean_difference (drift)", f"{n} and {m} rows, {shape}, one spread twice the other", welch)

    for (n, m), shift in product(((10, 10), (50, 50), (200, 1000)), (0.0, 0.5, 2.0)):

        def smirnov(rng: np.random.Generator, draws: int, n: int = n, m: int = m, shift: float = shift) -> Any:
            found = []
            for _ in range(draws):
                distance = float(stats.ks_2samp(rng.normal(0, 1, n), rng.normal(shift, 1, m), method="asymp").statistic)
                found.append(divergences.smirnov_interval(Bounded(distance, distance, distance), n, m, LEVEL))
            return np.ones(draws), *ends(found), 2 * float(stats.norm.cdf(shift / 2)) - 1

        yield Case("Dvoretzky-Kiefer-Wolfowitz", "ks", f"{n} and {m} rows, means {shift} apart", smirnov)


def pairs() -> Iterator[Case]:
    """Two models on the same rows."""
    for n, cells in product((10, 50, 200, 1000), ((0.5, 0.2, 0.1, 0.2), (0.85, 0.1, 0.02, 0.03), (0.9, 0.05, 0.05, 0.0))):

        def counts(rng: np.random.Generator, draws: int, n: int = n, cells: Any = cells) -> Any:
            outcomes, times = np.unique(rng.multinomial(n, cells, draws), axis=0, return_counts=True)
            return times.astype(float), *ends([paired.newcombe(*row, LEVEL) for row in outcomes.tolist()]), cells[1] - cells[2]

        yield Case("Newcombe, paired", "differences of rates of two models", f"n = {n}, shares {', '.join(map(str, cells))}", counts)

    for n, shape in product((10, 20, 50, 200), ("normal", "exponential", "0 in nine of ten")):

        def mean(rng: np.random.Generator, draws: int, n: int = n, shape: str = shape) -> Any:
            found = []
            for _ in range(draws):
                values = rng.standard_exponential(n) if shape == "exponential" else rng.standard_normal(n)
                values = np.where(rng.random(n) < 0.9, 0.0, values) if shape == "0 in nine of ten" else values
                found.append(paired.mean(values, None, None, LEVEL).interval)
            return np.ones(draws), *ends(found), float(shape == "exponential")

        yield Case("paired means", "differences of losses of two models, over popularity", f"n = {n}, {shape}", mean)

    for (m, n), same in product(((5, 45), (25, 25), (50, 950)), (0.0, 0.8)):

        def areas(rng: np.random.Generator, draws: int, m: int = m, n: int = n, same: float = same) -> Any:
            y, found = np.repeat([True, False], [m, n]), []
            for _ in range(draws):
                shared, *own = rng.normal(size=(3, m + n))
                scores = [shift * y + math.sqrt(same) * shared + math.sqrt(1 - same) * noise for shift, noise in zip((1.5, 1.0), own, strict=True)]
                found.append(paired.auc(y, *scores, None, None, LEVEL).interval)
            return np.ones(draws), *ends(found), float(stats.norm.cdf(1.5 / math.sqrt(2)) - stats.norm.cdf(1 / math.sqrt(2)))

        yield Case("DeLong, paired", "auc_difference of two models", f"{m} of {m + n} positive, correlation {same}", areas)


def columns() -> Iterator[Case]:
    """Two columns that go together, and how well one is predicted."""
    for n, rho in product((10, 50, 500), (0.0, 0.5, 0.9)):

        def pearson(rng: np.random.Generator, draws: int, n: int = n, rho: float = rho, rank: bool = False) -> Any:
            x = rng.normal(size=(draws, n))
            y = rho * x + math.sqrt(1 - rho * rho) * rng.normal(size=(draws, n))
            x, y = (stats.rankdata(item, axis=1) if rank else item for item in (x, y))
            x, y = (item - item.mean(axis=1, keepdims=True) for item in (x, y))
            r = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
            truth = 6 / math.pi * math.asin(rho / 2) if rank else rho
            return np.ones(draws), *ends([dependence.fisher(float(item), n, LEVEL, rank=rank) for item in r]), truth

        yield Case("Fisher's z", "pearson", f"n = {n}, correlation {rho}", pearson)
        yield Case(
            "Fisher's z, Bonett-Wright", "spearman", f"n = {n}, correlation {rho}", lambda rng, draws, make=pearson: make(rng, draws, rank=True)
        )

        def explained(rng: np.random.Generator, draws: int, n: int = n, rho: float = rho) -> Any:
            x = rng.normal(size=(draws, n))
            e = math.sqrt(1 - rho * rho) * rng.normal(size=(draws, n))
            y, sample = rho * x + e, Sample(np.repeat(np.arange(draws), n), draws)
            away = y - y.mean(axis=1, keepdims=True)
            spread, carriers = regression.log_variances(sample, (e * e).ravel(), away.ravel())[1]
            rest = (e * e).sum(axis=1) / (away * away).sum(axis=1)
            parts = zip(rest.tolist(), spread.tolist(), carriers.tolist(), strict=True)
            low, high = ends([moments.student_log(value, variance, n, LEVEL, "", most) for value, variance, most in parts])
            return np.ones(draws), 1 - high, 1 - low, rho * rho

        if rho:
            yield Case("jackknife, Student's t on the log scale", "r2", f"n = {n}, correlation {rho}", explained)


CASES: tuple[Callable[[], Iterator[Case]], ...] = (annotators, images, grouped, grouped_means, shifts, pairs, columns)
PARTS = {
    "krippendorff_alpha": 20,
    "fleiss_kappa": 10,
    "weighted_kappa": 10,
    "average_precision (detection)": 10,
    "iou, dice, recall of pixels and boxes": 10,
    "mean_iou and other means over classes": 10,
    "rates of clustered rows": 10,
    "differences of rates of clustered rows": 10,
    "ratios of rates of clustered rows": 10,
    "means of clustered rows": 5,
    "mean_difference (drift)": 10,
    "ks": 10,
    "differences of losses of two models, over popularity": 10,
    "differences of losses of two models, clustered rows": 10,
    "auc_difference of two models": 5,
}
