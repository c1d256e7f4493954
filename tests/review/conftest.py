"""A copy of the signed book for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import signed_book


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signed_book.begin(tmp_path_factory.mktemp("reviews")).root.parent


@pytest.fixture
def book(begun: Path, tmp_path: Path) -> Path:
    """The folder of the book; its keys lie beside it."""
    shutil.copytree(begun, tmp_path / "copy")
    return tmp_path / "copy" / "book"
