"""Runs the code of a document in a process of its own, in a copy of the book, and keeps what came out.

The process gets a short list of the environment's variables, none of which holds a secret by its purpose, and a home of its own. That keeps secrets
out of outputs by accident; it is no sandbox. Code runs with the rights of whoever runs it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from factbook import canon
from factbook.documents import driver, executable, opened, parse
from factbook.documents.executable import Code
from factbook.documents.parse import Document
from factbook.errors import DocumentError, EvidenceError
from factbook.evidence import lock, runs, sessions, store
from factbook.evidence.sessions import Block, Ended, Session
from factbook.manifest import Manifest
from factbook.model import Artifact, Fact, Key, Measured, Origin, Progress, Unit
from factbook.recording import PLACE

MEASURE: Final = "recorded"
MOST: Final = 20_000
_MOST_BYTES: Final = 50_000_000
_PAUSE: Final = 0.02
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "SOURCE_DATE_EPOCH")
_SET: Final = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg", "NO_COLOR": "1", "COLUMNS": "80"}
_ELSEWHERE: Final = ("site", "dist", "__pycache__", "node_modules")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_HIDDEN = re.compile("[^\\S \n\t]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


def run(root: Path, manifest: Manifest, document: Document, limit: float, progress: Progress) -> tuple[Session, tuple[str, ...]]:
    """Run the code of a document and keep its outputs and recorded facts; what the document shows is brought up to them.

    Returns the session and the names of the recorded facts. Where a block fails, those after it are not run; what was recorded until then is kept.

    Raises:
        DocumentError: there is nothing to run, its name is taken, or the document changed meanwhile.
    """
    name, code = executable.name_of(document), executable.code(document)
    _allowed(root, manifest, document, name, code)
    with tempfile.TemporaryDirectory(prefix="factbook-", ignore_cleanup_errors=True) as place:
        began = time.perf_counter()
        before = _copied(root, Path(place) / "book")
        blocks, recorded = _carry_out(Path(place), document, code, limit, progress)
        seconds = time.perf_counter() - began
        read = opened.read(before, Path(place) / "out" / "opened")
    with lock(root, progress=progress):
        now = parse.read(root / document.name, root)
        if [block.digest for block in executable.code(now)] != [block.digest for block in code]:
            raise DocumentError(f"{document.name}: its code changed while it ran; nothing was kept", remedy="run it again")
        session = Session(document.name, blocks, opened.pinned(root, before, read, document.name))
        _keep(root, name, session, code, recorded, seconds)
        canon.write_atomic(root / document.name, executable.placed(now, session))
    return session, tuple(recorded)


def _allowed(root: Path, manifest: Manifest, document: Document, name: str, code: Sequence[Code]) -> None:
    if not code:
        raise DocumentError(
            f"{document.name}: it holds no code to run",
            remedy="write ```python blocks, and `run: true` in its front matter",
        )
    if name in (*manifest.plan, "derived") or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        raise DocumentError(f"{document.name}: its facts would be called {name}/…, which is taken or no name", remedy="give the file another name")
    held = sessions.load(root).get(name)
    if held is not None and held.document != document.name and (root / held.document).exists():
        raise DocumentError(f"{document.name}: {held.document} has the same name", remedy="give one of them another name")


def _copied(root: Path, book: Path) -> opened.Unread:
    """A copy of the book for the code to work in."""
    shutil.copytree(root, book, ignore=_left_out)
    return opened.unread(book)


def _carry_out(
    place: Path, document: Document, code: Sequence[Code], limit: float, progress: Progress
) -> tuple[tuple[Block, ...], dict[str, dict[str, Any]]]:
    """Run the blocks in the copy of the book below `place`; nothing outlives this."""
    book, out, records = place / "book", place / "out", place / "recorded"
    for folder in (out, place / "home", place / "tmp"):
        folder.mkdir()
    first = [document.place(block.body)[0] for block in code]
    blocks = [{"language": block.language, "code": block.text, "line": line} for block, line in zip(code, first, strict=True)]
    plan = {"document": document.name, "text": document.source.decode(), "blocks": blocks}
    (place / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    command = [sys.executable, "-P", "-X", "utf8", driver.__file__, str(place / "plan.json"), str(out), str(Path(__file__).parents[2])]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | _SET
    environment |= {"HOME": str(place / "home"), "TMPDIR": str(place / "tmp"), PLACE: str(records)}
    with _process(command, book, environment, place / "last") as process:
        stopped = _watch(process, out, limit, len(code), progress)
    outputs = [_clean(out / f"{number}.out", place) for number in range(len(code))]
    results = [item | {"said": _scrub(str(item["said"]), place)} for item in _lines(out / "results")]
    return tuple(_ended(code, first, outputs, results, stopped or _end(process.returncode))), {str(item["name"]): item for item in _lines(records)}


def _ended(code: Sequence[Code], first: list[int], outputs: list[str], results: list[dict[str, Any]], stopped: str) -> Iterator[Block]:
    """How each block ended; the first that said nothing is the one that the interpreter stopped in, unless one before it failed."""
    failed = False
    for number, (block, output) in enumerate(zip(code, outputs, strict=True)):
        if failed:
            yield Block(block.digest, Ended.NOT_RUN)
            continue
        done: dict[str, Any] = results[number] if number < len(results) else {"said": stopped, "line": first[number]}
        failed = bool(done["said"])
        line = int(done["line"]) - first[number] + 1 if failed else 0
        yield Block(block.digest, Ended.FAILED if failed else Ended.RAN, output, done["said"], line)


def _left_out(_: str, names: list[str]) -> set[str]:
    """What is not copied: hidden files (among them secrets in .env), what is published, and caches."""
    return {name for name in names if name.startswith(".") or name in _ELSEWHERE}


def _end(code: int | None) -> str:
    return f"the interpreter ended by signal {-code}" if code is not None and code < 0 else f"the interpreter ended with {code}"


@contextmanager
def _process(command: list[str], folder: Path, environment: dict[str, str], last: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own; all of the group ends with the block, however that ends."""
    with last.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL) if sys.platform != "win32" else None
            process.kill()
            process.wait()


def _watch(process: subprocess.Popen[bytes], out: Path, limit: float, blocks: int, progress: Progress) -> str:
    """Wait for the end; returns why it was stopped, '' if it ended by itself."""
    until = time.monotonic() + limit
    while process.poll() is None:
        written = list(out.glob("*.out"))
        progress("run", max(len(written) - 1, 0), blocks)
        if time.monotonic() > until:
            return f"it ran longer than {limit:g} s (time_limit)"
        if sum(item.stat().st_size for item in written) > _MOST_BYTES:
            return f"it printed more than {_MOST_BYTES:,} bytes"
        time.sleep(_PAUSE)
    return ""


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def _clean(path: Path, place: Path) -> str:
    """What a block printed, without what changes from run to run or place to place; long ones without their middle."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        text = stream.read(_MOST_BYTES).decode("utf-8", errors="replace").replace("\r\n", "\n")
    text = "\n".join(line.rpartition("\r")[2].rstrip() for line in _ESCAPE.sub("", text).split("\n"))
    text = _HIDDEN.sub(lambda match: f"\\x{ord(match[0]):02x}", _scrub(text, place)).strip("\n")
    left = len(text) - MOST
    return text if left <= 0 else f"{text[: MOST // 2]}\n… {left} characters are left out …\n{text[-MOST // 2 :]}"


def _scrub(text: str, place: Path) -> str:
    """Without places of this machine and addresses of its memory."""
    package, prefix, home = Path(__file__).parents[2], Path(sys.prefix), Path.home()
    for path, word in ((place / "book", "."), (place, "<scratch>"), (package, "<python>"), (prefix, "<python>"), (home, "~")):
        for spelling in dict.fromkeys((str(path.resolve()), str(path))):
            text = re.sub(rf"{re.escape(spelling)}(?![\w.-])", word, text) if len(spelling) > 1 else text
    return _ADDRESS.sub("0x…", text)


def _keep(root: Path, name: str, session: Session, code: Sequence[Code], recorded: dict[str, dict[str, Any]], seconds: float) -> None:
    """Write the session and the evidence; the run record vouches for both."""
    facts = tuple(_fact(name, item) for _, item in sorted(recorded.items()))
    size = sum(len(block.text.encode()) for block in code)
    pinned = Artifact(session.document, canon.digest([block.digest for block in code]), 1, size, len(code))
    units = {fact.key.metric: fact.unit.value for fact in facts}
    measured = Measured(name, MEASURE, 1, facts, {"units": units}, {"code": pinned})
    sessions.write(root, name, session)
    try:
        store.write(root, measured, _run(root, session, seconds))
    except EvidenceError as error:
        raise DocumentError(f"{session.document}: {error.message}", remedy="mend what the code records") from error


def _run(root: Path, session: Session, seconds: float) -> runs.Run:
    return replace(runs.here(root, rows=len(session.blocks), seconds=seconds), context=session.digest)


def _fact(name: str, item: dict[str, Any]) -> Fact:
    """A recorded fact; what stands behind it is the code that recorded it."""
    ranged = item["low"] is not None
    unit = Unit(item["unit"])
    return Fact(
        Key(name, str(item["name"])),
        value=item["value"],
        low=item["low"],
        high=item["high"],
        level=float(item["level"]) if ranged else None,
        method="recorded" if ranged else "",
        n=item["n"],
        unit=unit,
        origin=Origin.DECLARED,
        note="recorded by the code of the document",
    )
