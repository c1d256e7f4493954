"""Semantic segmentation: intersection over union, Dice and accuracy of pixels, by class and slice, with images as what varies.

    {measure: segmentation, truth: masks, predictions: predicted, ignore: ["255"], names: {"0": road, "1": car}, by: [city]}
    {measure: segmentation, counts: pixels, label: truth, prediction: predicted, pixels: n}

Either masks: one row a class of an image, with its pixels as run-length encoding, as `format: masks` reads label images (and `format: coco` masks;
pixels without a class are of the class `background`); both sources name images alike. Or `counts`: one row for each image, class of the truth and
predicted class, with the number of pixels. Pixels whose true class is in `ignore` are left out and counted. An attribute in `by` belongs to the
image.

With `boundary` (a part of the diagonal of the image, e.g. 0.02) masks are also compared by their boundaries alone, where large objects hide errors.

Totals are over the pixels of all images (as in PASCAL VOC and Cityscapes), `dice_per_image` is the mean over images, as in medicine. Means over
classes leave out a class that occurs neither in the truth nor in the predictions. Intervals: jackknife over images (or clusters),
Student's t.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from factbook.errors import MeasureError, SourceError
from factbook.manifest import Planned
from factbook.measures import rows, runs
from factbook.measures.influence import Stated, average, ratio
from factbook.measures.request import Answer, Request, count_metric
from factbook.measures.rows import Flags, Rows, Wanted
from factbook.measures.vocabulary import share
from factbook.model import Direction, Pairs
from factbook.statistics import moments
from factbook.statistics.moments import Floats, Integers, Sample, tidy

VERSION: Final = 2
ROLES: Final = ()
OPTIONAL: Final = ("truth", "predictions", "counts")
PARAMS: Final = ("image", "class", "rle", "label", "prediction", "pixels", "ignore", "background", "names", "boundary")
_EVERINGHAM: Final = "Everingham et al. 2010, International Journal of Computer Vision 88, 303"
_DICE: Final = "Dice 1945, Ecology 26, 297"
_CHENG: Final = "Cheng et al. 2021, CVPR, 15334"


_share = partial(share, direction=Direction.HIGHER)
METRICS: Final = (
    count_metric("images", "images", "n", "different images"),
    count_metric("pixels", "judged pixels", "pixels", "pixels whose true class is not ignored, of all classes or one"),
    count_metric("ignored_pixels", "ignored pixels", "ignored", "pixels whose true class is in `ignore`"),
    _share("iou", "intersection over union", "IoU", "hits / (pixels of the class in truth or prediction)", _EVERINGHAM, ("jaccard",)),
    _share(
        "boundary_iou",
        "intersection over union of boundaries",
        "boundary IoU",
        "pixels of both boundaries / of either; a boundary is what of the class lies within `boundary` times the diagonal of its contour",
        _CHENG,
    ),
    _share("mean_boundary_iou", "mean intersection over union of boundaries", "mean boundary IoU", "mean of boundary_iou over the classes", _CHENG),
    _share("dice", "Dice coefficient", "Dice", "2 hits / (pixels of the class in the truth + in the prediction)", _DICE),
    _share("pixel_precision", "precision of pixels", "precision", "hits / pixels predicted as the class", _EVERINGHAM),
    _share("pixel_recall", "recall of pixels", "recall", "hits / pixels of the class", _EVERINGHAM),
    _share("dice_per_image", "Dice coefficient of images", "Dice per image", "mean of the Dice coefficient of images that have the class", _DICE),
    _share("mean_iou", "mean intersection over union", "mIoU", "mean of iou over the classes that occur", _EVERINGHAM, ("miou",)),
    _share("mean_dice", "mean Dice coefficient", "mean Dice", "mean of dice over the classes that occur", _DICE),
    _share("mean_pixel_recall", "mean accuracy of classes", "mean accuracy", "mean of pixel_recall over the classes of the truth", _EVERINGHAM),
    _share(
        "pixel_accuracy",
        "accuracy of pixels",
        "pixel accuracy",
        "pixels of the predicted class / pixels",
        "Long, Shelhamer & Darrell 2015, CVPR, 3431",
    ),
)


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Parameters(rows.Parameters):
    """The sources and their columns."""

    truth: str = ""
    predictions: str = ""
    counts: str = ""
    image: str = "image"
    class_: str = Field(default="class", alias="class")
    rle: str = "rle"
    label: str = ""
    prediction: str = ""
    pixels: str = ""
    ignore: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    background: str = "background"
    names: Mapping[str, str] = Field(default_factory=dict)
    boundary: Decimal | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_way(self) -> Parameters:
        if bool(self.truth) != bool(self.predictions) or bool(self.truth) == bool(self.counts):
            raise ValueError("give `truth` with `predictions`, or `counts`")
        if self.counts and not (self.label and self.prediction and self.pixels):
            raise ValueError("`counts` needs `label`, `prediction` and `pixels`, its columns")
        if len(set(self.names.values())) < len(self.names):
            raise ValueError("`names` gives two classes one name")
        if self.boundary is not None and self.counts:
            raise ValueError("`boundary` is of masks, and `counts` has none")
        return self

    @property
    def role(self) -> str:
        """The role whose rows tell the images, their attributes and clusters."""
        return "counts" if self.counts else "truth"


@dataclass(frozen=True, eq=False)
class Pixels:
    """What was counted.

    Attributes:
        classes: their names.
        images: one row an image.
        counts: per image and class the pixels that are hits, of the truth, and predicted.
        ignored: per image.
        edges: per image and class the pixels of both boundaries and of either, where they are wanted.
    """

    classes: tuple[str, ...]
    images: Rows
    counts: Integers
    ignored: Integers
    edges: Integers | None = None


margins = rows.margins


def protected(planned: Planned) -> tuple[str, ...]:
    """Images are rows of the truth, or of the counts."""
    return ("counts",) if "counts" in planned.params else ("truth",) if "truth" in planned.params else ()


def measure(request: Request, answer: Answer) -> None:
    """Facts of every slice of every declared combination of attributes, and overall.

    Raises:
        MeasureError: a parameter is missing; a source declares weights.
        SourceError: a column cannot be read; images of truth and predictions differ, in name or size; masks of one image overlap.
    """
    given = rows.parameters(Parameters, request)
    if request.source(given.role).weight:
        raise MeasureError(f"plan.{request.name}: segmentation does not weigh images", remedy="measure a source without `weight`")
    found = _counted(request, given) if given.counts else _compared(request, given)
    answer.warnings += found.images.warnings
    slices = request.slices(given.role)
    rows.protect(request, answer, slices, found.images)
    for by in ((), *slices):
        names, index = found.images.places(by)
        for i, place in enumerate(names):
            _add(answer, found, index == i, place)


def _read(request: Request, wanted: Sequence[Wanted], role: str) -> Rows:
    found = rows.read(request, [Wanted("image", wanted[0].column, number=False), *wanted[1:]], role)
    for item in wanted:
        missing = found.texts[item.role].codes == 0 if not item.number else np.isnan(found.numbers[item.role])
        if item.policy == "label" and missing.any():
            said = f"{found.source.uri}: column {item.column!r} ({item.role}) is missing in {int(missing.sum())} of {found.count} rows"
            raise SourceError(said, remedy="fill it in")
    if role != "predictions":
        rows.refuse_split(found, "image")
    return found


def _counted(request: Request, given: Parameters) -> Pixels:
    """From a table of counts."""
    wanted = [Wanted("image", given.image, number=False, policy="label"), Wanted("label", given.label, number=False, policy="label")]
    wanted += [Wanted("prediction", given.prediction, number=False, policy="label"), Wanted("pixels", given.pixels, number=True, policy="label")]
    found = _read(request, wanted, "counts")
    pixels = found.numbers["pixels"]
    if ((pixels < 0) | (pixels != np.floor(pixels))).any():
        raise SourceError(f"{found.source.uri}: column {given.pixels!r} (pixels) holds what is no number of pixels", remedy="give counts from 0 on")
    classes = tuple(sorted({*found.texts["label"].values, *found.texts["prediction"].values}))
    place = {value: i for i, value in enumerate(classes)}
    truth, predicted = (
        np.array([0, *(place[value] for value in found.texts[role].values)], dtype=np.int64)[found.texts[role].codes]
        for role in ("label", "prediction")
    )
    cells = (found.texts["image"].codes - 1, truth, predicted, pixels.astype(np.int64))
    return _pixels(found.where(found.first("image")), classes, cells, given)


def _pixels(
    images: Rows, classes: tuple[str, ...], cells: tuple[Integers, Integers, Integers, Integers], given: Parameters, edges: Integers | None = None
) -> Pixels:
    """From cells: the image, true class and predicted class, and how many pixels."""
    image, truth, predicted, pixels = cells
    out = np.isin(truth, [i for i, value in enumerate(classes) if value in given.ignore])
    ignored = np.zeros(images.count, dtype=np.int64)
    np.add.at(ignored, image[out], pixels[out])
    image, truth, predicted, pixels = (item[~out] for item in cells)
    counts = np.zeros((images.count, len(classes), 3), dtype=np.int64)
    hit = truth == predicted
    for column, own, counted in ((0, truth, pixels * hit), (1, truth, pixels), (2, predicted, pixels)):
        np.add.at(counts[:, :, column], (image, own), counted)
    shown = [i for i, value in enumerate(classes) if counts[:, i].any()]
    names = tuple(given.names.get(classes[i], classes[i]) for i in shown)
    return Pixels(names, images, counts[:, shown], ignored, None if edges is None else edges[:, shown])


def _compared(request: Request, given: Parameters) -> Pixels:
    """From masks: one image at a time is decoded."""
    wanted = [Wanted("image", given.image, number=False, policy="label"), Wanted("class", given.class_, number=False)]
    truth, found = (_read(request, [*wanted, Wanted("rle", given.rle, number=False)], role) for role in ("truth", "predictions"))
    _refuse_images(truth, found)
    classes = tuple(sorted({*truth.texts["class"].values, *found.texts["class"].values, given.background}))
    place = {value: i for i, value in enumerate(classes)}
    cells, count = [], len(truth.texts["image"].values)
    edges = np.zeros((count, len(classes), 2), dtype=np.int64) if given.boundary is not None else None
    for number, (one, other) in enumerate(zip(_masks(truth, place), _masks(found, place), strict=True)):
        labels, guesses = (_labels(own, place[given.background]) for own in (one, other))
        if labels.shape != guesses.shape:
            name = truth.texts["image"].values[number]
            said = f"{truth.source.uri}: image {name!r} has {labels.size:,} pixels, in {found.source.uri} {guesses.size:,}"
            raise SourceError(said, remedy="give masks of the same size")
        table = np.bincount(labels * len(classes) + guesses, minlength=len(classes) ** 2)
        filled = np.flatnonzero(table)
        cells.append(np.stack([np.full(len(filled), number), filled // len(classes), filled % len(classes), table[filled]]))
        if edges is not None:
            judged = ~np.isin(labels, [place[value] for value in given.ignore if value in place])
            edges[number] = _edges(labels, guesses, judged, one[1][0][1]["size"], len(classes), float(given.boundary or 0))
        request.progress(truth.source.uri, number + 1, count)
    image, label, guess, pixels = np.concatenate(cells, axis=1)
    return _pixels(truth.where(truth.first("image")), classes, (image, label, guess, pixels), given, edges)


def _edges(labels: Integers, guesses: Integers, judged: Flags, size: tuple[int, int], classes: int, part: float) -> Integers:
    """Per class the pixels of both boundaries and of either, in one image."""
    found = np.zeros((classes, 2), dtype=np.int64)
    for label in np.union1d(labels[judged], guesses[judged]).tolist():
        one, other = (runs.boundary(runs.of((side == label) & judged, size), part) for side in (labels, guesses))
        both = runs.shared(one, other)
        found[label] = both, one.area + other.area - both
    return found


def _refuse_images(truth: Rows, found: Rows) -> None:
    for one, other in ((truth, found), (found, truth)):
        alone = sorted(set(one.texts["image"].values) - set(other.texts["image"].values))
        if alone:
            said = f"{one.source.uri}: {len(alone)} images are not in {other.source.uri}, e.g. {alone[0]!r}"
            raise SourceError(said, remedy="give both for every image, and name them alike")


Mask = tuple[str, list[tuple[int, Any]]]


def _masks(found: Rows, place: Mapping[str, int]) -> Iterator[Mask]:
    """The masks of every image, in the order of their names: where they are from, and class and encoding of each."""
    label, rle = found.texts["class"], found.texts["rle"]
    number = np.array([-1, *(place[value] for value in label.values)])[label.codes]
    for name, own in zip(found.texts["image"].values, rows.split(found.texts["image"].codes - 1, len(found.texts["image"].values)), strict=True):
        there = [i for i in own.tolist() if rle.codes[i]]
        yield f"{found.source.uri}: image {name!r}", [(int(number[i]), json.loads(rle.values[rle.codes[i] - 1])) for i in there]


def _labels(masks: Mask, background: int) -> Integers:
    """The class of every pixel, column by column."""
    where, encoded = masks
    sizes = {tuple(rle["size"]) for _, rle in encoded}
    if len(sizes) != 1:
        raise SourceError(f"{where} has {len(sizes) or 'no'} sizes", remedy="give at least one mask of an image, all of its size")
    height, width = sizes.pop()
    parts = [runs.spans(rle, where) for _, rle in encoded]
    label = np.repeat([label for label, _ in encoded], [len(own) for own in parts])
    spans = np.concatenate(parts)
    order = np.argsort(spans[:, 0], kind="stable")
    spans, label = spans[order], label[order]
    if (spans[1:, 0] < np.maximum.accumulate(spans[:-1, 1])).any():
        return _painted(spans, label, height * width, background, where)
    edges = np.concatenate(([0], spans.reshape(-1), [height * width]))
    values = np.full(len(edges) - 1, background, dtype=np.int64)
    values[1::2] = label
    return np.repeat(values, np.diff(edges))


def _painted(spans: Integers, label: Integers, size: int, background: int, where: str) -> Integers:
    """Masks that overlap, as objects of one class may."""
    labels = np.full(size, -1, dtype=np.int64)
    for (start, end), own in zip(spans.tolist(), label.tolist(), strict=True):
        part = labels[start:end]
        if ((part >= 0) & (part != own)).any():
            raise SourceError(f"{where}: masks of two classes overlap", remedy="give every pixel one class")
        part[:] = own
    return np.where(labels < 0, background, labels)


def _add(answer: Answer, found: Pixels, inside: Flags, place: Pairs) -> None:
    """Everything of one slice."""
    counts = found.counts * inside[:, None, None]
    n, images = int(counts[:, :, 1].sum()), int(inside.sum())
    stated = Stated(answer, found.images, inside, place)
    answer.add("images", images, slice=place, n=images)
    answer.add("pixels", n, slice=place)
    answer.add("ignored_pixels", int((found.ignored * inside).sum()), slice=place)
    parts: dict[str, list[Any]] = {"iou": [], "dice": [], "pixel_recall": []}
    for i, name in enumerate(found.classes):
        hits, truth, predicted = (counts[:, i, k].astype(np.float64) for k in range(3))
        params: Pairs = (("class", name),)
        numbers = {"tp": int(hits.sum()), "fp": int((predicted - hits).sum()), "fn": int((truth - hits).sum())}
        answer.add("pixels", int(truth.sum()), params=params, slice=place)
        for metric, part, whole, empty in (
            ("iou", hits, truth + predicted - hits, "the class does not occur"),
            ("dice", 2 * hits, truth + predicted, "the class does not occur"),
            ("pixel_precision", hits, predicted, "no pixel is predicted as the class"),
            ("pixel_recall", hits, truth, "no pixel is of the class"),
        ):
            estimate = ratio(part, whole)
            parts.setdefault(metric, []).append(estimate)
            stated.add(metric, estimate, int(whole.sum()), params, empty, numbers)
        if found.edges is not None:
            both, either = (np.where(inside, found.edges[:, i, k], 0).astype(np.float64) for k in (0, 1))
            parts.setdefault("boundary_iou", []).append(ratio(both, either))
            stated.add("boundary_iou", parts["boundary_iou"][-1], int(either.sum()), params, "the class does not occur")
        _add_per_image(answer, found, inside, i, params, place)
    for metric, own in (("mean_iou", "iou"), ("mean_boundary_iou", "boundary_iou"), ("mean_dice", "dice"), ("mean_pixel_recall", "pixel_recall")):
        if own not in parts:
            continue
        known = [item for item in parts[own] if item is not None]
        stated.add(metric, average(known), n, (), "no pixels are judged")
    stated.add("pixel_accuracy", ratio(*(counts[:, :, k].sum(axis=1).astype(np.float64) for k in (0, 1))), n, (), "no pixels are judged")


def _add_per_image(answer: Answer, found: Pixels, inside: Flags, i: int, params: Pairs, place: Pairs) -> None:
    """The mean over images of the Dice coefficient."""
    hits, truth, predicted = (found.counts[:, i, k].astype(np.float64) for k in range(3))
    there = inside & (truth + predicted > 0)
    if not there.any():
        answer.add("dice_per_image", None, params=params, slice=place, n=0, undefined="0 of 0: no image has the class")
        return
    values: Floats = 2 * hits[there] / (truth + predicted)[there]
    clusters = found.images.clusters
    sample = Sample.whole(len(values), None if clusters is None else clusters[there])
    mean, interval = moments.means(sample, values, answer.level, moments.method(sample, "image"), (0.0, 1.0))[0]
    answer.add("dice_per_image", tidy(mean), params=params, slice=place, n=len(values), interval=interval)
