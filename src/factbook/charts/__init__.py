"""Facts to SVG: one file per kind of chart; a file that defines `draw(spec, catalog) -> str` is a kind.

A chart in a document is an ordinary image whose title says what it shows; the file beside it is made from the evidence and compared with it:

    ![Missed cases by age](../evidence/figures/fairness-fnr-age_band.svg "fact:chart fairness metric=fnr by=age_band")

A kind's `WORDS` are the words that its title takes, all of them required (`evidence` comes first and `kind` defaults to `intervals`).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from factbook import shelf
from factbook.errors import DocumentError, KeySyntaxError, UnknownName
from factbook.model import Key

if TYPE_CHECKING:
    from factbook.evidence.catalog import Catalog

PREFIX: Final = "fact:chart"
FOLDER: Final = "evidence/figures"
DEFAULT: Final = "intervals"
_PLAIN = re.compile(r"[a-z0-9_]+\Z")


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """What a chart shows: one evidence, one metric with its parameters, by which attributes, drawn as which kind."""

    evidence: str
    metric: str = ""
    by: tuple[str, ...] = ()
    kind: str = DEFAULT

    @classmethod
    def parse(cls, title: str) -> ChartSpec:
        """Read an image title of the form `fact:chart EVIDENCE metric=NAME by=ATTRIBUTE[,ATTRIBUTE] [kind=intervals]`.

        Raises:
            DocumentError: a word is unknown, missing, given twice or does not parse.
        """
        words = _split(title)
        if not words or words[0] != PREFIX:
            raise DocumentError(f"{title!r} is not the title of a chart", remedy=f'write "{PREFIX} EVIDENCE metric=NAME by=ATTRIBUTE"')
        if len(words) < 2 or "=" in words[1]:
            raise DocumentError(f"{title!r}: the chart names no evidence", remedy=f'write "{PREFIX} EVIDENCE metric=NAME by=ATTRIBUTE"')
        given = _pairs(words[2:], title)
        kind = given.pop("kind", DEFAULT)
        _complete(kind, given, title)
        spec = cls(words[1], given.get("metric", ""), _attributes(given.get("by", ""), title), kind)
        try:
            key = spec.key()
        except KeySyntaxError as error:
            raise DocumentError(f"{title!r}: {error.message}") from error
        if key.slice or key.field:
            raise DocumentError(f"{title!r}: metric={spec.metric} names a slice or a field", remedy="name the metric, and its groups with by=")
        return spec

    def __str__(self) -> str:
        words = [PREFIX, self.evidence]
        words += [f"metric={self.metric}"] if self.metric else []
        words += [f"by={','.join(self.by)}"] if self.by else []
        words += [f"kind={self.kind}"] if self.kind != DEFAULT else []
        return shlex.join(words)

    def key(self, metric: str = "") -> Key:
        """The key of the overall fact of the chart's metric, or of another metric of the same evidence."""
        return Key.parse(f"{self.evidence}/{metric or self.metric or 'rows'}")


def _split(title: str) -> list[str]:
    try:
        return shlex.split(title)
    except ValueError as error:
        raise DocumentError(f"{title!r} is not the title of a chart ({error})", remedy="close the quotation") from error


def _pairs(words: list[str], title: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value or name not in ("metric", "by", "kind"):
            raise DocumentError(f"{title!r}: a chart has no word {word!r}", remedy="known: metric=NAME by=ATTRIBUTE[,ATTRIBUTE] kind=KIND")
        if name in given:
            raise DocumentError(f"{title!r}: {name}= is given twice", remedy="keep one of them")
        given[name] = value
    return given


def _complete(kind: str, given: dict[str, str], title: str) -> None:
    try:
        wanted = set(shelf.find("charts", kind).WORDS)
    except UnknownName as error:
        raise DocumentError(f"{title!r}: there is no kind of chart {kind!r}", remedy=error.remedy) from error
    for name in sorted(wanted ^ set(given)):
        said = "needs" if name in wanted else "does not take"
        raise DocumentError(f"{title!r}: a chart of the kind {kind} {said} {name}=", remedy=f"its words: {', '.join(sorted(wanted)) or 'none'}")


def _attributes(by: str, title: str) -> tuple[str, ...]:
    names = tuple(by.split(",")) if by else ()
    if "" in names or len(set(names)) < len(names):
        raise DocumentError(f"{title!r}: by={by} names an attribute twice or leaves one out", remedy="write by=age_band,sex")
    return names


def path(spec: ChartSpec) -> str:
    """Where the chart's file is, relative to the book: readable, and different for different charts on any file system."""
    parts = [part for part in (spec.evidence, spec.metric, *spec.by) if part]
    plain = all(_PLAIN.match(part) for part in (*parts, spec.kind.replace("-", "_")))
    name = "-".join(re.sub(r"[^A-Za-z0-9_]+", "_", part) for part in parts)
    name += f".{spec.kind}" if spec.kind != DEFAULT else ""
    name += "" if plain else f".{sha256(str(spec).encode()).hexdigest()[:8]}"
    return f"{FOLDER}/{name}.svg"


def render(spec: ChartSpec, catalog: Catalog) -> str:
    """The chart as an SVG text; the same facts give the same bytes.

    Raises:
        UnknownName: the evidence has no such facts.
        DocumentError: the facts cannot be drawn as this kind.
    """
    drawn: str = shelf.find("charts", spec.kind).draw(spec, catalog)
    return drawn
