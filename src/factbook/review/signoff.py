"""One sign-off, read and written: `reviews/DOCUMENT.SECTION.PERSON.DIGEST.json`. Files are added and never changed."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from factbook import canon
from factbook.errors import FactbookError, ManifestError
from factbook.manifest import FILE, Manifest, Meaning, Review
from factbook.review import FOLDER, envelope
from factbook.review.envelope import Envelope
from factbook.review.excerpt import Excerpt
from factbook.review.keys import Signer
from factbook.review.watched import Watched

POLICY: Final = "review"
PLAN: Final = "plan"
_PLANNED: Final = ("plan", "thresholds", "claims", "derived")
_LONGEST: Final = 60
_REMEDY: Final = "bring the file back as it was signed, or sign again"


@dataclass(frozen=True)
class SignOff:
    """Who says what about which words and facts.

    Attributes:
        file: where it is kept, relative to the book.
        book: kind and name of the subject that it speaks of.
        document, anchor, heading: what was signed; no anchor for a whole document; of `factbook.yaml` the anchor `review` or `plan`.
        person, role, meaning, note: who says what, and why.
        time: when, in UTC, as the signer's clock had it.
        tolerance: by how much figures may move: an amount, or amounts by key (`*` at the end stands for any rest).
        excerpt: what was vouched for.
        watched: what asks people to look again, as it was.
        policy: under which policy of factbook.yaml it was signed.
    """

    file: str
    book: tuple[str, str]
    document: str
    anchor: str
    heading: str
    person: str
    role: str
    meaning: Meaning
    note: str
    time: dt.datetime
    tolerance: Mapping[str, str]
    excerpt: Excerpt
    watched: Watched
    policy: Review
    envelope: Envelope

    @property
    def place(self) -> str:
        """What was signed: `documents/FILE.md#section`."""
        return subject(self.document, self.anchor)

    @property
    def digest(self) -> str:
        """Its name, which follows from all that it says."""
        return self.envelope.digest

    @property
    def of_policy(self) -> bool:
        """Whether it vouches for a change of the policy and not for a document."""
        return (self.document, self.anchor) == (FILE, POLICY)

    @property
    def of_plan(self) -> bool:
        """Whether it registers the plan: what is measured, claimed and required."""
        return (self.document, self.anchor) == (FILE, PLAN)


def subject(document: str, anchor: str) -> str:
    """The name of what is signed."""
    return f"{document}#{anchor}" if anchor else document


def policy_digest(policy: Review) -> str:
    """The version of a policy: the digest of what factbook.yaml says under `review`."""
    return canon.digest(policy_tree(policy))


def plan_digest(manifest: Manifest) -> str:
    """The digest of what factbook.yaml plans to measure, claims, derives and requires."""
    return canon.digest(manifest.model_dump(mode="json", exclude_defaults=True, include=set(_PLANNED)))


def policy_tree(policy: Review) -> dict[str, Any]:
    """A policy as plain data, as it is signed."""
    return policy.model_dump(mode="json", exclude_defaults=True, by_alias=True)


def book_of(manifest: Manifest) -> tuple[str, str]:
    """What tells a book from others: the kind and the name of its subject."""
    return manifest.subject.kind, manifest.subject.name


def written(signing: SignOff, signer: Signer) -> tuple[str, bytes]:
    """The file of a sign-off: its path in the book and its bytes."""
    moment = signing.time.astimezone(dt.UTC).replace(microsecond=0)
    predicate = {
        "book": {"kind": signing.book[0], "name": signing.book[1]},
        "document": signing.document,
        "section": {"anchor": signing.anchor, "heading": signing.heading},
        "excerpt": signing.excerpt.tree(),
        "watched": signing.watched.tree(),
        "person": signing.person,
        "role": signing.role,
        "meaning": signing.meaning.value,
        "note": signing.note,
        "tolerance": dict(signing.tolerance),
        "policy": policy_tree(signing.policy),
        "time": moment.isoformat().replace("+00:00", "Z"),
        "factbook": version("factbook"),
    }
    data = envelope.seal(signing.place, signing.excerpt.sha256, predicate, signer)
    digest = envelope.opened(data, signing.place)[0].digest
    stem = posixpath.splitext(signing.document.removeprefix("documents/"))[0].replace("/", "-")
    parts = [re.sub(r"[^\w-]", "-", part)[:_LONGEST] for part in (stem, signing.anchor, signing.person) if part]
    return f"{FOLDER}/{'.'.join([*parts, digest[:12]])}.json", data


def read(data: bytes, file: str) -> SignOff:
    """Read a sign-off; whether it was made with the right key is not looked at here.

    Raises:
        ManifestError: it is none, or says two things at once.
    """
    sealed, name, sha256, given = envelope.opened(data, file)
    try:
        found = SignOff(
            file=file,
            book=(str(given["book"]["kind"]), str(given["book"]["name"])),
            document=str(given["document"]),
            anchor=str(given["section"]["anchor"]),
            heading=str(given["section"]["heading"]),
            person=str(given["person"]),
            role=str(given["role"]),
            meaning=Meaning(given["meaning"]),
            note=str(given["note"]),
            time=dt.datetime.fromisoformat(given["time"]),
            tolerance={str(key): str(amount) for key, amount in given["tolerance"].items()},
            excerpt=Excerpt.read(given["excerpt"]),
            watched=Watched.read(given["watched"]),
            policy=Review.model_validate(given["policy"]),
            envelope=sealed,
        )
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise ManifestError(f"{file}: not a sign-off ({type(error).__name__})", remedy=_REMEDY) from error
    if (found.place, found.excerpt.sha256) != (name, sha256) or found.time.tzinfo is None:
        raise ManifestError(f"{file}: it names another subject than it speaks of", remedy=_REMEDY)
    return found


def load(root: Path) -> Iterator[SignOff | FactbookError]:
    """Every sign-off of the book in `root`, by file name; an error for a file that is none."""
    seen: set[str] = set()
    for path in sorted((root / FOLDER).glob("*.json")):
        try:
            found = read(path.read_bytes(), path.relative_to(root).as_posix())
        except (FactbookError, UnicodeDecodeError) as error:
            yield error if isinstance(error, FactbookError) else ManifestError(f"{path.relative_to(root).as_posix()}: not UTF-8")
            continue
        if found.digest not in seen:
            seen.add(found.digest)
            yield found
