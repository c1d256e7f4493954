"""The guide to the measures shows what happens: its script is run, its plans are measured, its commands print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from factbook import shelf
from factbook.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "measures.md"


def test_every_example_of_the_guide(tmp_path, monkeypatch, capsys):
    text = PAGE.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    script = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert script is not None
    exec(compile(script[1], str(PAGE), "exec"), {})
    examples = re.findall(r"^```yaml\n(.*?)^```\n\n```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(examples) == 6
    for number, (book, console) in enumerate(examples):
        Path("factbook.yaml").write_text(book, encoding="utf-8")
        for old in Path("evidence").glob("*.json"):
            old.unlink()
        for command, shown in re.findall(r"^\$ factbook (.*)\n((?:(?!\$ ).*\n?)*)", console, re.MULTILINE):
            assert main(shlex.split(command)) == 0, (number, command)
            printed = capsys.readouterr().out
            if shown.strip():
                assert [line.split() for line in printed.splitlines()] == [line.split() for line in shown.splitlines()], command


@pytest.mark.parametrize("name", ["regression", "ranking", "agreement", "coverage", "clustering", "text-generation"])
def test_every_parameter_is_described(name):
    section = re.search(rf"^## {name}\b.*?(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert section is not None
    module = shelf.find("measures", name)
    assert [given for given in (*module.PARAMS, *module.ROLES[1:]) if f"`{given}`" not in section[0] and f"{given}:" not in section[0]] == []
