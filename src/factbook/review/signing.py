"""Making a sign-off: who may, of what, and in which words. Nothing is written here; `Book.sign` does that."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from factbook.documents.parse import Document, slug
from factbook.errors import FactbookError, UnknownName
from factbook.manifest import FILE, Meaning, Review
from factbook.review import keys
from factbook.review.excerpt import Excerpt, section
from factbook.review.judging import ANY, Bench
from factbook.review.keys import Signer
from factbook.review.policy import people
from factbook.review.signoff import PLAN, POLICY, SignOff, book_of, plan_digest, policy_digest, written
from factbook.review.watched import Watched

_AMOUNT: Final = re.compile(r"[0-9]+(\.[0-9]+)?%?")
_EVIDENCE: Final = "FB40"  # stale, or vouched for by nobody
_MENDED: Final = ("FB5", "FB203")  # sign-offs, and items of regimes that only sign-offs meet
_NOTHING: Final = Watched("", {}, {}, {}, {})


class Found(Protocol):
    """A finding of a check, as far as signing looks at it."""

    @property
    def severity(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True)
class Signing:
    """Who says what: a person of factbook.yaml in one of their roles, what they mean, why, when, and by how much figures may move."""

    person: str
    role: str
    meaning: Meaning
    signer: Signer
    note: str = ""
    tolerance: Mapping[str, str] = field(default_factory=dict)
    time: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


def signing(person: str, role: str, meaning: str, signer: Signer, note: str, tolerance: tuple[str, ...], time: dt.datetime | None) -> Signing:
    """What somebody says by signing, from plain words.

    Raises:
        UnknownName: there is no such meaning.
        FactbookError: the tolerance does not read.
    """
    if meaning not in [*Meaning]:
        raise UnknownName("meaning", meaning, [*Meaning])
    said = Signing(person, role, Meaning(meaning), signer, note, tolerances(tolerance))
    return said if time is None else replace(said, time=time)


def tolerances(said: tuple[str, ...]) -> dict[str, str]:
    """What was said about moving figures: `0.02` or `5%` for all of them, `KEY=0.02` for one, `performance/*=0.02` for all that begin so,
    `counts=5%` for counts.

    Raises:
        FactbookError: it does not read.
    """
    found: dict[str, str] = {}
    for item in said:
        key, _, amount = item.rpartition("=")
        if not _AMOUNT.fullmatch(amount) or (key or ANY) in found:
            remedy = "write 0.02 or 5% for all figures, counts=5% for counts, KEY=0.02 for one; each once"
            raise FactbookError(f"{item!r} does not say by how much figures may move", remedy=remedy)
        found[key or ANY] = amount
    return found


def allow(policy: Review, signing: Signing) -> None:
    """Refuse whoever may not sign so.

    Raises:
        UnknownName: factbook.yaml names no such person, or they do not hold the role.
        FactbookError: the key is not theirs, or a rejection gives no reason.
    """
    if signing.person not in policy.people:
        remedy = "" if policy.people else "name people, their roles and public keys under `review.people` in factbook.yaml"
        raise UnknownName("person in factbook.yaml", signing.person, policy.people, remedy=remedy)
    if signing.role not in policy.people[signing.person].roles:
        raise UnknownName(f"role of {signing.person}", signing.role, policy.people[signing.person].roles)
    if signing.signer.public not in people(policy)[signing.person]:
        own = ", ".join(keys.fingerprint(key) for key in people(policy)[signing.person])
        said = f"this key ({keys.fingerprint(signing.signer.public)}) is not one of {signing.person}'s ({own})"
        raise FactbookError(said, remedy="sign with your own key; a new one has to be in factbook.yaml first")
    if signing.meaning in {Meaning.REJECTED, Meaning.RISK_ACCEPTED} and not signing.note.strip():
        raise FactbookError(f"{signing.meaning}: say why", remedy="add --because REASON")


def refuse_unclean(document: str, findings: Iterable[Found], meaning: Meaning) -> None:
    """Refuse a document about which a check finds something that fails it, or whose book does not meet what factbook.yaml declares.

    What only sign-offs can mend is no reason not to sign. Whoever accepts a risk may know of what the book does not meet, and a rejection is always
    heard.

    Raises:
        FactbookError: naming the first of what was found.
    """
    if meaning is Meaning.REJECTED:
        return
    files = {document} if meaning is Meaning.RISK_ACCEPTED else {document, FILE}
    found = [item for item in findings if item.severity == "error" and _about(item, files)]
    if found:
        first = f"{found[0].file}:{found[0].line}: {found[0].code} {found[0].message}"
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise FactbookError(f"{document} does not check clean: {first}{more}", remedy="factbook check says what to do; then sign")


def _about(item: Found, files: set[str]) -> bool:
    """Whether a finding speaks of these files or of the evidence, and is none that a sign-off mends."""
    return not item.code.startswith(_MENDED) and (item.file in files or item.code.startswith(_EVIDENCE))


def questions(document: Document, anchor: str) -> Iterator[str]:
    """What is still open in what would be signed."""
    place = section(document, anchor)
    for link in document.bound("question"):
        if place is None or place.start <= link.start < place.end:
            yield link.text or link.name


def sign(bench: Bench, document: Document, heading: str, signing: Signing) -> tuple[str, bytes]:
    """The file of a sign-off of a document, or of the section under a heading: its path and its bytes.

    Raises:
        UnknownName, DocumentError: there is no such section, or there are several.
        FactbookError: the person may not sign so, or something is still open there.
    """
    allow(bench.policy, signing)
    anchor = slug(heading)
    place = section(document, anchor)
    asked = [*questions(document, anchor)] if signing.meaning is not Meaning.REJECTED else []
    if asked:
        raise FactbookError(
            f"{document.name}: {', '.join(asked)} {'is' if len(asked) == 1 else 'are'} still open there",
            remedy="answer the questions, or delete them; then sign",
        )
    found = _sign_off(bench, signing, (document.name, anchor, place.title if place else ""), bench.excerpt(document, anchor), bench.policy)
    return written(found, signing.signer)


def sign_policy(bench: Bench, signing: Signing, before: Review) -> tuple[str, bytes]:
    """The file that vouches for the present policy as the successor of another.

    Raises:
        UnknownName, FactbookError: the person may not sign so under the policy before.
    """
    allow(before, signing)
    if not before.keeper or signing.role != before.keeper:
        said = f"the role {before.keeper!r}" if before.keeper else "nobody: it names no `keeper`"
        raise FactbookError(f"under the policy before, changes are vouched for by {said}", remedy="sign the documents again")
    sha256 = policy_digest(bench.policy).removeprefix("sha256:")
    found = _sign_off(bench, signing, (FILE, POLICY, ""), Excerpt(sha256, "", "", (), {}, {}, {}, {}), before)
    return written(found, signing.signer)


def sign_plan(bench: Bench, signing: Signing) -> tuple[str, bytes]:
    """The file that registers the plan.

    Raises:
        UnknownName, FactbookError: the person may not sign so.
    """
    allow(bench.policy, signing)
    sha256 = plan_digest(bench.catalog.manifest).removeprefix("sha256:")
    found = _sign_off(bench, signing, (FILE, PLAN, ""), Excerpt(sha256, "", "", (), {}, {}, {}, {}), bench.policy)
    return written(found, signing.signer)


def _sign_off(bench: Bench, signing: Signing, place: tuple[str, str, str], excerpt: Excerpt, policy: Review) -> SignOff:
    from factbook.review.envelope import Envelope

    return SignOff(
        file="",
        book=book_of(bench.catalog.manifest),
        document=place[0],
        anchor=place[1],
        heading=place[2],
        person=signing.person,
        role=signing.role,
        meaning=signing.meaning,
        note=" ".join(signing.note.split()),
        time=signing.time,
        tolerance=signing.tolerance,
        excerpt=excerpt,
        watched=_NOTHING if place[0] == FILE else bench.watched(policy),
        policy=policy,
        envelope=Envelope(b"", b"", ""),
    )
