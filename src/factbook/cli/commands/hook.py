"""`factbook hook`: what a pre-commit hook runs over the files of a commit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from factbook.cli.app import app, open_book


@app.command()
def hook(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The files that changed.")],
    fix: Annotated[bool, typer.Option("--fix", help="Apply the safe fixes in place of checking.")] = False,
) -> int:
    """Check the books that changed files belong to; for pre-commit."""
    from factbook.cli import FINDINGS, show
    from factbook.manifest import FILE

    roots = {next((folder for folder in path.absolute().parents if (folder / FILE).is_file()), None) for path in files}
    failed = False
    for root in sorted(root for root in roots if root is not None):
        book = open_book(root)
        if fix:
            changed = book.fix()
            show.fixed(book, changed, dry=False, json=False)
            failed = failed or bool(changed)
        else:
            report = replace(book.check(), questions=())  # at a commit only what is wrong matters
            show.report(book, report, json=False)
            failed = failed or report.failed
    return FINDINGS if failed else 0
