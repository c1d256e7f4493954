"""Tables that are made from facts and stand between two comments, so that the Markdown stays readable without factbook.

    <!-- fact:table EVIDENCE by=age_band,sex metrics=n,fnr,fpr -->      one row a group, and one for all of them
    <!-- fact:table EVIDENCE metrics=accuracy,auc -->                   one row a metric
    <!-- fact:table EVIDENCE per=column metrics=type,missing -->        one row a value of a parameter

A region is compared by cell, not by byte: what Prettier or mdformat do to its white space is no change. `n` means the number of rows.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from factbook.documents.spelling import cell
from factbook.errors import DocumentError, FactbookError, KeySyntaxError, UnknownName
from factbook.model import Fact, Key, Pairs

if TYPE_CHECKING:
    from factbook.documents.parse import Document, Region
    from factbook.evidence.catalog import Catalog

OVERALL: Final = "all"
CLOSE: Final = "<!-- /fact -->"
_ROWS: Final = "rows"
_WORDS: Final = ("by", "per", "metrics")
_MARKUP: Final = re.compile(r"[\\`*{}\[\]<>&|~$]|(?<!\w)_|_(?!\w)")
_ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_NONE: Final = "–"
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of plain texts; `names` says how many leading columns hold names rather than facts."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int


@dataclass(frozen=True, slots=True)
class TableSpec:
    """What a region shows: one evidence, some metrics, by which slice attributes or per which parameter."""

    evidence: str
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    per: str = ""

    @classmethod
    def parse(cls, arguments: str) -> TableSpec:
        """Read the arguments of an opening comment.

        Raises:
            DocumentError: a word is missing, unknown or given twice.
        """
        try:
            first, *words = shlex.split(arguments)
        except ValueError as error:
            raise DocumentError(f"a table needs `EVIDENCE metrics=…`, not {arguments!r}") from error
        given: dict[str, str] = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not value or name not in _WORDS or name in given:
                raise DocumentError(
                    f"a table has no word {word!r} here", remedy="its words, once each: by=ATTRIBUTE,… or per=PARAMETER, metrics=NAME,…"
                )
            given[name] = value
        by, metrics = (tuple(part for part in given.get(name, "").split(",") if part) for name in ("by", "metrics"))
        if not metrics or len(set(metrics)) < len(metrics) or len(set(by)) < len(by) or (by and "per" in given):
            raise DocumentError(f"{arguments!r}: a table needs metrics=NAME,… once each, and either by= or per=")
        spec = cls(first, metrics, by, given.get("per", ""))
        for metric in metrics:
            try:
                spec.key(metric)
            except KeySyntaxError as error:
                raise DocumentError(f"{arguments!r}: {metric!r} is no metric") from error
        return spec

    def __str__(self) -> str:
        words = [self.evidence]
        words += [f"by={','.join(self.by)}"] if self.by else []
        words += [f"per={self.per}"] if self.per else []
        return shlex.join([*words, f"metrics={','.join(self.metrics)}"])

    def key(self, metric: str) -> Key:
        """The key of the overall fact of one of the metrics; `n` is the number of rows."""
        return Key.parse(f"{self.evidence}/{_ROWS if metric == 'n' else metric}")


def table(spec: TableSpec, catalog: Catalog) -> Table:
    """The table as it must read.

    Raises:
        UnknownName: the evidence, a metric or an attribute does not exist.
    """
    if spec.by:
        return _by_group(spec, catalog)
    return _by_parameter(spec, catalog) if spec.per else _by_metric(spec, catalog)


def _short(spec: TableSpec, metric: str, catalog: Catalog) -> str:
    return "n" if metric == "n" else catalog.metric(spec.key(metric)).short


def _by_group(spec: TableSpec, catalog: Catalog) -> Table:
    columns = {metric: _column(spec, metric, catalog) for metric in spec.metrics}
    slices = list(dict.fromkeys(pairs for column in columns.values() for pairs in column))
    rows = [(*(dict(pairs)[attribute] for attribute in spec.by), *(_cell(columns[metric].get(pairs)) for metric in spec.metrics)) for pairs in slices]
    overall = [_overall(spec, metric, catalog) for metric in spec.metrics]
    if any(text != _NONE for text in overall):
        rows.append((*(OVERALL for _ in spec.by), *overall))
    shorts = [_short(spec, metric, catalog) for metric in spec.metrics]
    heads = (_titled(short, spec.key(metric)) if shorts.count(short) > 1 else short for metric, short in zip(spec.metrics, shorts, strict=True))
    return Table((*spec.by, *heads), tuple(rows), len(spec.by))


def _column(spec: TableSpec, metric: str, catalog: Catalog) -> dict[Pairs, Fact]:
    key = spec.key(metric)
    facts = catalog.slices(spec.evidence, key.metric, spec.by, key.params)
    if not facts:
        raise UnknownName("fact", f"{key} by {','.join(spec.by)}", ())
    return {fact.key.slice: fact for fact in facts}


def _cell(fact: Fact | None) -> str:
    return cell(fact) if fact is not None else _NONE


def _overall(spec: TableSpec, metric: str, catalog: Catalog) -> str:
    key = spec.key(metric)
    return cell(catalog.fact(key)) if key in catalog.evidence else _NONE


def _by_metric(spec: TableSpec, catalog: Catalog) -> Table:
    rows = []
    for metric in spec.metrics:
        fact = catalog.fact(spec.key(metric))
        described = catalog.metric(fact.key)
        rows.append((_titled(described.title, fact.key), cell(fact), f"{fact.n:,}" if fact.n is not None else _NONE))
    return Table(("metric", "value", "n"), tuple(rows), 1)


def _titled(title: str, key: Key) -> str:
    """The title of a metric with its parameters, which tell its rows or columns apart."""
    return f"{title}, {', '.join(f'{name} = {value}' for name, value in key.params)}" if key.params else title


def _by_parameter(spec: TableSpec, catalog: Catalog) -> Table:
    wanted = {(key.metric, key.params): metric for metric in spec.metrics for key in [spec.key(metric)]}
    found: dict[str, dict[str, Fact]] = {}
    for fact in catalog.facts():
        key, given = fact.key, dict(fact.key.params)
        value = given.pop(spec.per, None)
        metric = wanted.get((key.metric, tuple(given.items())))
        if key.evidence == spec.evidence and not key.slice and value is not None and metric is not None:
            found.setdefault(value, {})[metric] = fact
    if not found:
        raise UnknownName("parameter", f"{spec.evidence} per {spec.per}", ())
    rows = tuple((value, *(_cell(found[value].get(metric)) for metric in spec.metrics)) for value in sorted(found, key=_order))
    return Table((spec.per, *(_short(spec, metric, catalog) for metric in spec.metrics)), rows, 1)


def _order(value: str) -> tuple[float, str]:
    """Numbers by size, then texts."""
    return (float(value) if _NUMBER.fullmatch(value) else math.inf, value)


def expected(region: Region, catalog: Catalog) -> Table:
    """The table that a region must hold.

    Raises:
        FactbookError: its arguments do not parse or name what does not exist.
    """
    return table(TableSpec.parse(region.arguments), catalog)


def agrees(region: Region, wanted: Table) -> bool:
    """Whether the region holds exactly this table, cell by cell, and nothing else."""
    return not region.stray and region.rows == tuple(tuple(" ".join(text.split()) for text in row) for row in (wanted.header, *wanted.rows))


def escape(text: str) -> str:
    """Plain text as Markdown that reads as that text in CommonMark, MDX and MyST, inside a table or not."""
    return _MARKUP.sub(lambda match: _ENTITIES.get(match.group(), f"&#{ord(match.group())};"), text)


def markdown(wanted: Table) -> str:
    """The table as Markdown; names to the left, facts to the right."""
    rule = ["---" if index < wanted.names else "---:" for index in range(len(wanted.header))]
    lines = [[escape(text) for text in wanted.header], rule]
    lines += [[escape(" ".join(text.split())) if index < wanted.names else _plain(text) for index, text in enumerate(row)] for row in wanted.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(text: str) -> str:
    """A fact's cell: brackets around an interval are left readable."""
    return escape(text).replace("&#91;", "[").replace("&#93;", "]")


def regenerated(document: Document, region: Region, catalog: Catalog) -> bytes | None:
    """What must stand between the comments, or None where it already does; the document's line ends are kept."""
    try:
        wanted = expected(region, catalog)
    except FactbookError:
        return None
    if agrees(region, wanted):
        return None
    end = "\r\n" if b"\r\n" in document.source else "\n"
    return f"\n\n{markdown(wanted)}\n\n".replace("\n", end + _margin(document, region)).encode()


def _margin(document: Document, region: Region) -> str:
    """What every line of the region begins with: the indentation of a list or the mark of a quotation that it stands in."""
    line = document.source[: region.start].rpartition(b"\n")[2].decode()
    return line if not line.strip(" >") else " " * len(line)
