"""One tool doing one job in a process of its own: what it takes, as a JSON line. Imports and preparations stay outside of the timed region.

python -m benchmarks.job TOOL CASE FOLDER
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path


def spent() -> tuple[float, float]:
    """CPU seconds and peak MiB so far, of this process and of those that it started and that have ended."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in usage), max(item.ru_maxrss for item in usage) / 1024


def main() -> None:
    tool, case, folder = sys.argv[1:]
    peer = import_module(f"benchmarks.peers.{tool}")
    job = peer.JOBS[case](Path(folder))
    before, started = spent()[0], time.perf_counter()
    job()
    wall, (after, peak) = time.perf_counter() - started, spent()
    found = version(getattr(peer, "PACKAGE", tool))
    print(json.dumps({"version": found, "cpu_s": round(after - before, 4), "wall_s": round(wall, 4), "peak_mib": round(peak, 1)}))


if __name__ == "__main__":
    main()
