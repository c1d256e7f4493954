"""What all pages of the site share: the frame around them, the policy that confines them, and their tables and lists."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from factbook import shelf
from factbook.charts.svg import Markup, element, join
from factbook.errors import DocumentError
from factbook.publish.look import Dressed
from factbook.publish.prose import Heading, mark, relative

if TYPE_CHECKING:
    from factbook.publish import Publication
    from factbook.publish.citations import Citation

INDEX: Final = "index"
LOOK: Final = "look.css"
STATEMENTS: Final = "statements"
NOT_JUDGED: Final = "not-judged"
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site: its path without suffix, its title and its main part; `short` is what lists of pages call it, where its title is long."""

    path: str
    title: str
    main: Markup
    headings: tuple[Heading, ...] = ()
    wide: bool = False
    short: str = ""


def style(root: Path, dressed: Dressed) -> str:
    """The site's style sheet, then what follows from look.yaml, then the `look.css` of every pack and of the book.

    It stands in every page, so that a page is complete in itself.

    Raises:
        DocumentError: a look.css holds a tag.
    """
    own = _sheet(Path(__file__).with_name("style.css"))
    return "\n".join(filter(None, [own, dressed.sheet(), *(_sheet(path) for path in (*shelf.files(LOOK), root / LOOK) if path.is_file())]))


@cache
def _sheet(path: Path) -> str:
    """A style sheet without comments and indentation."""
    text = path.read_text(encoding="utf-8")
    if "</" in text:
        raise DocumentError(f"{path}: a style sheet holds no tags", remedy="take the tag out")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


def policy(html: str) -> str:
    """A content security policy that allows the page's own styles, by their hash, and embedded pictures; nothing else, and no script at all."""
    styles = sorted({text for text in _STYLE.findall(html)})
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in styles)
    return f"default-src 'none'; style-src {hashes}; img-src data:; base-uri 'none'; form-action 'none'"


def frame(publication: Publication, page: Page, pages: Sequence[Page], dressed: Dressed) -> str:
    """A whole HTML file."""
    subject = publication.manifest.subject
    title = subject.name if page.path == INDEX else f"{page.title} · {subject.name}"
    body = element(
        "body",
        element("a", "Skip to the text", class_="skip", href="#main"),
        _top(publication, page, dressed),
        element(
            "div",
            _navigation(publication, page, pages),
            element("main", element("article", page.main, class_="wide" if page.wide else None), id="main"),
            None if page.wide else _contents(page),
            class_="frame wide" if page.wide else "frame",
        ),
        _foot(publication, dressed),
    )
    sheet = style(publication.root, dressed)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(f"<style>{sheet}</style>{body}")),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=f"factbook {publication.version}"),
        element("title", title),
        element("style", Markup(sheet)),
    )
    return "<!doctype html>\n" + element("html", head, body, lang=publication.manifest.language) + "\n"


def stage(publication: Publication) -> Markup:
    """The stage of the book as a label."""
    return element("span", publication.manifest.stage.value, class_=f"pill stage-{publication.manifest.stage.value}")


def _top(publication: Publication, page: Page, dressed: Dressed) -> Markup:
    subject = publication.manifest.subject
    house = element("span", dressed.look.header, class_="house") if dressed.look.header else None
    name = element("a", element("strong", subject.name), f" {subject.version}" if subject.version else None, href=relative(page.path, INDEX))
    menu = element("button", "Contents", class_="menu", popovertarget="nav", type="button")
    return element("header", _logo(dressed), name, stage(publication), house, menu, class_="top")


def _logo(dressed: Dressed) -> Markup | None:
    if dressed.logo is None:
        return None
    image = element("img", src=dressed.logo.uri(), alt=dressed.look.name, class_="logo")
    if dressed.logo_dark is None:
        return image
    return element("picture", element("source", media="(prefers-color-scheme: dark)", srcset=dressed.logo_dark.uri()), image)


def _navigation(publication: Publication, page: Page, pages: Sequence[Page]) -> Markup:
    groups = (
        ("", [other for other in pages if other.path == INDEX]),
        ("Documents", [other for other in pages if other.path.startswith("documents/")]),
        ("Laws and standards", [other for other in pages if other.path.startswith("coverage/")]),
        ("Evidence", [other for other in pages if other.path.startswith("evidence/")]),
        ("Statements", [other for other in pages if other.path in (STATEMENTS, NOT_JUDGED)]),
    )
    parts = []
    for name, members in groups:
        links = [
            element(
                "li",
                element(
                    "a", other.short or other.title, href=relative(page.path, other.path), aria_current="page" if other.path == page.path else None
                ),
            )
            for other in members
        ]
        title = element("p", name, class_="group") if name else None
        parts.append(join(title, element("ul", *links)) if links else None)
    return element("nav", *parts, id="nav", popover="auto", aria_label=f"{publication.manifest.subject.name}: all pages")


def _contents(page: Page) -> Markup | None:
    entries = [heading for heading in page.headings if heading.level in (2, 3)]
    if len(entries) < 2:
        return None
    links = [element("li", element("a", heading.words, href=f"#{quote(heading.anchor)}"), class_=f"level-{heading.level}") for heading in entries]
    return element("aside", element("p", "On this page", class_="group"), element("ul", *links), class_="contents", aria_label="On this page")


def _foot(publication: Publication, dressed: Dressed) -> Markup:
    measured = f"Evidence as of {publication.date.isoformat()}. " if publication.date else "Nothing is measured yet. "
    said = "The documents follow from the evidence as far as it was judged; that the evidence follows from the data, only measuring again can show."
    house = element("p", dressed.look.footer) if dressed.look.footer else None
    return element("footer", element("p", measured, said), house, element("p", f"factbook {publication.version}"), class_="foot")


def verdict(citation: Citation) -> Markup:
    """A verdict, with its sign."""
    return element("span", mark(citation), citation.headline, class_=f"pill {citation.tone.value}")


def table(header: Sequence[str], rows: Iterable[Sequence[Markup | str]], numbers: Iterable[int] = ()) -> Markup:
    """A table; the first column names the row, `numbers` are the columns to be set flush right."""
    right = frozenset(numbers)
    head = element("tr", *(element("th", text, scope="col", class_="r" if column in right else None) for column, text in enumerate(header)))
    lines = [element("tr", element("th", row[0], scope="row"), *_cells(row[1:], right)) for row in rows]
    return scroll(element("table", element("thead", head), element("tbody", *lines)))


def _cells(cells: Sequence[Markup | str], right: frozenset[int]) -> list[Markup]:
    return [element("td", cell, class_="r" if at in right else None) for at, cell in enumerate(cells, 1)]


def scroll(content: Markup) -> Markup:
    """A frame in which a wide table scrolls by itself."""
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label="Table")


def definitions(lines: Iterable[tuple[str, Markup | str]]) -> Markup:
    """A list of terms and what they mean; what is empty is left out."""
    return element("dl", *(element("div", element("dt", term), element("dd", text)) for term, text in lines if text), class_="record")
