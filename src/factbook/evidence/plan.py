"""Measures what the plan asks for and is missing or out of date, as make does; and says how fresh the evidence is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from factbook import canon, measures, sources
from factbook.engines import kept
from factbook.errors import EvidenceError, FactbookError, SourceAbsent, UnknownName
from factbook.evidence import assumed, folders, history, runs, sessions, store
from factbook.evidence.locking import STORE, lock
from factbook.evidence.store import Evidence, Record
from factbook.manifest import Manifest, Planned
from factbook.model import Progress, silent


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
    """What `measure_plan` did for one measurement: `state` is measured, fresh, absent (a source is not here), orphan (no longer planned) or
    quoted (somebody else's figures).
    """

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
    ran = folders.names(root, sessions.SESSIONS)
    with lock(root, wait=wait, progress=progress):
        _tidy(root)
        plan = _Plan(root, manifest, rehash=rehash, servers=sources.Servers.ASK)
        outcomes = [plan.measure(name, force=force, progress=progress) for name in assumed.ordered(manifest, chosen)]
        orphans = [Outcome(name, "orphan", reason=_orphan(name)) for name in store.names(root) if name not in manifest.plan and name not in ran]
    return outcomes + (orphans if not names else [])


def _tidy(root: Path) -> None:
    """Remove the temporary files of processes that were killed; the lock is held, so they are nobody's."""
    for folder in (root / store.FOLDER, root / runs.FOLDER):
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)
    kept.tidy(root / STORE)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the plan asks for now: all that decides whether evidence is out of date, other than the bytes of the sources."""

    measure: str
    version: int
    params: Mapping[str, Any]
    slices: tuple[tuple[str, ...], ...]
    level: str
    suppress_below: int
    sources: Mapping[str, str]
    declarations: Mapping[str, str]
    context: str


def _wanted(manifest: Manifest, name: str, planned: Planned) -> _Wanted:
    rest = measures.identity(name, planned, manifest)
    slices, level, below, declared = (rest.pop(item) for item in ("by", "level", "suppress_below", "declared"))
    return _Wanted(
        measure=planned.measure,
        version=measures.version(planned.measure),
        slices=tuple(sorted(tuple(item) for item in slices)),
        level=str(level),
        suppress_below=int(below),
        sources={role: str(planned.params[role]) for role in declared},
        declarations=declared,
        context=canon.digest(rest.pop("published")),
        params=rest,
    )


def context(manifest: Manifest, name: str) -> str:
    """The digest of what else is published of the sources of a planned measurement, on which its suppression depends."""
    return _wanted(manifest, name, manifest.plan[name]).context


def freshness(root: Path, manifest: Manifest, evidence: Evidence, *, rehash: bool = False, servers: str = "skip") -> list[Freshness]:
    """How fresh each planned measurement is, in the order of the plan, then evidence that is no longer planned.

    Evidence over a source that is not here is not judged: nobody can say whether the source has changed. No more is a source on a server,
    unless `servers` says to `ask` it, or that its `last` answer will do.
    """
    plan = _Plan(root, manifest, rehash=rehash, servers=sources.Servers(servers))
    judged = [plan.judge(name, evidence.records.get(name)) for name in manifest.plan]
    left = sorted(set(evidence.records) - set(manifest.plan) - set(evidence.sessions))
    orphans = [Freshness(name, State.ORPHAN, _orphan(name)) for name in left]
    return judged + orphans


def _orphan(name: str) -> str:
    return f"evidence/{name}.json is no longer in the plan of factbook.yaml; delete it or plan it again"


class _Plan:
    """The plan of a book against its sources as they are now; each source is hashed once."""

    def __init__(self, root: Path, manifest: Manifest, *, rehash: bool, servers: sources.Servers) -> None:
        self.root, self.manifest, self.rehash, self.servers = root, manifest, rehash, servers
        self._digests: dict[str, str | None] = {}
        self._reasons: dict[str, str] = {}

    def digest(self, name: str) -> str | None:
        """The digest of a source's bytes; None if it is not here."""
        if name not in self._digests:
            source = self.manifest.sources[name]
            try:
                found = sources.digest(source, self.root, self.root / STORE, rehash=self.rehash, servers=self.servers)
                self._reasons[name] = f"({source.uri}) is " + ("on a server, which only `measure` asks" if "://" in source.uri else "not here")
            except SourceAbsent as error:
                found, self._reasons[name] = None, f"is not here: {error.message}"
            self._digests[name] = found
        return self._digests[name]

    def absent(self, wanted: _Wanted) -> str:
        """Which sources are not here, as one text; '' if all are."""
        missing = [name for name in dict.fromkeys(wanted.sources.values()) if self.digest(name) is None]
        return "; ".join(f"source {name} {self._reasons[name]}" for name in missing)

    def judge(self, name: str, record: Record | None) -> Freshness:
        """How fresh the evidence of one measurement is."""
        try:
            wanted = _wanted(self.manifest, name, assumed.planned(self.root, self.manifest, name))
        except FactbookError as error:
            if not measures.takes(self.manifest.plan[name]):
                raise
            return Freshness(name, State.MISSING if record is None else State.STALE, error.message)
        absent = self.absent(wanted)
        if record is None:
            return Freshness(name, State.MISSING, absent or f"not measured yet: factbook measure --only {name}")
        differences = list(self.differences(wanted, record))
        if differences:
            return Freshness(name, State.STALE, "; ".join(differences))
        if absent:
            return Freshness(name, State.NOT_JUDGED, absent)
        return Freshness(name, State.FRESH, f"merged from {len(record.runs)} runs" if record.merged else "")

    def measure(self, name: str, *, force: bool, progress: Progress) -> Outcome:
        """Measure if it is out of date."""
        planned, past = assumed.planned(self.root, self.manifest, name), partial(history.past, self.root)
        wanted = _wanted(self.manifest, name, planned)
        absent = self.absent(wanted)
        if absent:
            return Outcome(name, "absent", reason=absent)
        stale = "forced" if force else self.outdated(name, wanted)
        if not stale:
            return Outcome(name, "fresh")
        began = time.perf_counter()
        measured = measures.run(name, planned, self.manifest, self.root, self.root / STORE, progress, past)
        seconds = time.perf_counter() - began
        run = runs.here(self.root, rows=sum(item.rows for item in measured.inputs.values()), seconds=seconds, warnings=measured.warnings)
        history.keep(self.root, measured.hidden)
        store.write(
            self.root,
            replace(measured, params=wanted.params),
            replace(run, context=wanted.context),
            slices=wanted.slices,
            declarations=wanted.declarations,
            level=wanted.level,
            suppress_below=wanted.suppress_below,
        )
        return Outcome(name, "measured", len(measured.facts), seconds, measured.warnings, stale)

    def outdated(self, name: str, wanted: _Wanted) -> str:
        """Why the evidence has to be measured again, or for the first time; '' if it has not."""
        if not store.path(self.root, name).exists():
            return "not measured yet"
        try:
            record = store.read(self.root, name)[0]
        except EvidenceError as error:
            return f"damaged: {error.message}"
        return "; ".join(self.differences(wanted, record))

    def differences(self, wanted: _Wanted, record: Record) -> Iterator[str]:
        """In what the evidence differs from what the plan and the sources would give now."""
        if record.measure != wanted.measure:
            yield f"the measure was {record.measure}, now it is {wanted.measure}"
            return
        if record.version != wanted.version:
            yield f"the measure {wanted.measure} has version {wanted.version}, it was {record.version}"
        if canon.dumps(record.params) != canon.dumps(wanted.params):
            yield "its parameters changed"
        if record.slices != wanted.slices:
            yield "its slices changed"
        if record.level != wanted.level:
            yield f"the level is {wanted.level}, it was {record.level}"
        if record.suppress_below != wanted.suppress_below:
            yield f"suppress_below is {wanted.suppress_below}, it was {record.suppress_below}"
        yield from self._source_differences(wanted, record)
        yield from _run_differences(wanted, record)

    def _source_differences(self, wanted: _Wanted, record: Record) -> Iterator[str]:
        if set(record.inputs) != set(wanted.sources):
            yield "it was measured from other sources"
            return
        for role, source in wanted.sources.items():
            item = record.inputs[role]
            if item.source != source:
                yield f"its {role} was the source {item.source}, now it is {source}"
            elif item.declaration != wanted.declarations[role]:
                yield f"the declaration of source {source} changed"
            found = self.digest(source)
            if found is not None and found != item.digest:
                yield f"the data of source {source} changed"


def _run_differences(wanted: _Wanted, record: Record) -> Iterator[str]:
    changed = "changed since it was measured, or merged"
    if record.unvouched:
        first, more = record.unvouched[0], len(record.unvouched) - 1
        yield f"{changed}: no run record vouches for {first}{f' and {more} more' if more else ''}"
    elif record.lost:
        yield f"{changed}: {record.lost} facts that were measured are not there, or not so"
    elif not record.runs or (record.merged and len(record.runs) == 1):
        yield f"{changed}: no run record vouches for the whole of it"
    elif not (all if record.merged else any)(run.context == wanted.context for run in record.runs):
        yield "what is published of its sources changed, and with it what has to be suppressed"
