"""The same book gives the same bytes in any folder, time zone, locale and hash seed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import published_book
from factbook import shelf
publication = published_book.build(Path(sys.argv[2]) / "book")
for name, target in shelf.modules("publish").items():
    target.publish(publication, Path(sys.argv[2]) / name)
"""


def published(folder: Path, **environment: str) -> dict[str, str]:
    arguments = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(folder)]
    subprocess.run(arguments, check=True, env={**os.environ, **environment}, cwd=folder)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and "book" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_book_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "an other/place"
    first.mkdir()
    second.mkdir(parents=True)
    here = published(first, TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="1")
    there = published(second, TZ="Pacific/Kiritimati", LC_ALL="de_DE.UTF-8", PYTHONHASHSEED="2")
    assert here == there
    assert {"html/index.html", "pdf/model-card.pdf", "markdown/documents/model-card.md"} <= set(here)
