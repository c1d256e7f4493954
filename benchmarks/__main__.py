"""Run every tool that is installed on one generated log, print the ratios, write benchmarks/results.json.

python -m benchmarks [ROWS ...]    ROWS (or the environment's ROWS) may be written 1e6
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import drift, logs, tools

RESULTS = Path(__file__).parent / "results.json"


def run(tool: str, path: Path) -> dict[str, Any] | None:
    """One tool in a process of its own; None where it is not installed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tools", tool, str(path)], capture_output=True, text=True, cwd=RESULTS.parents[1], check=False
    )
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    print(f"{tool:26} {'not installed' if 'ModuleNotFoundError' in reason else reason}")
    return None


def measured(rows: int) -> list[dict[str, Any]]:
    """What every tool takes for a log of so many rows."""
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        logs.write(rows, path)
        groups = len(tools.SETS)
        print(f"{rows:,} rows, {groups} sets of groups; CPU seconds, without imports; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors\n")
        print(f"{'tool':26} {'does':18} {'cpu s':>8} {'wall s':>8} {'peak MiB':>9} {'x decode':>9}")
        for tool in tools.TOOLS:
            if rows > tools.SLOW.get(tool, rows):
                print(f"{tool:26} left out above {tools.SLOW[tool]:,} rows")
            elif found := run(tool, path):
                base = results[0]["cpu_s"] if results else found["cpu_s"]
                found |= {"rows": rows, "ratio_to_decode": found["cpu_s"] / base}
                results.append(found)
                line = f"{found['cpu_s']:8.2f} {found['wall_s']:8.2f} {found['peak_mib']:9.0f} {found['ratio_to_decode']:9.1f}"
                print(f"{tool:26} {found['case']:18} {line}", flush=True)
    return results


def main() -> None:
    sizes = [int(float(given)) for given in sys.argv[1:] or [os.environ.get("ROWS", "1e6")]]
    results = [found for rows in sizes for found in measured(rows)] + drift.results(min(sizes))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
