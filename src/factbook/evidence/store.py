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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError, FactbookError
from factbook.evidence import form, runs
from factbook.evidence.runs import Run
from factbook.model import Artifact, Fact, Key, Measured

FOLDER: Final = "evidence"
SCHEMA: Final = "factbook/evidence/1"
GIT_ATTRIBUTES: Final = "evidence/*.json merge=union\n"
_HEADER: Final = ("schema", "name", "measure", "version", "params", "level", "suppress_below", "inputs", "slices", "facts")
_NO_SLICE: Final = "[]"
_LAST: Final = '"":null'


@dataclass(frozen=True, slots=True)
class Input:
    """The source in one role of a measure: which bytes and rows were read, and under which declaration (a digest without the path)."""

    source: str
    digest: str
    files: int
    bytes: int
    rows: int
    declaration: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What the facts of one evidence file rest on.

    Attributes:
        params: the measure's own parameters as planned, without `by`.
        slices: the combinations of attributes that were measured, besides overall.
        level, suppress_below: of factbook.yaml at that time.
        digest: of the whole evidence: header and facts, whatever their order in the file.
        runs: the runs that measured exactly this, or (after a merge) those that vouch for its facts; the latest last.
        unvouched: the facts that no run record vouches for: edited by hand, or merged from other inputs.
        lost: how many facts those runs measured that are not here (any more, or not so).
    """

    name: str
    measure: str
    version: int
    params: Mapping[str, Any]
    inputs: Mapping[str, Input]
    slices: tuple[tuple[str, ...], ...] = ()
    level: str = "0.95"
    suppress_below: int = 10
    digest: str = ""
    runs: tuple[Run, ...] = ()
    unvouched: tuple[Key, ...] = ()
    lost: int = 0

    @property
    def merged(self) -> bool:
        """Whether no run measured exactly this, but several measured parts of it."""
        return bool(self.runs) and all(run.evidence != self.digest for run in self.runs)

    @property
    def run(self) -> Run | None:
        """The run that measured it; after a merge the latest."""
        return self.runs[-1] if self.runs else None

    @property
    def run_file(self) -> str:
        """The record of that run, relative to the book; '' if there is none."""
        return "" if self.run is None else runs.path(Path(FOLDER), self.name, self.run).as_posix()


def identity(fact: Fact, record: Record) -> str:
    """The digest of a fact: its line, the measure and its VERSION, the parameters and the input digests; no tool, place or time."""
    return canon.digest({"fact": {str(fact.key): form.dump(fact)}, "from": _origins(record)})


def _origins(record: Record) -> dict[str, Any]:
    inputs = {role: {"digest": item.digest, "declaration": item.declaration} for role, item in record.inputs.items()}
    return {"measure": record.measure, "version": record.version, "params": record.params, "inputs": inputs}


def path(root: Path, name: str) -> Path:
    """The evidence file of a measurement."""
    return root / FOLDER / f"{name}.json"


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
    folder = root / FOLDER
    kept = runs.path(folder, measured.name, run)
    canon.write_atomic(kept, runs.dump(run))
    canon.write_atomic(path(root, measured.name), data)
    for old in runs.siblings(folder, measured.name):
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


def _header(record: Record) -> dict[str, Any]:
    inputs = {
        role: {"source": i.source, "digest": i.digest, "files": i.files, "bytes": i.bytes, "rows": i.rows, "declaration": i.declaration}
        for role, i in record.inputs.items()
    }
    return {
        "schema": SCHEMA,
        "name": record.name,
        "measure": record.measure,
        "version": record.version,
        "params": record.params,
        "level": record.level,
        "suppress_below": record.suppress_below,
        "inputs": inputs,
    }


def _digest(record: Record, lines: Mapping[str, Any]) -> str:
    return canon.digest({**_header(record), "slices": [list(item) for item in record.slices], "facts": dict(lines)})


def _text(record: Record, lines: Mapping[str, Any]) -> str:
    header = ",\n".join(f"{canon.dumps(name)}:{canon.dumps(value)}" for name, value in _header(record).items())
    slices = "".join(f"{canon.dumps(list(item))},\n\n" for item in record.slices)
    facts = "".join(f"{canon.dumps(key)}:{canon.dumps(members)},\n\n" for key, members in lines.items())
    return f'{{{header},\n"slices":[\n\n{slices}{_NO_SLICE}],\n"facts":{{\n\n{facts}{_LAST}}}}}\n'


class Evidence(Mapping[Key, Fact]):
    """All facts of a book, by key, with the record of each measurement."""

    def __init__(self, facts: Mapping[Key, Fact], records: Mapping[str, Record], places: Mapping[Key, tuple[str, int]] | None = None) -> None:
        self._facts = dict(facts)
        self._places = dict(places or {})
        self.records: dict[str, Record] = dict(records)

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
        return cls(facts, records, places)

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


def names(root: Path) -> list[str]:
    """The names of the evidence files that exist, sorted."""
    return sorted(item.stem for item in (root / FOLDER).glob("*.json") if not item.name.startswith("."))


def read(root: Path, name: str) -> tuple[Record, dict[Key, Fact], dict[Key, int]]:
    """One evidence file: its record, its facts in the order of their keys, and the line of each.

    Raises:
        EvidenceError: with file and line.
    """
    place = path(root, name)
    where = f"{FOLDER}/{place.name}"
    remedy = form.again(name)
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{where}: cannot be read ({error})", remedy=remedy) from error
    keys = _line_numbers(text, where, remedy)
    try:
        tree = canon.loads(text, where)
    except EvidenceError:
        raise
    except FactbookError as error:
        raise EvidenceError(error.message, remedy=remedy) from error
    record = _read_header(tree, name, where, remedy)
    facts, lines = _read_facts(tree["facts"], name, keys)
    return _attach_runs(root / FOLDER, record, facts, canon.digest(_sorted_slices(tree))), facts, lines


def _line_numbers(text: str, where: str, remedy: str) -> dict[str, int]:
    """The line of each member that begins a line; a member given twice is what a merge of a true conflict leaves."""
    found: dict[str, int] = {}
    decoder = json.JSONDecoder()
    for number, line in enumerate(text.split("\n"), 1):
        start = line.removeprefix("{")
        if not start.startswith('"'):
            if start.startswith(("<<<<<<<", "=======", ">>>>>>>")):
                raise EvidenceError(f"{where}:{number}: an unfinished merge", remedy=f"take either side of it, then {remedy}")
            continue
        try:
            member, end = decoder.raw_decode(start)
        except ValueError:
            continue
        if not isinstance(member, str) or start[end : end + 1] != ":":
            continue
        if member in found:
            raise EvidenceError(
                f"{where}:{number}: {member!r} stands here and in line {found[member]}; a merge joined two measurements", remedy=remedy
            )
        found[member] = number
    return found


def _read_header(tree: Any, name: str, where: str, remedy: str) -> Record:
    def fail(said: str) -> EvidenceError:
        return EvidenceError(f"{where}: {said}", remedy=remedy)

    if not isinstance(tree, dict) or tree.get("schema") != SCHEMA:
        raise fail(f"this is not {SCHEMA}")
    missing, unknown = [item for item in _HEADER if item not in tree], sorted(set(tree) - set(_HEADER))
    if missing or unknown:
        raise fail(f"{(missing or unknown)[0]!r} is {'missing' if missing else 'not known here'}")
    if tree["name"] != name:
        raise fail(f"it holds the evidence {tree['name']!r}")
    try:
        return Record(
            name=name,
            measure=form.text(tree["measure"]),
            version=form.integer(tree["version"]),
            params=dict(tree["params"]),
            inputs={role: _read_input(item) for role, item in sorted(tree["inputs"].items())},
            slices=tuple(sorted(tuple(map(form.text, item)) for item in tree["slices"] if item)),
            level=form.text(tree["level"]),
            suppress_below=form.integer(tree["suppress_below"]),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise fail(f"its header cannot be used ({error})") from error


def _read_input(tree: dict[str, Any]) -> Input:
    read = Input(**tree)
    for item in (read.source, read.digest, read.declaration):
        form.text(item)
    for count in (read.files, read.bytes, read.rows):
        form.integer(count)
    return read


def _read_facts(tree: Any, name: str, numbers: Mapping[str, int]) -> tuple[dict[Key, Fact], dict[Key, int]]:
    where = f"{FOLDER}/{name}.json"
    facts: dict[Key, Fact] = {}
    lines: dict[Key, int] = {}
    if not isinstance(tree, dict):
        raise EvidenceError(f"{where}: its facts are not a mapping", remedy=form.again(name))
    for text, members in sorted(tree.items()):
        if text == "" and members is None:
            continue
        line = numbers.get(text, 1)
        key = form.parse_key(text, name, f"{where}:{line}")
        if not isinstance(members, dict):
            raise EvidenceError(f"{where}:{line}: {text}: not a fact", remedy=form.again(name))
        facts[key] = form.load(key, members, f"{where}:{line}")
        lines[key] = line
    return facts, lines


def _sorted_slices(tree: Mapping[str, Any]) -> dict[str, Any]:
    facts = {key: members for key, members in tree["facts"].items() if key}
    return {**tree, "slices": sorted(item for item in tree["slices"] if item), "facts": facts}


def _attach_runs(folder: Path, record: Record, facts: Mapping[Key, Fact], digest: str) -> Record:
    record = replace(record, digest=digest)
    known = sorted((runs.load(item) for item in runs.siblings(folder, record.name)), key=lambda run: (run.measured, run.digest))
    exact = tuple(run for run in known if run.evidence == digest)
    if exact:
        return replace(record, runs=exact)
    identities = {key: identity(fact, record) for key, fact in facts.items()}
    vouching = [(run, found) for run in known if (found := run.known(identities.values()))]
    vouched = {item for _, found in vouching for item in found}
    unvouched = tuple(key for key, item in identities.items() if item not in vouched)
    lost = sum(len(run.vouchers) - len(found) for run, found in vouching)
    return replace(record, runs=tuple(run for run, _ in vouching), unvouched=unvouched, lost=lost)
