"""Begins a document: renders the template of its kind once, with every fact as an empty value link and every unanswered question as an open one.

`update` then fills the links and regions, so that formatting has one home. After that the template is never looked at again: the document is
its author's. What comes from data or from people is escaped, so that a name can never become markup.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from factbook import charts, measures
from factbook.documents import cited, kinds
from factbook.documents.parse import Document
from factbook.documents.regions import CLOSE, TableSpec
from factbook.errors import DocumentError
from factbook.evidence.catalog import Catalog
from factbook.manifest import Manifest
from factbook.model import Key, Pairs, encode

_MARKUP: Final = re.compile(r"([\\`*\[\]{}<>|&~$]|(?<!\w)_|_(?!\w)|(?<!\w)#)")
_FUNCTIONS: Final = (
    "heading",
    "question",
    "questions",
    "fact",
    "cell",
    "has",
    "each",
    "measured",
    "figures",
    "role",
    "table",
    "chart",
    "claim",
    "group",
    "declared_value",
    "part",
    "met",
    "shown_in",
)
_FEW: Final = 3
_VERDICTS: Final = {"holds": "", "broken": "?broken", "not-established": "?not-established"}


def scaffold(
    name: str,
    manifest: Manifest,
    catalog: Catalog,
    answers: Mapping[str, str] | None = None,
    met: Container[str] = (),
    others: Sequence[Document] = (),
) -> str:
    """The text of a new document of kind `name` over the facts of a book.

    `answers` maps ids of questions to Markdown that stands in their place; it is rendered like a template and may use its functions. `met` holds the
    items of regimes that the book meets already, `others` are its documents, to which a short one may lead.

    Raises:
        UnknownName: there is no such kind, or an answer to a question that it does not ask.
        DocumentError: the template, or an answer, cannot be rendered.
    """
    kind = kinds.load(name)
    for question in answers or {}:
        kind.question(question)
    writer = _Writer(kind, manifest, catalog, answers or {}, met, others)
    text = writer.render(kinds.folder(name).template, f"template of {name}")
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def readable(text: str) -> str:
    """Text from data as Markdown that shows exactly this text, on one line, and stays readable in the source."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def code(text: str) -> str:
    """Text from data as a code span, fit for a table cell."""
    plain = " ".join(str(text).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence, pad = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


class _Writer:
    """What a template can ask for. Its functions are the public methods below; its variables stand in `_variables`."""

    def __init__(
        self,
        kind: kinds.Kind,
        manifest: Manifest,
        catalog: Catalog,
        answers: Mapping[str, str],
        met: Container[str],
        others: Sequence[Document],
    ) -> None:
        self.kind, self.manifest, self.catalog, self.answers, self._met, self._others = kind, manifest, catalog, answers, met, others

    def render(self, template: str, where: str) -> str:
        import minijinja

        environment = minijinja.Environment(
            templates=kinds.passages(), trim_blocks=True, lstrip_blocks=True, undefined_behavior="strict", auto_escape_callback=lambda _: False
        )
        environment.remove_filter("format")
        environment.fuel = 10_000_000
        for name in _FUNCTIONS:
            environment.add_global(name, getattr(self, name))
        for filter_name, function in (("md", readable), ("code", code), ("key", encode)):
            environment.add_filter(filter_name, function)
        try:
            return environment.render_str(template, where, **self._variables())
        except minijinja.TemplateError as error:
            raise DocumentError(f"{where}: {error}", remedy="templates use minijinja; see docs/guide/kinds.md") from error

    def _variables(self) -> dict[str, Any]:
        tree = self.manifest.model_dump(mode="json")
        return {name: tree[name] for name in ("subject", "stage", "sources", "gaps", "policies", "declared", "system", "terms")} | {
            "kind": self.kind.model_dump(mode="json"),
            "answers": list(self.answers),
            "claims": list(self.manifest.claims),
            "compared": list(self.catalog.evidence.quoted),
            "derived": list(self.manifest.derived),
            "thresholds": list(self._thresholds()),
        }

    def _thresholds(self) -> Iterator[dict[str, str]]:
        """What a figure has to reach, where it is measured: the key, what it is called, and the requirement in words with its number as a link."""
        for text, item in self.manifest.thresholds.items():
            key = Key.parse(text)
            if key.whole() in self.catalog.evidence:
                words = "at most" if item.at_least is None else "at least"
                end = {"lower": " (the lower end of its interval)", "upper": " (the upper end of its interval)"}.get(item.bound, "")
                title = ", ".join([f"{self.catalog.metric(key).title} in {key.evidence}", *(f"{name} = {value}" for name, value in key.slice)])
                yield {"key": str(key), "title": title, "required": f"{words} {self.declared_value(f'thresholds.{text}')}{end}"}

    def heading(self, section: str) -> str:
        """The heading of a section of the kind."""
        found = next(item for item in self.kind.sections if item.id == section)
        return f"## {found.heading}"

    def question(self, name: str, ask: str = "") -> str:
        """The answer to a question where there is one, else the question, open and numbered; `ask` is what is left of it where facts say the rest."""
        item = self.kind.question(name)
        if name in self.answers:
            return f"**{item.topic}.** {self.render(self.answers[name], f'answer to {name}').strip()}"
        title = f"Open question [Q{self.kind.number(name)}](question:{name}), {item.topic.lower()}:"
        return f"> **{title}** {ask or item.ask} *To be answered by: {item.owner}.*"

    def questions(self, section: str, asks: Mapping[str, str] | None = None) -> str:
        """All questions of a section, each open or answered, in the order of the kind; `asks` has what is left of some."""
        found = next(item for item in self.kind.sections if item.id == section)
        return "\n\n".join(self.question(item.id, (asks or {}).get(item.id, "")) for item in found.questions)

    def fact(self, key: str, text: str = "") -> str:
        """A value link; empty, so that `update` fills it."""
        return f"[{text}](fact:{Key.parse(key)})"

    def has(self, key: str) -> bool:
        """Whether the evidence holds such a fact (it may be undefined or suppressed)."""
        return Key.parse(key).whole() in self.catalog.evidence

    def cell(self, key: str) -> str:
        """A value link where there is such a fact, else a dash."""
        return self.fact(key) if self.has(key) else "–"

    def role(self, source: str, column: str) -> str:
        """The declared role of a column, in words."""
        declared = self.manifest.sources[source]
        roles = [name for name in ("label", "prediction", "score", "key", "weight", "cluster") if getattr(declared, name) == column]
        roles += ["group" for group in declared.by.values() if group.column == column][:1]
        return " and ".join(roles)

    def each(self, evidence: str, metric: str) -> list[dict[str, Any]]:
        """All overall facts of a metric, with their parameters: one for each column, say, in the order of the evidence."""
        found = [key for key in self.catalog.evidence if (key.evidence, key.metric) == (evidence, metric) and not key.slice]
        return [{"key": str(key), "params": dict(key.params)} for key in found]

    def measured(self, measure: str = "") -> list[dict[str, Any]]:
        """The planned measurements by a measure, or by any, for which there is evidence: name, measure, by, and the measure's own parameters."""
        return [
            {**planned.params, "name": name, "measure": planned.measure, "by": [list(item) for item in planned.by]}
            for name, planned in self.manifest.plan.items()
            if measure in ("", planned.measure) and name in self.catalog.evidence.records
        ]

    def figures(self, evidence: str, names: Sequence[str] = (), by: Sequence[str] = ()) -> list[str]:
        """What a table of an evidence can show, overall or by group: each metric (or each of `names`, in their order) with its fewest parameters.

        The metrics of an estimate, and those that code recorded, have the names that the book gives them.

        A metric whose parameters have many values is left out, and so is one with a comma in them, which a table cannot name.
        """
        found: dict[str, set[Pairs]] = {}
        for key in self.catalog.evidence:
            if key.evidence == evidence and key.attributes == tuple(sorted(by)):
                found.setdefault(key.metric, set()).add(key.params)
        shown = []
        declared = [item.name for item in measures.metrics(self.catalog.evidence.records[evidence].measure)]
        for metric in names or dict.fromkeys([*declared, *found]):
            fewest = min(map(len, found.get(metric, ((),))))
            some = [str(Key(evidence, metric, params)).partition("/")[2] for params in sorted(found.get(metric, ())) if len(params) == fewest]
            shown += some if len(some) <= _FEW and not any("," in name for name in some) else []
        return shown

    def table(self, evidence: str, metrics: list[str], by: list[str] | None = None, per: str = "") -> str:
        """An empty region, so that `update` fills it."""
        return f"<!-- fact:table {TableSpec(evidence, tuple(metrics), tuple(by or ()), per)} -->\n\n{CLOSE}"

    def chart(self, evidence: str, alt: str, metric: str = "", by: list[str] | None = None, kind: str = charts.DEFAULT) -> str:
        """A chart made from evidence; `alt` says in words what it shows."""
        spec = charts.ChartSpec(evidence, metric, tuple(by or ()), kind)
        title = str(spec).replace("\\", "\\\\").replace("&", "&amp;").replace('"', "&quot;")
        return f'![{readable(alt)}](../{charts.path(spec)} "{title}")'

    def claim(self, name: str, *, holds: str, broken: str, not_established: str) -> str:
        """A link that asserts the verdict which a claim has now, in the words given for that verdict; '' where it cannot be evaluated."""
        verdict = str(self.catalog.claim(name).verdict)
        if verdict not in _VERDICTS:
            return ""
        words = {"holds": holds, "broken": broken, "not-established": not_established}[verdict]
        return f"[{words}](claim:{name}{_VERDICTS[verdict]})"

    def declared_value(self, name: str) -> str:
        """A link to what a person declared: `suppress_below`, `sources.NAME.cut`, `thresholds.KEY`, or a name under `declared`."""
        return f"[](declared:{name})"

    def part(self, name: str, **words: str) -> str:
        """A part that `update` writes, such as a diagram."""
        return f"<!-- fact:part {shlex.join([name, *(f'{word}={value}' for word, value in words.items())])} -->\n\n{CLOSE}"

    def met(self, *items: str) -> bool:
        """Whether the book meets all of these items of regimes already."""
        return all(item in self._met for item in items)

    def shown_in(self, evidence: str, metrics: Sequence[str], by: Sequence[str]) -> str:
        """A link to the first document of the book that shows all these metrics by these attributes; empty where none does."""
        keys = [Key.parse(f"{evidence}/{metric}") for metric in metrics]
        wanted = {(key.evidence, key.metric, key.params, tuple(sorted(by))) for key in keys}
        found = next((document for document in self._others if wanted <= cited.facts(document).shown), None)
        return f"[{readable(found.title)}]({Path(found.name).relative_to('documents').as_posix()})" if found is not None else ""

    def group(self, **pairs: str) -> str:
        """The slice part of a key."""
        return "?" + "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(pairs.items()))
