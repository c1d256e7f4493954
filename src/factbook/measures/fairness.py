"""Group fairness: figures of protected groups, their differences and ratios, and the gaps over all groups.

    {measure: fairness, data: holdout, protected: {sex: men, age: 40-59}}                       two classes, or (without `positive`) many
    {measure: fairness, data: demand, protected: [site], label: sold, prediction: forecast}     predictions of a number

Differences and ratios have intervals of their own; overlapping intervals of two groups say nothing. What is 0/0 in a group is undefined there and
enters no gap. Decisions: rates (`parity`), scores (`group_scores`), inequality of benefits (`inequality`), the same within the levels of another
attribute (`stratified`). Several classes: each against the rest (`group_classes`). Numbers: errors (`group_errors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from factbook.manifest import Planned, Source
from factbook.measures import binary, clusters, group_classes, group_errors, group_scores, inequality, parity, reference_groups, stratified
from factbook.measures.binary import Counts, Outcomes
from factbook.measures.multiplicity import Families
from factbook.measures.rates import COUNTS, RATES, add_counts, add_rate
from factbook.measures.reference_groups import References
from factbook.measures.request import Answer, Request
from factbook.model import Metric, Pairs

VERSION: Final = 3
ROLES: Final = ("data",)
PARAMS: Final = ("protected", "label", "prediction")


def _vocabulary() -> tuple[Metric, ...]:
    """Each name once; the first one said stands."""
    own = (COUNTS, tuple(rate.metric for rate in RATES.values()), parity.METRICS, group_scores.METRICS, inequality.METRICS, stratified.METRICS)
    found: dict[str, Metric] = {}
    for item in (metric for part in (*own, group_classes.METRICS, group_errors.METRICS) for metric in part):
        found.setdefault(item.name, item)
    return tuple(found.values())


METRICS: Final = _vocabulary()


def propose(source_name: str, source: Source, protected: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    """`fairness` where protected attributes are named."""
    if not protected or not source.label or not (source.prediction or source.score):
        return None
    return "fairness", {"measure": "fairness", "data": source_name, "protected": dict(protected)}


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """Each protected attribute, and the intersections in `by`; all pairs where `by` is not given."""
    return reference_groups.margins(name, planned, source)


def measure(request: Request, answer: Answer) -> None:
    """Facts of every group of every protected attribute and intersection.

    Raises:
        MeasureError: `protected` names no attribute, or the source declares nothing to compare.
        UnknownName: a reference group does not occur.
    """
    source = request.source()
    if "label" in request.planned.params or "prediction" in request.planned.params:
        group_errors.compare(request, answer)
    elif source.label and not source.positive:
        group_classes.compare(request, answer)
    else:
        _decisions(request, answer, source)


def _decisions(request: Request, answer: Answer, source: Source) -> None:
    """Two classes."""
    outcomes = binary.read(request.tally(), source, request.source_name())
    answer.warnings += outcomes.warnings
    references, families = References(request, source), Families()
    comparisons = parity.Comparisons(families)
    tables: dict[tuple[str, ...], Mapping[Pairs, Counts]] = {}
    chosen: dict[str, Pairs] = {}
    _add_groups(answer, outcomes, clusters.counts(outcomes, (), answer.level), (), None)
    for by in reference_groups.margins(request.name, request.planned, source):
        found = tables[by] = clusters.counts(outcomes, by, answer.level)
        reference = references.of(by, found, answer)
        if reference is not None:
            comparisons.add(answer, found, reference)
            if len(by) == 1:
                chosen[by[0]] = reference
        _add_groups(answer, outcomes, found, by, reference)
        parity.add_gaps(answer, found, by)
        inequality.add_between(answer, found, by)
    families.adjust()
    _add_pairs(answer, tables, chosen)


def _add_groups(answer: Answer, outcomes: Outcomes, found: Mapping[Pairs, Counts], by: tuple[str, ...], reference: Pairs | None) -> None:
    """What is said of each group by itself, and of its scores."""
    for place, counts in found.items():
        add_counts(answer, counts, place, abstains=bool(outcomes.source.abstain))
        for name, rate in RATES.items():
            add_rate(clusters.fit(answer, counts, rate.whole), name, counts, place)
        inequality.add(answer, counts, place)
    if outcomes.source.score:
        groups = group_scores.by_slice(outcomes, found, by)
        group_scores.add(answer, groups, found, reference)
        if by:
            group_scores.add_gaps(answer, groups, by, len(found))


def _add_pairs(answer: Answer, tables: Mapping[tuple[str, ...], Mapping[Pairs, Counts]], chosen: Mapping[str, Pairs]) -> None:
    """What two attributes say together: gaps over the groups of both, and differences of one within the levels of the other."""
    for by, cells in tables.items():
        singles = [tables[name,] for name in by if (name,) in tables]
        if len(by) != 2 or len(singles) != 2:
            continue
        parity.add_shared_gaps(answer, cells, singles, by)
        for name, other in (by, by[::-1]):
            if name in chosen:
                stratified.add(answer, cells, tables[name,], chosen[name], other)
