"""`factbook rename`: another name for a measurement, a group or a claim, wherever it stands."""

from __future__ import annotations

from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def rename(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="performance, age_band, sex=male, class=cat, a claim …; KIND:NAME where several have it.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
    where: Where = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the patch and change nothing.")] = False,
    json: Json = False,
) -> int:
    """Rename something, and mend every link to it."""
    from factbook.cli import show

    show.renamed(open_book(where).rename(old, new, dry_run=dry_run), dry_run=dry_run, json=json)
    return 0
