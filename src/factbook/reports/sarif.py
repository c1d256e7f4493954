"""SARIF 2.1.0, which code hosts show beside the lines of a pull request (OASIS, Static Analysis Results Interchange Format)."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from factbook import shelf
from factbook.reports import from_here
from factbook.rules import Finding, Report
from factbook.rules.manual import page

ABOUT: Final = "SARIF 2.1.0, for code scanning"
SUFFIX: Final = ".sarif"
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning"}


def write(report: Report, root: Path) -> str:
    """The findings, with the manual page of every rule that found one; what was not judged is a notification of the run."""
    rules = {rule.CODE: rule for rule in shelf.modules("rules").values()}
    codes = sorted({finding.code for finding in report.findings})
    driver = {
        "name": "factbook",
        "semanticVersion": version("factbook"),
        "rules": [
            {
                "id": code,
                "name": rules[code].NAME,
                "shortDescription": {"text": page(rules[code]).splitlines()[0]},
                "fullDescription": {"text": page(rules[code])},
                "help": {"text": page(rules[code])},
            }
            for code in codes
        ],
    }
    notes = [{"level": "note", "message": {"text": str(item)}} for item in report.not_judged]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(finding, codes, root) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def _result(finding: Finding, codes: list[str], root: Path) -> dict[str, Any]:
    file = from_here(root, finding.file)
    place: dict[str, Any] = {"artifactLocation": {"uri": Path(file).as_uri() if Path(file).is_absolute() else quote(file)}}
    if finding.line:
        place["region"] = {"startLine": finding.line, "startColumn": max(finding.column, 1)}
    said = f"{finding.message} ({finding.fix})" if finding.fix else finding.message
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[str(finding.severity)],
        "message": {"text": said},
        "locations": [{"physicalLocation": place}],
    }
