"""Errors of predictions of a number over more rows than are held at once: the facts of `regression` from totals that add up.

Two results are coarser than those of rows, and say so. The order statistics of the errors and their rank correlation with the prediction come from
bins, with hard bounds. The parts of about equal size by prediction end where a bin ends. The units that carry the variance of R² are taken to
be those that carry that of MSE: of normal errors and labels nine in fifteen of them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from factbook.engines.totals import Columns, Counting, Design, Spread, Term, Terms, powers, times
from factbook.measures import residuals, summed
from factbook.measures.residuals import FAR, LEVELS, PARTS, median_rank
from factbook.measures.rows import Wanted
from factbook.measures.summed import Asked, Bins, Slices, bounded
from factbook.model import Pairs
from factbook.statistics import dependence, intervals, moments
from factbook.statistics.intervals import Interval, normal
from factbook.statistics.moments import Floats, Integers, tidy

_PROFILE: Final = 1 << 11
_PAIRS: Final = 1 << 17
_MOST: Final = 1e35
METHOD: Final = "infinitesimal jackknife, Student's t over rows"


class Adds(residuals.Adds, Protocol):
    """Adds metrics of the slices of a sample, with notes, or of all slices at once."""

    def one(
        self, metric: str, i: int, value: float | None, interval: Interval | None, undefined: str = "", params: Pairs = (), note: str = ""
    ) -> None: ...
    def means(
        self, metric: str, means: Floats, spread: Floats, skewness: Floats, zero: Floats | None = None, said: str = "", params: Pairs = ()
    ) -> None: ...
    def squares(self, mse: Floats, total: Floats, centre: Floats, variances: Sequence[tuple[Floats, Floats]], how: str) -> None: ...
    def hits(self, metric: str, hits: Integers, params: Pairs) -> None: ...


@dataclass(frozen=True)
class _Summed:
    """What is summed by cell, where there are quantile forecasts of some levels and perhaps a prediction interval."""

    levels: tuple[str, ...]
    interval: bool

    def __call__(self, columns: Columns) -> Terms:
        """The terms of some rows."""
        label, error, size = columns["label"], columns["error"], columns["size"]
        y, e = powers((label,), 4), powers((error,), 4)
        found: dict[str, Term] = {f"y{i + 1}": term for i, term in enumerate(y)} | {f"e{i + 1}": term for i, term in enumerate(e)}
        found |= _high(error) | {"a1": (size,), "a3": times((size,), e[1]), "ye2": times(y[0], e[1]), "y2e2": times(y[1], e[1])}
        for name, below in (("mape", np.abs(label)), ("smape", (np.abs(label) + np.abs(columns["prediction"])) / 2)):
            zero = below == 0
            found |= _named(name, size / np.where(zero, 1.0, below)) | {f"{name}0": (zero.astype(np.float64),)}
        for level in self.levels:
            rest, q = label - columns[f"q{level}"], float(level)
            found |= _named(f"q{level} ", np.maximum(q * rest, (q - 1) * rest))
        if self.interval:
            low, high = columns["low"], columns["high"]
            found |= _named("width", high - low)
            found |= {"inside": (((label >= low) & (label <= high)).astype(np.float64),), "reversed": ((low > high).astype(np.float64),)}
        return found


def _of_groups(columns: Columns) -> Terms:
    """What is summed of the predictions and errors of groups."""
    e = powers((columns["error"],), 4)
    found: dict[str, Term] = {f"p{i + 1}": term for i, term in enumerate(powers((columns["prediction"],), 3))}
    found |= {f"e{i + 1}": term for i, term in enumerate(e)} | _high(columns["error"])
    return found | {"a1": (columns["size"],), "a3": times((columns["size"],), e[1])}


def _high(error: Floats) -> dict[str, Term]:
    """The sixth and the eighth power; errors beyond 1e35 count as that large, so that no power is infinite."""
    squares = np.clip(error, -_MOST, _MOST) ** 2
    return {"e6": (squares**3,), "e8": (squares**4,)}


def _named(name: str, values: Floats) -> dict[str, Term]:
    return {f"{name}{i + 1}": term for i, term in enumerate(powers((values,), 3))}


def _profile(columns: Columns) -> Terms:
    """What is summed along the predictions."""
    size = columns["size"]
    squares = powers((size,), 3)
    return {
        **{f"p{i + 1}": term for i, term in enumerate(powers((columns["prediction"],), 3))},
        **{f"y{i + 1}": term for i, term in enumerate(powers((columns["label"],), 3))},
        **{f"a{i + 1}": term for i, term in enumerate(squares)},
    }


def _derive(columns: Mapping[str, Floats]) -> Columns:
    error = columns["prediction"] - columns["label"]
    return {**columns, "error": error, "size": np.abs(error)}


def asked(wanted: Sequence[Wanted], levels: Sequence[str], interval: bool) -> Asked:
    """What is read and added up."""
    spreads = {
        "error": Counting(("error",), apart=True),
        "pairs": Counting(("prediction", "size"), room=_PAIRS, finest=33),
        "profile": Counting(("prediction",), room=_PROFILE, finest=40, terms=_profile),
    }
    design = Design(_Summed(tuple(levels), interval), ("error",), spreads)
    return Asked(wanted, _derive, design, [list(levels), interval], [sys.modules[__name__]])


def asked_of_groups(wanted: Sequence[Wanted]) -> Asked:
    """What is read and added up to compare groups."""
    design = Design(_of_groups, ("error",), {"prediction": Counting(("prediction",), apart=True)})
    return Asked(wanted, _derive, design, "groups", [sys.modules[__name__]])


def log_variance(own: Slices) -> tuple[Floats, Floats]:
    """The variance of log MSE, and how many units carry it."""
    squares, fourths = _influences(own)
    return _carried(squares, fourths, own.sample.n)


def _influences(own: Slices) -> tuple[Floats, Floats]:
    """The sums of squares and of fourth powers of what each row changes of log MSE: e² / sum of e² - 1 / n."""
    n = own.sample.n.astype(np.float64)
    s, s4, s6, s8 = (own.total(name) for name in ("e2", "e4", "e6", "e8"))
    fourths = s8 / s**4 - 4 * s6 / s**3 / n + 6 * s4 / s**2 / n**2 - 3 / n**3
    return s4 / s**2 - 1 / n, fourths


def add_all(add: Adds, own: Slices, levels: Sequence[tuple[str, str]], nominal: Pairs, interval: bool) -> None:
    """All facts of the slices of a combination of attributes; `levels` are those of quantile forecasts and as they are written in a key."""
    n = own.sample.n
    for i, place in enumerate(add.names):
        add.answer.add("rows", int(n[i]), slice=place, n=int(n[i]))
    for metric, names in (("label_mean", ("y1", "y2", "y3")), ("bias", ("e1", "e2", "e3")), ("mae", ("a1", "e2", "a3"))):
        _add_mean(add, own, metric, names)
    bins = own.bins("error")
    for i, spread in enumerate(bins):
        _add_median(add, i, spread.sizes())
    _add_squares(add, own)
    for metric, said in (("mape", "have the label 0"), ("smape", "have label and prediction 0")):
        _add_mean(add, own, metric, [f"{metric}{k}" for k in (1, 2, 3)], zero=own.total(f"{metric}0"), said=said)
    _add_shape(add, own, bins)
    if add.names == [()]:
        _add_trend(add, own.found.spreads["pairs"])
        _add_parts(add, own.found.spreads["profile"])
    for level, written in levels:
        _add_mean(add, own, "quantile_loss", [f"q{level} {k}" for k in (1, 2, 3)], params=(("level", written),))
    if interval:
        add.hits("interval_coverage", own.total("inside").astype(np.int64), nominal)
        _add_mean(add, own, "interval_width", ("width1", "width2", "width3"))


def _add_mean(add: Adds, own: Slices, metric: str, names: Sequence[str], **more: Any) -> None:
    found = own.moments(*names)
    add.means(metric, found.mean, found.spread, found.skewness, **more)


def _add_squares(add: Adds, own: Slices) -> None:
    """MSE, RMSE and R², each with the variance of its logarithm (of that of SSE / SST) and the units that carry it."""
    n, label = own.sample.n, own.moments("y1", "y2", "y3", "y4")
    squares, fourths = own.total("e2"), own.total("e4")
    e2, ye2, y2e2, y1 = (own.sum(name) for name in ("e2", "ye2", "y2e2", "y1"))
    across = np.array([_across(*map(int, (count, *item))) for count, *item in zip(n.tolist(), e2, ye2, y2e2, y1, strict=True)])
    with np.errstate(invalid="ignore", divide="ignore"):
        both = fourths / squares**2 - 2 * across / squares / label.second + label.fourth / label.second**2
        alone, carriers = log_variance(own)
        variances = [(alone, carriers), (np.where(n > 1, both * n / (n - 1), np.nan), carriers)]
        add.squares(squares / n, label.second / n, np.nan_to_num(label.mean), variances, METHOD)


def _across(n: int, e2: int, ye2: int, y2e2: int, y1: int) -> float:
    """The sum of e² (y - mean)² from whole numbers in units of 2^-1126."""
    one = 1 << moments.UNIT
    return (n * n * y2e2 * one**2 - 2 * n * y1 * ye2 * one + y1 * y1 * e2) / (n * n * one**3) if n else 0.0


def _carried(squares: Floats, fourths: Floats, n: Integers) -> tuple[Floats, Floats]:
    """The variance from the sum of squared influences, and with that of their fourth powers how many units carry it."""
    return np.where(n > 1, squares * n / (n - 1), np.nan), np.where(fourths > 0, np.clip(squares**2 / fourths, 0, n), n)


def _add_bounded(
    add: Adds, metric: str, i: int, ends: tuple[float, float], interval: Interval | None, params: Pairs = (), value: float | None = None
) -> None:
    middle = ends[0] + (ends[1] - ends[0]) / 2 if value is None else value
    shown, interval, note = bounded(middle, *ends, interval)
    add.one(metric, i, shown, interval, params=params, note=note)


def _add_median(add: Adds, i: int, sizes: Bins) -> None:
    n = int(add.sample.n[i])
    if not n:
        add.one("median_absolute_error", i, None, None)
        return
    one, two = sizes.at((n - 1) // 2 + 1), sizes.at(n // 2 + 1)
    rank = median_rank(n, add.answer.level)
    interval = Interval(sizes.at(rank)[0], sizes.at(n - rank + 1)[1], "order statistics, conservative") if rank else None
    _add_bounded(add, "median_absolute_error", i, ((one[0] + two[0]) / 2, (one[1] + two[1]) / 2), interval)


def _add_shape(add: Adds, own: Slices, bins: Sequence[Bins]) -> None:
    """The shape of the errors of every slice."""
    found = own.moments("e1", "e2", "e3", "e4")
    low, high = own.extremes("error")
    for i, spread in enumerate(bins):
        n, centre = int(own.sample.n[i]), float(found.mean[i])
        largest, furthest = max(-low[i], high[i]), max(high[i] - centre, centre - low[i])
        add.one("max_error", i, float(largest), None)
        varies = n > 1 and furthest > 1e-14 * largest
        said = "" if varies else "the errors do not vary"
        sd = math.sqrt(float(found.second[i]) / (n - 1)) if varies else 0.0
        add.one("residual_sd", i, sd, None, "" if n > 1 else "fewer than two rows")
        second = float(found.second[i]) / n if varies else 1.0
        add.one("residual_skewness", i, float(found.third[i]) / n / second**1.5 if varies else None, None, said)
        add.one("residual_kurtosis", i, float(found.fourth[i]) / n / second**2 - 3 if varies else None, None, said)
        for times_sd in FAR:
            _add_far(add, i, spread.beyond(centre - times_sd * sd, centre + times_sd * sd), n, said, (("sd", str(times_sd)),))
        for level in LEVELS:
            _add_quantile(add, i, spread, n, level)


def _add_far(add: Adds, i: int, k: tuple[int, int], n: int, said: str, params: Pairs) -> None:
    if said or not n:
        add.one("residual_far", i, None, None, said, params)
        return
    low, high = (intervals.proportion(count, n, add.answer.level) for count in k)
    _add_bounded(add, "residual_far", i, (k[0] / n, k[1] / n), Interval(low.low, high.high, low.method), params)


def _add_quantile(add: Adds, i: int, spread: Bins, n: int, level: float) -> None:
    params = (("level", f"{level:g}"),)
    if not n:
        add.one("residual_quantile", i, None, None, "", params)
        return
    half = normal(add.answer.level) * math.sqrt(n * level * (1 - level))
    low, high = math.floor(n * level - half), math.ceil(n * level + half) + 1
    known = low >= 1 and high <= n
    interval = Interval(spread.at(low)[0], spread.at(high)[1], "order statistics, normal approximation") if known else None
    _add_bounded(add, "residual_quantile", i, spread.at(math.ceil(n * level)), interval, params)


def _add_trend(add: Adds, pairs: Spread) -> None:
    """The rank correlation of |e| and prediction, between what it can be for any order within the bins."""
    n = int(pairs.n.sum())
    ranks, variances, within = zip(*(_midranks(pairs.keys[:, side], pairs.n) for side in (0, 1)), strict=True)
    covariance = float((ranks[0] * ranks[1] * pairs.n).sum()) / n
    if min(variances) + min(within) <= 0:
        add.one("error_trend", 0, None, None, "predictions or errors do not vary")
        return
    apart = math.sqrt(within[0] * variances[1]) + math.sqrt(variances[0] * within[1]) + math.sqrt(within[0] * within[1])
    least = math.sqrt(max(variances[0] * variances[1], 1e-300))
    most = math.sqrt((variances[0] + within[0]) * (variances[1] + within[1]))
    ends = [(covariance + side * apart) / (least if side * (covariance + side * apart) > 0 else most) for side in (-1, 1)]
    low, high = max(-1.0, ends[0]), min(1.0, ends[1])
    r = round(covariance / most, 9)
    _add_bounded(add, "error_trend", 0, (low, high), dependence.fisher(r, n, add.answer.level, rank=True), value=r)


def _midranks(keys: Integers, n: Integers) -> tuple[Floats, float, float]:
    """Per bin the mean rank of its rows about the mean of all; the variance of these; and at most that of the ranks within the bins."""
    values, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place.reshape(-1), weights=n, minlength=len(values))
    ranks = np.cumsum(counts) - counts / 2 - counts.sum() / 2
    variance = float((ranks * ranks * counts).sum() / counts.sum())
    return ranks[place.reshape(-1)], variance, float((counts * (counts * counts - 1)).sum() / 12 / counts.sum())


def _add_parts(add: Adds, profile: Spread) -> None:
    """Predicted, observed and error in parts of about equal size, by prediction."""
    below = np.cumsum(profile.n)
    n = int(below[-1])
    edges = np.unique(np.searchsorted(below, np.arange(1, PARTS) * n // PARTS, side="right"))
    part = np.searchsorted(edges, np.arange(len(below)), side="right")
    rows, sums = np.zeros(len(edges) + 1, dtype=np.int64), np.zeros((len(edges) + 1, profile.sums.shape[1]), dtype=object)
    np.add.at(rows, part, profile.n)
    np.add.at(sums, part, profile.sums)
    for metric, start in (("part_prediction", 0), ("part_label", 3), ("part_mae", 6)):
        found = summed.moments_of(rows, [sums[:, start + i] for i in range(3)])
        ends = add.answer.metrics[metric].bounds or (-math.inf, math.inf)
        for i in np.flatnonzero(rows).tolist():
            each = (float(found.mean[i]), float(found.spread[i]), int(rows[i]))
            interval = moments.student(*each, add.answer.level, "Student's t over rows", ends, float(found.skewness[i]))
            add.answer.add(metric, tidy(each[0]), params=(("part", str(i + 1)),), n=each[2], interval=interval)
    for i in np.flatnonzero(rows).tolist():
        note = "predictions are counted in bins; a part ends where a bin does"
        add.answer.add("part_rows", int(rows[i]), params=(("part", str(i + 1)),), n=int(rows[i]), note=note)
