"""Learning curves as a table: `<!-- fact:part learning evidence=NAME metric=f1 -->`, of a measurement by `learning`.

A row for every model and size: on the rows that it was trained on, on test rows, and the gap; below it what test rows gained from the smallest
training set to the largest. Whether a gap or gain is established follows from its interval.
"""

from __future__ import annotations

from collections.abc import Iterator

from factbook.documents.regions import escape
from factbook.documents.spelling import cell, spell
from factbook.errors import DocumentError, UnknownName
from factbook.evidence.catalog import Catalog
from factbook.model import Fact, Key, Pairs
from factbook.parts import Holding, Words

_MEASURE = "learning"


def write(words: Words, holding: Holding) -> str:
    """The table of one figure.

    Raises:
        DocumentError: the evidence holds no learning curve of the figure.
        UnknownName: there is no such evidence.
    """
    given, catalog = words.only("evidence", "metric").given, holding.catalog
    name, metric = given.get("evidence", ""), given.get("metric", "accuracy")
    if name not in catalog.evidence.records:
        raise UnknownName("evidence", name, catalog.evidence.records)
    gaps = [key for key in catalog.evidence if (key.evidence, key.metric) == (name, f"{metric}_gap")]
    if catalog.evidence.records[name].measure != _MEASURE or not gaps:
        raise DocumentError(f"{name} holds no learning curve of {metric!r}", remedy="name a measurement by `learning`, and accuracy or f1")
    title = catalog.metric(gaps[0]).title.partition(",")[0]
    heads = ["Model", "Trained on, rows", f"{title}, training", f"{title}, test", "Gap"]
    ordered = sorted(gaps, key=lambda key: (dict(key.params).get("model", ""), float(dict(key.params)["size"])))
    table = [heads, ["---"] * len(heads), *(_row(key, metric, catalog) for key in ordered)]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join(lines) + "\n\n" + "\n".join(_gains(name, metric, catalog))


def _row(gap: Key, metric: str, catalog: Catalog) -> list[str]:
    model, size = dict(gap.params).get("model", "–"), catalog.fact(Key(gap.evidence, "trained_on", gap.params))
    both = [catalog.fact(Key(gap.evidence, metric, _with(gap.params, on))) for on in ("training", "test")]
    figures = [f"[{escape(cell(fact))}](fact:{fact.key})" for fact in both]
    return [escape(model), _link(size), *figures, f"{_link(catalog.fact(gap))}, {_established(catalog.fact(gap))}"]


def _with(params: Pairs, on: str) -> Pairs:
    return tuple(sorted((*params, ("on", on))))


def _link(fact: Fact) -> str:
    return f"[{escape(spell(fact))}](fact:{fact.key})"


def _established(fact: Fact) -> str:
    if fact.low is None or fact.high is None:
        return "cannot be judged"
    return "not established" if fact.low <= 0 <= fact.high else "established"


def _gains(name: str, metric: str, catalog: Catalog) -> Iterator[str]:
    """What more training rows gave."""
    for key in sorted((key for key in catalog.evidence if (key.evidence, key.metric) == (name, f"{metric}_gain")), key=str):
        fact = catalog.fact(key)
        model = dict(key.params).get("model", "")
        named = f" with {escape(model)}" if model else ""
        yield f"- From the fewest training rows to the most, test rows gained {_link(fact)}{named}: {_established(fact)}."
