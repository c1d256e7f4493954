"""The only facade: one short method for each verb. `factbook.Book` is what a program uses, and the command line as well."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from factbook import manifest as manifests
from factbook import shelf
from factbook.canon import new_folder, write_atomic
from factbook.errors import BookExists, DocumentError, UnknownName
from factbook.model import Fact, Progress, silent

if TYPE_CHECKING:
    from factbook.binding import Bound
    from factbook.canon import Lines
    from factbook.comparing.page import Comparison
    from factbook.differences import Difference
    from factbook.documents.parse import Document
    from factbook.evidence.catalog import Catalog
    from factbook.evidence.plan import Freshness, Outcome
    from factbook.evidence.sessions import Session
    from factbook.manifest import Manifest
    from factbook.publish import Published
    from factbook.regimes.coverage import Coverage
    from factbook.renaming import Renamed
    from factbook.review.reviews import Reviews
    from factbook.review.signing import Signing
    from factbook.rules import Report
    from factbook.rules.fixing import Fixed
    from factbook.rules.readers import Reading
    from factbook.rules.style import Style

DOCUMENTS: Final = "documents"
FIRST: Final = "model-card"
ROWS: Final = "data/predictions.parquet"


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did: measured, checked, and, unless the check failed, published."""

    outcomes: tuple[Outcome, ...]
    report: Report
    published: tuple[Published, ...]


class Book:
    """A book: a folder with a factbook.yaml, documents and the evidence that they cite.

    Raises:
        ManifestError: there is no book in the folder, or its factbook.yaml cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str] = ".", *, progress: Progress = silent) -> None:
        self.root = Path(path)
        self.progress = progress
        self.drafts: dict[str, bytes] = {}
        self.manifest: Manifest
        self.lines: Lines
        self.manifest, self.lines = manifests.load(self.root)

    @cached_property
    def catalog(self) -> Catalog:
        """All that the book knows: its facts, claims, gaps, policies and declared numbers."""
        from factbook.evidence import Evidence
        from factbook.evidence.catalog import Catalog

        return Catalog(self.manifest, Evidence.load(self.root))

    def _forget(self) -> None:
        """The evidence changed: the catalog is read again when it is next asked for."""
        self.__dict__.pop("catalog", None)

    def _reload(self) -> None:
        """factbook.yaml changed."""
        self.manifest, self.lines = manifests.load(self.root)
        self._forget()

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents, by name, as they are on the disk now; those in `drafts` as an editor holds them."""
        from factbook.documents import parse

        return tuple(parse.Documents(self.root, DOCUMENTS, self.drafts))

    @classmethod
    def init(cls, path: str | os.PathLike[str], *, progress: Progress = silent, rows: Path | None = None, **said: Any) -> tuple[Book, list[str]]:
        """Start a book over existing predictions: measure them and begin a model card. `said` are the fields of `start.Predictions`;
        `data` may be a frame (pandas, Polars, DuckDB, Arrow), whose rows become a file of the book, and `rows` a file to take into the book.

        Returns the book and what was inferred to make it. Nothing is left behind where this fails.

        Raises:
            BookExists: there is something at `path` already.
            SourceError, ManifestError: the predictions cannot be used as was said.
        """
        from factbook import sources, start

        with new_folder(Path(path).absolute()) as folder:
            frame = said.get("data", "")
            if rows is not None:
                (folder / ROWS).parent.mkdir()
                shutil.copyfile(rows, folder / ROWS)
            elif not isinstance(frame, str | os.PathLike):
                sources.write(frame, folder / ROWS)
            if (folder / ROWS).exists():
                said["data"] = str(Path(path).absolute() / ROWS)
            proposal = start.propose(start.Predictions(**said), Path(path).absolute(), folder)
            book = cls._begin(folder, proposal.text, progress)
            book.measure()
            book.new(FIRST)
        made = cls(path, progress=progress)
        made.__dict__["catalog"] = book.catalog  # read already, and the same in its new place
        return made, proposal.notes

    @classmethod
    def demo(cls, path: str | os.PathLike[str], *, progress: Progress = silent) -> tuple[Book, Built]:
        """The whole way on real data: train a model, log its predictions, document, check and publish it. Where the demo is
        already, it is only built again.

        Raises:
            MissingExtra: scikit-learn is not installed.
            BookExists: there is something else at `path`.
        """
        from factbook import demo

        if not demo.made(Path(path)):
            with new_folder(Path(path).absolute()) as folder:
                demo.log(folder)
                book = cls._begin(folder, demo.manifest(), progress)
                book.measure()
                for kind in demo.KINDS:
                    book.new(kind, answers=demo.answers(kind))
        book = cls(path, progress=progress)
        return book, book.build()

    @classmethod
    def _begin(cls, folder: Path, manifest: str, progress: Progress) -> Book:
        from factbook import start

        (folder / DOCUMENTS).mkdir()
        write_atomic(folder / manifests.FILE, manifest.encode())
        for name, text in start.files().items():
            write_atomic(folder / name, text.encode())
        return cls(folder, progress=progress)

    def new(self, kind: str, *, name: str = "", answers: Mapping[str, str] | None = None) -> tuple[Path, ...]:
        """Begin a document of a kind: its facts bound and filled, its charts drawn, its open questions numbered. Written parts of other documents
        that follow from it, such as a glossary or a lineage, are brought up to date; nothing else in them changes.

        Returns the new document, then the others that changed.

        Raises:
            UnknownName: there is no such kind.
            BookExists: there is a document of that name.
            BookLocked: another process writes to the book.
        """
        from factbook import updating
        from factbook.evidence import lock

        path = self.root / DOCUMENTS / f"{name or kind}.md"
        if path.parent.resolve() != (self.root / DOCUMENTS).resolve():
            raise DocumentError(f"{name!r} is no name for a document", remedy="give a plain name; it becomes documents/NAME.md")
        if path.exists():
            raise BookExists(path, "give the new one another name: --name NAME")
        with lock(self.root):
            return updating.begin(self.root, path.relative_to(self.root).as_posix(), kind, self.catalog, self.documents, answers)

    @staticmethod
    def new_kind(kind: str, folder: str | os.PathLike[str] = "") -> tuple[Path, ...]:
        """Begin a kind of document of your own, in the pack that `folder` is, or in a new one there (NAME-pack where nothing is said).

        Raises:
            DocumentError: the name is none for a kind, or the folder's none for a package.
            BookExists: the pack has that kind.
        """
        from factbook.documents import packs

        return packs.begin(kind, Path(folder or f"{kind}-pack"))

    def measure(
        self,
        names: str | Sequence[str] = (),
        *,
        force: bool = False,
        rehash: bool = False,
        add: str | os.PathLike[str] = "",
        source: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> tuple[Outcome, ...]:
        """Measure what the plan asks for and is missing or out of date.

        Args:
            names: only these measurements of the plan.
            force: even what is up to date.
            rehash: read every source again, even where size and time have not changed.
            add: a file to make a further part of a source; only it is counted.
            source: which source gets it; may be left out where only one takes files.
            data: rows for sources, by name: pandas or Polars frames, DuckDB relations, Arrow tables or readers. They become the Parquet file that
                the source names in `uri`.

        Raises:
            SourceError, MeasureError: a measurement cannot be made; those before it are kept.
            BookLocked: another process writes to the book.
        """
        from factbook import start
        from factbook.evidence import adding, lock, measure_plan

        with lock(self.root, progress=self.progress) if data else nullcontext():
            for name, frame in (data or {}).items():
                self._write(name, frame)
        if os.fspath(add):
            uri = start.relative(os.fspath(add), self.root)
            try:
                with adding.added(self.root, self.manifest, uri, source, self.progress):
                    self._reload()
                    return self.measure(names, force=force, rehash=rehash)
            finally:
                self._reload()
        chosen = (names,) if isinstance(names, str) and names else tuple(names)
        others = self._others() if chosen and self.manifest.compared else frozenset()
        planned = tuple(name for name in chosen if name in self.manifest.plan or name not in others)
        outcomes = (
            []
            if chosen and not planned
            else measure_plan(self.root, self.manifest, force=force, names=planned, rehash=rehash, progress=self.progress)
        )
        self._forget()
        if self.manifest.compared and (not chosen or len(planned) < len(chosen)):
            outcomes += self._quote([name for name in chosen if name not in planned], force=force)
        return tuple(outcomes)

    def _others(self) -> frozenset[str]:
        """The names of what the book is compared with, and of the entries of factbook.yaml that ask for it."""
        from factbook.comparing import take

        return frozenset(name for item in take.wanted(self.root, self.manifest) for name in (item.name, item.entry))

    def _quote(self, names: Sequence[str], *, force: bool) -> list[Outcome]:
        """Read what the book is compared with."""
        from factbook.comparing import take
        from factbook.evidence import Outcome, lock

        with lock(self.root, progress=self.progress):
            found = take.take(self.root, self.manifest, self.catalog, names, force=force)
        self._forget()
        return [Outcome(item.name, state, len(item.figures)) for item, state in found]

    def _write(self, name: str, frame: Any) -> None:
        """The rows of a frame as the file of a source."""
        from factbook import sources

        if name not in self.manifest.sources:
            raise UnknownName("source", name, self.manifest.sources)
        sources.write(frame, self.root / self.manifest.sources[name].uri)

    def update(self) -> tuple[Path, ...]:
        """Bring numbers, tables, charts and written parts of the documents up to the book; returns the files that changed. Words stay as they are.

        Raises:
            BookLocked: another process writes to the book.
        """
        from factbook import updating
        from factbook.evidence import lock

        with lock(self.root):
            return updating.bring_up(self.root, updating.by_name(*self.documents), self.catalog)

    def run(self, name: str, *, time_limit: float | None = None) -> Session:
        """Run the code of a document, in a copy of the book and in a process of its own; its output is shown after each block, and what it
        records becomes evidence of the document's name. Only this runs code of a book.

        Raises:
            UnknownName: there is no such document.
            DocumentError: it holds no code to run, or its name is taken.
        """
        from factbook.documents import executable, running

        document = self._document(name)
        limit = executable.time_limit(document) if time_limit is None else time_limit
        session, _ = running.run(self.root, self.manifest, document, limit, self.progress)
        self._forget()
        return session

    def notebook(self, name: str | os.PathLike[str], *, force: bool = False) -> Path:
        """A document as a Jupyter notebook, in dist/notebook/; or a notebook (FILE.ipynb) as a document of its name. Nothing is lost on the way.

        Raises:
            UnknownName: there is no such document.
            DocumentError: the file is no notebook.
            BookExists: a document of the notebook's name says something else, and `force` does not say that it is to be replaced.
        """
        from factbook.documents import notebooks

        if Path(name).suffix == ".ipynb":
            path, text = self.root / DOCUMENTS / f"{Path(name).stem}.md", notebooks.markdown(Path(name))
            if path.exists() and path.read_bytes() != text and not force:
                raise BookExists(path, "look at both; --force replaces it, and another name of the notebook makes another document")
            write_atomic(path, text)
            return path
        document = self._document(os.fspath(name))
        path = self.root / "dist" / "notebook" / f"{Path(document.name).stem}.ipynb"
        write_atomic(path, notebooks.notebook(document, self.catalog.evidence.sessions.get(Path(document.name).stem)))
        return path

    def _document(self, name: str) -> Document:
        """A document by its path in the book, or by its name without folder and ending.

        Raises:
            UnknownName: there is none.
        """
        known = {item.name: item for item in self.documents}
        known |= {Path(item.name).stem: item for item in known.values()}
        if name not in known:
            raise UnknownName("document", name, known)
        return known[name]

    def freshness(self, *, rehash: bool = False, servers: str = "skip") -> list[Freshness]:
        """How fresh each planned measurement is. Servers are not asked, unless `servers` is `ask`; with `last`, their last answer will do."""
        from factbook.evidence import freshness

        return freshness(self.root, self.manifest, self.catalog.evidence, rehash=rehash, servers=servers)

    def check(self, *, require_sources: bool = False, rehash: bool = False, on: dt.date | None = None, servers: str = "") -> Report:
        """Check every document against the evidence, as of a day (today where none is given); nothing is changed.

        What was found in a document that nothing touched since is remembered in .factbook/; with `rehash` everything is judged again.

        Servers are asked for their rows where sources are required or read again, or `servers` says so; see `freshness`.
        """
        from factbook import rules
        from factbook.documents import parse

        fresh = self.freshness(rehash=rehash, servers=servers or ("ask" if rehash or require_sources else "skip"))
        documents = parse.Documents(self.root, DOCUMENTS, self.drafts)
        day = on or dt.date.today()
        return rules.judge(self.root, self.manifest, self.lines, self.catalog, documents, fresh, require_sources, day, remember=not rehash)

    def readers(self) -> list[Reading]:
        """For whom each document is written and how hard it is to read: information, which blocks nothing."""
        from factbook import rules
        from factbook.rules.readers import readings

        return readings(rules.Checked(self.root, self.manifest, self.lines, self.catalog, self.documents, ()))

    def written(self, report: Report, form: str) -> str:
        """What a check found, in a form for other programs: sarif, junit, github, markdown.

        Raises:
            UnknownName: there is no such form.
        """
        return str(shelf.find("reports", form).write(report, self.root))

    def build(self, targets: Sequence[str] = (), *, rehash: bool = False) -> Built:
        """Measure, check and, unless the check fails, publish: into site/ the pages, into dist/ everything else.

        Raises:
            UnknownName: there is no such target.
            MissingExtra: a target that was named needs an optional package.
        """
        from factbook import publish

        known = shelf.modules("publish")
        for name in targets:
            if name not in known:
                raise UnknownName("target", name, known)
        outcomes = self.measure(rehash=rehash)
        report = self.check(servers="last")
        chosen = tuple(targets) or tuple(known)
        if report.failed:
            return Built(outcomes, report, ())
        shown = publish.publication(self.root, self.catalog, self.documents, report, dt.date.today())
        return Built(outcomes, report, tuple(publish.put(name, shown, optional=not targets) for name in chosen))

    def fix(self, *, dry: bool = False) -> tuple[Fixed, ...]:
        """Put the safe fixes of what a check finds in place; returns the documents that change. With `dry`, nothing is written.

        Raises:
            BookLocked: another process writes to the book.
        """
        from factbook.evidence import lock
        from factbook.rules.fixing import fixed

        with nullcontext() if dry else lock(self.root):
            findings = self.check().findings
            changed = tuple(fixed(document.name, document.source, findings) for document in self.documents)
            changed = tuple(item for item in changed if item.findings)
            for item in () if dry else changed:
                write_atomic(self.root / item.file, item.after)
        return changed

    @property
    def style(self) -> Style:
        """The organisation's words and bounds: style.yaml.

        Raises:
            ManifestError: it cannot be used.
        """
        from factbook.rules.style import load

        return load(self.root)

    def vale(self) -> dict[str, str]:
        """The rules of words as a style for Vale: its files, by path."""
        from factbook.rules import vale

        return vale.files(self.style)

    def coverage(self, regime: str, *, on: dt.date | None = None) -> Coverage:
        """The book against a regime, item by item, as of a day (today where none is given). Also written to dist/coverage/.

        Raises:
            UnknownName: there is no such regime, or factbook.yaml names a class or an item that it does not have.
        """
        from factbook.regimes.coverage import Material, page

        material = Material(self.manifest, self.catalog, self.documents, self.reviews.signed)
        found = material.cover(regime, on or dt.date.today())
        path = self.root / "dist" / "coverage" / f"{regime}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, page(found).encode())
        return found

    @property
    def reviews(self) -> Reviews:
        """The sign-offs of the book as it is on the disk now: what stands, what fell and why, and who is still to be asked.

        Raises:
            ManifestError: a public key in factbook.yaml cannot be read, or two people have the same one.
        """
        from factbook.documents import parse
        from factbook.review.reviews import Reviews

        return Reviews(self.root, self.catalog, parse.Documents(self.root, DOCUMENTS, self.drafts))

    def sign(
        self,
        document: str,
        key: str | os.PathLike[str],
        *,
        person: str,
        role: str,
        meaning: str = "approved",
        section: str = "",
        note: str = "",
        tolerance: Sequence[str] = (),
        time: dt.datetime | None = None,
        passphrase: Callable[[], str] | None = None,
    ) -> tuple[Path, ...]:
        """Sign a document, or the section under a heading; `policy` signs the present `review` of factbook.yaml as the successor of those before,
        `plan` what is to be measured, claimed and required.

        Args:
            document: its path in the book, or its name.
            key: the file of a private Ed25519 key (OpenSSH or PEM); `passphrase` is asked where it is encrypted.
            person: somebody whom factbook.yaml names.
            role: one of their roles.
            meaning: authored, reviewed, approved, risk accepted or rejected; the last two need a `note`.
            section: a heading; the whole document where nothing is said.
            note: why.
            tolerance: by how much figures may move: `0.02`, `5%`, `counts=5%`, `KEY=0.02`.
            time: when it was signed; now where nothing is said.
            passphrase: how to ask for it.

        Raises:
            UnknownName: there is no such document, section, person or role.
            FactbookError: the document does not check clean, the key is not the person's, or it cannot be opened.
            BookLocked: another process writes to the book.
        """
        from factbook.evidence import lock
        from factbook.review import keys, signing

        signer = keys.private(Path(key), passphrase)
        own = signing.signing(person, role, meaning, signer, note, tuple(tolerance), time)
        with lock(self.root):
            files = self._signed(document, section, own)
            for name, data in files:
                write_atomic(self.root / name, data)
        return tuple(self.root / name for name, _ in files)

    def _signed(self, name: str, section: str, own: Signing) -> list[tuple[str, bytes]]:
        from factbook.review import signing

        if name == "policy":
            return [signing.sign_policy(self.reviews.bench, own, before) for before in self.reviews.before(own)]
        if name == "plan":
            return [signing.sign_plan(self.reviews.bench, own)]
        document = self._document(name)
        signing.refuse_unclean(document.name, self.check().findings, own.meaning)
        return [signing.sign(self.reviews.bench, document, section, own)]

    def bind(self, path: str | os.PathLike[str], *, write: bool = False) -> Bound:
        """Propose facts for the numbers of a document that was written without factbook, wherever it lies; nothing is changed.

        With `write` the bound text becomes a document of the book: the file itself where it lies in documents/, else a copy of it there.

        Raises:
            DocumentError: the file is no Markdown in UTF-8.
            BookExists: there is a document of that name.
        """
        from factbook import binding, rules
        from factbook.documents import parse

        place, home = Path(path), (self.root / DOCUMENTS).resolve()
        if not place.is_file():
            raise DocumentError(f"there is no file {place}", remedy="name a Markdown file, such as a model card")
        own = place.resolve().is_relative_to(home)
        document = parse.read(place.resolve(), home.parent if own else place.resolve().parent)
        checked = rules.Checked(self.root, self.manifest, self.lines, self.catalog, (document,), ())
        bound = binding.bind(document, checked, place.as_posix())
        target = place if own else self.root / DOCUMENTS / place.name
        if write and not own and target.exists():
            raise BookExists(target, "rename the file, or move the document away")
        if write:
            write_atomic(target, bound.after)
        return bound

    def rename(self, old: str, new: str, *, dry_run: bool = False) -> Renamed:
        """Give a name another name wherever it stands: a measurement, an attribute, `attribute=group`, a parameter, a claim, a derived fact, a gap,
        a policy or a declared number. `KIND:NAME` says which where several have it. Nothing is written with `dry_run`.

        Raises:
            UnknownName: nothing has that name.
            FactbookError: several things have it, or the new name is taken.
            BookLocked: another process writes to the book.
        """
        from factbook import renaming, updating
        from factbook.evidence import lock

        rename = renaming.resolve(old, new, self.catalog, self.documents)
        found = renaming.plan(rename, (self.root / manifests.FILE).read_bytes(), self.documents)
        if dry_run:
            return found
        stale = self._stale()
        with lock(self.root):
            before = self.manifest
            for item in found.changed:
                write_atomic(self.root / item.file, item.after)
            self._reload()
            notes = [*found.notes, *renaming.follow(self.root, found, before, self.manifest)]
            self._forget()
            if rename.kind == "measurement":
                updating.draw(self.root, self.documents, self.catalog)
        if behind := sorted(self._stale() - stale):
            notes.append(f"out of date now: {', '.join(behind)}; run `factbook measure`, then `factbook update` for tables and charts")
        return replace(found, notes=tuple(notes))

    def _stale(self) -> frozenset[str]:
        """The measurements whose evidence is out of date."""
        return frozenset(item.name for item in self.freshness() if item.state == "stale")

    def facts(self, pattern: str = "") -> tuple[Fact, ...]:
        """The facts whose key is `pattern`, or matches it as a pattern of `*` and `?`; all of them without one.

        A pattern that is the key of a fact means that fact, even though keys hold question marks.

        Raises:
            UnknownName: the pattern holds no `*`, and there is no fact of that name.
        """
        return tuple(self.catalog.matching(pattern))


def diff(before: str | os.PathLike[str], after: str | os.PathLike[str] = "", *, book: str | os.PathLike[str] = ".") -> Difference:
    """What changed between two versions of a book: folders, or Git revisions of the one in `book`; `after` is `book` as it is now where not given.

    Raises:
        UnknownName: a version is neither a folder with a book nor a revision.
        ManifestError, EvidenceError: a version cannot be read.
    """
    from factbook import differences, revisions

    def read(said: str, root: Path) -> differences.Version:
        found = Book(root)
        return differences.Version(said, found.catalog, found.documents, found.reviews)

    first, second = os.fspath(before), os.fspath(after)
    with revisions.version(first, Path(book)) as old, revisions.version(second or os.fspath(book), Path(book)) as new:
        return differences.compare(read(first, old), read(second or "the book as it is now", new))


def compare(*things: str | os.PathLike[str], book: str | os.PathLike[str] = ".", regimes: Sequence[str] = ()) -> Comparison:
    """Books, versions and published cards beside each other: folders of books, Git revisions of the one in `book`, Markdown files, folders of cards.

    Raises:
        UnknownName: one of them is none of these.
        DocumentError: a card cannot be read, or there are fewer than two to compare.
    """
    from factbook.comparing import take

    return take.compare([os.fspath(thing) for thing in things], Path(book), tuple(regimes))


def spelled(fact: Fact) -> str:
    """A fact in words and digits, as documents write it: `19.5 % (95 % CI 14.9–25.1)`."""
    from factbook.documents.spelling import spell

    return spell(fact)
