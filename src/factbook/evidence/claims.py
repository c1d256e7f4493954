"""Verdicts: whether the evidence bears out what a claim of factbook.yaml says.

The verdict comes from the interval of left - right (of left alone where right is a number), never from the estimates:

    holds            the whole interval satisfies the comparison
    broken           none of it does
    not-established  it lies across
    not-evaluable    an operand is undefined, suppressed, unknown, or a statistic without an interval

`=` alone is for exact quantities: that two statistics are equal cannot be shown. "No difference" is an equivalence within a margin, which holds
when the whole interval lies inside it (two one-sided tests; Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15, 657; of proportions with
Newcombe's interval). The interval is the book's, at 1 - alpha, so that each test has half its usual error rate, alpha / 2; `abs(d) <= margin` and
`d = 0 within margin` are the same claim.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from factbook.errors import ExpressionError
from factbook.evidence.algebra import Algebra, NotEvaluable, as_float
from factbook.evidence.settling import settling
from factbook.evidence.uncertainty import Estimate, estimate
from factbook.expressions import Comparison, literals, operands, parse_claim
from factbook.model import Key

EXACT = "exact comparison"


class Verdict(StrEnum):
    """What the evidence says to a claim."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_ESTABLISHED = "not-established"
    NOT_EVALUABLE = "not-evaluable"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its verdict.

    Attributes:
        expression: as factbook.yaml has it.
        estimate, low, high: of `quantity`; None where there is none (an exact comparison has no interval).
        quantity: `left - right`, or `left` where right is a number without facts.
        level, method: of the interval; the level is a fraction.
        operands, literals: the keys and numbers in the expression, in order; a number as written (5 for `5 %`).
        operator, margin: the comparison.
        reason: why the verdict is not-evaluable; what would settle it where it is not-established.
    """

    name: str
    expression: str
    verdict: Verdict
    operator: str
    operands: tuple[Key, ...]
    literals: tuple[Decimal, ...]
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str = ""
    quantity: str = "left - right"
    margin: Decimal | None = None
    reason: str = ""


def judge(name: str, expression: str, algebra: Algebra) -> Claim:
    """The claim with its verdict.

    Raises:
        ExpressionError: the expression does not parse, or its derived facts go round in a circle.
    """
    said = parse_claim(expression, f"factbook.yaml: claims.{name}")
    claim = Claim(
        name,
        expression,
        Verdict.NOT_EVALUABLE,
        said.operator,
        operands(*said.sides),
        literals(*said.sides),
        margin=None if said.margin is None else said.margin.value,
    )
    try:
        return _evaluate(claim, said, algebra)
    except NotEvaluable as error:
        return replace(claim, reason=error.message)
    except ExpressionError as error:
        raise ExpressionError(f"factbook.yaml: claims.{name}: {error.message}", remedy=error.remedy) from error


def _evaluate(claim: Claim, said: Comparison, algebra: Algebra) -> Claim:
    left, right = algebra.reduce(said.left), algebra.reduce(said.right)
    alone = not operands(said.right)
    subject, target = (left, right.constant) if alone else (left.plus(right, Fraction(-1)), Fraction(0))
    if said.operator == "=" and said.margin is None and subject.terms:
        point = algebra.point(subject)
        reason = "that statistics are equal cannot be shown; give a margin: … = … within 0.05"
        return replace(claim, estimate=as_float(point), quantity=_quantity(alone), reason=reason)
    found = estimate(subject, algebra)
    margin = None if said.margin is None else Fraction(said.margin.value)
    verdict = decide(said.operator, *_shifted(found, target), margin)
    if found.low is None or found.high is None:
        return replace(claim, verdict=verdict, estimate=as_float(found.value), method=EXACT, quantity=_quantity(alone))
    return replace(
        claim,
        verdict=verdict,
        estimate=as_float(found.value),
        low=as_float(found.low),
        high=as_float(found.high),
        level=algebra.level,
        method=found.method,
        quantity=_quantity(alone),
        reason=settling(subject, found, target, margin, algebra) if verdict is Verdict.NOT_ESTABLISHED else "",
    )


def _quantity(alone: bool) -> str:
    return "left" if alone else "left - right"


def _shifted(found: Estimate, target: Fraction) -> tuple[Fraction, Fraction]:
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return low - target, high - target


def decide(operator: str, low: Fraction, high: Fraction, margin: Fraction | None = None) -> Verdict:
    """The verdict on `d OPERATOR 0` for a difference d that lies in [low, high]; with a margin, on |d| <= margin."""
    if margin is not None:
        return _verdict(-margin <= low and high <= margin, high < -margin or low > margin)
    exactly_zero = low == high == 0
    excluded = low > 0 or high < 0
    holds, broken = {
        ">": (low > 0, high <= 0),
        ">=": (low >= 0, high < 0),
        "<": (high < 0, low >= 0),
        "<=": (high <= 0, low > 0),
        "=": (exactly_zero, excluded),
        "!=": (excluded, exactly_zero),
    }[operator]
    return _verdict(holds, broken)


def _verdict(holds: bool, broken: bool) -> Verdict:
    if holds:
        return Verdict.HOLDS
    return Verdict.BROKEN if broken else Verdict.NOT_ESTABLISHED
