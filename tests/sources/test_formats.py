"""The same rows from every format are the same table, and what pins them says so."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from factbook import sources
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import Column, connect

TABLE = pa.table({"y": [1, 0, None], "g": pa.array(["a", "b", "a"]).dictionary_encode(), "s": [0.25, 0.5, 1.0], "l": [["x"], [], None]})


def read(source: Source, root: Path) -> list[tuple[object, ...]]:
    return connect().execute(sources.table(source, root, root / "store").sql + " ORDER BY ALL").fetchall()


def pinned(source: Source, root: Path, **options: object) -> str | None:
    return sources.digest(source, root, root / "store", **options)  # type: ignore[arg-type]


def arrow_file(path: Path, table: pa.Table, *, stream: bool = False) -> None:
    opener = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as out, opener(out, table.schema) as writer:
        writer.write_table(table)


class TestArrow:
    @pytest.mark.parametrize("name", ["a.arrow", "a.arrows", "a.feather"])
    def test_as_parquet(self, tmp_path: Path, name: str) -> None:
        if name == "a.feather":
            pyarrow.feather.write_feather(TABLE, tmp_path / name)
        else:
            arrow_file(tmp_path / name, TABLE, stream=name == "a.arrows")
        pq.write_table(TABLE, tmp_path / "a.parquet")
        assert read(Source(uri=name), tmp_path) == read(Source(uri="a.parquet"), tmp_path)

    def test_odd_types(self, tmp_path: Path) -> None:
        odd = {"none": pa.nulls(2), "half": pa.array([0.5, None], pa.float16()), "view": pa.array(["a", "b"], pa.string_view())}
        arrow_file(tmp_path / "a.arrow", pa.table(odd))
        assert read(Source(uri="a.arrow"), tmp_path) == [(None, 0.5, "a"), (None, None, "b")]

    def test_parts_must_agree(self, tmp_path: Path) -> None:
        arrow_file(tmp_path / "1.arrow", pa.table({"a": [1]}))
        arrow_file(tmp_path / "2.arrow", pa.table({"a": [0.25]}))
        with pytest.raises(SourceError, match=r"2.arrow: its columns differ .* a double, a int64"):
            read(Source(uri="*.arrow"), tmp_path)

    @pytest.mark.parametrize(("column", "said"), [(pa.array([1], pa.duration("s")), "cannot be kept"), (pa.array([1]), "")])
    def test_what_cannot_be_kept_is_refused(self, tmp_path: Path, column: pa.Array, said: str) -> None:
        arrow_file(tmp_path / "a.arrow", pa.table({"a": column}))
        if said:
            with pytest.raises(SourceError, match=said):
                read(Source(uri="a.arrow"), tmp_path)
        else:
            assert read(Source(uri="a.arrow"), tmp_path) == [(1,)]

    def test_not_arrow(self, tmp_path: Path) -> None:
        (tmp_path / "a.arrow").write_text("a,b\n")
        with pytest.raises(SourceError, match="not an Arrow file"):
            read(Source(uri="a.arrow"), tmp_path)


class TestPartitioned:
    def lay_out(self, root: Path) -> Source:
        for year, values in (("2025", [1]), ("2026", [2, 3])):
            (root / "log" / f"year={year}").mkdir(parents=True)
            pq.write_table(pa.table({"v": values}), root / "log" / f"year={year}" / "p.parquet")
        (root / "log" / "_SUCCESS").touch()
        return Source(uri="log", partitioned=True)

    def test_folders_are_columns_of_text(self, tmp_path: Path) -> None:
        source = self.lay_out(tmp_path)
        assert sources.table(source, tmp_path, tmp_path / "store").columns == (Column("v", "BIGINT"), Column("year", "VARCHAR"))
        assert read(source, tmp_path) == [(1, "2025"), (2, "2026"), (3, "2026")]
        assert read(Source(uri="log/*/*.parquet", partitioned=True), tmp_path) == read(source, tmp_path)

    def test_the_folder_is_part_of_what_is_pinned(self, tmp_path: Path) -> None:
        source = self.lay_out(tmp_path)
        before = pinned(source, tmp_path)
        (tmp_path / "log" / "year=2025").rename(tmp_path / "log" / "year=2024")
        assert pinned(source, tmp_path) != before

    def test_text_formats(self, tmp_path: Path) -> None:
        (tmp_path / "g=a b").mkdir()
        (tmp_path / "g=a b" / "p.csv").write_text("v\n1\n")
        (tmp_path / "g=a b" / "p.jsonl").write_text('{"v": 1}\n')
        assert read(Source(uri="*/p.csv", partitioned=True), tmp_path) == [("1", "a b")]
        assert read(Source(uri="*/p.jsonl", partitioned=True), tmp_path) == [("1", "a b")]

    def test_what_is_ambiguous_is_refused(self, tmp_path: Path) -> None:
        self.lay_out(tmp_path)
        pq.write_table(pa.table({"v": [1], "year": [2]}), tmp_path / "log" / "year=2025" / "p.parquet")
        pq.write_table(pa.table({"v": [1], "year": [2]}), tmp_path / "log" / "year=2026" / "p.parquet")
        with pytest.raises(SourceError, match="'year' names a folder and a column"):
            read(Source(uri="log", partitioned=True), tmp_path)
        pq.write_table(pa.table({"v": [1]}), tmp_path / "flat.parquet")
        with pytest.raises(SourceError, match="lies in no folder"):
            read(Source(uri="flat.parquet", partitioned=True), tmp_path)


class TestDatabases:
    def sqlite(self, root: Path, script: str) -> Path:
        with sqlite3.connect(root / "shop.sqlite") as connection:
            connection.executescript(script)
        connection.close()
        return root / "shop.sqlite"

    def test_sqlite_types_are_checked(self, tmp_path: Path) -> None:
        self.sqlite(tmp_path, "CREATE TABLE t(a, b, c, d); INSERT INTO t VALUES (1, 1, 'x', NULL), (NULL, 0.5, '', NULL);")
        source = Source(uri="shop.sqlite", query="SELECT * FROM t;")
        kinds = [column.type for column in sources.table(source, tmp_path, tmp_path / "store").columns]
        assert kinds == ["BIGINT", "DOUBLE", "VARCHAR", "VARCHAR"]
        assert read(source, tmp_path) == [(1, 1.0, "x", None), (None, 0.5, "", None)]

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("SELECT a FROM t", "column 'a' of the query mixes types: 1 integer, 1 text"),
            ("SELECT b FROM t", "column 'b' of the query mixes types: 1 integer, 1 real"),
            ("DELETE FROM t", "cannot be answered"),
            ("SELECT 1 FROM nowhere", "no such table: nowhere"),
            ("SELECT load_extension('x')", "cannot be answered"),
            ("SELECT 1 AS a, 2 AS A", "only in their case"),
        ],
    )
    def test_sqlite_refuses(self, tmp_path: Path, query: str, said: str) -> None:
        self.sqlite(tmp_path, "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 9007199254740993), ('x', 0.5);")
        with pytest.raises(SourceError) as caught:
            read(Source(uri="shop.sqlite", query=query), tmp_path)
        assert said in str(caught.value)

    def test_the_rows_are_pinned_not_the_file(self, tmp_path: Path) -> None:
        path = self.sqlite(tmp_path, "CREATE TABLE t(a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y');")
        source = Source(uri="shop.sqlite", query="SELECT a, b FROM t")
        first = pinned(source, tmp_path)
        with sqlite3.connect(path) as connection:
            connection.executescript("DELETE FROM t WHERE a = 1; INSERT INTO t VALUES (1, 'x'); CREATE TABLE other(z); VACUUM;")
        assert pinned(source, tmp_path) == first
        with sqlite3.connect(path) as connection:
            connection.executescript("INSERT INTO t VALUES (2, 'y');")
        assert pinned(source, tmp_path) != first

    def test_sqlite_wide(self, tmp_path: Path) -> None:
        names = [f"c{i}" for i in range(1_100)]
        self.sqlite(tmp_path, f"CREATE TABLE t({', '.join(names)}); INSERT INTO t VALUES ({', '.join(['1'] * 1_099)}, 'x');")
        table = sources.table(Source(uri="shop.sqlite", query="SELECT * FROM t"), tmp_path, tmp_path / "store")
        kinds = {column.name: column.type for column in table.columns}
        assert kinds == dict.fromkeys(names, "BIGINT") | {"c1099": "VARCHAR"}

    def test_duckdb_rows_equal_sqlite_rows(self, tmp_path: Path) -> None:
        self.sqlite(tmp_path, "CREATE TABLE t(a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);")
        with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
            connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES (2::BIGINT, NULL::VARCHAR), (1, 'x')) v(a, b)")
        query = "SELECT a, b FROM t"
        assert pinned(Source(uri="shop.duckdb", query=query), tmp_path) == pinned(Source(uri="shop.sqlite", query=query), tmp_path)

    @pytest.mark.parametrize("query", ["SELECT * FROM read_csv('/etc/passwd')", "CREATE TABLE z(a INT)", "SELECT * FROM nowhere", "SET threads = 1"])
    def test_duckdb_reads_nothing_else(self, tmp_path: Path, query: str) -> None:
        duckdb.connect(str(tmp_path / "shop.duckdb")).close()
        with pytest.raises(SourceError, match=r"shop.duckdb"):
            read(Source(uri="shop.duckdb", query=query), tmp_path)

    def test_a_copy_that_was_removed_is_made_again(self, tmp_path: Path) -> None:
        self.sqlite(tmp_path, "CREATE TABLE t(a INTEGER); INSERT INTO t VALUES (1);")
        source = Source(uri="shop.sqlite", query="SELECT a FROM t")
        before = read(source, tmp_path)
        for path in (tmp_path / "store" / "tables").iterdir():
            path.unlink()
        assert read(source, tmp_path) == before

    def test_a_query_is_for_databases_and_they_need_one(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("a\n1\n")
        self.sqlite(tmp_path, "CREATE TABLE t(a INTEGER);")
        with pytest.raises(SourceError, match="`query` is for databases"):
            read(Source(uri="a.csv", query="SELECT 1"), tmp_path)
        with pytest.raises(SourceError, match="which rows"):
            read(Source(uri="shop.sqlite"), tmp_path)
        with pytest.raises(SourceError, match=r"not an? .*database|cannot be answered"):
            read(Source(uri="a.csv", format="sqlite", query="SELECT 1"), tmp_path)


class TestFrames:
    def test_every_frame_speaks_arrow(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
        relation = duckdb.connect().sql("SELECT unnest([1, 2]) AS a, unnest(['x', NULL]) AS b")
        table = pa.table({"a": [1, 2], "b": ["x", None]})
        for i, given in enumerate((frame, relation, table, table.to_reader())):
            assert sources.write(given, tmp_path / f"{i}.parquet") == 2
            assert read(Source(uri=f"{i}.parquet"), tmp_path) == [(1, "x"), (2, None)]

    def test_polars(self, tmp_path: Path) -> None:
        polars = pytest.importorskip("polars", reason="Polars is not installed")
        sources.write(polars.DataFrame({"a": [1, 2], "b": ["x", None]}), tmp_path / "p.parquet")
        assert read(Source(uri="p.parquet"), tmp_path) == [(1, "x"), (2, None)]

    def test_the_same_rows_are_the_same_file(self, tmp_path: Path) -> None:
        sources.write(TABLE, tmp_path / "a.parquet")
        before = (tmp_path / "a.parquet").read_bytes()
        sources.write(TABLE.slice(1), tmp_path / "a.parquet")
        assert (tmp_path / "a.parquet").read_bytes() != before
        sources.write(TABLE, tmp_path / "a.parquet")
        assert (tmp_path / "a.parquet").read_bytes() == before

    def test_somebody_elses_file_is_never_replaced(self, tmp_path: Path) -> None:
        pq.write_table(TABLE, tmp_path / "a.parquet")
        with pytest.raises(SourceError, match="was not written from a frame"):
            sources.write(TABLE, tmp_path / "a.parquet")

    @pytest.mark.parametrize("given", [[1, 2], pd.DataFrame({"a": [1, "x"]})])
    def test_what_is_no_frame_is_refused(self, tmp_path: Path, given: object) -> None:
        with pytest.raises(SourceError, match=r"no frame|cannot be read"):
            sources.write(given, tmp_path / "a.parquet")
        assert not list(tmp_path.iterdir())


class TestMore:
    def test_further_files_are_the_same_table(self, tmp_path: Path) -> None:
        for name, text in (("a", "1"), ("b", "2")):
            (tmp_path / f"{name}.csv").write_text(f"v\n{text}\n")
        both = Source(uri="a.csv", more=("b.csv",))
        assert read(both, tmp_path) == [("1",), ("2",)]
        assert pinned(both, tmp_path) == pinned(Source(uri="*.csv"), tmp_path)
        assert sources.declaration(both) == sources.declaration(Source(uri="*.csv"))

    def test_a_file_counts_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("v\n1\n")
        with pytest.raises(SourceError, match="count twice"):
            read(Source(uri="*.csv", more=("a.csv",)), tmp_path)
        with pytest.raises(SourceError, match="no such file"):
            read(Source(uri="a.csv", more=("b.csv",)), tmp_path)
