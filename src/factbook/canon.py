"""One written form, one digest: strict readers, the canonical form (RFC 8785) and atomic writes."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, Final

from factbook.errors import BookExists, ManifestError, StorageError

SAFE_INTEGER: Final = 2**53 - 1
_MAX_DEPTH: Final = 24
_MAX_ALIASES: Final = 20
_CHUNK: Final = 1 << 20

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode

Lines = dict[tuple[str, ...], int]


def dumps(value: Any) -> str:
    """The canonical JSON text (RFC 8785): sorted keys, shortest round-trip floats; integers beyond 2**53 become text."""
    return _written(_portable(value))


def _written(plain: Any) -> str:
    """The canonical text of plain data; what the standard library writes otherwise is looked for in the members, so that it alone costs more."""
    try:
        text = _ENCODE(_common(plain))
        text.encode()
        return text
    except (_Rare, UnicodeEncodeError):
        if isinstance(plain, list):
            return f"[{','.join(map(_written, plain))}]"
        if isinstance(plain, dict) and max(plain) <= "\ud7ff":
            return f"{{{','.join(f'{_written(name)}:{_written(item)}' for name, item in sorted(plain.items()))}}}"
        import rfc8785

        return rfc8785.dumps(plain).decode()


class _Rare(Exception):
    """What the encoder of the standard library writes otherwise than RFC 8785 does."""


def _common(value: Any) -> Any:
    """The value, if the standard library's encoder, which is ten times as fast, writes it as RFC 8785 does."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) <= SAFE_INTEGER:
            return int(value)
        if value.is_integer() or "e" in repr(value):
            raise _Rare
        return value
    if isinstance(value, dict):
        if value and max(value) > "\ud7ff":
            raise _Rare
        return {name: _common(item) if isinstance(item, float | dict | list) else item for name, item in value.items()}
    return [_common(item) if isinstance(item, float | dict | list) else item for item in value] if isinstance(value, list) else value


def _portable(value: Any) -> Any:
    if type(value) is str or isinstance(value, bool | str) or value is None:  # most are texts
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no written form")
        return value
    if isinstance(value, dict):
        return {str(name): item if type(item) is str else _portable(item) for name, item in value.items()}
    return [item if type(item) is str else _portable(item) for item in value]


def digest(value: Any) -> str:
    """`sha256:` and the hash of the canonical form."""
    return "sha256:" + hashlib.sha256(dumps(value).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()


def loads(text: str, where: str) -> Any:
    """Read JSON strictly: no duplicate keys, no NaN or Infinity, no number that a double cannot hold, no half of a surrogate pair.

    An integer beyond 2**53 is the written form of a float; exact ones are written as text.

    Raises:
        ManifestError: the text is not strict JSON; `where` names it in the message.
    """
    finite, integer = partial(_finite, where), partial(_whole, where)
    try:
        tree = json.loads(text, object_pairs_hook=partial(_unique, where), parse_float=finite, parse_int=integer, parse_constant=finite)
        if "\\u" in text:
            json.dumps(tree, ensure_ascii=False).encode()
        return tree
    except UnicodeEncodeError as error:
        raise ManifestError(f"{where}: {error.object[error.start]!r} is half of a surrogate pair", remedy="write the whole character") from error
    except json.JSONDecodeError as error:
        raise ManifestError(f"{where}:{error.lineno}:{error.colno}: not JSON ({error.msg})") from error
    except RecursionError as error:
        raise ManifestError(f"{where}: nested too deeply") from error


def _unique(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ManifestError(f"{where}: {name!r} is given twice", remedy="keep one of them")
        result[name] = value
    return result


def _finite(where: str, literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ManifestError(f"{where}: {literal[:20]} is not a finite number")
    return number


def _whole(where: str, literal: str) -> int | float:
    number = _finite(where, literal)
    if abs(number) <= SAFE_INTEGER:
        return int(literal)
    if Decimal(repr(number)) != Decimal(literal):
        raise ManifestError(f"{where}: the integer {literal} is too large to be exact", remedy="write it as text")
    return number


def number(text: str) -> Decimal | None:
    """The finite number that a text writes; None where it writes none."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def load_yaml(text: str, where: str) -> tuple[Any, Lines]:
    """Read YAML strictly, every scalar as text (`NO`, `010` and `1:30` stay what was written), with the line of every path.

    Refused: duplicate keys, more than a few aliases, deep nesting, several documents, tags, keys that are not scalars. An empty document is {}.

    Raises:
        ManifestError: naming file, line and column.
    """
    import yaml

    lines: Lines = {}
    try:
        events = _shallow(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), where)
        reader = _YamlReader([e for e in events if not isinstance(e, yaml.StreamStartEvent | yaml.StreamEndEvent)], where, lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise ManifestError(f"{place}: not YAML ({getattr(error, 'problem', None) or error})") from error
    except RecursionError as error:
        raise ManifestError(f"{where}: nested too deeply") from error
    return reader.document(), lines


def _shallow(events: Iterable[Any], where: str) -> Iterator[Any]:
    """Events down to the allowed depth. The parser's own time grows with the square of the depth, so it is stopped there."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith(("SequenceStartEvent", "MappingStartEvent")) - kind.endswith(("SequenceEndEvent", "MappingEndEvent"))
        if depth > _MAX_DEPTH + 1:
            raise ManifestError(f"{where}:{event.start_mark.line + 1}:{event.start_mark.column + 1}: nested too deeply")
        yield event


class _YamlReader:
    """Builds plain dicts, lists and texts from YAML events."""

    def __init__(self, events: list[Any], where: str, lines: Lines) -> None:
        self.events, self.where, self.lines = events, where, lines
        self.position = 0
        self.anchors: dict[str, Any] = {}
        self.aliases = 0

    def fail(self, event: Any, message: str, remedy: str = "") -> ManifestError:
        mark = event.start_mark
        return ManifestError(f"{self.where}:{mark.line + 1}:{mark.column + 1}: {message}", remedy=remedy)

    def next(self) -> Any:
        event = self.events[self.position]
        self.position += 1
        return event

    def document(self) -> Any:
        if not self.events:
            return {}
        self.next()
        value = self.node((), 0)
        self.next()
        if self.position < len(self.events):
            raise self.fail(self.events[self.position], "a second document begins here", "keep one document a file")
        return {} if value == "" else value

    def node(self, path: tuple[str, ...], depth: int) -> Any:
        event = self.next()
        kind = type(event).__name__
        self.lines.setdefault(path, event.start_mark.line + 1)
        if depth > _MAX_DEPTH:
            raise self.fail(event, "nested too deeply")
        if kind == "AliasEvent":
            return self.alias(event)
        if event.tag and event.tag != "!":
            raise self.fail(event, f"the tag {event.tag!r} is not read", "write plain values")
        value: Any
        if kind == "ScalarEvent":
            value = event.value
        elif kind == "SequenceStartEvent":
            value = self.sequence(path, depth)
        else:
            value = self.mapping(path, depth)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def alias(self, event: Any) -> Any:
        self.aliases += 1
        if self.aliases > _MAX_ALIASES:
            raise self.fail(event, f"more than {_MAX_ALIASES} aliases", "write the values out")
        if event.anchor not in self.anchors:
            raise self.fail(event, f"*{event.anchor} is not defined before it is used")
        value = self.anchors[event.anchor]
        if not isinstance(value, str):
            raise self.fail(event, f"*{event.anchor} repeats a whole block", "write the block out; only single values may be repeated")
        return value

    def sequence(self, path: tuple[str, ...], depth: int) -> list[Any]:
        items: list[Any] = []
        while type(self.events[self.position]).__name__ != "SequenceEndEvent":
            items.append(self.node((*path, str(len(items))), depth + 1))
        self.next()
        return items

    def mapping(self, path: tuple[str, ...], depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while type(self.events[self.position]).__name__ != "MappingEndEvent":
            event = self.events[self.position]
            name = self.node((*path, "<key>"), depth + 1)
            if not isinstance(name, str):
                raise self.fail(event, "a key must be a single value")
            if name in items:
                raise self.fail(event, f"{name!r} is given twice", "keep one of them")
            self.lines[(*path, name)] = event.start_mark.line + 1
            items[name] = self.node((*path, name), depth + 1)
        self.next()
        return items


def write_atomic(path: Path, data: bytes) -> bool:
    """Replace a file in one step (temporary file, fsync, rename); returns False and touches nothing where the bytes are already there.

    Raises:
        StorageError: the disk is read-only or full; the old file is untouched.
    """
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        raise StorageError(path, error) from error
    return True


def _replace(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when all went well, and is removed when not.

    Raises:
        BookExists: there is something at `target`.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BookExists(target, "name a folder that does not exist yet")
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.parent / f".{target.name}.{secrets.token_hex(8)}"
    try:  # from before the folder is there: an interruption may come at any moment
        folder.mkdir(mode=0o700)
        yield folder
        folder.chmod(0o755)
        folder.replace(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
