"""Runs the blocks of a document in one interpreter, in a process of its own; started by `running`, which reads what it writes.

It imports nothing of factbook, so that what runs is the document's code alone.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any


def main(plan: str, folder: str, package: str) -> None:
    """Run every block until one fails; each writes FOLDER/NUMBER.out and, at its end, a line of FOLDER/results."""
    given = json.loads(Path(plan).read_text(encoding="utf-8"))
    _watch_opening(Path(folder) / "opened")
    sys.path[:0] = [""]
    sys.path.append(package)
    sys.argv = [given["document"]]
    text = given["text"]
    linecache.cache[given["document"]] = (len(text), None, text.splitlines(keepends=True), given["document"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    scope: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(given["blocks"]):
        _redirect(Path(folder) / f"{number}.out")
        failed = _shell(block) if block["language"] == "sh" else _python(block, given["document"], scope)
        sys.stdout.flush()
        sys.stderr.flush()
        with (Path(folder) / "results").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(failed) + "\n")
        if failed["said"]:
            break


def _watch_opening(place: Path) -> None:
    """Write down every file that is opened for reading, as soon as it is, so that it is known however this process ends."""
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen: set[str] = set()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike) or (arguments[2] or 0) & os.O_WRONLY:
            return
        with suppress(Exception):  # whatever the code does to its own files, it must not fail here
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path not in seen and "\n" not in path:
                seen.add(path)
                os.write(handle, f"{path}\n".encode(errors="replace"))

    sys.addaudithook(note)


def _redirect(place: Path) -> None:
    """Send what this process and its children print to a file."""
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _shell(block: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(["sh", "-e", "-c", block["code"]], check=False, stdin=subprocess.DEVNULL)
    return {"said": f"the shell ended with {done.returncode}" if done.returncode else "", "line": block["line"]}


def _python(block: dict[str, Any], document: str, scope: dict[str, Any]) -> dict[str, Any]:
    """Run a block; the value of a last expression is shown, as in a notebook, unless a semicolon follows it."""
    try:
        tree = ast.parse(block["code"], document)
        ast.increment_lineno(tree, block["line"] - 1)
        last = tree.body[-1] if tree.body and not block["code"].rstrip().endswith(";") else None
        if isinstance(last, ast.Expr):
            tree.body.pop()
        exec(compile(tree, document, "exec"), scope)  # noqa: S102 (this is the one command that runs the code of a document)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), document, "eval"), scope)  # noqa: S307
            if value is not None:
                print(repr(value))  # noqa: T201
    except BaseException as error:  # whatever it raises, the block failed
        return _failed(error, document, block["line"])
    return {"said": "", "line": 0}


def _failed(error: BaseException, document: str, first: int) -> dict[str, Any]:
    """Why and where a block failed; its traceback begins in the document."""
    said = " ".join("".join(traceback.format_exception_only(error)).strip().splitlines()[-1:])
    if isinstance(error, SyntaxError) and error.filename == document and error.__traceback__ is not None and error.lineno is not None:
        line = error.lineno if error.lineno >= first else first + error.lineno - 1
        print(f"{document}, line {line}\n{said}", file=sys.stderr)  # noqa: T201
        return {"said": said, "line": line}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != document:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == document]
    return {"said": said, "line": lines[-1] if lines else first}


if __name__ == "__main__":
    main(*sys.argv[1:4])
