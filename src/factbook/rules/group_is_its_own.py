"""A sentence names the group of the fact that it cites, and no other.

Why: a true number beside the wrong group is a false statement.

Bad:  Women are missed in [12 %](fact:performance/fnr?sex=men) of cases.
Good: Men are missed in [12 %](fact:performance/fnr?sex=men) of cases.

Groups are known by the names in factbook.yaml. A sentence that cites as many groups as it names must do so in the same order.
Fix: mend the words or the link.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from factbook.documents.parse import Block, Document, Kind, Link
from factbook.errors import FactbookError, KeySyntaxError
from factbook.evidence.algebra import DERIVED
from factbook.evidence.catalog import Catalog
from factbook.expressions import operands, parse_value
from factbook.model import Key
from factbook.rules import Checked, Problem, at, prose
from factbook.rules.groups import attributes, mentions

CODE: Final = "FB107"
NAME: Final = "group-is-its-own"

_ALL = re.compile(
    r"\b(?:overall|all|both|total|every(?:body|one)?|each|any|regardless|whole|entire|among|across|together|included|including)\b", re.IGNORECASE
)
_FAR: Final = 60
_MARKER = re.compile(rb"(?:[-*+]|\d+[.)])\s+$")
_INVERTED = re.compile(r"\b(?:compared (?:with|to)|unlike|relative to|in contrast (?:to|with))\b", re.IGNORECASE)


def check(checked: Checked) -> Iterator[Problem]:
    """Compare the groups that a sentence, or a row of a table, names with those of the facts that it cites."""
    names = attributes(checked.catalog)
    for document in checked.documents:
        by_block: dict[int, list[Link]] = {}
        for link in document.links:
            by_block.setdefault(link.block, []).append(link)
        for index, block in enumerate(document.blocks):
            if block.kind not in {Kind.CODE, Kind.HTML, Kind.CELL} and index in by_block:
                yield from _block(checked.catalog, document, index, by_block[index], names)
        yield from _tables(checked.catalog, document, by_block, names)


def _facts(links: Sequence[Link]) -> list[tuple[Link, Key]]:
    found = []
    for link in links:
        try:
            if link.scheme == "fact":
                found.append((link, Key.parse(link.target)))
        except KeySyntaxError:
            continue
    return found


def _block(catalog: Catalog, document: Document, index: int, links: Sequence[Link], names: Sequence[str]) -> Iterator[Problem]:
    text = prose.text_of(document.blocks[index])
    own = prose.masked(text, {number for _, _, number in text.linked if document.links[number].bound}, " ")
    placed = [(bisect.bisect_left(text.offsets, link.text_start), link, key) for link, key in _facts(links)]
    places = [place for place, _, _ in placed]
    for start, end in prose.sentences(own):
        cited = [(place - start, link, key) for place, link, key in placed[bisect.bisect_left(places, start) : bisect.bisect_left(places, end)]]
        for attribute in names if cited else ():
            yield from _sentence(catalog, document, own[start:end], cited, attribute)
            yield from _context(catalog, document, index, own, own[start:end], cited, attribute)


def _context(
    catalog: Catalog, document: Document, index: int, own: str, words: str, cited: Sequence[tuple[int, Link, Key]], attribute: str
) -> Iterator[Problem]:
    """Where the sentence names no group: the rest of its block, the item that it stands under, or the heading."""
    sliced = [(link, dict(key.slice)[attribute]) for _, link, key in cited if attribute in key.attributes]
    if not sliced or mentions(catalog, attribute, words):
        return
    for text in (own, _above(document, index), _heading(document, document.blocks[index])):
        named = [group for _, group in mentions(catalog, attribute, text)]
        if named:
            yield from (_wrong(document, link, group, named) for link, group in sliced if group not in named)
            return


def _above(document: Document, index: int) -> str:
    """The text of the list item that a nested block stands under, or of the line with a colon before a list."""
    column = document.place(document.blocks[index].start)[1]
    for place in range(index - 1, max(index - _FAR, 0) - 1, -1):
        other = document.blocks[place]
        if other.kind not in {Kind.ITEM, Kind.PARAGRAPH}:
            return ""
        if document.place(other.start)[1] < column:
            line = document.source[: other.start].rpartition(b"\n")[2]
            return other.text if other.kind is Kind.ITEM or _MARKER.search(line) or other.text.rstrip().endswith(":") else ""
    return ""


def _heading(document: Document, block: Block) -> str:
    section = document.section_at(block.start)
    return section.title if section is not None and block.kind is not Kind.HEADING else ""


def _sentence(catalog: Catalog, document: Document, words: str, cited: Sequence[tuple[int, Link, Key]], attribute: str) -> Iterator[Problem]:
    found = mentions(catalog, attribute, words)
    named = [group for _, group in found]
    if not named or not cited:
        return
    sliced = [(place, link, dict(key.slice)[attribute]) for place, link, key in cited if attribute in key.attributes]
    for _, link, group in sliced:
        if group not in named:
            yield _wrong(document, link, group, named)
    for link, group, said in _pairs(words, found, sliced):
        if group != said and group in named:
            yield _wrong(document, link, group, [said])
    for _, link, key in cited:
        groups = _derived_groups(catalog, key, attribute)
        if groups and not groups & set(named):
            yield _wrong(document, link, ", ".join(sorted(groups)), named)
        elif not groups and not sliced and len(set(named)) == 1 and not _overall(words, found) and _has_groups(catalog, key, attribute):
            said = f"{key} is the figure of all rows; the sentence speaks of {named[0]}"
            yield at(document, link.start, said, f"cite ?{attribute}=… or say overall")


def _overall(words: str, found: Sequence[tuple[int, str]]) -> bool:
    """Whether the sentence speaks of all: "all of them", but not "all women"."""
    return any(
        not any(re.fullmatch(r"\s+(?:of\s+)?(?:the\s+|those\s+)?", words[match.end() : place]) for place, _ in found)
        for match in _ALL.finditer(words)
    )


def _pairs(words: str, found: Sequence[tuple[int, str]], sliced: Sequence[tuple[int, Link, str]]) -> Iterator[tuple[Link, str, str]]:
    """Which link goes with which name, where the order says so: link, its group, the group named.

    "a X, b Y" and "X of a, Y of b" pair neighbours; "a and b: X and Y" pairs in order, unless the sentence begins with what it compares with.
    """
    items = sorted(
        [(place, True, group, None) for place, group in found] + [(place, False, group, link) for place, link, group in sliced], key=lambda i: i[0]
    )
    runs = [(named, [(item[2], item[3]) for item in run]) for named, run in groupby(items, key=lambda item: item[1])]
    if len(runs) == 2 and len(runs[0][1]) == len(runs[1][1]):
        if len(runs[0][1]) == 1 or not _INVERTED.search(words):
            names, links = (runs if runs[0][0] else runs[::-1])[0][1], (runs if runs[0][0] else runs[::-1])[1][1]
            yield from ((link, group, said[0]) for (group, link), said in zip(links, names, strict=True) if link is not None)
    elif len(runs) % 2 == 0 and all(len(run) == 1 for named, run in runs if named):
        for first, second in zip(runs[::2], runs[1::2], strict=True):
            (name, _), links = (first[1][0], second[1]) if first[0] else (second[1][0], first[1])
            yield from ((link, group, name) for group, link in links if link is not None)


def _derived_groups(catalog: Catalog, key: Key, attribute: str) -> set[str]:
    """The groups of an attribute that a derived fact is made from."""
    return {dict(item.slice)[attribute] for item in _operands(catalog, key) if attribute in item.attributes}


def _operands(catalog: Catalog, key: Key) -> tuple[Key, ...]:
    if key.evidence != DERIVED or key.metric not in catalog.manifest.derived:
        return ()
    try:
        return operands(parse_value(catalog.manifest.derived[key.metric], key.metric))
    except FactbookError:
        return ()


def _has_groups(catalog: Catalog, key: Key, attribute: str) -> bool:
    if key.evidence == DERIVED:
        return any(_has_groups(catalog, item, attribute) for item in _operands(catalog, key))
    return key.evidence in catalog.evidence.records and bool(catalog.slices(key.evidence, key.metric, attribute, key.params))


def _wrong(document: Document, link: Link, group: str, named: Sequence[str]) -> Problem:
    return at(
        document, link.start, f"the fact is that of {group}; the sentence names {', '.join(dict.fromkeys(named))}", "mend the words or the link"
    )


def _tables(catalog: Catalog, document: Document, by_block: dict[int, list[Link]], names: Sequence[str]) -> Iterator[Problem]:
    index = {block.start: place for place, block in enumerate(document.blocks)}
    header: list[Block] = []
    for row in prose.rows(document):
        if row and row[0].header:
            header = row
        if not row or document.region_at(row[0].start):
            continue
        for column, cell in enumerate(row):
            cited = _facts(by_block.get(index[cell.start], []))
            words = [block.text for block in row if not by_block.get(index[block.start])]
            words += [header[column].text] if column < len(header) and header[column] is not cell else []
            own = prose.text_of(cell)
            words.append("".join(" " if link >= 0 and document.links[link].bound else c for c, link in zip(own.plain, own.links, strict=True)))
            for attribute in names:
                named = [group for text in words for _, group in mentions(catalog, attribute, text)]
                for link, key in cited:
                    group = dict(key.slice).get(attribute)
                    if named and group is not None and group not in named:
                        yield _wrong(document, link, group, named)
                    elif group is None and len(set(named)) == 1 and _has_groups(catalog, key, attribute):
                        yield at(document, link.start, f"{key} is the figure of all rows; the row is that of {named[0]}", f"cite ?{attribute}=…")
