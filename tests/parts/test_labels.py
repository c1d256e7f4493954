"""Labels of arrows: broken between words, and put where they cover neither boxes nor each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from factbook.parts.labels import columns, settled, wrapped

STRAIGHT = ((0.0, 0.0), (100.0, 0.0), (200.0, 0.0), (300.0, 0.0))


@given(st.text(max_size=80), st.integers(6, 30), st.integers(1, 4))
def test_a_text_is_broken_between_words_and_a_cut_is_marked(text: str, room: int, most: int) -> None:
    lines = wrapped(text, room, most)
    assert len(lines) <= most
    assert all(columns(line) <= room + 8 for line in lines)
    if not any("…" in line for line in lines):
        assert " ".join(lines).split() == text.split()


def test_words_stay_whole_where_they_fit() -> None:
    assert wrapped("asks for suggestions (HTTPS)", 16, 3) == ["asks for", "suggestions", "(HTTPS)"]
    assert wrapped("a b c d", 3, 1) == ["a b…"]


def test_a_label_stands_on_the_middle_of_its_line() -> None:
    left, top, right, bottom = settled((40, 14), [STRAIGHT], [])
    assert ((left + right) / 2, bottom) == (150, -3)
    assert bottom - top == 14


def test_a_label_goes_along_its_line_to_where_there_is_room() -> None:
    box = (120.0, -20.0, 180.0, 20.0)
    left, _, right, _ = settled((40, 14), [STRAIGHT], [box])
    assert right <= 120 or left >= 180
    both = settled((40, 14), [STRAIGHT], [box, (left, -17, right, -3)])
    assert not (both[0] < right and left < both[2])


def test_where_there_is_no_room_it_covers_least() -> None:
    wall = (-100.0, -100.0, 400.0, 100.0)
    assert settled((40, 14), [STRAIGHT], [wall]) == settled((40, 14), [STRAIGHT], [])
