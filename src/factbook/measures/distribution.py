"""How the numbers of each column are spread: quartiles, standard deviation, and a value at the edge that may stand for "missing".

spread: {measure: distribution, data: train}
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from factbook import sources
from factbook.engines import kept
from factbook.engines.sketches import Floats, Integers, Numbers
from factbook.manifest import Planned, Source
from factbook.measures.request import Answer, Request
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals
from factbook.statistics.moments import tidy

VERSION: Final = 2
ROLES: Final = ("data",)
PARAMS: Final = ()
QUARTILES: Final = {"lower_quartile": 1, "median": 2, "upper_quartile": 3}
SPIKE_SHARE: Final = 0.01
SPIKE_ROWS: Final = 5
SPIKE_OTHERS: Final = 10
_ALL: Final = (-math.inf, math.inf)


def _quantity(name: str, title: str, short: str, formula: str, source: str = "") -> Metric:
    return Metric(name, title, short, Unit.QUANTITY, Direction.NEITHER, _ALL, formula, source)


_TYPE_1: Final = "Hyndman & Fan 1996, The American Statistician 50, 361, definition 1"
_SPIKE: Final = (
    "the smallest or largest value, where 1 % of the values (at least 5) are equal to it and it lies further from the next one than the middle half "
    "of the others is wide"
)
METRICS: Final = (
    *(
        _quantity(name, name.replace("_", " "), name.replace("_", " "), f"smallest value that {k}/4 of the values reach", _TYPE_1)
        for name, k in QUARTILES.items()
    ),
    _quantity("standard_deviation", "standard deviation", "sd", "root of the sample variance, n - 1"),
    _quantity("edge_spike", "suspicious value at the edge", "spike", _SPIKE),
    Metric(
        "edge_spike_share",
        "share of the suspicious value",
        "spike share",
        Unit.FRACTION,
        Direction.NEITHER,
        (0.0, 1.0),
        "values equal to it / values",
        "",
    ),
)


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """None: no counts of groups are published."""
    del name, planned, source
    return ()


def measure(request: Request, answer: Answer) -> None:
    """Facts of every column of numbers, but for the key and, where groups are hidden, the columns of groups."""
    source = request.source()
    table = sources.table(source, request.root, request.store)
    apart = {source.key} | ({group.column for group in source.by.values()} if answer.hidden else set())
    wanted = {name: False for name in table.names if name not in apart}
    if not wanted:
        return
    for name, sketch in kept.sketched(table, source, wanted, request.store, request.progress)[()].items():
        if sketch.numbers is not None and sketch.present:
            _add(answer, sketch.numbers, (("column", name),), f"{source.uri}: column {name!r}")


def _add(answer: Answer, numbers: Numbers, params: Pairs, where: str) -> None:
    n = numbers.count
    lows, highs = numbers.edges
    reached = np.cumsum(numbers.n)
    for name, k in QUARTILES.items():
        place = int(np.searchsorted(reached * 4, k * n))
        low, high = float(lows[place]), float(highs[place])
        note = "" if low == high else f"values are counted in bins: the exact one lies between {low:.6g} and {high:.6g}"
        middle = low if low == high else low + (high - low) / 2
        answer.add(name, tidy(middle), params=params, n=n, undefined="" if math.isfinite(middle) else "infinite", note=note)
    variance = numbers.variance
    said = "fewer than two values, an infinite one, or a mean of more than a million standard deviations"
    answer.add(
        "standard_deviation",
        None if variance is None else tidy(math.sqrt(variance)),
        params=params,
        n=n,
        undefined="" if variance is not None else said,
    )
    spike = edge_spike(lows, highs, numbers.n)
    if spike is not None:
        value, k, beside = spike
        note = f"{k} of {n} values; the next one is {beside:.6g}: ask whether it stands for a missing value"
        answer.add("edge_spike", tidy(value), params=params, n=n, note=note)
        answer.add("edge_spike_share", k / n, params=params, n=n, counts={"k": k, "n": n}, interval=intervals.proportion(k, n, answer.level))
        answer.warnings.append(f"{where}: {note.replace('it stands', f'{value:.6g} stands')}")


def edge_spike(lows: Floats, highs: Floats, n: Integers) -> tuple[float, int, float] | None:
    """A value at the edge, how often it occurs, and the value beside it; None where there is no spike (see `METRICS`).

    It is a reason to ask, not a finding. Columns with few different values have none.
    """
    if len(n) <= SPIKE_OTHERS:
        return None
    for edge, beside, others in ((0, 1, slice(1, None)), (-1, -2, slice(None, -1))):
        count, rest = int(n[edge]), n[others]
        reached = np.cumsum(rest) * 4
        lower, upper = (np.searchsorted(reached, k * int(rest.sum())) for k in (1, 3))
        width = float(highs[others][upper] - lows[others][lower])
        gap = float(lows[1] - highs[0] if edge == 0 else lows[-1] - highs[-2])
        if count >= max(SPIKE_ROWS, SPIKE_SHARE * int(n.sum())) and math.isfinite(gap) and gap > width:
            return float(lows[edge]), count, float(lows[beside] if edge == 0 else highs[beside])
    return None
