"""Recall and false alarms of every rule over its planted cases: `python -m benchmarks.rules`.

Of the passages that are planted as bad, recall is the share in which the rule reports its line. A false alarm is a passage of any rule's fine ones in
which the rule finds something; a rule is held against its own fine passages and against those of all others, which it has not seen.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from factbook import shelf
from factbook.canon import load_yaml
from factbook.rules import Report

ROOT: Final = Path(__file__).parent.parent
CASES: Final = ROOT / "tests" / "cases" / "rules"
ONE_GROUP: Final = frozenset({"worst-group-is-disclosed", "worst-slice-is-disclosed", "claims-are-reported"})
"""Rules that rightly find something in the fine passages of others, which cite one group and few of the registered claims."""


def measured() -> dict[str, Counter[str]]:
    """For each rule the counts `bad`, `found`, `fine`, `alarms`, `others`, `strange` (alarms in the fine passages of other rules)."""
    sys.path.insert(0, str(ROOT / "tests" / "rules"))
    casebook = importlib.import_module("casebook")

    names = [str(rule.NAME) for rule in shelf.modules("rules").values()]
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    with tempfile.TemporaryDirectory() as place:
        book = casebook.build(Path(place) / "book")
        for path in sorted(CASES.glob("*.yaml")):
            tree, _ = load_yaml(path.read_text(encoding="utf-8"), path.name)
            for number, given in enumerate(tree["bad"]):
                report = casebook.case(book, Path(place) / f"{path.stem}-bad-{number}", given)
                counts[path.stem].update(bad=1, found=int(_hit(path.stem, report, given)))
            for number, given in enumerate(tree["fine"]):
                report = casebook.case(book, Path(place) / f"{path.stem}-fine-{number}", given)
                _alarms(counts, path.stem, {finding.name for finding in report.findings})
    return counts


def _hit(rule: str, report: Report, given: dict[str, Any]) -> bool:
    wanted = (given.get("file", "documents/case.md"), int(given["line"]))
    return any(finding.name == rule and (finding.file, finding.line) == wanted for finding in report.findings)


def _alarms(counts: dict[str, Counter[str]], own: str, found: set[str]) -> None:
    for name, tally in counts.items():
        if name == own:
            tally.update(fine=1, alarms=int(name in found))
        elif name not in ONE_GROUP:
            tally.update(others=1, strange=int(name in found))


def table(counts: dict[str, Counter[str]]) -> str:
    """The counts as a table, with their sums."""
    total = sum(counts.values(), Counter())
    lines = [f"{'rule':<28}{'bad':>5}{'found':>7}{'recall':>8}{'fine':>6}{'alarms':>8}{'of others':>11}{'alarms':>8}"]
    for name, tally in [*sorted(counts.items()), ("all", total)]:
        recall = f"{100 * tally['found'] / tally['bad']:.0f} %" if tally["bad"] else "-"
        lines.append(
            f"{name:<28}{tally['bad']:>5}{tally['found']:>7}{recall:>8}{tally['fine']:>6}{tally['alarms']:>8}{tally['others']:>11}{tally['strange']:>8}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measured()))
