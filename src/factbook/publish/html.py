"""A static site of its own: no request to anywhere, no script, one file a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from factbook.publish import duties, frame, ledger, look, pages, write
from factbook.publish.prose import Prose

if TYPE_CHECKING:
    from factbook.publish import Publication


FOLDER: Final = "site"


def publish(publication: Publication, target: Path) -> tuple[Path, ...]:
    """Write the site into the folder `target`, which need not exist; `index.html` is the first of the files."""
    return write(target, "html", {f"{page}.html": text.encode() for page, text in site(publication)})


def site(publication: Publication) -> list[tuple[str, str]]:
    """All pages, by path without suffix, the start page first."""
    proses = [Prose(publication, document, document.name.removesuffix(".md")) for document in publication.documents]
    documents = [pages.document(publication, prose) for prose in proses]
    everything = [
        pages.index(publication, proses),
        *documents,
        *duties.pages(publication),
        *ledger.pages(publication),
        pages.statements(publication),
        pages.not_judged(publication),
    ]
    dressed = look.read(publication.root)
    return [(page.path, frame.frame(publication, page, everything, dressed)) for page in everything]
