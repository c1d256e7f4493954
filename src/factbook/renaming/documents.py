"""Documents under a new name: their links, tables, parts and charts; every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from factbook import charts
from factbook.charts import ChartSpec
from factbook.documents.parse import Document, Image, Link, Part, Region
from factbook.documents.update import Edit
from factbook.errors import FactbookError
from factbook.renaming.names import Rename

_DESTINATION: Final = re.compile(rb"(?i)\b(?:fact|claim|gap|policy|declared):[^\s>)\"']+")
_THRESHOLD: Final = "thresholds."
_NAMED: Final = ("claim", "gap", "policy", "declared")


def edits(document: Document, rename: Rename) -> Iterator[Edit]:
    """What has to change in a document, in order, each place once."""
    found: dict[tuple[int, int], Edit] = {}
    for item in (*_links(document, rename), *_regions(document, rename), *_images(document, rename)):
        found.setdefault((item.start, item.end), item)
    yield from (found[place] for place in sorted(found))


def applied(document: Document, changes: list[Edit]) -> bytes:
    """The document with these edits."""
    data, position = [], 0
    for item in changes:
        data += [document.source[position : item.start], item.data]
        position = item.end
    return b"".join([*data, document.source[position:]])


def _links(document: Document, rename: Rename) -> Iterator[Edit]:
    for link in document.links:
        new = _target(link, rename)
        if new == link.target or document.region_at(link.start):
            continue
        start, end = link.text_end, link.end
        if link.reference:
            start, end = document.definitions.get(" ".join(link.reference.split()).casefold(), (start, end))
        match = _DESTINATION.search(document.source, start, end)
        if match is None:
            continue
        low = match.start() + match.group().index(b":") + 1
        yield Edit(low, match.end(), new.encode())


def _target(link: Link, rename: Rename) -> str:
    if link.scheme == "fact":
        return rename.key(link.target)
    if link.scheme == "declared" and link.target.startswith(_THRESHOLD):
        return _THRESHOLD + rename.key(link.target.removeprefix(_THRESHOLD))
    if link.scheme in _NAMED and rename.kind == link.scheme and link.name == rename.old:
        return rename.new + link.target[len(link.name) :]
    return link.target


def _regions(document: Document, rename: Rename) -> Iterator[Edit]:
    marked: list[Region | Part] = [*document.regions, *document.parts]
    for region in marked:
        comment = document.source[region.start : region.inner_start].decode()
        match = re.match(r"(<!--\s*fact:(?:table|part)\b)(.*?)(-->)", comment, re.DOTALL)
        if match is None:
            continue
        words = rename.words(match.group(2)) if "fact:table" in match.group(1) else _part(match.group(2), rename)
        if words != match.group(2):
            start = region.start + len(comment[: match.start(2)].encode())
            yield Edit(start, start + len(match.group(2).encode()), words.encode())


def _part(text: str, rename: Rename) -> str:
    """The first word of a part is the kind of part, not a measurement."""
    match = re.match(r"\s*\S+", text)
    return text if match is None else match.group() + rename.words(" _=_ " + text[match.end() :]).removeprefix(" _=_ ")


def renamed_chart(image: Image, rename: Rename) -> tuple[str, str] | None:
    """The files of a chart before and after, relative to the book; None where it is none or keeps its name."""
    if not image.title.startswith(charts.PREFIX):
        return None
    try:
        old, new = (charts.path(ChartSpec.parse(title)) for title in (image.title, rename.words(image.title)))
    except FactbookError:
        return None
    return (old, new) if old != new else None


def _images(document: Document, rename: Rename) -> Iterator[Edit]:
    for image in document.images:
        if not image.title.startswith(charts.PREFIX) or (title := rename.words(image.title)) == image.title:
            continue
        at = document.source.rfind(image.title.encode(), image.start, image.end)
        if at >= 0:
            yield Edit(at, at + len(image.title.encode()), title.encode())
        files = renamed_chart(image, rename)
        name = files[0].rpartition("/")[2].encode() if files else b""
        place = document.source.find(name, image.start, at) if files and image.path.endswith(files[0]) else -1
        if files and place >= 0:
            yield Edit(place, place + len(name), files[1].rpartition("/")[2].encode())
