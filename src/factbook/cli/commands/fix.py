"""`factbook fix`: the safe fixes of what a check found."""

from __future__ import annotations

from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def fix(
    where: Where = HERE,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    json: Json = False,
) -> int:
    """Apply the safe fixes of what a check found. They are words that style.yaml replaces, and words that stand twice."""
    from factbook.cli import show

    book = open_book(where)
    show.fixed(book, book.fix(dry=dry), dry=dry, json=json)
    return 0
