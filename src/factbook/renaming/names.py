"""What is renamed, and how a key or the words of a table spell it afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from factbook.errors import KeySyntaxError
from factbook.evidence.algebra import DERIVED
from factbook.model import Key, encode

KINDS: Final = ("measurement", "attribute", "group", "parameter", "claim", "derived", "gap", "policy", "declared")
_OF_ATTRIBUTES: Final = ("attribute", "within")
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Rename:
    """One renaming. `of` is the attribute or parameter whose value is renamed; '' where `old` is a name itself."""

    kind: str
    old: str
    new: str
    of: str = ""

    def __str__(self) -> str:
        prefix = f"{self.of}=" if self.of else ""
        return f"{self.kind} {prefix}{self.old} → {prefix}{self.new}"

    def key(self, text: str) -> str:
        """A key under the new name; every byte that does not spell the old one stays. What is no key stays as it is."""
        try:
            Key.parse(text)
        except KeySyntaxError:
            return text
        rest, hash_, field = text.partition("#")
        rest, mark, query = rest.partition("?")
        path, semicolon, params = rest.partition(";")
        evidence, slash, metric = path.partition("/")
        if self.kind == "measurement" and evidence == self.old:
            evidence = self.new
        if self.kind == "derived" and (evidence, metric) == (DERIVED, self.old):
            metric = self.new
        if self.kind == "parameter":
            params = self._pairs(params, ";")
        if self.kind == "attribute":
            params = ";".join(map(self._attribute, params.split(";")))
        if self.kind in ("attribute", "group"):
            query = self._pairs(query, "&")
        return f"{evidence}{slash}{metric}{semicolon}{params}{mark}{query}{hash_}{field}"

    def _pairs(self, text: str, separator: str) -> str:
        return separator.join(map(self._pair, text.split(separator)))

    def _attribute(self, text: str) -> str:
        """A parameter whose value is an attribute: `attribute=sex`, `within=age_band`."""
        name, _, value = text.partition("=")
        return f"{name}={encode(self.new)}" if name in _OF_ATTRIBUTES and unquote(value) == self.old else text

    def _pair(self, text: str) -> str:
        name, equals, value = text.partition("=")
        if self.of:
            return f"{name}={encode(self.new)}" if (unquote(name), unquote(value)) == (self.of, self.old) else text
        return f"{encode(self.new)}{equals}{value}" if unquote(name) == self.old else text

    def words(self, text: str) -> str:
        """The words of a table, chart or part (`EVIDENCE by=… metrics=…`) under the new name; white space stays."""
        count = 0

        def word(match: re.Match[str]) -> str:
            nonlocal count
            said = match.group()
            if said.startswith("fact:"):
                return said
            count += 1
            name, equals, value = said.partition("=")
            if not equals:
                return self.new if self.kind == "measurement" and count == 1 and said == self.old else said
            return f"{name}={self._value(name, value)}"

        return _WORD.sub(word, text)

    def _value(self, name: str, value: str) -> str:
        if name == "evidence" and self.kind == "measurement":
            return self.new if value == self.old else value
        names_it = (name == "by" and self.kind == "attribute") or (name == "per" and self.kind == "parameter" and not self.of)
        if names_it:
            return ",".join(self.new if part == self.old else part for part in value.split(","))
        if name in ("metric", "metrics"):
            return ",".join(self.key(f"x/{part}").removeprefix("x/") for part in value.split(","))
        return value

    def expression(self, text: str) -> str:
        """A claim or derived expression under the new name."""
        return re.sub(r"\{([^{}]*)\}", lambda match: "{" + _around(match.group(1), self.key) + "}", text)


def _around(text: str, change: Callable[[str], str]) -> str:
    """A changed text in the white space of the old one."""
    bare = text.strip()
    return text.replace(bare, change(bare), 1) if bare else text
