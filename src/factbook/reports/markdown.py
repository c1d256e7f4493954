"""A summary in Markdown, for a pull request or the summary page of a workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from factbook.rules import Report

ABOUT: Final = "a summary in Markdown"
SUFFIX: Final = ".md"


def write(report: Report, root: Path) -> str:
    """Counts first, then findings, open questions and what was not judged."""
    verdict = "**fails**" if report.failed else "**passes**"
    lines = [
        f"## factbook check: {verdict}",
        "",
        "| findings | open questions | not judged | exempted |",
        "|---|---|---|---|",
        f"| {len(report.findings)} | {len(report.questions)} | {len(report.not_judged)} | {len(report.exempted)} |",
    ]
    if report.findings:
        lines += ["", "| where | rule | what | what to do |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(f'{item.file}:{item.line}')} | {item.code} {item.severity} | {_cell(item.message)} | {_cell(item.fix)} |"
            for item in report.findings
        ]
    lines += _listed("Open questions", [f"{item.file}:{item.line}: {item.ask} ({item.owner})" for item in report.questions])
    lines += _listed("Not judged", [str(item) for item in report.not_judged])
    lines += _listed("Exempted", [str(item) for item in report.exempted])
    return "\n".join(lines) + "\n"


def _listed(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    return ["", f"<details><summary>{title}: {len(items)}</summary>", "", *(f"- {_cell(item)}" for item in items), "", "</details>"]


def _cell(text: str) -> str:
    """Text that cannot become markup or end a cell."""
    plain = " ".join(text.split()).replace("\\", "\\\\")
    for mark in "|`*_[]<>":
        plain = plain.replace(mark, {"<": "&lt;", ">": "&gt;"}.get(mark, f"\\{mark}"))
    return plain
