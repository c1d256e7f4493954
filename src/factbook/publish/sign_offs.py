"""For the start page: who signed what, what lapsed, and whose sign-off is still wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from factbook.charts.svg import Markup, element, join
from factbook.manifest import FILE, Meaning
from factbook.publish import tree
from factbook.publish.frame import INDEX, table
from factbook.publish.prose import relative
from factbook.review.judging import Standing

if TYPE_CHECKING:
    from factbook.publish import Publication
    from factbook.review.judging import Verdict
    from factbook.review.reviews import Asked, Reviews

_SIGNED: Final = ("✓", "signed", "good")
_MOVED: Final = ("✓", "signed, figures moved within what was allowed", "good")
_REJECTED: Final = ("✗", "rejected", "bad")
_WANTED: Final = ("?", "wanted", "open")
_STATES: Final = {
    Standing.STANDS: _SIGNED,
    Standing.CARRIED: _MOVED,
    Standing.FALLEN: ("✗", "lapsed", "open"),
    Standing.INVALID: ("✗", "invalid", "bad"),
    Standing.UNVERIFIED: ("?", "not verified", "open"),
}


def in_brief(publication: Publication) -> Markup | None:
    """What factbook.yaml asks to be signed, in its order, then what is signed besides; None where nothing is either."""
    reviews = publication.reviews
    if reviews is None or not (reviews.asked or reviews.verdicts or reviews.damaged):
        return None
    rows = [_asked(publication, reviews, item) for item in reviews.asked]
    met = {id(verdict) for item in reviews.asked for verdict in item.by}
    rows += [_besides(publication, reviews, item) for item in _others(reviews, met)]
    damaged = element("ul", *(element("li", item.message) for item in reviews.damaged)) if reviews.damaged else None
    plan = element("p", reviews.plan) if reviews.plan and reviews.verdicts else None
    return join(element("h2", "Sign-offs", id="sign-offs"), table(("What", "Sign-off", "State", "By"), rows) if rows else None, damaged, plan)


def wanted(publication: Publication) -> int:
    """How many sign-offs that factbook.yaml asks for are missing or lapsed."""
    return sum(not item.met for item in publication.reviews.asked) if publication.reviews is not None else 0


def _asked(publication: Publication, reviews: Reviews, item: Asked) -> list[Markup | str]:
    place = _place(publication, item.document, item.anchor, item.heading)
    said = f"{' or '.join(item.meanings)} by {f'{item.people} × ' if item.people > 1 else ''}{item.role}, from {item.required_from} on"
    by = join(*(_by(reviews, verdict) for verdict in item.by), element("small", item.why) if item.why else None)
    return [place, said, _pill(*_state(reviews, item)), by]


def _state(reviews: Reviews, item: Asked) -> tuple[str, str, str]:
    """How it stands with what is asked for: the worst that somebody of the role said of this place, where nobody's sign-off stands."""
    if item.met:
        return _SIGNED
    if reviews.rejections(item.document, item.anchor):
        return _REJECTED
    same = (item.document, item.anchor, item.role)
    here = [found for found in reviews.verdicts if (found.sign_off.document, found.sign_off.anchor, found.sign_off.role) == same]
    return _STATES[here[-1].standing] if here and here[-1].standing is not Standing.STANDS else _WANTED


def _others(reviews: Reviews, met: set[int]) -> Iterator[Verdict]:
    """The sign-offs of documents that nothing asks for: those that hold, and those that fell with nobody's in their place."""
    places = {(item.document, item.anchor, item.role) for item in reviews.asked}
    held = {(item.sign_off.place, item.sign_off.person, item.sign_off.role) for item in reviews.holding}
    for verdict in reviews.verdicts:
        said = verdict.sign_off
        replaced = verdict not in reviews.holding and (said.place, said.person, said.role) in held
        if id(verdict) not in met and said.document != FILE and (said.document, said.anchor, said.role) not in places and not replaced:
            yield verdict


def _besides(publication: Publication, reviews: Reviews, verdict: Verdict) -> list[Markup | str]:
    said = verdict.sign_off
    state = _REJECTED if verdict.holds and said.meaning is Meaning.REJECTED else _STATES[verdict.standing]
    by = join(_by(reviews, verdict), element("small", verdict.why) if verdict.why else None)
    return [_place(publication, said.document, said.anchor, said.heading), f"{said.meaning} by {said.role}", _pill(*state), by]


def _by(reviews: Reviews, verdict: Verdict) -> Markup:
    said = verdict.sign_off
    person = reviews.policy.people.get(said.person)
    note = f": {said.note}" if said.note else ""
    return element("span", f"{person.name if person else said.person}, {said.time.date().isoformat()}{note}", class_="signer")


def _place(publication: Publication, name: str, anchor: str, heading: str) -> Markup:
    document = next((item for item in publication.documents if item.name == name), None)
    words = f"{tree.title(document) if document else name}{f', “{heading}”' if heading else ''}"
    if document is None:
        return Markup(element("span", words))
    return element("a", words, href=relative(INDEX, name.removesuffix(".md")) + (f"#{quote(anchor)}" if anchor else ""))


def _pill(sign: str, words: str, tone: str) -> Markup:
    return element("span", element("span", f"{sign} ", aria_hidden="true"), words, class_=f"pill {tone}")
