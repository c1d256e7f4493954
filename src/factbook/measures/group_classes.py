"""Fairness of decisions among several classes: the rates of each class against the rest in every group, their worst gap over classes, and how far
apart the groups' whole distributions of predictions are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from factbook.measures import multiclass, multiplicity, parity, reference_groups
from factbook.measures.binary import Counts
from factbook.measures.multiclass import Confusion, Labelled
from factbook.measures.multiplicity import Families
from factbook.measures.parity import Comparisons, Gap
from factbook.measures.rates import add_rate
from factbook.measures.reference_groups import References, shown
from factbook.measures.request import Answer, Request
from factbook.measures.tagged import tagged
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import gaps, laws
from factbook.statistics.moments import tidy

COMPARED: Final = ("prevalence", "selection_rate", "recall", "fpr", "fnr", "precision")
_TV: Final = "total variation; Dwork et al. 2012, ITCS, 214"
METRICS: Final = (
    Metric(
        "prediction_distance",
        "distance of the distributions of predictions",
        "prediction distance",
        Unit.SCORE,
        Direction.LOWER,
        (0.0, 1.0),
        "half the sum over classes of |share predicted in the group - in the reference group|",
        _TV,
    ),
    multiplicity.metric(
        "prediction_distance_p",
        "distance of the distributions of predictions",
        "prediction distance",
        "P(X >= chi-square of homogeneity), were the distributions equal",
        "Pearson 1900",
    ),
)
_GAPS: Final = tuple(
    gap for gap in parity.GAPS if set(gap.rates) <= set(COMPARED) and gap.metric.name not in ("equal_opportunity_ratio", "error_rate_balance_ratio")
)
Found = Mapping[Pairs, Confusion]


def compare(request: Request, answer: Answer) -> None:
    """Facts of every group of every protected attribute and intersection."""
    source = request.source()
    labelled = multiclass.read(request.tally(), source, request.source_name())
    answer.warnings += labelled.warnings
    references, families = References(request, source), Families()
    comparisons = Comparisons(families, COMPARED)
    _add_groups(answer, dict(multiclass.confusions(labelled, ())), labelled)
    for by in reference_groups.margins(request.name, request.planned, source):
        found = dict(multiclass.confusions(labelled, by))
        reference = references.of(by, found, answer)
        _add_groups(answer, found, labelled)
        tables = [_one(found, i) for i in range(len(labelled.classes))]
        for name, table in zip(labelled.classes, tables, strict=True) if len(tables) <= multiclass.MOST_SHOWN else ():
            own = tagged(answer, **{"class": name})
            if reference is not None:
                comparisons.add(own, table, reference)
            parity.add_gaps(own, table, by, [gap for gap in _GAPS if len(gap.rates) == 1])
        if reference is not None:
            _add_distances(answer, families, found, reference)
        _add_worst(answer, found, tables, labelled.classes, by)
    families.adjust()


def _one(found: Found, i: int) -> dict[Pairs, Counts]:
    """One class against the rest in every group."""
    return {place: confusion.counts(i) for place, confusion in found.items()}


def _add_groups(answer: Answer, found: Found, labelled: Labelled) -> None:
    for place, confusion in found.items():
        answer.add("rows", confusion.judged, slice=place, n=confusion.judged)
        multiclass.add_correct(answer, "accuracy", confusion.correct, place)
        for i, name in enumerate(labelled.classes) if len(labelled.classes) <= multiclass.MOST_SHOWN else ():
            for rate in COMPARED:
                add_rate(tagged(answer, **{"class": name}), rate, confusion.counts(i), place)


def _add_worst(answer: Answer, found: Found, tables: Sequence[Mapping[Pairs, Counts]], classes: Sequence[str], by: tuple[str, ...]) -> None:
    """The largest gap over groups of any class."""
    visible = [place for place in found if place not in answer.hidden]
    note = "" if len(visible) == len(found) else f"over {len(visible)} of {len(found)} groups; the others are suppressed"
    n = sum(found[place].judged for place in visible)
    for gap in _GAPS:
        given: dict[str, Any] = {"params": (("attribute", ",".join(by)),), "n": n}
        shown = [(name, {place: table[place] for place in visible}) for name, table in zip(classes, tables, strict=True)]
        families = [(name, own) for name, table in shown for rate in gap.rates if (own := parity.family(table, rate)) is not None]
        families = [(name, own) for name, own in families if len(own.k) > 1 and (own.k.any() or not gap.ratio)]
        if not families:
            answer.add(gap.metric.name, None, undefined="fewer than two groups can be compared", note=note, **given)
            continue
        value, worst = _worst(gap, families)
        choose = gaps.ratio if gap.ratio else gaps.difference
        interval = choose([family for _, family in families], answer.level)
        said = "; ".join(filter(None, (f"worst class: {worst!r}", note)))
        answer.add(gap.metric.name, tidy(value), interval=interval, note=said, **given)


def _worst(gap: Gap, families: Sequence[tuple[str, gaps.Shares]]) -> tuple[float, str]:
    if gap.ratio:
        return min((float(family.value.min() / family.value.max()), name) for name, family in families)
    return max((float(family.value.max() - family.value.min()), name) for name, family in families)


def _add_distances(answer: Answer, families: Families, found: Found, reference: Pairs) -> None:
    """How far the predictions of each group are from those of the reference group, and the test that they are alike."""
    base, against = found[reference], f"against {shown(reference)}"
    for place, confusion in found.items():
        if place == reference:
            continue
        given: dict[str, Any] = {"slice": place, "involves": (reference,), "n": confusion.judged + base.judged}
        if not confusion.judged or not base.judged:
            for name in ("prediction_distance", "prediction_distance_p"):
                answer.add(name, None, undefined="0 of 0: no rows", note=against, **given)
            continue
        own, other = (item.table.sum(axis=0) / item.table.sum() for item in (confusion, base))
        note = f"{against}; no interval: its estimate is biased upwards in small groups"
        answer.add("prediction_distance", tidy(float(np.abs(own - other).sum()) / 2), note=note, **given)
        p = _homogeneity(confusion, base)
        if p is None:
            answer.add("prediction_distance_p", None, undefined="weights are declared", note=against, **given)
        else:
            families.add(answer, "prediction_distance_p", p, note=against, **given)


def _homogeneity(first: Confusion, second: Confusion) -> float | None:
    """The chi-square test that predictions are distributed alike; None for weighted rows."""
    if first.sums is not None:
        return None
    table = np.stack([first.rows.sum(axis=0), second.rows.sum(axis=0)]).astype(np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return tidy(laws.chi_square(float(((table - expected) ** 2 / expected).sum()), table.shape[1] - 1)) if table.shape[1] > 1 else 1.0
