from __future__ import annotations

from pathlib import Path

import pytest

from factbook.documents import parse, spelling
from factbook.documents.parse import Document, Kind, PieceKind
from factbook.model import Key
from factbook.publish import Publication, markdown


@pytest.fixture(scope="session")
def made(publication: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("markdown")
    markdown.publish(publication, target)
    return target


@pytest.fixture
def card(made: Path) -> Document:
    return parse.read(made / "documents/model-card.md", made)


def test_nothing_is_left_that_only_factbook_understands(card: Document) -> None:
    assert {link.scheme for link in card.links} <= {"", "https"}
    assert not [image for image in card.images if image.title]
    assert not card.regions
    assert b"](fact:" not in card.source
    assert b"<!--" not in card.source
    assert b"[auc]:" not in card.source


def test_raw_html_became_text(card: Document) -> None:
    assert not [block for block in card.blocks if block.kind is Kind.HTML]
    assert not [piece for block in card.blocks for piece in block.pieces if piece.kind is PieceKind.HTML]
    words = "\n".join(block.text for block in card.blocks)
    assert '<b onclick="alert(1)">raw</b>' in words
    assert '<script>alert("block")</script>' in words


def test_values_keep_their_words_and_carry_their_fact(card: Document, publication: Publication) -> None:
    before = [link for link in publication.documents[0].links if link.bound and link.scheme != "question"]
    after = [link for link in card.links if link.target == "#evidence-cited"]
    assert [link.text for link in after] == [link.text for link in before]
    fact = publication.catalog.fact(Key.parse("performance/fnr"))
    assert f"Fact: {spelling.spell(fact)}, performance/fnr" in {link.title for link in after}
    assert any(block.kind is Kind.HEADING and block.text == "Evidence cited" for block in card.blocks)


def test_the_list_of_evidence_names_every_fact_once_with_its_digest(card: Document, publication: Publication) -> None:
    rows = [block.text for block in card.blocks if block.kind is Kind.CELL]
    for link in publication.documents[0].links:
        if link.scheme == "fact" and "nothing" not in link.target:
            fact = publication.catalog.fact(Key.parse(link.target))
            assert rows.count(str(fact.key)) == 1
            if fact.key.evidence != "derived":
                assert publication.catalog.evidence.identity(fact.key) in rows
            assert not fact.measured or spelling.spell(fact) in rows


def test_pictures_are_where_the_text_says(card: Document, made: Path) -> None:
    assert [image.alt for image in card.images] == ["By age", "By sex", "Pixel"]
    assert all((made / "documents" / image.path).is_file() for image in card.images)
    assert "lost.png is missing" in card.source.decode().replace("&#95;", "_")


def test_links_between_documents_still_work(card: Document, made: Path) -> None:
    assert "datasheet.md#uses" in {link.target for link in card.links}
    assert (made / "documents/datasheet.md").is_file()


def test_everything_else_is_kept_byte_for_byte(publication: Publication, made: Path) -> None:
    kept = "1. one\n   - [x] done\n\nA note[^a], ~~struck~~ and `code <b>`.\n"
    assert kept in publication.documents[0].source.decode()
    assert kept in (made / "documents/model-card.md").read_text()
    assert (made / "documents/model-card.md").read_text().startswith("---\nkind: model-card\n---\n\n# Model card\n\n> **Draft.**")
