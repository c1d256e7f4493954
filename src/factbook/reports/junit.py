"""JUnit XML, which build servers show as tests: one test for every rule and file, failed where the rule found an error there."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml

from factbook import shelf
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
            case = Xml.SubElement(suite, "testcase", classname=_clean(file or "book"), name=f"{rule.CODE} {rule.NAME}")
            _failures(case, [finding for finding in own if finding.file == file])
    for item in report.not_judged:
        case = Xml.SubElement(suite, "testcase", classname=_clean(item.file or "book"), name=_clean(f"not judged: {item.what}"))
        Xml.SubElement(case, "skipped", message=_clean(str(item)))
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(1 for case in cases if case.find("failure") is not None)))
    suite.set("skipped", str(sum(1 for case in cases if case.find("skipped") is not None)))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def _failures(case: Xml.Element, findings: list[Finding]) -> None:
    for finding in findings:
        if str(finding.severity) == "error":
            place = f"{finding.file}:{finding.line}:{finding.column}"
            Xml.SubElement(case, "failure", message=_clean(f"{place}: {finding.message}"), type=finding.name).text = _clean(finding.fix)
        else:
            Xml.SubElement(case, "system-out").text = _clean(f"warning: {finding.file}:{finding.line}: {finding.message}")


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return text.translate(_CONTROLS)
