"""What corpora of texts and of images have in common: shares with intervals, lengths and sizes, duplicates, labels, and what another corpus holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from factbook.measures import duplicates, rows
from factbook.measures.duplicates import Alike
from factbook.measures.request import Answer, count_metric
from factbook.measures.rows import Flags, Rows
from factbook.measures.vocabulary import share
from factbook.model import Direction, Metric, Pairs
from factbook.statistics import intervals, moments
from factbook.statistics.moments import Floats, Integers, Sample, tidy

QUANTILES: Final = ("0", "0.05", "0.25", "0.5", "0.75", "0.95", "1")
_LOWER: Final = Direction.LOWER


def metrics(things: str, exact: str, near: tuple[str, str, str], source: str) -> Iterator[Metric]:
    """What both corpora say of duplicates, labels and another corpus.

    Args:
        things: `texts` or `images`.
        exact: the things that are different.
        near: title and formula of near-duplicates, and the title of their share.
        source: of near-duplicates.
    """
    yield count_metric("exact_duplicates", "exact duplicates", "duplicates", f"{things} - {exact}", _LOWER)
    yield share("exact_duplicate_share", "share of exact duplicates", "duplicates", f"exact duplicates / {things}", direction=_LOWER)
    yield count_metric("near_duplicates", near[0], "near-duplicates", f"{things} - {near[1]}", _LOWER)
    yield share("near_duplicate_share", near[2], "near-duplicates", f"near-duplicates / {things}", source, direction=_LOWER)
    formula = f"different {things} whose exact duplicates differ in label"
    yield count_metric("conflicting_labels", "duplicates with different labels", "conflicts", formula, _LOWER)
    yield share("class_share", "share of a class", "class", f"{things} of the class / {things} with a label")
    title = f"{things} that the other corpus holds too"
    yield count_metric("shared", title, "shared", f"{things} that equal one of the other corpus, or nearly", _LOWER)
    yield share("shared_share", f"share of {title}", "shared", f"shared / {things}", direction=_LOWER)


class Stated:
    """States figures of the things (texts or images) in one slice."""

    def __init__(self, answer: Answer, things: str, place: Pairs) -> None:
        self.answer, self.things, self.place = answer, things, place

    def share(self, metric: str, k: int, n: int, params: Pairs = (), what: str = "", **more: Any) -> None:
        """K of n things (or of `what`), with its interval."""
        interval = intervals.proportion(k, n, self.answer.level) if n else None
        value, said = (k / n, "") if n else (None, f"0 of 0: no {what or self.things}")
        counts = {"k": k, "n": n}
        self.answer.add(metric, value, params=params, slice=self.place, n=n, counts=counts, interval=interval, undefined=said, **more)

    def distribution(self, quantile: str, mean: str, values: Floats, clusters: Integers | None, params: Pairs, *, whole: bool) -> None:
        """Quantiles and the mean of a property of the things; `whole` where it is a number of something."""
        n, ordered, said = len(values), np.sort(values), "" if len(values) else f"0 of 0: no {self.things}"
        for q in QUANTILES:
            value = duplicates.quantile(ordered, float(q)) if n else None
            value = int(value) if whole and value is not None else value
            self.answer.add(quantile, value, params=tuple(sorted((*params, ("q", q)))), slice=self.place, n=n, undefined=said)
        sample = Sample.whole(n, clusters)
        bounds = self.answer.metrics[mean].bounds
        found, interval = moments.means(sample, values, self.answer.level, moments.method(sample, self.things.removesuffix("s")), bounds)[0]
        self.answer.add(mean, tidy(found) if n else None, params=params, slice=self.place, n=n, interval=interval, undefined=said)

    def duplicates(self, codes: Integers, clusters: Integers | None, params: Pairs, too_many: str) -> None:
        """Exact and near-duplicates among things with these codes; `clusters` says in which cluster each is, None where that is not judged."""
        n = len(codes)
        exact = n - len(np.unique(codes))
        self.answer.add("exact_duplicates", exact, slice=self.place, n=n)
        self.share("exact_duplicate_share", exact, n)
        if clusters is None:
            for metric in ("near_duplicates", "near_duplicate_share"):
                self.answer.add(metric, None, params=params, slice=self.place, undefined=too_many)
            return
        near = n - len(np.unique(clusters))
        self.answer.add("near_duplicates", near, params=params, slice=self.place, n=n)
        self.share("near_duplicate_share", near, n, params)

    def labels(self, found: Rows, codes: Integers, inside: Flags) -> None:
        """The things of each class, and how many exact duplicates (things with one code) differ in label."""
        label = found.texts["label"]
        chosen = inside & (label.codes > 0)
        own, n = label.codes[chosen], int(chosen.sum())
        for i, name in enumerate(label.values, start=1):
            told = rows.told(found.source, name)
            self.share("class_share", int((own == i).sum()), n, (("class", name),), f"{self.things} with a label", involves=told)
        pairs = np.unique(np.stack((codes[chosen], own), axis=1), axis=0)
        conflicts = int((np.unique(pairs[:, 0], return_counts=True)[1] > 1).sum())
        self.answer.add("conflicting_labels", conflicts, slice=self.place, n=n)

    def shared(self, held: Flags, near: Flags | None, params: Pairs, too_many: str) -> None:
        """How many of the things the other corpus holds too: the same, or nearly (None where that is not judged)."""
        for about, flags in (((), held), (params, near)):
            if flags is None:
                self.answer.add("shared", None, params=about, slice=self.place, undefined=too_many)
                continue
            k, n = int(flags.sum()), len(flags)
            self.answer.add("shared", k, params=about, slice=self.place, n=n)
            self.share("shared_share", k, n, about)


def nearby(there: Flags, alike: Alike | None) -> Flags | None:
    """The things that are there, or nearly equal to one that is; None where that is not judged."""
    if alike is None:
        return None
    found = there.copy()
    for one, another in alike.pairs:
        found[one] |= there[another]
        found[another] |= there[one]
    return found


def numbers(values: Sequence[str], codes: Integers, known: Iterable[str], other: int) -> Integers:
    """Per row the place of its text among the known ones; -1 where it is missing, `other` where it is none of them."""
    place = {text: i for i, text in enumerate(known)}
    return np.array([-1, *(place.get(text, other) for text in values)], dtype=np.int64)[codes]
