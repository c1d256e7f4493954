"""Label images of semantic segmentation: every pixel value (or palette index) is the number of a class. Declare `format: masks`.

One row for each class that occurs in an image: `image` (the file's name without suffix), `folder`, `class`, `height`, `width`, `pixels` (how many),
`rle`, the run-length encoding of its pixels, column by column, beginning with a run of others (COCO's, uncompressed). Needs Pillow.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.tables import Table

SUFFIXES: Final = ()
marked = converted.marked
_SCHEMA: Final = {
    **{"image": "VARCHAR", "folder": "VARCHAR", "class": "VARCHAR", "height": "BIGINT", "width": "BIGINT"},
    **{"pixels": "BIGINT", "rle": "VARCHAR"},
}
_MODES: Final = ("1", "L", "P", "I", "I;16")


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The classes of every image.

    Raises:
        SourceError: a file is no image of one channel.
        MissingExtra: Pillow is not there.
    """
    form = f"masks 1, {converted.pillow('label images')}"
    return converted.table(files, source, store, _SCHEMA, lambda: _records(files, source), form)


def _records(files: Sequence[Path], source: Source) -> Iterator[dict[str, Any]]:
    for name, data in converted.entries(files, source):
        labels = _labels(data, name, source)
        about = {"image": PurePosixPath(name).stem, "folder": converted.folder(name), "height": labels.shape[0], "width": labels.shape[1]}
        for label, runs in runs_of(labels):
            yield {**about, "class": str(label), "pixels": sum(runs[1::2]), "rle": json.dumps({"size": list(labels.shape), "counts": runs})}


def _labels(data: bytes, name: str, source: Source) -> Any:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.mode not in _MODES:
                raise SourceError(f"{source.uri}: {name} has mode {image.mode}, not one channel", remedy="write label images of mode L, P or I")
            return np.asarray(image).astype(np.int64)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceError(f"{source.uri}: {name} is no image ({error})", remedy="give label images, e.g. PNG") from error


def runs_of(labels: Any) -> Iterator[tuple[int, list[int]]]:
    """Each value of a label image, and the lengths of its runs as `encode` gives them for its mask."""
    flat = np.asarray(labels).T.reshape(-1)
    ends = np.flatnonzero(np.concatenate((flat[1:] != flat[:-1], [True]))) + 1
    starts = np.concatenate(([0], ends[:-1]))
    for label in np.unique(flat[starts]).tolist():
        own = flat[starts] == label
        edges = np.stack((starts[own], ends[own]), axis=1).reshape(-1)
        runs = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
        yield label, runs if runs[-1] else runs[:-1]


def encode(mask: Any) -> list[int]:
    """Lengths of the runs of a mask, column by column; the first is of pixels outside of it, and may be 0."""
    return dict(runs_of(np.asarray(mask, dtype=bool))).get(True, [int(np.size(mask))])
