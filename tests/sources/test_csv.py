"""What is read from CSV is what Python's csv module wrote, whatever stands in the fields."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook import sources
from factbook.errors import SourceError
from factbook.manifest import Source

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)
FIELD = st.one_of(
    TEXT, st.sampled_from(["", " ", "NULL", "NA", "nan", '"', '""', "a,b", "a;b", "a\nb", "a\r\nb", "#x", "\\", "\\N", "'", "0", "-0.0", "é", "男"])
)


def read(path: Path, separator: str = ",") -> list[tuple[str | None, ...]]:
    source = Source(uri=path.name, separator=separator)
    table = sources.table(source, path.parent, path.parent / "store")
    rows: list[tuple[str | None, ...]] = sources.connect().execute(table.sql).fetchall()
    return rows


@given(
    rows=st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=30),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=100, deadline=None)
def test_what_was_written_is_read(rows: list[tuple[str, str, str]], separator: str, end: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("csv") / "d.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        bare = any("\r" in field for row in rows for field in row)  # Python leaves a lone carriage return unquoted
        writer = csv.writer(stream, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL)
        writer.writerow(["x", "y", "z"])
        writer.writerows(rows)
    expected = [tuple(field or None for field in row) for row in rows]
    assert sorted(read(path, separator), key=repr) == sorted(expected, key=repr)


def test_a_large_file_with_quoted_line_breaks_keeps_every_row(tmp_path: Path) -> None:
    """Larger than the buffers that DuckDB reads in parallel."""
    n = 300_000
    with (tmp_path / "d.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["i", "t"])
        writer.writerows((i, 'a "quoted",\nbroken line ' * (i % 5)) for i in range(n))
    table = sources.table(Source(uri="d.csv"), tmp_path, tmp_path / "store")
    found = sources.connect().execute(f"SELECT count(*), count(DISTINCT i), sum(length(t)) FROM ({table.sql})").fetchone()
    assert found == (n, n, sum(24 * (i % 5) for i in range(n)))


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
@pytest.mark.parametrize("before", [10, (1 << 22) - 2, (1 << 22) - 1, 1 << 22])
def test_the_place_of_a_bad_byte_is_named(bad: bytes, before: int, tmp_path: Path) -> None:
    """Also where it lies across the chunks that are decoded."""
    good = b"x,y\n" + b"1,2\n" * (before // 4)
    good = good[: before - before % 4 or 4]
    (tmp_path / "d.csv").write_bytes(good + b"3," + bad + b"\n")
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "d.csv")
    assert f"d.csv:{good.count(chr(10).encode()) + 1}: byte {len(good) + 2} is not utf-8" in str(caught.value)
