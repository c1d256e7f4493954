"""Workflow commands of GitHub Actions: each finding becomes an annotation beside its line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from factbook.reports import from_here
from factbook.rules import Report

ABOUT: Final = "annotations of GitHub Actions"
SUFFIX: Final = ".txt"


def write(report: Report, root: Path) -> str:
    """One command a finding, then one notice with the count of what was not judged. Files are named from the working folder of the workflow."""
    lines = []
    for finding in report.findings:
        members = {
            "file": from_here(root, finding.file),
            "line": finding.line or 1,
            "col": finding.column or 1,
            "title": f"{finding.code} {finding.name}",
        }
        told = ",".join(f"{name}={_property(str(value))}" for name, value in members.items())
        said = f"{finding.message}\n→ {finding.fix}" if finding.fix else finding.message
        lines.append(f"::{finding.severity} {told}::{_message(said)}")
    if report.not_judged:
        lines.append(f"::notice title=factbook::{len(report.not_judged)} not judged: {_message('; '.join(map(str, report.not_judged[:5])))}")
    return "".join(f"{line}\n" for line in lines)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
