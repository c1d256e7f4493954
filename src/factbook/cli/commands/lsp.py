"""`factbook lsp`: the server for editors."""

from __future__ import annotations

from factbook.cli.app import app


@app.command()
def lsp() -> int:
    """Serve an editor over the Language Server Protocol. It speaks over standard input and output."""
    from factbook.lsp import serve

    serve()
    return 0
