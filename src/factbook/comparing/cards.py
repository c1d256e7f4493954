"""What a published card says: a Markdown file, with or without the front matter of the Hugging Face Hub.

Read are the fields of the front matter, headings, labels (`**Label:** text`), columns of tables and the figures that it reports; nothing is measured.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from factbook import regimes
from factbook.comparing import figures, signs
from factbook.comparing.books import shortened
from factbook.comparing.signs import Sign, plain
from factbook.documents import parse
from factbook.documents.parse import Block, Document, Kind
from factbook.errors import DocumentError
from factbook.evidence.quoted import Passage, Quoted
from factbook.manifest import Compared

KIND: Final = "card"
_LABEL: Final = re.compile(r"^\s*(?:[-*+]\s+)?\*\*(?P<label>[^*\n]+?):?\*\*\s*:?\s*(?P<text>\S[^\n]*)$", re.MULTILINE)
_EMPTY: Final = re.compile(r"\W*(?:more information needed|needs more information|todo|tbd|n/?a|none|unknown)\W*", re.IGNORECASE)
_LABELS: Final = 40


@dataclass(frozen=True, slots=True)
class _Said:
    """What stands under a heading, behind a label, or in a column."""

    text: str
    place: str


def read(name: str, path: Path, shown: str, asked: Sequence[str], entry_name: str = "", entry: Compared | None = None) -> Quoted:
    """All that a card says.

    Raises:
        DocumentError: it is not UTF-8, its front matter cannot be read, or words that factbook.yaml points at do not stand in it.
    """
    document = parse.decoded(path.read_bytes(), shown)
    front, said = document.front, dict(_said(document))
    reported, data = figures.of(document, entry.reports if entry else {}, shown)
    judged = {regime: signs.of(regimes.load(regime)) for regime in asked}
    return Quoted(
        name=name,
        entry=entry_name,
        kind=KIND,
        source=shown,
        digest="sha256:" + hashlib.sha256(document.source).hexdigest(),
        title=document.title,
        says=dict(_says(document, said, entry.says if entry else {}, shown)),
        data=data,
        figures=reported,
        answers={regime: dict(_answers(known, front, said)) for regime, known in judged.items() if known},
        unread={regime: "nobody wrote down by what a card answers its items" for regime, known in judged.items() if not known},
    )


def _said(document: Document) -> Iterator[tuple[str, _Said]]:
    """What stands under each heading (the first wins), behind each label, and in each column."""
    found: dict[str, _Said] = {}
    for section in document.sections:
        text = _first(document, section.start, section.end)
        if text and section.level > 1:
            found.setdefault(plain(parse.slug(section.title).replace("-", " ")), _Said(text, f"“{section.title}”"))
    for match in _LABEL.finditer(document.source.decode()):
        text = _unmarked(match["text"])
        if text and not _EMPTY.fullmatch(text):
            found.setdefault(plain(match["label"]), _Said(shortened(text), f"label “{match['label']}”"))
    for block in document.blocks:
        label, colon, text = " ".join(block.text.split()).partition(": ")
        if colon and block.kind in (Kind.PARAGRAPH, Kind.ITEM) and len(label) <= _LABELS and not _EMPTY.fullmatch(text):
            found.setdefault(plain(label), _Said(shortened(text), f"line {document.place(block.start)[0]}"))
    yield from found.items()


def _first(document: Document, start: int, end: int) -> str:
    """The first paragraph, item or row of cells between two bytes that says something."""
    wanted = (Kind.PARAGRAPH, Kind.ITEM, Kind.CELL)
    inside = [block for block in document.blocks if start <= block.start < end and block.kind in wanted and block.text.strip()]
    said = [block.text.strip() for block in inside if not _EMPTY.fullmatch(block.text.strip())]
    return shortened(said[0]) if said else ""


def _unmarked(text: str) -> str:
    return " ".join(parse.parse(text).blocks[0].text.split()) if text.strip() and parse.parse(text).blocks else ""


def _columns(document: Document) -> Iterator[tuple[str, _Said]]:
    """Per column of the tables: what its cells say, each after the first cell of its row."""
    head: list[str] = []
    rows: list[list[str]] = []
    for row in _rows(document):
        cells = [" ".join(block.text.split()) for block in row]
        if row[0].header:
            yield from _columned(head, rows)
            head, rows = cells, []
        else:
            rows.append(cells)
    yield from _columned(head, rows)


def _rows(document: Document) -> Iterator[list[Block]]:
    row: list[Block] = []
    for block in document.blocks:
        new = block.kind is not Kind.CELL or b"\n" in document.source[row[-1].end : block.start] if row else False
        if new:
            yield row
            row = []
        if block.kind is Kind.CELL:
            row.append(block)
    if row:
        yield row


def _columned(head: list[str], rows: list[list[str]]) -> Iterator[tuple[str, _Said]]:
    for number, title in enumerate(head[1:], 1):
        said = [f"{row[0]} {row[number]}" for row in rows if len(row) > number and row[number]]
        if said:
            yield plain(title), _Said("; ".join(said), f"column “{title}”")


def _says(document: Document, said: Mapping[str, _Said], pointed: Mapping[str, str], shown: str) -> Iterator[tuple[str, Passage]]:
    """The fields that are set side by side, as the card says them; where factbook.yaml points at words, those."""
    known, columns = signs.fields(), dict(_columns(document))
    for field in pointed:
        if field.replace("_", " ") not in known:
            raise DocumentError(f"{shown}: `says` knows no {field}", remedy=f"fields: {', '.join(name.replace(' ', '_') for name in known)}")
    for field, sign in known.items():
        words = pointed.get(field.replace(" ", "_"))
        if words is not None:
            yield field, Passage(" ".join(words.split()), figures.line(document, words, shown))
            continue
        front = ((name, _value(document.front, name)) for name in sign.front)
        found = next((_Said(text, f"front matter, {name}") for name, text in front if text), None)
        found = found or next((columns[title] for title in sign.columns if title in columns), None)
        found = found or next((said[title] for title in sign.labels if title in said), None)
        if found is not None:
            yield field, Passage(found.text, found.place)


def _value(front: Mapping[str, Any], name: str) -> str:
    """A field of the front matter as one text; '' where it is not there, or holds more than texts."""
    first, _, rest = name.partition(".")
    tree = front.get(first)
    if rest:
        return _value(tree, rest) if isinstance(tree, dict) else ""
    items = tree if isinstance(tree, list) else [tree]
    return ", ".join(" ".join(item.split()) for item in items if isinstance(item, str) and item.strip())


def _answers(known: Mapping[str, Sign], front: Mapping[str, Any], said: Mapping[str, _Said]) -> Iterator[tuple[str, str]]:
    """The items that the card speaks of, and where."""
    for item, sign in known.items():
        places = [f"front matter, {name}" for name in sign.front if front.get(name.partition(".")[0]) not in (None, "", [], {})]
        places += [said[title].place for title in sign.labels if title in said]
        if places:
            yield item, places[0]
