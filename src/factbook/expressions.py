"""The language of claims and derived facts in factbook.yaml. Nothing in it is executed; it is read into a small tree.

    claim    = sum ( ">" | "<" | ">=" | "<=" | "=" | "!=" ) sum [ "within" number ]
    sum      = product { ("+" | "-") product }
    product  = factor { ("*" | "/") factor }
    factor   = [ "-" ] ( number | "{" KEY "}" | "(" sum ")" | ("min" | "max" | "gap" | "abs") "(" sum { "," sum } ")" )
    number   = decimal [ "%" | "points" ]        5 % and 5 points are 0.05

`gap(a, b, …)` is the largest minus the smallest. Numbers are read as exact decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from factbook.errors import ExpressionError, FactbookError
from factbook.model import Key

MAX_LENGTH: Final = 2000
MAX_TOKENS: Final = 200
MAX_DEPTH: Final = 20
FUNCTIONS: Final = ("min", "max", "gap", "abs")
OPERATORS: Final = (">", "<", ">=", "<=", "=", "!=")
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|\{(?P<key>[^{}]*)\}|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[ ]*(?:%|points\b))?)"
    r"|(?P<word>[A-Za-z]+)|(?P<sign>>=|<=|!=|[-+*/(),<>=])"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A literal, exact; `text` as it was written."""

    value: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Operand:
    """A fact, or one of its fields."""

    key: Key


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function over its arguments; `name` is one of + - * / or FUNCTIONS."""

    name: str
    arguments: tuple[Node, ...]


Node = Number | Operand | Call
_MINUS_ONE: Final = Number(Decimal(-1), "-")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a claim says: left OPERATOR right, for `=` perhaps within a margin."""

    left: Node
    operator: str
    right: Node
    margin: Number | None = None

    @property
    def sides(self) -> tuple[Node, ...]:
        """Left, right and the margin, if there is one."""
        return (self.left, self.right) if self.margin is None else (self.left, self.right, self.margin)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, left to right."""
    yield node
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument)


def operands(*nodes: Node) -> tuple[Key, ...]:
    """The keys in the expression, each once, in order."""
    return tuple(dict.fromkeys(item.key for node in nodes for item in walk(node) if isinstance(item, Operand)))


def literals(*nodes: Node) -> tuple[Decimal, ...]:
    """The numbers in the expression as written (5 for `5 %`), in order."""
    return tuple(Decimal(_plain(item.text)) for node in nodes for item in walk(node) if isinstance(item, Number) and item != _MINUS_ONE)


def _plain(text: str) -> str:
    return text.removesuffix("%").removesuffix("points").strip()


def parse_claim(text: str, where: str = "claim") -> Comparison:
    """Read the expression of a claim.

    Raises:
        ExpressionError: names the column (from 1).
    """
    return _Reader(text, where).claim()


def parse_value(text: str, where: str = "derived") -> Node:
    """Read the expression of a derived fact.

    Raises:
        ExpressionError: names the column (from 1).
    """
    return _Reader(text, where).value()


def exact(value: Decimal | int | float) -> Fraction:
    """A number as the exact value of its shortest decimal text."""
    return Fraction(value) if isinstance(value, int | Decimal) else Fraction(repr(value))


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        if len(text) > MAX_LENGTH:
            raise self.fail(MAX_LENGTH, f"longer than {MAX_LENGTH} characters")
        self.tokens = list(self.scan())
        if len(self.tokens) > MAX_TOKENS:
            raise self.fail(self.tokens[MAX_TOKENS][2], f"more than {MAX_TOKENS} numbers, facts and signs")
        self.position = 0
        self.depth = 0

    def fail(self, column: int, said: str, remedy: str = "") -> ExpressionError:
        return ExpressionError(f"{self.where}: column {column + 1}: {said}", remedy=remedy)

    def scan(self) -> Iterator[tuple[str, str, int]]:
        position = 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise self.fail(position, f"{self.text[position]!r} is not understood here", "facts are written {NAME/METRIC}, numbers with a point")
            kind = str(match.lastgroup)
            if kind != "space":
                yield kind, match[kind], position
            position = match.end()
        yield "end", "", len(self.text)

    def peek(self) -> str:
        kind, text, _ = self.tokens[self.position]
        return text if kind in ("sign", "word") else ""

    def take(self) -> tuple[str, str, int]:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def expect(self, sign: str) -> None:
        kind, text, column = self.take()
        if text != sign or kind != "sign":
            raise self.fail(column, f"{sign!r} is expected here")

    def end(self, remedy: str) -> None:
        kind, text, column = self.take()
        if kind != "end":
            raise self.fail(column, f"{text!r} is not expected here", remedy)

    def claim(self) -> Comparison:
        left = self.sum()
        kind, operator, column = self.take()
        if kind != "sign" or operator not in OPERATORS:
            raise self.fail(column, "a claim needs one comparison: " + " ".join(OPERATORS))
        right = self.sum()
        margin = None
        if self.peek() == "within":
            within = self.take()[2]
            if operator != "=":
                raise self.fail(within, "`within` goes with `=`")
            margin = self.number()
        self.end("a claim makes one comparison")
        return Comparison(left, operator, right, margin)

    def value(self) -> Node:
        node = self.sum()
        self.end("a derived fact is a value, not a comparison")
        return node

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(self.tokens[self.position][2], f"nested deeper than {MAX_DEPTH}")
        node = self.product()
        while self.peek() in ("+", "-"):
            node = Call(self.take()[1], (node, self.product()))
        self.depth -= 1
        return node

    def product(self) -> Node:
        node = self.factor()
        while self.peek() in ("*", "/"):
            node = Call(self.take()[1], (node, self.factor()))
        return node

    def factor(self) -> Node:
        if self.peek() == "-":
            self.take()
            return Call("*", (_MINUS_ONE, self.atom()))
        return self.atom()

    def atom(self) -> Node:
        kind, text, column = self.tokens[self.position]
        if kind == "number":
            return self.number()
        self.take()
        if kind == "key":
            return self.operand(text, column)
        if kind == "sign" and text == "(":
            node = self.sum()
            self.expect(")")
            return node
        if kind == "word" and text in FUNCTIONS:
            return self.call(text, column)
        if kind == "word":
            raise self.fail(column, f"there is no function {text!r}", "known: " + " ".join(FUNCTIONS))
        raise self.fail(column, "a fact, a number or ( is expected here")

    def number(self) -> Number:
        kind, text, column = self.take()
        if kind != "number":
            raise self.fail(column, "a number is expected here")
        plain = _plain(text)
        return Number(Decimal(f"{plain}e-2" if plain != text else plain), text)

    def operand(self, text: str, column: int) -> Operand:
        try:
            return Operand(Key.parse(text.strip()))
        except FactbookError as error:
            raise self.fail(column, error.message, error.remedy) from error

    def call(self, name: str, column: int) -> Node:
        self.expect("(")
        arguments = [self.sum()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum())
        self.expect(")")
        if (name == "abs") is not (len(arguments) == 1):
            raise self.fail(column, f"{name} takes {'one value' if name == 'abs' else 'two or more values'}")
        return Call(name, tuple(arguments))
