"""Two versions of a book: what changed, and whether it is more than noise.

The difference of two proportions is judged by Newcombe's interval, the two versions taken as independent samples. Whether two intervals overlap is
no test, so that a figure without counts is not judged. `words.py` finds what was reworded, `page.py` writes it all down for a pull request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from factbook.differences.words import Rewording, rewordings
from factbook.documents import cited, spelling
from factbook.documents.parse import Document
from factbook.evidence.catalog import Catalog, Requirement
from factbook.evidence.claims import Claim
from factbook.evidence.uncertainty import proportion
from factbook.model import Direction, Fact, Key, Unit
from factbook.review.reviews import Reviews
from factbook.review.watched import Trigger, hits, watched
from factbook.statistics import intervals, two_rates


class Judgement(StrEnum):
    """Whether a change is more than noise."""

    REAL = "more than noise"
    NOISE = "within noise"
    EXACT = "exact"
    NOT_JUDGED = "not judged"


_ORDER: Final = (Judgement.REAL, Judgement.NOISE, Judgement.NOT_JUDGED, Judgement.EXACT)


@dataclass(frozen=True)
class Version:
    """One of the two: how it was named, and what it holds."""

    name: str
    catalog: Catalog
    documents: tuple[Document, ...]
    reviews: Reviews


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that both versions have and that is not the same. `difference` is after minus before with its interval."""

    key: str
    before: str
    after: str
    judgement: Judgement
    difference: str = ""
    why: str = ""
    good: bool | None = None
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Flip:
    """A claim or threshold whose verdict changed; '' where a version does not have it."""

    name: str
    before: str
    after: str
    says: str


@dataclass(frozen=True, slots=True)
class Fall:
    """A sign-off that held in the one version and does not so in the other: it is carried, has fallen, is invalid or is gone, and why."""

    place: str
    person: str
    role: str
    meaning: str
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class Difference:
    """All that changed from one version to the other."""

    before: str
    after: str
    level: float
    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    claims: tuple[Flip, ...]
    thresholds: tuple[Flip, ...]
    rewordings: tuple[Rewording, ...]
    triggers: tuple[Trigger, ...]
    sign_offs: tuple[Fall, ...]
    held: int

    def of(self, judgement: Judgement) -> tuple[Change, ...]:
        """The changes that were judged so."""
        return tuple(change for change in self.changes if change.judgement is judgement)

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        counts = {judgement.value: len(self.of(judgement)) for judgement in Judgement}
        return {**asdict(self), "counts": {**counts, "gone": len(self.gone), "new": len(self.new), "reworded": len(self.rewordings)}}

    def markdown(self) -> str:
        """The page for a pull request."""
        from factbook.differences.page import page

        return page(self)


def compare(before: Version, after: Version) -> Difference:
    """What changed from one version to the other. Pure."""
    old, new = ({fact.key: fact for fact in version.catalog.facts()} for version in (before, after))
    shown = _shown(after)
    both = [(old[key], fact) for key, fact in new.items() if key in old and not _same(old[key], fact)]
    changes = [_change(first, second, before.catalog, after.catalog, shown(second.key)) for first, second in both]
    thresholds = tuple(_thresholds(before.catalog, after.catalog))
    reworded = rewordings(before.documents, after.documents)
    return Difference(
        before=before.name,
        after=after.name,
        level=float(after.catalog.manifest.level),
        changes=tuple(sorted(changes, key=lambda change: (not change.cited, _ORDER.index(change.judgement)))),
        gone=tuple(str(key) for key in old if key not in new),
        new=tuple(str(key) for key in new if key not in old),
        claims=tuple(_claims(before.catalog, after.catalog)),
        thresholds=thresholds,
        rewordings=reworded,
        triggers=_triggers(before, after),
        sign_offs=tuple(_falls(before.reviews, after.reviews)),
        held=len(before.reviews.holding),
    )


def _shown(version: Version) -> Callable[[Key], bool]:
    """Whether documents cite a fact: by a link, in a table or in a chart."""
    found = [cited.facts(document) for document in version.documents]
    links = {key.whole() for item in found for key, _ in item.links}
    tables = {table for item in found for table in item.shown}
    return lambda key: key in links or (key.evidence, key.metric, key.params, key.attributes) in tables


def _same(one: Fact, other: Fact) -> bool:
    if not isinstance(one.value, int | float) and not isinstance(other.value, int | float):
        return (one.status, one.value) == (other.status, other.value)
    return (one.status, one.value, one.n, one.interval, one.level) == (other.status, other.value, other.n, other.interval, other.level)


def _change(old: Fact, new: Fact, before: Catalog, after: Catalog, shown: bool) -> Change:
    said = Change(str(new.key), spelling.spell(old), spelling.spell(new), Judgement.NOT_JUDGED, cited=shown)
    values = [fact.value for fact in (old, new)]
    if old.status is not new.status:
        return _judged(said, Judgement.NOT_JUDGED, why=f"it was {old.status.value}, now it is {new.status.value}")
    if not all(isinstance(value, int | float) for value in values):
        return _judged(said, Judgement.EXACT, why="")
    if old.unit is not new.unit:
        return _judged(said, Judgement.NOT_JUDGED, why=f"the unit was {old.unit.value}, now it is {new.unit.value}")
    if _same_rows(new.key, before, after):
        return _judged(said, Judgement.NOT_JUDGED, why="the same data, measured otherwise: no new sample was drawn")
    first, second = proportion(old), proportion(new)
    if first is not None and second is not None:
        return _proportions(said, old, new, two_rates.difference(second, first, float(after.manifest.level)))
    if new.interval is None and old.interval is None and new.unit in (Unit.COUNT, Unit.QUANTITY):
        return _judged(said, Judgement.EXACT, why="")
    why = "no counts to take the difference from; whether two intervals overlap is no test" if new.interval else "it has no interval"
    return _judged(said, Judgement.NOT_JUDGED, why=why)


def _judged(said: Change, judgement: Judgement, *, why: str) -> Change:
    return Change(said.key, said.before, said.after, judgement, why=why, cited=said.cited)


def _same_rows(key: Key, before: Catalog, after: Catalog) -> bool:
    """Whether both versions of a measurement read the same bytes: then no other sample was drawn."""
    records = [catalog.evidence.records.get(key.evidence) for catalog in (before, after)]
    digests = [{role: item.digest for role, item in record.inputs.items()} if record else {} for record in records]
    return bool(digests[0]) and digests[0] == digests[1]


def _proportions(said: Change, old: Fact, new: Fact, found: intervals.Interval) -> Change:
    """The change of a proportion by the interval of its difference."""
    assert isinstance(old.value, int | float)
    assert isinstance(new.value, int | float)
    real = found.low > 0 or found.high < 0
    level = f"{float(new.level or 0) * 100:g} % CI"
    points = f"{_points(new.value - old.value)} points ({level} {_points(found.low)} to {_points(found.high)})"
    good = None if not real or new.direction is Direction.NEITHER else (new.value > old.value) is (new.direction is Direction.HIGHER)
    return Change(said.key, said.before, said.after, Judgement.REAL if real else Judgement.NOISE, points, found.method, good, said.cited)


def _points(value: float) -> str:
    return f"{value * 100 + 0.0:+.1f}".replace("-", "\u2212")


def _claims(before: Catalog, after: Catalog) -> Iterator[Flip]:
    old, new = ({claim.name: claim for claim in catalog.claims()} for catalog in (before, after))
    for name in dict.fromkeys([*old, *new]):
        was, now = _verdict(old.get(name)), _verdict(new.get(name))
        said = (new.get(name) or old[name]).expression
        if was != now:
            yield Flip(name, was, now, said)
        elif name in old and old[name].expression != said:
            yield Flip(name, was, now, f"{said}, which was {old[name].expression}")


def _verdict(claim: Claim | None) -> str:
    return claim.verdict.value if claim else ""


def _thresholds(before: Catalog, after: Catalog) -> Iterator[Flip]:
    """The thresholds whose verdict changed; one that asks for another number now is the same threshold."""
    old, new = ({_place(item): item for item in catalog.requirements()} for catalog in (before, after))
    for place in dict.fromkeys([*old, *new]):
        first, second = old.get(place), new.get(place)
        was, now = (item.verdict.value if item else "" for item in (first, second))
        says = _required(second or old[place])
        if first and second and _required(first) != says:
            says += f", which was {_limits(first)}"
        if was != now:
            yield Flip(str((second or old[place]).key), was, now, says)


def _place(item: Requirement) -> tuple[Key, str, bool, bool]:
    return item.key, item.bound, item.at_least is None, item.at_most is None


def _required(item: Requirement) -> str:
    end = "" if item.bound == "value" else f" ({item.bound} end of the interval)"
    return f"{item.key} {_limits(item)}{end}"


def _limits(item: Requirement) -> str:
    limits = [f"at least {item.at_least}" if item.at_least is not None else "", f"at most {item.at_most}" if item.at_most is not None else ""]
    return " and ".join(limit for limit in limits if limit)


def _triggers(before: Version, after: Version) -> tuple[Trigger, ...]:
    """The reasons to look again that the later version's policy names."""
    triggers = after.catalog.manifest.review.triggers
    old, new = (watched(version.catalog, version.documents, triggers) for version in (before, after))
    return hits(old, new, triggers)


def _falls(before: Reviews, after: Reviews) -> Iterator[Fall]:
    """The sign-offs that hold in the earlier version, and what the later one makes of them."""
    kept = {sign_off.digest for sign_off in after.sign_offs}
    for verdict in before.holding:
        said = verdict.sign_off
        now = after.bench.judge(said)
        standing, why = (now.standing.value, now.why) if said.digest in kept else ("gone", f"{said.file} is not kept any more")
        if standing != verdict.standing.value:
            yield Fall(said.place, said.person, said.role, said.meaning.value, verdict.standing.value, standing, why)
