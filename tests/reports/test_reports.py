"""What other programs read: valid in their own form, and nothing of a finding is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from factbook import rules, shelf
from factbook.errors import UnknownName
from factbook.reports import github, junit, markdown, sarif
from factbook.rules import Finding, NotJudged, OpenQuestion, Report, Severity
from factbook.rules.exemptions import Exemption

NASTY = "100 % of <h1>PASS</h1> | `x`\nnext, a::b"


@pytest.fixture
def report() -> Report:
    code, name = "FB101", "text-equals-fact"
    findings = (
        Finding(code, name, Severity.ERROR, "documents/ä b.md", 3, 7, NASTY, "mend it"),
        Finding("FB302", "interval-is-shown", Severity.WARNING, "factbook.yaml", 0, 0, "warned", ""),
    )
    questions = (OpenQuestion("use.primary", "What is it for?", "owner", "documents/card.md", 9),)
    return Report(findings, (NotJudged("words", "Finnish is not known"),), questions, (Exemption("a.md", 2, "FB302", "as told", 2, 4),))


def test_sarif_holds_every_finding_with_its_place_and_page(report: Report) -> None:
    run = json.loads(sarif.write(report, Path()))["runs"][0]
    first, second = run["results"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "documents/%C3%A4%20b.md"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert first["message"]["text"] == f"{NASTY} (mend it)"
    assert (first["level"], second["level"]) == ("error", "warning")
    known = run["tool"]["driver"]["rules"]
    assert [known[item["ruleIndex"]]["id"] for item in run["results"]] == [item["ruleId"] for item in run["results"]] == ["FB101", "FB302"]
    assert "Why:" in known[0]["fullDescription"]["text"]
    assert known[0]["help"] == known[0]["fullDescription"]
    assert "Finnish" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_junit_counts_rules_as_tests(report: Report) -> None:
    suite = Xml.fromstring(junit.write(report, Path()))
    failed = [case for case in suite if case.find("failure") is not None]
    assert suite.get("tests") == str(len(suite)) == str(len(shelf.modules("rules")) + 1)
    assert suite.get("failures") == "1"
    assert suite.get("skipped") == "1"
    assert suite.get("errors") == "0"
    assert [case.get("name") for case in failed] == ["FB101 text-equals-fact"]
    assert NASTY.replace("\n", " ") in failed[0][0].get("message", "")
    assert "→ mend it" in str(failed[0][0].text)


def test_junit_says_all_errors_of_a_rule_and_file_in_one_failure(report: Report) -> None:
    again = Report((*report.findings, replace(report.findings[0], line=9, message="second")), (), ())
    suite = Xml.fromstring(junit.write(again, Path()))
    failures = [case.findall("failure") for case in suite if case.find("failure") is not None]
    assert [len(found) for found in failures] == [1]
    assert failures[0][0].get("message", "").endswith("(and 1 more)")
    assert "documents/ä b.md:9:7: second" in str(failures[0][0].text)


def test_files_are_named_from_the_working_folder_of_the_workflow(report: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    result = json.loads(sarif.write(report, Path("books/mine")))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "books/mine/documents/%C3%A4%20b.md"
    assert 'classname="books/mine/documents/ä b.md"' in junit.write(report, Path("books/mine"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = json.loads(sarif.write(report, tmp_path / "book"))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")


@pytest.mark.skipif(shutil.which("sarif-multitool") is None, reason="the SARIF Multitool is not installed (npm install @microsoft/sarif-multitool)")
def test_the_sarif_multitool_finds_no_error(report: Report, tmp_path: Path) -> None:
    (tmp_path / "r.sarif").write_text(sarif.write(report, Path()), encoding="utf-8")
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    for kind in ("Sarif", "Gh"):
        command = ["sarif-multitool", "validate", str(tmp_path / "r.sarif"), "--rule-kind", kind]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
        assert "completed successfully" in done.stdout, done.stdout + done.stderr
        assert " error " not in done.stdout


def test_github_annotations_stay_on_one_line_each(report: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    lines = github.write(report, tmp_path / "book").splitlines()
    assert lines[0].startswith("::error file=book/documents/ä b.md,line=3,col=7,title=FB101 text-equals-fact::100 %25 of")
    assert "%0Anext, a::b%0A→ mend it" in lines[0]
    assert lines[1].startswith("::warning file=book/factbook.yaml,line=1,col=1")
    assert lines[2].startswith("::notice")
    assert len(lines) == 3


def test_markdown_shows_data_as_text(report: Report) -> None:
    text = markdown.write(report, Path())
    assert "**fails**" in text
    assert "| 2 | 1 | 1 | 1 |" in text
    assert "&lt;h1&gt;PASS&lt;/h1&gt; \\| \\`x\\` next" in text
    assert "What is it for? (owner)" in text
    assert "as told" in text


def test_an_unknown_form_names_those_that_exist() -> None:
    assert set(shelf.modules("reports")) == {"sarif", "junit", "github", "markdown"}
    with pytest.raises(UnknownName, match="sarif"):
        shelf.find("reports", "sariff")
    assert rules.Report((), (), ()).exempted == ()
