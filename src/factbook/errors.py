"""The error tree.

Every error that factbook raises on purpose is a `FactbookError`. Its text is one message that a person can act on: what is wrong, where
(file, line, column, count) and what to do. The command line prints it and exits with 2; nothing is half written when it is raised.

    FactbookError
    ├── ManifestError     factbook.yaml or another YAML/JSON file of the book cannot be used
    ├── KeySyntaxError    a fact key does not parse
    ├── SourceError       a source cannot be read, or its rows contradict its declaration
    ├── MeasureError      a measure was asked for something that it cannot give
    ├── EvidenceError     an evidence file is damaged, or two of them disagree
    ├── ExpressionError   a claim or derived expression does not parse or cannot be evaluated
    ├── DocumentError     a document cannot be read or updated
    ├── UnknownName       something is named that does not exist; suggests the nearest names
    ├── MissingExtra      an optional package is needed for this
    ├── StorageError      a file or folder of the book cannot be written (read-only, full)
    ├── BookExists        there is something already where a book or a document is to be made
    └── BookLocked        another process is writing to the book
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FactbookError(Exception):
    """Base of all errors; `remedy` says what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}\n  → {remedy}" if remedy else message)


class ManifestError(FactbookError):
    """factbook.yaml, or another data file of the book, cannot be used."""


class KeySyntaxError(FactbookError):
    """A fact key does not parse."""


class SourceError(FactbookError):
    """A source cannot be read, or its rows contradict its declaration."""


class SourceAbsent(SourceError):
    """A source is not here: a server does not answer, or the environment does not say where it is."""


class MeasureError(FactbookError):
    """A measure was asked for something that it cannot give."""


class EvidenceError(FactbookError):
    """An evidence file is damaged, or two of them disagree."""


class ExpressionError(FactbookError):
    """A claim or a derived expression does not parse or cannot be evaluated."""


class DocumentError(FactbookError):
    """A document cannot be read or updated."""


class MissingExtra(FactbookError):
    """An optional package is needed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an optional package", remedy=f"pip install 'factbook[{extra}]'")


class BookExists(FactbookError):
    """There is something already where a book or a document is to be made; nothing is overwritten."""

    def __init__(self, path: object, remedy: str) -> None:
        super().__init__(f"{path} exists already; nothing is overwritten", remedy=remedy)


class BookLocked(FactbookError):
    """Another process is writing to the book."""


class StorageError(FactbookError):
    """A file or folder of the book cannot be written."""

    def __init__(self, path: object, error: OSError) -> None:
        super().__init__(f"{path}: cannot be written ({error.strerror or error})", remedy="check that the disk is writable and not full")


class UnknownName(FactbookError):
    """Something is named that does not exist; the nearest existing names are suggested."""

    def __init__(self, what: str, name: str, known: Iterable[str], *, remedy: str = "") -> None:
        self.name = name
        names = sorted(known)
        self.suggestions = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        if remedy:
            pass
        elif self.suggestions:
            remedy = "did you mean " + " or ".join(self.suggestions) + "?"
        elif names:
            remedy = f"known: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"
        else:
            remedy = "none exist yet"
        super().__init__(f"there is no {what} {name!r}", remedy=remedy)
