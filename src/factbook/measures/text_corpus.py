"""A corpus of texts: lengths, vocabulary, scripts and languages, duplicates, hints of personal data, and what it shares with another corpus.

    {measure: text-corpus, data: train, text: review, by: [source]}
    {measure: text-corpus, data: train, text: review, against: test, languages: py3langid}

One row is one text, in the column `text` (texts in files are read by `format: texts` and `format: lines`). A missing text counts as missing, one of
white space as empty; both have no other figures. Words are runs of letters and digits in lower case; scripts that write no spaces between words
make long ones.

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
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field

from factbook.errors import MeasureError, MissingExtra
from factbook.manifest import Planned, Source
from factbook.measures import duplicates, intervals, moments, personal, rows, scripts
from factbook.measures.moments import Integers, Sample
from factbook.measures.request import Answer, Request, count_metric, tidy
from factbook.measures.rows import Flags, Rows, Texts, Wanted
from factbook.model import Direction, Metric, Pairs, Unit

VERSION: Final = 1
ROLES: Final = ("data",)
OPTIONAL: Final = ("against",)
PARAMS: Final = ("text", "near", "shingle", "languages")
QUANTILES: Final = ("0", "0.05", "0.25", "0.5", "0.75", "0.95", "1")
MOST: Final = 500_000
"""Different texts among which near-duplicates are looked for."""
_LETTERS: Final = 20
_SAMPLE: Final = 1000
_WORD: Final = re.compile(r"[^\W_]+")
_TELLING: Final = re.compile(personal.PREFILTER)
_NEITHER, _LOWER, _UP = Direction.NEITHER, Direction.LOWER, (0.0, math.inf)
_BRODER: Final = "Broder 1997, SEQUENCES, 21"


def _share(name: str, title: str, short: str, formula: str, direction: Direction = _NEITHER, source: str = "") -> Metric:
    return Metric(name, title, short, Unit.FRACTION, direction, (0.0, 1.0), formula, source)


METRICS: Final = (
    count_metric("texts", "texts", "n", "rows with a text that is not empty"),
    count_metric("missing", "missing texts", "missing", "rows without a text", _LOWER),
    count_metric("empty", "empty texts", "empty", "texts of white space only", _LOWER),
    Metric("length", "quantiles of the length of texts", "length", Unit.COUNT, _NEITHER, _UP, "quantile (type 1) of characters or words", ""),
    Metric("mean_length", "mean length of texts", "mean length", Unit.QUANTITY, _NEITHER, _UP, "characters or words / texts", ""),
    count_metric("total_length", "length of all texts", "total length", "characters or words of all texts"),
    count_metric("vocabulary", "different words", "vocabulary", "different words of all texts"),
    count_metric("hapax", "words that occur once", "hapax legomena", "words that occur once in all texts"),
    _share("type_token_ratio", "type-token ratio", "TTR", "different words / words; falls with the size of the corpus"),
    _share("script_share", "share of a script", "script", "letters of the script / letters, by the Unicode property Script"),
    _share("language_share", "share of a language", "language", "texts judged to be in the language / texts with at least 20 letters"),
    count_metric("exact_duplicates", "exact duplicates", "duplicates", "texts - different texts", _LOWER),
    _share("exact_duplicate_share", "share of exact duplicates", "duplicates", "exact duplicates / texts", _LOWER),
    count_metric(
        "near_duplicates", "near-duplicates", "near-duplicates", "texts - clusters of texts with a Jaccard index of at least `near`", _LOWER
    ),
    _share("near_duplicate_share", "share of near-duplicates", "near-duplicates", "near-duplicates / texts", _LOWER, _BRODER),
    count_metric(
        "conflicting_labels", "duplicates with different labels", "conflicts", "different texts whose exact duplicates differ in label", _LOWER
    ),
    _share("class_share", "share of a class", "class", "texts of the class / texts with a label"),
    count_metric("personal_data", "texts with a hint of personal data", "personal data", "texts that hold what looks like the kind", _LOWER),
    count_metric("shared", "texts that the other corpus holds too", "shared", "texts that equal one of the other corpus, or nearly", _LOWER),
    _share("shared_share", "share of texts that the other corpus holds too", "shared", "shared / texts", _LOWER),
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
        words = [[vocabulary.setdefault(word, len(vocabulary) + 1) for word in _WORD.findall(text.lower())] for text in values]
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

    @cached_property
    def cluster(self) -> Integers | None:
        """Per text its cluster of near-duplicates."""
        return None if self.alike is None else duplicates.components(len(self.values), self.alike.pairs)


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """The combinations in `by` that the source has; the other corpus need not have them."""
    del name
    return tuple(item for item in planned.by if set(item) <= set(source.by))


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
    numbered = _numbered(own, values)
    slices = request.slices()
    rows.protect(request, answer, slices, found.where(numbered >= 0))
    if corpus.alike is not None and corpus.alike.cut:
        answer.warnings.append(f"{source.uri}: some texts share so much with so many others that there may be more near-duplicates than were found")
    per_text = _PerText(corpus, request)
    for by in ((), *slices):
        names, index = found.places(by)
        for i, place in enumerate(names):
            _add(answer, found, corpus, per_text, numbered, index == i, place)
    if other is not None:
        _add_shared(answer, found, corpus, numbered, _numbered(other, values), slices)


def _numbered(own: Texts, values: Sequence[str]) -> Integers:
    """Per row the number of its text, -1 where it is missing, -2 where it is empty."""
    place = {text: i for i, text in enumerate(values)}
    return np.array([-1, *(place.get(text, -2) for text in own.values)], dtype=np.int64)[own.codes]


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
    own = numbered[inside & (numbered >= 0)]
    n = len(own)
    answer.add("texts", n, slice=place, n=int(inside.sum()))
    answer.add("missing", int((inside & (numbered == -1)).sum()), slice=place, n=int(inside.sum()))
    answer.add("empty", int((inside & (numbered == -2)).sum()), slice=place, n=int(inside.sum()))
    clusters = found.clusters
    sample = Sample(np.zeros(n, dtype=np.int64), 1, None, None if clusters is None else clusters[inside & (numbered >= 0)])
    for unit, lengths in (("characters", per_text.characters), ("words", per_text.words)):
        _add_lengths(answer, lengths[own], sample, (("unit", unit),), place)
    _add_vocabulary(answer, corpus, own, place)
    _add_shares(answer, per_text, own, corpus.given, place)
    _add_duplicates(answer, corpus, own, place)
    if "label" in found.texts:
        _add_labels(answer, found, numbered, inside, place)


def _add_lengths(answer: Answer, lengths: Integers, sample: Sample, params: Pairs, place: Pairs) -> None:
    n = len(lengths)
    answer.add("total_length", int(lengths.sum()), params=params, slice=place, n=n)
    ordered = np.sort(lengths).astype(np.float64)
    for q in QUANTILES:
        value = int(duplicates.quantile(ordered, float(q))) if n else None
        answer.add("length", value, params=(("q", q), *params), slice=place, n=n, undefined="" if n else _NO_TEXTS)
    values = lengths.astype(np.float64)
    mean = float(sample.mean(values)[0]) if n else math.nan
    spread = float(sample.spread(values, np.array([mean]))[0]) if n else math.nan
    interval = moments.student(mean, spread, int(sample.units[0]), answer.level, moments.method(sample, "text"), (0.0, math.inf))
    answer.add("mean_length", tidy(mean) if n else None, params=params, slice=place, n=n, interval=interval, undefined="" if n else _NO_TEXTS)


_NO_TEXTS: Final = "0 of 0: no texts"


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


def _add_shares(answer: Answer, per_text: _PerText, own: Integers, given: Parameters, place: Pairs) -> None:
    """Scripts, languages and hints of personal data."""
    names, letters = per_text.scripts
    each = letters[own].sum(axis=0)
    total = int(each.sum())
    for name, k in zip(names, each.tolist(), strict=True):
        value = k / total if total else None
        answer.add(
            "script_share", value, params=(("script", name),), slice=place, n=total, counts={"k": k, "n": total}, undefined=_none(total, "letters")
        )
    if given.languages:
        judged = [per_text.languages[number] for number in own.tolist()]
        n = sum(1 for name in judged if name)
        for name in sorted(set(per_text.languages) - {""}):
            _add_share(answer, "language_share", judged.count(name), n, (("language", name),), place, "texts of enough letters", note=_ESTIMATE)
    else:
        answer.add("language_share", None, slice=place, undefined="not judged: `languages` names no library")
    for kind, there in per_text.hints.items():
        answer.add(
            "personal_data", int(there[own].sum()), params=(("kind", kind),), slice=place, n=len(own), note="hints, neither complete nor certain"
        )


_ESTIMATE: Final = "as py3langid judges"


def _none(n: int, what: str) -> str:
    return "" if n else f"0 of 0: no {what}"


def _add_share(answer: Answer, metric: str, k: int, n: int, params: Pairs, place: Pairs, what: str = "texts", **more: Any) -> None:
    interval = intervals.proportion(k, n, answer.level) if n else None
    value = k / n if n else None
    answer.add(metric, value, params=params, slice=place, n=n, counts={"k": k, "n": n}, interval=interval, undefined=_none(n, what), **more)


def _add_duplicates(answer: Answer, corpus: Corpus, own: Integers, place: Pairs) -> None:
    n, params = len(own), (("near", f"{corpus.given.near:f}"),)
    exact = n - len(np.unique(own))
    answer.add("exact_duplicates", exact, slice=place, n=n)
    _add_share(answer, "exact_duplicate_share", exact, n, (), place)
    if corpus.cluster is None:
        for metric in ("near_duplicates", "near_duplicate_share"):
            answer.add(metric, None, params=params, slice=place, undefined=f"not judged among more than {MOST:,} different texts")
        return
    near = n - len(np.unique(corpus.cluster[own]))
    answer.add("near_duplicates", near, params=params, slice=place, n=n)
    _add_share(answer, "near_duplicate_share", near, n, params, place)


def _add_labels(answer: Answer, found: Rows, numbered: Integers, inside: Flags, place: Pairs) -> None:
    label = found.texts["label"]
    chosen = inside & (numbered >= 0) & (label.codes > 0)
    codes, n = label.codes[chosen], int(chosen.sum())
    for i, name in enumerate(label.values, start=1):
        told = rows.told(found.source, name)
        _add_share(answer, "class_share", int((codes == i).sum()), n, (("class", name),), place, "texts with a label", involves=told)
    pairs = np.unique(np.stack((numbered[chosen], codes), axis=1), axis=0) if n else np.zeros((0, 2), dtype=np.int64)
    answer.add("conflicting_labels", int((np.bincount(pairs[:, 0]) > 1).sum()) if n else 0, slice=place, n=n)


def _add_shared(answer: Answer, found: Rows, corpus: Corpus, own: Integers, other: Integers, slices: Sequence[Sequence[str]]) -> None:
    """How many texts the other corpus holds too: the same, or nearly."""
    held = np.zeros(len(corpus.values), dtype=bool)
    held[np.unique(other[other >= 0])] = True
    near = held.copy()
    for one, another in corpus.alike.pairs if corpus.alike is not None else ():
        near[one] |= held[another]
        near[another] |= held[one]
    for by in ((), *slices):
        names, index = found.places(by)
        for i, place in enumerate(names):
            mine = own[(index == i) & (own >= 0)]
            for params, flags in (((), held), ((("near", f"{corpus.given.near:f}"),), near)):
                if params and corpus.alike is None:
                    answer.add("shared", None, params=params, slice=place, undefined=f"not judged among more than {MOST:,} different texts")
                    continue
                k = int(flags[mine].sum())
                answer.add("shared", k, params=params, slice=place, n=len(mine))
                _add_share(answer, "shared_share", k, len(mine), params, place)
