"""One tally, whoever counts: DuckDB, Spark and the reference give the same digest, from any format, in any parts and order."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import Reference

from factbook import engines, sources
from factbook.engines import spark, tallies
from factbook.errors import MeasureError, SourceError
from factbook.manifest import Source
from factbook.model import silent

Row = dict[str, Any]
SCORES = st.one_of(st.none(), st.floats(0, 1, width=32), st.sampled_from([0.0, -0.0, 0.1, 0.35, 0.5, 1.0, 5e-324]), st.floats(0, 1))
WEIGHTS = st.one_of(st.none(), st.just(0.0), st.floats(2.0**-20, 1e6))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "g": st.sampled_from(["a", "b", "é", "A", "1", None]),
            "age": st.one_of(st.none(), st.integers(0, 100)),
            "y": st.sampled_from(["0", "1", "one", None]),
            "s": SCORES,
            "w": WEIGHTS,
            "p": st.sampled_from(["u1", "u2", "u3", "u4"]),
        }
    ),
    min_size=1,
    max_size=40,
)
GROUPS = {"g": {"column": "g", "names": {"a": "first"}}, "band": {"column": "age", "cuts": ["18", "40.5"]}}
SCHEMA = pa.schema([("g", "string"), ("age", "int64"), ("y", "string"), ("s", "float64"), ("w", "float64"), ("p", "string")])
DECLARED: dict[str, dict[str, Any]] = {
    "plain": {"label": "y", "positive": "1", "prediction": "g", "by": GROUPS},
    "scores": {"label": "y", "positive": "1", "score": "s", "cut": "0.35", "labels": {"one": "1"}, "by": GROUPS},
    "weights": {"label": "y", "positive": "1", "score": "s", "cut": "0.5", "weight": "w", "by": {"g": "g"}},
    "clusters": {"label": "y", "positive": "1", "prediction": "y", "cluster": "p", "weight": "w"},
}


def lay(folder: Path, parts: list[list[Row]], form: str) -> Source:
    """The rows as files of a format."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, rows in enumerate(parts):
        WRITERS[form](folder / f"{i}.{form}", rows)
    return Source(uri=f"*.{form}")


def _csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(SCHEMA.names)
        writer.writerows(
            [["" if row[name] is None else repr(row[name]) if isinstance(row[name], float) else row[name] for name in SCHEMA.names] for row in rows]
        )


def _jsonl(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _arrow(path: Path, rows: list[Row]) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "csv": _csv,
    "jsonl": _jsonl,
    "arrow": _arrow,
    "parquet": lambda path, rows: pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path),
}


def digest(source: Source, declared: dict[str, Any], root: Path, engine: str = "duckdb", **options: Any) -> str:
    """The digest of the tally, counted anew."""
    engines._recent.clear()
    shutil.rmtree(root / "store", ignore_errors=True)
    full = Source.model_validate(source.model_dump(mode="json", exclude_defaults=True) | declared)
    pinned = sources.digest(full, root, root / "store")
    assert pinned is not None
    return engines.count(full, root, root / "store", silent, digest=pinned, engine=engine, **options).digest


def dealt(rows: list[Row], places: list[int]) -> list[list[Row]]:
    """The rows in up to four parts, in another order, none empty."""
    parts: list[list[Row]] = [[] for _ in range(4)]
    for row, place in zip(reversed(rows), places, strict=True):
        parts[place].append(row)
    return [part for part in parts if part]


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
@pytest.mark.parametrize("form", ["csv", "parquet"])
@given(rows=ROWS, data=st.data(), cap=st.sampled_from([4, 1 << 20]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_duckdb_is_the_reference_in_any_parts(
    form: str, declared: dict[str, Any], rows: list[Row], data: st.DataObject, cap: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "CAP", cap)
    monkeypatch.setattr(tallies, "ROOM", 3_000)
    places = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    expected = Reference(Source(uri="x", **declared), rows, cap).digest
    assert digest(lay(tmp_path, [rows], form), declared, tmp_path) == expected
    assert digest(lay(tmp_path, dealt(rows, places), form), declared, tmp_path) == expected


@pytest.mark.parametrize("form", ["jsonl", "arrow"])
@given(rows=ROWS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_other_formats_too(form: str, rows: list[Row], tmp_path: Path) -> None:
    declared = DECLARED["scores"]
    assert digest(lay(tmp_path, [rows], form), declared, tmp_path) == Reference(Source(uri="x", **declared), rows).digest


TYPED = pa.table(
    {
        "bool": [True, False, None, True],
        "int8": pa.array([1, -1, None, 0], pa.int8()),
        "uint64": pa.array([2**63, 0, None, 1], pa.uint64()),
        "float": pa.array([0.1, -0.0, None, 1.0], pa.float32()),
        "double": [1e16, float("nan"), 1e-5, 2.0],
        "date": [dt.date(2026, 1, 31), None, dt.date(1, 1, 1), dt.date(2026, 1, 31)],
        "when": pa.array([dt.datetime(2026, 1, 31, 23, 5), None, None, dt.datetime(2026, 1, 31)], pa.timestamp("us")),
        "zoned": pa.array([dt.datetime(2026, 1, 31, 23, 5), None, None, dt.datetime(2026, 1, 31)], pa.timestamp("us", "UTC")),
        "decimal": pa.array([1, None, 2, 3], pa.decimal128(10, 2)),
        "code": pa.array(["a", "b", None, "a"]).dictionary_encode(),
        "y": [1, 0, 1, 0],
    }
)


class TestTypes:
    def test_texts_are_those_of_the_reference(self, tmp_path: Path) -> None:
        pq.write_table(TYPED, tmp_path / "t.parquet")
        names = [name for name in TYPED.column_names if name not in ("float", "when", "zoned", "decimal")]
        declared = {"label": "y", "positive": "1", "prediction": "y", "by": names}
        rows = TYPED.select(names).to_pylist()
        assert digest(Source(uri="t.parquet"), declared, tmp_path) == Reference(Source(uri="t.parquet", **declared), rows).digest


@pytest.fixture(scope="module")
def master() -> Iterator[dict[str, str]]:
    """What a Spark session of one process needs; skipped where there is no Spark."""
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not installed")
    yield {
        "master": "local[2]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    from pyspark.sql import SparkSession

    if (session := SparkSession.getActiveSession()) is not None:
        session.stop()


class TestSpark:
    def rows(self) -> list[Row]:
        return [
            {
                "g": ("a", "b", None, "é")[i % 4],
                "age": None if i % 7 == 0 else i % 90,
                "y": ("0", "1", "one", None)[i % 3],
                "s": None if i % 11 == 0 else (i * 0.6180339887498949) % 1,
                "w": None if i % 13 == 0 else 1 / (i + 1) + 2.0**-20,
                "p": f"u{i % 50}",
            }
            for i in range(600)
        ]

    @pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
    @pytest.mark.parametrize("form", ["csv", "parquet"])
    def test_spark_is_duckdb_is_the_reference(self, form: str, declared: dict[str, Any], tmp_path: Path, master: dict[str, str]) -> None:
        rows = self.rows()
        source = lay(tmp_path, [rows[:100], rows[100:350], rows[350:]], form)
        expected = Reference(Source(uri="x", **declared), rows).digest
        assert digest(source, declared, tmp_path) == expected
        assert digest(source, declared, tmp_path, "spark", settings=master) == expected

    def test_scores_above_the_cap(self, tmp_path: Path, master: dict[str, str]) -> None:
        scores = pa.array([(i * 0.6180339887498949) % 1 for i in range((1 << 20) + 9)])
        for i, part in enumerate((scores[:400000], scores[400000:])):
            pq.write_table(pa.table({"y": pa.array(["1"] * len(part)), "s": part}), tmp_path / f"{i}.parquet")
        declared = {"label": "y", "positive": "1", "score": "s", "cut": "0.5"}
        source = Source(uri="*.parquet")
        assert digest(source, declared, tmp_path) == digest(source, declared, tmp_path, "spark", settings=master)

    def test_types(self, tmp_path: Path, master: dict[str, str]) -> None:
        pq.write_table(TYPED, tmp_path / "t.parquet")
        declared = {"label": "y", "positive": "1", "prediction": "y", "by": [name for name in TYPED.column_names if name != "y"]}
        source = Source(uri="t.parquet")
        assert digest(source, declared, tmp_path) == digest(source, declared, tmp_path, "spark", settings=master)

    @pytest.mark.parametrize(("how", "said"), [("import none_such", "No module named 'none_such'"), ("import os; os._exit(3)", "crashed|exited")])
    def test_a_cluster_that_fails_is_said_in_one_line(self, how: str, said: str, master: dict[str, str]) -> None:
        def work(batches: Any) -> Any:
            exec(how)
            return batches

        with pytest.raises(MeasureError, match=f"the cluster failed .*({said})") as caught:
            spark._collected(spark._session(master).range(1).mapInArrow(work, "id long"))
        assert "measure again" in caught.value.remedy
        assert caught.value.message.count("\n") == 0

    def test_an_error_on_an_executor_names_file_and_column(self, tmp_path: Path, master: dict[str, str]) -> None:
        bad = [{**row, "s": 7.0} for row in self.rows()]
        source = lay(tmp_path, [self.rows(), bad], "parquet")
        with pytest.raises(SourceError, match=r"1\.parquet\): score column 's' is no probability .* 600 of 600 rows"):
            digest(source, DECLARED["scores"], tmp_path, "spark", settings=master)
