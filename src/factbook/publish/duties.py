"""The pages of the site about laws and standards: how the book stands to each that it names, item by item, and what says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from factbook.charts.svg import Markup, element, join
from factbook.errors import FactbookError
from factbook.model import Key
from factbook.publish import citations, tree
from factbook.publish.frame import INDEX, Page, table
from factbook.publish.prose import Heading, relative
from factbook.regimes.coverage import State, in_words

if TYPE_CHECKING:
    from factbook.publish import Publication
    from factbook.regimes.coverage import Coverage, Row

FOLDER: Final = "coverage"
_TONES: Final = {State.PARTLY: ("?", "open"), State.OPEN: ("✗", "bad"), State.NOT_APPLICABLE: ("–", ""), State.NOT_JUDGED: ("–", "")}


def pages(publication: Publication) -> list[Page]:
    """One page for each law or standard that the book names."""
    return [_page(publication, found) for found in publication.coverages]


def in_brief(publication: Publication) -> Markup | None:
    """For the start page: each law or standard, with how many items stand how."""
    rows: list[list[Markup | str]] = []
    for found in publication.coverages:
        link = element("a", found.regime.title, href=relative(INDEX, path(found)))
        rows.append([link, join(_counts(found.counts), element("small", "later: ", _counts(found.later)) if found.later else None)])
    return join(element("h2", "Laws and standards", id="duties"), table(("Title", "Items"), rows)) if rows else None


def path(found: Coverage) -> str:
    """The page of a law or standard, without suffix."""
    return f"{FOLDER}/{found.regime.name}"


def _page(publication: Publication, found: Coverage) -> Page:
    regime, headings = found.regime, list[Heading]()
    about = "The words are ours, and short; the text that binds is the one cited. Items do not weigh the same, so there are no percentages."
    main = join(
        element("h1", regime.title),
        element("p", f"{regime.source}. {regime.status}", class_="lead"),
        element("p", regime.caution, class_="state") if regime.caution else None,
        element("p", f"{found.span} {about}".strip()),
        element("p", _counts(found.counts)),
        element("p", "If what applies later applied already: ", _counts(found.later)) if found.later else None,
        *_sections(publication, found, headings),
    )
    return Page(path(found), regime.title, main, tuple(headings), wide=True)


def _counts(counts: Mapping[State, int]) -> Markup:
    return join(*(join(_pill(state, f"{count} {state}"), " ") for state, count in counts.items()))


def _sections(publication: Publication, found: Coverage, headings: list[Heading]) -> Iterator[Markup]:
    for number, (section, rows) in enumerate(groupby(found.rows, key=lambda row: row.item.section), 1):
        if section:
            headings.append(Heading(2, f"section-{number}", section))
            yield element("h2", section, id=headings[-1].anchor)
        head = element("tr", *(element("th", text, scope="col") for text in ("State", "What is asked", "What answers it, and what is missing")))
        lines = [_row(publication, found, row) for row in rows]
        yield element("table", element("thead", head), element("tbody", *lines), class_="matrix")


def _row(publication: Publication, found: Coverage, row: Row) -> Markup:
    item, then = row.item, row.then or row
    by = [element("li", _place(publication, found, place)) for place in then.by]
    wanted = f"Missing: {then.missing}" if then.missing and then.state is not State.NOT_APPLICABLE else ""
    why = row.missing if row.state is State.NOT_APPLICABLE else ""
    said = [text for text in (why, wanted, item.note, "recommended only" if item.optional else "") if text]
    return element(
        "tr",
        element("td", _pill(row.state, str(row.state)), element("small", "then ", _pill(then.state, str(then.state))) if row.then else None),
        element("th", item.ask, element("small", item.cite, " · ", element("code", item.id)), scope="row"),
        element("td", element("ul", *by) if by else None, *(element("small", _with_code(text)) for text in said)),
        id=item.id,
    )


def _with_code(text: str) -> Markup:
    """A text in which what stands between backticks is code."""
    return join(*(element("code", part) if at % 2 else part for at, part in enumerate(text.split("`"))))


def _pill(state: State, words: str) -> Markup:
    """A state, with a sign, so that nothing is told by colour alone."""
    sign, tone = _TONES.get(state, ("✓", "good"))
    return element("span", element("span", f"{sign} ", aria_hidden="true"), words, class_=f"pill {tone}".strip())


def _place(publication: Publication, found: Coverage, place: str) -> Markup:
    """One thing that answers: a passage or a fact with a link to it, a record in words."""
    name, _, anchor = place.partition("#")
    document = next((document for document in publication.documents if document.name == name), None)
    if document is not None:
        heading = next((section.title for section in document.sections if section.slug == anchor), anchor)
        address = f"{relative(path(found), name.removesuffix('.md'))}#{quote(anchor)}"
        return join(element("a", heading, href=address), f", {tree.title(document)}")
    said = in_words(place, publication.manifest)
    if said:
        return Markup(element("span", said))
    return _fact(publication, found, place)


def _fact(publication: Publication, found: Coverage, place: str) -> Markup:
    """A fact with its value, or a metric that a table or chart shows by groups."""
    name, _, by = place.partition(" by ")
    try:
        key = Key.parse(name)
        address = relative(path(found), citations.page(key))
        if by:
            return element(
                "a", f"{publication.catalog.metric(key).title} in {key.evidence}, by {by}", href=f"{address}#by-{quote(by.replace(' and ', '-'))}"
            )
        citation = citations.of_fact(key, publication.catalog)
    except FactbookError:
        return element("code", place)
    words = f"{publication.catalog.metric(key).title} in {key.evidence}, {citations.slice_words(key)}: {citation.headline}"
    return element("a", words, href=f"{address}#{quote(citations.anchor(key))}")
