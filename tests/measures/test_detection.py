"""Detection: equal to pycocotools, from COCO files and from tables; intervals that cover; refused where ambiguous."""

from __future__ import annotations

import contextlib
import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from planned_measures import facts, golden, measured
from pycocotools import mask as mask_api
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy import ndimage

from factbook import measures, sources
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.measures import boxes, detection, influence, runs
from factbook.model import Status, silent
from measuring import manifest

PLAN = "measure: detection, truth: data, predictions: other"


def scenes(images: int = 60, classes: int = 4, seed: int = 0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Annotations and results of COCO: shifted boxes, wrong classes, false alarms, crowds, images without objects."""
    random = np.random.default_rng(seed)
    shown = [{"id": i + 1, "file_name": f"{i}.jpg", "width": 640, "weather": ["sun", "rain"][i % 2]} for i in range(images)]
    truth, found = [], []
    for image in shown:
        for _ in range(random.poisson(3)):
            w, h = np.exp(random.normal(3.9, 0.9, 2))
            x, y = random.uniform(0, 400, 2)
            label, crowd = int(random.integers(1, classes + 1)), int(random.random() < 0.05)
            area = float(w * h * random.uniform(0.5, 1))
            box = [float(side) for side in (x, y, w, h)]
            truth.append({"id": len(truth) + 1, "image_id": image["id"], "category_id": label, "bbox": box, "area": area, "iscrowd": crowd})
            for _ in range(random.poisson(1.2)):
                dx, dy, dw, dh = random.normal(0, 0.1, 4)
                box = [float(x + dx * w), float(y + dy * h), float(w * np.exp(dw)), float(h * np.exp(dh))]
                score = float(random.beta(4, 2))
                found.append({"image_id": image["id"], "category_id": label if random.random() < 0.9 else 1, "bbox": box, "score": score})
        for _ in range(random.poisson(2)):
            box = [float(side) for side in (*random.uniform(0, 400, 2), *np.exp(random.normal(3.9, 0.9, 2)))]
            found.append(
                {"image_id": image["id"], "category_id": int(random.integers(1, classes + 1)), "bbox": box, "score": float(random.beta(2, 4))}
            )
    names = [{"id": i, "name": f"class{i}"} for i in range(1, classes + 1)]
    return {"images": shown, "annotations": truth, "categories": names}, found


def oracle(truth: dict[str, Any], found: list[dict[str, Any]], images: list[int], kind: str = "bbox") -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        judged = COCOeval(coco, coco.loadRes(found), kind)
        judged.params.imgIds = images
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged


def from_coco(root, truth, found, plan, source=None):
    (root / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    (root / "found.json").write_text(json.dumps(found), encoding="utf-8")
    declared = {"truth": {"uri": "truth.json", "format": "coco", **(source or {})}, "found": {"uri": "found.json", "format": "coco"}}
    book = manifest(declared, {"m": {"measure": "detection", "truth": "truth", "predictions": "found", **plan}}, suppress_below="0")
    return measures.run("m", book.plan["m"], book, root, root / ".factbook", silent)


def test_everything_that_pycocotools_says(tmp_path):
    truth, found = scenes()
    stated = facts(from_coco(tmp_path, truth, found, {"by": ["weather"]}, {"by": ["weather"]}))
    for place, images in (
        ("", [image["id"] for image in truth["images"]]),
        *((f"?weather={name}", [image["id"] for image in truth["images"] if image["weather"] == name]) for name in ("sun", "rain")),
    ):
        judged = oracle(truth, found, images)
        keys = [f"mean_average_precision;iou={iou}" for iou in ("0.5:0.95", "0.5", "0.75")]
        keys += [f"mean_average_precision;iou=0.5:0.95;size={size}" for size in ("small", "medium", "large")]
        keys += [f"average_recall;k={k}" for k in (1, 10, 100)] + [f"average_recall;k=100;size={size}" for size in ("small", "medium", "large")]
        for key, value in zip(keys, judged.stats, strict=True):
            assert stated[key + place].value == pytest.approx(value, rel=1e-9), key
        for i in range(4):
            for j, size in enumerate(("", ";size=small", ";size=medium", ";size=large")):
                grid = judged.eval["precision"][:, :, i, j, 2]
                fact = stated[f"average_precision;class=class{i + 1};iou=0.5:0.95{size}{place}"]
                assert fact.status is Status.UNDEFINED if (grid < 0).all() else fact.value == pytest.approx(grid.mean(), rel=1e-9)


def test_counts_at_the_declared_score(tmp_path):
    truth, found = scenes()
    stated = facts(from_coco(tmp_path, truth, found, {"cut": "0.5"}))
    judged = oracle(truth, [item for item in found if item["score"] >= 0.5], [image["id"] for image in truth["images"]])
    cells = [item for item in judged.evalImgs if item is not None and item["aRng"] == judged.params.areaRng[0]]
    hits = sum(int((item["dtMatches"][0][~item["dtIgnore"][0].astype(bool)] > 0).sum()) for item in cells)
    detections = sum(int((~item["dtIgnore"][0].astype(bool)).sum()) for item in cells)
    objects = sum(int((item["gtIgnore"] == 0).sum()) for item in cells)
    fact = stated["precision;cut=0.5;iou=0.5"]
    assert (fact.value, dict(fact.counts)) == (pytest.approx(hits / detections), {"tp": hits, "fp": detections - hits, "fn": objects - hits})
    assert stated["recall;cut=0.5;iou=0.5"].value == pytest.approx(hits / objects)
    assert stated["f1;cut=0.5;iou=0.5"].value == pytest.approx(2 * hits / (detections + objects))
    assert (stated["objects"].value, stated["crowds"].value) == (objects, len(truth["annotations"]) - objects)
    assert stated["images_without_objects"].value == 60 - len({item["image_id"] for item in truth["annotations"]})


def tables(truth, found) -> tuple[pa.Table, dict[str, Any]]:
    """The same as plain tables with corners."""
    weather = {image["id"]: image["weather"] for image in truth["images"]}

    def columns(items):
        box = np.array([item["bbox"] for item in items])
        sides = {"x1": box[:, 0], "y1": box[:, 1], "x2": box[:, 0] + box[:, 2], "y2": box[:, 1] + box[:, 3]}
        return {"file": [str(item["image_id"]) for item in items], "label": [f"class{item['category_id']}" for item in items], **sides}

    objects = columns(truth["annotations"]) | {"crowd": [item["iscrowd"] for item in truth["annotations"]]}
    objects |= {"area": [item["area"] for item in truth["annotations"]]}
    empty = sorted(set(weather) - {item["image_id"] for item in truth["annotations"]})
    rows = pa.concat_tables([pa.table(objects), pa.table({"file": [str(image) for image in empty]})], promote_options="default")
    rows = rows.append_column("weather", pa.array([weather[int(image)] for image in rows["file"].to_pylist()]))
    return rows, columns(found) | {"confidence": [item["score"] for item in found]}


COLUMNS = ", image: file, class: label, corners: [x1, y1, x2, y2], score: confidence, cut: 0.5"


def test_tables_say_the_same_in_any_order_and_partitioning(tmp_path):
    truth, found = scenes()
    coco = facts(from_coco(tmp_path, truth, found, {"cut": "0.5"}))
    rows, detections = tables(truth, found)
    plain = measured(tmp_path, rows, "", PLAN + COLUMNS, other=(detections, ""))
    assert facts(plain).keys() == coco.keys()
    for key, fact in facts(plain).items():
        assert fact.value == pytest.approx(coco[key].value, rel=1e-9), key
        assert (fact.interval or (0, 0)) == pytest.approx(coco[key].interval or (0, 0), rel=1e-9), key
    random = np.random.default_rng(1)
    shuffled = pa.table(detections).take(random.permutation(len(found)))
    again = measured(tmp_path, rows.take(random.permutation(rows.num_rows)), "", PLAN + COLUMNS, parts=5, other=(shuffled.to_pydict(), ""))
    assert plain.facts == again.facts


def test_average_precision_by_hand():
    """Two of three objects found, first and third: precision 1 up to recall 1/3, 2/3 up to recall 2/3, 0 beyond."""
    hit, image, objects = np.array([True, False, True]), np.array([0, 0, 1]), np.array([2, 1])
    found = boxes.average_precision(hit, image, objects)
    assert found.value == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)


def test_influences_are_derivatives():
    """Against the finite difference of the area under the envelope when one image counts a little more."""
    random = np.random.default_rng(4)
    hit, image, objects = random.random(200) < 0.6, random.integers(0, 20, 200), random.integers(8, 12, 20)

    def area(weights):
        hits, seen = np.cumsum(hit * weights[image]), np.cumsum(weights[image])
        envelope = np.maximum.accumulate((hits / seen)[::-1])[::-1]
        return float((hit * weights[image] * envelope).sum() / (weights @ objects))

    found = boxes.average_precision(hit, image, objects)
    for i in range(20):
        more = np.ones(20)
        more[i] += 1e-6
        assert found.influence[i] == pytest.approx((area(more) - area(np.ones(20))) / 1e-6, abs=1e-5)


@pytest.mark.parametrize("images", [15, 60])
def test_intervals_cover(images):
    """Images of unequal difficulty; the truth is the average precision of 40,000 of them."""
    random = np.random.default_rng(1)

    def draw(n):
        found = random.binomial(objects := random.poisson(2, n), random.beta(4, 2, n))
        alarms = random.poisson(1.5, n)
        image = np.concatenate((np.repeat(np.arange(n), found), np.repeat(np.arange(n), alarms)))
        score = np.concatenate((random.beta(5, 2, found.sum()), random.beta(2, 3, alarms.sum())))
        order = np.argsort(-score)
        return boxes.average_precision((np.arange(len(score)) < found.sum())[order], image[order], objects)

    truth, covered = draw(40_000).value, []
    units = detection.Rows(Source(uri="x"), {"n": np.zeros(images)}, {}, {})
    for _ in range(1500):
        interval = influence.interval(draw(images), units, np.ones(images, dtype=bool), 0.95)
        covered.append(interval is not None and interval.low <= truth <= interval.high)
    assert 0.94 <= np.mean(covered) <= 0.975, "a little conservative, since the bias is taken from the lower end alone"


def test_groups_of_few_images_are_suppressed_though_they_have_many_boxes(tmp_path):
    truth, found = scenes()
    rows, detections = tables(truth, found)
    group = ["few" if int(image) <= 8 else "some" if int(image) <= 22 else "many" for image in rows["file"].to_pylist()]
    rows = rows.append_column("g", pa.array(group))
    stated = facts(measured(tmp_path, rows, ", by: [g]", PLAN + COLUMNS + ", by: [g]", below=10, other=(detections, "")))
    key = "mean_average_precision;iou=0.5"
    assert [stated[f"{key}?g={name}"].status for name in ("few", "some", "many")] == [Status.SUPPRESSED, Status.SUPPRESSED, Status.MEASURED]
    assert stated[key].status is Status.MEASURED


@pytest.mark.parametrize(
    ("truth", "found", "plan", "error", "said"),
    [
        ({}, {"image": ["z"]}, "", SourceError, "1 images are not in"),
        ({}, {"w": [-1.0]}, "", SourceError, "1 of 1 boxes have a negative width or height"),
        ({}, {"score": [None]}, "", SourceError, "the score is missing in 1 of 1 rows"),
        ({"x": [None, 1.0]}, {}, "", SourceError, "the box is missing in 1 of 2 rows"),
        ({"crowd": [2, 0]}, {}, "", SourceError, "other values than 0 and 1"),
        ({"name": ["cat", "dog"], "class": ["1", "1"]}, {}, "", SourceError, "do not match one to one"),
        ({}, {}, ", k: [200]", MeasureError, "up to `most`"),
        ({}, {}, ", area: size", SourceError, "no column 'size'"),
        ({"g": ["x", "y"]}, {}, ", by: [g]", SourceError, "1 values of image have more than one value of by g"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, truth, found, plan, error, said):
    box = {"x": [1.0, 2.0], "y": [1.0, 2.0], "w": [5.0, 5.0], "h": [5.0, 5.0]}
    one = {"image": ["a", "a"], "class": ["cat", "dog"], **box, "g": ["x", "x"]} | truth
    other = {"image": ["a"], "class": ["cat"], **{name: values[:1] for name, values in box.items()}, "score": [0.5]} | found
    one = {name: pa.array(values, pa.float64()) if name in "xywh" else values for name, values in one.items()}
    other = {name: pa.array(values, pa.float64()) if name in "xywh" or name == "score" else values for name, values in other.items()}
    with pytest.raises(error, match=said):
        measured(tmp_path, one, ", by: [g]" if "by" in plan else "", PLAN + plan, other=(other, ""))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"images": []}', "neither annotations"),
        ('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": 1}]', "an entry cannot be read"),
        ('{"images": [], "categories": [], "annotations": [{"image_id": 1, "category_id": 1}]}', "does not list"),
        ("[]", "nothing to read"),
        ('{"images": [{"id": 1}, {"id": 1}], "categories": [], "annotations": []}', "1 images have the id of another one"),
    ],
)
def test_files_that_are_no_coco_are_refused(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        sources.table(Source(uri="a.json", format="coco"), tmp_path, tmp_path / ".factbook")


def test_golden(tmp_path):
    truth, found = scenes(30, 2)
    golden("detection", detection.VERSION, from_coco(tmp_path, truth, found, {"cut": "0.5", "by": ["weather"]}, {"by": ["weather"]}))


def ellipse(random: np.random.Generator, x: float, y: float, w: float, h: float, size: tuple[int, int] = (120, 160)) -> dict[str, Any]:
    """A mask in COCO's compressed encoding: an ellipse with a bite taken out."""
    down, across = np.mgrid[: size[0], : size[1]]
    inside = ((across - x) / w) ** 2 + ((down - y) / h) ** 2 <= 1
    bite = ((across - x - w * random.uniform(-1, 1)) / w) ** 2 + ((down - y - h) / h) ** 2 <= 0.3
    rle = mask_api.encode(np.asfortranarray(inside & ~bite, dtype=np.uint8))
    return {"size": list(size), "counts": rle["counts"].decode()}


def drawn(images: int = 30, seed: int = 5) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Objects and detections that are masks."""
    random = np.random.default_rng(seed)
    shown = [{"id": i + 1, "file_name": f"{i}.png", "width": 160, "height": 120} for i in range(images)]
    truth, found = [], []
    for image in shown:
        for _ in range(random.poisson(3)):
            place = random.uniform(10, 110), random.uniform(10, 90), *np.exp(random.normal(2.6, 0.6, 2))
            mask, label = ellipse(random, *place), int(random.integers(1, 3))
            about = {"image_id": image["id"], "category_id": label}
            area = int(mask_api.area({"size": mask["size"], "counts": mask["counts"].encode()}))
            truth.append({"id": len(truth) + 1, **about, "segmentation": mask, "area": area, "iscrowd": int(random.random() < 0.05)})
            for _ in range(random.poisson(1.3)):
                near = [side + random.normal(0, 1.5) for side in place[:2]] + [side * np.exp(random.normal(0, 0.08)) for side in place[2:]]
                found.append({**about, "segmentation": ellipse(random, *near), "score": float(random.random())})
    categories = [{"id": i, "name": f"class{i}"} for i in (1, 2)]
    return {"images": shown, "annotations": truth, "categories": categories}, found


def test_masks_are_judged_as_by_pycocotools(tmp_path):
    truth, found = drawn()
    stated = facts(from_coco(tmp_path, truth, found, {"masks": "rle"}))
    judged = oracle(truth, found, [image["id"] for image in truth["images"]], "segm")
    keys = [f"mean_average_precision;iou={iou};overlap=mask" for iou in ("0.5:0.95", "0.5", "0.75")]
    keys += [f"mean_average_precision;iou=0.5:0.95;overlap=mask;size={size}" for size in ("small", "medium")]
    for key, value in zip(keys, judged.stats, strict=False):
        assert stated[key].value == pytest.approx(value, rel=1e-9), key
    for k, value in zip((1, 10, 100), judged.stats[6:9], strict=True):
        assert stated[f"average_recall;k={k};overlap=mask"].value == pytest.approx(value, rel=1e-9)


def test_boundaries_are_those_of_repeated_erosion():
    """Cheng et al. 2021 erode a mask in a frame of nothing as often as the boundary is wide."""
    random = np.random.default_rng(2)
    for part in (0.001, 0.02, 0.1):
        rle = ellipse(random, *random.uniform(0, 120, 2), *random.uniform(3, 60, 2))
        whole = mask_api.decode({"size": rle["size"], "counts": rle["counts"].encode()}).astype(bool)
        times = max(1, round(part * math.hypot(*whole.shape)))
        inner = ndimage.binary_erosion(whole, np.ones((3, 3)), iterations=times, border_value=0)
        mask = runs.boundary(runs.read(json.dumps(rle), ""), part)
        flat = np.zeros(whole.size, dtype=bool)
        for start, end in mask.spans.tolist():
            flat[start:end] = True
        assert np.array_equal(flat.reshape(whole.shape[::-1]).T, whole & ~inner)
        assert mask.area == int((whole & ~inner).sum())


def test_by_boundaries_no_overlap_is_larger(tmp_path):
    truth, found = drawn()
    masks = facts(from_coco(tmp_path, truth, found, {"masks": "rle"}))["mean_average_precision;iou=0.5:0.95;overlap=mask"]
    edges = facts(from_coco(tmp_path, truth, found, {"masks": "rle", "boundary": "0.02"}))["mean_average_precision;iou=0.5:0.95;overlap=boundary"]
    assert 0 < edges.value < masks.value
    everything = facts(from_coco(tmp_path, truth, found, {"masks": "rle", "boundary": "0.9"}))
    assert everything["mean_average_precision;iou=0.5:0.95;overlap=boundary"].value == masks.value


def test_masks_that_are_missing_or_damaged_are_refused(tmp_path):
    truth, found = drawn(4)
    with pytest.raises(SourceError, match="the mask is missing in 1 of"):
        from_coco(tmp_path, truth, [*found, {"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}], {"masks": "rle"})
    wrong = [{**found[0], "segmentation": {"size": [120, 160], "counts": [5, 7]}}, *found[1:]]
    with pytest.raises(SourceError, match="a mask has 12 pixels, its size is 120 x 160"):
        from_coco(tmp_path, truth, wrong, {"masks": "rle"})
    with pytest.raises(MeasureError, match="`boundary` is of `masks`"):
        from_coco(tmp_path, truth, found, {"boundary": "0.02"})


def test_polygons_are_filled_as_by_pycocotools():
    random = np.random.default_rng(8)
    for _ in range(200):
        height, width = (int(side) for side in random.integers(5, 60, 2))
        polygons = [(random.uniform(-5, 65, (int(random.integers(3, 9)), 2))).round(int(random.integers(0, 3))).ravel().tolist() for _ in range(2)]
        expected = mask_api.decode(mask_api.merge(mask_api.frPyObjects(polygons, height, width)))
        mask = runs.read(json.dumps({"polygons": polygons, "size": [height, width]}), "")
        flat = np.zeros(height * width, dtype=np.uint8)
        for start, end in mask.spans.tolist():
            assert not flat[start:end].any()
            flat[start:end] = 1
        assert np.array_equal(flat.reshape(width, height).T, expected)


def test_objects_that_are_polygons(tmp_path):
    truth, found = drawn()
    for item in truth["annotations"]:
        x, y, w, h = mask_api.toBbox({"size": [120, 160], "counts": item["segmentation"]["counts"].encode()})
        item |= {"segmentation": [[x, y, x + w, y, x + w / 2, y + h]], "iscrowd": 0, "area": float(w * h / 2)}
    stated = facts(from_coco(tmp_path, truth, found, {"masks": "rle"}))
    judged = oracle(truth, found, [image["id"] for image in truth["images"]], "segm")
    assert stated["mean_average_precision;iou=0.5;overlap=mask"].value == pytest.approx(judged.stats[1], rel=1e-9)
