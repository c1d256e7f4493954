"""Run records: with which tools, where and when evidence was measured. Kept apart from the evidence, so that an upgrade changes no fact.

A run record lies in runs/, beside evidence/, under its own digest, so that two branches never touch the same file, and vouches for every fact that it
measured. After a merge the facts of a file may be vouched for by several runs.

What vouches for a fact is salted with the record's digest: two run records then have little in common, and Git does not take one that replaced
the other for a renamed file (two branches that "rename" one file conflict).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError, FactbookError
from factbook.git import said

FOLDER: Final = "runs"
SCHEMA: Final = "factbook/run/1"
_TOOLS: Final = ("factbook", "duckdb", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class Run:
    """How evidence came about.

    Attributes:
        measured: UTC, ISO 8601, to the second; SOURCE_DATE_EPOCH is honoured.
        tools: versions by name, `python` among them.
        host: operating system and machine type; never a host or user name.
        commit, dirty: of the checkout that the book lies in ('' and None outside of one).
        rows, seconds: rows read and time taken.
        evidence: the digest of the evidence that was measured.
        context: the digest of what else in the plan its values depended on: what was published besides (for suppression).
        vouchers: one for each fact.
    """

    measured: str
    tools: Mapping[str, str]
    host: str
    commit: str = ""
    dirty: bool | None = None
    rows: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    evidence: str = ""
    context: str = ""
    vouchers: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """Over all but the vouchers."""
        return canon.digest(_members(self))

    def vouched(self, identities: Iterable[str]) -> Run:
        """The same run, vouching for the facts with these identities."""
        salt = self.digest
        return replace(self, vouchers=frozenset(_voucher(salt, identity) for identity in identities))

    def known(self, identities: Iterable[str]) -> set[str]:
        """Those of the identities whose facts this run measured."""
        salt = self.digest
        return {identity for identity in identities if _voucher(salt, identity) in self.vouchers}


def _voucher(salt: str, identity: str) -> str:
    return hashlib.sha256(f"{salt}\n{identity}".encode()).hexdigest()[:32]


def now() -> str:
    """The current time in UTC, or the one that SOURCE_DATE_EPOCH sets."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch.isdigit() else dt.datetime.now(dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def here(root: Path, *, rows: int = 0, seconds: float = 0.0, warnings: Iterable[str] = ()) -> Run:
    """The run of this process over the book in `root`."""
    commit, dirty = _checkout(root)
    return Run(now(), _tools(), f"{platform.system()} {platform.machine()}", commit, dirty, rows, round(seconds, 3), warnings=tuple(warnings))


def _tools() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _checkout(root: Path) -> tuple[str, bool | None]:
    def git(*arguments: str) -> str | None:
        out = said(root, *arguments, seconds=10)
        return None if out is None else out.decode(errors="replace").strip()

    commit = git("rev-parse", "HEAD")
    if not commit:
        return "", None
    changes = git("status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def path(root: Path, name: str, run: Run) -> Path:
    """Where a run record of the evidence `name` lies."""
    return root / FOLDER / f"{name}.{run.digest.removeprefix('sha256:')[:12]}.json"


def siblings(root: Path, name: str) -> list[Path]:
    """All run records of `name`, sorted."""
    return sorted(item for item in (root / FOLDER).glob("*.json") if item.name.rsplit(".", 2)[0] == name)


def _members(run: Run) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "evidence": run.evidence,
        "context": run.context,
        "measured": run.measured,
        "tools": dict(run.tools),
        "host": run.host,
        "commit": run.commit,
        "dirty": run.dirty,
        "rows": run.rows,
        "seconds": run.seconds,
        "warnings": list(run.warnings),
    }


def dump(run: Run) -> bytes:
    """The bytes of a run record: one member a line."""
    members = {**_members(run), "vouchers": sorted(run.vouchers)}
    lines = ",\n".join(f"{canon.dumps(name)}:{canon.dumps(value)}" for name, value in members.items())
    return f"{{{lines}}}\n".encode()


def load(place: Path) -> Run:
    """Read a run record.

    Raises:
        EvidenceError: the file is damaged.
    """
    remedy = f"measure again: factbook measure --only {place.name.rsplit('.', 2)[0]}"
    try:
        members = canon.loads(place.read_text(encoding="utf-8"), str(place))
        if members["schema"] != SCHEMA:
            raise EvidenceError(f"{place}: schema {members['schema']!r} is not {SCHEMA!r}", remedy="it was written by another version of factbook")
        run = Run(
            measured=str(members["measured"]),
            tools={str(name): str(text) for name, text in members["tools"].items()},
            host=str(members["host"]),
            commit=str(members["commit"]),
            dirty=None if members["dirty"] is None else bool(members["dirty"]),
            rows=int(members["rows"]),
            seconds=float(members["seconds"]),
            warnings=tuple(map(str, members["warnings"])),
            evidence=str(members["evidence"]),
            context=str(members["context"]),
            vouchers=frozenset(map(str, members["vouchers"])),
        )
        if path(place.parent.parent, place.name.rsplit(".", 2)[0], run) != place:
            raise EvidenceError(f"{place}: changed since it was written", remedy=remedy)
        return run
    except EvidenceError:
        raise
    except OSError as error:
        raise EvidenceError(f"{place}: cannot be read ({error.strerror})", remedy=remedy) from error
    except FactbookError as error:
        raise EvidenceError(error.message, remedy=remedy) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"{place}: not a run record ({error})", remedy=remedy) from error
