"""The command line: parse, call `Book`, show. `main` is where every error becomes one message and an exit code.

Exit codes: 0 clean, 1 findings, 2 unusable input, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence

FINDINGS = 1
UNUSABLE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
_ENDED = "Query interrupted"  # what DuckDB makes of Ctrl-C while it answers


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    _end_politely()
    _open_streams()
    try:
        from factbook.cli.app import run
        from factbook.cli.progress import finish

        try:
            code = run(_texts(sys.argv[1:] if arguments is None else arguments))
        finally:
            finish()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _broken_pipe()
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:
        if isinstance(error, RuntimeError) and str(error) == _ENDED:
            return _interrupted()
        message = _worded(error)
        if message is None:
            raise
        return _say(message, UNUSABLE)


def _end_politely() -> None:
    """A request to end (`kill`, `timeout`) is an interruption like Ctrl-C: what is half made is removed."""
    with contextlib.suppress(ValueError):  # not the main thread: signals are its host's
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _open_streams() -> None:
    """Streams that were closed (`>&-`) lead nowhere; what is written is UTF-8 whatever the locale, since names and figures are not ASCII."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 (it is the process's own)
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _texts(arguments: Sequence[str]) -> list[str]:
    """The arguments, unless one holds bytes that are no text."""
    from factbook.errors import FactbookError

    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            raise FactbookError(f"the argument {argument!r} is not UTF-8", remedy="write it in UTF-8; rename a file whose name is not")
    return list(arguments)


def _worded(error: Exception) -> str | None:
    """One clear message for what a user can mend; None for what only factbook's authors can."""
    from factbook.errors import FactbookError

    if isinstance(error, FactbookError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this"
    return None


def _interrupted() -> int:
    return _say("interrupted; nothing is half written, and what was counted is kept: measuring again goes on from there", INTERRUPTED)


def _say(message: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"factbook: {message}\n")
        sys.stderr.flush()
    return code


def _broken_pipe() -> int:
    """Whoever read our output has gone (`factbook facts | head`); leave quietly, and keep Python from complaining at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
