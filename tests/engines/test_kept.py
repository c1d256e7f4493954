"""Tallies of parts are kept: what was counted is not counted again, what was damaged is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factbook import engines, sources
from factbook.engines import Tally, kept, kernel, sketching
from factbook.engines.sketching import Split
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.model import silent
from factbook.sources import parquet

SOURCE = Source(uri="*.csv", label="y", positive="1", score="s", cut="0.5", by={"g": {"column": "g"}})


def write(path: Path, seed: int, rows: int = 200) -> None:
    drawn = random.Random(seed)
    lines = [f"{drawn.choice('ab')},{drawn.randint(0, 1)},{drawn.random():.3f}\n" for _ in range(rows)]
    path.write_text("g,y,s\n" + "".join(lines), encoding="utf-8")
    os.utime(path, (time.time() - 60, time.time() - 60))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which tables the kernel scans."""
    scanned: list[str] = []
    count: Callable[..., Tally] = kernel.count

    def watched(table: sources.Table, *arguments: object, **options: object) -> Tally:
        scanned.append(table.where)
        return count(table, *arguments, **options)

    monkeypatch.setattr(kernel, "count", watched)
    monkeypatch.setattr(kept, "_code", lambda: "the kernel")
    return scanned


def tally(root: Path, source: Source = SOURCE) -> Tally:
    engines._recent.clear()
    digest = sources.digest(source, root, root / "store")
    assert digest is not None
    return engines.count(source, root, root / "store", silent, digest=digest)


def test_a_further_file_is_folded_in_alone(tmp_path: Path, counted: list[str]) -> None:
    for i in range(3):
        write(tmp_path / f"{i}.csv", i)
    tally(tmp_path)
    counted.clear()
    write(tmp_path / "3.csv", 3)
    found = tally(tmp_path)
    assert counted == ["*.csv (3.csv)"]
    for path in (tmp_path / "store" / kept.FOLDER).iterdir():
        path.unlink()
    assert tally(tmp_path).digest == found.digest


def test_files_may_move_and_policies_change(tmp_path: Path, counted: list[str]) -> None:
    write(tmp_path / "a.csv", 1)
    before = tally(tmp_path)
    counted.clear()
    (tmp_path / "a.csv").rename(tmp_path / "z.csv")
    moved = SOURCE.model_copy(update={"missing": SOURCE.missing.model_copy(update={"label": "drop"}), "positive": "0"})
    assert tally(tmp_path, moved).digest == before.digest
    assert counted == []
    tally(tmp_path, SOURCE.model_copy(update={"cut": SOURCE.cut and SOURCE.cut / 2}))
    assert counted == ["*.csv"]


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_a_damaged_one_is_counted_again(tmp_path: Path, counted: list[str], damage: bytes | None) -> None:
    write(tmp_path / "a.csv", 1)
    before = tally(tmp_path)
    (path,) = (tmp_path / "store" / kept.FOLDER).iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if damage is None else damage)
    counted.clear()
    assert tally(tmp_path).digest == before.digest
    assert counted == ["*.csv"]
    assert path.read_bytes() == data


def test_runs_of_row_groups_are_parts(tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random.Random(5)
    table = pa.table({"y": [drawn.randint(0, 1) for _ in range(1000)], "s": [drawn.random() for _ in range(1000)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=90)
    source = Source(uri="a.parquet", label="y", positive="1", score="s", cut="0.5")
    whole = tally(tmp_path, source)
    monkeypatch.setattr(parquet, "RUN", 250)
    counted.clear()
    assert tally(tmp_path, source).digest == whole.digest
    assert len(counted) == 4
    assert [part.rows for part in sources.table(source, tmp_path, tmp_path / "store").parts] == [270, 270, 270, 190]


class TestSketches:
    WANTED: Mapping[str, bool] = {"g": False, "y": True, "s": False}

    def scanned(self, root: Path, source: Source = SOURCE) -> dict[str, str]:
        table = sources.table(source, root, root / "store")
        found = kept.sketched(table, source, self.WANTED, root / "store", silent, [Split("CAST(g AS VARCHAR)")])
        whole = sketching.scan(table, source, self.WANTED, root / "store", silent, [Split("CAST(g AS VARCHAR)")])
        digests = {f"{cell} {name}": sketch.digest for cell, columns in found.items() for name, sketch in columns.items()}
        assert digests == {f"{cell} {name}": sketch.digest for cell, columns in whole.items() for name, sketch in columns.items()}
        return digests

    def test_a_further_file_is_sketched_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for i in range(3):
            write(tmp_path / f"{i}.csv", i)
        (tmp_path / "3.csv").write_text("g,y,s\n")
        self.scanned(tmp_path)
        write(tmp_path / "4.csv", 4)
        seen: list[str] = []
        scan = sketching.scan
        monkeypatch.setattr(sketching, "scan", lambda table, *rest: seen.append(table.where) or scan(table, *rest))
        self.scanned(tmp_path)
        assert seen == ["*.csv (4.csv)", "*.csv"]

    def test_a_damaged_one_is_made_again(self, tmp_path: Path) -> None:
        write(tmp_path / "a.csv", 1)
        before = self.scanned(tmp_path)
        (path,) = (tmp_path / "store" / kept.FOLDER).iterdir()
        path.write_bytes(path.read_bytes()[:-8])
        assert self.scanned(tmp_path) == before

    def test_files_of_many_runs_are_sketched_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "a.csv", 1)
        rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()[1:]]
        columns = {name: [row[i] for row in rows] for i, name in enumerate("gys")}
        for i in range(2):
            pq.write_table(pa.table(columns | {"s": [float(text) / (i + 1) for text in columns["s"]]}), tmp_path / f"{i}.parquet", row_group_size=30)
        monkeypatch.setattr(parquet, "RUN", 60)
        source = SOURCE.model_copy(update={"uri": "*.parquet"})
        assert len(sources.table(source, tmp_path, tmp_path / "store").parts) == 8
        assert len(self.scanned(tmp_path, source)) == 6
        assert len(list((tmp_path / "store" / kept.FOLDER).iterdir())) == 2


def test_a_store_that_cannot_be_written_costs_time_only(tmp_path: Path, counted: list[str]) -> None:
    write(tmp_path / "a.csv", 1)
    before = tally(tmp_path)
    for path in (tmp_path / "store" / kept.FOLDER).iterdir():
        path.unlink()
    (tmp_path / "store" / kept.FOLDER).rmdir()
    (tmp_path / "store" / kept.FOLDER).write_text("in the way")
    assert tally(tmp_path).digest == before.digest


def test_a_part_that_is_gone_before_it_is_added_is_no_loss_of_rows(tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        write(tmp_path / f"{i}.csv", i)
    put = kept.put

    def lost(store: Path, name: str, tally: Tally) -> bool:
        stored = put(store, name, tally)
        (store / kept.FOLDER / name).unlink()
        return stored

    monkeypatch.setattr(kept, "put", lost)
    with pytest.raises(SourceError, match="what was just counted is gone"):
        tally(tmp_path)
    assert len(counted) == 3


def test_progress_counts_every_row_once(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"{i}.csv", i, rows=100 * (i + 1))
    told: list[int] = []
    digest = sources.digest(SOURCE, tmp_path, tmp_path / "store")
    assert digest is not None
    for _ in range(2):  # counted, then found
        engines._recent.clear()
        told.clear()
        engines.count(SOURCE, tmp_path, tmp_path / "store", lambda _, done, __: told.append(done), digest=digest)
        assert told == sorted(told)
        assert told[-1] == 600


def test_those_used_longest_ago_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kept.LIMITS, kept.FOLDER, 250)
    (tmp_path / kept.FOLDER).mkdir()
    for i in range(5):
        path = tmp_path / kept.FOLDER / str(i)
        path.write_bytes(b"x" * 100)
        os.utime(path, (i, i))
    (tmp_path / kept.FOLDER / ".9.tmp").write_text("of a process that was killed")
    kept.tidy(tmp_path)
    assert sorted(path.name for path in (tmp_path / kept.FOLDER).iterdir()) == ["3", "4"]


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    """Interrupt a measurement after its first parts: the parts are kept, nothing else is there, and the next run counts the rest."""
    write(tmp_path / "rows.csv", 0)
    run = [sys.executable, "-m", "factbook"]
    declared = ["--data", "rows.csv", "--label", "y", "--score", "s", "--by", "g"]
    subprocess.run([*run, "init", "book", *declared], cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "book" / "factbook.yaml").read_text(encoding="utf-8")
    (tmp_path / "book" / "factbook.yaml").write_text(text.replace("../rows.csv", '"../part*.csv"'), encoding="utf-8")
    for i in range(60):
        write(tmp_path / f"part{i:02}.csv", i, 20000)
    folder = tmp_path / "book" / ".factbook" / kept.FOLDER
    evidence = {path: path.read_bytes() for path in (tmp_path / "book" / "evidence").rglob("*.json")}
    before = len(list(folder.iterdir()))
    process = subprocess.Popen([*run, "measure", "book"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while len([path for path in folder.iterdir() if path.suffix != ".tmp"]) < before + 3 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "factbook: interrupted; nothing is half written, and what was counted is kept: measuring again goes on from there\n"
    assert {path: path.read_bytes() for path in evidence} == evidence
    done = {path: path.stat().st_ino for path in folder.iterdir()}
    assert before + 3 <= len(done) < before + 120
    assert not [path for path in folder.iterdir() if path.suffix == ".tmp"]
    subprocess.run([*run, "measure", "book"], cwd=tmp_path, check=True, capture_output=True)
    assert len(list(folder.iterdir())) == before + 120  # a tally and the sketches of each file
    assert {path: path.stat().st_ino for path in done} == done
