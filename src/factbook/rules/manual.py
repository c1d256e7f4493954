"""The manual of the rules, which is their docstrings: `python -m factbook.rules.manual > docs/guide/rules.md`."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Final

from factbook import shelf

_HEAD: Final = """# The rules of `factbook check`

Made from the docstrings in `src/factbook/rules/` by `python -m factbook.rules.manual`; a test compares the two. A rule is named by the good state.
Every rule has planted defects, and passages that only look like one, in `tests/cases/rules/`.
"""
_FAMILIES: Final = {"1": "Truth", "2": "Completeness", "3": "Honesty", "4": "Freshness", "5": "Review", "6": "Safety"}


def page(rule: ModuleType) -> str:
    """The manual page of a rule."""
    return inspect.cleandoc(rule.__doc__ or "")


def manual() -> str:
    """One section a rule, in the order of their codes, under the headings of their families."""
    parts = [_HEAD]
    family = ""
    for rule in sorted(shelf.modules("rules").values(), key=lambda rule: str(rule.CODE)):
        if rule.CODE[2] != family:
            family = rule.CODE[2]
            parts.append(f"## {_FAMILIES[family]}\n")
        parts.append(f"### {rule.CODE} {rule.NAME}\n\n```text\n{page(rule)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(manual())
