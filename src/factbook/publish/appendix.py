"""The appendix of a PDF: what the text and the tables rest on, in few lines each, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Final

from factbook.publish import citations, ledger
from factbook.publish.citations import Citation, Detail
from factbook.publish.setting import call, say, string

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.evidence.store import Record
    from factbook.model import Key
    from factbook.publish import Publication

_ABOUT: Final = (
    "A number in brackets in the text leads to its entry below; figures in tables stand with their measurement. In the folder of this book, "
    "factbook check compares every figure with its evidence again. The digest of a fact is shortened; those of measurements and sources are whole."
)
_IN_RECORD: Final = ("Source", "Measure", "Re-derive", "Key")
_OF_THING: Final = ("Says", "Read at digest", "Origin")
_BRIEF: Final = frozenset({"What", "Slice", "Parameters", "n", "Counts", "Method", "Remark", "Origin"})
_CODE: Final = frozenset({"Key", "Re-derive", "Digest", "Expression", "Derived as"})


class Ledger:
    """What a document cites, in the order of its text; what its running text cites has a number."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self._labels: dict[tuple[str, str], tuple[str, Citation]] = {}
        self._numbers: dict[str, int] = {}

    def label(self, citation: Citation) -> str:
        """The place of a citation in the appendix, for links that lead there."""
        name = f"entry-{len(self._labels) + 1}"
        return self._labels.setdefault((citation.scheme, citation.target), (name, citation))[0]

    def number(self, label: str) -> int:
        """The number of what the running text cites."""
        return self._numbers.setdefault(label, len(self._numbers) + 1)

    def set(self) -> str:
        """The appendix, as typst."""
        if not self._labels:
            return ""
        entries = dict(self._labels.values())
        numbered = [entries[label] for label in self._numbers]
        others = {label: citation for label, citation in entries.items() if label not in self._numbers}
        records = self.publication.catalog.evidence.records
        names = {citation.key.evidence for citation in entries.values() if citation.key is not None and citation.key.evidence in records}
        loose = [(label, citation) for label, citation in others.items() if citation.key is None or citation.key.evidence not in records]
        quoted = [item for item in loose if item[1].scheme == "quoted"]
        loose = [item for item in loose if item not in quoted]
        parts = ["#pagebreak();\n", call("heading", "level: 1", body=say("Evidence")), call("aside", body=say(_ABOUT))]
        if numbered:
            entry = [f"[{self._entry(label, citation)}]" for label, citation in zip(self._numbers, numbered, strict=True)]
            parts += [_title("What the text cites"), call("entries", *entry)]
        if loose:
            parts += [_title("What else the tables cite"), call("list", *(f"[{self._entry(*item)}]" for item in loose))]
        parts += [self._quoted(list(group)) for _, group in groupby(sorted(quoted, key=_thing), key=_thing)]
        return "\n".join([*parts, *(self._measurement(records[name], others) for name in sorted(names))])

    def _quoted(self, group: list[tuple[str, Citation]]) -> str:
        """What stands in tables of one other book or card: from where, once, then each figure with its name there."""
        about = [(item.term, item.text) for item in group[0][1].details if item.term in _OF_THING]
        names = [call("strong", body=say(citation.headline)) + " " + call("raw", string(citation.target.partition("/")[2])) for _, citation in group]
        each = [f"[{name} <{label}>]" for name, (label, _) in zip(names, group, strict=True)]
        return _title(f"Quoted from {_thing(group[0])}") + _terms(about) + call("quotes", *each)

    def _measurement(self, record: Record, others: Mapping[str, Citation]) -> str:
        """What a measurement rests on, and its facts that stand in tables only."""
        lines = [("Measure", f"{record.measure}, version {record.version}"), ("Measured", citations.day(record))]
        lines += [("Re-derive", citations.command(record)), ("Evidence", record.digest)]
        lines += [(f"Source {item.source}, {item.rows:,} rows", item.digest) for _, item in sorted(record.inputs.items())]
        keyed = [(label, citation, citation.key) for label, citation in others.items() if citation.key is not None]
        cited = sorted((item for item in keyed if item[2].evidence == record.name), key=_metric)
        rows = [cell for _, group in groupby(cited, key=_metric) for cell in self._rows(list(group))]
        return _title(f"Measurement {record.name}") + _terms(lines) + (call("facts", *rows) if rows else "")

    def _rows(self, group: list[tuple[str, Citation, Key]]) -> list[str]:
        """The facts of one metric: a line that names it, then one for each; a single one stands beside its name."""
        key = group[0][2]
        name = call("raw", string(f"{key.evidence}/{key.metric}")) + call("label-of", body=say(self.publication.catalog.metric(key.whole()).title))
        if len(group) == 1:
            return [f"[{cell}]" for cell in self._row(*group[0], name=name)]
        return [f"metric([{name}])", *(f"[{cell}]" for item in group for cell in self._row(*item))]

    def _row(self, label: str, citation: Citation, key: Key, name: str = "") -> list[str]:
        said = {item.term: item.text for item in citation.details}
        where = [f"{term} = {text}" for term, text in (*key.params, *key.slice)]
        place = say(", ".join(where) or ("" if name else "overall"))
        how = ", ".join(filter(None, (said.get("Method"), said.get("Remark"), said.get("Origin"))))
        digest = ledger.short_digest(self.publication, key)
        texts = (citation.headline, said.get("n", ""), said.get("Counts", ""), how)
        first = name + ("#linebreak();" if name and place else "") + place
        return [f"{first} <{label}>", *map(say, texts), call("raw", string(digest))]

    def _entry(self, label: str, citation: Citation) -> str:
        name = say(f"{citation.label} ") if citation.key is None else ""
        head = call("strong", body=say(citation.headline)) + call("label-of", body=name + call("raw", string(citation.target)))
        return f"{head} <{label}>#linebreak();{_terms(self._lines(citation), flowing=True)}"

    def _lines(self, citation: Citation) -> list[tuple[str, str]]:
        """What is said about a citation, in few lines; the rest stands with its measurement."""
        key = citation.key
        if key is None:
            return [(item.term, item.text) for item in citation.details if item.term != "Re-derive"]
        details = [item for item in citation.details if not item.term.startswith(_IN_RECORD)]
        brief = ", ".join(_in_brief(item) for item in details if item.term in _BRIEF)
        lines = [("", brief), *((item.term, item.text) for item in details if item.term not in _BRIEF)]
        return lines if key.evidence == citations.DERIVED else [*lines, ("Digest", ledger.short_digest(self.publication, key))]


def not_judged(publication: Publication, document: Document, level: int) -> str:
    """What was not judged of a document, and of the book as a whole, so that nobody takes silence for consent."""
    others = {item.name for item in publication.documents} - {document.name}
    rows = [row for row in publication.not_judged if row.place.partition(":")[0] not in others]
    if not rows:
        return ""
    lines = [f"[{call('strong', body=say(row.what))}{say(f': {row.message}' + (f' ({row.place})' if row.place else ''))}]" for row in rows]
    return "\n".join((call("heading", f"level: {level}", body=say("Not judged")), call("list", *lines)))


def _title(text: str) -> str:
    return call("heading", "level: 2", body=say(text))


def _thing(entry: tuple[str, Citation]) -> str:
    return entry[1].target.partition("/")[0]


def _metric(entry: tuple[str, Citation, Key]) -> str:
    return entry[2].metric


def _in_brief(item: Detail) -> str:
    return f"n = {item.text}" if item.term == "n" else item.text


def _terms(lines: Iterable[tuple[str, str]], *, flowing: bool = False) -> str:
    pairs = [f"({string(term)}, {_term(term, text)})" for term, text in lines if text]
    return call("flowing" if flowing else "terms-of", *pairs)


def _term(term: str, text: str) -> str:
    plain = call("raw", string(text)) if term in _CODE or "sha256:" in text else say(text)
    return f"[{plain}]"
