from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from factbook import shelf
from factbook.rules.manual import manual

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "rules.md"


def test_the_guide_is_what_the_rules_say() -> None:
    assert GUIDE.read_text(encoding="utf-8") == manual(), "python -m factbook.rules.manual > docs/guide/rules.md"


def test_every_rule_explains_itself_with_a_reason_and_an_example() -> None:
    rules = shelf.modules("rules").values()
    asked = [said for rule in rules for said in (rule.CODE, rule.NAME)]
    code = f"from factbook.cli import main\nfor said in {asked}:\n    main(['check', '--explain', said])\n    print('<end>')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pages = done.stdout.split("<end>\n")[:-1]
    assert len(pages) == len(asked)
    for rule, page in zip((rule for rule in rules for _ in "cn"), pages, strict=True):
        assert all(word in page for word in (f"{rule.CODE} {rule.NAME}", "Why:", "Bad:", "Good:", "Fix:")), page
