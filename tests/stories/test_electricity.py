"""The electricity market of New South Wales: a feed changes, and later what the price says about the class."""

from __future__ import annotations

import pytest
from telling import documented, facts, frame, measured

from factbook import Book

MANIFEST = """
subject: {name: electricity}
sources: {log: {uri: log.csv, label: class}}
plan:
  drift: {measure: drift, reference: log, current: log, blocks: 33, baseline: 3, concept: yes}
"""
BLOCKS = range(4, 34)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return measured(tmp_path_factory.mktemp("electricity"), MANIFEST, {"log": frame("drift/elec2.csv")})


@pytest.mark.parametrize("column", ["vicprice", "vicdemand", "transfer"])
def test_a_feed_arrives_in_block_13(book: Book, column: str) -> None:
    """What comes from Victoria is constant until then."""
    found = facts(book)
    assert [block for block in BLOCKS if found[f"drift/ks;block={block};column={column}"].value == 0] == list(range(4, 13))
    assert found[f"drift/constant;block=12;column={column}"].value == "reference and current"
    assert found[f"drift/constant;block=13;column={column}"].value == "reference"
    assert found[f"drift/holm_p;block=13;column={column}"].value < 1e-10


def test_the_price_says_less_and_less_about_the_class(book: Book) -> None:
    """Concept drift from block 15 on, while the classes stay balanced."""
    found = facts(book)
    shift = {block: found[f"drift/label_shift;block={block};column=nswprice"].value for block in BLOCKS}
    assert max(shift[block] for block in range(4, 14)) < 0.2 < min(shift[block] for block in range(15, 26))
    assert max(found[f"drift/js;block={block};role=label"].value for block in BLOCKS) < 0.2


def test_a_post_mortem_begins_with_what_moved_and_when(book: Book) -> None:
    """One command: PSI and KS of every feature, block by block; the timeline, the causes and the actions are asked for."""
    text = documented(book, "postmortem")
    for column in ("nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"):
        assert f"The column `{column}`, block by block:" in text
    vicprice = text.partition("The column `vicprice`")[2].partition("<!-- /fact -->")[0]
    found = facts(book)["drift/ks;block=13;column=vicprice"]
    assert f"| {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] |" in vicprice.partition("| 13 |")[2].partition("| 14 |")[0]
    for asked in ("What happened when", "What was the cause behind the cause", "Which action is taken by whom until when"):
        assert asked in text
