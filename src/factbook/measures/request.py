"""What a measure is asked, and how it answers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from factbook import engines, sources
from factbook.engines import Tally
from factbook.errors import MeasureError, SourceError, UnknownName
from factbook.manifest import Manifest, Planned, Source
from factbook.model import Artifact, Direction, Fact, Key, Metric, Origin, Pairs, Progress, Status, Unit, Value
from factbook.statistics.intervals import Interval
from factbook.statistics.moments import tidy


@dataclass(frozen=True, eq=False)
class Request:
    """One planned measurement.

    Attributes:
        name: of the measurement (the evidence).
        planned, manifest: what was declared.
        root, store: the book's folder and its private store.
        progress: is told how far the scan is.
        margins: per role, the combinations of attributes for which some measurement publishes counts of the source.
    """

    name: str
    planned: Planned
    manifest: Manifest
    root: Path
    store: Path
    progress: Progress
    margins: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @property
    def level(self) -> float:
        """The confidence level of the book, a fraction."""
        return float(self.manifest.level)

    def source_name(self, role: str = "data") -> str:
        """The name of the source in a role."""
        return source_name(self.name, self.planned, self.manifest, role)

    def source(self, role: str = "data") -> Source:
        """The source in a role."""
        return self.manifest.sources[self.source_name(role)]

    def slices(self, role: str = "data") -> tuple[tuple[str, ...], ...]:
        """The combinations of attributes in `by`, checked against the source in a role.

        Raises:
            MeasureError: the source does not declare an attribute.
        """
        return attributes(self.name, self.planned.by, self.source(role))

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {}

    def digest(self, role: str = "data") -> str:
        """The digest of the bytes of the source in a role.

        Raises:
            SourceError: the file is absent.
        """
        if role not in self._digests:
            source = self.source(role)
            digest = sources.digest(source, self.root, self.store)
            if digest is None:
                sources.table(source, self.root, self.store)  # names the missing file and what lies near it
                raise SourceError(f"{source.uri}: no such file")
            self._digests[role] = digest
        return self._digests[role]

    def tally(self, role: str = "data", source: Source | None = None) -> Tally:
        """The tally of the source in a role, by all its declared attributes; with other roles of its columns, where `source` declares them."""
        declared, book = source or self.source(role), self.manifest
        return engines.count(declared, self.root, self.store, self.progress, digest=self.digest(role), engine=book.engine, settings=book.spark)

    def artifact(self, role: str = "data") -> Artifact:
        """What pins the bytes that were read."""
        source = self.source(role)
        paths = sources.located(source, self.root) + (sources.files(source.join.uri, self.root) if source.join else [])
        size = sum(path.stat().st_size for path in paths)
        return Artifact(self.source_name(role), self.digest(role), len(paths), size, self.tally(role).rows)


def source_name(name: str, planned: Planned, manifest: Manifest, role: str) -> str:
    """The source that a measurement names in a role.

    Raises:
        MeasureError: it names none.
        UnknownName: there is no such source.
    """
    given = planned.params.get(role)
    if not isinstance(given, str) or not given:
        raise MeasureError(f"plan.{name}: no source given", remedy=f"add `{role}: NAME`, one of: {', '.join(manifest.sources) or 'none declared'}")
    if given not in manifest.sources:
        raise UnknownName("source", given, manifest.sources)
    return given


def attributes(name: str, by: Iterable[Sequence[str]], source: Source) -> tuple[tuple[str, ...], ...]:
    """Combinations of attributes, checked against the source.

    Raises:
        MeasureError: an attribute is not declared in the source's `by`.
    """
    found = []
    for item in by:
        for attribute in item:
            if attribute not in source.by:
                near = difflib.get_close_matches(attribute, source.by, n=1)
                raise MeasureError(
                    f"plan.{name}: the source {source.uri} has no attribute {attribute!r}",
                    remedy=f"did you mean {near[0]}?" if near else f"declare it under the source's `by`, which has: {', '.join(source.by) or 'none'}",
                )
        found.append(tuple(sorted(item)))
    return tuple(found)


@dataclass
class Answer:
    """Collects facts. What falls in a hidden slice is suppressed here, so that no measure can forget it."""

    name: str
    level: float
    metrics: Mapping[str, Metric]
    hidden: frozenset[Pairs]
    reason: str
    facts: list[Fact] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(
        self,
        metric: str,
        value: Value | None,
        *,
        params: Pairs = (),
        slice: Pairs = (),
        interval: Interval | None = None,
        n: int | None = None,
        counts: Mapping[str, int] | None = None,
        undefined: str = "",
        note: str = "",
        unit: Unit | None = None,
        involves: Sequence[Pairs] = (),
        bounds: tuple[float, float] | None = None,
        origin: Origin = Origin.RECOUNTED,
    ) -> Fact:
        """Add a fact: measured, or undefined with a reason, or suppressed where its slice or another that it involves is hidden."""
        about = self.metrics[metric]
        status, reason = Status.MEASURED, ""
        low = high = level = None
        method = ""
        if slice in self.hidden or (involves and not self.hidden.isdisjoint(involves)):
            status, reason, value, n, counts, note = Status.SUPPRESSED, self.reason, None, None, None, ""
        elif undefined or value is None:
            status, reason, value = Status.UNDEFINED, undefined or "undefined", None
        elif interval is not None and isinstance(value, int | float):
            low, high = float(min(tidy(interval.low), value)), float(max(tidy(interval.high), value))
            level, method = self.level, interval.method
        key, unit, bounds = Key(self.name, metric, params, slice), unit or about.unit, bounds or about.bounds
        given = dict(counts) if counts else {}
        fact = Fact(key, status, value, low, high, level, method, n, given, unit, about.direction, bounds, reason, origin, note)
        self.facts.append(fact)
        return fact

    def suppress(self, metric: str, params: Pairs) -> None:
        """Add a fact of all rows that would give a hidden group away."""
        about = self.metrics[metric]
        key = Key(self.name, metric, params)
        blank = Fact(key, status=Status.SUPPRESSED, unit=about.unit, direction=about.direction, bounds=about.bounds, reason=self.reason)
        self.facts.append(blank)


def count_metric(name: str, title: str, short: str, formula: str, direction: Direction = Direction.NEITHER) -> Metric:
    """The vocabulary entry of a number of rows."""
    return Metric(name, title, short, Unit.COUNT, direction, (0.0, float("inf")), formula, "")
