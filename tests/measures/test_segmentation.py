"""Segmentation: equal to scikit-learn on flattened pixels, from label images, COCO masks and counts."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planned_measures import facts, golden, measured
from pycocotools import mask as pycocomask
from scipy import ndimage
from sklearn.metrics import f1_score, jaccard_score, precision_score, recall_score

from factbook import measures
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures import influence, segmentation
from factbook.measures.rows import Rows
from factbook.model import Status, silent
from factbook.sources import masks
from measuring import manifest

COUNTS = "measure: segmentation, counts: data, label: t, prediction: p, pixels: n"


def scenes(images: int = 30, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Label maps of 3 classes in blocks, with 255 at the border; predictions err more in some images than in others."""
    random = np.random.default_rng(seed)
    found = []
    for i in range(images):
        height, width = 12 + i % 3, 17
        truth = np.kron(random.choice([0, 1, 2], (5, 6), p=[0.6, 0.3, 0.1]), np.ones((3, 3), dtype=int))[:height, :width]
        wrong = random.random(truth.shape) < random.beta(2, 6)
        guess = np.where(wrong, random.integers(0, 4, truth.shape), truth)
        truth[0, :] = 255
        found.append((truth.astype(np.uint8), guess.astype(np.uint8)))
    return found


def written(root, scenes, city=lambda i: "ab"[i % 2]):
    image = pytest.importorskip("PIL.Image")
    for i, pair in enumerate(scenes):
        for name, labels in zip(("truth", "guess"), pair, strict=True):
            path = root / name / city(i) / f"{i:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.fromarray(labels).save(path)


def from_files(root, plan=None, **more):
    declared = {"truth": {"uri": "truth/*/*.png", "format": "masks", "by": {"city": "folder"}}, "guess": {"uri": "guess/*/*.png", "format": "masks"}}
    given = {"measure": "segmentation", "truth": "truth", "predictions": "guess", "ignore": "255", "names": {"0": "road"}, **(plan or {})}
    book = manifest(declared, {"m": given}, suppress_below="0", **more)
    return measures.run("m", book.plan["m"], book, root, root / ".factbook", silent)


def table(scenes) -> dict[str, list]:
    rows = [
        (i, t, p, int(((truth == t) & (guess == p)).sum()))
        for i, (truth, guess) in enumerate(scenes)
        for t in np.unique(truth)
        for p in np.unique(guess)
    ]
    named = {"image": [f"{row[0]:03}" for row in rows], "city": ["ab"[row[0] % 2] for row in rows], "n": [row[3] for row in rows]}
    return named | {"t": [str(row[1]) for row in rows], "p": [str(row[2]) for row in rows]}


def test_label_images_are_judged_as_scikit_learn_judges_flat_pixels(tmp_path):
    pairs = scenes()
    written(tmp_path, pairs)
    stated = facts(from_files(tmp_path, {"by": ["city"]}))
    for place, own in (("", pairs), ("?city=a", pairs[::2]), ("?city=b", pairs[1::2])):
        truth, guess = (np.concatenate([pair[k].ravel() for pair in own]) for k in (0, 1))
        kept = truth != 255
        assert stated["ignored_pixels" + place].value == (~kept).sum()
        truth, guess = truth[kept], guess[kept]
        assert stated["pixel_accuracy" + place].value == pytest.approx((truth == guess).mean(), rel=1e-9)
        assert stated["mean_iou" + place].value == pytest.approx(jaccard_score(truth, guess, average="macro"), rel=1e-9)
        assert stated["mean_dice" + place].value == pytest.approx(f1_score(truth, guess, average="macro"), rel=1e-9)
        assert stated["mean_pixel_recall" + place].value == pytest.approx(recall_score(truth, guess, labels=[0, 1, 2], average="macro"), rel=1e-9)
        for label, name in enumerate(("road", "1", "2")):
            for metric, score in (("iou", jaccard_score), ("dice", f1_score), ("pixel_precision", precision_score), ("pixel_recall", recall_score)):
                expected = score(truth, guess, labels=[label], average="macro")
                assert stated[f"{metric};class={name}{place}"].value == pytest.approx(expected, rel=1e-9)
    assert stated["iou;class=3"].value == 0, "predicted, but nowhere true"
    assert stated["pixel_recall;class=3"].reason == "0 of 0: no pixel is of the class"
    each = [2 * ((t == 1) & (p == 1)).sum() / ((t == 1).sum() + ((p == 1) & (t != 255)).sum()) for t, p in pairs]
    assert stated["dice_per_image;class=1"].value == pytest.approx(np.mean(each), rel=1e-9)


def test_counts_say_the_same_in_any_order(tmp_path):
    pairs = scenes()
    written(tmp_path, pairs)
    files = facts(from_files(tmp_path, {"names": {}, "by": ["city"]}))
    data = pa.table(table(pairs))
    one = measured(tmp_path, data, ", by: [city]", COUNTS + ", ignore: 255, by: [city]")
    assert {key: (fact.value, fact.interval) for key, fact in facts(one).items()} == {key: (fact.value, fact.interval) for key, fact in files.items()}
    shuffled = data.take(np.random.default_rng(2).permutation(data.num_rows))
    assert one.facts == measured(tmp_path, shuffled, ", by: [city]", COUNTS + ", ignore: 255, by: [city]", parts=4).facts


def test_masks_of_coco(tmp_path):
    """Compressed and uncompressed run lengths; pixels without a mask are background."""
    truth, guess = (np.asfortranarray(item == 1) for item in scenes(1)[0])
    packed = pycocomask.encode(truth.astype(np.uint8))
    plain = {"size": list(guess.shape), "counts": masks.encode(guess)}
    image = {"id": 7, "width": 17, "height": 12}
    names = [{"id": 1, "name": "car"}]
    objects = [{"id": 1, "image_id": 7, "category_id": 1, "segmentation": {"size": packed["size"], "counts": packed["counts"].decode()}}]
    (tmp_path / "t.json").write_text(json.dumps({"images": [image], "categories": names, "annotations": objects}))
    (tmp_path / "p.json").write_text(json.dumps([{"image_id": 7, "category_id": 1, "score": 1, "segmentation": plain}]))
    declared = {"t": {"uri": "t.json", "format": "coco"}, "p": {"uri": "p.json", "format": "coco"}}
    book = manifest(declared, {"m": {"measure": "segmentation", "truth": "t", "predictions": "p"}}, suppress_below="0")
    stated = facts(measures.run("m", book.plan["m"], book, tmp_path, tmp_path / ".factbook", silent))
    assert stated["iou;class=1"].value == pytest.approx(pycocomask.iou([packed], [pycocomask.encode(guess.astype(np.uint8))], [0])[0, 0])
    assert stated["pixel_accuracy"].value == pytest.approx((truth == guess).mean())


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=8))
def test_run_lengths_are_those_of_pycocotools(pixels):
    mask = np.array(pixels)
    own = {"size": list(mask.shape), "counts": masks.encode(mask)}
    theirs = pycocomask.frPyObjects(dict(own), *mask.shape)
    assert (pycocomask.decode(theirs) == mask).all()
    packed = {"size": own["size"], "counts": theirs["counts"].decode()}
    for rle in (own, packed):
        assert (segmentation._labels(("x", [(1, rle)]), 0).reshape(mask.shape, order="F") == mask).all()


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=6))
def test_label_images_come_back_from_their_runs(pixels):
    labels = np.array(pixels)
    encoded = [(label, {"size": list(labels.shape), "counts": runs}) for label, runs in masks.runs_of(labels)]
    assert all(runs == masks.encode(labels == label) for label, runs in masks.runs_of(labels))
    for chosen in (encoded, encoded[::-1], encoded[:1]):
        known = np.isin(labels, [label for label, _ in chosen])
        assert (segmentation._labels(("x", chosen), 9).reshape(labels.shape, order="F") == np.where(known, labels, 9)).all()


def test_objects_of_one_class_may_overlap_and_those_of_two_may_not():
    one, other = ({"size": [2, 3], "counts": runs} for runs in ([0, 4, 2], [2, 3, 1]))
    assert segmentation._labels(("x", [(1, one), (1, other)]), 0).tolist() == [1, 1, 1, 1, 1, 0]
    with pytest.raises(SourceError, match="masks of two classes overlap"):
        segmentation._labels(("x", [(1, one), (2, other)]), 0)
    with pytest.raises(SourceError, match="a mask has 5 pixels, its size is 2 x 3"):
        segmentation._labels(("x", [(1, {"size": [2, 3], "counts": [5]})]), 0)


def test_a_renamed_or_moved_file_is_other_data(tmp_path):
    from factbook import sources

    written(tmp_path, scenes(4))
    source = Source(uri="truth/*/*.png", format="masks")
    before = sources.digest(source, tmp_path, tmp_path / ".factbook")
    (tmp_path / "truth/a/000.png").rename(tmp_path / "truth/b/000.png")
    assert sources.digest(source, tmp_path, tmp_path / ".factbook") != before


def test_boundaries_are_compared_alone(tmp_path):
    """Against erosion by scipy; pixels whose true class is ignored are of no class."""
    made = scenes(8)
    written(tmp_path, made)
    part = 0.06
    stated = facts(from_files(tmp_path, {"boundary": str(part)}))
    values = []
    for label, name in ((0, "road"), (1, "1"), (2, "2"), (3, "3")):
        both = either = 0
        for truth, guess in made:
            times = max(1, round(part * math.hypot(*truth.shape)))
            edges = []
            for side in (truth, guess):
                inside = (side == label) & (truth != 255)
                edges.append(inside & ~ndimage.binary_erosion(inside, np.ones((3, 3)), iterations=times, border_value=0))
            both, either = both + int((edges[0] & edges[1]).sum()), either + int((edges[0] | edges[1]).sum())
        values.append(both / either)
        assert stated[f"boundary_iou;class={name}"].value == pytest.approx(both / either, rel=1e-11)
    assert stated["mean_boundary_iou"].value == pytest.approx(np.mean(values), rel=1e-11)
    assert stated["mean_boundary_iou"].interval
    assert "mean_boundary_iou" not in facts(from_files(tmp_path))


def test_intervals_cover():
    """60 images whose accuracy varies: the IoU of a class against that of 50,000 images."""
    random = np.random.default_rng(3)

    def draw(n):
        size, skill = random.integers(20, 200, n), random.beta(6, 2, n)
        hits = random.binomial(size, skill)
        return hits.astype(float), (size + random.binomial(200 - size, 0.1)).astype(float)

    truth = influence.ratio(*draw(50_000)).value
    units, covered = Rows(Source(uri="x"), {"n": np.zeros(60)}, {}, {}), []
    for _ in range(2000):
        interval = influence.interval(influence.ratio(*draw(60)), units, np.ones(60, dtype=bool), 0.95)
        covered.append(interval.low <= truth <= interval.high)
    assert 0.935 <= np.mean(covered) <= 0.965


@pytest.mark.parametrize(
    ("change", "plan", "error", "said"),
    [
        ({}, "measure: segmentation, counts: data", MeasureError, "needs `label`"),
        ({}, "measure: segmentation", MeasureError, "give `truth` with `predictions`, or `counts`"),
        ({"n": [1.5, 2.0]}, COUNTS, SourceError, "no number of pixels"),
        ({"t": ["x", None]}, COUNTS, SourceError, r"column 't' \(label\) is missing in 1 of 2 rows"),
        ({}, COUNTS + ", names: {x: z, y: z}", MeasureError, "one name"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, change, plan, error, said):
    with pytest.raises(error, match=said):
        measured(tmp_path, {"image": ["a", "b"], "t": ["x", "y"], "p": ["x", "x"], "n": [3, 4]} | change, "", plan)


def test_masks_that_do_not_match_are_refused(tmp_path):
    pairs = scenes(4)
    written(tmp_path, pairs)
    (tmp_path / "guess/a/000.png").rename(tmp_path / "guess/a/zero.png")
    with pytest.raises(SourceError, match=r"1 images are not in guess/\*/\*.png, e.g. '000'"):
        from_files(tmp_path)
    (tmp_path / "guess/a/zero.png").rename(tmp_path / "guess/a/000.png")
    written(tmp_path, [(pairs[0][0], pairs[0][1][:-1]), *pairs[1:]])
    with pytest.raises(SourceError, match="image '000' has 204 pixels"):
        from_files(tmp_path)
    (tmp_path / "truth/a/000.png").write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"a/000.png is no image"):
        from_files(tmp_path)


def test_groups_of_few_images_are_suppressed(tmp_path):
    data = table(scenes()) | {"g": [("few", "some", "many")[(int(i) > 4) + (int(i) > 15)] for i in table(scenes())["image"]]}
    stated = facts(measured(tmp_path, data, ", by: [g]", COUNTS + ", by: [g]", below=10))
    assert [stated[f"mean_iou?g={name}"].status for name in ("few", "some", "many")] == [Status.SUPPRESSED, Status.SUPPRESSED, Status.MEASURED]


def test_golden(tmp_path):
    golden("segmentation", segmentation.VERSION, measured(tmp_path, table(scenes(12)), ", by: [city]", COUNTS + ", ignore: 255, by: [city]"))
