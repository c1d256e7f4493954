"""What the facts of one evidence file rest on, and the identity that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.evidence import form, runs
from factbook.evidence.runs import Run
from factbook.model import Fact, Key

FOLDER: Final = "evidence"
SCHEMA: Final = "factbook/evidence/1"


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
        return "" if self.run is None else runs.path(Path(), self.name, self.run).as_posix()


def identity(fact: Fact, record: Record) -> str:
    """The digest of a fact: its line, the measure and its VERSION, the parameters and the input digests; no tool, place or time."""
    return canon.digest({"fact": {str(fact.key): form.dump(fact)}, "from": _origins(record)})


def _origins(record: Record) -> dict[str, Any]:
    inputs = {role: {"digest": item.digest, "declaration": item.declaration} for role, item in record.inputs.items()}
    return {"measure": record.measure, "version": record.version, "params": record.params, "inputs": inputs}


def path(root: Path, name: str) -> Path:
    """The evidence file of a measurement."""
    return root / FOLDER / f"{name}.json"


def header(record: Record) -> dict[str, Any]:
    """The members of the file before slices and facts, each of which is one line."""
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
