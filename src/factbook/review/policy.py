"""Who may sign: the people of factbook.yaml with their keys, and which policies were followed by which.

A sign-off holds the policy under which it was made. Where the policy is another one now, the sign-off counts only if somebody of the role that the
old policy names as its keeper has signed the change: whoever swaps a key, adds a person or drops a requirement cannot do so in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from factbook.errors import ManifestError
from factbook.manifest import FILE, Review
from factbook.review import keys
from factbook.review.signoff import SignOff, policy_digest, policy_tree


def people(policy: Review, where: str = FILE) -> dict[str, tuple[bytes, ...]]:
    """The public keys of each person.

    Raises:
        ManifestError: a key cannot be read, or two people have the same one, so that one of them could sign for both.
    """
    found: dict[str, tuple[bytes, ...]] = {}
    holder: dict[bytes, str] = {}
    for name, person in policy.people.items():
        found[name] = tuple(dict.fromkeys(keys.public(text, f"{where}: review.people.{name}") for text in person.key))
        for key in found[name]:
            if holder.setdefault(key, name) != name:
                raise ManifestError(f"{where}: {holder[key]} and {name} have the same key", remedy="give each person a key of their own")
    return found


def made_by(sign_off: SignOff, policy: Review) -> bytes | None:
    """The key with which it was made, if that is one of the person's in this policy.

    Raises:
        ManifestError: the policy cannot be used.
        MissingExtra: `cryptography` is not installed.
    """
    own = people(policy, sign_off.file).get(sign_off.person, ())
    sealed = sign_off.envelope
    return next((key for key in own if sealed.keyid == keys.fingerprint(key) and keys.verify(key, sealed.signature, sealed.signed)), None)


@dataclass(frozen=True)
class Succession:
    """Which policies lead to the present one, each step signed by a keeper of the policy before it."""

    present: str
    steps: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, policy: Review, book: tuple[str, str], sign_offs: Iterable[SignOff]) -> Succession:
        """The succession that the sign-offs of policies vouch for. They are verified here."""
        found = (item for item in sign_offs if item.of_policy and item.book == book)
        steps = ((policy_digest(item.policy), f"sha256:{item.excerpt.sha256}") for item in found if _kept(item))
        return cls(policy_digest(policy), frozenset(steps))

    def follows(self, digest: str) -> bool:
        """Whether the present policy is this one, or follows it by signed steps."""
        reached = {digest}
        while more := {after for before, after in self.steps if before in reached} - reached:
            reached |= more
        return self.present in reached


def _kept(item: SignOff) -> bool:
    """Whether a keeper of the old policy made it."""
    try:
        own = item.policy.people.get(item.person)
        holds = own is not None and bool(item.policy.keeper) and item.role == item.policy.keeper and item.role in own.roles
        return holds and made_by(item, item.policy) is not None
    except ManifestError:
        return False


def changes(old: Review, new: Review) -> Iterator[str]:
    """What differs between two policies, in a few words each."""
    for name in sorted({*old.people, *new.people}):
        if name not in new.people:
            yield f"{name} is no longer in it"
        elif name not in old.people:
            yield f"{name} is new in it"
        else:
            before, after = old.people[name].model_dump(), new.people[name].model_dump()
            yield from (f"the {'name' if part == 'name' else part} of {name}" for part in before if before[part] != after[part])
    one, other = (policy_tree(policy) for policy in (old, new))
    yield from (part for part in ("required", "triggers", "keeper") if one.get(part) != other.get(part))
