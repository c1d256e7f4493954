"""An answer whose facts all carry some parameters: the class that they are about, or the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from factbook.measures.request import Answer
from factbook.model import Fact, Pairs, Value


@dataclass
class Tagged(Answer):
    """Adds its facts to another answer, each with the parameters `tags`."""

    tags: Pairs = ()

    def add(self, metric: str, value: Value | None, *, params: Pairs = (), **given: Any) -> Fact:
        return super().add(metric, value, params=tuple(sorted((*params, *self.tags))), **given)


def tagged(answer: Answer, **tags: str) -> Tagged:
    """The same answer for facts about one class, threshold or the like."""
    return Tagged(answer.name, answer.level, answer.metrics, answer.hidden, answer.reason, answer.facts, answer.warnings, tuple(sorted(tags.items())))
