"""The written form: strict readers, RFC 8785, atomic writes."""

from __future__ import annotations

import hashlib
import json
import stat
from contextlib import suppress
from pathlib import Path

import pytest
import rfc8785
import yaml
from hypothesis import given
from hypothesis import strategies as st

from factbook import canon
from factbook.errors import FactbookError, ManifestError, StorageError

CASES = Path(__file__).parent / "cases" / "yaml"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 8785, sections 3.2.2 and 3.2.3, and its appendix B.
        ({"b": 1, "a": [True, None, "€$\u000f\nA'B\"\\\\\"/"]}, '{"a":[true,null,"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"],"b":1}'),
        ([333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "[333333333.3333333,1e+30,4.5,0.002,1e-27]"),
        ([0.0, -0.0, 5e-324, 1.7976931348623157e308], "[0,0,5e-324,1.7976931348623157e+308]"),
        ([1.0, 1e21, 1e20, 0.000001, 1e-7], "[1,1e+21,100000000000000000000,0.000001,1e-7]"),
        ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
         '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'),
        ([2**53 - 1, 2**53, -(2**64)], '[9007199254740991,"9007199254740992","-18446744073709551616"]'),
    ],
)  # fmt: skip
def test_canonical_form(value: object, text: str) -> None:
    assert canon.dumps(value) == text


@given(JSON)
def test_canonical_form_reads_back_and_is_stable(value: object) -> None:
    text = canon.dumps(value)
    assert canon.dumps(canon.loads(text, "x")) == text
    assert "\n" not in text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_every_bit(value: float) -> None:
    assert float(json.loads(canon.dumps(value))) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")], {"a": float("nan")}])
def test_what_is_no_number_has_no_written_form(value: object) -> None:
    with pytest.raises(ValueError, match="no written form"):
        canon.dumps(value)


def test_digest_is_over_the_canonical_form() -> None:
    assert canon.digest({"b": 1.0, "a": 2}) == canon.digest({"a": 2, "b": 1})
    assert canon.digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ('{"a": {"b": 1, "b": 1}}', "'b' is given twice"),
        ("[NaN]", "NaN is not a finite number"),
        ("[-Infinity]", "not a finite number"),
        ("[1e400]", "1e400 is not a finite number"),
        ("[-1e400]", "not a finite number"),
        ("[1,]", "x.json:1:"),
        ("{'a': 1}", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 5000 + "]", "not a finite number"),
        ("", "not JSON"),
        ('[1] [2]', "not JSON"),
        ('["\\ud800"]', "half of a surrogate pair"),
        ("[9007199254740993]", "too large to be exact"),
    ],
)  # fmt: skip
def test_json_is_read_strictly(text: str, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        canon.loads(text, "x.json")
    assert says in str(caught.value)


@pytest.mark.parametrize("case", yaml.safe_load((CASES / "refused.yaml").read_text(encoding="utf-8")), ids=lambda case: case["name"])
def test_yaml_is_read_strictly(case: dict[str, str]) -> None:
    with pytest.raises(ManifestError) as caught:
        canon.load_yaml(case["text"], "x.yaml")
    assert case["says"] in str(caught.value)
    assert "x.yaml:" in str(caught.value)


@pytest.mark.parametrize("text", ["NO", "010", "1:30", "1.50", "~", "null", "true", "0x1F", "1_000", "2026-01-01", "1e3", ".inf", "=", "<<"])
def test_yaml_scalars_stay_text(text: str) -> None:
    tree, _ = canon.load_yaml(f"a: {text}\n", "x.yaml")
    assert tree == {"a": text}


def test_yaml_bombs_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    with pytest.raises(ManifestError, match="repeats a whole block"):
        canon.load_yaml("\n".join(lines), "x.yaml")
    with pytest.raises(ManifestError, match="more than 20 aliases"):
        canon.load_yaml("a: &a x\nb: [" + ", ".join(["*a"] * 21) + "]\n", "x.yaml")
    assert len(canon.load_yaml("a: &a x\nb: [" + ", ".join(["*a"] * 20) + "]\n", "x.yaml")[0]["b"]) == 20
    for deep in ("[" * 5000, "[" * 5000 + "]" * 5000, "{a: " * 3000 + "1" + "}" * 3000, "- " * 3000 + "x"):
        with pytest.raises(ManifestError):
            canon.load_yaml(deep, "x.yaml")


def test_yaml_knows_the_line_of_every_path() -> None:
    tree, lines = canon.load_yaml("a: 1\nb:\n  - x\n  - c: 2\n    d: &k 3\n  - *k\n", "x.yaml")
    assert tree == {"a": "1", "b": ["x", {"c": "2", "d": "3"}, "3"]}
    assert lines[("a",)] == 1
    assert lines[("b", "1", "d")] == 5
    assert lines[("b", "2")] == 6
    assert canon.load_yaml("", "x.yaml")[0] == {}
    assert canon.load_yaml("# only a comment\n", "x.yaml")[0] == {}


@given(st.text(max_size=60))
def test_yaml_reading_only_fails_by_its_own_error(text: str) -> None:
    with suppress(FactbookError):
        canon.load_yaml(text, "x.yaml")


@given(st.text(alphabet=st.sampled_from("[]{}:,\"'0123456789.eE+-naN tfI\\u\n"), max_size=40))
def test_json_reading_only_fails_by_its_own_error(text: str) -> None:
    with suppress(FactbookError):
        canon.loads(text, "x.json")


def test_a_file_is_hashed_piece_by_piece(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(data)
    assert canon.hash_file(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_atomic_write_keeps_the_mode_and_touches_nothing_that_is_already_there(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "file"
    assert canon.write_atomic(place, b"1")
    assert stat.S_IMODE(place.stat().st_mode) == 0o666 & ~canon._umask()
    place.chmod(0o640)
    before = place.stat().st_mtime_ns
    assert not canon.write_atomic(place, b"1")
    assert place.stat().st_mtime_ns == before
    assert canon.write_atomic(place, b"2")
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert [item.name for item in place.parent.iterdir()] == ["file"]


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"file/under.*cannot be written"):
        canon.write_atomic(tmp_path / "file" / "under", b"x")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_a_disk_that_cannot_be_written_is_a_clear_error() -> None:
    with pytest.raises(StorageError, match=r"/proc/book/file: cannot be written"):
        canon.write_atomic(Path("/proc/book/file"), b"x")


def test_a_folder_in_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StorageError):
        canon.write_atomic(tmp_path / "taken", b"x")
    assert [item.name for item in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1.0, -0.0, 0.1, 1e-7, 1e16, 123456789.125, float(2**53), 1.5e300, 5e-324, 0.0001, 0.00001, -1e21]},
        {"\ue000": 1, "\U0001f600": 2, "a": 3},
        {"\u00e9": '\x00\x1f\x7f\u2028"\\/\n\t\b', "": None, "b": [True, False, [], {}]},
        ["\U0001f600", "\ue000", {"Z": 1, "a": {"B": 2.5, "A": -3.0}}],
    ],
)
def test_the_quick_way_writes_what_the_reference_writes(value: object) -> None:
    assert canon.dumps(value) == rfc8785.dumps(value).decode()  # type: ignore[arg-type]


@given(JSON)
def test_anything_is_written_as_the_reference_writes_it(value: object) -> None:
    assert canon.dumps(value) == rfc8785.dumps(value).decode()  # type: ignore[arg-type]


def test_half_of_a_surrogate_pair_has_no_written_form() -> None:
    with pytest.raises(ValueError, match="non-UTF-8"):
        canon.dumps({"a": "\ud800"})
