"""The guide to the measures shows what happens: its script is run, its plans are measured, its commands print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from factbook import shelf
from factbook.cli import main, terminal

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
SECTIONS = {
    "measures": ["regression", "ranking", "agreement", "coverage", "clustering"],
    "measures-profile": ["profile", "distribution"],
    "measures-classification": ["classification"],
    "measures-fairness": ["fairness", "comparison"],
    "comparison": ["learning"],
    "measures-language": ["text-generation", "text-corpus"],
    "measures-vision": ["detection", "segmentation", "image-corpus"],
}


@pytest.mark.parametrize("page", SECTIONS)
def test_every_example_of_the_guide(page, tmp_path, monkeypatch, capsys):
    text = (GUIDE / f"{page}.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    terminal.console.cache_clear()  # it writes to the stream of the first test
    script = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert script is not None
    exec(compile(script[1], page, "exec"), {})
    examples = re.findall(r"^```yaml\n((?:(?!```)[^\n]*\n)*)```\n\n```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(examples) >= len(SECTIONS[page])
    for number, (book, console) in enumerate(examples):
        Path("factbook.yaml").write_text(book, encoding="utf-8")
        for old in Path("evidence").glob("*.json"):
            old.unlink()
        for command, shown in re.findall(r"^\$ factbook (.*)\n((?:(?!\$ ).*\n?)*)", console, re.MULTILINE):
            assert main(shlex.split(command)) == 0, (number, command)
            printed = capsys.readouterr().out
            if shown.strip():
                assert [line.split() for line in printed.splitlines()] == [line.split() for line in shown.splitlines()], command


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in SECTIONS.items() for name in names])
def test_every_parameter_is_described(page, name):
    section = re.search(rf"^## {name}\b.*?(?=^## |\Z)", (GUIDE / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert section is not None
    module = shelf.find("measures", name)
    named = (*module.PARAMS, *module.ROLES[1:], *getattr(module, "OPTIONAL", ()))
    assert [given for given in named if f"`{given}`" not in section[0] and f"{given}:" not in section[0]] == []
