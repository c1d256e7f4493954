"""Run every tool that can be had on the same generated data, print the ratios, write results.json, machine.json and the page of the guide.

python -m benchmarks [ROWS ...]    ROWS may be written 1e6; 1e6 where nothing is said
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import environments, page
from benchmarks.cases import CASES, PATIENCE, SHORT, TRIES
from benchmarks.environments import PLACE, ROOT

Row = dict[str, Any]
TOOLS = ("decode", "factbook", *sorted({path.stem for path in (Path(__file__).parent / "peers").glob("[a-z]*.py")} - {"decode", "factbook"}))
QUIET = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1", "PYTHONWARNINGS": "ignore"}


@cache
def peer(tool: str) -> ModuleType:
    return import_module(f"benchmarks.peers.{tool}")


def largest(tool: str, case: str) -> int:
    """The largest number of rows that a tool is given."""
    own: dict[str, int] = getattr(peer(tool), "LARGEST", {})
    return min(CASES[case].largest, own.get(case, CASES[case].largest))


def due(case: str, sizes: Iterable[int]) -> dict[int, list[str]]:
    """The sizes of a case and the tools that run at each: a tool is given the most that it can do of every size that is asked for."""
    tools = [tool for tool in TOOLS if case in peer(tool).JOBS]
    found: dict[int, set[str]] = {}
    for tool, asked in itertools.product(tools, sizes):
        found.setdefault(min(asked, largest(tool, case)), set()).add(tool)
    return {size: [tool for tool in tools if tool in {"decode", "factbook", *names}] for size, names in found.items()}


def once(tool: str, case: str, folder: Path) -> dict[str, Any]:
    """One run in a process of its own, whose parent is small: a child inherits the peak memory of its parent.

    Raises:
        Missing: the tool cannot be had here, or does not come to an end.
    """
    python = environments.python(tool, getattr(peer(tool), "REQUIRES", ()))
    command = [str(python), "-m", "benchmarks.job", tool, case, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | QUIET, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise environments.Missing(f"it took more than {PATIENCE // 60} minutes") from None
    if done.returncode:
        raise environments.Missing((done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(tool: str, case: str, folder: Path) -> dict[str, Any]:
    """The median run of a tool; the only one where it is long."""
    runs = [once(tool, case, folder)]
    while runs[0]["cpu_s"] < SHORT and len(runs) < TRIES:
        runs.append(once(tool, case, folder))
    return sorted(runs, key=lambda item: float(item["cpu_s"]))[len(runs) // 2]


def measured(case: str, rows: int, tools: list[str], folder: Path) -> Iterator[Row]:
    """What each tool takes; the limit comes first, factbook next."""
    known: dict[str, Row] = {}
    print(f"\n{case}{f', {rows:,} rows' if rows else ''}; load {os.getloadavg()[0]:.1f}\n{page.HEADING}", flush=True)
    for tool in tools:
        try:
            found = run(tool, case, folder)
        except environments.Missing as reason:
            print(f"{tool:10} left out: {reason}", flush=True)
            continue
        row = {"case": case, "tool": tool, "version": found.pop("version"), "rows": rows, **found}
        row["ratio_to_decode"] = round(row["cpu_s"] / known.get("decode", row)["cpu_s"], 2)
        known[tool] = row
        print(page.line(row, known.get("factbook")), flush=True)
        yield row
    for tool in TOOLS:
        if case in peer(tool).JOBS and tool not in tools:
            print(f"{tool:10} left out above {largest(tool, case):,} rows: it would take minutes", flush=True)


def everything(sizes: list[int]) -> Iterator[Row]:
    """All cases at all sizes; data are made when they are needed, once for the cases that read the same, and deleted afterwards."""
    plan = [(rows, CASES[case].data, case, tools) for case in CASES for rows, tools in due(case, sizes).items()]
    plan.sort(key=lambda item: item[0])  # stable: cases stay in their order
    for (rows, data), cases in itertools.groupby(plan, key=lambda item: item[:2]):
        with tempfile.TemporaryDirectory(dir=PLACE) as name:
            if data:
                subprocess.run([sys.executable, "-m", "benchmarks.logs", data, str(rows), name], cwd=ROOT, check=True)
            for _, _, case, tools in cases:
                yield from measured(case, rows, tools, Path(name))


def machine() -> dict[str, Any]:
    """What it ran on."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "processor": model or platform.processor() or platform.machine(),
        "processors": os.cpu_count(),
        "memory_gib": round(memory),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
        or "none",
    }


def rows(given: str) -> int:
    """A number of rows as it is written; anything else ends the program with a word."""
    try:
        found = int(float(given))
    except (ValueError, OverflowError):
        found = 0
    return found if found > 0 else sys.exit(f"{given!r} is no number of rows: write 100000, or 1e5")


def main() -> None:
    sizes = [rows(given) for given in sys.argv[1:] or ["1e6"]]
    PLACE.mkdir(exist_ok=True)
    results, loads = [], []
    for row in everything(sizes):
        results.append(row)
        loads.append(round(os.getloadavg()[0], 1))
        page.RESULTS.write_text(page.listed(results), encoding="utf-8")
    page.MACHINE.write_text(json.dumps(machine() | {"load": [min(loads), max(loads)]}, indent=1) + "\n", encoding="utf-8")
    page.PAGE.write_text(page.written(), encoding="utf-8")


if __name__ == "__main__":
    main()
