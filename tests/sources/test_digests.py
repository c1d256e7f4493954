"""What pins the bytes of a source."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from factbook import sources
from factbook.errors import SourceError
from factbook.manifest import Join, Source


def write(path: Path, text: str, age: float = 60) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age, time.time() - age))


def test_a_file_has_its_own_hash_anywhere(tmp_path: Path) -> None:
    write(tmp_path / "a" / "d.csv", "y\n1\n")
    write(tmp_path / "b" / "e.csv", "y\n1\n")
    first = sources.digest(Source(uri="a/d.csv"), tmp_path, tmp_path / "store")
    assert first == sources.digest(Source(uri="b/e.csv"), tmp_path, tmp_path / "store")
    assert first is not None
    assert first.startswith("sha256:")


def test_parts_in_any_order_and_by_any_name(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.csv", "y\n1\n")
    write(tmp_path / "a" / "2.csv", "y\n0\n")
    write(tmp_path / "b" / "1.csv", "y\n0\n")
    write(tmp_path / "b" / "2.csv", "y\n1\n")
    found = {sources.digest(Source(uri=f"{folder}/*.csv"), tmp_path, tmp_path / "store") for folder in "ab"}
    assert len(found) == 1


def test_absent_is_none(tmp_path: Path) -> None:
    assert sources.digest(Source(uri="d.csv"), tmp_path, tmp_path / "store") is None
    write(tmp_path / "d.csv", "id\n1\n")
    joined = Source(uri="d.csv", key="id", join=Join(uri="p.csv"))
    assert sources.digest(joined, tmp_path, tmp_path / "store") is None


def test_the_joined_file_counts(tmp_path: Path) -> None:
    write(tmp_path / "d.csv", "id\n1\n")
    write(tmp_path / "p.csv", "id,p\n1,1\n")
    joined = Source(uri="d.csv", key="id", join=Join(uri="p.csv"))
    before = sources.digest(joined, tmp_path, tmp_path / "store")
    write(tmp_path / "p.csv", "id,p\n1,0\n", age=50)
    assert sources.digest(joined, tmp_path, tmp_path / "store") != before


def test_remembered_until_size_or_time_change_or_rehash(tmp_path: Path) -> None:
    path, store, source = tmp_path / "d.csv", tmp_path / "store", Source(uri="d.csv")
    write(path, "y\n1\n")
    before = sources.digest(source, tmp_path, store)
    state = path.stat()
    path.write_text("y\n0\n", encoding="utf-8")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert sources.digest(source, tmp_path, store) == before
    assert sources.digest(source, tmp_path, store, rehash=True) != before
    assert sources.digest(source, tmp_path, store) != before  # what was found by reading is remembered


def test_a_file_that_may_still_change_is_not_remembered(tmp_path: Path) -> None:
    write(tmp_path / "d.csv", "y\n1\n", age=0)
    sources.digest(Source(uri="d.csv"), tmp_path, tmp_path / "store")
    assert not (tmp_path / "store" / "digests.json").exists()


def test_a_damaged_memory_is_no_error(tmp_path: Path) -> None:
    write(tmp_path / "d.csv", "y\n1\n")
    write(tmp_path / "store" / "digests.json", "{not json")
    assert sources.digest(Source(uri="d.csv"), tmp_path, tmp_path / "store") is not None


@pytest.mark.parametrize("text", ["y,p\n1,1\n", "täxt,p\n1,ä\n"])
def test_columns_for_proposals(text: str, tmp_path: Path) -> None:
    write(tmp_path / "d.csv", text)
    found = sources.columns(Source(uri="d.csv"), tmp_path, tmp_path / "store")
    assert [item.name for item in found] == text.splitlines()[0].split(",")
    assert found[0].numeric
    assert found[0].examples == ("1",)
    assert found[1].numeric == ("ä" not in text)


def test_a_name_with_pattern_characters_is_a_file(tmp_path: Path) -> None:
    write(tmp_path / "d[1]*.csv", "y\n1\n0\n")
    write(tmp_path / "d1x.csv", "other\n")
    assert sources.table(Source(uri="d[1]*.csv"), tmp_path, tmp_path / "store").names == ("y",)
    assert sources.columns(Source(uri="d[1]*.csv"), tmp_path, tmp_path / "store")[0].distinct == 2


def test_a_file_name_that_is_no_text_is_named(tmp_path: Path) -> None:
    with open(bytes(tmp_path) + b"/\xff.csv", "wb") as stream:  # noqa: PTH123 (the name is bytes)
        stream.write(b"y\n1\n")
    with pytest.raises(SourceError, match="the name of the file is not UTF-8"):
        sources.files("*.csv", tmp_path)
