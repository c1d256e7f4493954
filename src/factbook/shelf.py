"""Finds drop-ins: a room's items are the modules in it that define the room's verb, or the folders in it that hold its data file.

There is no registration. factbook's own rooms and those of third-party packages come in by the same door, the entry-point group
`factbook.packs`, whose values are packages that contain rooms of the same names (`acme_pack.measures`, `acme_pack.documents.kinds`).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Final

from factbook.errors import FactbookError, UnknownName

GROUP: Final = "factbook.packs"
VERBS: Final = {
    "sources": "read",
    "engines": "parts",
    "measures": "measure",
    "charts": "draw",
    "parts": "write",
    "rules": "check",
    "publish": "publish",
    "reports": "write",
}


@functools.cache
def packs() -> tuple[str, ...]:
    """The packages that hold rooms: factbook first, then third parties by name."""
    others = {point.value for point in entry_points(group=GROUP)} - {"factbook"}
    return ("factbook", *sorted(others))


@functools.cache
def _rooms(room: str) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    found = []
    for pack in packs():
        name = f"{pack}.{room}"
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue
        if spec is not None and spec.submodule_search_locations:
            found.append((name, tuple(Path(place) for place in spec.submodule_search_locations)))
    return tuple(found)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise FactbookError(
            f"the drop-in {name} cannot be imported ({type(error).__name__}: {error})", remedy="mend it, or remove its package"
        ) from error


@functools.cache
def modules(room: str) -> dict[str, ModuleType]:
    """All items of a room of code, by name (hyphens for underscores): every module that defines the room's verb.

    Raises:
        FactbookError: a module cannot be imported; names it.
    """
    items: dict[str, ModuleType] = {}
    for package, places in _rooms(room):
        for info in sorted(pkgutil.iter_modules([str(place) for place in places]), key=lambda info: info.name):
            module = _import(f"{package}.{info.name}")
            if callable(getattr(module, VERBS[room], None)):
                items.setdefault(info.name.replace("_", "-"), module)
    return items


def find(room: str, name: str) -> ModuleType:
    """One item of a room of code; imports only that module where it can.

    Raises:
        UnknownName: no such item; suggests the nearest.
        FactbookError: its module cannot be imported.
    """
    for package, places in _rooms(room):
        stem = name.replace("-", "_")
        if stem.isidentifier() and any((place / f"{stem}.py").is_file() for place in places):
            module = _import(f"{package}.{stem}")
            if callable(getattr(module, VERBS[room], None)):
                return module
    raise UnknownName(room.rstrip("s"), name, modules(room))


@functools.cache
def folders(room: str, data_file: str) -> dict[str, Path]:
    """All items of a room of data, by folder name: every folder that holds `data_file`."""
    items: dict[str, Path] = {}
    for _, places in _rooms(room):
        for place in places:
            for path in sorted(place.glob(f"*/{data_file}")):
                items.setdefault(path.parent.name, path.parent)
    return items


def files(name: str) -> tuple[Path, ...]:
    """The files of that name at the top of third-party packs, such as `look.css`."""
    places = (place for pack in packs()[1:] for place in home(pack))
    return tuple(place / name for place in places if (place / name).is_file())


def home(pack: str) -> tuple[Path, ...]:
    """The folders of a pack."""
    spec = importlib.util.find_spec(pack)
    return tuple(Path(place) for place in spec.submodule_search_locations or ()) if spec else ()
