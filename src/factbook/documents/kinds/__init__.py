"""Kinds of document are data: a folder with `kind.yaml` (what each section is for, who owns it, what it needs) and `template.md`.

A new kind is one new folder, here or in a third-party pack; nothing is registered. Rules read the kind, `scaffold` renders its template once.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from factbook import shelf
from factbook.canon import load_yaml
from factbook.errors import UnknownName
from factbook.manifest import Stage, validate

ROOM: Final = "documents.kinds"
FILE: Final = "kind.yaml"
TEMPLATE: Final = "template.md"
PASSAGES: Final = "passages"
ROLES: Final = "roles.yaml"

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
Required = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(/[a-z][a-z0-9_]*)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Question(_Strict):
    """What only a person can say. `topic` heads the answer, `ask` is the question as the document prints it, `example` a good answer.

    `meets` are the items of regimes that an answer meets.
    """

    id: Id
    topic: str
    ask: str
    example: str
    owner: str
    required_from: Stage = Field(Stage.RELEASED, alias="from")
    meets: tuple[str, ...] = ()


class Needs(_Strict):
    """What a section must cite once its stage is reached, wherever the book's plan holds a measurement by the measure that is named.

    `facts` are MEASURE/METRIC; `tables` and `charts` are measures of which the section shows a table or a chart.
    """

    facts: tuple[Required, ...] = ()
    tables: tuple[Required, ...] = ()
    charts: tuple[Required, ...] = ()


class Section(_Strict):
    """One part of a document: its heading, the role that owns it, what it is for, and from which stage on it must be there and not be empty.

    `meets` are the items of regimes that the section meets as soon as it says something.
    """

    id: Id
    heading: str
    owner: str
    purpose: str
    required_from: Stage = Field(Stage.DRAFT, alias="from")
    needs: Needs = Needs()
    meets: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


_Owned = TypeVar("_Owned", Question, Section)


class _Roles(RootModel[dict[str, Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]]]):
    """The whole of roles.yaml: the name of a role in kinds, and what the organisation calls it."""


class Kind(_Strict):
    """A kind of document. `disclose` names the metrics of which a document of this kind must show the worst group wherever groups are measured.

    `run` says that the code in a document of this kind is run, `pages` on how many pages it should fit, so that it is set closely.
    """

    name: str
    title: str
    about: str
    source: str = ""
    audience: tuple[str, ...]
    disclose: tuple[str, ...] = ()
    run: bool = False
    pages: int | None = Field(None, ge=1)
    sections: tuple[Section, ...]

    @model_validator(mode="after")
    def _unique(self) -> Kind:
        for what, names in (
            ("section", [section.id for section in self.sections]),
            ("heading", [section.heading.casefold() for section in self.sections]),
            ("question", [question.id for question in self.questions]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"the {what} {twice[0]!r} is given twice")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order of the kind."""
        return tuple(question for section in self.sections for question in section.questions)

    def number(self, question: str) -> int:
        """The number by which documents call a question (`Q4`): its place in the kind, so that it never moves within a version of the kind.

        Raises:
            UnknownName: the kind asks no such question.
        """
        names = [item.id for item in self.questions]
        if question not in names:
            raise UnknownName(f"question of a {self.title.lower()}", question, names)
        return names.index(question) + 1

    def question(self, name: str) -> Question:
        """One question by its id.

        Raises:
            UnknownName: the kind asks no such question.
        """
        return self.questions[self.number(name) - 1]

    def section(self, heading: str) -> Section | None:
        """The section of a heading; letter case and outer white space do not matter."""
        wanted = " ".join(heading.split()).casefold()
        return next((section for section in self.sections if section.heading.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a kind is kept."""

    path: Path

    @property
    def template(self) -> str:
        """The text that is rendered once, when a document is begun."""
        return (self.path / TEMPLATE).read_text(encoding="utf-8")


def names() -> tuple[str, ...]:
    """All kinds on the shelf."""
    return tuple(shelf.folders(ROOM, FILE))


def folder(name: str) -> Folder:
    """Where the kind `name` is kept.

    Raises:
        UnknownName: there is no such kind; suggests the nearest.
    """
    found = shelf.folders(ROOM, FILE)
    if name not in found:
        raise UnknownName("kind of document", name, found)
    return Folder(found[name])


def passages() -> dict[str, str]:
    """What templates of several kinds say alike, to be included by file name; from the folder `passages` beside the kinds of any pack."""
    places = dict.fromkeys(path.parent / PASSAGES for path in shelf.folders(ROOM, FILE).values())
    return {path.name: path.read_text(encoding="utf-8") for place in places for path in sorted(place.glob("*.md"))}


@functools.cache
def load(name: str) -> Kind:
    """Read a kind.

    Raises:
        UnknownName: there is no such kind; suggests the nearest.
        ManifestError: its kind.yaml cannot be used.
    """
    path = folder(name).path / FILE
    tree, lines = load_yaml(path.read_text(encoding="utf-8"), str(path))
    if isinstance(tree, dict):
        tree = {**tree, "name": name}
    return _owned(validate(Kind, tree, str(path), lines))


def _owned(kind: Kind) -> Kind:
    """The kind with its roles named as the organisation names them."""
    called = _roles()

    def named(item: _Owned) -> _Owned:
        return item.model_copy(update={"owner": called.get(item.owner, item.owner)})

    sections = [named(section.model_copy(update={"questions": tuple(map(named, section.questions))})) for section in kind.sections]
    return kind.model_copy(update={"sections": tuple(sections)})


@functools.cache
def _roles() -> dict[str, str]:
    """What installed packs call the roles that own sections and questions: their roles.yaml.

    Raises:
        ManifestError: one cannot be used.
    """
    found: dict[str, str] = {}
    for path in shelf.files(ROLES):
        tree, lines = load_yaml(path.read_text(encoding="utf-8"), str(path))
        found |= validate(_Roles, tree, str(path), lines).root
    return found
