"""Every rule against its planted defects: each is reported at its line, and what only looks like one is not. The cases are data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import casebook
import pytest

from factbook import shelf
from factbook.canon import load_yaml

CASES = Path(__file__).parent.parent / "cases" / "rules"
LEAST = 5
OTHERS = {"worst-group-is-disclosed", "worst-slice-is-disclosed", "claims-are-reported"}  # fine passages cite one group, and few of the claims


def _cases(what: str) -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        tree, _ = load_yaml(path.read_text(encoding="utf-8"), path.name)
        found += [pytest.param(path.stem, given, id=f"{path.stem}-{place}") for place, given in enumerate(tree[what])]
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return casebook.build(tmp_path_factory.mktemp("casebook") / "book")


@pytest.mark.parametrize(("rule", "given"), _cases("bad"))
def test_a_planted_defect_is_reported_at_its_line(book: Path, tmp_path: Path, rule: str, given: dict[str, Any]) -> None:
    report = casebook.case(book, tmp_path, given)
    wanted = (given.get("file", "documents/case.md"), int(given["line"]))
    hits = [finding for finding in report.findings if finding.name == rule and (finding.file, finding.line) == wanted]
    assert hits, report.findings
    warns = getattr(shelf.find("rules", rule), "STYLE", False) or given.get("severity") == "warning"
    assert all((str(finding.severity) == "warning") is warns for finding in hits), hits
    assert warns or report.failed


@pytest.mark.parametrize(("rule", "given"), _cases("fine"))
def test_what_only_looks_like_a_defect_is_left_alone(book: Path, tmp_path: Path, rule: str, given: dict[str, Any]) -> None:
    report = casebook.case(book, tmp_path, given)
    assert [finding for finding in report.findings if finding.name == rule or finding.name not in OTHERS] == []
    if "not_judged" in given:
        assert any(given["not_judged"] in str(item) for item in report.not_judged), report.not_judged


def test_every_rule_has_cases_a_page_and_a_code_of_its_own() -> None:
    rules = shelf.modules("rules").values()
    assert {rule.NAME for rule in rules} == {path.stem for path in CASES.glob("*.yaml")}
    assert len({rule.CODE for rule in rules}) == len(rules)
    for rule in rules:
        assert all(word in (rule.__doc__ or "") for word in ("Why:", "Bad:", "Good:", "Fix:")), rule.NAME
        tree, _ = load_yaml((CASES / f"{rule.NAME}.yaml").read_text(encoding="utf-8"), rule.NAME)
        assert len(tree["bad"]) >= LEAST, rule.NAME
        assert len(tree["fine"]) >= LEAST, rule.NAME
