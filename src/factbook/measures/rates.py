"""The rates of a two-class decision, as a table of data: which rows count, out of which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from factbook.measures.binary import ABSTAINED, CELLS, DROPPED, FN, FP, TN, TP, Counts
from factbook.measures.request import Answer, count_metric
from factbook.model import Direction, Fact, Metric, Pairs, Unit
from factbook.statistics.intervals import share

_ALL: Final = (TN, FP, FN, TP)
_LOWER, _HIGHER, _NEITHER = Direction.LOWER, Direction.HIGHER, Direction.NEITHER


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion of rows: of `whole`, those in `part`. `empty` says what is missing when the whole is 0."""

    metric: Metric
    part: tuple[int, ...]
    whole: tuple[int, ...]
    empty: str


def _rate(
    name: str,
    title: str,
    short: str,
    direction: Direction,
    part: tuple[int, ...],
    whole: tuple[int, ...],
    empty: str,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Rate:
    above = " + ".join(CELLS[kind] for kind in part)
    below = " + ".join(CELLS[kind] for kind in whole)
    formula = f"({above}) / ({below})" if len(part) > 1 else f"{above} / ({below})"
    return Rate(Metric(name, title, short, Unit.FRACTION, direction, (0.0, 1.0), formula, source, aliases), part, whole, empty)


_FAWCETT: Final = "Fawcett 2006, Pattern Recognition Letters 27, 861"
RATES: Final[Mapping[str, Rate]] = {
    rate.metric.name: rate
    for rate in (
        _rate("prevalence", "prevalence", "prevalence", _NEITHER, (FN, TP), _ALL, "no rows", _FAWCETT, ("base_rate",)),
        _rate("selection_rate", "selection rate", "selected", _NEITHER, (FP, TP), _ALL, "no rows", "29 CFR 1607.16", ("positive_rate", "ppr")),
        _rate("accuracy", "accuracy", "accuracy", _HIGHER, (TN, TP), _ALL, "no rows", _FAWCETT, ("acc",)),
        _rate(
            "precision",
            "precision",
            "precision",
            _HIGHER,
            (TP,),
            (TP, FP),
            "nothing was predicted positive",
            _FAWCETT,
            ("ppv", "positive_predictive_value"),
        ),
        _rate(
            "recall",
            "recall (true-positive rate)",
            "TPR",
            _HIGHER,
            (TP,),
            (TP, FN),
            "no label is positive",
            _FAWCETT,
            ("tpr", "sensitivity", "hit_rate", "true_positive_rate"),
        ),
        _rate(
            "specificity",
            "specificity (true-negative rate)",
            "TNR",
            _HIGHER,
            (TN,),
            (TN, FP),
            "no label is negative",
            _FAWCETT,
            ("tnr", "true_negative_rate", "selectivity"),
        ),
        _rate("fpr", "false-positive rate", "FPR", _LOWER, (FP,), (FP, TN), "no label is negative", _FAWCETT, ("false_positive_rate", "fall_out")),
        _rate("fnr", "false-negative rate", "FNR", _LOWER, (FN,), (FN, TP), "no label is positive", _FAWCETT, ("false_negative_rate", "miss_rate")),
        _rate("for", "false-omission rate", "FOR", _LOWER, (FN,), (FN, TN), "nothing was predicted negative", _FAWCETT, ("false_omission_rate",)),
        _rate(
            "npv",
            "negative predictive value",
            "NPV",
            _HIGHER,
            (TN,),
            (TN, FN),
            "nothing was predicted negative",
            _FAWCETT,
            ("negative_predictive_value",),
        ),
    )
}
COUNTS: Final = (
    count_metric("rows", "rows judged", "n", "tp + fp + fn + tn"),
    count_metric("abstained", "rows without a decision", "abstained", "rows whose prediction is the declared `abstain` value; they enter no rate"),
    count_metric("dropped", "rows left out", "dropped", "rows left out by a declared policy for missing values; they enter no rate"),
    count_metric("tp", "true positives", "TP", "rows of positive label, predicted positive", _HIGHER),
    count_metric("fp", "false positives", "FP", "rows of negative label, predicted positive", _LOWER),
    count_metric("fn", "false negatives", "FN", "rows of positive label, predicted negative", _LOWER),
    count_metric("tn", "true negatives", "TN", "rows of negative label, predicted negative", _HIGHER),
)


def add_counts(answer: Answer, counts: Counts, place: Pairs, *, abstains: bool) -> None:
    """The numbers of rows of a slice: judged and by outcome; those left out where that can happen."""
    answer.add("rows", counts.judged, slice=place, n=counts.judged)
    if abstains:
        answer.add("abstained", counts.rows[ABSTAINED], slice=place, n=counts.all)
    if not place and counts.rows[DROPPED]:
        answer.add("dropped", counts.rows[DROPPED], n=counts.all)
    for kind, name in enumerate(CELLS):
        answer.add(name, counts.rows[kind], slice=place, n=counts.judged)


def add_rate(answer: Answer, name: str, counts: Counts, place: Pairs) -> Fact:
    """One rate of a slice with its interval; undefined for 0 of 0."""
    rate = RATES[name]
    evidence, n = counts.evidence(rate.part, rate.whole), counts.count(rate.whole)
    found = counts.share(rate.part, rate.whole)
    if found is None:
        return answer.add(name, None, slice=place, n=n, counts=evidence, undefined="all weights are 0" if n else f"0 of 0: {rate.empty}")
    value = evidence["k"] / evidence["n"] if counts.weights is None else evidence["weighted_k"] / evidence["weighted_n"]
    return answer.add(name, value, slice=place, n=n, counts=evidence, interval=share(found, answer.level))
