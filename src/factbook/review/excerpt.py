"""What a sign-off vouches for: the bytes of a document or section, every fact that it cites, and all else that stands behind its words.

Footnotes, the destinations of reference links and the files of pictures stand elsewhere and are seen in the section: they belong to it. `shape` is
the same text with figures left open, so that what moved can be told from what was reworded.
"""

from __future__ import annotations

import copy
import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from factbook import canon, charts
from factbook.documents import parse, regions
from factbook.documents.parse import Document, Section
from factbook.errors import DocumentError, FactbookError, KeySyntaxError, UnknownName
from factbook.evidence.algebra import DERIVED
from factbook.evidence.catalog import Catalog
from factbook.expressions import operands, parse_value
from factbook.model import Fact, Key, Pairs

_FIGURE: Final = re.compile(r"[0-9]+(?:[,\u00a0\u202f ][0-9]{3}(?![0-9]))*")
_INLINE: Final = frozenset({"Inline", "Autolink", "Email"})
_EMBEDDED: Final = frozenset({"", "data"})
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is vouched for.

    Attributes:
        sha256: of the bytes, line ends as in Unix, with the footnotes that they refer to; in hexadecimal.
        shape: the same with figures of facts and tables left open.
        kind: of the document, which says who owns what in it.
        under: the headings that a section stands under, without the document's title.
        facts: the digest of every fact that is cited, in links, tables, charts and claims; '' for one that does not exist.
        figures: value and interval of each, or what it says instead.
        behind: what else stands behind the words: claims with their verdicts, declarations, destinations of reference links, files of pictures.
        made: how each measurement was made, without the data.
    """

    sha256: str
    shape: str
    kind: str
    under: tuple[str, ...]
    facts: Mapping[str, str]
    figures: Mapping[str, Mapping[str, Any]]
    behind: Mapping[str, str]
    made: Mapping[str, str]

    def tree(self) -> dict[str, Any]:
        """Plain data, as it is signed."""
        return asdict(self) | {"under": list(self.under)}

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> Excerpt:
        """The excerpt of plain data. Raises KeyError or TypeError where it is none."""
        maps = {name: dict(tree[name]) for name in ("facts", "figures", "behind", "made")}
        return cls(str(tree["sha256"]), str(tree["shape"]), str(tree["kind"]), tuple(tree["under"]), **maps)


def section(document: Document, anchor: str) -> Section | None:
    """The section of an anchor; None for the whole document.

    Raises:
        UnknownName: there is none.
        DocumentError: there are several, so that nobody could say which is meant.
    """
    if not anchor:
        return None
    found = [item for item in document.sections if item.slug == anchor]
    if not found:
        raise UnknownName(f"section in {document.name}", anchor, [item.slug for item in document.sections])
    if len(found) > 1:
        raise DocumentError(f"{document.name} has {len(found)} sections “{found[0].title}”", remedy="give them different headings")
    return found[0]


def excerpt(root: Path, catalog: Catalog, document: Document, anchor: str = "") -> Excerpt:
    """What a document, or the section of an anchor, says now.

    Raises:
        UnknownName, DocumentError: there is no such section, or there are several.
    """
    place = section(document, anchor)
    ranges = _ranges(document, place)
    keys = _cited(document, ranges, catalog)
    return Excerpt(
        sha256=_hash(document.source[low:high] for low, high in ranges),
        shape=_hash(_open(document, low, high) for low, high in ranges),
        kind=document.kind,
        under=_under(document, place),
        facts={str(key): _identity(key, catalog) for key in keys},
        figures={str(key): figure(key, catalog) for key in keys},
        behind=dict(sorted(_behind(root, document, ranges, catalog))),
        made=_made(keys, catalog),
    )


def agrees(document: Document, anchor: str, catalog: Catalog) -> bool:
    """Whether every figure of the section says what its fact says: then only figures moved where its shape is the same."""
    from factbook.documents.agreement import disagreement

    ranges = _ranges(document, section(document, anchor))
    try:
        tables = all(regions.agrees(item, regions.expected(item, catalog)) for item in document.regions if _inside(item.start, ranges))
        links = [link for link in document.bound("fact") if _inside(link.start, ranges)]
        keys = [Key.parse(link.target) for link in links]
        return tables and not any(
            disagreement(link.text, catalog.fact(key), catalog.thresholds_for(key)) for link, key in zip(links, keys, strict=True)
        )
    except FactbookError:
        return False


# --- the bytes -------------------------------------------------------------------------------------------------------------------------------


def _hash(parts: Iterator[bytes]) -> str:
    whole = b"\n".join(re.sub(rb"\r\n?", b"\n", part).strip(b"\n") for part in parts)
    return hashlib.sha256(whole).hexdigest()


def _ranges(document: Document, place: Section | None) -> list[Range]:
    """The bytes of the section, then those of the footnotes that it refers to and that stand elsewhere."""
    if place is None:
        return [(0, len(document.source))]
    found, ranges = dict(_footnotes(document)), [(_line(document, place.start), _line(document, place.end))]
    for low, high in ranges:  # a footnote may refer to another
        for event, start, _ in document.events:
            step, _, label = parse.tag(event)
            if step == "FootnoteReference" and low <= start < high and label in found and not _inside(found[label][0], ranges):
                ranges.append(found[label])
    return ranges


def _line(document: Document, offset: int) -> int:
    """Where the line begins, so that the mark of a quotation or list before a heading belongs to its section."""
    return offset if offset == len(document.source) else document.source.rfind(b"\n", 0, offset) + 1


def _footnotes(document: Document) -> Iterator[tuple[str, Range]]:
    for event, start, end in document.events:
        step, kind, label = parse.tag(event)
        if (step, kind) == ("Start", "FootnoteDefinition"):
            yield str(label), (start, end)


def _inside(offset: int, ranges: Sequence[Range]) -> bool:
    return any(low <= offset < high for low, high in ranges)


def _open(document: Document, start: int, end: int) -> bytes:
    """The bytes with the figures of facts left open, and without what stands in generated tables."""
    edits: list[tuple[int, int, bytes]] = [(region.inner_start, region.inner_end, b"") for region in document.regions if start <= region.start < end]
    for link in document.bound("fact"):
        if start <= link.start < end and document.region_at(link.start) is None:
            text = document.source[link.text_start : link.text_end].decode()
            edits.append((link.text_start, link.text_end, _FIGURE.sub("#", text).encode()))
    parts, done = list[bytes](), start
    for low, high, said in sorted(edits):
        parts += [document.source[done:low], said]
        done = max(done, high)
    return b"".join([*parts, document.source[done:end]])


def _under(document: Document, place: Section | None) -> tuple[str, ...]:
    above = [item for item in document.sections if place and item.start < place.start and place.end <= item.end and item.level > 1]
    return tuple(item.title for item in above)


# --- the facts -------------------------------------------------------------------------------------------------------------------------------


class _Watching(Catalog):
    """A catalog that notes which facts are asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self.__dict__.update(copy.copy(catalog).__dict__)
        self.asked: dict[Key, None] = {}

    def fact(self, key: Key) -> Fact:
        self.asked.setdefault(key.whole())
        return super().fact(key)

    def slices(self, evidence: str, metric: str, by: str | Sequence[str], params: Pairs = ()) -> list[Fact]:
        found = super().slices(evidence, metric, by, params)
        self.asked.update(dict.fromkeys(fact.key for fact in found))
        return found


def _cited(document: Document, ranges: Sequence[Range], catalog: Catalog) -> list[Key]:
    """Every fact behind the text, and those that these are derived from, in the order of their keys."""
    watching = _Watching(catalog)
    for link in document.links:
        if _inside(link.start, ranges) and link.scheme in {"fact", "claim"}:
            _note(watching, link.scheme, link.target if link.scheme == "fact" else link.name)
    for region in document.regions:
        if _inside(region.start, ranges):
            _note(watching, "table", region.arguments)
    for image in document.images:
        if _inside(image.start, ranges) and image.title.startswith(charts.PREFIX):
            _note(watching, "chart", image.title)
    pending = list(watching.asked)
    for key in pending:
        pending += [operand for operand in _operands(key, catalog) if operand not in pending]
    return sorted(pending, key=str)


def _note(watching: _Watching, what: str, said: str) -> None:
    """Ask for the facts of one link, table or chart. What does not parse cites nothing; what does not exist is noted all the same."""
    try:
        if what == "fact":
            watching.fact(Key.parse(said))
        elif what == "claim":
            watching.asked.update(dict.fromkeys(key.whole() for key in watching.claim(said).operands))
        elif what == "chart":
            charts.render(charts.ChartSpec.parse(said), watching)
        else:
            _table(regions.TableSpec.parse(said), watching)
    except FactbookError:
        return


def _table(spec: regions.TableSpec, watching: _Watching) -> None:
    wanted = {(key.metric, key.params) for key in map(spec.key, spec.metrics)}
    if not spec.per:
        regions.table(spec, watching)
        return
    for key in watching.evidence:
        rest = tuple(pair for pair in key.params if pair[0] != spec.per)
        if key.evidence == spec.evidence and not key.slice and rest != key.params and (key.metric, rest) in wanted:
            watching.asked.setdefault(key)


def _operands(key: Key, catalog: Catalog) -> list[Key]:
    text = catalog.manifest.derived.get(key.metric) if key.evidence == DERIVED else None
    return [operand.whole() for operand in operands(parse_value(text, key.metric))] if text else []


def _identity(key: Key, catalog: Catalog) -> str:
    """The digest of a fact; of a derived one over its expression and the digests of what it is derived from."""
    try:
        if key.evidence != DERIVED:
            return catalog.evidence.identity(key)
        made = {str(operand): _identity(operand, catalog) for operand in _operands(key, catalog)}
        return canon.digest({"derived": catalog.manifest.derived[key.metric], "level": str(catalog.manifest.level), "from": made})
    except (KeyError, FactbookError):
        return ""


def figure(key: Key, catalog: Catalog) -> dict[str, Any]:
    """What a fact says, in plain data: value and interval where it is a number, else its words."""
    try:
        fact = catalog.fact(key)
    except (FactbookError, KeySyntaxError):
        return {"says": "it does not exist"}
    kept: dict[str, Any] = {"unit": fact.unit.value, "origin": fact.origin.value}
    if fact.measured and isinstance(fact.value, int | float):
        ends = {name: end for name, end in (("low", fact.low), ("high", fact.high)) if end is not None}
        safe = not isinstance(fact.value, int) or abs(fact.value) <= canon.SAFE_INTEGER
        return kept | {"value": fact.value if safe else str(fact.value)} | ends
    return kept | {"says": str(fact.value) if fact.measured else f"{fact.status.value}: {fact.reason}"}


def _made(keys: Sequence[Key], catalog: Catalog) -> dict[str, str]:
    """How the measurements behind the facts were made: measure, version, parameters and declarations, and not which rows."""
    records = catalog.evidence.records
    found = {}
    for name in sorted({key.evidence for key in keys} & set(records)):
        item = records[name]
        inputs = {role: [given.source, given.declaration] for role, given in item.inputs.items()}
        found[name] = canon.digest([item.measure, item.version, dict(item.params), item.level, item.suppress_below, inputs])
    return found


# --- what else stands behind the words -------------------------------------------------------------------------------------------------------


def _behind(root: Path, document: Document, ranges: Sequence[Range], catalog: Catalog) -> Iterator[tuple[str, str]]:
    for link in document.links:
        if _inside(link.start, ranges) and link.scheme in {"claim", "gap", "policy", "declared", "quoted"}:
            yield f"{link.scheme}:{link.name}", _said(link.scheme, link.name, catalog)
    for event, start, _ in document.events:
        step, kind, given = parse.tag(event)
        if step != "Start" or kind not in {"Link", "Image"} or not _inside(start, ranges):
            continue
        if given["link_type"] not in _INLINE:
            yield f"[{given['id']}]", f"{given['dest_url']} {given['title']}".strip()
        if kind == "Image" and not given["title"].startswith(charts.PREFIX) and parse.split(given["dest_url"])[0] in _EMBEDDED:
            name = posixpath.normpath(posixpath.join(posixpath.dirname(document.name), unquote(given["dest_url"])))
            yield name, _file(root / name)


def _said(scheme: str, name: str, catalog: Catalog) -> str:
    """What factbook.yaml says under a name; of a claim with its verdict, of a quotation what was read, and from which bytes."""
    try:
        if scheme == "claim":
            claim = catalog.claim(name)
            return f"{claim.verdict.value}: {claim.expression}"
        if scheme == "quoted":
            quoted, statement = catalog.quoted(name)
            return f"{quoted.digest} {quoted.text(statement)}"
        found = {"gap": catalog.gap, "policy": catalog.policy, "declared": catalog.declared}[scheme](name)
        return canon.digest(found.model_dump(mode="json", exclude_defaults=True))
    except FactbookError:
        return ""


def _file(path: Path) -> str:
    return f"sha256:{canon.hash_file(path)}" if path.is_file() else ""
