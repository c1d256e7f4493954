"""What the measures mean that the documents of the book cite: `<!-- fact:part glossary -->`. A row for each, with its formula and its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from factbook.documents import cited
from factbook.documents.regions import escape
from factbook.errors import FactbookError
from factbook.measures import metric
from factbook.model import Metric
from factbook.parts import Holding, Words

DEFINES: Final = True


def write(words: Words, holding: Holding) -> str:
    """A table of the metrics, by title; the metrics of figures that were derived in factbook.yaml stand there, not here.

    Raises:
        DocumentError: the part is given a word.
    """
    words.only()
    found = dict.fromkeys(sorted(_cited(holding), key=lambda item: (item.title.casefold(), item.formula)))
    if not found:
        return "The documents of this book cite no measure yet."
    rows = [(item.title, item.short, item.formula, item.source or "–") for item in found]
    lines = [("Measure", "Short", "How it is counted", "Source"), ("---",) * 4, *(tuple(map(escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cited(holding: Holding) -> Iterator[Metric]:
    records = holding.catalog.evidence.records
    for document in holding.documents:
        found = cited.facts(document, holding.catalog)
        names = {(key.evidence, key.metric) for key, _ in (*found.links, *found.claimed)} | {item[:2] for item in found.shown}
        for evidence, name in names:
            if evidence in records:
                try:
                    yield metric(records[evidence].measure, name)
                except FactbookError:
                    continue
