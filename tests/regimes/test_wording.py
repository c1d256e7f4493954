"""What a regime asks is said in our own words, as a question or a request that a writer can answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
import yaml

from factbook import regimes

STANDARDS = Path(__file__).parents[3] / "shared" / "standards"
RUN = 8
ASKS = [(name, item.id, item.ask) for name in regimes.names() for item in regimes.load(name).items.values()]


@pytest.mark.parametrize("name", regimes.names())
def test_an_item_asks_something(name: str) -> None:
    for item in regimes.load(name).items.values():
        assert re.fullmatch(r"[A-Z].*[?.]", item.ask), (item.id, item.ask)
        assert len(item.ask.split()) >= 3, (item.id, item.ask)
        assert len(item.ask) <= 200, (item.id, item.ask)


@pytest.mark.parametrize("name", regimes.names())
def test_a_section_is_in_one_piece_and_asks_nothing_twice(name: str) -> None:
    items = regimes.load(name).items.values()
    sections = [section for section, _ in groupby(item.section for item in items)]
    assert len(sections) == len(set(sections))
    assert len({(item.section, item.ask) for item in items}) == len(items)
    assert len(items) < 40 or all(sections)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def runs(text: str) -> set[tuple[str, ...]]:
    said = words(text)
    return {tuple(said[at : at + RUN]) for at in range(len(said) - RUN + 1)}


def texts(tree: object) -> Iterator[str]:
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from [value] if isinstance(value, str) else texts(value)


def test_a_run_of_words_that_the_source_has_is_found() -> None:
    law = "a description of the implementation of human oversight measures, according to the instructions for use"
    assert runs("Give a description of the implementation of human oversight measures.") & runs(law)
    assert not runs("How will people oversee it?") & runs(law)


@pytest.mark.skipif(not STANDARDS.is_dir(), reason="the texts of the standards are not here")
def test_no_ask_repeats_the_text_of_a_standard() -> None:
    sources: set[tuple[str, ...]] = set()
    for path in (STANDARDS / "regimes").glob("*.yaml"):
        sources.update(run for text in texts(yaml.safe_load(path.read_text())) for run in runs(text))
    for path in (STANDARDS / "schemas").rglob("*.*"):
        if path.suffix in {".md", ".json", ".xsd", ".ttl", ".adoc"}:
            sources |= runs(path.read_text(errors="replace"))
    assert len(sources) > 10_000
    assert not [(name, item, ask) for name, item, ask in ASKS if runs(ask) & sources]
