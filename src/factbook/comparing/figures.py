"""The figures that a published card reports: those of its `model-index`, and those in the text that a metric is named with.

Of figures in the text nobody knows the data until factbook.yaml says which words report what.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from factbook import measures, shelf
from factbook.documents import model_index, shapes
from factbook.documents.parse import Document, Kind
from factbook.errors import DocumentError
from factbook.evidence.quoted import Data, Figure
from factbook.manifest import Dataset, Reported
from factbook.model import Direction, Metric, Unit

_NUMBER: Final = re.compile(r"(?<![\w.,/-])[~≈<>≥≤]?\s?\d+(?:\.\d+)?\s?(?:%|per ?cent\b)|(?<![\w.,/-])[~≈<>≥≤]?0?\.\d+(?![\w%.])", re.IGNORECASE)
_PER_CENT: Final = re.compile(r"\s?(?:%|per ?cent)", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z‘“])")
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_ACRONYM: Final = 4
_BOUND: Final = re.compile(r"[~≈<>≥≤]")
_RATES: Final = frozenset({Unit.FRACTION, Unit.SCORE})

_Found = tuple[Figure, Data]


def of(document: Document, reports: Mapping[str, Reported], shown: str) -> tuple[dict[str, Figure], dict[str, Data]]:
    """The figures that a card reports, and the data that they are about, both by their ids.

    Raises:
        DocumentError: words that factbook.yaml points at do not stand in it, or hold no figure.
    """
    found = [*_indexed(document, shown), *_reported(document, reports, shown)]
    reported = {(figure.place, figure.text) for figure, _ in found}
    return _apart([*found, *(item for item in _in_text(document) if (item[0].place, item[0].text) not in reported)])


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
        figure = Figure(name, metric_of(item.metric), numbers[0], slice=group, place=line(document, item.text, shown))
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


def line(document: Document, words: str, shown: str) -> str:
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
    taken: dict[int, int] = {}
    for block in document.blocks:
        if block.kind in {Kind.HEADING, Kind.HTML, Kind.CODE}:
            continue
        at = document.place(block.start)[0]
        for sentence in _SENTENCE.split(" ".join(block.text.split())):
            for metric, text in _named_in(sentence):
                taken[at] = number = taken.get(at, 0) + 1
                place = f"line {at}"
                yield _read(Figure(f"line-{at}-{number}", metric, text, place=place)), Data()


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
