"""The laws of the tally: merging is addition, and the same rows give the same tally however they come."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook import sources
from factbook.engines import duckdb as engine
from factbook.engines import kernel, tallies
from factbook.engines.tallies import Tally, combine
from factbook.manifest import Group, Missing, Source
from factbook.measures import binary
from factbook.model import silent

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
    keys = tallies.score_keys(np.array(scores, dtype=np.float64))
    return tallies.make([tallies.LABEL], [(("0", "1"), np.array(labels, dtype=np.int64) + 1)], keys, np.ones(len(scores), dtype=np.int64), None)


SCORES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


@given(SCORES, SCORES, SCORES)
def test_merging_is_associative_and_commutative_also_across_resolutions(a: list, b: list, c: list) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", 25)
        x, y, z = (tally_of([row[0] for row in rows], [row[1] for row in rows]) for rows in (a, b, c))
        assert ((x + y) + z).digest == (x + (y + z)).digest == (z + y + x).digest == combine((y, z, x)).digest
        assert (x + y + z).digest == tally_of([row[0] for row in a + b + c], [row[1] for row in a + b + c]).digest


@given(st.lists(st.floats(0, 1), min_size=2, max_size=200, unique=True))
def test_bins_keep_the_order_and_hold_their_scores(scores: list[float]) -> None:
    ordered = np.sort(np.array(scores))
    keys = tallies.score_keys(ordered)
    assert (np.diff(keys) > 0).all()
    for resolution in (8, 14, 20, 24):
        bins = tallies._coarse(keys, tallies.EXACT, resolution)
        assert (np.diff(bins) >= 0).all()
        low, high = tallies._edges(bins, resolution)
        assert (low <= ordered).all()
        assert (ordered <= high).all()
        assert (tallies._coarse(tallies._coarse(keys, tallies.EXACT, 8), 8, resolution) == bins).all()


@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([*tallies.TENTHS, *np.nextafter(tallies.TENTHS, 0), *np.nextafter(tallies.TENTHS, 1)]))))
def test_tenths_are_those_of_calibration(scores: list[float]) -> None:
    found = np.array(scores, dtype=np.float64)
    assert (tallies.tenths_of(found) == np.searchsorted(tallies.TENTHS, found)).all()


@given(SCORES)
def test_rows_may_be_binned_at_once(rows: list) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", 12)
        whole = tally_of([row[0] for row in rows], [row[1] for row in rows])
        keys = tallies.score_keys(np.array([row[0] for row in rows], dtype=np.float64))
        columns = [(("0", "1"), np.array([row[1] for row in rows], dtype=np.int64) + 1)]
        once = tallies.make([tallies.LABEL], columns, keys, np.ones(len(rows), dtype=np.int64), None, whole.resolution)
        assert once.digest == whole.digest


def test_above_the_cap_the_area_is_inside_its_hard_bounds() -> None:
    from factbook.manifest import Source as Declared
    from factbook.measures import binary, scores

    rng = np.random.default_rng(2)
    n = 4000
    y = (rng.random(n) < 0.3).astype(np.int64)
    s = 1 / (1 + np.exp(-(rng.normal(size=n) + y)))
    columns = [(("0", "1"), y + 1), (("0", "1"), (s >= 0.5).astype(np.int64) + 1)]
    source = Declared(uri="x", label="y", positive="1", score="s", cut="0.5")

    def area_of() -> tuple[scores.Scored, scores.Area]:
        tally = tallies.make([tallies.LABEL, tallies.PREDICTION], columns, tallies.score_keys(s), np.ones(n, dtype=np.int64), None)
        scored = scores.by_slice(binary.outcomes(tally, source), ())[()]
        return scored, scores.area(scored)

    exact, true = area_of()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tallies, "CAP", 500)
        binned, found = area_of()
    assert exact.exact
    assert not binned.exact
    assert len(binned.low) <= 500
    assert 0 < found.ties < 0.025
    assert abs(found.value - true.value) <= found.ties
    best = scores.average_precision(binned)
    assert best[1] <= scores.average_precision(exact)[0] <= best[2]
    error, slack = scores.calibration_error(binned)
    assert abs(error - scores.calibration_error(exact)[0]) <= slack


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
