"""The rules of words as a style for Vale (https://vale.sh), which editors run while somebody writes. Every rule that defines `vale(style)` is in it.

An editor does not know quotations, denials or what was exempted, so everything there is a suggestion; `factbook check` decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from factbook import shelf
from factbook.rules.style import Style

FOLDER: Final = "factbook"
_CARRIED: Final = r"(\[[^\]]*\]\((?:claim|policy|gap|question|declared|https?):[^)]*\))"
_WRITTEN: Final = r"(?s) *(<!-- fact:part .*?<!-- /fact -->)"


def files(style: Style) -> dict[str, str]:
    """The files of the style, by path: one YAML file for each rule that has words, and a .vale.ini that uses them."""
    made = {f"{FOLDER}/{_title(rule.NAME)}.yml": "".join(_yaml(_tree(rule.CODE, rule.vale(style)))) for rule in _rules() if _words(rule.vale(style))}
    ini = f"StylesPath = .\nMinAlertLevel = suggestion\n\n[*.md]\nBasedOnStyles = {FOLDER}\nBlockIgnores = {_WRITTEN}\nTokenIgnores = {_CARRIED}\n"
    return {".vale.ini": ini, **made}


def _rules() -> list[Any]:
    return [rule for rule in shelf.modules("rules").values() if callable(getattr(rule, "vale", None))]


def _words(tree: Mapping[str, Any]) -> bool:
    return bool(tree.get("tokens") or tree.get("swap"))


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"\W", name))


def _tree(code: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in tree.items() if value not in ([], {})}
    if "tokens" in given:
        given["tokens"] = [_spaced(token) for token in given["tokens"]]
    return given | {"message": f"{given['message']} ({code})", "level": "suggestion"}


def _spaced(token: str) -> str:
    """An expression whose spaces stand for line ends too: an editor sees a paragraph as it is written."""
    return token.replace("[- ]", r"[-\s]").replace(" ", r"\s+")


def _yaml(tree: Mapping[str, Any]) -> Iterator[str]:
    """Plain YAML: texts in double quotes, whose escapes are those of JSON."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield f"{key}:\n" + "".join(f"  {_quoted(name)}: {_quoted(item)}\n" for name, item in value.items())
        elif isinstance(value, Iterable) and not isinstance(value, str):
            yield f"{key}:\n" + "".join(f"  - {_quoted(item)}\n" for item in value)
        else:
            yield f"{key}: {_quoted(value)}\n"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
