"""How long `check` takes over many documents: a book is made, checked cold, checked again unchanged, and again after one document changed.

python -m benchmarks.check [DOCUMENTS] [FACTS]    1000 documents with 50 facts each where nothing is said

The documents cite the facts of twenty measurements in turn, each with its interval; the book holds them by twenty sites as well. Every run is a
process of its own; its CPU seconds are printed, start included.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path

from factbook.book import Book
from factbook.model import Fact

SITES, CASES, MEASUREMENTS = 20, 60, 20
ROOT = Path(__file__).parent.parent
BOOK = """factbook: 1
subject: {{kind: model, name: many, version: 1.0.0, owner: somebody@example.org}}
sources:
  rows: {{uri: rows.csv, label: y, positive: 1, prediction: p, by: [site]}}
plan:
{plan}
"""


def make(root: Path, documents: int, facts: int) -> int:
    """Write a book of so many documents, each citing so many facts; returns how many facts the book holds."""
    (root / "documents").mkdir(parents=True)
    rows = (f"{i % 2},{(i // 2 + i // 7) % 2},site-{i // CASES:02d}\n" for i in range(SITES * CASES))
    (root / "rows.csv").write_text("y,p,site\n" + "".join(rows), encoding="utf-8")
    plan = "\n".join(f"  m{i}: {{measure: classification, data: rows, by: [site]}}" for i in range(MEASUREMENTS))
    (root / "factbook.yaml").write_text(BOOK.format(plan=plan), encoding="utf-8")
    book = Book(root)
    book.measure()
    turn = cycle(fact for fact in book.facts() if not fact.key.slice and fact.measured)
    for i in range(documents):
        (root / "documents" / f"report-{i:04d}.md").write_text("".join(_document(book, islice(turn, facts))), encoding="utf-8")
    book.update()
    return len(book.catalog.evidence)


def _document(book: Book, found: Iterable[Fact]) -> Iterator[str]:
    yield "# Report\n\n## Figures\n\n"
    for fact in found:
        yield f"{book.catalog.metric(fact.key).title} was [](fact:{fact.key}).\n\n"
    yield "## Notes\n\nWhat was counted is described in the protocol. The people of the site read these figures before they were sent.\n"


def check(root: Path) -> float:
    """The CPU seconds of `factbook check` in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "factbook", "check", str(root), "--json"], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode or '"findings": []' not in done.stdout:
        raise SystemExit(f"the check is not clean: {done.stdout[-2000:]}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(documents: int = 1000, facts: int = 50) -> None:
    """Make the book and print the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "book"
        held = make(root, documents, facts)
        print(f"{documents:,} documents with {facts} facts each; {held:,} facts in the book")
        print(f"cold                   {check(root):6.2f} CPU s")
        print(f"nothing changed        {check(root):6.2f} CPU s")
        path = root / "documents" / "report-0000.md"
        path.write_text(path.read_text(encoding="utf-8") + "\nOne more sentence.\n", encoding="utf-8")
        print(f"one document changed   {check(root):6.2f} CPU s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
