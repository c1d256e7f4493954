"""Drop-ins are found by what they define; a third party's come in by the same door."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from factbook import shelf
from factbook.errors import UnknownName


def install(site: Path) -> None:
    """A third-party distribution with one measure, one document kind and a module that is neither."""
    files = {
        "acme_pack/__init__.py": "",
        "acme_pack/measures/__init__.py": "",
        "acme_pack/measures/word_count.py": "VERSION = 1\ndef measure(*arguments): ...\n",
        "acme_pack/measures/helpers.py": "def not_the_verb(): ...\n",
        "acme_pack/documents/__init__.py": "",
        "acme_pack/documents/kinds/__init__.py": "",
        "acme_pack/documents/kinds/memo/kind.yaml": "title: Memo\n",
        "acme_pack-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme-pack\nVersion: 1.0\n",
        "acme_pack-1.0.dist-info/entry_points.txt": "[factbook.packs]\nacme = acme_pack\n",
    }
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")


def python(site: Path, program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(site)})
    return done.stdout.strip()


def test_a_third_party_comes_in_by_the_entry_point(tmp_path: Path) -> None:
    install(tmp_path)
    program = (
        "from factbook import shelf; print(shelf.packs()[0], shelf.packs()[-1], 'word-count' in shelf.modules('measures'),"
        "'helpers' in shelf.modules('measures'), shelf.find('measures', 'word-count').VERSION, "
        "'memo' in shelf.folders('documents.kinds', 'kind.yaml'))"
    )
    assert python(tmp_path, program) == "factbook acme_pack True False 1 True"


def test_a_broken_drop_in_is_named(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "acme_pack/measures/word_count.py").write_text("import there_is_no_such_package\n", encoding="utf-8")
    program = (
        "from factbook import errors, shelf\n"
        "try: shelf.find('measures', 'word-count')\n"
        "except errors.FactbookError as error: print(type(error).__name__, error.message)"
    )
    said = python(tmp_path, program)
    assert said.startswith("FactbookError the drop-in acme_pack.measures.word_count cannot be imported (ModuleNotFoundError: ")


def test_without_it_nothing_of_it_is_found() -> None:
    assert "word-count" not in shelf.modules("measures")
    with pytest.raises(UnknownName, match="there is no measure 'word-count'"):
        shelf.find("measures", "word-count")


@pytest.mark.parametrize("name", ["../errors", "a/b", "", ".", "__init__", "os"])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(UnknownName):
        shelf.find("measures", name)


@pytest.mark.parametrize("room", sorted(shelf.VERBS))
def test_every_item_of_a_room_defines_its_verb(room: str) -> None:
    for name, module in shelf.modules(room).items():
        assert callable(getattr(module, shelf.VERBS[room])), name
        assert shelf.find(room, name) is module
