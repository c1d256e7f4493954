"""Every number in the prose is bound to a fact, cited from a source, or declared.

Why: a number that nothing stands behind is where false ones hide.

Bad:  The model misses 19.5 % of patients.      also in `code`, in raw HTML, in an image's text, spelled "nineteen per cent"
Good: The model misses [19.5 %](fact:performance/fnr) of patients.
Good: Others report [21 %](https://doi.org/10.1000/182).
Good: It answers within [300 ms](policy:latency).

No numbers in this sense: names that contain digits (ViT-B/32, F1, Article 13, Llama 3), the name of what is documented, dates and times, versions,
ordinals, sizes in pixels, magnifications (a 40x objective), formulas in TeX, names of files, citation marks and BibTeX, the numbering of lists and
headings, the names of groups, and those of measurements and sources (holdout-2) that factbook.yaml declares, fenced code (listed as not judged), and
quotations: three words or more in quotation marks, or a block quote that names its source.

Fix: bind it (`factbook facts` finds the key), cite it with a link to its source, or declare it in factbook.yaml.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from factbook import parts
from factbook.documents.parse import Block, Document, Kind, Link
from factbook.manifest import FILE
from factbook.rules import Checked, NotJudged, Problem, at, prose
from factbook.rules.groups import attributes, mentions_spans

CODE: Final = "FB106"
NAME: Final = "number-is-bound"

_MONTH: Final = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|"
    r"Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_YEAR: Final = r"(?:1[89]|20)\d\d"
_LABEL: Final = (
    r"(?:Article|Art\.|Annex|Section|Sec\.|§{1,2}|Chapter|Ch\.|Table|Figure|Fig\.|Step|Appendix|Equation|Eq\.|Note|Item|Page|p\.|pp\.|No\."
    r"|Question|Part|Paragraph|"
    r"Clause|Rule|Version|Phase|Stage|Type|Class|Grade|Category|Tier|Volume|Vol\.|Issue|ISO(?:/IEC)?|IEC|IEEE|RFC|EN|DIN|SR|PEP|ADR|"
    r"Regulation|Directive|Python|Java|CUDA|Ubuntu|Debian|Windows|Spark|Node|scikit-learn|pandas|NumPy|DuckDB|PyTorch|TensorFlow)"
)
_SERIES_OF: Final = r"(?:Llama|DALL[-·]?E|GPT|Gemma|Gemini|Claude|Mistral|Mixtral|Qwen|Phi|PaLM|Grok|DeepSeek|Stable Diffusion|Imagen|YOLO)"
_LICENCE: Final = (
    r"(?:(?:A|L)?GPL|MPL|EUPL|CC[ -]BY(?:-[A-Z]{2})*|Apache|Licen[cs]e|Creative Commons|Attribution|NonCommercial|Share ?Alike|International)"
)
_FILE: Final = r"(?:tiff?|png|jpe?g|svg|csv|tsv|jsonl?|txt|md|pdf|zip|gz|parquet|py|ckpt|pt|onnx|safetensors|bin|ya?ml|wav|mp[34])"
_NO_SHARE: Final = r"(?!\s*[%‰]|\s+(?:per ?cent|of\b(?! (?:the|this)\b)))"
_NAMES: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (rf"\b{_LABEL}\s+(?:\(EU\)\s*)?(?:No\.?\s*)?(?!0\.)\d[\d./:()-]*[a-z]?\b(?:\s?–\s?\d+)?{_NO_SHARE}", re.IGNORECASE),
        (
            rf"\b{_LABEL}s\s+(?!0\.)\d[\d./:()-]*[a-z]?\b(?:(?:,| and|–|-|,? or)\s*\d[\d./:()-]*[a-z]?\b)*(?!\s*[%‰]|\s+(?:per ?cent|of\b))",
            re.IGNORECASE,
        ),
        (r"(?<=[^\W\d_])[²³¹⁰⁴-⁹₀-₉]+\w*|\b24/7\b", 0),
        (r"\b\d+(?:st|nd|rd|th)\b", re.IGNORECASE),
        (r"\b[23]-?[Dd]\b", 0),
        (r"\b[01][- ]based\b|\b\d+(?:[-–]\d+)?[- ]shot\b|(?<=\w)@\d+(?:px|p)?\b", re.IGNORECASE),
        (r"(?<=\w)['’]\d\d\b|\bversion\s*={1,2}\s*[\d.]+", re.IGNORECASE),
        (rf"\b{_SERIES_OF}[ -]?\d{{1,2}}(?:\.\d)?(?:[ -]\d+(?:\.\d+)?[BM])?(?=['’]s\b|\b)(?!\s*%)|\b\d{{2,5}}[x×]\d{{2,5}}\b", 0),
        (r"\$[^$\n]*\\(?:alpha|beta|cdot|epsilon|frac|gamma|in|lambda|mu|rho|sigma|sim|sqrt|sum|theta|times)\b[^$\n]*\$", 0),
        (r"\b[\w.]*\d\.\.[\w.]*\d\b", 0),
        (rf"\b{_LICENCE},?\s+v?\d\.\d\b|\b[23]-Clause\b|\b[\w-]+(?:\.[\w-]+)*\.{_FILE}\b", 0),
        (r"\[\d{1,3}\]|(?<=[^\W\d_]\w)[.,;]? ?\[\d{1,3}(?:[,;–-]\d{1,3})+\](?!\s*%)|(?<!\w)\([1-9]\)(?=\s+\D)", 0),
        (
            r"\bmagnif\w+(?: \w+)? (?:of |at |= ?)?\d+(?:\.\d+)?\s?[x×]|\b(?:scanned|captured|digiti[sz]ed|imaged) at \d+(?:\.\d+)?\s?[x×](?!\w)"
            r"|\b\d+(?:\.\d+)?\s?[x×][ -](?:magnif\w+|objectives?|lens(?:es)?|optical|zoom)\b",
            re.IGNORECASE,
        ),
        (r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b", 0),
        (rf"\b{_YEAR}-\d\d(?:-\d\d)?(?:T[\d:.]+Z?)?\b", 0),
        (r"\b\d{1,2}[./]\d{1,2}[./]\d{4}\b", 0),
        (rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?(?:\s?[–-]\s?\d{{1,2}})?\s+)?{_MONTH},?\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s+)?{_YEAR}\b", 0),
        (rf"\b\d{{1,2}}\s+{_MONTH}\b|\b{_MONTH}\s+\d{{1,2}}\b(?!\s*%)", 0),
        (
            rf"(?:\b(?:in|between|since|until|till|from|before|after|during|by|early|mid|late|spring|summer|autumn|winter|year|years|al\.?,?|©|and"
            rf"|to|of)\s+|\(|[–-])(?:{_YEAR}(?:[–-]|,\s)?)+s?\b(?!\s*(?:%|[^\W\d_]+s\b)|[.,]?\d)",
            re.IGNORECASE,
        ),
        (
            rf"\b(?:the|a|an|its|our|their) {_YEAR}(?= (?:paper|study|data|edition|version|census|guidelines?|revision|report|survey|cohort)\b)",
            re.IGNORECASE,
        ),
        (rf"\b\w+[A-Z]\w* {_YEAR}\b(?!\s*(?:%|[^\W\d_]+s\b))|, {_YEAR}(?=[.;)]\s|[.;)]?$)", 0),
        (r"\b[01]?\d:[0-5]\d(?::[0-5]\d)?(?:\s*(?:am|pm|UTC))?\b|\b2[0-3]:[0-5]\d(?::[0-5]\d)?\b", re.IGNORECASE),
        (r"\bv\d+(?:\.\d+)*\b|\bv?(?!\d{1,3}(?:\.\d{3})+\b)\d+(?:\.\d+){2,}[\w.+-]*", re.IGNORECASE),
        (r"\b10\.\d{4,}/\S+|https?://\S+|\barXiv:\s?\d+\.\d+|\S+@\S+\.\w+", re.IGNORECASE),
    )
)
_WORDS: Final = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|twenty|thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|half)"
)
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_UNITS: Final = "one|two|three|four|five|six|seven|eight|nine"
_SPELLED = re.compile(
    rf"\b{_WORDS}(?:[- ](?:and[- ])?{_WORDS})*\s*"
    rf"(?:%|per ?cent\b|percentage points?\b|points\b|-?fold\b(?! (?:aim|approach|assessment|goal|process|purpose|strategy|task|validation))|"
    rf"times (?=(?:as|more|less|higher|lower|the|larger|greater|fewer|likelier)\b)|"
    rf"(?:in|out of)(?: every)? (?:{_WORDS}|\d+)\b)"
    rf"|\b(?:a|{_WORDS})(?:[- ](?:and[- ])?{_WORDS})*[- ](?:hundred|thousand|million|billion)\b|\b(?:{_TENS})[- ](?:{_UNITS})\b"
    rf"|\b{_WORDS} times out of (?:{_WORDS}|\d+)\b"
    r"|(?<!first )(?<!second )(?<!other )\bhalf of (?:the|all|those|these|them|its|patients|cases|people)\b"
    rf"|\b(?:a|{_WORDS})[- ](?:third|quarter|fifth|sixth|seventh|eighth|ninth|tenth)s? of\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!\w)([^\W\d_]+(?:[-_./][^\W\d_]+)*[-_./]?)(\d[\w./:+-]*)")
_UNIT = re.compile(r"\s?(?:[%‰٪％]|per ?cent\b|percent)", re.IGNORECASE)
_SERIES: Final = frozenset(
    {"top", "gpt", "utf", "sha", "llama", "bert", "covid", "iso", "type", "phase", "part", "step", "level", "stage", "day", "week", "table"}
)
_LOOKALIKE = re.compile(r"(?<!\w)(?=\S*\d)(?=\S*[OolIОоІ])[\dOolIОоІ]+(?:[.,][\dOolIОоІ]+|(?=\s?(?:%|per ?cent)))")
_HEADING = re.compile(r"\s*(?:\(?\d{1,2}[.)](?=\s)|\d{1,2}(?:\.\d{1,2})+\.?(?=\s+[^\W\d_])|\d{1,2}(?=\s+[A-Z]))")
_ITEM = re.compile(r"\s*\(?[0-9]{1,2}[.)](?=\s+[^\W\d_])")
_BIBTEX = re.compile(r"\s*@[a-z]+\s*\{", re.IGNORECASE)
_INTERVAL = re.compile(r"(?<![\d.,])(\d+(?:\.\d+)?)\s?%(?=[\s-]+(?:CI\b|confidence|interval))")
_TOKEN = re.compile(r"[+\-−]?(?:\d[\d.]*[eE][+\-−]?\d+|[\w.,·'’]*)\s?%?")
_BOUND: Final = "\ue000"
_CANDIDATE: Final = re.compile(rf"\d|[^\x00-\x7f{_BOUND}]")
_OWN: Final = frozenset({"evidence", "documents", "reviews", "site", "dist", FILE})  # the book itself is no source of its numbers
_FIX: Final = "bind it: [text](fact:…); cite it: [text](https://…); or declare it in factbook.yaml"


@dataclass(frozen=True, slots=True)
class Unbound:
    """A number that nothing stands behind: its byte and how it reads. `where` is '' in prose; there `text` is the text of its block, `shown` the
    same with a mark in place of what is bound, and `position` where the number stands in both.
    """

    offset: int
    said: str
    where: str = ""
    text: prose.Text | None = None
    shown: str = ""
    position: int = 0


def check(checked: Checked) -> Iterator[Problem | NotJudged]:
    """Look for numbers wherever a reader can see them."""
    for document in checked.documents:
        for item in unbound(checked, document):
            if isinstance(item, NotJudged):
                yield item
            else:
                yield at(document, item.offset, f"{item.said!r}{item.where} is bound to nothing", _FIX)


def unbound(checked: Checked, document: Document) -> Iterator[Unbound | NotJudged]:
    """The numbers of a document that are neither bound nor cited, and where nobody looked for any."""
    quotes = prose.attributed_quotes(document)
    if any(re.search(r"\d", str(value)) for value in document.front.values()):
        yield NotJudged("numbers in the front matter", "it is metadata, not prose", document.name, 1)
    for block in document.blocks:
        if block.kind is Kind.CODE and block.fenced:
            if not document.part_at(block.start) and any(_numeral(character) for character in block.text):
                yield NotJudged("numbers in fenced code", "code is not prose", document.name, document.place(block.start)[0])
        elif block.kind is not Kind.HTML and block.quote not in quotes and not _written(document, block) and not _BIBTEX.match(block.text):
            yield from _block(checked, document, block)
    yield from _elsewhere(checked, document)


def _written(document: Document, block: Block) -> bool:
    """Whether other rules compare the block with what a machine writes there: a table of facts, or a part that holds definitions."""
    part = document.part_at(block.start)
    return (block.kind is Kind.CELL and document.region_at(block.start) is not None) or (part is not None and parts.defines(part))


def _block(checked: Checked, document: Document, block: Block) -> Iterator[Unbound]:
    text = prose.text_of(block)
    if (block.header and re.fullmatch(rf"\s*{_YEAR}\s*", text.plain)) or _version(checked, document, block, text.plain):
        return
    answered = {index for index in {link for _, _, link in text.linked} if _answered(checked, document, document.links[index])}
    shown = prose.masked(text, answered, _BOUND)
    exempt = [*prose.quotations(text.plain)]
    if (block.kind is Kind.HEADING and (match := _HEADING.match(shown)) and _plausible(match.group(), document)) or (match := _ITEM.match(shown)):
        exempt.append(match.span())
    if block.kind is Kind.HEADING:
        subject = checked.manifest.subject
        exempt += [match.span() for match in re.finditer(rf"(?<!\w){re.escape(f'{subject.name} {subject.version}')}(?=:|$)", shown)]
    if document.part_at(block.start):
        exempt += [match.span() for name in _elements(checked) for match in re.finditer(re.escape(name), shown)]
    for start, said in numbers(checked, shown, exempt):
        yield Unbound(text.offset(start), said, "", text, shown, start)


def _version(checked: Checked, document: Document, block: Block, text: str) -> bool:
    """Whether a cell is the version of the subject, beside a cell that says so."""
    if block.kind is not Kind.CELL or text.strip() != checked.manifest.subject.version:
        return False
    before = max((other for other in document.blocks if other.end <= block.start), key=lambda other: other.end, default=block)
    return before.kind is Kind.CELL and prose.text_of(before).plain.strip().casefold() == "version"


def _elements(checked: Checked) -> set[str]:
    """What the parts of the system are called and made with; such names hold digits, as `PostgreSQL 16` does."""
    system = checked.manifest.system
    names = {name for item in system.elements.values() for name in (item.title, item.technology)}
    return {" ".join(name.split()) for name in names | {item.technology for item in system.relations} if re.search(r"\d", name)}


def _plausible(numbering: str, document: Document) -> bool:
    """Whether a heading's number can be its numbering: `## 24 Missed cases` is not, in a document of nine headings."""
    digits = re.findall(r"\d+", numbering)
    return all(int(number) <= len(document.sections) for number in digits)


def _answered(checked: Checked, document: Document, link: Link) -> bool:
    """Whether a link says where its number comes from: a value link, or an external source, or a file that is no document of the book."""
    if link.bound:
        return link.scheme != "question"
    if prose.external(link):
        return True
    path = link.target.partition("#")[0]
    if link.scheme or not path or path.endswith((".md", ".html")):
        return False
    place = PurePosixPath(posixpath.normpath(str(PurePosixPath(document.name).parent / path)))
    return place.parts[0] not in _OWN and (checked.root / place).is_file()


def _elsewhere(checked: Checked, document: Document) -> Iterator[Unbound]:
    """Titles of links and images, and raw HTML."""
    titles = [(link.start, link.title) for link in document.links] + [(i.start, i.title) for i in document.images if not i.title.startswith("fact:")]
    for start, title in titles:
        for _, said in numbers(checked, title, []):
            yield Unbound(start, said, " in a title")
    for start, raw in prose.html(document):
        for offset, shown in prose.shown_html(raw):
            for position, said in numbers(checked, shown, []):
                yield Unbound(start + prose.byte(raw, offset + position), said, " in raw HTML")


def numbers(checked: Checked, text: str, exempt: list[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Where a text says a number, and the number."""
    numerals = [match.start() for match in _CANDIDATE.finditer(text) if _numeral(match.group())]
    words = [(match.start(), match.group()) for pattern in (_SPELLED, *([_LOOKALIKE] if numerals else [])) for match in pattern.finditer(text)]
    if not numerals and not words:
        return
    spans = [*exempt, *_exempt(checked, text)]
    position = 0
    for index in numerals:
        if index >= position and not any(start <= index < end for start, end in spans):
            match = _TOKEN.match(text, index)
            assert match is not None
            position = match.end()
            yield index, match.group().strip().rstrip(".,·'’")
    yield from ((index, said) for index, said in words if not any(start <= index < end for start, end in spans))


def _numeral(character: str) -> bool:
    return character.isdigit() or (not character.isascii() and unicodedata.category(character) in {"Nd", "No", "Nl"})


def _exempt(checked: Checked, text: str) -> Iterator[tuple[int, int]]:
    for pattern in _NAMES:
        yield from (match.span() for match in pattern.finditer(text))
    subject = checked.manifest.subject.name
    if any(character.isalpha() for character in subject):
        yield from (match.span() for match in re.finditer(rf"(?<!\w){re.escape(subject)}(?!\w)", text))
    for name in checked.names:
        yield from (match.span() for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-]|[.,]\d|\s?%)", text))
    metrics = checked.metrics
    yield from (match.span() for match in _NAME.finditer(text) if _is_name(match, metrics))
    for attribute in attributes(checked.catalog):
        yield from mentions_spans(checked.catalog, attribute, text)
    for match in _INTERVAL.finditer(text):
        if float(match.group(1)) == float(checked.manifest.level * 100):
            yield match.span()


def _is_name(match: re.Match[str], metrics: frozenset[str]) -> bool:
    """Whether letters and digits make a name (ViT-B/32, H100) and not a figure that leans on a word (FNR-0.195, missed-37)."""
    word, number = match.group(1), match.group(2)
    bare = word.rstrip("-_./")
    if bare in {"O", "o", "l", "I"} and word.endswith("."):
        return False
    if _UNIT.match(match.string, match.end()) or number.startswith("0.") or (bare.casefold() in metrics and word != bare):
        return False
    if bare.casefold() in metrics:
        return "." not in number
    return word == bare or not bare.islower() or bare in _SERIES or "_" in word
