"""Hints of personal data: what is found, what only looks like it, and that no value comes out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factbook.measures import personal
from factbook.model import Status
from measuring import facts, run, table

PLAN = {"data": {"measure": "profile", "data": "data"}}
REAL = {
    "ann.bee@example.org": "e-mail",
    "write to x+y@mail.example.co.uk.": "e-mail",
    "DE89 3704 0044 0532 0130 00": "IBAN",
    "GB82WEST12345698765432": "IBAN",
    "4111 1111 1111 1111": "card",
    "378282246310005": "card",
    "078-05-1120": "national-number",
    "QQ 12 34 56 C": "",
    "AB 12 34 56 C": "national-number",
    "12345678Z": "national-number",
    "X1234567L": "national-number",
    "2 69 05 49 588 157 80": "national-number",
    "RSSMRA85T10A562S": "national-number",
    "192.168.0.1": "IP",
    "+49 30 1234567": "telephone",
    "(030) 123456": "telephone",
    "555-123-4567": "telephone",
    "DE88 3704 0044 0532 0130 00": "",
    "4111 1111 1111 1112": "",
    "0000 0000 0000 0000": "",
    "12345678A": "",
    "000-12-3456": "",
    "2026-01-31 12:00": "",
    "0.22100000381469725": "",
    "1.2.3.4.5": "",
    "300.1.1.1": "",
    "a @ b": "",
}


@pytest.mark.parametrize(("text", "kind"), REAL.items())
def test_kinds(text: str, kind: str) -> None:
    assert set(personal.found(text)) == ({kind} if kind else set()), text


WRITTEN = [*(text for text, kind in REAL.items() if kind), "+358 (0) 12345", "(030) 12345", "X-1234567-L", "0171/123 4567", "1234567E+05"]


@given(st.sampled_from(WRITTEN), st.lists(st.tuples(st.integers(0, 40), st.sampled_from([*"09 -./()+_AZe@", ""])), max_size=3))
def test_the_sieve_lets_no_kind_through(text: str, changes: list[tuple[int, str]]) -> None:
    pc = pytest.importorskip("pyarrow.compute")
    for place, put in changes:
        text = text[:place] + put + text[place + 1 :]
    if personal.found(text):
        assert re.search(personal.PREFILTER, text)
        assert pc.match_substring_regex([text], personal.PREFILTER).to_pylist() == [True]


@given(st.floats(-personal.SMALLEST, personal.SMALLEST, exclude_min=True, exclude_max=True))
def test_small_numbers_are_no_personal_data(number: float) -> None:
    assert not personal.found(repr(number))
    assert not personal.found(f"{number:E}")


def test_a_column_of_short_telephone_numbers_is_found(tmp_path: Path) -> None:
    table(tmp_path / "d.parquet", {"contact": [f"(030) 12{n}45" for n in range(10)], "x": list(range(10))})
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    assert found["data/personal_data;column=contact;kind=telephone"].value == 10


def test_one_number_is_one_kind() -> None:
    assert personal.found("call 0171 1234567 or x@y.org, DE89370400440532013000") == {"e-mail": 1, "IBAN": 1, "telephone": 1}


@given(st.integers(10**14, 10**15 - 1))
def test_one_check_digit_of_ten_is_right(number: int) -> None:
    assert sum(personal.luhn(f"{number}{digit}") for digit in range(10)) == 1


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("email", "e-mail address"),
        ("firstName", "name of a person"),
        ("customer_name", "name of a person"),
        ("dob", "date of birth"),
        ("phone_no", "telephone number"),
        ("IPAddress", "IP address"),
        ("shipping", ""),
        ("rownames", ""),
        ("country_name", ""),
        ("platform", ""),
        ("voice_mail_plan", ""),
        ("status", ""),
    ],
)
def test_names_of_columns(column: str, kind: str) -> None:
    assert personal.named(column) == kind


def test_a_profile_counts_rows_and_shows_no_value(tmp_path: Path) -> None:
    mail = ["ann@example.org", "bob@example.org", None, "none"] * 5
    table(
        tmp_path / "d.parquet", {"contact": mail, "dob": ["1990-01-01"] * 20, "note": ["call +49 30 1234567", "nothing"] * 10, "x": list(range(20))}
    )
    found = facts(tmp_path, {"uri": "d.parquet"}, PLAN)
    assert found["data/personal_data;column=contact;kind=e-mail"].value == 10
    assert found["data/personal_data;column=note;kind=telephone"].value == 10
    assert found["data/personal_columns"].value == 3
    measured = run(tmp_path, {"uri": "d.parquet"}, PLAN)["data"]
    said = json.dumps([[str(fact.key), str(fact.value), fact.note, fact.reason] for fact in measured.facts]) + str(measured.warnings)
    assert "ann" not in said
    assert "1234567" not in said


def test_groups_that_stay_hidden_are_left_out(tmp_path: Path) -> None:
    town = ["Ulm"] * 30 + ["Bonn"] * 3 + ["Kiel"] * 27
    table(tmp_path / "d.parquet", {"town": town, "y": [str(i % 2) for i in range(60)], "x": [float(i) for i in range(60)]})
    source = {"uri": "d.parquet", "label": "y", "positive": "1", "by": ["town"]}
    found = facts(tmp_path, source, PLAN, suppress_below="10")
    hidden = [key for key, fact in found.items() if fact.status is Status.SUPPRESSED]
    assert any("share;column=y" in key for key in hidden)
    assert not [key for key in found if "=town" in key and ("cramers_v" in key or "label_explained" in key or "correlation_ratio" in key)]
