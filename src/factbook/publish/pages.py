"""The pages of the site around the documents: the frame, the start page, the evidence, the statements, what was not judged."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from factbook.charts.svg import Markup, element, join
from factbook.documents import kinds, shapes
from factbook.errors import FactbookError, UnknownName
from factbook.manifest import Stage
from factbook.model import Fact, Key
from factbook.publish import citations, tree
from factbook.publish.citations import Citation, Tone
from factbook.publish.prose import Heading, Prose, mark, relative

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog
    from factbook.evidence.store import Record
    from factbook.publish import Publication, Row

INDEX: Final = "index"
STATEMENTS: Final = "statements"
NOT_JUDGED: Final = "not-judged"
_SHOWN: Final = 16
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site: its path without suffix, its title and its main part."""

    path: str
    title: str
    main: Markup
    headings: tuple[Heading, ...] = ()
    wide: bool = False


@cache
def style() -> str:
    """The site's style sheet, without comments and indentation: it stands in every page, so that a page is complete in itself."""
    text = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


def policy(html: str) -> str:
    """A content security policy that allows the page's own styles, by their hash, and embedded pictures; nothing else, and no script at all."""
    styles = sorted({text for text in _STYLE.findall(html)})
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in styles)
    return f"default-src 'none'; style-src {hashes}; img-src data:; base-uri 'none'; form-action 'none'"


# --- the frame -------------------------------------------------------------------------------------------------------------------------------


def frame(publication: Publication, page: Page, pages: Sequence[Page]) -> str:
    """A whole HTML file."""
    subject = publication.manifest.subject
    title = subject.name if page.path == INDEX else f"{page.title} · {subject.name}"
    body = element(
        "body",
        element("a", "Skip to the text", class_="skip", href="#main"),
        _top(publication, page),
        element(
            "div",
            _navigation(publication, page, pages),
            element("main", element("article", page.main, class_="wide" if page.wide else None), id="main"),
            None if page.wide else _contents(page),
            class_="frame wide" if page.wide else "frame",
        ),
        _foot(publication),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(f"<style>{style()}</style>{body}")),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=f"factbook {publication.version}"),
        element("title", title),
        element("style", Markup(style())),
    )
    return "<!doctype html>\n" + element("html", head, body, lang=publication.manifest.language) + "\n"


def stage(publication: Publication) -> Markup:
    """The stage of the book as a label."""
    return element("span", publication.manifest.stage.value, class_=f"pill stage-{publication.manifest.stage.value}")


def _top(publication: Publication, page: Page) -> Markup:
    subject = publication.manifest.subject
    name = element("a", element("strong", subject.name), f" {subject.version}" if subject.version else None, href=relative(page.path, INDEX))
    menu = element("button", "Contents", class_="menu", popovertarget="nav", type="button")
    return element("header", name, stage(publication), menu, class_="top")


def _navigation(publication: Publication, page: Page, pages: Sequence[Page]) -> Markup:
    groups = (
        ("", [other for other in pages if other.path == INDEX]),
        ("Documents", [other for other in pages if other.path.startswith("documents/")]),
        ("Evidence", [other for other in pages if other.path.startswith("evidence/")]),
        ("Statements", [other for other in pages if other.path in (STATEMENTS, NOT_JUDGED)]),
    )
    parts = []
    for name, members in groups:
        links = [
            element("li", element("a", other.title, href=relative(page.path, other.path), aria_current="page" if other.path == page.path else None))
            for other in members
        ]
        title = element("p", name, class_="group") if name else None
        parts.append(join(title, element("ul", *links)) if links else None)
    return element("nav", *parts, id="nav", popover="auto", aria_label=f"{publication.manifest.subject.name}: all pages")


def _contents(page: Page) -> Markup | None:
    entries = [heading for heading in page.headings if heading.level in (2, 3)]
    if len(entries) < 2:
        return None
    links = [element("li", element("a", heading.words, href=f"#{quote(heading.anchor)}"), class_=f"level-{heading.level}") for heading in entries]
    return element("aside", element("p", "On this page", class_="group"), element("ul", *links), class_="contents", aria_label="On this page")


def _foot(publication: Publication) -> Markup:
    measured = f"Evidence as of {publication.date.isoformat()}. " if publication.date else "Nothing is measured yet. "
    said = "The documents follow from the evidence as far as it was judged; that the evidence follows from the data, only measuring again can show."
    return element("footer", element("p", measured, said), element("p", f"factbook {publication.version}"), class_="foot")


# --- the start page --------------------------------------------------------------------------------------------------------------------------


def index(publication: Publication, proses: Sequence[Prose]) -> Page:
    """The start page: what this is, how it stands, and where to go."""
    subject = publication.manifest.subject
    facts = [(term, text) for term, text in (("Kind", subject.kind), ("Owner", subject.owner), ("Licence", subject.licence)) if text]
    main = join(
        element("h1", subject.name, element("span", f" {subject.version}", class_="version") if subject.version else None),
        element("p", subject.description, class_="lead") if subject.description else None,
        element("p", *(element("span", f"{term}: ", element("b", text)) for term, text in facts), class_="meta"),
        _state(publication, proses),
        element("h2", "Documents"),
        element("ul", *(_document_card(prose) for prose in proses), class_="cards") if proses else element("p", "There are none yet."),
        _findings(publication.findings),
        _claims_in_brief(publication),
        _evidence_in_brief(publication),
    )
    return Page(INDEX, "Overview", main)


def _state(publication: Publication, proses: Sequence[Prose]) -> Markup:
    questions = sum(len(prose.questions) for prose in proses)
    facts = sum(1 for _ in publication.catalog.facts())
    tiles = (
        (len(publication.findings), "findings", "Statements or parts that the rules object to", "#findings", "bad"),
        (questions, "open questions", "What only a person can say, and nobody has said", None, "open"),
        (len(publication.not_judged), "not judged", "“Not judged” is never “ok”", relative(INDEX, NOT_JUDGED), "open"),
        (facts, "facts", "Quantities bound to the evidence that made them", None, "plain"),
    )
    return element("ul", *(_tile(*tile) for tile in tiles), class_="tiles")


def _tile(count: int, name: str, about: str, address: str | None, tone: str) -> Markup:
    words = name.removesuffix("s") if count == 1 and name != "not judged" else name
    title = element("a", words, href=address) if address and count else element("span", words)
    return element("li", element("span", f"{count:,}", class_="count"), title, element("small", about), class_=tone if count else "none")


def _document_card(prose: Prose) -> Markup:
    document = prose.document
    said = [f"{citations.plural(len(prose.cited), 'fact')} cited", citations.plural(len(prose.questions), "open question")]
    return element(
        "li",
        element("a", tree.title(document), href=relative(INDEX, prose.page)),
        element("span", _about(document.kind)),
        element("small", " · ".join(said)),
    )


def _about(kind: str) -> str:
    try:
        return kinds.load(kind).about if kind else "A document of its own kind."
    except FactbookError:
        return kind


def _findings(findings: Sequence[Row]) -> Markup | None:
    if not findings:
        return None
    return join(element("h2", "Findings", id="findings"), _rows(findings))


def _rows(rows: Sequence[Row]) -> Markup:
    lines = [[element("code", row.code), element("code", row.place), row.message] for row in rows]
    return table(("Rule", "Place", "What is said"), lines)


def _claims_in_brief(publication: Publication) -> Markup | None:
    names = sorted(publication.manifest.claims)
    if not names:
        return None
    rows: list[list[Markup | str]] = []
    for name in names:
        citation = _claim(name, publication.catalog)
        link = element("a", name, href=f"{relative(INDEX, STATEMENTS)}#{quote(f'claim-{name}')}")
        rows.append([link, verdict(citation), next((detail.text for detail in citation.details if detail.term in ("Difference", "Estimate")), "")])
    return join(element("h2", "Claims"), table(("Claim", "Verdict", "Estimate"), rows))


def _evidence_in_brief(publication: Publication) -> Markup | None:
    rows = []
    for name, record in sorted(publication.catalog.evidence.records.items()):
        sources = ", ".join(f"{item.source} ({item.rows:,} rows)" for _, item in sorted(record.inputs.items()))
        link = element("a", name, href=relative(INDEX, f"evidence/{name}"))
        rows.append([link, f"{record.measure} {record.version}", sources, citations.day(record)])
    return join(element("h2", "Evidence"), table(("Name", "Measure", "Rows from", "Measured"), rows)) if rows else None


def _claim(name: str, catalog: Catalog) -> Citation:
    try:
        return citations.of_claim(name, catalog)
    except FactbookError:
        return citations.cite(f"claim:{name}", catalog)


def verdict(citation: Citation) -> Markup:
    """A verdict, with its sign."""
    return element("span", mark(citation), citation.headline, class_=f"pill {citation.tone.value}")


def table(header: Sequence[str], rows: Iterable[Sequence[Markup | str]], numbers: Iterable[int] = ()) -> Markup:
    """A table; the first column names the row, `numbers` are the columns to be set flush right."""
    right = frozenset(numbers)
    head = element("tr", *(element("th", text, scope="col", class_="r" if column in right else None) for column, text in enumerate(header)))
    lines = [element("tr", element("th", row[0], scope="row"), *_cells(row[1:], right)) for row in rows]
    return scroll(element("table", element("thead", head), element("tbody", *lines)))


def _cells(cells: Sequence[Markup | str], right: frozenset[int]) -> list[Markup]:
    return [element("td", cell, class_="r" if at in right else None) for at, cell in enumerate(cells, 1)]


def scroll(content: Markup) -> Markup:
    """A frame in which a wide table scrolls by itself."""
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label="Table")


# --- documents -------------------------------------------------------------------------------------------------------------------------------


def document(publication: Publication, prose: Prose) -> Page:
    """The page of a document. Rendering fills the prose's headings, questions and cited facts."""
    body = prose.render()
    untitled = not any(heading.level == 1 for heading in prose.headings)
    title = element("h1", tree.title(prose.document)) if untitled else None
    main = join(_state_of_document(publication, prose), title, body, _cited(publication, prose))
    return Page(prose.page, tree.title(prose.document), main, tuple(prose.headings))


def _state_of_document(publication: Publication, prose: Prose) -> Markup | None:
    """What a reader must know before reading: that it is a draft, and how much nobody has answered."""
    draft, count = publication.manifest.stage is Stage.DRAFT, len(prose.questions)
    if not draft and not count:
        return None
    links = [element("li", element("a", question.words, href=f"#{quote(question.anchor)}", title=question.name)) for question in prose.questions]
    said = element("p", element("strong", "Draft. "), "Nobody has approved this document.") if draft else None
    asked = element("p", element("strong", citations.plural(count, "open question")), " that only a person can answer:") if count else None
    return element("aside", said, asked, element("ul", *links) if links else None, class_="state", aria_label="State of this document")


def _cited(publication: Publication, prose: Prose) -> Markup | None:
    """What the page rests on, for paper and for auditors."""
    rows = []
    for key in prose.cited:
        try:
            fact = publication.catalog.fact(key)
        except UnknownName:
            continue
        address = f"{relative(prose.page, citations.page(key))}#{quote(citations.anchor(key), safe='')}"
        link = element("a", element("code", str(key)), href=address)
        rows.append(
            [
                link,
                citations.headline(fact),
                "" if fact.n is None else f"{fact.n:,}",
                fact.origin.value,
                element("code", _short_digest(publication, key)),
            ]
        )
    if not rows:
        return None
    title = element("summary", f"The {len(rows)} facts that this page cites" if len(rows) > 1 else "The fact that this page cites")
    return element("details", title, table(("Fact", "Value", "n", "Origin", "Digest"), rows, numbers=(2,)), class_="cited")


def _short_digest(publication: Publication, key: Key) -> str:
    """The first digits of a fact's digest; a derived fact rests on others and has none of its own."""
    if key.evidence == citations.DERIVED:
        return "derived"
    return publication.catalog.evidence.identity(key).removeprefix("sha256:")[:_SHOWN]


# --- evidence --------------------------------------------------------------------------------------------------------------------------------


def evidence(publication: Publication) -> list[Page]:
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
        ("Run record", element("code", f"evidence/runs/{record.name}.*.json") if run else ""),
        ("Merged", "the facts come from several runs" if record.merged else ""),
        ("Not vouched for", ", ".join(str(key) for key in record.unvouched)),
        ("Re-derive", element("code", citations.command(record.name))),
    ]
    return join(definitions(lines), table(("Role", "Source", "Rows", "Files", "Bytes", "SHA-256 digest"), inputs, numbers=(2, 3, 4)))


def _level(record: Record) -> str:
    return f"{(Decimal(record.level) * 100).normalize():f}"


def definitions(lines: Iterable[tuple[str, Markup | str]]) -> Markup:
    """A list of terms and what they mean; what is empty is left out."""
    return element("dl", *(element("div", element("dt", term), element("dd", text)) for term, text in lines if text), class_="record")


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
    value = shapes.spell(fact, interval=False) if fact.measured else element("em", fact.reason or fact.status.value)
    cells = [
        _metric_cell(publication, key, group) if group else None,
        element("td", ", ".join(value for _, value in key.slice)) if sliced else None,
        element("td", value),
        element("td", _interval(fact)),
        element("td", "" if fact.n is None else f"{fact.n:,}"),
        element("td", citations.counts_words(fact)),
        element("td", fact.method, element("small", fact.note) if fact.note else None),
        element("td", fact.status.value, element("small", fact.origin.value)),
        element("td", element("code", _short_digest(publication, key))),
    ]
    return element("tr", *cells, id=citations.anchor(key))


def _metric_cell(publication: Publication, key: Key, rows: int) -> Markup:
    parameters = ", ".join(f"{name} = {value}" for name, value in key.params)
    title = publication.catalog.metric(key).title + (f" ({parameters})" if parameters else "")
    return element("th", element("code", key.metric), element("small", title), scope="row", rowspan=rows if rows > 1 else None)


def _interval(fact: Fact) -> str:
    return shapes.spell(fact).rpartition(" CI ")[2].removesuffix(")") if fact.interval else ""


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


# --- statements and what was not judged ------------------------------------------------------------------------------------------------------


def statements(publication: Publication) -> Page:
    """The claims with their verdicts, and what people declared: gaps, policies, numbers, requirements."""
    manifest, headings = publication.manifest, list[Heading]()
    parts: list[Markup] = []
    for name, scheme, names in (
        ("Claims", "claim", manifest.claims),
        ("Declared gaps", "gap", manifest.gaps),
        ("Policies", "policy", manifest.policies),
        ("Declared numbers", "declared", manifest.declared),
    ):
        if names:
            headings.append(Heading(2, scheme, name))
            parts.append(element("h2", name, id=scheme))
            parts += [_statement(publication, scheme, item) for item in sorted(names)]
    if manifest.thresholds:
        headings.append(Heading(2, "requirement", "Requirements"))
        parts += [element("h2", "Requirements", id="requirement"), _requirements(publication)]
    lead = element("p", "Everything in the documents that is no measured number, with what it rests on.", class_="lead")
    nothing = element("p", "The book makes no claims and declares nothing.") if not parts else None
    return Page(STATEMENTS, "Claims and declarations", join(element("h1", "Claims and declarations"), lead, nothing, *parts), tuple(headings))


def _statement(publication: Publication, scheme: str, name: str) -> Markup:
    citation = _claim(name, publication.catalog) if scheme == "claim" else citations.cite(f"{scheme}:{name}", publication.catalog)
    head = verdict(citation) if scheme == "claim" or citation.tone is Tone.BAD else element("span", citation.headline)
    lines: list[tuple[str, Markup | str]] = [
        (detail.term, element("code", detail.text) if detail.code else detail.text) for detail in citation.details
    ]
    return element("section", element("h3", element("code", name), " ", head), definitions(lines), class_="statement", id=f"{scheme}-{name}")


def _requirements(publication: Publication) -> Markup:
    rows = []
    for item in publication.catalog.requirements():
        limits = (("at least", item.at_least), ("at most", item.at_most))
        wanted = ", ".join(f"{words} {limit}" for words, limit in limits if limit is not None)
        which = "" if item.bound == "value" else f" ({item.bound} end of the interval)"
        tone = {"met": "good", "not met": "bad"}.get(item.verdict.value, "open")
        found = citations.cite(f"fact:{item.key}", publication.catalog).headline
        rows.append([element("code", str(item.key)), wanted + which, found, element("span", item.verdict.value, class_=f"pill {tone}"), item.reason])
    return table(("Fact", "Required", "Measured", "Verdict", "Why"), rows)


def not_judged(publication: Publication) -> Page:
    """What no rule could judge, and so is not said to be in order."""
    lead = element("p", "What is listed here was looked at by no rule. It is not in order; it is not judged.", class_="lead")
    rows = _rows(publication.not_judged) if publication.not_judged else element("p", "Every rule judged everything that it is for.")
    return Page(NOT_JUDGED, "Not judged", join(element("h1", "Not judged"), lead, rows))
