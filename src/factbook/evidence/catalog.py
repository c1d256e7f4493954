"""All that a book knows, by name: what documents, charts, rules and publishers ask. Everything that follows from facts is computed here, once."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final, TypeVar

from factbook import measures
from factbook.errors import KeySyntaxError, ManifestError, UnknownName
from factbook.evidence.algebra import DERIVED, Algebra
from factbook.evidence.claims import Claim, judge
from factbook.evidence.derived import derive
from factbook.evidence.quoted import Quoted
from factbook.evidence.store import Evidence, Record
from factbook.expressions import exact, parse_value
from factbook.manifest import Declared, Gap, Manifest, Policy, Threshold
from factbook.model import Direction, Fact, Key, Metric, Pairs, Status, Unit

T = TypeVar("T")
_FIELD_UNITS: Final = {"n": Unit.COUNT, "level": Unit.FRACTION}


class Met(StrEnum):
    """Whether a fact meets a threshold of factbook.yaml."""

    MET = "met"
    NOT_MET = "not met"
    NOT_ESTABLISHED = "not established"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A threshold and its verdict. `bound` says what has to reach it: the value, or the interval's lower or upper end."""

    key: Key
    at_least: Decimal | None
    at_most: Decimal | None
    bound: str
    verdict: Met
    reason: str = ""


class Catalog:
    """Facts, claims, gaps, policies and declared numbers of one book."""

    def __init__(self, manifest: Manifest, evidence: Evidence) -> None:
        self.manifest, self.evidence = manifest, evidence
        self._expressions = {name: parse_value(text, f"factbook.yaml: derived.{name}") for name, text in manifest.derived.items()}
        self._algebra = Algebra(self.fact, self._expressions, float(manifest.level))
        self._derived: dict[str, Fact] = {}
        self._claims: dict[str, Claim] = {}

    def fact(self, key: Key) -> Fact:
        """The fact of that name; for a key with a field, a fact whose value is that field.

        Raises:
            UnknownName: there is none; suggests the nearest keys, and the usual name of a metric for one of its other names.
        """
        found = self._derive(key.metric) if key.evidence == DERIVED else self.evidence.get(key.whole())
        if found is None or found.key != key.whole():
            raise self._unknown(key)
        return _field(found, key) if key.field else found

    def _derive(self, name: str) -> Fact | None:
        if name not in self._derived and name in self._expressions:
            self._derived[name] = derive(name, self._expressions[name], self._algebra)
        return self._derived.get(name)

    def _unknown(self, key: Key) -> UnknownName:
        known = [str(item) for item in self.evidence] + [f"{DERIVED}/{name}" for name in self._expressions]
        metric = measures.find_alias(key.metric)
        if metric is not None and metric != key.metric:
            named = replace(key.whole(), metric=metric)
            if named in self.evidence:
                return UnknownName("fact", str(key), known, remedy=f"{key.metric} is called {metric} here: {named}")
        return UnknownName("fact", str(key), known)

    def facts(self) -> list[Fact]:
        """All facts in the order of their keys, then the derived ones in the order of factbook.yaml."""
        return [self.evidence[key] for key in sorted(self.evidence, key=str)] + [self.fact(Key(DERIVED, name)) for name in self._expressions]

    def matching(self, pattern: str = "") -> list[Fact]:
        """The facts whose key is `pattern`, or matches it as a pattern of `*` and `?`; all of them without one.

        A pattern that is the key of a fact means that fact, even though keys hold question marks.

        Raises:
            UnknownName: the pattern holds no `*`, and there is no fact of that name.
        """
        found = self.facts()
        exact = [fact for fact in found if pattern and _same(pattern, fact.key)]
        matching = exact or [fact for fact in found if fnmatch.fnmatchcase(str(fact.key), _glob(pattern))]
        if pattern and not matching and "*" not in pattern:
            raise UnknownName("fact", pattern, map(str, self.evidence))
        return matching

    def claim(self, name: str) -> Claim:
        """A claim with its verdict.

        Raises:
            UnknownName: factbook.yaml has no such claim.
            ExpressionError: its expression does not parse.
        """
        if name not in self._claims:
            self._claims[name] = judge(name, _named("claim", self.manifest.claims, name), self._algebra)
        return self._claims[name]

    def claims(self) -> list[Claim]:
        """All claims in the order of factbook.yaml."""
        return [self.claim(name) for name in self.manifest.claims]

    def gap(self, name: str) -> Gap:
        """A declared absence. Raises UnknownName."""
        return _named("gap", self.manifest.gaps, name)

    def policy(self, name: str) -> Policy:
        """An approved requirement. Raises UnknownName."""
        return _named("policy", self.manifest.policies, name)

    def declared(self, name: str) -> Declared:
        """A person's number; its value is text. Raises UnknownName."""
        return _named("declared number", self.declarations, name)

    def quoted(self, target: str) -> tuple[Quoted, str]:
        """What a book or card says, and the name of the statement in it. Raises UnknownName, of either."""
        name, _, statement = target.partition("/")
        found = _named("quoted book or card", self.evidence.quoted, name)
        found.text(statement)
        return found, statement

    @cached_property
    def declarations(self) -> dict[str, Declared]:
        """What people declared, by name: the numbers under `declared`, and those that factbook.yaml holds anyway, such as `sources.holdout.cut`."""
        held = {"level": self.manifest.level, "suppress_below": self.manifest.suppress_below}
        held |= {f"sources.{name}.cut": source.cut for name, source in self.manifest.sources.items() if source.cut is not None}
        bounds = {name: item.at_most if item.at_least is None else item.at_least for name, item in self.manifest.thresholds.items()}
        held |= {f"thresholds.{name}": bound for name, bound in bounds.items() if bound is not None}
        found: dict[str, object] = {
            **held,
            **{f"sources.{name}.positive": item.positive for name, item in self.manifest.sources.items() if item.positive},
        }
        return {name: Declared(value=str(value), source="factbook.yaml") for name, value in found.items()} | self.manifest.declared

    def record_of(self, key: Key) -> Record:
        """What a fact rests on. A derived fact rests on several: see `operands`.

        Raises:
            UnknownName: there is no evidence of that name.
        """
        return _named("evidence", self.evidence.records, key.evidence)

    def metric(self, key: Key) -> Metric:
        """What the measure says about the metric of a fact.

        Raises:
            UnknownName: neither the evidence nor the derived fact exists.
        """
        if key.evidence != DERIVED:
            record = self.record_of(key)
            return measures.metric(record.measure, key.metric, record.params)
        fact = self.fact(key.whole())
        title = key.metric.replace("-", " ").replace("_", " ")
        return Metric(key.metric, title, title, fact.unit, fact.direction, fact.bounds, self.manifest.derived[key.metric], "factbook.yaml")

    @cached_property
    def _thresholds(self) -> dict[Key, tuple[Threshold, ...]]:
        found: dict[Key, tuple[Threshold, ...]] = {}
        for text, threshold in self.manifest.thresholds.items():
            try:
                key = Key.parse(text)
            except KeySyntaxError as error:
                raise ManifestError(f"factbook.yaml: thresholds.{text}: {error.message}", remedy=error.remedy) from error
            found[key.whole()] = (*found.get(key.whole(), ()), threshold)
        return found

    def thresholds_for(self, key: Key) -> tuple[Threshold, ...]:
        """What factbook.yaml requires of this fact."""
        return self._thresholds.get(key.whole(), ())

    def requirements(self) -> list[Requirement]:
        """Every threshold of factbook.yaml with its verdict, in that order."""
        return [self._require(key, item) for key, items in self._thresholds.items() for item in items]

    def _require(self, key: Key, threshold: Threshold) -> Requirement:
        try:
            fact = self.fact(key)
            verdict, reason = _met(fact, threshold)
        except UnknownName as error:
            verdict, reason = Met.NOT_EVALUABLE, error.message
        return Requirement(key, threshold.at_least, threshold.at_most, threshold.bound, verdict, reason)

    @cached_property
    def _index(self) -> dict[tuple[str, str, Pairs, tuple[str, ...]], list[Fact]]:
        found: dict[tuple[str, str, Pairs, tuple[str, ...]], list[Fact]] = {}
        for key, fact in self.evidence.items():
            found.setdefault((key.evidence, key.metric, key.params, key.attributes), []).append(fact)
        return found

    @cached_property
    def _groups(self) -> dict[str, tuple[str, ...]]:
        measured: dict[str, set[str]] = {}
        for name, value in {pair for key in self.evidence for pair in key.slice}:
            measured.setdefault(name, set()).add(value)
        declared = {name for source in self.manifest.sources.values() for name in source.by}
        return {name: self._ordered(name, measured.get(name, set())) for name in sorted(declared | set(measured))}

    def _ordered(self, attribute: str, others: set[str]) -> tuple[str, ...]:
        bands: list[str] = []
        for source in self.manifest.sources.values():
            if attribute in source.by:
                bands += source.by[attribute].bands()
                others = others | ({*source.by[attribute].names.values()} - set(bands))
        return tuple(dict.fromkeys([*bands, *sorted(others)]))

    def groups(self, attribute: str) -> tuple[str, ...]:
        """The groups of an attribute: the bands of declared cuts in their order, then other declared or measured names, sorted."""
        return self._groups.get(attribute, ())

    def slices(self, evidence: str, metric: str, by: str | Sequence[str], params: Pairs = ()) -> list[Fact]:
        """The facts of one metric for every group of an attribute, or of every combination of several, in the order of `groups`."""
        attributes = tuple(sorted(by.split(",") if isinstance(by, str) else by))
        places = {name: {group: place for place, group in enumerate(self.groups(name))} for name in attributes}
        found = self._index.get((evidence, metric, params, attributes), [])
        return sorted(found, key=lambda fact: [places[name][group] for name, group in fact.key.slice])

    def worst(self, evidence: str, metric: str, attribute: str | Sequence[str], params: Pairs = ()) -> Fact | None:
        """The group for which the metric is worst, by its direction; the first in order where several are equal.

        None where no group has a value, or neither direction is good.
        """
        facts = [fact for fact in self.slices(evidence, metric, attribute, params) if fact.measured and isinstance(fact.value, int | float)]
        directions = {fact.direction for fact in facts}
        if len(directions) != 1 or Direction.NEITHER in directions:
            return None
        sign = 1 if Direction.HIGHER in directions else -1
        return min(facts, key=lambda fact: sign * _number(fact))


def _named(what: str, items: Mapping[str, T], name: str) -> T:
    if name not in items:
        raise UnknownName(what, name, items)
    return items[name]


def _same(text: str, key: Key) -> bool:
    try:
        return Key.parse(text).whole() == key
    except KeySyntaxError:
        return False


def _glob(pattern: str) -> str:
    """A pattern of `*` and `?` only: brackets in keys are escaped anyway, and mean themselves here."""
    return pattern.replace("[", "[[]") or "*"


def _number(fact: Fact) -> float:
    return float(fact.value) if isinstance(fact.value, int | float) else 0.0


def _field(fact: Fact, key: Key) -> Fact:
    """The fact whose value is a field of another; it has no interval of its own."""
    value = getattr(fact, key.field)
    plain = replace(fact, key=key, low=None, high=None, level=None, method="", counts={}, unit=_FIELD_UNITS.get(key.field, fact.unit))
    if value is None:
        lack = "interval" if key.field != "n" else "n"
        return replace(plain, status=fact.status if not fact.measured else Status.UNDEFINED, value=None, reason=fact.reason or f"it has no {lack}")
    return replace(plain, status=Status.MEASURED, value=value, reason="", bounds=None if key.field in _FIELD_UNITS else fact.bounds)


def _met(fact: Fact, threshold: Threshold) -> tuple[Met, str]:
    """A value is compared in decimal. An end of the interval that misses leaves it open unless the whole interval misses."""
    if not fact.measured or not isinstance(fact.value, int | float):
        return Met.NOT_EVALUABLE, fact.reason or "it is no number"
    ends = fact.interval or (None, None)
    judged: float | None = {"value": fact.value, "lower": ends[0], "upper": ends[1]}[threshold.bound]
    if judged is None:
        return Met.NOT_EVALUABLE, "it has no interval"
    if _satisfied(judged, threshold):
        return Met.MET, ""
    interval = [judged] if threshold.bound == "value" else [end for end in ends if end is not None]
    possible = any(_satisfied(end, threshold) for end in interval) or _between(interval, threshold)
    return (Met.NOT_ESTABLISHED if possible else Met.NOT_MET), ""


def _satisfied(value: float, threshold: Threshold) -> bool:
    number = exact(value)
    high_enough = threshold.at_least is None or number >= exact(threshold.at_least)
    return high_enough and (threshold.at_most is None or number <= exact(threshold.at_most))


def _between(interval: Iterable[float], threshold: Threshold) -> bool:
    """Whether a required range lies inside the interval without touching its ends."""
    ends = [exact(end) for end in interval]
    return (
        threshold.at_least is not None
        and threshold.at_most is not None
        and min(ends) < exact(threshold.at_least)
        and max(ends) > exact(threshold.at_most)
    )
