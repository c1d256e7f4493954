"""Regimes are data: a law or standard as a folder with `regime.yaml`, its items in our own words, each with its citation and what can meet it.

A new regime is one new folder, here or in a third-party pack; nothing is registered. `coverage` holds a book against one.
"""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from factbook import shelf
from factbook.canon import load_yaml
from factbook.errors import UnknownName
from factbook.manifest import validate

ROOM: Final = "regimes"
FILE: Final = "regime.yaml"
TOPICS: Final = "topics.yaml"

Fill = Literal["measured", "recorded", "authored", "attested"]
Class = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Topic(_Strict):
    """What an item can be about. `facts` (written as in `Item`) may have to do with it; they never meet an item by themselves."""

    fill: Fill
    what: str
    facts: tuple[str, ...] = ()


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
        facts: what meets the measured part when a document shows it: MEASURE/METRIC overall, MEASURE/METRIC? by a group, MEASURE/METRIC?& by a
            combination of groups; `*` stands for any text.
        record: what meets the recorded part: `subject.NAME`, `inputs` (digests of the data), `runs` (when, with what, by whom it was measured),
            `system` (the parts of the system and their relations), `system.outside` (those of others).
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
    facts: tuple[str, ...] = ()
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


@functools.cache
def topics() -> dict[str, Topic]:
    """What items can ask for, by name: ours, and those that packs bring in a `topics.yaml` beside their regimes."""
    found: dict[str, Topic] = {}
    for place in (Path(__file__).parent, *(path.parent for path in shelf.folders(ROOM, FILE).values())):
        path = place / TOPICS
        if not path.is_file():
            continue
        tree, _ = load_yaml(path.read_text(encoding="utf-8"), str(path))
        for name, members in tree.items():
            found.setdefault(name, validate(Topic, members, f"{path}: {name}"))
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
