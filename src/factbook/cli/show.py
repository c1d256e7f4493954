"""What a command shows: tables and colour for a person at a terminal, plain lines for a pipe, JSON where it was asked for.

Colour is restrained and never the only sign; NO_COLOR and redirection turn it off. Text that comes from data is never read as markup.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from factbook.cli.terminal import beside, console, jsons, plural, say, typed, warn
from factbook.model import Fact

if TYPE_CHECKING:
    from factbook.binding import Bound, Number
    from factbook.book import Book, Built
    from factbook.comparing.page import Comparison
    from factbook.differences import Difference
    from factbook.evidence import Outcome
    from factbook.evidence.sessions import Session
    from factbook.regimes.coverage import Coverage
    from factbook.renaming import Renamed
    from factbook.review.reviews import Reviews
    from factbook.rules import Finding, Report
    from factbook.rules.fixing import Fixed
    from factbook.rules.readers import Reading

_WIDE: Final = 100
_INDENT: Final = 15
_FEW: Final = 3
_STATES: Final = {"measured": "green", "quoted": "green", "fresh": "dim", "absent": "yellow", "orphan": "yellow"}
_COVERED: Final = {"measured": "green", "recorded": "green", "authored": "green", "signed": "green", "open": "yellow", "partly": "yellow"}
_STANDINGS: Final = {"stands": "green", "carried": "cyan", "fallen": "yellow", "invalid": "bold red", "unverified": "yellow"}
_SEVERITIES: Final = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def begun(book: Book, notes: Sequence[str]) -> None:
    """A new book, what was inferred to make it, and what comes next."""
    for note in notes:
        say(("note  ", "cyan"), note)
    say(("✓ ", "green"), f"{typed(book.root)} is a book of {len(book.facts()):,} facts")
    for begun_document in book.documents:
        say("  begun: ", (typed(book.root / begun_document.name), "bold"))
    say("  next:  ", (f"factbook build {typed(book.root)}", "bold"))


def document(book: Book, path: Path, *followed: Path) -> None:
    """A new document, and the others whose written parts followed."""
    say(("✓ ", "green"), "begun: ", (typed(path), "bold"))
    for other in followed:
        say(("✓ ", "green"), "its written parts were brought up to date: ", (typed(other), "bold"))
    say("  next:  answer its open questions; `", (f"factbook check {typed(book.root)}", "bold"), "` lists them")


def begun_kind(paths: Sequence[Path]) -> None:
    """A new kind of document and its pack."""
    for path in paths:
        say(("✓ ", "green"), "written: ", (typed(path), "bold"))
    say(
        "  next:  write its sections and questions; `",
        ("pip install -e FOLDER", "bold"),
        "` brings the pack in, `factbook new --list` names its kinds",
    )


def outcomes(done: Sequence[Outcome], *, json: bool) -> None:
    """What was measured."""
    warn(done)
    if json:
        names = ("name", "state", "facts", "seconds", "reason")
        jsons([{name: getattr(outcome, name) for name in names} | {"warnings": list(outcome.warnings)} for outcome in done])
        return
    for outcome in done:
        said = f"{outcome.facts:,} facts in {outcome.seconds:.1f} s" if outcome.state == "measured" else ""
        reason = f"  {outcome.reason}" if outcome.reason else ""
        say((f"{outcome.state:<9}", _STATES.get(outcome.state, "")), f" {outcome.name:<16} ", said, (reason, "dim"))


def changed(book: Book, paths: Sequence[Path]) -> None:
    """What `update` edited."""
    for path in paths:
        say(("updated  ", "green"), typed(path))
    if not paths:
        say("everything in ", typed(book.root), " says what the evidence says; nothing changed")


def fixed(book: Book, items: Sequence[Fixed], *, dry: bool, json: bool) -> None:
    """What `fix` changed, or would change: each finding that it mends; with `dry`, the difference."""
    if json:
        jsons([{"file": item.file, "findings": [finding.tree() for finding in item.findings]} for item in items])
        return
    for item in items:
        if dry:
            sys.stdout.write(item.diff())
            continue
        for finding in item.findings:
            say(("fixed  ", "green"), f"{typed(book.root / item.file)}:{finding.line}:{finding.column}", f" {finding.code} ", finding.fix)
    if not items:
        say("there is nothing to fix that is safe to fix")


def page(code: str) -> None:
    """The manual page of a rule."""
    from factbook import shelf
    from factbook.errors import UnknownName
    from factbook.rules import manual

    rules = {str(rule.CODE): rule for rule in shelf.modules("rules").values()}
    wanted = next((str(rule.CODE) for rule in rules.values() if code.lower() == rule.NAME), code.upper())
    if wanted not in rules:
        raise UnknownName("rule", code, sorted(rules))
    rule = rules[wanted]
    say((f"{rule.CODE} {rule.NAME}", "bold"))
    say()
    say(manual.page(rule))


def written(text: str, path: Path | None) -> None:
    """Text for another program, into a file or to standard output."""
    from factbook.canon import write_atomic

    if path is None:
        sys.stdout.write(text)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())


def report(book: Book, found: Report, *, json: bool) -> None:
    """What the check found, what it did not judge, and what is still open."""
    if json:
        jsons(found.tree())
        return
    for question in found.questions:
        say((f"{typed(book.root / question.file)}:{question.line}", "bold"), (" open ", "cyan"), question.ask, (f"  {question.owner}", "dim"))
    for finding in found.findings:
        _finding(book, finding)
    _closing(book, found)


def _finding(book: Book, finding: Finding) -> None:
    place = ":".join(str(part) for part in (typed(book.root / finding.file), finding.line, finding.column) if part)
    style = _SEVERITIES.get(str(finding.severity), "")
    say((place, "bold"), " ", (f"{finding.severity} {finding.code}", style), (f" {finding.name}", "dim"))
    say("    ", finding.message)
    if finding.fix:
        say("    → ", (finding.fix, "italic"))


def _closing(book: Book, found: Report) -> None:
    """The last lines: the count of findings, of open questions, of what was not judged, and of sign-offs."""
    for item in found.not_judged:
        say(("not judged  ", "yellow"), str(item))
    for exemption in found.exempted:
        say(("exempted  ", "yellow"), str(exemption))
    if found.questions:
        say(("open  ", "cyan"), plural(len(found.questions), "question"), ": ", ", ".join(_questions(found)))
    _vouched(book)
    failed = [finding for finding in found.findings if str(finding.severity) == "error"]
    if failed:
        say(("✗ ", "bold red"), plural(len(found.findings), "finding"))
    else:
        say(("✓ ", "green"), "clean" if not found.findings else plural(len(found.findings), "finding") + ", none of which fails this stage")


def _vouched(book: Book) -> None:
    """How many of the sign-offs that factbook.yaml asks for are there, and whose are not."""
    if not book.manifest.review.required:
        return
    asked = book.reviews.asked
    missing = [str(item) for item in asked if not item.met]
    said = f"{len(asked) - len(missing)} of {plural(len(asked), 'sign-off')} asked for"
    say(("signed  ", "yellow" if missing else "green"), said, f"; wanted: {'; '.join(missing[:_FEW])}" if missing else "")
    if len(missing) > _FEW:
        say(f"        and {len(missing) - _FEW} more; `factbook reviews {typed(book.root)}` lists them")


def _questions(found: Report) -> list[str]:
    by_file: dict[str, int] = {}
    for question in found.questions:
        by_file[question.file] = by_file.get(question.file, 0) + 1
    return [f"{count} in {name}" for name, count in by_file.items()]


def built(book: Book, done: Built, *, json: bool) -> None:
    """What a build did."""
    if json:
        warn(done.outcomes)
        published = [{"target": item.target, "files": [str(path) for path in item.files], "skipped": item.skipped} for item in done.published]
        measured = [{"name": outcome.name, "state": outcome.state, "facts": outcome.facts} for outcome in done.outcomes]
        jsons({"measured": measured, "check": done.report.tree(), "published": published})
        return
    outcomes([outcome for outcome in done.outcomes if outcome.state != "fresh"], json=False)
    _judged(book, done)


def _judged(book: Book, done: Built) -> None:
    for finding in done.report.findings:
        _finding(book, finding)
    _closing(book, done.report)
    _published(done)


def _published(done: Built) -> None:
    if not done.published:
        say("  nothing was published: a document says what the evidence does not")
    for item in done.published:
        if item.skipped:
            say((f"  {item.target:<8} ", "dim"), "left out: ", item.skipped)
        elif item.files:
            say((f"  {item.target:<8} ", "dim"), (typed(item.files[0]), "bold"))


def facts(found: Sequence[Fact], *, json: bool) -> None:
    """Facts: an aligned table for a person, tab-separated lines for a pipe, objects for a machine."""
    from factbook.book import spelled

    if json:
        jsons([_fact(fact) for fact in found])
    elif not sys.stdout.isatty():
        for fact in found:
            sys.stdout.write(f"{fact.key}\t{spelled(fact)}\t{'' if fact.n is None else fact.n}\t{fact.reason or fact.method}\n")
    elif found:
        _table(found)
    else:
        say("no such fact")


def _fact(fact: Fact) -> dict[str, Any]:
    names = ("value", "low", "high", "level", "method", "n", "status", "reason", "origin", "unit", "note")
    return {"fact": str(fact.key)} | {name: getattr(fact, name) for name in names} | {"counts": dict(fact.counts)}


def _table(found: Sequence[Fact]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from factbook.book import spelled

    width = console().width
    rows = [
        (Text(str(fact.key)), Text(spelled(fact), "" if fact.measured else "yellow"), Text("" if fact.n is None else f"{fact.n:,}"), fact)
        for fact in found
    ]
    value, n = min(max(row[1].cell_len for row in rows), width // 2), max(row[2].cell_len for row in rows)
    how = 24 if width >= _WIDE else 0
    room = max(width - value - n - how - 10, 16)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    table.add_column("fact", overflow="fold", max_width=room)
    table.add_column("value", overflow="fold", min_width=value)
    table.add_column("n", justify="right", min_width=n)
    if how:
        table.add_column("how", style="dim", overflow="fold", max_width=how)
    for key, *cells, fact in rows:
        place = key.plain.find("?")
        shown = key if key.cell_len <= room or place < 0 else Text(f"{key.plain[:place]}\n{key.plain[place:]}")
        table.add_row(*(shown, *cells, Text(fact.reason or fact.method))[: len(table.columns)])
    console().print(table)


def listed(items: Sequence[dict[str, Any]], *, json: bool) -> None:
    """Things of the shelf: name, title and what they are about."""
    if json:
        jsons(items)
        return
    width = max(len(item["name"]) for item in items)
    for item in items:
        beside((f"{item['name']:<{width}}  ", "bold"), item["title"], item["about"])


def coverage(found: Coverage, *, json: bool) -> None:
    """A book against a regime: every item, then the counts by state."""
    if json:
        jsons(found.tree())
        return
    say((found.regime.title, "bold"), (f"  as of {found.on}", "dim"))
    if found.regime.caution:
        say((found.regime.caution, "yellow"))
    for row in found.rows:
        then = row.then or row
        why = f"{row.missing}; then {then.state}" if row.then else ""
        said = " · ".join(part for part in (why, ", ".join(then.by), then.missing) if part)
        say((f"{row.state:<15}", _COVERED.get(str(row.state), "")), (row.item.id, "bold"), (f"  {row.item.cite}", "dim"))
        for text, look in ((row.item.ask, ""), (said, "dim")):
            for line in textwrap.wrap(text, max(40, console().width - _INDENT), break_on_hyphens=False):
                say(" " * _INDENT, (line, look))
    say(", ".join(f"{count} {state}" for state, count in found.counts.items()))
    if found.later:
        say(("later: " + ", ".join(f"{count} {state}" for state, count in found.later.items()), "dim"))


def session(found: Session, *, json: bool) -> bool:
    """How the code of a document ended; returns whether a block failed."""
    failed = [block for block in found.blocks if block.said]
    if json:
        jsons({"document": found.document, "blocks": [{"ended": block.ended, "said": block.said, "output": block.output} for block in found.blocks]})
        return bool(failed)
    ran = sum(block.ended == "ran" for block in found.blocks)
    say(("✗ ", "red") if failed else ("✓ ", "green"), (found.document, "bold"), f"  {ran} of {len(found.blocks)} blocks ran")
    for block in failed:
        say("  ", block.said)
    return bool(failed)


def made(path: Path) -> None:
    """A file that was written."""
    say(("✓ ", "green"), (typed(path), "bold"))


def readers(found: Sequence[Reading], *, json: bool) -> None:
    """How every document reads."""
    if json:
        jsons([reading.tree() for reading in found])
        return
    width = max((len(reading.document) for reading in found), default=0)
    for reading in found:
        ease = reading.why if reading.ease is None else f"{reading.level}, reading ease {reading.ease:.0f}"
        size = f"{plural(reading.words, 'word')}, {plural(reading.sentences, 'sentence')}"
        beside((f"{reading.document:<{width}}  ", "bold"), ease, f"{size}; for {', '.join(reading.audience) or 'nobody named'}")


def demo(book: Book, done: Built, headlines: Sequence[str]) -> None:
    """What came out of the demo, whatever it is, and where to look."""
    from factbook.book import spelled

    catalog = book.catalog
    subject = book.manifest.subject
    say()
    say((f"{subject.name} {subject.version}", "bold"), f"  {subject.description}")
    say()
    for fact in (fact for key in headlines for fact in book.facts(key)):
        say(f"  {catalog.metric(fact.key).title:<28}", (spelled(fact), "bold"))
    say()
    for claim in catalog.claims():
        verdict = str(claim.verdict).replace("-", " ")
        reason = f"  {claim.reason}" if claim.reason else ""
        say(f"  {claim.name:<28}", (verdict, {"holds": "green", "broken": "red"}.get(verdict, "yellow")), (reason, "dim"))
    say()
    _judged(book, done)


def bound(found: Bound, patch: str, *, json: bool) -> None:
    """What became of the numbers of a document; the patch on standard output, all else beside it."""
    if json:
        jsons(found.tree())
        return
    sys.stdout.write(patch)
    aside = sys.stdout if not patch else sys.stderr
    for number in found.numbers:
        aside.write(f"{number.state:<10} {found.name}:{number.line}:{number.column}  {number.text!r}{_candidates(number)}\n")
    for item in found.declared:
        aside.write(f"declared   {item.result.metric} = {item.result.value}  ({item.result.source})  {item.note}\n")
    if found.declarations:
        aside.write(f"           to cite these, write into factbook.yaml:\n{found.declarations}")
    for missing in found.not_judged:
        aside.write(f"not judged {missing}\n")
    counts = {state.value: len(found.of(state)) for state in type(found.numbers[0].state)} if found.numbers else {}
    aside.write(f"{found.name}: {', '.join(f'{count} {state}' for state, count in counts.items()) or 'no numbers'}\n")


def _candidates(number: Number) -> str:
    """What a number may be, and why: the reasons only where there is one candidate."""
    shown = " | ".join(f"{one.key} = {one.fact}" for one in number.candidates)
    why = number.candidates[0].why if len(number.candidates) == 1 else ()
    notes = "; ".join(part for part in (*why, number.note) if part)
    return f"{'  → ' if shown else ''}{shown}{f'  ({notes})' if notes else ''}"


def renamed(found: Renamed, *, dry_run: bool, json: bool) -> None:
    """What a renaming changed, or would change."""
    if json:
        jsons(found.tree())
        return
    if dry_run:
        sys.stdout.write(found.patch)
    for item in found.changed if not dry_run else ():
        say(("renamed  ", "green"), f"{item.file}: {item.places} {'place' if item.places == 1 else 'places'}")
    for old, new in found.moved:
        say(("moved    " if not dry_run else "moves    ", "green"), f"{old} → {new}")
    for note in found.notes:
        say(("note     ", "cyan"), note)
    if not found.changed:
        say(f"nothing that is written names {found.rename.old!r}")


def signed(book: Book, paths: Sequence[Path], *, json: bool) -> None:
    """New sign-offs, and who is still to be asked."""
    if json:
        jsons([str(path) for path in paths])
        return
    for path in paths:
        say(("✓ ", "green"), "signed: ", (typed(path), "bold"))
    open_ones = [item for item in book.reviews.asked if not item.met]
    if open_ones:
        say("  still wanted: ", plural(len(open_ones), "sign-off"), "; `", (f"factbook reviews {typed(book.root)}", "bold"), "` lists them")


def reviews(found: Reviews, *, json: bool) -> None:
    """The sign-offs of a book, then what its policy asks for."""
    if json:
        jsons(found.tree())
        return
    for damaged in found.damaged:
        say(("damaged    ", "bold red"), damaged.message)
    for verdict in found.verdicts:
        said = verdict.sign_off
        say(
            (f"{verdict.standing.value:<11}", _STANDINGS[verdict.standing.value]),
            (said.place, "bold"),
            f"  {said.meaning.value} by {said.person}",
            (f" ({said.role}), {said.time.date()}", "dim"),
        )
        for text in (said.note, verdict.why):
            if text:
                say(" " * 11, text)
    for item in found.asked:
        by = ", ".join(sorted({verdict.sign_off.person for verdict in item.by}))
        say(("met        ", "green") if item.met else ("wanted     ", "yellow"), str(item), (f"  from {item.required_from}: {item.why or by}", "dim"))
    if found.plan and found.verdicts:
        say(("plan       ", "dim"), (found.plan, "dim"))
    if not found.verdicts and not found.asked:
        say("nothing is signed, and factbook.yaml asks for nothing under `review`")
    if found.policy.people:
        say(("policy     ", "dim"), (found.digest, "dim"))


def difference(found: Difference, *, json: bool) -> None:
    """What changed between two versions of a book."""
    if json:
        jsons(found.tree())
    else:
        sys.stdout.write(found.markdown())


def comparison(found: Comparison, *, json: bool) -> None:
    """Books and cards beside each other, as Markdown."""
    if json:
        jsons(found.tree())
    else:
        sys.stdout.write(found.markdown())
