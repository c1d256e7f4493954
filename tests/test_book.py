"""The facade: from predictions to a checked and published book, and that nothing is lost or overwritten on the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from factbook import Book
from factbook.errors import BookExists, DocumentError, ManifestError, SourceError, UnknownName
from made import predictions

SAID = {"label": "y", "score": "p", "key": "id", "by": ("sex", "age:40,60"), "protected": ("sex=male",)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    Book.init(place / "book", data=str(predictions(place / "rows.csv")), **SAID)
    return place


@pytest.fixture
def book(made: Path, tmp_path: Path) -> Book:
    shutil.copytree(made, tmp_path / "copy")
    return Book(tmp_path / "copy" / "book")


def bytes_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and ".factbook" not in path.parts
    }


def test_a_new_book_is_clean_and_its_links_are_filled(book: Book) -> None:
    report = book.check()
    assert not report.findings
    assert report.questions
    text = (book.root / "documents/model-card.md").read_text(encoding="utf-8")
    assert "[](" not in text
    assert "(fact:performance/fnr)" in text
    assert "fact:table performance by=sex" in text


def test_a_new_book_names_its_data_from_where_it_is(book: Book) -> None:
    assert book.manifest.sources["evaluation"].uri == "../rows.csv"


def test_build_publishes_and_edits_no_document_and_measures_once(book: Book) -> None:
    before = bytes_of(book.root / "documents")
    first = book.build(("html", "markdown"))
    assert {item.target for item in first.published} == {"html", "markdown"}
    assert (book.root / "site/index.html").is_file()
    everything = bytes_of(book.root)
    second = book.build(("html", "markdown"))
    assert {outcome.state for outcome in second.outcomes} == {"fresh"}
    assert bytes_of(book.root) == everything
    assert bytes_of(book.root / "documents") == before


def test_a_false_number_is_found_and_nothing_is_published(book: Book) -> None:
    card = book.root / "documents/model-card.md"
    key = book.facts("performance/fnr")[0]
    text = card.read_text(encoding="utf-8")
    card.write_text(text.replace(f"[{key.n}](fact:performance/fnr#n)", f"[{key.n + 1}](fact:performance/fnr#n)"), encoding="utf-8")
    built = book.build(("html",))
    assert built.report.failed
    assert built.published == ()
    assert [finding.name for finding in built.report.findings] == ["text-equals-fact"]
    assert book.update() == (card,)
    assert card.read_text(encoding="utf-8") == text
    assert book.update() == ()


def test_new_begins_every_kind_and_overwrites_none(book: Book) -> None:
    for kind in ("datasheet", "summary"):
        path, *_ = book.new(kind)
        with pytest.raises(BookExists):
            book.new(kind)
        assert "[](" not in path.read_text(encoding="utf-8")
    assert not book.check().findings
    with pytest.raises(UnknownName, match="model-card"):
        book.new("model-crad")
    for name in ("../outside", "a/b"):
        with pytest.raises(DocumentError):
            book.new("summary", name=name)


def test_facts_by_key_by_pattern_and_by_wrong_name(book: Book) -> None:
    assert [str(fact.key) for fact in book.facts("performance/fnr?sex=female")] == ["performance/fnr?sex=female"]
    assert {str(fact.key) for fact in book.facts("performance/fnr?sex=*")} == {"performance/fnr?sex=female", "performance/fnr?sex=male"}
    assert len(book.facts()) > len(book.facts("performance/*"))
    assert book.facts("nothing/*") == ()
    with pytest.raises(UnknownName, match="performance/fnr"):
        book.facts("performance/fnrr")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"label": "why"}, SourceError, "there is no column 'why'"),
        ({"data": "nowhere.csv"}, SourceError, "no such file"),
        ({"score": ""}, ManifestError, "--prediction or --score"),
        ({"prediction": "y", "cut": "0.4"}, ManifestError, "--cut"),
        ({"by": ("id",), "protected": ()}, SourceError, "too many for groups"),
        ({"by": ("age:60,40",)}, ManifestError, "increasing"),
        ({"by": ("sex:1,2",)}, SourceError, "no numbers"),
        ({"protected": ("sex=men",)}, UnknownName, "group of sex"),
        ({"protected": ("sex",)}, ManifestError, "ATTRIBUTE=GROUP"),
        ({"label": "sex"}, ManifestError, "which value of the label"),
        ({"missing": ("label",)}, ManifestError, "ROLE=POLICY"),
    ],
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(tmp_path: Path, change: dict[str, object], error: type[Exception], said: str) -> None:
    data = predictions(tmp_path / "rows.csv", rows=60)
    with pytest.raises(error, match=said):
        Book.init(tmp_path / "book", **({"data": str(data)} | SAID | change))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]


@pytest.mark.parametrize(("role", "text"), [("group", "y,p,g\n1,0.9,a\n0,0.2,\n"), ("label", "y,p,g\n1,0.9,a\n0,0.2,b\n,0.2,b\n")])
def test_init_says_in_its_own_words_what_to_do_with_missing_values(tmp_path: Path, role: str, text: str) -> None:
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    said = {"data": str(tmp_path / "rows.csv"), "label": "y", "score": "p", "by": ("g",)}
    with pytest.raises(SourceError, match=r"rows\.csv: '[yg]' is missing in 1 rows") as refused:
        Book.init(tmp_path / "book", **said)
    assert f"--missing {role}=drop" in str(refused.value.remedy)
    assert Book.init(tmp_path / "book", **said, missing=(f"{role}=drop",))[0].facts()


def test_init_refuses_a_folder_in_use_and_takes_an_empty_one(tmp_path: Path) -> None:
    data = str(predictions(tmp_path / "rows.csv", rows=60))
    taken, empty = tmp_path / "taken", tmp_path / "empty"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BookExists):
        Book.init(taken, data=data, label="y", score="p")
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]
    empty.mkdir()
    Book.init(empty, data=data, label="y", score="p")
    assert Book(empty).facts("performance/fnr")


def test_what_is_inferred_is_said(tmp_path: Path) -> None:
    data = predictions(tmp_path / "rows.csv", rows=60, separator=";")
    book, notes = Book.init(tmp_path / "book", data=str(data), label="y", score="p")
    assert book.manifest.sources["evaluation"].separator == ";"
    assert [any(word in note for note in notes) for word in ("separator", "'1' counts as positive", "cut is 0.5")] == [True] * 3
    _, said = Book.init(tmp_path / "other", data=str(data), label="y", score="p", positive="1", cut="0.4", separator=";")
    assert said == []


def test_predictions_that_only_write_the_labels_otherwise_are_declared_alike_and_said(tmp_path: Path) -> None:
    rows = "y,yhat\n" + "1,1.0\n" * 20 + "0,0.0\n" * 15 + "1,0.0\n" * 5
    (tmp_path / "rows.csv").write_text(rows)
    book, notes = Book.init(tmp_path / "book", data=str(tmp_path / "rows.csv"), label="y", prediction="yhat")
    assert book.manifest.sources["evaluation"].labels == {"0.0": "0", "1.0": "1"}
    assert any("'1.0' as '1'" in note for note in notes)
    (fact,) = book.facts("performance/fnr")
    assert fact.counts == {"k": 5, "n": 25}
    (tmp_path / "rows.csv").write_text(rows.replace(",1.0", ",yes").replace(",0.0", ",no"))
    with pytest.raises(SourceError, match="labels and predictions differ"):
        Book.init(tmp_path / "other", data=str(tmp_path / "rows.csv"), label="y", prediction="yhat")


def test_the_same_book_in_another_folder_has_the_same_documents(made: Path, tmp_path: Path) -> None:
    Book.init(tmp_path / "book", data=str(predictions(tmp_path / "rows.csv")), **SAID)
    for folder in ("documents", "evidence/figures"):
        assert bytes_of(tmp_path / "book" / folder) == bytes_of(made / "book" / folder)


def test_names_from_data_stay_text(tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    lines = ["y,p,`g|*"] + [f"{row % 2},{(row % 10) / 10},{('<h1>PASS</h1>', 'a|b](x) `c`')[row % 3 % 2]}" for row in range(120)]
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    book, _ = Book.init(tmp_path / "book", data=str(data), label="y", score="p", by=("`g|*",), name="*bold* [x](y) <b>loud")
    report = book.check()
    assert not report.findings, report.findings
    book.build(("html",))
    page = (book.root / "site/documents/model-card.html").read_text(encoding="utf-8")
    assert "<h1>PASS" not in page
    assert "<b>loud" not in page
    assert "*bold* [x](y) &lt;b&gt;loud" in page


@pytest.mark.parametrize("name", ["Llama 3.1 8B", "50 % off", "Model 2"])
def test_a_model_whose_name_holds_a_number_is_clean_at_birth_and_no_other_number_is(name: str, tmp_path: Path) -> None:
    predictions(tmp_path / "rows.csv")
    book, _ = Book.init(tmp_path / "book", data=str(tmp_path / "rows.csv"), label="y", score="p", name=name)
    assert not book.check().findings
    card = book.root / "documents/model-card.md"
    card.write_text(card.read_text(encoding="utf-8") + f"\n{name} misses 3.1 % of them.\n", encoding="utf-8")
    assert [finding.name for finding in Book(book.root).check().findings] == ["number-is-bound"]


def test_groups_whose_names_hold_line_ends_are_drawn_and_read_alike(tmp_path: Path) -> None:
    lines = ["y,p,g"] + [f"{row % 2},{(row % 10) / 10},{('a', chr(34) + 'b' + chr(13) + chr(10) + 'c' + chr(34))[row % 3 % 2]}" for row in range(120)]
    (tmp_path / "rows.csv").write_bytes(("\n".join(lines) + "\n").encode())
    book, _ = Book.init(tmp_path / "book", data=str(tmp_path / "rows.csv"), label="y", score="p", by=("g",))
    assert not book.check().findings
