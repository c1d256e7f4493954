"""`measure --add`: a further file is checked, counted, and only then declared."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import factbook
from factbook import engines
from factbook.book import Book
from factbook.errors import FactbookError
from factbook.evidence.adding import with_more

INIT = {"label": "y", "score": "s", "by": ("g",)}


def rows(path: Path, seed: int, first: int = 0, header: str = "id,y,s,g") -> Path:
    drawn = random.Random(seed)
    lines = [f"{first + i},{drawn.randint(0, 1)},{drawn.random():.4f},{drawn.choice('ab')}\n" for i in range(300)]
    path.write_text(header + "\n" + "".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def book(tmp_path: Path) -> Book:
    rows(tmp_path / "log-0.csv", 0)
    return Book.init(tmp_path / "book", data=str(tmp_path / "log-0.csv"), **INIT)[0]


def facts(book: Book) -> dict[str, object]:
    return {str(fact.key): fact.value for fact in book.facts()}


def test_as_if_all_files_had_been_there(book: Book, tmp_path: Path) -> None:
    rows(tmp_path / "log-1.csv", 1, 300)
    text = (book.root / "factbook.yaml").read_text(encoding="utf-8")
    outcomes = book.measure(add=tmp_path / "log-1.csv")
    assert [item.state for item in outcomes] == ["measured"] * len(outcomes)
    assert (book.root / "factbook.yaml").read_text(encoding="utf-8") == text.replace(
        "uri: ../log-0.csv\n", "uri: ../log-0.csv\n    more: [../log-1.csv]\n"
    )
    engines._recent.clear()
    whole = Book.init(tmp_path / "whole", data=str(tmp_path / "log-*.csv"), **INIT)[0]
    assert facts(book) == facts(whole)
    assert {item.state for item in book.measure()} == {"fresh"}


def test_nothing_to_declare_where_a_pattern_finds_it(tmp_path: Path) -> None:
    rows(tmp_path / "log-0.csv", 0)
    book = Book.init(tmp_path / "book", data=str(tmp_path / "log-*.csv"), **INIT)[0]
    text = (book.root / "factbook.yaml").read_bytes()
    rows(tmp_path / "log-1.csv", 1)
    assert {item.state for item in book.measure(add=tmp_path / "log-1.csv")} == {"measured"}
    assert (book.root / "factbook.yaml").read_bytes() == text


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda path: path.write_bytes((path.parent / "log-0.csv").read_bytes()), "holds the same bytes"),
        (lambda path: rows(path, 1, header="id,y,s,group"), "there is no column 'g'"),
        (lambda path: path.write_text("id,y,s,g\n1,1,7,a\n"), "is no probability"),
        (lambda path: path.write_text("id,y,s,g\n1,1\n"), "2 fields in a table of 4 columns"),
        (lambda path: path.write_text("id,y,s,g\n1,7,0.5,a\n"), "label column 'y' has 3 values"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_refused_changes_nothing(book: Book, tmp_path: Path, made: object, said: str) -> None:
    before = {path: path.read_bytes() for path in book.root.rglob("*") if path.is_file() and ".factbook" not in path.parts}
    made(tmp_path / "new.csv")  # type: ignore[operator]
    with pytest.raises(FactbookError) as caught:
        book.measure(add=tmp_path / "new.csv")
    assert said in str(caught.value)
    assert caught.value.remedy
    assert {path: path.read_bytes() for path in before} == before
    assert not book.manifest.sources["evaluation"].more


def test_keys_that_repeat_are_refused(tmp_path: Path) -> None:
    rows(tmp_path / "log-0.csv", 0)
    book = Book.init(tmp_path / "book", data=str(tmp_path / "log-0.csv"), key="id", **INIT)[0]
    rows(tmp_path / "log-1.csv", 1, first=290)
    with pytest.raises(FactbookError, match="key 'id' is not unique: 10 rows repeat one"):
        book.measure(add=tmp_path / "log-1.csv")
    rows(tmp_path / "log-1.csv", 1, first=300)
    assert {item.state for item in book.measure(add=tmp_path / "log-1.csv")} == {"measured"}


def test_which_source(book: Book, tmp_path: Path) -> None:
    path = book.root / "factbook.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("sources:\n", "sources:\n  other: {uri: ../log-0.csv}\n"), encoding="utf-8")
    rows(tmp_path / "log-1.csv", 1)
    with pytest.raises(FactbookError, match="which source gets the file"):
        Book(book.root).measure(add=tmp_path / "log-1.csv")
    with pytest.raises(FactbookError, match="no source 'evluation'"):
        Book(book.root).measure(add=tmp_path / "log-1.csv", source="evluation")
    book = Book(book.root)
    book.measure(add=tmp_path / "log-1.csv", source="evaluation")
    assert book.manifest.sources["evaluation"].more == ("../log-1.csv",)
    assert book.manifest.sources["other"].more == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sources:\n  log:\n    uri: a.csv   # the log\n    label: y\n",
            'sources:\n  log:\n    uri: a.csv   # the log\n    more: ["d 1.csv"]\n    label: y\n',
        ),
        ("sources:\r\n  log: {uri: 'a.csv', label: y}\r\n", "sources:\r\n  log: {uri: 'a.csv', more: [\"d 1.csv\"], label: y}\r\n"),
        ("sources: {log: {uri: a.csv, more: [b.csv]}}", 'sources: {log: {uri: a.csv, more: [b.csv, "d 1.csv"]}}'),
        (
            "sources:\n  log:\n    more:\n    - b.csv # b\n    uri: a.csv",
            'sources:\n  log:\n    more:\n    - b.csv # b\n    - "d 1.csv"\n    uri: a.csv',
        ),
        ("sources:\n  log:\n    more:\n      - b.csv\n", 'sources:\n  log:\n    more:\n      - b.csv\n      - "d 1.csv"\n'),
        ("sources:\n  other:\n    uri: a.csv\n", None),
        ("sources:\n  log:\n    more: []\n    uri: a.csv\n", None),
    ],
)
def test_everything_else_stays_as_it_was(text: str, expected: str | None) -> None:
    assert with_more(text, "log", "d 1.csv") == expected


class TestFrames:
    def test_a_book_over_a_frame(self, tmp_path: Path) -> None:
        pd = pytest.importorskip("pandas", reason="pandas is not installed")
        frame = pd.read_csv(rows(tmp_path / "log.csv", 0))
        book = factbook.Book.init(tmp_path / "book", data=frame, **INIT)[0]
        from_file = Book.init(tmp_path / "file", data=str(tmp_path / "log.csv"), **INIT)[0]
        same = [key for key in facts(from_file) if key.startswith("performance/")]
        assert {key: facts(book)[key] for key in same} == {key: facts(from_file)[key] for key in same}
        assert book.manifest.sources["evaluation"].uri == "data/predictions.parquet"
        assert {item.state for item in book.measure(data={"evaluation": frame})} == {"fresh"}
        frame.loc[0, "s"] = 0.123
        assert "measured" in {item.state for item in book.measure(data={"evaluation": frame})}

    def test_rows_are_for_a_source_that_names_a_parquet_file(self, book: Book) -> None:
        pa = pytest.importorskip("pyarrow")
        with pytest.raises(FactbookError, match="written as Parquet"):
            book.measure(data={"evaluation": pa.table({"y": [1]})})
        with pytest.raises(FactbookError, match="no source 'log'"):
            book.measure(data={"log": pa.table({"y": [1]})})
