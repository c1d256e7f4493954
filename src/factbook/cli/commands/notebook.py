"""`factbook notebook`: a document as a Jupyter notebook, and back."""

from __future__ import annotations

from typing import Annotated

import typer

from factbook.cli.app import HERE, Where, app, open_book


@app.command()
def notebook(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT|FILE.ipynb", help="A document of the book, or a notebook to make one of.")],
    where: Where = HERE,
    force: Annotated[bool, typer.Option("--force", help="Replace the document that has the notebook's name.")] = False,
) -> int:
    """Turn a document into a Jupyter notebook, or one into a document."""
    from factbook.cli import show

    show.made(open_book(where).notebook(document, force=force))
    return 0
