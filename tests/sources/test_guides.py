"""The guides to sources and to scale: what they show is what happens, and what they declare can be read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from factbook.manifest import read
from test_docs import ROOT, agrees, steps

GUIDES = [ROOT / "docs" / "guide" / name for name in ("sources.md", "scale.md")]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_commands_print_what_is_shown(page: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "factbook"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m factbook "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    assert steps(page)
    for command, shown in steps(page):
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 0, (command, done.stderr)
        assert agrees(shown, done.stdout), (command, done.stdout)


def test_the_python_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(GUIDES[0], "python")
    named: dict[str, object] = {}
    exec(code, named)
    assert (tmp_path / "frame-book" / "data" / "predictions.parquet").is_file()
    assert named["book"].facts("performance/accuracy")[0].n == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_declaration_can_be_read(page: Path) -> None:
    for block in blocks(page, "yaml"):
        read(f"factbook: 1\nsubject: {{name: m}}\n{block}")
