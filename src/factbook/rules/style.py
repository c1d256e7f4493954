"""`style.yaml`: the words and bounds of an organisation, for the rules that judge words.

    comparisons: [superior]          further words that only a claim may carry
    absolutes: [bullet-proof]        further words that say more than anything measured can
    intensifiers: [super]
    promotional: [game-changing]
    allow: [robust]                  words that no rule of words reports
    say: {utilise: use}              what to write instead; `factbook fix` writes it
    bands: {small_group: 50, comparisons: 10, review_days: 365}

Words are matched whole and in any letter case; a `*` at the end stands for any ending.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from factbook import shelf
from factbook.canon import load_yaml
from factbook.errors import ManifestError
from factbook.manifest import validate

FILE: Final = "style.yaml"
_LISTS: Final = ("comparisons", "absolutes", "intensifiers", "promotional")
Word = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\W_].*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bands(_Strict):
    """Bounds. A figure of fewer than `small_group` cases says its n; from `comparisons` on a document says that many were made; a review holds for
    `review_days` days (0: for as long as its own front matter says).
    """

    small_group: int = Field(default=30, ge=0)
    comparisons: int = Field(default=10, ge=2)
    review_days: int = Field(default=0, ge=0)


class Style(_Strict):
    """The whole of style.yaml."""

    comparisons: tuple[Word, ...] = ()
    absolutes: tuple[Word, ...] = ()
    intensifiers: tuple[Word, ...] = ()
    promotional: tuple[Word, ...] = ()
    allow: tuple[Word, ...] = ()
    say: dict[Word, str] = Field(default_factory=dict)
    bands: Bands = Bands()

    @model_validator(mode="after")
    def _settled(self) -> Style:
        told = {word.casefold() for word in (*self.comparisons, *self.absolutes, *self.intensifiers, *self.promotional, *self.say)}
        if both := sorted(told & {word.casefold() for word in self.allow}):
            raise ValueError(f"{both[0]!r} is both allowed and listed")
        for word, better in self.say.items():
            if pattern(self.say).fullmatch(better.strip()):
                raise ValueError(f"say: {word!r} is to be replaced by {better!r}, which is to be replaced itself")
        return self


def load(root: Path) -> Style:
    """The words of installed packs and those of the book in `root`, each in a style.yaml: lists add up, and of two that differ the book's counts.

    Raises:
        ManifestError: with file, line and every problem at once.
    """
    places = [path for path in (*shelf.files(FILE), root / FILE) if path.is_file()]
    return functools.reduce(_added, map(_read, places), Style())


def _read(path: Path) -> Style:
    try:
        tree, lines = load_yaml(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 (byte {error.start})", remedy="save the file as UTF-8") from error
    return validate(Style, tree, str(path), lines)


def _added(style: Style, more: Style) -> Style:
    """Both; what `more` allows, lists or says counts where they differ."""
    allowed, listed = pattern(more.allow), pattern((*(word for name in _LISTS for word in getattr(more, name)), *more.say))
    found: dict[str, object] = {
        name: (*(word for word in getattr(style, name) if not allowed.fullmatch(word)), *getattr(more, name)) for name in _LISTS
    }
    found["allow"] = (*(word for word in style.allow if not listed.fullmatch(word)), *more.allow)
    found["say"] = {word: better for word, better in style.say.items() if not allowed.fullmatch(word)} | more.say
    found["bands"] = style.bands.model_copy(update=more.bands.model_dump(exclude_unset=True))
    return validate(Style, found, f"{FILE} of this book and of packs together")


def expression(word: str) -> str:
    """A word of style.yaml as a regular expression; a space stands for any white space or hyphen."""
    said = re.escape(word.rstrip("*")).replace(r"\ ", r"[\s-]+")
    return rf"{said}\w*" if word.endswith("*") else said


def pattern(words: Iterable[str], built_in: str = "") -> re.Pattern[str]:
    """What finds any of these words, whole and in any letter case; nothing where there are none."""
    return _compiled(tuple(words), built_in)


@functools.lru_cache(maxsize=64)
def _compiled(words: tuple[str, ...], built_in: str) -> re.Pattern[str]:
    parts = [part for part in (built_in, *map(expression, words)) if part]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])" if parts else r"(?!)", re.IGNORECASE)
