"""Differences within the levels of another attribute: Simpson's reversal.

A difference between two groups may come from where they are rather than from how they are treated there (Bickel, Hammel & O'Connell 1975, Science
187, 398: admissions to Berkeley). Beside every difference stands its average within the levels of each other declared attribute, whose intersections
are published; where that has the opposite sign of an established difference a warning says so. Which of them answers the question is for people to
say.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from factbook.measures import parity
from factbook.measures.binary import Counts
from factbook.measures.rates import RATES, Rate
from factbook.measures.reference_groups import shown
from factbook.measures.request import Answer
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import two_rates
from factbook.statistics.intervals import Interval, Share, normal
from factbook.statistics.moments import tidy

SAME: Final = "same sign"
OPEN: Final = "not established"
REVERSED: Final = "reversed"
ESTABLISHED: Final = "reversed, both established"
_MH: Final = "Mantel & Haenszel 1959; Klingenberg 2014, Statistics in Medicine 33, 2968"


def _metrics(name: str) -> tuple[Metric, ...]:
    about = RATES[name].metric
    formula = f"sum over levels of w ({name} of the group - of the reference group) / sum of w, w = n m / (n + m)"
    title = f"{about.title}, difference within levels"
    said = (
        f"{name}_difference against its average within the levels: `{SAME}`; opposite signs are `{REVERSED}` where {name}_difference is established"
    )
    return (
        Metric(f"{name}_difference_stratified", title, f"{about.short} difference within", Unit.POINTS, Direction.NEITHER, (-1.0, 1.0), formula, _MH),
        Metric(f"{name}_difference_reversal", f"{about.title}, reversal", f"{about.short} reversal", Unit.TEXT, Direction.NEITHER, None, said, _MH),
    )


METRICS: Final = tuple(metric for name in parity.TESTED for metric in _metrics(name))
Pair = tuple[Share, Share]


def mantel_haenszel(strata: Sequence[Pair], level: float) -> tuple[float, Interval | None]:
    """The Mantel-Haenszel difference of two proportions over strata of (group, reference), and its interval.

    Klingenberg 2014: the score-like interval of Sato's variance (Sato, Greenland & Robins 1989, Biometrics 45, 1323), which holds both for few large
    strata and for many small ones. None where no proportion varies.
    """
    weight = math.fsum(a.n * b.n / (a.n + b.n) for a, b in strata)
    value = math.fsum((a.value - b.value) * a.n * b.n / (a.n + b.n) for a, b in strata) / weight
    p = math.fsum((a.n**2 * b.k - b.n**2 * a.k + a.n * b.n * (b.n - a.n) / 2) / (a.n + b.n) ** 2 for a, b in strata)
    q = math.fsum((a.k * (b.n - b.k) + b.k * (a.n - a.k)) / (a.n + b.n) for a, b in strata) / 2
    bound = normal(level) ** 2 / weight**2
    middle = value + bound * p / 2
    square = middle**2 - value**2 + bound * q
    if square <= 0:
        return value, None
    half = math.sqrt(square)
    kish = ", Kish's effective n" if any(part.weighted for pair in strata for part in pair) else ""
    return value, Interval(max(-1.0, middle - half), min(1.0, middle + half), f"Klingenberg{kish}")


def add(answer: Answer, cells: Mapping[Pairs, Counts], totals: Mapping[Pairs, Counts], reference: Pairs, within: str) -> None:
    """The differences of every group from its reference group, within the levels of another attribute.

    Args:
        answer: takes the facts.
        cells: the counts of the intersections of the two attributes.
        totals: the counts of the groups.
        reference: the reference group.
        within: the other attribute.
    """
    attribute = reference[0][0]
    split = {cell: tuple(tuple(pair for pair in cell if (pair[0] == attribute) is own) for own in (True, False)) for cell in cells}
    visible: dict[Pairs, dict[Pairs, Counts]] = defaultdict(dict)
    for cell, (group, level) in split.items():
        if cell not in answer.hidden:
            visible[group][level] = cells[cell]
    levels = len({level for _, level in split.values()})
    for place, counts in totals.items():
        both = [(visible[place][level], own) for level, own in visible[reference].items() if level in visible[place]]
        for name in parity.TESTED if place != reference else ():
            rate = RATES[name]
            pair = _shares(counts, totals[reference], rate)
            if pair is not None:
                strata = [(found, a.count(rate.whole) + b.count(rate.whole)) for a, b in both if (found := _shares(a, b, rate)) is not None]
                given: dict[str, Any] = {"slice": place, "involves": (reference,), "params": (("within", within),), "n": sum(n for _, n in strata)}
                given["note"] = f"against {shown(reference)}, over {len(strata)} of {levels} levels of {within}"
                _add_one(answer, name, pair, [found for found, _ in strata], given)


def _shares(group: Counts, reference: Counts, rate: Rate) -> Pair | None:
    """A rate of both; None where one is 0 of 0."""
    a, b = (counts.share(rate.part, rate.whole) for counts in (group, reference))
    return None if a is None or b is None else (a, b)


def _add_one(answer: Answer, name: str, pair: Pair, strata: Sequence[Pair], given: Mapping[str, Any]) -> None:
    if not strata:
        for kind in ("stratified", "reversal"):
            answer.add(f"{name}_difference_{kind}", None, undefined="both groups have cases at no level", **given)
        return
    value, interval = mantel_haenszel(strata, answer.level)
    fact = answer.add(f"{name}_difference_stratified", tidy(value), interval=interval, **given)
    aggregate = pair[0].value - pair[1].value
    verdict = _verdict(aggregate, two_rates.difference(*pair, answer.level), value, interval)
    answer.add(f"{name}_difference_reversal", verdict, **given)
    if verdict in (REVERSED, ESTABLISHED) and fact.measured:
        clear = ", both established" if verdict == ESTABLISHED else ""
        answer.warnings.append(
            f"{name} of {shown(given['slice'])} {given['note']}: {value:+.3f}, but {aggregate:+.3f} in all{clear} (Simpson's reversal)"
        )


def _verdict(aggregate: float, whole: Interval, within: float, interval: Interval | None) -> str:
    if aggregate * within >= 0:
        return SAME
    if not _clear(whole):
        return OPEN
    return ESTABLISHED if interval is not None and _clear(interval) else REVERSED


def _clear(interval: Interval) -> bool:
    return interval.low > 0 or interval.high < 0
