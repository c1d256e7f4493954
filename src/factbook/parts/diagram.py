"""A diagram as Mermaid, which code hosts draw: `<!-- fact:part diagram level=containers of=NAME -->`. Our own pages and papers draw it as SVG."""

from __future__ import annotations

from typing import Final

from factbook.parts import Holding, Words
from factbook.parts.views import Box, View, view

_SHAPES: Final = {"person": ("([", "])"), "store": ("[(", ")]"), "dataset": ("[(", ")]"), "source": ("[(", ")]"), "document": (">", "]")}
_STYLES: Final = ("classDef outside stroke-dasharray: 4 3", "classDef ours stroke-width: 2px")


def write(words: Words, holding: Holding) -> str:
    """The fenced Mermaid flowchart of a level.

    Raises:
        DocumentError, UnknownName: there is no such level or element.
    """
    return f"```mermaid\n{mermaid(shown(words, holding))}\n```"


def shown(words: Words, holding: Holding) -> View:
    """What the words of a diagram ask for."""
    words.only("level", "of")
    return view(words.given.get("level", "context"), words.given.get("of", ""), holding.catalog, holding.documents)


def mermaid(found: View) -> str:
    """A view as a Mermaid flowchart; every text is quoted, so that a name can never become syntax."""
    ids = {box.name: f"e{number}" for number, box in enumerate(found.boxes, 1)}
    lines = ["flowchart LR"]
    framed = dict(found.frames)
    for number, (name, title) in enumerate(framed.items(), 1):
        lines += [f"  subgraph f{number}[{_quoted(title)}]", *(f"    {_box(ids, box)}" for box in found.boxes if box.frame == name), "  end"]
    lines += [f"  {_box(ids, box)}" for box in found.boxes if box.frame not in framed]
    for arrow in found.arrows:
        label = f"|{_quoted(arrow.label)}|" if arrow.label else ""
        lines.append(f"  {ids[arrow.source]} -->{label} {ids[arrow.target]}")
    outside = [ids[box.name] for box in found.boxes if box.outside]
    ours = [ids[box.name] for box in found.boxes if not box.outside]
    for style, members in zip(_STYLES, (outside, ours), strict=True):
        if members:
            lines += [f"  {style}", f"  class {','.join(members)} {style.split()[1]}"]
    return "\n".join(lines)


def _box(ids: dict[str, str], box: Box) -> str:
    before, after = _SHAPES.get(box.kind, ("[", "]"))
    note = f"<br/>{_plain(box.note)}" if box.note else ""
    return f'{ids[box.name]}{before}"{_plain(box.title)}{note}"{after}'


def _quoted(text: str) -> str:
    return f'"{_plain(text)}"'


def _plain(text: str) -> str:
    """Text that Mermaid shows as it is: its entity codes for what it, Markdown or HTML would read."""
    return "".join(f"#{ord(c)};" if c in '"#;<>&`\\{}|' else c for c in " ".join(text.split()))
