"""Derived facts: `derived/NAME`, computed from other facts by an expression of factbook.yaml."""

from __future__ import annotations

from dataclasses import replace

from factbook.errors import ExpressionError
from factbook.evidence.algebra import DERIVED, Algebra, Linear, NotEvaluable, as_float
from factbook.evidence.uncertainty import estimate
from factbook.expressions import Node, Number, Operand
from factbook.model import Fact, Key, Unit

_DIFFERENCES = {Unit.FRACTION: Unit.POINTS}


def derive(name: str, node: Node, algebra: Algebra) -> Fact:
    """The derived fact: its interval is that of the expression, its unit follows from the operands. Undefined where an operand is.

    Raises:
        ExpressionError: derived facts go round in a circle.
    """
    key = Key(DERIVED, name)
    try:
        form = algebra.reduce(Operand(key))
        exact, value, measure = algebra.point(form), as_float(algebra.point(form)), unit(node, algebra)
    except NotEvaluable as error:
        return Fact(key, status=error.status, reason=error.message)
    except ExpressionError as error:
        raise ExpressionError(f"factbook.yaml: derived.{name}: {error.message}", remedy=error.remedy) from error
    if measure is Unit.COUNT and not form.terms:
        return Fact(key, value=int(exact), unit=measure) if exact.denominator == 1 else Fact(key, value=value, unit=Unit.QUANTITY)
    return _with_interval(Fact(key, value=value, unit=measure or Unit.SCORE), form, algebra)


def _with_interval(fact: Fact, form: Linear, algebra: Algebra) -> Fact:
    try:
        found = estimate(form, algebra)
        if found.low is None or found.high is None:
            return fact
        return replace(fact, low=as_float(found.low), high=as_float(found.high), level=algebra.level, method=found.method)
    except NotEvaluable as error:
        return replace(fact, note=f"without an interval: {error.message}")


def unit(node: Node, algebra: Algebra) -> Unit | None:
    """The unit of an expression; None for a plain number. A difference of fractions is in points; what has no common unit is a score."""
    if isinstance(node, Number):
        return None
    if isinstance(node, Operand):
        return algebra.lookup(node.key).unit
    units = [unit(argument, algebra) for argument in node.arguments]
    known = set(units) - {None}
    if not known:
        return None
    same = known.pop() if len(known) == 1 else Unit.SCORE
    if node.name == "/":
        return same if units[1] is None else Unit.RATIO if len(set(units)) == 1 else Unit.SCORE
    if node.name == "*":
        return same if None in units else Unit.SCORE
    if node.name == "gap" or (node.name == "-" and units[0] is not None):
        return _DIFFERENCES.get(same, same) if same is not None else None
    return same
