"""The evidence pages of the site: every fact of every measurement, with what the measurement rests on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Final

from factbook.charts.svg import Markup, element, join
from factbook.documents import spelling
from factbook.model import Fact, Key
from factbook.publish import citations
from factbook.publish.frame import Page, definitions, scroll, table
from factbook.publish.prose import Heading

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog
    from factbook.evidence.store import Record
    from factbook.publish import Publication

_SHOWN: Final = 16


def pages(publication: Publication) -> list[Page]:
    """One page for each measurement, and one for the derived facts."""
    facts = sorted(publication.catalog.facts(), key=_order(publication.catalog))
    by_name = {name: list(members) for name, members in groupby(facts, key=lambda fact: fact.key.evidence)}
    records = publication.catalog.evidence.records
    pages = [_record_page(publication, record, by_name.get(name, [])) for name, record in sorted(records.items())]
    if citations.DERIVED in by_name:
        pages.append(_derived_page(publication, by_name[citations.DERIVED]))
    return pages


def _order(catalog: Catalog) -> Callable[[Fact], tuple[object, ...]]:
    """Overall first, then one attribute, then two; a metric's groups together, in their declared order."""
    attributes = {name for fact in catalog.facts() for name in fact.key.attributes}
    places = {name: {group: place for place, group in enumerate(catalog.groups(name))} for name in attributes}

    def order(fact: Fact) -> tuple[object, ...]:
        key = fact.key
        return (key.evidence, len(key.slice), key.attributes, key.metric, key.params, [places[name][group] for name, group in key.slice])

    return order


def _record_page(publication: Publication, record: Record, facts: list[Fact]) -> Page:
    headings: list[Heading] = []
    main = join(
        element("h1", record.name),
        element("p", f"Measured by {record.measure}, version {record.version}. {len(facts):,} facts.", class_="lead"),
        _record(record),
        *_groups(publication, facts, _level(record), headings),
    )
    return Page(f"evidence/{record.name}", record.name, main, tuple(headings), wide=True)


def _record(record: Record) -> Markup:
    inputs = [
        [element("code", role), item.source, f"{item.rows:,}", str(item.files), f"{item.bytes:,}", element("code", item.digest, class_="whole")]
        for role, item in sorted(record.inputs.items())
    ]
    run = record.run
    tools = ", ".join(f"{name} {version}" for name, version in sorted(run.tools.items())) if run else ""
    lines: list[tuple[str, Markup | str]] = [
        ("Digest", element("code", record.digest, class_="whole")),
        ("Parameters", citations.parameters_words(record.params)),
        ("Level", f"{_level(record)} %"),
        ("Measured", f"{citations.day(record)}, {run.host}" if run else "no run record vouches for it"),
        ("Tools", tools),
        ("Run record", element("code", f"runs/{record.name}.*.json") if run else ""),
        ("Merged", "the facts come from several runs" if record.merged else ""),
        ("Not vouched for", ", ".join(str(key) for key in record.unvouched)),
        ("Re-derive", element("code", citations.command(record))),
    ]
    return join(definitions(lines), table(("Role", "Source", "Rows", "Files", "Bytes", "SHA-256 digest"), inputs, numbers=(2, 3, 4)))


def _level(record: Record) -> str:
    return f"{(Decimal(record.level) * 100).normalize():f}"


def _groups(publication: Publication, facts: list[Fact], level: str, headings: list[Heading]) -> list[Markup]:
    parts = []
    for attributes, members in groupby(facts, key=lambda fact: fact.key.attributes):
        title = "By " + " and ".join(attributes) if attributes else "Overall"
        headings.append(Heading(2, f"by-{'-'.join(attributes)}" if attributes else "overall", title))
        parts.append(element("h2", title, id=headings[-1].anchor))
        parts.append(_facts(publication, list(members), level, sliced=bool(attributes)))
    return parts


def _facts(publication: Publication, facts: list[Fact], level: str, *, sliced: bool) -> Markup:
    names = ["Fact", *(["Slice"] if sliced else []), "Value", f"{level} % CI", "n", "Counts", "Method", "Status", "Digest"]
    head = element("tr", *(element("th", name, scope="col") for name in names))
    rows = [
        _fact_row(publication, fact, group=len(group) if place == 0 else 0, sliced=sliced)
        for group in (list(members) for _, members in groupby(facts, key=lambda fact: (fact.key.metric, fact.key.params)))
        for place, fact in enumerate(group)
    ]
    return scroll(element("table", element("thead", head), element("tbody", *rows), class_="facts"))


def _fact_row(publication: Publication, fact: Fact, *, group: int, sliced: bool) -> Markup:
    """A row; its first cell names the metric for all `group` rows that follow, none where an earlier row did."""
    key = fact.key
    value = spelling.spell(fact, interval=False) if fact.measured else element("em", fact.reason or fact.status.value)
    cells = [
        _metric_cell(publication, key, group) if group else None,
        element("td", ", ".join(value for _, value in key.slice)) if sliced else None,
        element("td", value),
        element("td", _interval(fact)),
        element("td", "" if fact.n is None else f"{fact.n:,}"),
        element("td", citations.counts_words(fact)),
        element("td", fact.method, element("small", fact.note) if fact.note else None),
        element("td", fact.status.value, element("small", fact.origin.value)),
        element("td", element("code", short_digest(publication, key))),
    ]
    return element("tr", *cells, id=citations.anchor(key))


def _metric_cell(publication: Publication, key: Key, rows: int) -> Markup:
    parameters = ", ".join(f"{name} = {value}" for name, value in key.params)
    title = publication.catalog.metric(key).title + (f" ({parameters})" if parameters else "")
    return element("th", element("code", key.metric), element("small", title), scope="row", rowspan=rows if rows > 1 else None)


def _interval(fact: Fact) -> str:
    return spelling.spell(fact).rpartition(" CI ")[2].removesuffix(")") if fact.interval else ""


def _derived_page(publication: Publication, facts: list[Fact]) -> Page:
    rows = []
    for fact in facts:
        expression = publication.manifest.derived.get(fact.key.metric, "")
        anchor = element("span", element("code", fact.key.metric), id=citations.anchor(fact.key))
        rows.append([anchor, citations.headline(fact), element("code", expression), fact.method])
    main = join(
        element("h1", "Derived facts"),
        element("p", "Computed from other facts by the expressions of factbook.yaml.", class_="lead"),
        table(("Fact", "Value", "Expression", "Method"), rows),
    )
    return Page("evidence/derived", "derived", main)


def short_digest(publication: Publication, key: Key) -> str:
    """The first digits of a fact's digest; a derived fact rests on others and has none of its own."""
    if key.evidence == citations.DERIVED:
        return "derived"
    return publication.catalog.evidence.identity(key).removeprefix("sha256:")[:_SHOWN]
