from __future__ import annotations

from pathlib import Path

from factbook.rules.manual import manual

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "rules.md"


def test_the_guide_is_what_the_rules_say() -> None:
    assert GUIDE.read_text(encoding="utf-8") == manual(), "python -m factbook.rules.manual > docs/guide/rules.md"
