"""The files for draw.io and Structurizr: well formed, complete, and safe whatever the names hold."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from factbook import Book

SYSTEM = """factbook: 1
subject: {kind: system, name: 'a "triage"'}
system:
  elements:
    nurse: {title: Nurse, kind: person}
    triage: {title: Triage, kind: system}
    ehr: {title: 'Health "records" <b>&', kind: system, outside: true}
    api: {title: Scoring API, inside: triage, technology: FastAPI}
    store: {title: Features, kind: store, inside: triage}
    model: {title: Risk, kind: model, inside: api}
    part: {title: Risk, kind: model, inside: model}
    a.b: {title: One}
    a-b: {title: Two}
  relations:
    - {from: nurse, to: api, label: asks, technology: HTTPS}
    - {from: ehr, to: store, label: sends, data: readings}
    - {from: api, to: store, label: reads}
    - {from: triage, to: api, label: holds}
"""


def built(root: Path, text: str) -> list[Path]:
    (root / "factbook.yaml").write_text(text, encoding="utf-8")
    return [path for item in Book(root).build(["drawio", "structurizr"]).published for path in item.files]


def test_draw_io_has_every_level_with_boxes_in_their_frames(tmp_path: Path) -> None:
    first, _ = built(tmp_path, SYSTEM.replace("    - {from: triage, to: api, label: holds}\n", ""))  # which would make triage a box
    root = ET.fromstring(first.read_bytes())
    assert (root.tag, [page.get("name") for page in root]) == ("mxfile", ["context", "containers", "components", "data"])
    for page in root:
        cells = page.findall("./mxGraphModel/root/mxCell")
        ids = [cell.get("id") for cell in cells]
        assert ids[:2] == ["0", "1"]
        assert len(set(ids)) == len(ids)
        assert all(cell.get(end) in ids for cell in cells for end in ("parent", "source", "target") if cell.get(end))
        assert all(cell.find("mxGeometry") is not None for cell in cells[2:])
        assert all((cell.get("edge") == "1") is (cell.get("source") is not None) for cell in cells)
    containers = {cell.get("id"): cell for cell in root[1].iter("mxCell")}
    assert containers["box-api"].get("parent") == "frame-triage"
    assert containers["box-ehr"].get("value") == 'Health "records" <b>&'
    assert "dashed=1" in (containers["box-ehr"].get("style") or "")
    geometry, around = (containers[name].find("mxGeometry") for name in ("box-api", "frame-triage"))
    assert geometry is not None
    assert around is not None
    for corner, side in (("x", "width"), ("y", "height")):
        assert 0 <= float(geometry.get(corner, "")) <= float(around.get(side, "")) - float(geometry.get(side, ""))


def test_structurizr_nests_and_declares_before_it_relates(tmp_path: Path) -> None:
    _, second = built(tmp_path, SYSTEM)
    text = second.read_text(encoding="utf-8")
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert bare.count("{") == bare.count("}")
    declared = re.findall(r"^\s*(\w+) = (\w+)", text, re.MULTILINE)
    assert dict(declared) == {
        "e_nurse": "person",
        "e_triage": "softwareSystem",
        "e_ehr": "softwareSystem",
        "e_api": "container",
        "e_model": "component",
        "e_part": "component",
        "e_store": "container",
        "e_a_b_1": "softwareSystem",
        "e_a_b_2": "softwareSystem",
    }
    related = re.findall(r"^\s*(\w+) -> (\w+)", text, re.MULTILINE)
    assert related == [("e_nurse", "e_api"), ("e_ehr", "e_store"), ("e_api", "e_store")]
    assert '"Risk (model)"' in text
    assert '"Risk (part)"' in text
    assert '"Health \\"records\\" <b>&"' in text
    assert "# e_triage -> e_api" in text
    assert [re.findall(r"^ {8}(\w+)(?: \w+)? \"", text, re.MULTILINE)] == [["systemLandscape", "container", "component"]]


def test_structurizr_gets_what_its_own_parser_takes(tmp_path: Path) -> None:
    """Each of these was refused, or replaced, by the parser of Structurizr 5: a second relation of the same words, one that is implied already, two
    views of one name, something inside a person, a variable of the environment."""
    text = SYSTEM.replace("title: Triage", "title: 'Triage ${HOME} -> x'").replace("a.b: {title: One}", "landscape: {title: One}")
    text = text.replace("a-b: {title: Two}", "a-b: {title: Two, inside: landscape}\n    desk: {title: Desk, inside: nurse}")
    more = "    - {from: nurse, to: api, label: asks, technology: gRPC}\n    - {from: nurse, to: triage, label: asks}\n"
    _, second = built(tmp_path, text + more)
    made = second.read_text(encoding="utf-8")
    assert '"Triage $ {HOME} → x"' in made
    assert re.findall(r"^ +e_nurse -> .*", made, re.MULTILINE) == [
        '        e_nurse -> e_triage "asks"',
        '        e_nurse -> e_api "asks" "HTTPS, gRPC"',
    ]
    keys = re.findall(r'^ +(?:systemLandscape|container e_\w+|component e_\w+) "([^"]+)" \{', made, re.MULTILINE)
    assert len(set(keys)) == len(keys)
    assert {"system-landscape", "landscape"} <= set(keys)
    assert re.search(r'^ {8}e_desk = softwareSystem "Desk"', made, re.MULTILINE)


def test_the_same_bytes_and_nothing_without_a_system(tmp_path: Path) -> None:
    before = [path.read_bytes() for path in built(tmp_path, SYSTEM)]
    assert [path.read_bytes() for path in built(tmp_path, SYSTEM)] == before
    empty = tmp_path / "empty"
    empty.mkdir()
    assert built(empty, "factbook: 1\nsubject: {name: m}\n") == []
    assert not (empty / "dist").exists()
