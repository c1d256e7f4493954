"""What the footer of a Parquet file says of its columns is what the engine says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factbook import sources
from factbook.manifest import Source
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
