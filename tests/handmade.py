"""Facts and evidence made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from factbook.evidence import runs, store
from factbook.evidence.store import Evidence
from factbook.model import Artifact, Direction, Fact, Key, Measured, Unit
from factbook.statistics import intervals

HEAD = "factbook: 1\nsubject: {name: risk}\nsources: {holdout: {uri: holdout.csv, by: {age: {column: age, cuts: [40, 60]}, sex: sex}}}\n"


def proportion(key: str, k: int, n: int, level: float = 0.95, direction: Direction = Direction.LOWER) -> Fact:
    """A measured proportion with the interval that the measures give it."""
    own = intervals.proportion(k, n, level)
    return Fact(
        Key.parse(key),
        value=k / n,
        low=own.low,
        high=own.high,
        level=level,
        method=own.method,
        n=n,
        counts={"k": k, "n": n},
        unit=Unit.FRACTION,
        direction=direction,
        bounds=(0.0, 1.0),
    )


def count(key: str, value: int) -> Fact:
    """An exact count."""
    return Fact(Key.parse(key), value=value, unit=Unit.COUNT)


def score(key: str, value: float, low: float | None = None, high: float | None = None, level: float = 0.95) -> Fact:
    """A score such as an AUC, with or without an interval."""
    if low is None:
        return Fact(Key.parse(key), value=value)
    return Fact(Key.parse(key), value=value, low=low, high=high, level=level, method="DeLong", bounds=(0.0, 1.0), direction=Direction.HIGHER)


def measured(facts: Iterable[Fact], digest: str = "sha256:00", name: str = "performance") -> Measured:
    """What a measure would hand over."""
    return Measured(name, "classification", 1, tuple(facts), {"data": "holdout"}, {"data": Artifact("holdout", digest, 1, 100, 500)})


def save(root: Path, facts: Iterable[Fact], digest: str = "sha256:00", seconds: float = 0.0) -> Evidence:
    """Write facts as evidence of the book in `root` and read it."""
    store.write(root, measured(facts, digest), runs.here(root, seconds=seconds))
    return Evidence.load(root)
