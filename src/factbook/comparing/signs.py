"""By what a reader of cards knows that a card speaks of something: `signs.yaml`; for the Hugging Face template, the headings that its items are."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from factbook.canon import load_yaml
from factbook.regimes import Regime

_HUB: Final = "hf:"
_META: Final = "hf:meta."


@dataclass(frozen=True, slots=True)
class Sign:
    """Headings, labels and columns in lower case without marks, fields of the front matter, and items of regimes."""

    labels: tuple[str, ...] = ()
    front: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


def plain(title: str) -> str:
    """A heading or label without marks, in lower case."""
    return " ".join(re.sub(r"[^\w\s]", " ", title.replace("-", " ")).casefold().split())


@functools.cache
def _signs(part: str) -> dict[str, Sign]:
    where = Path(__file__).with_name("signs.yaml")
    tree, _ = load_yaml(where.read_text(encoding="utf-8"), where.name)
    return {name: Sign(**{word: tuple(said) for word, said in members.items()}) for name, members in tree[part].items()}


def fields() -> dict[str, Sign]:
    """What is set side by side of every card, in order."""
    return _signs("fields")


def of(regime: Regime) -> dict[str, Sign]:
    """The signs of the items of a regime; empty where nobody wrote down how a card would answer them."""
    known = _signs("items")
    found = {name: known[name] for name in regime.items if name in known}
    for name, item in regime.items.items():
        if name.startswith(_META) and "." not in name.removeprefix(_META):
            found[name] = Sign(front=(name.removeprefix(_META),))
        elif name.startswith(_HUB) and not name.startswith(_META):
            found[name] = Sign(labels=(plain(item.cite.partition('"')[2]),))
    return found
