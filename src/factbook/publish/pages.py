"""The pages of the site that are not evidence: the start page, the documents, the statements, what was not judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from factbook.charts.svg import Markup, element, join
from factbook.documents import kinds
from factbook.errors import FactbookError, UnknownName
from factbook.publish import citations, duties, ledger, sign_offs, tree
from factbook.publish.citations import Citation, Tone
from factbook.publish.frame import INDEX, NOT_JUDGED, STATEMENTS, Page, definitions, table, verdict
from factbook.publish.prose import Heading, Prose, relative

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.evidence.catalog import Catalog
    from factbook.publish import Publication, Row


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
        sign_offs.in_brief(publication),
        _claims_in_brief(publication),
        duties.in_brief(publication),
        _evidence_in_brief(publication),
    )
    return Page(INDEX, "Overview", main)


def _state(publication: Publication, proses: Sequence[Prose]) -> Markup:
    questions = sum(len(prose.questions) for prose in proses)
    facts = sum(1 for _ in publication.catalog.facts())
    unsigned = sign_offs.wanted(publication)
    tiles = [
        (len(publication.findings), "findings", "Statements or parts that the rules object to", "#findings", "bad"),
        (questions, "open questions", "What only a person can say, and nobody has said", None, "open"),
        (len(publication.not_judged), "not judged", "“Not judged” is never “ok”", relative(INDEX, NOT_JUDGED), "open"),
        (facts, "facts", "Quantities bound to the evidence that made them", None, "plain"),
    ]
    if unsigned:
        tiles.insert(2, (unsigned, "sign-offs wanted", "Asked for by factbook.yaml, and missing or lapsed", "#sign-offs", "open"))
    return element("ul", *(_tile(*tile) for tile in tiles), class_="tiles")


_ONE: Final = {"findings": "finding", "open questions": "open question", "sign-offs wanted": "sign-off wanted", "facts": "fact"}


def _tile(count: int, name: str, about: str, address: str | None, tone: str) -> Markup:
    words = _ONE.get(name, name) if count == 1 else name
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
    lines = [[element("code", row.what), element("code", row.place), row.message] for row in rows]
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


# --- documents -------------------------------------------------------------------------------------------------------------------------------


def document(publication: Publication, prose: Prose) -> Page:
    """The page of a document. Rendering fills the prose's headings, questions and cited facts."""
    body = prose.render()
    untitled = not any(heading.level == 1 for heading in prose.headings)
    title = element("h1", tree.title(prose.document)) if untitled else None
    main = join(_state_of_document(publication, prose), title, body, _cited(publication, prose))
    return Page(prose.page, tree.title(prose.document), main, tuple(prose.headings), short=_short(publication, prose.document))


def _short(publication: Publication, document: Document) -> str:
    """What a list of pages calls a document: the name of its kind, where it is the only one of a kind that is known."""
    others = [other for other in publication.documents if other.kind == document.kind]
    try:
        return kinds.load(document.kind).title if len(others) == 1 else ""
    except FactbookError:
        return ""


def _state_of_document(publication: Publication, prose: Prose) -> Markup | None:
    """What a reader must know before reading: that it is a draft, and how much nobody has answered."""
    draft, count = publication.draft(prose.document), len(prose.questions)
    if not draft and not count:
        return None
    links = [element("li", element("a", question.words, href=f"#{quote(question.anchor)}", title=question.name)) for question in prose.questions]
    said = element("p", element("strong", "Draft. "), draft) if draft else None
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
                element("code", ledger.short_digest(publication, key)),
            ]
        )
    if not rows:
        return None
    title = element("summary", f"The {len(rows)} facts that this page cites" if len(rows) > 1 else "The fact that this page cites")
    return element("details", title, table(("Fact", "Value", "n", "Origin", "Digest"), rows, numbers=(2,)), class_="cited")


# --- statements and what was not judged ------------------------------------------------------------------------------------------------------


def statements(publication: Publication) -> Page:
    """The claims with their verdicts, and what people declared: gaps, policies, numbers, requirements."""
    manifest, headings = publication.manifest, list[Heading]()
    parts: list[Markup] = []
    for name, scheme, names in (
        ("Claims", "claim", manifest.claims),
        ("Declared gaps", "gap", manifest.gaps),
        ("Policies", "policy", manifest.policies),
        ("Declared numbers", "declared", publication.catalog.declarations),
    ):
        if names:
            headings.append(Heading(2, scheme, name))
            parts.append(element("h2", name, id=scheme))
            parts += [_statement(publication, scheme, item) for item in sorted(names)]
    if manifest.thresholds:
        headings.append(Heading(2, "requirement", "Requirements"))
        parts += [element("h2", "Requirements", id="requirement"), _requirements(publication)]
    lead = element("p", "Everything in the documents that is no measured number, with what it rests on.", class_="lead")
    plan = element("p", publication.plan, class_="meta") if publication.plan else None
    nothing = element("p", "The book makes no claims and declares nothing.") if not parts else None
    return Page(STATEMENTS, "Claims and declarations", join(element("h1", "Claims and declarations"), lead, plan, nothing, *parts), tuple(headings))


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
    lines = [[row.what, row.message, element("code", row.place) if row.place else ""] for row in publication.not_judged]
    rows = table(("What", "Why it was not judged", "Place"), lines) if lines else element("p", "Every rule judged everything that it is for.")
    return Page(NOT_JUDGED, "Not judged", join(element("h1", "Not judged"), lead, rows))


def _claim(name: str, catalog: Catalog) -> Citation:
    try:
        return citations.of_claim(name, catalog)
    except FactbookError:
        return citations.cite(f"claim:{name}", catalog)
