"""What was found in a document is remembered in .factbook/, so that a document that nothing touched is not judged again.

A judgement depends on the document's bytes, its name, and all that a rule sees beside it: factbook.yaml, style.yaml, the evidence, its figures, the
freshness, the day, and the code and data of factbook and of every pack. A document that looks beyond itself, with a part or a link to another one,
depends on all other documents as well, and one that links to files on whether they are there.
What rules that say `WHOLE = True` find is not remembered. A private store proves nothing to anybody else: `--rehash` judges everything again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from factbook import charts, shelf
from factbook.canon import write_atomic
from factbook.documents.parse import Document, Documents
from factbook.documents.update import Edit
from factbook.errors import StorageError
from factbook.evidence import quoted
from factbook.rules.exemptions import Exemption

if TYPE_CHECKING:
    from factbook.rules import Checked, Finding, NotJudged, OpenQuestion

FILE: Final = ".factbook/judged.json"
_BEYOND: Final = (b"fact:part", b".md")
_LINKED: Final = re.compile(rb"\]\(<?([^)\s:>#]+)[)#\s>]|^ {0,3}\[[^\]\n]+\]:\s*<?([^\s:>#]+)", re.MULTILINE)


@dataclass(frozen=True)
class Judgement:
    """What the rules that look at documents one by one say of one document."""

    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]
    questions: tuple[OpenQuestion, ...]
    exemptions: tuple[Exemption, ...]

    def tree(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "findings": [finding.tree() for finding in self.findings],
            "not_judged": [[item.what, item.why, item.file, item.line] for item in self.not_judged],
            "questions": [[item.name, item.ask, item.owner, item.file, item.line] for item in self.questions],
            "exemptions": [[item.file, item.line, item.code, item.reason, item.first, item.last] for item in self.exemptions],
        }

    @classmethod
    def read(cls, tree: dict[str, Any]) -> Judgement:
        """The judgement of plain data. Raises KeyError, TypeError or ValueError where it is none."""
        from factbook.rules import NotJudged, OpenQuestion

        return cls(
            tuple(_finding(item) for item in tree["findings"]),
            tuple(NotJudged(*item) for item in tree["not_judged"]),
            tuple(OpenQuestion(*item) for item in tree["questions"]),
            tuple(Exemption(*item) for item in tree["exemptions"]),
        )


def _finding(tree: dict[str, Any]) -> Finding:
    from factbook.rules import Finding, Severity

    edit = tree["edit"]
    return Finding(
        **{**tree, "severity": Severity(tree["severity"]), "edit": edit and Edit(edit["start"], edit["end"], edit["text"].encode())},
    )


def judgements(checked: Checked, judge: Callable[[Document], Judgement], *, remember: bool) -> list[Judgement]:
    """The judgement of every document: remembered where nothing that it depends on has changed. Only what was read from a book is remembered."""
    documents = checked.documents
    if not remember or not isinstance(documents, Documents):
        return [judge(document) for document in documents]
    world = _world(checked)
    known = _load(checked.root, world)
    every = _digest(f"{name}\0{_digest(source)}" for name, source in documents.sources.items())
    found: dict[str, tuple[str, Judgement]] = {}
    for name, source in documents.sources.items():
        digest = _digest([name, source, every if looks_beyond(source) else "", *_files(checked.root / name, source)])
        old = known.get(name)
        found[name] = old if old is not None and old[0] == digest else (digest, judge(documents.named(name)))
    if found != known:
        _save(checked.root, world, found)
    return [judgement for _, judgement in found.values()]


def looks_beyond(source: bytes) -> bool:
    """Whether what the rules say of a document may depend on others: a part that is written from them, or a link to one."""
    return any(mark in source for mark in _BEYOND)


def _files(path: Path, source: bytes) -> list[str]:
    """The files that a document links to and that are there: a number may rest on one."""
    targets = {(inline or defined).decode(errors="replace") for inline, defined in _LINKED.findall(source)}
    return sorted(target for target in targets if (path.parent / target).is_file())


def _load(root: Path, world: str) -> dict[str, tuple[str, Judgement]]:
    """What is remembered of this world; nothing where the file is missing or damaged."""
    try:
        tree = json.loads((root / FILE).read_bytes())
        return {name: (digest, Judgement.read(item)) for name, (digest, item) in tree["documents"].items()} if tree["world"] == world else {}
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return {}


def _save(root: Path, world: str, found: dict[str, tuple[str, Judgement]]) -> None:
    tree = {"world": world, "documents": {name: [digest, judgement.tree()] for name, (digest, judgement) in found.items()}}
    with suppress(StorageError, OSError):  # a book that cannot be written to can be checked all the same
        (root / FILE).parent.mkdir(exist_ok=True)
        write_atomic(root / FILE, json.dumps(tree, ensure_ascii=False).encode())


def _digest(parts: bytes | Iterable[bytes | str]) -> str:
    """One digest of several texts; the length of each goes in, so that none runs into the next."""
    whole = hashlib.sha256()
    for part in [parts] if isinstance(parts, bytes) else parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(b"%d\0" % len(data))
        whole.update(data)
    return whole.hexdigest()


def _world(checked: Checked) -> str:
    """All that a rule sees beside the documents."""
    records = sorted(checked.catalog.evidence.records.items())
    evidence = [repr((name, item.digest, sorted(run.digest for run in item.runs), item.unvouched, item.lost)) for name, item in records]
    figures = sorted((checked.root / charts.FOLDER).rglob("*"))
    seen = [checked.manifest.model_dump_json(), repr(sorted(checked.lines.items())), checked.style.model_dump_json()]
    seen += [repr((checked.freshness, checked.require_sources, checked.on))]
    drawn = [part for path in figures if path.is_file() for part in (path.as_posix(), path.read_bytes())]
    ran = [repr((name, session.digest)) for name, session in sorted(checked.catalog.evidence.sessions.items())]
    said = [repr((name, quoted.digest(item))) for name, item in sorted(checked.catalog.evidence.quoted.items())]
    return _digest([_code(), *seen, *said, *evidence, *ran, *drawn])


@functools.cache
def _code() -> str:
    """The code and data of factbook and of every pack, and what reads Markdown."""
    parts: list[bytes | str] = [sys.version, version("pyromark")]
    for pack in shelf.packs():
        for place in shelf.home(pack):
            files = (path for path in sorted(place.rglob("*")) if path.is_file() and path.suffix != ".pyc")
            parts += [part for path in files for part in (path.relative_to(place).as_posix(), path.read_bytes())]
    return _digest(parts)
