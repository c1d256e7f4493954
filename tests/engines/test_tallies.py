"""The laws of the tally: merging is addition, and the same rows give the same tally however they come."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook import sources
from factbook.engines import bins, folding, kernel, tallies
from factbook.engines import duckdb as engine
from factbook.engines.tallies import Tally, combine
from factbook.errors import MeasureError
from factbook.manifest import Group, Missing, Source
from factbook.measures import binary, scores
from factbook.model import silent
from factbook.sources import Column, Table

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ä", None]),
        st.sampled_from(["0", "1", None]),
        st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 1.0, 1e-30, 1 - 1e-12, None])),
        st.one_of(st.just(0.0), st.floats(1e-5, 1e6), st.none()),
    ),
    min_size=1,
    max_size=40,
)
Row = tuple[str | None, str | None, float | None, float | None]
ANY = Missing(label="drop", prediction="drop", weight="drop", group="group")
SOURCE = Source(uri="*.parquet", label="y", positive="1", score="s", cut="0.5", weight="w", by={"g": Group(column="g")}, missing=ANY)
SCHEMA = pa.schema([("g", "string"), ("y", "string"), ("s", "double"), ("w", "double")])


def write(path: Path, rows: list[Row]) -> None:
    pq.write_table(pa.Table.from_pylist([dict(zip("gysw", row, strict=True)) for row in rows], schema=SCHEMA), path, row_group_size=7)


def count(root: Path) -> Tally:
    return engine.tally(sources.table(SOURCE, root, root / ".factbook"), SOURCE, ["g"], root / ".factbook", silent)


@given(rows=ROWS, data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_partitioning_and_order_gives_the_same_digest(rows: list[Row], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole, parts = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("parts")
    write(whole / "all.parquet", rows)
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(rows)), max_size=3)))
    for i, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
        if shuffled[start:end]:
            write(parts / f"{i}.parquet", shuffled[start:end])
    one, other = count(whole), count(parts)
    assert one.digest == other.digest
    assert one.rows == len(rows)
    sums = [piece for path in sorted(parts.glob("*.parquet")) for piece in [alone(path, tmp_path_factory)]]
    assert combine(sums).digest == one.digest
    assert combine(sums[::-1]).digest == one.digest


def alone(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Tally:
    folder = tmp_path_factory.mktemp("alone")
    (folder / "part.parquet").write_bytes(path.read_bytes())
    return count(folder)


def tally_of(scores: list[float], labels: list[int]) -> Tally:
    columns = [(("0", "1"), np.array(labels, dtype=np.int64) + 1), (("given",), np.ones(len(scores), dtype=np.int64))]
    return tallies.make([tallies.LABEL, tallies.SCORE], columns, np.ones(len(scores), dtype=np.int64), None, np.array(scores, dtype=np.float64))


SCORES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


@given(SCORES, SCORES, SCORES, st.sampled_from([300, 3_000, 1 << 20]))
def test_merging_is_associative_and_commutative_also_across_resolutions(a: list, b: list, c: list, room: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", 25)
        patch.setattr(tallies, "ROOM", room)
        x, y, z = (tally_of([row[0] for row in rows], [row[1] for row in rows]) for rows in (a, b, c))
        assert ((x + y) + z).digest == (x + (y + z)).digest == (z + y + x).digest == combine((y, z, x)).digest
        assert (x + y + z).digest == tally_of([row[0] for row in a + b + c], [row[1] for row in a + b + c]).digest


EDGES = [0.0, 0.5, 1.0, 5e-324, *bins.TENTHS, *np.nextafter(bins.TENTHS, 0), *np.nextafter(bins.TENTHS, 1), np.nextafter(0.5, 0), np.nextafter(1, 0)]


@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from(EDGES), st.floats(0, 1e-5), st.floats(1 - 1e-5, 1)), min_size=2, max_size=200))
def test_bins_keep_the_order_and_hold_their_scores(scores: list[float]) -> None:
    ordered = np.sort(np.array(scores))
    finer: bins.Bins | None = None
    for resolution in range(1, bins.COARSEST + 1):
        found = bins.at(resolution)
        assert bins.size(resolution) == len(found)
        place = found.place(ordered)
        assert (np.diff(place) >= 0).all()
        assert (found.low[place] <= ordered).all()
        assert (ordered <= found.high[place]).all()
        assert (np.searchsorted(bins.TENTHS, (found.low + found.high)[place] / 2) == np.searchsorted(bins.TENTHS, ordered)).all()
        assert ((found.high[place] == 0) == (ordered == 0)).all()
        assert ((found.low[place] == 1) == (ordered == 1)).all()
        assert finer is None or (finer.coarser[finer.place(ordered)] == place).all()
        finer = found


def test_every_bin_belongs_to_one_coarser_bin() -> None:
    for resolution in range(1, bins.COARSEST):
        coarser = bins.at(resolution).coarser
        assert (np.diff(coarser) >= 0).all()
        assert set(coarser.tolist()) == set(range(len(bins.at(resolution + 1))))


SHAPES = {
    "spread": lambda rng, n: 1 / (1 + np.exp(-rng.normal(-0.9, 1.4, n))),
    "uniform": lambda rng, n: rng.random(n),
    "crowded near 0": lambda rng, n: rng.beta(0.5, 2_000, n),
    "crowded near 1": lambda rng, n: 1 - rng.beta(0.5, 2_000, n),
    "tied": lambda rng, n: np.round(rng.random(n), 2),
    "one score": lambda rng, n: np.full(n, 0.3),
}


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("room", [40, 2_000, 100_000])
def test_above_the_cap_every_statistic_is_inside_its_hard_bounds(shape: str, room: int) -> None:
    rng = np.random.default_rng(len(shape))
    s = SHAPES[shape](rng, 5_000)
    rank = np.argsort(np.argsort(s + rng.random(len(s)) * 1e-9)) / len(s)
    y = (rng.random(len(s)) < 0.6 * rank).astype(np.int64)
    exact = found_of(s, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", 0)
        patch.setattr(tallies, "ROOM", room)
        binned = found_of(s, y)
    assert exact.exact
    assert not binned.exact
    area, bound = scores.area(exact), scores.area(binned)
    assert abs(bound.value - area.value) <= bound.ties + 1e-12
    best = scores.average_precision(binned)
    assert best[1] - 1e-12 <= scores.average_precision(exact)[0] <= best[2] + 1e-12
    error, slack = scores.calibration_error(binned)
    assert abs(error - scores.calibration_error(exact)[0]) <= slack + 1e-12
    for loss in (scores.log_losses, scores.squared_losses):
        *_, low, high = binned.sheet[0].losses(loss)[0]
        assert low - 1e-12 <= exact.sheet[0].losses(loss)[0][0] <= high + 1e-12


def found_of(s: np.ndarray, y: np.ndarray) -> scores.Scored:
    source = Source(uri="x", label="y", positive="1", score="s", cut="0.5")
    given = np.ones(len(s), dtype=np.int64)
    columns = [(("0", "1"), y + 1), (("0", "1"), (s >= 0.5).astype(np.int64) + 1), (("given",), given)]
    tally = tallies.make([tallies.LABEL, tallies.PREDICTION, tallies.SCORE], columns, given, None, s, decided=True)
    return scores.by_slice(binary.outcomes(tally, source), ())[()]


def test_bins_are_fine_enough_for_few_blocks() -> None:
    rng = np.random.default_rng(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", 1_000)
        found = scores.area(found_of(rng.beta(0.5, 2_000, 20_000), (rng.random(20_000) < 0.3).astype(np.int64)))
    assert found.ties < 1e-3


@pytest.mark.parametrize("cap", [0, 5, 40, 1 << 20])
@given(rows=ROWS, data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_batches_of_any_partitioning_give_the_same_digest(cap: int, rows: list[Row], data: st.DataObject) -> None:
    source = SOURCE.model_copy(update={"cluster": "c", "weight": data.draw(st.sampled_from(["", "w"]))})
    everything = pa.Table.from_pylist([dict(zip("gyswc", (*row, f"{i % 7}"), strict=True)) for i, row in enumerate(rows)], schema=CLUSTERED)
    table = Table("x", "", tuple(Column(name, "VARCHAR" if name in "gyc" else "DOUBLE") for name in "gyswc"), len(rows), ())
    order = data.draw(st.permutations(range(len(rows))))
    cut, size = data.draw(st.integers(0, len(rows))), data.draw(st.integers(1, 9))
    shuffled = everything.take(pa.array(order, type=pa.int64()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", cap)
        patch.setattr(tallies, "ROOM", 5_000)
        patch.setattr(folding, "_DENSE", data.draw(st.sampled_from([4, 1 << 17])))
        patch.setattr(folding, "_MOST_ROWS", data.draw(st.sampled_from([3, 1 << 27])))
        patch.setattr(folding, "_BITS", data.draw(st.sampled_from([0, 62])))
        patch.setattr(kernel, "_BATCH", size)
        one = kernel.fold_batches(everything.to_batches(), table, source, ["g"])
        parts = [shuffled.slice(0, cut), shuffled.slice(cut)]
        other = combine([kernel.fold_batches(part.to_batches(max_chunksize=size), table, source, ["g"]) for part in parts])
        assert one.digest == other.digest
        assert tallies.load(tallies.dump(other)).digest == one.digest
        assert one.rows == len(rows)


CLUSTERED = pa.schema([("g", "string"), ("y", "string"), ("s", "double"), ("w", "double"), ("c", "string")])


@pytest.mark.parametrize("groups", [5_000, 100_000])
def test_many_groups_are_counted_in_bounded_memory(groups: int) -> None:
    import resource

    rng = np.random.default_rng(groups)
    n = 1 << 17
    codes = pa.array(rng.integers(0, groups, n).astype("int32"))
    g = pa.DictionaryArray.from_arrays(codes, [f"g{i}" for i in range(groups)]).cast("string")
    batch = pa.record_batch({"g": g, "y": pa.array(rng.integers(0, 2, n)), "s": rng.random(n)})
    source = Source(uri="x", label="y", positive="1", score="s", cut="0.5", by={"g": Group(column="g")})
    table = Table("x", "", (Column("g", "VARCHAR"), Column("y", "BIGINT"), Column("s", "DOUBLE")), None, ())
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    tally = kernel.fold_batches([batch] * 12, table, source, ["g"])
    assert tally.rows == 12 * n
    assert tally.scores is not None
    assert tally.scores.n.sum() == 12 * n
    assert time.process_time() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 * 1024


def test_threads_do_not_change_the_tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    rows: list[Row] = [
        (str(g), str(y), float(s), float(w))
        for g, y, s, w in zip(*[rng.integers(0, 9, 5000)], rng.integers(0, 2, 5000), rng.random(5000), rng.random(5000), strict=True)
    ]
    write(tmp_path / "d.parquet", rows)
    connect = sources.connect
    digests = set()
    for threads in (1, 2, 4):

        def with_threads(store: Path | None = None, threads: int = threads) -> duckdb.DuckDBPyConnection:
            connection = connect(store)
            connection.execute(f"SET threads = {threads}")
            return connection

        monkeypatch.setattr(sources, "connect", with_threads)
        digests.add(count(tmp_path).digest)
    assert len(digests) == 1


def test_weights_are_summed_exactly() -> None:
    weights = np.array([0.1] * 10 + [1e6, 2e-6])
    total, squares = tallies.total(tallies.fixed(weights))
    assert total / 2**tallies.SCALE == pytest.approx(1e6 + 1 + 2e-6, abs=1e-13)
    assert squares / 2**tallies.SCALE == pytest.approx(1e12 + 0.1, rel=1e-15)
    backwards = tallies.total(tallies.fixed(weights[::-1].copy()))
    assert (total, squares) == backwards


def test_weights_that_are_too_large_are_refused() -> None:
    with pytest.raises(tallies.SourceError, match="divide all weights"):
        tallies.fixed(np.array([1e15]))


def test_measuring_imports_no_pandas(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "d.csv").write_text("y,s,g\n1,0.9,a\n0,,b\n0,0.2,\n", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from factbook import sources; from factbook.engines import duckdb;"
        "from factbook.manifest import Source;"
        "from factbook.model import silent; root = Path(sys.argv[1]);"
        "source = Source(uri='d.csv', label='y', positive='1', score='s', cut='0.5', by=['g']);"
        "tally = duckdb.tally(sources.table(source, root, root), source, ['g'], root, silent);"
        "assert tally.rows == 3 and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_an_attribute_may_be_called_like_a_role(tmp_path: Path) -> None:
    from measuring import facts, table

    table(tmp_path / "d.parquet", {"y": ["1", "0"], "p": ["1", "0"], "g": ["a", "b"]})
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "by": {"label": "g", "prediction": "g", "*x": "g"}}
    found = facts(tmp_path, source, suppress_below="0")
    assert found["performance/tp?label=a"].value == 1
    assert found["performance/tn?prediction=b"].value == 1


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_score_at_the_cut_is_positive_in_either_width(kind: str, tmp_path: Path) -> None:
    from measuring import facts

    scores = pa.array(np.array([0.35, 0.349, 0.36], dtype=kind))
    pq.write_table(pa.table({"y": ["1", "0", "0"], "s": scores, "v": scores}), tmp_path / "d.parquet")
    bands = {"b": {"column": "v", "cuts": ["0.35"]}}
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.35", "by": bands}
    found = facts(tmp_path, source, suppress_below="0")
    assert (found["performance/tp"].value, found["performance/fp"].value) == (1, 1)
    assert found["performance/rows?b=0.35+"].value == 2


@pytest.mark.parametrize("cut", ["0", "0.0", "1"])
def test_a_cut_at_either_end(cut: str, tmp_path: Path) -> None:
    from measuring import facts, table

    table(tmp_path / "d.parquet", {"y": ["1", "0"], "s": [1.0, 0.0]})
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": cut})
    assert found["performance/selection_rate"].value == (1.0 if float(cut) == 0 else 0.5)


def test_weights_of_zero_leave_figures_undefined(tmp_path: Path) -> None:
    from measuring import facts, table

    table(tmp_path / "d.parquet", {"y": ["1", "0"], "s": [0.9, 0.2], "w": [0.0, 0.0]})
    found = facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5", "weight": "w"})
    assert not [key for key, fact in found.items() if fact.measured and isinstance(fact.value, float)]


@given(rows=ROWS)
@settings(max_examples=25, deadline=None)
def test_a_tally_survives_its_bytes(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    write(folder / "all.parquet", rows)
    tally = count(folder)
    again = tallies.load(tallies.dump(tally))
    assert again.digest == tally.digest
    assert (again + again).digest == (tally + tally).digest
    assert tallies.dump(again) == tallies.dump(tally)


def test_other_bytes_are_no_tally() -> None:
    with pytest.raises(ValueError, match="not a tally"):
        tallies.load(b"PAR1")


@given(rows=ROWS, size=st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_arrow_batches_give_the_tally_of_the_file(rows: list[Row], size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("batches")
    write(folder / "all.parquet", rows)
    table = sources.table(SOURCE, folder, folder / ".factbook")
    batches = pq.read_table(folder / "all.parquet").to_batches(max_chunksize=size)
    parts = [kernel.fold_batches([batch], table, SOURCE, ["g"]) for batch in batches]
    nothing = kernel.fold_batches([], table, SOURCE, ["g"])
    assert combine([nothing, *parts, nothing]).digest == kernel.fold_batches(batches[::-1], table, SOURCE, ["g"]).digest == count(folder).digest


def test_clusters_fall_into_blocks_by_what_they_are_called(tmp_path: Path) -> None:
    from hashlib import md5

    source = Source(uri="d.parquet", label="y", positive="1", prediction="p", cluster="c", by={"g": Group(column="g")})
    people = [f"person {i}" for i in range(300)]
    columns = {"y": ["0", "1"] * 300, "p": ["1"] * 600, "g": ["a", "b", "b"] * 200, "c": [name for name in people for _ in "12"]}
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    tally = engine.tally(sources.table(source, tmp_path, tmp_path), source, ["g"], tmp_path, silent)
    expected = [f"{int(md5(name.encode()).hexdigest()[:2], 16) % 64:02d}" for name in people]
    found = np.bincount(tally.codes_of(tallies.CLUSTER), weights=tally.n)[1:]
    assert dict(zip(tally.values_of(tallies.CLUSTER), found.tolist(), strict=True)) == {name: 2 * expected.count(name) for name in set(expected)}
    blocks = binary.clustered(binary.read(tally, source, "d"), ["g"])
    whole = binary.confusion(binary.read(tally, source, "d"), ["g"])
    assert {place: sum(item.all for item in found) for place, found in blocks.items()} == {place: item.all for place, item in whole.items()}
    assert len(blocks[(("g", "a"),)]) > 50


def test_a_row_without_a_cluster_is_refused(tmp_path: Path) -> None:
    from measuring import facts, table

    table(tmp_path / "d.parquet", {"y": ["1", "0"], "p": ["1", "0"], "c": ["a", None]})
    with pytest.raises(tallies.SourceError, match=r"'c' \(cluster\) is missing in 1 of 2 rows"):
        facts(tmp_path, {"uri": "d.parquet", "label": "y", "positive": "1", "prediction": "p", "cluster": "c"})


def test_rows_without_roles_are_counted(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [0.5, 1.5, 2.5]}), tmp_path / "d.parquet")
    source = Source(uri="d.parquet")
    assert engine.tally(sources.table(source, tmp_path, tmp_path), source, (), tmp_path, silent).rows == 3


def test_more_groups_than_anybody_reads_are_refused_and_others_still_measured(tmp_path: Path) -> None:
    from measuring import facts

    rng = np.random.default_rng(3)
    n = 60_000
    columns = {name: pa.array(rng.integers(0, 200, n)).cast("string") for name in "gh"}
    many = pa.array(np.arange(n) % 6_000).cast("string")
    pq.write_table(pa.table({"y": rng.integers(0, 2, n), "s": rng.random(n), "many": many, **columns}), tmp_path / "d.parquet")
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "score": "s", "cut": "0.5", "by": ["g", "h", "many"]}
    for by, said in ((["many"], "6,000 groups; at most 5,000"), (["g", "h"], "groups; at most 20,000")):
        plan = {"performance": {"measure": "classification", "data": "data", "by": [by]}}
        with pytest.raises(MeasureError, match=said):
            facts(tmp_path, source, plan, suppress_below="0")
    plan = {"performance": {"measure": "classification", "data": "data", "by": ["g"]}}
    assert facts(tmp_path, source, plan, suppress_below="0")["performance/rows"].value == n
