"""What facts a document cites: in links, in tables, in charts and in the claims that it asserts."""

from __future__ import annotations

from dataclasses import dataclass, field

from factbook import charts
from factbook.documents.parse import Document
from factbook.documents.regions import TableSpec
from factbook.errors import DocumentError, FactbookError, KeySyntaxError
from factbook.evidence.catalog import Catalog
from factbook.model import Key, Pairs

Metric = tuple[str, str, Pairs]


@dataclass
class Cited:
    """`links`: keys with where they stand; `shown`: (evidence, metric, params, attributes) of tables and charts, which show every group."""

    links: list[tuple[Key, int]] = field(default_factory=list)
    claimed: list[tuple[Key, int]] = field(default_factory=list)
    shown: set[tuple[str, str, Pairs, tuple[str, ...]]] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    charts: set[str] = field(default_factory=set)

    def has(self, evidence: str, metric: str) -> bool:
        """Whether a metric of an evidence is cited or shown anywhere, for whatever group."""
        return any((key.evidence, key.metric) == (evidence, metric) for key, _ in self.links) or any(
            item[:2] == (evidence, metric) for item in self.shown
        )

    def overall(self, evidence: str, metric: str) -> bool:
        """Whether a metric of an evidence is cited for all cases, or shown in a table or chart."""
        return any((key.evidence, key.metric) == (evidence, metric) and not key.slice for key, _ in self.links) or any(
            item[:2] == (evidence, metric) for item in self.shown
        )


def facts(document: Document, catalog: Catalog | None = None) -> Cited:
    """What a document cites; with a catalog, the operands of its claims as well."""
    found = Cited()
    for link in document.bound("fact"):
        try:
            found.links.append((Key.parse(link.target), link.start))
        except KeySyntaxError:
            continue
    for link in document.bound("claim") if catalog else ():
        try:
            found.claimed += [(key, link.start) for key in catalog.claim(link.name).operands] if catalog else []
        except FactbookError:
            continue
    for region in document.regions:
        _table(region.arguments, found)
    for image in document.images:
        _chart(image.title, found)
    return found


def _table(arguments: str, found: Cited) -> None:
    try:
        spec = TableSpec.parse(arguments)
    except DocumentError:
        return
    found.tables.add(spec.evidence)
    for metric in spec.metrics:
        key = spec.key(metric)
        found.shown.add((key.evidence, key.metric, key.params, tuple(sorted(spec.by))))
        found.shown.add((key.evidence, key.metric, key.params, ()))


def _chart(title: str, found: Cited) -> None:
    if not title.startswith(charts.PREFIX):
        return
    try:
        spec = charts.ChartSpec.parse(title)
    except DocumentError:
        return
    found.charts.add(spec.evidence)
    key = spec.key()
    found.shown.add((key.evidence, key.metric, key.params, tuple(sorted(spec.by))))
