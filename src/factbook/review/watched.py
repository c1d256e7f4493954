"""What asks people to look again, whatever they signed: a new major version, another intended use, a threshold that was crossed, a fact that moved, a
new group. The same is compared between a sign-off and now, and between two versions of a book.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from factbook import canon
from factbook.documents import own_words
from factbook.documents.parse import Document, Documents, slug
from factbook.errors import KeySyntaxError
from factbook.evidence.catalog import Catalog, Met, Requirement
from factbook.manifest import Triggers
from factbook.model import Key
from factbook.review.excerpt import figure

_USE: Final = re.compile(r"intended|purpose|out-of-scope|primary-use")
_MAY: Final = re.compile(rb"intended|purpose|scope|primary", re.IGNORECASE)
_PERCENT: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A reason for people to look at the book again."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What triggers look at: the subject's version, the words about its use by `document#section`, the verdicts of thresholds, some facts, the groups
    of every attribute.
    """

    version: str
    uses: Mapping[str, str]
    thresholds: Mapping[str, str]
    facts: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Sequence[str]]

    def tree(self) -> dict[str, Any]:
        """Plain data, as it is signed."""
        return asdict(self)

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> Watched:
        """What was watched, of plain data. Raises KeyError or TypeError where it is none."""
        maps = {name: dict(tree[name]) for name in ("uses", "thresholds", "facts", "groups")}
        return cls(str(tree["version"]), **maps)


def watched(catalog: Catalog, documents: Sequence[Document], triggers: Triggers) -> Watched:
    """What the triggers look at now."""
    attributes = sorted({name for key in catalog.evidence for name in key.attributes}) if triggers.groups else []
    return Watched(
        version=catalog.manifest.subject.version,
        uses=dict(_uses(documents, triggers)),
        thresholds={_required(item): item.verdict.value for item in catalog.requirements()},
        facts={text: figure(key, catalog) for text in triggers.facts if (key := _key(text)) is not None},
        groups={name: sorted(set(catalog.groups(name))) for name in attributes},
    )


def _key(text: str) -> Key | None:
    try:
        return Key.parse(text)
    except KeySyntaxError:
        return None


def _uses(documents: Sequence[Document], triggers: Triggers) -> Iterator[tuple[str, str]]:
    """The sections about the intended use, and those that the policy names, each with the digest of its words."""
    named = {slug(item) for item in triggers.sections}
    for document in _candidates(documents, triggers):
        found: dict[str, list[list[str]]] = {}
        for path, own in own_words.sections(document).items():
            name = "/".join(path[1:] or path)  # whatever the title of the document
            if (triggers.intended_use and _USE.search(name)) or named & set(path):
                found.setdefault(name, []).append(list(own.words))
        yield from ((f"{document.name}#{name}", canon.digest(words)) for name, words in found.items())


def _candidates(documents: Sequence[Document], triggers: Triggers) -> Iterator[Document]:
    """The documents that may hold such a section: one whose bytes lack its words is not parsed for it."""
    if not isinstance(documents, Documents) or triggers.sections:
        yield from documents
    elif triggers.intended_use:
        yield from (documents.named(name) for name, source in documents.sources.items() if _MAY.search(source))


def _required(item: Requirement) -> str:
    limits = [f"at least {item.at_least}" if item.at_least is not None else "", f"at most {item.at_most}" if item.at_most is not None else ""]
    end = "" if item.bound == "value" else f" ({item.bound} end of the interval)"
    return f"{item.key} {' and '.join(limit for limit in limits if limit)}{end}"


def hits(before: Watched, after: Watched, triggers: Triggers) -> tuple[Trigger, ...]:
    """The reasons to look again, from one state of the book to another."""
    found = [*_version(before.version, after.version)] if triggers.major_version else []
    found += _reworded(before.uses, after.uses)
    found += _crossed(before.thresholds, after.thresholds) if triggers.thresholds else []
    found += _moved(before.facts, after.facts, triggers)
    found += _new(before.groups, after.groups) if triggers.groups else []
    return tuple(found)


def _version(old: str, new: str) -> Iterator[Trigger]:
    if old and old.split(".")[0] != new.split(".")[0]:
        yield Trigger("major version", f"{old} became {new or 'unnamed'}")


def _reworded(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Trigger]:
    for place in sorted({*old, *new}):
        if old.get(place) != new.get(place):
            what = "was reworded" if place in old and place in new else "is new" if place in new else "is gone"
            yield Trigger("intended use" if _USE.search(place.partition("#")[2]) else "section", f"{place} {what}")


def _crossed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Trigger]:
    """A requirement that is met and was not, or the other way round; one that asks for another number now is another."""
    for says, verdict in new.items():
        if says in old and old[says] != verdict and Met.MET.value in (old[says], verdict):
            yield Trigger("threshold", f"{says}: {old[says]} became {verdict}")
    for says in old:
        if says not in new:
            yield Trigger("threshold", f"{says}: it is not required any more")


def _moved(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]], triggers: Triggers) -> Iterator[Trigger]:
    for key, allowed in triggers.facts.items():
        if key in old and key in new and not within(old[key], new[key], allowed):
            yield Trigger("fact", f"{key}: {_says(old[key])} became {_says(new[key])}, which is more than {allowed}")


def _says(given: Mapping[str, Any]) -> str:
    return str(given.get("value", given.get("says", "")))


def _new(old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]]) -> Iterator[Trigger]:
    for attribute, groups in new.items():
        added = [group for group in groups if group not in old.get(attribute, ())]
        if old and added:
            yield Trigger("group", f"{attribute}: {', '.join(added)}")


def within(old: Mapping[str, Any], new: Mapping[str, Any], allowed: str) -> bool:
    """Whether a figure moved by no more than is allowed: `0.02` in its own unit, `5%` of what it was. Its interval may not move by more either.

    A figure that is no number, or whose unit or origin is another, has to be the same.
    """
    if "value" not in old or "value" not in new or any(old.get(name) != new.get(name) for name in ("unit", "origin")):
        return dict(old) == dict(new)
    if ("low" in old, "high" in old) != ("low" in new, "high" in new):
        return False
    most = Decimal(allowed.removesuffix("%"))
    if allowed.endswith("%"):
        most = most / _PERCENT * abs(Decimal(str(old["value"])))
    return all(abs(Decimal(str(new[name])) - Decimal(str(old[name]))) <= most for name in ("value", "low", "high") if name in old)
