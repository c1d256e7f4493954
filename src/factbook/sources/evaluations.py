"""What the readers of evaluation logs share: values of any kind as single columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from factbook.sources.tables import Table, connect, quote

_GRADES: Final = {"C": "1", "I": "0", "P": "0.5", "N": "0"}
_WORDS: Final = {"yes": "1", "true": "1", "no": "0", "false": "0"}


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
    """Inspect's grades as numbers, as its `value_to_float` reads them.

    C (correct), yes and true are 1, P (partial) 0.5, I (incorrect), N (no answer), no and false 0.
    """
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, str):
        return cell(value)
    return _GRADES.get(value, _WORDS.get(value.lower(), value))


def runs(table: Table, store: Path) -> list[tuple[str, str, str, int]]:
    """The tasks, models and filters in a log, and the least number of outputs that a sample has in each; '' where the log does not say one."""
    names = ", ".join(f"coalesce(\"{name}\", '')" if name in table.names else "''" for name in ("task", "model", "filter"))
    each = f"SELECT {names}, sample, count(output) FROM ({table.sql}) GROUP BY ALL"
    sql = f"SELECT task, model, filter, min(n) FROM ({each}) AS each(task, model, filter, sample, n) WHERE n > 0 GROUP BY ALL ORDER BY ALL"
    return [(task, model, filtered, int(n)) for task, model, filtered, n in connect(store).execute(sql).fetchall()]


def shares(table: Table, store: Path, names: Sequence[str]) -> list[str]:
    """Those of some columns of numbers whose values all lie between 0 and 1."""
    if not names:
        return []
    parts = ", ".join(f"coalesce(bool_and(TRY_CAST({quote(name)} AS DOUBLE) BETWEEN 0 AND 1), false)" for name in names)
    found = connect(store).execute(f"SELECT {parts} FROM ({table.sql})").fetchone()
    return [name for name, inside in zip(names, found, strict=True) if inside]
