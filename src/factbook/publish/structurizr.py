"""The `system:` of factbook.yaml as a workspace in the Structurizr DSL: elements, relations, and a view of each level.

What stands outermost is a person or a software system, what is inside it a container, and what is inside that a component; deeper elements become
components of the same container. A relation between an element and one that it is inside of has no place there and stands as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from factbook.publish import write

if TYPE_CHECKING:
    from factbook.manifest import Element, System
    from factbook.publish import Publication

_DEEPEST: Final = 2
_STYLES: Final = (
    ("Outside", "border dashed"),
    ("store", "shape Cylinder"),
    ("dataset", "shape Cylinder"),
    ("agent", "shape Robot"),
    ("model", "shape Hexagon"),
    ("Person", "shape Person"),
)


def publish(publication: Publication, target: Path) -> tuple[Path, ...]:
    """Write workspace.dsl; nothing where factbook.yaml declares no system."""
    if not publication.manifest.system.elements:
        return ()
    return write(target, "structurizr", {"workspace.dsl": workspace(publication).encode()})


def workspace(publication: Publication) -> str:
    """The text of the workspace."""
    subject, system = publication.manifest.subject, publication.manifest.system
    lines = [f"workspace {_quoted(subject.name)} {_quoted(subject.description)} {{", "    model {"]
    for name in _children(system, ""):
        lines += [f"        {line}" for line in _element(system, name, 0)]
    lines += [f"        {line}" for line in _relations(system)]
    lines += ["    }", "    views {", *(f"        {line}" for line in _views(system)), "    }", "}"]
    return "\n".join(lines) + "\n"


def _above(system: System, name: str) -> str:
    """The element that it is drawn inside of: '' for people, in whom nothing is either, and the container for what is deeper than components."""
    chain = [item for item in system.above(name) if system.elements[item].kind != "person"]
    if not chain or system.elements[name].kind == "person":
        return ""
    return chain[0] if len(chain) <= _DEEPEST else chain[-_DEEPEST]


def _children(system: System, name: str) -> list[str]:
    return [item for item in system.elements if _above(system, item) == name]


def _element(system: System, name: str, depth: int) -> Iterator[str]:
    item = system.elements[name]
    kind = "person" if item.kind == "person" else ("softwareSystem", "container", "component")[depth]
    words = [_title(system, name), item.description, *([item.technology] if depth else []), ",".join(_tags(item))]
    while words and not words[-1]:
        words.pop()
    inside = _children(system, name)
    yield f"{_id(system, name)} = {kind} {' '.join(_quoted(word) for word in words)}{' {' if inside else ''}"
    for other in inside:
        yield from (f"    {line}" for line in _element(system, other, depth + 1))
    if inside:
        yield "}"


def _tags(item: Element) -> list[str]:
    return [item.kind, *(["Outside"] if item.outside else [])]


def _title(system: System, name: str) -> str:
    """Titles are unique among the elements of one parent."""
    title, around = system.elements[name].title, _above(system, name)
    twins = [other for other in _children(system, around) if system.elements[other].title == title]
    return title if len(twins) == 1 else f"{title} ({name})"


def _id(system: System, name: str) -> str:
    """A word of the DSL; the prefix keeps it from being one of its own."""
    plain = {other: "e_" + re.sub(r"\W", "_", other, flags=re.ASCII) for other in system.elements}
    twins = [other for other in plain if plain[other] == plain[name]]
    return plain[name] if len(twins) == 1 else f"{plain[name]}_{twins.index(name) + 1}"


def _relations(system: System) -> Iterator[str]:
    """One line for each pair and description: the DSL takes no second one, so the technologies of several stand in one.

    Outer ones come first: a relation implies the same between what its ends are inside of, unless that is there already.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for item in system.relations:
        said = item.label + (f" [{item.data}]" if item.data else "")
        technologies = found.setdefault((item.source, item.target, said), [])
        technologies += [item.technology] if item.technology and item.technology not in technologies else []
    for (source, target, said), technologies in sorted(found.items(), key=lambda item: sum(len(_chain(system, end)) for end in item[0][:2])):
        words = [said, ", ".join(technologies)] if technologies else [said] if said else []
        line = f"{_id(system, source)} -> {_id(system, target)}{''.join(f' {_quoted(word)}' for word in words)}"
        nested = source in _chain(system, target) or target in _chain(system, source)
        yield f"# {line}" if nested else line


def _chain(system: System, name: str) -> list[str]:
    found = []
    while name := _above(system, name):
        found.append(name)
    return found


def _views(system: System) -> Iterator[str]:
    yield from _view("systemLandscape", "system-landscape")  # no name of an element: those have no hyphen here
    for name in system.elements:
        depth = len(_chain(system, name))
        if depth < _DEEPEST and system.elements[name].kind != "person" and _children(system, name):
            yield from _view(f"{('container', 'component')[depth]} {_id(system, name)}", _id(system, name)[2:])
    yield "styles {"
    for tag, style in _STYLES:
        yield from (f'    element "{tag}" {{', f"        {style}", "    }")
    yield "}"


def _view(head: str, key: str) -> Iterator[str]:
    yield from (f'{head} "{key}" {{', "    include *", "    autoLayout lr", "}")


def _quoted(text: str) -> str:
    """A text of the DSL: one line, its quotation marks escaped; no arrow, and nothing that a variable of the environment would replace."""
    plain = " ".join(text.split()).replace("\\", "/").replace("${", "$ {").replace("->", "→").replace('"', '\\"')
    return f'"{plain}"'
