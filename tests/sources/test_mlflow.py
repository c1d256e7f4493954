"""MLflow, as its own client writes it: a database, a folder, and a real tracking server; skipped where mlflow is not installed."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from factbook import sources
from factbook.book import Book
from factbook.errors import ManifestError, SourceAbsent, SourceError
from factbook.evidence import State
from factbook.manifest import Source, read
from factbook.sources import Servers, connect

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
MANIFEST = """
factbook: 1
subject: {{name: test}}
sources:
  run: {{uri: "{uri}", {format}query: heart/forest}}
plan:
  training: {{measure: tracked, run: run}}
"""


def begun(client: Any, name: str = "forest", experiment: str = "heart", **tags: str) -> str:
    known = client.get_experiment_by_name(experiment)
    run = client.create_run(known.experiment_id if known else client.create_experiment(experiment), run_name=name, tags=tags)
    return str(run.info.run_id)


def logged(client: Any, name: str = "forest", **tags: str) -> str:
    """A finished run with what is awkward in it; its id."""
    run = begun(client, name, **tags)
    client.log_param(run, "Tiefe größe", "3")
    for step, value in enumerate((0.75, 0.25, math.nan, 0.5)):
        client.log_metric(run, "val/loss", value, step=step)
    client.log_metric(run, "accuracy", 0.8125)
    client.set_terminated(run)
    return run


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of MLflow: making its tables takes longer than any test."""
    place = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{place}").search_experiments()
    return place


@pytest.fixture(params=["mlflow.db", "mlruns"])
def store(request: pytest.FixtureRequest, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """The path of a store in the book's folder, and a client of it."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    place = tmp_path / request.param
    if request.param == "mlflow.db":
        shutil.copyfile(database, place)
    return request.param, mlflow.MlflowClient(place.as_uri() if request.param == "mlruns" else f"sqlite:///{place}")


def source(uri: str, query: str = "heart/forest") -> Source:
    return Source(uri=uri, format="" if "://" in uri else "mlflow", query=query)


def rows(source: Source, root: Path) -> list[tuple[Any, ...]]:
    found = connect().execute(f"SELECT kind, name, text, number, step FROM ({sources.table(source, root, root / 'store').sql})").fetchall()
    return sorted(found, key=repr)


def test_what_was_logged(store: tuple[str, Any], tmp_path: Path) -> None:
    run = logged(store[1], **{"mlflow.source.git.commit": "745e663", "mlflow.source.name": "/home/anna/train.py", "team": "triage"})
    found = rows(source(store[0]), tmp_path)
    assert ("attribute", "run_id", run, None, None) in found
    assert ("attribute", "commit", "745e663", None, None) in found
    assert ("param", "Tiefe größe", "3", None, None) in found
    assert ("metric", "val/loss", None, 0.5, 3) in found
    assert [row[3:] for row in found if row[0] == "history" and row[1] == "val/loss" and row[4] != 2] == [(0.25, 1), (0.5, 3), (0.75, 0)]
    assert [row[1] for row in found if row[0] == "tag"] == ["team"]
    assert "/home/anna" not in str(found)


def test_a_run_by_its_id_has_the_same_rows(store: tuple[str, Any], tmp_path: Path) -> None:
    run = logged(store[1])
    assert repr(rows(source(store[0], run), tmp_path)) == repr(rows(source(store[0]), tmp_path))


def test_a_nested_run_names_the_one_that_it_is_part_of(store: tuple[str, Any], tmp_path: Path) -> None:
    parent = logged(store[1], "search")
    logged(store[1], "fold 1", **{"mlflow.parentRunId": parent})
    assert ("attribute", "parent", parent, None, None) in rows(source(store[0], "heart/fold 1"), tmp_path)
    assert "parent" not in [row[1] for row in rows(source(store[0], "heart/search"), tmp_path)]


def twice(client: Any) -> str:
    for _ in range(2):
        logged(client)
    return "heart/forest"


def deleted(client: Any) -> str:
    run = logged(client)
    client.delete_run(run)
    return run


def failed(client: Any) -> str:
    client.set_terminated(begun(client), "FAILED")
    return "heart/forest"


WRONG: dict[str, tuple[Callable[[Any], str], str]] = {
    "several": (twice, r"2 runs of 'heart' are called 'forest': [0-9a-f]{32} \(finished, .*give the id of one"),
    "deleted": (deleted, "was deleted"),
    "deleted, by name": (lambda client: deleted(client) and "heart/forest", "has no run 'forest'"),
    "failed": (failed, r"\([0-9a-f]{32}\) is failed, not finished"),
    "running": (lambda client: begun(client) and "heart/forest", r"is running, not finished"),
    "no such run": (lambda client: logged(client) and "heart/tree", "has no run 'tree'.*its last runs: 'forest'"),
    "no such experiment": (lambda client: logged(client) and "hart/forest", "no experiment 'hart'.*'heart'"),
    "no such id": (lambda client: logged(client) and "0" * 32, "there is no run 0{32}"),
    "no name": (lambda client: logged(client) and "forest", "EXPERIMENT/NAME"),
    "nothing": (lambda client: logged(client) and "", "which run"),
}


@pytest.mark.parametrize("case", WRONG)
def test_which_run_is_never_guessed(case: str, store: tuple[str, Any], tmp_path: Path) -> None:
    make, said = WRONG[case]
    query = make(store[1])
    with pytest.raises(SourceError, match=f"(?s){store[0]}: .*{said}"):
        sources.digest(source(store[0], query), tmp_path, tmp_path / "store")


def test_reading_changes_nothing(store: tuple[str, Any], tmp_path: Path) -> None:
    logged(store[1])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    rows(source(store[0]), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if "store" not in path.relative_to(tmp_path).parts} == before


@pytest.mark.parametrize("content", [b"no database", None])
def test_what_is_no_store_is_refused_and_left_alone(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE shop (a INTEGER)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(SourceError, match=r"mlflow\.db: (cannot be read|is no database of MLflow)"):
        rows(source("mlflow.db"), tmp_path)
    assert path.read_bytes() == before


def states(book: Book, **options: Any) -> dict[str, State]:
    return {item.name: item.state for item in book.freshness(**options)}


def test_another_value_makes_the_evidence_stale(store: tuple[str, Any], tmp_path: Path) -> None:
    run = logged(store[1])
    (tmp_path / "factbook.yaml").write_text(MANIFEST.format(uri=store[0], format="format: mlflow, "))
    book = Book(tmp_path)
    assert [item.state for item in book.measure()] == ["measured"]
    assert states(book) == {"training": State.FRESH}
    store[1].log_metric(run, "accuracy", 0.5, step=1)
    assert states(book) == {"training": State.STALE}
    assert [item.state for item in book.measure()] == ["measured"]
    assert states(book) == {"training": State.FRESH}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A tracking server over a database; its address, and the folder."""
    if importlib.util.find_spec("flask") is None or importlib.util.find_spec("mlflow.server.handlers") is None:
        pytest.skip("the server of mlflow is not installed")
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen([*command, "--workers", "1"], cwd=folder, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.25)
        yield address, folder
    finally:
        os.killpg(running.pid, 15)
        running.wait(30)


def test_the_server_says_what_its_database_holds(server: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = server
    logged(mlflow.MlflowClient(address), "same")
    asked, held = source(f"mlflow:{address}", "heart/same"), source(str(folder / "mlflow.db"), "heart/same")
    assert repr(rows(asked, tmp_path)) == repr(rows(held, tmp_path))
    found = sources.digest(asked, tmp_path, tmp_path / "store", servers=Servers.ASK)
    assert found == sources.digest(held, tmp_path, tmp_path / "store")
    assert sources.digest(asked, tmp_path, tmp_path / "store", servers=Servers.SKIP) is None


def test_a_server_is_asked_when_it_is_measured(server: tuple[str, Path], tmp_path: Path) -> None:
    client = mlflow.MlflowClient(server[0])
    run = logged(client)
    (tmp_path / "factbook.yaml").write_text(MANIFEST.format(uri=f"mlflow:{server[0]}", format=""))
    book = Book(tmp_path)
    assert [item.state for item in book.measure()] == ["measured"]
    assert [item.state for item in book.measure()] == ["fresh"]
    client.log_metric(run, "accuracy", 0.5, step=1)
    assert states(book) == {"training": State.NOT_JUDGED}
    assert states(book, servers="ask") == {"training": State.STALE}
    assert [(item.state, item.reason) for item in book.measure()] == [("measured", "the data of source run changed")]


def test_a_server_that_does_not_answer_is_absent(tmp_path: Path) -> None:
    with pytest.raises(
        SourceAbsent, match=r"(?s)mlflow:http://127\.0\.0\.1:9: the tracking server cannot be asked \(\[Errno \d+\] [A-Z][\w ]+\)\n.*start it"
    ):
        rows(source("mlflow:http://127.0.0.1:9"), tmp_path)


def test_passwords_stay_in_the_environment(server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_PASSWORD", "gehe1m&nis")
    place = server[0].removeprefix("http://")
    logged(mlflow.MlflowClient(server[0]), "secret")
    manifest = MANIFEST.replace("heart/forest", "heart/secret")
    (tmp_path / "factbook.yaml").write_text(manifest.format(uri=f"mlflow:http://anna:${{TRACKER_PASSWORD}}@{place}", format=""))
    assert [item.state for item in Book(tmp_path).measure()] == ["measured"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"gehe1m" in path.read_bytes()]
    with pytest.raises(SourceAbsent) as refused:
        rows(source("mlflow:http://anna:${TRACKER_PASSWORD}@127.0.0.1:9"), tmp_path)
    assert "gehe1m" not in str(refused.value)
    with pytest.raises(ManifestError, match="it holds a password"):
        read(manifest.format(uri="mlflow:http://anna:gehe1m@127.0.0.1:9", format=""))


def test_settings_of_the_user_stand_and_ours_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    before = dict(os.environ)
    with pytest.raises(SourceAbsent):
        rows(source("mlflow:http://127.0.0.1:9"), tmp_path)
    assert dict(os.environ) == before
