"""`factbook sign`: vouch for a document or a section of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from factbook.cli.app import HERE, Json, Where, app, open_book


@app.command()
def sign(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Its name; of factbook.yaml: `policy` (what `review` says), `plan`.")],
    where: Where = HERE,
    section: Annotated[str, typer.Option(metavar="HEADING", help="Only the section under this heading.", show_default="the document")] = "",
    role: Annotated[str, typer.Option(help="The role that you sign in.")] = "",
    person: Annotated[str, typer.Option("--as", metavar="PERSON", help="Who you are in factbook.yaml.")] = "",
    meaning: Annotated[str, typer.Option(help="authored, reviewed, approved, risk accepted or rejected.")] = "approved",
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Your private Ed25519 key, of ssh-keygen or openssl.")] = None,
    because: Annotated[str, typer.Option(metavar="REASON", help="Why: needed to accept a risk or to reject.")] = "",
    tolerance: Annotated[list[str] | None, typer.Option(metavar="AMOUNT", help="How far figures may move: 0.02, counts=5%, KEY=0.02.")] = None,
    json: Json = False,
) -> int:
    """Sign a document or a section. It stands until its words or facts change."""
    from factbook.cli import show

    if not (role and person and key):
        raise typer.BadParameter("say who you are: --role ROLE --as PERSON --key FILE", param_hint="--role, --as, --key")
    book = open_book(where)
    files = book.sign(
        document,
        key,
        person=person,
        role=role,
        meaning=meaning,
        section=section,
        note=because,
        tolerance=tolerance or (),
        passphrase=_passphrase(key),
    )
    show.signed(book, files, json=json)
    return 0


def _passphrase(key: Path) -> Callable[[], str] | None:
    """Ask a person; None where there is none."""
    return (lambda: str(typer.prompt(f"Passphrase of {key}", hide_input=True, err=True))) if sys.stdin.isatty() else None
