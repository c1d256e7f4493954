"""Documents hold no active markup and no characters that change how text reads.

Why: a document is read by people and rendered by many tools; it must not run anything, load anything, or show other words than it holds.

Bad:  <script>…</script>, <img onerror=…>, [click](javascript:…), a character that reverses the order of digits
Good: Markdown, and if need be <br>, <sub>, <sup>, <details>

Fix: take it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from factbook.documents.parse import Document
from factbook.rules import Checked, Problem, at, prose

CODE: Final = "FB601"
NAME: Final = "markup-is-inert"

_ELEMENT = re.compile(
    r"<\s*(script|iframe|frame|frameset|object|embed|applet|form|input|button|select|textarea|style|link|meta|base|svg|math|video|audio"
    r"|source|template|portal)\b",
    re.IGNORECASE,
)
_HANDLER = re.compile(r"\bon[a-z]{3,}\s*=|\bsrcdoc\s*=|\bformaction\s*=", re.IGNORECASE)
_RUNS = re.compile(r"(?:javascript|vbscript|data)\s*:|url\s*\(|expression\s*\(", re.IGNORECASE)
_SCHEMES: Final = frozenset({"javascript", "vbscript", "data", "file", "blob"})
_CONTROL = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u00ad\ufeff]")


def check(checked: Checked) -> Iterator[Problem]:
    """Look through raw HTML, link destinations and characters."""
    for document in checked.documents:
        yield from _html(document)
        for link in document.links:
            if link.scheme.lower().strip() in _SCHEMES:
                yield at(document, link.start, f"a link to {link.scheme}: is active", "link to a page or a file")
        for image in document.images:
            if image.path.partition(":")[0].lower().strip() in _SCHEMES:
                yield at(document, image.start, "this image is active", "use a file")
        text = document.source.decode()
        for match in _CONTROL.finditer(text):
            if match.start() or match.group() != "\ufeff":
                yield at(
                    document,
                    prose.byte(text, match.start()),
                    f"the character U+{ord(match.group()):04X} is not visible and changes how text reads",
                    "delete it",
                )


def _html(document: Document) -> Iterator[Problem]:
    for start, raw in prose.html(document):
        for pattern, said in ((_ELEMENT, "the element {}"), (_HANDLER, "the handler {}"), (_RUNS, "{}")):
            for match in pattern.finditer(raw):
                yield at(document, start + prose.byte(raw, match.start()), f"{said.format(match.group().strip('< ='))} is active", "take it out")
        for match in prose.TAG.finditer(raw):
            plain = re.sub(r"[\s\x00-\x20]", "", unescape(match.group()))
            if (hidden := _RUNS.search(plain)) and not _RUNS.search(match.group()):
                yield at(document, start + prose.byte(raw, match.start()), f"{hidden.group()} is active", "take it out")
