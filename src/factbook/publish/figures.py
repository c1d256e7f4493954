"""Pictures of a book: read from its folder, and from nowhere else."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from factbook.documents import parse

TYPES: Final = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
_IDS = re.compile(r'((?:id|aria-labelledby)=")([^"]*)(")')


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture file: its name (relative to the book), media type and bytes."""

    name: str
    media: str
    data: bytes

    def uri(self) -> str:
        """The picture as a data address, so that a page stays one file and asks nobody for anything."""
        return f"data:{self.media};base64,{base64.b64encode(self.data).decode()}"


def load(root: Path, document: str, destination: str) -> Figure | str:
    """The picture that a document shows, or the reason why it cannot be shown. A picture outside of the book is never read."""
    if parse.split(destination)[0] or destination.startswith("//"):
        return f"{destination} is not a file of this book."
    wanted = unquote(destination.partition("#")[0].partition("?")[0])
    place = (root / document).parent / wanted
    try:
        inside = place.resolve().is_relative_to(root.resolve())
        if not wanted or not inside:
            return f"{destination} is not a file of this book."
        media = TYPES.get(place.suffix.lower())
        if media is None:
            return f"{destination} is no picture of a kind that can be shown ({', '.join(sorted(TYPES))})."
        return Figure(place.resolve().relative_to(root.resolve()).as_posix(), media, place.read_bytes())
    except (OSError, ValueError):
        return f"The file {destination} is missing."


def rename(drawing: str, prefix: str) -> str:
    """A drawing with its identifiers renamed, so that it can stand twice on one page."""

    def renamed(match: re.Match[str]) -> str:
        names = " ".join(f"{prefix}-{name.rpartition('-')[2]}" for name in match.group(2).split())
        return match.group(1) + names + match.group(3)

    return _IDS.sub(renamed, drawing)
