"""The commands of the guide print what it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from test_docs import ROOT, agrees, steps


def test_the_commands_of_the_guide_do_what_it_shows(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "factbook"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m factbook "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    shutil.copytree(ROOT / "examples/ward", tmp_path / "examples/ward", ignore=shutil.ignore_patterns(".factbook", "site", "dist"))
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = steps(ROOT / "docs/guide/review.md")
    assert len(done) == 4
    for command, shown in done:
        result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PATH": path}, check=True)
        assert not shown or agrees(shown, result.stdout), (command, result.stdout)
