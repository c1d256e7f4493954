"""How far a generated text is the expected one: normalised equality, token F1, ROUGE-L."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_WORD: Final = re.compile(r"[^\W_]+")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def squad(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and superfluous spaces (Rajpurkar et al. 2016, EMNLP, 2383, official script)."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def plain(text: str) -> str:
    """The text without superfluous spaces."""
    return " ".join(text.split())


def exact(text: str, reference: str, normalise: Callable[[str], str]) -> float:
    """1 where both are equal when normalised, else 0."""
    return float(normalise(text) == normalise(reference))


def token_f1(text: str, reference: str, normalise: Callable[[str], str]) -> float:
    """2 P R / (P + R) of the bags of words; where one of them is empty, whether both are (Rajpurkar, Jia & Liang 2018, ACL, 784, official script)."""
    given, expected = normalise(text).split(), normalise(reference).split()
    if not given or not expected:
        return float(given == expected)
    common = sum((Counter(given) & Counter(expected)).values())
    return 2 * common / (len(given) + len(expected))


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin 2004, Text Summarization Branches Out, 74): lower case, no stemming; 0 without words."""
    given, expected = _WORD.findall(text.lower()), _WORD.findall(reference.lower())
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
