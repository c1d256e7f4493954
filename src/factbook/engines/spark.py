"""Apache Spark: executors run the kernel over the parts of a source, the driver adds up. Bit for bit the tally of the embedded engine.

Each part, a file or a run of row groups, is one task of `mapInArrow`; its executor reads it where it lies, so the files must be under the same
paths on every machine (a shared file system), as for Spark's own readers, and factbook must be installed there. What comes back is the tally of
the part as bytes. Measures that need rows, not counts, read them on the driver.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from factbook import sources
from factbook.engines import kernel, tallies
from factbook.engines.tallies import Tally
from factbook.errors import MeasureError, MissingExtra, SourceError
from factbook.manifest import Source
from factbook.sources import Table

_WAVE: Final = 4
_CAUSE: Final = re.compile(r"\w+(?:Error|Exception): (?!.*(?:Error|Exception): ).*")  # the last one of a line
_QUIET: Final[dict[str, str]] = {"spark.ui.showConsoleProgress": "false"}  # factbook has a bar of its own


def parts(
    tables: Sequence[Table], source: Source, attributes: Sequence[str], store: Path, settings: Mapping[str, str], told: Callable[[int], None]
) -> Iterator[tuple[int, Tally]]:
    """The tallies of parts of a source, a few for each core of the cluster at a time, so that a run that is ended keeps those before.

    Args:
        tables: the parts.
        source: the declared roles of their columns.
        attributes: the slice attributes to keep apart.
        store: the private store; executors do not need it.
        settings: of the Spark session, where one has to be made: `master`, and `spark.…`.
        told: is told how many rows are done.

    Raises:
        MissingExtra: pyspark is not installed.
        MeasureError: no session can be made, or the cluster fails.
        SourceError: the rows contradict the declaration, or an executor cannot read a file.
    """
    if not tables:
        return
    session = _session(settings)
    wave = _WAVE * _cores(session)
    for start in range(0, len(tables), wave):
        jobs = [(i, pickle.dumps((tables[i], source.model_dump_json(), tuple(attributes)))) for i in range(start, min(start + wave, len(tables)))]
        frame = session.createDataFrame(jobs, "part int, job binary").repartitionByRange(len(jobs), "part")
        for row in _collected(frame.mapInArrow(_work, "part int, tally binary, error string")):
            if row.error:
                message, remedy = json.loads(row.error)
                raise SourceError(message, remedy=remedy)
            yield row.part, tallies.load(bytes(row.tally))


def _collected(frame: Any) -> Any:
    """The rows that the executors give.

    Raises:
        MeasureError: one fails otherwise than for its rows: it is lost, or lacks factbook.
    """
    try:
        return frame.collect()
    except Exception as error:  # Spark, Py4J and Spark Connect raise each their own
        cause = _CAUSE.search(str(error))
        said = cause[0] if cause else next(iter(str(error).splitlines()), type(error).__name__)
        remedy = "what was counted is kept: measure again; executors need this version of factbook and the files under the same paths"
        raise MeasureError(f"engine: spark: the cluster failed ({said[:200]})", remedy=remedy) from error


def _work(batches: Iterable[Any]) -> Iterator[Any]:
    """On an executor: count the parts that it was given."""
    import pyarrow as pa

    for batch in batches:
        for number, job in zip(batch.column("part").to_pylist(), batch.column("job").to_pylist(), strict=True):
            tally, error = _counted(job)
            names = ["part", "tally", "error"]
            yield pa.RecordBatch.from_arrays([pa.array([number], "int32"), pa.array([tally], "binary"), pa.array([error], "string")], names=names)


def _counted(job: bytes) -> tuple[bytes | None, str | None]:
    table, declared, attributes = pickle.loads(job)  # noqa: S301 (the driver's own words)
    connection = sources.connect()
    connection.execute("SET threads = 1")  # Spark gives a task one core
    try:
        return tallies.dump(kernel.count(table, Source.model_validate_json(declared), attributes, connection)), None
    except SourceError as error:
        return None, json.dumps([error.message, error.remedy])


def _session(settings: Mapping[str, str]) -> Any:
    """The user's session, or a new one.

    Raises:
        MissingExtra: pyspark is not installed.
        MeasureError: Spark does not start.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingExtra("engine: spark", "spark") from error
    if (active := SparkSession.getActiveSession()) is not None:
        return active
    if settings.get("master", "local").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers of this machine need the environment that factbook is in
    builder = SparkSession.builder.appName("factbook")
    for name, value in {**_QUIET, **settings}.items():
        builder = builder.master(value) if name == "master" else builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # Py4J and Spark Connect raise each their own
        said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise MeasureError(f"engine: spark does not start ({said})", remedy="it needs Java; name the cluster in `spark: {master: …}`") from error


def _cores(session: Any) -> int:
    """How many tasks run at once, as far as the session tells."""
    try:
        return int(session.sparkContext.defaultParallelism)
    except Exception:  # Spark Connect has no context
        return int(session.conf.get("spark.default.parallelism", "8"))
