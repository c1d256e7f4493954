from __future__ import annotations

from pathlib import Path

import published_book
import pytest

from factbook.publish import Publication


@pytest.fixture(scope="session")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return published_book.build(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def site(publication: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from factbook.publish import html

    target = tmp_path_factory.mktemp("site")
    html.publish(publication, target)
    return target
