"""JSON Lines: values are text as written, nested values stay JSON, and a bad line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook import sources
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.sources import Column, Table, connect


def opened(tmp_path: Path, *texts: str | bytes) -> Table:
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    return sources.table(Source(uri="*.jsonl"), tmp_path, tmp_path / "store")


def rows(table: Table) -> list[dict[str, object]]:
    found = connect().execute(table.sql + " ORDER BY ALL").fetchall()
    return [dict(zip(table.names, row, strict=True)) for row in found]


def test_values_are_text_as_written(tmp_path: Path) -> None:
    table = opened(tmp_path, '{"i": 9007199254740993, "f": 1.0, "b": true, "t": "é\\n", "e": "", "n": null, "z": -0.0}\n')
    assert rows(table) == [{"i": "9007199254740993", "f": "1.0", "b": "true", "t": "é\n", "e": "", "n": None, "z": "-0.0"}]
    assert {column.type for column in table.columns} == {"VARCHAR"}


def test_what_is_nested_in_any_row_is_json_in_all(tmp_path: Path) -> None:
    table = opened(tmp_path, '{"l": ["a", 1], "o": {"k": null}}\n', '\n{"l": "plain"}\n')
    assert table.columns == (Column("l", "JSON"), Column("o", "JSON"))
    assert rows(table) == [{"l": '"plain"', "o": None}, {"l": '["a",1]', "o": '{"k":null}'}]
    read = connect().execute(f"SELECT CAST(to_json(l) AS VARCHAR) FROM ({table.sql}) ORDER BY 1").fetchall()
    assert read == [('"plain"',), ('["a",1]',)]


def test_a_name_that_a_line_does_not_have_is_missing(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, '{"a": "1"}\n{"b": "2"}\n')) == [{"a": "1", "b": None}, {"a": None, "b": "2"}]


def test_names_that_look_like_paths_are_names(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, '{"$.x": 1, "/p": [1], "q\\"": 2}\n')) == [{"$.x": "1", "/p": "[1]", 'q"': "2"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"a":\n', "0.jsonl:2: no JSON"),
        ('{"a": 1}\n[1]\n', "0.jsonl:2: a JSON list"),
        ('{"a": 1}\n\n{"a": 1, "a": 2}\n', "0.jsonl:3: the name 'a' is given twice"),
        ('{"a": 1, "A": 2}\n', "differ from another only in their case"),
        (b'{"a": "\xff"}\n', "0.jsonl:1: byte 8 of the line is not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}\n', "0.jsonl:1: no JSON (Unexpected UTF-8 BOM"),
        ("", "no rows"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        rows(opened(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.remedy


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}')
    with pytest.raises(SourceError, match="JSON Lines are UTF-8"):
        sources.table(Source(uri="a.jsonl", encoding="latin-1"), tmp_path, tmp_path / "store")
