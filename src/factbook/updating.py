"""Documents that follow the book: begun, and brought up to it, words left as they are. The caller holds the lock of the book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from factbook import parts, regimes
from factbook.canon import write_atomic
from factbook.documents import kinds, parse
from factbook.documents.parse import Document
from factbook.documents.scaffold import scaffold
from factbook.documents.update import drawings, update
from factbook.evidence.catalog import Catalog
from factbook.regimes.coverage import Material


def begin(
    root: Path, name: str, kind: str, catalog: Catalog, others: Iterable[Document], answers: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Begin a document of a kind in the file `name` of the book, and bring up to it the written parts of others that follow from it.

    Returns the new document, then the others that changed.

    Raises:
        UnknownName: there is no such kind.
    """
    written = tuple(others)
    text = scaffold(kind, catalog.manifest, catalog, answers, _met(kind, catalog, written), written)
    document = parse.parse(text, name)
    write_atomic(root / name, _updated(document, by_name(*written, document).values(), catalog))
    draw(root, [document], catalog)
    return root / name, *bring_up(root, by_name(*written, parse.read(root / name, root)), catalog, parts_only=True)


def _met(kind: str, catalog: Catalog, documents: tuple[Document, ...]) -> frozenset[str]:
    """The items of regimes that the kind's questions are about and that the book meets already."""
    found = kinds.load(kind)
    asked = {item for question in found.questions for item in question.meets} | {item for section in found.sections for item in section.meets}
    if not asked:
        return frozenset()
    material = Material(catalog.manifest, catalog, documents)
    wanted = (regimes.load(name) for name in regimes.names())
    return frozenset(item for regime in wanted for item in asked & set(regime.items) if material.row(regime, item).state.met)


def bring_up(root: Path, documents: Mapping[str, Document], catalog: Catalog, *, parts_only: bool = False) -> tuple[Path, ...]:
    """Write what changes in the documents, by name; those with written parts again, until none follows from another that has changed."""
    now, changed = dict(documents), list[Path]()
    with_parts = [name for name, document in now.items() if document.parts]
    waiting = with_parts if parts_only else list(now)
    for _ in range(len(with_parts) + 1):
        before = len(changed)
        for name in waiting:
            data = _updated(now[name], now.values(), catalog, parts_only=parts_only)
            if write_atomic(root / name, data):
                changed.append(root / name)
                now[name] = parse.parse(data, name)
            changed += draw(root, [now[name]], catalog) if not parts_only else []
        waiting = with_parts
        if len(changed) == before:
            break
    return tuple(dict.fromkeys(changed))


def _updated(document: Document, documents: Iterable[Document], catalog: Catalog, *, parts_only: bool = False) -> bytes:
    """The bytes of a document as the book and its documents are now."""
    written = parts.update(document, tuple(documents), catalog) if document.parts else document.source
    follows = document if written == document.source else parse.parse(written, document.name)
    return update(follows, catalog, parts_only=parts_only)


def draw(root: Path, documents: Iterable[Document], catalog: Catalog) -> list[Path]:
    """Draw the charts that documents show; returns the files that changed."""
    return [root / name for document in documents for name, data in drawings(document, catalog).items() if write_atomic(root / name, data)]


def by_name(*documents: Document) -> dict[str, Document]:
    """Documents by their names, in the order of the book."""
    return {document.name: document for document in sorted(documents, key=lambda item: Path(item.name))}
