"""What is compared. A case is a job that several tools do, over data that is generated for it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

ATTRIBUTES = {"a": 2, "b": 5, "c": 10, "d": 20}
"""The attributes of a log and how many groups each has."""
SETS = (*((name,) for name in ATTRIBUTES), *itertools.combinations(ATTRIBUTES, 2))
"""What figures are wanted by: every attribute and every pair, which makes 457 groups."""
SHORT, TRIES, PATIENCE = 3.0, 7, 1800
"""A run of less than so many CPU seconds is made three times and the median counts; one of more than half an hour is given up."""


@dataclass(frozen=True)
class Case:
    """A job over data that `logs.py` writes; above `largest` rows it is not run."""

    data: str
    largest: int = 10**12


CASES = {
    "start": Case("", largest=0),
    "rates": Case("log"),
    "rates and scores": Case("log"),
    "intervals of one attribute": Case("log", largest=10**5),
    "card": Case("log", largest=10**6),
    "drift, 10 columns": Case("tables of 10", largest=10**6),
    "drift, 50 columns": Case("tables of 50", largest=10**6),
}
