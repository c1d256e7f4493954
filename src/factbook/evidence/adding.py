"""A further file of a source: checked and counted, and only then written into factbook.yaml, where nothing else changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from factbook import canon, engines, sources
from factbook import manifest as manifests
from factbook.errors import ManifestError, MeasureError, SourceError, UnknownName
from factbook.evidence.locking import STORE, lock
from factbook.manifest import Manifest, Source
from factbook.model import Progress, silent
from factbook.sources import Table

_PLAIN: Final = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*\Z")


def add(root: Path, manifest: Manifest, uri: str, name: str = "", progress: Progress = silent) -> bool:
    """Make a file a further part of a source: count it, and declare it, unless a pattern of the source finds it already.

    Only the new file is counted. Where the source has a key, the keys of all files are read, since one that repeats would count twice.

    Args:
        root: the book's folder.
        manifest: what it declares.
        uri: the file, from the book's folder on.
        name: of the source; may be left out where only one takes files.
        progress: is told how many rows are done.

    Returns:
        Whether factbook.yaml was edited.

    Raises:
        UnknownName, ManifestError: which source is meant is not clear, or factbook.yaml cannot be edited.
        SourceError: the file is not here, holds what is in the source already, differs in its columns, or its rows contradict the declaration.
    """
    chosen = _chosen(manifest, name)
    source = manifest.sources[chosen]
    with lock(root, progress=progress):
        path = _file(uri, root)
        declared = path in sources.located(source, root)
        whole = source if declared else source.model_copy(update={"more": (*source.more, uri)})
        _check_new(whole, path, root)
        digest = sources.digest(whole, root, root / STORE)
        assert digest is not None
        engines.count(whole, root, root / STORE, progress, digest=digest, engine=manifest.engine, settings=manifest.spark)
        if not declared:
            _declare(root / manifests.FILE, chosen, uri, whole)
    return not declared


@contextmanager
def added(root: Path, manifest: Manifest, uri: str, name: str = "", progress: Progress = silent) -> Iterator[None]:
    """`add`, for as long as what is done within succeeds: where a measurement refuses the rows, factbook.yaml is put back as it was."""
    path = root / manifests.FILE
    before = path.read_bytes()
    edited = add(root, manifest, uri, name, progress)
    after = path.read_bytes()
    try:
        yield
    except (SourceError, MeasureError):
        with lock(root):
            if edited and path.read_bytes() == after:
                canon.write_atomic(path, before)
        raise


def _chosen(manifest: Manifest, name: str) -> str:
    """The source that takes the file."""
    taking = [known for known, source in manifest.sources.items() if not source.query and source.join is None]
    if name and name not in manifest.sources:
        raise UnknownName("source", name, manifest.sources)
    if name and name not in taking:
        raise ManifestError(f"the source {name!r} takes no further files: it is a query, or joins two", remedy="add the rows where they come from")
    if not name and len(taking) != 1:
        raise ManifestError(f"which source gets the file? There are {len(taking)}: {', '.join(taking)}", remedy="say --source NAME")
    return name or taking[0]


def _file(uri: str, root: Path) -> Path:
    found = sources.files(uri, root)
    if len(found) != 1:
        raise SourceError(f"{uri}: {'no such file' if not found else 'more than one file'}", remedy="add one file at a time")
    return found[0]


def _check_new(whole: Source, path: Path, root: Path) -> None:
    """The new file adds rows of the same table that are not there yet.

    Raises:
        SourceError: another file has the same bytes; a declared column is missing, or has another type.
    """
    store = root / STORE
    others = [other for other in sources.located(whole, root) if other != path]
    for other, pin in zip(others, sources.hashes(others, store), strict=True):
        if pin == sources.hashes([path], store)[0]:
            raise SourceError(f"{path}: holds the same bytes as {other}; its rows would count twice", remedy="add a file with new rows")
    if not others or whole.partitioned:
        return
    before = sources.table(whole.model_copy(update={"uri": str(others[0]), "more": (), "key": ""}), root, store)
    added = sources.table(whole.model_copy(update={"uri": str(path), "more": (), "key": ""}), root, store)
    for role, name in _declared(whole, before):
        old, new = before.column(name, role), added.column(name, role)
        if old.type != new.type:
            raise SourceError(f"{path}: column {name!r} ({role}) is {new.type}, and {old.type} in {others[0]}", remedy="write it with the same types")


def _declared(source: Source, table: Table) -> Iterator[tuple[str, str]]:
    """Role and name of the columns that the declaration names and the table has."""
    for role in ("label", "prediction", "score", "key", "weight", "cluster"):
        if getattr(source, role) in table.names:
            yield role, getattr(source, role)
    yield from ((f"by {name}", group.column) for name, group in source.by.items() if group.column in table.names)


def _declare(path: Path, name: str, uri: str, whole: Source) -> None:
    """Write the file into factbook.yaml.

    Raises:
        ManifestError: the text is written in a way that cannot be edited; says what to write by hand.
    """
    text = path.read_bytes().decode()
    edited = with_more(text, name, uri)
    try:
        same = edited is not None and manifests.read(edited, str(path))[0].sources[name] == whole
    except ManifestError:
        same = False
    if edited is None or not same:
        raise ManifestError(f"{path}: cannot be edited here", remedy=f"write `more: [{', '.join(whole.more)}]` into the source {name} by hand")
    canon.write_atomic(path, edited.encode())


def with_more(text: str, name: str, uri: str) -> str | None:
    """The text of a factbook.yaml with a further file of a source; None where the source is written in a way that has no place for it."""
    import yaml

    source = _value(_value(yaml.compose(text, Loader=yaml.SafeLoader), "sources"), name)
    if not isinstance(source, yaml.MappingNode):
        return None
    written = uri if _PLAIN.match(uri) else json.dumps(uri, ensure_ascii=False)
    more = _value(source, "more")
    if isinstance(more, yaml.SequenceNode) and more.value:
        last = more.value[-1]
        return _after(text, last, f", {written}" if more.flow_style else f"{' ' * (last.start_mark.column - 2)}- {written}", line=not more.flow_style)
    key, value = next((pair for pair in source.value if pair[0].value == "uri"), (None, None))
    if more is not None or key is None:
        return None
    indent = "" if source.flow_style else " " * key.start_mark.column
    return _after(text, value, f"{', ' if source.flow_style else indent}more: [{written}]", line=not source.flow_style)


def _value(node: Any, name: str) -> Any:
    """The value of a key of a mapping; None where there is none."""
    return next((value for key, value in getattr(node, "value", ()) if getattr(key, "value", None) == name), None) if node is not None else None


def _after(text: str, node: Any, added: str, *, line: bool) -> str:
    """The text with something put right after a node, or on a line of its own below it."""
    place = node.end_mark.index
    if not line:
        return text[:place] + added + text[place:]
    end = re.compile(r"\r\n|\n|\Z").search(text, place)
    assert end is not None
    mark = end[0] or "\n"
    return text[: end.start()] + mark + added + text[end.start() :]
