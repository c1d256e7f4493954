"""The interval of an expression over facts.

Differences, ratios and gaps of proportions that have an interval of their own become one *atom*; every other statistic is an atom by itself:

- two independent proportions (one metric, disjoint groups of the same attributes): Newcombe's hybrid score interval of their difference,
  Koopman's score interval of their ratio; of several, the largest gap;
- a group and a whole that contains it: p_g - p = (1 - w)(p_g - p_rest) with w = n_g / n, Newcombe on group against rest, scaled;
- anything else: its own interval.

With one atom its interval is at the asked level. With m atoms each is at level 1 - (1 - level) / m, so that all hold at once at the asked level
whatever their dependence (Bonferroni 1936), and interval arithmetic carries them through the expression: conservative, never too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations
from typing import Final

from factbook.evidence.algebra import Algebra, Linear, Nonlinear, NotEvaluable, Range, apply
from factbook.expressions import exact
from factbook.model import Fact, Key, Unit
from factbook.statistics import intervals, two_rates
from factbook.statistics.intervals import Interval, Share

_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Atom:
    """A statistic with an interval of its own; `kind` is fact, difference, nested, ratio or gap."""

    kind: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; exact values have none (low and high None, method '')."""

    value: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    method: str = ""


def estimate(form: Linear, algebra: Algebra) -> Estimate:
    """The value of a form with its interval at the level of the algebra.

    Raises:
        NotEvaluable: an operand has no interval, or a denominator may be 0.
    """
    value = algebra.point(form)
    spread = _Spread(algebra)
    atoms = list(dict.fromkeys(spread.atoms(form)))
    if not atoms:
        return Estimate(value)
    level = 1 - (1 - algebra.level) / len(atoms) if len(atoms) > 1 else algebra.level
    found = {atom: spread.interval(atom, level) for atom in atoms}
    low, high = spread.bounds(form, {atom: (exact(item.low), exact(item.high)) for atom, item in found.items()})
    methods = ", ".join(dict.fromkeys(item.method for item in found.values()))
    return Estimate(value, low, high, methods if len(atoms) == 1 else f"union bound of {len(atoms)} intervals ({methods})")


class _Spread:
    """Finds the atoms of a form and carries their intervals through it."""

    def __init__(self, algebra: Algebra) -> None:
        self.fact = algebra.fact

    def atoms(self, form: Linear) -> Iterator[Atom]:
        """The statistics whose intervals carry the interval of the form."""
        for part, _ in self._parts(form):
            if isinstance(part, Atom):
                yield part
            else:
                for argument in part.arguments:
                    yield from self.atoms(argument)

    def bounds(self, form: Linear, ranges: Mapping[Atom, Range]) -> Range:
        """The range of the form when every atom stays in its own."""
        low = high = form.constant
        for part, coefficient in self._parts(form):
            ends = ranges[part] if isinstance(part, Atom) else apply(part.name, [self.bounds(argument, ranges) for argument in part.arguments])
            low += min(coefficient * end for end in ends)
            high += max(coefficient * end for end in ends)
        return low, high

    def _parts(self, form: Linear) -> list[tuple[Atom | Nonlinear, Fraction]]:
        """The terms of a form with each statistic turned into an atom: pairs of proportions first, then what remains by itself."""
        parts: list[tuple[Atom | Nonlinear, Fraction]] = []
        keys: dict[Key, Fraction] = {}
        for term, coefficient in form.terms:
            if isinstance(term, Key):
                keys[term] = coefficient
            else:
                atom, factor = self._atom(term)
                parts.append((atom, factor * coefficient))
        for first, second in permutations(list(keys), 2):
            if keys.get(first, 0) > 0 and keys.get(first) == -keys.get(second, Fraction(0)) and (kind := self._kinship(first, second)):
                parts.append((Atom(kind, (first, second)), keys.pop(first)))
                del keys[second]
        return parts + [(Atom("fact", (key,)), coefficient) for key, coefficient in keys.items()]

    def _atom(self, term: Nonlinear) -> tuple[Atom | Nonlinear, Fraction]:
        """The ratio or gap of independent proportions as an atom and its factor; any other term as it is."""
        if term.name not in ("/", "gap") or any(len(form.terms) != 1 or form.constant for form in term.arguments):
            return term, Fraction(1)
        keys = tuple(form.terms[0][0] for form in term.arguments)
        factors = [form.terms[0][1] for form in term.arguments]
        names = tuple(key for key in keys if isinstance(key, Key))
        if len(names) < len(keys) or any(self._kinship(*pair) != "difference" for pair in combinations(names, 2)):
            return term, Fraction(1)
        if term.name == "/":
            return Atom("ratio", names), factors[0] / factors[1]
        return (Atom("gap", names), abs(factors[0])) if len(set(factors)) == 1 else (term, Fraction(1))

    def _kinship(self, first: Key, second: Key) -> str:
        """`difference` for disjoint groups, `nested` where one contains the other, '' where nothing is known."""
        if (first.evidence, first.metric, first.params) != (second.evidence, second.metric, second.params) or first == second:
            return ""
        a, b = proportion(self.fact(first)), proportion(self.fact(second))
        if a is None or b is None:
            return ""
        if first.attributes == second.attributes:
            return "difference"
        if a.weighted or b.weighted:
            return ""
        if set(first.slice) < set(second.slice):
            a, b = b, a
        elif not set(second.slice) < set(first.slice):
            return ""
        return "nested" if a.k <= b.k and a.n - a.k <= b.n - b.k else ""

    def interval(self, atom: Atom, level: float) -> Interval:
        """The interval of an atom at a level."""
        if atom.kind == "fact":
            return _own(self.fact(atom.keys[0]), level)
        parts = [part for key in atom.keys if (part := proportion(self.fact(key))) is not None]
        if atom.kind == "gap":
            from factbook.statistics import gaps  # numpy, only where there is a gap to judge

            return _required(gaps.difference([gaps.shares(parts)], level), "there are too many groups for the interval of their gap")
        first, second = parts
        if atom.kind == "ratio":
            return _required(two_rates.quotient(first, second, level), f"the interval of {atom.keys[0]} / {atom.keys[1]} has no upper end")
        return two_rates.difference(first, second, level) if atom.kind == "difference" else _nested(first, second, level)


def proportion(fact: Fact) -> Share | None:
    """The k of n (effective ones of weighted rows) of a fact whose value and interval follow from k of n independent rows; None for all others."""
    part = _share(fact.counts)
    if part is None or fact.unit is not Unit.FRACTION or fact.interval is None or fact.level is None or not isinstance(fact.value, int | float):
        return None
    own = intervals.share(part, fact.level)
    pairs = ((part.value, fact.value), (own.low, fact.interval[0]), (own.high, fact.interval[1]))
    return part if all(abs(ours - theirs) < _SAME for ours, theirs in pairs) else None


def _share(counts: Mapping[str, int]) -> Share | None:
    if counts.get("n"):
        return Share(counts.get("k", 0), counts["n"])
    weight, squares = counts.get("weighted_n"), counts.get("weighted_squares")
    if not weight or not squares:
        return None
    effective = weight * weight / (squares << counts.get("scale", 0))
    return Share(counts.get("weighted_k", 0) / weight * effective, effective, weighted=True)


def _own(fact: Fact, level: float) -> Interval:
    if fact.interval is None or fact.level is None:
        raise NotEvaluable(f"{fact.key} has no interval; a statistic is compared by its interval, only counts and quantities exactly")
    if abs(fact.level - level) < _SAME:
        return Interval(*fact.interval, fact.method)
    return _required(intervals.rescale(fact, level), f"{fact.key} has no interval at {level}")


def _nested(a: Share, b: Share, level: float) -> Interval:
    """p_a - p_b where one of the two contains the other."""
    if a.n > b.n:
        turned = _nested(b, a, level)
        return Interval(-turned.high, -turned.low, turned.method)
    if a.n == b.n:
        return Interval(0.0, 0.0, "identical rows")
    rest = Share(b.k - a.k, b.n - a.n)
    between = two_rates.difference(a, rest, level)
    return Interval(rest.n / b.n * between.low, rest.n / b.n * between.high, f"{between.method}, group against rest")


def _required(found: Interval | None, otherwise: str) -> Interval:
    if found is None:
        raise NotEvaluable(otherwise)
    return found
