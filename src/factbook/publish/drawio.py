"""The diagrams of `system:` as a file that draw.io opens and edits: one page a level, boxes where our own drawing puts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from factbook.parts import drawing
from factbook.parts.layout import Point, Size
from factbook.parts.views import LEVELS, Box, View, view
from factbook.publish import write

if TYPE_CHECKING:
    from factbook.publish import Publication

_SHAPES: Final = {"person": "rounded=1;arcSize=50;", "store": "shape=cylinder3;boundedLbl=1;size=6;"}
_SHAPES_OF_DATA: Final = {"dataset": _SHAPES["store"], "agent": "shape=hexagon;size=0.1;", "model": "rounded=1;strokeWidth=2;"}
_FRAME: Final = "rounded=1;arcSize=4;dashed=1;fillColor=none;verticalAlign=top;align=left;spacingLeft=8;container=1;collapsible=0;html=0;"
_ARROW: Final = "endArrow=block;html=0;rounded=1;edgeStyle=orthogonalEdgeStyle;"


def publish(publication: Publication, target: Path) -> tuple[Path, ...]:
    """Write system.drawio; nothing where factbook.yaml declares no system."""
    if not publication.manifest.system.elements:
        return ()
    file = ET.Element("mxfile", host="factbook", type="device")
    for level, found in pages(publication):
        _page(file, level, found)
    ET.indent(file)
    return write(target, "drawio", {"system.drawio": ET.tostring(file, encoding="utf-8", xml_declaration=True) + b"\n"})


def pages(publication: Publication) -> Iterator[tuple[str, View]]:
    """The levels of the system that show something, each unlike the one before."""
    last: View | None = None
    system = publication.manifest.system
    for level in LEVELS[:-1]:
        if level == "data" and not any(item.data for item in system.relations):
            continue
        found = view(level, "", publication.catalog, publication.documents)
        if found != last:
            yield level, found
        last = found


def _page(file: ET.Element, level: str, found: View) -> None:
    """One page: frames, then the boxes in them, then the arrows."""
    diagram = ET.SubElement(file, "diagram", id=level, name=level)
    model = ET.SubElement(diagram, "mxGraphModel", grid="1", gridSize="10", arrows="1", connect="1", page="0")
    root = ET.SubElement(model, "root")
    ET.SubElement(root, "mxCell", {"id": "0"})
    ET.SubElement(root, "mxCell", {"id": "1", "parent": "0"})
    placed = drawing.placed(found)
    for name, title in found.frames:
        (x, y), size = placed.frames[name]
        _vertex(root, f"frame-{name}", title, _FRAME, "1", (x, y), size)
    for box in found.boxes:
        (x, y), frame = placed.boxes[box.name][0], placed.frames.get(box.frame)
        corner = (x - frame[0][0], y - frame[0][1]) if frame else (x, y)
        _vertex(root, f"box-{box.name}", _label(box), _style(box), f"frame-{box.frame}" if frame else "1", corner, placed.boxes[box.name][1])
    for number, arrow in enumerate(found.arrows, 1):
        ends = {"source": f"box-{arrow.source}", "target": f"box-{arrow.target}"}
        cell = ET.SubElement(root, "mxCell", {"id": f"arrow-{number}", "value": arrow.label, "style": _ARROW, "edge": "1", "parent": "1"} | ends)
        ET.SubElement(cell, "mxGeometry", {"relative": "1", "as": "geometry"})


def _vertex(root: ET.Element, name: str, value: str, style: str, parent: str, corner: Point, size: Size) -> None:
    cell = ET.SubElement(root, "mxCell", {"id": name, "value": value, "style": style, "vertex": "1", "parent": parent})
    place = {"x": corner[0], "y": corner[1], "width": size[0], "height": size[1]}
    ET.SubElement(cell, "mxGeometry", {side: f"{round(length, 1):g}" for side, length in place.items()} | {"as": "geometry"})


def _label(box: Box) -> str:
    return f"{box.title}\n{box.note}" if box.note else box.title


def _style(box: Box) -> str:
    shape = (_SHAPES | _SHAPES_OF_DATA).get(box.kind, "rounded=1;")
    return f"{shape}html=0;whiteSpace=wrap;{'dashed=1;' if box.outside else ''}"
