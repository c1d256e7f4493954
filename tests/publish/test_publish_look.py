"""A look is data: what it says reaches pages and papers, and what cannot be used is refused with the file, the reason and the remedy."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import published_book
import pytest

from factbook.charts import svg
from factbook.errors import ManifestError
from factbook.publish import Publication, html, look, pdf

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10"/></svg>'


def book(folder: Path, text: str) -> Publication:
    made = published_book.build(folder, "# T\n\nIt misses [19.5 %](fact:performance/fnr).\n")
    (folder / "look.yaml").write_text(text)
    (folder / "logo.svg").write_text(SVG)
    return made


def test_without_one_nothing_changes(publication: Publication, tmp_path: Path) -> None:
    made = published_book.build(tmp_path, "# T\n")
    before = pdf.render(made, made.documents[0]), html.site(made)
    (tmp_path / "look.yaml").write_text("# nothing yet\n{}\n")
    assert (pdf.render(made, made.documents[0]), html.site(made)) == before


def test_it_reaches_page_and_paper(tmp_path: Path) -> None:
    made = book(tmp_path, "name: Acme\naccent: '#7a1f5c'\naccent-dark: '#e59ac8'\nlogo: logo.svg\nlogo-dark: logo.svg\nheader: <b>Risk</b>\n")
    page = dict(html.site(made))["documents/model-card"]
    assert page.count("data:image/svg+xml") >= 2
    assert "&lt;b&gt;Risk&lt;/b&gt;" in page
    assert re.search(r"prefers-color-scheme: dark\) { :root { --accent: #e59ac8", page)
    assert pdf.render(made, made.documents[0]) != pdf.render(dataclasses.replace(made, root=tmp_path / "elsewhere"), made.documents[0])


def test_charts_wear_its_accent_on_page_and_paper(tmp_path: Path) -> None:
    made = published_book.build(tmp_path, "# T\n")
    assert ".fb-chart .d" not in look.read(made.root).sheet()
    (tmp_path / "look.yaml").write_text("accent: '#7a1f5c'\naccent-dark: '#e59ac8'\n")
    dressed = look.read(made.root)
    assert ":root .fb-chart .d { fill: var(--accent); }" in dressed.sheet()
    drawing = dressed.tinted(svg.STYLE.encode()).decode().partition("@media")[0]
    assert svg.ACCENT not in drawing
    assert svg.TINT not in drawing
    assert drawing.count("#7a1f5c") == svg.STYLE.partition("@media")[0].count(svg.ACCENT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accent: '#ffee00'", "take a darker one"),
        ("accent: '#7a1f5c'", "give a lighter accent-dark"),
        ("accent: red", "accent"),
        ("accent-dark: '#202020'", "take a lighter one"),
        ("logo: logo.svg", "a logo needs a name"),
        ("name: Acme\nlogo: lost.svg", "there is no file lost.svg beside it"),
        ("name: Acme\nlogo: ../outside.svg", "is no picture for a page and a paper"),
        ("name: Acme\nlogo: look.yaml", "is no picture for a page and a paper"),
        ("colour: '#000000'", "is not known here"),
        ("fonts: {text: 'a; } body { color: red'}", "fonts.text"),
        ("fonts: {folder: nowhere}", "there is no folder nowhere beside it"),
        ("accent: [", "not YAML"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(tmp_path: Path, text: str, said: str) -> None:
    made = book(tmp_path, text)
    with pytest.raises(ManifestError, match=r"look\.yaml") as refused:
        html.site(made)
    assert said in f"{refused.value} {refused.value.remedy}"


def test_a_font_that_nobody_has_is_named_with_those_that_are_here(tmp_path: Path) -> None:
    made = book(tmp_path, "fonts: {headings: No Such Letters}")
    with pytest.raises(ManifestError, match=r"look\.yaml: fonts: .*No Such Letters") as refused:
        pdf.render(made, made.documents[0])
    assert "Libertinus Serif" in refused.value.remedy


def test_a_logo_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    made = book(tmp_path, "name: Acme\nlogo: logo.svg")
    (tmp_path / "logo.svg").write_text("nothing")
    with pytest.raises(ManifestError, match="cannot be read as a picture"):
        pdf.render(made, made.documents[0])


@pytest.mark.parametrize(("one", "other", "found"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ffffff", "#ffffff", 1.0)])
def test_contrast_is_that_of_wcag(one: str, other: str, found: float) -> None:
    assert look.contrast(one, other) == pytest.approx(found, abs=0.01)
