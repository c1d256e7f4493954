"""Measures what the plan asks for and is missing or out of date, as make does; and says how fresh the evidence is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from factbook import canon, measures, shelf, sources
from factbook.errors import EvidenceError, UnknownName
from factbook.evidence import runs, store
from factbook.evidence.locking import STORE, lock
from factbook.evidence.store import Evidence, Record
from factbook.manifest import Manifest, Planned
from factbook.model import Progress, silent

_EDITED: Final = "changed since it was measured, or merged"


class State(StrEnum):
    """How evidence stands to the plan and the sources."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    NOT_JUDGED = "not-judged"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether one measurement is up to date, and why not."""

    name: str
    state: State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `measure_plan` did for one measurement: `state` is measured, fresh, absent (a source is not here) or orphan (no longer planned)."""

    name: str
    state: str
    facts: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    reason: str = ""


def measure_plan(
    root: Path,
    manifest: Manifest,
    *,
    force: bool = False,
    names: Iterable[str] = (),
    rehash: bool = False,
    wait: float = 20.0,
    progress: Progress = silent,
) -> list[Outcome]:
    """Measure what is missing or out of date; with `force`, everything named. Evidence that is no longer planned is reported, never deleted.

    Raises:
        UnknownName: a name is not planned.
        SourceError, MeasureError: a measurement cannot be made; those before it are kept.
        BookLocked: another process writes to the book.
        StorageError: the book cannot be written.
    """
    chosen = tuple(names) or tuple(manifest.plan)
    for name in chosen:
        if name not in manifest.plan:
            raise UnknownName("planned measurement", name, manifest.plan)
    with lock(root, wait=wait, progress=progress):
        _tidy(root)
        outcomes = [_measure(root, manifest, name, force=force, rehash=rehash, progress=progress) for name in chosen]
        orphans = [Outcome(name, "orphan", reason=_orphan(name)) for name in store.names(root) if name not in manifest.plan]
    return outcomes + (orphans if not names else [])


def _tidy(root: Path) -> None:
    """Remove the temporary files of processes that were killed; the lock is held, so they are nobody's."""
    for folder in (root / store.FOLDER, root / store.FOLDER / runs.FOLDER):
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)


def _measure(root: Path, manifest: Manifest, name: str, *, force: bool, rehash: bool, progress: Progress) -> Outcome:
    planned = manifest.plan[name]
    absent = absent_sources(root, manifest, planned, rehash=rehash)
    if absent:
        return Outcome(name, "absent", reason=absent)
    record, damage = _stored(root, name)
    stale = "forced" if force else damage or "; ".join(_differences(root, manifest, name, record, rehash=rehash))
    if record is not None and not stale:
        return Outcome(name, "fresh")
    began = time.perf_counter()
    measured = measures.run(name, planned, manifest, root, root / STORE, progress)
    seconds = time.perf_counter() - began
    run = runs.here(root, rows=sum(item.rows for item in measured.inputs.values()), seconds=seconds, warnings=measured.warnings)
    store.write(
        root,
        replace(measured, params=planned.params),
        run,
        slices=planned.by,
        declarations={role: sources.declaration(manifest.sources[item.source]) for role, item in measured.inputs.items()},
        level=str(manifest.level),
        suppress_below=manifest.suppress_below,
    )
    return Outcome(name, "measured", len(measured.facts), seconds, measured.warnings, stale)


def _stored(root: Path, name: str) -> tuple[Record | None, str]:
    if not store.path(root, name).exists():
        return None, ""
    try:
        return store.read(root, name)[0], ""
    except EvidenceError as error:
        return None, f"damaged: {error.message}"


def absent_sources(root: Path, manifest: Manifest, planned: Planned, *, rehash: bool = False) -> str:
    """Which sources of a planned measurement are not here, as one text; '' if all are."""
    named = [value for value in planned.params.values() if isinstance(value, str) and value in manifest.sources]
    absent = [name for name in dict.fromkeys(named) if _digest(root, manifest, name, rehash=rehash) is None]
    return "; ".join(f"source {name} ({manifest.sources[name].uri}) is not here" for name in absent)


def _digest(root: Path, manifest: Manifest, source: str, *, rehash: bool) -> str | None:
    return sources.digest(manifest.sources[source], root, root / STORE, rehash=rehash)


def freshness(root: Path, manifest: Manifest, evidence: Evidence, *, rehash: bool = False) -> list[Freshness]:
    """How fresh each planned measurement is, in the order of the plan, then evidence that is no longer planned.

    Evidence over a source that is not here is not judged: nobody can say whether the source has changed.
    """
    judged = [_judge(root, manifest, name, evidence.records.get(name), rehash=rehash) for name in manifest.plan]
    orphans = [Freshness(name, State.ORPHAN, _orphan(name)) for name in sorted(evidence.records) if name not in manifest.plan]
    return judged + orphans


def _judge(root: Path, manifest: Manifest, name: str, record: Record | None, *, rehash: bool) -> Freshness:
    absent = absent_sources(root, manifest, manifest.plan[name], rehash=rehash)
    if record is None:
        return Freshness(name, State.MISSING, absent or f"not measured yet: factbook measure {name}")
    differences = list(_differences(root, manifest, name, record, rehash=rehash))
    if differences:
        return Freshness(name, State.STALE, "; ".join(differences))
    if absent:
        return Freshness(name, State.NOT_JUDGED, absent)
    return Freshness(name, State.FRESH, f"merged from {record.runs} runs" if record.runs > 1 else "")


def _orphan(name: str) -> str:
    return f"evidence/{name}.json is no longer in the plan of factbook.yaml; delete it or plan it again"


def _differences(root: Path, manifest: Manifest, name: str, record: Record | None, *, rehash: bool) -> Iterator[str]:
    """In what the evidence differs from what the plan and the sources would give now."""
    if record is None:
        return
    planned = manifest.plan[name]
    if record.measure != planned.measure:
        yield f"the measure was {record.measure}, now {planned.measure}"
        return
    if record.version != (current := version(planned.measure)):
        yield f"the measure {planned.measure} has version {current}, it was {record.version}"
    if canon.dumps(record.params) != canon.dumps(planned.params):
        yield "its parameters changed"
    if set(record.slices) != set(planned.by):
        yield "its slices changed"
    if record.level != str(manifest.level):
        yield f"the level is {manifest.level}, it was {record.level}"
    if record.suppress_below != manifest.suppress_below:
        yield f"suppress_below is {manifest.suppress_below}, it was {record.suppress_below}"
    yield from _source_differences(root, manifest, record, rehash=rehash)
    yield from _run_differences(record)


def _source_differences(root: Path, manifest: Manifest, record: Record, *, rehash: bool) -> Iterator[str]:
    for item in record.inputs.values():
        source = manifest.sources.get(item.source)
        if source is None:
            yield f"source {item.source} is no longer declared"
            continue
        if item.declaration and item.declaration != sources.declaration(source):
            yield f"the declaration of source {item.source} changed"
        found = _digest(root, manifest, item.source, rehash=rehash)
        if found is not None and found != item.digest:
            yield f"the data of source {item.source} changed"


def _run_differences(record: Record) -> Iterator[str]:
    if record.unvouched:
        first, more = record.unvouched[0], len(record.unvouched) - 1
        yield f"{_EDITED}: no run record vouches for {first}{f' and {more} more' if more else ''}"
    elif record.run is None:
        yield f"{_EDITED}: it has no run record"


def version(measure: str) -> int:
    """The declared VERSION of a measure.

    Raises:
        UnknownName: there is no such measure.
    """
    return int(shelf.find("measures", measure).VERSION)
