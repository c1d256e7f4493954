"""What an editor is told about a document of a book: completions, hover cards, edits. Places are bytes; the protocol is the server's business."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from factbook.documents import kinds, spelling
from factbook.documents.parse import SCHEMES, Document, Link
from factbook.documents.regions import regenerated
from factbook.documents.update import Edit, wanted
from factbook.errors import FactbookError
from factbook.evidence.catalog import Catalog
from factbook.evidence.claims import Verdict
from factbook.publish import citations

MOST: Final = 200
_TARGET: Final = re.compile(rf"(?:\]\(|^\[[^\]]+\]:\s*)({'|'.join(SCHEMES)}):([^)\s]*)\Z")
_SCHEME: Final = re.compile(r"(?:\]\(|^\[[^\]]+\]:\s*)([a-z]*)\Z")


@dataclass(frozen=True, slots=True)
class Completion:
    """Something that may stand in a link: what is inserted, what it says, and how many characters before the cursor it replaces."""

    text: str
    detail: str
    replaces: int


@dataclass(frozen=True, slots=True)
class Action:
    """Edits that are offered, with what they do."""

    title: str
    edits: tuple[Edit, ...]


def completions(before: str, document: Document, catalog: Catalog) -> list[Completion]:
    """What may come next after the text of a line up to the cursor; nothing outside of the destination of a link."""
    if match := _TARGET.search(before):
        scheme, typed = match.groups()
        names = _named(scheme, document, catalog)
        found = [Completion(name, detail, len(typed)) for name, detail in names if typed.casefold() in name.casefold()]
        return sorted(found, key=lambda item: not item.text.startswith(typed))[:MOST]
    if match := _SCHEME.search(before):
        typed = match.group(1)
        return [Completion(f"{scheme}:", _SAID[scheme], len(typed)) for scheme in SCHEMES if scheme.startswith(typed)]
    return []


_SAID: Final = {
    "fact": "the text is the fact",
    "claim": "the words are what the claim says",
    "gap": "a declared absence",
    "policy": "a requirement that somebody approved",
    "declared": "a person's number",
    "quoted": "what another book or a card says",
    "question": "an open question",
}


def _named(scheme: str, document: Document, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Everything that a scheme may name, with what it says."""
    if scheme == "fact":
        yield from ((str(fact.key), spelling.spell(fact)) for fact in catalog.facts())
    elif scheme == "claim":
        for claim in catalog.claims():
            asserted = "" if claim.verdict is Verdict.HOLDS else f"?{claim.verdict.value}"
            yield f"{claim.name}{asserted}", f"{claim.verdict.value}: {claim.expression}"
    elif scheme == "gap":
        yield from ((name, gap.why) for name, gap in catalog.manifest.gaps.items())
    elif scheme == "policy":
        yield from ((name, policy.text) for name, policy in catalog.manifest.policies.items())
    elif scheme == "declared":
        yield from ((name, item.value) for name, item in catalog.declarations.items())
    elif scheme == "quoted":
        for name, thing in catalog.evidence.quoted.items():
            yield from ((f"{name}/{item}", figure.text) for item, figure in thing.figures.items())
    else:
        yield from _questions(document)


def _questions(document: Document) -> Iterator[tuple[str, str]]:
    try:
        found = kinds.load(document.kind).questions
    except FactbookError:
        return
    yield from ((question.id, question.ask) for question in found)


def link_at(document: Document, offset: int) -> Link | None:
    """The value link that a byte lies in."""
    return next((link for link in document.links if link.bound and link.start <= offset < link.end), None)


def hover(link: Link, catalog: Catalog) -> str:
    """What stands behind a link, as Markdown: value and interval, n, method, formula, source."""
    found = citations.compare(citations.cite(f"{link.scheme}:{link.target}", catalog), link.text, catalog)
    lines = [f"**{found.label}** · {found.headline}" if found.headline else f"**{found.label}**", ""]
    lines += [f"- {item.term}: {f'`{item.text}`' if item.code else item.text}" for item in found.details]
    if found.key is not None:
        metric = catalog.metric(found.key.whole())
        lines += [f"- Formula: `{metric.formula}`"] if metric.formula else []
        lines += [f"- Defined in: {metric.source}"] if metric.source else []
    return "\n".join(lines)


def actions(document: Document, start: int, end: int, catalog: Catalog) -> Iterator[Action]:
    """The edits of `factbook update` for the links and tables that the bytes touch."""
    for link in document.links:
        touched = link.start <= end and start <= link.end
        if touched and link.bound and not link.shortcut and document.region_at(link.start) is None and (text := wanted(link, catalog)) is not None:
            yield Action(f"Update this value: {text}", (Edit(link.text_start, link.text_end, text.encode()),))
    for region in document.regions:
        if region.start <= end and start <= region.end and (data := regenerated(document, region, catalog)) is not None:
            yield Action("Update this table", (Edit(region.inner_start, region.inner_end, data),))
