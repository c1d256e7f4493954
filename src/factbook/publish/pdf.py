"""One PDF for each document: tagged, declared PDF/A-2a and PDF/UA-1, with what every value rests on in an appendix.

The source that typst compiles holds every text as a string literal, so that nothing in a document or in data can be taken for typst.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from factbook import charts
from factbook.documents import kinds, parse
from factbook.errors import DocumentError, FactbookError, ManifestError, MissingExtra
from factbook.publish import appendix, citations, diagrams, figures, look, tree, write
from factbook.publish.appendix import Ledger
from factbook.publish.citations import Citation, Tone
from factbook.publish.look import Dressed
from factbook.publish.setting import call, say, string
from factbook.publish.tree import Node

if TYPE_CHECKING:
    from factbook.documents.parse import Document
    from factbook.model import Key
    from factbook.publish import Publication

STANDARDS: Final[tuple[Literal["a-2a"], Literal["ua-1"]]] = ("a-2a", "ua-1")
_UNSHOWN: Final = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-f]+)\}")
_WHOLE_PAGES: Final = 0x2E80
_NO_DATE: Final = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
_ALIGN: Final = {"None": "auto", "Left": "left", "Center": "center", "Right": "right"}
_STROKES: Final = {Tone.PLAIN: "accent", Tone.GOOD: "accent", Tone.OPEN: "amber", Tone.BAD: "red"}


def publish(publication: Publication, target: Path) -> tuple[Path, ...]:
    """Write one PDF for each document into the folder `target`.

    Raises:
        MissingExtra: typst is not installed.
        DocumentError: a document cannot be set.
    """
    files = {}
    for document in publication.documents:
        name = posixpath.relpath(document.name, "documents").removeprefix("../").removesuffix(".md")
        files[f"{name}.pdf"] = render(publication, document)
    return write(target, "pdf", files)


def render(publication: Publication, document: Document) -> bytes:
    """The PDF of one document.

    Raises:
        MissingExtra: typst is not installed.
        DocumentError: the document cannot be set.
    """
    try:
        import typst
    except ImportError as error:
        raise MissingExtra("publishing PDF", "pdf") from error
    with tempfile.TemporaryDirectory(prefix="factbook-") as folder:
        dressed = look.read(publication.root)
        paper = Paper(publication, document, Path(folder), dressed)
        source, places = paper.source(), [dressed.fonts] if dressed.fonts else []
        foreign = _foreign(dressed, places)
        stamp = _NO_DATE if publication.date is None else dt.datetime.combine(publication.date, dt.time(), dt.UTC)

        def compiled(text: str, *, system: bool) -> bytes:
            compiler = typst.Compiler(root=folder, ignore_system_fonts=not (system or foreign), font_paths=places)
            made = compiler.compile(text.encode(), format="pdf", pdf_standards=list(STANDARDS), timestamp=stamp)
            return made if isinstance(made, bytes) else b""

        return _compile(source, compiled, document.name, typst.TypstError)


def _foreign(dressed: Dressed, places: list[Path]) -> bool:
    """Whether the look asks for a family of letters that the machine has, and neither typst nor the look.

    Raises:
        ManifestError: nobody has it.
    """
    import typst

    wanted = {family for family in (dressed.look.fonts.text, dressed.look.fonts.headings, dressed.look.fonts.code) if family}
    if not wanted:
        return False
    near = {family.casefold() for family in typst.Fonts(include_system_fonts=False, font_paths=places).families()}
    far = typst.Fonts(include_system_fonts=True, font_paths=places).families()
    for family in sorted(wanted):
        if family.casefold() not in {name.casefold() for name in far}:
            place = next(iter(dressed.places), look.FILE)
            raise ManifestError(
                f"{place}: fonts: no font of the family {family!r} is here for the PDF",
                remedy=f"name one of {', '.join(far)}; or put the font files beside it and name their folder as fonts.folder",
            )
    return any(family.casefold() not in near for family in wanted)


def _compile(source: str, compiled: Callable[..., bytes], name: str, failure: type[Exception]) -> bytes:
    """Compile with the fonts that typst brings along; where they lack a letter with those of the system; where no font has it, write its number."""
    system = False
    for _ in range(1000):
        try:
            return compiled(source, system=system)
        except failure as error:
            unshown = _UNSHOWN.search(str(error))
            if unshown is None:
                raise DocumentError(f"{name}: typst cannot set this document ({error})", remedy="please report it with the document") from error
            if system:
                source = _spelled_out(source, unshown.group(1))
            system = True
    raise DocumentError(f"{name}: too many letters that no font can show", remedy="install a font for this script")


def _spelled_out(source: str, unshown: str) -> str:
    """The source with what cannot be shown replaced by its number in Unicode; of the large scripts the whole page of 256 at once."""
    found = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), unshown)
    codes = {ord(character) for character in found}
    pages = {code >> 8 for code in codes if code >= _WHOLE_PAGES}
    return "".join(f"[U+{ord(c):04X}]" if ord(c) in codes or ord(c) >> 8 in pages else c for c in source)


@cache
def template() -> str:
    """The look of the PDF, in typst."""
    return Path(__file__).with_name("paper.typ").read_text(encoding="utf-8")


@dataclass(slots=True)
class Paper:
    """One document on its way to typst."""

    publication: Publication
    document: Document
    folder: Path
    dressed: Dressed
    _cells: dict[int, Key] = field(default_factory=dict)
    _notes: dict[str, Node] = field(default_factory=dict)
    _noted: set[str] = field(default_factory=set)
    _questions: int = 0
    _pictures: int = 0
    _level: int = 0
    _in_table: bool = False
    _struck: bool = False
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.publication)

    def source(self) -> str:
        """The whole typst source."""
        root = tree.build(self.document)
        self._cells = citations.cells(self.document, self.publication.catalog)
        self._notes = {node.value: node for node in root.children if node.kind == "FootnoteDefinition"}
        self._questions = sum(node.kind == "Link" and _scheme(node) == "question" for node in root.walk())
        root.children = [node for node in root.children if node.kind != "FootnoteDefinition"]
        title = "" if self._begins_with_title(root) else self.title(1, say(tree.title(self.document)))
        body = title + self.inner(root)
        evidence = self.ledger.set()
        return "\n".join((template(), self.settings(), body, evidence, appendix.not_judged(self.publication, self.document, 2 if evidence else 1)))

    def _begins_with_title(self, root: Node) -> bool:
        first = next((node for node in root.children if node.kind != "SoftBreak"), None)
        return first is not None and first.kind == "Heading" and first.value["level"] == "H1" and bool(first.words().strip())

    def settings(self) -> str:
        publication, subject = self.publication, self.publication.manifest.subject
        day, title = publication.date, tree.title(self.document)
        made = f"Evidence as of {day.isoformat()}, factbook {publication.version}" if day else f"factbook {publication.version}"
        given = {
            "title": string(title if subject.name in title else f"{title} – {subject.name}"),
            "subject": string(f"{subject.name} {subject.version}".strip()),
            "author": f"({string(subject.owner)},)" if subject.owner else "()",
            "keywords": '("factbook",)',
            "lang": string(publication.manifest.language),
            "date": f"datetime(year: {day.year}, month: {day.month}, day: {day.day})" if day else "none",
            "stage": string(publication.manifest.stage.value),
            "made": string(made),
            "close": "true" if self.pages() else "false",
            **self.house(),
        }
        colour = self.dressed.look.accent
        accent = f'rgb("{colour}")' if colour else "own-accent"
        return f"#let accent = {accent}\n#show: paper.with({', '.join(f'{name}: {value}' for name, value in given.items())})\n"

    def house(self) -> dict[str, str]:
        """What the organisation's look says of paper."""
        given, fonts = self.dressed.look, self.dressed.look.fonts
        families = {name: string(family) for name, family in (("face", fonts.text), ("heads", fonts.headings), ("codes", fonts.code)) if family}
        logo = {} if self.dressed.logo is None else {"logo": self.logo(self.dressed.logo)}
        return {"house": string(given.header), "foot": string(given.footer), **families, **logo}

    def logo(self, figure: figures.Figure) -> str:
        """The logo as a picture beside the source.

        Raises:
            ManifestError: typst cannot read it.
        """
        name = f"logo{Path(figure.name).suffix.lower()}"
        (self.folder / name).write_bytes(figure.data)
        if not _readable(self.folder, name):
            place = next(iter(self.dressed.places), look.FILE)
            raise ManifestError(f"{place}: logo: {figure.name} cannot be read as a picture", remedy="export it again, as plain SVG or PNG")
        return f"image({string(name)}, height: 12pt, alt: {string(self.dressed.look.name)})"

    def pages(self) -> int | None:
        """On how many pages the kind wants its text."""
        try:
            return kinds.load(self.document.kind).pages
        except FactbookError:
            return None

    def state(self) -> str:
        """What a reader must know before reading."""
        said = []
        if draft := self.publication.draft(self.document):
            said.append(f"Draft. {draft}")
        if self._questions:
            said.append(f"{citations.plural(self._questions, 'open question')} that only a person can answer.")
        return call("notice", body=say(" ".join(said))) if said else ""

    # --- walking -------------------------------------------------------------------------------------------------------------------------------

    def inner(self, node: Node) -> str:
        """Everything inside a node."""
        return "".join(self.one(child) for child in node.children)

    def one(self, node: Node) -> str:
        """One node."""
        wrapped = _WRAPPERS.get(node.kind)
        if wrapped is not None:
            return call(wrapped, body=self.inner(node))
        return _WALKERS.get(node.kind, Paper.inner)(self, node)

    def paragraph(self, node: Node) -> str:
        return f"\n\n{self.inner(node)}\n\n"

    def heading(self, node: Node) -> str:
        if not node.words().strip():
            return self.paragraph(node)
        signed = self.publication.vouched(self.document, " ".join(node.words().split()), first=self._level == 0)
        lines = "".join(f"\n\n{call('signed', body=say(line))}\n\n" for line in signed)
        return self.title(int(node.value["level"][1:]), self.inner(node)) + lines

    def title(self, level: int, body: str) -> str:
        """A heading; PDF/UA wants the first to be of level 1 and none to skip a level."""
        first = self._level == 0
        self._level = min(level, self._level + 1)
        return f"\n{call('heading', f'level: {self._level}', body=body)}\n" + (self.state() if first else "")

    def listing(self, node: Node) -> str:
        items = [f"[{self.inner(item).strip()}]" for item in node.children]
        return call("list", *items) if node.value is None else call("enum", f"start: {node.value}", *items)

    def quotation(self, node: Node) -> str:
        if any(part.kind == "Link" and _scheme(part) == "question" for part in node.walk()):
            return call("ask", body=self.inner(node).strip())
        kind = f"{call('strong', body=say(str(node.value)))}\n\n" if node.value else ""
        return call("quote", "block: true", body=kind + self.inner(node).strip())

    def code_block(self, node: Node) -> str:
        drawing = diagrams.at(self.publication, self.document, node.start)
        if drawing is not None:
            return self.picture(drawing[0].encode(), ".svg", drawing[1], caption="", width=_width_of(drawing[0]))
        return call("raw", string("".join(str(child.value) for child in node.children).rstrip("\n")), "block: true")

    def raw_block(self, node: Node) -> str:
        return call("raw", string(node.value), "block: true")

    def code(self, node: Node) -> str:
        return call("raw", string(node.value))

    def table(self, node: Node) -> str:
        before, self._in_table = self._in_table, True
        rows = [[f"[{self.cell(cell)}]" for cell in row.children] for row in node.children]
        self._in_table = before
        aligned = ", ".join(_ALIGN[align] for align in node.value)
        table = call(
            "table",
            f"columns: {len(node.value)}",
            f"align: ({aligned},)",
            f"table.header({', '.join(rows[0])})",
            *(c for row in rows[1:] for c in row),
        )
        return call("block", "breakable: false", body=table) if sum(map(_lines, node.children)) <= _UNBROKEN else table

    def cell(self, node: Node) -> str:
        key = self._cells.get(node.start)
        return self.inner(node) if key is None else self.value(citations.cite(f"fact:{key}", self.publication.catalog), self.inner(node))

    def link(self, node: Node) -> str:
        destination, body = node.value["dest_url"], self.inner(node)
        if citations.is_value(destination):
            catalog = self.publication.catalog
            citation = citations.compare(citations.cite(destination, catalog), node.words(), catalog)
            return call("strong", body=body) if citation.scheme == "question" else self.value(citation, body, self.lined(node))
        if node.value["link_type"] == "Email":
            destination = f"mailto:{destination}"
        safe = parse.split(destination)[0].lower() in citations.SAFE
        return call("web", string(destination), "accent", self.lined(node), body=body) if safe and body else body

    def lined(self, node: Node) -> str:
        """Whether a link can be underlined: PDF/UA allows no second line beside that of struck words."""
        return "false" if self._struck or any(part.kind == "Strikethrough" for part in node.walk()) else "true"

    def struck(self, node: Node) -> str:
        before, self._struck = self._struck, True
        body = self.inner(node)
        self._struck = before
        return body if before else call("strike", body=body)

    def value(self, citation: Citation, body: str, lined: str = "true") -> str:
        """A bound value: underlined, with the number of its entry in the appendix (not in tables, where it would read as a figure)."""
        if citation.key is not None and citation.key.field:
            citation = citations.of_fact(citation.key.whole(), self.publication.catalog)
        label = self.ledger.label(citation)
        shown = call("value", f"<{label}>", _STROKES[citation.tone], lined, body=body or say("(empty)"))
        return shown if self._in_table else shown + call("entry-mark", str(self.ledger.number(label)))

    def image(self, node: Node) -> str:
        alt, title = " ".join(node.words().split()) or "A picture without a description", node.value["title"]
        try:
            if title.startswith(charts.PREFIX):
                drawing = charts.render(charts.ChartSpec.parse(title), self.publication.catalog).encode()
                return self.picture(self.dressed.tinted(drawing), ".svg", alt)
        except FactbookError as error:
            return self.missing(error.message, alt)
        found = figures.load(self.publication.root, self.document.name, node.value["dest_url"])
        return self.missing(found, alt) if isinstance(found, str) else self.picture(found.data, Path(found.name).suffix.lower(), alt)

    def picture(self, data: bytes, suffix: str, alt: str, caption: str | None = None, width: str = "100%") -> str:
        """A picture that typst can show, with its description, which is its caption too unless another is given; else a place holder."""
        self._pictures += 1
        name = f"{self._pictures}{suffix}"
        (self.folder / name).write_bytes(data)
        shown = call("image", string(name), f"alt: {string(alt)}", f"width: {width}" if suffix == ".svg" else "").removeprefix("#").removesuffix(";")
        if suffix != ".svg" and not _readable(self.folder, name):
            return self.missing("The picture cannot be read.", alt)
        caption = alt if caption is None else caption
        return call("picture", shown, f"[{say(caption)}]" if caption else "none")

    def missing(self, why: str, alt: str) -> str:
        return call("missing", body=call("strong", body=say("No picture. ")) + say(f"{why} ") + call("emph", body=say(alt)))

    def reference(self, node: Node) -> str:
        definition = self._notes.get(node.value)
        if definition is None or node.value in self._noted:
            return say(f"[{node.value}]")
        self._noted.add(node.value)
        return call("footnote", body=self.inner(definition).strip())


_UNBROKEN: Final = 16
_LINE: Final = 100
_VIEW: Final = re.compile(r'viewBox="0 0 ([0-9.]+) ')
_SCALE: Final = 0.64
_ROOM: Final = 470.0
_WRAPPERS: Final = {"Emphasis": "emph", "Strong": "strong"}


def _lines(row: Node) -> int:
    """About how many lines a row of a table takes: its cells share the width of the paper."""
    most = max((len(cell.words()) for cell in row.children), default=0)
    return 1 + most * len(row.children) // _LINE


def _width_of(drawing: str) -> str:
    """How wide a diagram stands on paper: its letters as large as those of a chart, or smaller where it would not fit."""
    found = _VIEW.search(drawing)
    points = float(found.group(1)) * _SCALE if found else _ROOM
    return "100%" if points >= _ROOM else f"{points:.0f}pt"


def _scheme(node: Node) -> str:
    return parse.split(node.value["dest_url"])[0].lower()


def _readable(folder: Path, name: str) -> bool:
    """Whether typst can read a picture."""
    import typst

    try:
        typst.Compiler(root=folder, ignore_system_fonts=True).compile(f"#image({string(name)})".encode(), format="svg")
    except typst.TypstError:
        return False
    return True


_WALKERS: Final[dict[str, Callable[[Paper, Node], str]]] = {
    "Paragraph": Paper.paragraph,
    "Strikethrough": Paper.struck,
    "Heading": Paper.heading,
    "List": Paper.listing,
    "BlockQuote": Paper.quotation,
    "CodeBlock": Paper.code_block,
    "HtmlBlock": Paper.raw_block,
    "Html": Paper.code,
    "InlineHtml": Paper.code,
    "Code": Paper.code,
    "Table": Paper.table,
    "Text": lambda _paper, node: say(node.value),
    "SoftBreak": lambda _paper, _node: say(" "),
    "HardBreak": lambda _paper, _node: "#linebreak();",
    "Rule": lambda _paper, _node: "#line(length: 100%, stroke: .4pt + line-colour);",
    "TaskListMarker": lambda _paper, node: say("☑ " if node.value else "☐ "),
    "Link": Paper.link,
    "Image": Paper.image,
    "FootnoteReference": Paper.reference,
}
