"""`factbook bind`: the numbers of a document that was written without factbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def bind(
    file: Annotated[Path, typer.Argument(metavar="FILE.md", help="A model card, datasheet or README; it may lie anywhere.")],
    where: Where = HERE,
    write: Annotated[bool, typer.Option("--write", help="Put the bound document into documents/ instead of printing a patch.")] = False,
    json: Json = False,
) -> int:
    """Propose links for the numbers of an existing document. The patch is to be reviewed."""
    from factbook.cli import show

    found = open_book(where).bind(file, write=write)
    show.bound(found, "" if write else found.patch, json=json)
    return 0
