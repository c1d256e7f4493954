"""The lie test: over the demo, every kind of lie in every kind of place is reported at its line, and harmless edits raise nothing.

Lies about a fact stand in a matrix of lie class × context (`cases/lies/contexts.yaml`); lies in place alter the demo's own documents, one at a time.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from factbook import Book, rules
from factbook.canon import load_yaml
from factbook.documents import parse
from factbook.documents.spelling import spell
from factbook.errors import EvidenceError
from factbook.model import Fact, Key, Unit

pytest.importorskip("sklearn")

CASES = Path(__file__).parent / "cases" / "lies"
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
FULLWIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
LINK = re.compile(r"\[((?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]\((fact|claim|policy|gap|question):([^)\s]+)\)")
REGION = re.compile(r"<!-- fact:table.*?<!-- /fact -->", re.DOTALL)
CHART = re.compile(r'!\[([^\]]*)\]\(([^ )]+) "(fact:chart[^"]*)"\)')
YOUNG, MIDDLE = "performance/fnr?age_band=<40", "performance/fnr?age_band=40-59"
FACTS = (
    "performance/fnr",
    YOUNG,
    "performance/fpr?sex=sex%202",
    "performance/auc",
    "performance/rows",
    "performance/fpr#n",
    "derived/young-difference",
)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return Book.demo(tmp_path_factory.mktemp("lies") / "demo")[0]


@pytest.fixture(scope="module")
def judge(book: Book) -> Callable[..., set[tuple[int, str]]]:
    fresh = book.freshness()

    def judged(text: str | bytes, name: str = "documents/lie.md") -> set[tuple[int, str]]:
        document = parse.parse(text, name)
        report = rules.judge(book.root, book.manifest, book.lines, book.catalog, [document], fresh)
        return {(finding.line, finding.name) for finding in report.findings if finding.file == name}

    return judged


@cache
def contexts() -> dict[str, str]:
    tree, _ = load_yaml((CASES / "contexts.yaml").read_text(encoding="utf-8"), "contexts.yaml")
    return dict(tree)


# --- lies about one fact: what may stand in place of a true value link ------------------------------------------------------------------------


def bumped(text: str, place: int, by: int) -> str:
    """The text with the last digit of its n-th number changed."""
    match = list(NUMBER.finditer(text))[place]
    digits = match.group()
    return text[: match.start()] + digits[:-1] + str((int(digits[-1]) + by) % 10) + text[match.end() :]


def lies(fact: Fact, key: str) -> Iterator[tuple[str, str]]:
    """(lie class, passage) of everything false that can be said in place of `[text](fact:key)`."""
    text = spell(fact)
    main = spell(fact, interval=False)
    target = f"(fact:{key})"

    def link(said: str) -> str:
        return f"[{said}]{target}"

    for place in range(len(NUMBER.findall(text))):
        yield "digit up", link(bumped(text, place, 1))
        yield "digit down", link(bumped(text, place, 9))
    yield from _value_lies(fact, text, main, link)
    yield from _hidden(text, main, key)
    yield from _around(fact, main, link)


def _value_lies(fact: Fact, text: str, main: str, link: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    if fact.interval:
        low, high = NUMBER.findall(text)[-2:]
        yield "bounds swapped", link(text.replace(low, "\0").replace(high, low).replace("\0", high)) if low != high else link(bumped(text, 0, 1))
        yield "level", link(text.replace("95 %", "90 %"))
        yield "level", link(text.replace("95 %", "99 %"))
        yield "wrong n", link(f"{main} (n = {(fact.n or 0) + 1})")
    if "%" in main:
        yield "% for fraction", link(main.replace(" %", ""))
        yield "fraction for %", link(f"0.{main.replace('.', '').replace(' ', ' ')}")
        yield "points for %", link(main.replace("%", "points"))
    if "points" in main:
        yield "% for points", link(main.replace("points", "%"))
    number = NUMBER.search(main)
    assert number is not None
    if "." in number.group():
        yield "point dropped", link(main.replace(".", ""))
    yield "sign", link(main.replace("−", "") if "−" in main else f"−{main}")
    yield "scale word", link(f"{number.group()} thousand")
    yield "scale word", link(f"{number.group()} million")
    yield "group separator", link(f"{number.group()[0]},{number.group()[1:].replace('.', '').zfill(3)}")
    yield "doubled", link(f"{main} {main}")
    yield "homoglyph", link(main.replace(number.group(), "l" + number.group()[1:] if len(number.group()) > 1 else "l"))
    yield "words", link("nineteen per cent")
    yield "rounded onto zero", link("0 %" if fact.unit is Unit.FRACTION else "0")
    yield "rounded onto a bound", link("100 %" if fact.unit is Unit.FRACTION else "100000")
    yield "empty", link("")
    yield "struck through", f"~~{link(text)}~~"
    if fact.unit is Unit.FRACTION and isinstance(fact.value, float):
        share = fact.value * 100
        yield "about", link(f"about {share * 1.2:.0f} %")
        yield "over", link(f"over {share + 1:.0f} %")
        yield "under", link(f"under {max(share - 1, 0):.0f} %")
        yield "at least", link(f"at least {share + 1:.0f} %")
        yield "one in", link(f"1 in {round(100 / share) + 2}")
        yield "counts", link(f"{fact.counts['k'] + 1} of {fact.counts['n']}")
        yield "counts", link(f"{fact.counts['k']} of {fact.counts['n'] - 1}")


def _hidden(text: str, main: str, key: str) -> Iterator[tuple[str, str]]:
    """The number is taken out of its link, or the link is no link."""
    number = NUMBER.search(main)
    assert number is not None
    digits = number.group()
    yield from (
        ("plain text", text),
        ("inline code", f"`{text}`"),
        ("link in code", f"`[{text}](fact:{key})`"),
        ("raw HTML", f"<b>{text}</b>"),
        ("title of raw HTML", f'<abbr title="{main}">rate</abbr>'),
        ("aria label", f'<span aria-label="{main}">rate</span>'),
        ("image text", f"![{main}](rate.png)"),
        ("image title", f'![rate](rate.png "{main}")'),
        ("link title", f'[rate](https://example.org "{main}") is {main}'),
        ("anchor link", f"[{text}](#somewhere)"),
        ("link to itself", f"[{text}](model-card.md)"),
        ("link to evidence", f"[{text}](../evidence/performance.json)"),
        ("mail link", f"[{text}](mailto:a@example.org)"),
        ("unknown scheme", f"[{text}](truth:{key})"),
        ("misspelt scheme", f"[{text}](fcat:{key})"),
        ("wrong case", f"[{text}](Fact:{key})"),
        ("space in destination", f"[{text}](fact: {key})"),
        ("escaped brackets", f"\\[{text}\\](fact:{key})"),
        ("space before", f"[{text}] (fact:{key})"),
        ("undefined reference", f"[{text}][nowhere]"),
        ("link in HTML", f'<a href="fact:{key}">{text}</a>'),
        ("image destination", f"![{text}](fact:{key})"),
        ("autolink", f"<fact:{key}>"),
        ("unknown key", f"[{text}](fact:{key.replace('/', '/x', 1)})"),
        ("hidden unit", f'[{digits}<span style="display:none"> %</span>](fact:{key})'),
        ("spelled out", "nineteen per cent"),
        ("spelled out", "one in five"),
        ("fullwidth", main.replace(digits, digits.translate(FULLWIDTH))),
        ("Arabic digits", main.replace(digits, digits.translate(ARABIC))),
        ("entity", main.replace(digits, f"&#{ord(digits[0])};{digits[1:]}")),
        ("split by markup", main.replace(digits, f"{digits[0]}<i></i>{digits[1:]}")),
        ("struck text", f"~~{main}~~"),
        ("short quotation", f"“{main}”"),
        ("digit outside", f"{digits[0]}[{main.replace(digits, digits[1:])}](fact:{key})" if len(digits) > 1 else f"1{main}"),
    )


def _around(fact: Fact, main: str, link: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """A true link among words that make it false."""
    yield "digit after the link", f"{link(main)}0"
    yield "half of it", f"half of {link(main)}"
    yield "twice", f"twice {link(main)}"
    yield "million after the link", f"{link(main)} million"
    if isinstance(fact.value, float) and fact.value > 0:
        yield "minus before the link", f"−{link(main)}"
    if fact.unit in {Unit.COUNT, Unit.SCORE}:
        yield "% after the link", f"{link(main)} %"


def truths(fact: Fact, key: str) -> Iterator[str]:
    """What may truly be said of a fact."""
    text, main = spell(fact), spell(fact, interval=False)
    for said in (text, main, f"about {main}"):
        yield f"[{said}](fact:{key})"
    yield f"**[{text}](fact:{key})**"
    yield f"[*{text}*](fact:{key})"
    if fact.interval:
        yield f"[{main} [{text.rpartition('CI ')[2].rstrip(')').replace('–', ', ').replace(' to ', ', ')}]](fact:{key})"
        yield f"[{text.replace('–', ' to ')}](fact:{key})"
        yield f"[{main} (n = {fact.n})](fact:{key})" if fact.n is not None else f"[{text}](fact:{key})"
    if fact.unit is Unit.FRACTION and isinstance(fact.value, float):
        yield f"[{fact.value * 100:.0f} %](fact:{key})"
        yield f"[{fact.value * 100:.3f} per cent](fact:{key})"
        yield f"[{fact.value!r}](fact:{key})"
        yield f"[{fact.counts['k']} of {fact.counts['n']}](fact:{key})"


def document(passages: list[tuple[str, str]], context: str) -> tuple[str, list[int]]:
    """A document with every passage in the context, and the line of each. Contexts that are tables or notes are repeated."""
    text, lines = "# Lies\n\nThe groups: see the table of all of them.\n\n", []
    text += "<!-- cite every group, so that the worst is disclosed -->\n\n"
    for place, (_, said) in enumerate(passages):
        before, after = contexts()[context].replace("{i}", str(place)).split("{}")
        lines.append(text.count("\n") + before.count("\n") + 1)
        text += f"{before}{said}{after}\n\n"
    return text, lines


@pytest.mark.parametrize("context", [*contexts(), "reference"])
@pytest.mark.parametrize("key", FACTS)
def test_every_lie_about_a_fact_is_reported_in_every_context(book: Book, judge: Callable[..., set[tuple[int, str]]], key: str, context: str) -> None:
    passages = list(lies(book.catalog.fact(Key.parse(key)), key))
    if context == "reference":
        passages = [(name, said.replace(f"](fact:{key})", "][r]")) for name, said in passages if f"](fact:{key})" in said]
    text, lines = document(passages, "paragraph" if context == "reference" else context)
    found = {line for line, name in judge(f"{text}\n[r]: fact:{key}\n" if context == "reference" else text)}
    assert [(name, said) for (name, said), line in zip(passages, lines, strict=True) if line not in found] == []


@pytest.mark.parametrize("context", contexts())
def test_what_is_true_raises_nothing_in_any_context(book: Book, judge: Callable[..., set[tuple[int, str]]], context: str) -> None:
    everything = [f"[{spell(fact)}](fact:{fact.key})" for fact in book.catalog.slices("performance", "fnr", "age_band")]
    everything += [f"[{spell(fact)}](fact:{fact.key})" for fact in book.catalog.slices("performance", "fpr", "sex")]
    passages = [("", said) for key in FACTS for said in truths(book.catalog.fact(Key.parse(key)), key)] + [("", said) for said in everything]
    text, lines = document(passages, context)
    found = judge(text)
    assert [(said, found) for (_, said), line in zip(passages, lines, strict=True) if line in {place for place, _ in found}] == []
    assert found == set()


# --- passages found by attacking the rules ------------------------------------------------------------------------------------------------------


def passages(what: str) -> list[str]:
    tree, _ = load_yaml((CASES / "passages.yaml").read_text(encoding="utf-8"), "passages.yaml")
    return list(tree[what])


@pytest.fixture(scope="module")
def head(book: Book) -> str:
    """The beginning of a document that cites every age band, so that the worst is disclosed."""
    facts = book.catalog.slices("performance", "fnr", "age_band")
    return "# Groups\n\n" + "".join(f"- {dict(fact.key.slice)['age_band']}: [{spell(fact)}](fact:{fact.key})\n" for fact in facts) + "\n"


@pytest.mark.parametrize("said", passages("lies"))
def test_a_passage_that_lies_is_reported(judge: Callable[..., set[tuple[int, str]]], head: str, said: str) -> None:
    assert judge(f"{head}{said}\n\nThe end.\n")


@pytest.mark.parametrize("said", passages("truths"))
def test_a_passage_that_does_not_lie_is_left_alone(judge: Callable[..., set[tuple[int, str]]], head: str, said: str) -> None:
    assert judge(f"{head}{said}\n\nThe end.\n") == set()


# --- lies in place: the demo's own documents, one alteration at a time -------------------------------------------------------------------------


def texts(book: Book) -> list[tuple[str, str]]:
    return [(document.name, document.source.decode()) for document in book.documents]


def put(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def altered(name: str, text: str) -> Iterator[tuple[str, str, int]]:
    """(lie class, text, line) for every value link, region and chart of a document."""
    keys = {match.group(3): match.group(1) for match in LINK.finditer(text) if match.group(2) == "fact"}
    for match in LINK.finditer(text):
        line = line_of(text, match.start())
        said, scheme, target = match.groups()
        if scheme == "fact":
            for number in NUMBER.finditer(said):
                at = match.start(1) + number.start()
                yield "digit", put(text, at, at + len(number.group()), bumped(number.group(), 0, 1)), line
            others = [key for key, words in keys.items() if words != said]
            yield "another fact's key", put(text, *match.span(3), others[len(said) % len(others)]), line
        elif scheme == "claim":
            claim, _, query = target.partition("?")
            for verdict in {"", "not-established", "broken"} - {query}:
                yield "verdict", put(text, *match.span(3), f"{claim}?{verdict}".rstrip("?")), line
        else:
            yield "name", put(text, *match.span(3), target + "x"), line
            yield "number in the words", put(text, *match.span(1), said + " 37"), line
    for match in CHART.finditer(text):
        line = line_of(text, match.start())
        yield "number in the image's text", put(text, *match.span(1), match.group(1) + ": 12 %"), line
        yield "chart path", put(text, *match.span(2), match.group(2).replace("-fnr-", "-fpr-") if "-fnr-" in match.group(2) else "x.svg"), line
        yield "chart metric", put(text, *match.span(3), re.sub("metric=f.r", "metric=accuracy", match.group(3))), line
        yield "chart title", put(text, *match.span(3), match.group(3).replace("fact:chart", "fact:charts")), line
    for match in REGION.finditer(text):
        yield from _region(text, match)


def _region(text: str, region: re.Match[str]) -> Iterator[tuple[str, str, int]]:
    opening = line_of(text, region.start())
    rows = [(region.start() + m.start(), m.group()) for m in re.finditer(r"^\|.*\|$", region.group(), re.MULTILINE)]
    body = rows[2:]
    for place, (start, row) in enumerate(body):
        line = line_of(text, start)
        for count, number in enumerate(NUMBER.finditer(row)):
            if count % 3 == place % 3 and row[number.start() - 1] not in "#<":  # a third of them: values, lower and upper bounds in turn
                at = start + number.start()
                yield "cell", put(text, at, at + len(number.group()), bumped(number.group(), 0, 1)), line
        yield "row deleted", put(text, start, start + len(row) + 1, ""), line
        yield "row twice", put(text, start, start, row + "\n"), line + 1
        yield "row added", put(text, start, start, row.replace("| ", "| x", 1) + "\n"), line
        cells = row.split(" | ")
        if len(cells) > 2 and cells[-1].rstrip(" |") != cells[-2]:
            yield "cells exchanged", put(text, start, start + len(row), " | ".join([*cells[:-2], cells[-1].rstrip(" |"), cells[-2] + " |"])), line
    header = rows[0]
    yield (
        "header",
        put(text, header[0], header[0] + len(header[1]), header[1].replace("n |", "m |", 1).replace("FNR", "FPR", 1)),
        line_of(text, header[0]),
    )
    comment = region.group().partition("\n")[0]
    yield "arguments", put(text, region.start(), region.start() + len(comment), comment.replace("metrics=", "metrics=accuracy,")), opening
    yield "evidence", put(text, region.start(), region.start() + len(comment), comment.replace("fact:table ", "fact:table x")), opening
    yield "misspelt comment", put(text, region.start(), region.start() + len(comment), comment.replace("fact:table", "fact:tabel")), opening
    bare = region.group().removeprefix(comment).removesuffix("<!-- /fact -->")
    yield "comments removed", put(text, *region.span(), bare), line_of(text, body[0][0])
    yield "words in the region", put(text, region.start() + len(comment), region.start() + len(comment), "\n\nAll is well."), opening + 2


def test_every_lie_in_the_documents_is_reported_at_its_line(book: Book, judge: Callable[..., set[tuple[int, str]]]) -> None:
    escaped, tried = [], 0
    for name, text in texts(book):
        assert judge(text, name) == set()
        for kind, lie, line in altered(name, text):
            if lie != text:
                tried += 1
                found = judge(lie, name)
                if line not in {place for place, _ in found}:
                    escaped.append((kind, name, line, sorted(found)))
    assert escaped == []
    assert tried > 300


@pytest.fixture
def copy(book: Book, tmp_path: Path) -> Path:
    return Path(shutil.copytree(book.root, tmp_path / "demo", ignore=shutil.ignore_patterns("site", "dist")))


def places(root: Path) -> set[tuple[str, str]]:
    return {(finding.file, finding.name) for finding in Book(root).check().findings}


def complains(root: Path, file: str) -> bool:
    """Whether the check reports the file, or refuses it and names the line."""
    try:
        return (file, "evidence-is-fresh") in places(root)
    except EvidenceError as error:
        return f"{file}:" in error.message


@pytest.mark.parametrize(
    ("old", "new", "file"),
    [
        ("{performance/auc} > 0.5", "{performance/auc} < 0.5", "documents/model-card.md"),
        ("{performance/auc} > 0.5", "{performance/auc} > 0.9", "documents/model-card.md"),
        ("{performance/fnr?age_band=<40} > {performance", "{performance/fnr?age_band=<40} < 1 + {performance", "documents/summary.md"),
        ("?age_band=<40} - ", "?age_band=60+} - ", "documents/model-card.md"),
        ("No decision about a person", "No decision on a person", ""),
        ("{why: the data set does not record it, ", "{whence: the data set does not record it, ", "!"),
        ("performance/auc: {at_least", "performance/auk: {at_least", "factbook.yaml"),
        ("cuts: [40, 60]", "cuts: [41, 60]", "factbook.yaml"),
        ("cut: 0.5", "cut: 0.4", "factbook.yaml"),
        ("young-missed-more:", "young-missed:", "documents/model-card.md"),
    ],
)
def test_what_is_altered_in_factbook_yaml_is_reported(copy: Path, old: str, new: str, file: str) -> None:
    path = copy / "factbook.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if file == "!":
        with pytest.raises(Exception, match="whence"):
            Book(copy)
    else:
        assert (file in {place for place, _ in places(copy)}) is bool(file)


def test_charts_evidence_and_sources_that_were_altered_are_reported(copy: Path) -> None:
    for figure in sorted((copy / "evidence" / "figures").glob("*.svg")):
        before = figure.read_text(encoding="utf-8")
        for number in list(re.finditer(r">[^<]*?(\d)[^<]*<", before))[:8]:
            figure.write_text(put(before, *number.span(1), str((int(number.group(1)) + 1) % 10)), encoding="utf-8")
            assert "chart-is-unchanged" in {name for _, name in places(copy)}, (figure, number.group())
        figure.write_text(before, encoding="utf-8")
    assert places(copy) == set()
    evidence = copy / "evidence" / "performance.json"
    before = evidence.read_text(encoding="utf-8")
    for old, new in (('"k":24,"n":87', '"k":23,"n":87'), ('"unit":"score","value":0.', '"unit":"score","value":0.1')):
        assert old in before
        evidence.write_text(before.replace(old, new, 1), encoding="utf-8")
        assert complains(copy, "evidence/performance.json")
    evidence.write_text(before, encoding="utf-8")
    source = copy / "data" / "holdout.parquet"
    source.write_bytes(source.read_bytes() + b" ")
    assert ("factbook.yaml", "evidence-is-fresh") in places(copy)


# --- harmless edits -----------------------------------------------------------------------------------------------------------------------------


def prettier(text: str) -> str:
    """What Prettier does: aligned tables, `_` for emphasis, `-` for lists, escaped characters it fears."""

    def aligned(match: re.Match[str]) -> str:
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in match.group().strip().split("\n")]
        widths = [max(3, *(len(row[column]) for row in rows if not set(row[column]) <= set("-:"))) for column in range(len(rows[0]))]
        lines = []
        for row in rows:
            rule = all(cell and set(cell) <= set("-:") for cell in row)
            cells = [
                ("-" * (width - 1) + ":" if cell.endswith(":") else "-" * width) if rule else cell.ljust(width)
                for cell, width in zip(row, widths, strict=True)
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    text = re.sub(r"(?:^\|.*\|\n)+", aligned, text, flags=re.MULTILINE)
    return re.sub(r"(?<!\*)\*([^*\s][^*\n]*)\*(?!\*)", r"_\1_", text)


def reflowed(text: str) -> str:
    """Paragraphs on one line each."""
    return re.sub(r"(?<=[\w.,;:)])\n(?=[\w\[`(])", " ", text)


def reordered(text: str) -> str:
    """Sections the other way round."""
    head, *parts = re.split(r"(?m)^(?=## )", text)
    return head + "".join(part.rstrip("\n") + "\n\n" for part in reversed(parts))


def tidied(text: str) -> str:
    import mdformat

    front, _, rest = text.removeprefix("---\n").partition("---\n")
    return f"---\n{front}---\n\n" + mdformat.text(rest, extensions={"gfm"})


HARMLESS: dict[str, Callable[[str], str]] = {
    "mdformat": tidied,
    "Prettier": prettier,
    "reflowed": reflowed,
    "reordered": reordered,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "bold links": lambda text: re.sub(r"(?<!\!)(\[[^\]]*\]\(fact:[^)]*\))", r"**\1**", text),
    "short texts": lambda text: re.sub(r"\[([\d.]+ %) \(95 % CI [\d.]+–[\d.]+\)\]", r"[\1]", text),
    "whole per cent": lambda text: re.sub(r"\[(\d+)\.([012346789]) % \(95 % CI [^)]*\)\]", lambda m: f"[{round(float(f'{m[1]}.{m[2]}'))} %]", text),
    "other notation": lambda text: re.sub(r"\(95 % CI ([\d.]+)–([\d.]+)\)\]\(", r"[\1, \2]](", text),
    "reference links": lambda text: re.sub(r"\[([^\[\]]*)\]\((fact:performance/rows)\)", r"[\1][rows]", text) + "\n\n[rows]: fact:performance/rows\n",
    "non-breaking spaces": lambda text: text.replace(" %", "\u00a0%"),
    "other words": lambda text: (
        text.replace("It was tried on", "The evaluation covers").replace("rest on", "come from").replace("An interval stands", "There is an interval")
    ),
    "a new paragraph": lambda text: text + "\nThe authors thank the patients. In 2004 the data were published (Efron et al. 2004).\n",
    "a comment": lambda text: text + "\n<!-- 37 things to do, 19.5 % done -->\n",
    "other list markers": lambda text: re.sub(r"(?m)^- ", "* ", text),
    "trailing spaces": lambda text: re.sub(r"(?m)^(\w.*[.,])$", r"\1  ", text),
}


@pytest.mark.parametrize("edit", HARMLESS)
def test_harmless_edits_raise_nothing(book: Book, judge: Callable[..., set[tuple[int, str]]], edit: str) -> None:
    for name, text in texts(book):
        assert judge(HARMLESS[edit](text), name) == set(), name
