from __future__ import annotations

from pathlib import Path

import pytest

from factbook.documents import kinds
from factbook.documents.manual import page

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "kinds"


@pytest.mark.parametrize("name", kinds.names())
def test_the_guide_is_what_the_kind_says(name: str) -> None:
    assert (GUIDE / f"{name}.md").read_text(encoding="utf-8") == page(name), "python -m factbook.documents.manual docs/guide/kinds"


def test_there_is_no_page_without_its_kind() -> None:
    assert {path.stem for path in GUIDE.glob("*.md")} == set(kinds.names())
