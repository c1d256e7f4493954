"""Reads evidence files, strictly: what is damaged, given twice or contradicts itself is refused with file and line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.errors import EvidenceError, FactbookError
from factbook.evidence import folders, form, runs
from factbook.evidence.record import FOLDER, SCHEMA, Input, Record, identity, path
from factbook.model import Fact, Key

_HEADER: Final = ("schema", "name", "measure", "version", "params", "level", "suppress_below", "inputs", "slices", "facts")


def names(root: Path) -> list[str]:
    """The names of the evidence files that exist, sorted."""
    return folders.names(root, FOLDER)


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
    return _attach_runs(root, record, facts, canon.digest(_sorted_slices(tree))), facts, lines


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


def _attach_runs(root: Path, record: Record, facts: Mapping[Key, Fact], digest: str) -> Record:
    record = replace(record, digest=digest)
    known = sorted((runs.load(item) for item in runs.siblings(root, record.name)), key=lambda run: (run.measured, run.digest))
    exact = tuple(run for run in known if run.evidence == digest)
    if exact:
        return replace(record, runs=exact)
    identities = {key: identity(fact, record) for key, fact in facts.items()}
    vouching = [(run, found) for run in known if (found := run.known(identities.values()))]
    vouched = {item for _, found in vouching for item in found}
    unvouched = tuple(key for key, item in identities.items() if item not in vouched)
    lost = sum(len(run.vouchers) - len(found) for run, found in vouching)
    return replace(record, runs=tuple(run for run, _ in vouching), unvouched=unvouched, lost=lost)
