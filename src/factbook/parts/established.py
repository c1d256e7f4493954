"""Which models differ on the same rows, and which differences are established: `<!-- fact:part established evidence=NAME -->`.

One row for every pair of models and every figure of a `comparison`. The verdict follows from the interval of the difference and from which end
of the figure is the good one; it is written again when the evidence changes, and compared with it by every check.
"""

from __future__ import annotations

from typing import Final

from factbook.documents.regions import escape
from factbook.documents.spelling import spell
from factbook.errors import DocumentError, UnknownName
from factbook.evidence.catalog import Catalog
from factbook.model import Direction, Fact, Key
from factbook.parts import Holding, Words

_DIFFERENCE: Final = "_difference"


def write(words: Words, holding: Holding) -> str:
    """The table of a comparison; a difference of folds stands in a row of its own.

    Raises:
        DocumentError: no evidence is named, or it compares no models.
        UnknownName: there is no such evidence.
    """
    name, catalog = words.only("evidence").given.get("evidence", ""), holding.catalog
    if name not in catalog.evidence.records:
        raise UnknownName("evidence", name, catalog.evidence.records)
    rows = [_row(key, catalog) for key in catalog.evidence if key.evidence == name and _compares(key)]
    if not rows:
        raise DocumentError(f"{name} compares no models", remedy="name a measurement by `comparison`")
    return "\n".join(["| Models | Figure | Difference, first less second | Verdict |", "|---|---|---|---|", *rows])


def _compares(key: Key) -> bool:
    return _DIFFERENCE in key.metric and not key.metric.endswith("_p") and "models" in dict(key.params) and not key.slice


def _row(key: Key, catalog: Catalog) -> str:
    fact = catalog.fact(key)
    first, second = dict(key.params)["models"].split(",")
    good = catalog.metric(Key(key.evidence, key.metric.partition(_DIFFERENCE)[0])).direction
    cells = (f"{escape(first)} and {escape(second)}", escape(catalog.metric(key).title), f"[{escape(spell(fact))}](fact:{key})")
    return f"| {' | '.join(cells)} | {_verdict(fact, good, first, second)} |"


def _verdict(fact: Fact, good: Direction, first: str, second: str) -> str:
    if not fact.measured or fact.low is None or fact.high is None:
        return "cannot be judged"
    if fact.low <= 0 <= fact.high:
        return "not established"
    favoured = first if (fact.low > 0) == (good is Direction.HIGHER) else second
    return f"established, in favour of {escape(favoured)}"
