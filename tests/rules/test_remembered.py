"""What is remembered of a check never changes what a check says."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from pathlib import Path

import casebook
import pytest

from factbook.book import Book
from factbook.rules import Report, remembered

DAY = dt.date(2026, 11, 21)
LINES = (
    "The model misses [19.5 %](fact:performance/fnr) of them.",
    "It misses [20.5 %](fact:performance/fnr) of them.",
    "It is better, and 17 of them were found.",
    "<!-- factbook: allow FB303 because the regulator prescribes these words -->",
    "Ethnicity was [not recorded](gap:ethnicity).",
    "<!-- fact:part answered regime=model-cards item=mitchell:use.primary -->\n\n<!-- /fact -->",
    "> **Open question [Q8](question:use.primary), purpose:** What for?",
    "## Intended use",
    "**Purpose.** It ranks patients for a call.",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return casebook.build(tmp_path_factory.mktemp("small") / "book")


@pytest.fixture
def root(small: Path, tmp_path: Path) -> Path:
    shutil.copytree(small, tmp_path / "book")
    for name in ("model-card", "report", "other"):
        (tmp_path / "book" / "documents" / f"{name}.md").write_text(f"# A {name}\n\n{LINES[0]}\n", encoding="utf-8")
    return tmp_path / "book"


def check(root: Path, **said: bool) -> Report:
    return Book(root).check(on=DAY, **said)


def edit(root: Path, chance: random.Random) -> None:
    """One change of anything that a rule may look at."""
    document = chance.choice(sorted((root / "documents").glob("*.md")))
    manifest, evidence = root / "factbook.yaml", root / "evidence" / "performance.json"
    kind = chance.randrange(8)
    if kind < 4:
        document.write_text(f"{document.read_text()}\n{chance.choice(LINES)}\n")
    elif kind == 4:
        document.with_name(f"new-{chance.randrange(99)}.md").write_text(f"# New\n\n{chance.choice(LINES)}\n")
    elif kind == 5:
        manifest.write_text(manifest.read_text().replace("stage: draft", "stage: validation") + chance.choice(["\n", "# a comment\n"]))
    elif kind == 6:
        (root / "style.yaml").write_text(f"absolutes: [{chance.choice(['misses', 'ranks'])}]\n")
    else:
        evidence.write_text(evidence.read_text().replace('"k":39', f'"k":{chance.randrange(30, 50)}'))


@pytest.mark.parametrize("seed", range(4))
def test_remembered_and_fresh_reports_are_equal_after_random_edits(root: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        edit(root, chance)
        try:
            fresh = check(root, rehash=True)
        except Exception as error:
            with pytest.raises(type(error)):
                check(root)
            return
        assert check(root) == fresh
        assert check(root) == fresh


def test_only_what_changed_is_judged_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from factbook import rules

    judged: list[str] = []
    honest = rules._judgement
    monkeypatch.setattr(rules, "_judgement", lambda single, checked: (judged.append(checked.documents[0].name), honest(single, checked))[1])
    check(root)
    assert len(judged) == 3
    check(root)
    assert len(judged) == 3
    (root / "documents" / "other.md").write_text("# Other\n", encoding="utf-8")
    check(root)
    assert judged[3:] == ["documents/other.md"]
    (root / "style.yaml").write_text("absolutes: [misses]\n", encoding="utf-8")
    check(root)
    assert len(judged) == 7


def test_a_part_is_judged_again_when_another_document_changes(root: Path) -> None:
    (root / "documents" / "report.md").write_text(f"# Report\n\n{LINES[5]}\n", encoding="utf-8")
    assert not any(finding.code == "FB112" for finding in check(root).findings)
    (root / "documents" / "model-card.md").write_text(f"# Card\n\n{LINES[7]}\n\n{LINES[8]}\n", encoding="utf-8")
    assert [finding.file for finding in check(root).findings if finding.code == "FB112"] == ["documents/report.md"]


def test_a_link_is_judged_again_when_what_it_leads_to_changes(root: Path) -> None:
    shown = "Women under 40: [15 of 24](fact:performance/fnr?age_band=<40&sex=women).\n"
    women = "Women: [20.0 % (95 % CI 12.7–29.2)](fact:performance/fnr?sex=women); see [the other](other.md).\n"
    (root / "documents" / "report.md").write_text(women, encoding="utf-8")
    (root / "documents" / "other.md").write_text(shown, encoding="utf-8")
    assert not any("the worst slice" in item.what for item in check(root).not_judged)
    (root / "documents" / "other.md").write_text("# Other\n", encoding="utf-8")
    assert [item.file for item in check(root).not_judged if "the worst slice" in item.what] == ["documents/report.md"]


@pytest.mark.parametrize("link", ["[17](../data/table.csv) cases", "[17][t] cases\n\n[t]: ../data/table.csv"])
def test_a_number_is_judged_again_when_the_file_that_it_rests_on_is_gone(root: Path, link: str) -> None:
    table = root / "data" / "table.csv"
    table.write_text("n\n17\n", encoding="utf-8")
    (root / "documents" / "report.md").write_text(f"There were {link}\n", encoding="utf-8")
    assert check(root).findings == ()
    table.unlink()
    assert [finding.code for finding in check(root).findings] == ["FB106"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"world": 1, "documents": {"documents/other.md": 3}}'])
def test_a_damaged_memory_is_none(root: Path, damage: str) -> None:
    wanted = check(root)
    (root / remembered.FILE).write_text(damage, encoding="utf-8")
    assert check(root) == wanted


def test_rehash_judges_everything_again(root: Path) -> None:
    wanted = check(root)
    path = root / remembered.FILE
    tree = json.loads(path.read_text(encoding="utf-8"))
    for kept in tree["documents"].values():
        kept[1]["findings"] = []
    path.write_text(json.dumps(tree), encoding="utf-8")
    assert check(root) != wanted or not wanted.findings
    assert check(root, rehash=True) == wanted


def test_the_day_counts(root: Path) -> None:
    (root / "documents" / "other.md").write_text("---\nreview_by: 2026-12-01\n---\n\n# Other\n", encoding="utf-8")
    for day in (DAY, DAY.replace(year=2027)):
        assert Book(root).check(on=day) == Book(root).check(on=day, rehash=True)
