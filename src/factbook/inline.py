"""`factbook.card`: the model card of a fitted classifier in one call, shown where it is called."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factbook.book import DOCUMENTS, FIRST, ROWS, Book
from factbook.manifest import FILE


@dataclass(frozen=True)
class Card:
    """A model card in a notebook: shows itself, and holds the book that it belongs to."""

    book: Book
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The document."""
        return self.book.root / DOCUMENTS / f"{FIRST}.md"

    def __repr__(self) -> str:
        """What there is, for consoles that show no pages."""
        book = self.book
        open_questions = len(book.check().questions)
        return f"<Card of {book.manifest.subject.name}: {len(book.facts()):,} facts, open questions: {open_questions}; {self.path}>"

    def _repr_html_(self) -> str:
        """The published page, in a frame of its own."""
        from html import escape

        from factbook.publish import html, publication

        book = self.book
        pages = dict(html.site(publication(book.root, book.catalog, book.documents, book.check())))
        page = escape(pages[f"{DOCUMENTS}/{FIRST}"], quote=True)
        return f'<iframe title="{FIRST}" style="width: 100%; height: 40rem; border: 0" sandbox srcdoc="{page}"></iframe>'


def card(
    model: Any,
    X: Any,  # noqa: N803 (the field's name for it)
    y: Any,
    *,
    by: Sequence[str] | Mapping[str, Any] = (),
    protected: Sequence[str] = (),
    positive: Any = None,
    name: str = "",
    folder: str | os.PathLike[str] = "",
) -> Card:
    """Document a fitted classifier in one call: predict, write rows and book into a folder, begin its model card, and show it.

    Called again for the same folder, it writes the rows anew, measures them and brings the numbers of the documents up to date; words that
    somebody wrote there stay.

    Args:
        model: a fitted estimator with `predict`, `classes_` and, for figures about scores, `predict_proba`.
        X: the rows to predict: a data frame, an array, an Arrow table.
        y: their true labels.
        by: names of columns of `X` (`"age:40,60"` cuts one into bands), or a mapping of names to one value for each row.
        protected: `"sex=male"`: compare the groups of sex with male.
        positive: the class that counts as positive; needed unless the classes are 0 and 1, False and True, or no and yes.
        name: what the model is called; its class where nothing is said.
        folder: where to put the book; `./NAME-book` where nothing is said.

    Raises:
        SourceError: the estimator is no classifier, or the rows do not fit together.
        BookExists: there is something else in the folder.
    """
    from factbook import fitted

    called = name or type(model).__name__
    root = Path(folder or f"{called}-book")
    if (root / FILE).is_file():
        fitted.log(model, X, y, by, positive, root / ROWS)
        book = Book(root)
        book.measure()
        book.update()
        return Card(book)
    with tempfile.TemporaryDirectory() as place:
        said = fitted.log(model, X, y, by, positive, Path(place) / ROWS)
        book, notes = Book.init(root, rows=Path(place) / ROWS, **said, protected=tuple(protected), name=called)
    return Card(book, tuple(notes))
