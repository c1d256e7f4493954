"""JUnit XML, which build servers show as tests: one test for every rule and file, failed where the rule found an error there."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

from factbook import shelf
from factbook.reports import from_here
from factbook.rules import Finding, Report

ABOUT: Final = "JUnit XML, for build servers"
SUFFIX: Final = ".xml"
_CONTROLS: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32)], "\N{REPLACEMENT CHARACTER}")


def write(report: Report, root: Path) -> str:
    """One suite; a rule that found nothing is one passed test."""
    suite = Xml.Element("testsuite", name="factbook check")
    for rule in sorted(shelf.modules("rules").values(), key=lambda rule: str(rule.CODE)):
        own = [finding for finding in report.findings if finding.code == rule.CODE]
        for file in sorted({finding.file for finding in own}) or [""]:
            case = Xml.SubElement(suite, "testcase", classname=_place(root, file), name=f"{rule.CODE} {rule.NAME}")
            _failures(case, [finding for finding in own if finding.file == file], root)
    for item in report.not_judged:
        case = Xml.SubElement(suite, "testcase", classname=_place(root, item.file), name=_clean(f"not judged: {item.what}"))
        Xml.SubElement(case, "skipped", message=_clean(str(item)))
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(1 for case in cases if case.find("failure") is not None)))
    suite.set("errors", "0")
    suite.set("skipped", str(sum(1 for case in cases if case.find("skipped") is not None)))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def _failures(case: Xml.Element, findings: list[Finding], root: Path) -> None:
    """One failure a test, which is all that build servers show: every error in it; warnings beside it."""
    errors = [_said(item, root) for item in findings if str(item.severity) == "error"]
    warnings = [_said(item, root) for item in findings if str(item.severity) != "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        Xml.SubElement(case, "failure", message=errors[0].splitlines()[0] + more, type=findings[0].name).text = "\n".join(errors)
    if warnings:
        Xml.SubElement(case, "system-out").text = "\n".join(f"warning: {item}" for item in warnings)


def _said(finding: Finding, root: Path) -> str:
    place = f"{from_here(root, finding.file)}:{finding.line}:{finding.column}"
    return _clean(f"{place}: {' '.join(finding.message.split())}" + (f"\n    → {finding.fix}" if finding.fix else ""))


def _place(root: Path, file: str) -> str:
    return _clean(from_here(root, file)) if file else "book"


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return text.translate(_CONTROLS)
