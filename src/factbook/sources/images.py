"""Images in folders or a zip archive, one row an image: what it is, and what tells it from others. Declare `format: images`.

`file`, `folder` (often the class); `format` (JPEG, PNG, …), `mode` (RGB, L, …), `width`, `height`, `aspect` (width / height); `brightness` and
`contrast`, mean and standard deviation of the luma of ITU-R BT.601 on a scale of 0 to 1, missing where 32-bit or floating-point values have no known
scale; `pixels`, a digest of mode, size and pixel values, and `hash`, a perceptual hash of 64 bits, of images of more than 8 bits stretched from their
least to their largest value; `error` says why a file cannot be read. Pixel values are those that are stored: orientation tags are not applied; of an
animation the first frame counts. Needs Pillow.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from factbook.manifest import Source
from factbook.sources import converted
from factbook.sources.tables import Table

SUFFIXES: Final = ()
marked = converted.marked
_SCHEMA: Final = {
    **{"file": "VARCHAR", "folder": "VARCHAR", "format": "VARCHAR", "mode": "VARCHAR", "width": "BIGINT", "height": "BIGINT", "aspect": "DOUBLE"},
    **{"brightness": "DOUBLE", "contrast": "DOUBLE", "pixels": "VARCHAR", "hash": "VARCHAR", "error": "VARCHAR"},
}
_SIDE: Final = 8
_FINE: Final = 32
_DEEP: Final = ("I", "F")
_16_BITS: Final = (1 << 16) - 1


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """One row a file (or member of an archive); one that is no image is a row with an `error`.

    Raises:
        MissingExtra: Pillow is not there.
    """
    form = f"images 2, {converted.pillow('images')}"
    return converted.table(files, source, store, _SCHEMA, lambda: _records(files, source), form)


def _records(files: Sequence[Path], source: Source) -> Iterator[dict[str, Any]]:
    for name, data in converted.entries(files, source):
        yield {"file": name, "folder": converted.folder(name), **_described(data)}


def _described(data: bytes) -> dict[str, Any]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            width, height = image.size
            known = {"format": image.format, "mode": image.mode, "width": width, "height": height, "aspect": round(width / height, 12)}
            own = f"{image.mode} {width} {height} ".encode() + image.tobytes()
            if image.mode == "P":
                own += bytes(image.getpalette() or ())
            grey, luma, white = _grey(image)
    except MemoryError:
        raise
    except Exception as error:  # of damaged files, Pillow's readers raise whatever their parsing runs into
        return {"error": type(error).__name__}
    known |= {"pixels": hashlib.sha256(own).hexdigest()[:32], "hash": f"{perceptual(grey):016x}"}
    return known | (_light(luma, white) if white else {})


def _grey(image: Any) -> tuple[Any, Any, int]:
    """The image in grey, its luma, and the luma of white; 0 where no scale is known."""
    from PIL import Image

    if image.mode[:1] not in _DEEP:
        grey = image.convert("L")
        return grey, np.asarray(grey, dtype=np.int64), 255
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, width = values.min(), max(np.ptp(values), 1e-300)
    stretched = Image.fromarray(((values - low) / width * 255).astype(np.float32))
    known = image.mode.startswith("I;16") or image.format == "PNG"
    return stretched, values.astype(np.int64) if known else values, _16_BITS if known else 0


def _light(luma: Any, white: int) -> dict[str, float]:
    """Brightness and contrast."""
    n, total, squares = luma.size, int(luma.sum()), int((luma * luma).sum())
    spread = max(n * squares - total * total, 0) ** 0.5 / n
    return {"brightness": round(total / n / white, 12), "contrast": round(spread / white, 12)}


def perceptual(grey: Any) -> int:
    """The 64 bits of pHash: which of the 8 x 8 lowest frequencies of the image at 32 x 32 are above their median (Zauner 2010, Implementation and
    Benchmarking of Perceptual Image Hash Functions, section 3.2.1; as in ImageHash).
    """
    from PIL import Image

    pixels = np.asarray(grey.resize((_FINE, _FINE), Image.Resampling.LANCZOS), dtype=np.float64)
    basis = np.cos(np.pi * np.outer(np.arange(_SIDE), 2 * np.arange(_FINE) + 1) / (2 * _FINE))
    low = np.round(basis @ pixels @ basis.T, 6)
    bits = (low > np.median(low)).reshape(-1)
    return int("".join("1" if bit else "0" for bit in bits), 2)
