"""`factbook style`: the words of the rules and of style.yaml, and their export for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from factbook.cli.app import HERE, Where, app, open_book


@app.command()
def style(
    where: Where = HERE,
    vale: Annotated[Path | None, typer.Option("--vale", metavar="DIR", help="Write the rules of words as a Vale style into this folder.")] = None,
) -> int:
    """Show what style.yaml says, or export the words to an editor. The form is that of Vale."""
    from factbook.canon import write_atomic
    from factbook.cli import show

    book = open_book(where)
    if vale is None:
        said = book.style.model_dump(mode="json")
        show.listed([{"name": name, "title": str(value or "-"), "about": ""} for name, value in said.items()], json=False)
        return 0
    for name, text in book.vale().items():
        path = vale / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode())
        typer.echo(str(path))
    return 0
