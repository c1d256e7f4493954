"""The environment of each tool: peers contradict each other (pandas 2 and 3), so every one has its own, made when it is first needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".bench"


class Missing(Exception):
    """The environment could not be made: no network, or no release of the tool for this Python."""


def python(tool: str, requires: tuple[str, ...]) -> Path:
    """The interpreter that has what the tool requires; this one where it requires nothing.

    Raises:
        Missing: the packages could not be installed.
    """
    if not requires:
        return Path(sys.executable)
    folder, wanted = PLACE / tool, "\n".join([sys.version, *requires])
    ready, found = folder / "ready", folder / "bin" / "python"
    if not ready.is_file() or ready.read_text(encoding="utf-8") != wanted:
        print(f"{tool}: making its environment in {folder.relative_to(ROOT)} …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        for command in commands(folder, found, requires):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Missing((done.stderr.strip().splitlines() or ["no reason given"])[-1].strip())
        ready.write_text(wanted, encoding="utf-8")
    return found


def commands(folder: Path, found: Path, requires: tuple[str, ...]) -> list[list[str]]:
    """How the environment is made: by uv, which the Makefile puts beside this interpreter, or else by venv and pip."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv:
        return [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(found), *requires],
        ]
    quiet = ["--quiet", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", str(folder)], [str(found), "-m", "pip", "install", *quiet, *requires]]
