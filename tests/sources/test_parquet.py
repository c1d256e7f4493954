"""What the footer of a Parquet file says of its columns is what the engine says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factbook import engines, sources
from factbook.errors import SourceError
from factbook.manifest import Manifest, Source
from factbook.model import silent
from factbook.sources import connect

WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
PLAIN = {str(kind): pa.array([1, None], kind) for kind in [*WHOLE, pa.float32(), pa.float64()]} | {
    "bool": pa.array([True, None]),
    "string": pa.array(["a", None]),
    "large": pa.array(["a", None], pa.large_string()),
    "dictionary": pa.array(["a", None]).dictionary_encode(),
    "a.dot": pa.array([1, 2]),
}
OTHER = {
    "half": pa.array([0.5, None], pa.float16()),
    "bytes": pa.array([b"a", None]),
    "decimal": pa.array([Decimal("1.5"), None]),
    "date": pa.array([dt.date(2026, 1, 1), None]),
    "time": pa.array([dt.time(1), None]),
    "moment": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None]),
    "duration": pa.array([dt.timedelta(1), None]),
    "list": pa.array([[1], None]),
    "struct": pa.array([{"a": 1}, None]),
    "nothing": pa.nulls(2),
}


@pytest.mark.parametrize("columns", [PLAIN, *({name: array} for name, array in OTHER.items()), PLAIN | OTHER], ids=lambda item: ",".join(item)[:20])
def test_types_are_those_of_the_engine(tmp_path: Path, columns: dict[str, pa.Array]) -> None:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    described = connect().execute(f"DESCRIBE SELECT * FROM '{tmp_path / 't.parquet'}'").fetchall()
    found = sources.table(Source(uri="t.parquet"), tmp_path, tmp_path / "store").columns
    assert [(column.name, column.type) for column in found] == [(name, kind) for name, kind, *_ in described]


def test_plain_columns_need_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table(PLAIN), tmp_path / "t.parquet")
    monkeypatch.setattr("factbook.sources.parquet.connect", lambda _store: pytest.fail("a connection was made"))
    assert len(sources.table(Source(uri="t.parquet"), tmp_path, tmp_path / "store").columns) == len(PLAIN)


def test_durations_are_named_as_the_engine_names_them(tmp_path: Path) -> None:
    table = pa.table({"y": ["1", "0"], "p": ["1", "1"], "g": pa.array([dt.timedelta(seconds=1), dt.timedelta(seconds=2)])})
    pq.write_table(table, tmp_path / "t.parquet")
    found = sources.table(Source(uri="t.parquet"), tmp_path, tmp_path / "store")
    assert not found.stored
    assert not found.columnar


HALF = pa.array([0.25, 0.75, 0.5, 1.0], pa.float16())
ODD = {
    "half": HALF,
    "view": pa.array(list("abab"), pa.string_view()),
    "small dictionary": pa.array(list("abab")).cast(pa.dictionary(pa.int8(), pa.string())),
    "bool8": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, 1, 0], pa.int8())),
    "duration": pa.array([1, 2, 1, 2], pa.duration("s")),
}


def counted(source: Source, root: Path) -> engines.Tally:
    return engines.count(source, root, root / "store", silent, digest=sources.digest(source, root, root / "store") or "")


@pytest.mark.parametrize("name", ODD)
def test_what_arrow_would_read_otherwise_is_read_as_the_engine_reads_it(tmp_path: Path, name: str) -> None:
    table = pa.table({"y": ["1", "0", "1", "0"], "g": ODD[name], "s": HALF if name == "half" else HALF.cast(pa.float64())})
    pq.write_table(table, tmp_path / "t.parquet")
    roles = {"label": "y", "positive": "1", "score": "s", "cut": "0.5", "by": {"g": {"column": "g"}}}
    manifest = Manifest.model_validate({"factbook": "1", "subject": {"name": "x"}, "sources": {"t": {"uri": "t.parquet", **roles}}})
    tally = counted(manifest.sources["t"], tmp_path)
    there = {str(row[0]) for row in connect().execute(f"SELECT CAST(g AS VARCHAR) FROM '{tmp_path / 't.parquet'}'").fetchall()}
    assert set(tally.values_of("g")) == there


def test_a_damaged_page_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    table = pa.table({"y": ["1", "0"] * 20, "s": [0.25, 0.75] * 20})
    pq.write_table(table, tmp_path / "t.parquet", compression="snappy")
    data = bytearray((tmp_path / "t.parquet").read_bytes())
    data[30:200] = bytes(byte ^ 0x5A for byte in data[30:200])
    (tmp_path / "t.parquet").write_bytes(data)
    source = Source(uri="t.parquet", label="y", positive="1", score="s", cut="0.5")
    with pytest.raises(SourceError, match=r"t\.parquet"):
        counted(source, tmp_path)
