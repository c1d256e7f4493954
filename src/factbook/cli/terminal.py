"""How a command writes: lines for a person at a terminal or for a pipe, JSON for a machine, warnings beside them."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from factbook.evidence import Outcome


@cache
def console() -> Console:
    """Standard output, without any markup of its own."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(*parts: str | tuple[str, str]) -> None:
    """One line of plain or styled pieces."""
    from rich.text import Text

    console().print(Text.assemble(*parts))


def beside(name: tuple[str, str], title: str, about: str) -> None:
    """A name, its title and what is to be said about it: in one line for a pipe, wrapped beside the name at a terminal."""
    if not sys.stdout.isatty():
        say(name, title, (f"  {about}", "dim"))
        return
    indent = len(name[0])
    room = max(console().width - indent, 30)
    for at, line in enumerate(textwrap.wrap(title, room, break_on_hyphens=False)):
        say(name if at == 0 else " " * indent, line)
    for line in textwrap.wrap(about, room, break_on_hyphens=False):
        say(" " * indent, (line, "dim"))


def jsons(tree: Any) -> None:
    """A tree as JSON; days are ISO 8601."""
    sys.stdout.write(json.dumps(tree, ensure_ascii=False, indent=2, default=_portable) + "\n")


def _portable(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def typed(path: Path) -> str:
    """A path as the user would type it from here."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return str(path)
    return str(path.absolute()) if Path(relative).parts[:3] == ("..",) * 3 else relative


def warn(outcomes: Iterable[Outcome]) -> None:
    """What measurements warned of, on standard error."""
    for outcome in outcomes:
        for warning in outcome.warnings:
            sys.stderr.write(f"factbook: {outcome.name}: {warning}\n")


def plural(count: int, noun: str) -> str:
    """A count and what is counted: `1 finding`, `2 findings`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
