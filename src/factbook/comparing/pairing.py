"""The predictions of two books, row by row: a `comparison` of sources that hold the same keys and labels, measured on the spot and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from factbook import measures
from factbook.comparing import books
from factbook.comparing.books import Opened
from factbook.errors import FactbookError
from factbook.evidence import Evidence
from factbook.evidence.catalog import Catalog
from factbook.evidence.record import Input, Record
from factbook.manifest import Join, Manifest, Planned, Source, Subject
from factbook.model import Measured, silent

_MEASURE: Final = "comparison"
_PREFIX: Final = "second_"
Decided = tuple[Source, str]


def tested(opened: Sequence[Opened], store: Path) -> Catalog | None:
    """The paired tests of every two sources of two books that hold the same rows; None where there are none."""
    sources_of = [_decided(book, store) for book in opened]
    pairs = [pair for one, other in combinations(sources_of, 2) for pair in _alike(one, other)]
    found = [item for number, (left, right) in enumerate(pairs, 1) for item in _tested(left, right, f"paired-{number}", store)]
    facts = {fact.key: fact for measured, _ in found for fact in measured.facts}
    records = {measured.name: record for measured, record in found}
    return Catalog(_manifest(), Evidence(facts, records)) if found else None


def _manifest(**members: Any) -> Manifest:
    return Manifest(factbook="1", subject=Subject(name="compared"), **members)


def _alike(one: Sequence[Decided], other: Sequence[Decided]) -> Iterator[tuple[Source, Source]]:
    """The sources that hold the same keys and labels."""
    for left, first in one:
        yield from ((left, right) for right, second in other if first == second)


def _decided(book: Opened, store: Path) -> list[Decided]:
    """The sources of a book that hold decisions and are here, with the digest of their keys and labels; paths made absolute."""
    found: list[Decided] = []
    for source in book.manifest.sources.values():
        if source.join is None and not source.more and (source.prediction or (source.score and source.cut is not None)):
            alone = Manifest(factbook="1", subject=book.manifest.subject, sources={"source": source})
            placed = source.model_copy(update={"uri": str((book.root / source.uri).resolve())})
            found += [(placed, rows) for rows in books.rows(alone, book.root, store).values()]
    return found


def _tested(left: Source, right: Source, name: str, store: Path) -> Iterator[tuple[Measured, Record]]:
    both = left.model_copy(update={"join": Join(uri=right.uri, key=right.key, prefix=_PREFIX), "by": {}, "cluster": "", "weight": ""})
    models = {"first": _model(left, ""), "second": _model(right, _PREFIX)}
    planned = Planned(measure=_MEASURE, data="both", models=models)
    manifest = _manifest(sources={"both": both}, plan={name: planned}, suppress_below=0)
    try:
        measured = measures.run(name, planned, manifest, Path(), store, silent)
    except FactbookError:
        return
    inputs = {role: Input(item.source, item.digest, item.files, item.bytes, item.rows) for role, item in measured.inputs.items()}
    yield measured, Record(name, _MEASURE, measured.version, measured.params, inputs)


def _model(source: Source, prefix: str) -> dict[str, str]:
    if source.prediction:
        return {"prediction": f"{prefix}{source.prediction}"} | ({"score": f"{prefix}{source.score}"} if source.score else {})
    return {"score": f"{prefix}{source.score}", "cut": str(source.cut)}
