"""The command line as a user meets it: processes, exit codes, streams."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from made import INIT, predictions

HEAVY = ("pandas", "numpy", "duckdb", "sklearn", "pyarrow", "typst", "rich", "pydantic")


def factbook(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "factbook", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("cli")
    predictions(where / "rows.csv")
    (where / "empty.csv").write_text("y,p\n", encoding="utf-8")
    (where / "unlabelled.csv").write_text("y,p\n,0.5\n,0.7\n", encoding="utf-8")
    done = factbook("init", "book", "--data", "rows.csv", *INIT, cwd=where)
    assert done.returncode == 0, done.stderr
    return where


def test_help_is_instant_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys; from factbook.cli import main; main(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert min(_seconds(tmp_path) for _ in range(5)) < 0.3


def _seconds(place: Path) -> float:
    """The processor time of one `--help`: a loaded machine makes it wait, but hardly makes it work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    factbook("--help", cwd=place)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_what_a_command_does_fits_its_line_of_the_help(tmp_path: Path) -> None:
    lines = factbook("--help", cwd=tmp_path, COLUMNS="80").stdout.partition("Commands:")[2].splitlines()
    assert lines
    assert [line for line in lines if line.rstrip().endswith("...")] == []


@pytest.mark.parametrize("command", ["init", "new", "measure", "update", "check", "build", "facts", "demo"])
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    done = factbook(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Usage: factbook" in done.stdout


def test_a_form_that_there_is_not_names_those_that_there_are_before_anything_is_checked(tmp_path: Path) -> None:
    done = factbook("check", "nowhere", "--format", "nope", cwd=tmp_path)
    assert done.returncode == 2
    assert "nope" in done.stderr
    assert {"text", "json", "sarif", "junit", "github", "markdown"} <= {word.strip(",.:") for word in done.stderr.split()}


def test_build_and_check_are_clean_at_birth(place: Path) -> None:
    for command in (("build", "book", "--to", "html"), ("check", "book"), ("update", "book"), ("measure", "book")):
        done = factbook(*command, cwd=place)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""


def test_facts_are_objects_for_a_machine(place: Path) -> None:
    done = factbook("facts", "book", "performance/fnr?sex=female", "--json", cwd=place)
    (fact,) = json.loads(done.stdout)
    assert {"fact", "value", "low", "high", "level", "method", "n", "counts", "status", "reason", "origin"} <= fact.keys()
    assert fact["fact"] == "performance/fnr?sex=female"
    assert fact["value"] == fact["counts"]["k"] / fact["counts"]["n"]
    lines = factbook("facts", "book", "performance/fnr*", cwd=place).stdout.splitlines()
    assert lines[0].split("\t")[0] == "performance/fnr"
    assert json.loads(factbook("facts", "book", "none/*", "--json", cwd=place).stdout) == []


def test_check_names_file_line_column_and_exits_with_1(place: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(place, tmp_path / "copy")
    card = tmp_path / "copy/book/documents/model-card.md"
    text = card.read_text(encoding="utf-8")
    lines = text.splitlines()
    line = next(number for number, content in enumerate(lines, 1) if "(fact:performance/rows)" in content)
    card.write_text(text.replace("[240](fact:performance/rows)", "[241](fact:performance/rows)"), encoding="utf-8")
    done = factbook("check", "book", "--json", cwd=tmp_path / "copy")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["file"], finding["line"], finding["name"]) == ("documents/model-card.md", line, "text-equals-fact")
    spoken = factbook("check", "book", cwd=tmp_path / "copy")
    assert f"book/documents/model-card.md:{line}:" in spoken.stdout
    assert "1 finding" in spoken.stdout
    assert factbook("build", "book", cwd=tmp_path / "copy").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "nowhere"), "there is no book in nowhere"),
        (("facts", "book", "performance/fnrr"), "did you mean performance/fnr"),
        (("new", "novel", "book"), "no kind of document 'novel'"),
        (("new", "model-card", "book"), "exists already"),
        (("build", "book", "--to", "paper"), "no target 'paper'"),
        (("measure", "book", "--only", "speed"), "no planned measurement 'speed'"),
        (("init", "book", "--data", "rows.csv", "--label", "y", "--score", "p"), "exists already"),
        (("init", "new", "--label", "y"), "--data"),
        (("init", "new", "--data", "rows.csv", "--label", "z", "--score", "p"), "no column 'z'"),
        (("init", "new", "--data", "rows.csv", "--label", "y", "--score", "p", "--cut", "35"), "cut: Input should be less than or equal to 1"),
        (("init", "new", "--data", "rows.csv", "--label", "y", "--score", "p", "--cut", "half"), "cut: Input should be a valid decimal"),
        (("init", "new", "--data", "rows.csv", "--label", "y", "--score", "p", "--missing", "label=guess"), "missing.label: Input should be"),
        (("init", "new", "--data", "rows.csv", "--label", "y", "--score", "p", "--missing", "sex=drop"), "missing.sex: is not known here"),
        (("init", "new", "--data", "empty.csv", "--label", "y", "--score", "p"), "empty.csv: no rows"),
        (("init", "new", "--data", "unlabelled.csv", "--label", "y", "--score", "p"), "the label 'y' is missing in all 2 rows"),
        (("init", "new", "--data", "\udcff.csv", "--label", "y", "--score", "p"), "is not UTF-8"),
        (("fly",), "No such command"),
    ],
)
def test_unusable_input_is_one_message_and_exits_with_2(place: Path, arguments: tuple[str, ...], said: str) -> None:
    done = factbook(*arguments, cwd=place)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not [path.name for path in place.iterdir() if path.name == "new" or path.name.startswith(".new")]


def test_a_wide_table_is_begun_without_reading_it_once_a_column(tmp_path: Path) -> None:
    """4,000 columns; reading the file twice for each of them took minutes."""
    names = ["y", "p", *(f"c{number}" for number in range(4000))]
    rows = [[str(row % 2), str(row // 2 % 2), *["1"] * 4000] for row in range(20)]
    (tmp_path / "b").mkdir()
    (tmp_path / "wide.csv").write_text("\n".join(",".join(row) for row in [names, *rows]), encoding="utf-8")
    code = (
        "from pathlib import Path; from factbook import start; "
        "start.propose(start.Predictions('wide.csv', 'y', prediction='p'), Path('b').absolute(), Path('b').absolute())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_damaged_manifest_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "factbook.yaml").write_text("factbook: 1\nsubject: {name: x}\nstages: draft\n", encoding="utf-8")
    done = factbook("check", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "factbook.yaml:3" in done.stderr


def test_a_reader_that_leaves_is_no_error(place: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m factbook facts book | head -n 1; echo ${{PIPESTATUS[0]}}"], cwd=place, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] in {"0", "141"}


def test_a_full_disk_is_one_message(place: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "factbook", "facts", "book"], cwd=place, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def _terminal(command: list[str], cwd: Path, **environment: str) -> str:
    """What a command prints on a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command, cwd=cwd, stdout=follower, stderr=follower, stdin=follower, env={**os.environ, "TERM": "xterm-256color", **environment}
    )
    os.close(follower)
    said = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        said += chunk
    process.wait()
    os.close(leader)
    return said.decode()


@pytest.mark.parametrize("redirect", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(redirect: str, place: Path) -> None:
    done = subprocess.run(["sh", "-c", f"{sys.executable} -m factbook check book {redirect}"], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_output_is_utf_8_in_every_locale(locale: dict[str, str], place: Path) -> None:
    command = [sys.executable, "-m", "factbook", "facts", "book", "performance/fnr"]
    done = subprocess.run(command, cwd=place, capture_output=True, env={**os.environ, **locale})
    assert done.returncode == 0, done.stderr
    assert "–" in done.stdout.decode("utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interruption_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    """Ended by Ctrl-C, or by `kill`, while the book is in the making."""
    predictions(tmp_path / "rows.csv", 60_000)
    command = [sys.executable, "-m", "factbook", "init", "book", "--data", "rows.csv", *INIT]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while not list(tmp_path.glob(".book.*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    assert "interrupted" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_colour_is_for_terminals_that_want_it(place: Path) -> None:
    command = [sys.executable, "-m", "factbook", "check", "book"]
    assert "\x1b[" in _terminal(command, place, NO_COLOR="")
    assert "\x1b[3" not in _terminal(command, place, NO_COLOR="1")
    assert "\x1b" not in factbook("check", "book", cwd=place).stdout


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_shows_the_values_whole(place: Path, width: int) -> None:
    said = re.sub(r"\x1b\[[0-9;]*m", "", _terminal([sys.executable, "-m", "factbook", "facts", "book"], place, COLUMNS=str(width)))
    assert max(len(line.rstrip()) for line in said.splitlines()) <= width
    piped = [line.split("\t") for line in factbook("facts", "book", cwd=place).stdout.splitlines()]
    assert [value for _, value, *_ in piped if value not in said] == []


@pytest.mark.parametrize("command", [("new", "--list"), ("coverage", "--list"), ("readers", "book")])
def test_lists_are_wrapped_for_a_terminal_and_one_line_an_item_for_a_pipe(place: Path, command: tuple[str, ...]) -> None:
    said = re.sub(r"\x1b\[[0-9;]*m", "", _terminal([sys.executable, "-m", "factbook", *command], place, COLUMNS="80"))
    assert max(len(line.rstrip()) for line in said.splitlines()) <= 80
    lines = factbook(*command, cwd=place).stdout.splitlines()
    assert all(line and not line.startswith(" ") for line in lines)


def test_progress_is_shown_to_a_terminal_only(place: Path) -> None:
    assert "performance" in _terminal([sys.executable, "-m", "factbook", "measure", "book", "--force"], place)
    assert factbook("measure", "book", "--force", cwd=place).stderr == ""


def test_all_kinds_and_regimes_are_listed_for_people_and_for_machines(tmp_path: Path) -> None:
    from factbook import regimes
    from factbook.documents import kinds

    for command, known in (("new", kinds.names()), ("coverage", tuple(regimes.names()))):
        done = factbook(command, "--list", "--json", cwd=tmp_path)
        listed = json.loads(done.stdout)
        assert tuple(item["name"] for item in listed) == known
        assert all(item["title"] for item in listed)
        for_people = factbook(command, "--list", cwd=tmp_path).stdout
        assert [name for name in known if name not in for_people] == []
