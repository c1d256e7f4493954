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
from typing import Final

import numpy as np
from pydantic import Field

from factbook.errors import MeasureError
from factbook.measures import corpora, duplicates, rows
from factbook.measures.corpora import Stated
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Wanted
from factbook.measures.vocabulary import share
from factbook.model import Direction, Metric, Pairs, Unit
from factbook.statistics.moments import Integers

VERSION: Final = 3
ROLES: Final = ("data",)
OPTIONAL: Final = ("against",)
PARAMS: Final = ("distance",)
MOST: Final = 200_000
"""Different perceptual hashes among which near-duplicates are looked for."""
NUMBERS: Final = ("width", "height", "aspect", "brightness", "contrast")
_TEXTS: Final = ("format", "mode", "pixels", "hash", "error")
_NEITHER, _LOWER, _UP = Direction.NEITHER, Direction.LOWER, (0.0, math.inf)


METRICS: Final = (
    count_metric("images", "images", "n", "files that are images"),
    count_metric("unreadable", "unreadable files", "unreadable", "files that cannot be read as images", _LOWER),
    share("unreadable_share", "share of unreadable files", "unreadable", "unreadable files / files", direction=_LOWER),
    count_metric("sizes", "different sizes", "sizes", "different pairs of width and height"),
    Metric("quantile", "quantiles of a property of images", "quantile", Unit.QUANTITY, _NEITHER, _UP, "quantile (type 1) of the property", ""),
    Metric("mean", "mean of a property of images", "mean", Unit.QUANTITY, _NEITHER, _UP, "sum of the property / images", ""),
    share("format_share", "share of a file format", "format", "images in the format / images"),
    share("mode_share", "share of a colour mode", "mode", "images in the mode / images"),
    *corpora.metrics(
        "images",
        "images with different mode, size or pixels",
        ("candidates of near-duplicates", "clusters of images with hashes nearby", "share of candidates of near-duplicates"),
        "Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions",
    ),
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
        own = side.texts["hash"]
        return corpora.numbers(own.values, own.codes, self.hashes, -1)

    def held(self, other: Rows) -> tuple[Flags, Flags | None]:
        """Per row, whether the other corpus holds its pixels; per hash, whether it holds one nearby (None where that is not judged)."""
        known, pixels = set(other.texts["pixels"].values), self.found.texts["pixels"]
        exact = np.array([False, *(text in known for text in pixels.values)])[pixels.codes]
        numbered, there = self.numbered(other), np.zeros(len(self.hashes), dtype=bool)
        there[numbered[numbered >= 0]] = True
        return exact, corpora.nearby(there, self.alike)


margins = rows.margins


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
    stated = Stated(answer, "images", place)
    answer.add("images", n, slice=place, n=files)
    answer.add("unreadable", files - n, slice=place, n=files)
    stated.share("unreadable_share", files - n, files, (), "files")
    sizes = np.stack([found.numbers[name][own] for name in ("width", "height")], axis=1)
    answer.add("sizes", len(np.unique(sizes, axis=0)), slice=place, n=n)
    clusters = None if found.clusters is None else found.clusters[own]
    for name in NUMBERS:
        values = found.numbers[name][own]
        there = ~np.isnan(values)
        units = None if clusters is None else clusters[there]
        stated.distribution("quantile", "mean", values[there], units, (("of", name),), whole=False)
    for name in ("format", "mode"):
        texts = found.texts[name]
        for i, value in enumerate(texts.values, start=1):
            stated.share(f"{name}_share", int((texts.codes[own] == i).sum()), n, ((name, value),))
    pixels, near = found.texts["pixels"].codes, (("distance", str(corpus.distance)),)
    hashes = corpus.numbered(found)[own]
    stated.duplicates(pixels[own], None if corpus.cluster is None else corpus.cluster[hashes], near, _TOO_MANY)
    if "label" in found.texts:
        stated.labels(found, pixels, own)
    if corpus.other is not None:
        held, alike = corpus.held(corpus.other)
        stated.shared(held[own], None if alike is None else alike[hashes], near, _TOO_MANY)


_TOO_MANY: Final = f"not judged among more than {MOST:,} different hashes"
