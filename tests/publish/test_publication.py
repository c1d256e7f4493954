from __future__ import annotations

import datetime as dt
from importlib.metadata import version
from pathlib import Path

from factbook.publish import Publication, Row, write
from factbook.publish import publication as publication_of
from factbook.rules import Finding, NotJudged, Report, Severity


def test_a_publication_takes_over_what_the_rules_said(publication: Publication) -> None:
    report = Report(
        (Finding("FB101", "text-equals-fact", Severity.ERROR, "documents/a.md", 3, 5, "says 12 %", "write 13 %"),),
        (NotJudged("freshness", "the file is absent"), NotJudged("words", "not English", "documents/a.md", 7)),
        (),
    )
    made = _publication(publication, report)
    assert made.findings == (Row("FB101 text-equals-fact", "documents/a.md:3:5", "says 12 %"),)
    assert made.not_judged == (Row("freshness", "", "the file is absent"), Row("words", "documents/a.md:7", "not English"))


def test_its_date_is_the_day_of_the_newest_measurement_and_not_of_the_clock(publication: Publication) -> None:
    made = _publication(publication, Report((), (), ()))
    assert made.date == dt.date(2026, 11, 21)
    assert made.version == version("factbook")


def _publication(of: Publication, report: Report) -> Publication:
    return publication_of(of.root, of.catalog, of.documents, report)


def test_only_files_of_an_earlier_publication_of_the_same_target_are_deleted(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    write(tmp_path, "x", {"a/one": b"1", "two": b"2"})
    write(tmp_path, "y", {"three": b"3"})
    assert write(tmp_path, "x", {"two": b"new"}) == (tmp_path / "two",)
    left = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file() and path.name[0] != "."}
    assert left == {"mine": "mine", "two": "new", "three": "3"}


def test_a_list_of_files_that_somebody_changed_deletes_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("kept")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/.factbook-x").write_text("../outside\n")
    write(tmp_path / "site", "x", {"a": b"1"})
    assert (tmp_path / "outside").read_text() == "kept"
