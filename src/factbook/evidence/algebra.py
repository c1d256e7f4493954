"""The value and the interval of an expression over facts.

An expression is brought into linear form over what cannot be simplified further. In it, differences and ratios that have an interval of their own
become one *atom*; every other statistic is an atom by itself:

- two independent proportions (one metric, disjoint groups of the same attributes): Newcombe's hybrid score interval of their difference,
  the score interval of their ratio;
- a group and a whole that contains it: p_g - p = (1 - w)(p_g - p_rest) with w = n_g / n, Newcombe on group against rest, scaled;
- anything else: its own interval.

With one atom its interval is at the asked level. With m atoms each is at level 1 - (1 - level) / m, so that all hold at once at the asked level
whatever their dependence (Bonferroni 1936), and interval arithmetic (Moore 1966) carries them through the expression: conservative, never too narrow.

R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998) 873-890.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from typing import Final

from factbook.errors import ExpressionError, UnknownName
from factbook.evidence.expressions import Node, Number, Operand, exact
from factbook.measures import intervals
from factbook.measures.intervals import Interval
from factbook.model import Fact, Key, Status, Unit

DERIVED: Final = "derived"
_MAX_SIZE: Final = 2000
_SAME: Final = 1e-9
_EXACT_UNITS: Final = frozenset((Unit.COUNT, Unit.QUANTITY))

Lookup = Callable[[Key], Fact]
Range = tuple[Fraction, Fraction]


class NotEvaluable(ExpressionError):
    """An operand has no value, or a value no interval; `status` says whether for being suppressed."""

    def __init__(self, reason: str, status: Status = Status.UNDEFINED) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Nonlinear:
    """A function of linear forms that is not linear itself: * / abs min max gap."""

    name: str
    arguments: tuple[Linear, ...]


@dataclass(frozen=True, slots=True)
class Linear:
    """constant + Σ coefficient · term; `size` counts all that is inside."""

    terms: tuple[tuple[Key | Nonlinear, Fraction], ...] = ()
    constant: Fraction = Fraction(0)
    size: int = 1

    def plus(self, other: Linear, factor: Fraction = Fraction(1)) -> Linear:
        """The form plus factor · other."""
        sums = dict(self.terms)
        for term, coefficient in other.terms:
            sums[term] = sums.get(term, Fraction(0)) + factor * coefficient
        return _linear({term: c for term, c in sums.items() if c}, self.constant + factor * other.constant)

    def times(self, factor: Fraction) -> Linear:
        """The form times a factor."""
        return Linear().plus(self, factor)


@dataclass(frozen=True, slots=True)
class Atom:
    """A statistic with an interval of its own: a fact, or a difference or ratio of two facts. `kind` is fact, difference, nested or ratio."""

    kind: str
    first: Key
    second: Key | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; exact values have none (low and high None, method '')."""

    value: Fraction
    low: Fraction | None = None
    high: Fraction | None = None
    method: str = ""


def _linear(terms: Mapping[Key | Nonlinear, Fraction], constant: Fraction) -> Linear:
    size = 1 + sum(1 if isinstance(term, Key) else sum(item.size for item in term.arguments) for term in terms)
    if size > _MAX_SIZE:
        raise ExpressionError("the expression is too large once its derived facts are written out", remedy="simplify the derived facts")
    return Linear(tuple(terms.items()), constant, size)


def _nonlinear(name: str, *arguments: Linear) -> Linear:
    return _linear({Nonlinear(name, arguments): Fraction(1)}, Fraction(0))


class Algebra:
    """Evaluates expressions over the facts that `lookup` finds and the derived facts of factbook.yaml, at one confidence level."""

    def __init__(self, lookup: Lookup, derived: Mapping[str, Node], level: float) -> None:
        self.lookup, self.derived, self.level = lookup, derived, level
        self._reduced: dict[str, Linear] = {}
        self._open: list[str] = []

    def fact(self, key: Key) -> Fact:
        """A fact with a number.

        Raises:
            NotEvaluable: it does not exist, is undefined, suppressed or no number.
        """
        try:
            fact = self.lookup(key)
        except UnknownName as error:
            raise NotEvaluable(f"{error.message}{f' ({error.remedy})' if error.remedy else ''}") from error
        if not fact.measured:
            raise NotEvaluable(f"{key} is {fact.status.value}: {fact.reason}", fact.status)
        if not isinstance(fact.value, int | float):
            raise NotEvaluable(f"{key} is no number")
        return fact

    def reduce(self, node: Node) -> Linear:
        """The linear form; exact quantities (counts, quantities and fields of facts) become part of its constant."""
        if isinstance(node, Number):
            return Linear(constant=Fraction(node.value))
        if isinstance(node, Operand):
            return self._operand(node.key)
        return self._call(node.name, [self.reduce(argument) for argument in node.arguments])

    def _operand(self, key: Key) -> Linear:
        if key.evidence == DERIVED and not key.field and key.metric in self.derived:
            return self._derived(key.metric)
        fact = self.fact(key)
        if key.field or (fact.interval is None and fact.unit in _EXACT_UNITS):
            return Linear(constant=_value(fact))
        return Linear(((key, Fraction(1)),))

    def _derived(self, name: str) -> Linear:
        if name in self._open:
            raise ExpressionError(f"derived facts go round in a circle: {' → '.join([*self._open, name])}")
        if name not in self._reduced:
            self._open.append(name)
            try:
                self._reduced[name] = self.reduce(self.derived[name])
            finally:
                self._open.pop()
        return self._reduced[name]

    def _call(self, name: str, items: list[Linear]) -> Linear:
        first, last = items[0], items[-1]
        if name in "+-":
            return first.plus(last, Fraction(1 if name == "+" else -1))
        if name == "*":
            if not last.terms:
                return first.times(last.constant)
            return last.times(first.constant) if not first.terms else _nonlinear("*", first, last)
        if name == "/":
            if not last.terms and not last.constant:
                raise NotEvaluable("it divides by 0")
            return first.times(1 / last.constant) if not last.terms else _nonlinear("/", first, last)
        if name == "gap" and len(items) == 2:
            return self._call("abs", [first.plus(last, Fraction(-1))])
        items = list(dict.fromkeys(items))
        if any(item.terms for item in items):
            return _nonlinear(name, *items)
        return Linear(constant=_apply(name, [(item.constant, item.constant) for item in items])[0])

    def point(self, form: Linear) -> Fraction:
        """The value, in exact decimal arithmetic on the shortest text of each fact."""
        total = form.constant
        for term, coefficient in form.terms:
            if isinstance(term, Key):
                value = _value(self.fact(term))
            else:
                points = [self.point(argument) for argument in term.arguments]
                value = _apply(term.name, [(point, point) for point in points])[0]
            total += coefficient * value
        return total

    def estimate(self, form: Linear) -> Estimate:
        """The value with its interval at the level.

        Raises:
            NotEvaluable: an operand has no interval, or a denominator may be 0.
        """
        value = self.point(form)
        atoms = list(dict.fromkeys(self.atoms(form)))
        if not atoms:
            return Estimate(value)
        level = 1 - (1 - self.level) / len(atoms) if len(atoms) > 1 else self.level
        found = {atom: self._interval(atom, level) for atom in atoms}
        ranges = {atom: (exact(item.low), exact(item.high)) for atom, item in found.items()}
        low, high = self.bounds(form, ranges)
        methods = ", ".join(dict.fromkeys(item.method for item in found.values()))
        return Estimate(value, low, high, methods if len(atoms) == 1 else f"union bound of {len(atoms)} intervals ({methods})")

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
            ends = ranges[part] if isinstance(part, Atom) else _apply(part.name, [self.bounds(argument, ranges) for argument in part.arguments])
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
                ratio = self._ratio(term)
                parts.append((term, coefficient) if ratio is None else (ratio[0], ratio[1] * coefficient))
        for first, second in permutations(list(keys), 2):
            if keys.get(first, 0) > 0 and keys.get(first) == -keys.get(second, Fraction(0)) and (kind := self._kinship(first, second)):
                parts.append((Atom(kind, first, second), keys.pop(first)))
                del keys[second]
        return parts + [(Atom("fact", key), coefficient) for key, coefficient in keys.items()]

    def _ratio(self, term: Nonlinear) -> tuple[Atom, Fraction] | None:
        """The ratio of two independent proportions and its factor, if the term is one."""
        if term.name != "/" or any(len(form.terms) != 1 or form.constant for form in term.arguments):
            return None
        (upper, a), (lower, b) = (form.terms[0] for form in term.arguments)
        if isinstance(upper, Key) and isinstance(lower, Key) and self._kinship(upper, lower) == "difference":
            return Atom("ratio", upper, lower), a / b
        return None

    def _kinship(self, first: Key, second: Key) -> str:
        """`difference` for disjoint groups, `nested` where one contains the other, '' where nothing is known."""
        if (first.evidence, first.metric, first.params) != (second.evidence, second.metric, second.params) or first == second:
            return ""
        a, b = proportion(self.fact(first)), proportion(self.fact(second))
        if a is None or b is None:
            return ""
        if first.attributes == second.attributes:
            return "difference"
        if set(first.slice) < set(second.slice):
            a, b = b, a
        elif not set(second.slice) < set(first.slice):
            return ""
        return "nested" if a[0] <= b[0] and a[1] - a[0] <= b[1] - b[0] else ""

    def _interval(self, atom: Atom, level: float) -> Interval:
        if atom.second is None:
            return _own(self.fact(atom.first), level)
        a, b = proportion(self.fact(atom.first)), proportion(self.fact(atom.second))
        if a is None or b is None:
            raise NotEvaluable(f"{atom.first} and {atom.second} are no proportions")
        if atom.kind == "ratio":
            return _required(intervals.ratio(*a, *b, level), f"the interval of {atom.first} / {atom.second} has no upper end")
        return intervals.newcombe(*a, *b, level) if atom.kind == "difference" else _nested(a, b, level)


def _value(fact: Fact) -> Fraction:
    if not isinstance(fact.value, int | float):
        raise NotEvaluable(f"{fact.key} is no number")
    return exact(fact.value)


def proportion(fact: Fact) -> tuple[int, int] | None:
    """The k and n of a fact whose value and interval follow from k of n independent rows; None for weighted or clustered ones and all others."""
    if fact.unit is not Unit.FRACTION or not {"k", "n"} <= set(fact.counts) or fact.interval is None or fact.level is None:
        return None
    k, n = fact.counts["k"], fact.counts["n"]
    if not isinstance(fact.value, int | float) or n <= 0 or abs(k / n - fact.value) > _SAME:
        return None
    own = intervals.proportion(k, n, fact.level)
    same = abs(own.low - fact.interval[0]) < _SAME and abs(own.high - fact.interval[1]) < _SAME
    return (k, n) if same else None


def _own(fact: Fact, level: float) -> Interval:
    if fact.interval is None or fact.level is None:
        raise NotEvaluable(f"{fact.key} has no interval; a statistic is compared by its interval, only counts and quantities exactly")
    if abs(fact.level - level) < _SAME:
        return Interval(*fact.interval, fact.method)
    return _required(intervals.rescale(fact, level), f"{fact.key} has no interval at {level}")


def _required(found: Interval | None, otherwise: str) -> Interval:
    if found is None:
        raise NotEvaluable(otherwise)
    return found


def _nested(a: tuple[int, int], b: tuple[int, int], level: float) -> Interval:
    """p_a - p_b where one of the two contains the other."""
    if a[1] > b[1]:
        turned = _nested(b, a, level)
        return Interval(-turned.high, -turned.low, turned.method)
    rest_k, rest_n = b[0] - a[0], b[1] - a[1]
    if rest_n == 0:
        return Interval(0.0, 0.0, "identical rows")
    between = intervals.newcombe(*a, rest_k, rest_n, level)
    share = rest_n / b[1]
    return Interval(share * between.low, share * between.high, f"{between.method}, group against rest")


def _apply(name: str, ranges: list[Range]) -> Range:
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    if name == "min":
        return min(lows), min(highs)
    if name == "max":
        return max(lows), max(highs)
    if name == "gap":
        return max(Fraction(0), max(lows) - min(highs)), max(highs) - min(lows)
    if name == "abs":
        low, high = ranges[0]
        return (low, high) if low >= 0 else ((-high, -low) if high <= 0 else (Fraction(0), max(-low, high)))
    if name == "/":
        low, high = ranges[1]
        if low <= 0 <= high:
            exactly = "is 0" if low == high else f"may be 0: its interval is {float(low):.4g} to {float(high):.4g}"
            raise NotEvaluable(f"a denominator {exactly}")
        ranges = [ranges[0], (1 / high, 1 / low)]
    ends = [a * b for a, b in product(*ranges)]
    return min(ends), max(ends)
