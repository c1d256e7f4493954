"""A progress bar on the error stream, where a person watches; otherwise silence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from factbook.model import Progress, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, Task, TaskID


def progress() -> Progress:
    """What long work is to report to."""
    return _WATCHED if sys.stderr.isatty() else silent


def finish() -> None:
    """Take away what is still shown, before anything else is said."""
    _WATCHED.stop()


class _Watched:
    """Shows one bar a task; it appears with the first report and goes when all that was begun is done."""

    def __init__(self) -> None:
        self.bars: Bars | None = None
        self.tasks: dict[str, TaskID] = {}
        self.open: set[str] = set()

    def __call__(self, task: str, done: int, total: int) -> None:
        if self.bars is None:
            self.bars = _bars()
            self.bars.start()
        if task not in self.tasks:
            self.tasks[task] = self.bars.add_task(task, total=total or None)
        self.bars.update(self.tasks[task], completed=done, total=total or None)
        (self.open.discard if total and done >= total else self.open.add)(task)
        if not self.open:
            self.stop()

    def stop(self) -> None:
        if self.bars is not None:
            self.bars.stop()
        self.bars, self.tasks, self.open = None, {}, set()


_WATCHED: Final = _Watched()


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn(), _rate(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _rate() -> ProgressColumn:
    """Rows done, and how many a second."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text((f"{_short(task.completed)} rows" if task.completed else "") + (f", {_short(speed)}/s" if speed else ""), no_wrap=True)

    return Rate()


def _short(number: float) -> str:
    """Three digits or so: `950`, `12.3k`, `4.6M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"
