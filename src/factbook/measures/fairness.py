"""Group fairness of two-class decisions: the rates of protected groups, their differences and ratios, and the gaps over all groups.

Differences and ratios have intervals of their own; overlapping intervals of two groups say nothing. Group 0/0 rates are undefined and enter no gap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from factbook.errors import MeasureError, UnknownName
from factbook.manifest import Planned, Source
from factbook.measures import binary, intervals, suppression
from factbook.measures.binary import Counts
from factbook.measures.intervals import Interval, Share
from factbook.measures.rates import COUNTS, RATES, add_counts, add_rate
from factbook.measures.request import Answer, Request, attributes, tidy
from factbook.model import Direction, Metric, Pairs, Unit

VERSION: Final = 1
ROLES: Final = ("data",)
PARAMS: Final = ("protected",)
FOUR_FIFTHS: Final = 0.8
_HARDT: Final = "Hardt, Price & Srebro 2016, NeurIPS 29; over groups as in fairlearn"
_DWORK: Final = "Dwork et al. 2012, ITCS, 214; over groups as in fairlearn"


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest difference, or the smallest ratio, of some rates over the groups of an attribute."""

    metric: Metric
    rates: tuple[str, ...]
    ratio: bool


def _gap(name: str, title: str, rates: tuple[str, ...], source: str, aliases: tuple[str, ...] = ()) -> Gap:
    ratio = name.endswith("ratio")
    each = " and ".join(rates)
    formula = f"smallest {each} over groups / largest; the worst" if ratio else f"largest {each} over groups - smallest; the worst"
    unit, direction = (Unit.RATIO, Direction.HIGHER) if ratio else (Unit.POINTS, Direction.LOWER)
    return Gap(Metric(name, title, title, unit, direction, (0.0, 1.0), formula, source, aliases), rates, ratio)


GAPS: Final = (
    _gap("demographic_parity_difference", "demographic parity difference", ("selection_rate",), _DWORK, ("statistical_parity_difference", "dpd")),
    _gap("demographic_parity_ratio", "demographic parity ratio", ("selection_rate",), _DWORK, ("disparate_impact", "impact_ratio")),
    _gap("equal_opportunity_difference", "equal opportunity difference", ("recall",), _HARDT, ("eod", "tpr_difference")),
    _gap("equal_opportunity_ratio", "equal opportunity ratio", ("recall",), _HARDT),
    _gap("equalised_odds_difference", "equalised odds difference", ("recall", "fpr"), _HARDT, ("equalized_odds_difference",)),
    _gap("equalised_odds_ratio", "equalised odds ratio", ("recall", "fpr"), _HARDT, ("equalized_odds_ratio",)),
)


def _against(name: str, ratio: bool) -> Metric:
    about = RATES[name].metric
    if ratio:
        formula, source = f"{name} of the group / {name} of the reference group", "Koopman 1984"
        return Metric(
            f"{name}_ratio", f"{about.title}, ratio", f"{about.short} ratio", Unit.RATIO, Direction.NEITHER, (0.0, math.inf), formula, source
        )
    formula, source = f"{name} of the group - {name} of the reference group", "Newcombe 1998"
    title = f"{about.title}, difference"
    return Metric(f"{name}_difference", title, f"{about.short} difference", Unit.POINTS, Direction.NEITHER, (-1.0, 1.0), formula, source)


METRICS: Final = (
    *COUNTS,
    *(rate.metric for rate in RATES.values()),
    *(_against(name, ratio) for name in RATES for ratio in (False, True)),
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


def propose(source_name: str, source: Source, protected: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    """`fairness` where protected attributes are named."""
    if not protected or not source.label or not (source.prediction or source.score):
        return None
    return "fairness", {"measure": "fairness", "data": source_name, "protected": dict(protected)}


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """Each protected attribute, and the intersections in `by`; all pairs where `by` is not given."""
    declared = tuple(_references(name, planned))
    found = attributes(name, [(item,) for item in declared], source)
    more = attributes(name, planned.by, source) if planned.by else suppression.margins_of(declared)
    return tuple(dict.fromkeys((*found, *more)))


def _references(name: str, planned: Planned) -> dict[str, str]:
    """Attribute to reference group as declared; '' where only gaps are wanted."""
    given = planned.params.get("protected")
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list) and all(isinstance(item, str) for item in given):
        given = dict.fromkeys(given, "")
    if not isinstance(given, dict) or not given or not all(isinstance(value, str) for value in given.values()):
        raise MeasureError(f"plan.{name}: `protected` is not given", remedy="e.g. `protected: {sex: men}`, attribute: reference group")
    return dict(given)


def measure(request: Request, answer: Answer) -> None:
    """Facts of every group of every protected attribute and intersection."""
    source = request.source()
    outcomes = binary.read(request.tally(), source, request.source_name())
    answer.warnings += outcomes.warnings
    references = _references(request.name, request.planned)
    overall = binary.confusion(outcomes, ())[()]
    add_counts(answer, overall, (), abstains=bool(source.abstain))
    for name in RATES:
        add_rate(answer, name, overall, ())
    singles: dict[str, str] = {}
    for by in margins(request.name, request.planned, source):
        found = binary.confusion(outcomes, by)
        if len(by) == 1 and references.get(by[0]):
            singles[by[0]] = _reference(request.name, by[0], references[by[0]], source, found)
        _add_groups(answer, found, source)
        reference = tuple((name, singles.get(name, "")) for name in by)
        if reference in found:
            _add_comparisons(answer, found, reference)
        elif all(name in singles for name in by):
            answer.warnings.append(f"{source.uri}: nobody is in the reference group {_shown(reference)}; its differences are left out")
        _add_gaps(answer, found, by)


def _reference(name: str, attribute: str, given: str, source: Source, found: Mapping[Pairs, Counts]) -> str:
    groups = [place[0][1] for place in found]
    named = source.by[attribute].names.get(given, given)
    for candidate in (named, given):
        if candidate in groups:
            return candidate
    raise UnknownName(f"group of {attribute} (plan.{name}, protected)", given, groups)


def _shown(place: Pairs) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in place)


def _add_groups(answer: Answer, found: Mapping[Pairs, Counts], source: Source) -> None:
    for place, counts in found.items():
        add_counts(answer, counts, place, abstains=bool(source.abstain))
        for name in RATES:
            add_rate(answer, name, counts, place)


def _add_comparisons(answer: Answer, found: Mapping[Pairs, Counts], reference: Pairs) -> None:
    """Each group against the reference group: difference and ratio of every rate."""
    for name, rate in RATES.items():
        base = found[reference].share(rate.part, rate.whole)
        for place, counts in found.items():
            if place != reference:
                mine = counts.share(rate.part, rate.whole)
                note = f"against {_shown(reference)}"
                n = counts.count(rate.whole) + found[reference].count(rate.whole)
                common: dict[str, Any] = {"slice": place, "involves": (reference,), "note": note, "n": n}
                if mine is None or base is None:
                    who = "the group" if mine is None else "the reference group"
                    for kind in ("difference", "ratio"):
                        answer.add(f"{name}_{kind}", None, undefined=f"0 of 0 in {who}: {rate.empty}", **common)
                else:
                    common["counts"] = _both(counts.evidence(rate.part, rate.whole), found[reference].evidence(rate.part, rate.whole))
                    _add_pair(answer, name, mine, base, common)


def _both(mine: Mapping[str, int], base: Mapping[str, int]) -> dict[str, int]:
    return {f"{key}_{side}": value for side, counts in (("group", mine), ("reference", base)) for key, value in counts.items()}


def _add_pair(answer: Answer, name: str, mine: Share, base: Share, common: Mapping[str, Any]) -> None:
    answer.add(f"{name}_difference", tidy(mine.value - base.value), interval=intervals.difference(mine, base, answer.level), **common)
    if base.k <= 0:
        said = f"{'0 / 0' if mine.k <= 0 else 'division by 0'}: the reference group's {name} is 0"
        answer.add(f"{name}_ratio", None, undefined=said, **common)
    else:
        answer.add(f"{name}_ratio", tidy(mine.value / base.value), interval=intervals.quotient(mine, base, answer.level), **common)


def _add_gaps(answer: Answer, found: Mapping[Pairs, Counts], by: Sequence[str]) -> None:
    """The gaps over the groups that are not suppressed; what they leave out is said."""
    shown = {place: counts for place, counts in found.items() if place not in answer.hidden}
    params = (("attribute", ",".join(by)),)
    for gap in GAPS:
        parts = [_parts(shown, name) for name in gap.rates]
        used = min((len(part) for part in parts), default=0)
        note = "" if used == len(found) else f"over {used} of {len(found)} groups; in the others it is undefined or suppressed"
        n = sum(counts.judged for counts in shown.values())
        if used < 2:
            said = "fewer than two groups can be compared"
            answer.add(gap.metric.name, None, params=params, undefined=said, note=note, n=n)
            continue
        value, interval = _ratio(parts, answer.level) if gap.ratio else _difference(parts, answer.level)
        said = "" if value is not None else "0 / 0: the rate is 0 in every group"
        answer.add(gap.metric.name, value, params=params, interval=interval, n=n, undefined=said, note=note)
        if gap.metric.name == "demographic_parity_ratio":
            _add_four_fifths(answer, value, interval, params, note, n)
    if not any(fact.key.metric == "four_fifths" and fact.key.params == params for fact in answer.facts):
        answer.add("four_fifths", None, params=params, undefined="fewer than two groups can be compared")


def _parts(shown: Mapping[Pairs, Counts], name: str) -> list[Share]:
    rate = RATES[name]
    found = (counts.share(rate.part, rate.whole) for counts in shown.values())
    return [item for item in found if item is not None]


def _difference(parts: Sequence[Sequence[Share]], level: float) -> tuple[float, Interval | None]:
    """The largest difference of any of the rates."""
    value = max(max(item.value for item in part) - min(item.value for item in part) for part in parts)
    return tidy(value), _worst(parts, level, intervals.largest_gap, max)


def _ratio(parts: Sequence[Sequence[Share]], level: float) -> tuple[float | None, Interval | None]:
    """The smallest ratio of any of the rates; None where one is 0 / 0."""
    if any(all(item.k <= 0 for item in part) for part in parts):
        return None, None
    value = min(min(item.value for item in part) / max(item.value for item in part) for part in parts)
    return tidy(value), _worst(parts, level, intervals.smallest_ratio, min)


def _worst(
    parts: Sequence[Sequence[Share]],
    level: float,
    interval: Callable[[Sequence[Share], float, int], Interval | None],
    pick: Callable[..., float],
) -> Interval | None:
    """The interval of the worst of several gaps: both ends of the worst, each gap at a level that all hold together."""
    found = [interval(part, level, len(parts)) for part in parts]
    if any(item is None for item in found):
        return None
    known = [item for item in found if item is not None]
    return Interval(pick(item.low for item in known), pick(item.high for item in known), known[0].method)


def _add_four_fifths(answer: Answer, value: float | None, interval: Interval | None, params: Pairs, note: str, n: int) -> None:
    if value is None or interval is None:
        answer.add("four_fifths", None, params=params, undefined="the demographic parity ratio has no interval", note=note, n=n)
        return
    verdict = "met" if interval.low >= FOUR_FIFTHS else "not met" if interval.high < FOUR_FIFTHS else "not established"
    said = f"demographic parity ratio {value:.3f}, interval {interval.low:.3f} to {interval.high:.3f}"
    answer.add("four_fifths", verdict, params=params, note="; ".join(filter(None, (said, note))), n=n)
