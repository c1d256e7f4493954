"""`factbook readers`: for whom each document is written, and how hard it is to read."""

from __future__ import annotations

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def readers(where: Where = HERE, json: Json = False) -> int:
    """Say for whom a document is, and how hard it is to read. Blocks nothing."""
    from factbook.cli import show

    show.readers(open_book(where).readers(), json=json)
    return 0
