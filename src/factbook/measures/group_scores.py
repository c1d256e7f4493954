"""What scores are worth in each group: AUC, ROC curves compared, calibration.

Where the tally's scores are binned every figure has hard bounds, an interval is widened by them, and the note says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from factbook.engines.tallies import Floats
from factbook.measures import cluster_scores, scores
from factbook.measures.binary import Counts, Outcomes
from factbook.measures.cluster_scores import Spread
from factbook.measures.reference_groups import shown
from factbook.measures.request import Answer
from factbook.measures.scores import Area, Scored
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import absolute, gaps, intervals, moments, two_rates
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import tidy, within

_DELONG: Final = "DeLong et al. 1988, Biometrics 44, 837"
_GARDNER: Final = "Gardner, Brooks & Baker 2019, LAK, 225"
_COX: Final = "Cox 1958, Biometrika 45, 562; calibration-in-the-large"
_LOWER, _NEITHER = Direction.LOWER, Direction.NEITHER


def _score(name: str, title: str, short: str, direction: Direction, low: float, formula: str, source: str, aliases: tuple[str, ...] = ()) -> Metric:
    unit = Unit.SCORE if low == 0 else Unit.POINTS
    return Metric(name, title, short, unit, direction, (low, 1.0), formula, source, aliases)


_LARGE = "calibration_in_the_large"
METRICS: Final = (
    *(item for item in scores.METRICS if item.name in ("auc", "ece")),
    _score(_LARGE, "calibration in the large", "O - E", _NEITHER, -1.0, "share of positive labels - mean score", _COX, ("observed_minus_expected",)),
    _score("auc_difference", "AUC, difference", "AUC difference", _NEITHER, -1.0, "AUC of the group - of the reference group", _DELONG),
    _score(
        "ece_difference", "expected calibration error, difference", "ECE difference", _NEITHER, -1.0, "ECE of the group - of the reference group", ""
    ),
    _score(
        f"{_LARGE}_difference", "calibration in the large, difference", "O - E difference", _NEITHER, -1.0, "of the group - of the reference", _COX
    ),
    _score("abroca", "area between the ROC curves", "ABROCA", _LOWER, 0.0, "area between the ROC curves of the group and of the reference", _GARDNER),
    _score("auc_gap", "AUC gap", "AUC gap", _LOWER, 0.0, "largest AUC over groups - smallest", _DELONG),
    _score(f"{_LARGE}_gap", "gap of calibration in the large", "O - E gap", _LOWER, 0.0, "largest over groups - smallest", _COX),
    _score("ece_gap", "gap of expected calibration errors", "ECE gap", _LOWER, 0.0, "largest ECE over groups - smallest", ""),
)
_ONE_SIDED: Final = "label - score does not vary, or a class has fewer than two rows"


@dataclass(frozen=True, eq=False)
class Group:
    """The scores of a group and what is read from them; `spread` says where its rows lie if they share clusters."""

    scored: Scored
    counts: Counts
    spread: Spread | None = None

    @cached_property
    def area(self) -> Area | None:
        """AUC; None without both classes."""
        return scores.area(self.scored) if self.both else None

    @property
    def both(self) -> bool:
        """Whether both classes occur."""
        return bool(self.scored.weights[0].sum() and self.scored.weights[1].sum())

    @cached_property
    def large(self) -> float:
        """The mean of label - score."""
        return scores.mean_loss(self.scored, (1 - self.scored.middle, -self.scored.middle))[0]

    @cached_property
    def ece(self) -> tuple[float, float]:
        """Expected calibration error, and how far bins can move it."""
        return scores.calibration_error(self.scored)

    @property
    def slack(self) -> float:
        """How far bins can move the mean score."""
        weight = self.scored.weights[0] + self.scored.weights[1]
        return 0.0 if self.scored.exact else float((weight * (self.scored.high - self.scored.low)).sum() / (2 * weight.sum()))

    def area_interval(self, level: float) -> Interval | None:
        """Of the AUC; None where there is none."""
        found = self.area
        if found is not None and self.spread is not None:
            return cluster_scores.area(self.scored, self.spread, level)
        if found is None or any(math.isnan(part) for part in found.parts):
            return None
        return intervals.area(tidy(found.value), found.parts, found.sizes, level)

    def large_interval(self, level: float) -> Interval | None:
        """Of calibration in the large; None where it does not vary, and with fewer than two rows of a class."""
        if self.spread is not None:
            return cluster_scores.large(self.scored, self.spread, level)
        if min(_sizes(self.counts).values()) < scores.FEWEST:
            return None
        weight, total = np.concatenate(self.scored.squares), float(sum(part.sum() for part in self.scored.weights))
        away = np.concatenate([1 - self.scored.middle, -self.scored.middle]) - self.large
        found = moments.linearised(self.large, away / total, weight, total**2 / float(weight.sum()), level)
        if found is None:
            return None
        return replace(found, low=max(-1.0, found.low), high=min(1.0, found.high))

    def ece_interval(self, level: float) -> Interval | None:
        """Of the expected calibration error; None for rows in clusters."""
        return None if self.spread is not None else scores.calibration_interval(self.scored, level)

    @property
    def curve(self) -> absolute.Curve:
        """The ROC curve; both classes occur."""
        sizes = (float(weight.sum()) ** 2 / float(square.sum()) for weight, square in zip(self.scored.weights, self.scored.squares, strict=True))
        positives, negatives = sizes
        return absolute.Curve(*_curve(self.scored), negatives, positives)


def by_slice(outcomes: Outcomes, found: Mapping[Pairs, Counts], by: Sequence[str]) -> dict[Pairs, Group]:
    """The groups of a combination of attributes that have scores."""
    spread = dict(cluster_scores.by_slice(outcomes, by)) if outcomes.source.cluster else {}
    return {place: Group(scored, found[place], spread.get(place)) for place, scored in scores.by_slice(outcomes, by).items() if _weighs(scored)}


def _weighs(scored: Scored) -> bool:
    return bool(scored.weights[0].sum() + scored.weights[1].sum())


def add(answer: Answer, groups: Mapping[Pairs, Group], found: Mapping[Pairs, Counts], reference: Pairs | None) -> None:
    """The figures of every group, and their differences from the reference group where there is one."""
    for place, counts in found.items():
        group = groups.get(place)
        if group is None:
            for name in ("auc", "ece", _LARGE):
                answer.add(name, None, slice=place, n=counts.judged, undefined="all weights are 0" if counts.judged else "no rows")
            continue
        _add_own(answer, group, place)
        if reference is not None and place != reference and reference in groups:
            where = {"slice": place, "involves": (reference,)}
            _add_against(answer, group, groups[reference], where, f"against {shown(reference)}", curves=len(groups) <= gaps.MOST_GROUPS)


def _put(answer: Answer, name: str, value: float, slack: float, interval: Interval | None, note: str, **given: Any) -> None:
    """Add a figure that bins may have moved by `slack`."""
    if slack > 0:
        note = "; ".join(filter(None, (f"scores are counted in bins: exact to {slack:.2g}", note)))
        value = within(value, value - slack, value + slack)
        if interval is not None:
            low, high = answer.metrics[name].bounds or (-math.inf, math.inf)
            ends = max(low, interval.low - slack), min(high, interval.high + slack)
            interval = Interval(*ends, f"{interval.method}, widened by the bins")
    answer.add(name, tidy(value), interval=interval, note=note, **given)


def _add_own(answer: Answer, group: Group, place: Pairs) -> None:
    given: dict[str, Any] = {"slice": place, "n": group.counts.judged, "counts": _sizes(group.counts)}
    if group.area is None:
        answer.add("auc", None, undefined=_lacking(group), **given)
    else:
        interval = group.area_interval(answer.level)
        _put(answer, "auc", group.area.value, group.area.ties, interval, "" if interval else _none(group, "the scores do not vary"), **given)
    large = group.large_interval(answer.level)
    _put(
        answer,
        _LARGE,
        group.large,
        group.slack,
        large,
        "" if large else _none(group, _ONE_SIDED),
        **given,
    )
    value, slack = group.ece
    ends = group.ece_interval(answer.level)
    _put(answer, "ece", value, slack, ends, "" if ends else scores.CLUSTERED, **given)


def _none(group: Group, otherwise: str) -> str:
    return f"no interval: {'the rows lie in too few clusters, or ' if group.spread is not None else ''}{otherwise}"


def _sizes(counts: Counts) -> dict[str, int]:
    return {"positives": counts.count((2, 3)), "negatives": counts.count((0, 1))}


def _lacking(group: Group) -> str:
    return f"no label is {'negative' if group.scored.weights[0].sum() else 'positive'}"


def _add_against(answer: Answer, group: Group, base: Group, where: Mapping[str, Any], note: str, *, curves: bool) -> None:
    """`curves`: whether there are few enough groups to replicate the curves of each."""
    given = {**where, "n": group.counts.judged + base.counts.judged}
    if group.area is None or base.area is None:
        said = f"{'the group' if group.area is None else 'the reference group'}: {_lacking(group if group.area is None else base)}"
        for name in ("auc_difference", "abroca"):
            answer.add(name, None, undefined=said, note=note, **given)
    else:
        slack = group.area.ties + base.area.ties
        ends = _apart(group.area_interval(answer.level), group.area.value, base.area_interval(answer.level), base.area.value)
        _put(answer, "auc_difference", group.area.value - base.area.value, slack, ends, note, **given)
        area = abroca(group.scored, base.scored)
        between = absolute.between_curves(area, group.curve, base.curve, answer.level) if curves and group.spread is None else None
        why = "" if between else scores.CLUSTERED if group.spread else f"no interval: there are more than {gaps.MOST_GROUPS} groups"
        _put(answer, "abroca", area, slack, between, "; ".join(filter(None, (note, why))), **given)
    ends = _apart(group.large_interval(answer.level), group.large, base.large_interval(answer.level), base.large)
    _put(answer, f"{_LARGE}_difference", group.large - base.large, group.slack + base.slack, ends, note, **given)
    (mine, moved), (theirs, moved_too) = group.ece, base.ece
    ends = _apart(group.ece_interval(answer.level), mine, base.ece_interval(answer.level), theirs)
    _put(answer, "ece_difference", mine - theirs, moved + moved_too, ends, note if ends else f"{note}; {scores.CLUSTERED}", **given)


def _apart(first: Interval | None, a: float, second: Interval | None, b: float) -> Interval | None:
    """The interval of the difference of two groups' figures. Groups in the same clusters are taken as independent: if they vary alike it is wide."""
    if first is None or second is None:
        return None
    found = two_rates.mover(a, first, b, second)
    return replace(found, low=max(-1.0, found.low), high=min(1.0, found.high))


def abroca(group: Scored, base: Scored) -> float:
    """The area between two ROC curves, ties being straight lines; both classes occur in both."""
    first, second = _curve(group), _curve(base)
    grid = np.unique(np.concatenate([first[0], second[0]]))
    left = _after(first, grid[:-1]) - _after(second, grid[:-1])
    right = _before(first, grid[1:]) - _before(second, grid[1:])
    width, total = np.diff(grid), np.abs(left) + np.abs(right)
    crossed = left * right < 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(crossed, (left * left + right * right) / (2 * total), total / 2)
    return float((width * mean).sum())


def _curve(scored: Scored) -> tuple[Floats, Floats]:
    """False- and true-positive rates at falling thresholds, from (0, 0) to (1, 1)."""
    positive, negative = (np.concatenate(([0.0], np.cumsum(part[::-1]))) for part in scored.weights)
    return negative / negative[-1], positive / positive[-1]


def _after(curve: tuple[Floats, Floats], at: Floats) -> Floats:
    """The curve just right of points below 1."""
    x, y = curve
    i = np.searchsorted(x, at, side="right") - 1
    found: Floats = y[i] + (at - x[i]) * (y[i + 1] - y[i]) / (x[i + 1] - x[i])
    return found


def _before(curve: tuple[Floats, Floats], at: Floats) -> Floats:
    """The curve just left of points above 0."""
    x, y = curve
    i = np.searchsorted(x, at, side="left")
    found: Floats = y[i] - (x[i] - at) * (y[i] - y[i - 1]) / (x[i] - x[i - 1])
    return found


def add_gaps(answer: Answer, groups: Mapping[Pairs, Group], by: Sequence[str], count: int) -> None:
    """The largest differences over the groups that are not suppressed, `count` groups there are."""
    visible = [group for place, group in groups.items() if place not in answer.hidden]
    params = (("attribute", ",".join(by)),)
    n = sum(group.counts.judged for group in visible)
    ranked = [group for group in visible if group.area is not None]
    kinds = (
        ("auc_gap", ranked, [group.area.value for group in ranked if group.area], [group.area.ties for group in ranked if group.area]),
        (f"{_LARGE}_gap", visible, [group.large for group in visible], [group.slack for group in visible]),
        ("ece_gap", visible, [group.ece[0] for group in visible], [group.ece[1] for group in visible]),
    )
    for name, used, values, slacks in kinds:
        note = "" if len(used) == count else f"over {len(used)} of {count} groups; in the others it is undefined or suppressed"
        given: dict[str, Any] = {"params": params, "n": n}
        if len(used) < 2:
            answer.add(name, None, undefined="fewer than two groups can be compared", note=note, **given)
            continue
        interval = _gap(used, np.array(values), name, answer.level)
        said = "" if interval else "no interval: a group has none, or there are too many"
        _put(answer, name, max(values) - min(values), 2 * max(slacks), interval, "; ".join(filter(None, (note, said))), **given)


_INTERVALS: Final = {"auc_gap": Group.area_interval, f"{_LARGE}_gap": Group.large_interval, "ece_gap": Group.ece_interval}


def _gap(groups: Sequence[Group], values: Floats, name: str, level: float) -> Interval | None:
    def own(at: float) -> list[Interval | None]:
        return [_INTERVALS[name](group, at) for group in groups]

    def ends(at: float) -> tuple[Floats, Floats]:
        found = [item for item in own(at) if item is not None]
        return np.array([item.low for item in found]), np.array([item.high for item in found])

    first = own(level) if len(groups) <= gaps.MOST_GROUPS else [None]
    if any(item is None for item in first):
        return None
    low, high = ends(level)
    methods = " and ".join(dict.fromkeys(item.method for item in first if item is not None))
    error = np.maximum((high - low) / (2 * intervals.normal(level)), 1e-12)
    return gaps.difference([gaps.Estimates(values, error, ends, f"MOVER of {methods}")], level)
