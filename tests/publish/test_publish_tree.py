from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factbook.documents import parse
from factbook.errors import DocumentError
from factbook.publish import Publication, pdf, tree
from factbook.publish.markdown import Plain
from factbook.publish.prose import Prose

MARKS = ("# ", "> ", "- ", "1. ", "    ", "| a | b |\n|---|---|\n| c |\n", "```\n", "*", "**", "~~", "`", "[", "](fact:performance/fnr)", "](x)")
MORE = (
    "![",
    "](x.png)",
    "<b>",
    "<!--",
    "-->",
    "[^a]",
    "[^a]: ",
    "\n",
    "\n\n",
    "\\",
    "&amp;",
    "&#0;",
    "<",
    "19.5 %",
    "text",
    "[x]: fact:a/b\n",
    "---\n",
)


def test_the_tree_holds_every_word_and_no_comment() -> None:
    document = parse.parse("---\nkind: x\n---\n# A *b*\n\nd <!-- c --><!-- e -->f\n\n<!-- g\n\nh -->\n\n- i `j`\n")
    words = tree.build(document).words()
    assert "A b" in words
    assert "d f" in words
    assert "i j" in words
    assert not [letter for letter in "cegh" if letter in words]
    assert "kind" not in words


def test_what_is_nested_too_deeply_is_refused_with_its_place() -> None:
    document = parse.parse("# A\n\n" + "> " * 500 + "deep\n", "documents/deep.md")
    with pytest.raises(DocumentError, match=r"documents/deep\.md:3:\d+: nested too deeply"):
        tree.build(document)


@pytest.mark.parametrize("mark", ["> ", "- "])
def test_what_is_nested_as_deeply_as_allowed_can_be_published(publication: Publication, mark: str) -> None:
    document = parse.parse("# A\n\n" + mark * 18 + "deep\n", "documents/deep.md")
    assert "deep" in Prose(publication, document, "documents/deep").render()
    assert pdf.render(publication, document).startswith(b"%PDF")


@given(st.lists(st.sampled_from(MARKS + MORE), max_size=30).map(lambda parts: "A\n\n" + "".join(parts)))
@settings(max_examples=150, deadline=None)
def test_any_document_can_be_published(publication: Publication, text: str) -> None:
    document = parse.parse(text, "documents/any.md")
    page = Prose(publication, document, "documents/any").render()
    assert "<b onclick>" not in page
    plain = parse.parse(Plain(publication, document).render(), "documents/any.md")
    assert not [link for link in plain.links if link.bound]


@given(st.lists(st.sampled_from(MARKS + MORE), max_size=20).map(lambda parts: "A\n\n" + "".join(parts)))
@settings(max_examples=25, deadline=None)
def test_any_document_can_be_set_on_paper(publication: Publication, text: str) -> None:
    document = parse.parse(text, "documents/any.md")
    assert pdf.render(publication, document).startswith(b"%PDF")
