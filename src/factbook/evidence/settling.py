"""What would settle a claim that is not established: how many more cases, were the estimates right.

For the difference of two independent proportions from 0 by the power of its test (statistics/power.py); for anything else from the width of its
interval, which shrinks with the square root of the number of cases. It is a size for the next study, no verdict on this one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from factbook.evidence.algebra import Algebra, Linear
from factbook.evidence.uncertainty import Estimate, proportion
from factbook.model import Fact, Key
from factbook.statistics import power, two_rates
from factbook.statistics.intervals import Share

_MOST: Final = 1000


def settling(form: Linear, found: Estimate, target: Fraction, margin: Fraction | None, algebra: Algebra) -> str:
    """A sentence, or '' where nothing can be said.

    Args:
        form: what is compared.
        found: the estimate with its interval.
        target: what it is compared with; 0 with a margin.
        margin: of an equivalence, else None.
        algebra: finds the facts.
    """
    if margin is None and not target and (said := _by_cases(form, algebra)):
        return said
    if found.low is None or found.high is None:
        return ""
    value, low, high = (float(number - target) for number in (found.value, found.low, found.high))
    distance = abs(value) if margin is None else abs(float(margin) - abs(value))
    half = value - low if value > 0 else high - value
    if margin is not None and abs(value) < float(margin):
        half = max(value - low, high - value)
    if distance <= 1e-12 or half <= 0:
        return "the estimate lies on the line that decides: no number of cases would settle it, if it is right"
    times = power.times_as_many(distance, half, algebra.level)
    many = f"more than {_MOST:,} times" if times > _MOST else f"about {float(f'{times:.2g}'):,g} times"
    return f"{many} as many cases would settle it with a probability of {power.POWER}, if the estimate is right"


def _by_cases(form: Linear, algebra: Algebra) -> str:
    """For a difference of proportions, the cases of the smaller group; '' where these alone do not suffice."""
    pair = _pair(form, algebra)
    if pair is None:
        return ""
    (mine, name), (base, _) = sorted(pair, key=lambda item: (item[0].n, item[1]))
    more = power.cases_needed(mine, base, algebra.level)
    if not more:
        return ""
    cases = "more case" if more == 1 else "more cases"
    return f"{more:,} {cases} of {name} would settle it with a probability of {power.POWER}, if the rates are as observed"


def _pair(form: Linear, algebra: Algebra) -> tuple[tuple[Share, str], tuple[Share, str]] | None:
    """Two disjoint groups and their proportions: of two facts of one metric, or of one fact that is a difference."""
    keys = [term for term, _ in form.terms if isinstance(term, Key)]
    if form.constant or len(keys) != len(form.terms) or len(keys) not in (1, 2):
        return None
    if len(keys) == 1:
        return _sides(algebra.fact(keys[0]))
    first, second = keys
    a, b = (proportion(algebra.fact(key)) for key in keys)
    alike = (first.evidence, first.metric, first.params, first.attributes) == (second.evidence, second.metric, second.params, second.attributes)
    if a is None or b is None or not alike or not first.slice or form.terms[0][1] != -form.terms[1][1]:
        return None
    return (a, _name(first)), (b, _name(second))


def _sides(fact: Fact) -> tuple[tuple[Share, str], tuple[Share, str]] | None:
    """The group and the reference group of a difference that a measure compared."""
    counts = fact.counts
    if fact.method not in (two_rates.NEWCOMBE, two_rates.NEWCOMBE_FEW) or not {"k_group", "n_group", "k_reference", "n_reference"} <= set(counts):
        return None
    mine, base = Share(counts["k_group"], counts["n_group"]), Share(counts["k_reference"], counts["n_reference"])
    return (mine, _name(fact.key)), (base, "the reference group")


def _name(key: Key) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in key.slice)
