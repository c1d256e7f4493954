"""Keys and facts."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factbook.errors import KeySyntaxError
from factbook.model import FIELDS, Fact, Key, Status, encode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
PAIRS = st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3).map(lambda items: tuple(sorted(items.items())))
KEYS = st.builds(Key, NAMES, NAMES, PAIRS, PAIRS, st.sampled_from(["", *FIELDS[1:]]))


@given(KEYS)
def test_keys_round_trip(key: Key) -> None:
    assert Key.parse(str(key)) == key
    assert str(Key.parse(str(key))) == str(key)


@given(KEYS)
def test_keys_can_stand_in_a_markdown_destination_and_a_table_cell(key: Key) -> None:
    text = str(key)
    assert not set(text) & set(' \t\r\n()[]{}\\`|"')
    assert text.isprintable()


@given(KEYS, KEYS)
def test_different_keys_have_different_texts(one: Key, other: Key) -> None:
    assert (str(one) == str(other)) is (one == other)


@given(st.text(max_size=30))
def test_reading_a_key_only_fails_by_its_own_error(text: str) -> None:
    with suppress(KeySyntaxError):
        assert str(Key.parse(str(Key.parse(text)))) == str(Key.parse(text))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("performance/fnr", "performance/fnr"),
        ("performance/fnr?sex=women&age_band=<40", "performance/fnr?age_band=<40&sex=women"),
        ("performance/fnr?age_band=60+", "performance/fnr?age_band=60+"),
        ("performance/fnr?age_band=60%2B", "performance/fnr?age_band=60+"),
        ("data/share;value=1;column=y", "data/share;column=y;value=1"),
        ("performance/fnr?name=%3Ch1%3EPASS%3C/h1%3E", "performance/fnr?name=<h1>PASS</h1>"),
        ("performance/fnr?a=x%26y%3Dz%23low", "performance/fnr?a=x%26y%3Dz%23low"),
        ("performance/fnr?a=", "performance/fnr?a="),
        ("performance/fnr#value", "performance/fnr"),
        ("performance/fnr?a=b#low", "performance/fnr?a=b#low"),
        ("performance/fnr?place=M%C3%BCnchen", "performance/fnr?place=München"),
    ],
)
def test_keys_have_one_canonical_text(text: str, canonical: str) -> None:
    assert str(Key.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a fact key"),
        ("fnr", "is not a fact key"),
        ("/fnr", "is not a fact key"),
        ("performance/", "is not a fact key"),
        ("performance/fnr/x", "is not a fact key"),
        ("performance/f nr", "is not a fact key"),
        ("performance/fnr#height", "no field 'height'"),
        ("performance/fnr#", "no field ''"),
        ("performance/fnr?sex", "not of the form name=value"),
        ("performance/fnr?", "not of the form name=value"),
        ("performance/fnr?=women", "not of the form name=value"),
        ("performance/fnr?sex=a&sex=b", "given twice"),
        ("performance/fnr?sex=a&s%65x=b", "given twice"),
        ("performance/fnr?sex=50%", "a lone %"),
        ("performance/fnr?sex=%zz", "a lone %"),
        ("performance/fnr?sex=%ff", "not UTF-8"),
        ("performance/fnr;", "not of the form name=value"),
    ],
)
def test_what_is_no_key_is_refused(text: str, says: str) -> None:
    with pytest.raises(KeySyntaxError, match=says):
        Key.parse(text)


def test_a_slice_is_another_key_of_the_same_metric() -> None:
    key = Key.parse("performance/fnr?sex=women")
    assert str(key.sliced({"sex": "men", "age": "<40"})) == "performance/fnr?age=<40&sex=men"
    assert key.attributes == ("sex",)
    assert Key.parse("performance/fnr#low").whole() == Key.parse("performance/fnr")


def test_a_fact_without_a_value_is_not_measured() -> None:
    key = Key.parse("performance/fnr")
    assert Fact(key, value=0.0).measured
    assert not Fact(key, status=Status.UNDEFINED, reason="0 of 0").measured
    assert Fact(key, value=0.5, low=0.4).interval is None
    assert Fact(key, value=0.5, low=0.4, high=0.6).interval == (0.4, 0.6)


def test_encode_leaves_readable_text_alone() -> None:
    assert encode("<40 and 60+, Größe") == "<40%20and%2060+,%20Größe"
