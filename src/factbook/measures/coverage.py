"""Whom a data set covers: the shares of its groups against those of a reference population.

    {measure: coverage, data: train, reference: census, reference_is: census, by: [sex, age_band, [sex, age_band]]}

The reference is a source with the same attributes: a table of people (`reference_is: sample`; its shares are estimates, too), or one of known
figures (`reference_is: census`), such as a small file with one row a group whose `weight` is the group's share (or its count in millions).

A ratio below 1 says that a group is rarer in the data than in the population. Intervals: of a share Wilson or Clopper-Pearson; against a census the
same divided by, or less, the known share; against a sample Koopman's and Newcombe's for two independent proportions. The lowest ratio of an attribute
takes the ends of its groups' intervals at the level at which all hold together (Bonferroni); it is conservative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from factbook.engines import Tally
from factbook.engines.tallies import SCALE, total
from factbook.errors import MeasureError
from factbook.manifest import Planned, Source
from factbook.measures import binary, rows
from factbook.measures.request import Answer, Request, count_metric
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import intervals, two_rates
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import tidy

VERSION: Final = 2
ROLES: Final = ("data", "reference")
PARAMS: Final = ("reference_is",)
_NEITHER: Final = Direction.NEITHER
METRICS: Final = (
    count_metric("rows", "rows", "n", "rows of the data, or of a group"),
    Metric("share", "share of the data", "share", Unit.FRACTION, _NEITHER, (0.0, 1.0), "rows of the group / rows", ""),
    Metric("reference_share", "share of the reference population", "reference", Unit.FRACTION, _NEITHER, (0.0, 1.0), "group / population", ""),
    Metric(
        "representation_ratio",
        "representation ratio",
        "ratio",
        Unit.RATIO,
        _NEITHER,
        (0.0, math.inf),
        "share of the data / share of the reference population",
        "Clemmensen & Kjærsgaard 2022, arXiv:2203.04706",
        ("representation_rate", "participation_to_prevalence_ratio"),
    ),
    Metric(
        "representation_difference",
        "representation difference",
        "difference",
        Unit.POINTS,
        _NEITHER,
        (-1.0, 1.0),
        "share of the data - share of the reference population",
        "",
    ),
    Metric(
        "lowest_representation",
        "lowest representation ratio of any group",
        "lowest ratio",
        Unit.RATIO,
        Direction.HIGHER,
        (0.0, math.inf),
        "smallest representation ratio over the groups",
        "",
    ),
    Metric(
        "dissimilarity",
        "index of dissimilarity",
        "dissimilarity",
        Unit.FRACTION,
        Direction.LOWER,
        (0.0, 1.0),
        "half the sum over groups of |share of the data - share of the reference population|",
        "Duncan & Duncan 1955, American Sociological Review 20, 210",
        ("total_variation",),
    ),
)


class Parameters(rows.Parameters):
    """Whether the reference's shares are known (`census`) or estimated from its rows (`sample`)."""

    reference_is: Literal["census", "sample"]


def protected(planned: Planned) -> tuple[str, ...]:
    """Small groups are hidden in the data, and in a reference whose rows are people; a census is public."""
    return ROLES[:1] if planned.params.get("reference_is") == "census" else ROLES


@dataclass(frozen=True, slots=True)
class _Group:
    """The rows of one group in one table, and its share."""

    rows: int
    share: Share
    evidence: Mapping[str, int]


def measure(request: Request, answer: Answer) -> None:
    """Facts of every group of every declared combination of attributes.

    Raises:
        MeasureError: `by` or `reference_is` is not given; the reference lacks an attribute; a table has no weight.
        SourceError: groups or weights are missing without a policy.
    """
    given = rows.parameters(Parameters, request)
    slices = request.slices()
    request.slices("reference")
    if not slices:
        raise MeasureError(f"plan.{request.name}: `by` is not given", remedy="name the attributes that both sources have, e.g. `by: [sex]`")
    for role in ROLES:
        binary.refuse_missing(request.tally(role), request.source(role))
    tally = request.tally()
    answer.add("rows", tally.rows, n=tally.rows)
    for by in slices:
        data = _groups(tally, request.source(), by, request.source_name())
        reference = _groups(request.tally("reference"), request.source("reference"), by, request.source_name("reference"))
        _add_groups(answer, data, reference, known=given.reference_is == "census")
        _add_attribute(answer, data, reference, by, known=given.reference_is == "census")
        alone = [place for place in data if place not in reference]
        if alone:
            shown = ", ".join(repr(value) for _, value in alone[0])
            answer.warnings.append(f"{request.source().uri}: {len(alone)} groups by {', '.join(by)} are not in the reference, e.g. {shown}")


def _groups(tally: Tally, source: Source, by: Sequence[str], where: str) -> dict[Pairs, _Group]:
    """The groups of one table; with weights, effective counts (Kish 1965)."""
    inside = tally.where(binary.placed(tally, source, by))
    names, index = binary.slices(inside, by)
    if not names:
        raise MeasureError(f"source {where}: no row has a value of {', '.join(by)}", remedy="mend the attribute's column")
    counts = np.zeros(len(names), dtype=np.int64)
    np.add.at(counts, index, inside.n)
    if inside.weights is None:
        n = int(counts.sum())
        return {name: _Group(k, Share(k, n), {"k": k, "n": n}) for name, k in zip(names, counts.tolist(), strict=True)}
    n, squares = total(inside.weights)
    if not n:
        raise MeasureError(f"source {where}: all weights are 0", remedy="give at least one row a weight")
    effective = n * n / (squares << SCALE)
    found = {}
    for i, (name, k) in enumerate(zip(names, counts.tolist(), strict=True)):
        weight = total(inside.weights[index == i])[0]
        found[name] = _Group(k, Share(weight / n * effective, effective, weighted=True), _reduced(weight, n, squares))
    return found


def _reduced(k: int, n: int, squares: int) -> dict[str, int]:
    """Weighted sums over 2^scale."""
    scale = SCALE
    while scale and not (k | n | squares) & 1:
        k, n, squares, scale = k >> 1, n >> 1, squares >> 1, scale - 1
    return {"weighted_k": k, "weighted_n": n, "weighted_squares": squares, "scale": scale}


def _add_groups(answer: Answer, data: Mapping[Pairs, _Group], reference: Mapping[Pairs, _Group], *, known: bool) -> None:
    whole = next(iter(data.values())).share
    for place in sorted({*data, *reference}):
        own = data.get(place) or _Group(0, Share(0, whole.n, whole.weighted), {"k": 0, "n": round(whole.n)} if not whole.weighted else {})
        other = reference.get(place)
        n = sum(group.rows for group in data.values())
        answer.add("rows", own.rows, slice=place, n=own.rows)
        answer.add("share", tidy(own.share.value), slice=place, n=n, counts=own.evidence, interval=intervals.share(own.share, answer.level))
        if other is None or other.share.k <= 0:
            said = "the reference has no such group"
            for name in ("reference_share", "representation_ratio", "representation_difference"):
                answer.add(name, None, slice=place, undefined=said)
            continue
        size = None if known else sum(group.rows for group in reference.values())
        interval = None if known else intervals.share(other.share, answer.level)
        answer.add("reference_share", tidy(other.share.value), slice=place, n=size, counts={} if known else other.evidence, interval=interval)
        difference = own.share.value - other.share.value
        answer.add(
            "representation_ratio", tidy(own.share.value / other.share.value), slice=place, n=n, interval=_ratio(own, other, answer.level, known)
        )
        answer.add("representation_difference", tidy(difference), slice=place, n=n, interval=_difference(own, other, answer.level, known))


def _ratio(own: _Group, other: _Group, level: float, known: bool) -> Interval | None:
    if not known:
        return two_rates.quotient(own.share, other.share, level)
    found = intervals.share(own.share, level)
    return Interval(found.low / other.share.value, found.high / other.share.value, f"{found.method}, over the known share")


def _difference(own: _Group, other: _Group, level: float, known: bool) -> Interval:
    if not known:
        return two_rates.difference(own.share, other.share, level)
    found = intervals.share(own.share, level)
    return Interval(found.low - other.share.value, found.high - other.share.value, f"{found.method}, less the known share")


def _add_attribute(answer: Answer, data: Mapping[Pairs, _Group], reference: Mapping[Pairs, _Group], by: Sequence[str], *, known: bool) -> None:
    """The lowest ratio and the dissimilarity over the groups of a combination of attributes."""
    params = (("attribute", ",".join(by)),)
    n = sum(group.rows for group in data.values())
    shares = {place: (data[place].share.value if place in data else 0.0) for place in {*data, *reference}}
    if answer.hidden & set(shares):
        answer.suppress("dissimilarity", params)
    else:
        apart = [abs(share - (reference[place].share.value if place in reference else 0.0)) for place, share in shares.items()]
        answer.add("dissimilarity", tidy(math.fsum(apart) / 2), params=params, n=n, note="no interval: it is biased upwards in small samples")
    whole = next(iter(data.values())).share
    shown = [place for place in reference if place not in answer.hidden and reference[place].share.k > 0]
    if not shown:
        answer.suppress("lowest_representation", params)
        return
    level = 1 - (1 - answer.level) / len(shown)
    nobody = _Group(0, Share(0, whole.n, whole.weighted), {})
    ratios = [shares[place] / reference[place].share.value for place in shown]
    found = [_ratio(data.get(place, nobody), reference[place], level, known) for place in shown]
    ends = [item for item in found if item is not None]
    interval = None
    if ends and len(ends) == len(found):
        method = f"simultaneous {ends[0].method} over all groups (Bonferroni), conservative"
        interval = Interval(min(item.low for item in ends), min(item.high for item in ends), method)
    note = "" if len(shown) == len(reference) else f"over {len(shown)} of {len(reference)} groups; the others are suppressed"
    answer.add("lowest_representation", tidy(min(ratios)), params=params, n=n, interval=interval, note=note)
