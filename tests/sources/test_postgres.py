"""PostgreSQL, against a real server of our own; skipped where its programs are not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factbook import sources
from factbook.book import Book
from factbook.errors import ManifestError, SourceAbsent, SourceError
from factbook.evidence import State
from factbook.manifest import Source, read
from factbook.sources import Servers, connect

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
PASSWORD = "p@ss:w/rd%41"


def _programs() -> Path:
    """Where initdb and pg_ctl are."""
    for place in (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())):
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    pytest.skip("no PostgreSQL server is installed (initdb, pg_ctl)")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that listens on a socket in a folder of its own; its folder."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="fb-pg-"))
    drop: dict[str, Any] = {}
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, "postgres", "postgres")
        except LookupError:
            pytest.skip("a PostgreSQL server does not run as root, and there is no user postgres")
        drop = {"user": "postgres", "group": "postgres", "extra_groups": []}
    (folder / "pw").write_text(PASSWORD)
    (folder / "pw").chmod(0o644)
    data, said = folder / "data", {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **drop}
    subprocess.run([programs / "initdb", "-D", data, "-U", "boss", "-A", "scram-sha-256", f"--pwfile={folder / 'pw'}", "-E", "UTF8", "-N"], **said)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"], **said)
    yield str(folder)
    subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **said)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def uri(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    return f"postgresql://boss:${{SHOP_PASSWORD}}@/postgres?host={server}"


@pytest.fixture
def shop(server: str) -> Iterator[Any]:
    with psycopg.connect(host=server, user="boss", password=PASSWORD, dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS log")
        yield connection


def kinds(source: Source, root: Path) -> dict[str, str]:
    return {column.name: column.type for column in sources.table(source, root, root / "store").columns}


def test_types(uri: str, shop: Any, tmp_path: Path) -> None:
    shop.execute("""
        CREATE TABLE log AS SELECT true AS b, 1::int2 AS i2, 2::int4 AS i4, 3::int8 AS i8, 0.5::float4 AS f4, 0.1::float8 AS f8,
        1.50::numeric(6,2) AS n, 1/3::numeric AS nn, 'x'::text AS t, 'a'::char(3) AS c, date '2026-01-31' AS d, time '10:00' AS tm,
        timestamp '2026-01-31 10:00' AS ts, timestamptz '2026-01-31 10:00+02' AS tz, '{"a": [1]}'::jsonb AS j, ARRAY[1,2] AS l, NULL::int AS z
    """)
    source = Source(uri=uri, query="SELECT * FROM log")
    assert kinds(source, tmp_path) == {
        "b": "BOOLEAN", "i2": "SMALLINT", "i4": "INTEGER", "i8": "BIGINT", "f4": "FLOAT", "f8": "DOUBLE", "n": "DECIMAL(6,2)", "nn": "VARCHAR",
        "t": "VARCHAR", "c": "VARCHAR", "d": "DATE", "tm": "TIME", "ts": "TIMESTAMP", "tz": "TIMESTAMP WITH TIME ZONE", "j": "VARCHAR",
        "l": "VARCHAR", "z": "INTEGER",
    }  # fmt: skip
    chosen = "b::text, f4, n::text, nn, c, j, l, tz::text, z"
    texts = ", ".join(f"CAST({item.partition('::')[0]} AS VARCHAR)" for item in chosen.split(", "))
    row = connect().execute(f"SELECT {texts} FROM ({sources.table(source, tmp_path, tmp_path / 'store').sql})").fetchone()
    assert row == ("true", "0.5", "1.50", "0.33333333333333333333", "a  ", '{"a": [1]}', "[1, 2]", "2026-01-31 08:00:00+00", None)


def test_the_rows_are_pinned_in_any_order(uri: str, shop: Any, tmp_path: Path) -> None:
    shop.execute("CREATE TABLE log AS SELECT i, i % 3 AS g FROM generate_series(1, 40000) i")
    source, store = Source(uri=uri, query="SELECT * FROM log"), tmp_path / "store"
    first = sources.digest(source, tmp_path, store, servers=Servers.ASK)
    shop.execute("CREATE TABLE other AS SELECT * FROM log ORDER BY random(); DROP TABLE log; ALTER TABLE other RENAME TO log")
    assert sources.digest(source, tmp_path, store, servers=Servers.ASK) == first
    shop.execute("INSERT INTO log VALUES (1, 1)")
    assert sources.digest(source, tmp_path, store, servers=Servers.LAST) == first
    assert sources.digest(source, tmp_path, store, servers=Servers.SKIP) is None
    assert sources.digest(source, tmp_path, store, servers=Servers.ASK) != first


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("DELETE FROM log", "cannot be answered"),
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("SELECT nextval('counter')", "read-only transaction"),
        ("SELECT 1; DROP TABLE log", "cannot be answered"),
        ("SELECT 1 AS a, 2 AS a", "given twice: 'a'"),
        ("SELECT 'infinity'::date AS d", "cannot be answered"),
    ],
)
def test_only_one_select_is_answered(uri: str, shop: Any, tmp_path: Path, query: str, said: str) -> None:
    shop.execute("CREATE TABLE log AS SELECT 1 AS i")
    shop.execute("CREATE SEQUENCE IF NOT EXISTS counter")
    with pytest.raises(SourceError) as caught:
        kinds(Source(uri=uri, query=query), tmp_path)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert shop.execute("SELECT count(*) FROM log").fetchone() == (1,)


def test_a_server_that_is_not_there_is_an_absent_source(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceAbsent, match="cannot be reached"):
        kinds(Source(uri="postgresql://boss:${SHOP_PASSWORD}@/postgres?host=/nowhere", query="SELECT 1 AS a"), tmp_path)
    monkeypatch.setenv("SHOP_PASSWORD", "wr:ong@")
    with pytest.raises(SourceAbsent, match="password authentication failed") as caught:
        kinds(Source(uri=uri, query="SELECT 1 AS a"), tmp_path)
    assert "wr:ong" not in str(caught.value)
    monkeypatch.delenv("SHOP_PASSWORD")
    with pytest.raises(SourceAbsent, match="SHOP_PASSWORD is not set"):
        kinds(Source(uri=uri, query="SELECT 1 AS a"), tmp_path)


@pytest.mark.parametrize("written", ["postgresql://boss:hunter2@db/shop", "postgresql://db/shop?password=hunter2", "postgresql://b:hunter2${X}@db/s"])
def test_a_password_is_never_written_down(written: str) -> None:
    text = f"factbook: 1\nsubject: {{name: m}}\nsources:\n  log: {{uri: '{written}', query: SELECT 1}}\n"
    with pytest.raises(ManifestError, match="holds a password") as caught:
        read(text)
    assert "hunter2" not in str(caught.value)


def test_a_book_over_a_query(uri: str, shop: Any, tmp_path: Path) -> None:
    """Measured, out of date when the rows change, absent when the server is; nothing committed holds the password."""
    shop.execute("CREATE TABLE log AS SELECT i % 2 AS y, (i % 7) / 7.0::float8 AS s, chr(97 + i % 2) AS g FROM generate_series(1, 500) i")
    (tmp_path / "book" / "documents").mkdir(parents=True)
    (tmp_path / "book" / "factbook.yaml").write_text(
        f"""
factbook: 1
subject: {{name: m}}
sources:
  log:
    uri: {uri}
    query: SELECT y, s, g FROM log
    label: y
    positive: 1
    score: s
    cut: 0.5
    by: [g]
plan:
  performance: {{measure: classification, data: log, by: [g]}}
""",
        encoding="utf-8",
    )
    book = Book(tmp_path / "book")
    assert [item.state for item in book.measure()] == ["measured"]
    assert [item.state for item in book.measure()] == ["fresh"]
    assert [item.state for item in book.freshness()] == [State.NOT_JUDGED]
    assert [item.state for item in book.freshness(servers="ask")] == [State.FRESH]
    shop.execute("UPDATE log SET y = 1 - y WHERE s > 0.8")
    assert [item.state for item in book.freshness(servers="ask")] == [State.STALE]
    assert [item.state for item in book.measure()] == ["measured"]
    written = b"".join(path.read_bytes() for path in book.root.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written
    shop.execute("DROP TABLE log")
    with pytest.raises(SourceError, match="does not exist"):
        book.measure()


def test_the_command_line_says_that_the_server_is_not_here(uri: str, tmp_path: Path) -> None:
    (tmp_path / "factbook.yaml").write_text(
        "factbook: 1\nsubject: {name: m}\nsources:\n"
        "  log: {uri: 'postgresql://${NOBODY}@/x', query: SELECT 1, label: y, positive: 1, prediction: p}\n"
        "plan:\n  performance: {measure: classification, data: log}\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, "-m", "factbook", "measure"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "NOBODY is not set" in done.stdout + done.stderr


def test_a_server_that_goes_away_is_not_the_query_to_blame(uri: str, tmp_path: Path) -> None:
    source = Source(uri=uri, query="SELECT i, pg_terminate_backend(CASE i WHEN 40000 THEN pg_backend_pid() END) FROM generate_series(1, 50000) i")
    with pytest.raises(SourceError, match="did not finish its answer") as caught:
        sources.digest(source, tmp_path, tmp_path / "store")
    assert caught.value.remedy == "measure again when it can"
    assert not list((tmp_path / "store").rglob("*.parquet*"))
