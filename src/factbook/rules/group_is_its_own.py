"""A sentence names the group of the fact that it cites, and no other.

Why: a true number beside the wrong group is a false statement.

Bad:  Women are missed in [12 %](fact:performance/fnr?sex=men) of cases.
Good: Men are missed in [12 %](fact:performance/fnr?sex=men) of cases.

Groups are known by the names in factbook.yaml. A sentence that cites as many groups as it names must do so in the same order.
Fix: mend the words or the link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from factbook.documents.parse import Block, Document, Kind, Link
from factbook.errors import KeySyntaxError
from factbook.evidence.catalog import Catalog
from factbook.model import Key
from factbook.rules import Checked, Problem, at, prose
from factbook.rules.groups import attributes, mentions

CODE: Final = "FB107"
NAME: Final = "group-is-its-own"

_ALL = re.compile(r"\b(?:overall|all|both|total|every(?:body|one)?|each|any|regardless|whole|entire|among|across)\b", re.IGNORECASE)


def check(checked: Checked) -> Iterator[Problem]:
    """Compare the groups that a sentence, or a row of a table, names with those of the facts that it cites."""
    names = attributes(checked.catalog)
    for document in checked.documents:
        by_block: dict[int, list[Link]] = {}
        for link in document.links:
            by_block.setdefault(link.block, []).append(link)
        for index, block in enumerate(document.blocks):
            if block.kind not in {Kind.CODE, Kind.HTML, Kind.CELL} and index in by_block:
                yield from _block(checked.catalog, document, block, by_block[index], names)
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


def _block(catalog: Catalog, document: Document, block: Block, links: Sequence[Link], names: Sequence[str]) -> Iterator[Problem]:
    text = prose.text_of(block)
    bound = {index for index, link in enumerate(document.links) if link.bound}
    own = "".join(" " if link in bound else character for character, link in zip(text.plain, text.links, strict=True))
    for start, end in prose.sentences(own):
        low, high = text.offset(start), text.offset(end - 1)
        cited = [(link, key) for link, key in _facts(links) if low <= link.start <= high or low <= link.text_start <= high]
        for attribute in names:
            yield from _sentence(catalog, document, own[start:end], cited, attribute)


def _sentence(catalog: Catalog, document: Document, words: str, cited: Sequence[tuple[Link, Key]], attribute: str) -> Iterator[Problem]:
    named = [group for _, group in mentions(catalog, attribute, words)]
    if not named or not cited:
        return
    sliced = [(link, dict(key.slice)[attribute]) for link, key in cited if attribute in key.attributes]
    for link, group in sliced:
        if group not in named:
            yield _wrong(document, link, group, named)
    if len(named) == len(sliced) > 1 and sorted(named) == sorted(group for _, group in sliced):
        for (link, group), said in zip(sliced, named, strict=True):
            if group != said:
                yield _wrong(document, link, group, [said])
    if not sliced and len(set(named)) == 1 and not _ALL.search(words):
        for link, key in cited:
            if _has_groups(catalog, key, attribute):
                yield at(
                    document, link.start, f"{key} is the figure of all rows; the sentence speaks of {named[0]}", f"cite ?{attribute}=… or say overall"
                )


def _has_groups(catalog: Catalog, key: Key, attribute: str) -> bool:
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
