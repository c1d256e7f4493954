"""Holds a book against a regime, item by item: met by which fact or passage, open, not applicable, or not judged.

A heading, a declared gap and an open question are never answers. A fact counts where a document shows it and the regime, or factbook.yaml, names
it for the item. Where an item is filled in several ways, each of them is needed; what is there and not enough is *partly* met.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any, Final

from factbook import manifest as manifests
from factbook import regimes
from factbook.documents import cited, kinds
from factbook.documents.answers import Answer, answers, says_something
from factbook.documents.parse import Document
from factbook.errors import UnknownName
from factbook.evidence.catalog import Catalog
from factbook.manifest import Manifest
from factbook.regimes import Item, Pattern, Regime

_SHOWN: Final = 3


class State(StrEnum):
    """How an item stands. Where it is filled in several ways, the one that a machine can vouch for least gives the state."""

    MEASURED = "measured"
    RECORDED = "recorded"
    AUTHORED = "authored"
    SIGNED = "signed"
    PARTLY = "partly"
    OPEN = "open"
    NOT_APPLICABLE = "not applicable"
    NOT_JUDGED = "not judged"

    @property
    def met(self) -> bool:
        """Whether nothing is left to do."""
        return self in {State.MEASURED, State.RECORDED, State.AUTHORED, State.SIGNED}


@dataclass(frozen=True, slots=True)
class Row:
    """One item: its state, what meets it (facts, records, passages as `file#section`), and what is missing or why it does not apply.

    `then` is the row of an item that applies later, as if it did already.
    """

    item: Item
    state: State
    by: tuple[str, ...] = ()
    missing: str = ""
    then: Row | None = None

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        tree = {"id": self.item.id, "cite": self.item.cite, "ask": self.item.ask, "state": self.state, "by": list(self.by), "missing": self.missing}
        return {**tree, "then": self.then.state} if self.then else tree


@dataclass(frozen=True, slots=True)
class Coverage:
    """A book against a regime, as of a day."""

    regime: Regime
    on: dt.date
    rows: tuple[Row, ...]
    dates: tuple[dt.date, ...] = ()

    @property
    def span(self) -> str:
        """For which days the states hold as far as dates of application go, in a sentence; empty where no item has a date."""
        since = max((date for date in self.dates if date <= self.on), default=None)
        until = min((date for date in self.dates if date > self.on), default=None)
        if until is None:
            return f"Judged for days from {since} on." if since else ""
        days = f"from {since} to" if since else "up to"
        return f"Judged for days {days} {until - dt.timedelta(1)}: on {until} items begin or cease to apply."

    @property
    def counts(self) -> dict[State, int]:
        """How many items stand how; states that do not occur are left out."""
        return _counts(row.state for row in self.rows)

    @property
    def later(self) -> dict[State, int]:
        """How many of those that apply later would stand how if they did already."""
        return _counts(row.then.state for row in self.rows if row.then)

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "regime": self.regime.name,
            "title": self.regime.title,
            "on": self.on.isoformat(),
            "caution": self.regime.caution,
            "counts": {str(state): count for state, count in self.counts.items()},
            "later": {str(state): count for state, count in self.later.items()},
            "items": [row.tree() for row in self.rows],
        }


def _counts(states: Iterable[State]) -> dict[State, int]:
    found = Counter(states)
    return {state: found[state] for state in State if found[state]}


@dataclass(frozen=True, slots=True)
class _Fact:
    """A fact as patterns see it: MEASURE/METRIC, by how many attributes, and what its sources are used for."""

    name: str
    attributes: int
    key: str
    uses: frozenset[str]

    @property
    def form(self) -> tuple[str, int, frozenset[str]]:
        """All that patterns see; thousands of facts share one."""
        return self.name, self.attributes, self.uses

    def meets(self, patterns: Iterable[Pattern]) -> bool:
        return any(pattern.fits(*self.form) for pattern in patterns)

    def of_another_use(self, patterns: Iterable[Pattern]) -> str:
        """Why it does not fit, though it would if its sources were used for something else; empty where that is not so."""
        use = next((pattern.use for pattern in patterns if pattern.measures(self.name, self.attributes) and not pattern.about(self.uses)), "")
        if not use:
            return ""
        if self.uses:
            return f"{self.key} comes from data used for {' and '.join(sorted(map(_use, self.uses)))}{' alone' if use.startswith('!') else ''}"
        return f"does {self.key} come from data used for {_use(use)}? then say `used_for: {use}` at its source in factbook.yaml"


def _use(name: str) -> str:
    return {"external": "testing elsewhere"}.get(name, name)


class Material:
    """What a book has to hold against regimes: the facts that its documents show, its answers, and what it keeps about itself.

    `signed` are the sections that somebody vouches for; without them, what only a sign-off meets is not judged.
    """

    def __init__(self, manifest: Manifest, catalog: Catalog, documents: Sequence[Document], signed: Collection[str] | None = None) -> None:
        self.manifest, self.catalog, self.signed = manifest, catalog, signed
        self.uses = _uses(manifest, catalog)
        self.measured = tuple(_measured(catalog, self.uses))
        forms: dict[tuple[str, int, frozenset[str]], _Fact] = {}
        for fact in self.measured:
            forms.setdefault(fact.form, fact)
        self._forms = tuple(forms.values())
        self.shown = tuple(dict.fromkeys(_shown(catalog, self.uses, documents)))
        self.answers: dict[str, list[Answer]] = {}
        self.sections = frozenset(f"{document.name}#{section.slug}" for document in documents for section in document.sections)
        self.passages = frozenset(_passages(documents))
        for answer in _answers(documents):
            for item in answer.meets:
                self.answers.setdefault(item, []).append(answer)
        self.records = _records(manifest, catalog)

    def cover(self, name: str, on: dt.date) -> Coverage:
        """Every item of a regime, in its order.

        Raises:
            UnknownName: there is no such regime, or factbook.yaml names a class or an item that it does not have.
        """
        regime = regimes.load(name)
        declared = self.manifest.regimes.get(name, manifests.Regime())
        for item in declared.met_by:
            if item not in regime.items:
                raise UnknownName(f"item of {name}", item, regime.items)
        excused = dict(_excused(regime, declared))
        dates = {date for item in regime.items.values() for date in (regime.since(item, declared.subject_class), item.until) if date}
        rows = tuple(self._row(regime, item, declared, excused.get(item.id, ""), on) for item in regime.items.values())
        return Coverage(regime, on, rows, tuple(sorted(dates)))

    def row(self, regime: Regime, item: str) -> Row:
        """One item, whatever the day.

        Raises:
            UnknownName: the regime has no such item.
        """
        if item not in regime.items:
            raise UnknownName(f"item of {regime.name}", item, regime.items)
        declared = self.manifest.regimes.get(regime.name, manifests.Regime())
        return self._judged(regime.items[item], declared.met_by.get(item, ()))

    def nowhere(self, name: str) -> Iterator[tuple[str, str]]:
        """What factbook.yaml says that items of a regime are met by, and that is no section of a document and no fact: item and place."""
        known = self.sections | {fact.key for fact in (*self.measured, *self.shown)}
        for item, places in self.manifest.regimes.get(name, manifests.Regime()).met_by.items():
            yield from ((item, place) for place in places if place not in known)

    def _row(self, regime: Regime, item: Item, declared: manifests.Regime, excuse: str, on: dt.date) -> Row:
        since = regime.since(item, declared.subject_class)
        if item.until is not None and on >= item.until:
            return Row(item, State.NOT_APPLICABLE, missing=f"repealed from {item.until} on")
        if excuse:
            return Row(item, State.NOT_APPLICABLE, missing=excuse)
        judged = self._judged(item, declared.met_by.get(item.id, ()))
        if since is not None and on < since:
            return Row(item, State.NOT_APPLICABLE, missing=f"applies from {since} on", then=judged)
        return judged

    def _judged(self, item: Item, said: tuple[str, ...]) -> Row:
        written = [f"{answer.document}#{answer.anchor}" for answer in self.answers.get(item.id, ())]
        written += [place for place in said if place in self.passages]
        groups = [[shown.key for shown in self.shown if shown.key in said or shown.meets(group)] for group in item.facts or ((),)]
        measured = [key for rank in zip_longest(*groups) for key in rank if key]
        recorded = [name for name in item.record if name in self.records]
        attested = [place for place in written if place in (self.signed or ())]
        ways = {"measured": measured, "recorded": [*recorded, *written], "authored": written, "attested": attested}
        by = tuple(dict.fromkeys(found for way in item.fill for found in ways[way][:_SHOWN]))
        missing = [way for way in item.fill if not (all(groups) if way == "measured" else ways[way])]
        if not missing:
            least = max(item.fill, key=list(ways).index)
            return Row(item, State.SIGNED if least == "attested" or (least == "authored" and attested) else State(least), by)
        wanted = "; ".join(self._wanted(item, way) for way in missing)
        if by:
            return Row(item, State.PARTLY, by, wanted)
        unknown = self.signed is None and missing == ["attested"]
        return Row(item, State.NOT_JUDGED if unknown else State.OPEN, missing=wanted)

    def _wanted(self, item: Item, way: str) -> str:
        """What is missing to meet an item in one way, with the facts that may have to do with it."""
        about = [regimes.topics()[name] for name in item.topics]
        said = " or ".join(topic.what for topic in about if topic.fill == way) or "an answer"
        if way == "attested":
            return f"{said} (name the section that says so under `met_by`, and have it signed: factbook sign)"
        if way != "measured":
            return said
        wanted = next((group for group in item.facts if not any(fact.meets(group) for fact in self.shown)), ())
        hidden = next((fact.key for fact in self._forms if fact.meets(wanted)), "")
        if hidden:
            return f"{said} ({hidden} was measured, but no document shows it)"
        other = next((reason for fact in self.shown if (reason := fact.of_another_use(wanted))), "")
        if other:
            return f"{said} ({other})"
        related = next((fact.key for topic in about for fact in self._forms if fact.meets(topic.facts)), "")
        return f"{said} (does {related} say it? then declare so under `met_by`)" if related else said


def _excused(regime: Regime, declared: manifests.Regime) -> Iterator[tuple[str, str]]:
    """The items that do not apply, with the reason; where several say so, the one that names fewer."""
    for pattern, reason in sorted(declared.not_applicable.items(), key=lambda item: ("*" not in item[0], len(item[0]))):
        form = re.compile(re.escape(pattern).replace(r"\*", ".*"))
        found = [item for item in regime.items if form.fullmatch(item)]
        if not found:
            raise UnknownName(f"item of {regime.name}", pattern, regime.items)
        yield from ((item, reason) for item in found)


def _uses(manifest: Manifest, catalog: Catalog) -> dict[str, frozenset[str]]:
    """What the sources of each measurement are used for, as factbook.yaml says."""
    named = {name: frozenset(source.used_for) for name, source in manifest.sources.items()}
    return {
        name: frozenset().union(*(named.get(item.source, frozenset()) for item in record.inputs.values()))
        for name, record in catalog.evidence.records.items()
    }


def _measured(catalog: Catalog, uses: Mapping[str, frozenset[str]]) -> Iterator[_Fact]:
    records = catalog.evidence.records
    for key in catalog.evidence:
        if key.evidence in records:
            yield _Fact(f"{records[key.evidence].measure}/{key.metric}", len(key.slice), str(key), uses[key.evidence])


def _shown(catalog: Catalog, uses: Mapping[str, frozenset[str]], documents: Iterable[Document]) -> Iterator[_Fact]:
    records = catalog.evidence.records
    for document in documents:
        found = cited.facts(document)
        for key, _ in found.links:
            if key.evidence in records and key.whole() in catalog.evidence:
                yield _Fact(f"{records[key.evidence].measure}/{key.metric}", len(key.slice), str(key.whole()), uses[key.evidence])
        for evidence, metric, _, attributes in sorted(found.shown):
            if evidence in records:
                by = f" by {' and '.join(attributes)}" if attributes else ""
                yield _Fact(f"{records[evidence].measure}/{metric}", len(attributes), f"{evidence}/{metric}{by}", uses[evidence])


def _answers(documents: Iterable[Document]) -> Iterator[Answer]:
    for document in documents:
        try:
            kind = kinds.load(document.kind)
        except UnknownName:
            continue
        yield from answers(document, kind)


def _passages(documents: Iterable[Document]) -> Iterator[str]:
    """The sections that say something, as `file#section`."""
    for document in documents:
        for section in document.sections:
            if says_something(document, section.start, section.end):
                yield f"{document.name}#{section.slug}"


def _records(manifest: Manifest, catalog: Catalog) -> frozenset[str]:
    """What the book keeps about itself, by the names that topics use."""
    found = {f"subject.{name}" for name, value in manifest.subject.model_dump().items() if value}
    if any(record.inputs for record in catalog.evidence.records.values()):
        found.add("inputs")
        found |= {f"inputs@{use}" for use in frozenset().union(*_uses(manifest, catalog).values())}
    if any(record.run is not None for record in catalog.evidence.records.values()):
        found.add("runs")
    elements = manifest.system.elements.values()
    found |= {"system"} if elements else set()
    found |= {"system.outside"} if any(element.outside for element in elements) else set()
    return frozenset(found)


_RECORDS: Final = {
    "inputs": "the digests of the data, in the evidence",
    "runs": "who measured when and with what, in the run records",
    "system": "the parts of the system and their relations, in factbook.yaml",
    "system.outside": "the parts that others provide, in factbook.yaml",
}


def in_words(record: str, manifest: Manifest) -> str:
    """What the book keeps about itself and meets an item, in words; empty where it is no record."""
    if record.startswith("subject."):
        name = record.removeprefix("subject.")
        return f"{name}: {getattr(manifest.subject, name)}"
    kept, _, use = record.partition("@")
    said = _RECORDS.get(kept, "")
    return said.replace("the data", f"the data used for {use}") if use else said


def page(coverage: Coverage, home: str = "../..") -> str:
    """The matrix as Markdown, with the counts by state first; `home` is the way from its folder to the documents."""
    regime = coverage.regime
    lines = [f"# {regime.title}", "", f"{regime.source}. {regime.status}".strip(), ""]
    lines += [f"> {regime.caution}", ""] if regime.caution else []
    lines += [f"As of {coverage.on}. The words are ours; the text that binds is the one cited.", "", "| state | items |", "|---|---|"]
    lines += [f"| {state} | {count} |" for state, count in coverage.counts.items()]
    later = ", ".join(f"{count} {state}" for state, count in coverage.later.items())
    lines += ["", f"If what applies later applied already: {later}."] if later else []
    lines += ["", "| item | cited | asked | state | by | missing |", "|---|---|---|---|---|---|"]
    lines += [_line(row, home) for row in coverage.rows]
    return "\n".join(lines) + "\n"


def _line(row: Row, home: str) -> str:
    then = row.then or row
    wanted = f"then {then.state}: {then.missing}" if row.then and then.missing else f"then {then.state}" if row.then else ""
    said = "; ".join(part for part in (row.missing, wanted, row.item.note, "recommended only" if row.item.optional else "") if part)
    cells = (f"`{row.item.id}`", row.item.cite, row.item.ask, str(row.state), ", ".join(_by(place, home) for place in then.by), said)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _by(place: str, home: str) -> str:
    """What meets an item: a passage as a link, everything else as it is written in factbook.yaml."""
    return f"[{place}]({home}/{place})" if "#" in place else f"`{place}`"
