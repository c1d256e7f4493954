"""factbook.yaml under a new name: the scalars that spell it are replaced where they stand; comments and layout stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from factbook import canon, manifest
from factbook.errors import ManifestError
from factbook.renaming.names import Rename

_SECTIONS: Final = {"measurement": "plan", "claim": "claims", "derived": "derived", "gap": "gaps", "policy": "policies", "declared": "declared"}
_PLAIN: Final = re.compile(r"[A-Za-z_<][A-Za-z0-9_.<+-]*\Z")
_WORDS: Final = frozenset({"yes", "no", "true", "false", "null", "on", "off"})
Change = tuple[int, int, str]
Path = tuple[str, ...]


def renamed(text: str, rename: Rename) -> tuple[str, int]:
    """The file under the new name, and in how many places it changed.

    Raises:
        ManifestError: the name stands where it cannot be replaced safely.
    """
    changes = sorted(set(_Writer(text, rename).changes(yaml.compose(text, Loader=yaml.SafeLoader), ())))
    parts, position = [], 0
    for start, end, new in changes:
        parts += [text[position:start], new]
        position = end
    result = "".join([*parts, text[position:]])
    try:
        manifest.read(result)
    except ManifestError as error:
        raise ManifestError(
            f"{manifest.FILE} cannot be changed safely: {error.message}", remedy="rename it there by hand, then run this again"
        ) from error
    return result, len(changes)


def scalar(text: str) -> str:
    """A text as a YAML scalar, quoted where it has to be."""
    return text if _PLAIN.match(text) and text.casefold() not in _WORDS else canon.dumps(text)


class _Writer:
    """Finds the places of one renaming in a YAML tree."""

    def __init__(self, text: str, rename: Rename) -> None:
        self.text, self.rename = text, rename

    def changes(self, node: Any, path: Path) -> Iterator[Change]:
        """The changes below a node, each as (start, end, new text)."""
        if isinstance(node, yaml.MappingNode):
            yield from self.attribute(node, path)
            for key, value in node.value:
                here = (*path, str(key.value))
                yield from self.name(key, path)
                yield from self.changes(value, here)
        elif isinstance(node, yaml.SequenceNode):
            if self._declares(path):
                yield from self.listed(node)
            else:
                for item in node.value:
                    yield from self.changes(item, (*path, "[]"))
        elif isinstance(node, yaml.ScalarNode):
            yield from self.value(node, path)

    def name(self, key: Any, path: Path) -> Iterator[Change]:
        """The key of a mapping: a name itself, or the key of a fact."""
        rename = self.rename
        declares = self._declares(path) or (len(path) == 3 and path[0] == "plan" and path[2] == "protected")
        if path == (_SECTIONS.get(rename.kind),) or (rename.kind == "attribute" and declares):
            yield from self._replace(key, rename.new if key.value == rename.old else key.value)
        elif path == ("thresholds",):
            yield from self._replace(key, rename.key(key.value))

    def value(self, node: Any, path: Path) -> Iterator[Change]:
        """A scalar: an expression, the key of a fact, an attribute in `by`, a reference group, the name of a group."""
        rename, old = self.rename, str(node.value)
        if path[:1] in {("claims",), ("derived",)}:
            yield from self._replace(node, rename.expression(old))
        elif path[:1] == ("regimes",) and "met_by" in path:
            yield from self._replace(node, rename.key(old))
        elif path[:1] == ("plan",) and path[2:3] == ("inputs",):
            yield from self._replace(node, self._input(old))
        elif old == rename.old and self._names(path):
            yield from self._replace(node, rename.new)

    def _input(self, said: str) -> str:
        """What an estimate starts from: a fact, or `declared:NAME`, `policy:NAME`."""
        scheme, colon, name = said.partition(":")
        if colon:
            return f"{scheme}:{self.rename.new}" if (scheme, name) == (self.rename.kind, self.rename.old) else said
        return self.rename.key(said)

    def _names(self, path: Path) -> bool:
        """Whether a value there is a name of the renamed kind: evidence of an element, an attribute in `by`, a reference group."""
        if self.rename.kind == "measurement":
            return path[:2] == ("system", "elements") and "evidence" in path
        if path[:1] != ("plan",):
            return False
        return path[2:3] == ("by",) if self.rename.kind == "attribute" else self.rename.kind == "group" and path[2:] == ("protected", self.rename.of)

    def _declares(self, path: Path) -> bool:
        return len(path) == 3 and path[0] == "sources" and path[2] == "by"

    def attribute(self, node: Any, path: Path) -> Iterator[Change]:
        """The declaration of the attribute whose group is renamed: its `names` get the new one."""
        if self.rename.kind != "group" or not self._declares(path):
            return
        for key, value in node.value:
            if key.value == self.rename.of:
                yield from self.names(value)

    def names(self, declared: Any) -> Iterator[Change]:
        """A new name for a value of an attribute."""
        old, new = self.rename.old, self.rename.new
        if isinstance(declared, yaml.ScalarNode):
            said = f"{{column: {scalar(declared.value)}, names: {{{scalar(old)}: {scalar(new)}}}}}"
            yield declared.start_mark.index, declared.end_mark.index, said
            return
        kept = next((value for key, value in declared.value if key.value == "names"), None)
        if kept is None:
            yield self._added(declared, f"names: {{{scalar(old)}: {scalar(new)}}}")
            return
        named = [value for _, value in kept.value if value.value == old]
        for value in named:
            yield from self._replace(value, new)
        if not named:
            yield self._added(kept, f"{scalar(old)}: {scalar(new)}")

    def _added(self, node: Any, entry: str) -> Change:
        """A further entry of a mapping, in the style in which it is written."""
        last = node.value[-1][1].end_mark.index if node.value else node.start_mark.index + 1
        end = len(self.text[:last].rstrip())
        if node.flow_style:
            return end, end, f"{', ' if node.value else ''}{entry}"
        return end, end, f"\n{' ' * node.start_mark.column}{entry}"

    def listed(self, node: Any) -> Iterator[Change]:
        """`by: [sex]` names columns: a new name for the attribute, or for a group, makes it a mapping."""
        rename = self.rename
        wanted = rename.old if rename.kind == "attribute" else rename.of
        items = [str(item.value) for item in node.value]
        if rename.kind not in ("attribute", "group") or wanted not in items:
            return
        new = f"{scalar(rename.new)}: {scalar(wanted)}"
        if rename.kind == "group":
            new = f"{scalar(wanted)}: {{column: {scalar(wanted)}, names: {{{scalar(rename.old)}: {scalar(rename.new)}}}}}"
        start = node.start_mark.index
        end = start + len(self.text[start : node.end_mark.index].rstrip())
        yield start, end, "{" + ", ".join(new if item == wanted else f"{scalar(item)}: {scalar(item)}" for item in items) + "}"

    def _replace(self, node: Any, new: str) -> Iterator[Change]:
        """A scalar with another value, in the quotes that it has."""
        old = str(node.value)
        if new == old:
            return
        start, end = node.start_mark.index, node.end_mark.index
        raw = self.text[start:end]
        if raw[:1] in "\"'" and raw[1:-1] == old and not set(new) & {'"', "'", "\\"}:
            yield start, end, f"{raw[0]}{new}{raw[0]}"
        elif raw[:1] in "\"'" or "\n" not in raw:
            yield start, end, new if raw == old and not _special(new, old) else canon.dumps(new)
        else:
            raise ManifestError(
                f"{manifest.FILE}:{node.start_mark.line + 1}: a text over several lines is not changed", remedy="write it in one line"
            )


def _special(new: str, old: str) -> bool:
    """Whether a text that takes the place of a plain one has to be quoted."""
    return (set(new) - set(old)) & set(":#{}[],&*!|>'\"%@` ") != set() or new[:1] in "-?:,[]{}#&*!|>'\"%@`" or new.casefold() in _WORDS
