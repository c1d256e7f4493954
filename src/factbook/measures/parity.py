"""Rates of groups compared: differences and ratios against a reference group, tests, what it takes to find a difference, and gaps over all groups.

Tests of one rate over all slices of a measurement (and all classes) are one family, for which their p-values are adjusted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from factbook.measures import clusters, multiplicity
from factbook.measures.binary import Counts
from factbook.measures.clusters import Blocked
from factbook.measures.multiplicity import Families
from factbook.measures.rates import RATES, Rate
from factbook.measures.reference_groups import shown
from factbook.measures.request import Answer
from factbook.model import Direction, Fact, Metric, Pairs, Unit
from factbook.statistics import gaps, laws, power, two_rates
from factbook.statistics.intervals import Interval, Share
from factbook.statistics.moments import tidy

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
        base, others = found[reference], {place: counts for place, counts in found.items() if place != reference}
        for name in self.rates:
            rate = RATES[name]
            for place, counts in others.items():
                pair = _Pair(rate, counts, base, counts.share(rate.part, rate.whole), base.share(rate.part, rate.whole))
                given: dict[str, Any] = {"slice": place, "involves": (reference,), "note": f"against {shown(reference)}", "n": pair.n}
                if pair.lacking:
                    kinds = ("difference", "ratio", *(("difference_p", "difference_mdd", "difference_cases_needed") if name in TESTED else ()))
                    for kind in kinds:
                        answer.add(f"{name}_{kind}", None, undefined=pair.lacking, **given)
                    continue
                _add_pair(answer, name, pair, given)
                if name in TESTED:
                    self._settle(answer, name, pair, given)

    def _settle(self, answer: Answer, name: str, pair: _Pair, given: Mapping[str, Any]) -> None:
        """The test of a difference, and what it takes to find one."""
        mine, base = pair.shares
        p = pair.p()
        if p is None:
            answer.add(f"{name}_difference_p", None, undefined="the rows lie in too few clusters", **given)
        else:
            self.families.add(answer, f"{name}_difference_p", p, **given)
        least = power.detectable(base.value, mine.n, base.n, answer.level)
        said = "" if least is not None else "too few cases: no difference would be found"
        answer.add(f"{name}_difference_mdd", None if least is None else tidy(least), undefined=said, **given)
        more = None if pair.few else power.cases_needed(mine, base, answer.level, pair.difference(answer.level))
        said = "no difference was observed" if mine.value == base.value else "the reference group is too small, whatever the size of this group"
        cases = None if more is None else math.ceil(more * pair.mine.count(pair.rate.whole) / mine.n - 1e-9)
        said = "" if more is not None else pair.few.replace("no interval: ", "") or said
        answer.add(f"{name}_difference_cases_needed", cases, undefined=said, **given)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A rate of a group and of its reference group."""

    rate: Rate
    mine: Counts
    base: Counts
    share: Share | None
    other: Share | None

    @property
    def shares(self) -> tuple[Share, Share]:
        assert self.share is not None
        assert self.other is not None
        return self.share, self.other

    @property
    def n(self) -> int:
        return self.mine.count(self.rate.whole) + self.base.count(self.rate.whole)

    @property
    def lacking(self) -> str:
        """Why nothing can be compared; '' where it can."""
        if self.share is not None and self.other is not None:
            return ""
        return f"0 of 0 in {'the group' if self.share is None else 'the reference group'}: {self.rate.empty}"

    @property
    def few(self) -> str:
        """Why there is no interval: too few clusters."""
        return clusters.few(self.mine, self.rate.whole) or clusters.few(self.base, self.rate.whole)

    def counts(self) -> dict[str, int]:
        """The integers from which both rates follow."""
        sides = (("group", self.mine), ("reference", self.base))
        return {f"{key}_{side}": value for side, own in sides for key, value in own.evidence(self.rate.part, self.rate.whole).items()}

    def difference(self, level: float) -> Interval | None:
        """Of independent rows, or of rows in clusters."""
        if isinstance(self.mine, Blocked):
            return clusters.difference(self.mine, self.base, self.rate.part, self.rate.whole, level)
        return two_rates.difference(*self.shares, level)

    def ratio(self, level: float) -> Interval | None:
        """As `difference`."""
        if isinstance(self.mine, Blocked):
            return clusters.ratio(self.mine, self.base, self.rate.part, self.rate.whole, level)
        return two_rates.quotient(*self.shares, level)

    def p(self) -> float | None:
        """Of the test that both rates are equal; with clusters that of the normal law at their effective n. None with too few clusters."""
        mine, base = self.shares
        if not isinstance(self.mine, Blocked):
            return laws.equal_shares(mine.k, mine.n, base.k, base.n)
        if self.few:
            return None
        a, b = (math.sqrt((part.k + 0.5) / (part.n + 1) * (part.n - part.k + 0.5) / (part.n + 1) / part.n) for part in (mine, base))
        rho = clusters.correlation(self.mine, self.base, self.rate.part, self.rate.whole)
        return laws.two_sided((mine.value - base.value) / math.sqrt(max(a * a + b * b - 2 * rho * a * b, 1e-300)))


def _add_pair(answer: Answer, name: str, pair: _Pair, given: Mapping[str, Any]) -> None:
    mine, base = pair.shares
    common = {**given, "counts": pair.counts(), "note": "; ".join(filter(None, (given["note"], pair.few)))}
    answer.add(f"{name}_difference", tidy(mine.value - base.value), interval=pair.difference(answer.level), **common)
    if base.k <= 0:
        answer.add(f"{name}_ratio", None, undefined=_endless(name, pair, answer.level), **common)
    else:
        answer.add(f"{name}_ratio", tidy(mine.value / base.value), interval=pair.ratio(answer.level), **common)


def _endless(name: str, pair: _Pair, level: float) -> str:
    """What can be said of a ratio whose reference group has no event: where the shares are those of independent rows, how large it is at least."""
    mine, base = pair.shares
    if mine.k <= 0:
        return f"0 / 0: the reference group's {name} is 0"
    said = f"division by 0: the reference group's {name} is 0"
    return said if mine.clustered else f"{said}; at {100 * level:g} % confidence the ratio is at least {two_rates.least(mine, base, level):.3g}"


def add_gaps(answer: Answer, found: Found, by: Sequence[str], chosen: Sequence[Gap] = GAPS) -> None:
    """The gaps over the groups that are not suppressed; what they leave out is said."""
    visible = {place: counts for place, counts in found.items() if place not in answer.hidden}
    n = sum(counts.judged for counts in visible.values())
    for gap in chosen:
        parts = [_values(visible, name) for name in gap.rates]
        used = min((len(part) for part in parts), default=0)
        note = "" if used == len(found) else f"over {used} of {len(found)} groups; in the others it is undefined or suppressed"
        given: dict[str, Any] = {"params": (("attribute", ",".join(by)),), "note": note, "n": n}
        if used < 2:
            fact = answer.add(gap.metric.name, None, undefined="fewer than two groups can be compared", **given)
        elif gap.ratio and not all(any(part) for part in parts):
            fact = answer.add(gap.metric.name, None, undefined="0 / 0: the rate is 0 in every group", **given)
        else:
            families = [own for name in gap.rates if (own := family(visible, name)) is not None]
            choose = gaps.ratio if gap.ratio else gaps.difference
            interval = choose(families, answer.level) if len(families) == len(parts) else None
            value = min(min(part) / max(part) for part in parts) if gap.ratio else max(max(part) - min(part) for part in parts)
            fact = answer.add(gap.metric.name, tidy(value), interval=interval, **given)
        if gap.metric.name == "demographic_parity_ratio":
            _add_four_fifths(answer, fact, given)


def _values(visible: Found, name: str) -> list[float]:
    rate = RATES[name]
    found = (counts.share(rate.part, rate.whole) for counts in visible.values())
    return [part.value for part in found if part is not None]


def family(visible: Found, name: str) -> gaps.Shares | None:
    """A rate of the groups in which it is defined; None where their rows lie in too few clusters."""
    rate = RATES[name]
    found = [(counts, part) for counts in visible.values() if (part := counts.share(rate.part, rate.whole)) is not None]
    shares = gaps.shares([part for _, part in found])
    if any(clusters.few(counts, rate.whole) for counts, _ in found):
        return None
    blocks = [clusters.influence(counts, rate.part, rate.whole) for counts, _ in found if isinstance(counts, Blocked)]
    return replace(shares, cells=np.array(blocks)) if blocks else shares


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
    if len(groups) > gaps.MOST_GROUPS or any(place in answer.hidden for place in (*cells, *groups)):
        return
    for gap in GAPS:
        if gap.ratio:
            continue
        clustered = any(isinstance(counts, Blocked) for counts in groups.values())
        families = [family(groups, name) if clustered else _shared(groups, cells, name) for name in gap.rates]
        known = [own for own in families if own is not None and len(own.k) > 1]
        if len(known) < len(families):
            continue
        value = max(float(own.value.max() - own.value.min()) for own in known)
        n = sum(counts.judged for counts in cells.values())
        params = (("attribute", "+".join(by)),)
        answer.add(gap.metric.name, tidy(value), params=params, interval=gaps.difference(known, answer.level), n=n)


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
