from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pikepdf
import published_book
import pytest
import typst
from hypothesis import example, given, settings
from hypothesis import strategies as st

from factbook.documents import parse, spelling
from factbook.errors import MissingExtra
from factbook.model import Key
from factbook.publish import Publication, Row, ledger, pdf


@pytest.fixture(scope="session")
def made(publication: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pdf")
    assert [path.name for path in pdf.publish(publication, target)] == ["model-card.pdf", "datasheet.pdf"]
    return target / "model-card.pdf"


def text_of(path: Path) -> str:
    """The text that a reader extracts, through the fonts' own maps to Unicode."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True).stdout.decode()


def elements(node: Any) -> list[Any]:
    """All structure elements below a node of the tag tree."""
    found = []
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            found += [child, *elements(child)]
    return found


def test_it_declares_pdf_a_and_pdf_ua(made: Path) -> None:
    with pikepdf.open(made) as document, document.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "2"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == "Model card – progression <b>risk</b>"
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang) == "en"


def test_it_is_tagged_with_headings_tables_and_described_figures(made: Path) -> None:
    with pikepdf.open(made) as document:
        found = elements(document.Root.StructTreeRoot)
        kinds = [str(element.S) for element in found]
        figures = [str(element.get("/Alt", "")) for element in found if str(element.S) == "/Figure"]
    assert {"/H1", "/H2", "/Table", "/TH", "/Link", "/L"} <= set(kinds)
    assert {"By age", "By sex", "Pixel"} <= set(figures)


def test_the_appendix_holds_the_digests_of_the_facts_and_of_the_sources(made: Path, publication: Publication) -> None:
    text = text_of(made)
    for key in ("performance/fnr", "performance/auc", "performance/fnr?sex=<h1>PASS</h1>"):
        assert key in text
        assert ledger.short_digest(publication, Key.parse(key)) in text
    assert publication.catalog.evidence.records["performance"].digest in text
    assert "sha256:" + "ab12" * 16 in text
    assert spelling.spell(publication.catalog.fact(Key.parse("performance/fnr"))) in text
    assert "factbook measure . --only performance --force" in text
    assert "Efron et al. 2004" in text


def test_the_running_text_has_numbers_that_rise_and_tables_have_none(publication: Publication, tmp_path: Path) -> None:
    table = "| a |\n|---|\n| [200](fact:performance/rows) |\n\n"
    book = published_book.build(tmp_path, f"# T\n\n{table}It misses [19.5 %](fact:performance/fnr) of [442](declared:patients).\n")
    (tmp_path / "made.pdf").write_bytes(pdf.render(book, book.documents[0]))
    said, _, appendix = text_of(tmp_path / "made.pdf").partition("\nEvidence\n")
    assert re.findall(r"\[\d+\]", said) == ["[1]", "[2]"]
    assert re.findall(r"\[\d+\]", appendix) == ["[1]", "[2]"]
    assert appendix.index("performance/fnr") < appendix.index("Measurement performance") < appendix.index("performance/rows")


def test_what_was_not_judged_of_other_documents_stands_there_only(publication: Publication, tmp_path: Path) -> None:
    rows = (
        Row("one", "documents/model-card.md:3", "here"),
        Row("two", "documents/datasheet.md:4", "elsewhere"),
        Row("three", "factbook.yaml:5", "all"),
    )
    book = dataclasses.replace(publication, not_judged=rows)
    (tmp_path / "made.pdf").write_bytes(pdf.render(book, book.documents[0]))
    text = text_of(tmp_path / "made.pdf")
    assert "here" in text
    assert "elsewhere" not in text
    assert "factbook.yaml:5" in text


def test_what_cannot_be_shown_is_said_and_markup_is_text(made: Path) -> None:
    text = re.sub(r"\s+", " ", text_of(made))
    assert "DRAFT" in text
    assert "1 open question that only a person can answer" in text
    assert "lost.png is missing" in text
    assert '<script>alert("block")</script>' in text
    assert "nobody publishes" not in text
    assert "the file holdout.csv is absent" in text


def test_no_link_runs_anything(made: Path) -> None:
    with pikepdf.open(made) as document:
        actions = [note.A for page in document.pages for note in page.get("/Annots", []) if "/A" in note]
        addresses = [str(action.URI) for action in actions if "/URI" in action]
        assert {str(action.S) for action in actions} <= {"/URI", "/GoTo"}
    assert set(addresses) == {"https://example.org/a?b=1&c=2"}


@given(st.text())
@settings(max_examples=60, deadline=None)
@example('"; #panic("out") //')
@example("\\u{41}\\")
@example("#let x = 1 \n = Heading $x$ `code` @ref <label> /* */ ~")
@example("\x00\x07\ufffe\ud800")
def test_a_literal_says_exactly_the_text(text: str) -> None:
    expected = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "�", text.replace("\r\n", "\n").replace("\r", "\n"))
    found = typst.query(f"#metadata({pdf.string(text)}) <m>".encode(), "<m>", field="value", one=True)
    assert json.loads(found) == expected


@pytest.mark.parametrize(
    "text",
    [
        "# 東京 and العربية 😀\n\n東京都の患者 \u202eright to left\u202c and \u200b.\n",
        "## No first level\n\n#### Skipped\n\ntext\n",
        "No heading at all.\n",
        "",
        "# [19.5 %](fact:performance/fnr) in a heading\n\n> - quote\n>\n>   | a | b |\n>   |---|---|\n>   | [200](fact:performance/rows) | `x|y` |\n",
        "# Notes\n\nOne[^a] and again[^a], nested[^b], lost[^c].\n\n[^a]: First[^b].\n[^b]: Second.\n",
        "# T\n\n[](fact:performance/fnr) ![](pixel.png) ![x](pixel.png 'fact:chart') [](https://example.org) <mail@example.org> <https://example.org>\n",
        "# T\n\n- a\n\n  b\n\n      code #x\n\n* * *\n\nhard  \nbreak\\\nend &copy; &#0; &lt;\n",
        "# T\n\n[~~a~~](fact:performance/fnr) ~~[b](fact:performance/fnr)~~ [~~c~~](https://example.org) ~~d [e](https://example.org) ~~\n",
        "# T\n\n" + "> " * 12 + "deep\n",
        "# T\n\n| a |\n|---|\n| b | c |\n||\n",
    ],
)
def test_every_document_can_be_set(publication: Publication, text: str) -> None:
    document = parse.parse(text, "documents/odd.md")
    assert pdf.render(publication, document).startswith(b"%PDF")


def test_a_damaged_picture_is_named(publication: Publication, tmp_path: Path) -> None:
    book = published_book.build(tmp_path, "# T\n\n![Damaged](damaged.png)\n")
    (tmp_path / "documents/damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "made.pdf").write_bytes(pdf.render(book, book.documents[0]))
    assert "cannot be read" in text_of(tmp_path / "made.pdf")


def test_a_released_book_is_no_draft(publication: Publication) -> None:
    from factbook.manifest import Stage

    released = dataclasses.replace(publication, manifest=publication.manifest.model_copy(update={"stage": Stage.RELEASED}))
    assert pdf.render(released, publication.documents[1]) != pdf.render(publication, publication.documents[1])


def test_without_typst_it_says_what_to_install(publication: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtra, match=r"factbook\[pdf\]"):
        pdf.publish(publication, tmp_path)
    assert not list(tmp_path.iterdir())
