"""How far texts overlap with their references over a whole corpus, as translations are judged: BLEU and chrF.

Both are functions of counts that add up over texts (Papineni et al. 2002, ACL, 311; Popović 2015, WMT, 392), with the tokens and the smoothing
that Post 2018, WMT, 186 fixed so that figures can be compared: punctuation is split off as in `mteval-v13a`, and the n-th precision without a match
is taken as 1 / (2^n grams).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from factbook.measures.outputs import Slices
from factbook.measures.request import Answer
from factbook.model import Direction, Metric, Unit
from factbook.statistics import moments
from factbook.statistics.moments import Floats, Integers, tidy

_HUNDRED: Final = (0.0, 100.0)
_POST: Final = "Post 2018, WMT, 186"
METRICS: Final = (
    Metric(
        "bleu",
        "BLEU",
        "BLEU",
        Unit.QUANTITY,
        Direction.HIGHER,
        _HUNDRED,
        "100 x brevity penalty x geometric mean of the precisions of 1 to 4 words in a row, over all outputs",
        f"Papineni et al. 2002, ACL, 311; {_POST}",
    ),
    Metric(
        "chrf",
        "chrF",
        "chrF",
        Unit.QUANTITY,
        Direction.HIGHER,
        _HUNDRED,
        "100 x F2 of the mean precision and recall of 1 to 6 letters in a row, over all outputs",
        f"Popović 2015, WMT, 392; {_POST}",
    ),
)
_WORDS: Final = 4
_LETTERS: Final = 6
_ENTITIES: Final = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}
_SPLIT: Final = (
    (re.compile(r"([!-&(-+:-@/\[-`{-~])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokens(text: str) -> list[str]:
    """The tokens of `mteval-v13a`: punctuation stands by itself, but not in numbers."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES.items():
        line = line.replace(entity, character)
    line = f" {line} "
    for pattern, replacement in _SPLIT:
        line = pattern.sub(replacement, line)
    return line.split()


def _grams(items: Sequence[str], size: int) -> Counter[Any]:
    return Counter(tuple(items[i : i + size]) for i in range(len(items) - size + 1))


def bleu_counts(text: str, references: Sequence[str]) -> list[int]:
    """The words of a text and of the reference nearest in length, then for 1 to 4 words in a row the grams that are in a reference, and all."""
    own, others = tokens(text), [tokens(reference) for reference in references]
    counts = [len(own), min((abs(len(other) - len(own)), len(other)) for other in others)[1]]
    for size in range(1, _WORDS + 1):
        allowed: Counter[Any] = Counter()
        for other in others:
            allowed |= _grams(other, size)
        grams = _grams(own, size)
        counts += [sum((grams & allowed).values()), sum(grams.values())]
    return counts


def bleu(counts: Floats) -> Floats:
    """BLEU of sums of `bleu_counts`, one in each row."""
    length, expected = counts[:, 0], counts[:, 1]
    total, smooth, nothing = np.zeros(len(counts)), np.ones(len(counts)), counts[:, 2::2].sum(axis=1) == 0
    for size in range(_WORDS):
        found, every = counts[:, 2 + 2 * size], counts[:, 3 + 2 * size]
        smooth = np.where(found == 0, smooth * 2, smooth)
        nothing |= every == 0
        total += np.log(np.where(found > 0, found, 1 / smooth) / np.maximum(every, 1))
    penalty = np.where(length < expected, np.exp(1 - expected / np.maximum(length, 1)), 1.0)
    return np.where(nothing, 0.0, 100 * penalty * np.exp(total / _WORDS))


def chrf_counts(text: str, references: Sequence[str]) -> list[int]:
    """For 1 to 6 letters in a row the grams of a text, of a reference and of both; of the reference for which chrF is highest."""
    own = "".join(text.split())
    grams = [_grams(own, size) for size in range(1, _LETTERS + 1)]
    found = []
    for reference in references:
        letters = "".join(reference.split())
        counts = []
        for size, mine in enumerate(grams, start=1):
            theirs = _grams(letters, size)
            counts += [sum(mine.values()) if theirs else 0, sum(theirs.values()), sum((mine & theirs).values())]
        found.append(counts)
    return max(found, key=lambda counts: float(chrf(np.array([counts], dtype=np.float64))[0]))


def chrf(counts: Floats) -> Floats:
    """The chrF of sums of `chrf_counts`, one in each row."""
    given, expected, both = (counts[:, i::3] for i in range(3))
    there = (given > 0) & (expected > 0)
    orders = np.maximum(there.sum(axis=1), 1)
    precision, recall = (np.where(there, both / np.maximum(whole, 1), 0.0).sum(axis=1) / orders for whole in (given, expected))
    below = 4 * precision + recall
    return np.where(below > 0, 100 * 5 * precision * recall / np.where(below > 0, below, 1.0), 0.0)


_FORMULAE: Final[dict[str, tuple[Callable[[str, Sequence[str]], list[int]], Callable[[Floats], Floats]]]] = {
    "bleu": (bleu_counts, bleu),
    "chrf": (chrf_counts, chrf),
}


def counted(metric: str, texts: Iterable[str], references: Iterable[tuple[str, ...]]) -> Integers:
    """The counts of every text, one in each row; equal texts with equal references are counted once."""
    known: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    found = []
    for pair in zip(texts, references, strict=True):
        if pair not in known:
            known[pair] = _FORMULAE[metric][0](*pair)
        found.append(known[pair])
    return np.array(found, dtype=np.int64)


def add(answer: Answer, metric: str, counts: Integers, slices: Slices) -> None:
    """The figure of each slice, with its interval by the jackknife over outputs, or samples (Miller 1974, Biometrika 61, 1)."""
    formula = _FORMULAE[metric][1]
    method = f"jackknife over {moments.plural(slices.unit or 'output')}, Student's t"
    for i, place in enumerate(slices.names):
        own = np.flatnonzero(slices.index == i)
        if said := slices.lacking(len(own), "have a value", "no outputs"):
            answer.add(metric, None, slice=place, undefined=said)
            continue
        unit = np.arange(len(own)) if slices.clusters is None else np.unique(slices.clusters[own], return_inverse=True)[1].reshape(-1)
        each = np.zeros((int(unit.max()) + 1, counts.shape[1]), dtype=np.int64)
        np.add.at(each, unit, counts[own])
        total = each.sum(axis=0)
        value, without, m = float(formula(total[None].astype(np.float64))[0]), formula((total - each).astype(np.float64)), len(each)
        variance = math.fsum(((without - math.fsum(without.tolist()) / m) ** 2).tolist()) * (m - 1) / m
        interval = moments.student(value, variance, m, answer.level, method, _HUNDRED)
        answer.add(metric, tidy(value), slice=place, n=len(own), interval=interval)
