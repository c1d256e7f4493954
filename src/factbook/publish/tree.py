"""A document as a tree, for the targets to walk: the parser's events, nested."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from factbook.documents.parse import tag
from factbook.errors import DocumentError

if TYPE_CHECKING:
    from factbook.documents.parse import Document

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
DEEPEST: Final = 40
_RAW: Final = frozenset({"Html", "InlineHtml"})


@dataclass(slots=True)
class Node:
    """An element (`Paragraph`, `Link`, …) or a leaf (`Text`, `Code`, …), with its attributes or text and where it stands in the source."""

    kind: str
    value: Any
    start: int
    end: int
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """The node itself and all below it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()

    def words(self) -> str:
        """The plain text below this node; raw HTML does not count."""
        if self.kind in {"SoftBreak", "HardBreak"}:
            return " "
        own = str(self.value) if self.kind in {"Text", "Code"} else ""
        return own + "".join(child.words() for child in self.children)


def title(document: Document) -> str:
    """The first heading that says anything, or the file's name."""
    return next((section.title for section in document.sections if section.title), PurePosixPath(document.name).stem)


def build(document: Document) -> Node:
    """The document's tree, without its front matter and its comments.

    Raises:
        DocumentError: it is nested too deeply to be set on a page.
    """
    root = Node("Document", None, 0, len(document.source))
    opened = [root]
    for event, start, end in document.events:
        step, kind, value = tag(event)
        if step == "End":
            opened.pop()
            continue
        node = Node(kind or step, value, start, end)
        opened[-1].children.append(node)
        if step == "Start":
            opened.append(node)
        if len(opened) > DEEPEST:
            line, column = document.place(start)
            raise DocumentError(f"{document.name}:{line}:{column}: nested too deeply to be published", remedy=f"at most {DEEPEST} levels")
    _prune(root)
    return root


def _prune(node: Node) -> None:
    """Drop front matter and comments; what remains of raw HTML is text to be shown as text."""
    for child in node.children:
        if child.kind in _RAW:
            child.value = COMMENT.sub("", child.value)
        elif child.kind == "HtmlBlock":
            raw = "".join(str(line.value) for line in child.children)
            child.value, child.children = COMMENT.sub("", raw).strip(), []
        _prune(child)
    node.children = [child for child in node.children if not _empty(child)]


def _empty(node: Node) -> bool:
    if node.kind == "MetadataBlock":
        return True
    return node.kind in {"HtmlBlock", *_RAW} and not node.value
