"""What was found of each generated output, and its mean over slices, where the outputs of one sample vary together."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from factbook.measures.request import Answer
from factbook.measures.rows import Flags, Texts
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, moments
from factbook.statistics.moments import Floats, Integers, Sample, tidy


def share(name: str, title: str, short: str, unit: Unit, formula: str, source: str = "", aliases: tuple[str, ...] = ()) -> Metric:
    """The vocabulary entry of what lies between 0 and 1, the higher the better."""
    return Metric(name, title, short, unit, Direction.HIGHER, (0.0, 1.0), formula, source, aliases)


@dataclass(frozen=True, eq=False)
class Judged:
    """A value per output, and for which outputs there is one.

    Attributes:
        metric, params: the fact of their mean.
        values, there: one for each output.
        binary: all values are 0 or 1.
        empty: what is said where no output has one.
        error: whether the standard error of the mean is a fact too.
        bounds: of the values, where these are narrower than those of the metric.
    """

    metric: str
    params: Pairs
    values: Floats
    there: Flags
    binary: bool
    empty: str
    error: bool = False
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Slices:
    """The outputs in slices.

    Attributes:
        names: of the slices.
        index: per output, its slice.
        clusters: per output, the number of what varies together, or None.
        unit: what that is called: `sample`, or '' where the source says it.
        below: fewer outputs are not published.
    """

    names: Sequence[Pairs]
    index: Integers
    clusters: Integers | None
    unit: str
    below: int

    def sample(self, there: Flags) -> Sample:
        """Those of the outputs."""
        return Sample(self.index[there], len(self.names), None, None if self.clusters is None else self.clusters[there])

    def lacking(self, n: int, have: str, none: str) -> str:
        """Why nothing is said of n outputs; '' where enough have a value."""
        return f"fewer than {self.below} outputs {have}" if 0 < n < self.below else "" if n else f"0 of 0: {none}"

    def method(self, sample: Sample) -> str:
        """How the interval of a mean is called."""
        if alone(sample):
            return moments.method(replace(sample, clusters=None))
        return f"Student's t over {moments.plural(self.unit)}" if self.unit else moments.method(sample)


def alone(sample: Sample) -> bool:
    """Whether every output is a unit of its own."""
    return sample.clusters is None or bool((sample.units == sample.n).all())


def add_mean(answer: Answer, item: Judged, slices: Slices) -> None:
    """The mean over the outputs that have a value; fewer than the smallest group of the book are not published."""
    sample, values = slices.sample(item.there), item.values[item.there]
    means = moments.means(sample, values, answer.level, slices.method(sample), item.bounds or answer.metrics[item.metric].bounds)
    own: dict[str, Any] = {"unit": Unit.SCORE, "bounds": item.bounds} if item.bounds else {}
    exact = item.binary and alone(sample)
    for place, n, (mean, found) in zip(slices.names, sample.n.tolist(), means, strict=True):
        if said := slices.lacking(n, "have a value", item.empty):
            answer.add(item.metric, None, params=item.params, slice=place, n=None if n else 0, undefined=said)
        elif exact:
            k = round(mean * n)
            interval = intervals.proportion(k, n, answer.level)
            answer.add(item.metric, k / n, params=item.params, slice=place, n=n, counts={"k": k, "n": n}, interval=interval, **own)
        else:
            answer.add(item.metric, tidy(mean), params=item.params, slice=place, n=n, interval=found, **own)
    if item.error:
        _add_error(answer, item, slices, sample, values)


def _add_error(answer: Answer, item: Judged, slices: Slices, sample: Sample, values: Floats) -> None:
    """The standard error of a mean, as evaluation tools print it beside the mean."""
    spread = sample.spread(values, np.nan_to_num(sample.mean(values)))
    for place, n, units, variance in zip(slices.names, sample.n.tolist(), sample.units.tolist(), spread.tolist(), strict=True):
        undefined = slices.lacking(n, "have a value", item.empty) or ("" if units > 1 else "there is only one unit")
        params = (("of", item.metric), *(("score", value) for _, value in item.params))
        value = None if undefined else tidy(math.sqrt(variance))
        answer.add("standard_error", value, params=params, slice=place, n=units, undefined=undefined)


def parsed(column: Texts) -> list[tuple[str, ...]]:
    """A column of JSON texts or lists as tuples of texts, () where missing."""
    known: list[tuple[str, ...]] = [()]
    for text in column.values:
        value = json.loads(text)
        items = value if isinstance(value, list) else [value]
        known.append(tuple(item if isinstance(item, str) else json.dumps(item) for item in items if item is not None))
    return [known[code] for code in column.codes.tolist()]
