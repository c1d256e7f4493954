"""The state of sign-offs on the start page and at the end of a check: what is signed, what lapsed, what is wanted, and what somebody deleted."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from factbook import Book
from factbook.cli import main

WARD = Path(__file__).parents[2] / "examples" / "ward"
DOCUMENT = "documents/summary-clinicians.md"


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    """The signed example, as a draft, so that what is wanted does not fail it."""
    shutil.copytree(WARD, tmp_path / "ward", ignore=shutil.ignore_patterns(".factbook", "site", "dist"))
    manifest = tmp_path / "ward" / "factbook.yaml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("stage: validation", "stage: draft"), encoding="utf-8")
    return tmp_path / "ward"


def rows(book: Path) -> dict[str, str]:
    """What the start page says of each section: its state and by whom; and of the tile."""
    Book(book).build(["html"])
    page = (book / "site" / "index.html").read_text(encoding="utf-8")
    part = page.partition('id="sign-offs"')[2].partition("</table>")[0]
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)[1:]:
        cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        found[cells[0].partition(", “")[2].rstrip("”")] = f"{cells[2]} {cells[3]}"
    return found | {"tile": (re.search(r'class="count">(\d)</span><a href="#sign-offs">', page) or ["", "0"])[1]}


def test_what_is_signed_lapsed_and_deleted_is_seen(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows(ward)
    assert before["tile"] == "0"
    assert before["What to do"] == "✓ signed Dr Amara Osei, 2026-11-21"
    assert main(["check", str(ward)]) == 0
    assert "7 of 7 sign-offs asked for\n" in capsys.readouterr().out
    next((ward / "reviews").glob("*for-whom-it-works*")).unlink()
    text = (ward / DOCUMENT).read_text(encoding="utf-8")
    (ward / DOCUMENT).write_text(text.replace("Call the patient", "Always call the patient"), encoding="utf-8")
    after = rows(ward)
    assert after["For whom it works"] == "? wanted nobody has signed"
    assert after["What to do"] == "✗ lapsed osei: fallen, the words changed"
    assert after["How well it works"] == before["How well it works"]
    assert after["tile"] == "3", "the auditor's sign-off of the whole document lapsed too"
    main(["check", str(ward)])
    assert "4 of 7 sign-offs asked for; wanted: " in capsys.readouterr().out


def test_without_sign_offs_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "factbook.yaml").write_text("factbook: 1\nsubject: {name: bare}\n", encoding="utf-8")
    assert 'id="sign-offs"' not in (Book(tmp_path).build(["html"]).published[0].files[0]).read_text(encoding="utf-8")
    main(["check", str(tmp_path)])
    assert "sign-off" not in capsys.readouterr().out
