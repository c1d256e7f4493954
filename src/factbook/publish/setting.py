"""Words of typst: every text becomes a string literal, so that nothing in a document or in data can be taken for typst."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def string(text: str) -> str:
    """A typst string literal; control characters and other non-characters become U+FFFD."""
    clean = _CONTROL.sub("�", text.replace("\r\n", "\n").replace("\r", "\n"))
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def say(text: str) -> str:
    """A text as typst content."""
    return f"#{string(text)};" if text else ""


def call(name: str, *arguments: str, body: str | None = None) -> str:
    """A call of a typst function."""
    return f"#{name}({', '.join(arguments)})" + (f"[{body}]" if body is not None else "") + ";"
