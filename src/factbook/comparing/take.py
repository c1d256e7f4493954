"""Reads what the book is compared with into its evidence, and says whether that is still what stands there."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from factbook import canon, manifest, revisions
from factbook.comparing import books, cards, pairing
from factbook.comparing.books import Opened
from factbook.comparing.page import Comparison
from factbook.documents.parse import Documents
from factbook.errors import DocumentError, UnknownName
from factbook.evidence import Evidence, State, quoted
from factbook.evidence.catalog import Catalog
from factbook.evidence.quoted import Quoted
from factbook.manifest import Compared, Manifest

VERSION: Final = 1
REGIMES: Final = ("model-cards",)
_STORE: Final = ".factbook"
_HELD: Final = ("documents/**/*.md", "evidence/*.json")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing to be read: its name, the entry of factbook.yaml that asks for it, and where it lies. `place` is the file of a card."""

    name: str
    entry: str
    said: Compared
    place: Path | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a quotation stands to what it was read from: fresh, stale, missing, or not judged."""

    name: str
    entry: str
    state: State
    reason: str = ""
    fix: str = "factbook measure"


def regimes_of(declared: Manifest) -> tuple[str, ...]:
    """The laws and standards that say what a card or book leaves unsaid: those of the book, else Model Cards."""
    return tuple(declared.regimes) or REGIMES


def wanted(root: Path, declared: Manifest) -> Iterator[Wanted]:
    """All that factbook.yaml compares the book with; a hub is every card in its folder."""
    taken: set[str] = set()
    for entry, said in declared.compared.items():
        if said.hub:
            for path in hub(root / said.hub):
                name = _unique(path.parent.name if path.stem.casefold() == "readme" else path.stem, taken)
                yield Wanted(name, entry, said, path)
        else:
            taken.add(entry)
            yield Wanted(entry, entry, said, root / said.card if said.card else None)


def hub(folder: Path) -> list[Path]:
    """The cards of a folder: its Markdown files, and the README.md of each folder in it."""
    return sorted([*folder.glob("*.md"), *folder.glob("*/README.md"), *folder.glob("*/*/README.md")])


def _unique(said: str, taken: set[str]) -> str:
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", said).strip("-.") or "card"
    base = base if base[0].isalpha() else f"card-{base}"
    name = next(name for number in range(1, len(taken) + 2) if (name := base if number == 1 else f"{base}-{number}") not in taken)
    taken.add(name)
    return name


def take(root: Path, declared: Manifest, catalog: Catalog, names: Iterable[str] = (), *, force: bool = False) -> list[tuple[Quoted, str]]:
    """Read what is missing or has changed, and keep it. Returns each with what was done: quoted, fresh.

    Raises:
        DocumentError: a card is not there or cannot be read, or a hub holds none.
        UnknownName: a book or revision is not there.
        StorageError: the book cannot be written.
    """
    chosen, found, own = set(names), list(wanted(root, declared)), dict[str, str]()
    for entry, said in declared.compared.items():
        if said.hub and not any(item.entry == entry for item in found):
            raise DocumentError(f"compared.{entry}: there is no card in {said.hub}", remedy="name a folder that holds Markdown files")
    done: list[tuple[Quoted, str]] = []
    states = {item.name: item.state for item in standings(root, declared, catalog)}
    for item in found:
        if chosen and not {item.name, item.entry} & chosen:
            continue
        kept = catalog.evidence.quoted.get(item.name)
        if kept is not None and not force and not item.said.revision and states[item.name] in (State.FRESH, State.NOT_JUDGED):
            done.append((kept, "fresh"))
            continue
        own = own or (books.rows(declared, root, root / _STORE) if _book(item.said) else {})
        now = read(root, item, regimes_of(declared), root / _STORE)
        now = replace(now, asked=asked(item.said, declared, catalog), own=own if _book(item.said) else {})
        quoted.write(root, now)
        done.append((now, "fresh" if now == kept else "quoted"))
    return done


def _book(said: Compared) -> bool:
    return not said.card and not said.hub


def read(root: Path, item: Wanted, regimes: Sequence[str], store: Path) -> Quoted:
    """One thing as it is now; nothing is kept.

    Raises:
        DocumentError: the card is not there or cannot be read.
        UnknownName: there is no such book or revision.
    """
    if item.place is not None:
        if not item.place.is_file():
            raise DocumentError(f"compared.{item.entry}: there is no file {item.said.card}", remedy="bring the card, or mend the path")
        shown = item.said.card or item.place.relative_to(root).as_posix()
        return cards.read(item.name, item.place, shown, regimes, item.entry, item.said)
    return _read_book(root, item, regimes, store)


def _read_book(root: Path, item: Wanted, regimes: Sequence[str], store: Path) -> Quoted:
    home = root / item.said.book if item.said.book else root
    with ExitStack() as held:
        place = held.enter_context(revisions.version(item.said.revision, home)) if item.said.revision else home
        if not (place / manifest.FILE).is_file():
            raise UnknownName("book", item.said.book, (), remedy=f"name a folder that holds {manifest.FILE}")
        book = opened(place)
        known = books.rows(book.manifest, home, store)
        shown = f"{item.said.book or '.'}{f' at {item.said.revision}' if item.said.revision else ''}"
        return replace(books.read(item.name, book, regimes, shown, item.entry, known), digest=_pin(place))


def opened(root: Path) -> Opened:
    """The book in a folder.

    Raises:
        ManifestError, EvidenceError: it cannot be read.
    """
    declared, _ = manifest.load(root)
    return Opened(root, declared, Catalog(declared, Evidence.load(root)), tuple(Documents(root, "documents")))


def _pin(place: Path) -> str:
    """The digest of what is read of a book: factbook.yaml, documents, evidence."""
    files = [place / manifest.FILE, *(path for pattern in _HELD for path in sorted(place.glob(pattern)))]
    return canon.digest([[path.relative_to(place).as_posix(), canon.hash_file(path)] for path in files])


def asked(said: Compared, declared: Manifest, catalog: Catalog) -> str:
    """The digest of what a quotation depends on besides what is quoted."""
    inputs = sorted({item.digest for record in catalog.evidence.records.values() for item in record.inputs.values()}) if _book(said) else []
    return canon.digest(
        {"version": VERSION, "said": said.model_dump(mode="json", exclude_defaults=True), "regimes": list(regimes_of(declared)), "inputs": inputs}
    )


def standings(root: Path, declared: Manifest, catalog: Catalog) -> Iterator[Standing]:
    """How each quotation stands to what it was read from, those that nobody asks for any more last."""
    kept: Mapping[str, Quoted] = catalog.evidence.quoted
    names = set[str]()
    for item in wanted(root, declared):
        names.add(item.name)
        yield _standing(root, item, kept.get(item.name), asked(item.said, declared, catalog), regimes_of(declared))
    for name, found in kept.items():
        entry = declared.compared.get(found.entry)
        if name not in names and entry is not None and entry.hub and (root / entry.hub).is_dir():
            yield Standing(name, found.entry, State.STALE, f"there is no card of that name in {entry.hub} any more", _delete(name))
        elif name not in names and entry is not None and entry.hub:
            yield Standing(name, found.entry, State.NOT_JUDGED, f"the folder {entry.hub} is not here")
        elif name not in names:
            yield Standing(name, found.entry, State.ORPHAN, "it is no longer compared", _delete(name))


def _delete(name: str) -> str:
    return f"delete {quoted.QUOTED}/{name}.json"


def _standing(root: Path, item: Wanted, found: Quoted | None, question: str, regimes: Sequence[str]) -> Standing:
    if found is None:
        return Standing(item.name, item.entry, State.MISSING, "it was not read yet")
    if found.asked != question:
        return Standing(item.name, item.entry, State.STALE, "what is asked of it changed, or the data of this book did")
    if item.said.revision:
        return Standing(item.name, item.entry, State.NOT_JUDGED, f"{found.source}: only `factbook measure` asks Git for a revision")
    home = item.place or root / item.said.book
    if not (home if item.place else home / manifest.FILE).is_file():
        return Standing(item.name, item.entry, State.NOT_JUDGED, f"the {found.kind} ({found.source}) is not here")
    if ("sha256:" + canon.hash_file(home) if item.place else _pin(home)) != found.digest:
        return Standing(item.name, item.entry, State.STALE, f"{found.source} changed since it was quoted")
    if not _unchanged(root, item, found, regimes):
        return Standing(item.name, item.entry, State.STALE, f"{quoted.QUOTED}/{item.name}.json does not hold what {found.source} says")
    return Standing(item.name, item.entry, State.FRESH)


def _unchanged(root: Path, item: Wanted, found: Quoted, regimes: Sequence[str]) -> bool:
    """Whether what was kept is what is read now, the data of a book left aside: so that nobody edits a quotation."""
    if item.place is not None:
        now = read(root, item, regimes, root / _STORE)
    else:
        known = {data.digest: data.rows for data in found.data.values()}
        now = books.read(item.name, opened(root / item.said.book), regimes, found.source, item.entry, known)
    return replace(now, digest=found.digest, asked=found.asked, own=found.own) == found


def compare(named: Sequence[str], home: Path, asked_for: tuple[str, ...] = ()) -> Comparison:
    """Things that were named on the spot, as they are now: nothing is kept.

    Raises:
        UnknownName: one is no book, revision, card or folder of cards.
        DocumentError: a card cannot be read, or there are fewer than two things.
    """
    found: list[Quoted] = []
    taken: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="factbook-") as store:
        for said in named:
            found += _named(said, home, asked_for or REGIMES, taken, Path(store))
        folders = [opened(Path(said)) for said in named if (Path(said) / manifest.FILE).is_file()]
        tests = pairing.tested(folders, Path(store))
    if len(found) < 2:
        raise DocumentError("there is nothing to compare with", remedy="name two or more books, revisions, cards or folders of cards")
    return Comparison(tuple(found), catalog=tests)


def _named(said: str, home: Path, regimes: Sequence[str], taken: set[str], store: Path) -> Iterator[Quoted]:
    """What was named: a card, a book, a folder of cards, or else a revision."""
    place = Path(said)
    if (place / manifest.FILE).is_file() or not place.exists():
        declared = Compared(book=said) if place.exists() else Compared(book=str(home), revision=said)
        name = _unique(place.resolve().name if place.exists() else said, taken)
        yield replace(_read_book(Path(), Wanted(name, "", declared), regimes, store), source=said)
        return
    cards_here = [place] if place.is_file() else hub(place)
    if not cards_here:
        raise UnknownName("book, card or folder of cards", said, (), remedy=f"name a folder that holds {manifest.FILE} or Markdown files")
    for path in cards_here:
        name = _unique(path.resolve().parent.name if path.stem.casefold() == "readme" else path.stem, taken)
        yield cards.read(name, path, path.as_posix(), regimes)
