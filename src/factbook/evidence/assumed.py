"""What a planned measurement rests on besides its sources: declared numbers, policies and facts. They are part of what it was measured from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from factbook import measures
from factbook.errors import EvidenceError, MeasureError, UnknownName
from factbook.evidence import store
from factbook.manifest import Manifest, Planned
from factbook.model import Key


def ordered(manifest: Manifest, names: Iterable[str]) -> list[str]:
    """The measurements to make, those that rest on facts after those that make them; else as they are."""
    return sorted(names, key=lambda name: any("/" in item and ":" not in item for item in measures.takes(manifest.plan[name])))


def planned(root: Path, manifest: Manifest, name: str) -> Planned:
    """A planned measurement with all that it rests on, as texts, in the parameter `given`.

    Raises:
        UnknownName, MeasureError: something that it rests on is not there, or has no value.
    """
    plan = manifest.plan[name]
    wanted = measures.takes(plan)
    if not wanted:
        return plan
    if "given" in plan.params:
        raise MeasureError(f"plan.{name}: `given` is filled by factbook", remedy="name what it rests on under `inputs`")
    return Planned.model_validate(plan.model_dump() | {"given": {item: _text(root, manifest, item, f"plan.{name}") for item in wanted}})


def _text(root: Path, manifest: Manifest, item: str, where: str) -> str:
    kind, colon, name = item.partition(":")
    if colon and kind == "declared":
        if name not in manifest.declared:
            raise UnknownName("declared number", name, manifest.declared)
        return manifest.declared[name].value
    if colon and kind == "policy":
        if name not in manifest.policies:
            raise UnknownName("policy", name, manifest.policies)
        return manifest.policies[name].text
    return _fact(root, Key.parse(item), where)


def _fact(root: Path, key: Key, where: str) -> str:
    """A fact as text, with its interval as a range."""
    try:
        found = store.read(root, key.evidence)[1].get(key.whole())
    except EvidenceError as error:
        raise MeasureError(f"{where}: {key} is not measured yet", remedy=f"measure {key.evidence} first") from error
    if found is None:
        raise MeasureError(f"{where}: there is no fact {key}", remedy="`factbook facts` lists them")
    value = getattr(found, key.field) if key.field else found.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MeasureError(f"{where}: {key} is no number: {found.reason or found.value}")
    return f"{value!r} ({found.low!r} to {found.high!r})" if found.interval and not key.field else repr(value)
