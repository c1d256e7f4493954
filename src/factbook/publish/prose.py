"""A document as HTML: the text as it is, every value link with a card. Nothing in a document or in data is ever taken for markup."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from factbook import charts
from factbook.charts.svg import Markup, element, join
from factbook.documents import parse
from factbook.errors import FactbookError
from factbook.model import Key
from factbook.publish import citations, diagrams, figures, tree
from factbook.publish.citations import Citation, Tone
from factbook.publish.tree import Node

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.publish import Publication

_ELEMENTS: Final = {"Paragraph": "p", "Emphasis": "em", "Strong": "strong", "Strikethrough": "del", "Item": "li", "TableRow": "tr"}
_ALIGNED: Final = {"Right": "r", "Center": "m"}
_LANGUAGE = re.compile(r"[\w+#.-]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the table of contents."""

    level: int
    anchor: str
    words: str


@dataclass(frozen=True, slots=True)
class Question:
    """An open question: its number as written, and where it stands."""

    words: str
    name: str
    anchor: str


@dataclass(slots=True)
class Prose:
    """One document on its way to HTML. After `render`, it also knows the headings, the facts cited and the questions that are open."""

    publication: Publication
    document: Document
    page: str
    headings: list[Heading] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    cited: dict[Key, None] = field(default_factory=dict)
    _cells: dict[int, Key] = field(default_factory=dict)
    _cards: int = 0
    _charts: int = 0
    _anchors: dict[str, int] = field(default_factory=dict)
    _footnotes: dict[str, int] = field(default_factory=dict)

    def render(self) -> Markup:
        """The body of the document."""
        root = tree.build(self.document)
        self._cells = citations.cells(self.document, self.publication.catalog)
        notes = [node for node in root.children if node.kind == "FootnoteDefinition"]
        root.children = [node for node in root.children if node.kind != "FootnoteDefinition"]
        body = self.inner(root)
        return join(body, self.notes(notes))

    def inner(self, node: Node) -> Markup:
        """Everything inside a node."""
        return join(*(self.one(child) for child in node.children))

    def one(self, node: Node) -> Markup:
        """One node."""
        if node.kind in _ELEMENTS:
            return element(_ELEMENTS[node.kind], self.inner(node))
        return _WALKERS.get(node.kind, Prose.inner)(self, node)

    # --- blocks --------------------------------------------------------------------------------------------------------------------------------

    def heading(self, node: Node) -> Markup:
        level, words = int(node.value["level"][1:]), " ".join(node.words().split())
        if not words:
            return element("p", self.inner(node))
        anchor = self.anchor(parse.slug(words) or "section")
        signed = self.publication.vouched(self.document, words, first=not self.headings)
        self.headings.append(Heading(level, anchor, words))
        here = element("a", "#", class_="here", href=f"#{quote(anchor)}", aria_label=f"Link to the section {words}")
        lines = element("ul", *(element("li", line) for line in signed), class_="signed", aria_label=f"Signed: {words}") if signed else None
        return join(element(f"h{level}", self.inner(node), here, id=anchor), lines)

    def anchor(self, wanted: str) -> str:
        """An anchor that no other has on this page."""
        count = self._anchors.get(wanted, 0)
        self._anchors[wanted] = count + 1
        return wanted if not count else f"{wanted}-{count}"

    def listing(self, node: Node) -> Markup:
        ordered = node.value is not None
        return element("ol" if ordered else "ul", self.inner(node), start=node.value if ordered and node.value != 1 else None)

    def quotation(self, node: Node) -> Markup:
        asks = any(part.kind == "Link" and part.value["dest_url"].lower().startswith("question:") for part in node.walk())
        if asks:
            return element("div", self.inner(node), class_="question")
        kind = str(node.value or "")
        title = element("p", kind, class_="alert") if kind else None
        return element("blockquote", title, self.inner(node), class_=f"alert-{kind.lower()}" if kind else None)

    def code_block(self, node: Node) -> Markup:
        language = node.value.get("Fenced", "") if isinstance(node.value, dict) else ""
        word = _LANGUAGE.match(language)
        text = "".join(str(child.value) for child in node.children)
        drawing = diagrams.at(self.publication, self.document, node.start)
        if drawing is not None:
            self._charts += 1
            return element("p", element("span", Markup(figures.rename(drawing[0], f"chart-{self._charts}").strip()), class_="figure diagram"))
        return element("pre", element("code", text, class_=f"language-{word.group()}" if word else None), tabindex=0)

    def raw_block(self, node: Node) -> Markup:
        return element("pre", element("code", node.value), class_="raw", tabindex=0)

    def raw(self, node: Node) -> Markup:
        return element("code", node.value, class_="raw")

    def table(self, node: Node) -> Markup:
        head = [child for child in node.children if child.kind == "TableHead" and child.words().strip()]
        rows = [child for child in node.children if child.kind == "TableRow"]
        content = element("table", *(element("thead", element("tr", self.row(part, node.value, "th"))) for part in head), self.body(rows, node.value))
        return element("div", content, class_="scroll", tabindex=0, role="region", aria_label="Table")

    def body(self, rows: list[Node], alignments: tuple[str, ...]) -> Markup:
        return element("tbody", *(element("tr", self.row(row, alignments, "td")) for row in rows))

    def row(self, node: Node, alignments: tuple[str, ...], name: str) -> Markup:
        cells = zip(node.children, alignments, strict=False)
        scope = "col" if name == "th" else None
        return join(*(element(name, self.cell(cell), class_=_ALIGNED.get(align), scope=scope) for cell, align in cells))

    def cell(self, node: Node) -> Markup:
        key = self._cells.get(node.start)
        return self.inner(node) if key is None else self.value(citations.cite(f"fact:{key}", self.publication.catalog), self.inner(node))

    # --- inline --------------------------------------------------------------------------------------------------------------------------------

    def text(self, node: Node) -> Markup:
        return join(node.value)

    def code(self, node: Node) -> Markup:
        return element("code", node.value)

    def task(self, node: Node) -> Markup:
        words = "done" if node.value else "to do"
        return element("span", "☑ " if node.value else "☐ ", role="img", aria_label=words)

    def link(self, node: Node) -> Markup:
        destination = node.value["dest_url"]
        if citations.is_value(destination):
            catalog = self.publication.catalog
            citation = citations.compare(citations.cite(destination, catalog), node.words(), catalog)
            return self.question(node, citation) if citation.scheme == "question" else self.value(citation, self.inner(node))
        scheme, _ = parse.split(destination)
        if scheme.lower() in citations.SAFE:
            return element("a", self.inner(node), href=destination, rel="noreferrer")
        if node.value["link_type"] == "Email":
            return element("a", self.inner(node), href=f"mailto:{destination}")
        address = None if scheme else self.local(destination)
        return element("a", self.inner(node), href=address) if address else element("span", self.inner(node), class_="dead", title=destination)

    def local(self, destination: str) -> str | None:
        """Where a relative link leads inside the site; None where the site has no such page."""
        place, _, fragment = destination.partition("#")
        anchor = f"#{quote(unquote(fragment))}" if fragment else ""
        if not place:
            return anchor or None
        name = posixpath.normpath(posixpath.join(posixpath.dirname(self.document.name), unquote(place)))
        if name not in {document.name for document in self.publication.documents}:
            return None
        return relative(self.page, name.removesuffix(".md")) + anchor

    def question(self, node: Node, citation: Citation) -> Markup:
        anchor = self.anchor(f"question-{citation.target}")
        self.questions.append(Question(node.words() or citation.target, citation.target, anchor))
        return element("span", self.inner(node), id=anchor, class_="ask")

    def value(self, citation: Citation, shown: Markup) -> Markup:
        """A value with its card. The card is part of the text, so that it needs no script: it shows on hover, focus and tap."""
        self._cards += 1
        if citation.key is not None:
            self.cited.setdefault(citation.key.whole())
        card = f"card-{self._cards}"
        look = f"value {citation.scheme} {citation.tone.value}"
        link = element("a", shown or "(empty)", class_=look, href=f"#{card}", aria_describedby=f"{card}-is")
        return element("span", link, self.card(citation, card), class_="bound")

    def card(self, citation: Citation, identifier: str) -> Markup:
        headline = element("span", mark(citation), citation.headline, class_=f"headline {citation.tone.value}")
        said = element("span", element("span", citation.label, class_="label"), headline, id=f"{identifier}-is")
        rows = [join(element("b", detail.term), element("code" if detail.code else "span", detail.text)) for detail in citation.details]
        return element("span", self.more(citation), said, element("span", *rows, class_="rows"), class_="card", id=identifier, role="note")

    def more(self, citation: Citation) -> Markup | None:
        if not citation.page:
            return None
        address = relative(self.page, citation.page) + (f"#{quote(citation.anchor, safe='')}" if citation.anchor else "")
        return element("a", "Evidence →" if citation.page.startswith("evidence/") else "Statement →", href=address, class_="more")

    def image(self, node: Node) -> Markup:
        alt, title = " ".join(node.words().split()), node.value["title"]
        if title.startswith(charts.PREFIX):
            return self.chart(alt, title)
        found = figures.load(self.publication.root, self.document.name, node.value["dest_url"])
        if isinstance(found, str):
            return placeholder(found, alt)
        return element("img", src=found.uri(), alt=alt, title=title or None)

    def chart(self, alt: str, title: str) -> Markup:
        try:
            drawing = charts.render(charts.ChartSpec.parse(title), self.publication.catalog)
        except FactbookError as error:
            return placeholder(error.message, alt)
        self._charts += 1
        picture = Markup(figures.rename(drawing, f"chart-{self._charts}").strip())
        return join(element("span", picture, class_="figure"), element("span", alt, class_="caption"))

    # --- footnotes -----------------------------------------------------------------------------------------------------------------------------

    def reference(self, node: Node) -> Markup:
        number = self._footnotes.setdefault(node.value, len(self._footnotes) + 1)
        return element("sup", element("a", str(number), href=f"#note-{number}", id=self.anchor(f"note-{number}-from")))

    def notes(self, nodes: list[Node]) -> Markup | None:
        items = [(self._footnotes.setdefault(node.value, len(self._footnotes) + 1), node) for node in nodes]
        shown = [element("li", self.inner(node), id=f"note-{number}", value=number) for number, node in sorted(items, key=lambda item: item[0])]
        return element("section", element("ol", *shown), class_="notes", aria_label="Footnotes") if shown else None


_WALKERS: Final[dict[str, Callable[[Prose, Node], Markup]]] = {
    "Heading": Prose.heading,
    "List": Prose.listing,
    "BlockQuote": Prose.quotation,
    "CodeBlock": Prose.code_block,
    "HtmlBlock": Prose.raw_block,
    "Html": Prose.raw,
    "InlineHtml": Prose.raw,
    "Table": Prose.table,
    "Text": Prose.text,
    "Code": Prose.code,
    "SoftBreak": lambda _prose, _node: Markup("\n"),
    "HardBreak": lambda _prose, _node: element("br"),
    "Rule": lambda _prose, _node: element("hr"),
    "TaskListMarker": Prose.task,
    "Link": Prose.link,
    "Image": Prose.image,
    "FootnoteReference": Prose.reference,
}


def relative(page: str, other: str) -> str:
    """The address of one page of the site from another; both without suffix."""
    return quote(posixpath.relpath(f"{other}.html", posixpath.dirname(page) or "."))


def mark(citation: Citation) -> Markup | None:
    """A sign before the headline, so that nothing is told by colour alone."""
    sign = {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.OPEN: "?"}.get(citation.tone)
    return element("span", sign + " ", aria_hidden="true") if sign else None


def placeholder(why: str, alt: str) -> Markup:
    """What stands where an image cannot be shown."""
    return element("span", element("strong", "No picture. "), why, element("em", alt) if alt else None, class_="missing", role="note")
