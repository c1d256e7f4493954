"""Where a text names the groups of a slice attribute, by the names that factbook.yaml and the evidence give them."""

from __future__ import annotations

import functools
import re
from typing import Final

from factbook.evidence.catalog import Catalog

_COMMON: Final = frozenset(
    {"other", "others", "yes", "no", "none", "unknown", "all", "true", "false", "not recorded", "low", "high", "medium", "new", "old"}
)
_BAND = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\Z")
_NO_SHARE: Final = r"(?!\s*(?:[%‰]|per ?cent|percent|points))"
_NO_NOUN: Final = "is|was|has|does|as|years|this|its|us|less|across|sometimes|always|perhaps|besides|versus"
_NO_COUNT: Final = rf"(?!\s+(?!(?:{_NO_NOUN})\b)[a-z]+s\b|\s+(?:people|men|women|children)\b)"
Mention = tuple[int, str]


@functools.cache
def _pattern(attribute: str, group: str) -> re.Pattern[str] | None:
    """What in a text names a group; None where its name is too common to look for."""
    label = re.escape(attribute).replace("_", "[ _]")
    if group.startswith("<") and group[1:]:
        number = re.escape(group[1:])
        said = rf"<\s?{number}|(?:under|below|younger than|less than)(?: the age of)? {number}{_NO_COUNT}"
    elif group.endswith("+") and group[:-1]:
        number = re.escape(group[:-1])
        said = rf"{number}\s?\+|(?:≥\s?|(?:at least|over|older than) ){number}{_NO_COUNT}|{number}(?: years)? (?:and|or) (?:over|older|above|more)"
    elif band := _BAND.match(group):
        said = rf"{re.escape(band[1])}\s?(?:-|–|to|and)\s?{re.escape(band[2])}"
    else:
        said = _word(group)
        if len(group) < 3 or group.casefold() in _COMMON or not re.search(r"[^\W\d_]", group):
            said = rf"{label}\W{{1,3}}(?:{said})"
    flags = re.NOFLAG if len(group) <= 3 and group.isupper() else re.IGNORECASE
    return re.compile(rf"(?<![\w.<>])(?:{said})(?![\w]){_NO_SHARE}", flags) if group.strip() else None


def _word(group: str) -> str:
    """A name with its plural or singular; `_` reads as a space."""
    said = re.escape(group).replace("_", "[ _]")
    for one, many in (("woman", "women"), ("man", "men"), ("child", "children"), ("person", "people")):
        if group.casefold() in {one, many}:
            return f"(?:{one}|{many})"
    if not group[-1:].isalpha():
        return said
    return rf"{said[:-1]}s?" if group[-1] == "s" and len(group) > 3 else rf"{said}(?:s|es)?"


def mentions_spans(catalog: Catalog, attribute: str, text: str) -> list[tuple[int, int]]:
    """Where a text names groups of an attribute."""
    return [(start, end) for start, end, _ in _found(catalog, attribute, text)]


def mentions(catalog: Catalog, attribute: str, text: str) -> list[Mention]:
    """Where a text names groups of an attribute, in order, and which."""
    return sorted((start, group) for start, _, group in _found(catalog, attribute, text))


@functools.lru_cache(maxsize=512)
def _found(catalog: Catalog, attribute: str, text: str) -> list[tuple[int, int, str]]:
    """All mentions; the longest name counts where names overlap."""
    found: list[tuple[int, int, str]] = []
    for group in catalog.groups(attribute):
        pattern = _pattern(attribute, group)
        if pattern is not None:
            found += [(*match.span(), group) for match in pattern.finditer(text)]
    kept: list[tuple[int, int, str]] = []
    for start, end, group in sorted(found, key=lambda item: (item[0] - item[1], item[0])):
        if all(end <= low or start >= high for low, high, _ in kept):
            kept.append((start, end, group))
    return kept


@functools.lru_cache(maxsize=4)
def attributes(catalog: Catalog) -> tuple[str, ...]:
    """All slice attributes of a book."""
    return tuple(dict.fromkeys(name for key in catalog.evidence for name in key.attributes))


def without_groups(catalog: Catalog, text: str) -> str:
    """A text with the names of groups taken out."""
    for attribute in attributes(catalog):
        for group in catalog.groups(attribute):
            if pattern := _pattern(attribute, group):
                text = pattern.sub(" ", text)
    return text
