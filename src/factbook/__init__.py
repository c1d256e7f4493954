"""factbook: a documentation compiler for AI systems.

A fact is a quantity bound to the evidence that made it. A document is plain Markdown whose numbers are links to facts.
Nothing else makes numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factbook.book import Book as Book
    from factbook.book import card as card
    from factbook.recording import record as record

__version__ = "0.1.0"
__all__ = ["Book", "card", "record"]


def __getattr__(name: str) -> Any:
    """Import the facade when it is first used: `import factbook` alone stays instant."""
    if name == "record":
        from factbook import recording

        return recording.record
    if name in __all__:
        from factbook import book

        return getattr(book, name)
    raise AttributeError(f"module 'factbook' has no attribute {name!r}")
