"""Documents are really run here, each in a process of its own."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook import Book, record
from factbook.documents import executable, notebooks, parse
from factbook.errors import BookExists, DocumentError, EvidenceError, UnknownName
from factbook.evidence.sessions import Ended

HEAD = "---\nrun: true\n---\n\n# Sums\n\n"
SUM = '```python\nimport factbook\ntotal = sum(range(5))\nfactbook.record("total", total)\nprint("one"); total\n```\n'


def book(root: Path, text: str, name: str = "sums") -> Book:
    (root / "documents").mkdir(exist_ok=True)
    (root / "factbook.yaml").write_text("factbook: 1\nsubject: {name: sums}\n", encoding="utf-8")
    (root / "documents" / f"{name}.md").write_bytes(text.encode())
    return Book(root)


def text(root: Path, name: str = "sums") -> str:
    return (root / "documents" / f"{name}.md").read_bytes().decode()


def codes(root: Path) -> list[str]:
    return [finding.code for finding in Book(root).check().findings]


def test_outputs_are_shown_and_facts_are_bound(tmp_path: Path) -> None:
    made = book(tmp_path, HEAD + SUM + "\nThe sum is [10](fact:sums/total).\n\n```python\ntotal + 1\n```\n")
    assert set(codes(tmp_path)) == {"FB102", "FB402"}
    session = made.run("sums")
    assert [block.output for block in session.blocks] == ["one\n10", "11"]
    assert codes(tmp_path) == []
    assert "<!-- fact:part output block=1 -->\n\n```text\none\n10\n```\n\n<!-- /fact -->" in text(tmp_path)
    before = text(tmp_path)
    Book(tmp_path).run("documents/sums.md")
    assert text(tmp_path) == before
    assert Book(tmp_path).update() == ()
    fact = Book(tmp_path).facts("sums/total")[0]
    assert (fact.value, str(fact.origin)) == (10, "declared")
    assert Book(tmp_path).measure() == ()


def test_what_changes_afterwards_is_found(tmp_path: Path) -> None:
    book(tmp_path, HEAD + SUM + "\n[10](fact:sums/total)\n").run("sums")
    whole = text(tmp_path)
    path = tmp_path / "documents" / "sums.md"
    path.write_text(whole.replace("range(5)", "range(6)"), encoding="utf-8")
    assert codes(tmp_path) == ["FB402"]
    path.write_text(whole.replace("text\none\n10", "text\none\n11"), encoding="utf-8")
    assert codes(tmp_path) == ["FB112"]
    path.write_text(whole.replace("[10]", "[11]"), encoding="utf-8")
    assert codes(tmp_path) == ["FB101"]
    path.write_text(whole.replace("\n", "\r\n").replace("# Sums", "# Sums\r\n\r\nMore words."), encoding="utf-8", newline="")
    assert codes(tmp_path) == []
    kept = tmp_path / "evidence" / "sessions" / "sums.json"
    kept.write_text(kept.read_text(encoding="utf-8").replace("one", "two"), encoding="utf-8")
    assert set(codes(tmp_path)) == {"FB112", "FB402"}


def test_a_block_that_fails_is_a_finding_at_its_line(tmp_path: Path) -> None:
    made = book(
        tmp_path, HEAD + "```python\nimport factbook\nfactbook.record('a', 1)\n```\n\n```python\nx = 1\ny = x + z\n```\n\n```python\nx\n```\n"
    )
    session = made.run("sums")
    assert [str(block.ended) for block in session.blocks] == ["ran", "failed", "not-run"]
    findings = Book(tmp_path).check().findings
    assert [(finding.code, finding.message) for finding in findings] == [
        ("FB403", "this code failed: NameError: name 'z' is not defined; 1 more block was not run")
    ]
    assert text(tmp_path).splitlines()[findings[0].line - 1] == "y = x + z"
    assert [str(fact.key) for fact in Book(tmp_path).facts()] == ["sums/a"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = (", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import os; os._exit(3)", "the interpreter ended with 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "by signal 11"),
        ("import factbook; factbook.record('a', float('nan'))", "no finite number"),
        ("import factbook; factbook.record('a', 1, low=0.5)", "both ends"),
        ("import factbook; factbook.record('a', 1.5, unit='count')", "whole number"),
    ],
)
def test_however_it_ends_it_is_told(tmp_path: Path, code: str, said: str) -> None:
    session = book(tmp_path, f"{HEAD}```python\n{code}\n```\n").run("sums")
    assert session.blocks[0].ended is Ended.FAILED
    assert said in session.blocks[0].said


def test_the_time_limit_ends_all_that_was_started(tmp_path: Path) -> None:
    left = tmp_path.parent / f"{tmp_path.name}-left"
    code = f"import subprocess, time\nsubprocess.Popen(['sh', '-c', 'sleep 2; touch {left}'])\nprint('begun')\ntime.sleep(60)"
    text_ = f"---\nrun: true\ntime_limit: 1\n---\n\n# Sums\n\n```python\n{code}\n```\n"
    began = time.monotonic()
    session = book(tmp_path, text_).run("sums")
    assert time.monotonic() - began < 20
    assert session.blocks[0].said == "it ran longer than 1 s (time_limit)"
    assert session.blocks[0].output == "begun"
    time.sleep(2.2)
    assert not left.exists()


def keeps_times_of_access(folder: Path) -> bool:
    path = folder / ".access"
    path.write_text("x", encoding="utf-8")
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    path.read_text(encoding="utf-8")
    return path.stat().st_atime_ns != 0


def test_the_files_that_code_reads_are_pinned(tmp_path: Path) -> None:
    for name in ("opened.csv", "queried.csv", "shown.txt", "lib.py", "asked.txt", "written.txt", "left.csv"):
        (tmp_path / name).write_text("a\n1\n" if name.endswith("csv") else "one = 1\n", encoding="utf-8")
    code = """```python
import duckdb, lib, os
os.path.getsize("asked.txt")
with open("written.txt", "w") as stream:
    stream.write("x")
with open("made.txt", "w+") as stream:
    stream.write("x")
open("made.txt").read()
open("opened.csv").read(), duckdb.sql("select sum(a) from 'queried.csv'").fetchall()
```

```sh run
cat shown.txt
```
"""
    session = book(tmp_path, HEAD + code).run("sums")
    assert [str(block.ended) for block in session.blocks] == ["ran", "ran"], session
    natively = {"queried.csv", "shown.txt"} if keeps_times_of_access(tmp_path) else set()
    assert set(session.files) == {"opened.csv", "lib.py"} | natively
    assert Book(tmp_path).catalog.evidence.sessions["sums"] == session
    assert codes(tmp_path) == []
    (tmp_path / "left.csv").write_text("a\n2\n", encoding="utf-8")
    assert codes(tmp_path) == []
    (tmp_path / "opened.csv").write_text("a\n2\n", encoding="utf-8")
    (finding,) = Book(tmp_path).check().findings
    assert (finding.code, finding.message) == ("FB406", "opened.csv has changed since the code of this document read it")
    (tmp_path / "opened.csv").unlink()
    report = Book(tmp_path).check()
    assert not report.failed
    assert "opened.csv" in str(report.not_judged[0])
    assert [finding.code for finding in Book(tmp_path).check(require_sources=True).findings] == ["FB406"]


def test_a_file_that_changes_while_code_reads_it_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("1", encoding="utf-8")
    made = book(tmp_path, HEAD + f"```python\nopen('x.txt').read()\nopen({str(tmp_path / 'x.txt')!r}, 'w').write('22')\n```\n")
    with pytest.raises(DocumentError, match=r"x\.txt changed while the code ran"):
        made.run("sums")
    assert not (tmp_path / "evidence").exists()


def test_a_session_that_names_a_file_outside_of_the_book_is_refused(tmp_path: Path) -> None:
    book(tmp_path, HEAD + SUM).run("sums")
    path = tmp_path / "evidence" / "sessions" / "sums.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"blocks"', '"files":{"../x":"0"},\n"blocks"'), encoding="utf-8")
    with pytest.raises(EvidenceError, match="leads out of the book"):
        Book(tmp_path).check()


def test_secrets_and_the_book_stay_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2")
    (tmp_path / ".env").write_text("API_TOKEN=hunter2", encoding="utf-8")
    code = (
        "import os, pathlib\npathlib.Path('factbook.yaml').write_text('gone')\nprint(sorted(os.listdir()), os.environ.get('API_TOKEN'), os.getcwd())"
    )
    session = book(tmp_path, f"{HEAD}```python\n{code}\n```\n\n```sh run\necho $HOME-$API_TOKEN\n```\n").run("sums")
    assert session.blocks[0].output == "['documents', 'factbook.yaml'] None ."
    assert session.blocks[1].output == "<scratch>/home-"
    assert Book(tmp_path).manifest.subject.name == "sums"


def test_outputs_are_bounded_and_inert(tmp_path: Path) -> None:
    code = "print('a' * 100_000)\nprint('```\\n<!-- end -->\\n\\x1b[31mred\\x1b[0m \\u202e \\x00', object())"
    session = book(tmp_path, f"{HEAD}```python\n{code}\n```\n").run("sums")
    output = session.blocks[0].output
    assert len(output) < 20_100
    assert "are left out …" in output
    assert output.endswith("```\n<!-- end -->\nred \\x202e \\x00 <object object at 0x…>")
    assert codes(tmp_path) == []


def test_cancelled_nothing_is_half_written(tmp_path: Path) -> None:
    def stop(task: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = HEAD + SUM
    made = book(tmp_path, before)
    made.progress = stop
    with pytest.raises(KeyboardInterrupt):
        made.run("sums")
    assert text(tmp_path) == before
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize(
    ("document", "name", "error"),
    [
        ("# Words\n", "sums", DocumentError),
        (HEAD + "- x\n\n  ```python\n  1\n  ```\n", "sums", DocumentError),
        (HEAD + "```python\n1\n", "sums", DocumentError),
        ("---\nrun: true\ntime_limit: soon\n---\n\n```python\n1\n```\n", "sums", DocumentError),
        (HEAD + SUM, "derived", DocumentError),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, document: str, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        book(tmp_path, document, name).run(name)
    with pytest.raises(UnknownName):
        Book(tmp_path).run("nothing")


def test_recording_outside_of_a_run_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record("accuracy", 0.9, unit="fraction")
    assert not list(tmp_path.iterdir())


def test_a_model_is_trained_and_its_interval_is_cited(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    code = """import factbook
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=500).fit(X[::2], y[::2])
score = model.score(X[1::2], y[1::2])
factbook.record("accuracy", score, n=len(y[1::2]), unit="fraction", low=0.887, high=0.985)"""
    made = book(tmp_path, f"{HEAD}```python\n{code}\n```\n\n[](fact:sums/accuracy)\n")
    made.run("sums")
    Book(tmp_path).update()
    assert "% (95 % CI 88.7–98.5)](fact:sums/accuracy)" in text(tmp_path)
    assert codes(tmp_path) == []


# --- notebooks -----------------------------------------------------------------------------------------------------------------------------------


def back(root: Path, document: parse.Document, session: object = None) -> bytes:
    path = root / "x.ipynb"
    path.write_bytes(notebooks.notebook(document, session))  # type: ignore[arg-type]
    return notebooks.markdown(path)


PIECES = [
    "words\n",
    "\n",
    "```python\nx = 1\n```\n",
    "```python\n```\n",
    "~~~python\ny\n~~~",
    "```python no-run\nz\n```\n",
    "```sh run\nls\n```\n",
    "# H\r\n",
]
PIECES += [
    "````python\n'''\n```\n'''\n````\n",
    "<!-- fact:part output block=1 -->\n\n```text\n2\n```\n\n<!-- /fact -->\n",
    "- item\n",
    "é\u2028\n",
    "  \n",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_there_and_back_is_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    document = parse.parse(HEAD + "".join(pieces), "documents/sums.md")
    try:
        executable.code(document)
    except DocumentError:
        return
    assert back(tmp_path_factory.mktemp("n"), document) == document.source


def test_a_notebook_has_cells_and_outputs(tmp_path: Path) -> None:
    made = book(tmp_path, HEAD + SUM + "\n[10](fact:sums/total)\n\n```sh run\necho hi\n```\n")
    made.run("sums")
    path = Book(tmp_path).notebook("sums")
    tree = json.loads(path.read_text(encoding="utf-8"))
    assert [cell["cell_type"] for cell in tree["cells"]] == ["code", "markdown", "code", "markdown", "code", "markdown"]
    assert tree["cells"][2]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["one\n", "10\n"]}]
    assert "".join(tree["cells"][4]["source"]) == "%%sh\necho hi"
    assert all("fact:part" not in "".join(cell["source"]) for cell in tree["cells"])
    before = text(tmp_path)
    assert Book(tmp_path).notebook(path).name == "sums.md"
    (tmp_path / "documents" / "sums.md").write_text("mine", encoding="utf-8")
    with pytest.raises(BookExists, match="--force"):
        Book(tmp_path).notebook(path)
    assert text(tmp_path) == "mine"
    assert Book(tmp_path).notebook(path, force=True).name == "sums.md"
    assert text(tmp_path) == before


def test_a_notebook_runs_in_jupyter_and_comes_back_the_same(tmp_path: Path) -> None:
    """Executed by nbclient, written by nbformat: what Jupyter does when somebody opens it, runs all cells and saves."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    (tmp_path / "numbers.txt").write_text("1 2 3", encoding="utf-8")
    code = "```python\ntotal = sum(map(int, open('numbers.txt').read().split()))\ntotal\n```\n\n```sh run\necho hi\n```\n"
    book(tmp_path, HEAD + "Ünïcode first.\n\n" + code + "\n* last line without end").run("sums")
    before = text(tmp_path)
    path = Book(tmp_path).notebook("sums")
    node = nbformat.read(path, as_version=4)
    nbformat.validate(node)
    nbclient.NotebookClient(node, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    assert [output["data"]["text/plain"] for cell in node.cells for output in cell.get("outputs", []) if "data" in output] == ["6"]
    nbformat.write(node, path)
    assert Book(tmp_path).notebook(path, force=True).name == "sums.md"
    assert text(tmp_path) == before


def test_a_notebook_is_valid(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    made = book(tmp_path, HEAD + SUM + "\n```python\nx\n```\n")
    made.run("sums")
    nbformat.validate(nbformat.read(Book(tmp_path).notebook("sums"), as_version=4))


def test_cells_from_elsewhere_become_blocks(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Title"},
        {"cell_type": "code", "metadata": {}, "source": ["a = '''\n", "```\n", "'''"], "outputs": [], "execution_count": None},
    ]
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    document = parse.parse(notebooks.markdown(path), "documents/x.md")
    assert document.title == "Title"
    assert [block.text for block in executable.code(document)] == ["a = '''\n```\n'''\n"]
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(DocumentError):
        notebooks.markdown(path)
