"""What each leaves unsaid: items of laws and standards that it does not answer, and metrics, data sets and groups that another one reports.

Of a card it is said that nothing was *found*: a reader of headings, labels and fields does not see everything that a text may say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from factbook import regimes
from factbook.comparing import figures, signs
from factbook.evidence.quoted import Quoted
from factbook.regimes import Item, Regime


@dataclass(frozen=True)
class Unsaid:
    """What one of several leaves unsaid, of what the regimes ask and the others say.

    Attributes:
        name: of the book or card.
        items: per regime the ids of the items that it does not answer; a regime that could not be judged is left out.
        unread: per regime that could not be judged, why.
        metrics, data, groups, fields: what others report or declare and it does not.
    """

    name: str
    items: dict[str, tuple[str, ...]]
    unread: dict[str, str]
    metrics: tuple[str, ...]
    data: tuple[str, ...]
    groups: tuple[str, ...]
    fields: tuple[str, ...]

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def unsaid(things: Sequence[Quoted]) -> tuple[Unsaid, ...]:
    """What each leaves unsaid."""
    return tuple(_of(thing, [other for other in things if other.name != thing.name]) for thing in things)


def _of(thing: Quoted, others: Sequence[Quoted]) -> Unsaid:
    return Unsaid(
        name=thing.name,
        items={name: tuple(item.id for item in judged(regimes.load(name)) if item.id not in found) for name, found in thing.answers.items()},
        unread=dict(thing.unread),
        metrics=_lacks(metrics(thing), [name for other in others for name in metrics(other)]),
        data=_lacks(data(thing), [name for other in others for name in data(other)]),
        groups=_lacks(groups(thing), [name for other in others for name in groups(other)]),
        fields=tuple(field for field in signs.fields() if field not in thing.says and any(field in other.says for other in others)),
    )


def judged(regime: Regime) -> list[Item]:
    """The items of a regime that are looked for: where it is known by what a card answers, those; optional ones are left out."""
    known = set(signs.of(regime)) or set(regime.items)
    return [item for item in regime.items.values() if item.id in known and not item.optional]


def _lacks(own: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(others) if name not in own)


def metrics(thing: Quoted) -> tuple[str, ...]:
    """The titles of the metrics that it reports, overall or by group."""
    names = dict.fromkeys(figure.metric for figure in thing.figures.values())
    known = {name: figures.known(name) for name in names}
    return tuple(item.title if item is not None else name.replace("_", " ") for name, item in known.items())


def data(thing: Quoted) -> tuple[str, ...]:
    """The public data sets that it reports figures on."""
    return tuple(dict.fromkeys(item.name for item in thing.data.values() if item.name))


def groups(thing: Quoted) -> tuple[str, ...]:
    """The attributes by which it reports figures."""
    return tuple(dict.fromkeys(name for figure in thing.figures.values() for name, _ in figure.slice))
