"""The benchmarks: the page shows the last run and nothing else, every tool is a file, and without peers the run still says something."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import __main__ as bench
from benchmarks import environments, page
from benchmarks.cases import ATTRIBUTES, CASES, SETS

FIELDS = ["case", "tool", "version", "rows", "cpu_s", "wall_s", "peak_mib", "ratio_to_decode"]


def test_the_page_is_written_from_the_last_run() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.written(), "python -m benchmarks.page"


def test_results_are_a_list_of_rows_of_one_shape() -> None:
    results = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert results
    assert all(list(row) == FIELDS for row in results)
    limits = {(row["case"], row["rows"]): row["cpu_s"] for row in results if row["tool"] == "decode"}
    assert all(row["ratio_to_decode"] == pytest.approx(row["cpu_s"] / limits[row["case"], row["rows"]], abs=0.006) for row in results)


@pytest.mark.parametrize("tool", bench.TOOLS)
def test_every_job_says_what_it_does_and_every_peer_is_pinned(tool: str) -> None:
    peer = bench.peer(tool)
    assert peer.JOBS
    assert set(peer.JOBS) <= set(CASES)
    assert all(page.doing(tool, case).strip() for case in peer.JOBS)
    assert all("==" in item for item in getattr(peer, "REQUIRES", ()))


def test_there_are_457_groups() -> None:
    assert sum(math.prod(ATTRIBUTES[name] for name in names) for names in SETS) == 457


def test_a_slow_tool_gets_the_most_rows_that_it_can_do() -> None:
    plan = bench.due("rates and scores", [10**6, 10**8])
    assert {rows for rows, tools in plan.items() if "fairlearn" in tools} == {10**6}
    assert all({"decode", "factbook"} <= set(tools) for tools in plan.values())
    assert sorted(plan) == [10**6, 10**8]
    assert sorted(bench.due("intervals of one attribute", [10**6])) == [10**5]
    assert sorted(bench.due("drift, 50 columns", [10**8])) == [10**6]


def test_the_same_number_gives_the_same_data(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for data in ("log", "tables of 4"):
            subprocess.run([sys.executable, "-m", "benchmarks.logs", data, "1000", str(tmp_path / name)], cwd=environments.ROOT, check=True)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["current.parquet", "log.parquet", "reference.parquet"]
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_what_cannot_be_had_is_said_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A peer whose package cannot be installed; factbook and the limit run all the same."""
    monkeypatch.setattr(environments, "PLACE", tmp_path)
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(bench.peer("aequitas"), "REQUIRES", (f"aequitas @ {(tmp_path / 'nowhere.whl').as_uri()}",))
    monkeypatch.setattr(bench, "TRIES", 1)
    subprocess.run([sys.executable, "-m", "benchmarks.logs", "log", "2000", str(tmp_path)], cwd=bench.ROOT, check=True)
    rows = list(bench.measured("rates", 2000, ["decode", "factbook", "aequitas"], tmp_path))
    assert [row["tool"] for row in rows] == ["decode", "factbook"]
    assert [list(row) for row in rows] == [FIELDS, FIELDS]
    assert rows[0]["ratio_to_decode"] == 1
    assert rows[1]["ratio_to_decode"] > 1
    assert rows[1]["peak_mib"] > 20
    assert "aequitas   left out: " in capsys.readouterr().out


def test_a_goal_that_was_not_measured_or_not_reached_says_so() -> None:
    row = {"case": "rates", "tool": "factbook", "version": "1", "rows": 10**7, "cpu_s": 3.0, "wall_s": 1.0, "peak_mib": 100.0, "ratio_to_decode": 3.0}
    found = list(page.goals([row, row | {"tool": "decode", "cpu_s": 1.0, "ratio_to_decode": 1.0}]))
    assert found[0][-2:] == ("3", "**not reached**")
    assert {item[-1] for item in found[1:]} == {"not measured"}


@pytest.mark.parametrize(("given", "rows"), [("1e5", 100_000), ("250", 250)])
def test_rows_may_be_written_either_way(given: str, rows: int) -> None:
    assert bench.rows(given) == rows


@pytest.mark.parametrize("given", ["many", "0", "-1e5", "inf", "nan"])
def test_what_is_no_number_of_rows_is_said(given: str) -> None:
    with pytest.raises(SystemExit, match="no number of rows"):
        bench.rows(given)
