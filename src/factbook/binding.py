"""Binds the numbers of a document that was written without factbook: proposes, for each, the fact that it is.

A fact is proposed where its value is what is written, within the written precision, *and* the words around the number name its metric and its group.
Where several facts are left, or none is named, nothing is chosen: the candidates are listed. What no fact stands behind is listed as unproven.
"""

from __future__ import annotations

import bisect
import difflib
import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from factbook import canon, measures
from factbook.documents import agreement, model_index, parse, shapes
from factbook.documents.model_index import Result
from factbook.documents.parse import Document, Kind
from factbook.documents.spelling import exact, spell
from factbook.errors import FactbookError
from factbook.evidence.catalog import Catalog
from factbook.model import Fact, Key, Metric
from factbook.rules import Checked, NotJudged, prose
from factbook.rules.groups import attributes, mentions
from factbook.rules.metric_is_its_own import BETWEEN, called, spelling
from factbook.rules.number_is_bound import Unbound, unbound

_LEAD: Final = re.compile(
    rf"(?:(?:{'|'.join(shapes.APPROXIMATIONS.values())})|n\s*=\s*|[\[(]?\d+(?:\.\d+)?\s?%\s*(?:-\s*)?(?:CI|confidence interval)\s*:?\s*|\[)\Z",
    re.IGNORECASE,
)
_SIGN: Final = re.compile(r"(?:^|(?<=[\s(\[:=|]))[-+−]\Z")
_END: Final = re.compile(r"[\d%)\]‰]|(?:per ?cent|percent|points?|pp|thousand|million|billion|trillion)\b", re.IGNORECASE)
_SIZES: Final = frozenset({"n", "cases", "support", "count", "samples", "examples", "rows", "instances", "size"})
_CASES: Final = frozenset({"cases", "rows", "samples", "examples", "instances", "records", "items"})
_INTERVAL: Final = re.compile(r"\bCI\b|\binterval\b|\bconfidence\b", re.IGNORECASE)
_REACH: Final = 70
_SHOWN: Final = 5
_TELLING: Final = 3
_MARKS: Final = (b"**", b"__", b"~~", b"*", b"_", b"`")


class State(StrEnum):
    """What became of a number."""

    BOUND = "bound"
    BY_HAND = "by hand"
    AMBIGUOUS = "ambiguous"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact that a number may be, and what speaks for it besides the value."""

    key: str
    fact: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the document, where it stands, and what it may be; `note` says what a person has to know to decide."""

    line: int
    column: int
    text: str
    state: State
    candidates: tuple[Candidate, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A result of the card's `model-index`: a person's number, with the fact that bears it out or contradicts it."""

    result: Result
    fact: str = ""
    note: str = "no fact says this"


@dataclass(frozen=True)
class Bound:
    """A document with its numbers bound as far as that can be told. `name` is the file as it was given."""

    name: str
    before: bytes
    after: bytes
    numbers: tuple[Number, ...]
    declared: tuple[Declared, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()

    def of(self, state: State) -> tuple[Number, ...]:
        """The numbers in that state."""
        return tuple(number for number in self.numbers if number.state is state)

    @property
    def patch(self) -> str:
        """The change as a unified patch, which `git apply` and `patch -p1` take; '' where there is none."""
        before, after = (re.findall(r"[^\n]*\n|[^\n]+", text.decode()) for text in (self.before, self.after))
        name = self.name.lstrip("/")
        lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    @property
    def declarations(self) -> str:
        """The results of the `model-index` as the `declared` section of factbook.yaml."""
        return model_index.declarations(tuple(item.result for item in self.declared))

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "file": self.name,
            "counts": {state.value: len(self.of(state)) for state in State},
            "numbers": [asdict(number) for number in self.numbers],
            "declared": [asdict(item) for item in self.declared],
            "not_judged": [str(item) for item in self.not_judged],
            "patch": self.patch,
        }


def bind(document: Document, checked: Checked, name: str = "") -> Bound:
    """Propose a fact for every number of a document that nothing stands behind. Pure; nothing is written."""
    binder = _Binder(document, checked.catalog)
    found = list(unbound(checked, document))
    proposals = list(binder.proposals([item for item in found if isinstance(item, Unbound)]))
    after, held = _written(document, [item for item in proposals if item.number.state is State.BOUND])
    numbers = [item.number if item.number.state is not State.BOUND or item.start in held else _by_hand(item.number) for item in proposals]
    results = model_index.results(document.front, document.name)
    passed = model_index.passed_over(document.front)
    unread = [NotJudged(f"{passed} results of the model-index", "they have no name, or no single number", document.name, 1)] if passed else []
    return Bound(
        name=name or document.name,
        before=document.source,
        after=after,
        numbers=tuple(sorted(numbers, key=lambda number: (number.line, number.column))),
        declared=tuple(_borne_out(result, checked.catalog) for result in results),
        not_judged=(*unread, *(item for item in found if isinstance(item, NotJudged))),
    )


def _by_hand(number: Number) -> Number:
    return replace(number, state=State.BY_HAND, note="a link cannot stand here; write the sentence so that one can")


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A number with the bytes that a link to its first candidate would take."""

    number: Number
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a number: the characters of its block that it takes, and the facts whose value it is."""

    start: int
    end: int
    text: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class _Near:
    """The words around a number: right before it, in its sentence or its row and column, and in the headings above it."""

    before: str
    beside: tuple[str, ...]
    above: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """How much speaks for a fact, the metric first, and in what words."""

    fact: Fact
    metric: int
    group: int
    place: int
    why: tuple[str, ...]

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.metric, self.group, self.place


class _Binder:
    """Finds the facts for the numbers of one document."""

    def __init__(self, document: Document, catalog: Catalog) -> None:
        self.document, self.catalog = document, catalog
        facts = [fact for fact in catalog.facts() if fact.measured and isinstance(fact.value, int | float)]
        self.facts = sorted(facts, key=lambda fact: exact(_value(fact)))
        self.values = [exact(_value(fact)) for fact in self.facts]
        self.rows = {cell.start: (row[0].text, number) for row in prose.rows(document) for number, cell in enumerate(row)}
        self.heads = _heads(document)

    def proposals(self, found: Sequence[Unbound]) -> Iterator[_Proposal]:
        """One for each number; what belongs to a number that was read already (its interval, its n) is not another."""
        taken: dict[int, int] = {}
        for item in sorted(found, key=lambda item: (item.offset, item.position)):
            line, column = self.document.place(item.offset)
            if item.text is None:
                yield _Proposal(Number(line, column, item.said, State.UNPROVEN, note=f"it stands{item.where}"))
            elif item.position >= taken.get(id(item.text), 0):
                reading = self.reading(item)
                taken[id(item.text)] = reading.end
                yield self.proposal(item, reading, item.text)

    def reading(self, item: Unbound) -> _Reading:
        """The longest text from the number on that is some fact; else the longest that the grammar reads."""
        first: _Reading | None = None
        for reading in _readings(item):
            facts = tuple(self.agreeing(reading.text))
            if facts:
                return replace(reading, facts=facts)
            first = first or reading
        return first or _Reading(item.position, item.position + max(len(item.said), 1), item.said)

    def agreeing(self, text: str) -> Iterator[Fact]:
        """The facts that a text can be the text of."""
        shape = shapes.read(text)
        for fact in self.near(shape):
            if agreement.disagreement(text, fact, self.catalog.thresholds_for(fact.key)) is None:
                yield fact

    def near(self, shape: shapes.Shape) -> Sequence[Fact]:
        """The facts whose value is about what is written: a twentieth off at most, whatever `over` and `under` would allow."""
        number, scale = shape.main, shapes.scale_of(shape)
        if number is None or shape.joint:
            wanted = shape.other or shape.n
            return [fact for fact in self.facts if wanted is None or wanted.value in (fact.n, fact.counts.get("n")) or shape.joint == "in"]
        value, slack = number.value * scale, number.ulp * scale + abs(number.value * scale) * agreement.ABOUT
        return self.facts[bisect.bisect_left(self.values, value - slack) : bisect.bisect_right(self.values, value + slack)]

    def proposal(self, item: Unbound, reading: _Reading, text: prose.Text) -> _Proposal:
        """What is to become of a number."""
        line, column = self.document.place(text.offset(reading.start))
        near = self.words(item, reading, text)
        standing = self.sizes(reading, near) or self.ends(reading, near) or self.standing(reading.facts, near, telling=_telling(reading))
        number = Number(line, column, " ".join(reading.text.split()), State.UNPROVEN)
        named = [one for one in standing if one.metric]
        candidates = tuple(Candidate(str(one.fact.key), spell(one.fact), one.why) for one in (named or standing)[:_SHOWN])
        if _clear(named):
            start, end = _bytes(self.document.source, text, reading)
            return _Proposal(replace(number, state=State.BOUND, candidates=candidates[:1], note=_also(named)), start, end)
        if named or (standing and _digits(reading.text) >= _TELLING):
            return _Proposal(replace(number, state=State.AMBIGUOUS, candidates=candidates, note=_unclear(named)))
        if (shares := self.shares(reading, near)) and _clear(shares):
            held = (Candidate(str(shares[0].fact.key), spell(shares[0].fact), shares[0].why),)
            return _Proposal(replace(number, state=State.BY_HAND, candidates=held, note=f"the column says %: write “{number.text} %” in the cell"))
        coincidence = f"facts with this value that no word names: {len(standing)}" if standing else ""
        return _Proposal(replace(number, note=(_rate(reading.text) and self.otherwise(near)) or coincidence))

    def words(self, item: Unbound, reading: _Reading, text: prose.Text) -> _Near:
        """The words around a number."""
        block = next(block for block in self.document.blocks if block.start <= text.offsets[reading.start] < block.end and block.pieces)
        section = self.document.section_at(block.start)
        above = f"{section.title} {self.document.title}" if section else ""
        start, end = next(((a, b) for a, b in prose.sentences(item.shown) if a <= reading.start < b), (0, len(item.shown)))
        before, beside = item.shown[start : reading.start], [item.shown[start : reading.start], item.shown[reading.end : end]]
        if block.kind is Kind.CELL:
            row, number = self.rows.get(block.start, ("", 0))
            head = self.heads.get(block.start, {}).get(number, "")
            beside += [row if number else "", head]
        return _Near(before, tuple(beside), above)

    def sizes(self, reading: _Reading, near: _Near) -> list[_Standing]:
        """In a column of sizes (n), the denominators of the facts that the row names."""
        if not _SIZES & {word for part in near.beside[3:] for word in _plain(part).split()} or not reading.text.strip().isdigit():
            return []
        last = self.last(near)
        wanted = [fact for fact in self.named(near) if fact.n == int(reading.text)]
        fields = [self.catalog.fact(replace(fact.key, field="n")) for fact in wanted]
        said = self.groups(near)
        if not last and said:  # the size of the group itself
            fields = [fact for fact in self.facts if fact.key.metric == "rows" and set(fact.key.slice) == said and fact.value == int(reading.text)]
            fields.sort(key=lambda fact: self.order(fact.key))
        return [_Standing(fact, 2, 2, 0, (f"“{last}” names it" if last else "its row names the group", "the column says n")) for fact in fields[:1]]

    def named(self, near: _Near) -> list[Fact]:
        """The facts of the metric and the groups that the words name, in the order of the plan."""
        said, last = self.groups(near), self.last(near)
        facts = [fact for fact in self.facts if set(fact.key.slice) == said and not fact.key.params and last in self.called(fact.key)] if last else []
        return sorted(facts, key=lambda fact: self.order(fact.key))

    def ends(self, reading: _Reading, near: _Near) -> list[_Standing]:
        """In a column of intervals without brackets, the ends of the interval of the fact that the row names."""
        if not any(_INTERVAL.search(part) for part in near.beside[3:]):
            return []
        for fact in self.named(near):
            for field in ("low", "high") if fact.interval else ():
                end = self.catalog.fact(replace(fact.key, field=field))
                if agreement.disagreement(reading.text, end) is None:
                    return [_Standing(end, 2, 2, 0, (f"“{self.last(near)}” names it", "the column says interval"))]
        return []

    def shares(self, reading: _Reading, near: _Near) -> list[_Standing]:
        """What a bare number would be with the per cent sign that only its column or row has."""
        if not re.fullmatch(r"\d+(?:\.\d+)?", reading.text) or not any("%" in part for part in near.beside[2:]):
            return []
        return self.standing(tuple(self.agreeing(f"{reading.text} %")), near, telling=False)

    def called(self, key: Key) -> frozenset[str]:
        """What the metric of a fact is called; the number of rows also by what its rows are."""
        own = frozenset(_called(self.catalog.metric(key.whole())))
        record = self.catalog.evidence.records.get(key.evidence)
        if key.metric != "rows" or record is None:
            return own
        units = {self.catalog.manifest.sources[item.source].unit for item in record.inputs.values() if item.source in self.catalog.manifest.sources}
        return own | _CASES | {_plain(unit) for unit in units}

    def standing(self, facts: Sequence[Fact], near: _Near, *, telling: bool) -> list[_Standing]:
        """The facts with what speaks for each, the best first; one that the words contradict is left out."""
        said = self.groups(near)
        last = self.last(near)
        found = []
        for fact in facts:
            metric, why = self.metric(fact, near, last)
            if metric < 0:
                continue
            own = set(fact.key.slice)
            group = (2 if {name for name, _ in own} == {name for name, _ in said} else 1) if own <= said else 0
            place = self.place(fact.key, near)
            if telling and not metric:
                metric, why = 2, ("all that is written agrees",)
            words = [*why, *(f"“{value}” is named" for _, value in sorted(own & said)), *([f"“{place}” is named"] if place else [])]
            found.append(_Standing(fact, metric if group else 0, group, bool(place), tuple(words)))
        found.sort(key=lambda one: (*(-part for part in one.rank), self.order(one.fact.key), str(one.fact.key)))
        return found

    def order(self, key: Key) -> int:
        plan = list(self.catalog.manifest.plan)
        return plan.index(key.evidence) if key.evidence in plan else len(plan)

    def groups(self, near: _Near) -> set[tuple[str, str]]:
        """The groups that stand beside the number."""
        names = attributes(self.catalog)
        found = {(name, group) for part in near.beside for name in names for _, group in mentions(self.catalog, name, part)}
        cells = {part.strip().casefold() for part in near.beside[2:]}
        return found | {(name, group) for name in names for group in self.catalog.groups(name) if group.casefold() in cells}

    def last(self, near: _Near) -> str:
        """What the words right before the number, or the cell that names its row or column, call it; '' where no metric."""
        match = _any(self.names).search(near.before) if near.before.strip() else None
        matches = list(_any(self.names).finditer(near.before)) if match else []
        if matches and BETWEEN.match(near.before, matches[-1].end()):
            return _plain(matches[-1].group())
        cells = [_plain(part.strip(" *_`:")) for part in near.beside[2:]]
        return next((cell for cell in cells if cell in self.names), "")

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """What all metrics of the book are called."""
        found: set[str] = set()
        for record in self.catalog.evidence.records.values():
            for metric in measures.metrics(record.measure):
                found |= _called(metric)
        return frozenset(found)

    def metric(self, fact: Fact, near: _Near, last: str) -> tuple[int, tuple[str, ...]]:
        """How clearly the words name the metric: 3 right before, 2 in the sentence, 1 in a heading, 0 not at all, -1 where they name another."""
        own = self.called(fact.key)
        if last:
            return (3, (f"“{last}” names it",)) if last in own else (-1, ())
        pattern = _any(own)
        for level, parts in ((2, near.beside), (1, (near.above,))):
            for part in parts if own else ():
                if match := pattern.search(part):
                    return level, (f"“{match.group()}” stands {'beside it' if level == 2 else 'in the heading'}",)
        return 0, ()

    def place(self, key: Key, near: _Near) -> str:
        """The name of the measurement or of its data, where the words say it."""
        record = self.catalog.evidence.records.get(key.evidence)
        names = [key.evidence, *(item.source for item in record.inputs.values())] if record else []
        said = " ".join((*near.beside, near.above))
        return next((name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said, re.IGNORECASE)), "")

    def otherwise(self, near: _Near) -> str:
        """What the fact is that the words name, where the number is another."""
        return next((f"{fact.key} is {spell(fact)}" for fact in self.named(near)), "")


def _called(metric: Metric) -> set[str]:
    """What a metric is called, names of two letters (F1) included."""
    return called(metric) | ({_plain(metric.name)} if len(metric.name) > 1 else set())


def _telling(reading: _Reading) -> bool:
    """Whether so much is written that the facts that agree are one figure: an interval, or a count of a count, beside the value."""
    shape = shapes.read(reading.text) if reading.facts else shapes.Shape()
    beside = shape.low is not None or shape.joint == "of" or (shape.main is not None and shape.n is not None)
    figures = {(fact.value, fact.n) for fact in reading.facts}
    return beside and len(figures) == 1


def _rate(text: str) -> bool:
    """Whether a text can be a rate or a score: it has a point or a per cent sign."""
    return re.search(r"[.%]|per ?cent", text) is not None


def _value(fact: Fact) -> float:
    return fact.value if isinstance(fact.value, int | float) else 0.0


def _heads(document: Document) -> dict[int, dict[int, str]]:
    """For each cell the texts of the header row of its table, by column."""
    found: dict[int, dict[int, str]] = {}
    head: dict[int, str] = {}
    for row in prose.rows(document):
        if row and row[0].header:
            head = {number: cell.text for number, cell in enumerate(row)}
        found |= {cell.start: head for cell in row if not cell.header}
    return found


def _readings(item: Unbound) -> Iterator[_Reading]:
    """Every text around the number that the grammar reads, the longest first."""
    sign = _SIGN.search(item.shown[: item.position])
    first = sign.start() if sign else item.position
    lead = _LEAD.search(item.shown[max(0, first - 30) : first])
    starts = sorted({first, first - len(lead.group()) if lead else first})
    ends = sorted({match.end() for match in _END.finditer(item.shown, item.position, item.position + _REACH)}, reverse=True)
    for end in ends:
        for start in starts:
            text = item.shown[start:end]
            try:
                shapes.read(text)
            except shapes.UnreadableText:
                continue
            if item.shown[end : end + 1].isalnum() or re.match(r"[.,]\d", item.shown[end : end + 2]):
                continue
            yield _Reading(start, end, text)


def _clear(standing: Sequence[_Standing]) -> bool:
    """Whether one fact stands out: its metric is named beside the number, its group is the one that is named, and no other fits as well."""
    if not standing or standing[0].metric < 2 or standing[0].group < 2:
        return False
    return all(other.rank < standing[0].rank or _same(standing[0].fact, other.fact) for other in standing[1:])


def _unclear(named: Sequence[_Standing]) -> str:
    """Why nothing was chosen."""
    if not named:
        return "only the value speaks for these"
    if named[0].group < 2:
        return "the words name a group that these are not about"
    return "several facts fit" if len(named) > 1 else "its metric stands in a heading only"


def _same(one: Fact, other: Fact) -> bool:
    """Whether two measurements say the same of the same cases: either will do."""
    figures = [(fact.key.metric, fact.key.params, fact.key.slice, fact.value, fact.n, fact.interval) for fact in (one, other)]
    return figures[0] == figures[1]


def _also(standing: Sequence[_Standing]) -> str:
    others = [str(other.fact.key) for other in standing[1:] if _same(standing[0].fact, other.fact)]
    return f"{', '.join(others)} {'is' if len(others) == 1 else 'are'} the same" if others else ""


def _digits(text: str) -> int:
    """How many significant digits the first number of a text has."""
    match = re.search(r"\d[\d.,]*", text)
    return len(re.sub(r"\D", "", match.group()).lstrip("0")) if match else 0


@functools.lru_cache(maxsize=4096)
def _any(names: frozenset[str]) -> re.Pattern[str]:
    """What finds any of these names in a text, the longest first."""
    words = (spelling(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    return re.compile(rf"(?<!\w)(?:{'|'.join(words) or '(?!)'})s?(?!\w)", re.IGNORECASE)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[-_]", " ", text).casefold().split())


def _bytes(source: bytes, text: prose.Text, reading: _Reading) -> tuple[int, int]:
    """The bytes of a reading, with the marks of emphasis that begin or end right at it where only one of the two stands inside."""
    start, end = text.offsets[reading.start], text.ends[reading.end - 1]
    for mark in _MARKS:
        inside = source[start:end].count(mark)
        if inside % 2 and source[:start].endswith(mark):
            start -= len(mark)
        elif inside % 2 and source[end:].startswith(mark):
            end += len(mark)
    return start, end


def _written(document: Document, proposals: Sequence[_Proposal]) -> tuple[bytes, frozenset[int]]:
    """The document with the links in it, and where they stand; one that would not read as a link of that text is left out."""
    chosen = [item for item in proposals if _reads(document, item)]
    data, position = [], 0
    for item in chosen:
        data += [document.source[position : item.start], _link(document.source, item)]
        position = item.end
    return b"".join([*data, document.source[position:]]), frozenset(item.start for item in chosen)


def _link(source: bytes, item: _Proposal) -> bytes:
    return b"[" + source[item.start : item.end] + b"](fact:" + item.number.candidates[0].key.encode() + b")"


def _reads(document: Document, item: _Proposal) -> bool:
    """Whether Markdown reads the link as one, with the number as its text, and leaves the others alone."""
    changed = document.source[: item.start] + _link(document.source, item) + document.source[item.end :]
    try:
        again = parse.parse(changed, document.name)
    except FactbookError:
        return False
    found = [link for link in again.bound("fact") if link.start == item.start]
    return len(again.links) == len(document.links) + 1 and [" ".join(link.text.split()) for link in found] == [item.number.text]


def _borne_out(result: Result, catalog: Catalog) -> Declared:
    """A declared result beside the overall facts of its metric, those of the data that it names: as it is written, and as a percentage."""
    facts = _overall(result, catalog)
    for fact in facts:
        for text in (result.value, f"{result.value} %", _hundredth(result.value, fact)):
            if text and fact.measured and agreement.disagreement(text, fact) is None:
                return Declared(result, str(fact.key), f"{fact.key} says the same: {spell(fact)}")
    if facts:
        return Declared(result, note=f"contradicted: {facts[0].key} is {spell(facts[0])}")
    return Declared(result)


def _overall(result: Result, catalog: Catalog) -> list[Fact]:
    """The facts of all cases of a declared metric, in the order of the plan."""
    wanted = measures.find_alias(result.metric) or result.metric
    planned = [*catalog.manifest.plan, *catalog.evidence.records]
    named = [fact for fact in catalog.facts() if fact.key.metric.casefold() == wanted.casefold() and not fact.key.slice and not fact.key.params]
    facts = sorted(named, key=lambda fact: planned.index(fact.key.evidence) if fact.key.evidence in planned else len(planned))
    data = {name: {name, *(item.source for item in record.inputs.values())} for name, record in catalog.evidence.records.items()}
    return [fact for fact in facts if result.dataset in data.get(fact.key.evidence, ())] or facts


def _hundredth(text: str, fact: Fact) -> str:
    """A score between 0 and 1 that is declared as if it were a percentage: 76.5 for 0.765."""
    number = canon.number(text)
    return str(number / 100) if number is not None and number > 1 and fact.bounds == (0.0, 1.0) else ""
