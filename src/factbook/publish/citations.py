"""What stands behind a value link, in words that every target shows in its own way: a hover card, a footnote, an appendix entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from factbook.documents import agreement, parse, quotes, regions, spelling
from factbook.errors import FactbookError
from factbook.expressions import operands, parse_value
from factbook.model import Fact, Key, Status

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.documents.regions import TableSpec
    from factbook.evidence.catalog import Catalog
    from factbook.evidence.store import Record

DERIVED: Final = "derived"
ABSENT: Final = "–"
SAFE: Final = frozenset({"http", "https", "mailto"})
"""The schemes that an ordinary link may have; others lose their address."""


class Tone(StrEnum):
    """How a citation is to be taken at a glance; never told by colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    OPEN = "open"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Detail:
    """One line about a citation; `code` says that the text is a key, a digest or a command."""

    term: str
    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """What a value link rests on.

    Attributes:
        scheme, target: as in the link.
        label: what kind of thing it is, in a word or two ("Measured fact", "Claim").
        headline: the value with its interval, the verdict, or the text.
        details: the rest, most useful first.
        page, anchor: where it is shown in full (a path without suffix, relative to the site), '' where nowhere.
    """

    scheme: str
    target: str
    label: str
    headline: str
    tone: Tone
    details: tuple[Detail, ...]
    page: str = ""
    anchor: str = ""
    key: Key | None = None


def is_value(destination: str) -> bool:
    """Whether a link's destination is a value link, in any spelling of its scheme."""
    return parse.split(destination)[0].lower() in parse.SCHEMES


def cite(destination: str, catalog: Catalog) -> Citation:
    """What a value link rests on; a link to nothing says so and never fails."""
    scheme, target = parse.split(destination)
    reader = _READERS.get(scheme.lower(), _nothing)
    try:
        return reader(target, catalog)
    except FactbookError as error:
        details = (Detail("Link", f"{scheme}:{target}", code=True), Detail("Why", error.message))
        return Citation(scheme.lower(), target, "Not found", "This link leads to nothing", Tone.BAD, details)


def _nothing(_target: str, _catalog: Catalog) -> Citation:
    raise FactbookError("this is not a value link")


def compare(citation: Citation, text: str, catalog: Catalog) -> Citation:
    """The citation of a fact, marked where the text that cites it is not the fact."""
    if citation.key is None or not text.strip():
        return citation
    said = agreement.disagreement(text, catalog.fact(citation.key), catalog.thresholds_for(citation.key))
    if said is None:
        return citation
    return replace(citation, tone=Tone.BAD, details=(Detail("But", f"the document says: {text}"), *citation.details))


# --- facts -----------------------------------------------------------------------------------------------------------------------------------


def of_fact(key: Key, catalog: Catalog) -> Citation:
    """The citation of a fact."""
    fact, whole = catalog.fact(key), key.whole()
    tone = Tone.PLAIN if fact.measured else Tone.OPEN
    details = tuple(detail for detail in _fact_details(key, fact, catalog) if detail.text)
    return Citation("fact", str(key), _kind(fact), headline(fact), tone, details, page(whole), anchor(whole), key)


def headline(fact: Fact) -> str:
    """The value with its interval, or the status with its reason."""
    return spelling.spell(fact) if fact.measured or not fact.reason else f"{fact.status.value}: {fact.reason}"


def page(key: Key) -> str:
    """The page that shows a fact in full."""
    return f"evidence/{key.evidence}"


def anchor(key: Key) -> str:
    """The anchor of a fact on its page: its key without the name of the evidence."""
    return str(key.whole()).partition("/")[2]


def _kind(fact: Fact) -> str:
    names = {Status.MEASURED: "Fact", Status.UNDEFINED: "Undefined, not zero", Status.SUPPRESSED: "Suppressed, not zero"}
    return names[fact.status]


def slice_words(key: Key) -> str:
    """The slice in words: `age_band = <40, sex = women`, or `overall`."""
    return ", ".join(f"{name} = {value}" for name, value in key.slice) or "overall"


def counts_words(fact: Fact) -> str:
    """The counts from which the value is re-derivable: `21 of 48`; `group 3 of 13, reference 12 of 49`; or each by its name."""
    counts = dict(fact.counts)
    parts = []
    for name in sorted(fact.counts):
        whole = f"n{name[1:]}"
        if (name == "k" or name.startswith("k_")) and whole in counts:
            parts.append(f"{name[2:]} {counts.pop(name):,} of {counts.pop(whole):,}".strip().replace("_", " "))
    return ", ".join([*parts, *(f"{name} = {count:,}" for name, count in sorted(counts.items()))])


def parameters_words(value: object) -> str:
    """The parameters of a measure in words: names and values, nested ones in brackets."""
    if isinstance(value, Mapping):
        inner = ((name, item, parameters_words(item)) for name, item in sorted(value.items()))
        return ", ".join(f"{name} = ({words})" if isinstance(item, Mapping) else f"{name} = {words}" for name, item, words in inner)
    if isinstance(value, list | tuple):
        return ", ".join(parameters_words(item) for item in value)
    return str(value)


def plural(count: int, noun: str) -> str:
    """`1 fact`, `2 facts`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def short(digest: str) -> str:
    """A digest that a person can compare at a glance; the whole one stands on the evidence page."""
    return digest[:23] + "…" if len(digest) > 24 else digest


def day(record: Record | None) -> str:
    """The day of the measurement, UTC."""
    return record.run.measured[:10] if record is not None and record.run is not None else ""


def _fact_details(key: Key, fact: Fact, catalog: Catalog) -> Iterator[Detail]:
    metric = catalog.metric(key.whole())
    yield Detail("What", metric.title + (f" ({key.field})" if key.field else ""))
    yield Detail("Slice", slice_words(key))
    yield Detail("Parameters", ", ".join(f"{name} = {value}" for name, value in key.params))
    yield Detail("n", "" if fact.n is None else f"{fact.n:,}")
    yield Detail("Counts", counts_words(fact))
    yield Detail("Method", fact.method)
    yield Detail("Remark", fact.note)
    yield Detail("Origin", fact.origin.value)
    yield from _record_details(key.whole(), catalog)
    yield Detail("Key", str(key), code=True)


def _record_details(key: Key, catalog: Catalog) -> Iterator[Detail]:
    if key.evidence == DERIVED:
        expression = catalog.manifest.derived[key.metric]
        yield Detail("Derived as", expression, code=True)
        for operand in operands(parse_value(expression, f"derived.{key.metric}")):
            yield _operand(operand, catalog)
        yield Detail("Re-derive", "factbook check .", code=True)
        return
    record = catalog.record_of(key)
    for role, item in sorted(record.inputs.items()):
        yield Detail(f"Source ({role})", f"{item.source}, {short(item.digest)}")
    yield Detail("Measure", f"{record.measure}, version {record.version}")
    yield Detail("Measured", day(record))
    yield Detail("Re-derive", command(record), code=True)


def _operand(key: Key, catalog: Catalog) -> Detail:
    try:
        return Detail("Rests on", f"{key} is {headline(catalog.fact(key))}")
    except FactbookError as error:
        return Detail("Rests on", error.message)


def command(record: Record) -> str:
    """The command that re-derives an evidence, to be run in the folder of the book."""
    return f"factbook run {record.name}" if record.measure == "recorded" else f"factbook measure . --only {record.name} --force"


# --- words -----------------------------------------------------------------------------------------------------------------------------------


def _fact(target: str, catalog: Catalog) -> Citation:
    return of_fact(Key.parse(target), catalog)


def of_claim(name: str, catalog: Catalog) -> Citation:
    """The citation of a claim by its verdict alone, whatever a document asserts."""
    claim = catalog.claim(name)
    verdict = str(claim.verdict.value)
    tone = {"holds": Tone.GOOD, "broken": Tone.BAD}.get(verdict, Tone.OPEN)
    details = [
        Detail("Expression", claim.expression, code=True),
        Detail("Difference" if claim.quantity == "left - right" else "Estimate", _estimate(claim.estimate, claim.low, claim.high, claim.level)),
        Detail("Method", claim.method),
        Detail("What would settle it" if verdict == "not-established" else "Why", claim.reason),
        *(_operand(key, catalog) for key in claim.operands),
        Detail("Re-derive", "factbook check .", code=True),
    ]
    shown = tuple(detail for detail in details if detail.text)
    return Citation("claim", name, "Claim", verdict.replace("-", " "), tone, shown, "statements", f"claim-{name}")


def _claim(target: str, catalog: Catalog) -> Citation:
    """A link is right where it asserts the verdict, and wrong where it asserts another."""
    name, _, asserted = target.partition("?")
    citation, said = of_claim(name, catalog), (asserted or "holds").replace("-", " ")
    if said != citation.headline:
        wrong = Detail("But", f"the document says: {said}")
        return replace(citation, target=target, tone=Tone.BAD, details=(wrong, *citation.details))
    return replace(citation, target=target, tone=citation.tone if citation.tone is Tone.GOOD else Tone.OPEN)


def _estimate(value: object, low: object, high: object, level: object) -> str:
    if value is None:
        return ""
    main = decimal(value)
    return main if low is None or high is None else f"{main} ({_percent(level)} % CI {decimal(low)} to {decimal(high)})"


def decimal(value: object) -> str:
    """A number of a claim with three decimals, or more where fewer than two digits would be left; never with an exponent."""
    number = Decimal(repr(value) if isinstance(value, float) else str(value))
    if not number.is_finite():
        return "unbounded"
    places = max(3, 1 - number.adjusted()) if number else 0
    return f"{round(number, places):f}".replace("-", "−")


def _percent(level: object) -> str:
    return f"{(Decimal(str(level)) * 100).normalize():f}"


def _gap(target: str, catalog: Catalog) -> Citation:
    gap = catalog.gap(target)
    details = _people(owner=gap.owner, since=gap.since)
    return Citation("gap", target, "Declared gap", gap.why, Tone.OPEN, details, "statements", f"gap-{target}")


def _policy(target: str, catalog: Catalog) -> Citation:
    policy = catalog.policy(target)
    details = _people(approved=policy.approved_by, since=policy.since)
    return Citation("policy", target, "Policy", policy.text, Tone.PLAIN, details, "statements", f"policy-{target}")


def _declared(target: str, catalog: Catalog) -> Citation:
    item = catalog.declared(target)
    details = (Detail("Source", item.source), *_people(by=item.by, since=item.since), Detail("Origin", "declared by a person, not measured"))
    return Citation("declared", target, "Declared number", item.value, Tone.PLAIN, details, "statements", f"declared-{target}")


def _quoted(target: str, catalog: Catalog) -> Citation:
    thing, statement = catalog.quoted(target)
    details = [
        Detail("Says", f"{thing.title or thing.name} ({'a published card' if thing.kind == 'card' else 'another book'})"),
        Detail("Place", f"{thing.source}, {thing.place(statement)}" if thing.place(statement) else thing.source),
        Detail("Data", quotes.data(target, catalog)),
        Detail("Read at digest", short(thing.digest)),
        Detail("Origin", "quoted, not measured here"),
    ]
    shown = tuple(detail for detail in details if detail.text)
    return Citation("quoted", target, "Quoted", quotes.text(target, catalog), Tone.PLAIN, shown)


def _people(*, since: object, **who: str) -> tuple[Detail, ...]:
    terms = {"owner": "Owner", "approved": "Approved by", "by": "Declared by"}
    named = [Detail(terms[role], name) for role, name in who.items() if name]
    return (*named, *([Detail("Since", str(since))] if since else []))


def _question(target: str, _catalog: Catalog) -> Citation:
    details = (Detail("Question", target, code=True),)
    return Citation("question", target, "Open question", "Only a person can answer this; nobody has yet", Tone.OPEN, details)


_READERS: Final[dict[str, Callable[[str, Catalog], Citation]]] = {
    "fact": _fact,
    "claim": _claim,
    "gap": _gap,
    "policy": _policy,
    "declared": _declared,
    "quoted": _quoted,
    "question": _question,
}


# --- cells of generated tables ---------------------------------------------------------------------------------------------------------------


def cells(document: Document, catalog: Catalog) -> dict[int, Key]:
    """The facts in the cells of generated tables, by the byte where the cell starts; only of tables that read as the facts say."""
    found: dict[int, Key] = {}
    for region in document.regions:
        try:
            wanted = regions.expected(region, catalog)
            spec = regions.TableSpec.parse(region.arguments)
        except FactbookError:
            continue
        if regions.agrees(region, wanted):
            for number, (row, starts) in enumerate(zip(wanted.rows, region.cell_starts[1:], strict=True)):
                last = number == len(wanted.rows) - 1
                pairs = zip(_row_keys(spec, number, row, last=last), starts[wanted.names :], row[wanted.names :], strict=True)
                found.update({start: key for key, start, text in pairs if text != ABSENT})
    return found


def _row_keys(spec: TableSpec, number: int, row: tuple[str, ...], *, last: bool) -> list[Key]:
    """The keys of one row of a generated table, one for each cell that is no name."""
    if not spec.by and not spec.per:
        key = spec.key(spec.metrics[number])
        return [key, replace(key, field="n")]
    keys = [spec.key(metric) for metric in spec.metrics]
    if spec.per:
        return [replace(key, params=((spec.per, row[0]),)) for key in keys]
    names = row[: len(spec.by)]
    overall = last and set(names) == {regions.OVERALL}
    return keys if overall else [key.sliced(dict(zip(spec.by, names, strict=True))) for key in keys]
