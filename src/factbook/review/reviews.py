"""All sign-offs of a book: what stands, what fell and why, and who is still to be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from factbook.documents import kinds
from factbook.documents.parse import Document, slug
from factbook.errors import FactbookError, UnknownName
from factbook.evidence.catalog import Catalog
from factbook.manifest import FILE, OWNER, Meaning, Review, Stage, Wanted
from factbook.review.judging import Bench, Cause, Standing, Verdict
from factbook.review.policy import people
from factbook.review.signing import Signing
from factbook.review.signoff import SignOff, load, policy_digest, subject

_NOBODY: Final = "nobody in factbook.yaml holds this role"


@dataclass(frozen=True)
class Asked:
    """A sign-off that the policy asks for: of which place, by which role, how many people, by which meanings, and from which stage on.

    `by` are those that meet it, `why` says what is missing, and `unverified` that nothing could be verified here.
    """

    document: str
    anchor: str
    heading: str
    role: str
    people: int
    meanings: tuple[Meaning, ...]
    required_from: Stage
    number: int
    by: tuple[Verdict, ...] = ()
    why: str = ""
    unverified: bool = False

    @property
    def met(self) -> bool:
        """Whether nobody is to be asked any more."""
        return not self.why

    @property
    def place(self) -> str:
        """What is to be signed."""
        return subject(self.document, self.anchor)

    def __str__(self) -> str:
        many = f"{self.people} × " if self.people > 1 else ""
        where = f"{self.document}, “{self.heading}”" if self.heading else self.document
        return f"{where}: {many}{' or '.join(self.meanings)} by {self.role}"

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "place": self.place,
            "role": self.role,
            "people": self.people,
            "meaning": [item.value for item in self.meanings],
            "from": self.required_from.value,
            "met": self.met,
            "by": [item.sign_off.person for item in self.by],
            "why": self.why,
        }


class Reviews:
    """The sign-offs of a book, each with what became of it; `damaged` are files that are none.

    Raises:
        ManifestError: a key in factbook.yaml cannot be read, or two people have the same one.
    """

    def __init__(self, root: Path, catalog: Catalog, documents: Sequence[Document], kept: Iterable[SignOff | FactbookError] | None = None) -> None:
        found = list(load(root) if kept is None else kept)
        self.policy: Review = catalog.manifest.review
        people(self.policy)
        self.damaged = tuple(item for item in found if isinstance(item, FactbookError))
        self.sign_offs = tuple(sorted((item for item in found if isinstance(item, SignOff)), key=_order))
        self.bench = Bench(root, catalog, documents, self.sign_offs)
        self.verdicts = tuple(map(self.bench.judge, self.sign_offs))

    @property
    def digest(self) -> str:
        """The version of the policy that factbook.yaml has now."""
        return policy_digest(self.policy)

    @cached_property
    def holding(self) -> tuple[Verdict, ...]:
        """Those that stand or are carried, of each person, role and place the latest."""
        latest: dict[tuple[str, str, str], Verdict] = {}
        for verdict in self.verdicts:
            if verdict.holds and verdict.sign_off.document != FILE:
                latest[verdict.sign_off.person, verdict.sign_off.role, verdict.sign_off.place] = verdict
        return tuple(latest.values())

    @cached_property
    def signed(self) -> frozenset[str]:
        """The sections, as `file#section`, that somebody other than their author vouches for as they are."""
        vouching = [item for item in self.holding if item.vouches and not self.rejections(item.sign_off.document, item.sign_off.anchor)]
        named = filter(None, map(self.bench.document, {verdict.sign_off.document for verdict in vouching}))
        return frozenset(
            f"{document.name}#{section.slug}"
            for document in named
            for section in document.sections
            if any(_covers(verdict.sign_off, document, section.slug) for verdict in vouching)
        )

    def rejections(self, document: str, anchor: str) -> tuple[Verdict, ...]:
        """Those that reject this place, a part of it, or what it is a part of."""
        held = self.bench.document(document)
        return tuple(
            verdict
            for verdict in self.holding
            if verdict.sign_off.meaning is Meaning.REJECTED
            and held is not None
            and (_covers(verdict.sign_off, held, anchor) or _contains(held, anchor, verdict.sign_off))
        )

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """What the policy asks for, in its order, and how it stands."""
        return tuple(self._answered(item) for number, wanted in enumerate(self.policy.required) for item in self._places(wanted, number))

    def _places(self, wanted: Wanted, number: int) -> Iterator[Asked]:
        """What one requirement asks for: one place, or every section by the role that owns it."""
        name = wanted.document if wanted.document.endswith(".md") else f"documents/{wanted.document}.md"
        base = (wanted.people, wanted.meaning, wanted.required_from, number)
        document = self.bench.document(name)
        if wanted.role != OWNER or document is None:
            yield Asked(name, slug(wanted.section), wanted.section, wanted.role, *base)
            return
        owned = [*_owners(document, wanted.section, self.bench.catalog.manifest.stage)]
        for heading, role in owned or [(wanted.section, OWNER)]:
            yield Asked(name, slug(heading), heading, role, *base)

    def _answered(self, asked: Asked) -> Asked:
        document = self.bench.document(asked.document)
        if document is None:
            return _with(asked, (), f"there is no document {asked.document}")
        if asked.role == OWNER:
            return _with(asked, (), f"a document of the kind {document.kind} has no such section with an owner")
        if asked.anchor and sum(section.slug == asked.anchor for section in document.sections) != 1:
            return _with(asked, (), f"there is no section “{asked.heading}”, or there are several")
        here = [
            verdict
            for verdict in self.verdicts
            if verdict.sign_off.role == asked.role
            and verdict.sign_off.meaning in asked.meanings
            and verdict.sign_off.document == asked.document
            and (verdict.standing is not Standing.STANDS or _covers(verdict.sign_off, document, asked.anchor))
        ]
        by = tuple(verdict for verdict in here if verdict.standing is Standing.STANDS and verdict in self.holding)
        rejected = self.rejections(asked.document, asked.anchor)
        if rejected:
            return _with(asked, by, "; ".join(f"rejected by {item.sign_off.person}{_because(item.sign_off)}" for item in rejected))
        people_of, keys_of = ({getattr(item, name) for item in items} for name, items in (("person", [v.sign_off for v in by]), ("key", by)))
        count = min(len(people_of), len(keys_of))
        if count >= asked.people:
            return _with(asked, by, "")
        others = [item for item in here if item not in by and item.sign_off.anchor == asked.anchor]
        unverified = any(item.standing is Standing.UNVERIFIED for item in others)
        said = [f"{count} of {asked.people} people"] if asked.people > 1 else []
        said += [f"{item.sign_off.person}: {item.standing}{', ' + item.why if item.why else ''}" for item in others] or [
            "too few" if count else "nobody has signed" if any(asked.role in person.roles for person in self.policy.people.values()) else _NOBODY
        ]
        return _with(asked, by, "; ".join(said), unverified)

    @cached_property
    def plan(self) -> str:
        """Whether the plan was registered before it was measured, as far as the run records tell; '' where nothing is claimed or required."""
        manifest = self.bench.catalog.manifest
        if not (manifest.claims or manifest.thresholds):
            return ""
        standing = [item.sign_off for item in self.verdicts if item.sign_off.of_plan and item.standing is Standing.STANDS]
        runs = [run.measured for record in self.bench.catalog.evidence.records.values() for run in record.runs]
        measured = dt.datetime.fromisoformat(min(runs)) if runs else None
        said = min(standing, key=lambda item: item.time, default=None)
        if said is None or (measured is not None and measured < said.time):
            return "The claims and thresholds were set after measurement: nobody registered them before." if measured else ""
        who = f"{self.policy.people[said.person].name} ({said.role})"
        return f"The plan, its claims and its thresholds were registered by {who} on {said.time.date()}, before the measurements that are kept."

    def before(self, signing: Signing) -> tuple[Review, ...]:
        """The policies that sign-offs were made under and that the present one does not follow yet: those whose keeper the person is, else the first.

        Raises:
            FactbookError: there are none.
        """
        lapsed = {
            policy_digest(verdict.sign_off.policy): verdict.sign_off.policy
            for verdict in self.verdicts
            if verdict.cause is Cause.POLICY and not self.bench.succession.follows(policy_digest(verdict.sign_off.policy))
        }
        if not lapsed:
            raise FactbookError("no sign-off was made under another policy", remedy="there is nothing to vouch for; sign the documents")
        kept = [policy for policy in lapsed.values() if signing.person in policy.people and signing.role == policy.keeper]
        return tuple(kept or list(lapsed.values())[:1])

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "policy": self.digest,
            "plan": self.plan,
            "sign_offs": [verdict.tree() for verdict in self.verdicts],
            "asked": [item.tree() for item in self.asked],
            "damaged": [item.message for item in self.damaged],
            "counts": {standing.value: sum(verdict.standing is standing for verdict in self.verdicts) for standing in Standing},
        }

    def lines(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """What pages print under a heading, by document and anchor: who says what of it, and whether figures moved since."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for verdict in self.holding:
            place = (verdict.sign_off.document, verdict.sign_off.anchor)
            found[place] = (*found.get(place, ()), self._line(verdict))
        return found

    def _line(self, verdict: Verdict) -> str:
        said = verdict.sign_off
        person = self.policy.people[said.person]
        sign = "✗" if said.meaning is Meaning.REJECTED else "✓"
        carried = "; figures moved since, within the tolerance signed" if verdict.standing is Standing.CARRIED else ""
        return f"{sign} {said.meaning.value.capitalize()} by {person.name} ({said.role}) on {said.time.date().isoformat()}{_because(said)}{carried}"


def _order(item: SignOff) -> tuple[Any, ...]:
    return (item.document, item.anchor, item.time, item.meaning is Meaning.REJECTED, item.file)


def _because(said: SignOff) -> str:
    return f": {said.note}" if said.note else ""


def _with(asked: Asked, by: tuple[Verdict, ...], why: str, unverified: bool = False) -> Asked:
    return Asked(
        asked.document,
        asked.anchor,
        asked.heading,
        asked.role,
        asked.people,
        asked.meanings,
        asked.required_from,
        asked.number,
        by,
        why,
        unverified,
    )


def _covers(said: SignOff, document: Document, anchor: str) -> bool:
    """Whether a sign-off of a place holds the section as well: it is the document's, this section's, or that of one around it."""
    if said.document != document.name:
        return False
    if said.anchor in {"", anchor}:
        return True
    outer = next((item for item in document.sections if item.slug == said.anchor), None)
    return outer is not None and any(outer.start <= item.start and item.end <= outer.end for item in document.sections if item.slug == anchor)


def _contains(document: Document, anchor: str, said: SignOff) -> bool:
    """Whether what was signed lies in the section of an anchor."""
    if said.document != document.name:
        return False
    outer = next((item for item in document.sections if item.slug == anchor), None)
    inner = [item for item in document.sections if item.slug == said.anchor]
    return not anchor or (outer is not None and any(outer.start <= item.start and item.end <= outer.end for item in inner))


def _owners(document: Document, heading: str, stage: Stage) -> Iterator[tuple[str, str]]:
    """The sections of a document that its kind gives an owner, with their roles; only one of them where a heading is given.

    One that is not there counts where the kind asks for it at this stage.
    """
    try:
        kind = kinds.load(document.kind)
    except UnknownName:
        return
    there = {section.slug for section in document.sections}
    for section in kind.sections:
        expected = slug(section.heading) in there or stage.reached(section.required_from)
        if expected and slug(heading) in {"", slug(section.heading)}:
            yield section.heading, section.owner
