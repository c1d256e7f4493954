"""A corpus of texts: lengths, vocabulary, scripts and languages, duplicates, hints of personal data, and what it shares with another corpus.

    {measure: text-corpus, data: train, text: review, by: [source]}
    {measure: text-corpus, data: train, text: review, against: test, languages: py3langid}

One row is one text, in the column `text` (texts in files are read by `format: texts` and `format: lines`). A missing text counts as missing, one of
white space as empty; both have no other figures. Words are runs of letters and digits, with the marks upon them, in lower case; each letter of
Chinese and Japanese is one. Other scripts that write no spaces between words, such as Thai, make long ones.

Exact duplicates are equal character by character. Near-duplicates have a Jaccard index of their sets of `shingle` words in a row of at least `near`
(Broder 1997, SEQUENCES, 21), found by an exact join; a text that is linked to another through a third is in their cluster. Of each cluster all
texts but one count. `against` names a second corpus: `shared` counts the texts of this one that the other holds too, exactly or nearly (leakage
from training to test).

`label` (of the source) adds the texts of each class, and exact duplicates with different labels. Languages are estimates of a library (the extra
`languages`) over texts with at least 20 letters; without it they are not judged. Hints of personal data are counted, never shown; they are neither
complete nor certain.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

import numpy as np
from pydantic import Field

from factbook.errors import MeasureError, MissingExtra
from factbook.measures import corpora, duplicates, personal, rows, scripts, texts
from factbook.measures.corpora import Stated
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Texts, Wanted
from factbook.measures.vocabulary import share
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics.moments import Integers

VERSION: Final = 3
ROLES: Final = ("data",)
OPTIONAL: Final = ("against",)
PARAMS: Final = ("text", "near", "shingle", "languages")
MOST: Final = 500_000
"""Different texts among which near-duplicates are looked for."""
_LETTERS: Final = 20
_EMPTY: Final = -2
_SAMPLE: Final = 1000
_TELLING: Final = re.compile(personal.PREFILTER)
_NEITHER, _LOWER, _UP = Direction.NEITHER, Direction.LOWER, (0.0, math.inf)


METRICS: Final = (
    count_metric("texts", "texts", "n", "rows with a text that is not empty"),
    count_metric("missing", "missing texts", "missing", "rows without a text", _LOWER),
    count_metric("empty", "empty texts", "empty", "texts of white space only", _LOWER),
    Metric("length", "quantiles of the length of texts", "length", Unit.COUNT, _NEITHER, _UP, "quantile (type 1) of characters or words", ""),
    Metric("mean_length", "mean length of texts", "mean length", Unit.QUANTITY, _NEITHER, _UP, "characters or words / texts", ""),
    count_metric("total_length", "length of all texts", "total length", "characters or words of all texts"),
    count_metric("vocabulary", "different words", "vocabulary", "different words of all texts"),
    count_metric("hapax", "words that occur once", "hapax legomena", "words that occur once in all texts"),
    share("type_token_ratio", "type-token ratio", "TTR", "different words / words; falls with the size of the corpus"),
    share("script_share", "share of a script", "script", "letters of the script / letters, by the Unicode property Script"),
    share("language_share", "share of a language", "language", "texts judged to be in the language / texts with at least 20 letters"),
    count_metric("personal_data", "texts with a hint of personal data", "personal data", "texts that hold what looks like the kind", _LOWER),
    *corpora.metrics(
        "texts",
        "different texts",
        ("near-duplicates", "clusters of texts with a Jaccard index of at least `near`", "share of near-duplicates"),
        "Broder 1997, SEQUENCES, 21",
    ),
)


class Parameters(rows.Parameters):
    """The column of the texts (of both corpora), and what counts as nearly the same."""

    text: str = "text"
    near: Decimal = Field(default=Decimal("0.8"), gt=0, le=1)
    shingle: int = Field(default=3, gt=0, le=20)
    languages: Literal["", "py3langid"] = ""


@dataclass(frozen=True, eq=False)
class Corpus:
    """What is known of each different text; the two corpora share one numbering.

    Attributes:
        values: the different texts, sorted.
        words: per text, the number of each of its words in `vocabulary`, in order.
        vocabulary: the different words.
        given: the parameters.
    """

    values: tuple[str, ...]
    words: list[list[int]]
    vocabulary: Mapping[str, int]
    given: Parameters

    @classmethod
    def of(cls, values: Sequence[str], given: Parameters) -> Corpus:
        """Split every text into words, once."""
        vocabulary: dict[str, int] = {}
        words = [[vocabulary.setdefault(word, len(vocabulary) + 1) for word in texts.words(text)] for text in values]
        return cls(tuple(values), words, vocabulary, given)

    @cached_property
    def alike(self) -> duplicates.Alike | None:
        """The near-duplicates; None of too many texts."""
        if len(self.values) > MOST:
            return None
        owner, element = self._shingles()
        return duplicates.alike_sets(owner, element, len(self.values), float(self.given.near))

    def _shingles(self) -> tuple[Integers, Integers]:
        """Each set of so many words in a row, exactly numbered; a shorter text is one of its own, filled up with a word that none has."""
        size = self.given.shingle
        filled = [own + [0] * (size - len(own)) if own else [] for own in self.words]
        lengths = np.array([len(own) for own in filled], dtype=np.int64)
        flat = np.array([word for own in filled for word in own], dtype=np.int64)
        owner = np.repeat(np.arange(len(filled)), lengths)
        within = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        starts = np.flatnonzero(within <= lengths[owner] - size)
        code = flat[starts]
        for step in range(1, size):
            code = np.unique(code * (len(self.vocabulary) + 1) + flat[starts + step], return_inverse=True)[1].reshape(-1)
        width = int(code.max(initial=0)) + 1
        once = np.unique(owner[starts] * width + code)
        return once // width, once % width

    @property
    def near(self) -> Pairs:
        """The parameters of facts of near-duplicates."""
        return (("near", f"{self.given.near:f}"),)

    @cached_property
    def cluster(self) -> Integers | None:
        """Per text its cluster of near-duplicates."""
        return None if self.alike is None else duplicates.components(len(self.values), self.alike.pairs)


margins = rows.margins


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: the source declares weights.
        SourceError: a column cannot be read.
        MissingExtra: languages are wanted and the library is not there.
    """
    given = rows.parameters(Parameters, request)
    source = request.source()
    if source.weight:
        raise MeasureError(f"plan.{request.name}: text-corpus does not weigh texts", remedy="measure a source without `weight`")
    wanted = [Wanted("text", given.text, number=False)]
    found = rows.read(request, wanted + ([Wanted("label", source.label, number=False)] if source.label else []))
    other = rows.read(request, wanted, "against").texts["text"] if "against" in request.planned.params else None
    answer.warnings += found.warnings
    own = found.texts["text"]
    values = sorted({text for side in (own, other) if side is not None for text in side.values if text.strip()})
    corpus = Corpus.of(values, given)
    numbered = corpora.numbers(own.values, own.codes, values, _EMPTY)
    slices = request.slices()
    rows.protect(request, answer, slices, found.where(numbered >= 0))
    if corpus.alike is not None and corpus.alike.cut:
        answer.warnings.append(f"{source.uri}: some texts share so much with so many others that there may be more near-duplicates than were found")
    per_text = _PerText(corpus, request)
    there = None if other is None else _there(other, values)
    for by in ((), *slices):
        names, index = found.places(by)
        for i, place in enumerate(names):
            _add(answer, found, corpus, per_text, numbered, index == i, place)
            if there is not None:
                _add_shared(Stated(answer, "texts", place), corpus, numbered[(index == i) & (numbered >= 0)], there)


def _there(other: Texts, values: Sequence[str]) -> Flags:
    """Which of the different texts the other corpus holds."""
    numbered = corpora.numbers(other.values, other.codes, values, _EMPTY)
    found = np.zeros(len(values), dtype=bool)
    found[numbered[numbered >= 0]] = True
    return found


class _PerText:
    """Figures of each different text, found when they are first needed."""

    def __init__(self, corpus: Corpus, request: Request) -> None:
        self.corpus, self.request = corpus, request
        self.characters = np.array([len(text) for text in corpus.values], dtype=np.int64)
        self.words = np.array([len(own) for own in corpus.words], dtype=np.int64)

    @cached_property
    def scripts(self) -> tuple[tuple[str, ...], Integers]:
        """The scripts that occur, and per text and script the number of its letters."""
        known = scripts.of(set().union(*self.corpus.values), self.request.store)
        names = tuple(sorted(set(known.values())))
        table = np.full(0x110000, len(names), dtype=np.int64)
        for letter, name in known.items():
            table[ord(letter)] = names.index(name)
        counts = np.zeros((len(self.corpus.values), len(names) + 1), dtype=np.int64)
        for i, text in enumerate(self.corpus.values):
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            counts[i] = np.bincount(table[codes], minlength=len(names) + 1)
        return names, counts[:, :-1]

    @cached_property
    def languages(self) -> list[str]:
        """The language of each text; '' where it has too few letters."""
        try:
            import py3langid
        except ImportError as error:
            raise MissingExtra("judging languages", "languages") from error
        enough = self.scripts[1].sum(axis=1) >= _LETTERS
        return [
            str(py3langid.classify(text[:_SAMPLE])[0]) if judged else "" for text, judged in zip(self.corpus.values, enough.tolist(), strict=True)
        ]

    @cached_property
    def hints(self) -> dict[str, Flags]:
        """Per kind of personal data, which texts hold a hint of it."""
        found = [personal.found(text) if _TELLING.search(text) else {} for text in self.corpus.values]
        return {kind: np.array([kind in own for own in found], dtype=bool) for kind in personal.KINDS}


def _add(answer: Answer, found: Rows, corpus: Corpus, per_text: _PerText, numbered: Integers, inside: Flags, place: Pairs) -> None:
    """Everything of one slice."""
    chosen = inside & (numbered >= 0)
    own, rows_ = numbered[chosen], int(inside.sum())
    answer.add("texts", len(own), slice=place, n=rows_)
    answer.add("missing", int((inside & (numbered == -1)).sum()), slice=place, n=rows_)
    answer.add("empty", int((inside & (numbered == _EMPTY)).sum()), slice=place, n=rows_)
    stated = Stated(answer, "texts", place)
    clusters = None if found.clusters is None else found.clusters[chosen]
    for unit, lengths in (("characters", per_text.characters), ("words", per_text.words)):
        params = (("unit", unit),)
        answer.add("total_length", int(lengths[own].sum()), params=params, slice=place, n=len(own))
        stated.distribution("length", "mean_length", lengths[own].astype(np.float64), clusters, params, whole=True)
    _add_vocabulary(answer, corpus, own, place)
    _add_shares(stated, per_text, own, corpus.given)
    stated.duplicates(own, None if corpus.cluster is None else corpus.cluster[own], corpus.near, _TOO_MANY)
    if "label" in found.texts:
        stated.labels(found, numbered, chosen)


_TOO_MANY: Final = f"not judged among more than {MOST:,} different texts"


def _add_vocabulary(answer: Answer, corpus: Corpus, own: Integers, place: Pairs) -> None:
    counted: Counter[int] = Counter()
    times = Counter(own.tolist())
    for number, count in times.items():
        for word in corpus.words[number]:
            counted[word] += count
    total, once = sum(counted.values()), sum(1 for count in counted.values() if count == 1)
    answer.add("vocabulary", len(counted), slice=place, n=total)
    answer.add("hapax", once, slice=place, n=total)
    ratio = len(counted) / total if total else None
    counts = {"k": len(counted), "n": total}
    answer.add("type_token_ratio", ratio, slice=place, n=total, counts=counts, undefined="" if total else "0 of 0: no words")


def _add_shares(stated: Stated, per_text: _PerText, own: Integers, given: Parameters) -> None:
    """Scripts, languages and hints of personal data."""
    answer, place = stated.answer, stated.place
    names, letters = per_text.scripts
    each = letters[own].sum(axis=0)
    total = int(each.sum())
    for name, k in zip(names, each.tolist(), strict=True):
        value, said = (k / total, "") if total else (None, "0 of 0: no letters")
        answer.add("script_share", value, params=(("script", name),), slice=place, n=total, counts={"k": k, "n": total}, undefined=said)
    if given.languages:
        judged = [per_text.languages[number] for number in own.tolist()]
        n = sum(1 for name in judged if name)
        for name in sorted(set(per_text.languages) - {""}):
            stated.share("language_share", judged.count(name), n, (("language", name),), "texts of enough letters", note=_ESTIMATE)
    else:
        answer.add("language_share", None, slice=place, undefined="not judged: `languages` names no library")
    for kind, there in per_text.hints.items():
        k = int(there[own].sum())
        answer.add("personal_data", k, params=(("kind", kind),), slice=place, n=len(own), note="hints, neither complete nor certain")


_ESTIMATE: Final = "as py3langid judges"


def _add_shared(stated: Stated, corpus: Corpus, own: Integers, there: Flags) -> None:
    near = corpora.nearby(there, corpus.alike)
    stated.shared(there[own], None if near is None else near[own], corpus.near, _TOO_MANY)
