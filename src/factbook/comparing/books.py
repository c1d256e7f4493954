"""What a book says, in the form in which it is compared: its figures with their data, what its documents answer, what it declares of itself.

Figures that are better or worse for some direction are taken; those of several sources (drift, say) and those that compare models already are not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factbook import canon, regimes, sources
from factbook.comparing import signs
from factbook.documents import kinds
from factbook.documents.answers import answers
from factbook.documents.parse import Document
from factbook.documents.spelling import spell
from factbook.errors import FactbookError, UnknownName
from factbook.evidence.catalog import Catalog
from factbook.evidence.quoted import Data, Figure, Passage, Quoted, of_fact
from factbook.evidence.record import Record
from factbook.manifest import FILE, Manifest, Source
from factbook.model import Direction, Fact, Unit
from factbook.regimes.coverage import Material, State

KIND: Final = "book"
LONGEST: Final = 160
_INSIDE: Final = frozenset({"model", "models"})  # parameters of figures that compare models within one measurement


@dataclass(frozen=True, slots=True)
class Opened:
    """A book: its folder, what factbook.yaml says, what it knows, its documents."""

    root: Path
    manifest: Manifest
    catalog: Catalog
    documents: Sequence[Document]


def digest(catalog: Catalog) -> str:
    """What pins the evidence of a book."""
    return canon.digest({name: record.digest for name, record in sorted(catalog.evidence.records.items())})


def read(name: str, book: Opened, regimes_asked: Sequence[str], source: str = "", entry: str = "", rows: Mapping[str, str] | None = None) -> Quoted:
    """All that a book says. `rows` are the digests of keys and labels, by the digest of a source's bytes."""
    used = {record_name: role for record_name, record in book.catalog.evidence.records.items() if (role := _only(record))}
    data = {role: _data(role, book, rows or {}) for role in dict.fromkeys(used.values())}
    found = [fact for fact in book.catalog.evidence.values() if fact.key.evidence in used and _compares(fact)]
    figures = [_figure(fact, book.catalog.evidence.records[fact.key.evidence], used[fact.key.evidence]) for fact in found]
    subject = book.manifest.subject
    return Quoted(
        name=name,
        entry=entry,
        kind=KIND,
        source=source,
        digest=digest(book.catalog),
        title=subject.name,
        version=subject.version,
        says=dict(_says(book)),
        data=data,
        figures={figure.id: figure for figure in figures},
        answers={regime: _answers(regime, book) for regime in regimes_asked},
    )


def _only(record: Record) -> str:
    """The source of a measurement that has only one; '' for the others."""
    return next(iter(record.inputs.values())).source if len(record.inputs) == 1 else ""


def _data(source: str, book: Opened, rows: Mapping[str, str]) -> Data:
    records = book.catalog.evidence.records.values()
    known = next(item.digest for record in records for item in record.inputs.values() if item.source == source)
    declared = book.manifest.sources.get(source)
    public = declared.dataset if declared else None
    named = {part: getattr(public, part) for part in ("name", "config", "split", "revision")} if public else {}
    return Data(**named, digest=known, rows=rows.get(known, ""), source=source)


def _compares(fact: Fact) -> bool:
    numeric = fact.measured and isinstance(fact.value, int | float) and fact.unit is not Unit.COUNT
    return numeric and fact.direction is not Direction.NEITHER and not _INSIDE & {name for name, _ in fact.key.params}


def _figure(fact: Fact, record: Record, source: str) -> Figure:
    return of_fact(fact, source, f"{record.measure} {record.version}", f"evidence/{fact.key.evidence}.json")


def spelled(figure: Figure) -> str:
    """The text of a figure as documents write it."""
    return spell(figure.fact) if figure.fact is not None else figure.text


def _answers(name: str, book: Opened) -> dict[str, str]:
    """The items of a regime that the book answers, and where."""
    regime, material = regimes.load(name), Material(book.manifest, book.catalog, book.documents)
    rows = (material.row(regime, item) for item in regime.items)
    return {row.item.id: row.by[0] if row.by else "" for row in rows if row.state.met or row.state is State.PARTLY}


def _says(book: Opened) -> Iterator[tuple[str, Passage]]:
    """What factbook.yaml and the answers in the documents say in the fields that are set side by side."""
    subject = book.manifest.subject
    declared = {"made by": subject.owner, "version": subject.version, "licence": subject.licence}
    training = [name for name, source in book.manifest.sources.items() if "training" in source.used_for]
    declared["training data"] = ", ".join(training)
    written = dict(_written(book.documents))
    for field, sign in signs.fields().items():
        passage = next((written[item] for item in sign.items if item in written), None)
        if declared.get(field):
            yield field, Passage(declared[field], FILE)
        elif passage is not None:
            yield field, passage


def _written(documents: Sequence[Document]) -> Iterator[tuple[str, Passage]]:
    """What documents answer, by the items of regimes that the answer meets."""
    for document in documents:
        try:
            kind = kinds.load(document.kind)
        except UnknownName:
            continue
        topics = {question.id: question.topic for question in kind.questions}
        for answer in answers(document, kind):
            text = next((block.text for block in document.blocks if block.start == answer.start), "")
            said = shortened(text.strip().removeprefix(f"{topics.get(answer.id, '')}.").strip())
            if answer.id in topics and said:
                yield from ((item, Passage(said, f"{document.name}#{answer.anchor}")) for item in answer.meets)


def shortened(text: str) -> str:
    """The first sentences of a text, on one line; cut at a word where the first is long."""
    plain = " ".join(text.split())
    if len(plain) <= LONGEST:
        return plain
    ends = [place + 1 for place in range(LONGEST) if plain[place : place + 2] in (". ", "; ", "? ", "! ")]
    return plain[: ends[-1]].strip() if ends else plain[:LONGEST].rpartition(" ")[0] + " …"


def rows(manifest: Manifest, root: Path, store: Path) -> dict[str, str]:
    """The digest of keys and labels of every source that declares both and is here, by the digest of its bytes."""
    found: dict[str, str] = {}
    for source in manifest.sources.values():
        if source.key and source.label and "://" not in source.uri:
            try:
                known = sources.digest(source, root, store)
                if known is not None:
                    found[known] = _rows(source, root, store)
            except FactbookError:
                continue
    return found


def _rows(source: Source, root: Path, store: Path) -> str:
    """The digest of keys and labels, in the order of the keys: two files with other predictions of the same rows have the same."""
    table = sources.table(source, root, store)
    label = f"CAST({sources.quote(source.label)} AS VARCHAR)"
    cases = " ".join(f"WHEN {sources.literal(value)} THEN {sources.literal(source.labels[value])}" for value in sorted(source.labels))
    said = f"CASE {label} {cases} ELSE {label} END" if cases else label
    key = f"CAST({sources.quote(source.key)} AS VARCHAR)"
    state = hashlib.sha256(source.positive.encode() + b"\0")
    query = f"SELECT {key} AS k, coalesce({said}, '') AS l FROM ({table.sql}) ORDER BY k"  # noqa: S608 (quoted above)
    for batch in sources.batches(sources.connect(store), query):
        for pair in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            state.update("".join(f"{len(part)}:{part}" for part in pair).encode())
    return "sha256:" + state.hexdigest()
