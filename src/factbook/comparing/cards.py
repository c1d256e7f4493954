"""What a published card says: a Markdown file, with or without the front matter of the Hugging Face Hub.

Read are the fields of the front matter and its `model-index`, headings, labels (`**Label:** text`), columns of tables, and figures in the text that a
metric is named with. Of those in the text nobody knows the data until factbook.yaml says which words report what. Nothing is measured.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from factbook import measures, regimes, shelf
from factbook.comparing import signs
from factbook.comparing.books import shortened
from factbook.comparing.signs import Sign, plain
from factbook.documents import model_index, parse, shapes
from factbook.documents.parse import Block, Document, Kind
from factbook.errors import DocumentError
from factbook.evidence.quoted import Data, Figure, Passage, Quoted
from factbook.manifest import Compared, Dataset, Reported
from factbook.model import Direction, Metric, Unit

KIND: Final = "card"
_LABEL: Final = re.compile(r"^\s*(?:[-*+]\s+)?\*\*(?P<label>[^*\n]+?):?\*\*\s*:?\s*(?P<text>\S[^\n]*)$", re.MULTILINE)
_EMPTY: Final = re.compile(r"\W*(?:more information needed|needs more information|todo|tbd|n/?a|none|unknown)\W*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?<![\w.,/-])[~≈<>≥≤]?\s?\d+(?:\.\d+)?\s?(?:%|per ?cent\b)|(?<![\w.,/-])[~≈<>≥≤]?0?\.\d+(?![\w%.])", re.IGNORECASE)
_PER_CENT: Final = re.compile(r"\s?(?:%|per ?cent)", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z‘“])")
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_ACRONYM: Final = 4
_LABELS: Final = 40
_BOUND: Final = re.compile(r"[~≈<>≥≤]")
_RATES: Final = frozenset({Unit.FRACTION, Unit.SCORE})


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
    document = _parsed(path, shown)
    front, said = document.front, dict(_said(document))
    found = [*_indexed(document, shown), *_reported(document, entry.reports if entry else {}, shown)]
    reported = {(figure.place, figure.text) for figure, _ in found}
    found += [item for item in _in_text(document) if (item[0].place, item[0].text) not in reported]
    figures, data = _apart(found)
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
        figures=figures,
        answers={regime: dict(_answers(known, front, said)) for regime, known in judged.items() if known},
        unread={regime: "nobody wrote down by what a card answers its items" for regime, known in judged.items() if not known},
    )


def _parsed(path: Path, shown: str) -> Document:
    data = path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{shown}: not UTF-8 (byte {error.start})", remedy="save the file as UTF-8") from error
    return parse.parse(data, shown)


# --- words -----------------------------------------------------------------------------------------------------------------------------------


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
            yield field, Passage(" ".join(words.split()), _line(document, words, shown))
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


# --- figures ---------------------------------------------------------------------------------------------------------------------------------

_Found = tuple[Figure, Data]


def _apart(found: Sequence[_Found]) -> tuple[dict[str, Figure], dict[str, Data]]:
    """Figures and data by their ids; the same data have one id."""
    ids: dict[Data, str] = {}
    figures: dict[str, Figure] = {}
    for figure, data in found:
        if data.name and data not in ids:
            ids[data] = f"data-{len(ids) + 1}"
        figures[figure.id] = replace(figure, data=ids.get(data, ""))
    return figures, {name: data for data, name in ids.items()}


def _indexed(document: Document, shown: str) -> Iterator[_Found]:
    """The results of the `model-index`."""
    for item in model_index.results(document.front, shown):
        figure = _read(Figure(item.name, metric_of(item.metric), item.value, place="front matter, model-index"))
        yield figure, Data(item.dataset, item.config, item.split, item.revision)


def _reported(document: Document, reports: Mapping[str, Reported], shown: str) -> Iterator[_Found]:
    """The figures in the text that factbook.yaml points at."""
    for name, item in reports.items():
        said = " ".join(item.text.split())
        numbers = _numbers(said)
        if len(numbers) != 1:
            raise DocumentError(f"{shown}: reports.{name}: {len(numbers)} figures in {said!r}", remedy="quote the words around one figure only")
        group = tuple(sorted(item.group.items()))
        figure = Figure(name, metric_of(item.metric), numbers[0], slice=group, place=_line(document, item.text, shown))
        yield _read(figure), _named(item.dataset)


def _numbers(said: str) -> list[str]:
    """The figures in some words: one with its interval is one figure."""
    found = list(_NUMBER.finditer(said)) or list(_DIGITS.finditer(said))
    rest = said[found[0].start() :].strip(" .,;") if found else ""
    try:
        return [rest] if shapes.read(rest).high else [match.group().strip() for match in found]
    except shapes.UnreadableText:
        return [match.group().strip() for match in found]


def _named(item: Dataset) -> Data:
    return Data(item.name, item.config, item.split, item.revision)


def _line(document: Document, words: str, shown: str) -> str:
    """Where words stand in a card.

    Raises:
        DocumentError: they do not.
    """
    wanted = " ".join(words.split())
    for block in document.blocks:
        if wanted and wanted in " ".join(block.text.split()):
            return f"line {document.place(block.start)[0]}"
    raise DocumentError(f"{shown} does not say {wanted!r}", remedy="quote it as it stands there, within one paragraph")


def _in_text(document: Document) -> Iterator[_Found]:
    """Figures in the text with a metric named in their sentence, the nearest one."""
    taken: dict[str, int] = {}
    for block in document.blocks:
        if block.kind in {Kind.HEADING, Kind.HTML, Kind.CODE}:
            continue
        line = document.place(block.start)[0]
        for sentence in _SENTENCE.split(" ".join(block.text.split())):
            for metric, text in _named_in(sentence):
                taken[str(line)] = number = taken.get(str(line), 0) + 1
                place = f"line {line}"
                yield _read(Figure(f"line-{line}-{number}", metric, text, place=place)), Data()


def _named_in(sentence: str) -> Iterator[tuple[str, str]]:
    metrics = [(match.start(), metric_of(match.group())) for match in _metrics().finditer(sentence)]
    for match in _NUMBER.finditer(sentence):
        if metrics:
            at = match.start()
            yield min(metrics, key=lambda found: abs(found[0] - at))[1], match.group().strip()


@functools.cache
def _metrics() -> re.Pattern[str]:
    """The names of rates and scores."""
    names = sorted({name for metric in _vocabulary().values() for name in _called(metric)}, key=len, reverse=True)
    words = "|".join(re.escape(name) for name in names if len(name) > _ACRONYM)
    acronyms = "|".join(re.escape(name.upper()) for name in names if len(name) <= _ACRONYM)  # `for` is a word, FOR a rate
    return re.compile(rf"(?<!\w)(?:(?i:{words})|{acronyms})(?!\w)")


def _called(metric: Metric) -> set[str]:
    written = {metric.title, metric.name.replace("_", " "), *(alias.replace("_", " ") for alias in metric.aliases)}
    return {name.casefold().replace("-", " ") for name in written | {metric.short} if len(name) > 1}


@functools.cache
def _vocabulary() -> dict[str, Metric]:
    """Every metric that is better or worse, by name; the first measure that has it wins."""
    found: dict[str, Metric] = {}
    for module in shelf.modules("measures").values():
        for metric in module.METRICS:
            if metric.unit in _RATES and metric.direction is not Direction.NEITHER:
                found.setdefault(metric.name, metric)
    return found


def metric_of(said: str) -> str:
    """The name that a metric has here; one that nobody here knows keeps its own, in lower case."""
    words = " ".join(re.sub(r"[-_]", " ", said).casefold().split())
    wanted = words.replace(" ", "_")
    return measures.find_alias(wanted) or next((name for name, item in _vocabulary().items() if words in _called(item)), wanted)


def known(metric: str) -> Metric | None:
    """What is known of a metric."""
    return _vocabulary().get(metric)


def _read(figure: Figure) -> Figure:
    """A figure with its value, and its interval where the text states one."""
    if _BOUND.match(figure.text):
        return replace(figure, why="one of them is no exact figure")
    try:
        shape = shapes.read(figure.text)
    except shapes.UnreadableText:
        shape = shapes.Shape()
    number = shape.main.value if shape.main else None
    if number is None:
        digits = _DIGITS.search(figure.text)
        return replace(figure, why="it cannot be read as one number") if digits is None else _scaled(figure, float(digits.group()))
    ends = [float(end.value) if end else None for end in (shape.low, shape.high)]
    level = float(shape.level.value) / 100 if shape.level else None
    return _scaled(replace(figure, low=ends[0], high=ends[1], level=level), float(number))


def _scaled(figure: Figure, number: float) -> Figure:
    """Percentages as fractions; a bare number beyond the bounds of its metric has no unit that could be told."""
    metric, scale = known(figure.metric), 1.0
    if _PER_CENT.search(figure.text):
        scale = 0.01
    elif metric is not None and metric.bounds is not None and not metric.bounds[0] <= number <= metric.bounds[1]:
        return replace(figure, low=None, high=None, level=None, why=f"{figure.text} is beyond the bounds of {metric.title}, and its unit is not said")
    ends = [None if end is None else end * scale for end in (figure.low, figure.high)]
    return replace(figure, value=round(number * scale, 12), low=ends[0], high=ends[1])


def plain_name(dataset: str) -> str:
    """The name of a public data set without its namespace, in lower case: `stanfordnlp/imdb` is IMDB."""
    return re.sub(r"[^a-z0-9]+", "", dataset.rpartition("/")[2].casefold())
