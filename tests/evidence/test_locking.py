"""One process writes at a time; a killed one leaves no lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from factbook.errors import BookLocked, StorageError
from factbook.evidence import lock

HOLD = """
import sys, time; from pathlib import Path; from factbook.evidence import lock
with lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)
"""


def holder(root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_and_then_says_who_writes(tmp_path: Path) -> None:
    process = holder(tmp_path)
    said: list[str] = []
    try:
        with (
            pytest.raises(BookLocked, match=rf"process {process.pid}"),
            lock(tmp_path, wait=0.3, progress=lambda task, done, total: said.append(task)),
        ):
            pass
    finally:
        process.kill()
        process.wait()
    assert said == [f"waiting for another factbook (process {process.pid})"]


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    began = time.monotonic()
    with lock(tmp_path, wait=0):
        pass
    assert time.monotonic() - began < 1


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        raise ZeroDivisionError
    with lock(tmp_path, wait=0):
        pass


def test_waiting_ends_when_the_other_is_done(tmp_path: Path) -> None:
    short = HOLD.replace("sleep(60)", "sleep(0.5)")
    process = subprocess.Popen([sys.executable, "-c", short, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    with lock(tmp_path, wait=10):
        pass
    process.wait()


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"), lock(tmp_path / "file"):
        pass


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_a_disk_that_cannot_be_written_is_a_clear_error() -> None:
    with pytest.raises(StorageError, match="cannot be written"), lock(Path("/proc")):
        pass
