"""A small book whose facts are constructed here, so that every test knows what is true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from factbook.evidence.catalog import Catalog
from factbook.evidence.store import Evidence, Record
from factbook.manifest import Manifest, read
from factbook.model import Direction, Fact, Key, Status, Unit

MANIFEST = """
factbook: 1
subject: {name: risk}
sources:
  holdout:
    {uri: h.csv, label: y, positive: "1", prediction: p,
     by: {age_band: {column: age, cuts: [40, 60]}, sex: {column: sex, names: {"1": men, "2": women}}}}
plan:
  performance: {measure: classification, data: holdout, by: [age_band, sex, [age_band, sex]]}
thresholds:
  performance/auc: {at_least: 0.80}
claims:
  young-missed-more: "{performance/fnr?age_band=<40} > {performance/fnr?age_band=40-59}"
derived:
  extra-misses: "{performance/fnr?age_band=<40} - {performance/fnr?age_band=40-59}"
gaps:
  ethnicity: {why: not recorded at any site, owner: data-team}
policies:
  latency: {text: answers within 300 ms, approved_by: board}
declared:
  cost: {value: 12 EUR, source: price list}
"""


def rate(key: str, k: int, n: int, low: float, high: float, direction: Direction = Direction.LOWER) -> Fact:
    return Fact(
        Key.parse(key),
        value=k / n,
        low=low,
        high=high,
        level=0.95,
        method="wilson",
        n=n,
        counts={"k": k, "n": n},
        unit=Unit.FRACTION,
        direction=direction,
        bounds=(0.0, 1.0),
    )


def count(key: str, value: int) -> Fact:
    return Fact(Key.parse(key), value=value, unit=Unit.COUNT)


FACTS = (
    rate("performance/fnr", 32, 164, 0.1417, 0.2626),
    rate("performance/fnr?age_band=<40", 21, 48, 0.3070, 0.5772),
    rate("performance/fnr?age_band=40-59", 8, 80, 0.0515, 0.1851),
    Fact(Key.parse("performance/fnr?age_band=60%2B"), Status.UNDEFINED, unit=Unit.FRACTION, direction=Direction.LOWER, reason="no positives"),
    count("performance/rows", 442),
    count("performance/rows?age_band=<40", 120),
    count("performance/rows?age_band=40-59", 300),
    count("performance/rows?age_band=60%2B", 22),
    Fact(Key.parse("performance/auc"), value=0.845, low=0.81, high=0.88, level=0.95, method="delong", unit=Unit.SCORE, bounds=(0.0, 1.0)),
)


@pytest.fixture
def manifest() -> Manifest:
    return read(MANIFEST)[0]


@pytest.fixture
def catalog_with(manifest: Manifest) -> Callable[..., Catalog]:
    """A catalog in which some facts are added or replaced."""

    def build(*changed: Fact) -> Catalog:
        record = Record(name="performance", measure="classification", version=1, params={}, inputs={})
        return Catalog(manifest, Evidence({fact.key: fact for fact in (*FACTS, *changed)}, {"performance": record}))

    return build


@pytest.fixture
def catalog(catalog_with: Callable[..., Catalog]) -> Catalog:
    return catalog_with()
