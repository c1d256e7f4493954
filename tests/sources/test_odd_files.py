"""Files as people have them: compressed, linked, in other encodings, in folders that hold more than the table."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factbook import sources
from factbook.errors import SourceAbsent, SourceError
from factbook.manifest import Source
from factbook.sources import connect

CSV = "y,g\n1,é\n0,007\n,b\n"
ROWS = [("0", "007"), ("1", "é"), (None, "b")]


def rows(root: Path, **declared: Any) -> list[tuple[object, ...]]:
    source = Source(**declared)
    return connect().execute(sources.table(source, root, root / "store").sql + " ORDER BY ALL").fetchall()


def packed(data: bytes, ending: str) -> bytes:
    return gzip.compress(data) if ending == ".gz" else pa.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
class TestCompressed:
    def test_csv(self, ending: str, tmp_path: Path) -> None:
        (tmp_path / f"a.csv{ending}").write_bytes(packed(CSV.encode(), ending))
        assert rows(tmp_path, uri=f"a.csv{ending}") == ROWS

    def test_another_encoding(self, ending: str, tmp_path: Path) -> None:
        (tmp_path / f"a.csv{ending}").write_bytes(packed(CSV.encode("utf-16"), ending))
        assert rows(tmp_path, uri=f"a.csv{ending}", encoding="utf-16") == ROWS

    def test_json_lines(self, ending: str, tmp_path: Path) -> None:
        lines = "".join(json.dumps({"g": group, "y": label}) + "\n" for label, group in ROWS)
        (tmp_path / f"a.jsonl{ending}").write_bytes(packed(lines.encode(), ending))
        assert rows(tmp_path, uri=f"a.jsonl{ending}") == [(group, label) for label, group in sorted(ROWS, key=lambda row: str(row[1]))]

    def test_a_bad_line_is_named(self, ending: str, tmp_path: Path) -> None:
        (tmp_path / f"a.jsonl{ending}").write_bytes(packed(b'{"y":1}\n{"y":}\n', ending))
        with pytest.raises(SourceError, match=f"a.jsonl{ending}:2: no JSON"):
            rows(tmp_path, uri=f"a.jsonl{ending}")

    def test_without_saying_so(self, ending: str, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(packed(CSV.encode(), ending))
        with pytest.raises(SourceError, match="this is compressed") as caught:
            rows(tmp_path, uri="a.csv")
        assert f"end in {ending}" in caught.value.remedy


class TestEncodings:
    def test_the_copy_is_made_once_and_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(CSV.encode("utf-16"))
        assert rows(tmp_path, uri="a.csv", encoding="utf-16") == ROWS
        (copy,) = (tmp_path / "store" / "tables").glob("*.csv")
        made = copy.stat().st_ino
        assert rows(tmp_path, uri="a.csv", encoding="utf-16") == ROWS
        assert copy.stat().st_ino == made
        path.write_bytes(CSV.encode("utf-16")[:-1])
        with pytest.raises(SourceError, match="is not utf-16"):
            rows(tmp_path, uri="a.csv", encoding="utf-16")
        assert list((tmp_path / "store" / "tables").iterdir()) == [copy]

    def test_utf_32_is_not_taken_for_utf_16(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(CSV.encode("utf-32"))
        with pytest.raises(SourceError, match="this is UTF-32"):
            rows(tmp_path, uri="a.csv")
        assert rows(tmp_path, uri="a.csv", encoding="utf-32") == ROWS


class TestLinks:
    def test_one_file_under_two_names_would_count_twice(self, tmp_path: Path) -> None:
        (tmp_path / "2026.csv").write_text(CSV, encoding="utf-8")
        (tmp_path / "latest.csv").symlink_to("2026.csv")
        assert rows(tmp_path, uri="latest.csv") == ROWS
        with pytest.raises(SourceError, match=r"2026.csv and latest.csv are one file"):
            rows(tmp_path, uri="*.csv")
        (tmp_path / "latest.csv").unlink()
        os.link(tmp_path / "2026.csv", tmp_path / "again.csv")
        with pytest.raises(SourceError, match="are one file"):
            rows(tmp_path, uri="2026.csv", more=["again.csv"])

    def test_a_link_to_nothing_is_no_table_without_its_rows(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(CSV, encoding="utf-8")
        (tmp_path / "b.csv").symlink_to("elsewhere.csv")
        with pytest.raises(SourceAbsent, match="1 of 2 files are links to what is not here"):
            rows(tmp_path, uri="*.csv")


class TestFolders:
    def laid(self, root: Path, *values: str) -> None:
        for value in values:
            (root / "log" / f"site={value}").mkdir(parents=True)
            pq.write_table(pa.table({"y": [1]}), root / "log" / f"site={value}" / "0.parquet")

    def test_an_equals_sign_in_a_value(self, tmp_path: Path) -> None:
        self.laid(tmp_path, "a=b")
        with pytest.raises(SourceError, match="'site=a=b' has two equals signs"):
            rows(tmp_path, uri="log", partitioned=True)

    def test_an_escaped_one(self, tmp_path: Path) -> None:
        self.laid(tmp_path, "a%3Db", "c")
        assert rows(tmp_path, uri="log", partitioned=True) == [(1, "a=b"), (1, "c")]

    def test_other_files_among_the_parts(self, tmp_path: Path) -> None:
        self.laid(tmp_path, "a")
        (tmp_path / "log" / "README.txt").write_text("about")
        with pytest.raises(SourceError, match=r"files of several kinds: \.parquet, \.txt"):
            rows(tmp_path, uri="log", partitioned=True)
        assert rows(tmp_path, uri="log/**/*.parquet", partitioned=True) == [(1, "a")]


class TestJsonLines:
    def test_numbers_have_one_text(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text('{"g": 1.10}\n{"g": 1e2}\n{"g": 12345678901234567890123}\n{"g": "1.10"}\n')
        assert rows(tmp_path, uri="a.jsonl") == [("1.1",), ("1.10",), ("100.0",), ("12345678901234567890123",)]

    @pytest.mark.parametrize(("text", "said"), [('{"": 1}', "a name is empty"), ('{"y": "\\ud83d"}', r":1: '\\ud83d' is half of a surrogate pair")])
    def test_what_is_refused(self, text: str, said: str, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(text + "\n")
        with pytest.raises(SourceError, match=said):
            rows(tmp_path, uri="a.jsonl")
