"""Object detection: average precision and recall as COCO defines them, precision and recall at a declared score, by class, size and slice.

    {measure: detection, truth: objects, predictions: detections, cut: 0.5, by: [weather]}
    {measure: detection, truth: objects, predictions: detections, image: file, class: label, corners: [x1, y1, x2, y2], score: confidence}

One row of `truth` is an object; a row without a class is an image without objects. One row of `predictions` is a detection. Both name image, class
and box in columns of the same names; by default those that `format: coco` has: `image`, `class`, the `box` `[x, y, w, h]`, `score`, and where the
truth has them `area`, `crowd` (0 or 1) and `name` (of the class). An attribute in `by` belongs to the image, and so does the source's `cluster`.

With `masks` (the column of run-length encoded masks, e.g. `rle` of `format: coco`) objects overlap by their pixels and need no boxes; with `boundary`
(a part of the diagonal of the image, e.g. 0.02) by the smaller of that and the overlap of their boundaries (Cheng et al. 2021, CVPR, 15334). Facts
then have the parameter `overlap`, `mask` or `boundary`.

Average precision: 101 points, greedy matching by score, at most `most` detections of a class and image (Lin et al. 2014, ECCV, 740). `iou=0.5:0.95`
is the mean over ten thresholds; the mean over classes leaves those without objects out. Sizes are areas: small up to 32², large from 96² pixels on.

Intervals: jackknife over images (or clusters), Student's t, on the logit scale. The highest of precisions is too high in small
samples: its bias, by the jackknife over ten groups of images, is taken from the lower end. In simulations they cover .95 to .96 of a high average
precision from 15 images on, and of a mean over classes of .19 (very hard) .92 at 20 images, .95 at 50.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from factbook import sources
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Planned
from factbook.measures import boxes, rows, runs
from factbook.measures.boxes import THRESHOLDS, Boxes, Matches
from factbook.measures.influence import Estimate, Stated, average, ratio
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Wanted
from factbook.measures.runs import Mask
from factbook.measures.vocabulary import share
from factbook.model import Direction, Pairs
from factbook.statistics.moments import Floats, Integers

VERSION: Final = 2
ROLES: Final = ("truth", "predictions")
PARAMS: Final = ("image", "class", "name", "box", "corners", "masks", "boundary", "area", "crowd", "score", "cut", "most", "k", "sizes")
_LIN: Final = "Lin et al. 2014, ECCV, 740; COCO detection evaluation"
_EVERINGHAM: Final = "Everingham et al. 2010, International Journal of Computer Vision 88, 303"
_ALL: Final = "0.5:0.95"
_KEPT: Final = 4096
_NONE: Final = "no objects"
_OPTIONAL: Final = ("area", "crowd", "name")


_share = partial(share, direction=Direction.HIGHER)
METRICS: Final = (
    count_metric("images", "images", "n", "different images of the truth"),
    count_metric("images_without_objects", "images without objects", "empty images", "images whose rows have no class"),
    count_metric("objects", "objects", "objects", "objects that are no crowds"),
    count_metric("crowds", "crowds", "crowds", "objects that count neither way"),
    count_metric("detections", "detections", "detections", "detections that are judged, at most `most` of an image and class"),
    _share(
        "average_precision",
        "average precision",
        "AP",
        "mean of the highest precision at 101 recalls or beyond; iou=0.5:0.95 is the mean over ten thresholds",
        _LIN,
        ("ap",),
    ),
    _share("mean_average_precision", "mean average precision", "mAP", "mean of average_precision over the classes that have objects", _LIN, ("map",)),
    _share(
        "average_recall",
        "average recall of the first k",
        "AR",
        "mean over classes and ten thresholds of found objects / objects, k detections of a class and image",
        _LIN,
        ("ar",),
    ),
    _share("precision", "precision at the declared score", "precision", "hits / detections with at least the score", _EVERINGHAM),
    _share("recall", "recall at the declared score", "recall", "hits / objects", _EVERINGHAM),
    _share("f1", "F1 at the declared score", "F1", "2 hits / (detections with at least the score + objects)", "van Rijsbergen 1979, chapter 7"),
)


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Parameters(rows.Parameters):
    """The columns of both tables, and at which score and sizes is judged."""

    image: str = "image"
    label: str = Field(default="class", alias="class")
    name: str = ""
    box: tuple[str, str, str, str] = ("x", "y", "w", "h")
    corners: tuple[str, str, str, str] | None = None
    masks: str = ""
    boundary: Decimal | None = Field(default=None, gt=0, lt=1)
    area: str = ""
    crowd: str = ""
    score: str = "score"
    cut: Decimal | None = None
    most: int = Field(default=100, gt=0)
    k: Annotated[tuple[Annotated[int, Field(gt=0)], ...], BeforeValidator(_list)] = (1, 10, 100)
    sizes: tuple[Decimal, Decimal] = (Decimal(32 * 32), Decimal(96 * 96))

    @model_validator(mode="after")
    def _sensible(self) -> Parameters:
        if list(self.k) != sorted(set(self.k)) or self.k[-1] > self.most:
            raise ValueError("`k` is increasing, up to `most`")
        if not 0 < self.sizes[0] < self.sizes[1]:
            raise ValueError("`sizes` are two areas, increasing")
        if self.boundary is not None and not self.masks:
            raise ValueError("`boundary` is of `masks`")
        return self

    @property
    def overlap(self) -> Pairs:
        """The parameter of facts that says what overlaps, where it is not boxes."""
        return (("overlap", "mask" if self.boundary is None else "boundary"),) if self.masks else ()

    def columns(self, known: Sequence[str], *, truth: bool) -> list[Wanted]:
        """What is read; optional columns where the table has them."""
        found = [Wanted("image", self.image, number=False), Wanted("class", self.label, number=False)]
        found += [Wanted(f"side {i}", name, number=True) for i, name in enumerate(self.corners or self.box) if not self.masks]
        found += [Wanted("mask", self.masks, number=False)] if self.masks else []
        if not truth:
            return [*found, Wanted("score", self.score, number=True)]
        for role in _OPTIONAL:
            if getattr(self, role) or role in known:
                found.append(Wanted(role, getattr(self, role) or role, number=role != "name"))
        return found


@dataclass(frozen=True, eq=False)
class Judged:
    """Everything matched once; slices choose among the images.

    Attributes:
        found, truth: detections and objects.
        classes: the names of the classes.
        matches: by the name of the size, '' for all.
        images: one row an image, for attributes and clusters.
        empty: per image, whether it has no objects.
    """

    found: Boxes
    truth: Boxes
    classes: tuple[str, ...]
    matches: Mapping[str, Matches]
    images: Rows
    empty: Flags

    @cached_property
    def of_class(self) -> list[Integers]:
        """The detections of each class, by falling score."""
        return rows.split(self.found.label, len(self.classes))

    @cached_property
    def objects_of(self) -> list[Integers]:
        """The objects of each class."""
        return rows.split(self.truth.label, len(self.classes))


margins = rows.margins


def protected(planned: Planned) -> tuple[str, ...]:
    """Images are rows of the truth."""
    del planned
    return ("truth",)


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; a source declares weights.
        SourceError: a column cannot be read; a box or a score is missing or impossible; a detection is in an image that the truth does not have; an
            image lies in two groups.
    """
    given = rows.parameters(Parameters, request)
    if request.source("truth").weight or request.source("predictions").weight:
        raise MeasureError(f"plan.{request.name}: detection does not weigh boxes", remedy="measure sources without `weight`")
    truth, found = (_read(request, given, role) for role in ROLES)
    answer.warnings += [*truth.warnings, *found.warnings]
    judged = _judged(truth, found, given)
    slices = request.slices("truth")
    rows.protect(request, answer, slices, judged.images)
    for by in ((), *slices):
        names, index = judged.images.places(by)
        for i, place in enumerate(names):
            _add(answer, judged, index == i, given, place)


def _read(request: Request, given: Parameters, role: str) -> Rows:
    truth = role == "truth"
    known = sources.table(request.source(role), request.root, request.store).names
    found = rows.read(request, given.columns(known, truth=truth), role)
    where = found.source.uri
    blank = found.texts["class"].codes == 0
    sides = _sides(found)
    problems = {"image": found.texts["image"].codes == 0, "box": np.isnan(sides).any(axis=1) & ~blank}
    if given.masks:
        problems["mask"] = (found.texts["mask"].codes == 0) & ~blank
    if not truth:
        problems |= {"class": blank, "score": np.isnan(found.numbers["score"])}
    for what, missing in problems.items():
        if missing.any():
            raise SourceError(f"{where}: the {what} is missing in {int(missing.sum())} of {found.count} rows", remedy="fill it in")
    negative = ((sides[:, 2:] - (sides[:, :2] if given.corners else 0)) < 0).any(axis=1)
    if negative.any():
        remedy = "give `corners` as x1, y1, x2, y2" if given.corners else "give `box` as x, y, width, height, or name `corners`"
        raise SourceError(f"{where}: {int(negative.sum())} of {found.count} boxes have a negative width or height", remedy=remedy)
    if "crowd" in found.numbers and not np.isin(np.nan_to_num(found.numbers["crowd"]), (0.0, 1.0)).all():
        raise SourceError(f"{where}: column {given.crowd or 'crowd'!r} (crowd) holds other values than 0 and 1", remedy="write 1 where it is a crowd")
    if truth:
        rows.refuse_split(found, "image")
    return found


def _sides(found: Rows) -> Floats:
    """The sides of each box; of each mask its number, and zeros."""
    if "mask" in found.texts:
        return np.pad(found.texts["mask"].codes[:, None].astype(np.float64), ((0, 0), (0, 3)))
    return np.stack([found.numbers[f"side {i}"] for i in range(4)], axis=1)


def _judged(truth: Rows, found: Rows, given: Parameters) -> Judged:
    """Number images and classes alike, and match."""
    strange = sorted(set(found.texts["image"].values) - set(truth.texts["image"].values))
    if strange:
        said = f"{found.source.uri}: {len(strange)} images are not in {truth.source.uri}, e.g. {strange[0]!r}"
        raise SourceError(said, remedy="give a row without a class for an image without objects, and name images alike in both")
    classes = tuple(sorted({*truth.texts["class"].values, *found.texts["class"].values}))
    objects = truth.where(truth.texts["class"].codes > 0)
    masks = (_Masks(found, given), _Masks(objects, given)) if given.masks else None
    own = _boxes(found, truth, classes, given, given.most, masks and masks[0])
    theirs = _boxes(objects, truth, classes, given, 0, masks and masks[1])
    pairs = boxes.overlaps(own, theirs, masks and partial(_by_mask, own, theirs, masks))
    small, large = (float(size) for size in given.sizes)
    ranges = {"": None, "small": (0.0, small), "medium": (small, large), "large": (large, math.inf)}
    first = truth.first("image")
    images = truth.where(first)
    empty = np.bincount(objects.texts["image"].codes - 1, minlength=len(first)) == 0
    matches = {name: boxes.match(own, theirs, pairs, sizes) for name, sizes in ranges.items()}
    return Judged(own, theirs, _named(objects, classes), matches, images, empty)


class _Masks:
    """The masks of a table by their number, decoded when they are needed; the last are kept."""

    def __init__(self, found: Rows, given: Parameters) -> None:
        self._where, self._texts, self._boundary = found.source.uri, found.texts["mask"].values, given.boundary
        self.of = lru_cache(_KEPT)(self._of)

    def _of(self, number: int) -> tuple[Mask, Mask]:
        """The mask, and its boundary where that counts; else the mask again."""
        mask = runs.read(self._texts[number - 1], self._where)
        return mask, mask if self._boundary is None else runs.boundary(mask, float(self._boundary))

    def areas(self, numbers: Integers) -> Floats:
        """The pixels of each."""
        different, back = np.unique(numbers, return_inverse=True)
        return np.array([runs.read(self._texts[number - 1], self._where).area for number in different.tolist()], dtype=np.float64)[back.reshape(-1)]


def _by_mask(found: Boxes, truth: Boxes, masks: tuple[_Masks, _Masks], detection: Integers, object_: Integers) -> Floats:
    """The overlap of masks, or the smaller of it and that of their boundaries."""
    counts = np.zeros((2, 3, len(detection)))
    numbers = zip(found.corners[detection, 0].astype(int).tolist(), truth.corners[object_, 0].astype(int).tolist(), strict=True)
    for i, (one, other) in enumerate(numbers):
        for j, (ours, theirs) in enumerate(zip(masks[0].of(one), masks[1].of(other), strict=True)):
            if ours.size != theirs.size:
                said = f"masks of one image have the sizes {ours.size[0]} x {ours.size[1]} and {theirs.size[0]} x {theirs.size[1]}"
                raise SourceError(said, remedy="encode both at the size of the image")
            counts[j, :, i] = runs.shared(ours, theirs), ours.area, theirs.area
    return np.minimum(*(boxes.over(part[0], part[1], part[2], truth.crowd[object_]) for part in counts))


def _boxes(found: Rows, truth: Rows, classes: Sequence[str], given: Parameters, most: int, masks: _Masks | None) -> Boxes:
    sides = _sides(found)
    if given.corners and masks is None:
        sides[:, 2:] -= sides[:, :2]
    image, label = (
        np.array([0, *(place[value] for value in found.texts[role].values)], dtype=np.int64)[found.texts[role].codes]
        for role, place in (("image", _places(truth.texts["image"].values)), ("class", _places(classes)))
    )
    area = sides[:, 2] * sides[:, 3] if masks is None else masks.areas(found.texts["mask"].codes)
    own = found.numbers.get("area", np.full(found.count, np.nan))
    crowd = np.nan_to_num(found.numbers.get("crowd", np.zeros(found.count))) == 1
    score = found.numbers.get("score", np.zeros(found.count))
    return boxes.ordered(image, label, sides, np.where(np.isnan(own), area, own), crowd, score, most)


def _places(values: Sequence[str]) -> dict[str, int]:
    return {value: i for i, value in enumerate(values)}


def _named(objects: Rows, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the classes; the values of the class column where the truth has no names, or not one for each.

    Raises:
        SourceError: a class has two names, or two classes have one.
    """
    if "name" not in objects.texts:
        return classes
    label, name = objects.texts["class"], objects.texts["name"]
    pairs = set(zip(label.codes.tolist(), name.codes.tolist(), strict=True))
    named = {label.values[one - 1]: name.values[other - 1] for one, other in pairs if other}
    found = tuple(named.get(value, value) for value in classes)
    if objects.pairs("class", name.codes) > len(label.values) or len(set(found)) < len(found):
        raise SourceError(f"{objects.source.uri}: classes and their names do not match one to one", remedy="give every class one name of its own")
    return found


def _add(answer: Answer, judged: Judged, inside: Flags, given: Parameters, place: Pairs) -> None:
    """Counts, and everything for all classes and for each."""
    objects, found = inside[judged.truth.image], inside[judged.found.image]
    crowds = judged.truth.crowd & objects
    answer.add("images", int(inside.sum()), slice=place, n=int(inside.sum()))
    answer.add("images_without_objects", int((judged.empty & inside).sum()), slice=place, n=int(inside.sum()))
    answer.add("crowds", int(crowds.sum()), slice=place, n=int(objects.sum()))
    for params, count in _by_class(judged):
        answer.add("objects", int((objects & ~judged.truth.crowd)[count[1]].sum()), params=params, slice=place)
        answer.add("detections", int(found[count[0]].sum()), params=params, slice=place)
    curves = {name: _Curves(judged, matches, inside) for name, matches in judged.matches.items()}
    stated = Stated(answer, judged.images, inside, place, given.overlap)
    for name, own in curves.items():
        size = (("size", name),) if name else ()
        _add_precision(stated, own, size)
        for k in given.k:
            if not name or k == given.k[-1]:
                estimate, n = own.recall(k)
                stated.add("average_recall", estimate, n, (("k", str(k)), *size), _NONE)
    if given.cut is not None:
        _add_cut(stated, curves[""], given.cut)


def _by_class(judged: Judged) -> Iterator[tuple[Pairs, tuple[Any, Any]]]:
    """All classes, then each: the parameters of its facts, and its detections and objects."""
    yield (), (slice(None), slice(None))
    for i, name in enumerate(judged.classes):
        yield (("class", name),), (judged.of_class[i], judged.objects_of[i])


class _Curves:
    """Average precision and recall of every class over some of the images."""

    def __init__(self, judged: Judged, matches: Matches, inside: Flags) -> None:
        self.judged, self.matches, self.inside = judged, matches, inside
        size = len(inside)
        self.detections = [own[inside[judged.found.image[own]]] for own in judged.of_class]
        counted = [own[(matches.counted & inside[judged.truth.image])[own]] for own in judged.objects_of]
        self.objects = [np.bincount(judged.truth.image[own], minlength=size) for own in counted]

    @cached_property
    def precision(self) -> list[list[Estimate] | None]:
        """Per class the average precision at each threshold; None without objects."""
        found: list[list[Estimate] | None] = []
        for own, objects in zip(self.detections, self.objects, strict=True):
            if not objects.any():
                found.append(None)
                continue
            each = []
            for hit, ignored in zip(self.matches.hit[:, own], self.matches.ignored[:, own], strict=True):
                each.append(boxes.average_precision(hit[~ignored], self.judged.found.image[own[~ignored]], objects))
            found.append(each)
        return found

    def recall(self, k: int) -> tuple[Estimate | None, int]:
        """Average recall over classes and thresholds, and the number of objects."""
        found = []
        for own, objects in zip(self.detections, self.objects, strict=True):
            first = own[self.judged.found.rank[own] < k]
            if objects.any():
                hits = self.matches.hit[:, first] & ~self.matches.ignored[:, first]
                found += [boxes.average_recall(hit, self.judged.found.image[first], objects) for hit in hits]
        return average(found), int(sum(objects.sum() for objects in self.objects))


def _add_precision(stated: Stated, own: _Curves, size: Pairs) -> None:
    for iou, chosen in ((_ALL, range(len(THRESHOLDS))), ("0.5", (0,)), ("0.75", (5,))):
        if size and iou != _ALL:
            continue
        averages = [None if each is None else average([each[i] for i in chosen]) for each in own.precision]
        params = (("iou", iou), *size)
        known = [item for item in averages if item is not None]
        n = int(sum(objects.sum() for objects in own.objects))
        stated.add("mean_average_precision", average(known), n, params, _NONE)
        for name, estimate, objects in zip(own.judged.classes, averages, own.objects, strict=True):
            stated.add("average_precision", estimate, int(objects.sum()), (("class", name), *params), _NONE)


def _add_cut(stated: Stated, own: _Curves, cut: Decimal) -> None:
    """Precision, recall and F1 at an overlap of .5 of the detections with at least the score."""
    size, image = len(own.inside), own.judged.found.image
    counts = []
    for detections, objects in zip(own.detections, own.objects, strict=True):
        kept = detections[(own.judged.found.score[detections] >= float(cut)) & ~own.matches.ignored[0, detections]]
        hit = own.matches.hit[0, kept]
        counts.append(np.stack([np.bincount(image[kept[hit]], minlength=size), np.bincount(image[kept], minlength=size), objects]))
    shown = [(), *((("class", name),) for name in own.judged.classes)]
    for params, (hits, found, objects) in zip(shown, (np.sum(counts, axis=0), *counts), strict=True):
        tp = int(hits.sum())
        evidence = {"tp": tp, "fp": int(found.sum()) - tp, "fn": int(objects.sum()) - tp}
        about = (*params, ("cut", f"{cut:f}"), ("iou", "0.5"))
        for metric, part, whole, empty in (
            ("precision", hits, found, "no detections"),
            ("recall", hits, objects, _NONE),
            ("f1", 2 * hits, found + objects, "no detections and no objects"),
        ):
            stated.add(metric, ratio(part.astype(np.float64), whole.astype(np.float64)), int(whole.sum()), about, empty, evidence)
