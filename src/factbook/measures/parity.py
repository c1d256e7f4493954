"""Rates of groups compared: differences and ratios against a reference group, tests, what it takes to find a difference, and gaps over all groups.

Tests of one rate over all slices of a measurement (and all classes) are one family, for which their p-values are adjusted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from factbook.measures import gaps, intervals, laws, multiplicity, power
from factbook.measures.binary import Counts
from factbook.measures.intervals import Interval, Share
from factbook.measures.multiplicity import Families
from factbook.measures.rates import RATES, Rate
from factbook.measures.reference_groups import shown
from factbook.measures.request import Answer, tidy
from factbook.model import Direction, Fact, Metric, Pairs, Unit

FOUR_FIFTHS: Final = 0.8
TESTED: Final = ("prevalence", "selection_rate", "accuracy", "precision", "fpr", "fnr", "for")
_HARDT: Final = "Hardt, Price & Srebro 2016, NeurIPS 29; over groups as in fairlearn"
_DWORK: Final = "Dwork et al. 2012, ITCS, 214; over groups as in fairlearn"
_BERK: Final = "Berk et al. 2021, Sociological Methods & Research 50, 3"
_CHOULDECHOVA: Final = "Chouldechova 2017, Big Data 5, 153"
_CORBETT: Final = "Corbett-Davies et al. 2017, KDD, 797"


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest difference, or the smallest ratio, of some rates over the groups of an attribute."""

    metric: Metric
    rates: tuple[str, ...]
    ratio: bool


def _gap(name: str, rates: tuple[str, ...], source: str, aliases: tuple[str, ...] = ()) -> Gap:
    ratio, title = name.endswith("ratio"), name.replace("_", " ")
    each = " and ".join(rates)
    worst = "; the worst" if len(rates) > 1 else ""
    formula = f"smallest {each} over groups / largest{worst}" if ratio else f"largest {each} over groups - smallest{worst}"
    unit, direction = (Unit.RATIO, Direction.HIGHER) if ratio else (Unit.POINTS, Direction.LOWER)
    return Gap(Metric(name, title, title, unit, direction, (0.0, 1.0), formula, source, aliases), rates, ratio)


GAPS: Final = (
    _gap("demographic_parity_difference", ("selection_rate",), _DWORK, ("statistical_parity_difference", "dpd")),
    _gap("demographic_parity_ratio", ("selection_rate",), _DWORK, ("disparate_impact", "impact_ratio")),
    _gap("equal_opportunity_difference", ("recall",), _HARDT, ("eod", "tpr_difference")),
    _gap("equal_opportunity_ratio", ("recall",), _HARDT),
    _gap("equalised_odds_difference", ("recall", "fpr"), _HARDT, ("equalized_odds_difference", "error_rate_balance_difference")),
    _gap("equalised_odds_ratio", ("recall", "fpr"), _HARDT, ("equalized_odds_ratio",)),
    _gap("error_rate_balance_ratio", ("fnr", "fpr"), _CHOULDECHOVA),
    _gap("predictive_equality_difference", ("fpr",), _CORBETT),
    _gap("predictive_equality_ratio", ("fpr",), _CORBETT),
    _gap("predictive_parity_difference", ("precision",), _CHOULDECHOVA),
    _gap("predictive_parity_ratio", ("precision",), _CHOULDECHOVA),
    _gap("conditional_use_accuracy_difference", ("precision", "npv"), _BERK, ("conditional_use_accuracy_equality",)),
    _gap("conditional_use_accuracy_ratio", ("precision", "npv"), _BERK),
    _gap("overall_accuracy_difference", ("accuracy",), _BERK, ("overall_accuracy_equality",)),
    _gap("overall_accuracy_ratio", ("accuracy",), _BERK),
)


def _against(name: str, ratio: bool) -> Metric:
    about = RATES[name].metric
    if ratio:
        formula, source, bounds = f"{name} of the group / {name} of the reference group", "Koopman 1984", (0.0, math.inf)
        return Metric(f"{name}_ratio", f"{about.title}, ratio", f"{about.short} ratio", Unit.RATIO, Direction.NEITHER, bounds, formula, source)
    formula, source = f"{name} of the group - {name} of the reference group", "Newcombe 1998"
    title = f"{about.title}, difference"
    return Metric(f"{name}_difference", title, f"{about.short} difference", Unit.POINTS, Direction.NEITHER, (-1.0, 1.0), formula, source)


def _settling(name: str) -> tuple[Metric, ...]:
    """What is said of a difference besides its interval."""
    about = RATES[name].metric
    title, short = f"{about.title}, difference", f"{about.short} difference"
    mdd = f"the smallest difference that a test at 1 - level finds with probability {power.POWER}, given the reference group's rate"
    more = f"further rows of the group, of the rate's denominator, for a probability of {power.POWER} to establish a difference as large as observed"
    fleiss = "Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, section 4.3"
    return (
        multiplicity.metric(f"{name}_difference_p", title, short, "P(a table no more likely than this one), were the rates equal", "Fisher 1935"),
        Metric(f"{name}_difference_mdd", f"{title}, minimum detectable", f"{short} MDD", Unit.POINTS, Direction.NEITHER, (0.0, 1.0), mdd, fleiss),
        Metric(
            f"{name}_difference_cases_needed",
            f"{title}, cases needed",
            f"{short} cases needed",
            Unit.COUNT,
            Direction.NEITHER,
            (0.0, math.inf),
            more,
            fleiss,
        ),
    )


METRICS: Final = (
    *(_against(name, ratio) for name in RATES for ratio in (False, True)),
    *(metric for name in TESTED for metric in _settling(name)),
    *(gap.metric for gap in GAPS),
    Metric(
        "four_fifths",
        "four-fifths rule",
        "four-fifths",
        Unit.TEXT,
        Direction.NEITHER,
        None,
        "met where the interval of the demographic parity ratio lies at or above 0.8, not met where below, else not established",
        "29 CFR 1607.4 D",
        ("80_percent_rule", "eighty_percent_rule"),
    ),
)
Found = Mapping[Pairs, Counts]


@dataclass
class Comparisons:
    """Adds differences from reference groups and their tests, which `families` adjusts at the end."""

    families: Families
    rates: Sequence[str] = tuple(RATES)

    def add(self, answer: Answer, found: Found, reference: Pairs) -> None:
        """Each group against the reference group: difference and ratio of every rate, and what is said of the difference."""
        for name in self.rates:
            rate = RATES[name]
            base = found[reference].share(rate.part, rate.whole)
            for place, counts in found.items():
                if place != reference:
                    n = counts.count(rate.whole) + found[reference].count(rate.whole)
                    given: dict[str, Any] = {"slice": place, "involves": (reference,), "note": f"against {shown(reference)}", "n": n}
                    mine = counts.share(rate.part, rate.whole)
                    if mine is None or base is None:
                        self._undefined(answer, rate, "the group" if mine is None else "the reference group", given)
                        continue
                    evidence = _both(counts.evidence(rate.part, rate.whole), found[reference].evidence(rate.part, rate.whole))
                    _add_pair(answer, name, mine, base, given | {"counts": evidence})
                    if name in TESTED:
                        self._settle(answer, name, mine, base, given)

    def _undefined(self, answer: Answer, rate: Rate, who: str, given: Mapping[str, Any]) -> None:
        name = rate.metric.name
        kinds = ("difference", "ratio", *(("difference_p", "difference_mdd", "difference_cases_needed") if name in TESTED else ()))
        for kind in kinds:
            answer.add(f"{name}_{kind}", None, undefined=f"0 of 0 in {who}: {rate.empty}", **given)

    def _settle(self, answer: Answer, name: str, mine: Share, base: Share, given: Mapping[str, Any]) -> None:
        """The test of a difference, and what it takes to find one."""
        self.families.add(answer, f"{name}_difference_p", laws.equal_shares(mine.k, mine.n, base.k, base.n), **given)
        least = power.detectable(base.value, mine.n, base.n, answer.level)
        said = "" if least is not None else "too few cases: no difference would be found"
        answer.add(f"{name}_difference_mdd", None if least is None else tidy(least), undefined=said, **given)
        more = power.cases_needed(mine, base, answer.level)
        said = "no difference was observed" if mine.value == base.value else "the reference group is too small, whatever the size of this group"
        answer.add(f"{name}_difference_cases_needed", more, undefined="" if more is not None else said, **given)


def _both(mine: Mapping[str, int], base: Mapping[str, int]) -> dict[str, int]:
    return {f"{key}_{side}": value for side, counts in (("group", mine), ("reference", base)) for key, value in counts.items()}


def _add_pair(answer: Answer, name: str, mine: Share, base: Share, given: Mapping[str, Any]) -> None:
    answer.add(f"{name}_difference", tidy(mine.value - base.value), interval=intervals.difference(mine, base, answer.level), **given)
    if base.k <= 0:
        said = f"{'0 / 0' if mine.k <= 0 else 'division by 0'}: the reference group's {name} is 0"
        answer.add(f"{name}_ratio", None, undefined=said, **given)
    else:
        answer.add(f"{name}_ratio", tidy(mine.value / base.value), interval=intervals.quotient(mine, base, answer.level), **given)


def add_gaps(answer: Answer, found: Found, by: Sequence[str], chosen: Sequence[Gap] = GAPS) -> None:
    """The gaps over the groups that are not suppressed; what they leave out is said."""
    visible = {place: counts for place, counts in found.items() if place not in answer.hidden}
    n = sum(counts.judged for counts in visible.values())
    for gap in chosen:
        parts = [_parts(visible, name) for name in gap.rates]
        used = min((len(part) for part in parts), default=0)
        note = "" if used == len(found) else f"over {used} of {len(found)} groups; in the others it is undefined or suppressed"
        given: dict[str, Any] = {"params": (("attribute", ",".join(by)),), "note": note, "n": n}
        if used < 2:
            fact = answer.add(gap.metric.name, None, undefined="fewer than two groups can be compared", **given)
        else:
            value, interval = _ratio(parts, answer.level) if gap.ratio else _difference(parts, answer.level)
            said = "" if value is not None else "0 / 0: the rate is 0 in every group"
            fact = answer.add(gap.metric.name, value, interval=interval, undefined=said, **given)
        if gap.metric.name == "demographic_parity_ratio":
            _add_four_fifths(answer, fact, given)


def _parts(visible: Found, name: str) -> list[Share]:
    rate = RATES[name]
    found = (counts.share(rate.part, rate.whole) for counts in visible.values())
    return [item for item in found if item is not None]


def _difference(parts: Sequence[Sequence[Share]], level: float) -> tuple[float, Interval | None]:
    """The largest difference of any of the rates."""
    value = max(max(item.value for item in part) - min(item.value for item in part) for part in parts)
    return tidy(value), gaps.difference([gaps.shares(part) for part in parts], level, 1.0)


def _ratio(parts: Sequence[Sequence[Share]], level: float) -> tuple[float | None, Interval | None]:
    """The smallest ratio of any of the rates; None where one is 0 / 0."""
    if any(all(item.k <= 0 for item in part) for part in parts):
        return None, None
    value = min(min(item.value for item in part) / max(item.value for item in part) for part in parts)
    return tidy(value), gaps.ratio([gaps.shares(part) for part in parts], level)


def _add_four_fifths(answer: Answer, ratio: Fact, given: Mapping[str, Any]) -> None:
    """The verdict on the demographic parity ratio."""
    if ratio.low is None or ratio.high is None:
        answer.add("four_fifths", None, undefined=ratio.reason or "the demographic parity ratio has no interval", **given)
        return
    verdict = "met" if ratio.low >= FOUR_FIFTHS else "not met" if ratio.high < FOUR_FIFTHS else "not established"
    said = f"demographic parity ratio {ratio.value:.3f}, interval {ratio.low:.3f} to {ratio.high:.3f}"
    answer.add("four_fifths", verdict, **{**given, "note": "; ".join(filter(None, (said, given["note"])))})


def add_shared_gaps(answer: Answer, cells: Found, singles: Sequence[Found], by: Sequence[str]) -> None:
    """The largest difference between any two groups of either of two attributes (`attribute=age+sex`): groups that share rows.

    How many they share is read from the published intersections; where one of these is hidden, the gap would tell of it and is left out.
    """
    groups = {place: counts for found in singles for place, counts in found.items()}
    if any(place in answer.hidden for place in (*cells, *groups)):
        return
    for gap in GAPS:
        if gap.ratio:
            continue
        families = [_shared(groups, cells, name) for name in gap.rates]
        if any(len(family.k) < 2 for family in families):
            continue
        value = max(float(family.value.max() - family.value.min()) for family in families)
        n = sum(counts.judged for counts in cells.values())
        params = (("attribute", "+".join(by)),)
        answer.add(gap.metric.name, tidy(value), params=params, interval=gaps.difference(families, answer.level, 1.0), n=n)


def _shared(groups: Found, cells: Found, name: str) -> gaps.Shares:
    """A rate of all groups, and how it varies with the cells."""
    rate = RATES[name]
    misses = tuple(kind for kind in rate.whole if kind not in rate.part)
    known = {place: part for place, counts in groups.items() if (part := counts.share(rate.part, rate.whole)) is not None}
    members = np.array([[set(place) <= set(cell) for cell in cells] for place in known], dtype=bool).reshape(len(known), len(cells))
    hit, miss = (np.array([_squares(counts, kinds) for counts in cells.values()]) for kinds in (rate.part, misses))
    weight = np.array([_weight(groups[place], rate.whole) for place in known])
    return gaps.overlapping(list(known.values()), members, hit, miss, weight)


def _squares(counts: Counts, kinds: Sequence[int]) -> float:
    return float(counts.count(kinds)) if counts.weights is None else counts.weight(kinds)[1] / 2**50


def _weight(counts: Counts, kinds: Sequence[int]) -> float:
    return float(counts.count(kinds)) if counts.weights is None else counts.weight(kinds)[0] / 2**50
