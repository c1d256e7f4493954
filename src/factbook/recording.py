"""`factbook.record`: what the code of a document says about itself while `factbook run` runs it. Elsewhere it keeps nothing."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Final

PLACE: Final = "FACTBOOK_RECORDED"
UNITS: Final = ("fraction", "points", "ratio", "score", "count", "quantity", "text")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")


def record(
    name: str,
    value: float | int | str,
    *,
    unit: str = "",
    n: int | None = None,
    low: float | None = None,
    high: float | None = None,
    level: float = 0.95,
) -> None:
    """Record a fact, to be cited as `fact:DOCUMENT/NAME`.

    Args:
        name: letters, digits, `_`, `-` and `.`.
        value: a number or a text; numbers of numpy are taken as they are.
        unit: fraction, points, ratio, score, count, quantity or text; count for whole numbers, score for others where nothing is said.
        n: the denominator.
        low: the lower end of its interval, if it has one.
        high: the upper end.
        level: of the interval.

    Raises:
        ValueError: a number is not finite, the interval is not one, or there is no such unit.
    """
    plain = value if isinstance(value, str) else _number(name, value)
    chosen = unit or ("text" if isinstance(plain, str) else "count" if isinstance(plain, int) else "score")
    if not _NAME.match(name) or chosen not in UNITS or (chosen == "text") is not isinstance(plain, str):
        raise ValueError(f"record({name!r}): a name of letters and digits, a value, and a unit that fits it: {', '.join(UNITS)}")
    if chosen == "count" and not isinstance(plain, int):
        raise ValueError(f"record({name!r}): a count is a whole number, not {plain}")
    ends = [None if end is None else float(_number(name, end)) for end in (low, high)]
    if (ends[0] is None) is not (ends[1] is None) or (ends[0] is not None and ends[1] is not None and not ends[0] <= ends[1]):
        raise ValueError(f"record({name!r}): an interval needs both ends, the lower one first")
    place = os.environ.get(PLACE)
    if place:
        found = {"name": name, "value": plain, "unit": chosen, "n": None if n is None else int(n), "low": ends[0], "high": ends[1], "level": level}
        with Path(place).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(found) + "\n")


def _number(name: str, value: object) -> int | float:
    """A plain number; those of numpy and its like have `item`."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, int | float) or not math.isfinite(plain):
        raise ValueError(f"record({name!r}): {value!r} is no finite number")
    return plain
