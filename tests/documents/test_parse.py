"""Reading Markdown: where links are, in every context; sections, blocks and regions; nothing that a person can type makes it fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factbook.documents.parse import Kind, parse, read, slug, split
from factbook.errors import DocumentError

CONTEXTS = {
    "paragraph": "Missed: {} of them.\n",
    "item": "- Missed: {}\n",
    "nested item": "- one\n  - two {}\n",
    "loose item": "1. one\n\n   {}\n",
    "task": "- [ ] {}\n",
    "quote": "> {}\n",
    "alert": "> [!NOTE]\n> {}\n",
    "heading": "## Missed {}\n",
    "setext": "Missed {}\n======\n",
    "cell": "| a | b |\n|---|---|\n| x | {} |\n",
    "footnote": "text[^1]\n\n[^1]: {}\n",
    "strong": "**{}**\n",
    "emphasis": "*very {} indeed*\n",
}


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("text", ["19.5 %", "", "**19.5** %", "19.5 % [14.9, 25.1]", "a \\] b", "é 19.5 %", "19&#46;5 %"])
def test_links_are_found_with_their_bytes(context: str, text: str) -> None:
    markdown = "Ünï\n\n" + CONTEXTS[context].format(f"[{text}](fact:performance/fnr?age_band=<40)")
    document = parse(markdown)
    (link,) = document.links
    assert (link.scheme, link.target) == ("fact", "performance/fnr?age_band=<40")
    assert document.source[link.text_start : link.text_end].decode() == text
    line, column = document.place(link.start)
    assert markdown.splitlines()[line - 1][column - 1] == "["
    assert link.text == text.replace("**", "").replace("\\", "").replace("&#46;", ".")
    assert document.blocks[link.block].start <= link.start < document.blocks[link.block].end


def test_reference_links_carry_their_label_and_definition() -> None:
    document = parse("[19.5 %][fnr] and [fnr][] and [fnr]\n\n[fnr]: fact:performance/fnr\n")
    assert [(link.reference, link.shortcut, link.target) for link in document.links] == [
        ("fnr", False, "performance/fnr"),
        ("fnr", True, "performance/fnr"),
        ("fnr", True, "performance/fnr"),
    ]
    assert document.place(document.definitions["fnr"][0]) == (3, 1)


def test_a_broken_link_is_text() -> None:
    document = parse("[19.5 %](fact:performance/fnr?sex=a b) <a href='fact:x/y'>1</a> `[2](fact:x/y)`\n\n```\n[3](fact:x/y)\n```\n")
    assert not document.links
    assert [block.kind for block in document.blocks] == [Kind.PARAGRAPH, Kind.CODE]
    assert document.blocks[1].fenced


def test_sections_nest_and_numbering_is_no_part_of_a_slug() -> None:
    document = parse("# A card\n\n## 1. Model details\n\ntext\n\n### Deep\n\n## 2.1 Use\n")
    assert [(section.slug, section.level) for section in document.sections] == [("a-card", 1), ("model-details", 2), ("deep", 3), ("use", 2)]
    assert document.sections[1].end == document.sections[3].start
    inner = document.section_at(document.source.index(b"text"))
    assert inner is not None
    assert inner.title == "1. Model details"
    assert slug("(a) Caveats & recommendations") == "caveats-recommendations"


def test_regions_hold_their_cells() -> None:
    document = parse("<!-- fact:table performance\n  by=sex metrics=n -->\n| sex | n |\n|:---|---:|\n| a \\| b | 3 |\n<!-- /fact -->\n")
    (region,) = document.regions
    assert region.arguments == "performance by=sex metrics=n"
    assert region.rows == (("sex", "n"), ("a | b", "3"))
    assert document.place(region.row_starts[1])[0] == 5
    assert not region.stray
    assert not document.faults


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("<!-- fact:table a metrics=n -->\n\ntext\n", 1),
        ("text\n\n<!-- /fact -->\n", 3),
        ("<!-- fact:table a metrics=n -->\n\n<!-- fact:table b metrics=n -->\n\n<!-- /fact -->\n", 1),
    ],
)
def test_region_comments_that_do_not_pair_are_faults(markdown: str, line: int) -> None:
    document = parse(markdown)
    assert [document.place(offset)[0] for offset, _ in document.faults] == [line]


def test_words_beside_the_table_are_noticed() -> None:
    (region,) = parse("<!-- fact:table a metrics=n -->\n\nhidden words\n\n| a | b |\n|---|---|\n\n<!-- /fact -->\n").regions
    assert region.stray


def test_comments_in_code_are_no_regions() -> None:
    assert not parse("```\n<!-- fact:table a metrics=n -->\n<!-- /fact -->\n```\n").regions


def test_front_matter_is_read_strictly_and_is_no_text() -> None:
    document = parse("---\nkind: model-card\nyes: NO\n---\n\n# T\n")
    assert document.kind == "model-card"
    assert document.front == {"kind": "model-card", "yes": "NO"}
    assert [block.kind for block in document.blocks] == [Kind.HEADING]
    with pytest.raises(DocumentError, match=r"card\.md:3.*twice"):
        parse("---\na: 1\na: 2\n---\n", "card.md")


def test_without_front_matter_the_file_name_says_the_kind() -> None:
    assert parse("# T\n", "documents/model-card.md").kind == "model-card"
    assert parse("---\nkind: summary\n---\n", "documents/model-card.md").kind == "summary"


def test_line_ends_of_every_kind_count_alike() -> None:
    for end in ("\n", "\r\n"):
        document = parse(f"a{end}{end}é [1](fact:a/b){end}")
        assert document.place(document.links[0].start) == (3, 3)


def test_files_that_are_no_text_are_refused(tmp_path) -> None:
    path = tmp_path / "a.md"
    for data, message in ((b"a\n\xff\n", r"a\.md:2: not UTF-8"), (b"a\x00b", "NUL")):
        path.write_bytes(data)
        with pytest.raises(DocumentError, match=message):
            read(path, tmp_path)


def test_quotes_are_told_apart() -> None:
    document = parse("> one\n\ntext\n\n> two\n>\n> more\n")
    assert [block.quote for block in document.blocks] == [0, -1, 1, 1]


@pytest.mark.parametrize(
    ("destination", "expected"), [("fact:a/b", ("fact", "a/b")), ("a/b:c", ("", "a/b:c")), ("https://x", ("https", "//x")), ("#a", ("", "#a"))]
)
def test_schemes(destination: str, expected: tuple[str, str]) -> None:
    assert split(destination) == expected


MARKS = ["[", "](fact:a/b)", "](", ")", "![", "*", "**", "~~", "`", "#", "<b>", "</b>", "[^1]", "[x][r]", "é", "&lt;", "\\"]
SPACED = ["\n", "\n\n", "> ", "- ", "1. ", "| a |", "\n|---|\n", " ", "[^1]: ", "[r]: fact:a/b\n", "---\n", "19.5 %", "```\n", "\t", "\r\n"]
REGIONS = ["\n\n<!-- fact:table x -->\n\n", "\n\n<!-- fact:part x -->\n\n", "\n\n<!-- /fact -->\n\n"]
LINKS = ["[19.5 %](fact:a/b)", "[*a*](claim:b?broken)", "[x][r]", "![a](b.svg)", "[a](<b c>)", "[](gap:a)", "[`]`](fact:a/b)"]
markup = st.lists(st.one_of(*map(st.sampled_from, (MARKS, SPACED, REGIONS, LINKS))), max_size=40).map("".join)


@given(markup)
def test_anything_can_be_read_and_spans_hold(markdown: str) -> None:
    try:
        document = parse(markdown)
    except DocumentError:
        return
    for link in document.links:
        assert link.start < link.text_start <= link.text_end < link.end or link.shortcut
        if not link.shortcut:
            assert document.source[link.start : link.start + 1] == b"["
            assert document.source[link.text_end : link.text_end + 1] == b"]"
    for block in document.blocks:
        assert 0 <= block.start <= block.end <= len(document.source)
    for region in document.regions:
        assert region.start < region.inner_start <= region.inner_end < region.end


def test_a_region_begins_with_its_first_comment_and_ends_with_its_last() -> None:
    document = parse("before\n\n<!-- fact:table x -->\n\n<!-- /fact -->\n\n<!-- fact:part y -->\n\nwords\n\n<!-- /fact -->\n\nafter\n")
    for found, at in ((document.regions[0], document.region_at), (document.parts[0], document.part_at)):
        assert [at(offset) for offset in (found.start - 1, found.start, found.end - 1, found.end)] == [None, found, found, None]
