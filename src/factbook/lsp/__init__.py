"""A server for editors that speak the Language Server Protocol: findings as you type, completion and hover of links, edits of `update` and `fix`.

It reads books and changes nothing; edits are the editor's. A book is found by its factbook.yaml in a folder above the document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from factbook.book import Book
from factbook.documents.parse import Document, parse
from factbook.errors import FactbookError, MissingExtra
from factbook.lsp import editor
from factbook.manifest import FILE
from factbook.rules import Finding, Severity
from factbook.rules.fixing import fixed

if TYPE_CHECKING:
    from lsprotocol import types as lsp
    from pygls.lsp.server import LanguageServer
    from pygls.workspace import TextDocument

PAUSE: Final = 0.25
"""Seconds without typing before a document is checked."""
TRIGGERS: Final = ("(", ":", "/", "?", ";", "&", "=", "-", ".")


def serve() -> None:
    """Serve one editor over standard input and output, until it leaves.

    Raises:
        MissingExtra: pygls is not installed.
    """
    server().start_io()


def server() -> LanguageServer:
    """The server, with all that it can do."""
    try:
        from lsprotocol import types as lsp
        from pygls.lsp.server import LanguageServer
    except ImportError as error:
        raise MissingExtra("the language server", "lsp") from error
    made = LanguageServer("factbook", version("factbook"))
    desk = _Desk(made)

    @made.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        desk.check(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        desk.check(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        await asyncio.sleep(PAUSE)
        if desk.text(params.text_document.uri).version == params.text_document.version:
            desk.check(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        desk.close(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(TRIGGERS)))
    def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        return desk.complete(params.text_document.uri, params.position)

    @made.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        return desk.hover(params.text_document.uri, params.position)

    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.SourceFixAll]

    @made.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def act(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return desk.actions(params.text_document.uri, params.range)

    return made


class _Desk:
    """The books of the documents that an editor has open."""

    def __init__(self, server: LanguageServer) -> None:
        self.server = server
        self.books: dict[Path, tuple[tuple[int, ...], Book]] = {}
        self.shown: dict[Path, set[str]] = {}
        self.found: dict[Path, tuple[dict[str, bytes], tuple[Finding, ...]]] = {}

    def text(self, uri: str) -> TextDocument:
        """The document as the editor holds it."""
        return self.server.workspace.get_text_document(uri)

    def place(self, uri: str) -> tuple[Path, str] | None:
        """The book of a document and its name there; None where no book is above it."""
        path = Path(self.text(uri).path).resolve()
        root = next((folder for folder in path.parents if (folder / FILE).is_file()), None)
        return None if root is None else (root, path.relative_to(root).as_posix())

    def book(self, root: Path) -> Book:
        """The book as it is on the disk now, with the texts that are open; read again only where it has changed.

        Raises:
            FactbookError: it cannot be read.
        """
        files = [root / FILE, *sorted((root / "evidence").glob("*.json")), *sorted((root / "runs").glob("*.json"))]
        stamp = tuple(item for stat in (file.stat() for file in files) for item in (stat.st_mtime_ns, stat.st_size))
        if root not in self.books or self.books[root][0] != stamp:
            self.books[root] = (stamp, Book(root))
        book = self.books[root][1]
        opened = {uri: self.place(uri) for uri in self.server.workspace.text_documents}
        drafts = {found[1]: uri for uri, found in opened.items() if found and found[0] == root and found[1].startswith("documents/")}
        book.drafts = {name: self.text(uri).source.encode() for name, uri in drafts.items()}
        return book

    def check(self, uri: str) -> None:
        """Publish what `check` finds in the book of a document."""
        place = self.place(uri)
        if place is None:
            return
        root, name = place
        try:
            found = {file: list(findings) for file, findings in _by_file(self.findings(self.book(root), anew=True)).items()}
        except FactbookError as error:
            found = {name: [Finding("", "factbook", Severity.ERROR, name, 1, 1, error.message, error.remedy)]}
        for file in sorted({*found, name, *self.shown.get(root, set())}):
            self.publish(root / file, found.get(file, []))
        self.shown[root] = set(found)

    def findings(self, book: Book, *, anew: bool = False) -> tuple[Finding, ...]:
        """What `check` finds in a book; what it found last, where the texts are the same and it is not to look anew.

        Raises:
            FactbookError: the book cannot be judged.
        """
        last = self.found.get(book.root)
        if anew or last is None or last[0] != book.drafts:
            last = self.found[book.root] = (dict(book.drafts), book.check().findings)
        return last[1]

    def publish(self, path: Path, findings: list[Finding]) -> None:
        """The findings of one file; none clears it."""
        from lsprotocol import types as lsp

        uri = self._uri(path)
        diagnostics = [
            self._diagnostic(self.text(uri), finding) for finding in findings if path.is_file() or uri in self.server.workspace.text_documents
        ]
        self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics))

    def _uri(self, path: Path) -> str:
        """The name that the editor has for a file."""
        opened = (uri for uri, text in self.server.workspace.text_documents.items() if Path(text.path).resolve() == path.resolve())
        return next(opened, path.as_uri())

    def _diagnostic(self, text: TextDocument, finding: Finding) -> lsp.Diagnostic:
        from lsprotocol import types as lsp

        said = f"{finding.message}\n→ {finding.fix}" if finding.fix else finding.message
        lines = text.lines or [""]
        line = min(finding.line - 1, len(lines) - 1)
        start = min(finding.column - 1, len(lines[line]))
        end = _end(lines[line], start)
        severity = lsp.DiagnosticSeverity.Error if finding.severity is Severity.ERROR else lsp.DiagnosticSeverity.Warning
        return lsp.Diagnostic(_client(text, (line, start), (line, end)), said, severity, code=finding.code or None, source="factbook")

    def close(self, uri: str) -> None:
        """Forget a text; what is on the disk counts again."""
        place = self.place(uri)
        if place and place[0] in self.books:
            self.books[place[0]][1].drafts.pop(place[1], None)

    def open(self, uri: str) -> tuple[Book, Document, TextDocument] | None:
        """The book, the parsed text and the text of an open document; None where it is of no book, or neither can be read."""
        place = self.place(uri)
        if place is None:
            return None
        text = self.text(uri)
        try:
            return self.book(place[0]), parse(text.source, place[1]), text
        except FactbookError:
            return None

    def complete(self, uri: str, position: lsp.Position) -> lsp.CompletionList:
        """What may come next."""
        from lsprotocol import types as lsp

        found = self.open(uri)
        if found is None:
            return lsp.CompletionList(is_incomplete=False, items=[])
        book, document, text = found
        at = text.position_from_client_units(position)
        line = text.lines[at.line] if at.line < len(text.lines) else ""
        offered = editor.completions(line[: at.character], document, book.catalog)
        items = []
        for number, item in enumerate(offered):
            edit = lsp.TextEdit(_client(text, (at.line, at.character - item.replaces), (at.line, at.character)), item.text)
            items.append(lsp.CompletionItem(item.text, detail=item.detail, text_edit=edit, filter_text=item.text, sort_text=f"{number:04}"))
        return lsp.CompletionList(is_incomplete=len(items) >= editor.MOST, items=items)

    def hover(self, uri: str, position: lsp.Position) -> lsp.Hover | None:
        """The card of the link under the cursor."""
        from lsprotocol import types as lsp

        found = self.open(uri)
        if found is None:
            return None
        book, document, text = found
        link = editor.link_at(document, _byte(text, position))
        if link is None:
            return None
        try:
            said = editor.hover(link, book.catalog)
        except FactbookError as error:
            said = str(error)
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, said), _range(document, text, link.start, link.end))

    def actions(self, uri: str, place: lsp.Range) -> list[lsp.CodeAction]:
        """The edits for a place."""
        from lsprotocol import types as lsp

        found = self.open(uri)
        if found is None:
            return []
        book, document, text = found
        start, end = _byte(text, place.start), _byte(text, place.end)
        offered = [*editor.actions(document, start, end, book.catalog), *self._fixes(book, document, start, end)]
        made = []
        for item in offered:
            edits = [lsp.TextEdit(_range(document, text, edit.start, edit.end), edit.data.decode()) for edit in item.edits]
            kind = lsp.CodeActionKind.QuickFix if len(edits) == 1 else lsp.CodeActionKind.SourceFixAll
            made.append(lsp.CodeAction(item.title, kind=kind, edit=lsp.WorkspaceEdit(changes={uri: list(edits)})))
        return made

    def _fixes(self, book: Book, document: Document, start: int, end: int) -> Iterator[editor.Action]:
        """The safe fixes of `factbook fix` that a place touches, and all of the document's at once."""
        try:
            safe = fixed(document.name, document.source, self.findings(book)).findings
        except FactbookError:
            return
        for finding in safe:
            if finding.edit is not None and finding.edit.start <= end and start <= finding.edit.end:
                yield editor.Action(f"{finding.code}: {finding.fix}", (finding.edit,))
        if len(safe) > 1:
            yield editor.Action(f"Apply all {len(safe)} safe fixes of this document", tuple(finding.edit for finding in safe if finding.edit))


def _by_file(findings: tuple[Finding, ...]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.file, []).append(finding)
    return found


def _end(line: str, start: int) -> int:
    """Where what begins at a place ends: a link with its destination, else a word."""
    if line[start : start + 1] == "[" and (close := line.find(")", start)) > 0:
        return close + 1
    end = start
    while end < len(line) and not line[end].isspace():
        end += 1
    return max(end, min(start + 1, len(line)))


def _byte(text: TextDocument, position: lsp.Position) -> int:
    """The byte of a place in an editor."""
    at = text.position_from_client_units(position)
    before = "".join(text.lines[: at.line]) + (text.lines[at.line][: at.character] if at.line < len(text.lines) else "")
    return len(before.encode())


def _range(document: Document, text: TextDocument, start: int, end: int) -> lsp.Range:
    """The place in an editor of some bytes."""
    ends = [(line - 1, column - 1) for line, column in (document.place(start), document.place(end))]
    return _client(text, ends[0], ends[1])


def _client(text: TextDocument, start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
    """A range of lines and characters, from 0, in the units of the editor."""
    from pygls.workspace import ServerTextPosition, ServerTextRange

    return text.range_to_client_units(ServerTextRange(ServerTextPosition(*start), ServerTextPosition(*end)))
