"""What a profile says of a table, against pandas and by hand."""

from __future__ import annotations

import datetime as dt
import math
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from factbook.engines import kept, sketches
from factbook.measures import profile
from factbook.model import Status, Unit
from measuring import DATA, facts, shared, table

PLAN = {"data": {"measure": "profile", "data": "data"}}


def test_a_table_by_hand(tmp_path: Path) -> None:
    lines = ["id,y,age,town,zip,day,empty", "1,1,30,Ulm,02139,2026-01-02,", "2,0,41.5,Ulm,10115,2026-01-03,", *["3,1,,,80331,2026-01-03,"] * 2]
    (tmp_path / "d.csv").write_text("\n".join(lines), encoding="utf-8")
    found = facts(tmp_path, {"uri": "d.csv", "label": "y", "positive": "1"}, PLAN)
    values = {key.removeprefix("data/"): fact.value for key, fact in found.items()}
    assert (values["rows"], values["columns"], values["duplicates"]) == (4, 7, 1)
    assert values["type;column=id"] == "whole number"
    assert values["type;column=age"] == "number"
    assert values["type;column=town"] == "text"
    assert values["type;column=zip"] == "text"  # a leading zero is no number
    assert "missing" in str(values["type;column=empty"])
    assert (values["missing;column=age"], values["missing_share;column=age"]) == (2, 0.5)
    assert (values["minimum;column=age"], values["maximum;column=age"], values["mean;column=age"]) == (30.0, 41.5, 35.75)
    assert values["distinct;column=town"] == 1
    assert values["share;column=y;value=1"] == 0.75
    assert "minimum;column=town" not in values


def test_types_of_parquet(tmp_path: Path) -> None:
    day = dt.date(2026, 1, 31)
    columns = {"n": [1, 2, None], "x": [0.5, float("nan"), -1.0], "b": [True, False, True], "d": [day, None, day], "big": [2**60, 1, 2]}
    table(tmp_path / "d.parquet", columns)
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    assert [found[f"data/type;column={name}"].value for name in columns] == ["whole number", "number", "true or false", "date", "whole number"]
    assert found["data/missing;column=x"].value == 1  # NaN is missing
    assert (found["data/minimum;column=x"].value, found["data/maximum;column=x"].value, found["data/mean;column=x"].value) == (-1.0, 0.5, -0.25)
    assert found["data/minimum;column=d"].value == day
    assert found["data/minimum;column=d"].unit is Unit.DATE
    assert found["data/maximum;column=big"].value == 2**60


def test_infinite_values_are_undefined_not_written(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"x": [1.0, float("inf")]})
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    assert found["data/maximum;column=x"].status is Status.UNDEFINED
    assert "data/mean;column=x" not in found


def test_missing_labels_are_described_not_refused(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"y": ["1", None, "0"]})
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1"}, PLAN)
    assert found["data/missing;column=y"].value == 1
    assert found["data/share;column=y;value=1"].value == 0.5


@pytest.mark.parametrize("name", ["loan/hmda_boston_1990.csv", "credit/german_credit.csv", "medical/heart_disease.csv"])
def test_a_public_table_is_what_pandas_says(name: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = shared(name)
    assert DATA in path.parents
    frame = pandas.read_csv(path, keep_default_na=False, na_values=[""])
    (tmp_path / "d.csv").write_bytes(path.read_bytes())
    found = facts(tmp_path, {"uri": "d.csv"}, PLAN)
    assert found["data/rows"].value == len(frame)
    assert found["data/duplicates"].value == int(frame.duplicated().sum())
    for column in frame.columns:
        assert found[f"data/missing;column={column}"].value == int(frame[column].isna().sum())
        assert found[f"data/distinct;column={column}"].value == frame[column].nunique()
        if pandas.api.types.is_numeric_dtype(frame[column]):
            assert found[f"data/mean;column={column}"].value == pytest.approx(frame[column].mean(), rel=1e-11)
            assert found[f"data/minimum;column={column}"].value == frame[column].min()
            assert found[f"data/maximum;column={column}"].value == frame[column].max()


def test_the_mean_does_not_depend_on_the_order(tmp_path: Path) -> None:
    values = np.random.default_rng(8).lognormal(sigma=12, size=4000)
    means = set()
    for i, order in enumerate((values, values[::-1], np.sort(values))):
        table(tmp_path / f"{i}.parquet", {"x": order.tolist()})
        means.add(facts(tmp_path, {"uri": f"{i}.parquet"}, PLAN)["data/mean;column=x"].value)
    assert len(means) == 1
    assert means.pop() == pytest.approx(values.mean(), rel=1e-11)


def test_groups_and_their_shares(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"age": [25] * 30 + [45] * 50 + [None] * 20})
    source = {"uri": "d.parquet", "by": {"band": {"column": "age", "cuts": ["40"]}}, "missing": {"group": "group"}}
    found = facts(tmp_path, source, PLAN)
    assert found["data/rows?band=<40"].value == 30
    assert found["data/share?band=40+"].value == 0.5
    assert found["data/share?band=not%20recorded"].value == 0.2
    assert found["data/share?band=40+"].interval is not None


def odd_table(path: Path) -> None:
    """Columns of every type, with the values at which a sketch and a scan might part."""
    n = 60
    columns = {
        "whole": [str(i % 7 - 3) for i in range(n)],
        "with plus": ["+5", "6", "7"] * 20,
        "leading zero": ["007", "8", "9"] * 20,
        "blank": [" 5", "6", None] * 20,
        "grouped": ["1_000", "2", "3"] * 20,
        "reals": [f"{i / 8}" for i in range(n)],
        "exponents": ["1e3", "2.5E-2", "-.5", "5."] * 15,
        "infinite": ["inf", "1", "2"] * 20,
        "huge": ["1e200", "-1e160", "3"] * 20,
        "nothing": [None] * n,
        "flags": [True, False, None] * 20,
        "days": [dt.date(2024, 1, 1 + i % 28) for i in range(n)],
        "integers": [2**53 + i for i in range(n)],
        "small": list(range(n)),
        "doubles": [0.1 * i if i % 5 else math.nan for i in range(n)],
        "beyond": [1e300, math.inf, 1.0] * 20,
        "minus zero": [-0.0, 1.5, 2.5] * 20,
    }
    table(path, columns)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_sketch_says_of_a_column_what_a_scan_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    odd_table(tmp_path / "d.parquet")
    if suffix == "csv":
        duckdb.execute(f"COPY (FROM '{tmp_path}/d.parquet') TO '{tmp_path}/d.csv'")
    source = {"uri": f"d.{suffix}"}
    found = facts(tmp_path, source, PLAN)
    monkeypatch.setattr(profile, "_tells", lambda *_: False)
    assert found == facts(tmp_path, source, PLAN)


def test_of_many_values_only_the_different_ones_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n = sketches.CAP + 100
    columns = {"whole": range(n), "half": [i if i else 0.5 for i in range(n)], "real": [i / 7 for i in range(n)], "text": [f"t{i}" for i in range(n)]}
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "d.csv").write_text("\n".join(lines), encoding="utf-8")
    table(tmp_path / "d.parquet", {"real": [float(i) / 7 for i in range(n)] + [math.nan] * 5, "whole": list(range(n + 5))})
    found = [facts(tmp_path, {"uri": uri}, PLAN) for uri in ("d.csv", "d.parquet")]
    assert {key: fact.value for key, fact in found[0].items() if "distinct" in key or "type" in key} == {
        **{f"data/distinct;column={name}": n for name in columns},
        **{"data/type;column=whole": "whole number", "data/type;column=half": "number", "data/type;column=real": "number"},
        "data/type;column=text": "text",
    }
    assert found[1]["data/distinct;column=real"].value == n
    monkeypatch.setattr(profile, "_tells", lambda *_: False)
    assert found == [facts(tmp_path, {"uri": uri}, PLAN) for uri in ("d.csv", "d.parquet")]


def test_repeated_rows_are_found_whatever_tells_columns_apart(tmp_path: Path) -> None:
    """Ten columns, more than are hashed, some rows equal in the hashed ones only."""
    rng = np.random.default_rng(3)
    rows = [[str(value) for value in rng.integers(0, 3, 12)] for _ in range(200)]
    rows += rows[:17] + [[*row[:11], "9"] for row in rows[:23]]
    table(tmp_path / "d.parquet", {f"c{i}": [row[i] for row in rows] for i in range(12)} | {"id": [str(i) for i in range(240)]})
    found = facts(tmp_path, {"uri": "d.parquet", "key": "id"}, PLAN)
    assert found["data/duplicates"].value == 0
    assert found["data/duplicates_but_key"].value == len(rows) - len({tuple(row) for row in rows}) > 16


def test_a_copy_on_disk_gives_the_facts_of_one_in_memory_and_is_scanned_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{n},{n % 7},{'' if n % 5 else 'x' + str(n)},{n / 3!r}\n" for n in range(300))
    (tmp_path / "d.csv").write_text("key,few,text,number\n" + rows)
    in_memory = facts(tmp_path, {"uri": "d.csv"}, PLAN)
    monkeypatch.setattr(profile, "_CHUNK_CELLS", 100)
    shutil.rmtree(tmp_path / ".factbook")
    scanned: list[str] = []
    original = kept.sketched
    monkeypatch.setattr(kept, "sketched", lambda table, *rest: scanned.append(table.sql) or original(table, *rest))
    assert facts(tmp_path, {"uri": "d.csv"}, PLAN) == in_memory
    assert "table.parquet" in scanned[0]
    monkeypatch.setattr(profile, "_HELD", 1)
    monkeypatch.setattr(sketches, "CAP", 16)
    shutil.rmtree(tmp_path / ".factbook")
    counted_by_engine = facts(tmp_path, {"uri": "d.csv"}, PLAN)
    monkeypatch.setattr(profile, "_HELD", 1 << 20)
    assert facts(tmp_path, {"uri": "d.csv"}, PLAN) == counted_by_engine
    assert counted_by_engine["data/distinct;column=number"].value == 300
    assert counted_by_engine["data/type;column=key"].value == "whole number"
