"""The manual of the kinds of document, which is their data: `python -m factbook.documents.manual docs/guide/kinds` writes one page a kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from factbook.documents import kinds
from factbook.documents.kinds import Kind, Section


def page(name: str) -> str:
    """The page of a kind: what it is for, its sections, what they need, and what only a person can say."""
    kind = kinds.load(name)
    return "\n".join(_lines(name, kind)) + "\n"


def _lines(name: str, kind: Kind) -> Iterator[str]:
    yield from (f"# {kind.title}", "", kind.about, "")
    yield from (f"Begin one with `factbook new {name}`. It is written for {_listed(kind.audience)}.", "")
    if kind.source:
        yield from (f"It is built {kind.source}.", "")
    if kind.disclose:
        yield from (f"Where groups are measured, the worst group of {_listed([f'`{item}`' for item in kind.disclose])} must be shown.", "")
    for section in kind.sections:
        yield from _section(kind, section)


def _section(kind: Kind, section: Section) -> Iterator[str]:
    yield from (f"## {section.heading}", "", f"{section.purpose} Owner: {section.owner}; required from the stage `{section.required_from}` on.", "")
    needs = [f"`{fact}`" for fact in section.needs.facts]
    needs += [f"a {what} of `{measure}`" for what, wanted in (("table", section.needs.tables), ("chart", section.needs.charts)) for measure in wanted]
    if needs:
        yield from (f"Where the book measures it, the section shows {_listed(needs)}.", "")
    for question in section.questions:
        yield f"{kind.number(question.id)}. **{question.topic}.** {question.ask} Asked of the {question.owner}. *{question.example}*"
    if section.questions:
        yield ""


def _listed(items: tuple[str, ...] | list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def write(folder: Path) -> None:
    """Write the page of every kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in kinds.names():
        (folder / f"{name}.md").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
