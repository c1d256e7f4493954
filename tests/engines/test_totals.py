"""Totals: sums are exact, merging is addition, and the same rows give the same totals however they come."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook.engines import totals
from factbook.engines.totals import Columns, Counting, Design, Terms, Totals, powers, times
from factbook.statistics.moments import UNIT

NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 1e-300, 1e15, -1e15, 0.1, 2.0**-1074]))
ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", "ä", None]), NUMBERS, NUMBERS), min_size=1, max_size=40)
Row = tuple[str | None, float, float]


def terms(columns: Columns) -> Terms:
    return {f"x{i + 1}": term for i, term in enumerate(powers((columns["x"],), 4))} | {"xz": times((columns["x"],), (columns["z"],))}


def design(room: int = 8) -> Design:
    spreads = {
        "x": Counting(("x",), apart=True, room=room),
        "both": Counting(("x", "z"), room=room, finest=33),
        "along": Counting(("x",), room=room, finest=30, terms=lambda columns: {"z": (columns["z"],)}),
    }
    return Design(terms, ("x", "z"), spreads)


def folded(rows: list[Row], room: int = 8) -> Totals:
    texts = tuple(sorted({group for group, _, _ in rows if group is not None}))
    codes = np.array([0 if group is None else texts.index(group) + 1 for group, _, _ in rows])
    columns = {"x": np.array([x for _, x, _ in rows]), "z": np.array([z for _, _, z in rows])}
    return totals.fold(design(room), {"g": (texts, codes)}, columns, len(rows), {})


@settings(deadline=None, max_examples=40)
@given(ROWS, st.lists(st.integers(0, 3), min_size=40, max_size=40), st.randoms(use_true_random=False))
def test_any_order_and_partitioning_give_the_same_totals(rows, places, random):
    whole = totals.dump(folded(rows))
    mixed = list(zip(rows, places, strict=False))
    random.shuffle(mixed)
    parts = [[row for row, place in mixed if place == part] for part in range(4)]
    several = [folded(part) for part in parts if part]
    assert totals.dump(totals.combine(design(), several)) == whole
    assert totals.dump(totals.combine(design(), several[::-1])) == whole
    one_by_one = several[0]
    for part in several[1:]:
        one_by_one = totals.combine(design(), [one_by_one, part])
    assert totals.dump(one_by_one) == whole
    assert totals.dump(totals.load(whole)) == whole


@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_sums_are_those_of_fractions(rows):
    found = folded(rows)
    names = [(None, *found.values[0])[code] for code in found.blocks[:, 0].tolist()]
    assert found.n.tolist() == [sum(1 for row in rows if row[0] == name) for name in names]
    for i, name in enumerate(names):
        own = [(x, z) for group, x, z in rows if group == name]
        assert Fraction(int(found.sums["x1"][i]), 1 << UNIT) == sum(Fraction(x) for x, _ in own)
        for power in (2, 3, 4):
            exact = sum(Fraction(x) ** power for x, _ in own)
            size = sum(abs(Fraction(x)) ** power for x, _ in own)
            assert abs(Fraction(int(found.sums[f"x{power}"][i]), 1 << UNIT) - exact) <= size * Fraction(1, 1 << 95) + Fraction(
                len(own) * 8, 1 << 1074
            )
        assert found.extremes["x"][i].tolist() == [min(x for x, _ in own), max(x for x, _ in own)]


def within(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Bins of negative values end below 0."""
    return (values >= low) & (values <= high) & ((values != 0) | (low >= 0))


@settings(deadline=None, max_examples=40)
@given(ROWS, st.integers(1, 20))
def test_bins_hold_their_rows_and_are_as_fine_as_fit(rows, room):
    found = folded(rows, room)
    x, z = (np.array([row[i] for row in rows]) + 0.0 for i in (1, 2))
    spread = found.spreads["x"]
    assert len(spread.n) <= max(room, len(found.n) * 4)
    low, high = spread.edges()
    for i, code in enumerate(found.blocks[:, 0].tolist()):
        name = (None, *found.values[0])[code]
        own = x[[row[0] == name for row in rows]]
        inside = spread.cell == i
        assert spread.n[inside].tolist() == [int(within(own, a, b).sum()) for a, b in zip(low[inside], high[inside], strict=True)]
    along = found.spreads["along"]
    for (a, b), sums in zip(zip(*along.edges(), strict=True), along.sums[:, 0].tolist(), strict=True):
        assert Fraction(int(sums), 1 << UNIT) == sum(Fraction(value) for value in z[within(x, a, b)])
    pairs = found.spreads["both"]
    assert int(pairs.n.sum()) == len(rows)
    finer = folded(rows, 1_000).spreads["x"]
    assert finer.shift <= spread.shift


def test_bins_of_opposite_values_are_opposite():
    values = np.array([1.5, 3.25, 1e-5, 7e20])
    low, high = folded([("a", float(value), 0.0) for value in (*values, *-values)], 6).spreads["x"].edges()
    assert sorted(low.tolist()) == sorted((-high).tolist())


def test_what_is_no_totals_is_refused():
    for data in (b"", b"{}\n", totals.dump(folded([("a", 1.0, 2.0)]))[:-5]):
        with pytest.raises(ValueError, match=r"not totals|Expecting value|array"):
            totals.load(data)
