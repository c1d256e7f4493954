"""What the documentation shows is what happens: its commands are run, its tables are complete, its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from factbook import Book, manifest
from factbook.documents import scaffold
from factbook.documents.agreement import disagreement
from factbook.documents.parse import parse

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


def steps(page: Path) -> list[tuple[str, str]]:
    """Every command of a page's console blocks with what it prints, in order."""
    blocks = "\n".join(COMMANDS.findall(page.read_text(encoding="utf-8")))
    return [(command, said.strip()) for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", blocks, re.MULTILINE)]


def agrees(shown: str, printed: str) -> bool:
    """Whether the printed text is what is shown; `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def test_the_commands_of_the_readme_do_what_it_shows(tmp_path: Path) -> None:
    done = steps(ROOT / "README.md")
    assert len(done) > 5
    program = tmp_path / ".venv" / "bin" / "factbook"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m factbook "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    for command, shown in done:
        if command == "make demo":
            recipe = subprocess.run(["make", "--silent", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
            assert recipe.splitlines()[-1].endswith("/factbook demo demo")
            command = "factbook demo demo"
        result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=300)
        assert result.returncode in ({1} if shown.endswith("finding") else {0}), (command, result.stdout, result.stderr)
        assert not shown or agrees(shown, result.stdout), (command, result.stdout)
    _says_what_the_book_says((ROOT / "README.md").read_text(encoding="utf-8"), Book(tmp_path / "demo"))


def _says_what_the_book_says(text: str, book: Book) -> None:
    example = parse(re.findall(r"^```markdown\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[0])
    facts, claims = list(example.bound("fact")), list(example.bound("claim"))
    assert facts
    assert claims
    assert [disagreement(link.text, book.facts(link.target)[0]) for link in facts] == [None] * len(facts)
    assert [str(book.catalog.claim(link.name).verdict) for link in claims] == [link.query for link in claims]


def test_the_guide_lists_its_pages() -> None:
    guide = ROOT / "docs" / "guide"
    listed = {link.target for link in parse((guide / "README.md").read_bytes()).links}
    assert {path.name for path in guide.glob("*.md")} - listed == {"README.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in parse(page.read_bytes(), page.name).links:
        if not link.scheme and not link.target.startswith("#"):
            assert (page.parent / link.target.partition("#")[0]).exists(), link.target


@pytest.mark.parametrize("schema", [manifest.Manifest, manifest.Source, manifest.Subject])
def test_every_name_of_factbook_yaml_is_described(schema: type[manifest.Manifest]) -> None:
    page = (ROOT / "docs/guide/factbook-yaml.md").read_text(encoding="utf-8")
    assert [name for name in schema.model_fields if f"`{name}`" not in page] == []


def test_every_function_of_templates_is_described() -> None:
    page = (ROOT / "docs/guide/kinds.md").read_text(encoding="utf-8")
    assert [name for name in scaffold._FUNCTIONS if f"{name}(" not in page] == []


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize("page", [path for path in PAGES if "adr" in path.parts], ids=lambda page: page.name)
def test_decisions_are_one_screen(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.name[:4]} · .+\n\nStatus: (accepted|superseded)", text)
    assert len(text.splitlines()) <= 60
