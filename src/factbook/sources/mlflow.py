"""MLflow: what the tracker keeps of one run, as rows. A tracking server is asked by its API; a database or folder of its own is copied, then read.

`query` names the run: its id, or EXPERIMENT/NAME. The rows are pinned by themselves, as those of a database are.

    kind         name              value
    attribute    run_id, name, experiment, started, commit, parent, user (text); seconds (number)
    param, tag   as it was logged  text
    metric       as it was logged  number: the last one; its `step` is the last step
    history      as it was logged  number, `step`, `time` (milliseconds): every one that was logged
    input        of the data set   text: its digest; number: its rows, where they are known; `context`: what it served for
    model        as it was logged  text: its flavours, where they are known, else its id

The tracker's other tags of its own (`mlflow.…`) and the places of data sets are left out: they name machines, people and buckets.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import re
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from factbook.errors import FactbookError, MissingExtra, SourceAbsent, SourceError
from factbook.manifest import Source
from factbook.sources import queries
from factbook.sources.places import Servers, expanded
from factbook.sources.tables import Table

SUFFIXES: Final = ()
SCHEMES: Final = ("mlflow:http", "mlflow:https")
FOLDERS: Final = True
_SCHEMA: Final = (
    ("kind", "string"),
    ("name", "string"),
    ("text", "string"),
    ("number", "float64"),
    ("step", "int64"),
    ("time", "int64"),
    ("context", "string"),
)
_ID: Final = re.compile(r"[0-9a-f]{32}")
_SETTINGS: Final = {
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
_CAUSE: Final = re.compile(r"Caused by .*: (.+?)['\")]+\Z")
_WHICH: Final = "declare `query: EXPERIMENT/NAME`, or the id of the run"
_NONE: Final = "RESOURCE_DOES_NOT_EXIST"


def pin(source: Source, files: Sequence[Path], store: Path, servers: Servers) -> str | None:
    """The digest of the rows; None where the server is not to be asked.

    Raises:
        MissingExtra: mlflow is not installed.
        SourceAbsent: the server does not answer.
        SourceError: the run is not there, is one of several, was deleted, or did not finish; or this is no store of MLflow.
    """
    if not files:
        return queries.pin_server(source, store, servers, lambda: _rows(source, files))
    if _is_folder(files):
        return queries.snapshot(source, store, lambda: _rows(source, files))
    return queries.pin_file(source, queries.only(source, files), store, lambda: _rows(source, files))


def read(files: Sequence[Path], source: Source, store: Path) -> Table:
    """The table of the rows, from their copy."""
    known = pin(source, files, store, Servers.LAST)
    assert known is not None
    return queries.opened(source, store, known, tuple(files))


def _rows(source: Source, files: Sequence[Path]) -> Any:
    import pyarrow as pa

    with _settings(), tempfile.TemporaryDirectory() as folder:
        client = _client(source, _copy(source, files, Path(folder)) if files else expanded(source.uri).removeprefix("mlflow:"))
        try:
            columns = list(zip(*_records(client, _run(client, source)), strict=True))
        except FactbookError:
            raise
        except Exception as error:  # the library raises those of requests and SQLAlchemy too
            raise _refused(source, error, server=not files) from error
    schema = pa.schema(_SCHEMA)
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatchReader.from_batches(schema, [pa.RecordBatch.from_arrays(arrays, schema=schema)])


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """The library without reports home, endless retries and chatter; what the user has set stands."""
    before = dict(os.environ)
    log = logging.getLogger("mlflow")
    level = log.level
    os.environ.update(_SETTINGS | before)
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        log.setLevel(level)
        for name in _SETTINGS.keys() - before.keys():
            os.environ.pop(name, None)


def _client(source: Source, uri: str) -> Any:
    try:
        from mlflow import MlflowClient

        return MlflowClient(uri, uri)
    except ImportError as error:
        raise MissingExtra("reading from MLflow", "mlflow") from error
    except Exception as error:
        raise _refused(source, error, server="://" in source.uri) from error


def _is_folder(files: Sequence[Path]) -> bool:
    return any(path.name == "meta.yaml" for path in files)


def _copy(source: Source, files: Sequence[Path], place: Path) -> str:
    """A copy of a local store without its artifacts, since the library may write to what it opens; its URI.

    Raises:
        SourceError: it is no store of MLflow.
    """
    if _is_folder(files):
        home = min((path for path in files if path.name == "meta.yaml"), key=lambda path: len(path.parts)).parents[1]
        shutil.copytree(home, place / "mlruns", ignore=lambda inside, names: names if Path(inside).name == "artifacts" else ())
        return (place / "mlruns").as_uri()
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{queries.only(source, files).as_uri()}?mode=ro", uri=True)) as theirs,
            contextlib.closing(sqlite3.connect(place / "mlflow.db")) as own,
        ):
            theirs.backup(own)
            names = {name for (name,) in own.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise SourceError(f"{source.uri}: cannot be read ({error})", remedy="name the database or the folder `mlruns` of MLflow") from error
    if not {"runs", "alembic_version"} <= names:
        raise SourceError(f"{source.uri}: is no database of MLflow (it has no table `runs`)", remedy="name the file of `--backend-store-uri`")
    return f"sqlite:///{place / 'mlflow.db'}"


def _run(client: Any, source: Source) -> Any:
    """The run that `query` names, finished and not deleted.

    Raises:
        SourceError: it is not there, is one of several, was deleted, or did not finish.
    """
    asked = source.query.strip()
    if not asked:
        raise SourceError(f"{source.uri}: which run?", remedy=_WHICH)
    run = _known(client, source, asked) if _ID.fullmatch(asked) else _named(client, source, *asked.rpartition("/")[::2])
    if run.info.lifecycle_stage != "active":
        raise SourceError(f"{source.uri}: the run {asked} was deleted", remedy="restore it (mlflow runs restore), or name another")
    if run.info.status != "FINISHED":
        raise SourceError(
            f"{source.uri}: the run {asked} ({run.info.run_id}) is {run.info.status.lower()}, not finished",
            remedy="wait for its end, or name a run that finished",
        )
    return run


def _known(client: Any, source: Source, identity: str) -> Any:
    """The run of an id.

    Raises:
        SourceError: there is none.
    """
    try:
        return client.get_run(identity)
    except Exception as error:
        if getattr(error, "error_code", "") == _NONE:
            raise SourceError(f"{source.uri}: there is no run {identity}", remedy=_WHICH) from error
        raise


def _named(client: Any, source: Source, experiment: str, name: str) -> Any:
    """The one run of a name in an experiment.

    Raises:
        SourceError: there is none, or there are several; names them.
    """
    if not experiment or not name:
        raise SourceError(f"{source.uri}: {source.query.strip()!r} is no id of a run", remedy=_WHICH)
    found = client.get_experiment_by_name(experiment)
    if found is None or found.lifecycle_stage != "active":
        known = ", ".join(repr(item.name) for item in client.search_experiments(max_results=5))
        raise SourceError(f"{source.uri}: there is no experiment {experiment!r}", remedy=f"there are: {known or 'none'}")
    mark = '"' if "'" in name else "'"
    runs = client.search_runs([found.experiment_id], f"attributes.run_name = {mark}{name}{mark}", max_results=20)
    if not runs:
        known = ", ".join(repr(run.info.run_name) for run in client.search_runs([found.experiment_id], max_results=5))
        raise SourceError(f"{source.uri}: the experiment {experiment!r} has no run {name!r}", remedy=f"its last runs: {known or 'none'}")
    if len(runs) > 1:
        each = ", ".join(f"{run.info.run_id} ({run.info.status.lower()}, {_moment(run.info.start_time)})" for run in runs[:5])
        raise SourceError(f"{source.uri}: {len(runs)} runs of {experiment!r} are called {name!r}: {each}", remedy="give the id of one as `query`")
    return runs[0]


def _records(client: Any, run: Any) -> Iterator[tuple[str, str, str | None, float | None, int | None, int | None, str | None]]:
    """The rows of a run, as `_SCHEMA` says."""
    info, tags = run.info, run.data.tags
    texts = {
        "run_id": info.run_id,
        "name": info.run_name,
        "experiment": client.get_experiment(info.experiment_id).name,
        "started": _moment(info.start_time),
        "commit": tags.get("mlflow.source.git.commit"),
        "parent": tags.get("mlflow.parentRunId"),
        "user": tags.get("mlflow.user") or info.user_id,
    }
    yield from (("attribute", name, text, None, None, None, None) for name, text in texts.items() if text)
    if info.start_time and info.end_time:
        yield "attribute", "seconds", None, (info.end_time - info.start_time) / 1000, None, None, None
    yield from (("param", name, text, None, None, None, None) for name, text in run.data.params.items())
    yield from (("tag", name, text, None, None, None, None) for name, text in tags.items() if not name.startswith("mlflow."))
    for name, last in run.data.metrics.items():
        logged = client.get_metric_history(info.run_id, name)
        yield "metric", name, None, last, max(item.step for item in logged), None, None
        yield from (("history", name, None, item.value, item.step, item.timestamp, None) for item in logged)
    for item in run.inputs.dataset_inputs if run.inputs else ():
        context = next((tag.value for tag in item.tags if tag.key == "mlflow.data.context"), None)
        yield "input", item.dataset.name, item.dataset.digest, _size(item.dataset.profile), None, None, context
    yield from (("model", name, text, None, None, None, None) for name, text in _models(client, run))


def _models(client: Any, run: Any) -> Iterator[tuple[str, str]]:
    """The models of a run: of those before MLflow 3 the tracker knows the flavours, of later ones the id."""
    for item in json.loads(run.data.tags.get("mlflow.log-model.history") or "[]"):
        yield str(item["artifact_path"]), ", ".join(sorted(item["flavors"]))
    for item in run.outputs.model_outputs if run.outputs else ():
        yield str(client.get_logged_model(item.model_id).name), str(item.model_id)


def _size(profile: str | None) -> float | None:
    """The number of rows that the profile of a data set gives."""
    with contextlib.suppress(ValueError, TypeError):
        rows = json.loads(profile or "")["num_rows"]
        return float(rows) if isinstance(rows, int) else None
    return None


def _moment(milliseconds: int) -> str:
    return dt.datetime.fromtimestamp(milliseconds // 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refused(source: Source, error: Exception, *, server: bool) -> SourceError | SourceAbsent:
    """The error of the library, without what the environment holds."""
    said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if server:
        cause = _CAUSE.search(said)
        said = cause[1] if cause else said
        said = type(error).__name__ if "${" in source.uri else said
        return SourceAbsent(f"{source.uri}: the tracking server cannot be asked ({said})", remedy="start it, or mend `uri` or MLFLOW_TRACKING_…")
    return SourceError(f"{source.uri}: MLflow cannot read it ({said})", remedy="bring it up to date with `mlflow db upgrade`, or mend `uri`")
