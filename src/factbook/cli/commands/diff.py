"""`factbook diff`: what changed between two versions of a book."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, app


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A book, or a Git revision of it: HEAD~1, a tag, a branch.")],
    after: Annotated[str, typer.Argument(metavar="[B]", help="The later one.", show_default="the book as it is now")] = "",
    where: Annotated[Path, typer.Option("--book", metavar="BOOK", help="The book whose revisions are meant.", show_default="here")] = HERE,
    json: Json = False,
) -> int:
    """Say what changed between two versions of a book. For a pull request."""
    from factbook import book
    from factbook.cli import show

    show.difference(book.diff(before, after, book=where), json=json)
    return 0
