"""What a diagram shows: boxes, frames around them, and arrows; taken from `system:` in factbook.yaml or from the recorded lineage.

Levels are those of C4 (S. Brown, The C4 model): `context` shows people and systems, `containers` what is inside a system, `components` what is inside
a container; `data` shows what flows between the innermost elements. `lineage` shows which data were measured by what, and which documents cite it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from factbook.documents import cited
from factbook.documents.parse import Document
from factbook.errors import DocumentError, UnknownName
from factbook.evidence.catalog import Catalog
from factbook.manifest import System

LEVELS: Final = ("context", "containers", "components", "data", "lineage")


@dataclass(frozen=True, slots=True)
class Box:
    """One element: `kind` as in factbook.yaml, or `source`, `measurement`, `document`; `frame` is the element drawn around it."""

    name: str
    title: str
    kind: str
    note: str = ""
    frame: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """What one box does with another."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A diagram: its boxes and arrows, and the titles of its frames by name."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    frames: tuple[tuple[str, str], ...] = ()


def view(level: str, of: str, catalog: Catalog, documents: Iterable[Document]) -> View:
    """The diagram of a level, of one element where the level has several.

    Raises:
        DocumentError: there is no such level, or nothing to show.
        UnknownName: there is no such element.
    """
    if level not in LEVELS:
        raise DocumentError(f"a diagram has no level {level!r}", remedy=f"its levels: {', '.join(LEVELS)}")
    system = catalog.manifest.system
    if of and of not in system.elements:
        raise UnknownName("element of the system", of, system.elements)
    found = _lineage(catalog, documents) if level == "lineage" else _system(system, level, of)
    if not found.boxes:
        raise DocumentError(f"there is nothing to show at the level {level!r}", remedy="declare elements under `system:` in factbook.yaml")
    return found


def _system(system: System, level: str, of: str) -> View:
    deepest = max((len(system.above(name)) for name in system.elements), default=0)
    depth = {"context": 0, "containers": 1, "components": 2, "data": deepest}[level]
    lifted = {name: _lift(system, name, depth, of) for name in system.elements}
    arrows = []
    for item in system.relations:
        source, target = lifted[item.source], lifted[item.target]
        if source != target and (item.data or level != "data"):
            label = item.data if level == "data" else item.label + (f" ({item.technology})" if item.technology else "")
            arrows.append(Arrow(source, target, label))
    ends = {end for arrow in arrows for end in (arrow.source, arrow.target)}
    frames = {around for name in lifted.values() for around in system.above(name)} - ends
    shown = [name for name in system.elements if name in ends or (lifted[name] == name and name not in frames)]
    if of or level == "data":
        shown = [name for name in shown if name in ends or of in system.above(name)]
    boxes = tuple(_box(system, name, frames) for name in shown)
    framed = dict.fromkeys(box.frame for box in boxes if box.frame)
    return View(boxes, _together(arrows), tuple((name, system.elements[name].title) for name in framed))


def _together(arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """One arrow for all that one box does with another."""
    labels: dict[tuple[str, str], list[str]] = {}
    for arrow in arrows:
        labels.setdefault((arrow.source, arrow.target), []).append(arrow.label)
    return tuple(Arrow(*ends, "; ".join(dict.fromkeys(filter(None, said)))) for ends, said in labels.items())


def _box(system: System, name: str, frames: set[str]) -> Box:
    item = system.elements[name]
    around = next((above for above in system.above(name) if above in frames), "")
    return Box(name, item.title, item.kind, item.technology, around, item.outside)


def _lift(system: System, name: str, depth: int, of: str) -> str:
    """The element that stands for another at a level: itself, or the one around it; inside of `of` it is shown, beside it the outermost."""
    chain = [name, *system.above(name)][::-1]
    inside = not of or of in chain
    return chain[min(depth if inside else 0, len(chain) - 1)]


def _lineage(catalog: Catalog, documents: Iterable[Document]) -> View:
    boxes: dict[str, Box] = {}
    arrows: list[Arrow] = []
    for name, record in catalog.evidence.records.items():
        for item in record.inputs.values():
            place = f"source {item.source}"
            boxes.setdefault(place, Box(place, item.source, "source", item.digest[7:19]))
            arrows.append(Arrow(place, f"measurement {name}"))
        boxes[f"measurement {name}"] = Box(f"measurement {name}", name, "measurement", f"{record.measure} {record.version}")
    for document in documents:
        found = cited.facts(document)
        used = {key.evidence for key, _ in found.links} | {item[0] for item in found.shown}
        for name in (name for name in catalog.evidence.records if name in used):
            place = f"document {document.name}"
            boxes.setdefault(place, Box(place, document.title, "document"))
            arrows.append(Arrow(f"measurement {name}", place))
    return View(tuple(boxes.values()), tuple(dict.fromkeys(arrows)))
