"""Books and cards beside each other as Markdown: one function for each part of the page, for documents and for the command line alike.

In a document every figure is a link, to the fact or to the quotation; at a terminal it is its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from factbook import regimes
from factbook.comparing import cards, figures, signs
from factbook.comparing.books import spelled
from factbook.comparing.joined import Match, Refusal, Side, join
from factbook.comparing.unsaid import Unsaid, judged, unsaid
from factbook.comparing.verdicts import APART, MEET, PAIRED, Judged, judge
from factbook.documents.regions import escape
from factbook.evidence.catalog import Catalog
from factbook.evidence.quoted import DATA, SAYS, Figure, Quoted
from factbook.model import Direction, Pairs, Unit

_MOST: Final = 5
_FEW: Final = 3
_ALWAYS: Final = frozenset({"parameters", "hardware", "training data", "licence"})
_NEAR: Final = 1e-9
NOTES: Final = {
    PAIRED: "Paired: from the predictions of both on the same rows.",
    APART: "Intervals apart: widened so that both hold together, whatever their dependence, they do not meet.",
    MEET: "Intervals meet: they know nothing of the rows that both share; a comparison of the predictions, row by row, would tell more.",
}


@dataclass(frozen=True)
class Comparison:
    """Several books and cards. `ours` is the name of the one whose facts are measured here, '' where all are quoted."""

    things: tuple[Quoted, ...]
    ours: str = ""
    catalog: Catalog | None = None
    linked: bool = False

    @cached_property
    def joined(self) -> tuple[list[Match], list[Refusal]]:
        """What stands side by side, and what does not."""
        return join(self.things, self.ours)

    @cached_property
    def judged(self) -> list[tuple[Match, Judged]]:
        """What stands side by side, with the verdict on each difference."""
        return [(match, judge(match, self.catalog)) for match in self.joined[0]]

    @cached_property
    def unsaid(self) -> tuple[Unsaid, ...]:
        """What each leaves unsaid."""
        return unsaid(self.things)

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "things": [_thing(item) for item in self.things],
            "side_by_side": [
                {
                    "first": match.first.tree(),
                    "second": match.second.tree(),
                    "data": match.how,
                    "verdict": str(found.verdict),
                    "favours": found.favours,
                    "difference": found.difference,
                    "method": found.method,
                    "why": found.why,
                }
                for match, found in self.judged
            ],
            "refused": [item.tree() for item in self.joined[1]],
            "unsaid": [item.tree() for item in self.unsaid],
        }

    # --- words and links ---

    def figure(self, side: Side) -> str:
        """The text of a figure, linked in documents."""
        text = escape(spelled(side.figure))
        if not self.linked:
            return text
        return f"[{text}](fact:{side.figure.id})" if side.ours else f"[{text}](quoted:{side.thing.name}/{side.figure.id})"

    def says(self, thing: Quoted, field: str) -> str:
        """What a book or card says in a field."""
        if field not in thing.says:
            return _absent(thing)
        text = escape(thing.says[field].text)
        return f"[{text}](quoted:{thing.name}/{SAYS}{field.replace(' ', '_')})" if self.linked and thing.name != self.ours else text

    def data(self, side: Side) -> str:
        """The data of a figure in words."""
        text = escape(side.data.words)
        quoted = self.linked and not side.ours and side.figure.data
        return f"[{text}](quoted:{side.thing.name}/{DATA}{side.figure.data})" if quoted else text

    # --- parts ---

    def declared(self) -> str:
        """What each says of itself, a few of them in a table: a row for each field that always counts, or that one of them speaks of."""
        fields = [field for field in signs.fields() if field in _ALWAYS or any(field in thing.says for thing in self.things)]
        silent = [field for field in signs.fields() if field not in fields]
        few = [self.things[start : start + _FEW] for start in range(0, len(self.things), _FEW)]
        tables = [self._declared(things, fields) for things in few]
        return "\n\n".join([*tables, *([f"Nothing was found in any of them on: {_listed(silent, every=True)}."] if silent else [])])

    def _declared(self, things: Sequence[Quoted], fields: Sequence[str]) -> str:
        rows = [("Kind", *(escape(_kind(thing, self.ours)) for thing in things)), ("Read from", *(self._source(thing) for thing in things))]
        rows += [(field.capitalize(), *(self.says(thing, field) for thing in things)) for field in fields]
        return _table(["", *(escape(thing.name) for thing in things)], rows)

    def _source(self, thing: Quoted) -> str:
        pinned = f"`{thing.digest.removeprefix('sha256:')[:12]}`"
        return f"this book, {pinned}" if thing.name == self.ours else f"{escape(thing.source)}, {pinned}"

    def beside(self, *, groups: bool = False, metrics: Sequence[str] = ()) -> str:
        """The figures that stand side by side, of everybody or of groups, with the verdict on each difference: a table for two things on the same
        data, and one for what is left. Of `metrics` those that are there, if any is; the others are named. What only turns another figure round
        (1 - recall beside recall) is left out.
        """
        found = [(match, judged) for match, judged in self.judged if bool(match.first.figure.slice) is groups and not _turned(match)]
        if not found:
            return "" if groups else "No figure of one is of the same metric on the same data as a figure of another."
        shown = [item for item in found if item[0].first.figure.metric in metrics] or found
        left = dict.fromkeys(_title(match.first) for match, _ in found if match not in [item for item, _ in shown])
        notes = dict.fromkeys(note for _, judged in shown if (note := NOTES.get(judged.basis)))
        also = [f"Also side by side, and not shown: {_listed(list(left), every=True)}."] if left else []
        return "\n\n".join([*self._sheets(shown), *([" ".join(notes)] if notes else []), *also])

    def _sheets(self, shown: Sequence[tuple[Match, Judged]]) -> Iterator[str]:
        """The tables: one for each two things and their data with a few figures or more, then one for all others."""
        sheets: dict[tuple[str, ...], list[tuple[Match, Judged]]] = {}
        for match, found in shown:
            sheets.setdefault((match.first.thing.name, match.second.thing.name, self._on(match)), []).append((match, found))
        for (first, second, data), items in sheets.items():
            if len(items) >= _FEW:
                heads = [f"{escape(side.thing.name)}{self._quoted(side)}" for side in (items[0][0].first, items[0][0].second)]
                rows = [(self._named(match), *self._figures(match), self._verdict(found)) for match, found in items]
                yield f"{escape(first)} and {escape(second)}, both on {data}:"
                yield _table(["Figure", *heads, "Difference"], rows)
        if rest := [item for items in sheets.values() if len(items) < _FEW for item in items]:
            yield _table(["Figure", "First", "Second", "Difference"], [self._row(match, found) for match, found in rest])

    def _row(self, match: Match, found: Judged) -> tuple[str, ...]:
        sides = zip((match.first, match.second), self._figures(match), strict=True)
        cells = [f"{escape(side.thing.name)}: {text}{self._quoted(side)}" for side, text in sides]
        return f"{self._named(match)}, on {self._on(match)}", *cells, self._verdict(found)

    def _on(self, match: Match) -> str:
        return f"{self.data(match.first)} ({match.how})"

    def _figures(self, match: Match) -> tuple[str, ...]:
        return tuple(f"{self.figure(side)}{self._within(side)}" for side in (match.first, match.second))

    @staticmethod
    def _named(match: Match) -> str:
        group = ", ".join(f"{name} = {value}" for name, value in match.first.figure.slice)
        return escape(", ".join(part for part in (_title(match.first), group) if part))

    def _verdict(self, found: Judged) -> str:
        difference = found.difference and (f"[{escape(found.difference)}](fact:{found.key})" if self.linked else escape(found.difference))
        return "; ".join(part for part in (difference, f"{escape(found.words)}{f' ({_basis(found)})' if found.basis else ''}") if part)

    def _within(self, side: Side) -> str:
        """Which measurement it is, where a book has several of that metric on the same data."""
        fact = side.figure.fact
        if fact is None:
            return ""
        alike = {
            item.fact.key.evidence
            for item in side.thing.figures.values()
            if item.fact is not None and (item.metric, item.data, item.slice) == (side.figure.metric, side.figure.data, side.figure.slice)
        }
        return f" ({escape(fact.key.evidence)})" if len(alike) > 1 else ""

    def _quoted(self, side: Side) -> str:
        """Marks what was not measured here; where nothing is, only what nobody with a book measured."""
        return " (quoted)" if not side.ours and (self.linked or side.figure.fact is None) else ""

    def apart(self) -> str:
        """The figures of one name that do not stand side by side, with what differs."""
        return "\n".join(f"- {line}" for line in self._refused())

    def _refused(self) -> Iterator[str]:
        """One line for a metric of two things: the pair that differs least, and how many more there are."""
        alike: dict[tuple[str, str, str], list[Refusal]] = {}
        for item in self.joined[1]:
            alike.setdefault((item.first.thing.name, item.second.thing.name, item.first.figure.metric), []).append(item)
        for items in alike.values():
            item = min(items, key=lambda found: len(found.why))
            first, second = (f"{escape(side.thing.name)} {self.figure(side)}{self._quoted(side)}" for side in (item.first, item.second))
            others = sum(found.more + 1 for found in items) - 1
            more = f" Nor do {others} more of this metric match." if others else ""
            yield f"{escape(_title(item.first))}: {first} and {second}. They differ in {escape(_reasons(item.why))}.{more}"

    def silence(self) -> str:
        """What each leaves unsaid: what others report, and which items of a regime it does not answer."""
        lines = [line for item in self.unsaid for line in _silence(item)]
        asked = dict.fromkeys(name for thing in self.things for name in (*thing.answers, *thing.unread))
        return "\n\n".join(part for part in ("\n".join(lines), *(self._items(name) for name in asked)) if part)

    def _items(self, regime: str) -> str:
        """The items of a regime by who answers them; of those that nobody answers the first, those that all answer not at all."""
        found, names = regimes.load(regime), [thing.name for thing in self.things if regime not in thing.unread]
        rows, silent = [], []
        for item in judged(found):
            answered = [thing.name for thing in self.things if item.id in thing.answers.get(regime, {})]
            missing = [name for name in names if name not in answered]
            ask = item.ask.rpartition(" > ")[2]
            if not answered:
                silent.append(ask)
            elif missing:
                rows.append((escape(ask), *(", ".join(map(escape, part)) for part in (answered, missing))))
        table = _table([f"Asked by {escape(found.title)}", "An answer was found in", "None was found in"], rows) if rows else ""
        nobody = f"None of them answers what {escape(found.title)} also asks: {_listed(silent)}" if silent else ""
        unread = [
            f"{escape(thing.name)} was not judged by {escape(found.title)}: {escape(thing.unread[regime])}."
            for thing in self.things
            if regime in thing.unread
        ]
        return "\n\n".join(part for part in (table, nobody, *unread) if part)

    def markdown(self) -> str:
        """The whole page."""
        names = " and ".join(escape(thing.name) for thing in self.things)
        parts = [f"# {names}", self.declared(), "## Side by side", self.beside(), self.beside(groups=True)]
        parts += ["## Not set side by side", self.apart() or "Nothing was refused.", "## What is not said", self.silence()]
        return "\n\n".join(part for part in parts if part) + "\n"


def _thing(thing: Quoted) -> dict[str, Any]:
    says = {field: {"text": passage.text, "place": passage.place} for field, passage in thing.says.items()}
    return {"name": thing.name, "kind": thing.kind, "source": thing.source, "digest": thing.digest, "says": says}


def _reasons(why: Sequence[str]) -> str:
    """`data: …` and `unit: …` as `data (…) and unit (…)`."""
    parts = [reason.partition(": ") for reason in why]
    return " and ".join(f"{what} ({said})" for what, _, said in parts)


def _kind(thing: Quoted, ours: str) -> str:
    title = f", {thing.title}" if thing.title else ""
    if thing.kind == cards.KIND:
        return f"published card{title}"
    return f"{'this book' if thing.name == ours else 'book'}{title}{f' {thing.version}' if thing.version else ''}"


def _title(side: Side) -> str:
    metric = figures.known(side.figure.metric)
    params = ", ".join(f"{name} {value}" for name, value in side.figure.params)
    title = metric.title if metric is not None else side.figure.metric.replace("_", " ")
    return f"{title} ({params})" if params else title


def _absent(thing: Quoted) -> str:
    """A book that says nothing says nothing; of a card, nothing was found where a reader looks."""
    return "not found" if thing.kind == cards.KIND else "not said"


def _silence(item: Unsaid) -> Iterator[str]:
    """The line about one book or card."""
    found = [
        f"{words} {_listed(names)}"
        for words, names in (("no figure of", item.metrics), ("no figure on the data of", item.data), ("no figure by", item.groups))
        if names
    ]
    if found:
        yield f"- **{escape(item.name)}**: {', '.join(found)}, which another one has"


def _listed(names: Sequence[str], *, every: bool = False) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST + 1 and not every else ""
    return "; ".join(escape(name) for name in (names[:_MOST] if more else names)) + more


def _basis(found: Judged) -> str:
    return found.basis if found.level is None else f"{found.basis}, {found.level * 100:.4g} %"


def _turned(match: Match) -> bool:
    """Whether the same two report the figure that this one is one minus of: FNR beside recall."""
    return all(_complemented(side) for side in (match.first, match.second))


def _complemented(side: Side) -> bool:
    figure = side.figure
    if figure.fact is None or figure.fact.direction is not Direction.LOWER or figure.value is None or figure.fact.unit is not Unit.FRACTION:
        return False
    alike = (item for item in side.thing.figures.values() if item.fact is not None and (item.data, item.slice, item.params) == _place(figure))
    return any(item.fact.n == figure.fact.n and item.fact.unit is Unit.FRACTION and _one(item, figure) for item in alike if item.fact is not None)


def _place(figure: Figure) -> tuple[str, Pairs, Pairs]:
    return figure.data, figure.slice, figure.params


def _one(item: Figure, figure: Figure) -> bool:
    return item.value is not None and figure.value is not None and abs(item.value + figure.value - 1) < _NEAR and item.metric != figure.metric


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
