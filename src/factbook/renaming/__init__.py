"""Gives a name of the book another name, wherever it stands: in links, tables, charts and parts of documents, in factbook.yaml and in evidence.

What has a name here: measurements, slice attributes and their groups, parameters of metrics and their values, claims, derived facts, gaps,
policies and declared numbers. Bytes that do not spell the name stay as they are.

names.py      keys and words under a new name        documents.py  documents        book_file.py  factbook.yaml
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from factbook.documents.cited import facts as cited
from factbook.documents.parse import Document
from factbook.errors import FactbookError, UnknownName
from factbook.evidence import renamed
from factbook.evidence.catalog import Catalog
from factbook.expressions import operands, parse_claim, parse_value
from factbook.manifest import Manifest
from factbook.model import Key
from factbook.renaming import book_file, documents
from factbook.renaming.names import KINDS, Rename

__all__ = ["Rename", "Renamed", "follow", "plan", "resolve"]
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_SECTIONS: Final = {"claim": "claims", "derived": "derived", "gap": "gaps", "policy": "policies", "declared": "declared"}


@dataclass(frozen=True, slots=True)
class Changed:
    """A file under the new name, before and after, and in how many places it changed."""

    file: str
    before: bytes
    after: bytes
    places: int


@dataclass(frozen=True)
class Renamed:
    """What a renaming changes: files, moved files (old, new), and what remains to be done."""

    rename: Rename
    changed: tuple[Changed, ...]
    moved: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def patch(self) -> str:
        """The changes as one unified patch."""
        lines: list[str] = []
        for item in self.changed:
            before, after = (re.findall(r"[^\n]*\n|[^\n]+", text.decode()) for text in (item.before, item.after))
            lines += difflib.unified_diff(before, after, f"a/{item.file}", f"b/{item.file}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "rename": str(self.rename),
            "changed": [{"file": item.file, "places": item.places} for item in self.changed],
            "moved": [{"from": old, "to": new} for old, new in self.moved],
            "notes": list(self.notes),
            "patch": self.patch,
        }


def resolve(old: str, new: str, catalog: Catalog, written: Sequence[Document]) -> Rename:
    """What is meant by `old`: `performance`, `age_band`, `sex=male`, `class=cat`; or `KIND:NAME` where several things have the name.

    Raises:
        UnknownName: nothing has that name.
        FactbookError: several things have it, or the new name is taken or no name.
    """
    said, _, bare = unquote(old).partition(":")
    asked, bare = (said, bare) if said in KINDS and bare else ("", unquote(old))
    known = _known(catalog, written)
    of, equals, value = bare.partition("=")
    name = value if equals else bare
    if equals:
        new = new.removeprefix(f"{of}=")
    wanted = (f"{of}={name}" if equals else name).strip()
    meant = [kind for kind in KINDS if wanted in known[kind] and asked in ("", kind)]
    if not meant:
        raise UnknownName(asked or "name", wanted, set().union(*(known[kind] for kind in KINDS if asked in ("", kind))))
    if len(meant) > 1:
        choices = " or ".join(f"{kind}:{wanted}" for kind in meant)
        raise FactbookError(f"{wanted!r} is the name of several things: {', '.join(meant)}", remedy=f"say which: {choices}")
    return _allowed(Rename(meant[0], name, new, of if equals else ""), catalog)


def _allowed(rename: Rename, catalog: Catalog) -> Rename:
    """The renaming, if the new name can be one and nothing has it yet."""
    if not rename.new.strip() or rename.new == rename.old:
        raise FactbookError(f"{rename.new!r} is no other name", remedy="give the new name after the old one")
    if rename.kind in ("measurement", *_SECTIONS) and not _NAME.match(rename.new):
        raise FactbookError(f"{rename.new!r} is no name", remedy="a name has letters, digits, _ . and -, and begins with a letter")
    declared = _declared(catalog)[rename.kind]
    prefix = f"{rename.of}=" if rename.of else ""
    if prefix + rename.new in declared and prefix + rename.old in declared:
        raise FactbookError(f"there is a {rename.kind} {rename.new!r} already", remedy="two things cannot have one name; choose another")
    return rename


def _declared(catalog: Catalog) -> dict[str, set[str]]:
    """The names that factbook.yaml and the evidence hold, by kind."""
    manifest, keys = catalog.manifest, list(catalog.evidence)
    attributes = {name for source in manifest.sources.values() for name in source.by} | {name for key in keys for name in key.attributes}
    params = {pair for key in keys for pair in key.params}
    return {
        "measurement": set(manifest.plan) | set(catalog.evidence.records),
        "attribute": attributes,
        "group": {f"{name}={group}" for name in attributes for group in catalog.groups(name)},
        "parameter": {name for name, _ in params} | {f"{name}={value}" for name, value in params},
        **{kind: set(getattr(manifest, section)) for kind, section in _SECTIONS.items()},
    }


def _known(catalog: Catalog, written: Sequence[Document]) -> dict[str, set[str]]:
    """All names, those included that only documents and expressions still use."""
    known = _declared(catalog)
    for key in _cited(catalog, written):
        known["measurement"] |= {key.evidence} - {"derived"}
        known["attribute"] |= set(key.attributes)
        known["group"] |= {f"{name}={value}" for name, value in key.slice}
        known["parameter"] |= {name for name, _ in key.params} | {f"{name}={value}" for name, value in key.params}
    for document in written:
        for kind in ("claim", "gap", "policy", "declared"):
            known[kind] |= {link.name for link in document.bound(kind)}
    return known


def _cited(catalog: Catalog, written: Sequence[Document]) -> Iterable[Key]:
    for document in written:
        found = cited(document)
        yield from (key for key, _ in found.links)
        yield from (Key(evidence, metric, params, tuple((name, "") for name in by)) for evidence, metric, params, by in found.shown)
    texts = [(parse_claim(text).sides, text) for text in catalog.manifest.claims.values()]
    texts += [((parse_value(text),), text) for text in catalog.manifest.derived.values()]
    for nodes, _ in texts:
        yield from operands(*nodes)
    yield from (Key.parse(text) for text in catalog.manifest.thresholds)


def plan(rename: Rename, manifest: bytes, written: Sequence[Document]) -> Renamed:
    """What the renaming changes in factbook.yaml and the documents; nothing is written.

    Raises:
        ManifestError: factbook.yaml cannot be changed safely.
    """
    text, places = book_file.renamed(manifest.decode(), rename)
    changed = [Changed("factbook.yaml", manifest, text.encode(), places)] if places else []
    moved: dict[str, str] = {}
    for document in written:
        edits = list(documents.edits(document, rename))
        if edits:
            changed.append(Changed(document.name, document.source, documents.applied(document, edits), len(edits)))
        moved |= dict(pair for image in document.images if (pair := documents.renamed_chart(image, rename)))
    return Renamed(rename, tuple(changed), tuple(moved.items()), tuple(_notes(rename, written)))


def _notes(rename: Rename, written: Sequence[Document]) -> Iterator[str]:
    """What a renaming of this kind leaves to be done, as far as that is known beforehand."""
    if rename.kind == "parameter":
        yield "parameters are named by the data and the measure: where these changed, run `factbook measure`, then `factbook update`"
    old = rename.old.encode()
    behind = [document.name for document in written if any(old in document.source[part.start : part.end] for part in document.parts)]
    if behind:
        yield f"parts that are written from the book may name it: run `factbook update` ({', '.join(behind)})"


def follow(root: Path, found: Renamed, before: Manifest, after: Manifest) -> Iterator[str]:
    """Move evidence and pictures to their new names; what did not follow is said. The caller holds the lock of the book.

    Raises:
        EvidenceError: the evidence is damaged.
        StorageError: the book cannot be written.
    """
    rename = found.rename
    if rename.kind == "measurement" and (why := renamed.rename(root, before, after, rename.old, rename.new)):
        yield f"the evidence did not follow: {why}; run `factbook measure`"
    for old, new in found.moved:
        if (root / old).is_file() and not (root / new).exists():
            (root / old).replace(root / new)
