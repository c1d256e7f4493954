"""What another book or a published card says, as it was read: evidence/quoted/NAME.json, one statement a line.

A quoted figure is somebody's statement and never a measured fact of this book. The digest pins the bytes that it was read from; when they change, the
check fails until they are read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from factbook import canon
from factbook.errors import EvidenceError, UnknownName
from factbook.evidence import folders, form
from factbook.evidence.record import FOLDER
from factbook.model import Fact, Key, Pairs

T = TypeVar("T")
SCHEMA: Final = "factbook/quoted/1"
QUOTED: Final = f"{FOLDER}/quoted"
SAYS: Final = "says:"
DATA: Final = "data:"


@dataclass(frozen=True, slots=True)
class Data:
    """The data of a figure: the digest of the bytes, the digest of keys and labels alone (`rows`), and what a card or book calls them in public.

    What is not known is ''.
    """

    name: str = ""
    config: str = ""
    split: str = ""
    revision: str = ""
    digest: str = ""
    rows: str = ""
    source: str = ""

    @property
    def words(self) -> str:
        """The data in words."""
        public = [
            part for part in (self.name, self.config, self.split and f"{self.split} split", self.revision and f"revision {self.revision}") if part
        ]
        return ", ".join(public) or self.source or "data that it does not name"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that somebody reports.

    Attributes:
        id: its name within the quotation; of a fact, its key.
        metric, params, slice: as in a key; a metric that nobody here knows keeps the name that the card gives it.
        data: the id of the data that it is about, '' where none is named.
        text: as it is written.
        value: as a number, None where the text does not settle its unit; `why` says so.
        low, high, level: the interval, where one is stated.
        measure: which measure of factbook made it, with its version; '' where nobody knows how it was computed.
        place: where it stands.
        fact: the fact itself, of a book.
    """

    id: str
    metric: str
    text: str
    data: str = ""
    params: Pairs = ()
    slice: Pairs = ()
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    measure: str = ""
    place: str = ""
    why: str = ""
    fact: Fact | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """(low, high), or None where none is stated."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Passage:
    """A statement in words, and where it stands."""

    text: str
    place: str


@dataclass(frozen=True)
class Quoted:
    """What one book or card says.

    Attributes:
        name: what this book calls it.
        entry: the entry under `compared` of factbook.yaml that it was read for.
        kind: `book` or `card`.
        source: the file or folder, with the revision of a book.
        digest: of the card's bytes, or of the evidence of a book.
        asked: the digest of what was asked for; another question needs another reading.
        title, version: what it calls itself.
        says: statements by field: licence, parameters, hardware …
        data: by id.
        figures: by id.
        answers: by regime and item, where the item is answered; items that are not are left out.
        unread: per regime that could not be judged, why.
        own: digests of keys and labels of this book's sources, by the digest of their bytes, as far as both could be read.
    """

    name: str
    entry: str
    kind: str
    source: str
    digest: str
    asked: str = ""
    title: str = ""
    version: str = ""
    says: Mapping[str, Passage] = field(default_factory=dict)
    data: Mapping[str, Data] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def text(self, target: str) -> str:
        """The text of a figure, of a passage (`says:FIELD`) or of data (`data:ID`).

        Raises:
            UnknownName: it says no such thing.
        """
        if target.startswith(SAYS):
            return _named(self.says, _field(target), f"statement of {self.name}").text
        if target.startswith(DATA):
            return _named(self.data, target.removeprefix(DATA), f"data of {self.name}").words
        return self.figure(target).text

    def figure(self, target: str) -> Figure:
        """One figure.

        Raises:
            UnknownName: it reports no such figure.
        """
        return _named(self.figures, target, f"figure of {self.name}")

    def place(self, target: str) -> str:
        """Where a statement stands."""
        if target.startswith(SAYS):
            return self.says[_field(target)].place
        return "" if target.startswith(DATA) else self.figure(target).place


def _field(target: str) -> str:
    return target.removeprefix(SAYS).replace("_", " ")


def _named(items: Mapping[str, T], name: str, what: str) -> T:
    if name not in items:
        raise UnknownName(what, name, items)
    return items[name]


def digest(quoted: Quoted) -> str:
    """Of all that was quoted."""
    return canon.digest(list(_lines(quoted)))


def write(root: Path, quoted: Quoted) -> None:
    """Keep a quotation.

    Raises:
        StorageError: the folder cannot be written.
    """
    canon.write_atomic(folders.path(root, QUOTED, quoted.name), ("[\n" + ",\n".join(_lines(quoted)) + "\n]\n").encode())


def _lines(quoted: Quoted) -> Iterator[str]:
    head = {name: getattr(quoted, name) for name in ("name", "entry", "kind", "source", "digest", "asked", "title", "version", "unread", "own")}
    yield canon.dumps({"schema": SCHEMA, **{name: dict(item) if isinstance(item, Mapping) else item for name, item in head.items()}})
    yield from (canon.dumps({"data": name, **_filled(asdict(item))}) for name, item in sorted(quoted.data.items()))
    yield from (canon.dumps({"says": name, **asdict(item)}) for name, item in sorted(quoted.says.items()))
    yield from (canon.dumps({"regime": name, "answers": dict(items)}) for name, items in sorted(quoted.answers.items()))
    yield from (canon.dumps(_dumped(figure)) for _, figure in sorted(quoted.figures.items()))


def _filled(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if value not in ("", None, (), [])}


def _dumped(figure: Figure) -> dict[str, Any]:
    if figure.fact is not None:
        return {"figure": figure.id, "data": figure.data, "measure": figure.measure, "place": figure.place, "fact": form.dump(figure.fact)}
    tree = {name: getattr(figure, name) for name in Figure.__slots__ if name not in ("id", "fact")}
    return {
        "figure": figure.id,
        **_filled({**tree, "params": [list(pair) for pair in figure.params], "slice": [list(pair) for pair in figure.slice]}),
    }


def load(root: Path) -> dict[str, Quoted]:
    """All quotations of a book.

    Raises:
        EvidenceError: a file is damaged.
    """
    return folders.load(root, QUOTED, _read, "delete the file, and read it again: factbook measure")


def _read(tree: Any, where: str) -> Quoted:
    head, *lines = tree
    if head.pop("schema") != SCHEMA or where != f"{QUOTED}/{head['name']}.json":
        raise EvidenceError(f"{where}: this is not {SCHEMA} of that name")
    return _built(head, lines, where)


def _built(head: dict[str, Any], lines: list[dict[str, Any]], where: str) -> Quoted:
    members: dict[str, Any] = {"data": {}, "says": {}, "answers": {}, "figures": {}}
    for line in lines:
        if "figure" in line:
            figure = _figure(line, where)
            members["figures"][figure.id] = figure
        elif "regime" in line:
            members["answers"][line["regime"]] = line["answers"]
        elif "says" in line:
            name = line.pop("says")
            members["says"][name] = Passage(**line)
        else:
            name = line.pop("data")
            members["data"][name] = Data(**line)
    return Quoted(**head, **members)


def _figure(line: dict[str, Any], where: str) -> Figure:
    name = line.pop("figure")
    if "fact" not in line:
        pairs: dict[str, Any] = {part: tuple((first, second) for first, second in line.pop(part, [])) for part in ("params", "slice")}
        return Figure(id=name, **line, **pairs)
    key = Key.parse(name)
    fact = form.load(key, line["fact"], where)
    return of_fact(fact, line["data"], line["measure"], line["place"])


def of_fact(fact: Fact, data: str, measure: str, place: str) -> Figure:
    """A fact of a book as a figure."""
    value = float(fact.value) if isinstance(fact.value, int | float) else None
    return Figure(
        id=str(fact.key),
        metric=fact.key.metric,
        text=str(fact.value),
        data=data,
        params=fact.key.params,
        slice=fact.key.slice,
        value=value,
        low=fact.low,
        high=fact.high,
        level=fact.level,
        measure=measure,
        place=place,
        fact=fact,
    )
