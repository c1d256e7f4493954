"""Object detection in the format of COCO (Lin et al. 2014, ECCV, 740): an annotations file, or a results file. Declare `format: coco`.

Annotations become one row an object, and one row (without a `class`) for an image without objects: `image`, `class` (the id of the category), `name`,
the box `x y w h`, `area`, `crowd`, `rle`, and whatever else the file says of the image in texts or numbers (`file_name`, `width`, …), for slices.
Results become one row a detection: `image`, `class`, `x y w h`, `score`, `rle`. `rle` is a mask in
run-length encoding, or of an object the polygons that enclose it with the `size` of the image.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.tables import Table

SUFFIXES: Final = ()
_TEXT: Final = {"image": "VARCHAR", "class": "VARCHAR"}
_BOX: Final = {"x": "DOUBLE", "y": "DOUBLE", "w": "DOUBLE", "h": "DOUBLE", "rle": "VARCHAR"}
_TRUTH: Final = {**_TEXT, "name": "VARCHAR", **_BOX, "area": "DOUBLE", "crowd": "DOUBLE"}
_RESULT: Final = {**_TEXT, **_BOX, "score": "DOUBLE"}


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The objects, or the detections, of one or several files.

    Raises:
        SourceError: a file is neither annotations nor results, or an entry lacks what it needs.
    """
    trees = [_tree(path) for path in files]
    results = all(isinstance(tree, list) for tree in trees)
    if not results and any(isinstance(tree, list) for tree in trees):
        raise SourceError(f"{source.uri}: annotations and results in one source", remedy="declare two sources")
    schema, rows = (_RESULT, _detections) if results else (_TRUTH, _objects)
    return converted.table(files, source, store, schema, lambda: _records(files, trees, rows), "coco 2")


def _tree(path: Path) -> Any:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON ({error})", remedy="write it again") from error
    if not isinstance(tree, list) and not (isinstance(tree, dict) and {"images", "annotations", "categories"} <= set(tree)):
        raise SourceError(f"{path}: neither annotations (images, annotations, categories) nor a list of results", remedy="give a COCO file")
    return tree


def _records(files: Sequence[Path], trees: Sequence[Any], rows: Any) -> Iterator[dict[str, Any]]:
    for path, tree in zip(files, trees, strict=True):
        try:
            yield from rows(tree)
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{path}: an entry cannot be read ({type(error).__name__}: {error})", remedy="write it as COCO does") from error


def _detections(tree: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in tree:
        yield {"image": str(item["image_id"]), "class": str(item["category_id"]), **_shape(item), "score": float(item["score"])}


def _objects(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = {item["id"]: str(item["name"]) for item in tree["categories"]}
    images = {item["id"]: _described(item) for item in tree["images"]}
    if len(images) < len(tree["images"]):
        raise ValueError(f"{len(tree['images']) - len(images)} images have the id of another one")
    sizes = {item["id"]: [item["height"], item["width"]] for item in tree["images"] if {"height", "width"} <= set(item)}
    empty = dict.fromkeys(images)
    for item in tree["annotations"]:
        if item["category_id"] not in names or item["image_id"] not in images:
            raise ValueError(f"annotation {item.get('id')} is of an image or a category that the file does not list")
        empty.pop(item["image_id"], None)
        about = {"class": str(item["category_id"]), "name": names[item["category_id"]], "crowd": float(item.get("iscrowd", 0))}
        yield {
            **images[item["image_id"]],
            **about,
            **_shape(item, sizes.get(item["image_id"])),
            **({"area": float(item["area"])} if "area" in item else {}),
        }
    for image in empty:
        yield {**images[image]}


def _described(item: Mapping[str, Any]) -> dict[str, Any]:
    """What the file says of an image in single values."""
    known = {name: str(value) for name, value in item.items() if isinstance(value, str | int | float) and name not in (*_TRUTH, "id", "score")}
    return {"image": str(item["id"]), **known}


def _shape(item: Mapping[str, Any], size: Sequence[int] | None = None) -> dict[str, Any]:
    box = item.get("bbox")
    mask = item.get("segmentation")
    found: dict[str, Any] = {}
    if box is not None:
        x, y, w, h = (float(end) for end in box)
        found |= {"x": x, "y": y, "w": w, "h": h}
    if isinstance(mask, list) and mask and size is not None:
        mask = {"polygons": mask, "size": size}
    return found | ({"rle": json.dumps(mask, sort_keys=True)} if isinstance(mask, dict) else {})
