"""Detections matched to objects as COCO does, and average precision with its uncertainty.

Lin et al. 2014, ECCV, 740, and the reference implementation (`COCOeval`): in every image and class the detections, by falling score, each take the
free object that they overlap most, if by at least the threshold; an object of a crowd can be taken many times and counts neither way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from factbook.measures.influence import Estimate
from factbook.measures.rows import Flags
from factbook.statistics.moments import Floats, Integers

THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
GROUPS: Final = 10
RECALLS: Final = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes in a canonical order (of detections: class, falling score, image).

    Attributes:
        image, label: the numbers of each box's image and class.
        corners: x, y, width, height; one row a box. Of masks the number of each, and three zeros.
        area: in pixels.
        crowd: whether an object is a crowd.
        score: of a detection.
        rank: of a detection among those of its image and class, from 0.
    """

    image: Integers
    label: Integers
    corners: Floats
    area: Floats
    crowd: Flags
    score: Floats
    rank: Integers


def ordered(image: Integers, label: Integers, corners: Floats, area: Floats, crowd: Flags, score: Floats, most: int = 0) -> Boxes:
    """Boxes in their canonical order, which no order of rows changes; of detections (`most` given) the first `most` of an image and class."""
    order = np.lexsort((*corners.T[::-1], image, -score, label))
    group = np.unique(label[order] * (int(image.max(initial=0)) + 1) + image[order], return_inverse=True)[1].reshape(-1)
    rank = _ranks(group)
    kept = order[rank < most] if most else order
    ranks = rank[rank < most] if most else rank
    return Boxes(image[kept], label[kept], corners[kept], area[kept], crowd[kept], score[kept], ranks)


def _ranks(group: Integers) -> Integers:
    """Per element, how many of its group come before it."""
    order = np.argsort(group, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(group))))[:-1] if len(group) else np.zeros(0, dtype=np.int64)
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.arange(len(group)) - starts[group[order]]
    return ranks


@dataclass(frozen=True, eq=False)
class Pairs:
    """Detections and objects of one image and class that overlap by at least the lowest threshold: their numbers and their overlap."""

    detection: Integers
    truth: Integers
    overlap: Floats


Shared = Callable[[Integers, Integers], Floats]
"""The overlap of detections with objects, pair by pair, by their numbers."""


def overlaps(found: Boxes, truth: Boxes, overlap: Shared | None = None) -> Pairs:
    """All pairs that may match. Overlap is intersection over union; over the detection's own area where the object is a crowd.

    It is that of the boxes, unless something else says what it is.
    """
    width = int(max(found.image.max(initial=0), truth.image.max(initial=0))) + 1
    ours, theirs = found.label * width + found.image, truth.label * width + truth.image
    order = np.argsort(theirs, kind="stable")
    low, high = np.searchsorted(theirs[order], ours, "left"), np.searchsorted(theirs[order], ours, "right")
    detection = np.repeat(np.arange(len(ours)), high - low)
    within = np.arange(len(detection)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
    object_ = order[np.repeat(low, high - low) + within]
    apart = (overlap or (lambda one, other: _of_boxes(found, truth, one, other)))(detection, object_)
    kept = apart >= THRESHOLDS[0]
    return Pairs(detection[kept], object_[kept], apart[kept])


def _of_boxes(found: Boxes, truth: Boxes, detection: Integers, object_: Integers) -> Floats:
    one, other = found.corners[detection], truth.corners[object_]
    sides = np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    shared = np.where((sides > 0).all(axis=1), sides[:, 0] * sides[:, 1], 0.0)
    return over(shared, one[:, 2] * one[:, 3], other[:, 2] * other[:, 3], truth.crowd[object_])


def over(shared: Floats, own: Floats, other: Floats, crowd: Flags) -> Floats:
    """Intersection over union; over the detection's own area where the object is a crowd; 0 of 0 is 0."""
    whole = np.where(crowd, own, own + other - shared)
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of each detection at each threshold, and which objects count.

    Attributes:
        hit: per threshold and detection, whether it took an object.
        ignored: per threshold and detection, whether it counts neither way.
        counted: per object, whether it is to be found.
    """

    hit: Flags
    ignored: Flags
    counted: Flags


def match(found: Boxes, truth: Boxes, pairs: Pairs, sizes: tuple[float, float] | None = None) -> Matches:
    """Greedy matching at all thresholds at once: in round r the r-th overlapping detection of every image and class takes its object.

    Args:
        found: the detections.
        truth: the objects.
        pairs: those that overlap.
        sizes: the smallest and largest area of objects that count; others, and detections of other sizes that find none of these, are ignored.
    """
    outside = np.zeros(len(truth.area), dtype=bool) if sizes is None else (truth.area < sizes[0]) | (truth.area > sizes[1])
    skipped = truth.crowd | outside
    hit = np.zeros((len(THRESHOLDS), len(found.image)), dtype=bool)
    ignored = np.zeros_like(hit)
    free = np.ones((len(THRESHOLDS), len(truth.image)), dtype=bool)
    order = np.lexsort((-pairs.truth, -pairs.overlap, skipped[pairs.truth], pairs.detection, found.rank[pairs.detection]))
    rounds = found.rank[pairs.detection[order]]
    ends = np.flatnonzero(np.diff(rounds)) + 1
    for own in np.split(order, ends) if len(order) else ():
        detection, object_, overlap = pairs.detection[own], pairs.truth[own], pairs.overlap[own]
        for i, threshold in enumerate(THRESHOLDS):
            fits = np.flatnonzero((overlap >= min(threshold, 1 - 1e-10)) & (free[i, object_] | truth.crowd[object_]))
            taker, first = np.unique(detection[fits], return_index=True)
            taken = object_[fits[first]]
            hit[i, taker], ignored[i, taker] = True, skipped[taken]
            free[i, taken] = False
    if sizes is not None:
        ignored |= ~hit & ((found.area < sizes[0]) | (found.area > sizes[1]))
    return Matches(hit, ignored, ~skipped)


def average_precision(hit: Flags, image: Integers, objects: Integers) -> Estimate:
    """Average precision by COCO's 101 points, and the influence of each image.

    The influences are those of the area under the same curve without the grid (infinitesimal jackknife: Jaeckel 1972; Efron 1982, The Jackknife, the
    Bootstrap and Other Resampling Plans, chapter 6), at the cost of one pass. Precision is that of the envelope, max over higher recalls.

    Args:
        hit: whether each detection found an object, by falling score.
        image: its image.
        objects: the number of objects of each image; not all 0.
    """
    total = int(objects.sum())
    hits: Integers = np.cumsum(hit, dtype=np.int64)
    seen = np.arange(1, len(hit) + 1)
    precision = hits / (seen + np.spacing(1.0))
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    value = _area(hits, envelope, total)
    return Estimate(value, _influence(hit, image, objects, precision, envelope), _bias(value, hit, image, objects))


def _area(hits: Integers, envelope: Floats, total: int) -> float:
    """The mean of the envelope at 101 recalls; 0 where they are not reached."""
    places = np.searchsorted(hits / total, RECALLS, "left")
    return float(np.append(envelope, 0.0)[np.minimum(places, len(hits))].mean())


def _bias(value: float, hit: Flags, image: Integers, objects: Integers) -> float:
    """How much higher the highest of precisions is than that of their expectations: the jackknife over GROUPS of images (Quenouille 1956, Biometrika
    43, 353), since the fewer images there are, the higher is their envelope.
    """
    there = np.cumsum(objects > 0) % GROUPS
    totals = int(objects.sum()) - np.bincount(there, weights=objects, minlength=GROUPS).astype(np.int64)
    if not len(hit) or (totals == 0).any():
        return 0.0
    kept = there[image] != np.arange(GROUPS)[:, None]
    hits, seen = np.cumsum(kept & hit, axis=1), np.cumsum(kept, axis=1)
    precision = np.where(kept, hits / np.maximum(seen, 1), 0.0)
    envelopes = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    without = [_area(own, envelope, int(total)) for own, envelope, total in zip(hits, envelopes, totals, strict=True)]
    return (GROUPS - 1) * (float(np.mean(without)) - value)


def _influence(hit: Flags, image: Integers, objects: Integers, precision: Floats, envelope: Floats) -> Floats:
    """What an image's hits add to the area, what its detections do to the precision at the corners, and what its objects add to the total."""
    total, size = float(objects.sum()), len(hit)
    corner = _corners(precision, envelope)
    weight = np.bincount(corner[hit], minlength=size) / total
    above = weight / np.arange(1, size + 1) if size else np.zeros(0)
    rest = np.cumsum(above[::-1])[::-1]
    rest_precise = np.cumsum((above * envelope)[::-1])[::-1]
    each = hit * envelope / total + hit * rest - rest_precise
    area = float((hit * envelope).sum()) / total
    return np.bincount(image, weights=each, minlength=len(objects)) - objects / total * area


def _corners(precision: Floats, envelope: Floats) -> Integers:
    """Per detection, the place from which the envelope has its precision: the next one where both are equal."""
    size = len(precision)
    places = np.where(precision == envelope, np.arange(size), size)
    corners: Integers = np.minimum.accumulate(places[::-1])[::-1]
    return corners


def average_recall(hit: Flags, image: Integers, objects: Integers) -> Estimate:
    """Found objects / objects, and the influence of each image."""
    total = int(objects.sum())
    found = np.bincount(image[hit], minlength=len(objects))
    value = int(found.sum()) / total
    return Estimate(value, (found - value * objects) / total)
