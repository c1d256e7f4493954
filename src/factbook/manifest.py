"""factbook.yaml: what is documented, from which sources, planned how. Everything in it is declared by a person; nothing is guessed."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from factbook.canon import Lines, load_yaml
from factbook.errors import ManifestError

FILE: Final = "factbook.yaml"
_T = TypeVar("_T", bound=BaseModel)
_PASSWORD: Final = re.compile(r"://[^/@]*:(?!\$\{\w+\}@)[^/@]+@|[?&](password|passwd|sslpassword)=(?!\$\{\w+\}(&|\Z))", re.IGNORECASE)
Use = Literal["training", "validation", "testing", "external", "operation"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]


class Stage(StrEnum):
    """The life of a book; kinds and regimes say from which stage on an item is required."""

    DRAFT = "draft"
    VALIDATION = "validation"
    RELEASED = "released"
    RETIRED = "retired"

    def reached(self, required: Stage) -> bool:
        """Whether this stage is `required` or a later one."""
        order = list(Stage)
        return order.index(self) >= order.index(required)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Subject(_Strict):
    """What the book is about."""

    kind: Literal["model", "dataset", "system", "machine"] = "model"
    name: str
    version: str = ""
    owner: str = ""
    description: str = ""
    licence: str = ""


class Group(_Strict):
    """A slice attribute: a column, optionally cut into bands (a value v falls in the band with cut[i] <= v < cut[i+1]), and names for values."""

    column: str
    cuts: tuple[Decimal, ...] = ()
    names: dict[str, str] = Field(default_factory=dict)

    @field_validator("cuts")
    @classmethod
    def _increasing(cls, cuts: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        if any(not cut.is_finite() for cut in cuts) or list(cuts) != sorted(set(cuts)):
            raise ValueError("cuts must be finite and increasing")
        return cuts

    def bands(self) -> tuple[str, ...]:
        """The names of the bands: `<40`, `40-59`, `60+` where all cuts are whole numbers, else `<0.5`, `0.5-<1.5`, `1.5+`."""
        if not self.cuts:
            return ()
        whole = all(cut == cut.to_integral_value() for cut in self.cuts)
        inner = [
            f"{low:f}-{high - 1:f}" if whole and high - low > 1 else (f"{low:f}" if whole else f"{low:f}-<{high:f}")
            for low, high in zip(self.cuts, self.cuts[1:], strict=False)
        ]
        raw = (f"<{self.cuts[0]:f}", *inner, f"{self.cuts[-1]:f}+")
        return tuple(self.names.get(name, name) for name in raw)


class Missing(_Strict):
    """What to do with a row whose value is missing: refuse the source (`error`), leave the row out and count it (`drop`),
    or, for a group attribute, give it a group of its own (`group`, named "not recorded").
    """

    label: Literal["error", "drop"] = "error"
    prediction: Literal["error", "drop"] = "error"
    weight: Literal["error", "drop"] = "error"
    group: Literal["error", "drop", "group"] = "error"


class Join(_Strict):
    """A second file joined by the source's key; every key must be in both files, once. `prefix` stands before the names of its columns."""

    uri: str
    key: str = ""
    prefix: str = ""


def _groups(value: Any) -> Any:
    """`by: [sex, age]` is short for `by: {sex: {column: sex}, age: {column: age}}`; so is `by: {sex: gender}`."""
    if isinstance(value, list):
        if len(set(value)) < len(value):
            raise ValueError("an attribute is given twice")
        return {name: {"column": name} for name in value}
    if isinstance(value, dict):
        if "" in value:
            raise ValueError("an attribute needs a name")
        return {name: {"column": item} if isinstance(item, str) else item for name, item in value.items()}
    return value


def _classes(value: Any) -> Any:
    """`classes: [cat, dog]` is short for classes without scores."""
    if isinstance(value, list):
        if len(set(value)) < len(value):
            raise ValueError("a class is given twice")
        return dict.fromkeys(value, "")
    return value


def _several(value: Any) -> Any:
    """`used_for: training` is short for `used_for: [training]`."""
    return [value] if isinstance(value, str) else value


class Dataset(_Strict):
    """A public data set, as cards name it; what is left out is not said."""

    name: str
    config: str = ""
    split: str = ""
    revision: str = ""


class Source(_Strict):
    """A table and the declared role of its columns.

    `positive` is the label value that counts as positive, as text. `cut` turns a score into a prediction: positive where score >= cut.
    `labels` says which values of label and prediction mean the same (`{"1.0": "1", "True": "1"}`); nothing else does.
    Without `positive` every value of label and prediction is a class. `classes` names them all (others are refused), each with the column of its
    score: `{cat: p_cat, dog: p_dog}`, or `[cat, dog]` without scores. `multilabel` says that a row has any number of classes: the separator of
    texts (`;`), or `list` for columns of lists.
    `abstain` is the prediction value (text) that means "no decision"; abstentions are counted and left out of the rates.
    `more` are further files of the same table, `query` the SELECT whose rows are read from a database (of a tracker, the run), and `partitioned` says
    that folders named `column=value` are columns. `members` is the pattern of what is read of an archive.
    `used_for` says what the rows serve the subject for: `training`; `validation`, to choose a model or a threshold; `testing`, after both;
    `external`, testing on rows of another site, source or time; `operation`, recorded in use. Laws and standards ask for it; no figure depends on it.
    """

    uri: str
    more: tuple[str, ...] = ()
    query: str = ""
    partitioned: bool = False
    members: str = ""
    format: str = ""
    separator: str = ","
    encoding: str = "utf-8"
    label: str = ""
    positive: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    classes: Annotated[dict[str, str], BeforeValidator(_classes)] = Field(default_factory=dict)
    multilabel: str = ""
    prediction: str = ""
    score: str = ""
    cut: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    abstain: str = ""
    key: str = ""
    weight: str = ""
    cluster: str = ""
    unit: str = "row"
    by: Annotated[dict[str, Group], BeforeValidator(_groups)] = Field(default_factory=dict)
    used_for: Annotated[tuple[Use, ...], BeforeValidator(_several)] = ()
    dataset: Dataset | None = None
    missing: Missing = Missing()
    join: Join | None = None

    @field_validator("uri")
    @classmethod
    def _no_password(cls, uri: str) -> str:
        if _PASSWORD.search(uri):
            raise ValueError("it holds a password; write ${NAME} in its place, and give it in the environment")
        return uri

    @model_validator(mode="after")
    def _roles(self) -> Source:
        if self.cut is not None and not self.score:
            raise ValueError("`cut` needs a `score` column")
        if self.score and not self.prediction and self.label and self.cut is None:
            raise ValueError("`score` needs a `cut` (score >= cut counts as positive) or a `prediction` column")
        if self.join is not None and not (self.key):
            raise ValueError("`join` needs a `key` column")
        if self.label and self.score and not self.positive:
            raise ValueError("`score` needs `positive`, the value that counts as positive; of several classes, declare `classes: {VALUE: COLUMN}`")
        if self.positive and (self.classes or self.multilabel):
            raise ValueError("`positive` is for two classes; leave it out, or `classes` and `multilabel`")
        if (self.classes or self.multilabel) and not (self.label and self.prediction):
            raise ValueError("`classes` and `multilabel` need a `label` and a `prediction` column")
        if len(set(filled := [column for column in self.classes.values() if column])) not in (0, len(self.classes)) or len(filled) > len(set(filled)):
            raise ValueError("`classes` gives every class a score column of its own, or none")
        return self


By = tuple[tuple[str, ...], ...]


def _by(value: Any) -> Any:
    return [[item] if isinstance(item, str) else item for item in value] if isinstance(value, list) else value


class Planned(BaseModel):
    """One planned measurement: a measure, the sources in its roles, the slices, and the measure's own parameters (as `model_extra`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    measure: str
    by: Annotated[By, BeforeValidator(_by)] = ()

    @field_validator("by")
    @classmethod
    def _distinct(cls, by: By) -> By:
        combinations = [tuple(sorted(set(item))) for item in by]
        if any(not item for item in combinations) or len(set(combinations)) < len(combinations):
            raise ValueError("each combination of attributes is given once and is not empty")
        return tuple(combinations)

    @property
    def params(self) -> dict[str, Any]:
        """What only the measure itself understands."""
        return dict(self.model_extra or {})


class Threshold(_Strict):
    """A requirement on a fact; `bound: lower` asks the interval's lower end to reach it."""

    at_least: Decimal | None = None
    at_most: Decimal | None = None
    bound: Literal["value", "lower", "upper"] = "value"

    @model_validator(mode="after")
    def _one(self) -> Threshold:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least or at_most")
        return self


class Gap(_Strict):
    """A declared absence. It is listed and never counts as an answer."""

    why: str
    owner: str = ""
    since: dt.date | None = None


class Policy(_Strict):
    """A requirement that somebody approved; words in documents may cite it."""

    text: str
    approved_by: str = ""
    since: dt.date | None = None


class Declared(_Strict):
    """A person's number, with where they have it from."""

    value: str
    source: str
    by: str = ""
    since: dt.date | None = None


class Term(_Strict):
    """What a word of the documents means, and its abbreviation."""

    means: str
    short: str = ""


class Element(_Strict):
    """A part of the system: a person, a system, a container (something that runs or stores) or a component inside one, as in C4.

    `inside` names the element that it is a part of; `outside` says that it is not ours; `evidence` names measurements of it, `document` a document.
    """

    title: str
    kind: Literal["person", "system", "container", "component", "store", "model", "dataset", "agent"] = "container"
    inside: str = ""
    outside: bool = False
    technology: str = ""
    description: str = ""
    evidence: tuple[str, ...] = ()
    document: str = ""


class Relation(_Strict):
    """What one element does with another; `data` says what flows along."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    label: str = ""
    technology: str = ""
    data: str = ""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class System(_Strict):
    """The parts of the system and how they work together."""

    elements: dict[Name, Element] = Field(default_factory=dict)
    relations: tuple[Relation, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> System:
        named = [(f"relation {i}", end) for i, item in enumerate(self.relations, 1) for end in (item.source, item.target)]
        named += [(name, item.inside) for name, item in self.elements.items() if item.inside]
        for where, name in named:
            if name not in self.elements:
                raise ValueError(f"{where} names the element {name!r}, which there is not; there are: {', '.join(self.elements) or 'none'}")
        for name in self.elements:
            self.above(name)
        return self

    def above(self, name: str) -> tuple[str, ...]:
        """The elements that an element is inside of, the nearest first.

        Raises:
            ValueError: it is inside itself.
        """
        found: list[str] = []
        while name := self.elements[name].inside:
            if name in found:
                raise ValueError(f"the element {name!r} is inside itself")
            found.append(name)
        return tuple(found)


class Reported(_Strict):
    """A figure in the text of a card: the words as they stand there, and the metric, data and group that they are about."""

    text: str
    metric: str
    dataset: Dataset
    group: dict[str, str] = Field(default_factory=dict)


class Compared(_Strict):
    """Something that the book is compared with: another `book` (as it was at a `revision`, where one is given), another `revision` of this one,
    a published `card`, or a `hub`, a folder of cards.

    `reports` are figures in the text of a card, `says` passages of it under the field that they are about.
    """

    book: str = ""
    revision: str = ""
    card: str = ""
    hub: str = ""
    reports: dict[Name, Reported] = Field(default_factory=dict)
    says: dict[Name, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> Compared:
        named = [name for name in ("book", "card", "hub") if getattr(self, name)]
        if len(named) > 1 or (not named and not self.revision) or (self.revision and named not in ([], ["book"])):
            raise ValueError("give one of: book (and perhaps its revision), revision (of this book), card, hub")
        if (self.reports or self.says) and not self.card:
            raise ValueError("`reports` and `says` point at passages of a `card`")
        return self


class Regime(_Strict):
    """How the book answers to a law or standard: as which class of subject, which items are met by what (keys of facts, `documents/FILE.md#section`),
    and which do not apply, with the reason.
    """

    subject_class: str = Field("", alias="class")
    met_by: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    not_applicable: dict[str, str] = Field(default_factory=dict)

    @field_validator("not_applicable")
    @classmethod
    def _reasoned(cls, reasons: dict[str, str]) -> dict[str, str]:
        for item, reason in reasons.items():
            if not reason.strip():
                raise ValueError(f"{item}: say why it does not apply")
        return reasons

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _regimes(value: Any) -> Any:
    """`regimes: [model-cards]` is short for `regimes: {model-cards: {}}`."""
    if isinstance(value, list):
        if len(set(value)) < len(value):
            raise ValueError("a regime is given twice")
        return {name: {} for name in value}
    return value


class Meaning(StrEnum):
    """What somebody says by signing."""

    AUTHORED = "authored"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    RISK_ACCEPTED = "risk accepted"
    REJECTED = "rejected"


Allowance = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?%?$")]
OWNER: Final = "owner"


class Person(_Strict):
    """Somebody who signs: the roles that they hold, and their public keys (Ed25519, as ssh-keygen or openssl write them)."""

    name: str
    roles: tuple[str, ...] = Field(min_length=1)
    key: Annotated[tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = Field(min_length=1)


class Wanted(_Strict):
    """Who has to sign a document, or a section of it, from which stage on: a role (`owner`: each section by the role that owns it in its kind),
    how many people of it, and by which of these meanings.
    """

    document: str
    section: str = ""
    role: str
    people: int = Field(1, ge=1)
    meaning: tuple[Meaning, ...] = (Meaning.APPROVED,)
    required_from: Stage = Field(Stage.RELEASED, alias="from")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Triggers(_Strict):
    """When people have to look again: another major version, an intended use (or one of these `sections`) that was reworded, a threshold that was
    crossed, one of these `facts` that moved by more than is given (`0.05`, `10%`), a new group of any attribute.
    """

    major_version: bool = True
    intended_use: bool = True
    thresholds: bool = True
    sections: tuple[str, ...] = ()
    facts: dict[str, Allowance] = Field(default_factory=dict)
    groups: bool = False


class Review(_Strict):
    """Who signs what. `keeper` is the role that may vouch for a change of this policy."""

    people: dict[Name, Person] = Field(default_factory=dict)
    required: tuple[Wanted, ...] = ()
    triggers: Triggers = Triggers()
    keeper: str = ""

    @model_validator(mode="after")
    def _held(self) -> Review:
        for wanted in self.required:
            if wanted.role != OWNER:
                self._enough(wanted.role, wanted.people)
        if self.keeper:
            self._enough(self.keeper, 1)
        return self

    def _enough(self, role: str, people: int) -> None:
        holding = [name for name, person in self.people.items() if role in person.roles]
        if len(holding) < people:
            raise ValueError(f"{people} of the role {role!r} have to sign, and {len(holding)} of `people` hold it")


class Manifest(_Strict):
    """The whole of factbook.yaml."""

    factbook: Literal["1"]
    subject: Subject
    stage: Stage = Stage.DRAFT
    language: str = "en"
    sources: dict[Name, Source] = Field(default_factory=dict)
    plan: dict[Name, Planned] = Field(default_factory=dict)
    thresholds: dict[str, Threshold] = Field(default_factory=dict)
    claims: dict[Name, str] = Field(default_factory=dict)
    derived: dict[Name, str] = Field(default_factory=dict)
    gaps: dict[Name, Gap] = Field(default_factory=dict)
    policies: dict[Name, Policy] = Field(default_factory=dict)
    declared: dict[Name, Declared] = Field(default_factory=dict)
    terms: dict[str, Term] = Field(default_factory=dict)
    system: System = System()
    compared: dict[Name, Compared] = Field(default_factory=dict)
    engine: str = "duckdb"
    spark: dict[str, str] = Field(default_factory=dict)
    regimes: Annotated[dict[str, Regime], BeforeValidator(_regimes)] = Field(default_factory=dict)
    review: Review = Review()
    suppress_below: int = Field(default=10, ge=0)
    level: Decimal = Field(default=Decimal("0.95"), gt=0, le=Decimal("0.999999"))

    @field_validator("plan")
    @classmethod
    def _reserved(cls, plan: dict[str, Planned]) -> dict[str, Planned]:
        if "derived" in plan:
            raise ValueError("`derived` is reserved for derived facts; name this measurement otherwise")
        return plan


def read(text: str, where: str = FILE) -> tuple[Manifest, Lines]:
    """Read factbook.yaml; also returns the line of every path, for findings.

    Raises:
        ManifestError: with file, line, every problem at once, and what is known instead.
    """
    tree, lines = load_yaml(text, where)
    if not isinstance(tree, dict):
        raise ManifestError(f"{where}: not a mapping", remedy="begin with `factbook: 1`")
    return validate(Manifest, tree, where, lines), lines


def load(root: Path) -> tuple[Manifest, Lines]:
    """Read the factbook.yaml of the book in `root`.

    Raises:
        ManifestError: there is no book, or its file cannot be used.
    """
    path = root / FILE
    if not path.is_file():
        raise ManifestError(f"there is no book in {root} ({FILE} is missing)", remedy="start one: factbook init BOOK --data FILE --label COLUMN …")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 (byte {error.start})", remedy="save the file as UTF-8") from error
    return read(text, str(path))


def validate(schema: type[_T], tree: Any, where: str, lines: Lines | None = None) -> _T:
    """Build a pydantic model from a strict YAML tree, turning all its complaints into one message, with lines where they are known.

    Raises:
        ManifestError: with every problem at once.
    """
    try:
        return schema.model_validate(tree)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            path = tuple(str(part) for part in problem["loc"])
            place = where if lines is None else f"{where}:{_line(path, lines)}"
            said = "is not known here" if problem["type"] == "extra_forbidden" else problem["msg"].removeprefix("Value error, ")
            problems.append(f"{place}: {'.'.join(path) or 'file'}: {said}")
        raise ManifestError("\n  ".join(problems)) from error


def _line(path: tuple[str, ...], lines: Lines) -> int:
    """The line of a path, or of the nearest thing around it."""
    return next((lines[path[:size]] for size in range(len(path), -1, -1) if path[:size] in lines), 1)
