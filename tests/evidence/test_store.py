"""Evidence files: what is written, what is refused, what merges."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factbook.errors import EvidenceError
from factbook.evidence import GIT_ATTRIBUTES, Evidence, form, identity, runs, store
from factbook.model import Direction, Fact, Key, Origin, Status, Unit
from handmade import count, measured, proportion, save, score

FACTS = (
    proportion("performance/fnr", 37, 190),
    proportion("performance/fnr?sex=men", 16, 142),
    proportion("performance/fnr?sex=women", 21, 48),
    count("performance/rows", 500),
    score("performance/auc", 0.81, 0.77, 0.85),
    Fact(Key.parse("performance/precision?sex=other"), status=Status.UNDEFINED, reason="0 of 0", unit=Unit.FRACTION),
    Fact(Key.parse("performance/fnr?sex=other"), status=Status.SUPPRESSED, reason="fewer than 10", unit=Unit.FRACTION),
)
FILE = "evidence/performance.json"


def edit(root: Path, old: str, new: str, times: int = 1) -> None:
    place = root / FILE
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new, times), encoding="utf-8")


def line_of(root: Path, member: str) -> int:
    lines = (root / FILE).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f'"{member}":'))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    evidence = save(tmp_path, FACTS)
    assert dict(evidence) == {fact.key: fact for fact in FACTS}
    record = evidence.records["performance"]
    assert (record.measure, record.version, record.params, record.slices) == ("classification", 1, {"data": "holdout"}, (("sex",),))
    assert record.inputs["data"].rows == 500
    assert record.run is not None
    assert len(record.runs) == 1
    assert record.unvouched == ()


def test_one_fact_a_line_and_each_line_canonical(tmp_path: Path) -> None:
    save(tmp_path, FACTS)
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert json.loads(text)["schema"] == "factbook/evidence/1"
    lines = [line for line in text.splitlines() if line.startswith('"performance/')]
    assert len(lines) == len(FACTS)
    assert lines == sorted(lines, key=lambda line: line.split('":')[0])
    evidence = Evidence.load(tmp_path)
    for key in evidence:
        file, line = evidence.place(key)
        assert file == FILE
        assert text.splitlines()[line - 1].startswith(f'"{key}":{{')


VALUES = st.one_of(
    st.tuples(st.just(Unit.COUNT), st.integers(0, 2**70)),
    st.tuples(st.just(Unit.QUANTITY), st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.sampled_from([Unit.SCORE, Unit.RATIO, Unit.POINTS, Unit.FRACTION]), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just(Unit.TEXT), st.text(st.characters(exclude_categories=["Cs"]))),
    st.tuples(st.just(Unit.DATE), st.dates() | st.datetimes()),
)


@given(VALUES, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_survives(tmp_path: Path, item: tuple[Unit, int | float | str | dt.date], group: str) -> None:
    unit, value = item
    fact = Fact(Key("performance", "metric", slice=(("sex", group),)), value=value, unit=unit, bounds=(-math.inf, math.inf), origin=Origin.IMPORTED)
    evidence = save(tmp_path, [fact])
    assert dict(evidence) == {fact.key: fact}
    assert type(evidence[fact.key].value) is type(value) or unit is Unit.QUANTITY
    assert evidence.records["performance"].unvouched == ()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(Direction))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_interval_survives(tmp_path: Path, low: float, value: float, high: float, direction: Direction) -> None:
    low, high = min(low, high), max(low, high)
    fact = replace(score("performance/auc", value, low, high), direction=direction, note="bound 2.5e-5")
    assert save(tmp_path, [fact])[fact.key] == fact


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"value":0.4375', '"value":0.4275', "its counts give 21 / 48 = 0.4375"),
        ('"k":21', '"k":22', "its counts give 22 / 48"),
        ('"k":21', '"k":-21', "a count is negative"),
        ('"k":21', '"k":49', "49 of 48 is no proportion"),
        ('"value":0.4375', '"value":1.4375', "outside its bounds"),
        ('"n":48},"direction":"lower"', '"n":47},"direction":"lower"', "its denominator is 48 here and 47 in its counts"),
        ('"value":0.4375', '"value":"0.4375"', "is not a number"),
        ('"value":0.4375', '"value":true', "is not a number"),
        ('"unit":"fraction","value":0.4375', '"unit":"fraction"', "measured, but without a value"),
        ('"unit":"fraction","value":0.4375', '"unit":"percent","value":0.4375', "percent"),
        ('"value":0.4375', '"value":1e400', "not a finite number"),
        ('"value":0.4375', '"value":NaN', "not a finite number"),
        ('"high":0.85', '"high":0.75', "its interval runs from 0.77 to 0.75"),
        ('"low":0.77,', "", "come together or not at all"),
        ('"method":"DeLong",', "", "without its method"),
        ('"level":0.95,"low":0.77', '"level":95,"low":0.77', "is not between 0 and 1"),
        ('"reason":"0 of 0",', "", "undefined without a reason"),
        ('"status":"undefined","unit":"fraction"', '"status":"undefined","unit":"fraction","value":0', "undefined, but with a value"),
        ('"reason":"fewer than 10",', '"counts":{"k":1,"n":3},"reason":"fewer than 10",', "its counts would give it away"),
        ('"value":500', '"value":500.5', "is not an integer"),
        ('"value":500', '"value":500,"colour":"red"', "'colour' is not a member"),
        ('"performance/rows":', '"performance/ro ws":', "is not a fact key"),
        ('"performance/fnr?sex=women":', '"performance/fnr?sex=women#low":', "not the canonical form"),
        ('"performance/rows":', '"fairness/rows":', "belongs into fairness.json"),
        ('"version":1', '"version":"x"', "header cannot be used"),
        ('"version":1', '"version":1.5', "header cannot be used"),
        ('"rows":500', '"rows":"many"', "header cannot be used"),
        ('"rows":500', '"rows":500,"colour":1', "header cannot be used"),
        ('"source":"holdout"', '"source":7', "header cannot be used"),
        ('"params":{"data":"holdout"}', '"params":7', "header cannot be used"),
        ('"version":1,', "", "'version' is missing"),
        ('"name":"performance"', '"name":"other"', "it holds the evidence 'other'"),
        ("factbook/evidence/1", "factbook/evidence/9", "this is not factbook/evidence/1"),
        ('"measure":"classification",', '"measure":"classification","colour":1,', "'colour' is not known here"),
        ('"performance/rows":{', '"performance/rows":[{', "not JSON"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    save(tmp_path, FACTS)
    edit(tmp_path, old, new)
    with pytest.raises(EvidenceError) as caught:
        Evidence.load(tmp_path)
    assert says in str(caught.value)
    assert FILE in str(caught.value)
    assert "factbook measure --only performance" in str(caught.value)


def test_a_contradiction_names_its_line(tmp_path: Path) -> None:
    save(tmp_path, FACTS)
    edit(tmp_path, '"value":0.4375', '"value":0.4475')
    line = line_of(tmp_path, "performance/fnr?sex=women")
    with pytest.raises(EvidenceError, match=rf"{FILE}:{line}: performance/fnr\?sex=women: its value is 0\.4475"):
        Evidence.load(tmp_path)


def test_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    save(tmp_path, FACTS)
    edit(tmp_path, '"value":0.4375', '"value":0.4475')
    (tmp_path / "evidence/other.json").write_text("{", encoding="utf-8")
    (tmp_path / "evidence/binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvidenceError) as caught:
        Evidence.load(tmp_path)
    assert all(said in str(caught.value) for said in ("0.4475", "other.json:1", "binary.json: cannot be read"))


@pytest.mark.parametrize(
    "fact",
    [
        replace(FACTS[0], value=math.nan),
        replace(FACTS[0], high=math.inf),
        replace(FACTS[0], low=0.9),
        replace(FACTS[0], value=0.5),
        replace(FACTS[3], value=1.5),
        replace(FACTS[5], reason=""),
        Fact(Key.parse("other/rows"), value=1, unit=Unit.COUNT),
        Fact(Key.parse("performance/rows#n"), value=1, unit=Unit.COUNT),
        FACTS[0],
    ],
)
def test_a_mistaken_measure_writes_nothing(tmp_path: Path, fact: Fact) -> None:
    with pytest.raises(EvidenceError, match="mistake in the measure"):
        save(tmp_path, (FACTS[0], replace(fact)) if fact.key != FACTS[0].key or fact == FACTS[0] else (fact,))
    assert not (tmp_path / "evidence").exists()


def test_a_value_changed_with_its_counts_is_vouched_for_by_no_run(tmp_path: Path) -> None:
    save(tmp_path, [count("performance/rows", 500), count("performance/tp", 7)])
    edit(tmp_path, '"value":500', '"value":501')
    record = Evidence.load(tmp_path).records["performance"]
    assert [str(key) for key in record.unvouched] == ["performance/rows"]


def test_changed_inputs_in_the_header_void_every_fact(tmp_path: Path) -> None:
    save(tmp_path, FACTS)
    edit(tmp_path, "sha256:00", "sha256:01")
    assert len(Evidence.load(tmp_path).records["performance"].unvouched) == len(FACTS)


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_edit_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    """One changed, removed or inserted byte: refused, or vouched for by no run, or no change of what the file says."""
    whole = save(tmp_path, FACTS)
    place = tmp_path / FILE
    text = place.read_bytes()
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.sampled_from(list(b'0123456789.,-+eE"{}[]: \nabcn')).map(lambda byte: bytes([byte])) | st.just(b""))
    place.write_bytes(text[:at] + new + text[at + data.draw(st.integers(0, 1)) :])
    try:
        read = Evidence.load(tmp_path)
    except EvidenceError:
        return
    finally:
        place.write_bytes(text)
    before, after = whole.records["performance"], read.records["performance"]
    if dict(read) != dict(whole):
        assert after.unvouched or not after.runs or after.merged
        assert after.digest != before.digest
    if after.digest == before.digest:
        assert dict(read) == dict(whole)


def test_formatting_and_order_of_the_file_change_nothing(tmp_path: Path) -> None:
    before = save(tmp_path, FACTS).records["performance"]
    place = tmp_path / FILE
    tree = json.loads(place.read_text(encoding="utf-8"))
    tree["facts"] = dict(reversed(tree["facts"].items()))
    place.write_text(json.dumps(tree, indent=4), encoding="utf-8")
    after = Evidence.load(tmp_path).records["performance"]
    assert (after.digest, after.run, after.unvouched) == (before.digest, before.run, ())


def test_earlier_run_records_go(tmp_path: Path) -> None:
    save(tmp_path, FACTS)
    save(tmp_path, FACTS[:3])
    (found,) = (tmp_path / "runs").iterdir()
    run = Evidence.load(tmp_path).records["performance"].run
    assert run is not None
    assert found == runs.path(tmp_path, "performance", run)


def test_names_that_begin_alike_keep_their_run_records(tmp_path: Path) -> None:
    for name in ("a", "a.b", "a-b"):
        store.write(tmp_path, replace(measured([], name=name)), runs.here(tmp_path))
    store.write(tmp_path, replace(measured([count("a/rows", 1)], name="a")), runs.here(tmp_path))
    assert all(record.run is not None and not record.unvouched for record in Evidence.load(tmp_path).records.values())
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_identity_covers_the_fact_and_its_origins_and_nothing_else(tmp_path: Path) -> None:
    fact = FACTS[0]
    record = store.write(tmp_path, measured(FACTS), runs.here(tmp_path))
    same = identity(fact, record)
    other_run = replace(runs.here(tmp_path), measured="1999-01-01T00:00:00Z", tools={"python": "2"}, commit="f" * 40, dirty=True, host="VAX")
    assert identity(fact, replace(record, runs=(other_run,), level="0.9", suppress_below=3, slices=())) == same
    changed = {
        "key": identity(replace(fact, key=Key.parse("performance/fnr?a=b")), record),
        "value": identity(replace(fact, value=0.25, counts={"k": 1, "n": 4}, n=4), record),
        "interval": identity(replace(fact, low=0.01), record),
        "level": identity(replace(fact, level=0.9), record),
        "method": identity(replace(fact, method="other"), record),
        "origin": identity(replace(fact, origin=Origin.DECLARED), record),
        "version": identity(fact, replace(record, version=2)),
        "measure": identity(fact, replace(record, measure="x")),
        "params": identity(fact, replace(record, params={"data": "holdout", "bins": "10"})),
        "input": identity(fact, replace(record, inputs={"data": replace(record.inputs["data"], digest="sha256:1")})),
        "declaration": identity(fact, replace(record, inputs={"data": replace(record.inputs["data"], declaration="sha256:1")})),
    }
    assert len({same, *changed.values()}) == len(changed) + 1


PROGRAM = """
import sys; from pathlib import Path
sys.path[:0] = [sys.argv[2], sys.argv[2] + "/evidence"]
from test_store import FACTS, save
save(Path(sys.argv[1]), FACTS)
"""


def test_the_same_bytes_in_any_place_time_zone_locale_and_hash_seed(tmp_path: Path) -> None:
    found = set()
    for number, (zone, locale, seed) in enumerate([("UTC", "C", "0"), ("Asia/Kathmandu", "C.UTF-8", "1"), ("America/St_Johns", "POSIX", "4242")]):
        root = tmp_path / f"book {number} ü"
        root.mkdir()
        environment = {**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1700000000", "PYTHONUTF8": "0"}
        program = [sys.executable, "-c", PROGRAM, str(root), str(Path(__file__).parents[1])]
        subprocess.run(program, check=True, env=environment, cwd=root if number else tmp_path)
        found.add(tuple((item.relative_to(root).as_posix(), item.read_bytes()) for item in sorted(root.rglob("*.json"))))
    assert len(found) == 1
    assert b'"measured":"2023-11-14T22:13:20Z"' in next(iter(found))[1][1]


def test_branches_that_measure_the_same_again_merge(tmp_path: Path) -> None:
    assert merge(tmp_path, MANY, MANY, MANY) == 0
    record = Evidence.load(tmp_path).records["performance"]
    assert (record.merged, record.unvouched) == (False, ())


def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=check, capture_output=True, text=True, env={**os.environ, **who})


def merge(root: Path, base: tuple[Fact, ...], ours: tuple[Fact, ...], theirs: tuple[Fact, ...], attributes: str = GIT_ATTRIBUTES) -> int:
    """Commit base, make a branch of each side, and merge them with plain git; returns git's exit code."""
    git(root, "init", "-q", "-b", "main")
    (root / ".gitattributes").write_text(attributes, encoding="utf-8")
    for seconds, (branch, facts) in enumerate((("main", base), ("theirs", theirs), ("ours", ours))):
        if branch != "main":
            git(root, "checkout", "-q", "-b", branch, "main")
        save(root, facts, seconds=seconds)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", branch)
    return git(root, "merge", "-q", "--no-edit", "theirs", check=False).returncode


MANY = tuple(count(f"performance/m{number}", number) for number in range(24))


def changed(*numbers: int) -> tuple[Fact, ...]:
    return tuple(replace(fact, value=900 + number) if number in numbers else fact for number, fact in enumerate(MANY))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((2,), (3,)), ((0,), (1,)), ((0, 2, 4), (1, 3, 5)), (tuple(range(0, 24, 2)), tuple(range(1, 24, 2))), ((5,), (0,)), ((22,), (23,))],
)
@pytest.mark.parametrize("attributes", [GIT_ATTRIBUTES, ""])
def test_branches_that_change_different_facts_merge(tmp_path: Path, ours: tuple[int, ...], theirs: tuple[int, ...], attributes: str) -> None:
    assert merge(tmp_path, MANY, changed(*ours), changed(*theirs), attributes) == 0
    evidence = Evidence.load(tmp_path)
    assert dict(evidence) == {fact.key: fact for fact in changed(*ours, *theirs)}
    record = evidence.records["performance"]
    assert (len(record.runs), record.unvouched) == (2, ())


def test_branches_that_add_slices_merge(tmp_path: Path) -> None:
    sex = tuple(proportion(f"performance/fnr?sex={group}", 5, 20) for group in ("men", "women"))
    age = tuple(proportion(f"performance/fnr?age={group}", 3, 20) for group in ("<40", "40+"))
    assert merge(tmp_path, MANY, MANY + sex, MANY + age) == 0
    evidence = Evidence.load(tmp_path)
    assert set(evidence) == {fact.key for fact in (*MANY, *sex, *age)}
    record = evidence.records["performance"]
    assert (record.slices, len(record.runs), record.unvouched) == ((("age",), ("sex",)), 2, ())


def test_branches_that_remove_and_change_different_facts_merge(tmp_path: Path) -> None:
    assert merge(tmp_path, MANY, MANY[:2] + MANY[3:], changed(4)) == 0
    assert set(Evidence.load(tmp_path)) == {fact.key for fact in MANY if fact != MANY[2]}


def test_a_true_conflict_is_refused_with_its_lines(tmp_path: Path) -> None:
    ours, theirs = changed(2), tuple(replace(fact, value=7) if number == 2 else fact for number, fact in enumerate(MANY))
    merge(tmp_path, MANY, ours, theirs)
    with pytest.raises(
        EvidenceError, match=r"performance\.json:\d+: 'performance/m2' stands here and in line \d+.*\n.*factbook measure --only performance"
    ):
        Evidence.load(tmp_path)


def test_two_measurements_of_different_data_are_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text(GIT_ATTRIBUTES, encoding="utf-8")
    for branch, digest in (("main", "sha256:00"), ("theirs", "sha256:01"), ("ours", "sha256:02")):
        if branch != "main":
            git(tmp_path, "checkout", "-q", "-b", branch, "main")
        save(tmp_path, MANY, digest)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "-m", branch)
    git(tmp_path, "merge", "-q", "--no-edit", "theirs", check=False)
    with pytest.raises(EvidenceError, match="'inputs' stands here and in line"):
        Evidence.load(tmp_path)


def test_facts_of_old_data_merged_under_new_data_are_vouched_for_by_no_run(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text(GIT_ATTRIBUTES, encoding="utf-8")
    added = count("performance/added", 1)
    for branch, digest, facts in (("main", "sha256:00", MANY), ("theirs", "sha256:01", MANY), ("ours", "sha256:00", (*MANY, added))):
        if branch != "main":
            git(tmp_path, "checkout", "-q", "-b", branch, "main")
        save(tmp_path, facts, digest)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "-m", branch)
    assert git(tmp_path, "merge", "-q", "--no-edit", "theirs", check=False).returncode == 0
    assert Evidence.load(tmp_path).records["performance"].unvouched == (added.key,)


def test_an_unfinished_merge_is_refused(tmp_path: Path) -> None:
    merge(tmp_path, MANY, changed(2), tuple(replace(fact, value=7) for fact in MANY), "")
    with pytest.raises(EvidenceError, match="an unfinished merge"):
        Evidence.load(tmp_path)


def test_the_run_knows_the_checkout(tmp_path: Path) -> None:
    assert runs.here(tmp_path).dirty is None or runs.here(tmp_path).commit
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a").write_text("1", encoding="utf-8")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "x")
    commit = git(tmp_path, "rev-parse", "HEAD").stdout.strip()
    assert (runs.here(tmp_path).commit, runs.here(tmp_path).dirty) == (commit, False)
    (tmp_path / "a").write_text("2", encoding="utf-8")
    assert runs.here(tmp_path).dirty is True


def test_a_damaged_run_record_is_refused(tmp_path: Path) -> None:
    save(tmp_path, FACTS)
    (place,) = (tmp_path / "runs").iterdir()
    redated = re.sub(r'"measured":"\d+', '"measured":"1999', place.read_text(encoding="utf-8"))
    for text in ("{", "[]", '{"schema":"factbook/run/1"}', '{"schema":"factbook/run/2"}', redated):
        place.write_text(text, encoding="utf-8")
        with pytest.raises(EvidenceError, match="runs/performance"):
            Evidence.load(tmp_path)


def test_a_line_is_the_same_whoever_wrote_it() -> None:
    fact = FACTS[0]
    assert form.load(fact.key, form.dump(fact), "x") == fact
