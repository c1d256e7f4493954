"""Boxes never overlap, frames hold their own boxes and no others, and the same graph gives the same drawing."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from factbook.parts.layout import arrange

NAMES = [f"box {i}" for i in range(9)]
GRAPHS = st.tuples(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["left", "right"]), max_size=6),
    st.lists(st.tuples(st.floats(20, 200), st.floats(20, 80)), min_size=9, max_size=9),
)


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@given(GRAPHS)
def test_boxes_never_overlap_and_lanes_are_their_own(graph) -> None:
    edges, lanes, measured = graph
    sizes = dict(zip(NAMES, measured, strict=True))
    found = arrange(sizes, lanes, edges, [40.0] * len(edges))
    boxes = {name: (x, y, x + sizes[name][0], y + sizes[name][1]) for name, (x, y) in found.places.items()}
    assert set(boxes) == set(NAMES)
    for i, name in enumerate(NAMES):
        low, high = found.lanes[lanes.get(name, "")]
        assert low - 1e-6 <= boxes[name][1]
        assert boxes[name][3] <= high + 1e-6
        assert boxes[name][2] <= found.size[0] + 1e-6
        assert not any(overlap(boxes[name], boxes[other]) for other in NAMES[i + 1 :])
    spans = sorted(found.lanes.values())
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    assert found == arrange(sizes, lanes, edges, [40.0] * len(edges))


def test_arrows_run_from_left_to_right_unless_they_close_a_cycle() -> None:
    sizes = dict.fromkeys("abc", (50.0, 30.0))
    found = arrange(sizes, {}, [("a", "b"), ("b", "c"), ("c", "a")], [0.0] * 3)
    assert found.places["a"][0] < found.places["b"][0] < found.places["c"][0]
    assert len(found.bends[2]) == 1
