"""What the book is compared with, as each says of itself: `<!-- fact:part compared -->`; what stands side by side: `view=figures`, `view=groups`;
what does not, and why: `view=apart`; what each leaves unsaid: `view=unsaid`. `metrics=accuracy,recall` shows only these side by side, where any is.

Figures of other books and of cards are quoted: their links lead to what was read, with the digest that pins it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from factbook.comparing import books
from factbook.comparing.page import Comparison
from factbook.comparing.take import regimes_of
from factbook.errors import DocumentError
from factbook.evidence.quoted import Quoted
from factbook.parts import Holding, Words

DEFINES: Final = True  # every figure is a link; what other digits there are belongs to names of data, groups and versions
_VIEWS: Final = ("says", "figures", "groups", "apart", "unsaid")


def write(words: Words, holding: Holding) -> str:
    """One view of the comparison.

    Raises:
        DocumentError: there is no such view, or nothing was read to compare with.
    """
    view = words.only("view", "metrics").given.get("view", _VIEWS[0])
    metrics = [name for name in words.given.get("metrics", "").split(",") if name]
    if view not in _VIEWS:
        raise DocumentError(f"the part compared has no view {view!r}", remedy=f"views: {', '.join(_VIEWS)}")
    if metrics and view not in ("figures", "groups"):
        raise DocumentError(f"the view {view} shows no metrics to choose from", remedy="leave `metrics` out, or say view=figures or view=groups")
    found = comparison(holding)
    if view == "groups":
        return found.beside(groups=True, metrics=metrics) or "No figure of a group is of the same metric on the same data as another."
    if view == "apart":
        return found.apart() or "Every figure that two of them report stands side by side."
    return found.beside(metrics=metrics) if view == "figures" else {"says": found.declared, "unsaid": found.silence}[view]()


def comparison(holding: Holding) -> Comparison:
    """The book, where it has figures, and all that it is compared with.

    Raises:
        DocumentError: nothing was read to compare with.
    """
    catalog = holding.catalog
    asked = list(catalog.manifest.compared)
    wanted = [item for item in catalog.evidence.quoted.values() if item.entry in asked]
    others = tuple(sorted(wanted, key=lambda item: (asked.index(item.entry), item.name)))
    if not others:
        raise DocumentError("there is nothing to compare with", remedy="name it under `compared` of factbook.yaml, and run: factbook measure")
    if not catalog.evidence.records:
        return Comparison(others, linked=True)
    ours = _ours(holding, {thing.name for thing in others})
    return Comparison((ours, *others), ours.name, catalog, linked=True)


def _ours(holding: Holding, taken: set[str]) -> Quoted:
    """The book as it is compared; the documents that compare are no answers of it."""
    documents = tuple(document for document in holding.documents if document.name != holding.document.name)
    manifest, catalog = holding.catalog.manifest, holding.catalog
    rows = {digest: known for item in catalog.evidence.quoted.values() for digest, known in item.own.items()}
    name = manifest.subject.name if manifest.subject.name not in taken else f"{manifest.subject.name} (this book)"
    return books.read(name, books.Opened(Path(), manifest, catalog, documents), regimes_of(manifest), rows=rows)
