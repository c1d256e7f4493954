"""Every book under examples/ is what its script and its factbook.yaml make: fresh, clean, small, labelled as synthetic, and published."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pikepdf
import pytest

from factbook import Book
from factbook.documents import kinds

EXAMPLES = Path(__file__).parents[1] / "examples"
BOOKS = sorted(path.parent.name for path in EXAMPLES.glob("*/factbook.yaml"))
MADE_AGAIN = (".factbook", "site", "dist")
LARGEST = 700_000


@pytest.fixture(scope="module", params=BOOKS)
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("examples") / str(request.param)
    shutil.copytree(EXAMPLES / request.param, place, ignore=shutil.ignore_patterns(*MADE_AGAIN))
    return place


def test_its_script_makes_the_data_and_measuring_finds_them_fresh(copy: Path) -> None:
    kept = {path.name: path.read_bytes() for path in (copy / "data").iterdir()}
    runpy.run_path(str(copy / "make_data.py"), run_name="__main__")
    assert {path.name: path.read_bytes() for path in (copy / "data").iterdir()} == kept
    assert {outcome.state for outcome in Book(copy).measure()} == {"fresh"}


def test_measured_again_it_says_the_same(copy: Path) -> None:
    before = {fact.key: fact for fact in Book(copy).facts()}
    book = Book(copy)
    book.measure(force=True)
    assert {fact.key: fact for fact in book.facts()} == before


def test_it_is_clean_and_nothing_is_left_to_update(copy: Path) -> None:
    book = Book(copy)
    assert book.check().findings == ()
    assert book.update() == ()


def test_what_is_asked_for_is_signed_and_its_script_signs_the_same(copy: Path) -> None:
    reviews = Book(copy).reviews
    wanted = [str(asked) for asked in reviews.asked if not asked.met]
    assert wanted == [], f"sign again: python examples/{copy.name}/sign_off.py"
    if reviews.asked:
        runpy.run_path(str(copy / "sign_off.py"), run_name="__main__")
        again = Book(copy).reviews
        assert [item.standing for item in again.verdicts] == ["stands"] * len(reviews.verdicts)


def test_it_is_published(copy: Path) -> None:
    built = Book(copy).build(["html", "markdown"])
    assert {item.target for item in built.published if item.files} == {"html", "markdown"}


def test_what_should_fit_on_a_page_does(copy: Path) -> None:
    book = Book(copy)
    wanted = {f"{Path(item.name).stem}.pdf": pages for item in book.documents if (pages := kinds.load(item.kind).pages)}
    if not wanted:
        pytest.skip("no document of this book is of a kind that has to fit")
    book.build(["pdf"])
    for name, pages in wanted.items():
        with pikepdf.open(copy / "dist" / "pdf" / name) as paper:
            places = {str(entry.title): entry.destination for entry in paper.open_outline().root}
            assert paper.pages.index(places["Evidence"][0]) == pages, name


def test_it_is_small_and_says_that_it_is_synthetic(copy: Path) -> None:
    files = [path for path in copy.rglob("*") if path.is_file() and not set(path.relative_to(copy).parts) & {*MADE_AGAIN, "__pycache__"}]
    assert sum(path.stat().st_size for path in files) < LARGEST
    assert "synthetic" in (copy / "make_data.py").read_text(encoding="utf-8").lower()
    assert "synthetic" in Book(copy).manifest.subject.description.lower()


def test_every_kind_has_an_example() -> None:
    shown = {document.kind for name in BOOKS for document in Book(EXAMPLES / name).documents}
    assert shown | {"summary"} >= set(kinds.names()), "the demo shows `summary`"
