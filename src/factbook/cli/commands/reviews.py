"""`factbook reviews`: what is signed, what fell, and who is still to be asked."""

from __future__ import annotations

from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def reviews(
    where: Where = HERE,
    policy: Annotated[str, typer.Option(metavar="DIGEST", help="Fail unless `review` in factbook.yaml is this version of it.")] = "",
    json: Json = False,
) -> int:
    """List the sign-offs that stand or fell, and what is still wanted."""
    from factbook.cli import FINDINGS, show

    found = open_book(where).reviews
    show.reviews(found, json=json)
    if policy and policy != found.digest:
        typer.echo(f"factbook: the policy is {found.digest}, not {policy}", err=True)
        return FINDINGS
    return 0
