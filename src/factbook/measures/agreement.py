"""How far annotators agree beyond chance: Cohen's, Fleiss' and Krippendorff's coefficients, overall and by slice.

    {measure: agreement, data: ratings, annotators: [ann, ben, eve], scale: ordinal, order: [bad, fair, good]}

One row is one item, one column the ratings of one annotator (or of a judge model); an empty field is an item that the annotator did not rate. On a
nominal scale values are only equal or not; on an ordinal one they have the declared `order` (or are numbers); on an interval one they are numbers.

Everything is a function of how often each pattern of ratings occurs, so that the order and the partitioning of the rows do not matter. Intervals:
Cohen's coefficients by their large-sample variance (Fleiss, Cohen & Everitt 1969, Psychological Bulletin 72, 323); the others by the jackknife over
items (Miller 1974, Biometrika 61, 1) with Student's t; all of them on Fisher's z scale, where they cover .95 from 60 items on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from factbook.errors import MeasureError, SourceError
from factbook.measures import rows
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Rows, Wanted
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, moments
from factbook.statistics.intervals import Interval
from factbook.statistics.kappa import fisher, kappa, quadratic
from factbook.statistics.moments import Floats, Integers, tidy

VERSION: Final = 3
METHOD: Final = "jackknife over items, Student's t"
ROLES: Final = ("data",)
PARAMS: Final = ("annotators", "scale", "order")
CATEGORIES: Final = 1000
WORK: Final = 2e8
_COHEN: Final = "Cohen 1960, Educational and Psychological Measurement 20, 37"


def _coefficient(name: str, title: str, short: str, formula: str, source: str, aliases: tuple[str, ...] = ()) -> Metric:
    return Metric(name, title, short, Unit.SCORE, Direction.HIGHER, (-1.0, 1.0), formula, source, aliases)


METRICS: Final = (
    count_metric("items", "items with at least two ratings", "n", "items that two or more annotators rated"),
    count_metric("ratings", "ratings", "ratings", "ratings of these items"),
    Metric(
        "observed_agreement",
        "observed agreement of two annotators",
        "agreement",
        Unit.FRACTION,
        Direction.HIGHER,
        (0.0, 1.0),
        "items with equal ratings / items that both rated",
        _COHEN,
        ("percent_agreement",),
    ),
    _coefficient("cohen_kappa", "Cohen's kappa", "κ", "(observed - expected agreement) / (1 - expected agreement)", _COHEN, ("kappa",)),
    _coefficient(
        "weighted_kappa",
        "Cohen's kappa with quadratic weights",
        "weighted κ",
        "kappa with the agreement 1 - ((i - j) / range)²",
        "Cohen 1968, Psychological Bulletin 70, 213",
        ("quadratic_kappa",),
    ),
    _coefficient(
        "fleiss_kappa",
        "Fleiss' kappa",
        "Fleiss' κ",
        "(mean agreement of items - expected) / (1 - expected), over items that all annotators rated",
        "Fleiss 1971, Psychological Bulletin 76, 378",
    ),
    _coefficient(
        "krippendorff_alpha",
        "Krippendorff's alpha",
        "α",
        "1 - observed / expected disagreement, over items with at least two ratings",
        "Krippendorff 2011, Computing Krippendorff's Alpha-Reliability",
        ("alpha",),
    ),
)


class Parameters(rows.Parameters):
    """The columns of the annotators and the scale of their ratings."""

    annotators: tuple[str, ...]
    scale: Literal["nominal", "ordinal", "interval"]
    order: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> Parameters:
        if len(set(self.annotators)) < max(2, len(self.annotators)):
            raise ValueError("`annotators` names at least two columns, each once")
        if self.order and (self.scale != "ordinal" or len(set(self.order)) < len(self.order)):
            raise ValueError("`order` is for the ordinal scale and names each value once")
        return self

    @property
    def numeric(self) -> bool:
        """Whether ratings are read as numbers."""
        return self.scale == "interval" or (self.scale == "ordinal" and not self.order)

    def columns(self) -> list[Wanted]:
        """What is read."""
        return [Wanted(name, name, number=self.numeric) for name in self.annotators]


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of items: one row an item, one column an annotator.

    Attributes:
        codes: the index of each rating in `values`, -1 where there is none.
        values: the values that occur, in their order; their places on the scale.
        scale: nominal, ordinal or interval.
    """

    codes: Integers
    values: Floats
    scale: str

    def where(self, chosen: NDArray[np.bool_] | Integers) -> Ratings:
        """Some of the items."""
        return Ratings(self.codes[chosen], self.values, self.scale)

    @cached_property
    def given(self) -> Integers:
        """The number of ratings of each item."""
        given: Integers = (self.codes >= 0).sum(axis=1)
        return given


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; the source declares weights.
        SourceError: a rating is not in the declared order; there are more than 1,000 different values.
    """
    given = rows.parameters(Parameters, request)
    source = request.source()
    if source.weight:
        raise MeasureError(f"plan.{request.name}: agreement does not weigh items", remedy="measure a source without `weight`")
    found = rows.read(request, given.columns())
    answer.warnings += found.warnings
    if source.cluster:
        answer.warnings.append(f"{source.uri}: items share {source.cluster!r}, but intervals take them as independent and are too narrow")
    ratings = _ratings(found, given)
    judged = ratings.given >= 2
    pairable = ratings.where(judged)
    slices = request.slices()
    rows.protect(request, answer, slices, found.where(judged))
    for by in ((), *slices):
        names, index = found.places(by)
        for place, own in zip(names, rows.split(index[judged], len(names)), strict=True):
            _add(answer, pairable.where(own), given, place, request.manifest.suppress_below if place else 0)


def _ratings(found: Rows, given: Parameters) -> Ratings:
    if given.numeric:
        matrix = np.stack([found.numbers[name] for name in given.annotators], axis=1)
        values = np.unique(matrix[~np.isnan(matrix)])
        codes = np.where(np.isnan(matrix), -1, np.searchsorted(values, np.nan_to_num(matrix)))
    else:
        known = given.order or tuple(sorted({value for name in given.annotators for value in found.texts[name].values}))
        place = {value: i for i, value in enumerate(known)}
        columns = []
        for name in given.annotators:
            item = found.texts[name]
            strange = [value for value in item.values if value not in place]
            if strange:
                raise SourceError(
                    f"{found.source.uri}: column {name!r} holds {strange[0]!r}, which is not in `order`", remedy="name every value in `order`"
                )
            columns.append(np.array([-1, *(place[value] for value in item.values)], dtype=np.int64)[item.codes])
        codes, values = np.stack(columns, axis=1), np.arange(len(known), dtype=np.float64)
    if len(values) > CATEGORIES:
        raise SourceError(f"{found.source.uri}: the annotators use {len(values):,} different values, more than {CATEGORIES:,}", remedy="round them")
    return Ratings(codes, np.arange(len(values), dtype=np.float64) if given.scale == "ordinal" else values, given.scale)


def _add(answer: Answer, own: Ratings, given: Parameters, place: Pairs, below: int) -> None:
    n = len(own.codes)
    answer.add("items", n, slice=place, n=n)
    answer.add("ratings", int(own.given.sum()), slice=place, n=n)
    for one, other in combinations(range(len(given.annotators)), 2):
        params = () if len(given.annotators) == 2 else (("annotators", f"{given.annotators[one]},{given.annotators[other]}"),)
        _add_pair(answer, own, (one, other), params, place, below)
    _add_fleiss(answer, own.where(own.given == len(given.annotators)), place, below)
    if not n:
        answer.add("krippendorff_alpha", None, slice=place, n=0, undefined="0 of 0: no item has two ratings")
        return
    value, interval = _alpha(patterns(own)[0], answer.level)
    said = "0 of 0: all ratings are equal" if value is None else ""
    note = "no interval: too many different sets of ratings" if value is not None and interval is None and n > 1000 else ""
    answer.add("krippendorff_alpha", value, slice=place, n=n, interval=interval, undefined=said, note=note)


def _few(n: int, below: int, who: str) -> str:
    """Why there is no coefficient over n items; fewer than the smallest group of the book are not published."""
    if 0 < n < below:
        return f"fewer than {below} items are rated by {who}"
    return "" if n else f"0 of 0: no item is rated by {who}"


def _add_pair(answer: Answer, own: Ratings, pair: tuple[int, int], params: Pairs, place: Pairs, below: int) -> None:
    """Observed agreement and Cohen's coefficients of two annotators."""
    both = own.codes[:, pair]
    both = both[(both >= 0).all(axis=1)]
    n, size = len(both), len(own.values)
    names = ("observed_agreement", "cohen_kappa", *(("weighted_kappa",) if own.scale != "nominal" else ()))
    if said := _few(n, below, "both"):
        for name in names:
            answer.add(name, None, params=params, slice=place, undefined=said)
        return
    table = np.bincount(both[:, 0] * size + both[:, 1], minlength=size * size).reshape(size, size)
    k = int(np.trace(table))
    interval = intervals.proportion(k, n, answer.level)
    answer.add("observed_agreement", k / n, params=params, slice=place, n=n, counts={"k": k, "n": n}, interval=interval)
    for name in names[1:]:
        value, found = kappa(table, np.eye(size) if name == "cohen_kappa" else quadratic(own.values), answer.level)
        said = "0 of 0: both use one and the same value" if value is None else ""
        answer.add(name, value, params=params, slice=place, n=n, interval=found, undefined=said)


def _add_fleiss(answer: Answer, full: Ratings, place: Pairs, below: int) -> None:
    n = len(full.codes)
    if said := _few(n, below, "all annotators"):
        answer.add("fleiss_kappa", None, slice=place, undefined=said)
        return
    value, interval = _fleiss(full, answer.level)
    said = "0 of 0: all ratings are equal" if value is None else ""
    answer.add("fleiss_kappa", value, slice=place, n=n, interval=interval, undefined=said)


def _fleiss(full: Ratings, level: float) -> tuple[float | None, Interval | None]:
    """Fleiss' kappa of items that all annotators rated, and its interval."""
    found = patterns(full)[0]
    n, raters, size = len(full.codes), found.codes.shape[1], len(found.values)
    counts = np.zeros((len(found.codes), size))
    np.add.at(counts, (np.repeat(np.arange(len(counts)), raters), found.codes.reshape(-1)), 1)
    agreed = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    total, used = found.times @ agreed, found.times @ counts

    def value(agreed: Any, used: Any, n: Any) -> Any:
        expected = ((used / (n * raters)) ** 2).sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(1 - expected > 1e-14, (agreed / n - expected) / (1 - expected), np.nan)

    whole = float(value(total, used, n))
    if math.isnan(whole):
        return None, None
    without = value(total - agreed, used - counts, n - 1) if n > 1 else np.full(len(agreed), np.nan)
    return tidy(whole), jackknife(whole, without, found.times, level)


@dataclass(frozen=True, eq=False)
class Patterns:
    """The different sets of ratings that items got, and how many items got each; the ratings of a set are sorted, -1 first."""

    codes: Integers
    times: Integers
    values: Floats
    scale: str


def patterns(own: Ratings) -> tuple[Patterns, Integers]:
    """The patterns of items, and per item the number of its own."""
    codes, place, times = np.unique(np.sort(own.codes, axis=1), axis=0, return_inverse=True, return_counts=True)
    return Patterns(codes, times, own.values, own.scale), place.reshape(-1)


def jackknife(value: float, without: Floats, times: Integers, level: float, method: str = METHOD) -> Interval | None:
    """Student's t interval from the values without one item of each pattern; None where one of them is undefined.

    Few items make coefficients too low (or high): their bias, by the jackknife (Quenouille 1956, Biometrika 43, 353), is taken from the end that it
    draws nearer to the truth. The upper end has as many degrees of freedom as items carry the variance (Satterthwaite 1946, Biometrics Bulletin 2,
    110), less one: of ten items with ordered ratings Student's t alone covers .92.
    """
    n = int(times.sum())
    if n < 2 or not np.isfinite(without).all():
        return None
    centre = float(times @ without) / n
    squares = (without - centre) ** 2
    variance, fourths = (n - 1) / n * float(times @ squares), float(times @ squares**2)
    carriers = min(n, float(times @ squares) ** 2 / fourths) if fourths > 0 else n
    bias = (n - 1) * (centre - value)
    low = fisher(value - max(bias, 0.0), variance, moments.quantile(n, level), method)
    high = fisher(min(value - min(bias, 0.0), (1 + value) / 2), variance, moments.quantile(max(2.0, carriers), level), method)
    return None if low is None or high is None else Interval(low.low, high.high, low.method)


def _alpha(found: Patterns, level: float) -> tuple[float | None, Interval | None]:
    """Krippendorff's alpha and its interval."""
    value = alphas(found, np.zeros((1, len(found.times)), dtype=np.int64))[0]
    if math.isnan(value):
        return None, None
    if len(found.times) ** 2 * len(found.values) > WORK:
        return tidy(value), None
    without = alphas(found, np.eye(len(found.times), dtype=np.int64))
    return tidy(value), jackknife(float(value), without, found.times, level)


def alphas(found: Patterns, removed: Integers) -> Floats:
    """Alpha without the removed items: one row a variant, one column how many items of each pattern it lacks. NaN where 0 of 0."""
    there = found.codes >= 0
    given = there.sum(axis=1)
    counts = np.zeros((len(given), len(found.values)))
    np.add.at(counts, (np.nonzero(there)[0], found.codes[there]), 1)
    values = []
    for times in found.times - removed:
        used = times @ counts
        observed, expected = _disagreements(found, counts, given, used)
        n = float(used.sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            values.append(1 - (n - 1) * float(times @ (observed / (given - 1))) / expected if expected > 0 else np.nan)
    return np.array(values)


def _disagreements(found: Patterns, counts: Floats, given: Integers, used: Floats) -> tuple[Floats, float]:
    """Sums of squared distances over ordered pairs: of the ratings of each pattern, and of all ratings.

    The ordinal distance of two values is that of their mid-ranks among all ratings.
    """
    if found.scale == "nominal":
        return given**2 - (counts**2).sum(axis=1), float(used.sum() ** 2 - (used**2).sum())
    place = np.cumsum(used) - used / 2 if found.scale == "ordinal" else found.values
    place = place - (used @ place) / max(used.sum(), 1.0)
    observed = 2 * (given * (counts @ place**2) - (counts @ place) ** 2)
    total = 2 * float(used.sum() * (used @ place**2) - (used @ place) ** 2)
    return observed, total if np.count_nonzero(used) > 1 else 0.0
