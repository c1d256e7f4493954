"""Books and cards beside each other as Markdown: one function for each part of the page, for documents and for the command line alike.

In a document every figure is a link, to the fact or to the quotation; at a terminal it is its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from factbook import regimes
from factbook.comparing import cards, signs
from factbook.comparing.books import spelled
from factbook.comparing.joined import Match, Refusal, Side, join
from factbook.comparing.unsaid import Unsaid, judged, unsaid
from factbook.comparing.verdicts import Judged, judge
from factbook.documents.regions import escape
from factbook.evidence.catalog import Catalog
from factbook.evidence.quoted import DATA, SAYS, Quoted

SAID: Final = "said"
_MOST: Final = 5


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
        """What each says of itself, a row for each field that one of them speaks of."""
        rows = [("Kind", *(escape(_kind(thing, self.ours)) for thing in self.things)), ("Read from", *(self._source(thing) for thing in self.things))]
        rows += [(field.capitalize(), *(self.says(thing, field) for thing in self.things)) for field in signs.fields()]
        return _table(["", *(escape(thing.name) for thing in self.things)], rows)

    def _source(self, thing: Quoted) -> str:
        pinned = f"`{thing.digest.removeprefix('sha256:')[:12]}`"
        return f"this book, {pinned}" if thing.name == self.ours else f"{escape(thing.source)}, {pinned}"

    def beside(self, *, groups: bool = False) -> str:
        """The figures that stand side by side, of everybody or of groups, with the verdict on each difference."""
        rows = [self._row(match, found) for match, found in self.judged if bool(match.first.figure.slice) is groups]
        if not rows:
            return "" if groups else "No figure of one is of the same metric on the same data as a figure of another."
        heads = ["Figure", "First", "Second", "Difference"]
        return _table(heads, rows)

    def _row(self, match: Match, found: Judged) -> tuple[str, ...]:
        cells = [f"{escape(side.thing.name)}{self._within(side)}: {self.figure(side)}{self._quoted(side)}" for side in (match.first, match.second)]
        group = ", ".join(f"{name} = {value}" for name, value in match.first.figure.slice)
        title = escape(", ".join(part for part in (_title(match.first), group) if part))
        difference = found.difference and (f"[{escape(found.difference)}](fact:{found.key})" if self.linked else escape(found.difference))
        reason = " ".join(escape(part) for part in (found.method or found.why,) if part)
        verdict = "; ".join(part for part in (difference, escape(found.words), reason) if part)
        return f"{title}, on {self.data(match.first)} ({match.how})", *cells, verdict

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
        for item in self.joined[1]:
            first, second = (f"{escape(side.thing.name)} {self.figure(side)}{self._quoted(side)}" for side in (item.first, item.second))
            more = f" So do {item.more} more." if item.more else ""
            yield f"{escape(_title(item.first))}: {first} and {second}. They differ in {escape(_reasons(item.why))}.{more}"

    def silence(self) -> str:
        """What each leaves unsaid: what others report, and which items of a regime it does not answer."""
        lines = [line for item in self.unsaid for line in _silence(item)]
        asked = dict.fromkeys(name for thing in self.things for name in (*thing.answers, *thing.unread))
        return "\n\n".join(part for part in ("\n".join(lines), *(self._items(name) for name in asked)) if part)

    def _items(self, regime: str) -> str:
        """The items of a regime, and which of the books and cards answers which; those that all answer are left out."""
        found = regimes.load(regime)
        rows = []
        for item in judged(found):
            cells = [_answered(thing, regime, item.id) for thing in self.things]
            if set(cells) != {SAID}:
                rows.append((escape(item.ask.rpartition(" > ")[2]), *cells))
        heads = [escape(found.title), *(escape(thing.name) for thing in self.things)]
        return _table(heads, rows) if rows else f"All of them answer every item of {escape(found.title)}."

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
    metric = cards.known(side.figure.metric)
    params = ", ".join(f"{name} {value}" for name, value in side.figure.params)
    title = metric.title if metric is not None else side.figure.metric.replace("_", " ")
    return f"{title} ({params})" if params else title


def _answered(thing: Quoted, regime: str, item: str) -> str:
    if regime in thing.unread:
        return "not judged"
    return SAID if item in thing.answers.get(regime, {}) else _absent(thing)


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


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST + 1 else ""
    return "; ".join(escape(name) for name in (names[:_MOST] if more else names)) + more


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
