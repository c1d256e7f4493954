"""`factbook compare`: books, versions and published cards beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, app


@app.command()
def compare(
    things: Annotated[list[str], typer.Argument(metavar="A B …", help="Books, Git revisions, cards (Markdown files) or folders of cards.")],
    where: Annotated[Path, typer.Option("--book", metavar="BOOK", help="The book whose revisions are meant.", show_default="here")] = HERE,
    regime: Annotated[list[str] | None, typer.Option(metavar="REGIME", help="What each should answer; Model Cards where none is given.")] = None,
    json: Json = False,
) -> int:
    """Set figures of the same metric on the same data side by side. Says what is not comparable, and what each leaves unsaid."""
    from factbook import book
    from factbook.cli import show

    show.comparison(book.compare(*things, book=where, regimes=regime or ()), json=json)
    return 0
