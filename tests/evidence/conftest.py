"""Books made by hand for the tests of the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from factbook.evidence.catalog import Catalog
from factbook.manifest import read
from factbook.model import Fact
from handmade import HEAD, save


@pytest.fixture
def catalog(tmp_path: Path) -> Callable[..., Catalog]:
    """A catalog over given facts and the rest of a factbook.yaml."""

    def build(facts: Iterable[Fact], text: str = "") -> Catalog:
        return Catalog(read(HEAD + text)[0], save(tmp_path, facts))

    return build
