"""p-values as facts, and adjusted for how many tests of one kind a measurement makes.

All tests of a metric over the slices (and classes, or pairs of models) of a measurement are one family: who looks for a difference anywhere in it
makes that many tests. Hidden slices are in none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from factbook.measures.request import Answer
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics import laws
from factbook.statistics.moments import tidy

ADJUSTED: Final = {"holm": laws.holm, "bh": laws.benjamini_hochberg}
HOW: Final = "adjusted (holm, bh) for all tests of this kind in the measurement"


def metric(name: str, title: str, short: str, test: str, source: str) -> Metric:
    """The vocabulary entry of a p-value: an exact function of the rows, which claims may compare as it is."""
    formula = f"{test}; {HOW}"
    sources = f"{source}; Holm 1979; Benjamini & Hochberg 1995"
    return Metric(name, f"{title}, p-value", f"{short} p", Unit.QUANTITY, Direction.NEITHER, (0.0, 1.0), formula, sources)


@dataclass(frozen=True, slots=True)
class _Test:
    answer: Answer
    p: float
    params: Pairs
    given: Mapping[str, Any]


@dataclass
class Families:
    """Adds p-values, and at the end those adjusted for their family."""

    tests: dict[str, list[_Test]] = field(default_factory=lambda: defaultdict(list))

    def add(self, answer: Answer, metric: str, p: float, *, params: Pairs = (), note: str = "", **given: Any) -> None:
        """One test; `given` as for `Answer.add`."""
        fact = answer.add(metric, tidy(p), params=params, note=note, **given)
        if fact.measured:
            self.tests[metric].append(_Test(answer, tidy(p), params, {**given, "note": note}))

    def adjust(self) -> None:
        """Add the adjusted p-values."""
        for name, tests in self.tests.items():
            for kind, adjusted in ADJUSTED.items():
                for test, p in zip(tests, adjusted([test.p for test in tests]), strict=True):
                    note = "; ".join(filter(None, (test.given["note"], f"over {len(tests)} tests")))
                    params = tuple(sorted((*test.params, ("adjusted", kind))))
                    test.answer.add(name, tidy(p), params=params, **{**test.given, "note": note})
