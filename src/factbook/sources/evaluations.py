"""What the readers of evaluation logs share: values of any kind as single columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_GRADES: Final = {"C": "1", "I": "0", "P": "0.5", "N": "0"}


def cell(value: Any) -> Any:
    """A value in a column: a single one as it is written in JSON, texts without quotes; lists and objects as they are."""
    return value if value is None or isinstance(value, str | list | dict) else json.dumps(value)


def plain(text: str) -> bool:
    """Whether a name can be part of the name of a column as it is."""
    return bool(text) and text.isprintable()


def prefixed(prefix: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Members as columns `prefix.name`."""
    return {f"{prefix}.{name}": cell(value) for name, value in members.items() if plain(name)}


def grade(value: Any) -> Any:
    """Inspect's grades as numbers, as its `value_to_float` reads them: C (correct) 1, P (partial) 0.5, I (incorrect) and N (no answer) 0."""
    if isinstance(value, bool):
        return str(int(value))
    return _GRADES.get(value, value) if isinstance(value, str) else cell(value)
