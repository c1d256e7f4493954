"""Answers that change facts on their way into another answer: add parameters to them, or take their intervals away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from factbook.measures.request import Answer
from factbook.model import Fact, Pairs, Value
from factbook.statistics.intervals import Interval

_A = TypeVar("_A", bound="Passing")


@dataclass
class Passing(Answer):
    """Adds its facts to another answer."""

    inner: Answer | None = None

    def add(self, metric: str, value: Value | None, **given: Any) -> Fact:
        """Add a fact to the inner answer."""
        assert self.inner is not None
        return self.inner.add(metric, value, **given)


def passing(kind: type[_A], answer: Answer, **more: Any) -> _A:
    """An answer of a kind that adds to another one."""
    return kind(answer.name, answer.level, answer.metrics, answer.hidden, answer.reason, answer.facts, answer.warnings, inner=answer, **more)


@dataclass
class Tagged(Passing):
    """Facts with further parameters: the class that they are about, or the threshold."""

    tags: Pairs = ()

    def add(self, metric: str, value: Value | None, *, params: Pairs = (), **given: Any) -> Fact:
        """Add a fact with the parameters `tags`."""
        return super().add(metric, value, params=tuple(sorted((*params, *self.tags))), **given)


@dataclass
class Bare(Passing):
    """Facts without intervals, and why."""

    why: str = ""

    def add(self, metric: str, value: Value | None, *, interval: Interval | None = None, note: str = "", **given: Any) -> Fact:
        """Add a fact; where it had an interval, say why it has none."""
        said = "; ".join(filter(None, (note, self.why))) if value is not None and interval is not None else note
        return super().add(metric, value, note=said, **given)


def tagged(answer: Answer, **tags: str) -> Tagged:
    """The same answer for facts about one class, threshold or the like."""
    return passing(Tagged, answer, tags=tuple(sorted(tags.items())))


def bare(answer: Answer, why: str) -> Bare:
    """The same answer, without intervals."""
    return passing(Bare, answer, why=why)
