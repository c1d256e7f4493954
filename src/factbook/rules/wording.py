"""Which words a document says itself: not quoted, not asked, not in code, not those of a claim or of a part that a machine wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from factbook.documents.parse import Block, Document, Kind
from factbook.rules import Checked, Problem, Severity, at, prose
from factbook.rules.style import Style, pattern

_LIMITS: Final = re.compile(
    r"\b(?:limit(?:s|ations?)|caveats?|out[- ]of[- ]scope|threats to validity|weakness(?:es)?|shortcomings?|known issues?|biase?s?|risks?|"
    r"hypothes[ei]s|assumptions?|future work|open questions?)\b",
    re.IGNORECASE,
)
_RESULTS: Final = re.compile(r"\b(?:performances?|results?|evaluations?)\b", re.IGNORECASE)
_TOPIC = re.compile(r"\s*([A-Z][\w ,-]{2,40})\.\s")
_SUPPOSED = re.compile(
    r"\b(?:hypothes\w+|suppos\w+|assum(?:e|es|ed|ing)|conjecture\w*|we (?:expect|hope|believe|suspect|anticipate)|"
    r"(?:is|are) (?:expected|(?:un)?likely) to|(?:is|are) (?:planned|foreseen)|plans? to|"
    r"may|might|could|would|perhaps|possibly|whether|presumably|if|unless|in order to|our goal|the goal|the aim|aims? to|designed to|intended to)\b",
    re.IGNORECASE,
)
_ADVISED = re.compile(
    r"\b(?:should|must|shall|ought to|needs? to|ha(?:s|ve) to|recommend\w*|advis\w+|requires?|required|caution|do not|don['’]t|please)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not?|never|nor|neither|without|hardly|cannot|nothing|none|no longer|rather than)|n['’]t)(?:\s+\w+){0,3}\s+$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Said:
    """Words that were found: where they stand, and the sentence around them."""

    document: Document
    block: Block
    text: prose.Text
    start: int
    end: int
    sentence: str
    before: str

    @property
    def words(self) -> str:
        """The words themselves."""
        return self.text.plain[self.start : self.end]

    @property
    def offset(self) -> int:
        """The byte where they begin."""
        return self.text.offset(self.start)

    @property
    def span(self) -> tuple[int, int]:
        """The bytes from the first character to the end of the last."""
        last = self.text.offset(self.end - 1)
        return self.offset, last + len(self.text.plain[self.end - 1].encode())

    @property
    def supposed(self) -> bool:
        """Whether the sentence is a hypothesis, an aim or a condition, and states nothing."""
        return bool(_SUPPOSED.search(self.sentence))

    @property
    def advised(self) -> bool:
        """Whether the sentence asks for something, and states nothing."""
        return bool(_ADVISED.search(self.sentence))

    @property
    def negated(self) -> bool:
        """Whether a negation stands shortly before the words."""
        return bool(_NEGATED.search(self.before))

    @property
    def limited(self) -> bool:
        """Whether they stand in a section or passage about limits, risks or hypotheses."""
        topic = _TOPIC.match(self.text.plain)
        around = [section.title for section in self.document.sections if section.start <= self.offset < section.end and section.level > 1]
        return any(_LIMITS.search(title) and not _RESULTS.search(title) for title in (*around, topic[1] if topic else ""))

    def problem(self, message: str, fix: str, severity: Severity = Severity.WARNING) -> Problem:
        """A problem at these words."""
        return at(self.document, self.offset, message, fix, severity)


def said(checked: Checked, words: re.Pattern[str], *, headings: bool = True) -> Iterator[Said]:
    """Wherever a document says such words itself. Those that style.yaml allows are left out."""
    allowed = pattern(checked.style.allow)
    for document in checked.documents:
        hits = [block for block in document.blocks if _prose(block, headings) and words.search(block.text)]
        quotes = prose.attributed_quotes(document) if hits else frozenset()
        for block in hits:
            if block.quote in quotes or document.part_at(block.start) or (block.kind is Kind.CELL and document.region_at(block.start)):
                continue
            yield from (item for item in _said(document, block, words) if not allowed.fullmatch(item.words))


def _prose(block: Block, headings: bool) -> bool:
    return block.kind not in {Kind.CODE, Kind.HTML} and (headings or block.kind is not Kind.HEADING)


def _said(document: Document, block: Block, words: re.Pattern[str]) -> Iterator[Said]:
    text = prose.text_of(block)
    quoted = list(prose.quotations(text.plain))
    code = prose.code_spans(block)
    for start, end in prose.sentences(text.plain):
        sentence = text.plain[start:end]
        if sentence.rstrip(" )*_").endswith("?"):
            continue
        for match in words.finditer(text.plain, start, end):
            inside = any(low <= match.start() < high for low, high in (*quoted, *code))
            linked = any(link >= 0 and _carried(document, link) for link in text.links[match.start() : match.end()])
            if not inside and not linked and not _named(text.plain, match):
                yield Said(document, block, text, match.start(), match.end(), sentence, text.plain[start : match.start()])


def _carried(document: Document, link: int) -> bool:
    """Whether a link answers for its own words: a claim, a policy, a gap, a question, or a source outside the book."""
    item = document.links[link]
    return (item.bound and item.scheme != "fact") or prose.external(item)


def _named(plain: str, match: re.Match[str]) -> bool:
    """Whether the words are only mentioned: “robust” in quotation marks."""
    return plain[match.start() - 1 : match.start()] in {"“", '"', "‘", "'", "«", "„"} and plain[match.end() : match.end() + 1] in set("”\"’'»“")


def tokens(style: Style, kinds: tuple[str, ...], built_in: str) -> dict[str, Any]:
    """The words of a rule as a Vale rule of existence: what is built in, and what style.yaml adds."""
    from factbook.rules.style import expression

    added = [expression(word) for kind in kinds for word in getattr(style, kind)]
    return {"extends": "existence", "ignorecase": True, "exceptions": list(style.allow), "tokens": [built_in, *added]}
