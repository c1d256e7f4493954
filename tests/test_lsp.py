"""The server for editors, driven by a real client over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from factbook import Book
from factbook.lsp import editor
from made import predictions

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

SAID = {"label": "y", "score": "p", "key": "id", "by": ("sex",)}
MORE = '\nclaims:\n  women: "{performance/fnr?sex=female} > {performance/fnr?sex=male}"\ngaps:\n  income: {why: not recorded}\n'
TEXT = "---\nkind: model-card\n---\n\n# Notes\n\nIt is \U0001f60b [99 %](fact:performance/accuracy) of all.\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    place = tmp_path_factory.mktemp("lsp")
    made, _ = Book.init(place / "book", data=str(predictions(place / "rows.csv")), **SAID)
    path = made.root / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    (made.root / "documents/notes.md").write_text(TEXT.replace("99 %", ""), encoding="utf-8")
    made = Book(made.root)
    made.update()
    return made


class Editor:
    """A client that has one document open."""

    def __init__(self, client: Any, uri: str) -> None:
        self.client, self.uri, self.version = client, uri, 0
        self.diagnostics: dict[str, list[Any]] = {}
        self.news = asyncio.Event()

    async def heard(self, action: Callable[[], None]) -> list[Any]:
        """What is published for the document after something was done."""
        self.news.clear()
        action()
        await asyncio.wait_for(self.news.wait(), 60)
        return list(self.diagnostics[self.uri])

    def open(self, text: str) -> None:
        from lsprotocol import types as lsp

        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(self.uri, "markdown", 0, text)))

    def change(self, text: str) -> None:
        from lsprotocol import types as lsp

        self.version += 1
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(lsp.VersionedTextDocumentIdentifier(self.version, self.uri), [whole]))


def edit(path: Path, story: Callable[[Editor], Awaitable[None]]) -> None:
    """Start a server, open a client, and tell a story."""
    from lsprotocol import types as lsp
    from pygls.lsp.client import LanguageClient

    async def run() -> None:
        client = LanguageClient("tests", "1")
        at = Editor(client, path.as_uri())

        @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            at.diagnostics[params.uri] = list(params.diagnostics)
            if params.uri == at.uri:
                at.news.set()

        await client.start_io(sys.executable, "-m", "factbook", "lsp")
        await client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities()))
        client.initialized(lsp.InitializedParams())
        try:
            await story(at)
        finally:
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()

    asyncio.run(run())


def test_an_editor_is_told_while_somebody_types(book: Book) -> None:
    from lsprotocol import types as lsp

    path = book.root / "documents/notes.md"
    saved = path.read_bytes()

    async def story(at: Editor) -> None:
        (finding,) = [item for item in await at.heard(lambda: at.open(TEXT)) if item.code == "FB101"]
        line = TEXT.splitlines().index(next(line for line in TEXT.splitlines() if "99 %" in line))
        assert (finding.range.start.line, finding.range.start.character) == (line, 9)  # the face is two units of UTF-16
        assert finding.range.end.character == 9 + len("[99 %](fact:performance/accuracy)")
        assert finding.severity == lsp.DiagnosticSeverity.Error
        here = lsp.Position(line, 20)
        card = await at.client.text_document_hover_async(lsp.HoverParams(lsp.TextDocumentIdentifier(at.uri), here))
        for said in ("95 % CI", "- n: 240", "- Method:", "- Formula: `", "- Source (data): evaluation", "the document says: 99 %"):
            assert said in card.contents.value
        wanted = lsp.CodeActionParams(lsp.TextDocumentIdentifier(at.uri), lsp.Range(here, here), lsp.CodeActionContext([]))
        (action,) = await at.client.text_document_code_action_async(wanted)
        (change,) = action.edit.changes[at.uri]
        row = TEXT.splitlines()[line].encode("utf-16-le")
        start, end = change.range.start.character * 2, change.range.end.character * 2
        mended = (row[:start] + change.new_text.encode("utf-16-le") + row[end:]).decode("utf-16-le")
        assert mended == "It is \U0001f60b [81 %](fact:performance/accuracy) of all."  # in the shape that was written
        after = await at.heard(lambda: at.change(TEXT.replace(TEXT.splitlines()[line], mended)))
        assert not [item for item in after if item.code == "FB101"]
        assert path.read_bytes() == saved

    edit(path, story)


def test_safe_fixes_are_offered_for_the_text_as_it_is_typed(book: Book) -> None:
    from lsprotocol import types as lsp

    style = book.root / "style.yaml"
    style.write_text("say: {utilise: use}\n", encoding="utf-8")
    typed = "# Notes\n\n😋 We utilise the the model.\n\nThey utilise it.\n"

    async def story(at: Editor) -> None:
        await at.heard(lambda: at.open("# Notes\n"))
        at.change(typed)  # the edits are those of this text, whether it was checked yet or not
        here = lsp.Position(2, 8)
        wanted = lsp.CodeActionParams(lsp.TextDocumentIdentifier(at.uri), lsp.Range(here, here), lsp.CodeActionContext([]))
        one, every = await at.client.text_document_code_action_async(wanted)
        assert (one.title, one.kind) == ("FB312: write 'use'", lsp.CodeActionKind.QuickFix)
        (change,) = one.edit.changes[at.uri]
        assert (change.range.start, change.range.end, change.new_text) == (lsp.Position(2, 6), lsp.Position(2, 13), "use")
        assert (every.title, every.kind) == ("Apply all 3 safe fixes of this document", lsp.CodeActionKind.SourceFixAll)
        assert [(edit.range.start.line, edit.new_text) for edit in every.edit.changes[at.uri]] == [(2, "use"), (2, "the"), (4, "use")]

    try:
        edit(book.root / "documents/notes.md", story)
    finally:
        style.unlink()


def test_links_are_completed_and_damage_is_a_diagnostic(book: Book) -> None:
    from lsprotocol import types as lsp

    path = book.root / "documents/notes.md"

    async def complete(at: Editor, typed: str) -> list[Any]:
        await at.heard(lambda: at.change(TEXT + typed))
        place = lsp.Position(len(TEXT.splitlines()), len(typed))
        found = await at.client.text_document_completion_async(lsp.CompletionParams(lsp.TextDocumentIdentifier(at.uri), place))
        return list(found.items)

    async def story(at: Editor) -> None:
        await at.heard(lambda: at.open(TEXT))
        keys = await complete(at, "[](fact:performance/fnr?")
        assert {item.label for item in keys} == {"performance/fnr?sex=female", "performance/fnr?sex=male"}
        assert keys[0].text_edit.range.start.character == len("[](fact:")
        assert "95 % CI" in keys[0].detail
        assert [item.label for item in await complete(at, "[x](claim:wo")] == ["women?not-established"]
        assert [item.label for item in await complete(at, "[x](gap:")] == ["income"]
        assert "use.primary" in [item.label for item in await complete(at, "[Q1](question:use")]
        assert [item.text_edit.new_text for item in await complete(at, "[x](p")] == ["policy:"]
        assert await complete(at, "fact:performance") == []
        (broken,) = await at.heard(lambda: at.change("---\na: 1\na: 2\n---\n"))
        assert "'a' is given twice" in broken.message

    edit(path, story)


def test_a_document_of_no_book_is_left_alone(tmp_path: Path) -> None:
    from lsprotocol import types as lsp

    path = tmp_path / "plain.md"
    path.write_text("[x](fact:a/b)\n", encoding="utf-8")

    async def story(at: Editor) -> None:
        at.open("[x](fact:a/b)\n")
        assert await at.client.text_document_hover_async(lsp.HoverParams(lsp.TextDocumentIdentifier(at.uri), lsp.Position(0, 5))) is None
        assert at.diagnostics == {}

    edit(path, story)


def test_drafts_take_the_place_of_files(book: Book) -> None:
    own = Book(book.root)
    own.drafts = {"documents/notes.md": b"# Draft\n\n12345 words.\n", "documents/new.md": b"# New\n"}
    assert {document.title for document in own.documents} >= {"Draft", "New"}
    assert any("'12345'" in item.message for item in own.check().findings)


def test_completions_need_the_destination_of_a_link(book: Book) -> None:
    document = next(item for item in book.documents if item.name == "documents/notes.md")
    assert editor.completions("[fnr]: fact:performance/fnr", document, book.catalog)[0].text == "performance/fnr"
    assert editor.completions("see (fact:performance/fnr", document, book.catalog) == []
