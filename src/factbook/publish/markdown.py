"""The documents as plain Markdown for any generator: nothing is left that only factbook understands.

The files keep their places, so links between documents still work. A value link becomes a link to the list of evidence at the end of the
document, with the fact as its title, which every renderer shows on hover. Comments go, raw HTML becomes text, charts are copied.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from factbook import charts
from factbook.documents import parse
from factbook.documents.parse import Kind, PieceKind
from factbook.documents.regions import escape
from factbook.errors import FactbookError
from factbook.publish import citations, figures, tree, write
from factbook.publish.citations import Citation
from factbook.regimes import coverage

if TYPE_CHECKING:
    from factbook.documents.parse import Document, Image, Link
    from factbook.publish import Publication

HEADING: Final = "Evidence cited"
ANCHOR: Final = "#evidence-cited"
_DEFINED: Final = re.compile(r"\[[^\]]*\]:\s*<?([A-Za-z]+):")
Edit = tuple[int, int, str]


def publish(publication: Publication, target: Path) -> tuple[Path, ...]:
    """Write the documents and their pictures into the folder `target`, under the paths that they have in the book, and how it stands to each law."""
    files: dict[str, bytes] = {}
    for document in publication.documents:
        plain = Plain(publication, document)
        files[document.name] = plain.render().encode()
        files.update(plain.pictures)
    files |= {f"coverage/{found.regime.name}.md": coverage.page(found, "..").encode() for found in publication.coverages}
    return write(target, "markdown", files)


@dataclass(slots=True)
class Plain:
    """One document on its way to plain Markdown; `pictures` are the files that it shows, by their paths in the book."""

    publication: Publication
    document: Document
    pictures: dict[str, bytes] = field(default_factory=dict)
    _entries: dict[tuple[str, str], Citation] = field(default_factory=dict)

    def render(self) -> str:
        """The text of the document."""
        source = self.document.source
        edits = sorted([*self.markup(), *self.links(), *self.images(), *self.definitions(), *self.note(), *self.signed()], key=lambda edit: edit[:2])
        for key in citations.cells(self.document, self.publication.catalog).values():
            self.enter(citations.of_fact(key, self.publication.catalog))
        parts, done = [], 0
        for start, end, text in edits:
            if start >= done:
                parts += [source[done:start].decode(), text]
                done = end
        body = "".join([*parts, source[done:].decode()])
        return f"{body.rstrip()}\n{self.appendix()}"

    def enter(self, citation: Citation) -> None:
        """Put a citation on the list of evidence."""
        self._entries.setdefault((citation.scheme, citation.target), citation)

    # --- edits ---------------------------------------------------------------------------------------------------------------------------------

    def markup(self) -> Iterator[Edit]:
        """Comments go; other raw HTML becomes text."""
        for block in self.document.blocks:
            if block.kind is Kind.HTML:
                raw = tree.COMMENT.sub("", self.document.source[block.start : block.end].decode()).strip()
                yield block.start, block.end, escape(raw) + "\n" if raw else ""
                continue
            for piece in block.pieces:
                if piece.kind is PieceKind.HTML:
                    yield piece.start, piece.end, escape(tree.COMMENT.sub("", piece.text))

    def links(self) -> Iterator[Edit]:
        """Value links lead to the list of evidence; links with a scheme that could run something lose it."""
        for link in self.document.links:
            if link.bound or link.scheme.lower() in parse.SCHEMES:
                yield from self.value(link)
            elif link.scheme and link.scheme.lower() not in citations.SAFE:
                yield link.start, link.text_start, ""
                yield link.text_end, link.end, ""

    def value(self, link: Link) -> Iterator[Edit]:
        catalog = self.publication.catalog
        citation = citations.compare(citations.cite(f"{link.scheme}:{link.target}", catalog), link.text, catalog)
        if citation.scheme == "question":
            yield link.start, link.text_start, ""
            yield link.text_end, link.end, ""
            return
        self.enter(citation)
        title = escape(f"{citation.label}: {citation.headline}, {link.target}").replace('"', "&quot;")
        if link.text_start == link.text_end or link.text == f"{link.scheme}:{link.target}":
            yield link.start, link.end, f'[{escape(citation.headline)}]({ANCHOR} "{title}")'
            return
        yield link.start, link.text_start, "["
        yield link.text_end, link.end, f']({ANCHOR} "{title}")'

    def images(self) -> Iterator[Edit]:
        for image in self.document.images:
            name = self.picture(image)
            alt = escape(" ".join(image.alt.split()))
            if isinstance(name, FactbookError):
                yield image.start, image.end, f"*No picture. {escape(name.message)} {alt}*"
            else:
                address = quote(posixpath.relpath(name, posixpath.dirname(self.document.name) or "."))
                yield image.start, image.end, f"![{alt}]({address})"

    def picture(self, image: Image) -> str | FactbookError:
        """The path in the book of the picture that is shown, or why it cannot be."""
        if image.title.startswith(charts.PREFIX):
            try:
                spec = charts.ChartSpec.parse(image.title)
                self.pictures[charts.path(spec)] = charts.render(spec, self.publication.catalog).encode()
            except FactbookError as error:
                return error
            return charts.path(spec)
        found = figures.load(self.publication.root, self.document.name, image.path)
        if isinstance(found, str):
            return FactbookError(found)
        self.pictures[found.name] = found.data
        return found.name

    def definitions(self) -> Iterator[Edit]:
        """Definitions of reference links that lead to facts."""
        for start, end in self.document.definitions.values():
            defined = _DEFINED.match(self.document.source[start:end].decode())
            if defined and defined.group(1).lower() in parse.SCHEMES:
                yield start, end, ""

    # --- what is added -------------------------------------------------------------------------------------------------------------------------

    def note(self) -> Iterator[Edit]:
        """Under the first heading: how far the document has come."""
        draft = self.publication.draft(self.document)
        said = [f"**Draft.** {draft}"] if draft else []
        count = sum(1 for _ in self.document.bound("question"))
        said += [f"**{citations.plural(count, 'open question')}** that only a person can answer."] if count else []
        headings = [self.document.blocks[section.block] for section in self.document.sections[:1]]
        place = headings[0].end if headings and headings[0].quote < 0 else 0
        if said and place:
            yield place, place, f"\n> {' '.join(said)}\n"

    def signed(self) -> Iterator[Edit]:
        """Under each heading: who vouches for what stands there."""
        for number, section in enumerate(self.document.sections):
            heading = self.document.blocks[section.block]
            lines = self.publication.vouched(self.document, section.title, first=number == 0) if heading.quote < 0 else ()
            if lines:
                yield heading.end, heading.end, "\n" + "\n".join(f"- *{escape(line)}*" for line in lines) + "\n"

    def appendix(self) -> str:
        """The list of evidence: every value that the text cites, the measurements, and what was not judged."""
        parts: list[str] = []
        if self._entries:
            parts += [f"## {HEADING}", table(("Cited", "What it says", "n", "Origin", "Digest"), map(self.entry, self._entries.values()))]
        names = sorted({citation.key.evidence for citation in self._entries.values() if citation.key is not None})
        records = [self.publication.catalog.evidence.records[name] for name in names if name in self.publication.catalog.evidence.records]
        rows = [
            (
                code(record.name),
                f"{escape(record.measure)} {record.version}",
                citations.day(record),
                ", ".join(f"{escape(item.source)} {code(item.digest)}" for _, item in sorted(record.inputs.items())),
                code(citations.command(record)),
            )
            for record in records
        ]
        if rows:
            parts.append(table(("Measurement", "Measure", "Measured", "Sources", "Re-derive"), rows))
        if self.publication.not_judged:
            lines = [(escape(row.what), escape(row.message), code(row.place) if row.place else "") for row in self.publication.not_judged]
            parts += ["## Not judged", table(("What", "Why it was not judged", "Place"), lines)]
        return "".join(f"\n{part}\n" for part in parts)

    def entry(self, citation: Citation) -> tuple[str, ...]:
        """One row of the list."""
        key = citation.key
        if key is None:
            details = "; ".join(f"{item.term}: {item.text}" for item in citation.details if item.term != "Re-derive")
            return code(citation.target), escape(f"{citation.label}: {citation.headline.rstrip('.')}. {details}"), "", "", ""
        fact = self.publication.catalog.fact(key)
        digest = "" if key.evidence == citations.DERIVED else code(self.publication.catalog.evidence.identity(key))
        return code(str(key)), escape(citation.headline), "" if fact.n is None else f"{fact.n:,}", fact.origin.value, digest


def code(text: str) -> str:
    """Inline code that holds in a table: as text where it would end the cell or the code."""
    return escape(text) if "`" in text or "|" in text or not text.strip() else f"`{text}`"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table of cells that are Markdown already."""
    head = list(header)
    lines = [head, ["---"] * len(head), *([" ".join(cell.split()) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
