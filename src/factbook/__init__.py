"""factbook: a documentation compiler for AI systems.

A fact is a quantity bound to the evidence that made it. A document is plain Markdown whose numbers are links to facts.
Nothing else makes numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from factbook.book import Book as Book
    from factbook.inline import card as card
    from factbook.recording import record as record

__version__ = "0.1.0"
__all__ = ["Book", "card", "record"]
_HOMES: Final = {"Book": "book", "card": "inline", "record": "recording"}


def __getattr__(name: str) -> Any:
    """Import the facade when it is first used: `import factbook` alone stays instant."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"factbook.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'factbook' has no attribute {name!r}")
