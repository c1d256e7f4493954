"""`factbook run`: the code of a document, run in order."""

from __future__ import annotations

from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def run(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="A document with code: its name, or its path in the book.")],
    where: Where = HERE,
    time_limit: Annotated[float | None, typer.Option(min=0.1, help="Seconds for the whole document.", show_default="its time_limit, or 60")] = None,
    json: Json = False,
) -> int:
    """Run the code of a document, and show its output in it."""
    from factbook.cli import show

    return 1 if show.session(open_book(where).run(document, time_limit=time_limit), json=json) else 0
