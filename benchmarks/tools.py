"""One function per tool. Each does the same job as far as it can: the rates of every group of every attribute and pair, and where it says so the AUC.

Imports are outside the timed region; each tool runs in a process of its own (`python -m benchmarks.tools TOOL FILE`) and prints one JSON line.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.logs import ATTRIBUTES

SETS = [*((name,) for name in ATTRIBUTES), *itertools.combinations(ATTRIBUTES, 2)]
Job = Callable[[], object]


def decode(path: Path) -> tuple[str, Job]:
    """The limit: decode the seven columns and do nothing with them."""
    import duckdb

    sums = ", ".join(["sum(y)", "sum(s)", "sum(p)", *(f"sum(length({name}))" for name in ATTRIBUTES)])
    return version("duckdb"), lambda: duckdb.connect().execute(f"SELECT {sums} FROM read_parquet('{path}')").fetchall()


def factbook(path: Path, roles: dict[str, str]) -> tuple[str, Job]:
    import duckdb
    import numpy
    import pyarrow.compute

    from factbook import measures, shelf
    from factbook.manifest import Manifest, validate
    from factbook.model import silent

    source = {"uri": str(path), "label": "y", "positive": "1", "by": list(ATTRIBUTES), **roles}
    plan = {"performance": {"measure": "classification", "data": "log", "by": [list(item) for item in SETS]}}
    tree = {"factbook": "1", "subject": {"name": "benchmark"}, "sources": {"log": source}, "plan": plan}
    book = validate(Manifest, tree, "benchmark", {})
    store = Path(tempfile.mkdtemp())
    for room in ("sources", "engines", "measures"):
        shelf.modules(room)
    del duckdb, numpy, pyarrow
    return version("factbook"), lambda: measures.run("performance", book.plan["performance"], book, path.parent, store, silent)


def factbook_rates(path: Path) -> tuple[str, Job]:
    """Counts, rates and their intervals."""
    return factbook(path, {"prediction": "p"})


def factbook_scores(path: Path) -> tuple[str, Job]:
    """The same, and AUC with DeLong's interval, average precision, log loss, Brier score, calibration error."""
    return factbook(path, {"score": "s", "cut": "0.5"})


def pandas_rates(path: Path) -> tuple[str, Job]:
    """Counts and rates by hand, without intervals."""
    import pandas

    return version("pandas"), lambda: _crosstabs(pandas.read_parquet(path))


def _crosstabs(frame: object) -> object:
    frame["cell"] = 2 * frame["y"] + frame["p"]  # type: ignore[index]
    return [frame.groupby([*item, "cell"]).size().unstack(fill_value=0) for item in SETS]  # type: ignore[attr-defined]


def pandas_scores(path: Path) -> tuple[str, Job]:
    """The same, and scikit-learn's AUC, average precision, log loss and Brier score of every group, without intervals."""
    import pandas
    from sklearn import metrics

    functions = (metrics.roc_auc_score, metrics.average_precision_score, metrics.log_loss, metrics.brier_score_loss)

    def job() -> object:
        frame = pandas.read_parquet(path)
        _crosstabs(frame)
        return [[function(part["y"], part["s"]) for function in functions] for item in SETS for _, part in frame.groupby(list(item))]

    return f"pandas {version('pandas')}, scikit-learn {version('scikit-learn')}", job


def fairlearn_rates(path: Path) -> tuple[str, Job]:
    """MetricFrame with eight rates, without intervals."""
    import pandas
    from fairlearn import metrics as fair
    from sklearn import metrics

    rates = {
        "accuracy": metrics.accuracy_score,
        "precision": metrics.precision_score,
        "selection_rate": fair.selection_rate,
        "tpr": fair.true_positive_rate,
        "fpr": fair.false_positive_rate,
        "fnr": fair.false_negative_rate,
        "tnr": fair.true_negative_rate,
        "n": fair.count,
    }

    def job() -> object:
        frame = pandas.read_parquet(path)
        return [fair.MetricFrame(metrics=rates, y_true=frame["y"], y_pred=frame["p"], sensitive_features=frame[list(item)]).by_group for item in SETS]

    return version("fairlearn"), job


TOOLS: dict[str, tuple[str, Callable[[Path], tuple[str, Job]]]] = {
    "decode": ("limit", decode),
    "factbook rates": ("rates", factbook_rates),
    "pandas by hand": ("rates", pandas_rates),
    "fairlearn": ("rates", fairlearn_rates),
    "factbook scores": ("rates and scores", factbook_scores),
    "pandas and scikit-learn": ("rates and scores", pandas_scores),
}
SLOW = {"fairlearn": 50_000, "pandas and scikit-learn": 2_000_000}
"""The largest log that is given to a tool: above it the answer takes minutes and is proportional."""


def main() -> None:
    case, prepare = TOOLS[sys.argv[1]]
    found, job = prepare(Path(sys.argv[2]))
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    job()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"case": case, "tool": sys.argv[1], "version": found, "cpu_s": cpu, "wall_s": wall, "peak_mib": after.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
