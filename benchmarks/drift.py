"""What drift costs: two generated tables, half of their columns numbers, half categories, compared by each tool that is installed.

python -m benchmarks.drift TOOL FOLDER COLUMNS        one tool, one JSON line; imports are outside the timed region

Peers that need an environment of their own are looked for in $PEERS/TOOL/bin/python.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COLUMNS = (10, 50)
SIDES = ("reference", "current")
Job = Callable[[], object]


def write(rows: int, columns: int, folder: Path) -> None:
    """Write both tables; the current one has slightly moved."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    for side, name in enumerate(SIDES):
        rng = np.random.default_rng([rows, columns, side])
        table: dict[str, Any] = {f"x{i}": rng.normal(0.002 * side * i, 1 + 0.01 * side, rows) for i in range(columns // 2)}
        for i in range(columns - columns // 2):
            codes = np.minimum(rng.geometric(0.15 + 0.005 * side, rows) - 1, 19).astype("int32")
            table[f"c{i}"] = pa.DictionaryArray.from_arrays(codes, [f"category {k}" for k in range(20)]).cast("string")
        pq.write_table(pa.table(table), folder / f"{name}.parquet")


def decode(folder: Path, columns: int) -> tuple[str, Job]:
    """The limit: decode all columns and do nothing with them."""
    import duckdb

    numbers = columns // 2
    sums = ", ".join([*(f"sum(x{i})" for i in range(numbers)), *(f"sum(length(c{i}))" for i in range(columns - numbers))])
    return version("duckdb"), lambda: [duckdb.execute(f"SELECT {sums} FROM read_parquet('{folder / side}.parquet')").fetchall() for side in SIDES]


def factbook(folder: Path, _columns: int) -> tuple[str, Job]:
    """The whole measurement: digests, sketches, PSI, KS, chi-square, JS, Wasserstein, means, missing values, intervals, adjusted p-values."""
    import duckdb
    import numpy
    import pyarrow.compute

    from factbook import measures
    from factbook.manifest import Manifest, validate
    from factbook.measures import drift
    from factbook.model import silent

    sources = {side: {"uri": f"{side}.parquet"} for side in SIDES}
    plan = {"drift": {"measure": "drift", "reference": "reference", "current": "current"}}
    book = validate(Manifest, {"factbook": "1", "subject": {"name": "benchmark"}, "sources": sources, "plan": plan}, "benchmark", {})
    del duckdb, numpy, pyarrow, drift
    return version("factbook"), lambda: measures.run("drift", book.plan["drift"], book, folder, folder / "store", silent)


def scipy(folder: Path, _columns: int) -> tuple[str, Job]:
    """By hand: KS and PSI of numbers, chi-square of categories."""
    import numpy as np
    import pandas
    from scipy import stats

    def psi(a: Any, b: Any) -> float:
        edges = np.quantile(a, np.linspace(0.1, 0.9, 9))
        p, q = (np.bincount(np.searchsorted(edges, side), minlength=10) / len(side) for side in (a, b))
        return float(((q - p) * np.log(q / p)).sum())

    def job() -> object:
        old, new = (pandas.read_parquet(folder / f"{side}.parquet") for side in SIDES)
        found = []
        for name in old.columns:
            a, b = old[name], new[name]
            if name.startswith("x"):
                found.append((stats.ks_2samp(a, b, method="asymp"), psi(a.to_numpy(), b.to_numpy())))
            else:
                found.append((stats.chi2_contingency(pandas.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0)), 0.0))
        return found

    return version("scipy"), job


def evidently(folder: Path, _columns: int) -> tuple[str, Job]:
    """DataDriftPreset with KS and chi-square."""
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    def job() -> object:
        old, new = (pandas.read_parquet(folder / f"{side}.parquet") for side in SIDES)
        return Report([DataDriftPreset(num_method="ks", cat_method="chisquare")]).run(new, old).dict()

    return version("evidently"), job


def nannyml(folder: Path, _columns: int) -> tuple[str, Job]:
    """UnivariateDriftCalculator with KS and JS of numbers, chi-square and JS of categories, in one chunk."""
    import nannyml
    import pandas

    def job() -> object:
        old, new = (pandas.read_parquet(folder / f"{side}.parquet") for side in SIDES)
        names = list(old.columns)
        methods = {"continuous_methods": ["kolmogorov_smirnov", "jensen_shannon"], "categorical_methods": ["chi2", "jensen_shannon"]}
        return nannyml.UnivariateDriftCalculator(column_names=names, chunk_number=1, **methods).fit(old).calculate(new).to_df()

    return version("nannyml"), job


TOOLS: dict[str, Callable[[Path, int], tuple[str, Job]]] = {
    "decode": decode,
    "factbook": factbook,
    "scipy": scipy,
    "evidently": evidently,
    "nannyml": nannyml,
}


def run(tool: str, folder: Path, columns: int) -> dict[str, Any] | None:
    """One tool in a process of its own; None where it is not installed."""
    own = Path(os.environ.get("PEERS", "peers")) / tool / "bin" / "python"
    python = str(own) if own.is_file() else sys.executable
    command = [python, "-m", "benchmarks.drift", tool, str(folder), str(columns)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    print(f"{tool:26} {'not installed' if 'ModuleNotFoundError' in reason else reason}")
    return None


def results(rows: int) -> list[dict[str, Any]]:
    """Run all tools over tables of 10 and 50 columns; the decode limit counts with the median of three runs."""
    found: list[dict[str, Any]] = []
    for columns in COLUMNS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run([sys.executable, "-m", "benchmarks.drift", "write", str(folder), str(columns), str(rows)], cwd=ROOT, check=True)
            limits = sorted((item for _ in range(3) if (item := run("decode", folder, columns))), key=lambda item: float(item["cpu_s"]))
            base = limits[len(limits) // 2]
            for item in [base, *(item for tool in list(TOOLS)[1:] if (item := run(tool, folder, columns)))]:
                item |= {"rows": rows, "ratio_to_decode": item["cpu_s"] / base["cpu_s"]}
                found.append(item)
                numbers = f"{item['cpu_s']:8.2f} {item['wall_s']:8.2f} {item['peak_mib']:9.0f} {item['ratio_to_decode']:9.1f}"
                print(f"{item['tool']:26} {item['case']:18} {numbers}")
    return found


def main() -> None:
    tool, folder, columns = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if tool == "write":  # in a process of its own, since a child inherits the peak memory of its parent
        write(int(sys.argv[4]), columns, folder)
        return
    found, job = TOOLS[tool](folder, columns)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    job()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    case = f"drift, {columns} columns"
    print(json.dumps({"case": case, "tool": tool, "version": found, "cpu_s": cpu, "wall_s": wall, "peak_mib": after.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
