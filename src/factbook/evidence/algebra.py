"""Expressions over facts in linear form, and their values in exact decimal arithmetic.

A form is a constant plus multiples of terms; a term is a statistic (by its key) or what cannot be simplified further. So `{a} + {b} - {a}` is just
`{b}`, and differences and ratios that have an interval of their own can be recognised (uncertainty.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final

from factbook.errors import ExpressionError, UnknownName
from factbook.expressions import Node, Number, Operand, exact
from factbook.model import Fact, Key, Status, Unit

DERIVED: Final = "derived"
_MAX_SIZE: Final = 2000
_MOST_DERIVED: Final = 50
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
            return Linear(constant=value_of(fact))
        return Linear(((key, Fraction(1)),))

    def _derived(self, name: str) -> Linear:
        if name in self._open:
            raise ExpressionError(f"derived facts go round in a circle: {' → '.join([*self._open, name])}")
        if len(self._open) >= _MOST_DERIVED:
            raise ExpressionError(f"derived facts rest on each other more than {_MOST_DERIVED} deep, from {self._open[0]} on")
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
        return Linear(constant=apply(name, [(item.constant, item.constant) for item in items])[0])

    def point(self, form: Linear) -> Fraction:
        """The value, in exact decimal arithmetic on the shortest text of each fact."""
        total = form.constant
        for term, coefficient in form.terms:
            if isinstance(term, Key):
                value = value_of(self.fact(term))
            else:
                points = [self.point(argument) for argument in term.arguments]
                value = apply(term.name, [(point, point) for point in points])[0]
            total += coefficient * value
        return total


def value_of(fact: Fact) -> Fraction:
    """The number of a fact, as the exact value of its shortest decimal text."""
    if not isinstance(fact.value, int | float):
        raise NotEvaluable(f"{fact.key} is no number")
    return exact(fact.value)


def as_float(value: Fraction) -> float:
    """The nearest float.

    Raises:
        NotEvaluable: it is larger than any.
    """
    try:
        return float(value)
    except OverflowError as error:
        raise NotEvaluable("its value is too large") from error


def apply(name: str, ranges: list[Range]) -> Range:
    """The range of * / abs min max gap over ranges of their arguments (interval arithmetic; Moore 1966, Interval Analysis)."""
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
