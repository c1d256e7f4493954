"""Further commands: every module here adds its own to `app`. They import nothing heavy, since `--help` loads them all."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every module of commands, in the order of their names."""
    for name in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{name}")
