"""What Git says about the folder that a book lies in; nothing where there is no Git, or no repository. Nothing in a repository is changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")  # set inside a Git hook


def said(folder: Path, *arguments: str, seconds: float = 60) -> bytes | None:
    """The output of a Git command that is run in `folder`; None where it fails or takes longer."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, env={**environment, "GIT_OPTIONAL_LOCKS": "0"})
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
