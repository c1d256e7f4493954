"""A chart made from facts is the one that the evidence draws.

Why: nobody can check a picture by reading it.

Bad:  the SVG file was edited, or the image shows the file of another chart
Good: ![FNR by age](../evidence/figures/performance-fnr-age_band.svg "fact:chart performance metric=fnr by=age_band")

Fix: `factbook update` draws it again.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from factbook import charts
from factbook.documents.parse import Document, Image
from factbook.errors import FactbookError
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB109"
NAME: Final = "chart-is-unchanged"
_FIX: Final = "factbook update"


def check(checked: Checked) -> Iterator[Problem]:
    """Draw every chart again and compare."""
    for document in checked.documents:
        yield from _raw(document)
        for image in document.images:
            shown = posixpath.normpath(str(PurePosixPath(document.name).parent / image.path))
            if image.title.startswith("fact:"):
                yield from _chart(checked, document, image, shown)
            elif shown.startswith(charts.FOLDER):
                yield at(
                    document, image.start, f"{shown} is a chart of the evidence, and its title does not say which", f'title it "{charts.PREFIX} …"'
                )


def _raw(document: Document) -> Iterator[Problem]:
    """Charts of the evidence in raw HTML, which nothing compares."""
    for start, raw in prose.html(document):
        position = raw.find(charts.FOLDER)
        if position >= 0:
            yield at(document, start + prose.byte(raw, position), "a chart of the evidence stands in raw HTML", f'write ![…](… "{charts.PREFIX} …")')


def _chart(checked: Checked, document: Document, image: Image, shown: str) -> Iterator[Problem]:
    try:
        spec = charts.ChartSpec.parse(image.title)
        drawn = charts.render(spec, checked.catalog).encode()
    except FactbookError as error:
        yield at(document, image.start, error.message, error.remedy)
        return
    if shown != charts.path(spec):
        yield at(document, image.start, f"the image shows {shown}; this chart is {charts.path(spec)}", "mend the path or the title")
        return
    file = checked.root / shown
    if not file.is_file():
        yield at(document, image.start, f"{shown} does not exist", _FIX)
    elif file.read_bytes().replace(b"\r\n", b"\n") != drawn:
        yield at(document, image.start, f"{shown} is not what the evidence draws", _FIX)
