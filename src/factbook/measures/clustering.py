"""Clusterings: how far they agree with known classes, and where features are declared, how well separated they are.

    {measure: clustering, data: patients, clusters: cluster, labels: diagnosis, features: [x, y]}

Agreement is a function of the contingency counts of clusters and classes. Its intervals are those of the delta method for multinomial counts (Agresti
2013, Categorical Data Analysis, 16.1), cut at the bounds; entropies of small samples are biased, so read them from 20 rows a cell on. They cover .94
to .96 there, and are left out at perfect agreement, where there is no variation. Where clusters and classes hardly agree, the first derivative of the
adjusted Rand index vanishes; the variance that it has without any agreement is added, which is conservative there and nothing elsewhere.

The silhouette compares every row with every other: it is measured for at most 10,000 rows of a slice; the indices of Davies & Bouldin and of
Calinski & Harabasz compare centres, for any number. They have no interval, because all rows share their distances, which are Euclidean, in the units
that the columns have.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from pydantic import model_validator

from factbook.errors import MeasureError
from factbook.measures import rows
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals
from factbook.statistics.moments import Floats, Integers, real, sums, tidy

VERSION: Final = 3
ROLES: Final = ("data",)
PARAMS: Final = ("clusters", "labels", "features")
LARGEST: Final = 10_000
_BLOCK: Final = 1 << 22
_ROSENBERG: Final = "Rosenberg & Hirschberg 2007, EMNLP-CoNLL, 410"


def _score(name: str, title: str, short: str, bounds: tuple[float, float], formula: str, source: str, aliases: tuple[str, ...] = ()) -> Metric:
    return Metric(name, title, short, Unit.SCORE, Direction.HIGHER, bounds, formula, source, aliases)


AGREEMENT: Final = (
    _score(
        "adjusted_rand",
        "adjusted Rand index",
        "ARI",
        (-1.0, 1.0),
        "(pairs that agree - expected) / (largest - expected)",
        "Hubert & Arabie 1985, Journal of Classification 2, 193",
        ("ari",),
    ),
    _score(
        "homogeneity",
        "homogeneity",
        "homogeneity",
        (0.0, 1.0),
        "mutual information / entropy of the classes; 1 where there is one class",
        _ROSENBERG,
    ),
    _score(
        "completeness",
        "completeness",
        "completeness",
        (0.0, 1.0),
        "mutual information / entropy of the clusters; 1 where there is one cluster",
        _ROSENBERG,
    ),
    _score(
        "v_measure",
        "V-measure",
        "V",
        (0.0, 1.0),
        "harmonic mean of homogeneity and completeness = mutual information / mean of the two entropies (NMI)",
        _ROSENBERG,
        ("nmi", "normalised_mutual_information", "normalized_mutual_information"),
    ),
)
METRICS: Final = (
    count_metric("rows", "rows", "n", "rows with a cluster and, where classes are declared, a class"),
    count_metric("clusters", "clusters", "clusters", "different clusters"),
    *AGREEMENT,
    Metric(
        "purity",
        "purity",
        "purity",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "rows in the largest class of their cluster / rows",
        "Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, 16.3",
    ),
    _score(
        "fowlkes_mallows",
        "Fowlkes-Mallows index",
        "FM",
        (0.0, 1.0),
        "geometric mean of: pairs together in both / pairs together in clusters, and in classes",
        "Fowlkes & Mallows 1983, JASA 78, 553",
    ),
    Metric(
        "davies_bouldin",
        "Davies-Bouldin index",
        "DB",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, math.inf),
        "mean over clusters of the largest (spread i + spread j) / distance of their centres; a spread is the mean distance from the centre",
        "Davies & Bouldin 1979, IEEE TPAMI 1, 224",
    ),
    _score(
        "calinski_harabasz",
        "Calinski-Harabasz index (variance ratio)",
        "CH",
        (0.0, math.inf),
        "variance between clusters / variance within, over their degrees of freedom",
        "Calinski & Harabasz 1974, Communications in Statistics 3, 1",
        ("variance_ratio",),
    ),
    _score(
        "silhouette",
        "mean silhouette",
        "silhouette",
        (-1.0, 1.0),
        "mean of (b - a) / max(a, b): a is the mean distance within the own cluster, b to the nearest other",
        "Rousseeuw 1987, Journal of Computational and Applied Mathematics 20, 53",
    ),
)


class Parameters(rows.Parameters):
    """The columns of the cluster, of the known class, and of numeric features."""

    clusters: str
    labels: str = ""
    features: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Parameters:
        if not self.labels and not self.features:
            raise ValueError("give `labels` (known classes), or `features` for the internal indices")
        if len(set(self.features)) < len(self.features):
            raise ValueError("`features` names each column once")
        return self

    def columns(self) -> list[Wanted]:
        """What is read; a cluster or a feature that is missing falls under the policy for predictions."""
        found = [Wanted("clusters", self.clusters, number=False, policy="prediction")]
        found += [Wanted("labels", self.labels, number=False, policy="label")] if self.labels else []
        return found + [Wanted(f"feature {name}", name, number=True, policy="prediction") for name in self.features]


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; the source declares weights.
        SourceError: a column does not exist, or misses values without a policy.
    """
    given = rows.parameters(Parameters, request)
    source = request.source()
    if source.weight:
        raise MeasureError(f"plan.{request.name}: clustering does not weigh rows", remedy="measure a source without `weight`")
    if source.cluster:
        answer.warnings.append(f"{source.uri}: rows share {source.cluster!r}, but intervals take them as independent and are too narrow")
    found = rows.read(request, given.columns())
    answer.warnings += found.warnings
    slices = request.slices()
    rows.protect(request, answer, slices, found)
    for by in ((), *slices):
        names, index = found.places(by)
        for place, chosen in zip(names, rows.split(index, len(names)), strict=True):
            own = found.where(chosen)
            cluster = own.texts["clusters"].codes
            answer.add("rows", own.count, slice=place, n=own.count)
            answer.add("clusters", len(np.unique(cluster)), slice=place, n=own.count)
            if given.labels:
                _add_agreement(answer, contingency(cluster, own.texts["labels"].codes), place)
            if given.features:
                points = np.stack([own.numbers[f"feature {name}"] for name in given.features], axis=1)
                _add_silhouette(answer, points, cluster, place)
                _add_separation(answer, points, cluster, place)


def contingency(clusters: Integers, labels: Integers) -> Integers:
    """How many rows each cluster (a row of the table) has of each class (a column)."""
    (one, i), (other, j) = np.unique(clusters, return_inverse=True), np.unique(labels, return_inverse=True)
    return np.bincount(i.reshape(-1) * len(other) + j.reshape(-1), minlength=len(one) * len(other)).reshape(len(one), len(other))


def _add_agreement(answer: Answer, table: Integers, place: Pairs) -> None:
    n = int(table.sum())
    if not n:
        for about in (*AGREEMENT, answer.metrics["fowlkes_mallows"], answer.metrics["purity"]):
            answer.add(about.name, None, slice=place, n=0, undefined="0 of 0: no rows")
        return
    for metric, (value, gradient) in {"adjusted_rand": _rand(table), **_information(table)}.items():
        said = "0 of 0: there is one row" if value is None else ""
        interval = None
        if value is not None and gradient is not None:
            share = table / n
            variance = (float((share * gradient**2).sum()) - float((share * gradient).sum()) ** 2) / n
            variance += chance(table) if metric == "adjusted_rand" else 0.0
            interval = intervals.around(
                value, variance if variance > 1e-20 else 0.0, answer.level, "delta method", answer.metrics[metric].bounds or (-1, 1)
            )
        answer.add(metric, None if value is None else tidy(value), slice=place, n=n, interval=interval, undefined=said)
    together = [int((counts * (counts - 1)).sum()) for counts in (table, table.sum(axis=1), table.sum(axis=0))]
    alone = "" if together[1] and together[2] else "0 of 0: no two rows are together"
    pairs = None if alone else tidy(together[0] / math.sqrt(together[1] * together[2]))
    answer.add("fowlkes_mallows", pairs, slice=place, n=n, undefined=alone, note="" if alone else "no interval")
    k = int(table.max(axis=1).sum())
    answer.add("purity", k / n, slice=place, n=n, counts={"k": k, "n": n})


def _rand(table: Integers) -> tuple[float | None, Floats | None]:
    """The adjusted Rand index and its derivative by the cell shares (of its large-sample form); None where 0 / 0."""
    n = int(table.sum())
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    both, one, other = (int((counts * (counts - 1)).sum()) for counts in (table, rows, columns))
    pairs = n * (n - 1)
    if not pairs:
        return None, None
    if both == one == other:
        return 1.0, None
    value = (both * pairs - one * other) / ((one + other) * pairs / 2 - one * other)
    p, row, column = table / n, rows / n, columns / n
    s, a, b = float((p**2).sum()), float((row**2).sum()), float((column**2).sum())
    above, below = s - a * b, (a + b) / 2 - a * b
    if below <= 0:
        return value, None
    slope_a, slope_b = 2 * row[:, None], 2 * column[None, :]
    d_above = 2 * p - b * slope_a - a * slope_b
    d_below = (0.5 - b) * slope_a + (0.5 - a) * slope_b
    return value, (d_above - above / below * d_below) / below


def chance(table: Integers) -> float:
    """The variance of the adjusted Rand index if rows fell into clusters and classes by chance (Fowlkes & Mallows 1983, JASA 78, 553)."""
    n = int(table.sum())
    if n < 4:
        return 0.0
    sides = [[int(size) for size in table.sum(axis=axis)] for axis in (1, 0)]
    (p, q), (p3, q3) = ([sum(math.perm(size, k) for size in side) for side in sides] for k in (2, 3))
    two, three, four = (math.perm(n, k) for k in (2, 3, 4))
    variance = 2 * p * q / two + 4 * p3 * q3 / three + (p * p - 2 * p - 4 * p3) * (q * q - 2 * q - 4 * q3) / four - (p * q / two) ** 2
    largest = (p + q) / 2 - p * q / two
    return max(variance, 0.0) / largest**2 if largest > 0 else 0.0


def _information(table: Integers) -> dict[str, tuple[float | None, Floats | None]]:
    """Homogeneity, completeness and V-measure, and their derivatives by the cell shares."""
    p = table / int(table.sum())
    row, column = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    logs = np.log(np.where(p > 0, p / (row * column), 1.0))
    mutual = math.fsum((p * logs).reshape(-1).tolist())
    clusters, classes = (-math.fsum((part * np.log(part)).reshape(-1).tolist()) for part in (row, column))
    d_clusters, d_classes = -np.log(row) + 0 * p, -np.log(column) + 0 * p
    found: dict[str, tuple[float | None, Floats | None]] = {}
    for name, whole, slope in (
        ("homogeneity", classes, d_classes),
        ("completeness", clusters, d_clusters),
        ("v_measure", (clusters + classes) / 2, (d_clusters + d_classes) / 2),
    ):
        if whole <= 1e-15:
            found[name] = (1.0, None)
        else:
            value = min(1.0, max(0.0, mutual / whole))
            found[name] = (value, (logs - value * slope) / whole)
    return found


def _add_silhouette(answer: Answer, points: Floats, clusters: Integers, place: Pairs) -> None:
    n, different = len(points), len(np.unique(clusters))
    said = ""
    if n > LARGEST:
        said = f"not measured for more than {LARGEST:,} rows"
    elif different < 2 or different >= n:
        said = "there are not at least two clusters, one of them with two rows"
    value = None if said else tidy(silhouette(points, clusters))
    answer.add("silhouette", value, slice=place, n=n, undefined=said, note="" if said else "no interval: rows share their distances")


def silhouette(points: Floats, clusters: Integers) -> float:
    """The mean silhouette of points (one row each) in clusters; a row that is alone in its cluster has 0."""
    order = np.lexsort((*points.T, clusters))
    points = points[order]
    _, own = np.unique(clusters[order], return_inverse=True)
    size = np.bincount(own)
    starts = np.concatenate(([0], np.cumsum(size)[:-1]))
    values = np.zeros(len(points))
    step = max(1, _BLOCK // len(points))
    for start in range(0, len(points), step):
        part, mine = points[start : start + step], own[start : start + step]
        apart = np.zeros((len(part), len(points)))
        for feature in range(points.shape[1]):
            apart += (part[:, feature, None] - points[None, :, feature]) ** 2
        sum_to = np.add.reduceat(np.sqrt(apart), starts, axis=1)
        here = np.arange(len(part))
        within = sum_to[here, mine] / np.maximum(size[mine] - 1, 1)
        mean_to = sum_to / size
        mean_to[here, mine] = np.inf
        nearest = mean_to.min(axis=1)
        largest = np.maximum(within, nearest)
        values[start : start + step] = np.where((size[mine] > 1) & (largest > 0), (nearest - within) / np.where(largest > 0, largest, 1.0), 0.0)
    return float(real(sums(values, np.zeros(len(values), dtype=np.int64), 1))[0]) / len(values)


def _add_separation(answer: Answer, points: Floats, clusters: Integers, place: Pairs) -> None:
    """The indices that compare the centres of clusters."""
    n, different = len(points), len(np.unique(clusters))
    few = "" if 2 <= different < n else "there are not at least two clusters, one of them with two rows"
    found: tuple[float | None, float | None] = (None, None) if few else separation(points, clusters)
    lacking = ("two clusters have one centre", "no cluster has any spread")
    for metric, value, said in zip(("davies_bouldin", "calinski_harabasz"), found, lacking, strict=True):
        undefined = few or ("" if value is not None else said)
        note = "" if undefined else "no interval: rows share their distances"
        answer.add(metric, None if value is None else tidy(value), slice=place, n=n, undefined=undefined, note=note)


def separation(points: Floats, clusters: Integers) -> tuple[float | None, float | None]:
    """The indices of Davies & Bouldin and of Calinski & Harabasz; None where centres fall together, or where clusters have no spread."""
    own = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    size = np.bincount(own)
    k, n = len(size), len(points)
    whole = np.zeros(n, dtype=np.int64)
    columns = [column - float(real(sums(column, whole, 1))[0]) / n for column in points.T]
    centres = np.stack([real(sums(column, own, k)) / size for column in columns], axis=1)
    squares = ((np.stack(columns, axis=1) - centres[own]) ** 2).sum(axis=1)
    spread = real(sums(np.sqrt(squares), own, k)) / size
    apart = np.sqrt(((centres[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    bouldin = None if (apart == 0).any() else math.fsum(((spread[:, None] + spread[None, :]) / apart).max(axis=1).tolist()) / k
    within = float(real(sums(squares, whole, 1))[0])
    between = math.fsum((size * (centres**2).sum(axis=1)).tolist())
    return bouldin, (between / (k - 1)) / (within / (n - k)) if within > 0 else None
