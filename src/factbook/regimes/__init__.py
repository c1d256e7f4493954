"""Regimes are data: a law or standard as a folder with `regime.yaml`, its items in our own words, each with its citation and what can meet it.

A new regime is one new folder, here or in a third-party pack; nothing is registered. `coverage` holds a book against one.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from factbook import shelf
from factbook.canon import load_yaml
from factbook.errors import UnknownName
from factbook.manifest import Use, validate

ROOM: Final = "regimes"
FILE: Final = "regime.yaml"
TOPICS: Final = "topics.yaml"
SETS: Final = "facts.yaml"

Fill = Literal["measured", "recorded", "authored", "attested"]
Class = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Facts of a kind: `name` is MEASURE/METRIC, in which `*` stands for any text.

    `by` is "" for facts overall, `?` by one group attribute, `?&` by several. `use` is what a source of them must be used for, or with `!` what its
    sources must not be used for alone.
    """

    name: str
    by: str = ""
    use: str = ""

    def fits(self, name: str, attributes: int, uses: frozenset[str]) -> bool:
        """Whether a fact is of the kind: its MEASURE/METRIC, by how many attributes, and what its sources are used for."""
        return self.measures(name, attributes) and self.about(uses)

    def measures(self, name: str, attributes: int) -> bool:
        """Whether it is, whatever its sources are used for."""
        return min(attributes, 2) == ("", "?", "?&").index(self.by) and fnmatch.fnmatchcase(name, self.name)

    def about(self, uses: frozenset[str]) -> bool:
        """Whether the sources are used for the right thing."""
        return uses != {self.use[1:]} if self.use.startswith("!") else not self.use or self.use in uses


_WRITTEN: Final = re.compile(r"(?P<name>[^?&@]+)(?P<by>(?:\?&?)?)(?:@(?P<use>!?\w+))?")


def _patterns(value: Any) -> Any:
    return list(_expanded(value)) if isinstance(value, (list, tuple)) else value


def _expanded(written: list[str | Pattern] | tuple[str | Pattern, ...]) -> Iterator[Pattern]:
    """Patterns from how they are written: MEASURE/METRIC or the name of a set, then `?` or `?&`, then `@USE`."""
    for item in written:
        if isinstance(item, Pattern):
            yield item
            continue
        parts = _WRITTEN.fullmatch(item)
        use = (parts["use"] or "") if parts else ""
        if not parts or (use and use.removeprefix("!") not in get_args(Use)):
            raise ValueError(f"{item!r} names no facts; write MEASURE/METRIC or a set, then ? or ?&, then @ and one of {', '.join(get_args(Use))}")
        name = parts["name"]
        if "/" not in name and name not in sets():
            raise ValueError(f"there is no set of facts {name!r}; there are: {', '.join(sets())}")
        yield from (Pattern(metric, parts["by"], use) for metric in ((name,) if "/" in name else sets()[name]))


def _groups(value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or not value:
        return value
    nested = any(isinstance(item, (list, tuple)) for item in value)
    return [[item] if isinstance(item, str) else item for item in value] if nested else [value]


Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_patterns)]
Groups = Annotated[tuple[Patterns, ...], BeforeValidator(_groups)]


class Topic(_Strict):
    """What an item can be about. `facts` (written as in `Item`) may have to do with it; they never meet an item by themselves."""

    fill: Fill
    what: str
    facts: Patterns = ()


class Applies(_Strict):
    """A class of subjects to which the regime applies from another day on."""

    since: dt.date = Field(alias="from")
    what: str


class Item(_Strict):
    """One thing that a regime asks for.

    Attributes:
        ask: what is asked, in our own short words.
        cite: where.
        section: the part of the regime that it stands in.
        topics: what it is about, names of topics.
        fill: how it can be met; each way that is named is needed.
        facts: what meets the measured part when a document shows it: MEASURE/METRIC (or a set of facts.yaml) overall, with `?` by a group, with
            `?&` by a combination of groups; `*` stands for any text. `@training` asks that a source is used for training, `@!training` that not
            all of them are used for training alone. One of a list is enough; of a list of lists, one of each.
        record: what meets the recorded part: `subject.NAME`, `inputs` (digests of the data; `inputs@training`: of those used for training), `runs`
            (when, with what, by whom it was measured), `system` (the parts of the system and their relations), `system.outside` (those of others).
        since: from when on it applies, where that is not what its class says.
        until: from when on it no longer does.
        optional: whether the regime only recommends it.
        note: what a reader should know.
    """

    id: str
    ask: str
    cite: str
    section: str = ""
    topics: tuple[str, ...] = ()
    fill: tuple[Fill, ...]
    facts: Groups = ()
    record: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None
    optional: bool = False
    note: str = ""


def _items(value: object) -> object:
    return {item["id"]: item for item in value if isinstance(item, dict) and "id" in item} if isinstance(value, list) else value


class Regime(_Strict):
    """A law or standard. `classes` are the kinds of subject to which it applies from different days on; `caution` is what we could not verify."""

    name: str
    title: str
    issuer: str
    nature: str
    source: str
    status: str = ""
    caution: str = ""
    classes: dict[Class, Applies] = Field(default_factory=dict)
    items: Annotated[dict[str, Item], BeforeValidator(_items)]

    @model_validator(mode="after")
    def _known(self) -> Regime:
        for item in self.items.values():
            unknown = [name for name in item.topics if name not in topics()]
            if unknown:
                raise ValueError(f"{item.id}: there is no topic {unknown[0]!r}")
        return self

    def since(self, item: Item, subject: str = "") -> dt.date | None:
        """From when on an item applies to a class of subjects, or to the first of them where none is given. None: always.

        Raises:
            UnknownName: the regime has no such class.
        """
        if subject and subject not in self.classes:
            raise UnknownName(f"class of subject in {self.name}", subject, self.classes)
        if item.since is not None or not self.classes:
            return item.since
        return self.classes[subject].since if subject else min(applies.since for applies in self.classes.values())


def _beside(name: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The files of that name beside our regimes and those of packs."""
    places = dict.fromkeys((Path(__file__).parent, *(path.parent for path in shelf.folders(ROOM, FILE).values())))
    for path in (place / name for place in places):
        if path.is_file():
            yield path, load_yaml(path.read_text(encoding="utf-8"), str(path))[0]


@functools.cache
def topics() -> dict[str, Topic]:
    """What items can ask for, by name: ours, and those that packs bring in a `topics.yaml` beside their regimes."""
    found: dict[str, Topic] = {}
    for path, tree in _beside(TOPICS):
        for name, members in tree.items():
            found.setdefault(name, validate(Topic, members, f"{path}: {name}"))
    return found


@functools.cache
def sets() -> dict[str, tuple[str, ...]]:
    """Sets of facts that answer the same question, by name: ours, and those that packs bring in a `facts.yaml` beside their regimes."""
    found: dict[str, tuple[str, ...]] = {}
    for _, tree in _beside(SETS):
        for name, metrics in tree.items():
            found.setdefault(name, tuple(metrics))
    return found


def names() -> tuple[str, ...]:
    """All regimes on the shelf."""
    return tuple(sorted(shelf.folders(ROOM, FILE)))


@functools.cache
def load(name: str) -> Regime:
    """Read a regime.

    Raises:
        UnknownName: there is no such regime; suggests the nearest.
        ManifestError: its regime.yaml cannot be used.
    """
    found = shelf.folders(ROOM, FILE)
    if name not in found:
        raise UnknownName("regime", name, found)
    path = found[name] / FILE
    tree, lines = load_yaml(path.read_text(encoding="utf-8"), str(path))
    if isinstance(tree, dict):
        tree = {**tree, "name": name}
    return validate(Regime, tree, str(path), lines)
