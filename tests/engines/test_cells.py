"""Cells of numbers: nested, in order, as fine as fits, whatever the partitioning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook.engines import cells, sketches
from factbook.engines.cells import COARSEST, ROOM, Floats
from factbook.engines.sketches import Sketch

ODD = [0.0, -0.0, 5e-324, 1e-310, 2.0**-126, -(2.0**-126), 2.0**-126 * (1 - 2.0**-24), 3.4028235e38, 3.40282357e38, 1e200, -1e308, np.inf, -np.inf]


def columns(n: int) -> dict[str, Floats]:
    rng = np.random.default_rng(4)
    near = rng.normal(size=n)
    return {
        "wide": near,
        "town": 48.1 + 0.01 * near,
        "west": -70.2 + 0.01 * near,
        "town with a code for missing": np.where(rng.random(n) < 0.01, 0.0, 48.1 + 0.01 * near),
        "time stamps": 1.7e9 + 1e6 * rng.random(n),
        "a second": 1.7e9 + rng.random(n),
        "both sides": 5 * np.sign(near) + 1e-3 * near,
        "smallest normal float32": 2.0**-126 * (1 + 1e-3 * near),
        "largest float32": 3.4028235e38 * (1 + 1e-8 * near),
        "one infinite": np.append(100 + 0.1 * near[1:], np.inf),
        "bits": np.nan_to_num(np.frombuffer(rng.bytes(8 * n)).copy()),
    }


@pytest.mark.parametrize("name", columns(2))
def test_cells_hold_their_numbers_and_add_up_in_any_partitioning(name: str) -> None:
    values = columns(70_000)[name]
    level, keys, n = cells.counted(values)
    slow = cells.fitted(0, *cells.added(cells.finest(values), np.ones(len(values), dtype=np.int64)))
    assert (level, keys.tolist(), n.tolist()) == (slow[0], slow[1].tolist(), slow[2].tolist())
    lows, highs = cells.edges(level, keys)
    assert (lows <= highs).all()
    assert (highs[:-1] <= lows[1:]).all()
    place = np.searchsorted(keys, cells.finest(values) >> level)
    assert ((lows[place] <= values) & (values <= highs[place])).all()
    assert np.bincount(place).tolist() == n.tolist()
    whole = Sketch("number", len(values), 0, sketches.numbers_of(values))
    parts = [Sketch("number", len(part), 0, sketches.numbers_of(part)) for part in np.array_split(np.random.default_rng(1).permutation(values), 9)]
    assert sketches.combine(parts).digest == whole.digest
    assert sketches.combine([sketches.combine(parts[:4]), *parts[4:]]).digest == whole.digest


@pytest.mark.parametrize("name", columns(2))
def test_the_level_is_the_finest_with_room(name: str) -> None:
    values = columns(70_000)[name]
    level, keys, _ = cells.counted(values)
    assert len(keys) <= ROOM or level == COARSEST
    assert level == 0 or len(np.unique(cells.finest(values) >> (level - 1))) > ROOM


@settings(max_examples=60)
@given(st.lists(st.floats(allow_nan=False) | st.sampled_from(ODD), min_size=1, max_size=60), st.integers(0, COARSEST))
def test_every_level_keeps_the_order_and_holds_its_numbers(values: list[float], level: int) -> None:
    ordered = np.sort(np.array(values) + 0.0)
    keys = cells.finest(ordered) >> level
    assert (np.diff(keys) >= 0).all()
    lows, highs = cells.edges(level, keys)
    assert ((lows <= ordered) & (ordered <= highs)).all()


def test_a_column_far_from_zero_is_told_apart_as_well_as_any() -> None:
    values = 48.1 + 0.01 * np.random.default_rng(0).normal(size=50_000)
    lows, highs = sketches.numbers_of(values).edges
    assert np.median(highs - lows) < 0.01 / 250
