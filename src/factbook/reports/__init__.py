"""What a check found, for other programs. Each module here is one form: it defines `write(report, root)` and says `ABOUT`."""

from __future__ import annotations

from pathlib import Path


def from_here(root: Path, file: str) -> str:
    """A file of the book as it is called from the working folder, in a workflow that of the repository; its full path where it is not below."""
    path, here = (root / file).resolve(), Path.cwd().resolve()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()
