"""Gives the evidence of a measurement another name: its facts, its run record and what it hides follow; no figure changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from factbook import canon
from factbook.evidence import history, plan, reading, runs, store
from factbook.manifest import Manifest
from factbook.model import Artifact, Fact, Measured


def rename(root: Path, before: Manifest, after: Manifest, old: str, new: str) -> str:
    """Move the evidence of `old` to `new`; the caller holds the lock of the book.

    Returns:
        '' where it followed, else why it did not and `measure` has to run.

    Raises:
        EvidenceError: the evidence is damaged.
        StorageError: the book cannot be written.
    """
    if not store.path(root, old).exists():
        return "it has no evidence yet"
    record, facts, _ = reading.read(root, old)
    if record.run is None or record.merged or record.unvouched or record.lost:
        return "no single run record vouches for its evidence"
    run = record.run
    if old in before.plan and new in after.plan and run.context == plan.context(before, old):
        run = replace(run, context=plan.context(after, new))
    declared = {role: item.declaration for role, item in record.inputs.items()}
    measured = Measured(
        name=new,
        measure=record.measure,
        version=record.version,
        facts=tuple(_named(fact, new) for fact in facts.values()),
        params=record.params,
        inputs={role: Artifact(item.source, item.digest, item.files, item.bytes, item.rows) for role, item in record.inputs.items()},
    )
    store.write(root, measured, run, slices=record.slices, declarations=declared, level=record.level, suppress_below=record.suppress_below)
    _hidden(root, old, new)
    for left in (store.path(root, old), *runs.siblings(root, old)):
        left.unlink(missing_ok=True)
    return ""


def _named(fact: Fact, name: str) -> Fact:
    return replace(fact, key=replace(fact.key, evidence=name))


def _hidden(root: Path, old: str, new: str) -> None:
    """What is hidden from one measurement only stays hidden from it under its new name."""
    for place in sorted(history.path(root, "x").parent.glob("*.jsonl")):
        text = place.read_text(encoding="utf-8")
        lines = [canon.loads(line, place.name) for line in text.splitlines()]
        if any(line.get("only") == old for line in lines):
            changed = sorted(canon.dumps({**line, "only": new} if line.get("only") == old else line) for line in lines)
            canon.write_atomic(place, ("\n".join(changed) + "\n").encode())
