from __future__ import annotations

import base64
import dataclasses
import hashlib
import posixpath
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import published_book
import pytest

from factbook.documents import parse, spelling
from factbook.manifest import Stage
from factbook.model import Key
from factbook.publish import Publication, html

VOID = {"br", "hr", "img", "link", "meta", "wbr"}


class Element:
    """An element of a parsed page."""

    def __init__(self, name: str, attributes: dict[str, str | None], parent: Element | None) -> None:
        self.name, self.attributes, self.parent = name, attributes, parent
        self.children: list[Element | str] = []

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, name: str = "", **attributes: str) -> list[Element]:
        found = []
        for child in self.children:
            if isinstance(child, Element):
                wanted = all(value in (child.attributes.get(key.rstrip("_")) or "").split() for key, value in attributes.items())
                found += [child] if wanted and name in ("", child.name) else []
                found += child.all(name, **attributes)
        return found

    def one(self, name: str = "", **attributes: str) -> Element:
        (found,) = self.all(name, **attributes)
        return found


class Reader(HTMLParser):
    """A strict reader: every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("", {}, None)
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        element = Element(tag, dict(attrs), self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        assert self.here.name == tag
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def read(path: Path) -> Element:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.here is reader.root
    assert not reader.comments
    return reader.root


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Element]:
    return {path.relative_to(site).as_posix(): read(path) for path in sorted(site.rglob("*.html"))}


@pytest.fixture
def card(pages: dict[str, Element]) -> Element:
    return pages["documents/model-card.html"]


def test_there_is_a_page_for_everything(pages: dict[str, Element]) -> None:
    assert set(pages) == {
        "index.html",
        "documents/model-card.html",
        "documents/datasheet.html",
        "evidence/performance.html",
        "evidence/derived.html",
        "statements.html",
        "not-judged.html",
    }


def test_every_page_has_a_frame_that_assistive_technology_can_use(pages: dict[str, Element]) -> None:
    for page in pages.values():
        assert page.one("html").attributes["lang"] == "en"
        assert page.one("head").one("title").text
        assert len(page.all("h1")) == 1
        assert page.one("a", class_="skip").attributes["href"] == "#main"
        assert page.one("main").attributes["id"] == "main"
        assert len(page.all("header")) == len(page.all("footer")) == len(page.all("nav")) == 1
        names = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
        assert len(names) == len(set(names))


def test_headings_do_not_skip_a_level(pages: dict[str, Element]) -> None:
    for page in pages.values():
        levels = [int(element.name[1]) for element in page.all() if re.fullmatch("h[1-6]", element.name)]
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_no_page_asks_anybody_for_anything(pages: dict[str, Element], site: Path) -> None:
    for name, page in pages.items():
        assert not [element for element in page.all() if element.name in {"script", "iframe", "object", "embed", "link", "form", "base"}], name
        for element in page.all():
            assert not [attribute for attribute in element.attributes if attribute.startswith("on") or attribute == "style"]
            assert (element.attributes.get("src") or "data:image/").startswith("data:image/")
    assert "url(" not in site.joinpath("index.html").read_text()
    assert "@import" not in site.joinpath("index.html").read_text()


def test_the_policy_allows_the_styles_of_the_page_and_nothing_else(pages: dict[str, Element]) -> None:
    for page in pages.values():
        (meta,) = [element for element in page.all("meta") if element.attributes.get("http-equiv") == "Content-Security-Policy"]
        allowed = meta.attributes["content"] or ""
        assert "unsafe" not in allowed
        assert "default-src 'none'" in allowed
        for style in page.all("style"):
            digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed


def test_every_link_inside_the_site_leads_somewhere(pages: dict[str, Element]) -> None:
    for name, page in pages.items():
        for link in page.all("a"):
            address = link.attributes.get("href")
            if address is None or re.match("https:|mailto:", address):
                continue
            place, _, fragment = address.partition("#")
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(place))) if place else name
            assert other in pages, (name, address)
            if fragment:
                assert unquote(fragment) in {element.attributes.get("id") for element in pages[other].all()}, (name, address)


def test_dangerous_links_lose_their_address_and_others_keep_it(card: Element) -> None:
    addresses = [element.attributes.get("href") or "" for element in card.all("a")]
    assert "https://example.org/a?b=1&c=2" in addresses
    assert not [address for address in addresses if re.match("(javascript|data|file|vbscript):", address, re.IGNORECASE)]
    assert "bad one" in card.one("article").text
    assert not [address for address in addresses if "secret" in address]


def test_markup_in_documents_and_data_stays_text(card: Element, pages: dict[str, Element]) -> None:
    assert {element.parent.attributes["class"] for element in card.all("b") if element.parent} == {"rows"}
    assert not card.all("i")
    assert '<b onclick="alert(1)">' in card.text
    assert '<script>alert("block")</script>' in card.text
    assert "nobody publishes" not in card.text
    assert published_book.HOSTILE in pages["evidence/performance.html"].text
    assert "PASS" not in "".join(element.text for page in pages.values() for element in page.all("h1"))


def test_every_value_link_has_its_card_with_the_value_of_its_fact(card: Element, publication: Publication) -> None:
    document = publication.documents[0]
    notes = [link for link in document.links if document.blocks[link.block].footnote]
    values = [link for link in document.links if link.bound and link.scheme != "question"]
    order = [link for link in values if link not in notes] + [link for link in values if link in notes]
    cells = card.all("table")[0].all("a", class_="value")
    cited = [element for element in card.all("a", class_="value") if element not in cells]
    assert [" ".join(element.text.split()) for element in cited] == [" ".join(link.text.split()) for link in order]
    for element, link in zip(cited, order, strict=True):
        assert element.parent is not None
        described = element.parent.one(id=element.attributes["aria-describedby"] or "")
        if link.scheme == "fact" and "nothing" not in link.target:
            fact = publication.catalog.fact(Key.parse(link.target))
            assert described.text.endswith(spelling.spell(fact) if fact.measured else f"suppressed: {fact.reason}")


def test_a_card_says_all_that_an_auditor_asks(card: Element) -> None:
    link = next(element for element in card.all("a", class_="value") if element.text.startswith("19.5 %"))
    assert link.parent is not None
    shown = link.parent.one(class_="card")
    lines = [child.text for child in shown.one(class_="rows").children if isinstance(child, Element)]
    words = dict(zip(lines[::2], lines[1::2], strict=True))
    assert words["n"] == "220"
    assert words["Counts"] == "43 of 220"
    assert words["Slice"] == "overall"
    assert words["Origin"] == "recounted"
    assert words["Method"] == "Clopper-Pearson"
    assert words["Source (data)"].startswith("holdout, sha256:ab12")
    assert words["Measure"] == "classification, version 1"
    assert words["Measured"] == "2026-11-21"
    assert words["Re-derive"] == "factbook measure . --only performance --force"
    assert words["Key"] == "performance/fnr"
    assert shown.one("a").attributes["href"] == "../evidence/performance.html#fnr"


def test_cells_of_generated_tables_have_cards_too(card: Element) -> None:
    table = card.all("table")[0]
    rows = [[cell.one("a", class_="value").text for cell in row.all("td")[1:]] for row in table.one("tbody").all("tr")]
    assert [row[0] for row in rows] == ["96", "200", "144", "442"]
    assert rows[0][1].startswith("43.8 %")


def test_cells_of_a_table_that_somebody_changed_have_none(publication: Publication, tmp_path: Path) -> None:
    source = publication.documents[0].source.replace(b"43.8 % [", b"33.8 % [", 1)
    changed = dataclasses.replace(publication, documents=(parse.parse(source, "documents/model-card.md"),))
    html.publish(changed, tmp_path)
    table = read(tmp_path / "documents/model-card.html").all("table")[0]
    assert "33.8 %" in table.text
    assert not table.all("a", class_="value")


def test_a_link_to_nothing_says_so(card: Element) -> None:
    link = next(element for element in card.all("a", class_="value") if element.text == "12 %")
    assert "bad" in (link.attributes["class"] or "")
    assert link.parent is not None
    assert "This link leads to nothing" in link.parent.text


def test_a_claim_shows_its_verdict_and_what_it_rests_on(card: Element) -> None:
    link = next(element for element in card.all("a", class_="value") if element.text == "young people are missed more")
    assert link.parent is not None
    shown = link.parent.one(class_="card").text
    assert "holds" in shown
    assert "{performance/fnr?age_band=<40} > {performance/fnr?age_band=60+}" in shown
    assert "43.8 %" in shown
    assert "95 % CI" in shown


def test_drafts_and_open_questions_are_announced(card: Element, publication: Publication, tmp_path: Path) -> None:
    state = card.one("aside", class_="state").text
    assert "Draft." in state
    assert "1 open question" in state
    assert "Under which licence" in card.one("div", class_="question").text
    released = dataclasses.replace(publication, manifest=publication.manifest.model_copy(update={"stage": Stage.RELEASED}))
    html.publish(released, tmp_path)
    assert "Draft." not in (tmp_path / "documents/model-card.html").read_text()


def test_charts_are_drawn_in_the_page_and_what_is_missing_is_named(card: Element) -> None:
    drawings = card.all("svg")
    assert len(drawings) == 2
    for drawing in drawings:
        names = (drawing.attributes["aria-labelledby"] or "").split()
        assert [element.name for element in drawing.all() if element.attributes.get("id") in names] == ["title", "desc"]
    missing = [element.text for element in card.all(class_="missing")]
    assert len(missing) == 3
    assert "nope" in missing[0]
    assert "lost.png is missing" in missing[1]
    assert "not a file of this book" in missing[2]
    assert card.one("img").attributes["alt"] == "Pixel"


def test_the_evidence_page_shows_every_fact(pages: dict[str, Element], publication: Publication) -> None:
    page = pages["evidence/performance.html"]
    rows = {row.attributes["id"]: row.text for row in page.all("tr") if "id" in row.attributes}
    for fact in publication.catalog.evidence.values():
        row = rows[str(fact.key).removeprefix("performance/")]
        assert publication.catalog.evidence.identity(fact.key).removeprefix("sha256:")[:10] in row
        assert fact.status.value in row
        assert (spelling.spell(fact, interval=False) if fact.measured else fact.reason) in row
    assert "sha256:" + "ab12" * 16 in page.text
    assert publication.catalog.evidence.records["performance"].digest in page.text


def test_what_was_not_judged_has_its_page_and_its_count(pages: dict[str, Element]) -> None:
    assert "the file holdout.csv is absent" in pages["not-judged.html"].text
    assert "1not judged" in pages["index.html"].one("ul", class_="tiles").text
    assert f"there is no fact {published_book.HOSTILE}" in pages["index.html"].text


def test_the_site_is_small(site: Path) -> None:
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 400_000


def test_old_pages_go_and_other_files_stay(publication: Publication, tmp_path: Path) -> None:
    html.publish(publication, tmp_path)
    (tmp_path / "mine.html").write_text("mine")
    html.publish(dataclasses.replace(publication, documents=publication.documents[:1]), tmp_path)
    assert not (tmp_path / "documents/datasheet.html").exists()
    assert (tmp_path / "documents/model-card.html").exists()
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_a_book_without_anything_has_a_site(tmp_path: Path) -> None:
    from factbook.evidence.catalog import Catalog
    from factbook.evidence.store import Evidence
    from factbook.manifest import read as read_manifest

    manifest, _ = read_manifest("factbook: 1\nsubject: {name: empty}\n")
    empty = Publication(tmp_path, manifest, Catalog(manifest, Evidence({}, {})), (), (), (), None, "0.1.0")
    written = html.publish(empty, tmp_path / "site")
    assert written[0].name == "index.html"
    assert "Nothing is measured yet" in written[0].read_text()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[19.5 %](fact:performance/fnr)", False),
        ("[19.4 %](fact:performance/fnr)", True),
        ("[a lot](fact:performance/fnr)", True),
        ("[0.84](fact:performance/auc)", False),
        ("[suppressed](fact:performance/fnr?age_band=40-59&sex=women)", False),
        ("[7 %](fact:performance/fnr?age_band=40-59&sex=women)", True),
        ("[x](claim:sexes-differ?not-established)", False),
        ("[x](claim:sexes-differ)", True),
        ("[x](claim:young-missed-more)", False),
        ("[x](claim:young-missed-more?broken)", True),
        ("[x](claim:nothing)", True),
        ("[x](gap:ethnicity)", False),
        ("[x](policy:nothing)", True),
    ],
)
def test_a_text_that_is_not_what_it_cites_is_published_as_such(publication: Publication, tmp_path: Path, text: str, wrong: bool) -> None:
    changed = dataclasses.replace(publication, documents=(parse.parse(f"# T\n\n{text}\n", "documents/t.md"),))
    html.publish(changed, tmp_path)
    value = read(tmp_path / "documents/t.html").one("a", class_="value")
    assert ("bad" in (value.attributes["class"] or "").split()) is wrong
