"""Whether a sign-off stands: what became of it, in one word.

    stands       nothing that it vouches for has changed
    carried      only figures moved, by no more than the signer allowed
    fallen       words, facts or what stands behind them changed, something asks people to look again, or the policy is another one
    invalid      the signature, the person or the file is not what it says
    unverified   `cryptography` is not installed here

Only one that stands meets a requirement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from factbook.documents.parse import Document, Documents
from factbook.errors import FactbookError, ManifestError, MissingExtra
from factbook.evidence.catalog import Catalog
from factbook.manifest import Meaning, Review
from factbook.model import Unit
from factbook.review.excerpt import Excerpt, agrees, excerpt
from factbook.review.policy import Succession, changes, made_by
from factbook.review.signoff import SignOff, book_of, plan_digest, policy_digest
from factbook.review.watched import Watched, hits, watched, within

_FEW: Final = 3
ANY: Final = "*"
COUNTS: Final = "counts"


class Standing(StrEnum):
    """What became of a sign-off."""

    STANDS = "stands"
    CARRIED = "carried"
    FALLEN = "fallen"
    INVALID = "invalid"
    UNVERIFIED = "unverified"


class Cause(StrEnum):
    """What made it fall."""

    NONE = ""
    WORDS = "words"
    FACTS = "facts"
    BEHIND = "behind"
    LOOK_AGAIN = "look again"
    POLICY = "policy"
    PERSON = "person"
    PLACE = "place"


@dataclass(frozen=True)
class Verdict:
    """A sign-off and what became of it. `key` is the public key that it was made with, where it was verified."""

    sign_off: SignOff
    standing: Standing
    why: str = ""
    cause: Cause = Cause.NONE
    key: bytes = b""

    @property
    def holds(self) -> bool:
        """Whether it is to be printed with the section: it stands or is carried."""
        return self.standing in {Standing.STANDS, Standing.CARRIED}

    @property
    def vouches(self) -> bool:
        """Whether somebody other than the author vouches for what is there, unchanged."""
        return self.standing is Standing.STANDS and self.sign_off.meaning not in {Meaning.AUTHORED, Meaning.REJECTED}

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        said = self.sign_off
        return {
            "place": said.place,
            "person": said.person,
            "role": said.role,
            "meaning": said.meaning.value,
            "time": said.time.isoformat(),
            "note": said.note,
            "tolerance": dict(said.tolerance),
            "standing": self.standing.value,
            "cause": self.cause.value,
            "why": self.why,
            "file": said.file,
            "digest": said.digest,
        }


class Bench:
    """What sign-offs are held against: a book as it is now."""

    def __init__(self, root: Path, catalog: Catalog, documents: Sequence[Document], sign_offs: Sequence[SignOff]) -> None:
        self.root, self.catalog, self.documents = root, catalog, documents
        self.policy: Review = catalog.manifest.review
        self.succession = _succession(self.policy, book_of(catalog.manifest), sign_offs)
        self._watched: dict[str, Watched] = {}
        self._excerpts: dict[tuple[str, str], Excerpt] = {}

    def watched(self, policy: Review) -> Watched:
        """What the triggers of a policy look at, read once."""
        name = policy.triggers.model_dump_json()
        if name not in self._watched:
            self._watched[name] = watched(self.catalog, self.documents, policy.triggers)
        return self._watched[name]

    def document(self, name: str) -> Document | None:
        """The document of a path. No other is parsed for it."""
        if isinstance(self.documents, Documents):
            return self.documents.named(name) if name in self.documents.sources else None
        return next((item for item in self.documents if item.name == name), None)

    def excerpt(self, document: Document, anchor: str) -> Excerpt:
        """What a place says now, read once."""
        place = (document.name, anchor)
        if place not in self._excerpts:
            self._excerpts[place] = excerpt(self.root, self.catalog, document, anchor)
        return self._excerpts[place]

    def judge(self, said: SignOff) -> Verdict:
        """What became of a sign-off."""
        try:
            key = made_by(said, said.policy)
        except MissingExtra as error:
            return Verdict(said, Standing.UNVERIFIED, error.remedy)
        except ManifestError as error:
            return Verdict(said, Standing.INVALID, error.message)
        why = self._invalid(said, key)
        if why or key is None:
            return Verdict(said, Standing.INVALID, why)
        try:
            return self._judged(said, key)
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError):  # signed rightly, by another program than this
            return Verdict(said, Standing.INVALID, "what was signed is not in the form that factbook writes")

    def _judged(self, said: SignOff, key: bytes) -> Verdict:
        """What became of a sign-off that was made by whom it names."""
        cause, why = self._lapsed(said, key)
        if cause is Cause.LOOK_AGAIN and (now := self._compared(said, key)).standing is Standing.FALLEN:
            why = f"{why}; {now.why}"
        if cause is not Cause.NONE:
            return Verdict(said, Standing.FALLEN, why, cause, key)
        if said.of_policy:
            return Verdict(said, Standing.STANDS, key=key)
        return self._registered(said, key) if said.of_plan else self._compared(said, key)

    def _invalid(self, said: SignOff, key: bytes | None) -> str:
        """Why it never was a sign-off of this book by that person in that role."""
        person = said.policy.people.get(said.person)
        if person is None or key is None:
            return f"it was not signed with a key of {said.person}"
        if said.role not in person.roles:
            return f"{said.person} does not hold the role {said.role!r}"
        if said.book != book_of(self.catalog.manifest):
            return f"it is a sign-off of another book ({said.book[0]} {said.book[1]})"
        return ""

    def _lapsed(self, said: SignOff, key: bytes) -> tuple[Cause, str]:
        """Why it lapsed, whatever the words and facts are now."""
        if not self.succession.follows(policy_digest(said.policy)):
            changed = [*changes(said.policy, self.policy)]
            more = f" and {len(changed) - _FEW} more" if len(changed) > _FEW else ""
            return Cause.POLICY, f"the policy is another one, and no keeper has signed the change: {', '.join(changed[:_FEW])}{more}"
        person = self.policy.people.get(said.person)
        if not said.of_policy and (person is None or said.role not in person.roles or made_by(said, self.policy) != key):
            return Cause.PERSON, f"{said.person} no longer signs as {said.role} with this key"
        if said.of_policy or said.of_plan:
            return Cause.NONE, ""
        found = hits(said.watched, self.watched(said.policy), said.policy.triggers)
        if found:
            return Cause.LOOK_AGAIN, "; ".join(f"{item.name}: {item.why}" for item in found[:_FEW])
        return Cause.NONE, ""

    def _registered(self, said: SignOff, key: bytes) -> Verdict:
        """The plan as it was registered and as it is."""
        if f"sha256:{said.excerpt.sha256}" != plan_digest(self.catalog.manifest):
            return Verdict(said, Standing.FALLEN, "the plan, its claims or its thresholds changed", Cause.WORDS, key)
        return Verdict(said, Standing.STANDS, key=key)

    def _compared(self, said: SignOff, key: bytes) -> Verdict:
        """Words and facts, as they were signed and as they are."""
        document = self.document(said.document)
        if document is None:
            return Verdict(said, Standing.FALLEN, f"there is no document {said.document}", Cause.PLACE, key)
        try:
            now = self.excerpt(document, said.anchor)
        except FactbookError as error:
            return Verdict(said, Standing.FALLEN, error.message, Cause.PLACE, key)
        if now == said.excerpt:
            return Verdict(said, Standing.STANDS, key=key)
        cause, why = difference(said.excerpt, now, said.tolerance)
        if cause is not Cause.NONE:
            return Verdict(said, Standing.FALLEN, why, cause, key)
        if not agrees(document, said.anchor, self.catalog):
            return Verdict(said, Standing.FALLEN, "a figure does not say what its fact says", Cause.WORDS, key)
        return Verdict(said, Standing.CARRIED, why, key=key)


def _succession(policy: Review, book: tuple[str, str], sign_offs: Sequence[SignOff]) -> Succession:
    try:
        return Succession.of(policy, book, sign_offs)
    except MissingExtra:
        return Succession(policy_digest(policy), frozenset())


def difference(old: Excerpt, new: Excerpt, tolerance: Mapping[str, str]) -> tuple[Cause, str]:
    """Why what was signed is not what is there; no cause where only figures moved, by no more than the signer allowed, and then how many."""
    if old.shape != new.shape:
        return Cause.WORDS, "the words changed"
    if old.kind != new.kind:
        return Cause.PLACE, f"the document was a {old.kind}, and is a {new.kind} now"
    if old.under != new.under:
        return Cause.PLACE, f"it stands under {' › '.join(new.under) or 'no heading'} now"
    behind = [name for name in sorted({*old.behind, *new.behind}) if old.behind.get(name) != new.behind.get(name)]
    if behind:
        return Cause.BEHIND, f"{_listed(behind)} changed"
    moved = [key for key in sorted({*old.facts, *new.facts}) if old.facts.get(key) != new.facts.get(key)]
    if not moved:
        return Cause.WORDS, "a figure is written otherwise"
    gone = [key for key in moved if not old.facts.get(key) or not new.facts.get(key)]
    if gone:
        return Cause.FACTS, f"{_listed(gone)} {'is' if len(gone) == 1 else 'are'} new or gone"
    if old.made != new.made:
        return Cause.FACTS, f"{_listed([name for name in old.made if old.made[name] != new.made.get(name)])} was measured otherwise"
    far = [key for key in moved if not within(old.figures[key], new.figures[key], allowed(key, tolerance, old.figures[key].get("unit", "")))]
    if far:
        return Cause.FACTS, f"{_listed(far)} {'moved' if tolerance else 'changed'}{', by more than was allowed' if tolerance else ''}"
    if not tolerance:
        return Cause.FACTS, f"{_listed(moved)} rests on other data"
    return Cause.NONE, f"{len(moved)} {'figure rests' if len(moved) == 1 else 'figures rest'} on other data and moved by no more than was allowed"


def allowed(key: str, tolerance: Mapping[str, str], unit: str = "") -> str:
    """By how much a fact may move: what is given for its key, for the longest beginning of it (`performance/*`), for counts, for all (`*`), or 0."""
    own = [name for name in tolerance if name not in {ANY, COUNTS} and (name == key or (name.endswith(ANY) and key.startswith(name[:-1])))]
    if own:
        return tolerance[max(own, key=lambda name: (name == key, len(name)))]
    return tolerance[COUNTS] if unit == Unit.COUNT and COUNTS in tolerance else tolerance.get(ANY, "0")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
