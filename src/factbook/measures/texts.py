"""How far a generated text is the expected one: normalised equality, token F1, ROUGE-L."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_UNSPACED: Final = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Hiragana, Katakana and Han, which are written without spaces between words."""
_SELECTORS: Final = range(0xFE00, 0xFE10)
"""How an emoji is drawn: marks of no letter."""
_LAST_MARK: Final = 0x1E950
_WORD: Final = re.compile(r"[^\W_]+")
_ONE: Final = re.compile(f"([{_UNSPACED}])")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def squad(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and superfluous spaces (Rajpurkar et al. 2016, EMNLP, 2383, official script)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def plain(text: str) -> str:
    """The text without superfluous spaces."""
    return " ".join(text.split())


@cache
def _marked() -> re.Pattern[str]:
    """A run of letters and digits with the marks upon them (vowels of Indic scripts, accents), which a plain pattern leaves out."""
    marks = [code for code in range(0x300, _LAST_MARK) if unicodedata.category(chr(code)) in ("Mn", "Mc") and code not in _SELECTORS]
    return re.compile(f"[^\\W_][\\w{''.join(map(chr, marks))}]*")


def words(text: str) -> list[str]:
    """Runs of letters and digits in lower case; each letter of Chinese and Japanese is one of its own, since these have no spaces between words."""
    if text.isascii():
        return _WORD.findall(text.lower())
    return _marked().findall(_ONE.sub(r" \1 ", text.lower().replace("_", " ")))


def _tokens(text: str) -> list[str]:
    """What lies between spaces, and each letter of Chinese and Japanese (as in Lewis et al. 2020, MLQA, ACL, 7315)."""
    return _ONE.sub(r" \1 ", text).split()


def exact(text: str, reference: str, normalise: Callable[[str], str]) -> float:
    """1 where both are equal when normalised, else 0."""
    return float(normalise(text) == normalise(reference))


def token_f1(text: str, reference: str, normalise: Callable[[str], str]) -> float:
    """2 P R / (P + R) of the bags of words; where one of them is empty, whether both are (Rajpurkar, Jia & Liang 2018, ACL, 784, official script)."""
    given, expected = _tokens(normalise(text)), _tokens(normalise(reference))
    if not given or not expected:
        return float(given == expected)
    common = sum((Counter(given) & Counter(expected)).values())
    return 2 * common / (len(given) + len(expected))


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004, Text Summarization Branches Out, 74): lower case, no stemming; 0 without words."""
    given, expected = words(text), words(reference)
    return 2 * longest_common(given, expected) / (len(given) + len(expected)) if given and expected else 0.0


def longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, bit-parallel (Hyyrö 2004, AWOCA, 16)."""
    places: dict[str, int] = {}
    for i, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << i
    every = (1 << len(one)) - 1
    state = every
    for word in other:
        matched = state & places.get(word, 0)
        state = (state + matched | state - matched) & every
    return len(one) - state.bit_count()


def best(texts: Iterable[str], references: Iterable[tuple[str, ...]], compare: Callable[[str, str], float]) -> list[float]:
    """The best value over the references of each text; equal texts with equal references are compared once."""
    known: dict[tuple[str, tuple[str, ...]], float] = {}
    values = []
    for pair in zip(texts, references, strict=True):
        if pair not in known:
            known[pair] = max(compare(pair[0], reference) for reference in pair[1])
        values.append(known[pair])
    return values
