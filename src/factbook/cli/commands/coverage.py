"""`factbook coverage`: the book against a law or standard."""

from __future__ import annotations

from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, On, Where, app, open_book


@app.command()
def coverage(
    regime: Annotated[str, typer.Argument(metavar="[REGIME]", help="A law or standard; --list names all.", show_default=False)] = "",
    where: Where = HERE,
    on: On = None,
    listed: Annotated[bool, typer.Option("--list", help="Name all laws and standards.")] = False,
    json: Json = False,
) -> int:
    """Hold the book against a law or standard, item by item. Also written to dist/coverage/."""
    from factbook.cli import show

    if listed:
        from factbook import regimes

        known = [regimes.load(name) for name in regimes.names()]
        show.listed([{"name": item.name, "title": item.title, "items": len(item.items), "about": item.status} for item in known], json=json)
        return 0
    book = open_book(where)
    for name in [regime] if regime else list(book.manifest.regimes):
        show.coverage(book.coverage(name, on=on and on.date()), json=json)
    if not regime and not book.manifest.regimes:
        raise typer.BadParameter("name one; --list names all, and `regimes:` in factbook.yaml those of the book", param_hint="REGIME")
    return 0
