"""Publishing changes a book's clothes and nothing else: one file per target; a file that defines `publish(publication, target)` is a target.

A target writes files into the folder `target` and returns their paths. It has no clock, no network and no settings of its own, so the same
publication gives the same bytes. What it cannot show (a missing image, a link to nothing) it says in the place where it would be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from factbook import shelf
from factbook.canon import write_atomic
from factbook.documents.parse import slug
from factbook.errors import MissingExtra, UnknownName
from factbook.manifest import Stage
from factbook.regimes.coverage import Material
from factbook.review.reviews import Reviews

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.evidence.catalog import Catalog
    from factbook.manifest import Manifest
    from factbook.regimes.coverage import Coverage
    from factbook.rules import Finding, Report

LIST: Final = ".factbook-{}"


@dataclass(frozen=True, slots=True)
class Row:
    """A finding, or something that was not judged: the rule or the thing, the place (`file:line:column`, '' for none) and what is said."""

    what: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that a target may show. `date` is the day of the newest measurement (UTC), None while nothing is measured; `coverages` are how the
    book stands to the laws and standards that it names, and `signed` what to print under a heading, by document and anchor ('' for the whole
    document): who vouches for it; `plan` says whether claims and thresholds were set before they were measured, and `reviews` are all sign-offs.
    """

    root: Path
    manifest: Manifest
    catalog: Catalog
    documents: tuple[Document, ...]
    findings: tuple[Row, ...]
    not_judged: tuple[Row, ...]
    date: dt.date | None
    version: str
    coverages: tuple[Coverage, ...] = ()
    signed: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    plan: str = ""
    reviews: Reviews | None = None

    def vouched(self, document: Document, words: str, *, first: bool) -> tuple[str, ...]:
        """Who vouches for the section under a heading; under the first one, for the document as well."""
        whole = self.signed.get((document.name, ""), ()) if first else ()
        return (*whole, *self.signed.get((document.name, slug(words)), ()))

    def draft(self, document: Document) -> str:
        """What to say of a draft; '' of what is none."""
        if self.manifest.stage is not Stage.DRAFT:
            return ""
        signed = any(name == document.name for name, _ in self.signed)
        return "Only what says so is signed." if signed else "Nobody has approved this document."


@dataclass(frozen=True, slots=True)
class Published:
    """What one target made: its files, the first of them the one to open; or why it could not be made."""

    target: str
    files: tuple[Path, ...] = ()
    skipped: str = ""


def publication(root: Path, catalog: Catalog, documents: Iterable[Document], report: Report, on: dt.date | None = None) -> Publication:
    """What targets may show of a book, with what the rules found and what they did not judge, and how it stands to laws and standards `on` a day;
    without a day nothing is said of them.
    """
    held = tuple(documents)
    reviews = Reviews(root, catalog, held)
    measured = [record.run.measured[:10] for record in catalog.evidence.records.values() if record.run is not None]
    return Publication(
        root=root,
        manifest=catalog.manifest,
        catalog=catalog,
        documents=held,
        findings=tuple(_finding(finding) for finding in report.findings),
        not_judged=tuple(Row(item.what, _place(item.file, item.line), item.why) for item in report.not_judged),
        date=dt.date.fromisoformat(max(measured)) if measured else None,
        version=version("factbook"),
        signed=reviews.lines(),
        plan=reviews.plan,
        reviews=reviews,
        coverages=tuple(_coverages(Material(catalog.manifest, catalog, held, reviews.signed), on)) if on else (),
    )


def _coverages(material: Material, on: dt.date) -> Iterator[Coverage]:
    """A law or standard that factbook.yaml misnames is left out: the check says so."""
    for name in material.manifest.regimes:
        with suppress(UnknownName):
            yield material.cover(name, on)


def put(target: str, shown: Publication, *, optional: bool) -> Published:
    """Publish to one target, into its folder of the book; where it is `optional` and needs a package that is missing, that is said.

    Raises:
        UnknownName: there is no such target.
        MissingExtra: it needs an optional package.
    """
    publisher = shelf.find("publish", target)
    try:
        return Published(target, tuple(publisher.publish(shown, shown.root / getattr(publisher, "FOLDER", f"dist/{target}"))))
    except MissingExtra as error:
        if not optional:
            raise
        return Published(target, skipped=error.remedy)


def _finding(finding: Finding) -> Row:
    return Row(f"{finding.code} {finding.name}", _place(finding.file, finding.line, finding.column), finding.message)


def _place(*parts: str | int) -> str:
    return ":".join(str(part) for part in parts if part)


def write(target: Path, name: str, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write the files of a target, by their paths relative to the folder, and delete what an earlier publication of this target left behind.

    A list of the files is kept in the folder; nothing that is not on it is ever deleted.

    Raises:
        StorageError: the folder cannot be written.
    """
    kept = target / LIST.format(name)
    before = kept.read_text(encoding="utf-8").splitlines() if kept.is_file() else []
    write_atomic(kept, "".join(f"{file}\n" for file in sorted({*files, *before})).encode())
    for file, data in files.items():
        write_atomic(target / file, data)
    for file in set(before) - set(files):
        path = target / file
        if path.resolve().is_relative_to(target.resolve()):
            path.unlink(missing_ok=True)
    write_atomic(kept, "".join(f"{file}\n" for file in sorted(files)).encode())
    return tuple(target / file for file in files)
