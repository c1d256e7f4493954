"""A second file beside the first: where both have a column of one name, a prefix tells them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from factbook import sources
from factbook.errors import SourceError
from factbook.manifest import Join, Source
from factbook.sources import Table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("id,y,score\n1,0,0.2\n2,1,0.9\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("id,y,Score\n2,1,0.7\n1,0,0.4\n", encoding="utf-8")
    return tmp_path


def joined(folder: Path, prefix: str = "") -> tuple[Source, Table]:
    source = Source(uri="a.csv", key="id", join=Join(uri="b.csv", prefix=prefix))
    return source, sources.table(source, folder, folder / ".factbook")


def rows(table: Table) -> list[tuple[str, ...]]:
    chosen = ", ".join(sources.quote(name) for name in table.names)
    return sorted(sources.connect().execute(f"SELECT {chosen} FROM ({table.sql})").fetchall())


def test_columns_of_one_name_are_told_apart_by_a_prefix(folder: Path) -> None:
    _, table = joined(folder, "other_")
    assert table.names == ("id", "y", "score", "other_y", "other_Score")
    assert rows(table) == [("1", "0", "0.2", "0", "0.4"), ("2", "1", "0.9", "1", "0.7")]


def test_without_a_prefix_they_cannot_be_used(folder: Path) -> None:
    _, table = joined(folder)
    assert table.names == ("id",)
    with pytest.raises(SourceError, match="score"):
        table.column("score", "score")


def test_a_prefix_can_collide_as_well(folder: Path) -> None:
    (folder / "a.csv").write_text("id,other_y\n1,0\n2,1\n", encoding="utf-8")
    _, table = joined(folder, "other_")
    assert table.names == ("id", "other_Score")


def test_the_prefix_is_part_of_the_declaration_where_there_is_one(folder: Path) -> None:
    plain, named = joined(folder)[0], joined(folder, "other_")[0]
    assert sources.declaration(plain) != sources.declaration(named)
    assert sources.declaration(plain) == sources.declaration(Source(uri="moved.csv", key="id", join=Join(uri="b.csv")))
