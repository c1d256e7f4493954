"""A corpus of images: sizes, modes, brightness, unreadable files, duplicates, classes, and what it shares with another corpus.

    {measure: image-corpus, data: train, by: [folder]}
    {measure: image-corpus, data: train, against: test, distance: 4}

The source has `format: images`, or the columns that it makes. Files that cannot be read are counted, and have no other figures.

Exact duplicates have the same mode, size and pixels, whatever their files. Near-duplicates have perceptual hashes (pHash; Zauner 2010,
Implementation and Benchmarking of Perceptual Image Hash Functions) that differ in at most `distance` of 64 bits, found by an exact search; an image
that is linked to another through a third is in their cluster. Of each cluster all images but one count. They are candidates: flat images look alike
to the hash. `against` names a second corpus: `shared` counts the images of this one that the other holds too (leakage from training to test).

`label` (of the source, often `folder`) adds the images of each class, and exact duplicates with different labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from pydantic import Field

from factbook.errors import MeasureError
from factbook.manifest import Planned, Source
from factbook.measures import duplicates, intervals, moments, rows
from factbook.measures.moments import Integers, Sample
from factbook.measures.request import Answer, Request, count_metric, tidy
from factbook.measures.rows import Flags, Rows, Wanted
from factbook.model import Direction, Metric, Pairs, Unit

VERSION: Final = 1
ROLES: Final = ("data",)
OPTIONAL: Final = ("against",)
PARAMS: Final = ("distance",)
QUANTILES: Final = ("0", "0.05", "0.25", "0.5", "0.75", "0.95", "1")
MOST: Final = 200_000
"""Different perceptual hashes among which near-duplicates are looked for."""
NUMBERS: Final = ("width", "height", "aspect", "brightness", "contrast")
_TEXTS: Final = ("format", "mode", "pixels", "hash", "error")
_NEITHER, _LOWER, _UP = Direction.NEITHER, Direction.LOWER, (0.0, math.inf)
_ZAUNER: Final = "Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions"


def _share(name: str, title: str, short: str, formula: str, direction: Direction = _NEITHER, source: str = "") -> Metric:
    return Metric(name, title, short, Unit.FRACTION, direction, (0.0, 1.0), formula, source)


METRICS: Final = (
    count_metric("images", "images", "n", "files that are images"),
    count_metric("unreadable", "unreadable files", "unreadable", "files that cannot be read as images", _LOWER),
    _share("unreadable_share", "share of unreadable files", "unreadable", "unreadable files / files", _LOWER),
    count_metric("sizes", "different sizes", "sizes", "different pairs of width and height"),
    Metric("quantile", "quantiles of a property of images", "quantile", Unit.QUANTITY, _NEITHER, _UP, "quantile (type 1) of the property", ""),
    Metric("mean", "mean of a property of images", "mean", Unit.QUANTITY, _NEITHER, _UP, "sum of the property / images", ""),
    _share("format_share", "share of a file format", "format", "images in the format / images"),
    _share("mode_share", "share of a colour mode", "mode", "images in the mode / images"),
    count_metric("exact_duplicates", "exact duplicates", "duplicates", "images - images with different mode, size or pixels", _LOWER),
    _share("exact_duplicate_share", "share of exact duplicates", "duplicates", "exact duplicates / images", _LOWER),
    count_metric("near_duplicates", "candidates of near-duplicates", "near-duplicates", "images - clusters of images with hashes nearby", _LOWER),
    _share("near_duplicate_share", "share of candidates of near-duplicates", "near-duplicates", "near-duplicates / images", _LOWER, _ZAUNER),
    count_metric(
        "conflicting_labels", "duplicates with different labels", "conflicts", "different images whose exact duplicates differ in label", _LOWER
    ),
    _share("class_share", "share of a class", "class", "images of the class / images with a label"),
    count_metric("shared", "images that the other corpus holds too", "shared", "images that equal one of the other corpus, or nearly", _LOWER),
    _share("shared_share", "share of images that the other corpus holds too", "shared", "shared / images", _LOWER),
)


class Parameters(rows.Parameters):
    """How many of the 64 bits of two perceptual hashes may differ."""

    distance: int = Field(default=4, ge=0, le=16)


@dataclass(frozen=True, eq=False)
class Corpus:
    """The images of one or two sources, hashes numbered alike.

    Attributes:
        found: the rows of the first; `other` of the second, or None.
        hashes: the different perceptual hashes of both.
        distance: bits that may differ.
    """

    found: Rows
    other: Rows | None
    hashes: tuple[str, ...]
    distance: int

    @cached_property
    def alike(self) -> duplicates.Alike | None:
        """The pairs of hashes nearby; None of too many."""
        return None if len(self.hashes) > MOST else duplicates.alike_hashes([int(text, 16) for text in self.hashes], self.distance)

    @cached_property
    def cluster(self) -> Integers | None:
        """Per hash its cluster."""
        return None if self.alike is None else duplicates.components(len(self.hashes), self.alike.pairs)

    def numbered(self, side: Rows) -> Integers:
        """Per row the number of its hash, -1 where there is none."""
        place = {text: i for i, text in enumerate(self.hashes)}
        own = side.texts["hash"]
        return np.array([-1, *(place[text] for text in own.values)], dtype=np.int64)[own.codes]


def margins(name: str, planned: Planned, source: Source) -> tuple[tuple[str, ...], ...]:
    """The combinations in `by` that the source has; the other corpus need not have them."""
    del name
    return tuple(item for item in planned.by if set(item) <= set(source.by))


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: the source declares weights.
        SourceError: a column is not there or cannot be read.
    """
    given = rows.parameters(Parameters, request)
    source = request.source()
    if source.weight:
        raise MeasureError(f"plan.{request.name}: image-corpus does not weigh images", remedy="measure a source without `weight`")
    wanted = [*(Wanted(name, name, number=True) for name in NUMBERS), *(Wanted(name, name, number=False) for name in _TEXTS)]
    found = rows.read(request, wanted + ([Wanted("label", source.label, number=False)] if source.label else []))
    other = rows.read(request, wanted, "against") if "against" in request.planned.params else None
    answer.warnings += found.warnings
    hashes = sorted({text for side in (found, other) if side is not None for text in side.texts["hash"].values})
    corpus = Corpus(found, other, tuple(hashes), given.distance)
    slices = request.slices()
    readable = found.texts["error"].codes == 0
    rows.protect(request, answer, slices, found.where(readable))
    for by in ((), *slices):
        names, index = found.places(by)
        for i, place in enumerate(names):
            inside = index == i
            _add(answer, corpus, inside, inside & readable, place)


def _add(answer: Answer, corpus: Corpus, inside: Flags, own: Flags, place: Pairs) -> None:
    """Everything of one slice; `own` are its images."""
    found, files, n = corpus.found, int(inside.sum()), int(own.sum())
    answer.add("images", n, slice=place, n=files)
    answer.add("unreadable", files - n, slice=place, n=files)
    _add_share(answer, "unreadable_share", files - n, files, (), place, "files")
    sizes = np.stack([found.numbers[name][own] for name in ("width", "height")], axis=1)
    answer.add("sizes", len(np.unique(sizes, axis=0)), slice=place, n=n)
    for name in NUMBERS:
        _add_numbers(answer, corpus, name, own, place)
    for name in ("format", "mode"):
        texts = found.texts[name]
        for i, value in enumerate(texts.values, start=1):
            _add_share(answer, f"{name}_share", int((texts.codes[own] == i).sum()), n, ((name, value),), place)
    _add_duplicates(answer, corpus, own, place)
    if "label" in found.texts:
        _add_labels(answer, found, own, place)
    if corpus.other is not None:
        _add_shared(answer, corpus, corpus.other, own, place)


def _add_numbers(answer: Answer, corpus: Corpus, name: str, own: Flags, place: Pairs) -> None:
    values = corpus.found.numbers[name][own]
    n, clusters = len(values), corpus.found.clusters
    ordered = np.sort(values)
    said = "" if n else "0 of 0: no images"
    for q in QUANTILES:
        value = duplicates.quantile(ordered, float(q)) if n else None
        answer.add("quantile", value, params=(("of", name), ("q", q)), slice=place, n=n, undefined=said)
    sample = Sample(np.zeros(n, dtype=np.int64), 1, None, None if clusters is None else clusters[own])
    mean = float(sample.mean(values)[0]) if n else math.nan
    spread = float(sample.spread(values, np.array([mean]))[0]) if n else math.nan
    interval = moments.student(mean, spread, int(sample.units[0]), answer.level, moments.method(sample, "image"), _UP)
    answer.add("mean", tidy(mean) if n else None, params=(("of", name),), slice=place, n=n, interval=interval, undefined=said)


def _add_share(answer: Answer, metric: str, k: int, n: int, params: Pairs, place: Pairs, what: str = "images", **more: Any) -> None:
    interval = intervals.proportion(k, n, answer.level) if n else None
    value, said = (k / n, "") if n else (None, f"0 of 0: no {what}")
    answer.add(metric, value, params=params, slice=place, n=n, counts={"k": k, "n": n}, interval=interval, undefined=said, **more)


def _add_duplicates(answer: Answer, corpus: Corpus, own: Flags, place: Pairs) -> None:
    n, params = int(own.sum()), (("distance", str(corpus.distance)),)
    exact = n - len(np.unique(corpus.found.texts["pixels"].codes[own]))
    answer.add("exact_duplicates", exact, slice=place, n=n)
    _add_share(answer, "exact_duplicate_share", exact, n, (), place)
    if corpus.cluster is None:
        for metric in ("near_duplicates", "near_duplicate_share"):
            answer.add(metric, None, params=params, slice=place, undefined=_TOO_MANY)
        return
    near = n - len(np.unique(corpus.cluster[corpus.numbered(corpus.found)[own]]))
    answer.add("near_duplicates", near, params=params, slice=place, n=n)
    _add_share(answer, "near_duplicate_share", near, n, params, place)


_TOO_MANY: Final = f"not judged among more than {MOST:,} different hashes"


def _add_labels(answer: Answer, found: Rows, own: Flags, place: Pairs) -> None:
    label, pixels = found.texts["label"], found.texts["pixels"].codes
    chosen = own & (label.codes > 0)
    codes, n = label.codes[chosen], int(chosen.sum())
    for i, name in enumerate(label.values, start=1):
        told = rows.told(found.source, name)
        _add_share(answer, "class_share", int((codes == i).sum()), n, (("class", name),), place, "images with a label", involves=told)
    pairs = np.unique(np.stack((pixels[chosen], codes), axis=1), axis=0)
    answer.add("conflicting_labels", int((np.bincount(pairs[:, 0]) > 1).sum()), slice=place, n=n)


def _add_shared(answer: Answer, corpus: Corpus, other: Rows, own: Flags, place: Pairs) -> None:
    """How many images the other corpus holds too: the same, or nearly."""
    held = set(other.texts["pixels"].values)
    pixels = corpus.found.texts["pixels"]
    exact = np.array([False, *(text in held for text in pixels.values)])[pixels.codes][own]
    _add_held(answer, exact, (), place)
    params = (("distance", str(corpus.distance)),)
    if corpus.alike is None:
        answer.add("shared", None, params=params, slice=place, undefined=_TOO_MANY)
        return
    there = corpus.numbered(other)
    near = np.zeros(len(corpus.hashes), dtype=bool)
    near[there[there >= 0]] = True
    known = near.copy()
    for one, another in corpus.alike.pairs:
        near[one] |= known[another]
        near[another] |= known[one]
    _add_held(answer, near[corpus.numbered(corpus.found)[own]], params, place)


def _add_held(answer: Answer, held: Flags, params: Pairs, place: Pairs) -> None:
    k, n = int(held.sum()), len(held)
    answer.add("shared", k, params=params, slice=place, n=n)
    _add_share(answer, "shared_share", k, n, params, place)
