"""Judges a book: every file here that defines `check(checked)` is a rule, named by the good state; its docstring is its manual page.

A rule yields problems and what it could not judge. It never edits, never runs code of a book, and never blocks on style: what a rule finds that says
`STYLE = True` is a warning. A rule sees one document at a time (and those that it links to), and what it finds is remembered until something changes
(see remembered.py); one that judges the book, or documents beside each other, says `WHOLE = True`. One that defines `unused(exemption)` has a say on
comments that exempted nothing. A rule that judges words names the `LANGUAGES` that it knows; documents in others are listed as not judged.
In the stage `draft` only what is false, unsafe or misleading fails; what is merely open is listed.

    1xx truth   2xx completeness   3xx honesty   4xx freshness   5xx review   6xx safety
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from factbook import shelf
from factbook.canon import Lines
from factbook.documents import kinds
from factbook.documents.kinds import Kind
from factbook.documents.parse import Document
from factbook.documents.update import Edit
from factbook.evidence.catalog import Catalog
from factbook.evidence.plan import Freshness
from factbook.manifest import Manifest, Stage
from factbook.review.reviews import Reviews
from factbook.rules.exemptions import Exemption, can_be_exempt, exemptions
from factbook.rules.remembered import Judgement, judgements, looks_beyond
from factbook.rules.style import Style
from factbook.rules.style import load as load_style


class Severity(StrEnum):
    """An error fails the check; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule objects to: where, why, and what to do. `edit` is what `factbook fix` does, where that is safe."""

    file: str
    line: int
    column: int
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR
    edit: Edit | None = None


@dataclass(frozen=True, slots=True)
class NotJudged:
    """What a rule could not judge, and why. It is listed; it is never "ok"."""

    what: str
    why: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with the code and name of its rule."""

    code: str
    name: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    fix: str
    edit: Edit | None = None

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines; an edit as the bytes that it replaces and the text that it puts there."""
        edit = self.edit and {"start": self.edit.start, "end": self.edit.end, "text": self.edit.data.decode()}
        return asdict(replace(self, edit=None)) | {"edit": edit}


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What only a person can say and nobody has said: an open question of a document, or something that a later stage requires."""

    name: str
    ask: str
    owner: str
    file: str
    line: int


@dataclass(frozen=True)
class Report:
    """All that a check found, did not judge, and left open."""

    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]
    questions: tuple[OpenQuestion, ...]
    exempted: tuple[Exemption, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything fails the check."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def tree(self) -> dict[str, Any]:
        """Plain data, for machines."""
        return {
            "failed": self.failed,
            "findings": [finding.tree() for finding in self.findings],
            "not_judged": [asdict(item) for item in self.not_judged],
            "questions": [asdict(item) for item in self.questions],
            "exempted": [asdict(item) for item in self.exempted],
            "counts": {
                "findings": len(self.findings),
                "not_judged": len(self.not_judged),
                "questions": len(self.questions),
                "exempted": len(self.exempted),
            },
        }


@dataclass(frozen=True)
class Checked:
    """What a rule may look at. `on` is the day as of which laws and dates of review are judged."""

    root: Path
    manifest: Manifest
    lines: Lines
    catalog: Catalog
    documents: Sequence[Document]
    freshness: tuple[Freshness, ...]
    require_sources: bool = False
    on: dt.date = field(default_factory=dt.date.today)
    others: Sequence[Document] = ()

    def alone(self, document: Document) -> Checked:
        """The same for one document; what follows from the book is kept. `others` are all documents, where it looks beyond itself."""
        kept = {"style": self.style, "metrics": self.metrics}
        one = replace(self, documents=(document,), others=self.documents if looks_beyond(document.source) else (document,))
        one.__dict__.update(kept)
        return one

    def linked(self, document: Document) -> Iterator[Document]:
        """The other documents of the book that a document links to."""
        folder = PurePosixPath(document.name).parent
        targets = {posixpath.normpath(folder / link.target.partition("#")[0]) for link in document.links if not link.scheme}
        return (other for other in self.others if other.name in targets and other.name != document.name)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each document, by the document's name; documents without a kind are left out."""
        known = frozenset(kinds.names())
        return {document.name: kinds.load(document.kind) for document in self.documents if document.kind in known}

    @cached_property
    def exemptions(self) -> tuple[Exemption, ...]:
        """The comments of the documents that exempt something, or try to."""
        return tuple(item for document in self.documents for item in exemptions(document))

    @cached_property
    def style(self) -> Style:
        """The organisation's own words and bounds.

        Raises:
            ManifestError: style.yaml cannot be used.
        """
        return load_style(self.root)

    @cached_property
    def reviews(self) -> Reviews:
        """The sign-offs of the book.

        Raises:
            ManifestError: a public key in factbook.yaml cannot be read, or two people have the same one.
        """
        return Reviews(self.root, self.catalog, self.documents)

    @cached_property
    def metrics(self) -> frozenset[str]:
        """The names of all metrics that were measured, in lower case."""
        return frozenset(key.metric.casefold() for key in self.catalog.evidence)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What factbook.yaml calls measurements, sources, models and what is compared, where letters and digits make the name."""
        plan = self.manifest.plan
        models = [name for planned in plan.values() if isinstance(given := planned.params.get("models"), Mapping) for name in given]
        every = {*plan, *self.manifest.sources, *self.manifest.compared, *map(str, models)}
        return tuple(sorted(name for name in every if re.search(r"\d", name) and re.search(r"[^\W\d_]{2}", name)))

    def reached(self, stage: Stage) -> bool:
        """Whether the book is in that stage or past it."""
        return self.manifest.stage.reached(stage)

    def due(self, stage: Stage) -> Severity:
        """Error from that stage on, warning before."""
        return Severity.ERROR if self.reached(stage) else Severity.WARNING


def at(document: Document, offset: int, message: str, fix: str = "", severity: Severity = Severity.ERROR) -> Problem:
    """A problem at a byte of a document."""
    line, column = document.place(offset)
    return Problem(document.name, line, column, message, fix, severity)


def judge(
    root: Path,
    manifest: Manifest,
    lines: Lines,
    catalog: Catalog,
    documents: Sequence[Document],
    freshness: Sequence[Freshness],
    require_sources: bool = False,
    on: dt.date | None = None,
    remember: bool = False,
) -> Report:
    """Run every rule on the shelf; the order of the report depends on nothing but what was found.

    With `remember`, documents that nothing touched since the last time are not judged again.
    """
    checked = Checked(root, manifest, lines, catalog, documents, tuple(freshness), require_sources, on or dt.date.today())
    whole, single = [[rule for rule in shelf.modules("rules").values() if getattr(rule, "WHOLE", False) is kind] for kind in (True, False)]
    judged = judgements(checked, lambda document: _judgement(single, checked.alone(document)), remember=remember)
    findings, not_judged = _run(whole, checked)
    findings.update(finding for judgement in judged for finding in judgement.findings)
    not_judged.update(item for judgement in judged for item in judgement.not_judged)
    kept, exempted = _exempt((item for judgement in judged for item in judgement.exemptions), findings)
    questions = tuple(question for judgement in judged for question in judgement.questions)
    return Report(_ordered(kept), _listed(not_judged), questions, tuple(exempted))


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda item: (item.file, item.line, item.column, item.code, item.message)))


def _listed(items: Iterable[NotJudged]) -> tuple[NotJudged, ...]:
    return tuple(sorted(items, key=lambda item: (item.file, item.line, item.what, item.why)))


def _run(rules: Iterable[ModuleType], checked: Checked) -> tuple[set[Finding], set[NotJudged]]:
    findings: set[Finding] = set()
    not_judged: set[NotJudged] = set()
    for rule in rules:
        for item in _judged(rule, checked):
            if isinstance(item, NotJudged):
                not_judged.add(item)
            else:
                findings.add(_finding(rule, item))
    return findings, not_judged


def _judgement(rules: Iterable[ModuleType], checked: Checked) -> Judgement:
    """What the rules say of one document, before anything is exempted."""
    findings, not_judged = _run(rules, checked)
    return Judgement(_ordered(findings), _listed(not_judged), tuple(_questions(checked)), checked.exemptions)


def _judged(rule: ModuleType, checked: Checked) -> Iterator[Problem | NotJudged]:
    """What a rule says; of documents in a language that it does not know, that it does not."""
    known = getattr(rule, "LANGUAGES", ())
    strange = [document for document in checked.documents if language(checked, document) not in known] if known else []
    if strange:
        checked = replace(checked, documents=tuple(document for document in checked.documents if language(checked, document) in known))
    yield from rule.check(checked)
    for document in strange:
        yield NotJudged(f"{rule.NAME} ({rule.CODE})", f"it knows {', '.join(known)} and the text is in {language(checked, document)}", document.name)


def language(checked: Checked, document: Document) -> str:
    """The language of a document, without its region: what its front matter says, else that of the book."""
    return str(document.front.get("language") or checked.manifest.language).partition("-")[0].casefold()


def _exempt(comments: Iterable[Exemption], findings: set[Finding]) -> tuple[set[Finding], list[Exemption]]:
    """Leave out what comments exempt; what there is to say of a comment that exempts nothing is said by the rules that define `unused`."""
    rules = {rule.CODE: rule for rule in shelf.modules("rules").values()}
    kept, used = set(findings), []
    for item in comments:
        if item.code not in rules or not can_be_exempt(rules[item.code]):
            continue
        covered = {finding for finding in findings if item.covers(finding.code, finding.file, finding.line)}
        kept -= covered
        if covered:
            used.append(item)
        else:
            kept.update(_finding(rule, rule.unused(item)) for rule in rules.values() if hasattr(rule, "unused"))
    return kept, used


def _finding(rule: ModuleType, problem: Problem) -> Finding:
    severity = Severity.WARNING if getattr(rule, "STYLE", False) else problem.severity
    return Finding(rule.CODE, rule.NAME, severity, problem.file, problem.line, problem.column, problem.message, problem.fix, problem.edit)


def _questions(checked: Checked) -> Iterator[OpenQuestion]:
    for document in checked.documents:
        kind = checked.kinds.get(document.name)
        known = {question.id: question for question in kind.questions} if kind else {}
        for link in document.bound("question"):
            question = known.get(link.name)
            line, _ = document.place(link.start)
            yield OpenQuestion(link.name, question.ask if question else "", question.owner if question else "", document.name, line)
