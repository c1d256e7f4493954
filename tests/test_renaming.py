"""A name is changed wherever it stands, and not a byte elsewhere."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from factbook import Book
from factbook.documents.parse import parse
from factbook.errors import FactbookError, UnknownName
from factbook.renaming.book_file import renamed
from factbook.renaming.documents import applied, edits
from factbook.renaming.names import Rename
from made import predictions

SAID = {"label": "y", "score": "p", "key": "id", "by": ("sex", "age:40,60"), "protected": ("sex=male",)}
MORE = """
claims:
  women: "{performance/fnr?sex=female} > {performance/fnr?sex=male}"  # asked before
derived:
  gap: "{performance/fnr?sex=female} - {performance/fnr?sex=male}"
thresholds:
  performance/accuracy: {at_least: 0.1}
gaps:
  income: {why: not recorded}
"""
NOTES = """# Notes

See [the rate][r], [](fact:performance/fnr?sex=female "performance/fnr of women"), [it][w] and performance/fnr in plain words.
[It was not established](claim:women?not-established); the difference is [](fact:derived/gap); [income is not known](gap:income).

<!-- fact:table performance   by=sex metrics=fnr -->
<!-- /fact -->

![Rates](../evidence/figures/performance-fnr-sex.svg "fact:chart performance metric=fnr by=sex")

`performance/fnr` stays.

[r]: fact:performance/fnr
[w]: <fact:performance/fnr?sex=male>
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("renaming")
    book, _ = Book.init(place / "book", data=str(predictions(place / "rows.csv")), **SAID)
    path = book.root / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    (book.root / "documents/notes.md").write_text(NOTES, encoding="utf-8")
    book = Book(place / "book")
    book.measure()
    book.update()
    return place


@pytest.fixture
def book(made: Path, tmp_path: Path) -> Book:
    shutil.copytree(made, tmp_path / "copy")
    return Book(tmp_path / "copy" / "book")


def files(book: Book) -> dict[str, bytes]:
    return {
        path.relative_to(book.root).as_posix(): path.read_bytes() for path in book.root.rglob("*") if path.is_file() and ".factbook" not in path.parts
    }


def errors(book: Book) -> list[str]:
    return [f"{item.code} {item.message}" for item in book.check().findings]


def test_a_measurement_takes_its_evidence_run_charts_and_links_along(book: Book) -> None:
    before, found = files(book), {str(fact.key): fact.value for fact in book.facts()}
    assert errors(book) == []
    done = book.rename("performance", "holdout-run")
    assert done.notes == ()
    again = Book(book.root)
    assert {str(fact.key).replace("holdout-run/", "performance/"): fact.value for fact in again.facts()} == found
    assert errors(again) == []
    assert {outcome.state for outcome in again.measure()} == {"fresh"}
    assert again.update() == ()
    after = files(again)
    assert "evidence/performance.json" not in after
    assert not [name for name in after if name.startswith(("runs/performance.", "evidence/figures/performance"))]
    assert "../evidence/figures/holdout_run-fnr-sex" in after["documents/notes.md"].decode()
    back = again.rename("holdout-run", "performance")
    assert back.notes == ()
    assert files(again)["documents/notes.md"] == before["documents/notes.md"]
    assert files(again)["factbook.yaml"] == before["factbook.yaml"]
    assert files(again)["evidence/performance.json"] == before["evidence/performance.json"]


def test_only_what_spells_the_name_changes(book: Book) -> None:
    before = (book.root / "documents/notes.md").read_text(encoding="utf-8")
    book.rename("performance", "perf")
    after = (book.root / "documents/notes.md").read_text(encoding="utf-8")
    changed = [line[2:] for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("+ ")]
    assert len(changed) == 5
    assert ' "performance/fnr of women"), [' in after
    assert "][w] and performance/fnr in plain words." in after
    assert "`performance/fnr` stays." in after
    assert "<!-- fact:table perf   by=sex metrics=fnr -->" in after
    assert "[r]: fact:perf/fnr\n[w]: <fact:perf/fnr?sex=male>\n" in after
    assert "# asked before" in (book.root / "factbook.yaml").read_text(encoding="utf-8")


def test_thresholds_that_documents_cite_follow_and_written_parts_are_told(book: Book) -> None:
    path = book.root / "documents" / "limits.md"
    path.write_text(
        "# Limits\n\nIt has to reach [0.1](declared:thresholds.performance/accuracy).\n\n"
        "<!-- fact:part answered regime=eu-ai-act-annex-iv item=eu-aia:annex-iv.2.g -->\n<!-- /fact -->\n",
        encoding="utf-8",
    )
    book.update()
    assert "performance" in path.read_text(encoding="utf-8").partition("fact:part")[2]
    done = Book(book.root).rename("performance", "holdout.new")
    assert "declared:thresholds.holdout.new/accuracy" in path.read_text(encoding="utf-8")
    assert any("factbook update" in note and "documents/limits.md" in note for note in done.notes)
    again = Book(book.root)
    again.update()
    assert errors(again) == []


@pytest.mark.parametrize(("old", "new"), [("sex", "gender"), ("sex=female", "women"), ("sex=sex=female", ""), ("age=<40", "young people")])
def test_attributes_and_groups_are_right_after_measure_and_update(book: Book, old: str, new: str) -> None:
    if not new:
        with pytest.raises(UnknownName):
            book.rename(old, "x")
        return
    done = book.rename(old, new)
    assert any("factbook measure" in note for note in done.notes)
    again = Book(book.root)
    again.measure()
    again.update()
    assert errors(again) == []
    keys = [str(fact.key) for fact in again.facts()]
    assert not [key for key in keys if f"{old}" in key.partition("?")[2].split("&")]
    assert any(new.replace(" ", "%20") in key for key in keys)


@pytest.mark.parametrize(("old", "new", "said"), [("women", "gap-of-sexes", "claim:gap-of-sexes?not-established"), ("income", "wages", "gap:wages")])
def test_claims_and_gaps_are_renamed(book: Book, old: str, new: str, said: str) -> None:
    book.rename(old, new)
    assert said in (book.root / "documents/notes.md").read_text(encoding="utf-8")
    assert errors(Book(book.root)) == []


def test_links_to_what_was_renamed_before_are_mended(book: Book) -> None:
    """The measurement has its new name already; only the documents are behind."""
    book.rename("performance", "perf")
    (book.root / "documents/late.md").write_text("# Late\n\nIt is [](fact:performance/accuracy).\n", encoding="utf-8")
    done = Book(book.root).rename("performance", "perf")
    assert [(item.file, item.places) for item in done.changed] == [("documents/late.md", 1)]
    assert "fact:perf/accuracy" in (book.root / "documents/late.md").read_text(encoding="utf-8")


def test_what_is_ambiguous_taken_or_unknown_is_refused_and_nothing_changes(book: Book) -> None:
    path = book.root / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  income:", "  women: {why: x}\n  income:"), encoding="utf-8")
    before, own = files(book), Book(book.root)
    with pytest.raises(FactbookError, match="several things: claim, gap") as error:
        own.rename("women", "w")
    assert "claim:women or gap:women" in error.value.remedy
    for old, new in (("performance", "fairness"), ("nothing", "x"), ("sex=female", "male"), ("performance", "a b"), ("sex", "sex")):
        with pytest.raises(FactbookError):
            own.rename(old, new)
    assert files(book) == before
    assert "gap:w)" not in own.rename("claim:women", "w", dry_run=True).patch


def test_a_dry_run_prints_the_patch_and_changes_nothing(book: Book) -> None:
    before = files(book)
    command = [sys.executable, "-m", "factbook", "rename", "performance", "perf", str(book.root)]
    done = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("--- a/factbook.yaml\n+++ b/factbook.yaml\n")
    assert "+[r]: fact:perf/fnr\n" in done.stdout
    assert files(book) == before
    tree = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert tree["rename"] == "measurement performance → perf"
    assert files(book) != before


HEAD = "factbook: 1\nsubject: {name: x}\nsources:\n  d:\n    uri: d.csv\n"


@pytest.mark.parametrize(
    ("said", "rename", "wanted"),
    [
        ("    by: [sex, age]\n", Rename("attribute", "sex", "gender"), "    by: {gender: sex, age: age}\n"),
        ("    by:\n      - sex\n      - age\n", Rename("attribute", "age", "years"), "    by:\n      {sex: sex, years: age}\n"),
        ("    by: {sex: gender}\n", Rename("group", "1", "men", "sex"), '    by: {sex: {column: gender, names: {"1": men}}}\n'),
        ("    by: [sex]\n", Rename("group", "f", "women", "sex"), "    by: {sex: {column: sex, names: {f: women}}}\n"),
        (
            "    by:\n      sex:\n        column: s  # coded\n",
            Rename("group", "f", "no", "sex"),
            '    by:\n      sex:\n        column: s\n        names: {f: "no"}  # coded\n',
        ),
        (
            "    by: {sex: {column: s, names: {f: 'women'}}}\n",
            Rename("group", "women", "ladies", "sex"),
            "    by: {sex: {column: s, names: {f: 'ladies'}}}\n",
        ),
        ("plan:\n  a: {measure: profile, data: d}\n", Rename("measurement", "a", "b"), "plan:\n  b: {measure: profile, data: d}\n"),
        (
            "plan:\n  e: {measure: estimate, inputs: {a: derived/x, b: declared:x, c: {from: a/b}}}\n",
            Rename("derived", "x", "z"),
            "plan:\n  e: {measure: estimate, inputs: {a: derived/z, b: declared:x, c: {from: a/b}}}\n",
        ),
        (
            "plan:\n  e: {measure: estimate, inputs: {b: declared:x, c: {from: a/b}}}\n",
            Rename("declared", "x", "z"),
            "plan:\n  e: {measure: estimate, inputs: {b: declared:z, c: {from: a/b}}}\n",
        ),
        ("derived: {x: '{a/b}', y: '{ derived/x }'}\n", Rename("derived", "x", "z"), "derived: {z: '{a/b}', y: '{ derived/z }'}\n"),
    ],
)
def test_factbook_yaml_keeps_its_layout(said: str, rename: Rename, wanted: str) -> None:
    assert renamed(HEAD + said, rename)[0] == HEAD + wanted


@pytest.mark.parametrize(
    ("said", "rename", "wanted"),
    [
        (' established evidence="x" evidence=a  of=a ', Rename("measurement", "a", "b"), ' established evidence="x" evidence=b  of=a '),
        (" diagram level=components of=a ", Rename("measurement", "a", "b"), " diagram level=components of=a "),
    ],
)
def test_words_of_parts_name_measurements_only_where_they_say_so(said: str, rename: Rename, wanted: str) -> None:
    document = parse(f"<!-- fact:part{said}-->\n\n<!-- /fact -->\n")
    assert applied(document, list(edits(document, rename))).decode() == f"<!-- fact:part{wanted}-->\n\n<!-- /fact -->\n"


def test_keys_keep_the_spelling_of_what_is_not_renamed() -> None:
    rename = Rename("attribute", "sex", "gender")
    assert rename.key("a/b;attribute=sex?sex=sex&age=%3C40#low") == "a/b;attribute=gender?gender=sex&age=%3C40#low"
    assert Rename("group", "<40", "under 40", "age").key("a/b?age=%3C40&sex=f") == "a/b?age=under%2040&sex=f"
    assert Rename("parameter", "cat", "feline", "class").key("a/b;class=cat;k=1?class=cat") == "a/b;class=feline;k=1?class=cat"
    assert rename.key("no key at all?sex=f") == "no key at all?sex=f"
    assert rename.words(" a  by=age,sex metrics=n,b;attribute=sex") == " a  by=age,gender metrics=n,b;attribute=gender"
