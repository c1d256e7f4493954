"""For whom a document is written and how hard it is to read: information, which blocks nothing.

The measure is Flesch's reading ease, 206.835 - 1.015 w - 84.6 s, with w words in a sentence and s syllables in a word (R. Flesch, A new
readability yardstick, Journal of Applied Psychology 32, 1948). It was made for English prose. Syllables are estimated from the letters, so that
small differences say nothing. Tables, code, headings, quotations and what a machine wrote are left out.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from factbook.documents.parse import Document, Kind
from factbook.rules import Checked, language, prose

LANGUAGES: Final = ("en",)
ENOUGH: Final = 100
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_VOWELS: Final = re.compile(r"[aeiouy]+")
_SILENT: Final = re.compile(r"(?:[^laeiouy]e|[^aeiouytd]ed|[^aeiouysxzcg]es)\Z")
_BANDS: Final = ((60, "plain"), (50, "fairly difficult"), (30, "difficult"), (-1000, "very difficult"))


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, its readers, its words and sentences, and its reading ease; `why` says why there is none."""

    document: str
    audience: tuple[str, ...]
    words: int
    sentences: int
    ease: float | None
    level: str = ""
    why: str = ""

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def readings(checked: Checked) -> list[Reading]:
    """How every document reads."""
    return [_reading(checked, document) for document in checked.documents]


def _reading(checked: Checked, document: Document) -> Reading:
    kind = checked.kinds.get(document.name)
    audience = tuple(kind.audience) if kind else ()
    texts = [sentence for sentence in _sentences(document) if _WORD.search(sentence)]
    words = [word for sentence in texts for word in _WORD.findall(sentence)]
    said = language(checked, document)
    if said not in LANGUAGES:
        return Reading(document.name, audience, len(words), len(texts), None, why=f"the formula is for {', '.join(LANGUAGES)}, and this is {said}")
    if len(words) < ENOUGH:
        return Reading(document.name, audience, len(words), len(texts), None, why=f"fewer than {ENOUGH} words of prose")
    ease = flesch(len(words), len(texts), sum(map(syllables, words)))
    return Reading(document.name, audience, len(words), len(texts), round(ease, 1), next(name for low, name in _BANDS if ease >= low))


def _sentences(document: Document) -> list[str]:
    asked = {link.block for link in document.bound("question")}
    found = []
    for index, block in enumerate(document.blocks):
        if block.kind in {Kind.PARAGRAPH, Kind.ITEM} and block.quote < 0 and index not in asked and not document.part_at(block.start):
            plain = prose.text_of(block).plain
            found += [plain[start:end] for start, end in prose.sentences(plain)]
    return found


def flesch(words: int, sentences: int, syllables: int) -> float:
    """Flesch's reading ease: 60 and more is plain English; the lower, the harder."""
    return 206.835 - 1.015 * words / sentences - 84.6 * syllables / words


def syllables(word: str) -> int:
    """An estimate: the groups of vowels, less a silent `e` at the end; at least one."""
    letters = word.casefold()
    return max(1, len(_VOWELS.findall(letters)) - bool(_SILENT.search(letters)))
