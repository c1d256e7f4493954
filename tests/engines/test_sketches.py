"""Sketches add up alike in any order, partitioning and thread count; their sums are exact and their bins bound what they hold."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook import sources
from factbook.engines import cells, sketches, sketching
from factbook.engines.sketches import GRAIN, Sketch
from factbook.engines.sketching import Split
from factbook.errors import SourceError
from factbook.manifest import Source
from factbook.model import silent

ODD = st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e308, 1e308, 1.0, 1.0 + 2**-52, 3.5e38])
NUMBERS = st.lists(st.floats() | ODD, max_size=60)
TEXTS = st.lists(st.none() | st.text(max_size=3) | st.sampled_from(["1", "-2.5", "1e3", "007", "+1", "1_0", "nan", "1e999"]), max_size=40)


def number(values: list[float]) -> Sketch:
    return sketches.make("number", pa.array(values, pa.float64(), from_pandas=False))


def text(values: list[str | None]) -> Sketch:
    return sketches.make("text", pa.array(values, pa.string()))


def split_at(values: list, cuts: list[int]) -> list[list]:
    places = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    return [values[a:b] for a, b in pairwise(places)]


@given(NUMBERS, st.lists(st.integers(0, 60), max_size=4), st.randoms())
def test_numbers_add_up_in_any_order_and_partitioning(values: list[float], cuts: list[int], random: object) -> None:
    whole = number(values)
    parts = [number(part) for part in split_at(values, cuts)]
    assert sketches.combine(parts).digest == whole.digest
    assert sketches.combine(parts[::-1]).digest == whole.digest
    shuffled = values[:]
    random.shuffle(shuffled)
    assert number(shuffled).digest == whole.digest


@given(TEXTS, st.lists(st.integers(0, 40), max_size=4), st.randoms())
def test_texts_add_up_in_any_order_and_partitioning(values: list[str | None], cuts: list[int], random: object) -> None:
    whole = text(values)
    parts = [text(part) for part in split_at(values, cuts)]
    assert sketches.combine(parts).digest == whole.digest
    a, *rest = parts
    together = a
    for part in rest:
        together = part + together
    assert together.digest == whole.digest
    shuffled = values[:]
    random.shuffle(shuffled)
    assert text(shuffled).digest == whole.digest


WRITTEN = st.from_regex(r"\A[+-]?[0-9]{1,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,3})?\Z") | st.sampled_from(["inf", "-nan", "1e999", "", " 1", "٣", "ä"])


@given(st.lists(WRITTEN, max_size=6), st.integers(0, 3))
def test_which_texts_read_as_numbers(texts: list[str], start: int) -> None:
    shape = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
    column = pa.array(texts, pa.string()).slice(start)
    reads = [text for text in texts[start:] if shape.fullmatch(text) and math.isfinite(float(text))]
    unread = sorted(set(texts[start:]) - set(reads))
    for found in (sketches.make("text", column), sketches.make("text", column, full=True)):
        assert found.unread == len(texts[start:]) - len(reads)
        assert found.example == (unread[0] if unread else "")
        if not unread:
            assert found.numbers is not None
            assert found.numbers.total == sum(int(Fraction(float(text)) * 2**GRAIN) for text in reads if abs(float(text)) < sketches.LIMIT)


@given(st.lists(st.lists(st.none() | st.sampled_from([str(n) for n in range(9)] + ["a", "1.0", "é"]), max_size=8), min_size=1, max_size=8))
def test_texts_are_given_up_at_the_cap_whatever_the_batches(batches: list[list[str | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketches, "CAP", 4)
        patch.setattr(sketching, "CAP", 4)
        for kind, columns in (
            ("text", [pa.array(batch, pa.string()) for batch in batches]),
            ("number", [pa.array([None if item in (None, "a", "é") else float(item) for item in batch], pa.float64()) for batch in batches]),
        ):
            column = sketching._Column(kind)
            for batch in columns:
                column.add(batch)
            assert column.sketch().digest == sketches.make(kind, pa.concat_arrays(columns)).digest


@given(NUMBERS, TEXTS)
def test_bytes_say_all_of_a_sketch(values: list[float], texts: list[str | None]) -> None:
    for sketch in (number(values), text(texts), text([str(value) for value in values]), Sketch("other", 3, 1)):
        back = sketches.load(sketches.dump(sketch))
        assert (back.digest, sketches.dump(back)) == (sketch.digest, sketches.dump(sketch))
        assert sketches.combine([back, sketch]).digest == sketches.combine([sketch, sketch]).digest
    with pytest.raises(ValueError, match="no sketch"):
        sketches.load(sketches.dump(number([1.0, 2.0]))[:-8])


def test_pages_hold_what_the_query_engine_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    n = 70_000
    text_values = [None if i % 11 == 0 else f"t{i % 50}" for i in range(n)]
    columns = {
        "many": pa.array(rng.normal(size=n)),
        "holes": pa.array([None if i % 7 == 0 else i % 5 / 4 for i in range(n)]),
        "nan": pa.array([math.nan if i % 3 == 0 else -0.0 for i in range(n)]),
        "single": pa.array(rng.random(n).astype("float32")),
        "whole": pa.array(rng.integers(-(2**63), 2**63 - 1, n)),
        "tiny": pa.array(rng.integers(0, 255, n).astype("uint8")),
        "decimal": pa.array([i % 9 for i in range(n)]).cast(pa.decimal128(21, 2)),
        "text": pa.array(text_values),
        "dictionary": pa.array(text_values).dictionary_encode(),
        "large": pa.array(text_values, pa.large_string()),
        "numerals": pa.array([str(i % 300 / 4) for i in range(n)]),
        "keys": pa.array([f"k{i}" for i in range(n)]),
        "flag": pa.array([i % 2 == 0 for i in range(n)]),
        "day": pa.array([i % 2 for i in range(n)]).cast(pa.int32()).cast(pa.date32()),
        "nested": pa.array([{"a": i % 3} for i in range(n)]),
        "nested.a": pa.array(rng.random(n)),
        "empty": pa.array([None] * n, pa.string()),
    }
    for part in range(2):
        pq.write_table(pa.table(columns).slice(part * n // 2, n // 2), tmp_path / f"p{part}.parquet", row_group_size=9_000)
    source = Source(uri="p*.parquet")
    table = sources.table(source, tmp_path, tmp_path)
    assert table.stored
    for category in (False, True):
        wanted = dict.fromkeys(table.names, category)
        fast, slow = (sketching.scan(one, source, wanted, tmp_path, silent)[()] for one in (table, replace(table, stored=False)))
        assert {name: one.digest for name, one in fast.items()} == {name: one.digest for name, one in slow.items()}


def test_damaged_pages_are_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": np.random.default_rng(0).random(50_000)}), tmp_path / "a.parquet", compression="zstd")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:4000] = b"\xff" * 3996
    (tmp_path / "a.parquet").write_bytes(bytes(content))
    source = Source(uri="a.parquet")
    with pytest.raises(SourceError, match=r"a\.parquet: cannot be read"):
        sketching.scan(sources.table(source, tmp_path, tmp_path), source, {"x": False}, tmp_path, silent)


def test_one_value_more_is_another_digest() -> None:
    assert len({number(values).digest for values in ([], [1.0], [1.0, 1.0], [1.0, math.nan], [2.0], [-1.0])}) == 6
    assert len({text(values).digest for values in ([], ["1"], ["1", "1"], ["1", None], ["a"], ["1.0"])}) == 6
    assert number([0.0]).digest == number([-0.0]).digest


@given(st.lists(st.floats(min_value=-(2.0**499), max_value=2.0**499), min_size=1, max_size=80))
def test_sums_are_exact(values: list[float]) -> None:
    found = number(values).numbers
    assert found is not None
    assert Fraction(found.total, 1 << GRAIN) == sum(map(Fraction, values))
    assert Fraction(found.squares, 1 << GRAIN) == sum(Fraction(value * value) for value in values)
    assert found.mean == float(sum(map(Fraction, values)) / len(values))


def test_sums_of_many_chunks_are_exact() -> None:
    values = np.random.default_rng(3).normal(1e6, 1e-3, 100_000)
    found = sketches.numbers_of(values)
    assert Fraction(found.total, 1 << GRAIN) == sum(map(Fraction, values.tolist()))
    assert found.variance is None  # a mean of 10^9 standard deviations: squares rounded to doubles say nothing of the spread
    few = values[: sketches.CAP]
    assert sketches.numbers_of(few).variance == pytest.approx((few - 1e6).var(ddof=1), rel=1e-9)
    closer = sketches.numbers_of(values - 1e6 + 1)
    assert closer.variance == pytest.approx((values - 1e6 + 1).var(ddof=1), rel=1e-6)
    assert sketches.numbers_of(np.full(10, 1e9)).variance == 0


def test_values_beyond_the_limit_are_counted_apart() -> None:
    found = number([1.0, math.inf, -math.inf, 1e200]).numbers
    assert found is not None
    assert (found.count, found.beyond, found.mean, found.low, found.high) == (4, 3, None, -math.inf, math.inf)


def test_above_the_cap_numbers_fall_into_bins_whatever_the_partitioning() -> None:
    values = np.random.default_rng(5).normal(size=3 * sketches.CAP)
    whole = sketches.numbers_of(values)
    assert not whole.exact
    parts = [Sketch("number", len(part), 0, sketches.numbers_of(part)) for part in np.array_split(values, 7)]
    assert all(part.numbers is not None and part.numbers.exact for part in parts)
    assert sketches.combine(parts).digest == Sketch("number", len(values), 0, whole).digest
    assert sketches.combine(parts[:2]).numbers.exact is True  # type: ignore[union-attr]
    assert sketches.combine([sketches.combine(parts[:5]), *parts[5:]]).digest == Sketch("number", len(values), 0, whole).digest


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=50))
def test_bins_keep_the_order_and_hold_their_values(values: list[float]) -> None:
    found = number(values).numbers
    assert found is not None
    coarse = found.at(cells.COARSEST)
    lows, highs = coarse.edges
    assert (lows <= highs).all()
    assert (highs[:-1] <= lows[1:]).all()
    for value in values:
        assert ((lows <= value) & (value <= highs)).any()
    assert coarse.count == len(values)
    inner = (
        np.isfinite(lows) & np.isfinite(highs) & (np.minimum(np.abs(lows), np.abs(highs)) > 1e-30) & (np.maximum(np.abs(lows), np.abs(highs)) < 1e38)
    )
    assert (highs[inner] - lows[inner] <= np.minimum(np.abs(lows), np.abs(highs))[inner] * 2.0**-8).all()


def test_a_text_column_is_a_number_column_only_if_every_value_reads() -> None:
    found = text(["1", "2.50", "-3e2", None])
    assert found.numbers is not None
    assert (found.missing, found.unread, found.numbers.low, found.numbers.high) == (1, 0, -300.0, 2.5)
    for odd in ("007", "+1", " 1", "1_000", "1,5", "nan", "inf", "1e999", "0x10", "١"):
        broken = text(["1", odd, odd])
        assert (broken.numbers, broken.unread, broken.example) == (None, 2, odd), odd


def test_too_many_texts_are_given_up_and_said() -> None:
    found = text([f"t{i}" for i in range(sketches.CAP + 1)])
    assert found.texts is not None
    assert (found.texts.overflow, found.texts.values, found.distinct, found.present) == (True, (), None, sketches.CAP + 1)
    half = [f"t{i}" for i in range(sketches.CAP // 2 + 1)]
    assert (text(half) + text([f"u{i}" for i in range(sketches.CAP // 2 + 1)])).texts.overflow  # type: ignore[union-attr]
    assert not (text(half) + text(half)).texts.overflow  # type: ignore[union-attr]


def scanned(root: Path, uri: str, columns: dict[str, bool], *splits: Split) -> dict[tuple[str, ...], dict[str, Sketch]]:
    source = Source(uri=uri)
    return sketching.scan(sources.table(source, root, root / "store"), source, columns, root / "store", silent, splits)


def test_a_scan_gives_the_same_from_one_file_or_many(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n = 300_000
    some = rng.normal(size=n)
    some[::7] = np.nan
    table = pa.table({"x": some, "k": rng.integers(-5, 5, n), "t": np.array(["a", "b", ""])[rng.integers(0, 3, n)], "b": rng.random(n) < 0.5})
    pq.write_table(table, tmp_path / "one.parquet")
    for i in range(5):
        pq.write_table(table.slice(i * 60_000, 60_000), tmp_path / f"many{i}.parquet", row_group_size=7_001)
    columns = {"x": False, "k": False, "t": True, "b": False}
    one, many = scanned(tmp_path, "one.parquet", columns)[()], scanned(tmp_path, "many*.parquet", columns)[()]
    assert {name: found.digest for name, found in one.items()} == {name: found.digest for name, found in many.items()}
    assert (one["x"].missing, one["x"].present) == (int(np.isnan(some).sum()), int((~np.isnan(some)).sum()))
    assert one["t"].texts is not None
    assert one["t"].texts.values == ("", "a", "b")
    assert one["b"].texts is not None
    assert one["b"].texts.values == ("false", "true")


def test_grouped_by_the_reader_or_counted_batch_by_batch(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    columns = {f"t{i}": pa.array(np.array(["a", "ä", "1", "", None, "1e5"], dtype=object)[rng.integers(0, 3 + i % 4, 5_000)]) for i in range(40)}
    columns |= {
        "many": [str(i) for i in range(5_000)],
        "b": rng.random(5_000) < 0.1,
        "x": rng.random(5_000).round(1),
        "none": pa.nulls(5_000, pa.string()),
    }
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    wanted = {name: name == "x" for name in columns}
    whole, apart = scanned(tmp_path, "d.parquet", wanted)[()], scanned(tmp_path, "d.parquet", wanted, Split("'all'"))[("all",)]
    assert {name: found.digest for name, found in whole.items()} == {name: found.digest for name, found in apart.items()}
    assert [whole["none"].missing, whole["many"].distinct, whole["x"].distinct] == [5_000, 5_000, 11]


def test_csv_and_parquet_hold_the_same_numbers(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=2_000)
    (tmp_path / "d.csv").write_text("x\n" + "\n".join(repr(float(value)) for value in values), encoding="utf-8")
    pq.write_table(pa.table({"x": values}), tmp_path / "d.parquet")
    first, second = (scanned(tmp_path, f"d.{kind}", {"x": False})[()]["x"].numbers for kind in ("csv", "parquet"))
    assert first is not None
    assert second is not None
    assert Sketch("number", 0, 0, first).digest == Sketch("number", 0, 0, second).digest


def test_blocks_are_runs_of_rows_in_file_order(tmp_path: Path) -> None:
    n = 400_000
    pq.write_table(pa.table({"i": np.arange(n), "g": np.array(["a", "b"])[np.arange(n) % 2]}), tmp_path / "d.parquet", row_group_size=20_000)
    found = scanned(tmp_path, "d.parquet", {"i": False}, Split(blocks=7, rows=n), Split('"g"'))
    assert sorted(found) == sorted((str(block), group) for block in range(1, 8) for group in "ab")
    for block in range(7):
        inside = [i for i in range(n) if i * 7 // n == block]
        parts = [found[(str(block + 1), group)]["i"] for group in "ab"]
        whole = sketches.combine(parts)
        assert whole.numbers is not None
        assert (whole.rows, whole.numbers.low, whole.numbers.high) == (len(inside), inside[0], inside[-1])


def test_what_cannot_be_sketched(tmp_path: Path) -> None:
    pq.write_table(pa.table({"list": [[1], None], "x": [1.0, 2.0]}), tmp_path / "d.parquet")
    found = scanned(tmp_path, "d.parquet", {"list": False})[()]["list"]
    assert (found.kind, found.missing, found.numbers, found.texts) == ("other", 1, None, None)
    with pytest.raises(SourceError, match="no column 'y'"):
        scanned(tmp_path, "d.parquet", {"y": False})
    (tmp_path / "d.csv").write_text("a,b\n1,2\n3\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"d.csv:3"):
        scanned(tmp_path, "d.csv", {"a": False})
    with pytest.raises(ValueError, match="one kind"):
        number([1.0]) + text(["a"])


def test_pandas_stays_away(tmp_path: Path) -> None:
    """pyarrow imports pandas, where it is installed, to convert a numpy array: two seconds for nothing."""
    pq.write_table(pa.table({"x": [1.0, None], "t": ["a", None], "n": ["1", "2"], "g": ["a", "b"]}), tmp_path / "d.parquet")
    code = """
import sys
from pathlib import Path
from factbook import sources
from factbook.engines import sketching
from factbook.manifest import Source
from factbook.model import silent
source, root = Source(uri="d.parquet"), Path(sys.argv[1])
table = sources.table(source, root, root / "store")
for splits in ((), (sketching.Split('"g"'),)):
    sketching.scan(table, source, dict.fromkeys(("x", "t", "n"), False), root / "store", silent, splits)
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0
