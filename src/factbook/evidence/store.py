"""Keeps facts with what made them: evidence/NAME.json.

    {"schema":"factbook/evidence/1",
    "name":"performance",
    …
    "facts":{
    "performance/fnr":{"counts":{"k":37,"n":190},…},

    "performance/fnr?sex=women":{…},

    "":null}}

One fact per line, sorted, with an empty line between two, and a constant last line: so two Git branches that change different facts touch
different places, and `GIT_ATTRIBUTES` lets branches that *add* neighbouring facts merge as well. A true conflict (both branches changed one fact)
leaves it in the file twice, and reading refuses that. No digest of the file stands in the file; the digest is computed.

What is promised: bytes that do not follow the written form, values that contradict their counts, and facts that no run record vouches for are
reported. Evidence whose values, counts *and* run record were all forged is caught by nothing but measuring again, or by a signature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError
from factbook.evidence import form, quoted, runs, sessions
from factbook.evidence.quoted import Quoted
from factbook.evidence.reading import names, read
from factbook.evidence.record import FOLDER, Input, Record, header, identity, path
from factbook.evidence.runs import Run
from factbook.evidence.sessions import Session
from factbook.model import Artifact, Fact, Key, Measured

__all__ = ["FOLDER", "GIT_ATTRIBUTES", "Evidence", "Input", "Record", "identity", "names", "path", "read", "write"]

GIT_ATTRIBUTES: Final = "evidence/*.json merge=union\nevidence/hidden/*.jsonl merge=union\n"
_NO_SLICE: Final = "[]"
_LAST: Final = '"":null'


def write(
    root: Path,
    measured: Measured,
    run: Run,
    *,
    slices: Iterable[Iterable[str]] | None = None,
    declarations: Mapping[str, str] | None = None,
    level: str = "0.95",
    suppress_below: int = 10,
) -> Record:
    """Write what was measured and its run record; earlier run records of the same name go.

    The run record is written first: killed at any moment, the evidence file is the old or the new one and has its run record.

    Raises:
        EvidenceError: a fact contradicts itself, or two have one key.
        StorageError: the folder cannot be written.
    """
    record = _record(measured, slices, declarations or {}, level, suppress_below)
    lines = _lines(measured)
    data, digest = _text(record, lines).encode(), _digest(record, lines)
    run = replace(run, evidence=digest).vouched(identity(fact, record) for fact in measured.facts)
    kept = runs.path(root, measured.name, run)
    canon.write_atomic(kept, runs.dump(run))
    canon.write_atomic(path(root, measured.name), data)
    for old in runs.siblings(root, measured.name):
        if old != kept:
            old.unlink(missing_ok=True)
    return replace(record, digest=digest, runs=(run,))


def _record(measured: Measured, slices: Iterable[Iterable[str]] | None, declarations: Mapping[str, str], level: str, suppress_below: int) -> Record:
    combinations = {fact.key.attributes for fact in measured.facts} if slices is None else {tuple(sorted(item)) for item in slices}
    inputs = {role: _input(artifact, declarations.get(role, "")) for role, artifact in sorted(measured.inputs.items())}
    return Record(
        name=measured.name,
        measure=measured.measure,
        version=measured.version,
        params=json.loads(canon.dumps(dict(measured.params))),
        inputs=inputs,
        slices=tuple(sorted(combinations - {()})),
        level=level,
        suppress_below=suppress_below,
    )


def _input(artifact: Artifact, declaration: str) -> Input:
    return Input(artifact.source, artifact.digest, artifact.files, artifact.bytes, artifact.rows, declaration)


def _lines(measured: Measured) -> dict[str, dict[str, Any]]:
    lines: dict[str, dict[str, Any]] = {}
    for fact in measured.facts:
        if fact.key.evidence != measured.name or fact.key.field:
            raise EvidenceError(f"{fact.key} is no key of a fact of {measured.name!r}", remedy="this is a mistake in the measure; please report it")
        if str(fact.key) in lines:
            raise EvidenceError(f"{fact.key} was measured twice", remedy="this is a mistake in the measure; please report it")
        lines[str(fact.key)] = form.dump(fact)
    return dict(sorted(lines.items()))


def _digest(record: Record, lines: Mapping[str, Any]) -> str:
    return canon.digest({**header(record), "slices": [list(item) for item in record.slices], "facts": dict(lines)})


def _text(record: Record, lines: Mapping[str, Any]) -> str:
    head = ",\n".join(f"{canon.dumps(name)}:{canon.dumps(value)}" for name, value in header(record).items())
    slices = "".join(f"{canon.dumps(list(item))},\n\n" for item in record.slices)
    facts = "".join(f"{canon.dumps(key)}:{canon.dumps(members)},\n\n" for key, members in lines.items())
    return f'{{{head},\n"slices":[\n\n{slices}{_NO_SLICE}],\n"facts":{{\n\n{facts}{_LAST}}}}}\n'


class Evidence(Mapping[Key, Fact]):
    """All facts of a book, by key, with the record of each measurement, what came out of the code of its documents, and what others say."""

    def __init__(
        self,
        facts: Mapping[Key, Fact],
        records: Mapping[str, Record],
        places: Mapping[Key, tuple[str, int]] | None = None,
        ran: Mapping[str, Session] | None = None,
        said: Mapping[str, Quoted] | None = None,
    ) -> None:
        self._facts = dict(facts)
        self._places = dict(places or {})
        self.records: dict[str, Record] = dict(records)
        self.sessions: dict[str, Session] = dict(ran or {})
        self.quoted: dict[str, Quoted] = dict(said or {})

    @classmethod
    def load(cls, root: Path) -> Evidence:
        """Read every evidence file of the book in `root`; a book without any has no facts.

        Raises:
            EvidenceError: a file is damaged or contradicts itself; all problems at once, each with file and line.
        """
        facts: dict[Key, Fact] = {}
        records: dict[str, Record] = {}
        places: dict[Key, tuple[str, int]] = {}
        problems: list[EvidenceError] = []
        for name in names(root):
            try:
                record, found, lines = read(root, name)
            except EvidenceError as error:
                problems.append(error)
                continue
            records[name] = record
            facts.update(found)
            places.update({key: (f"{FOLDER}/{name}.json", line) for key, line in lines.items()})
        if problems:
            raise EvidenceError("\n  ".join(problem.message for problem in problems), remedy=problems[0].remedy)
        return cls(facts, records, places, sessions.load(root), quoted.load(root))

    def __getitem__(self, key: Key) -> Fact:
        return self._facts[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def place(self, key: Key) -> tuple[str, int]:
        """The file (relative to the book) and the line of a fact."""
        return self._places[key.whole()]

    def identity(self, key: Key) -> str:
        """The digest of a fact; what a sign-off cites."""
        return identity(self[key.whole()], self.records[key.evidence])
