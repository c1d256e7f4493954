"""Measuring what is out of date, as make does; with real processes that are killed and that run at once."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from factbook import manifest
from factbook.errors import BookLocked, FactbookError, SourceError, StorageError, UnknownName
from factbook.evidence import GIT_ATTRIBUTES, Evidence, State, freshness, lock, measure_plan, store
from factbook.model import Key

BOOK = """factbook: 1
subject: {name: risk}
sources:
  holdout: {uri: holdout.csv, label: y, positive: "1", score: p, cut: 0.5, key: id, by: {sex: sex, age: {column: age, cuts: [50]}}}
plan:
  performance: {measure: classification, data: holdout, by: [sex]}
  second: {measure: classification, data: holdout}
"""


def rows(count: int = 400, seed: int = 1) -> str:
    draw = random.Random(seed)
    lines = ["id,y,p,sex,age"]
    for number in range(count):
        y = draw.random() < 0.4
        p = min(1.0, max(0.0, draw.gauss(0.6 if y else 0.35, 0.2)))
        lines.append(f"{number},{int(y)},{p:.3f},{draw.choice(['men', 'women'])},{draw.randint(20, 80)}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "holdout.csv").write_text(rows(), encoding="utf-8")
    (tmp_path / manifest.FILE).write_text(BOOK, encoding="utf-8")
    return tmp_path


def declare(root: Path, old: str, new: str) -> None:
    text = (root / manifest.FILE).read_text(encoding="utf-8")
    assert old in text
    (root / manifest.FILE).write_text(text.replace(old, new), encoding="utf-8")


def measure(root: Path, **options: object) -> dict[str, str]:
    outcomes = measure_plan(root, manifest.load(root)[0], **options)  # type: ignore[arg-type]
    return {outcome.name: outcome.state for outcome in outcomes}


def fresh(root: Path) -> dict[str, tuple[State, str]]:
    return {item.name: (item.state, item.reason) for item in freshness(root, manifest.load(root)[0], Evidence.load(root))}


def test_only_what_is_out_of_date_is_measured(book: Path) -> None:
    assert fresh(book) == {name: (State.MISSING, f"not measured yet: factbook measure --only {name}") for name in ("performance", "second")}
    assert measure(book) == {"performance": "measured", "second": "measured"}
    before = {path: path.stat().st_mtime_ns for path in (book / "evidence").rglob("*.json")}
    assert measure(book) == {"performance": "fresh", "second": "fresh"}
    assert {path: path.stat().st_mtime_ns for path in (book / "evidence").rglob("*.json")} == before
    assert fresh(book) == {name: (State.FRESH, "") for name in ("performance", "second")}
    assert measure(book, names=["second"], force=True) == {"second": "measured"}


@pytest.mark.parametrize(
    ("old", "new", "stale", "reason"),
    [
        ("holdout, by: [sex]", "holdout, by: [age]", {"performance"}, "its slices changed"),
        ("holdout, by: [sex]", "holdout, by: [sex, age]", {"performance"}, "its slices changed"),
        ("cut: 0.5", "cut: 0.4", {"performance", "second"}, "the declaration of source holdout changed"),
        ("cuts: [50]", "cuts: [40]", {"performance", "second"}, "the declaration of source holdout changed"),
        ("subject:", "level: 0.90\nsubject:", {"performance", "second"}, "the level is 0.90, it was 0.95"),
        ("subject:", "suppress_below: 20\nsubject:", {"performance", "second"}, "suppress_below is 20, it was 10"),
    ],
)
def test_what_is_declared_otherwise_is_stale(book: Path, old: str, new: str, stale: set[str], reason: str) -> None:
    measure(book)
    declare(book, old, new)
    found = {name: said for name, (state, said) in fresh(book).items() if state is State.STALE}
    assert stale <= set(found)
    assert all(reason in found[name] for name in stale)
    done = measure(book)
    assert {name for name, state in done.items() if state == "measured"} == set(found)
    assert {state for state, _ in fresh(book).values()} == {State.FRESH}


def test_other_words_and_another_place_change_nothing(book: Path) -> None:
    measure(book)
    (book / "data").mkdir()
    (book / "holdout.csv").rename(book / "data" / "h.csv")
    declare(book, "uri: holdout.csv", "uri: data/h.csv")
    declare(book, "subject: {name: risk}", "subject: {name: risk, owner: somebody}\nstage: draft\ngaps: {ethnicity: {why: not recorded}}")
    assert measure(book) == {"performance": "fresh", "second": "fresh"}


def test_changed_data_is_stale(book: Path) -> None:
    measure(book)
    (book / "holdout.csv").write_text(rows(seed=2), encoding="utf-8")
    assert all(state is State.STALE and "the data of source holdout changed" in said for state, said in fresh(book).values())
    assert measure(book) == {"performance": "measured", "second": "measured"}


def test_the_same_data_touched_is_fresh(book: Path) -> None:
    measure(book)
    os.utime(book / "holdout.csv", (1, 1))
    assert measure(book) == {"performance": "fresh", "second": "fresh"}


def test_data_changed_behind_size_and_time_is_found_by_rehashing(book: Path) -> None:
    measure(book)
    place = book / "holdout.csv"
    was = place.stat()
    place.write_text(rows().replace("women", "WOMEN", 1), encoding="utf-8")
    os.utime(place, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert place.stat().st_size == was.st_size
    read = manifest.load(book)[0]
    assert {item.state for item in freshness(book, read, Evidence.load(book), rehash=True)} == {State.STALE}


def test_absent_data_is_not_judged_and_no_error(book: Path) -> None:
    assert measure(book)["performance"] == "measured"
    (book / "holdout.csv").unlink()
    assert measure(book) == {"performance": "absent", "second": "absent"}
    assert fresh(book)["performance"] == (State.NOT_JUDGED, "source holdout (holdout.csv) is not here")
    declare(book, "cut: 0.5", "cut: 0.4")
    assert fresh(book)["performance"][0] is State.STALE


def test_absent_data_that_was_never_measured_is_missing(book: Path) -> None:
    (book / "holdout.csv").unlink()
    assert measure(book) == {"performance": "absent", "second": "absent"}
    assert fresh(book)["performance"] == (State.MISSING, "source holdout (holdout.csv) is not here")


def test_an_edited_fact_is_stale_and_measured_again(book: Path) -> None:
    measure(book)
    place = book / "evidence/performance.json"
    whole = place.read_bytes()
    place.write_bytes(whole.replace(b'"counts":{"k":', b'"note":"better","counts":{"k":', 1))
    state, said = fresh(book)["performance"]
    assert state is State.STALE
    assert "changed since it was measured, or merged: no run record vouches for performance/" in said
    assert measure(book)["performance"] == "measured"
    assert place.read_bytes() == whole


@pytest.mark.parametrize(
    ("line", "new", "said"),
    [
        (r'"performance/fnr\?sex=women":.*\n\n', "", "1 facts that were measured are not there"),
        (r'"level":"0.95"', '"level":"0.950"', "no run record vouches for the whole of it"),
        (r'\["sex"\],\n\n', "", "no run record vouches for the whole of it"),
    ],
)
def test_what_was_taken_out_of_the_evidence_is_missed(book: Path, line: str, new: str, said: str) -> None:
    measure(book)
    place = book / "evidence/performance.json"
    whole = place.read_text(encoding="utf-8")
    edited, count = re.subn(line, new, whole, count=1)
    assert count == 1
    place.write_text(edited, encoding="utf-8")
    state, reason = fresh(book)["performance"]
    assert state is State.STALE
    assert f"changed since it was measured, or merged: {said}" in reason
    assert measure(book)["performance"] == "measured"
    assert place.read_text(encoding="utf-8") == whole


def test_evidence_without_its_run_record_is_stale(book: Path) -> None:
    measure(book)
    for place in (book / "runs").glob("performance.*"):
        place.unlink()
    assert fresh(book)["performance"][0] is State.STALE
    assert measure(book) == {"performance": "measured", "second": "fresh"}


def test_damaged_evidence_is_measured_again(book: Path) -> None:
    measure(book)
    place = book / "evidence/performance.json"
    whole = place.read_bytes()
    for damage in (b"", b"{", whole[: len(whole) // 2], whole + whole, b"\xff\xfe"):
        place.write_bytes(damage)
        assert measure(book) == {"performance": "measured", "second": "fresh"}
        assert place.read_bytes() == whole


def test_evidence_no_longer_planned_is_reported_and_kept(book: Path) -> None:
    measure(book)
    declare(book, "  second: {measure: classification, data: holdout}\n", "")
    assert measure(book)["second"] == "orphan"
    assert fresh(book)["second"] == (State.ORPHAN, "evidence/second.json is no longer in the plan of factbook.yaml; delete it or plan it again")
    assert (book / "evidence/second.json").is_file()


def test_an_unplanned_name_is_refused(book: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean performance"):
        measure(book, names=["performence"])


def test_a_failed_measurement_keeps_those_before_it(book: Path) -> None:
    measure(book)
    before = (book / "evidence/second.json").read_bytes()
    declare(book, "plan:\n", "  broken: {uri: holdout.csv, label: nothing, positive: '1', prediction: y}\nplan:\n")
    declare(book, "  second: {measure: classification, data: holdout}\n", "  second: {measure: classification, data: broken}\n")
    declare(book, "by: [sex]}", "by: [age]}")
    with pytest.raises(SourceError):
        measure(book)
    assert Evidence.load(book).records["performance"].slices == (("age",),)
    assert (book / "evidence/second.json").read_bytes() == before


def test_temporary_files_of_killed_processes_go(book: Path) -> None:
    for folder in ("evidence", "runs"):
        (book / folder).mkdir(exist_ok=True)
        (book / folder / ".performance.json.abc.tmp").write_text("half", encoding="utf-8")
    measure(book)
    assert list((book / "evidence").rglob("*.tmp")) == []


def test_a_book_that_is_being_written_is_locked(book: Path) -> None:
    with lock(book), pytest.raises(BookLocked):
        measure(book, wait=0.1)


def test_a_place_that_cannot_be_written_is_a_clear_error(book: Path) -> None:
    (book / "evidence").write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"):
        measure(book)


def test_two_books_of_the_same_data_have_the_same_bytes(book: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("another place")
    (other / "holdout.csv").write_bytes((book / "holdout.csv").read_bytes())
    (other / manifest.FILE).write_bytes((book / manifest.FILE).read_bytes())
    environment = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", MEASURE, str(other)], check=True, env=environment, cwd="/")
    measure(book)
    for name in ("performance", "second"):
        assert store.path(book, name).read_bytes() == store.path(other, name).read_bytes()


MEASURE = """
import sys; from pathlib import Path; from factbook import manifest; from factbook.evidence import measure_plan
root = Path(sys.argv[1]); print([item.state for item in measure_plan(root, manifest.load(root)[0], force='force' in sys.argv)])
"""
WRITE = """
import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])
from handmade import count, measured; from factbook.evidence import runs, store
root, run = Path(sys.argv[1]), runs.here(Path(sys.argv[1]))
sets = [measured([count(f"performance/m{i}", i + side) for i in range(400)]) for side in (0, 1)]
while True:
    for side in sets:
        store.write(root, side, run)
        print("written", flush=True)
"""


def test_killed_at_any_moment_the_old_or_the_new_evidence_is_left(tmp_path: Path) -> None:
    draw = random.Random(3)
    whole = [tuple(range(400)), tuple(range(1, 401))]
    seen = set()
    for _ in range(25):
        process = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), str(Path(__file__).parents[1])], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(draw.randint(1, 4)):
            assert process.stdout.readline() == "written\n"
        time.sleep(draw.uniform(0, 0.03))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        evidence = Evidence.load(tmp_path)
        values = tuple(evidence[Key("performance", f"m{i}")].value for i in range(400))
        assert values in whole
        seen.add(values)
        assert evidence.records["performance"].unvouched == ()
        assert len(evidence.records["performance"].runs) == 1
    assert len(seen) == 2


def test_two_processes_at_once_do_no_harm(book: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", MEASURE, str(book)], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=120)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(said) == ["['fresh', 'fresh']", "['fresh', 'fresh']", "['measured', 'measured']"]
    assert {state for state, _ in fresh(book).values()} == {State.FRESH}


def test_a_measuring_process_that_is_killed_leaves_a_book_that_measures(book: Path) -> None:
    measure(book)
    whole = store.path(book, "performance").read_bytes()
    draw = random.Random(5)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", MEASURE, str(book), "force"], stdout=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.2, 1.2))
        process.kill()
        process.wait()
        assert store.path(book, "performance").read_bytes() == whole
    assert set(measure(book).values()) <= {"fresh", "measured"}
    assert {state for state, _ in fresh(book).values()} == {State.FRESH}


def git(folder: Path, *arguments: str) -> int:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, "-C", str(folder), *arguments], capture_output=True, check=False).returncode


@pytest.mark.parametrize(("suppress", "reason"), [(0, "merged from 2 runs"), (10, "what is published of its sources changed")])
def test_two_branches_that_add_slices_merge(book: Path, suppress: int, reason: str) -> None:
    """What has to be hidden depends on all that is published, so where groups are suppressed a merge has to be measured once more."""
    declare(book, "subject:", f"suppress_below: {suppress}\nsubject:")
    declare(
        book, "{measure: classification, data: holdout, by: [sex]}", "\n    measure: classification\n    data: holdout\n    by:\n      - [sex, age]"
    )
    (book / ".gitattributes").write_text(GIT_ATTRIBUTES, encoding="utf-8")
    (book / ".gitignore").write_text(".factbook/\n", encoding="utf-8")
    git(book, "init", "-q")
    for branch, old, new in (
        ("main", "risk", "risk"),
        ("theirs", "      - [sex", "      - sex\n      - [sex"),
        ("ours", "age]\n", "age]\n      - age\n"),
    ):
        assert git(book, "checkout", "-q", "-B", branch, *(["main"] if branch != "main" else [])) == 0
        declare(book, old, new)
        assert measure(book)["performance"] == "measured"
        git(book, "add", "-A")
        assert git(book, "commit", "-q", "-m", branch) == 0
    assert git(book, "merge", "-q", "--no-edit", "theirs") == 0
    assert {key.attributes for key in Evidence.load(book)} >= {("sex",), ("age",), ("age", "sex")}
    state, said = fresh(book)["performance"]
    assert state is (State.STALE if suppress else State.FRESH)
    assert said.startswith(reason)
    assert measure(book)["performance"] == ("measured" if suppress else "fresh")
    assert fresh(book)["performance"][0] is State.FRESH


@pytest.mark.parametrize("act", [measure, fresh])
def test_a_plan_that_cannot_be_measured_is_a_clear_error(book: Path, act: Callable[[Path], object]) -> None:
    declare(book, "data: holdout, by: [sex]", "data: nothing, by: [sex]")
    with pytest.raises(FactbookError, match="there is no source 'nothing'"):
        act(book)
