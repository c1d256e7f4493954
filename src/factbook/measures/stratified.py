"""Differences within the levels of another attribute: Simpson's reversal.

A difference between two groups may come from where they are rather than from how they are treated there (Bickel, Hammel & O'Connell 1975, Science
187, 398: admissions to Berkeley). Beside every difference stands its average within the levels of each other declared attribute, whose intersections
are published; where that has the opposite sign of an established difference a warning says so. Which of them answers the question is for people to
say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from factbook.measures import parity
from factbook.measures.binary import Counts
from factbook.measures.intervals import Interval, Share, difference, normal
from factbook.measures.rates import RATES
from factbook.measures.reference_groups import shown
from factbook.measures.request import Answer, tidy
from factbook.model import Direction, Metric, Pairs, Unit

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
    for name in parity.TESTED:
        rate = RATES[name]
        own = {place: counts.share(rate.part, rate.whole) for place, counts in totals.items()}
        base = own[reference]
        for place, mine in own.items():
            if place != reference and mine is not None and base is not None:
                strata, used, levels = _strata(answer, cells, place, reference, name)
                _add_one(answer, name, (mine, base), strata, (place, reference, within), f"over {used} of {levels} levels of {within}")


def _strata(answer: Answer, cells: Mapping[Pairs, Counts], place: Pairs, reference: Pairs, name: str) -> tuple[list[Pair], int, int]:
    """The levels where both groups have cases and neither is suppressed, and how many levels there are."""
    rate = RATES[name]
    levels: dict[Pairs, dict[Pairs, Share]] = {}
    for cell, counts in cells.items():
        group = tuple(pair for pair in cell if pair in (*place, *reference))
        part = counts.share(rate.part, rate.whole)
        sides = levels.setdefault(tuple(pair for pair in cell if pair[0] != place[0][0]), {})
        if group and part is not None and cell not in answer.hidden:
            sides[group] = part
    found = [(sides[place], sides[reference]) for sides in levels.values() if len(sides) == 2]
    return found, len(found), len(levels)


def _add_one(answer: Answer, name: str, pair: Pair, strata: Sequence[Pair], where: tuple[Pairs, Pairs, str], over: str) -> None:
    place, reference, within = where
    given = {"slice": place, "involves": (reference,), "params": (("within", within),), "note": f"against {shown(reference)}, {over}"}
    n = int(math.fsum(a.n + b.n for a, b in strata))
    if not strata:
        for kind in ("stratified", "reversal"):
            answer.add(f"{name}_difference_{kind}", None, undefined="both groups have cases at no level", n=0, **given)  # type: ignore[arg-type]
        return
    value, interval = mantel_haenszel(strata, answer.level)
    fact = answer.add(f"{name}_difference_stratified", tidy(value), interval=interval, n=n, **given)  # type: ignore[arg-type]
    whole = difference(*pair, answer.level)
    verdict = _verdict(pair[0].value - pair[1].value, whole, value, interval)
    answer.add(f"{name}_difference_reversal", verdict, n=n, **given)  # type: ignore[arg-type]
    if verdict in (REVERSED, ESTABLISHED) and fact.measured:
        said = f"{name} of {shown(place)} against {shown(reference)} is {pair[0].value - pair[1].value:+.3f}, but {value:+.3f} within {within}"
        answer.warnings.append(f"{said}{', both established' if verdict == ESTABLISHED else ''} (Simpson's reversal)")


def _verdict(aggregate: float, whole: Interval, within: float, interval: Interval | None) -> str:
    if aggregate * within >= 0:
        return SAME
    if not _clear(whole):
        return OPEN
    return ESTABLISHED if interval is not None and _clear(interval) else REVERSED


def _clear(interval: Interval) -> bool:
    return interval.low > 0 or interval.high < 0
